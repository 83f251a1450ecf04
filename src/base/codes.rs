//! Codes for printing and typing: 128 random bits in Crockford's Base32.

use std::{fmt, str::FromStr};

use crate::base::Random;

/// Crockford's digits: no I, L, O (they look like 1 and 0) and no U.
const DIGITS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// The value of every byte that is a digit or is taken for one; [`NONE`] for others.
#[expect(
    clippy::indexing_slicing,
    reason = "computed by the compiler, which would refuse"
)]
const VALUES: [u8; 256] = {
    let mut values = [NONE; 256];
    let mut value = 0;
    while value < 32 {
        let digit = DIGITS[value as usize];
        values[digit as usize] = value;
        values[digit.to_ascii_lowercase() as usize] = value;
        value += 1;
    }
    (values[b'O' as usize], values[b'o' as usize]) = (0, 0);
    (values[b'I' as usize], values[b'i' as usize]) = (1, 1);
    (values[b'L' as usize], values[b'l' as usize]) = (1, 1);
    values
};

/// No digit.
const NONE: u8 = 0xff;

/// Digits in a code: 26 × 5 bits hold 128, the first digit is at most 7.
pub const LENGTH: usize = 26;

/// A code of 128 random bits: 26 Crockford Base32 digits (<https://www.crockford.com/base32.html>).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Code([u8; 16]);

/// The text is not a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a code of 26 Crockford Base32 digits")]
pub struct NotACode;

impl Code {
    /// A new code.
    #[must_use]
    pub fn new(random: &Random) -> Self {
        Self(random.bytes())
    }

    /// The code with these 128 bits.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// Its 128 bits.
    #[must_use]
    pub const fn bytes(self) -> [u8; 16] {
        self.0
    }

    /// In groups for typing: `XXXXX-XXXXX-XXXXX-XXXXX-XXXXXX`.
    #[must_use]
    pub fn grouped(self) -> String {
        let mut text = String::with_capacity(LENGTH + 4);
        for (at, digit) in self.to_string().chars().enumerate() {
            if at > 0 && at % 5 == 0 && at < 25 {
                text.push('-');
            }
            text.push(digit);
        }
        text
    }
}

impl FromStr for Code {
    type Err = NotACode;

    /// Reads without regard to case, spaces and hyphens; `o` is 0, `i` and `l` are 1; U is no digit.
    fn from_str(text: &str) -> Result<Self, NotACode> {
        let mut bits: u128 = 0;
        let mut digits = 0;
        for byte in text.bytes().filter(|byte| !matches!(byte, b' ' | b'-')) {
            let value = VALUES.get(usize::from(byte)).copied().unwrap_or(NONE);
            digits += 1;
            if value == NONE || digits > LENGTH || (digits == 1 && value > 7) {
                return Err(NotACode);
            }
            bits = (bits << 5) | u128::from(value);
        }
        if digits == LENGTH {
            Ok(Self(bits.to_be_bytes()))
        } else {
            Err(NotACode)
        }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bits = u128::from_be_bytes(self.0);
        let mut text = [b'0'; LENGTH];
        for to in text.iter_mut().rev() {
            let digit = usize::try_from(bits & 31).unwrap_or(0);
            *to = DIGITS.get(digit).copied().unwrap_or(b'0');
            bits >>= 5;
        }
        f.write_str(std::str::from_utf8(&text).map_err(|_| fmt::Error)?)
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_people_type() {
        let code = Code::new(&Random::seeded(3));
        let text = code.to_string();
        assert_eq!(text.len(), LENGTH);
        assert_eq!(text.parse(), Ok(code));
        assert_eq!(code.grouped().to_lowercase().parse(), Ok(code));
        let look_alike = text.replace('0', "o").replace('1', "l");
        assert_eq!(look_alike.parse(), Ok(code));
    }

    #[test]
    fn refuses_what_is_none() {
        let text = Code::from_bytes([0xff; 16]).to_string();
        assert_eq!(text, "7ZZZZZZZZZZZZZZZZZZZZZZZZZ");
        assert!(text.parse::<Code>().is_ok());
        for wrong in [
            "",
            "7ZZZZZZZZZZZZZZZZZZZZZZZZ",
            "8ZZZZZZZZZZZZZZZZZZZZZZZZZ",
            "UZZZZZZZZZZZZZZZZZZZZZZZZZ",
            "7ZZZZZZZZZZZZZZZZZZZZZZZZZZ",
            "7ZZZZZZZZZZZZZZZZZZZZZZZZé",
        ] {
            assert_eq!(wrong.parse::<Code>(), Err(NotACode), "{wrong}");
        }
    }
}
