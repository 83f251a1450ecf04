//! Numbers of people in a text that is meant to hold none.
//!
//! The reason of a lookup and the number of its document stand in the audit log in clear, for as long
//! as the log is kept. A number that would name somebody is refused there. A name cannot be told from
//! other words, so the form says that none belongs there.

use uuid::Uuid;

use super::{IdKind, IdNumber, Phone};
use crate::base::FieldError;

/// Digits of a citizen number.
const CITIZEN_DIGITS: usize = 12;

/// Most digits of a phone number.
const PHONE_DIGITS_MAX: usize = 15;

/// Digits that stand together, and the one sign between them and those before.
struct Group {
    digits: String,
    after: Option<char>,
}

/// Whether a text holds what looks like a phone number, the number of a citizen card or that of an
/// insurance card.
///
/// Groups of digits are taken together where one and the same sign stands between them, as people
/// write numbers: `0901 234 567`, `001.090.000.001`. So `12/QĐ-SYT`, `18/11/2026 08:30` and
/// `2026-11-18` are none.
#[must_use]
pub fn holds_number(text: &str) -> bool {
    let text = without_ids(text);
    holds_card(&text) || holds_digits(&groups(&text))
}

/// The text without ids of ours, which may be nothing but digits.
fn without_ids(text: &str) -> String {
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '-')
        .filter(|word| word.len() == 36 && Uuid::try_parse(word).is_ok())
        .fold(text.to_owned(), |text, id| text.replace(id, "id"))
}

/// The mistake of a text in `field` that [`holds_number`].
#[must_use]
pub fn number_in(field: &'static str) -> FieldError {
    FieldError::new(
        field,
        "holds_number",
        "Không ghi số điện thoại hay số giấy tờ của ai ở mục này: mục này không được niêm phong.",
        "Leave out phone and ID numbers of people: what stands here is not sealed.",
    )
}

/// A card of two letters and 13 digits.
fn holds_card(text: &str) -> bool {
    text.split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| word.len() == 15)
        .filter_map(|word| IdNumber::parse(word).ok())
        .any(|number| number.kind() == IdKind::Insurance)
}

fn groups(text: &str) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    // Whether the last group is still open, and the signs since it ended.
    let mut between = String::from("start");
    for c in text.chars() {
        if !c.is_ascii_digit() {
            between.push(c);
            continue;
        }
        match groups.last_mut() {
            Some(group) if between.is_empty() => group.digits.push(c),
            _ => groups.push(Group {
                digits: if between.ends_with('+') {
                    format!("+{c}")
                } else {
                    c.to_string()
                },
                after: single(&between),
            }),
        }
        between.clear();
    }
    groups
}

/// The one sign of which `text` consists, if numbers are written with it.
fn single(text: &str) -> Option<char> {
    let mut chars = text.chars();
    let first = chars.next().filter(|c| matches!(c, ' ' | '.' | '-'))?;
    chars.next().is_none().then_some(first)
}

fn holds_digits(groups: &[Group]) -> bool {
    (0..groups.len()).any(|from| {
        let mut number = String::new();
        let mut sign = None;
        for (at, group) in groups.iter().skip(from).enumerate() {
            if at == 1 {
                sign = group.after;
            }
            if at > 0 && (sign.is_none() || group.after != sign) {
                return false;
            }
            number.push_str(&group.digits);
            let digits = number.trim_start_matches('+').len();
            if digits > PHONE_DIGITS_MAX {
                return false;
            }
            // In groups it is one only if the groups are all there are: other signs in a row, like those of
            // an id, hold twelve digits somewhere. With blanks between it may be a date and a time.
            let is_whole = sign.is_none_or(|sign| {
                let before = groups
                    .get(from)
                    .is_some_and(|group| group.after == Some(sign));
                let next = groups.get(from + at + 1);
                sign != ' ' && !before && next.is_none_or(|next| next.after != Some(sign))
            });
            if digits == CITIZEN_DIGITS && is_whole || Phone::parse(&number).is_ok() {
                return true;
            }
        }
        false
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_people_are_found() {
        for text in [
            "0901234567",
            "gọi 0901 234 567 trước",
            "SĐT: 0901.234.567, nhà ở chợ",
            "+84 901 234 567",
            "84901234567",
            "(+4915112345678)",
            "CCCD 001090000001",
            "001.090.000.001",
            "số 5 0901234567",
            "12/QĐ-0901234567",
            "thẻ DN4010112345678",
            "02838291234",
        ] {
            assert!(holds_number(text), "{text}");
        }
    }

    #[test]
    fn documents_dates_and_counts_are_none() {
        for text in [
            "",
            "12/QĐ-SYT",
            "1234/2026/QĐ-UBND",
            "Công văn 5678/BYT-DP ngày 18/11/2026",
            "từ 08:00 18/11/2026 đến 10:30 19/11/2026",
            "2026-11-18 08:30",
            "2026-11-18T08:30:00+07:00",
            "ca 2026-0001 và 2026-0002",
            "12.345.678 lượt",
            "QD/12/2026/00123",
            "11111111-1111-4111-8111-111111111111",
        ] {
            assert!(!holds_number(text), "{text}");
        }
    }
}
