//! The result of a run, opened to an officer.
//!
//! Names and phone numbers are unsealed for the rows that are shown and for nobody else, after the
//! audit entry that says who looked, why, and at how many. People who live in another office's
//! province are counted and never listed: they are referred.

use std::collections::HashMap;

use uuid::Uuid;

use crate::{
    accounts::Account,
    base::{Failure, Kind, failure::Result},
    cases::kept::{self, Entry},
    declarations::{self, Contact},
    exposures::{
        budget,
        findings::Marks,
        record,
        run::{self, Desk, Run},
        stay::Person,
        store::{NOBODY, to_person},
    },
    identity::PersonId,
    privacy::{
        KeyRing, audit,
        opened::{self, Purpose},
    },
    store::{Error, Tx},
};

/// Rows whose contacts are opened in one transaction.
const BATCH: usize = 500;

/// One row of the list: a person at a checkpoint.
#[derive(Clone, Debug)]
pub struct Item {
    /// What is shown in place of the pseudonym.
    pub reference: String,
    /// Who; `None` when the key of that day is gone and no file of the run's cases keeps it.
    pub contact: Option<Contact>,
    /// Hops from a case.
    pub ring: i64,
    /// The ring-1 person's reference, in the second ring.
    pub via: Option<String>,
    /// Number of the checkpoint.
    pub checkpoint: i64,
    /// First instant, ms UTC.
    pub from: i64,
    /// First instant after it, ms UTC.
    pub until: i64,
    /// Time both were there for certain, ms.
    pub certain_ms: i64,
    /// Time they may have shared, residual air included, ms.
    pub possible_ms: i64,
    /// The part of it that is only residual air, ms.
    pub residual_ms: i64,
    /// Whether the end of the stay is assumed.
    pub assumed: bool,
    /// The person's score, milliseconds of full weight.
    pub score_ms: i64,
    /// `certain` or `possible`.
    pub grade: String,
    /// Marks of the person.
    pub marks: Marks,
}

/// What an officer made of a candidate. Naming F1 is an officer's act, so every row starts here.
pub const CANDIDATE: &str = "candidate";

#[derive(sqlx::FromRow)]
struct Row {
    person_id: Vec<u8>,
    reference: String,
    declaration_id: Option<Uuid>,
    grade: String,
    score: i64,
    flags: String,
    ring: i64,
    checkpoint_id: i64,
    start_at: i64,
    end_at: i64,
    certain_ms: i64,
    possible_ms: i64,
    residual_ms: i64,
    assumed: bool,
    via: Option<String>,
}

/// Which rows of a run.
#[derive(Clone, Copy, Debug)]
pub struct Which {
    /// The ring; `None` for all of them.
    pub ring: Option<i64>,
    /// Rows to pass over. Runs do not change, so this is a stable place in the list.
    pub offset: i64,
    /// Rows at most.
    pub limit: i64,
}

/// Open rows of `run` to `officer`, after the audit entry `action`; with whether there are more.
///
/// # Errors
///
/// [`Kind::ReleaseNeeded`] when the run is too large to open without a second person;
/// [`Kind::BudgetSpent`] when the officer may open fewer people today; those of the store.
pub async fn open(
    desk: &Desk<'_>,
    officer: &Account,
    run: &Run,
    which: Which,
    action: &'static str,
) -> Result<(Vec<Item>, bool)> {
    if !run.is_open() {
        return Err(Kind::ReleaseNeeded.into());
    }
    let mut rows = desk
        .db
        .read(async |tx| rows(tx, officer, run.id, which).await)
        .await?;
    // One more than asked for was read, and nobody is opened for it.
    let limit = usize::try_from(which.limit).unwrap_or(usize::MAX);
    let more = rows.len() > limit;
    rows.truncate(limit);
    let mut people: Vec<&[u8]> = rows.iter().map(|row| row.person_id.as_slice()).collect();
    people.sort_unstable();
    people.dedup();
    let people = i64::try_from(people.len()).unwrap_or(i64::MAX);
    let named = named(&rows);
    let purpose = match action {
        "lookup.exported" => Purpose::Export,
        _ => Purpose::List,
    };
    let opened = desk
        .db
        .write(async |tx| {
            if let Some(usual) = desk.budgets {
                budget::count_people(tx, usual, officer.id, run.id, people, run.people()).await?;
            }
            note(tx, officer, run, action, Some(people)).await?;
            opened::count(tx, named.clone(), purpose, officer.province.as_deref()).await?;
            Ok::<_, Failure>(())
        })
        .await;
    budget::noted(desk.db, officer, opened).await?;
    let declarations = rows.iter().filter_map(|row| row.declaration_id);
    declarations::open_days(desk.keys, desk.db, declarations).await?;
    let cases = desk
        .db
        .read(async |tx| record::cases_of(tx, run.id).await)
        .await?;
    let mut items = Vec::with_capacity(rows.len());
    for batch in rows.chunks(BATCH) {
        let contacts = desk
            .db
            .read(async |tx| contacts(tx, desk.keys, &cases, batch).await)
            .await?;
        items.extend(batch.iter().zip(contacts).map(|(row, c)| item(row, c)));
    }
    Ok((items, more))
}

/// The people whose names will be opened: the others left none.
fn named(rows: &[Row]) -> Vec<Person> {
    rows.iter()
        .filter(|row| row.declaration_id.is_some())
        .filter_map(|row| to_person(&row.person_id))
        .collect()
}

async fn note(
    tx: &mut Tx,
    officer: &Account,
    run: &Run,
    action: &'static str,
    people: Option<i64>,
) -> Result<(), Error> {
    audit::append(
        tx,
        audit::Entry {
            actor: Some(officer.id),
            action,
            subject: run.id.to_string(),
            document: Some(&run.document),
            reason: Some(&run.reason),
            people,
        },
    )
    .await
}

/// Rows in the order of the list, without contacts.
async fn rows(tx: &mut Tx, officer: &Account, run: Uuid, which: Which) -> Result<Vec<Row>, Error> {
    let (first, last) = which.ring.map_or((1, 2), |ring| (ring, ring));
    tx.query(
        "SELECT p.person_id, p.reference, p.declaration_id, p.grade, p.score, p.flags, p.ring,
                l.checkpoint_id, l.start_at, l.end_at, l.certain_ms, l.possible_ms, l.residual_ms,
                l.assumed, v.reference AS via
         FROM lookup_people p
         JOIN lookup_links l ON l.run_id = p.run_id AND l.ring = p.ring AND l.person_id = p.person_id
         LEFT JOIN lookup_people v ON v.run_id = p.run_id AND v.ring = 1 AND p.ring = 2
              AND v.person_id = l.from_person
         WHERE p.run_id = $1 AND p.ring >= $2 AND p.ring <= $3
           AND (p.ring = 2 OR l.from_person = $4)
           AND (CAST($5 AS TEXT) IS NULL OR p.province = CAST($5 AS TEXT))
         ORDER BY p.ring, p.score DESC, p.person_id, l.start_at, l.checkpoint_id, l.from_person
         LIMIT $6 OFFSET $7",
    )
    .bind(run)
    .bind(first)
    .bind(last)
    .bind(NOBODY.to_vec())
    .bind(officer.province.clone())
    .bind(which.limit.saturating_add(1))
    .bind(which.offset)
    .all()
    .await
}

/// The contacts of `rows`: as they were declared, or where that is gone as the files of `cases` keep
/// them.
async fn contacts(
    tx: &mut Tx,
    keys: &KeyRing,
    cases: &[Uuid],
    rows: &[Row],
) -> Result<Vec<Option<Contact>>> {
    let mut found: HashMap<Entry, Option<Contact>> = HashMap::new();
    for row in rows {
        if let Some((entry, person, id)) = declaration(row)
            && !found.contains_key(&entry)
        {
            let contact = declared(tx, keys, person, id).await?;
            found.insert(entry, contact);
        }
    }
    let gone = found.iter().filter(|(_, contact)| contact.is_none());
    let gone: Vec<Entry> = gone.map(|(entry, _)| *entry).collect();
    for (entry, contact) in kept::contacts(tx, keys, cases, &gone).await? {
        found.insert(entry, Some(contact));
    }
    let contact = |row: &Row| found.get(&declaration(row)?.0).cloned().flatten();
    Ok(rows.iter().map(contact).collect())
}

/// Where the contact of a row stands: its entry in a case file, and the declaration.
fn declaration(row: &Row) -> Option<(Entry, Person, Uuid)> {
    let (person, id) = (to_person(&row.person_id)?, row.declaration_id?);
    let entry = kept::contact_entry(PersonId::from_bytes(person), id);
    Some((entry, person, id))
}

/// The contact as it was declared, while its day is kept.
async fn declared(
    tx: &mut Tx,
    keys: &KeyRing,
    person: Person,
    id: Uuid,
) -> Result<Option<Contact>> {
    let found = declarations::open_contact(keys, tx, PersonId::from_bytes(person), id).await?;
    if found.is_some() {
        return Ok(found);
    }
    // Made under another pseudonym of the same person.
    let others: Vec<(Vec<u8>,)> = tx
        .query("SELECT person_id FROM declarations WHERE id = $1")
        .bind(id)
        .all()
        .await?;
    for (bytes,) in others {
        let Some(other) = PersonId::from_slice(&bytes) else {
            continue;
        };
        let is_alias: Option<(i64,)> = tx
            .query(
                "SELECT CAST(1 AS BIGINT) FROM person_aliases WHERE alias = $1 AND person_id = $2",
            )
            .bind(bytes)
            .bind(person.to_vec())
            .optional()
            .await?;
        if is_alias.is_some() {
            return declarations::open_contact(keys, tx, other, id).await;
        }
    }
    Ok(None)
}

fn item(row: &Row, contact: Option<Contact>) -> Item {
    Item {
        reference: row.reference.clone(),
        contact,
        ring: row.ring,
        via: row.via.clone(),
        checkpoint: row.checkpoint_id,
        from: row.start_at,
        until: row.end_at,
        certain_ms: row.certain_ms,
        possible_ms: row.possible_ms,
        residual_ms: row.residual_ms,
        assumed: row.assumed,
        score_ms: row.score,
        grade: row.grade.clone(),
        marks: serde_json::from_str(&row.flags).unwrap_or_default(),
    }
}

/// How many people of a run live in another province than the officer's, by province.
///
/// # Errors
///
/// Those of the store.
pub async fn referrals(
    tx: &mut Tx,
    officer: &Account,
    run: Uuid,
) -> Result<Vec<(Option<String>, i64)>, Error> {
    let Some(own) = officer.province.clone() else {
        return Ok(Vec::new());
    };
    tx.query(
        "SELECT province, COUNT(*) FROM lookup_people
         WHERE run_id = $1 AND (province IS NULL OR province <> $2)
         GROUP BY province ORDER BY COUNT(*) DESC, province",
    )
    .bind(run)
    .bind(own)
    .all()
    .await
}

/// Release a run that is too large for one person. Gives it as it is now.
///
/// # Errors
///
/// [`Kind::Forbidden`] for whoever made it; [`Kind::NotFound`] when it is another office's; those of
/// the store.
pub async fn release(desk: &Desk<'_>, lead: &Account, id: Uuid) -> Result<Run> {
    desk.db
        .write(async |tx| {
            let run = run::find(tx, lead, id).await?;
            if run.officer_id == lead.id {
                return Err(Kind::Forbidden.into());
            }
            if record::release(tx, id, lead.id).await? {
                note(tx, lead, &run, "lookup.released", Some(run.people())).await?;
            }
            run::find(tx, lead, id).await
        })
        .await
}

/// A case's merged presence at a checkpoint, for the picture beside the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct CaseSpan {
    /// Number of the checkpoint.
    pub checkpoint_id: i64,
    /// First instant, ms UTC.
    pub start_at: i64,
    /// First instant after it, ms UTC.
    pub end_at: i64,
}

/// Where the cases of a run were, the earliest first. Numbers and times only: names nobody.
///
/// # Errors
///
/// Those of the store.
pub async fn case_spans(tx: &mut Tx, run: Uuid) -> Result<Vec<CaseSpan>, Error> {
    tx.query(
        "SELECT checkpoint_id, start_at, end_at FROM lookup_probes
         WHERE run_id = $1 AND ring = 1 ORDER BY start_at, checkpoint_id LIMIT 1000",
    )
    .bind(run)
    .all()
    .await
}

/// Milliseconds as minutes with one digit, rounded to the nearest.
#[must_use]
pub fn minutes(ms: i64) -> f64 {
    let tenths = (ms + 3_000).div_euclid(6_000);
    // Minutes of a month have far fewer digits than a double holds.
    f64::from(i32::try_from(tenths).unwrap_or(i32::MAX)) / 10.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn minutes_have_one_digit() {
        let text = |ms| minutes(ms).to_string();
        assert_eq!(text(0), "0");
        assert_eq!(text(900_000), "15");
        assert_eq!(text(899_000), "15");
        assert_eq!(text(896_000), "14.9");
        assert_eq!(text(90_000), "1.5");
        assert_eq!(text(2_999), "0");
        assert_eq!(text(3_000), "0.1");
    }
}
