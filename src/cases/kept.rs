//! What a case file keeps of days that are gone: the stays of its patient, and how to reach the
//! people whom its lookups found.
//!
//! Everything here is sealed by the key of the file and bound to its row, which stands under a hash of
//! where it came from: the tables say how much a file holds and nothing about whom or when. The same
//! thing copied twice has the same entry, so it is stored once.

use std::collections::{BTreeSet, HashMap, HashSet};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::{
    base::Random,
    cases::file::key_place,
    declarations::{self, Contact},
    identity::PersonId,
    privacy::{Key, KeyRing, NoKey, Place},
    store::{Engine, Error, Packed, Sql, Tx, places},
};

/// An open case file: its key, and what its copies are found by.
#[derive(Debug)]
pub struct File {
    id: Uuid,
    key: Key,
    entries: Key,
    /// First instant of the infectious window, ms UTC.
    pub window_from: i64,
    /// First instant after it, ms UTC; `None` while it is open.
    pub window_until: Option<i64>,
}

/// Where a copy stands in its file.
pub type Entry = [u8; 16];

/// Where the contact that `person` gave in `declaration` stands, in every file that holds it. Both are
/// as good as random to whoever has no key, so the hash needs none.
#[must_use]
pub fn contact_entry(person: PersonId, declaration: Uuid) -> Entry {
    let mut sha = Sha256::new();
    sha.update(CONTACTS);
    sha.update(person.as_bytes());
    sha.update(declaration.as_bytes());
    shortened(&sha.finalize().into())
}

fn shortened(hash: &[u8; 32]) -> Entry {
    *hash.first_chunk().unwrap_or(&[0; 16])
}

/// A copy, sealed: its entry and the bytes to store.
pub type Copy = (Entry, Vec<u8>);

/// A stay of the patient, as it stood among the check-ins.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptStay {
    /// Number of the checkpoint.
    pub checkpoint: i64,
    /// The check-in.
    pub id: Uuid,
    /// The pseudonym under which it was stored.
    pub person: [u8; 16],
    /// Arrival, ms UTC.
    pub entered_at: i64,
    /// End, ms UTC, if one was stored.
    pub left_at: Option<i64>,
    /// Who saw the end.
    pub left_source: Option<String>,
    /// How the check-in arrived.
    pub source: String,
    /// People it stands for.
    pub headcount: i64,
    /// Its declaration.
    pub declaration: Option<Uuid>,
}

impl std::fmt::Debug for KeptStay {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

const CONTACTS: &str = "case_contacts";
const STAYS: &str = "case_stays";

impl File {
    /// Its case.
    #[must_use]
    pub const fn id(&self) -> Uuid {
        self.id
    }

    /// Seal a contact as [`declarations::open_plain`] gave it.
    #[must_use]
    pub fn seal_contact(&self, entry: Entry, plain: &[u8], random: &Random) -> Copy {
        self.seal(CONTACTS, entry, plain, random)
    }

    /// Seal a stay.
    #[must_use]
    pub fn seal_stay(&self, stay: &KeptStay, random: &Random) -> Copy {
        let checkpoint = stay.checkpoint.to_be_bytes();
        let entry = shortened(&self.entries.mac(&[&checkpoint, stay.id.as_bytes()]));
        // A struct of texts and numbers is always JSON.
        let plain = Zeroizing::new(serde_json::to_vec(stay).unwrap_or_default());
        self.seal(STAYS, entry, &plain, random)
    }

    fn row(&self, entry: &[u8]) -> Vec<u8> {
        [self.id.as_bytes().as_slice(), entry].concat()
    }

    fn seal(&self, table: &'static str, entry: Entry, plain: &[u8], random: &Random) -> Copy {
        let row = self.row(&entry);
        (entry, self.key.seal(place(table, &row), plain, random))
    }

    /// `None` when it was not sealed for this row of this file.
    fn open(&self, table: &'static str, entry: &[u8], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let row = self.row(entry);
        self.key.open(place(table, &row), sealed).ok()
    }

    /// Which of `entries` the file holds as contacts.
    ///
    /// # Errors
    ///
    /// Those of the store.
    pub async fn known_contacts(
        &self,
        tx: &mut Tx,
        entries: &[Entry],
    ) -> Result<HashSet<Vec<u8>>, Error> {
        let rows: Vec<(Vec<u8>,)> = tx
            .query(KNOWN_CONTACTS)
            .bind(self.id)
            .bind_postgres(entries.iter().map(|e| e.to_vec()).collect::<Vec<_>>())
            .bind_sqlite(places(entries.len(), 16))
            .bind_sqlite(entries.concat())
            .all()
            .await?;
        Ok(rows.into_iter().map(|(entry,)| entry).collect())
    }

    /// Add contacts that are not there yet, and say how many were new.
    ///
    /// # Errors
    ///
    /// Those of the store.
    pub async fn add_contacts(&self, tx: &mut Tx, copies: &[Copy]) -> Result<u64, Error> {
        self.add(tx, ADD_CONTACTS, copies).await
    }

    /// Add stays that are not there yet, and say how many were new.
    ///
    /// # Errors
    ///
    /// Those of the store.
    pub async fn add_stays(&self, tx: &mut Tx, copies: &[Copy]) -> Result<u64, Error> {
        self.add(tx, ADD_STAYS, copies).await
    }

    async fn add(&self, tx: &mut Tx, text: Sql, copies: &[Copy]) -> Result<u64, Error> {
        if copies.is_empty() {
            return Ok(0);
        }
        let engine = tx.engine();
        let query = tx.query(text).bind(self.id);
        let query = match engine {
            Engine::Postgres => query
                .bind_postgres(copies.iter().map(|(e, _)| e.to_vec()).collect::<Vec<_>>())
                .bind_postgres(copies.iter().map(|(_, s)| s.clone()).collect::<Vec<_>>()),
            Engine::Sqlite => {
                let mut packed = Packed::with_capacity(copies.len(), WIDTH);
                let mut all = Packed::default();
                for (entry, sealed) in copies {
                    packed.add(entry);
                    packed.digits(all.add(sealed), 10);
                    packed.digits(sealed.len(), 6);
                }
                query
                    .bind_sqlite(places(copies.len(), WIDTH))
                    .bind_sqlite(packed.into_bytes())
                    .bind_sqlite(all.into_bytes())
            }
        };
        query.execute().await
    }

    /// The stays that the file keeps, in no order.
    ///
    /// # Errors
    ///
    /// Those of the store.
    pub async fn stays(&self, tx: &mut Tx) -> Result<Vec<KeptStay>, Error> {
        let rows: Vec<(Vec<u8>, Vec<u8>)> = tx
            .query("SELECT entry, sealed FROM case_stays WHERE case_id = $1")
            .bind(self.id)
            .all()
            .await?;
        Ok(rows
            .iter()
            .filter_map(|(entry, sealed)| self.open(STAYS, entry, sealed))
            .filter_map(|plain| serde_json::from_slice(&plain).ok())
            .collect())
    }
}

/// The contacts that the files of `cases` keep under `entries`.
///
/// Make sure of the right to look, and write the audit entry, before: nothing here asks.
///
/// # Errors
///
/// [`NoKey::WrongMaster`] when the key of a file does not open; those of the store.
pub async fn contacts(
    tx: &mut Tx,
    keys: &KeyRing,
    cases: &[Uuid],
    entries: &[Entry],
) -> Result<HashMap<Entry, Contact>, NoKey> {
    let mut found = HashMap::new();
    if cases.is_empty() || entries.is_empty() {
        return Ok(found);
    }
    let rows: Vec<(Uuid, Vec<u8>, Vec<u8>)> = tx
        .query(KEPT_CONTACTS)
        .bind_postgres(entries.iter().map(|e| e.to_vec()).collect::<Vec<_>>())
        .bind_sqlite(places(entries.len(), 16))
        .bind_sqlite(entries.concat())
        .all()
        .await?;
    let mut files: HashMap<Uuid, Option<File>> = HashMap::new();
    for (case, entry, sealed) in rows {
        let Ok(entry) = Entry::try_from(entry) else {
            continue;
        };
        if !cases.contains(&case) || found.contains_key(&entry) {
            continue;
        }
        if let std::collections::hash_map::Entry::Vacant(vacant) = files.entry(case) {
            vacant.insert(file_of(tx, keys, case).await?);
        }
        let file = files.get(&case).and_then(Option::as_ref);
        let plain = file.and_then(|file| file.open(CONTACTS, &entry, &sealed));
        if let Some(contact) = plain.and_then(|plain| declarations::read_contact(&plain)) {
            found.insert(entry, contact);
        }
    }
    Ok(found)
}

fn place<'a>(table: &'static str, row: &'a [u8]) -> Place<'a> {
    Place {
        table,
        column: "sealed",
        row,
    }
}

/// Width of a row for SQLite: entry 16, then place and length of what is sealed (10, 6).
const WIDTH: usize = 32;

const KNOWN_CONTACTS: Sql = Sql::split(
    "SELECT entry FROM case_contacts WHERE case_id = $1 AND entry = ANY ($2::bytea[])",
    "SELECT entry FROM case_contacts WHERE case_id = $1
         AND entry IN (SELECT substr($3, j.value, 16) FROM json_each($2) AS j)",
);

const KEPT_CONTACTS: Sql = Sql::split(
    "SELECT case_id, entry, sealed FROM case_contacts WHERE entry = ANY ($1::bytea[])",
    "SELECT case_id, entry, sealed FROM case_contacts
         WHERE entry IN (SELECT substr($2, j.value, 16) FROM json_each($1) AS j)",
);

const ADD_CONTACTS: Sql = Sql::split(
    "INSERT INTO case_contacts (case_id, entry, sealed)
     SELECT $1::uuid, u.entry, u.sealed FROM UNNEST($2::bytea[], $3::bytea[]) AS u (entry, sealed)
     ON CONFLICT (entry, case_id) DO NOTHING",
    "INSERT INTO case_contacts (case_id, entry, sealed)
     SELECT $1, substr($3, j.value, 16),
            substr($4, CAST(substr($3, j.value + 16, 10) AS INTEGER),
                   CAST(substr($3, j.value + 26, 6) AS INTEGER))
     FROM json_each($2) AS j
     WHERE true
     ON CONFLICT (entry, case_id) DO NOTHING",
);

const ADD_STAYS: Sql = Sql::split(
    "INSERT INTO case_stays (case_id, entry, sealed)
     SELECT $1::uuid, u.entry, u.sealed FROM UNNEST($2::bytea[], $3::bytea[]) AS u (entry, sealed)
     ON CONFLICT (case_id, entry) DO NOTHING",
    "INSERT INTO case_stays (case_id, entry, sealed)
     SELECT $1, substr($3, j.value, 16),
            substr($4, CAST(substr($3, j.value + 16, 10) AS INTEGER),
                   CAST(substr($3, j.value + 26, 6) AS INTEGER))
     FROM json_each($2) AS j
     WHERE true
     ON CONFLICT (case_id, entry) DO NOTHING",
);

#[derive(sqlx::FromRow)]
struct Row {
    id: Uuid,
    key_wrapped: Vec<u8>,
    window_from: i64,
    window_until: Option<i64>,
}

fn opened(keys: &KeyRing, row: &Row) -> Result<File, NoKey> {
    let key = keys.unwrap(key_place(&row.id), &row.key_wrapped)?;
    // A key of its own, so that no key serves two algorithms.
    let entries = Key::from_bytes(key.mac(&[b"case file", b"entries"]));
    Ok(File {
        id: row.id,
        key,
        entries,
        window_from: row.window_from,
        window_until: row.window_until,
    })
}

/// The file of a case; `None` when its clock has ended.
///
/// # Errors
///
/// [`NoKey::WrongMaster`] when its key does not open; those of the store.
pub async fn file_of(tx: &mut Tx, keys: &KeyRing, case: Uuid) -> Result<Option<File>, NoKey> {
    let row: Option<Row> = tx
        .query(
            "SELECT id, key_wrapped, window_from, window_until FROM cases
             WHERE id = $1 AND key_wrapped IS NOT NULL",
        )
        .bind(case)
        .optional()
        .await?;
    row.map(|row| opened(keys, &row)).transpose()
}

/// The open cases whose keys do not open although no master key is missing: they are damaged.
///
/// # Errors
///
/// [`NoKey::WrongMaster`] when one does not open and a master key is missing; those of the store.
pub async fn damaged(tx: &mut Tx, keys: &KeyRing) -> Result<BTreeSet<Uuid>, NoKey> {
    let mut damaged = BTreeSet::new();
    let mut after = Uuid::nil();
    loop {
        let rows: Vec<(Uuid, Vec<u8>)> = tx
            .query(
                "SELECT id, key_wrapped FROM cases
                 WHERE id > $1 AND key_wrapped IS NOT NULL ORDER BY id LIMIT $2",
            )
            .bind(after)
            .bind(PAGE)
            .all()
            .await?;
        let Some((last, _)) = rows.last() else { break };
        after = *last;
        let shut = rows
            .iter()
            .filter(|(id, wrapped)| keys.unwrap(key_place(id), wrapped).is_err());
        damaged.extend(shut.map(|(id, _)| *id));
    }
    if damaged.is_empty() || keys.is_whole(tx).await? {
        return Ok(damaged);
    }
    Err(NoKey::WrongMaster)
}

/// Keys that are tried together.
const PAGE: i64 = 1_000;

/// Open files whose windows meet `[from, until)`, ms UTC, without those of the cases `without`: of at
/// most `limit` cases, by id, after `after`; and the last of these cases, `None` at the end.
///
/// # Errors
///
/// [`NoKey::WrongMaster`] when a key does not open; those of the store.
pub async fn files_meeting(
    tx: &mut Tx,
    keys: &KeyRing,
    (from, until): (i64, i64),
    without: &BTreeSet<Uuid>,
    (after, limit): (Uuid, i64),
) -> Result<(Vec<File>, Option<Uuid>), NoKey> {
    let rows: Vec<Row> = tx
        .query(
            "SELECT id, key_wrapped, window_from, window_until FROM cases
             WHERE id > $1 AND key_wrapped IS NOT NULL
               AND window_from < $2 AND (window_until IS NULL OR window_until > $3)
             ORDER BY id LIMIT $4",
        )
        .bind(after)
        .bind(until)
        .bind(from)
        .bind(limit)
        .all()
        .await?;
    let last = rows.last().map(|row| row.id);
    let readable = rows.iter().filter(|row| !without.contains(&row.id));
    let files: Result<Vec<File>, NoKey> = readable.map(|row| opened(keys, row)).collect();
    Ok((files?, last))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(seed: u64) -> (File, Random) {
        let random = Random::seeded(seed);
        let key = Key::new(&random);
        let entries = Key::from_bytes(key.mac(&[b"case file", b"entries"]));
        let file = File {
            id: Uuid::from_u128(7),
            key,
            entries,
            window_from: 0,
            window_until: None,
        };
        (file, random)
    }

    fn stay(checkpoint: i64) -> KeptStay {
        KeptStay {
            checkpoint,
            id: Uuid::from_u128(9),
            person: [3; 16],
            entered_at: 1,
            left_at: Some(2),
            left_source: Some("visitor".to_owned()),
            source: "online".to_owned(),
            headcount: 1,
            declaration: None,
        }
    }

    #[test]
    fn a_copy_opens_in_its_own_row_of_its_own_file_alone() {
        let (here, random) = file(1);
        let (entry, sealed) = here.seal_stay(&stay(1), &random);
        let plain = here.open(STAYS, &entry, &sealed).unwrap();
        let read: KeptStay = serde_json::from_slice(&plain).unwrap();
        assert!(read == stay(1));
        assert!(here.open(CONTACTS, &entry, &sealed).is_none());
        assert!(here.open(STAYS, &[0; 16], &sealed).is_none());
        assert!(file(2).0.open(STAYS, &entry, &sealed).is_none());
        let mut other = file(1).0;
        other.id = Uuid::from_u128(8);
        assert!(other.open(STAYS, &entry, &sealed).is_none());
    }

    #[test]
    fn the_same_thing_has_the_same_entry_and_only_in_one_file() {
        let (here, random) = file(1);
        let entry = |file: &File, checkpoint| file.seal_stay(&stay(checkpoint), &random).0;
        assert_eq!(entry(&here, 1), entry(&here, 1));
        assert_ne!(entry(&here, 1), entry(&here, 2));
        assert_ne!(entry(&here, 1), entry(&file(2).0, 1));
        assert_eq!(format!("{:?}", stay(1)), "***");
    }
}
