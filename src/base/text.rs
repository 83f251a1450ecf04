//! Vietnamese text: cleaning of input, folding for search, keys for sorting.
//!
//! The same words arrive in several spellings. Apple systems and some input methods send decomposed
//! letters (`e` + circumflex + tilde for `ễ`), and `hoà` and `hòa` are both correct. Everything that
//! comes in goes through [`nfc_clean`]; everything that is compared goes through [`fold`] (marks
//! dropped) or [`accent_key`] (marks kept, their place made uniform). Sorting uses [`collation_key`],
//! because neither SQLite nor PostgreSQL brings Vietnamese order with it.
//!
//! Absent on purpose: `ð` (eth) is not read as `đ`. In damaged old data it often means that, but to
//! repair such data is a step of its own.

use thiserror::Error;
use unicode_normalization::UnicodeNormalization;

/// Why [`nfc_clean`] refused a text. The text itself is never part of the failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum TextError {
    /// Nothing visible is left after cleaning.
    #[error("the text is empty")]
    Empty,
    /// More characters than the limit.
    #[error("the text is too long")]
    TooLong,
    /// A control character, a line break, or a character that changes the direction of writing.
    #[error("the text contains a control character")]
    ControlCharacter,
}

/// Cleans one line of input: NFC, outer white space removed, inner white space made single spaces.
///
/// Zero-width characters that carry no meaning (U+200B, U+2060, U+FEFF, U+00AD) are dropped: nobody
/// sees them, and two names that look equal must be equal. The zero-width joiners stay, because
/// Persian and Indian names are spelt with them.
///
/// `max_chars` is the greatest number of characters (Unicode scalar values, after cleaning) that is
/// accepted; reading stops there, so a very long input costs no more than a slightly too long one.
///
/// # Errors
///
/// [`TextError::Empty`] when no letter, digit or sign is left, [`TextError::TooLong`] beyond
/// `max_chars`, [`TextError::ControlCharacter`] for control characters and line breaks inside the
/// text, bidirectional controls (U+061C, U+200E, U+200F, U+202A to U+202E, U+2066 to U+2069) and
/// Unicode noncharacters.
pub fn nfc_clean(text: &str, max_chars: usize) -> Result<String, TextError> {
    let mut clean = String::new();
    let mut chars = 0_usize;
    let mut gap = false;
    let trimmed = text.trim_matches(|c: char| c.is_whitespace() || is_invisible(c));
    for c in trimmed.chars().filter(|&c| !is_invisible(c)).nfc() {
        if is_forbidden(c) {
            return Err(TextError::ControlCharacter);
        }
        if c.is_whitespace() {
            gap = !clean.is_empty();
            continue;
        }
        let added = if gap { 2 } else { 1 };
        chars += added;
        if chars > max_chars {
            return Err(TextError::TooLong);
        }
        if std::mem::take(&mut gap) {
            clean.push(' ');
        }
        clean.push(c);
    }
    if clean.chars().all(is_joiner) {
        return Err(TextError::Empty);
    }
    Ok(clean)
}

/// Folds a text for search: marks dropped, `đ` read as `d`, lower case, single spaces.
///
/// The marks are those of the block U+0300 to U+036F, which holds the eight Vietnamese ones and those
/// of other Latin alphabets. Vowel signs of Indian and other scripts are letters to their readers and
/// stay. Folding a folded text changes nothing.
#[must_use]
pub fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for c in lower_decomposed(text).filter(|&c| !is_mark(c)) {
        push_spaced(&mut folded, if c == 'đ' { 'd' } else { c });
    }
    trim_end(folded)
}

/// A key that keeps every accent but not its place: equal for `Hòa` and `Hoà`, `Thụy` and `Thuỵ`.
///
/// Lower case, decomposed, the tone moved to the end of its word. It is for comparing, not for
/// showing.
#[must_use]
pub fn accent_key(text: &str) -> String {
    let mut key = String::with_capacity(text.len() + 8);
    let mut tones = String::new();
    for c in lower_decomposed(text) {
        if tone_rank(c).is_some() {
            tones.push(c);
            continue;
        }
        if !c.is_alphanumeric() && !is_mark(c) {
            key.push_str(&std::mem::take(&mut tones));
        }
        push_spaced(&mut key, c);
    }
    let mut key = trim_end(key);
    key.push_str(&tones);
    key
}

/// A key whose byte order is the Vietnamese order of the texts.
///
/// Letters `a ă â b c d đ e ê … o ô ơ … u ư … y` decide first; only between texts with the same
/// letters the tones do, none < huyền < hỏi < ngã < sắc < nặng, from left to right (the order of
/// ICU's locale `vi`). Case does not matter.
#[must_use]
pub fn collation_key(text: &str) -> String {
    let mut letters = String::with_capacity(text.len() * 2);
    let mut tones = String::with_capacity(text.len());
    for c in lower_decomposed(text) {
        if let Some(rank) = tone_rank(c) {
            tones.pop();
            tones.push(rank);
        } else if let Some(rank) = quality_rank(c) {
            letters.pop();
            letters.push(rank);
        } else if is_mark(c) {
            // Marks of other alphabets do not separate letters in Vietnamese lists.
        } else if c.is_whitespace() {
            letters.push(' ');
            tones.push('0');
        } else {
            let (letter, rank) = if c == 'đ' { ('d', '1') } else { (c, '0') };
            letters.push(letter);
            letters.push(rank);
            tones.push('0');
        }
    }
    // U+0001 sorts before everything that `letters` can contain, so a shorter text comes first.
    letters.push('\u{1}');
    letters.push_str(&tones);
    letters
}

/// Lower case first and then decomposed, so that a capital that decomposes loses its marks too.
fn lower_decomposed(text: &str) -> impl Iterator<Item = char> {
    text.chars().flat_map(char::to_lowercase).nfd()
}

/// Appends a character; white space becomes one space, and none at the beginning.
fn push_spaced(text: &mut String, c: char) {
    if !c.is_whitespace() {
        text.push(c);
    } else if !text.is_empty() && !text.ends_with(' ') {
        text.push(' ');
    }
}

fn trim_end(mut text: String) -> String {
    text.truncate(text.trim_end().len());
    text
}

fn is_mark(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36F}')
}

/// The rank of a Vietnamese tone mark among the tones; `'0'` is left for "no tone".
fn tone_rank(c: char) -> Option<char> {
    match c {
        '\u{300}' => Some('1'),
        '\u{309}' => Some('2'),
        '\u{303}' => Some('3'),
        '\u{301}' => Some('4'),
        '\u{323}' => Some('5'),
        _ => None,
    }
}

/// The rank of the marks that make another letter: ă before â, ô before ơ.
fn quality_rank(c: char) -> Option<char> {
    match c {
        '\u{306}' => Some('1'),
        '\u{302}' => Some('2'),
        '\u{31B}' => Some('3'),
        _ => None,
    }
}

fn is_invisible(c: char) -> bool {
    matches!(c, '\u{AD}' | '\u{200B}' | '\u{2060}' | '\u{FEFF}')
}

fn is_joiner(c: char) -> bool {
    matches!(c, '\u{200C}' | '\u{200D}')
}

fn is_forbidden(c: char) -> bool {
    let bidi = matches!(
        c,
        '\u{61C}'
            | '\u{200E}'
            | '\u{200F}'
            | '\u{202A}'..='\u{202E}'
            | '\u{2066}'..='\u{2069}'
    );
    let line_break = matches!(c, '\u{2028}' | '\u{2029}');
    // The last two code points of each plane, and one block, are no characters; XML refuses some.
    let nonchar = matches!(c, '\u{FDD0}'..='\u{FDEF}') || u32::from(c) & 0xFFFE == 0xFFFE;
    c.is_control() || bidi || line_break || nonchar
}

/// Whether a spreadsheet would take a text that starts so for a formula, or skip the character and
/// then do so. The full-width forms count: some programs fold them.
///
/// Quotes before it count as well: a text that starts with a quote and then a formula would otherwise
/// lose its quote where the file is read.
#[must_use]
pub fn starts_formula(text: &str) -> bool {
    text.trim_start_matches('\'').starts_with([
        '=', '+', '-', '@', '＝', '＋', '－', '＠', '\t', '\r', '\n', '\0',
    ])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn cleaning_composes_and_collapses() {
        assert_eq!(
            nfc_clean("  Nguye\u{302}\u{303}n \u{A0} Va\u{306}n\tMẫu ", 100),
            Err(TextError::ControlCharacter)
        );
        assert_eq!(
            nfc_clean("  Nguye\u{302}\u{303}n \u{A0} Va\u{306}n Mẫu\r\n", 100).unwrap(),
            "Nguyễn Văn Mẫu"
        );
        assert_eq!(nfc_clean("\u{FEFF}Mẫ\u{200B}u", 100).unwrap(), "Mẫu");
        assert_eq!(nfc_clean("a\u{200B}\u{301}", 100).unwrap(), "á");
    }

    #[test]
    fn cleaning_counts_characters_after_composing() {
        let decomposed = "e\u{302}\u{303}".repeat(100);
        assert_eq!(nfc_clean(&decomposed, 100).unwrap(), "ễ".repeat(100));
        assert_eq!(nfc_clean(&"ễ".repeat(101), 100), Err(TextError::TooLong));
        assert_eq!(nfc_clean("a     b", 3).unwrap(), "a b");
        assert_eq!(nfc_clean("a b", 2), Err(TextError::TooLong));
    }

    #[test]
    fn cleaning_refuses_what_cannot_be_seen_or_turns_the_line() {
        assert_eq!(nfc_clean("\u{FEFF}\r\nMẫu", 10).unwrap(), "Mẫu");
        for empty in ["", "  ", "\n", "\u{200B}", "\u{200D}", "\u{FEFF} "] {
            assert_eq!(nfc_clean(empty, 10), Err(TextError::Empty), "{empty:?}");
        }
        for bad in [
            "a\nb",
            "a\0",
            "a\u{202E}b",
            "\u{200F}a",
            "a\u{2028}b",
            "a\u{85}b",
            "\u{2066}a",
            "a\u{FFFF}",
        ] {
            assert_eq!(
                nfc_clean(bad, 10),
                Err(TextError::ControlCharacter),
                "{bad:?}"
            );
        }
    }

    #[test]
    fn folding_drops_vietnamese_marks_only() {
        assert_eq!(fold("  Đặng  Thị Hường "), "dang thi huong");
        assert_eq!(fold("ăâêôơưđ ÀẢÃÁẠ Ệ Ự"), "aaeooud aaaaa e u");
        assert_eq!(fold("Ho\u{300}a"), fold("Hoà"));
        assert_eq!(fold("ðð"), "ðð");
        assert_eq!(fold("हिन्दी"), "हिन्दी");
    }

    #[test]
    fn the_place_of_a_tone_does_not_matter_but_the_tone_does() {
        assert_eq!(accent_key("Thanh Hóa"), accent_key("thanh hoá"));
        assert_eq!(accent_key("Thụy Khuê"), accent_key("Thuỵ  Khuê"));
        assert_eq!(accent_key("Hòa-Bình"), accent_key("Hoà-Bình"));
        assert_ne!(accent_key("Văn Lăng"), accent_key("Văn Lang"));
        assert_ne!(accent_key("Hòa"), accent_key("Hóa"));
        assert_ne!(accent_key("Ba Tô"), accent_key("Ba Tơ"));
    }

    #[test]
    fn letters_come_before_tones() {
        let ordered = [
            "a", "à", "ả", "ã", "á", "ạ", "an", "ă", "ắn", "â", "ba", "bà", "bà an", "ba ăn", "da",
            "dạy", "đa", "em", "êm", "Hoa", "hòa", "hoà", "ô", "ơ", "u", "ư", "y",
        ];
        let mut sorted = ordered;
        sorted.reverse();
        sorted.sort_by_key(|text| collation_key(text));
        // `hòa` and `hoà` differ only in where the tone stands: the earlier tone is the greater.
        let expected = [
            "a", "à", "ả", "ã", "á", "ạ", "an", "ă", "ắn", "â", "ba", "bà", "bà an", "ba ăn", "da",
            "dạy", "đa", "em", "êm", "Hoa", "hoà", "hòa", "ô", "ơ", "u", "ư", "y",
        ];
        assert_eq!(sorted, expected);
    }

    proptest! {
        #[test]
        fn cleaning_twice_changes_nothing(text in any::<String>()) {
            if let Ok(clean) = nfc_clean(&text, 1000) {
                prop_assert_eq!(nfc_clean(&clean, 1000), Ok(clean));
            }
        }

        #[test]
        fn folding_twice_changes_nothing(text in any::<String>()) {
            let folded = fold(&text);
            prop_assert_eq!(fold(&folded), folded);
        }

        #[test]
        fn composed_and_decomposed_text_fold_and_sort_alike(text in "[a-zđăâêôơưàảãáạễợ ]{0,20}") {
            let decomposed: String = text.nfd().collect();
            prop_assert_eq!(fold(&text), fold(&decomposed));
            prop_assert_eq!(accent_key(&text), accent_key(&decomposed));
            prop_assert_eq!(collation_key(&text), collation_key(&decomposed));
        }
    }
}
