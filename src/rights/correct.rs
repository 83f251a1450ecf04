//! Correcting the contact details of a declaration.
//!
//! Who somebody is must be right where an officer will read it, so the correction takes the place of
//! what was declared. What stood there first stays beside it, sealed as it was: whoever declares
//! answers for what they declared, and a correction is no way to make that unsaid. The number itself
//! is what was proved and is not corrected; the answers on health were true or not on their day, and
//! who is ill now declares anew.

use uuid::Uuid;

use super::{Desk, Kind, Session, request};
use crate::{
    base::{
        Day, FieldError, Kind as Failed, Timestamp, failure::Errors, failure::Result, time::VIETNAM,
    },
    declarations::{self, Address, Contact},
    identity::{FullName, PersonId, Sex},
    privacy::audit,
    regions::{Catalogue, Regions},
    store::{Error, Tx},
};

/// The earliest year of birth, as declarations take it.
const FIRST_BIRTH_YEAR: u16 = 1900;

/// What is right, as it is sent. Every field is required.
#[derive(Clone, Default)]
pub struct Correction {
    /// The full name.
    pub full_name: String,
    /// Year of birth.
    pub birth_year: Option<u16>,
    /// `male`, `female` or `other`.
    pub sex: String,
    /// Code of the province, of today's catalogue.
    pub province: String,
    /// Code of a ward of that province.
    pub ward: Option<String>,
    /// House, street, hamlet.
    pub street: String,
}

impl std::fmt::Debug for Correction {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

impl Correction {
    /// Put it over `contact`.
    ///
    /// # Errors
    ///
    /// Every mistake in it.
    pub fn over(
        &self,
        contact: Contact,
        regions: &Regions,
        now: Timestamp,
    ) -> Result<Contact, Vec<FieldError>> {
        let mut errors = Errors::default();
        let text = |text: &str| Some(text.to_owned()).filter(|text| !text.trim().is_empty());
        let full_name = errors.required("full_name", text(&self.full_name), |text| {
            FullName::parse(&text).map_err(|error| error.in_field("full_name"))
        });
        let this_year = u16::try_from(now.at(VIETNAM).year()).unwrap_or(u16::MAX);
        let birth_year = errors.required("birth_year", self.birth_year, |year| {
            let known = (FIRST_BIRTH_YEAR..=this_year).contains(&year);
            known
                .then_some(year)
                .ok_or_else(|| FieldError::invalid("birth_year"))
        });
        let sex = errors.required("sex", text(&self.sex), |word| {
            Sex::parse(&word).ok_or_else(|| FieldError::invalid("sex"))
        });
        let street = errors.required("address.street", text(&self.street), |text| {
            declarations::clean_text("address.street", &text)
        });
        let today = Catalogue::default();
        let ward = errors.required("address.ward", self.ward.clone(), |ward| {
            let known = regions.ward_in(today, &self.province, &ward);
            known
                .map(|ward| ward.code.to_owned())
                .ok_or_else(|| FieldError::invalid("address.ward"))
        });
        let whole = || {
            Some(Contact {
                full_name: Some(full_name?),
                birth_year: Some(birth_year?),
                sex: Some(sex?),
                address: Some(Address {
                    catalogue: today,
                    province: self.province.clone(),
                    ward: ward?,
                    street: street?,
                }),
                ..contact
            })
        };
        match whole() {
            Some(contact) if errors.0.is_empty() => Ok(contact),
            _ => Err(errors.0),
        }
    }
}

/// Correct the contact details of the declaration `id` of the person of `session`.
///
/// # Errors
///
/// [`Failed::NotFound`] when there is no such declaration of this person; [`Failed::Invalid`] with
/// every mistake; those of the store.
pub async fn correct(
    desk: &Desk<'_>,
    session: &Session,
    id: Uuid,
    correction: &Correction,
) -> Result<()> {
    let door = desk.door;
    let contact = contact(desk, session.person, id)
        .await?
        .ok_or(Failed::NotFound)?;
    let contact = correction
        .over(contact, &door.regions, door.clock.now())
        .map_err(crate::base::Failure::invalid)?;
    let day = declarations::day_of(id).ok_or(Failed::NotFound)?;
    let key = door.keys.day_from(&door.db, day).await?;
    let sealed = declarations::seal_contact(&contact, session.person, id, &key, &door.random);
    door.db
        .write(async |tx| {
            let request = request::done(tx, desk, Kind::Correct).await?;
            let entry = audit::Entry {
                action: "rights.corrected",
                subject: request.to_string(),
                people: Some(1),
                ..audit::Entry::default()
            };
            audit::append(tx, entry).await
        })
        .await?;
    let province = correction.province.clone();
    door.db
        .append(async |tx| replace(tx, session.person, id, sealed.clone(), province.clone()).await)
        .await?;
    Ok(())
}

/// The contact details of a declaration of `person`, opened. Write the audit entry before.
///
/// # Errors
///
/// Those of the store.
pub async fn contact(desk: &Desk<'_>, person: PersonId, id: Uuid) -> Result<Option<Contact>> {
    let door = desk.door;
    declarations::open_days(&door.keys, &door.db, [id]).await?;
    door.db
        .read(async |tx| declarations::open_contact(&door.keys, tx, person, id).await)
        .await
}

async fn replace(
    tx: &mut Tx,
    person: PersonId,
    id: Uuid,
    sealed: Vec<u8>,
    province: String,
) -> Result<(), Error> {
    let now = tx.now();
    let before: Option<(Vec<u8>,)> = tx
        .query("SELECT contact_sealed FROM declarations WHERE id = $1 AND person_id = $2")
        .bind(id)
        .bind(person.as_bytes().to_vec())
        .optional()
        .await?;
    let Some((before,)) = before else {
        return Ok(());
    };
    // What was declared first stays, however often it is corrected.
    tx.query(
        "INSERT INTO corrections (person_id, declaration_id, original_sealed, made_at)
         VALUES ($1, $2, $3, $4)
         ON CONFLICT (person_id, declaration_id) DO UPDATE SET made_at = $4",
    )
    .bind(person.as_bytes().to_vec())
    .bind(id)
    .bind(before)
    .bind(now)
    .execute()
    .await?;
    tx.query(
        "UPDATE declarations SET contact_sealed = $3, province = $4
         WHERE id = $1 AND person_id = $2",
    )
    .bind(id)
    .bind(person.as_bytes().to_vec())
    .bind(sealed)
    .bind(province)
    .execute()
    .await
    .map(drop)
}

/// When a declaration was corrected last.
pub(super) async fn made_at(
    tx: &mut Tx,
    person: PersonId,
    id: Uuid,
) -> Result<Option<Timestamp>, Error> {
    let row: Option<(Timestamp,)> = tx
        .query("SELECT made_at FROM corrections WHERE person_id = $1 AND declaration_id = $2")
        .bind(person.as_bytes().to_vec())
        .bind(id)
        .optional()
        .await?;
    Ok(row.map(|(at,)| at))
}

/// Delete corrections of declarations of days before `from`: after the declarations have gone.
///
/// # Errors
///
/// Those of the store.
pub async fn sweep(tx: &mut Tx, from: Day) -> Result<u64, Error> {
    tx.query("DELETE FROM corrections WHERE declaration_id < $1")
        .bind(crate::base::ids::uuid_floor(from.start_ms()))
        .execute()
        .await
}
