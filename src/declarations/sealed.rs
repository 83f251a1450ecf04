//! Sealing and opening: contact details and answers never reach the store in clear.

use serde::{Deserialize, Serialize};
use uuid::Uuid;
use zeroize::Zeroizing;

use super::{Address, Answers, Contact, Declaration, Symptom, YesNo};
use crate::{
    base::{Day, Failure, Random, ids::time_of},
    identity::{FullName, IdNumber, PersonId, Phone, Sex},
    privacy::{Key, KeyRing, NoKey, Place},
    regions::Catalogue,
    store::{Db, Tx},
};

/// The two sealed columns of a declaration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sealed {
    /// [`Contact`].
    pub contact: Vec<u8>,
    /// [`Answers`]; empty when nobody was asked.
    pub answers: Vec<u8>,
}

/// The form of [`Contact`] inside the seal. Fields may be added, never renamed.
#[derive(Serialize, Deserialize)]
struct StoredContact<'a> {
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    full_name: Option<Text<'a>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    birth_year: Option<u16>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    sex: Option<Text<'a>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    nationality: Option<Text<'a>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    id_number: Option<Text<'a>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    phone: Option<Text<'a>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    email: Option<Text<'a>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    address: Option<StoredAddress<'a>>,
}

type Text<'a> = std::borrow::Cow<'a, str>;

#[derive(Serialize, Deserialize)]
struct StoredAddress<'a> {
    #[serde(borrow)]
    catalogue: Text<'a>,
    #[serde(borrow)]
    province: Text<'a>,
    #[serde(borrow)]
    ward: Text<'a>,
    #[serde(borrow)]
    street: Text<'a>,
}

/// The form of [`Answers`] inside the seal.
#[derive(Serialize, Deserialize)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "five questions, five answers"
)]
struct StoredAnswers {
    travel: bool,
    travel_detail: Option<String>,
    symptoms: bool,
    symptoms_detail: Option<String>,
    which: Vec<String>,
    contact_case: bool,
    contact_affected_area: bool,
    contact_symptomatic: bool,
}

/// The key of the row, to which the sealed columns are bound.
fn row(person: PersonId, id: Uuid) -> [u8; 32] {
    let mut row = [0; 32];
    let (first, second) = row.split_at_mut(16);
    first.copy_from_slice(person.as_bytes());
    second.copy_from_slice(id.as_bytes());
    row
}

fn place<'a>(column: &'static str, row: &'a [u8; 32]) -> Place<'a> {
    Place {
        table: "declarations",
        column,
        row,
    }
}

/// The UTC day whose key seals the declaration `id`; `None` if `id` is no UUIDv7.
#[must_use]
pub fn day_of(id: Uuid) -> Option<Day> {
    time_of(id).map(Day::of_ms)
}

impl Sealed {
    /// Seal `declaration` with the key of the day of `id`.
    #[must_use]
    pub fn new(
        declaration: &Declaration,
        person: PersonId,
        id: Uuid,
        key: &Key,
        random: &Random,
    ) -> Self {
        let answers = stored_answers(&declaration.answers);
        let plain = Zeroizing::new(serde_json::to_vec(&answers).unwrap_or_default());
        Self {
            contact: seal_contact(&declaration.contact, person, id, key, random),
            answers: key.seal(place("answers_sealed", &row(person, id)), &plain, random),
        }
    }
}

/// Seal `contact` alone, for a row that nobody declared.
#[must_use]
pub fn seal_contact(
    contact: &Contact,
    person: PersonId,
    id: Uuid,
    key: &Key,
    random: &Random,
) -> Vec<u8> {
    // A struct of texts and numbers is always JSON.
    let plain = Zeroizing::new(serde_json::to_vec(&stored_contact(contact)).unwrap_or_default());
    key.seal(place("contact_sealed", &row(person, id)), &plain, random)
}

fn stored_contact(contact: &Contact) -> StoredContact<'_> {
    StoredContact {
        full_name: contact.full_name.as_ref().map(|name| name.as_str().into()),
        birth_year: contact.birth_year,
        sex: contact.sex.map(|sex| sex.as_str().into()),
        nationality: contact.nationality.as_deref().map(Into::into),
        id_number: contact.id_number.as_ref().map(|id| id.as_str().into()),
        phone: contact.phone.as_ref().map(|phone| phone.e164().into()),
        email: contact.email.as_deref().map(Into::into),
        address: contact.address.as_ref().map(|address| StoredAddress {
            catalogue: address.catalogue.id().into(),
            province: address.province.as_str().into(),
            ward: address.ward.as_str().into(),
            street: address.street.as_str().into(),
        }),
    }
}

fn stored_answers(answers: &Answers) -> StoredAnswers {
    StoredAnswers {
        travel: answers.travel.yes,
        travel_detail: answers.travel.detail.clone(),
        symptoms: answers.symptoms.yes,
        symptoms_detail: answers.symptoms.detail.clone(),
        which: answers
            .which
            .iter()
            .map(|s| s.as_str().to_owned())
            .collect(),
        contact_case: answers.contact_case,
        contact_affected_area: answers.contact_affected_area,
        contact_symptomatic: answers.contact_symptomatic,
    }
}

/// Open a sealed contact that was read from the row (`person`, `id`).
///
/// `None` when it does not open there, with this key.
#[must_use]
pub fn unseal_contact(key: &Key, person: PersonId, id: Uuid, sealed: &[u8]) -> Option<Contact> {
    read_contact(&open_plain(key, person, id, sealed)?)
}

/// Open a sealed contact as [`unseal_contact`] does, and leave it as it stands inside the seal: to be
/// sealed anew where it is kept longer.
#[must_use]
pub fn open_plain(
    key: &Key,
    person: PersonId,
    id: Uuid,
    sealed: &[u8],
) -> Option<Zeroizing<Vec<u8>>> {
    let row = row(person, id);
    key.open(place("contact_sealed", &row), sealed).ok()
}

/// Read a contact as it stands inside its seal, see [`open_plain`].
#[must_use]
pub fn read_contact(plain: &[u8]) -> Option<Contact> {
    let stored: StoredContact<'_> = serde_json::from_slice(plain).ok()?;
    Some(Contact {
        full_name: stored
            .full_name
            .and_then(|text| FullName::parse(&text).ok()),
        birth_year: stored.birth_year,
        sex: stored.sex.and_then(|word| Sex::parse(&word)),
        nationality: stored.nationality.map(Text::into_owned),
        id_number: stored
            .id_number
            .and_then(|text| IdNumber::parse(&text).ok()),
        phone: stored.phone.and_then(|text| Phone::parse(&text).ok()),
        email: stored.email.map(Text::into_owned),
        address: stored.address.and_then(|address| {
            Some(Address {
                catalogue: Catalogue::parse(&address.catalogue)?,
                province: address.province.into_owned(),
                ward: address.ward.into_owned(),
                street: address.street.into_owned(),
            })
        }),
    })
}

fn unseal_answers(key: &Key, person: PersonId, id: Uuid, sealed: &[u8]) -> Option<Answers> {
    let row = row(person, id);
    let plain = key.open(place("answers_sealed", &row), sealed).ok()?;
    let stored: StoredAnswers = serde_json::from_slice(&plain).ok()?;
    Some(Answers {
        travel: YesNo {
            yes: stored.travel,
            detail: stored.travel_detail,
        },
        symptoms: YesNo {
            yes: stored.symptoms,
            detail: stored.symptoms_detail,
        },
        which: stored
            .which
            .iter()
            .filter_map(|word| Symptom::parse(word))
            .collect(),
        contact_case: stored.contact_case,
        contact_affected_area: stored.contact_affected_area,
        contact_symptomatic: stored.contact_symptomatic,
    })
}

/// Open the contact details of a declaration.
///
/// Make sure of the right to look, and write the audit entry, before: nothing here asks. Days whose
/// keys are not in memory are not opened; see [`open_days`].
///
/// `None` when there is no such declaration, or its day's key is gone.
///
/// # Errors
///
/// Those of the store.
pub async fn open_contact(
    keys: &KeyRing,
    tx: &mut Tx,
    person: PersonId,
    id: Uuid,
) -> Result<Option<Contact>, Failure> {
    let Some(key) = day_of(id).and_then(|day| keys.day(day)) else {
        return Ok(None);
    };
    let row: Option<(Vec<u8>,)> = tx
        .query("SELECT contact_sealed FROM declarations WHERE person_id = $1 AND id = $2")
        .bind(person.as_bytes().to_vec())
        .bind(id)
        .optional()
        .await?;
    Ok(row.and_then(|(sealed,)| unseal_contact(&key, person, id, &sealed)))
}

/// Open the answers of a declaration; `None` as for [`open_contact`], and when nobody was asked.
///
/// # Errors
///
/// Those of the store.
pub async fn open_answers(
    keys: &KeyRing,
    tx: &mut Tx,
    person: PersonId,
    id: Uuid,
) -> Result<Option<Answers>, Failure> {
    let Some(key) = day_of(id).and_then(|day| keys.day(day)) else {
        return Ok(None);
    };
    let row: Option<(Vec<u8>,)> = tx
        .query("SELECT answers_sealed FROM declarations WHERE person_id = $1 AND id = $2")
        .bind(person.as_bytes().to_vec())
        .bind(id)
        .optional()
        .await?;
    Ok(row.and_then(|(sealed,)| unseal_answers(&key, person, id, &sealed)))
}

/// Hold the keys of the days of these declarations in memory, so that [`open_contact`] finds them.
/// Days whose keys are gone are passed over.
///
/// # Errors
///
/// Those of the store.
pub async fn open_days(
    keys: &KeyRing,
    db: &Db,
    ids: impl IntoIterator<Item = Uuid>,
) -> Result<(), Failure> {
    let mut days: Vec<Day> = ids.into_iter().filter_map(day_of).collect();
    days.sort_unstable();
    days.dedup();
    for day in days {
        match keys.day_from(db, day).await {
            Ok(_) | Err(NoKey::NoDay) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}
