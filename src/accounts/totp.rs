//! One-time passwords by the clock: TOTP of RFC 6238 with SHA-1, 30 seconds and 6 digits, which is
//! what authenticator apps take for granted.
//!
//! This is the arithmetic alone; that a password is good once is kept in the store, see
//! `accounts::factor`.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha1::Sha1;
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use crate::base::{Random, Timestamp};

/// Seconds for which one password stands.
pub const STEP_SECONDS: i64 = 30;

/// Steps by which the clocks may differ, each way.
pub const SKEW_STEPS: i64 = 1;

/// Bytes of a secret: as long as the hash (RFC 4226, section 4, R6).
const BYTES: usize = 20;

/// Digits of a password.
const DIGITS: usize = 6;

/// The letters of Base32 (RFC 4648).
const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// What an authenticator app and the service both know. It is wiped when dropped and does not print
/// itself.
#[derive(Clone)]
pub struct TotpSecret(Zeroizing<[u8; BYTES]>);

impl TotpSecret {
    /// A new secret.
    #[must_use]
    pub fn new(random: &Random) -> Self {
        Self(Zeroizing::new(random.bytes()))
    }

    /// The secret with these bytes; `None` when they are not twenty.
    #[must_use]
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        bytes
            .try_into()
            .ok()
            .map(|bytes| Self(Zeroizing::new(bytes)))
    }

    /// Its bytes, for sealing.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        self.0.as_slice()
    }

    /// Read 32 letters of Base32, in any case, with spaces or hyphens between them.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut bytes = Zeroizing::new([0; BYTES]);
        let mut filled = 0;
        let (mut bits, mut held) = (0_u32, 0_u32);
        for letter in text.bytes().filter(|c| !matches!(c, b' ' | b'-' | b'=')) {
            let digit = BASE32
                .iter()
                .position(|known| *known == letter.to_ascii_uppercase())?;
            bits = (bits << 5 | u32::try_from(digit).ok()?) & 0xfff;
            held += 5;
            if held >= 8 {
                held -= 8;
                *bytes.get_mut(filled)? = u8::try_from(bits >> held & 0xff).ok()?;
                filled += 1;
            }
        }
        (filled == BYTES && held == 0).then_some(Self(bytes))
    }

    /// As 32 letters of Base32, for the app.
    #[must_use]
    pub fn base32(&self) -> Zeroizing<String> {
        let mut text = Zeroizing::new(String::with_capacity(BYTES * 8 / 5));
        let (mut bits, mut held) = (0_u32, 0_u32);
        for byte in self.0.iter() {
            bits = (bits << 8 | u32::from(*byte)) & 0xffff;
            held += 8;
            while held >= 5 {
                held -= 5;
                let digit = usize::try_from(bits >> held & 31).unwrap_or(0);
                text.extend(BASE32.get(digit).map(|letter| char::from(*letter)));
            }
        }
        text
    }

    /// The password of `step`: six digits.
    #[must_use]
    pub fn at(&self, step: i64) -> String {
        let number = hotp(self.0.as_slice(), step) % 1_000_000;
        format!("{number:0DIGITS$}")
    }

    /// The step that `typed` belongs to, if it is the password of now, or of one step before or after.
    /// Spaces do not count: apps show them. All are compared, whichever fits.
    #[must_use]
    pub fn step_of(&self, typed: &str, now: Timestamp) -> Option<i64> {
        let typed: Zeroizing<String> =
            Zeroizing::new(typed.chars().filter(|c| !c.is_whitespace()).collect());
        let here = step_at(now);
        let mut found = None;
        for step in here - SKEW_STEPS..=here + SKEW_STEPS {
            let expected = Zeroizing::new(self.at(step));
            if bool::from(expected.as_bytes().ct_eq(typed.as_bytes())) {
                found = Some(step);
            }
        }
        found
    }
}

impl std::fmt::Debug for TotpSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TotpSecret(***)")
    }
}

/// The number of the step that `now` lies in.
#[must_use]
pub const fn step_at(now: Timestamp) -> i64 {
    now.as_secs().div_euclid(STEP_SECONDS)
}

/// Dynamic truncation of RFC 4226, section 5.3: 31 bits.
fn hotp(secret: &[u8], step: i64) -> u32 {
    // HMAC takes keys of any length.
    let Ok(mut mac) = Hmac::<Sha1>::new_from_slice(secret) else {
        return 0;
    };
    mac.update(&step.to_be_bytes());
    let hash = mac.finalize().into_bytes();
    let offset = usize::from(hash.last().copied().unwrap_or(0) & 0xf);
    let four = hash.get(offset..offset + 4).unwrap_or_default();
    let four: [u8; 4] = four.try_into().unwrap_or_default();
    u32::from_be_bytes(four) & 0x7fff_ffff
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The secret of both RFCs' examples.
    fn example() -> TotpSecret {
        TotpSecret::from_slice(b"12345678901234567890").unwrap()
    }

    #[test]
    fn the_counters_of_rfc_4226_give_its_passwords() {
        let expected = [
            "755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583",
            "399871", "520489",
        ];
        for (step, password) in (0..).zip(expected) {
            assert_eq!(example().at(step), password, "appendix D, {step}");
        }
    }

    #[test]
    fn the_moments_of_rfc_6238_give_its_passwords() {
        // Appendix B, the rows of SHA-1; it prints eight digits.
        for (seconds, eight) in [
            (59, 94_287_082),
            (1_111_111_109, 7_081_804),
            (1_111_111_111, 14_050_471),
            (1_234_567_890, 89_005_924),
            (2_000_000_000, 69_279_037),
            (20_000_000_000, 65_353_130),
        ] {
            let step = step_at(Timestamp::from_ms(seconds * 1000));
            let secret = example();
            assert_eq!(hotp(secret.bytes(), step) % 100_000_000, eight, "{seconds}");
            assert_eq!(secret.at(step), format!("{:06}", eight % 1_000_000));
        }
    }

    #[test]
    fn a_secret_is_read_as_it_is_written() {
        let text = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";
        assert_eq!(example().base32().as_str(), text);
        for written in [
            text,
            &text.to_lowercase(),
            "GEZD GNBV GY3T QOJQ gezd-gnbv-gy3t-qojq",
        ] {
            assert_eq!(
                TotpSecret::parse(written).unwrap().bytes(),
                example().bytes()
            );
        }
        let random = TotpSecret::new(&Random::seeded(3));
        let again = TotpSecret::parse(&random.base32()).unwrap();
        assert_eq!(again.bytes(), random.bytes());
        for wrong in [
            "",
            "GEZD",
            &text[1..],
            &format!("{text}A"),
            &text.replace('G', "1"),
        ] {
            assert!(TotpSecret::parse(wrong).is_none(), "{wrong}");
        }
        assert_eq!(format!("{random:?}"), "TotpSecret(***)");
    }

    #[test]
    fn one_step_of_skew_each_way_and_no_more() {
        let now = Timestamp::from_ms(1_111_111_111_000);
        let here = step_at(now);
        for (step, fits) in [(-2, false), (-1, true), (0, true), (1, true), (2, false)] {
            let typed = example().at(here + step);
            let found = example().step_of(&typed, now);
            assert_eq!(found, fits.then_some(here + step), "{step}");
        }
        let typed = example().at(here);
        let (left, right) = typed.split_at(3);
        assert_eq!(
            example().step_of(&format!(" {left} {right} "), now),
            Some(here)
        );
        for wrong in ["", "12345", "1234567", &typed[1..]] {
            assert_eq!(example().step_of(wrong, now), None, "{wrong}");
        }
    }
}
