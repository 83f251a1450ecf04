//! Numbers of identity papers.

use super::{Invalid, Sex};

/// The number of an identity paper: capitals, without spaces, dots and hyphens.
///
/// | kind | shape |
/// |---|---|
/// | citizen card (CCCD, thẻ căn cước; also the later CMND) | 12 digits |
/// | old identity card (CMND) | 9 digits |
/// | health insurance (BHYT) | 10 digits, or on cards before 4/2021 two letters and 13 digits |
/// | passport | one letter and 7 or 8 digits |
///
/// Which papers exist: decree 137/2015/NĐ-CP article 13 for the 12 digits. None has a check digit.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct IdNumber {
    kind: IdKind,
    number: String,
}

/// The paper that a number belongs to, told by its shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum IdKind {
    /// Căn cước công dân, thẻ căn cước, or a CMND of 12 digits.
    Citizen,
    /// Chứng minh nhân dân of 9 digits.
    OldIdentity,
    /// Bảo hiểm y tế.
    Insurance,
    /// Hộ chiếu.
    Passport,
}

impl IdKind {
    /// `cccd`, `cmnd`, `bhyt` or `passport`: part of stored pseudonyms, so it never changes.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Citizen => "cccd",
            Self::OldIdentity => "cmnd",
            Self::Insurance => "bhyt",
            Self::Passport => "passport",
        }
    }
}

/// Doubt about a citizen number. Never a reason to refuse: sexes are corrected, and numbers are
/// copied from papers of other people's making.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IdWarning {
    /// The number says another sex.
    Sex,
    /// The number says another year of birth.
    BirthYear,
}

impl IdWarning {
    /// The stable machine-readable name.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Sex => "id_number_other_sex",
            Self::BirthYear => "id_number_other_birth_year",
        }
    }

    /// What to look at, in Vietnamese.
    #[must_use]
    pub fn vi(self) -> &'static str {
        match self {
            Self::Sex => "Số CCCD không khớp với giới tính; hãy kiểm tra lại.",
            Self::BirthYear => "Số CCCD không khớp với năm sinh; hãy kiểm tra lại.",
        }
    }

    /// What to look at, in English.
    #[must_use]
    pub fn en(self) -> &'static str {
        match self {
            Self::Sex => "The ID number does not agree with the sex; check both.",
            Self::BirthYear => "The ID number does not agree with the year of birth; check both.",
        }
    }
}

/// Longest text that is looked at; a number with all its spaces is much shorter.
const MAX_INPUT_BYTES: usize = 64;

impl IdNumber {
    /// Reads a number as people write it; small letters, spaces, dots and hyphens do not matter.
    ///
    /// # Errors
    ///
    /// [`Invalid::IdNumber`] when it has none of the shapes listed at [`IdNumber`].
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        if text.len() > MAX_INPUT_BYTES {
            return Err(Invalid::IdNumber);
        }
        let is_separator =
            |c: char| c.is_whitespace() || matches!(c, '.' | '-' | '\u{200B}' | '\u{FEFF}');
        let number: String = text
            .chars()
            .filter(|&c| !is_separator(c))
            .map(|c| c.to_ascii_uppercase())
            .collect();
        let kind = kind_of(&number).ok_or(Invalid::IdNumber)?;
        Ok(Self { kind, number })
    }

    /// The number in full.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.number
    }

    /// The paper, told by the shape of the number.
    #[must_use]
    pub fn kind(&self) -> IdKind {
        self.kind
    }

    /// `******654321`: the first six characters hidden, as the national personal QR shows it
    /// (decision 1405/QĐ-BTTTT, 11/9/2021).
    #[must_use]
    pub fn masked(&self) -> String {
        let shown: String = self.number.chars().skip(6).collect();
        format!("******{shown}")
    }

    /// Where a citizen number (`PPP G YY NNNNNN`) contradicts the stated sex or year of birth; nothing
    /// for other papers and for what is not stated.
    ///
    /// G gives century and sex: 0 and 1 are men and women of 19xx, 2 and 3 of 20xx, and so on (decree
    /// 137/2015/NĐ-CP). PPP is a province *or a country* of registration and is not looked at.
    #[must_use]
    pub fn warnings(&self, sex: Option<Sex>, birth_year: Option<i32>) -> Vec<IdWarning> {
        let Some((number_sex, number_year)) = self.sex_and_birth_year() else {
            return Vec::new();
        };
        let mut warnings = Vec::new();
        if sex.is_some_and(|sex| sex != Sex::Other && sex != number_sex) {
            warnings.push(IdWarning::Sex);
        }
        if birth_year.is_some_and(|year| year != number_year) {
            warnings.push(IdWarning::BirthYear);
        }
        warnings
    }

    /// What stands for the person in a pseudonym. The old insurance card has the same ten digits
    /// behind five characters for group and province, so both cards give one person.
    pub(super) fn personal_part(&self) -> &str {
        match self.kind {
            IdKind::Insurance => self
                .number
                .get(self.number.len().saturating_sub(10)..)
                .unwrap_or(&self.number),
            _ => &self.number,
        }
    }

    fn sex_and_birth_year(&self) -> Option<(Sex, i32)> {
        if self.kind != IdKind::Citizen {
            return None;
        }
        let digit: i32 = self.number.get(3..4)?.parse().ok()?;
        let year: i32 = self.number.get(4..6)?.parse().ok()?;
        let sex = if digit % 2 == 0 {
            Sex::Male
        } else {
            Sex::Female
        };
        Some((sex, 1900 + 100 * (digit / 2) + year))
    }
}

fn kind_of(number: &str) -> Option<IdKind> {
    let letters = number.bytes().take_while(u8::is_ascii_uppercase).count();
    let digits = number
        .bytes()
        .skip(letters)
        .take_while(u8::is_ascii_digit)
        .count();
    if letters + digits != number.len() {
        return None;
    }
    match (letters, digits) {
        (0, 12) => Some(IdKind::Citizen),
        (0, 9) => Some(IdKind::OldIdentity),
        (0, 10) | (2, 13) => Some(IdKind::Insurance),
        (1, 7 | 8) => Some(IdKind::Passport),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn id(text: &str) -> IdNumber {
        IdNumber::parse(text).unwrap()
    }

    #[test]
    fn the_shape_tells_the_paper() {
        for (text, number, kind) in [
            ("001090000000", "001090000000", IdKind::Citizen),
            (" 001 090 000 000 ", "001090000000", IdKind::Citizen),
            ("123456789", "123456789", IdKind::OldIdentity),
            ("0199999999", "0199999999", IdKind::Insurance),
            ("gd 4 01 0199999999", "GD4010199999999", IdKind::Insurance),
            ("b1234567", "B1234567", IdKind::Passport),
            ("C12345678", "C12345678", IdKind::Passport),
        ] {
            assert_eq!(
                (id(text).as_str(), id(text).kind()),
                (number, kind),
                "{text}"
            );
        }
    }

    #[test]
    fn other_shapes_are_refused() {
        for text in [
            "",
            " ",
            "1",
            "12345678",
            "12345678901",
            "1234567890123",
            "******654321",
            "B123456",
            "B123456789",
            "AB1234567",
            "GD401019999999",
            "1B234567",
            "٠٠١٠٩٠٠٠٠٠٠٠",
            "ß1234567",
            "=1234567",
            "00109000000\u{202E}0",
        ] {
            assert_eq!(IdNumber::parse(text), Err(Invalid::IdNumber), "{text}");
        }
        assert_eq!(
            IdNumber::parse(&" ".repeat(100_000)),
            Err(Invalid::IdNumber)
        );
    }

    #[test]
    fn the_first_six_characters_are_hidden() {
        assert_eq!(id("001090654321").masked(), "******654321");
        assert_eq!(id("B1234567").masked(), "******67");
    }

    #[test]
    fn a_citizen_number_may_contradict_what_is_stated() {
        let born_2045_female = id("012345678901");
        let both = vec![IdWarning::Sex, IdWarning::BirthYear];
        assert_eq!(born_2045_female.warnings(Some(Sex::Male), Some(1990)), both);
        assert_eq!(born_2045_female.warnings(Some(Sex::Female), Some(2045)), []);
        assert_eq!(born_2045_female.warnings(Some(Sex::Other), None), []);
        assert_eq!(id("001090000000").warnings(Some(Sex::Male), Some(1990)), []);
        assert_eq!(
            id("001090000000").warnings(Some(Sex::Female), Some(1990)),
            [IdWarning::Sex]
        );
        assert_eq!(
            id("001205000000").warnings(Some(Sex::Male), Some(1905)),
            [IdWarning::BirthYear]
        );
        assert_eq!(id("001205000000").warnings(Some(Sex::Male), Some(2005)), []);
        for other in ["123456789", "0199999999", "B1234567"] {
            assert_eq!(
                id(other).warnings(Some(Sex::Male), Some(1990)),
                [],
                "{other}"
            );
        }
    }

    #[test]
    fn warnings_have_codes_of_their_own() {
        assert_ne!(IdWarning::Sex.code(), IdWarning::BirthYear.code());
        assert_ne!(IdWarning::Sex.vi(), IdWarning::Sex.en());
    }

    proptest! {
        #[test]
        fn parsing_the_result_changes_nothing(text in "[A-Za-z]{0,2}[0-9 .-]{7,20}|\\PC{0,20}") {
            if let Ok(number) = IdNumber::parse(&text) {
                prop_assert_eq!(IdNumber::parse(number.as_str()), Ok(number.clone()));
                prop_assert_eq!(IdNumber::parse(&number.as_str().to_lowercase()), Ok(number));
            }
        }

        #[test]
        fn twelve_digits_never_refuse(digits in "[0-9]{12}", year in 1900..2100_i32) {
            let number = id(&digits);
            prop_assert_eq!(number.kind(), IdKind::Citizen);
            prop_assert!(number.warnings(Some(Sex::Male), Some(year)).len() <= 2);
        }
    }
}
