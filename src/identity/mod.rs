//! Who a person is: phone numbers, names, ID numbers, plates, pseudonyms.
//!
//! Each type can only be made by its `parse`, which normalises, so a value of the type is right and
//! two spellings of one number are one value. None of them can print itself: there is no `Display`,
//! and `Debug` writes `***`. A value leaves through a method whose name says what leaves.
//!
//! Absent on purpose: a name is never split into family and given name for storage, a place of
//! residence is never inferred from an ID number, and doubt is a warning, not a refusal: country
//! codes, corrected sexes and new number ranges exist.

mod found;
mod id_number;
mod name;
mod person;
mod phone;
mod plate;

use thiserror::Error;

use crate::base::failure::FieldError;

pub use found::{holds_number, number_in};
pub use id_number::{IdKind, IdNumber, IdWarning};
pub use name::{FullName, MAX_NAME_CHARS};
pub use person::{PersonId, Pseudonymizer};
pub use phone::Phone;
pub use plate::Plate;

/// `Debug` for a type that holds personal data.
macro_rules! hide_in_debug {
    ($($hidden:ident),+) => {
        $(impl std::fmt::Debug for $hidden {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("***")
            }
        })+
    };
}

hide_in_debug!(FullName, IdNumber, PersonId, Phone, Plate, Pseudonymizer);

/// Why a text was not accepted. The text itself is never part of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Invalid {
    /// Not a Vietnamese mobile or landline number, and not a foreign one in E.164.
    #[error("this is not a phone number")]
    Phone,
    /// Nothing is left of the name, or it has neither letter nor digit.
    #[error("the name is empty")]
    NameEmpty,
    /// The name has more than [`MAX_NAME_CHARS`] characters.
    #[error("the name is too long")]
    NameTooLong,
    /// The name has a line break, a control character or one that turns the direction of writing.
    #[error("the name contains a control character")]
    NameControlCharacter,
    /// None of the known shapes of an ID number.
    #[error("this is not an ID number")]
    IdNumber,
    /// Too short or too long for a number plate.
    #[error("this is not a number plate")]
    Plate,
}

impl Invalid {
    /// Every way, for the documentation and the tests.
    pub const ALL: [Self; 6] = [
        Self::Phone,
        Self::NameEmpty,
        Self::NameTooLong,
        Self::NameControlCharacter,
        Self::IdNumber,
        Self::Plate,
    ];

    /// The stable machine-readable name.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Phone => "phone_invalid",
            Self::NameEmpty => "name_empty",
            Self::NameTooLong => "name_too_long",
            Self::NameControlCharacter => "name_control_character",
            Self::IdNumber => "id_number_invalid",
            Self::Plate => "plate_invalid",
        }
    }

    /// What to do, in Vietnamese.
    #[must_use]
    pub fn vi(self) -> &'static str {
        match self {
            Self::Phone => {
                "Số điện thoại chưa đúng. Ví dụ: 0901234567; số nước ngoài bắt đầu bằng dấu +."
            }
            Self::NameEmpty => "Hãy nhập họ và tên.",
            Self::NameTooLong => "Họ và tên dài quá 100 ký tự.",
            Self::NameControlCharacter => {
                "Họ và tên có ký tự điều khiển hoặc xuống dòng; hãy gõ lại."
            }
            Self::IdNumber => {
                "Số giấy tờ chưa đúng. Nhận CCCD 12 số, CMND 9 số, mã thẻ BHYT 10 hoặc 15 ký tự, hộ chiếu."
            }
            Self::Plate => "Biển số xe chưa đúng. Ví dụ: 51F-123.45.",
        }
    }

    /// What to do, in English.
    #[must_use]
    pub fn en(self) -> &'static str {
        match self {
            Self::Phone => {
                "The phone number is not right. Example: 0901234567; foreign numbers begin with +."
            }
            Self::NameEmpty => "Enter the full name.",
            Self::NameTooLong => "The name is longer than 100 characters.",
            Self::NameControlCharacter => {
                "The name contains a control character or a line break; type it again."
            }
            Self::IdNumber => {
                "The ID number is not right. A citizen card (12 digits), an old identity card (9), a health insurance card (10 or 15 characters) or a passport is accepted."
            }
            Self::Plate => "The number plate is not right. Example: 51F-123.45.",
        }
    }

    /// This mistake in the field at `path`, as the edges report it.
    #[must_use]
    pub fn in_field(self, path: &'static str) -> FieldError {
        FieldError::new(path, self.code(), self.vi(), self.en())
    }
}

/// The sex that a person states.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Sex {
    /// Nam.
    Male,
    /// Nữ.
    Female,
    /// Khác.
    Other,
}

impl Sex {
    /// `male`, `female` or `other`, as in the API.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Male => "male",
            Self::Female => "female",
            Self::Other => "other",
        }
    }

    /// Reads the word of the API.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Male, Self::Female, Self::Other]
            .into_iter()
            .find(|sex| sex.as_str() == word)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mistakes_have_codes_of_their_own_and_texts() {
        for (at, invalid) in Invalid::ALL.into_iter().enumerate() {
            assert!(
                Invalid::ALL[..at]
                    .iter()
                    .all(|other| other.code() != invalid.code())
            );
            let field = invalid.in_field("declaration.phone");
            assert_eq!(
                (field.field.as_ref(), field.code),
                ("declaration.phone", invalid.code())
            );
            assert_ne!(field.vi, field.en);
        }
        assert!(
            Invalid::NameTooLong
                .en()
                .contains(&MAX_NAME_CHARS.to_string())
        );
        assert!(
            Invalid::NameTooLong
                .vi()
                .contains(&MAX_NAME_CHARS.to_string())
        );
    }

    #[test]
    fn nothing_personal_prints_itself() {
        let phone = Phone::parse("0901234567").unwrap();
        let id = IdNumber::parse("001090000000").unwrap();
        let pseudonymizer = Pseudonymizer::new(&[7; 32], 1);
        let person = pseudonymizer.of_phone(&phone);
        let name = FullName::parse("Nguyễn Văn Mẫu").unwrap();
        let plate = Plate::parse("51F-123.45").unwrap();
        let all = format!("{phone:?} {id:?} {pseudonymizer:?} {person:?} {name:?} {plate:?}");
        assert_eq!(all, "*** *** *** *** *** ***");
    }

    #[test]
    fn sexes_read_back() {
        for sex in [Sex::Male, Sex::Female, Sex::Other] {
            assert_eq!(Sex::parse(sex.as_str()), Some(sex));
        }
        assert_eq!(Sex::parse("Nam"), None);
    }
}
