//! One-time codes: six digits, sent to a number, that prove that somebody reads what comes there.
//!
//! First a page gets a [`FormToken`], made by the server, good once and in one browser only; with it
//! a number is given, and with it the code comes back. So a code is bound to a browser and to what it
//! was asked for, and whoever reads it elsewhere has nothing. A code is good for five minutes and five
//! tries; of code and number only keyed hashes are stored, and the number sealed until the code was
//! used.
//!
//! Each code costs money and rings at somebody's phone, so there are bounds: a pause of a minute,
//! three in ten minutes and five a day for a number ([`budget`]), a puzzle to be solved by the browser
//! ([`work`]), and a limit a day for the whole service, beyond which nothing is sent at all. A number
//! that is known and one that is not are answered alike, because nothing here looks whether it is.

pub mod budget;
pub mod store;
pub mod work;

pub use store::{Ask, Asked, Verdict, ask, sweep, verify};

use crate::{
    base::{Random, Timestamp},
    identity::Phone,
    privacy::Key,
};

/// Tries at one code.
pub const TRIES: i64 = 5;

/// How long a code is good, in milliseconds: five minutes.
pub const GOOD_FOR_MS: i64 = 5 * 60 * 1000;

/// How long a page may stay open before a number is given in it, in milliseconds: half an hour.
const FORM_GOOD_FOR_MS: i64 = 30 * 60 * 1000;

/// What a code is asked for. A code for one purpose is none for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// To see and to change one's own data.
    OwnData,
}

impl Purpose {
    /// As it is stored.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OwnData => "own-data",
        }
    }
}

/// Whether codes can be sent to this number: Vietnamese mobile numbers alone. A landline reads no text
/// messages, and foreign ones are what fraud with text messages lives on.
#[must_use]
pub fn is_reached(phone: &Phone) -> bool {
    let mobile = phone.e164().strip_prefix("+84").unwrap_or_default();
    mobile.starts_with(['3', '5', '7', '8', '9'])
}

/// What a page gets before a number is given in it: when it was made, and chance. Only the server can
/// make one, and it is good once (the first use stores it) and in one browser.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FormToken {
    /// When it was made.
    pub made_at: Timestamp,
}

impl FormToken {
    /// A new one for the browser that `binding` names, as text.
    #[must_use]
    pub fn make(
        key: &Key,
        random: &Random,
        purpose: Purpose,
        binding: &str,
        now: Timestamp,
    ) -> String {
        let made = now.as_ms().to_be_bytes();
        let chance: [u8; 16] = random.bytes();
        let mac = mac(key, purpose, binding, &made, &chance);
        hex(&[&made, &chance, &mac])
    }

    /// The token in `text`, if it was made for this purpose and this browser not too long ago.
    #[must_use]
    pub fn read(
        key: &Key,
        purpose: Purpose,
        binding: &str,
        text: &str,
        now: Timestamp,
    ) -> Option<Self> {
        let bytes = unhex(text)?;
        let (made, rest) = bytes.split_first_chunk::<8>()?;
        let (chance, sent) = rest.split_first_chunk::<16>()?;
        let own = mac(key, purpose, binding, made, chance);
        if !bool::from(subtle::ConstantTimeEq::ct_eq(sent, own.as_slice())) {
            return None;
        }
        let made_at = Timestamp::from_ms(i64::from_be_bytes(*made));
        let age = now.as_ms() - made_at.as_ms();
        (0..FORM_GOOD_FOR_MS)
            .contains(&age)
            .then_some(Self { made_at })
    }
}

fn mac(key: &Key, purpose: Purpose, binding: &str, made: &[u8], chance: &[u8]) -> [u8; 16] {
    let whole = key.mac(&[
        b"otp-form",
        purpose.as_str().as_bytes(),
        binding.as_bytes(),
        made,
        chance,
    ]);
    let mut short = [0; 16];
    short
        .iter_mut()
        .zip(whole)
        .for_each(|(to, from)| *to = from);
    short
}

fn hex(parts: &[&[u8]]) -> String {
    use std::fmt::Write as _;
    parts
        .iter()
        .flat_map(|part| part.iter())
        .fold(String::with_capacity(80), |mut text, byte| {
            // Writing to a string does not fail.
            let _ = write!(text, "{byte:02x}");
            text
        })
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    if text.len() != 80 || !text.is_ascii() {
        return None;
    }
    (0..40)
        .map(|at| u8::from_str_radix(text.get(2 * at..2 * at + 2)?, 16).ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minutes: i64) -> Timestamp {
        Timestamp::from_ms(minutes * 60_000)
    }

    #[test]
    fn a_form_token_is_good_in_its_browser_and_for_a_while() {
        let random = Random::seeded(1);
        let key = Key::new(&random);
        let token = FormToken::make(&key, &random, Purpose::OwnData, "browser", at(100));
        let read = |key: &Key, binding: &str, text: &str, minute| {
            FormToken::read(key, Purpose::OwnData, binding, text, at(minute)).is_some()
        };
        assert!(read(&key, "browser", &token, 100) && read(&key, "browser", &token, 129));
        assert!(!read(&key, "browser", &token, 130) && !read(&key, "browser", &token, 99));
        assert!(!read(&key, "another", &token, 100));
        assert!(!read(&Key::new(&random), "browser", &token, 100));
        for index in 0..token.len() {
            let digit = if token.as_bytes()[index] == b'0' {
                "1"
            } else {
                "0"
            };
            let mut forged = token.clone();
            forged.replace_range(index..=index, digit);
            assert!(!read(&key, "browser", &forged, 100), "digit {index}");
        }
        for odd in ["", "zz", &"é".repeat(40), &token[..78]] {
            assert!(!read(&key, "browser", odd, 100), "{odd}");
        }
        let again = FormToken::make(&key, &random, Purpose::OwnData, "browser", at(100));
        assert_ne!(token, again);
    }

    #[test]
    fn only_vietnamese_mobile_numbers_are_reached() {
        let is = |text: &str| is_reached(&Phone::parse(text).unwrap());
        assert!(is("0901234567") && is("+84 35 123 4567"));
        assert!(!is("02438231234") && !is("+14155552671"));
    }
}
