//! Messages to people: an outbox in the store, and what carries them away.
//!
//! A message is written to the [`outbox`] in the transaction of what it tells about, so that neither
//! is there without the other. A worker claims messages for a while, hands each to the [`Carry`] that
//! the settings name, and wipes it: at least once, never for certain only once. A code that cannot be
//! sent in time is dropped, because a code that comes late is worse than none; anything else is tried
//! for a day and then given up.
//!
//! Absent on purpose: free text. A message is a [`Template`] whose only parts are made by the service,
//! so that nobody can use it to write to strangers. Nothing about a message is logged but its template.

mod carry;
pub mod outbox;

pub use carry::{Carry, Command, File, NotSent, Outgoing, carrier};

use crate::{base::Random, identity::Phone};

/// The language of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    /// Vietnamese, without marks: a text message with them costs twice as much.
    Vi,
    /// English.
    En,
}

/// Six digits that prove that somebody reads what is sent to a number.
#[derive(Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Pin(u32);

impl Pin {
    /// How many there are.
    const COUNT: u32 = 1_000_000;

    /// A new one, each as likely as any other.
    #[must_use]
    pub fn new(random: &Random) -> Self {
        // The numbers above the last whole multiple would make the first pins likelier.
        let whole = u32::MAX - u32::MAX % Self::COUNT;
        loop {
            let number = u32::from_be_bytes(random.bytes());
            if number < whole {
                return Self(number % Self::COUNT);
            }
        }
    }

    /// The six digits.
    #[must_use]
    pub fn digits(self) -> String {
        format!("{:06}", self.0)
    }
}

impl std::fmt::Debug for Pin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Pin(***)")
    }
}

/// What a message says. Every part is made by the service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(tag = "template", rename_all = "lowercase")]
pub enum Template {
    /// A code that proves a number.
    Code {
        /// The code.
        pin: Pin,
    },
    /// What was kept under the number was erased; whoever did not want that must know.
    Erased,
}

impl Template {
    /// Its name, which may be logged and counted.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Code { .. } => "code",
            Self::Erased => "erased",
        }
    }

    /// The text, at most 160 characters of the GSM alphabet: one text message.
    #[must_use]
    pub fn text(&self, language: Language) -> String {
        match (self, language) {
            (Self::Code { pin }, Language::Vi) => format!(
                "Diem kiem dich: ma cua ban la {}. Dung duoc trong 5 phut. Khong dua ma cho bat ky ai, ke ca can bo.",
                pin.digits()
            ),
            (Self::Code { pin }, Language::En) => format!(
                "Diem kiem dich: your code is {}. It is good for 5 minutes. Give it to nobody, not even to staff.",
                pin.digits()
            ),
            (Self::Erased, Language::Vi) => {
                "Diem kiem dich: du lieu theo so nay vua duoc xoa theo yeu cau. Neu khong phai ban yeu cau, hay goi 1022.".to_owned()
            }
            (Self::Erased, Language::En) => {
                "Diem kiem dich: the data under this number was erased as asked. If it was not you who asked, call 1022.".to_owned()
            }
        }
    }
}

/// A message to one person.
#[derive(Clone)]
pub struct Message {
    /// To whom.
    pub to: Phone,
    /// In which language.
    pub language: Language,
    /// What it says.
    pub template: Template,
}

impl std::fmt::Debug for Message {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Message({})", self.template.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_is_one_text_message() {
        let pin = Pin::new(&Random::seeded(1));
        for template in [Template::Code { pin }, Template::Erased] {
            for language in [Language::Vi, Language::En] {
                let text = template.text(language);
                assert!(text.is_ascii() && text.len() <= 160, "{text}");
                assert!(!text.contains(['@', '$', '{', '^', '\\']), "{text}");
            }
        }
    }

    #[test]
    fn pins_have_six_digits_and_do_not_print_themselves() {
        let random = Random::seeded(3);
        let pins: Vec<String> = (0..200).map(|_| Pin::new(&random).digits()).collect();
        assert!(pins.iter().all(|pin| pin.len() == 6));
        assert!(pins.iter().any(|pin| pin.starts_with('0')));
        assert_eq!(format!("{:?}", Pin(123_456)), "Pin(***)");
        let code = Template::Code { pin: Pin(42) };
        assert!(!format!("{code:?}").contains("42"));
        assert!(code.text(Language::Vi).contains(" 000042."));
    }
}
