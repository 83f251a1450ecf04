//! A puzzle that a browser solves before a message is sent for it.
//!
//! It takes a phone a second or so and a machine that asks for thousands of codes its money's worth.
//! No other service is asked, and nobody has to read letters. The browser looks for a number with
//! which the SHA-256 of the form's token begins with so many zero bits; a token is good once, so no
//! work is good twice. A browser without scripts waits instead ([`WAIT_MS`]), and its address is
//! counted more strictly.

use sha2::{Digest, Sha256};

/// Zero bits that are asked for: 65,536 tries on average.
pub const BITS: u32 = 16;

/// How old a form must be when it comes without work, in milliseconds: 20 seconds.
pub const WAIT_MS: i64 = 20 * 1000;

/// Digits of an answer at most.
const ANSWER_MAX: usize = 12;

/// Whether `answer` solves the puzzle of `token`.
#[must_use]
pub fn is_solved(token: &str, answer: &str, bits: u32) -> bool {
    let sound = (1..=ANSWER_MAX).contains(&answer.len())
        && answer.bytes().all(|byte| byte.is_ascii_digit());
    if !sound {
        return false;
    }
    let hash: [u8; 32] = Sha256::digest(format!("{token}:{answer}")).into();
    let (first, _) = hash.split_at(4);
    let first = first
        .iter()
        .fold(0_u32, |number, byte| number << 8 | u32::from(*byte));
    first.leading_zeros() >= bits.min(32)
}

/// An answer, for programs that ask instead of a browser, and for tests.
#[must_use]
pub fn solve(token: &str, bits: u32) -> String {
    (0..u32::MAX)
        .map(|number| number.to_string())
        .find(|answer| is_solved(token, answer, bits))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_good_for_its_token_alone() {
        let answer = solve("one", 12);
        assert!(is_solved("one", &answer, 12));
        assert!(!is_solved("another", &answer, 12) || !is_solved("third", &answer, 12));
        for odd in ["", "x", "-1", "0000000000000"] {
            assert!(!is_solved("token", odd, 0), "{odd}");
        }
        assert!(is_solved("token", "1", 0));
    }

    /// The script of the page computes the same hash. Its first bytes for "token:45" are 00 2c, by
    /// Python's `hashlib`, and nothing below 45 has ten zero bits.
    #[test]
    fn the_hash_is_that_of_token_colon_answer() {
        assert!(is_solved("token", "45", 10) && !is_solved("token", "45", 11));
        assert_eq!(solve("token", 10), "45");
    }
}
