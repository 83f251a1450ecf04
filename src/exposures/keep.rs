//! Before a day goes: what open cases need of it is copied and sealed anew into their files.
//!
//! Two things are needed. The *stays* of a case's patient in its window, so that the case still says
//! where the patient was; and the *contacts* of the people whom the lookups of the case found, so
//! that a run can be opened until the case file's own clock has run out. Nothing else is copied:
//! people found by a lookup of a place or of somebody who is no case go with their day.
//!
//! Reading is done in [`Db::stage`] transactions, as a search does it: many keys in one statement, on
//! a cluster too. A batch of copies is written with its audit entry in one transaction. All of it may
//! be stopped anywhere and run again: a copy that is there is not made twice, and the day is dropped
//! only after everything of it was kept. With several cases in one lookup, each of their files holds
//! those who met its patient, and those who met them. A file whose key is damaged is left out: one case
//! that nobody can open must not hold up everybody's retention.

use std::collections::{BTreeSet, HashMap};

use uuid::Uuid;

use crate::{
    base::{Day, MAX_STAY_MS, Random, ids::uuid_floor},
    cases::{
        self,
        kept::{self, File, KeptStay},
    },
    checkins::retention::{Due, Kept},
    declarations,
    exposures::{
        stay::Person,
        store::{self, Bounds, Found, Subject, to_person},
    },
    identity::PersonId,
    privacy::{KeyRing, NoKey, audit},
    store::{Db, Error, Tx},
};

/// Case files whose stays are read together.
const FILES: i64 = 100;

/// People of a run whose contacts are copied together.
const PEOPLE: i64 = 500;

/// What copying needs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Keeper<'a> {
    pub(super) db: &'a Db,
    pub(super) keys: &'a KeyRing,
    pub(super) random: &'a Random,
}

impl Keeper<'_> {
    /// Copy what open cases need of everything that is due.
    ///
    /// # Errors
    ///
    /// Those of the store; [`NoKey::WrongMaster`] when the key of a file does not open.
    pub(super) async fn keep(&self, due: Due) -> Result<Kept, NoKey> {
        let days = self.keys.list_days(self.db).await?;
        // Days go before their keys, so what is still there lies in days that have theirs.
        let readable = days.into_iter().find(|(_, gone)| gone.is_none());
        let Some(from) = readable.map(|(day, _)| day) else {
            return Ok(Kept::default());
        };
        let mut done = Kept::default();
        if from >= due.check_ins {
            return Ok(done);
        }
        let damaged = self.damaged().await?;
        done.unreadable = u64::try_from(damaged.len()).unwrap_or(u64::MAX);
        done.stays = self.stays(from, due.check_ins, &damaged).await?;
        if from < due.declarations {
            done.contacts = self.contacts(from, due.declarations, &damaged).await?;
        }
        Ok(done)
    }

    /// The open cases whose keys are damaged, said and written down.
    async fn damaged(&self) -> Result<BTreeSet<Uuid>, NoKey> {
        let look = async || {
            self.db
                .read(async |tx| kept::damaged(tx, self.keys).await)
                .await
        };
        let mut damaged: BTreeSet<Uuid> = look().await?;
        if damaged.is_empty() {
            return Ok(damaged);
        }
        // One that was wrapped anew between the row and the key opens at the second look.
        let again = look().await?;
        damaged.retain(|case| again.contains(case));
        for case in &damaged {
            tracing::error!(%case, "the key of this case does not open: its file keeps nothing more");
            self.db
                .write(async |tx| note_unreadable(tx, *case).await)
                .await?;
        }
        Ok(damaged)
    }

    /// Copy the stays of patients on the days `[from, until)`.
    async fn stays(&self, from: Day, until: Day, damaged: &BTreeSet<Uuid>) -> Result<u64, NoKey> {
        let mut kept = 0;
        let mut after = Uuid::nil();
        loop {
            // An open stay is cut by what its person did within a day of it, so a day more is kept.
            let span = (from.start_ms() - MAX_STAY_MS, until.start_ms());
            let (files, last) = self
                .db
                .read(async |tx| files(tx, self.keys, span, damaged, after).await)
                .await?;
            let Some(last) = last else {
                return Ok(kept);
            };
            after = last;
            let stays = self
                .db
                .stage(async |tx| stays(tx, &files, from, until).await)
                .await?;
            for (index, stays) in stays {
                if let Some((file, _)) = files.get(index) {
                    kept += self.keep_stays(file, &stays).await?;
                }
            }
        }
    }

    async fn keep_stays(&self, file: &File, stays: &[KeptStay]) -> Result<u64, Error> {
        let sealed: Vec<_> = stays
            .iter()
            .map(|stay| file.seal_stay(stay, self.random))
            .collect();
        self.db
            .write(async |tx| {
                let new = file.add_stays(tx, &sealed).await?;
                note(tx, file, new, 1).await?;
                Ok(new)
            })
            .await
    }

    /// Copy the contacts of everybody whom the lookups of open cases found by a declaration of the
    /// days `[from, until)`.
    async fn contacts(
        &self,
        from: Day,
        until: Day,
        damaged: &BTreeSet<Uuid>,
    ) -> Result<u64, NoKey> {
        let days = (uuid_floor(from.start_ms()), uuid_floor(until.start_ms()));
        let runs = self.db.read(async |tx| runs(tx, days).await).await?;
        for day in from.number()..until.number() {
            match self.keys.day_from(self.db, Day::from_number(day)).await {
                Ok(_) | Err(NoKey::NoDay) => {}
                Err(error) => return Err(error),
            }
        }
        let mut kept = 0;
        let readable = |asked: &Asked| !damaged.contains(&asked.case_id);
        for asked in runs.into_iter().filter(readable) {
            kept += self.contacts_of(asked, days).await?;
        }
        Ok(kept)
    }

    async fn contacts_of(&self, asked: Asked, days: (Uuid, Uuid)) -> Result<u64, NoKey> {
        let mut kept = 0;
        let mut after = (0, Vec::new());
        loop {
            let page = self
                .db
                .stage(async |tx| {
                    let file = kept::file_of(tx, self.keys, asked.case_id).await?;
                    let Some(file) = file else {
                        return Ok(None);
                    };
                    let page = page(tx, &file, asked, days, &after).await?;
                    Ok::<_, NoKey>(page.map(|page| (file, page)))
                })
                .await?;
            let Some((file, page)) = page else {
                return Ok(kept);
            };
            after = page.last;
            kept += self.keep_contacts(&file, &page.people).await?;
        }
    }

    async fn keep_contacts(&self, file: &File, people: &[Declared]) -> Result<u64, Error> {
        let sealed: Vec<_> = people
            .iter()
            .filter_map(|one| {
                let key = declarations::day_of(one.declaration).and_then(|day| self.keys.day(day));
                let by = PersonId::from_bytes(one.by);
                let plain = declarations::open_plain(&*key?, by, one.declaration, &one.sealed)?;
                let person = PersonId::from_bytes(one.person);
                let entry = kept::contact_entry(person, one.declaration);
                Some(file.seal_contact(entry, &plain, self.random))
            })
            .collect();
        if sealed.is_empty() {
            return Ok(0);
        }
        self.db
            .write(async |tx| {
                let new = file.add_contacts(tx, &sealed).await?;
                note(tx, file, new, new).await?;
                Ok(new)
            })
            .await
    }
}

/// Write down that something of `people` was copied into a file, if anything was.
async fn note(tx: &mut Tx, file: &File, new: u64, people: u64) -> Result<(), Error> {
    if new == 0 {
        return Ok(());
    }
    let entry = audit::Entry {
        action: "case.kept",
        subject: file.id().to_string(),
        reason: Some("retention"),
        people: i64::try_from(people).ok(),
        ..audit::Entry::default()
    };
    audit::append(tx, entry).await
}

/// Write down, once, that the key of a case does not open.
async fn note_unreadable(tx: &mut Tx, case: Uuid) -> Result<(), Error> {
    const ACTION: &str = "case.unreadable";
    let subject = case.to_string();
    let known: Option<(i64,)> = tx
        .query("SELECT seq FROM audit_log WHERE action = $1 AND subject = $2 LIMIT 1")
        .bind(ACTION)
        .bind(subject.clone())
        .optional()
        .await?;
    if known.is_some() {
        return Ok(());
    }
    let entry = audit::Entry {
        action: ACTION,
        subject,
        reason: Some("retention"),
        ..audit::Entry::default()
    };
    audit::append(tx, entry).await
}

/// Files whose windows meet `span`, with all pseudonyms of their patients, and the last case.
async fn files(
    tx: &mut Tx,
    keys: &KeyRing,
    span: (i64, i64),
    damaged: &BTreeSet<Uuid>,
    after: Uuid,
) -> Result<(Vec<(File, Vec<PersonId>)>, Option<Uuid>), NoKey> {
    let mut found = Vec::new();
    let (files, last) = kept::files_meeting(tx, keys, span, damaged, (after, FILES)).await?;
    for file in files {
        let persons = cases::persons_of(tx, file.id()).await?;
        found.push((file, persons));
    }
    Ok((found, last))
}

/// The stays of the patients of `files` on the days `[from, until)`, by the file's index.
async fn stays(
    tx: &mut Tx,
    files: &[(File, Vec<PersonId>)],
    from: Day,
    until: Day,
) -> Result<HashMap<usize, Vec<KeptStay>>, Error> {
    let mut subjects = Vec::new();
    for (subject, (file, persons)) in (0_i64..).zip(files) {
        let end = file.window_until.map(|end| end.saturating_add(MAX_STAY_MS));
        subjects.extend(persons.iter().map(|person| Subject {
            subject,
            person: *person.as_bytes(),
            a: file.window_from.max(from.start_ms()),
            b: end.unwrap_or(i64::MAX).min(until.start_ms()),
        }));
    }
    let mut found: HashMap<usize, Vec<KeptStay>> = HashMap::new();
    if subjects.is_empty() {
        return Ok(found);
    }
    store::prepare(tx).await?;
    let now = tx.now().as_ms();
    let bounds = Bounds::new(from.start_ms(), until.start_ms(), now);
    store::load_subjects(tx, bounds, &subjects).await?;
    store::stays(tx, bounds, |row| {
        let index = usize::try_from(row.subject).unwrap_or(usize::MAX);
        found.entry(index).or_default().extend(kept(row));
    })
    .await?;
    Ok(found)
}

fn kept(row: Found) -> Option<KeptStay> {
    Some(KeptStay {
        checkpoint: row.checkpoint_id,
        id: row.id,
        person: to_person(&row.person_id)?,
        entered_at: row.entered_at,
        left_at: row.left_at,
        left_source: row.left_source,
        source: row.source,
        headcount: row.headcount,
        declaration: row.declaration_id,
    })
}

/// A kept stay as a search reads one, of the source with the index `subject`.
pub(super) fn found(subject: i64, stay: KeptStay) -> Found {
    Found {
        subject,
        checkpoint_id: stay.checkpoint,
        id: stay.id,
        person_id: stay.person.to_vec(),
        entered_at: stay.entered_at,
        left_at: stay.left_at,
        left_source: stay.left_source,
        source: stay.source,
        headcount: stay.headcount,
        declaration_id: stay.declaration,
    }
}

/// A lookup and one of its cases.
#[derive(Clone, Copy, Debug, sqlx::FromRow)]
struct Asked {
    case_id: Uuid,
    run_id: Uuid,
    /// Cases that it traced.
    cases: i64,
}

/// The lookups that found somebody by a declaration of `days`, each with each of its open cases.
async fn runs(tx: &mut Tx, (from, until): (Uuid, Uuid)) -> Result<Vec<Asked>, Error> {
    tx.query(
        "SELECT DISTINCT k.case_id, k.run_id,
                (SELECT COUNT(DISTINCT o.subject) FROM lookup_run_cases o
                 WHERE o.run_id = k.run_id) AS cases
         FROM lookup_run_cases k JOIN cases c ON c.id = k.case_id
         WHERE c.key_wrapped IS NOT NULL AND EXISTS (
             SELECT 1 FROM lookup_people p WHERE p.run_id = k.run_id
                 AND p.declaration_id >= $1 AND p.declaration_id < $2)
         ORDER BY k.case_id, k.run_id",
    )
    .bind(from)
    .bind(until)
    .all()
    .await
}

/// Everybody whom a run found.
const OF_RUN: &str = "SELECT p.ring, p.person_id, p.declaration_id FROM lookup_people p
    WHERE p.run_id = $1 AND p.declaration_id >= $2 AND p.declaration_id < $3
      AND (p.ring > $4 OR (p.ring = $4 AND p.person_id > $5))
    ORDER BY p.ring, p.person_id LIMIT $6";

/// Everybody whom a run of several cases found near one of them, or near somebody whom it found near
/// that one.
const OF_CASE: &str = "SELECT p.ring, p.person_id, p.declaration_id FROM lookup_people p
    WHERE p.run_id = $1 AND p.declaration_id >= $2 AND p.declaration_id < $3
      AND (p.ring > $4 OR (p.ring = $4 AND p.person_id > $5))
      AND EXISTS (
          SELECT 1 FROM lookup_links l
          WHERE l.run_id = p.run_id AND l.ring = p.ring AND l.person_id = p.person_id
            AND (EXISTS (SELECT 1 FROM lookup_run_cases k
                         WHERE k.run_id = l.run_id AND k.person_id = l.from_person
                           AND k.case_id = $7)
                 OR EXISTS (SELECT 1 FROM lookup_links m
                            JOIN lookup_run_cases k ON k.run_id = m.run_id
                                 AND k.person_id = m.from_person
                            WHERE l.ring = 2 AND m.run_id = l.run_id AND m.ring = 1
                              AND m.person_id = l.from_person AND k.case_id = $7)))
    ORDER BY p.ring, p.person_id LIMIT $6";

/// Somebody whom a run found, and the contact as the day sealed it.
#[derive(Debug)]
struct Declared {
    /// The pseudonym in the run.
    person: Person,
    /// The pseudonym under which it was declared.
    by: Person,
    declaration: Uuid,
    sealed: Vec<u8>,
}

/// Some people of a run, in its order.
#[derive(Debug)]
struct Page {
    /// Those that the file does not hold yet.
    people: Vec<Declared>,
    /// Where the next page begins: ring and pseudonym.
    last: (i64, Vec<u8>),
}

/// The page after `after`; `None` when there is none.
async fn page(
    tx: &mut Tx,
    file: &File,
    asked: Asked,
    (from, until): (Uuid, Uuid),
    after: &(i64, Vec<u8>),
) -> Result<Option<Page>, Error> {
    let many = asked.cases > 1;
    let mut query = tx
        .query(if many { OF_CASE } else { OF_RUN })
        .bind(asked.run_id)
        .bind(from)
        .bind(until)
        .bind(after.0)
        .bind(after.1.clone())
        .bind(PEOPLE);
    if many {
        query = query.bind(asked.case_id);
    }
    let rows: Vec<(i64, Vec<u8>, Uuid)> = query.all().await?;
    let Some((ring, person, _)) = rows.last() else {
        return Ok(None);
    };
    let last = (*ring, person.clone());
    let people: Vec<(Person, Uuid)> = rows
        .iter()
        .filter_map(|(_, person, id)| Some((to_person(person)?, *id)))
        .collect();
    let people = sealed(tx, file, &people).await?;
    Ok(Some(Page { people, last }))
}

/// The sealed contacts of those of `people` whom the file does not hold yet.
async fn sealed(
    tx: &mut Tx,
    file: &File,
    people: &[(Person, Uuid)],
) -> Result<Vec<Declared>, Error> {
    let entry =
        |(person, id): &(Person, Uuid)| kept::contact_entry(PersonId::from_bytes(*person), *id);
    let entries: Vec<_> = people.iter().map(entry).collect();
    let known = file.known_contacts(tx, &entries).await?;
    let missing: Vec<(Person, Uuid)> = people
        .iter()
        .zip(&entries)
        .filter(|(_, entry)| !known.contains(entry.as_slice()))
        .map(|(one, _)| *one)
        .collect();
    if missing.is_empty() {
        return Ok(Vec::new());
    }
    store::prepare(tx).await?;
    let persons: Vec<Person> = missing.iter().map(|(person, _)| *person).collect();
    let aliases = store::aliases(tx, &persons).await?;
    // A declaration may have been made under another pseudonym of the same person.
    let mut asked: Vec<(Person, Uuid, Person)> = Vec::new();
    for (person, id) in &missing {
        let others = aliases.iter().filter(|(_, owner)| owner == person);
        asked.push((*person, *id, *person));
        asked.extend(others.map(|(alias, _)| (*alias, *id, *person)));
    }
    let pairs: Vec<(Person, Uuid)> = asked.iter().map(|(by, id, _)| (*by, *id)).collect();
    let mut stored: HashMap<(Person, Uuid), Vec<u8>> = store::sealed_contacts(tx, &pairs)
        .await?
        .into_iter()
        .map(|(by, id, sealed)| ((by, id), sealed))
        .collect();
    Ok(asked
        .into_iter()
        .filter_map(|(by, declaration, person)| {
            let sealed = stored.remove(&(by, declaration))?;
            Some(Declared {
                person,
                by,
                declaration,
                sealed,
            })
        })
        .collect())
}
