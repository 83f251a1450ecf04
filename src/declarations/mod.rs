//! The health declaration: questions, answers, risk, declaration token.
//!
//! What arrives is a [`Draft`], in which everything may be missing; [`Draft::parse`] is the only way
//! to a [`Declaration`], in which nothing can be wrong. Nobody is asked yes-or-no with a "no" already
//! ticked, so an answer that is missing is a mistake and never a "no".
//!
//! Contact details and answers leave this room sealed under the key of the declaration's UTC day; in
//! clear stand only the risk, the versions of questionnaire and consent, and the province of
//! residence, by which a lookup knows whose jurisdiction a person is in.
//!
//! A returning visitor shows a token ([`token::Tokens`]) that says person, declaration and risk, so
//! that the check-in path reads nothing.

mod countries;
mod draft;
mod parse;
mod risk;
mod sealed;
pub mod store;
pub mod token;

pub use countries::countries;
pub use draft::{AddressDraft, AnswersDraft, ConsentDraft, Draft, SymptomsDraft, TravelDraft};
pub use parse::clean_text;
pub use risk::{Risk, Symptom, UNDECLARED};
pub use sealed::{
    Sealed, day_of, open_answers, open_contact, open_days, open_plain, read_contact, seal_contact,
    unseal_contact,
};

use crate::{
    identity::{FullName, IdNumber, PersonId, Phone, Pseudonymizer, Sex},
    regions::Catalogue,
};

/// The version of the questions that [`Draft`] asks: those of the national form of March 2022, with
/// loss of taste, which later variants of it added.
pub const QUESTIONNAIRE: &str = "2026-1";

/// The versions of the consent text that may still be agreed to; the last one is shown.
pub const CONSENT_VERSIONS: [&str; 1] = ["2026-1"];

/// Longest text of a field, in characters after normalising.
pub const MAX_TEXT_CHARS: usize = 500;

/// Who somebody is and how to reach them: what a health officer opens in a lookup.
#[derive(Clone, PartialEq, Eq)]
pub struct Contact {
    /// The full name; only a row of an imported paper list may have none.
    pub full_name: Option<FullName>,
    /// Year of birth.
    pub birth_year: Option<u16>,
    /// The stated sex.
    pub sex: Option<Sex>,
    /// ISO 3166-1 alpha-2.
    pub nationality: Option<String>,
    /// Number of the identity card, insurance card or passport.
    pub id_number: Option<IdNumber>,
    /// Where to call.
    pub phone: Option<Phone>,
    /// Where to write.
    pub email: Option<String>,
    /// Where they live or stay.
    pub address: Option<Address>,
}

/// Where somebody lives or stays in Viet Nam.
#[derive(Clone, PartialEq, Eq)]
pub struct Address {
    /// The catalogue that gives the codes their meaning.
    pub catalogue: Catalogue,
    /// Code of the province.
    pub province: String,
    /// Code of a ward of that province.
    pub ward: String,
    /// House, street, hamlet.
    pub street: String,
}

/// The five answers, each of which was given and none assumed.
#[derive(Clone, PartialEq, Eq)]
pub struct Answers {
    /// Been elsewhere in the last 14 days, and where.
    pub travel: YesNo,
    /// Signs of illness in the last 14 days, in words.
    pub symptoms: YesNo,
    /// Which of the listed signs; empty exactly when there are none.
    pub which: Vec<Symptom>,
    /// Contact with a person who is or may be infected.
    pub contact_case: bool,
    /// Contact with a person from an affected country or area.
    pub contact_affected_area: bool,
    /// Contact with a person with symptoms.
    pub contact_symptomatic: bool,
}

/// A yes or no with room for words.
#[derive(Clone, PartialEq, Eq)]
pub struct YesNo {
    /// Yes?
    pub yes: bool,
    /// In words.
    pub detail: Option<String>,
}

/// A declaration that was read: complete, normalised, consented to.
#[derive(Clone, PartialEq, Eq)]
pub struct Declaration {
    /// Who.
    pub contact: Contact,
    /// What they answered.
    pub answers: Answers,
    /// What follows from the answers.
    pub risk: Risk,
    /// Today's code of the province of residence.
    pub province: Option<String>,
    /// The version of the consent text that was agreed to.
    pub consent_version: &'static str,
}

/// The pseudonyms of one person.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Person {
    /// The one under which check-ins are stored: of the phone number, or of the ID number of a
    /// person without a phone.
    pub id: PersonId,
    /// The other one, of the ID number of a person with a phone.
    pub alias: Option<PersonId>,
}

impl Contact {
    /// The person's pseudonyms; `None` without phone and ID number, by which nobody can be found.
    #[must_use]
    pub fn person(&self, pseudonymizer: &Pseudonymizer) -> Option<Person> {
        let by_id = self.id_number.as_ref().map(|id| pseudonymizer.of_id(id));
        match &self.phone {
            Some(phone) => Some(Person {
                id: pseudonymizer.of_phone(phone),
                alias: by_id,
            }),
            None => by_id.map(|id| Person { id, alias: None }),
        }
    }
}

/// `Debug` for what holds personal or health data.
macro_rules! hide_in_debug {
    ($($hidden:ident),+) => {
        $(impl std::fmt::Debug for $hidden {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("***")
            }
        })+
    };
}

hide_in_debug!(Contact, Address, Answers, YesNo, Declaration, Person);
hide_in_debug!(
    Draft,
    AddressDraft,
    AnswersDraft,
    TravelDraft,
    SymptomsDraft
);

#[cfg(test)]
mod tests;
