//! The short session of somebody who has proved a number.

use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{Desk, Kind, request};
use crate::{
    base::{Random, Timestamp},
    identity::{PersonId, Phone},
    privacy::{KeyRing, Place, audit},
    store::{Error, Tx},
};

/// How long it lasts, in milliseconds: twenty minutes, however much is done in it. Codes come by text
/// message, so this is as long as one needs and no longer.
pub const GOOD_FOR_MS: i64 = 20 * 60 * 1000;

/// Somebody who has proved a number.
#[derive(Clone)]
pub struct Session {
    /// The request under which the data is shown.
    pub request: Uuid,
    /// The pseudonym of the number.
    pub person: PersonId,
    /// The number.
    pub phone: Phone,
    /// Until when.
    pub expires_at: Timestamp,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Session({})", self.request)
    }
}

/// In which way the data is looked at, for the audit log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// On the page.
    Page,
    /// As a file.
    File,
}

impl Way {
    const fn action(self) -> &'static str {
        match self {
            Self::Page => "rights.seen",
            Self::File => "rights.exported",
        }
    }
}

fn hash(secret: &str) -> Vec<u8> {
    Sha256::digest(secret.as_bytes()).to_vec()
}

fn place<'a>(table: &'static str, row: &'a [u8]) -> Place<'a> {
    Place {
        table,
        column: "phone_sealed",
        row,
    }
}

/// Seal a number that is kept in `table` as long as its row.
pub(super) fn seal_phone(
    keys: &KeyRing,
    table: &'static str,
    row: &[u8],
    phone: &Phone,
    random: &Random,
) -> Vec<u8> {
    keys.record()
        .seal(place(table, row), phone.e164().as_bytes(), random)
}

/// Open what [`seal_phone`] sealed.
pub(super) fn open_phone(
    keys: &KeyRing,
    table: &'static str,
    row: &[u8],
    sealed: &[u8],
) -> Option<Phone> {
    let plain = keys.record().open(place(table, row), sealed).ok()?;
    Phone::parse(std::str::from_utf8(&plain).ok()?).ok()
}

/// Open a session for whoever has just proved `phone`, and note the request; the secret goes into a
/// cookie.
///
/// # Errors
///
/// Those of the store.
pub async fn open(tx: &mut Tx, desk: &Desk<'_>, phone: &Phone) -> Result<String, Error> {
    use std::fmt::Write as _;
    let door = desk.door;
    let request = request::done(tx, desk, Kind::Access).await?;
    let bytes: [u8; 32] = door.random.bytes();
    let secret = bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    });
    let id = hash(&secret);
    let sealed = seal_phone(&door.keys, "person_sessions", &id, phone, &door.random);
    let person = door.pseudonymizer.of_phone(phone);
    let now = tx.now();
    tx.query(
        "INSERT INTO person_sessions
             (id_hash, request_id, person_id, phone_sealed, created_at, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(id)
    .bind(request)
    .bind(person.as_bytes().to_vec())
    .bind(sealed)
    .bind(now)
    .bind(now.plus_ms(GOOD_FOR_MS))
    .execute()
    .await?;
    let entry = audit::Entry {
        action: "rights.number_proved",
        subject: request.to_string(),
        ..audit::Entry::default()
    };
    audit::append(tx, entry).await?;
    Ok(secret)
}

/// The session of this secret, if it has not ended.
///
/// # Errors
///
/// Those of the store.
pub async fn find(tx: &mut Tx, keys: &KeyRing, secret: &str) -> Result<Option<Session>, Error> {
    let now = tx.now();
    let id = hash(secret);
    let row: Option<(Uuid, Vec<u8>, Vec<u8>, Timestamp)> = tx
        .query(
            "SELECT request_id, person_id, phone_sealed, expires_at FROM person_sessions
             WHERE id_hash = $1 AND expires_at > $2",
        )
        .bind(id.clone())
        .bind(now)
        .optional()
        .await?;
    Ok(row.and_then(|(request, person, sealed, expires_at)| {
        Some(Session {
            request,
            person: PersonId::from_slice(&person)?,
            phone: open_phone(keys, "person_sessions", &id, &sealed)?,
            expires_at,
        })
    }))
}

/// Note that the data is looked at, before it is shown.
///
/// # Errors
///
/// Those of the store.
pub async fn note(tx: &mut Tx, session: &Session, way: Way) -> Result<(), Error> {
    let entry = audit::Entry {
        action: way.action(),
        subject: session.request.to_string(),
        people: Some(1),
        ..audit::Entry::default()
    };
    audit::append(tx, entry).await
}

/// End all sessions of a person.
///
/// # Errors
///
/// Those of the store.
pub async fn end(tx: &mut Tx, person: PersonId) -> Result<u64, Error> {
    tx.query("DELETE FROM person_sessions WHERE person_id = $1")
        .bind(person.as_bytes().to_vec())
        .execute()
        .await
}

/// Delete sessions that have ended.
///
/// # Errors
///
/// Those of the store.
pub async fn sweep(tx: &mut Tx) -> Result<u64, Error> {
    let now = tx.now();
    tx.query("DELETE FROM person_sessions WHERE expires_at <= $1")
        .bind(now)
        .execute()
        .await
}
