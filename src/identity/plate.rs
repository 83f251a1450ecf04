//! Number plates of vehicles. A plate is personal data (decree 356/2025/NĐ-CP).

use super::Invalid;

/// A number plate in the form in which plates are compared: capitals and digits only, `51F12345`.
///
/// New series and foreign cars come along, so every plate of 4 to 12 letters and digits is taken;
/// [`Plate::is_known_form`] tells whether it looks Vietnamese.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Plate(String);

/// Fewest and most letters and digits of a plate; Vietnamese ones have 6 to 12.
const CHARS: std::ops::RangeInclusive<usize> = 4..=12;

/// Longest text that is looked at.
const MAX_INPUT_BYTES: usize = 64;

impl Plate {
    /// Reads a plate as it is written on the car or by hand: `51F-123.45`, `72-E1 011.30`.
    ///
    /// # Errors
    ///
    /// [`Invalid::Plate`] when fewer than 4 or more than 12 letters and digits are left.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        if text.len() > MAX_INPUT_BYTES {
            return Err(Invalid::Plate);
        }
        let plate: String = text
            .chars()
            .flat_map(char::to_uppercase)
            .filter(|&c| is_plate_char(c))
            .collect();
        if CHARS.contains(&plate.chars().count()) {
            Ok(Self(plate))
        } else {
            Err(Invalid::Plate)
        }
    }

    /// The plate in full, without separators.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it has a form that is given out in Viet Nam: civil, diplomatic, military or temporary.
    /// For a warning ("is the plate right?"), never for a refusal.
    #[must_use]
    pub fn is_known_form(&self) -> bool {
        let (area, rest) = split_at_first(&self.0, |c| !c.is_ascii_digit());
        let (letters, number) = split_at_first(rest, |c| c.is_ascii_digit());
        if !number.bytes().all(|b| b.is_ascii_digit()) {
            return false;
        }
        match (area.len(), letters, number.len()) {
            (2 | 5, "NG" | "QT" | "NN" | "CV", 2..=5) | (0, "T", 7) => true,
            // A digit of the series may stand before the four or five digits of the number.
            (2, letters, 4..=6) => (1..=2).contains(&letters.chars().count()),
            (0, letters, 4) => is_military(letters),
            _ => false,
        }
    }
}

/// Command and unit, and a `B` for some.
fn is_military(letters: &str) -> bool {
    match letters.as_bytes() {
        [command, unit] | [command, unit, b'B'] => {
            matches!(
                command,
                b'A'..=b'D' | b'H' | b'K' | b'P' | b'Q' | b'T' | b'V'
            ) && matches!(unit, b'A'..=b'X')
        }
        _ => false,
    }
}

fn is_plate_char(c: char) -> bool {
    c.is_ascii_uppercase() || c.is_ascii_digit() || c == 'Đ'
}

fn split_at_first(text: &str, found: impl Fn(char) -> bool) -> (&str, &str) {
    text.split_at_checked(text.find(found).unwrap_or(text.len()))
        .unwrap_or((text, ""))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn separators_and_capitals_do_not_matter() {
        for (text, plate) in [
            ("51F-123.45", "51F12345"),
            ("51f 123 45", "51F12345"),
            ("72-E1 011.30", "72E101130"),
            ("29-AA 123.45", "29AA12345"),
            ("29-mđ1 013.53", "29MĐ101353"),
            ("51R-141.39", "51R14139"),
            ("80-011-NG-01", "80011NG01"),
            ("TC-33-86", "TC3386"),
            ("T19-123.45", "T1912345"),
        ] {
            let parsed = Plate::parse(text).unwrap();
            assert_eq!(parsed.as_str(), plate);
            assert!(parsed.is_known_form(), "{text}");
        }
    }

    #[test]
    fn odd_plates_are_doubted_and_only_non_plates_refused() {
        for text in [
            "ABCDE",
            "1234567",
            "51F-12",
            "51FGH-12345",
            "0TO 1234",
            "T19-1234",
            "51F12345X",
            "ZZ-33-86",
            "B-MW 1234 5",
        ] {
            assert!(!Plate::parse(text).unwrap().is_known_form(), "{text}");
        }
        for text in ["", "---", "51F", "=1+1", "1234567890123", "粤B"] {
            assert_eq!(Plate::parse(text), Err(Invalid::Plate), "{text}");
        }
        assert_eq!(Plate::parse(&"-".repeat(1000)), Err(Invalid::Plate));
    }

    proptest! {
        #[test]
        fn parsing_the_result_changes_nothing(text in "[0-9]{2}-?[A-Za-zđĐ]{1,2}[0-9 .-]{4,9}|\\PC{0,20}") {
            if let Ok(plate) = Plate::parse(&text) {
                prop_assert_eq!(Plate::parse(plate.as_str()), Ok(plate.clone()));
                prop_assert!(plate.as_str().chars().all(is_plate_char));
            }
        }
    }
}
