//! Phone numbers, Vietnamese and foreign.

use super::Invalid;

/// A phone number in E.164.
///
/// Vietnamese mobile numbers have nine digits after `0` or `+84` and begin with 3, 5, 7, 8 or 9;
/// landlines have ten and begin with 2. Foreign numbers need the `+` and have 8 to 15 digits (ITU-T
/// E.164 sets the upper end). Short codes such as 1022 are not phone numbers of a person.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Phone {
    /// `+` and digits.
    e164: String,
}

/// The country code of Viet Nam.
const VIETNAM: &str = "84";

/// Longest text that is looked at; a number with all its signs is much shorter.
const MAX_INPUT_BYTES: usize = 64;

impl Phone {
    /// Reads a number as people write it: spaces, dots, hyphens and brackets are dropped, and the
    /// Vietnamese country code may come as `+84`, `84` or `0`, also as `+84 (0)`.
    ///
    /// # Errors
    ///
    /// [`Invalid::Phone`] for everything that is not a number described at [`Phone`].
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        if text.len() > MAX_INPUT_BYTES {
            return Err(Invalid::Phone);
        }
        let dialled: String = text.chars().filter(|&c| !is_separator(c)).collect();
        let (international, digits) = match dialled.strip_prefix('+') {
            Some(digits) => (true, digits),
            None => (false, dialled.as_str()),
        };
        if !digits.bytes().all(|b| b.is_ascii_digit()) {
            return Err(Invalid::Phone);
        }
        let after_country = digits
            .strip_prefix(VIETNAM)
            .map(|rest| rest.strip_prefix('0').unwrap_or(rest));
        let domestic = if international {
            None
        } else {
            digits.strip_prefix('0')
        };
        if let Some(subscriber) = domestic.or(after_country) {
            return is_vietnamese(subscriber)
                .then(|| Self {
                    e164: format!("+{VIETNAM}{subscriber}"),
                })
                .ok_or(Invalid::Phone);
        }
        let foreign = international && (8..=15).contains(&digits.len()) && !digits.starts_with('0');
        foreign
            .then(|| Self {
                e164: format!("+{digits}"),
            })
            .ok_or(Invalid::Phone)
    }

    /// `+84901234567`: what is stored, sealed, and hashed into a pseudonym.
    #[must_use]
    pub fn e164(&self) -> &str {
        &self.e164
    }

    /// Digits only: `0901234567` for a Vietnamese number; a foreign one keeps its country code and
    /// loses the `+`.
    #[must_use]
    pub fn national(&self) -> String {
        match self.subscriber() {
            Some(subscriber) => format!("0{subscriber}"),
            None => self.e164.chars().skip(1).collect(),
        }
    }

    /// `0901234 ***`: the first seven digits, as the old national system showed them to venues. At
    /// least the last three stay hidden, so a short foreign number shows fewer.
    #[must_use]
    pub fn masked(&self) -> String {
        let national = self.national();
        let sign = if self.is_vietnamese() { "" } else { "+" };
        let shown: String = national
            .chars()
            .take(national.len().saturating_sub(3).min(7))
            .collect();
        format!("{sign}{shown} ***")
    }

    /// Whether it is a number of Viet Nam.
    #[must_use]
    pub fn is_vietnamese(&self) -> bool {
        self.subscriber().is_some()
    }

    /// Whether the number's start is in use in Viet Nam; always true for foreign numbers. For a
    /// warning ("is the number right?"), never for a refusal: new ranges open without notice.
    #[must_use]
    pub fn is_known_prefix(&self) -> bool {
        let Some(subscriber) = self.subscriber() else {
            return true;
        };
        is_mobile_range(subscriber.as_bytes()) || is_area(subscriber.as_bytes())
    }

    /// The digits after `+84`, if it is a Vietnamese number.
    fn subscriber(&self) -> Option<&str> {
        self.e164.strip_prefix('+')?.strip_prefix(VIETNAM)
    }
}

/// Digits after the country code: a mobile number (9) or a landline (10).
fn is_vietnamese(subscriber: &str) -> bool {
    match subscriber.bytes().next() {
        Some(b'3' | b'5' | b'7' | b'8' | b'9') => subscriber.len() == 9,
        Some(b'2') => subscriber.len() == 10,
        _ => false,
    }
}

/// Ranges of mobile numbers in use, after the `0` (numbering metadata of libphonenumber 9.0.43).
fn is_mobile_range(subscriber: &[u8]) -> bool {
    match subscriber {
        [b'3', ..] => true,
        [b'5', b'2', third, ..] => b"238".contains(third),
        [b'5', b'5', third, ..] => *third == b'9',
        [b'5', second, ..] => b"1689".contains(second),
        [b'7', second, ..] => b"06789".contains(second),
        [b'8', b'9', third, ..] => b"6789".contains(third),
        [b'8', second, ..] => *second != b'0',
        [b'9', b'9', third, ..] => *third != b'2',
        [first, ..] => *first == b'9',
        [] => false,
    }
}

/// Area codes of landlines in use, after the `0` (from the same source).
fn is_area(subscriber: &[u8]) -> bool {
    let [b'2', second, third, ..] = subscriber else {
        return false;
    };
    let thirds: &[u8] = match second {
        b'0' => b"3456789",
        b'1' => b"012345689",
        b'2' => b"01256789",
        b'3' | b'8' => b"23456789",
        b'4' => b"2345678",
        b'5' => b"12456789",
        b'6' => b"01239",
        b'7' => b"01234567",
        b'9' => b"01234679",
        _ => return false,
    };
    thirds.contains(third)
}

/// Signs between digits, with the hyphens and dashes that word processors put in.
fn is_separator(c: char) -> bool {
    c.is_whitespace()
        || matches!(
            c,
            '.' | '-' | '(' | ')' | '\u{2010}'..='\u{2014}' | '\u{200B}' | '\u{FEFF}'
        )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn e164(text: &str) -> String {
        Phone::parse(text).unwrap().e164().to_owned()
    }

    #[test]
    fn one_number_has_one_form() {
        for text in [
            "0901234567",
            "84901234567",
            "+84901234567",
            " 090 123 45 67 ",
            "090.123.4567",
            "090-123-4567",
            "(090) 123 4567",
            "+84 (0) 90 123 4567",
            "090\u{A0}123\u{2011}4567",
        ] {
            assert_eq!(e164(text), "+84901234567", "{text}");
        }
        assert_eq!(e164("(024) 3823 1234"), "+842438231234");
        assert_eq!(e164("0236 382 1234"), "+842363821234");
        assert_eq!(e164("+1 (415) 555-2671"), "+14155552671");
        assert_eq!(e164("+4930123456"), "+4930123456");
        assert_eq!(e164("+85512345678"), "+85512345678");
    }

    #[test]
    fn what_is_no_phone_number_is_refused() {
        for text in [
            "",
            "+",
            "0",
            "84",
            "090123456",
            "09012345678",
            "0123456789",
            "01234567890",
            "0401234567",
            "024382312345",
            "02438231",
            "1022",
            "0236 1022",
            "18001234",
            "14155552671",
            "+8490123456",
            "+840",
            "+0901234567",
            "+1234567",
            "+1234567890123456",
            "++84901234567",
            "0901234567+",
            "090123456a",
            "٠٩٠١٢٣٤٥٦٧",
            "=0901234567",
            "0901234567;0901234568",
        ] {
            assert_eq!(Phone::parse(text), Err(Invalid::Phone), "{text}");
        }
        assert_eq!(Phone::parse(&"0".repeat(100_000)), Err(Invalid::Phone));
        assert_eq!(
            Phone::parse(&format!("0901234567{}", " ".repeat(100))),
            Err(Invalid::Phone)
        );
    }

    #[test]
    fn shown_in_the_forms_that_people_and_senders_need() {
        let mobile = Phone::parse("+84901234567").unwrap();
        assert_eq!(
            (mobile.national().as_str(), mobile.masked().as_str()),
            ("0901234567", "0901234 ***")
        );
        let landline = Phone::parse("02438231234").unwrap();
        assert_eq!(
            (landline.national().as_str(), landline.masked().as_str()),
            ("02438231234", "0243823 ***")
        );
        let foreign = Phone::parse("+14155552671").unwrap();
        assert_eq!(
            (foreign.national().as_str(), foreign.masked().as_str()),
            ("14155552671", "+1415555 ***")
        );
        assert_eq!(Phone::parse("+12345678").unwrap().masked(), "+12345 ***");
        assert!(mobile.is_vietnamese() && !foreign.is_vietnamese());
    }

    /// The rows of the table of starts in use, and their neighbours.
    #[test]
    fn unknown_starts_are_only_a_warning() {
        let known = |text: &str| Phone::parse(text).unwrap().is_known_prefix();
        for start in [
            "030", "039", "051", "0522", "0523", "0528", "0559", "056", "058", "059", "070", "076",
            "079", "081", "088", "0896", "0899", "090", "098", "0990", "0991", "0993", "0999",
        ] {
            assert!(known(&format!("{start:0<10}")), "{start}");
        }
        for start in [
            "050", "0520", "0524", "0550", "057", "071", "075", "080", "0890", "0895", "0992",
            "053",
        ] {
            assert!(!known(&format!("{start:0<10}")), "{start}");
        }
        assert!(known("02438231234") && known("02363821234") && known("02033821234"));
        assert!(!known("02403821234") && !known("02003821234") && !known("02173821234"));
        assert!(known("+14155552671"));
    }

    proptest! {
        #[test]
        fn national_and_international_form_are_the_same_number(digits in "([35789][0-9]{8}|2[0-9]{9})") {
            let national = Phone::parse(&format!("0{digits}")).unwrap();
            prop_assert_eq!(national.national(), format!("0{digits}"));
            prop_assert_eq!(Phone::parse(national.e164()).unwrap(), national.clone());
            prop_assert_eq!(Phone::parse(&format!("84{digits}")).unwrap(), national.clone());
            prop_assert!(!national.masked().contains(&digits));
        }

        #[test]
        fn parsing_the_result_changes_nothing(text in "[+]?[0-9 .()-]{0,20}|\\PC{0,20}") {
            if let Ok(phone) = Phone::parse(&text) {
                prop_assert_eq!(Phone::parse(phone.e164()), Ok(phone.clone()));
                prop_assert!((9..=16).contains(&phone.e164().len()));
            }
        }
    }
}
