//! The SQL of stored runs. Rows of a run are written once, with the audit entry, in one transaction.

use std::collections::BTreeSet;

use uuid::Uuid;

use crate::{
    base::Timestamp,
    cases::clock,
    exposures::{
        findings::{Findings, LinkRow, PersonRow, ProbeRow},
        interval::Span,
        run::Run,
        stay::Person,
    },
    identity::PersonId,
    privacy::audit,
    store::{Engine, Error, Sql, Tx},
};

/// Rows that go into one statement.
const BATCH: usize = 2_000;

/// People from whom on a list is analysed once it is written.
const ANALYZE_FROM: usize = 1_000;

/// Whom a run traced.
#[derive(Clone, Copy, Debug)]
pub struct SubjectRow {
    /// Index of the source.
    pub subject: i64,
    /// The case, if it is one.
    pub case_id: Option<Uuid>,
    /// A pseudonym.
    pub person: Person,
    /// The window.
    pub window: Span,
}

/// A run with all its rows, before it is stored.
#[derive(Debug)]
pub struct Made {
    /// The run.
    pub run: Run,
    /// Whom it traced.
    pub subjects: Vec<SubjectRow>,
    /// The rule set, whole, as JSON.
    pub rule: String,
    /// Upper bound of pairs.
    pub pairs: i64,
    /// Upper bound of people.
    pub people_bound: i64,
    /// What it found.
    pub found: Findings,
}

#[derive(sqlx::FromRow)]
struct Row {
    id: Uuid,
    kind: String,
    parent_id: Option<Uuid>,
    province: Option<String>,
    rule_id: String,
    rule_version: i64,
    parameters: String,
    high_water_mark: i64,
    oldest_kept: i64,
    document: String,
    reason: String,
    officer_id: Uuid,
    approver_id: Option<Uuid>,
    state: String,
    warnings: String,
    ring1: i64,
    ring2: i64,
    created_at: Timestamp,
}

impl Row {
    /// `None` when the stored texts are not those of a run.
    fn run(self) -> Option<Run> {
        Some(Run {
            id: self.id,
            kind: self.kind,
            parent_id: self.parent_id,
            province: self.province,
            rule_id: self.rule_id,
            rule_version: self.rule_version,
            parameters: serde_json::from_str(&self.parameters).ok()?,
            high_water_mark: self.high_water_mark,
            oldest_kept: self.oldest_kept,
            document: self.document,
            reason: self.reason,
            officer_id: self.officer_id,
            approver_id: self.approver_id,
            state: self.state,
            warnings: serde_json::from_str(&self.warnings).ok()?,
            ring1: self.ring1,
            ring2: self.ring2,
            created_at: self.created_at,
        })
    }
}

/// Store a run and its audit entry.
///
/// # Errors
///
/// Those of the store.
pub async fn insert(tx: &mut Tx, made: &Made) -> Result<(), Error> {
    insert_run(tx, made).await?;
    for row in &made.subjects {
        tx.query(
            "INSERT INTO lookup_run_cases (run_id, subject, case_id, person_id, window_from, window_to)
             VALUES ($1, $2, $3, $4, $5, $6)",
        )
        .bind(made.run.id)
        .bind(row.subject)
        .bind(row.case_id)
        .bind(row.person.to_vec())
        .bind(row.window.start())
        .bind(row.window.end())
        .execute()
        .await?;
    }
    let cases: BTreeSet<Uuid> = made.subjects.iter().filter_map(|row| row.case_id).collect();
    for case in cases {
        clock::worked(tx, case).await?;
    }
    for (batch, rows) in made.found.probes.chunks(BATCH).enumerate() {
        insert_probes(tx, made.run.id, batch * BATCH, rows).await?;
    }
    for rows in made.found.people.chunks(BATCH) {
        insert_people(tx, made.run.id, rows).await?;
    }
    for rows in made.found.links.chunks(BATCH) {
        insert_links(tx, made.run.id, rows).await?;
    }
    if made.found.people.len() > ANALYZE_FROM {
        // PostgreSQL plans the reading of a list that it knows nothing of as if it were short.
        for table in [
            Sql::split("ANALYZE lookup_people", "SELECT 1"),
            Sql::split("ANALYZE lookup_links", "SELECT 1"),
        ] {
            tx.query(table).execute().await?;
        }
    }
    audit::append(
        tx,
        audit::Entry {
            actor: Some(made.run.officer_id),
            action: "lookup.created",
            subject: made.run.id.to_string(),
            document: Some(&made.run.document),
            reason: Some(&made.run.reason),
            people: Some(made.run.people()),
        },
    )
    .await?;
    refer(tx, made).await
}

/// Note how many people go to the office of another province.
async fn refer(tx: &mut Tx, made: &Made) -> Result<(), Error> {
    let Some(own) = &made.run.province else {
        return Ok(());
    };
    let people = made.found.people.iter();
    let others = people.filter(|person| person.province.as_ref() != Some(own));
    let others: BTreeSet<Person> = others.map(|person| person.person).collect();
    if others.is_empty() {
        return Ok(());
    }
    audit::append(
        tx,
        audit::Entry {
            actor: Some(made.run.officer_id),
            action: "lookup.referred",
            subject: made.run.id.to_string(),
            document: Some(&made.run.document),
            reason: Some(&made.run.reason),
            people: Some(i64::try_from(others.len()).unwrap_or(i64::MAX)),
        },
    )
    .await
}

async fn insert_run(tx: &mut Tx, made: &Made) -> Result<(), Error> {
    let run = &made.run;
    let json = |text: Result<String, serde_json::Error>| text.unwrap_or_default();
    tx.query(
        "INSERT INTO lookup_runs (id, kind, parent_id, province, rule_id, rule_version, rule_set,
             parameters, engine_version, high_water_mark, oldest_kept, document, reason, officer_id,
             state, warnings, pairs, people_bound, ring1, ring2, result_hash, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18,
                 $19, $20, $21, $22)",
    )
    .bind(run.id)
    .bind(run.kind.clone())
    .bind(run.parent_id)
    .bind(run.province.clone())
    .bind(run.rule_id.clone())
    .bind(run.rule_version)
    .bind(made.rule.clone())
    .bind(json(serde_json::to_string(&run.parameters)))
    .bind(super::run::ENGINE_VERSION)
    .bind(run.high_water_mark)
    .bind(run.oldest_kept)
    .bind(run.document.clone())
    .bind(run.reason.clone())
    .bind(run.officer_id)
    .bind(run.state.clone())
    .bind(json(serde_json::to_string(&run.warnings)))
    .bind(made.pairs)
    .bind(made.people_bound)
    .bind(run.ring1)
    .bind(run.ring2)
    .bind(made.found.hash().to_vec())
    .bind(run.created_at)
    .execute()
    .await
    .map(drop)
}

const INSERT_PROBES: Sql = Sql::split(
    "INSERT INTO lookup_probes (run_id, ring, probe, person_id, checkpoint_id, start_at, end_at)
     SELECT $1::uuid, 1, u.probe, u.person_id, u.checkpoint_id, u.start_at, u.end_at
     FROM UNNEST($2::bigint[], $3::bytea[], $4::bigint[], $5::bigint[], $6::bigint[])
          AS u (probe, person_id, checkpoint_id, start_at, end_at)",
    "INSERT INTO lookup_probes (run_id, ring, probe, person_id, checkpoint_id, start_at, end_at)
     SELECT $1, 1, j.value ->> 0, substr($3, j.key * 16 + 1, 16), j.value ->> 1, j.value ->> 2, j.value ->> 3
     FROM json_each($2) AS j",
);

async fn insert_probes(
    tx: &mut Tx,
    run: Uuid,
    from: usize,
    rows: &[ProbeRow],
) -> Result<(), Error> {
    let numbers = (i64::try_from(from).unwrap_or(i64::MAX)..).take(rows.len());
    let query = match tx.engine() {
        Engine::Postgres => tx
            .query(INSERT_PROBES)
            .bind(run)
            .bind_postgres(numbers.collect::<Vec<_>>())
            .bind_postgres(column(rows, |r| r.person.to_vec()))
            .bind_postgres(column(rows, |r| r.checkpoint))
            .bind_postgres(column(rows, |r| r.start_at))
            .bind_postgres(column(rows, |r| r.end_at)),
        Engine::Sqlite => {
            let fields: Vec<_> = numbers
                .zip(rows)
                .map(|(n, r)| (n, r.checkpoint, r.start_at, r.end_at))
                .collect();
            tx.query(INSERT_PROBES)
                .bind(run)
                .bind_sqlite(serde_json::to_string(&fields).unwrap_or_default())
                .bind_sqlite(packed(rows, |r| r.person))
        }
    };
    query.execute().await.map(drop)
}

const INSERT_PEOPLE: Sql = Sql::split(
    "INSERT INTO lookup_people (run_id, ring, person_id, reference, declaration_id, province, grade,
         certain_ms, possible_ms, residual_ms, score, first_at, last_at, links, flags)
     SELECT $1::uuid, u.ring, u.person_id, u.reference, u.declaration_id, u.province, u.grade,
            u.certain_ms, u.possible_ms, u.residual_ms, u.score, u.first_at, u.last_at, u.links, u.flags
     FROM UNNEST($2::bigint[], $3::bytea[], $4::text[], $5::uuid[], $6::text[], $7::text[], $8::bigint[],
                 $9::bigint[], $10::bigint[], $11::bigint[], $12::bigint[], $13::bigint[], $14::bigint[], $15::text[])
          AS u (ring, person_id, reference, declaration_id, province, grade,
                certain_ms, possible_ms, residual_ms, score, first_at, last_at, links, flags)",
    "INSERT INTO lookup_people (run_id, ring, person_id, reference, declaration_id, province, grade,
         certain_ms, possible_ms, residual_ms, score, first_at, last_at, links, flags)
     SELECT $1, j.value ->> 0, substr($3, j.key * 16 + 1, 16), j.value ->> 1,
            CASE WHEN j.value ->> 2 THEN substr($4, j.key * 16 + 1, 16) END, j.value ->> 3, j.value ->> 4,
            j.value ->> 5, j.value ->> 6, j.value ->> 7, j.value ->> 8, j.value ->> 9, j.value ->> 10,
            j.value ->> 11, j.value ->> 12
     FROM json_each($2) AS j",
);

async fn insert_people(tx: &mut Tx, run: Uuid, rows: &[PersonRow]) -> Result<(), Error> {
    let flags = |row: &PersonRow| serde_json::to_string(&row.flags).unwrap_or_default();
    let query = match tx.engine() {
        Engine::Postgres => tx
            .query(INSERT_PEOPLE)
            .bind(run)
            .bind_postgres(column(rows, |r| r.ring))
            .bind_postgres(column(rows, |r| r.person.to_vec()))
            .bind_postgres(column(rows, |r| r.reference.clone()))
            .bind_postgres(column(rows, |r| r.declaration))
            .bind_postgres(column(rows, |r| r.province.clone()))
            .bind_postgres(column(rows, |r| r.grade))
            .bind_postgres(column(rows, |r| r.certain_ms))
            .bind_postgres(column(rows, |r| r.possible_ms))
            .bind_postgres(column(rows, |r| r.residual_ms))
            .bind_postgres(column(rows, |r| r.score))
            .bind_postgres(column(rows, |r| r.first_at))
            .bind_postgres(column(rows, |r| r.last_at))
            .bind_postgres(column(rows, |r| r.links))
            .bind_postgres(column(rows, flags)),
        Engine::Sqlite => {
            let fields = column(rows, |r| {
                let declared = r.declaration.is_some();
                (
                    (r.ring, &r.reference, declared, &r.province, r.grade),
                    (r.certain_ms, r.possible_ms, r.residual_ms, r.score),
                    (r.first_at, r.last_at, r.links, flags(r)),
                )
            });
            tx.query(INSERT_PEOPLE)
                .bind(run)
                .bind_sqlite(flat(&fields))
                .bind_sqlite(packed(rows, |r| r.person))
                .bind_sqlite(packed(rows, |r| {
                    r.declaration.map_or([0; 16], |id| *id.as_bytes())
                }))
        }
    };
    query.execute().await.map(drop)
}

const INSERT_LINKS: Sql = Sql::split(
    "INSERT INTO lookup_links (run_id, ring, from_person, person_id, checkpoint_id, site_id, start_at,
         end_at, certain_ms, possible_ms, residual_ms, assumed)
     SELECT $1::uuid, u.ring, u.from_person, u.person_id, u.checkpoint_id, u.site_id, u.start_at,
            u.end_at, u.certain_ms, u.possible_ms, u.residual_ms, u.assumed
     FROM UNNEST($2::bigint[], $3::bytea[], $4::bytea[], $5::bigint[], $6::bigint[], $7::bigint[],
                 $8::bigint[], $9::bigint[], $10::bigint[], $11::bigint[], $12::boolean[])
          AS u (ring, from_person, person_id, checkpoint_id, site_id, start_at,
                end_at, certain_ms, possible_ms, residual_ms, assumed)",
    "INSERT INTO lookup_links (run_id, ring, from_person, person_id, checkpoint_id, site_id, start_at,
         end_at, certain_ms, possible_ms, residual_ms, assumed)
     SELECT $1, j.value ->> 0, substr($3, j.key * 16 + 1, 16), substr($4, j.key * 16 + 1, 16), j.value ->> 1,
            j.value ->> 2, j.value ->> 3, j.value ->> 4, j.value ->> 5, j.value ->> 6, j.value ->> 7, j.value ->> 8
     FROM json_each($2) AS j",
);

async fn insert_links(tx: &mut Tx, run: Uuid, rows: &[LinkRow]) -> Result<(), Error> {
    let query = match tx.engine() {
        Engine::Postgres => tx
            .query(INSERT_LINKS)
            .bind(run)
            .bind_postgres(column(rows, |r| r.ring))
            .bind_postgres(column(rows, |r| r.from.to_vec()))
            .bind_postgres(column(rows, |r| r.person.to_vec()))
            .bind_postgres(column(rows, |r| r.link.checkpoint))
            .bind_postgres(column(rows, |r| r.link.site))
            .bind_postgres(column(rows, |r| r.link.start_at))
            .bind_postgres(column(rows, |r| r.link.end_at))
            .bind_postgres(column(rows, |r| r.link.certain_ms))
            .bind_postgres(column(rows, |r| r.link.possible_ms))
            .bind_postgres(column(rows, |r| r.link.residual_ms))
            .bind_postgres(column(rows, |r| r.link.assumed)),
        Engine::Sqlite => {
            let fields = column(rows, |r| {
                let link = &r.link;
                (
                    r.ring,
                    link.checkpoint,
                    link.site,
                    link.start_at,
                    link.end_at,
                    link.certain_ms,
                    link.possible_ms,
                    link.residual_ms,
                    i64::from(link.assumed),
                )
            });
            tx.query(INSERT_LINKS)
                .bind(run)
                .bind_sqlite(serde_json::to_string(&fields).unwrap_or_default())
                .bind_sqlite(packed(rows, |r| r.from))
                .bind_sqlite(packed(rows, |r| r.person))
        }
    };
    query.execute().await.map(drop)
}

fn column<'r, R, T>(rows: &'r [R], value: impl FnMut(&'r R) -> T) -> Vec<T> {
    rows.iter().map(value).collect()
}

fn packed<'r, R: 'r>(rows: &'r [R], value: impl Fn(&'r R) -> [u8; 16]) -> Vec<u8> {
    rows.iter().flat_map(value).collect()
}

/// Rows of tuples of values as a JSON array of flat arrays: a tuple alone holds too few.
fn flat<T: serde::Serialize>(rows: &[T]) -> String {
    let flat: Vec<Vec<serde_json::Value>> = rows
        .iter()
        .filter_map(|row| serde_json::to_value(row).ok())
        .map(|row| match row {
            serde_json::Value::Array(parts) => parts
                .into_iter()
                .flat_map(|part| match part {
                    serde_json::Value::Array(values) => values,
                    other => vec![other],
                })
                .collect(),
            other => vec![other],
        })
        .collect();
    serde_json::to_string(&flat).unwrap_or_default()
}

/// The columns of [`Row`].
macro_rules! columns {
    () => {
        "r.id, r.kind, r.parent_id, r.province, r.rule_id, r.rule_version, r.parameters, \
         r.high_water_mark, r.oldest_kept, r.document, r.reason, r.officer_id, r.approver_id, \
         r.state, r.warnings, r.ring1, r.ring2, r.created_at"
    };
}

/// The run `id`, whoever made it.
///
/// # Errors
///
/// Those of the store.
pub async fn find(tx: &mut Tx, id: Uuid) -> Result<Option<Run>, Error> {
    let row: Option<Row> = tx
        .query(concat!(
            "SELECT ",
            columns!(),
            " FROM lookup_runs r WHERE r.id = $1"
        ))
        .bind(id)
        .optional()
        .await?;
    Ok(row.and_then(Row::run))
}

/// Runs made for a case, the newest first.
///
/// # Errors
///
/// Those of the store.
pub async fn of_case(tx: &mut Tx, case: Uuid, limit: i64) -> Result<Vec<Run>, Error> {
    let rows: Vec<Row> = tx
        .query(concat!(
            "SELECT ",
            columns!(),
            " FROM lookup_runs r
             WHERE r.id IN (SELECT c.run_id FROM lookup_run_cases c WHERE c.case_id = $1)
             ORDER BY r.created_at DESC, r.id LIMIT $2"
        ))
        .bind(case)
        .bind(limit)
        .all()
        .await?;
    Ok(rows.into_iter().filter_map(Row::run).collect())
}

/// The pseudonyms that a run traced.
///
/// # Errors
///
/// Those of the store.
pub async fn persons_of(tx: &mut Tx, run: Uuid) -> Result<Vec<PersonId>, Error> {
    let rows: Vec<(Vec<u8>,)> = tx
        .query("SELECT DISTINCT person_id FROM lookup_run_cases WHERE run_id = $1")
        .bind(run)
        .all()
        .await?;
    Ok(rows
        .iter()
        .filter_map(|(bytes,)| PersonId::from_slice(bytes))
        .collect())
}

/// How many (person, ring) `new` has that `old` had not, and the other way round.
///
/// # Errors
///
/// Those of the store.
pub async fn difference(tx: &mut Tx, old: Uuid, new: Uuid) -> Result<(i64, i64), Error> {
    let mut counts = [0, 0];
    for (count, (here, there)) in counts.iter_mut().zip([(new, old), (old, new)]) {
        (*count,) = tx
            .query(
                "SELECT COUNT(*) FROM lookup_people a WHERE a.run_id = $1 AND NOT EXISTS (
                     SELECT 1 FROM lookup_people b
                     WHERE b.run_id = $2 AND b.ring = a.ring AND b.person_id = a.person_id)",
            )
            .bind(here)
            .bind(there)
            .one::<(i64,)>()
            .await?;
    }
    let [added, withdrawn] = counts;
    Ok((added, withdrawn))
}

/// Note who released a run. Gives whether it was waiting for that.
///
/// # Errors
///
/// Those of the store.
pub async fn release(tx: &mut Tx, run: Uuid, by: Uuid) -> Result<bool, Error> {
    let now = tx.now();
    tx.query(
        "UPDATE lookup_runs SET state = 'released', approver_id = $2, released_at = $3
         WHERE id = $1 AND approver_id IS NULL",
    )
    .bind(run)
    .bind(by)
    .bind(now)
    .execute()
    .await
    .map(|rows| rows == 1)
}

/// The cases that a run was made for.
///
/// # Errors
///
/// Those of the store.
pub async fn cases_of(tx: &mut Tx, run: Uuid) -> Result<Vec<Uuid>, Error> {
    let rows: Vec<(Uuid,)> = tx
        .query(
            "SELECT DISTINCT case_id FROM lookup_run_cases
             WHERE run_id = $1 AND case_id IS NOT NULL ORDER BY case_id",
        )
        .bind(run)
        .all()
        .await?;
    Ok(rows.into_iter().map(|(case,)| case).collect())
}
