//! Full names.

use unicode_normalization::char::is_combining_mark;

use super::Invalid;
use crate::base::text::{self, TextError};

/// The longest name that is accepted, in characters (Unicode scalar values in NFC).
pub const MAX_NAME_CHARS: usize = 100;

/// A full name as the person writes it: `Nguyễn Văn Mẫu`, `O'Brien`, `Halle (Saale)`.
///
/// NFC with single spaces; capitals stay as typed. All of Unicode is taken except line breaks,
/// control characters and those that turn the direction of writing, so a name may look like a
/// formula or like markup: whoever writes it into a table or a page has to escape it.
///
/// Vietnamese names are written family, middle, given, and the last word is the one people are called
/// and sorted by. One-word and six-word names exist, so a name is never stored in parts.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct FullName(String);

impl FullName {
    /// Reads a name.
    ///
    /// # Errors
    ///
    /// [`Invalid::NameEmpty`] when no letter or digit is left, [`Invalid::NameTooLong`] beyond
    /// [`MAX_NAME_CHARS`], [`Invalid::NameControlCharacter`] for what [`text::nfc_clean`] refuses.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let name = text::nfc_clean(text, MAX_NAME_CHARS).map_err(|error| match error {
            TextError::Empty => Invalid::NameEmpty,
            TextError::TooLong => Invalid::NameTooLong,
            TextError::ControlCharacter => Invalid::NameControlCharacter,
        })?;
        if name.chars().any(char::is_alphanumeric) {
            Ok(Self(name))
        } else {
            Err(Invalid::NameEmpty)
        }
    }

    /// The name in full.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// `Nguyễn Văn***`: everything but the last word, as venues see it. Of a one-word name the first
    /// letter is left.
    #[must_use]
    pub fn masked(&self) -> String {
        match self.0.rsplit_once(' ') {
            Some((before, _)) => format!("{before}***"),
            None => format!("{}***", first_letter(&self.0)),
        }
    }

    /// `NVM`: the first letters of the words in capitals, as gatekeepers see it. A word without
    /// letters gives none.
    #[must_use]
    pub fn initials(&self) -> String {
        self.0
            .split(' ')
            .flat_map(|word| first_letter(word).chars())
            .flat_map(char::to_uppercase)
            .collect()
    }

    /// A key whose byte order is the order of Vietnamese lists: by the last word, then by the words
    /// before it. It contains the name; keep it where the name may be kept.
    #[must_use]
    pub fn sort_key(&self) -> String {
        let (before, last) = self.0.rsplit_once(' ').unwrap_or(("", &self.0));
        format!(
            "{}\u{1}{}",
            text::collation_key(last),
            text::collation_key(before)
        )
    }
}

/// The first letter or digit of a word with the marks that belong to it.
fn first_letter(word: &str) -> &str {
    let Some((start, letter)) = word.char_indices().find(|(_, c)| c.is_alphanumeric()) else {
        return "";
    };
    let rest = word.get(start + letter.len_utf8()..).unwrap_or_default();
    let marks: usize = rest
        .chars()
        .take_while(|&c| is_combining_mark(c))
        .map(char::len_utf8)
        .sum();
    word.get(start..start + letter.len_utf8() + marks)
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn name(text: &str) -> FullName {
        FullName::parse(text).unwrap_or_else(|error| panic!("{text:?}: {error}"))
    }

    #[test]
    fn names_stay_as_they_are_written() {
        for text in [
            "Nguyễn Văn Mẫu",
            "NGUYỄN VĂN MẪU",
            "Đỗ Thị Ổi",
            "O'Brien",
            "Halle (Saale)",
            "=HYPERLINK(\"http://example.org\",\"x\")",
            "+84",
            "-1+1",
            "@SUM(A1)",
            "<script>alert(1)</script>",
            "Robert'); DROP TABLE check_ins;--",
            "王小明",
            "محمد علي",
            "علی\u{200C}رضا",
            "Y",
            "H'Hen Niê",
            "Công Tằng Tôn Nữ Thị Mẫu",
        ] {
            assert_eq!(name(text).as_str(), text);
        }
    }

    #[test]
    fn spellings_of_one_name_are_one_name() {
        assert_eq!(
            name("  Nguye\u{302}\u{303}n   Văn\u{A0}Mẫu\n").as_str(),
            "Nguyễn Văn Mẫu"
        );
        assert_eq!(
            name("Đô\u{303} Thi\u{323} O\u{302}\u{309}i"),
            name("Đỗ Thị Ổi")
        );
    }

    #[test]
    fn hostile_names_are_refused_without_repeating_them() {
        for (text, why) in [
            ("", Invalid::NameEmpty),
            ("   ", Invalid::NameEmpty),
            ("\u{200B}\u{FEFF}", Invalid::NameEmpty),
            ("-", Invalid::NameEmpty),
            ("'\"", Invalid::NameEmpty),
            ("\u{202E}uẫM năV", Invalid::NameControlCharacter),
            ("Nguyễn\u{2067}Văn", Invalid::NameControlCharacter),
            ("Nguyễn\nVăn", Invalid::NameControlCharacter),
            ("Nguyễn\tVăn", Invalid::NameControlCharacter),
            ("Nguyễn\0", Invalid::NameControlCharacter),
            ("Nguyễn\u{1B}[31m", Invalid::NameControlCharacter),
        ] {
            let error = FullName::parse(text).unwrap_err();
            assert_eq!(error, why, "{text:?}");
        }
    }

    #[test]
    fn a_hundred_characters_are_a_name() {
        assert_eq!(name(&"Ễ".repeat(100)).as_str().chars().count(), 100);
        assert_eq!(
            name(&"E\u{302}\u{303}".repeat(100))
                .as_str()
                .chars()
                .count(),
            100
        );
        assert_eq!(FullName::parse(&"Ễ".repeat(101)), Err(Invalid::NameTooLong));
        assert_eq!(
            FullName::parse(&"a\u{301}\u{301}".repeat(1_000_000)),
            Err(Invalid::NameTooLong)
        );
    }

    #[test]
    fn masks_hide_the_given_name() {
        for (text, masked, initials) in [
            ("Nguyễn Văn Mẫu", "Nguyễn Văn***", "NVM"),
            ("đỗ thị ổi", "đỗ thị***", "ĐTỔ"),
            ("Mẫu", "M***", "M"),
            ("O'Brien", "O***", "O"),
            ("Halle (Saale)", "Halle***", "HS"),
            ("=HYPERLINK(1)", "H***", "H"),
            ("Ann - Marie", "Ann -***", "AM"),
            ("x\u{302}yz", "x\u{302}***", "X\u{302}"),
        ] {
            assert_eq!(
                (name(text).masked().as_str(), name(text).initials().as_str()),
                (masked, initials)
            );
        }
    }

    #[test]
    fn lists_go_by_the_last_word_first() {
        let sorted = [
            "Lê Thị An",
            "Trần An",
            "Đỗ Văn An",
            "Lê Ân",
            "Nguyễn Hà",
            "Lê Hạ",
            "Phạm Hạnh",
            "Mẫu",
            "Lê Mẫu",
        ];
        let mut names: Vec<_> = sorted.iter().rev().map(|text| name(text)).collect();
        names.sort_by_key(FullName::sort_key);
        let names: Vec<_> = names.iter().map(FullName::as_str).collect();
        assert_eq!(
            names,
            [
                "Đỗ Văn An",
                "Lê Thị An",
                "Trần An",
                "Lê Ân",
                "Nguyễn Hà",
                "Lê Hạ",
                "Phạm Hạnh",
                "Mẫu",
                "Lê Mẫu"
            ]
        );
    }

    proptest! {
        #[test]
        fn parsing_the_result_changes_nothing(text in any::<String>()) {
            if let Ok(name) = FullName::parse(&text) {
                prop_assert_eq!(FullName::parse(name.as_str()), Ok(name.clone()));
                prop_assert!(name.as_str().chars().count() <= MAX_NAME_CHARS);
                prop_assert!(name.masked().ends_with("***"));
            }
        }

        #[test]
        fn the_last_word_never_shows(before in "[A-Z][a-z]{1,5}", last in "[0-9]{3,8}") {
            let masked = name(&format!("{before} {last}")).masked();
            prop_assert!(!masked.contains(&last));
        }
    }
}
