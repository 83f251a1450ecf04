//! Keys, sealing and the audit log.
//!
//! What a stolen database shows is movements without a name: contact details and answers are sealed
//! under the key of their UTC day, case files under a key of their own, accounts and venues under
//! the record key, and every one of these keys is wrapped by the master key, which is not in the
//! database. A sealed value is bound to its table, column and row and opens nowhere else.

pub mod audit;
mod days;
pub mod escrow;
pub mod jwt;
mod key;
mod master;
pub mod opened;
mod ring;
pub mod rotate;
pub mod transparency;

pub use days::{DayKey, DayState, day_place, day_row};
pub use key::{Key, Macs, Place, Refused};
pub use master::{FINGERPRINT, Master, NoMaster};
pub use ring::{KeyRing, NoKey};

/// In hexadecimal digits.
#[must_use]
pub fn hex(bytes: &[u8]) -> zeroize::Zeroizing<String> {
    use std::fmt::Write as _;
    let mut text = zeroize::Zeroizing::new(String::with_capacity(2 * bytes.len()));
    for byte in bytes {
        // Writing to a string does not fail.
        let _ = write!(*text, "{byte:02x}");
    }
    text
}

/// The bytes of hexadecimal digits; `None` if they are none.
#[must_use]
pub fn unhex(digits: &str) -> Option<Vec<u8>> {
    if !digits.len().is_multiple_of(2) || !digits.is_ascii() {
        return None;
    }
    (0..digits.len() / 2)
        .map(|at| u8::from_str_radix(digits.get(2 * at..2 * at + 2)?, 16).ok())
        .collect()
}
