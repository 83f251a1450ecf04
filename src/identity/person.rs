//! Pseudonyms: the same number gives the same 16 bytes, and without the key nobody can go back.
//!
//! There are so few phone numbers that a hash without a key is undone by trying them all. So the
//! pseudonym is keyed, and a stolen database without the key shows movements but no people.

use super::{IdNumber, Phone};
use crate::privacy::Key;

/// Who a row is about: a keyed pseudonym of a phone number or of an ID number.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PersonId([u8; 16]);

impl PersonId {
    /// The pseudonym as it is stored.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The pseudonym in a stored column; `None` when that has another length than 16 bytes.
    #[must_use]
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// The bytes to store.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// 32 hexadecimal digits, for tests that compare. A pseudonym is never shown: what leaves the
    /// service is a reference made for one lookup.
    #[must_use]
    pub fn to_hex_for_tests(self) -> String {
        format!("{:032x}", u128::from_be_bytes(self.0))
    }
}

/// The purpose, first in every message, so that the key gives other values to other purposes.
const LABEL: &[u8] = b"diem-kiem-dich/person-id";

/// Makes pseudonyms with one version of the key.
///
/// A pseudonym is the first 16 bytes of HMAC-SHA-256 over label, version, kind of number and the
/// normalised number, each with its length before it. Two people share one only by chance in about
/// 2^64 people.
pub struct Pseudonymizer {
    key: Key,
    version: u8,
}

impl Pseudonymizer {
    /// Takes the key of pseudonyms and its version. Another version gives everybody another
    /// pseudonym, even under the same key.
    #[must_use]
    pub fn new(key: &[u8; 32], version: u8) -> Self {
        Self {
            key: Key::from_bytes(*key),
            version,
        }
    }

    /// The version that was given.
    #[must_use]
    pub fn version(&self) -> u8 {
        self.version
    }

    /// The pseudonym of whoever has this phone number.
    #[must_use]
    pub fn of_phone(&self, phone: &Phone) -> PersonId {
        self.of(format!("phone:{}", phone.e164()).as_bytes())
    }

    /// The pseudonym of whoever has this paper. The old and the new health insurance card of one
    /// person give the same; two different papers do not.
    #[must_use]
    pub fn of_id(&self, id: &IdNumber) -> PersonId {
        self.of(format!("id:{}:{}", id.kind().as_str(), id.personal_part()).as_bytes())
    }

    fn of(&self, value: &[u8]) -> PersonId {
        let mac = self.key.mac(&[LABEL, &[self.version], value]);
        let mut short = [0; 16];
        short.iter_mut().zip(mac).for_each(|(to, from)| *to = from);
        PersonId(short)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn pseudonymizer() -> Pseudonymizer {
        Pseudonymizer::new(&[7; 32], 1)
    }

    fn phone(text: &str) -> Phone {
        Phone::parse(text).unwrap()
    }

    fn id(text: &str) -> IdNumber {
        IdNumber::parse(text).unwrap()
    }

    #[test]
    fn one_person_has_one_pseudonym_however_the_number_is_written() {
        let p = pseudonymizer();
        assert_eq!(
            p.of_phone(&phone("0901234567")),
            p.of_phone(&phone("+84 90 123 45 67"))
        );
        assert_eq!(p.of_id(&id("b1234567")), p.of_id(&id("B 123 4567")));
        assert_eq!(p.of_id(&id("GD4010199999999")), p.of_id(&id("0199999999")));
    }

    #[test]
    fn everything_else_gives_another() {
        let p = pseudonymizer();
        let all = [
            p.of_phone(&phone("0901234567")),
            p.of_phone(&phone("0901234568")),
            p.of_phone(&phone("+14155552671")),
            p.of_id(&id("0901234567")),
            p.of_id(&id("001090000000")),
            p.of_id(&id("123456789")),
            Pseudonymizer::new(&[7; 32], 2).of_phone(&phone("0901234567")),
            Pseudonymizer::new(&[8; 32], 1).of_phone(&phone("0901234567")),
        ];
        assert_eq!(all.iter().collect::<HashSet<_>>().len(), all.len());
    }

    /// Stored pseudonyms must be found again by later versions of the program. The values were
    /// computed apart from it, with Python's `hmac`.
    #[test]
    fn pseudonyms_stay_the_same_for_ever() {
        let p = pseudonymizer();
        assert_eq!(
            p.of_phone(&phone("0901234567")).to_hex_for_tests(),
            "143c5806bd2113b329a47bd3990772af"
        );
        assert_eq!(
            p.of_id(&id("001090000000")).to_hex_for_tests(),
            "42dec5ba4293035601325c398635614d"
        );
        assert_eq!(p.version(), 1);
    }

    #[test]
    fn stored_bytes_read_back() {
        let person = pseudonymizer().of_phone(&phone("0901234567"));
        assert_eq!(PersonId::from_slice(person.as_bytes()), Some(person));
        assert_eq!(PersonId::from_bytes(*person.as_bytes()), person);
        assert_eq!(PersonId::from_slice(&[0; 15]), None);
        assert_eq!(PersonId::from_slice(&[0; 17]), None);
    }
}
