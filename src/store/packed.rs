//! Rows of fixed width in one blob: how a batch is handed to SQLite, which has no arrays.
//!
//! A text takes a field out with `substr`, which costs the same wherever in a blob it is, and turns
//! digits into numbers with `CAST`. JSON would be read and written again for every row: about a
//! quarter of the writing thread's time, by a profile of the import.

use std::fmt::Write;

/// Rows of fixed width, in the making.
#[derive(Debug, Default)]
pub struct Packed(Vec<u8>);

impl Packed {
    /// Nothing, with room for `rows` rows of `width` bytes.
    #[must_use]
    pub fn with_capacity(rows: usize, width: usize) -> Self {
        Self(Vec::with_capacity(rows * width))
    }

    /// The bytes so far, and where in SQL the next one will stand: positions begin at 1.
    pub fn add(&mut self, bytes: &[u8]) -> usize {
        let place = self.0.len() + 1;
        self.0.extend_from_slice(bytes);
        place
    }

    /// `number` in `width` digits, zeros before it. What is longer is cut, so the width must do.
    pub fn digits(&mut self, number: impl TryInto<u64>, width: usize) {
        let mut rest = number.try_into().unwrap_or_default();
        let start = self.0.len();
        self.0.resize(start + width, b'0');
        for digit in self.0.iter_mut().skip(start).rev() {
            *digit = b'0' + u8::try_from(rest % 10).unwrap_or_default();
            rest /= 10;
        }
        debug_assert_eq!(rest, 0, "a number is wider than its field");
    }

    /// `word`, with blanks after it. What is longer is cut, so the width must do.
    pub fn word(&mut self, word: &str, width: usize) {
        debug_assert!(word.len() <= width, "a word is wider than its field");
        let blanks = std::iter::repeat(b' ');
        self.0.extend(word.bytes().chain(blanks).take(width));
    }

    /// The blob to bind.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        self.0
    }
}

/// A JSON array of where each of `n` rows of `width` bytes begins: `json_each` runs over them.
#[must_use]
pub fn places(n: usize, width: usize) -> String {
    let mut text = String::with_capacity(8 * n + 2);
    text.push('[');
    for at in 0..n {
        if at > 0 {
            text.push(',');
        }
        // Writing to a string cannot fail.
        let _ = write!(text, "{}", at * width + 1);
    }
    text.push(']');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_have_their_width() {
        let mut packed = Packed::with_capacity(1, 12);
        packed.digits(42_i64, 5);
        packed.word("ab", 4);
        assert_eq!(packed.add(b"xyz"), 10);
        assert_eq!(packed.into_bytes(), b"00042ab  xyz");
        assert_eq!(
            (places(0, 9), places(1, 9), places(3, 9)),
            ("[]".into(), "[1]".into(), "[1,10,19]".into())
        );
    }
}
