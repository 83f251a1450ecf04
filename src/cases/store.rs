//! The SQL of cases. A case file touches neither check-ins nor declarations, so it may be written in
//! a serializable transaction.

use std::collections::BTreeSet;

use time::Date;
use uuid::Uuid;

use crate::{
    accounts::Account,
    base::{Failure, Kind, Random, Timestamp, failure::Result, ids, time::VIETNAM},
    cases::{
        Case, NewCase, Patient,
        file::{key_place, patient_place},
        is_in_jurisdiction,
        window::{Because, Isolated},
    },
    identity::PersonId,
    privacy::{Key, KeyRing, audit},
    store::{Db, Error, Tx},
};

/// Times a number is drawn again when another officer took it in the same moment.
const NUMBER_TRIES: usize = 5;

/// The last microsecond of the year 9999, after which neither calendar goes.
const LAST_MICROS: i64 = 253_402_300_799_999_999;

#[derive(sqlx::FromRow)]
struct Row {
    id: Uuid,
    number: String,
    province: Option<String>,
    disease: String,
    rule_id: String,
    rule_version: i64,
    onset_on: Option<String>,
    sampled_on: Option<String>,
    confirmed_on: String,
    isolated_at: Option<i64>,
    negative_on: Option<String>,
    window_from: i64,
    window_until: Option<i64>,
    window_because: String,
    reported_by: Uuid,
    reported_at: Timestamp,
}

impl From<Row> for Case {
    fn from(row: Row) -> Self {
        Self {
            id: row.id,
            number: row.number,
            province: row.province,
            disease: row.disease,
            rule_id: row.rule_id,
            rule_version: row.rule_version,
            onset_on: row.onset_on,
            sampled_on: row.sampled_on,
            confirmed_on: row.confirmed_on,
            isolated_at: row.isolated_at,
            negative_on: row.negative_on,
            window_from: row.window_from,
            window_until: row.window_until,
            because: serde_json::from_str(&row.window_because).unwrap_or(Because {
                vi: String::new(),
                en: String::new(),
            }),
            reported_by: row.reported_by,
            reported_at: row.reported_at,
        }
    }
}

/// The columns of [`Row`].
macro_rules! columns {
    () => {
        "c.id, c.number, c.province, c.disease, c.rule_id, c.rule_version, c.onset_on, \
         c.sampled_on, c.confirmed_on, c.isolated_at, c.negative_on, c.window_from, \
         c.window_until, c.window_because, c.reported_by, c.reported_at"
    };
}

/// Store a case reported by `officer`, its patient sealed under a new key, and write the audit entry.
///
/// # Errors
///
/// Those of the store.
pub async fn report(
    db: &Db,
    keys: &KeyRing,
    random: &Random,
    officer: &Account,
    new: &NewCase,
) -> Result<Case> {
    for _ in 0..NUMBER_TRIES {
        let stored = db
            .write(async |tx| insert(tx, keys, random, officer, new).await)
            .await;
        match stored {
            Err(Error::Conflict) => {}
            other => return Ok(other?),
        }
    }
    Err(Failure::busy(1))
}

async fn insert(
    tx: &mut Tx,
    keys: &KeyRing,
    random: &Random,
    officer: &Account,
    new: &NewCase,
) -> Result<Case, Error> {
    let now = tx.now();
    let id = ids::v4(random);
    let number = next_number(tx, now).await?;
    let case = case_of(id, number, officer, new, now);
    let key = Key::new(random);
    // A struct of texts and numbers is always JSON.
    let plain = zeroize::Zeroizing::new(serde_json::to_vec(&new.patient).unwrap_or_default());
    let sealed = key.seal(patient_place(&id), &plain, random);
    let wrapped = keys.wrap(tx, key_place(&id), &key, random).await?;
    tx.query(
        "INSERT INTO cases (id, number, province, disease, rule_id, rule_version, onset_on,
             sampled_on, confirmed_on, isolated_at, negative_on, window_from, window_until,
             window_because, key_wrapped, patient_sealed, reported_by, reported_at, worked_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18,
                 $18)",
    )
    .bind(case.id)
    .bind(case.number.clone())
    .bind(case.province.clone())
    .bind(case.disease.clone())
    .bind(case.rule_id.clone())
    .bind(case.rule_version)
    .bind(case.onset_on.clone())
    .bind(case.sampled_on.clone())
    .bind(case.confirmed_on.clone())
    .bind(case.isolated_at)
    .bind(case.negative_on.clone())
    .bind(case.window_from)
    .bind(case.window_until)
    .bind(serde_json::to_string(&case.because).unwrap_or_default())
    .bind(wrapped)
    .bind(sealed)
    .bind(case.reported_by)
    .bind(case.reported_at)
    .execute()
    .await?;
    for person in &new.persons {
        tx.query("INSERT INTO case_persons (case_id, person_id) VALUES ($1, $2)")
            .bind(id)
            .bind(person.as_bytes().to_vec())
            .execute()
            .await?;
    }
    let entry = audit::Entry {
        actor: Some(officer.id),
        action: "case.reported",
        subject: id.to_string(),
        people: Some(1),
        ..audit::Entry::default()
    };
    audit::append(tx, entry).await?;
    Ok(case)
}

fn case_of(id: Uuid, number: String, officer: &Account, new: &NewCase, now: Timestamp) -> Case {
    let text = |day: Option<Date>| day.map(|day| day.to_string());
    let isolated_at = new.course.isolated_at.map(|isolated| match isolated {
        Isolated::At(at) => at,
        Isolated::On(day) => new.rule.local().end_of(day),
    });
    Case {
        id,
        number,
        province: officer.province.clone(),
        disease: new.disease.clone(),
        rule_id: new.rule.id.clone(),
        rule_version: i64::from(new.rule.version),
        onset_on: text(new.course.onset_on),
        sampled_on: text(new.course.sampled_on),
        confirmed_on: new.confirmed_on.to_string(),
        isolated_at,
        negative_on: text(new.course.negative_on),
        window_from: new.window.from,
        window_until: new.window.until,
        because: new.window.because.clone(),
        reported_by: officer.id,
        reported_at: now,
    }
}

/// The next number of the local year: `2026-0001`, and five digits after the 9,999th.
async fn next_number(tx: &mut Tx, now: Timestamp) -> Result<String, Error> {
    let year = now.at(VIETNAM).year();
    let last: Option<(String,)> = tx
        .query(
            "SELECT number FROM cases WHERE number >= $1 AND number < $2
             ORDER BY LENGTH(number) DESC, number DESC LIMIT 1",
        )
        .bind(format!("{year:04}-"))
        // The character after the hyphen.
        .bind(format!("{year:04}."))
        .optional()
        .await?;
    let last = last
        .and_then(|(number,)| number.rsplit_once('-').and_then(|(_, n)| n.parse().ok()))
        .unwrap_or(0_u64);
    Ok(format!("{year:04}-{:04}", last + 1))
}

/// A case in the jurisdiction of `officer` whose file has not ended.
///
/// # Errors
///
/// [`Kind::NotFound`] when there is none or it is another office's; those of the store.
pub async fn find(tx: &mut Tx, officer: &Account, id: Uuid) -> Result<Case> {
    let row: Option<Row> = tx
        .query(concat!(
            "SELECT ",
            columns!(),
            " FROM cases c WHERE c.id = $1 AND c.ended_at IS NULL"
        ))
        .bind(id)
        .optional()
        .await?;
    row.map(Case::from)
        .filter(|case| is_in_jurisdiction(officer, case.province.as_deref()))
        .ok_or_else(|| Kind::NotFound.into())
}

/// Cases in the jurisdiction of `officer` whose files have not ended, the newest first: at most `limit`, reported before
/// `before` (time and id).
///
/// # Errors
///
/// Those of the store.
pub async fn list(
    tx: &mut Tx,
    officer: &Account,
    before: Option<(Timestamp, Uuid)>,
    limit: i64,
) -> Result<Vec<Case>, Error> {
    let (at, id) = before.unwrap_or((Timestamp::from_micros(LAST_MICROS), Uuid::max()));
    let rows: Vec<Row> = match officer.province.clone() {
        Some(province) => {
            tx.query(concat!(
                "SELECT ",
                columns!(),
                " FROM cases c
                 WHERE c.province = $1 AND c.ended_at IS NULL
                   AND (c.reported_at < $2 OR (c.reported_at = $2 AND c.id < $3))
                 ORDER BY c.reported_at DESC, c.id DESC LIMIT $4"
            ))
            .bind(province)
            .bind(at)
            .bind(id)
            .bind(limit)
            .all()
            .await?
        }
        None => {
            tx.query(concat!(
                "SELECT ",
                columns!(),
                " FROM cases c
                 WHERE c.ended_at IS NULL
                   AND (c.reported_at < $1 OR (c.reported_at = $1 AND c.id < $2))
                 ORDER BY c.reported_at DESC, c.id DESC LIMIT $3"
            ))
            .bind(at)
            .bind(id)
            .bind(limit)
            .all()
            .await?
        }
    };
    Ok(rows.into_iter().map(Case::from).collect())
}

/// Who the patient of a case is. Write the audit entry before: nothing here asks.
///
/// # Errors
///
/// When it does not open; those of the store.
pub async fn open_patient(tx: &mut Tx, keys: &KeyRing, case: Uuid) -> Result<Patient> {
    let row: Option<(Vec<u8>, Vec<u8>)> = tx
        .query(
            "SELECT key_wrapped, patient_sealed FROM cases
             WHERE id = $1 AND key_wrapped IS NOT NULL AND patient_sealed IS NOT NULL",
        )
        .bind(case)
        .optional()
        .await?;
    let (wrapped, sealed) = row.ok_or(Kind::NotFound)?;
    let key = keys.unwrap(key_place(&case), &wrapped)?;
    let plain = key
        .open(patient_place(&case), &sealed)
        .map_err(Failure::internal)?;
    serde_json::from_slice(&plain).map_err(Failure::internal)
}

/// All pseudonyms of a case's patient: those it was reported under and those known to be the same
/// person by now.
///
/// # Errors
///
/// Those of the store.
pub async fn persons_of(tx: &mut Tx, case: Uuid) -> Result<Vec<PersonId>, Error> {
    let rows: Vec<(Vec<u8>,)> = tx
        .query("SELECT person_id FROM case_persons WHERE case_id = $1")
        .bind(case)
        .all()
        .await?;
    let known = rows
        .iter()
        .filter_map(|(bytes,)| PersonId::from_slice(bytes));
    pseudonyms(tx, known.collect()).await
}

/// The pseudonyms under which a case's patient is counted among people: those it was reported under,
/// each as lookups know it, so that two that turned out to be one person are one.
///
/// # Errors
///
/// Those of the store.
pub async fn listed_as(tx: &mut Tx, case: Uuid) -> Result<Vec<[u8; 16]>, Error> {
    let rows: Vec<(Vec<u8>,)> = tx
        .query(
            "SELECT DISTINCT COALESCE(a.person_id, c.person_id) FROM case_persons c
             LEFT JOIN person_aliases a ON a.alias = c.person_id WHERE c.case_id = $1",
        )
        .bind(case)
        .all()
        .await?;
    let people = rows.iter().filter_map(|(b,)| PersonId::from_slice(b));
    Ok(people.map(|person| *person.as_bytes()).collect())
}

/// `known` and every other pseudonym of the same person, in order.
///
/// # Errors
///
/// Those of the store.
pub async fn pseudonyms(tx: &mut Tx, known: Vec<PersonId>) -> Result<Vec<PersonId>, Error> {
    let mut found: BTreeSet<PersonId> = BTreeSet::new();
    let mut left = known;
    while let Some(person) = left.pop() {
        if !found.insert(person) {
            continue;
        }
        let rows: Vec<(Vec<u8>,)> = tx
            .query(
                "SELECT person_id FROM person_aliases WHERE alias = $1
                 UNION SELECT alias FROM person_aliases WHERE person_id = $1",
            )
            .bind(person.as_bytes().to_vec())
            .all()
            .await?;
        left.extend(rows.iter().filter_map(|(b,)| PersonId::from_slice(b)));
    }
    Ok(found.into_iter().collect())
}
