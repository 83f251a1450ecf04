//! The SQL of a search: key ranges find a superset of pairs, and nothing is decided here.
//!
//! Staging tables are made from `check_ins`, so that their columns have its types: with another
//! affinity SQLite silently drops the time range from the index search. `CROSS JOIN` fixes the order
//! of the loops in SQLite and means nothing in PostgreSQL. The run-wide bound is written as
//! `NOT (c.id < $1)`: PostgreSQL prunes partitions by it, and SQLite leaves it as a filter instead
//! of taking it for the index in place of the probe's own range.

use uuid::Uuid;

use crate::{
    base::{
        Day, MAX_STAY_MS,
        ids::{time_of, uuid_floor},
    },
    exposures::stay::Person,
    store::{Engine, Error, Sql, Tx},
};

/// The pseudonym of a place: nobody's.
pub const NOBODY: Person = [0; 16];

// The staging tables.

const SUBJECTS: &str = "CREATE TEMPORARY TABLE tr_subject AS SELECT c.entered_at AS subject, c.person_id, c.entered_at / 86400000 AS day, c.entered_at AS a, c.id AS id_lo, c.id AS id_hi FROM check_ins c WHERE 1 = 0";

const PROBES: &str = "CREATE TEMPORARY TABLE tr_probe AS SELECT c.entered_at AS probe, c.person_id, c.checkpoint_id, c.entered_at AS a, c.entered_at AS dwell, c.id AS id_lo, c.id AS id_hi FROM check_ins c WHERE 1 = 0";

const OPENS: &str = "CREATE TEMPORARY TABLE tr_open AS SELECT c.person_id, c.entered_at / 86400000 AS day, c.id, c.id AS id_hi FROM check_ins c WHERE 1 = 0";

const PEOPLE: &str =
    "CREATE TEMPORARY TABLE tr_person AS SELECT c.person_id FROM check_ins c WHERE 1 = 0";

/// What keeps PostgreSQL to the plan: nested loops over an index range. Left alone it chose hash
/// joins over all partitions, ten times slower, or kept a copy of every partition's range in memory
/// and went through it for each row. The first two are for a Citus cluster, and mean nothing
/// elsewhere.
const HINTS: [Sql; 8] = [
    Sql::split(
        "SET LOCAL citus.local_table_join_policy = 'prefer-local'",
        "SELECT 1",
    ),
    Sql::split(
        "SET LOCAL citus.propagate_set_commands = 'local'",
        "SELECT 1",
    ),
    Sql::split("SET LOCAL enable_material = off", "SELECT 1"),
    Sql::split("SET LOCAL enable_hashjoin = off", "SELECT 1"),
    Sql::split("SET LOCAL enable_mergejoin = off", "SELECT 1"),
    Sql::split("SET LOCAL enable_seqscan = off", "SELECT 1"),
    Sql::split("SET LOCAL jit = off", "SELECT 1"),
    Sql::split("SET LOCAL plan_cache_mode = force_custom_plan", "SELECT 1"),
];

/// All stays of the subjects in their windows.
pub const STAYS: &str =
    "SELECT s.subject AS subject, c.checkpoint_id, c.id, c.person_id, c.entered_at, c.left_at, c.left_source, c.source, c.assurance, c.headcount, c.declaration_id
  FROM tr_subject s CROSS JOIN check_ins c
 WHERE c.entered_at / 86400000 = s.day AND substr(c.person_id, 1, 6) = substr(s.person_id, 1, 6)
   AND c.person_id = s.person_id
   AND c.id >= s.id_lo AND c.id < s.id_hi
   AND NOT (c.id < $1) AND NOT (c.id >= $2)
   AND c.received_at <= $3
   AND COALESCE(c.left_at, c.entered_at + $4) >= s.a";

/// How many pairs and people there are at most.
///
/// It stops one pair above [`PAIRS_MAX`]: beyond that only the refusal is of interest.
pub const COUNT: &str = "SELECT COUNT(*), COUNT(DISTINCT f.person_id) FROM (SELECT c.person_id
  FROM tr_probe p CROSS JOIN check_ins c
 WHERE c.checkpoint_id = p.checkpoint_id
   AND c.id >= p.id_lo AND c.id < p.id_hi
   AND NOT (c.id < $1) AND NOT (c.id >= $2)
   AND c.received_at <= $3
   AND COALESCE(c.left_at, c.entered_at + p.dwell) >= p.a
   AND c.person_id <> p.person_id LIMIT 2000001) AS f";

/// Pairs of one ring at most (exposures paper, caps): more than an officer can work on.
pub const PAIRS_MAX: i64 = 2_000_000;

/// The pairs.
pub const HITS: &str =
    "SELECT p.probe AS subject, c.checkpoint_id, c.id, c.person_id, c.entered_at, c.left_at, c.left_source, c.source, c.assurance, c.headcount, c.declaration_id
  FROM tr_probe p CROSS JOIN check_ins c
 WHERE c.checkpoint_id = p.checkpoint_id
   AND c.id >= p.id_lo AND c.id < p.id_hi
   AND NOT (c.id < $1) AND NOT (c.id >= $2)
   AND c.received_at <= $3
   AND COALESCE(c.left_at, c.entered_at + p.dwell) >= p.a
   AND c.person_id <> p.person_id";

/// Later check-ins of people whose end is assumed.
pub const NEXT: &str = "SELECT o.person_id, o.id, c.checkpoint_id, c.entered_at
  FROM tr_open o CROSS JOIN check_ins c
 WHERE c.entered_at / 86400000 = o.day AND substr(c.person_id, 1, 6) = substr(o.person_id, 1, 6)
   AND c.person_id = o.person_id
   AND c.id > o.id AND c.id < o.id_hi
   AND NOT (c.id < $1) AND NOT (c.id >= $2)
   AND c.received_at <= $3";

/// Other pseudonyms of the staged people, in both directions.
const ALIASES: &str =
    "SELECT a.alias, a.person_id FROM tr_person t CROSS JOIN person_aliases a WHERE a.alias = t.person_id
     UNION SELECT a.alias, a.person_id FROM tr_person t CROSS JOIN person_aliases a WHERE a.person_id = t.person_id";

/// Which of the staged people are cases, and whose.
const CASES: &str = "SELECT DISTINCT t.person_id, k.case_id FROM tr_person t CROSS JOIN case_persons k WHERE k.person_id = t.person_id";

/// Provinces of residence by the staged declarations.
const RESIDENCE: &str = "SELECT o.person_id, d.province FROM tr_open o CROSS JOIN declarations d WHERE d.person_id = o.person_id AND d.id = o.id";

/// Sealed contacts of the staged declarations.
const CONTACTS: &str = "SELECT d.person_id, d.id, d.contact_sealed FROM tr_open o CROSS JOIN declarations d WHERE d.person_id = o.person_id AND d.id = o.id";

/// Bounds of a whole run.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// No id before.
    pub from: Uuid,
    /// No id from here on.
    pub to: Uuid,
    /// No row received later, ms UTC.
    pub high_water_mark: i64,
}

impl Bounds {
    /// Bounds for windows from the first `a` to the last `b`, ms UTC, with room for the look-back,
    /// the residual air and the stays that are cut by a later one.
    #[must_use]
    pub fn new(a: i64, b: i64, high_water_mark: i64) -> Self {
        Self {
            from: uuid_floor(a.saturating_sub(2 * MAX_STAY_MS)),
            to: uuid_floor(b.saturating_add(2 * MAX_STAY_MS)),
            high_water_mark,
        }
    }
}

/// One row of `tr_subject`: a pseudonym and a window.
#[derive(Clone, Copy, Debug)]
pub struct Subject {
    /// Index of the source.
    pub subject: i64,
    /// The pseudonym.
    pub person: Person,
    /// Begin of the window, ms UTC, less the clock tolerance.
    pub a: i64,
    /// End of the window, ms UTC, plus the clock tolerance.
    pub b: i64,
}

/// One row of `tr_probe`: a probe at one checkpoint of its site.
#[derive(Clone, Copy, Debug)]
pub struct StagedProbe {
    /// Index of the probe.
    pub probe: i64,
    /// A pseudonym of the source, or [`NOBODY`].
    pub person: Person,
    /// The checkpoint.
    pub checkpoint: i64,
    /// Begin, ms UTC, less the clock tolerance.
    pub a: i64,
    /// Stay assumed at this checkpoint, ms.
    pub dwell: i64,
    /// End, ms UTC, plus the clock tolerance.
    pub b: i64,
}

/// One row of `tr_open`: an id and how far to look.
#[derive(Clone, Copy, Debug)]
pub struct Open {
    /// The pseudonym.
    pub person: Person,
    /// The check-in.
    pub id: Uuid,
    /// Look before this instant only, ms UTC.
    pub until: i64,
}

/// A check-in that was found, with the subject or probe that found it.
#[derive(Debug, sqlx::FromRow)]
pub struct Found {
    /// Index of the subject or probe.
    pub subject: i64,
    /// The checkpoint.
    pub checkpoint_id: i64,
    /// The check-in.
    pub id: Uuid,
    /// Who.
    pub person_id: Vec<u8>,
    /// Arrival, ms UTC.
    pub entered_at: i64,
    /// End, ms UTC.
    pub left_at: Option<i64>,
    /// Who saw the end.
    pub left_source: Option<String>,
    /// How the check-in arrived.
    pub source: String,
    /// People it stands for.
    pub headcount: i64,
    /// Its declaration.
    pub declaration_id: Option<Uuid>,
}

/// Make the staging tables and hold the planner to the plan.
///
/// # Errors
///
/// Those of the store.
pub async fn prepare(tx: &mut Tx) -> Result<(), Error> {
    for table in [SUBJECTS, PROBES, OPENS, PEOPLE] {
        tx.query(table).execute().await?;
    }
    if tx.engine() == Engine::Postgres {
        for hint in HINTS {
            tx.query(hint).execute().await?;
        }
    }
    Ok(())
}

/// Packs columns of 16 bytes for SQLite, where `json_each` carries the integers.
fn packed<'r, T: 'r>(rows: &'r [T], column: impl Fn(&'r T) -> [u8; 16]) -> Vec<u8> {
    rows.iter().flat_map(column).collect()
}

/// Integers as JSON; integers are always JSON.
fn json<T: serde::Serialize>(rows: &[T]) -> String {
    serde_json::to_string(rows).unwrap_or_default()
}

const LOAD_SUBJECTS: Sql = Sql::split(
    "INSERT INTO tr_subject (subject, person_id, day, a, id_lo, id_hi) SELECT r.subject, r.person_id, r.day, r.a, r.id_lo, r.id_hi
  FROM UNNEST($1::bigint[], $2::bytea[], $3::bigint[], $4::bigint[], $5::uuid[], $6::uuid[]) AS r(subject, person_id, day, a, id_lo, id_hi)",
    "INSERT INTO tr_subject (subject, person_id, day, a, id_lo, id_hi) SELECT r.subject, r.person_id, r.day, r.a, r.id_lo, r.id_hi
  FROM (SELECT json_extract(j.value, '$[0]') AS subject, substr($2, 16 * j.key + 1, 16) AS person_id, json_extract(j.value, '$[1]') AS day, json_extract(j.value, '$[2]') AS a,
               substr($3, 16 * j.key + 1, 16) AS id_lo, substr($4, 16 * j.key + 1, 16) AS id_hi FROM json_each($1) j) AS r",
);

/// Days before the high-water mark in which rows may stand at most: retention, and longer where a
/// case holds them.
const DAYS_MAX: i32 = 400;

/// The UTC days from `from` to `to`, ms, one of them at least: a person's rows are found day by day.
fn days(from: i64, to: i64, high_water_mark: i64) -> impl Iterator<Item = i64> {
    let last = Day::of_ms(high_water_mark).number().saturating_add(1);
    let from = Day::of_ms(from).number().max(last - DAYS_MAX);
    let to = Day::of_ms(to).number().min(last).max(from);
    i64::from(from)..=i64::from(to)
}

/// Replace the subjects.
///
/// # Errors
///
/// Those of the store.
pub async fn load_subjects(tx: &mut Tx, bounds: Bounds, rows: &[Subject]) -> Result<(), Error> {
    tx.query("DELETE FROM tr_subject").execute().await?;
    let begin = |row: &Subject| row.a.saturating_sub(MAX_STAY_MS);
    let rows: Vec<(Subject, i64)> = rows
        .iter()
        .flat_map(|row| days(begin(row), row.b, bounds.high_water_mark).map(|day| (*row, day)))
        .collect();
    let low = |(row, _): &(Subject, i64)| uuid_floor(begin(row));
    let high = |(row, _): &(Subject, i64)| uuid_floor(row.b);
    let engine = tx.engine();
    let query = tx.query(LOAD_SUBJECTS);
    let query = match engine {
        Engine::Postgres => query
            .bind_postgres(rows.iter().map(|(r, _)| r.subject).collect::<Vec<_>>())
            .bind_postgres(
                rows.iter()
                    .map(|(r, _)| r.person.to_vec())
                    .collect::<Vec<_>>(),
            )
            .bind_postgres(rows.iter().map(|(_, day)| *day).collect::<Vec<_>>())
            .bind_postgres(rows.iter().map(|(r, _)| r.a).collect::<Vec<_>>())
            .bind_postgres(rows.iter().map(low).collect::<Vec<_>>())
            .bind_postgres(rows.iter().map(high).collect::<Vec<_>>()),
        Engine::Sqlite => query
            .bind_sqlite(json(
                &rows
                    .iter()
                    .map(|(r, day)| (r.subject, *day, r.a))
                    .collect::<Vec<_>>(),
            ))
            .bind_sqlite(packed(&rows, |(r, _)| r.person))
            .bind_sqlite(packed(&rows, |r| *low(r).as_bytes()))
            .bind_sqlite(packed(&rows, |r| *high(r).as_bytes())),
    };
    query.execute().await?;
    tx.query("ANALYZE tr_subject").execute().await?;
    Ok(())
}

const LOAD_PROBES: Sql = Sql::split(
    "INSERT INTO tr_probe (probe, person_id, checkpoint_id, a, dwell, id_lo, id_hi)
SELECT r.probe, r.person_id, r.checkpoint_id, r.a, r.dwell, r.id_lo, r.id_hi
  FROM UNNEST($1::bigint[], $2::bytea[], $3::bigint[], $4::bigint[], $5::bigint[], $6::uuid[], $7::uuid[])
       AS r(probe, person_id, checkpoint_id, a, dwell, id_lo, id_hi)",
    "INSERT INTO tr_probe (probe, person_id, checkpoint_id, a, dwell, id_lo, id_hi)
SELECT r.probe, r.person_id, r.checkpoint_id, r.a, r.dwell, r.id_lo, r.id_hi
  FROM (SELECT json_extract(j.value, '$[0]') AS probe, substr($2, 16 * j.key + 1, 16) AS person_id,
               json_extract(j.value, '$[1]') AS checkpoint_id, json_extract(j.value, '$[2]') AS a, json_extract(j.value, '$[3]') AS dwell,
               substr($3, 16 * j.key + 1, 16) AS id_lo, substr($4, 16 * j.key + 1, 16) AS id_hi FROM json_each($1) j) AS r",
);

/// Replace the probes.
///
/// # Errors
///
/// Those of the store.
pub async fn load_probes(tx: &mut Tx, rows: &[StagedProbe]) -> Result<(), Error> {
    tx.query("DELETE FROM tr_probe").execute().await?;
    let low = |row: &StagedProbe| uuid_floor(row.a.saturating_sub(MAX_STAY_MS));
    let high = |row: &StagedProbe| uuid_floor(row.b);
    let query = match tx.engine() {
        Engine::Postgres => tx
            .query(LOAD_PROBES)
            .bind_postgres(rows.iter().map(|r| r.probe).collect::<Vec<_>>())
            .bind_postgres(rows.iter().map(|r| r.person.to_vec()).collect::<Vec<_>>())
            .bind_postgres(rows.iter().map(|r| r.checkpoint).collect::<Vec<_>>())
            .bind_postgres(rows.iter().map(|r| r.a).collect::<Vec<_>>())
            .bind_postgres(rows.iter().map(|r| r.dwell).collect::<Vec<_>>())
            .bind_postgres(rows.iter().map(low).collect::<Vec<_>>())
            .bind_postgres(rows.iter().map(high).collect::<Vec<_>>()),
        Engine::Sqlite => tx
            .query(LOAD_PROBES)
            .bind_sqlite(json(
                &rows
                    .iter()
                    .map(|r| (r.probe, r.checkpoint, r.a, r.dwell))
                    .collect::<Vec<_>>(),
            ))
            .bind_sqlite(packed(rows, |r| r.person))
            .bind_sqlite(packed(rows, |r| *low(r).as_bytes()))
            .bind_sqlite(packed(rows, |r| *high(r).as_bytes())),
    };
    query.execute().await?;
    tx.query("ANALYZE tr_probe").execute().await?;
    Ok(())
}

const LOAD_OPEN: Sql = Sql::split(
    "INSERT INTO tr_open (person_id, day, id, id_hi) SELECT r.person_id, r.day, r.id, r.id_hi
  FROM UNNEST($1::bytea[], $2::bigint[], $3::uuid[], $4::uuid[]) AS r(person_id, day, id, id_hi)",
    "INSERT INTO tr_open (person_id, day, id, id_hi) SELECT r.person_id, r.day, r.id, r.id_hi
  FROM (SELECT substr($2, 16 * j.key + 1, 16) AS person_id, j.value AS day, substr($3, 16 * j.key + 1, 16) AS id,
               substr($4, 16 * j.key + 1, 16) AS id_hi FROM json_each($1) j) AS r",
);

async fn load_open(tx: &mut Tx, high_water_mark: i64, rows: &[Open]) -> Result<(), Error> {
    tx.query("DELETE FROM tr_open").execute().await?;
    let rows: Vec<(Open, i64)> = rows
        .iter()
        .flat_map(|row| {
            let from = time_of(row.id).unwrap_or_default();
            days(from, row.until, high_water_mark).map(|day| (*row, day))
        })
        .collect();
    let high = |(row, _): &(Open, i64)| uuid_floor(row.until);
    let engine = tx.engine();
    let query = tx.query(LOAD_OPEN);
    let query = match engine {
        Engine::Postgres => query
            .bind_postgres(
                rows.iter()
                    .map(|(r, _)| r.person.to_vec())
                    .collect::<Vec<_>>(),
            )
            .bind_postgres(rows.iter().map(|(_, day)| *day).collect::<Vec<_>>())
            .bind_postgres(rows.iter().map(|(r, _)| r.id).collect::<Vec<_>>())
            .bind_postgres(rows.iter().map(high).collect::<Vec<_>>()),
        Engine::Sqlite => query
            .bind_sqlite(json(&rows.iter().map(|(_, day)| *day).collect::<Vec<_>>()))
            .bind_sqlite(packed(&rows, |(r, _)| r.person))
            .bind_sqlite(packed(&rows, |(r, _)| *r.id.as_bytes()))
            .bind_sqlite(packed(&rows, |r| *high(r).as_bytes())),
    };
    query.execute().await?;
    tx.query("ANALYZE tr_open").execute().await?;
    Ok(())
}

const LOAD_PEOPLE: Sql = Sql::split(
    "INSERT INTO tr_person (person_id) SELECT r.person_id FROM UNNEST($1::bytea[]) AS r(person_id)",
    "INSERT INTO tr_person (person_id) SELECT r.person_id
  FROM (SELECT substr($2, 16 * j.key + 1, 16) AS person_id FROM json_each($1) j) AS r",
);

async fn load_people(tx: &mut Tx, people: &[Person]) -> Result<(), Error> {
    tx.query("DELETE FROM tr_person").execute().await?;
    tx.query(LOAD_PEOPLE)
        .bind_postgres(people.iter().map(|p| p.to_vec()).collect::<Vec<_>>())
        .bind_sqlite(json(&vec![0; people.len()]))
        .bind_sqlite(packed(people, |p| *p))
        .execute()
        .await?;
    tx.query("ANALYZE tr_person").execute().await?;
    Ok(())
}

/// Hand every stay of the staged subjects to `each`.
///
/// # Errors
///
/// Those of the store.
pub async fn stays(tx: &mut Tx, bounds: Bounds, mut each: impl FnMut(Found)) -> Result<(), Error> {
    tx.query(STAYS)
        .bind(bounds.from)
        .bind(bounds.to)
        .bind(bounds.high_water_mark)
        .bind(MAX_STAY_MS)
        .for_each(|row: Found| {
            each(row);
            Ok(())
        })
        .await
}

/// How many pairs and people the staged probes may find at most.
///
/// # Errors
///
/// Those of the store.
pub async fn count(tx: &mut Tx, bounds: Bounds) -> Result<(i64, i64), Error> {
    tx.query(COUNT)
        .bind(bounds.from)
        .bind(bounds.to)
        .bind(bounds.high_water_mark)
        .one()
        .await
}

/// Hand every pair of the staged probes to `each`.
///
/// # Errors
///
/// Those of the store.
pub async fn hits(tx: &mut Tx, bounds: Bounds, mut each: impl FnMut(Found)) -> Result<(), Error> {
    tx.query(HITS)
        .bind(bounds.from)
        .bind(bounds.to)
        .bind(bounds.high_water_mark)
        .for_each(|row: Found| {
            each(row);
            Ok(())
        })
        .await
}

/// A check-in that follows another one.
#[derive(Debug, sqlx::FromRow)]
pub struct Later {
    /// Who.
    pub person_id: Vec<u8>,
    /// The check-in that it follows.
    pub id: Uuid,
    /// Its checkpoint.
    pub checkpoint_id: i64,
    /// Its arrival, ms UTC.
    pub entered_at: i64,
}

/// Later check-ins of the people in `open`.
///
/// # Errors
///
/// Those of the store.
pub async fn next(tx: &mut Tx, bounds: Bounds, open: &[Open]) -> Result<Vec<Later>, Error> {
    if open.is_empty() {
        return Ok(Vec::new());
    }
    load_open(tx, bounds.high_water_mark, open).await?;
    tx.query(NEXT)
        .bind(bounds.from)
        .bind(bounds.to)
        .bind(bounds.high_water_mark)
        .all()
        .await
}

/// Pairs of an alias and the person it belongs to, for every one of `people` that has any.
///
/// # Errors
///
/// Those of the store.
pub async fn aliases(tx: &mut Tx, people: &[Person]) -> Result<Vec<(Person, Person)>, Error> {
    load_people(tx, people).await?;
    let rows: Vec<(Vec<u8>, Vec<u8>)> = tx.query(ALIASES).all().await?;
    Ok(rows
        .into_iter()
        .filter_map(|(alias, person)| Some((to_person(&alias)?, to_person(&person)?)))
        .collect())
}

/// Which of `people` are patients of a case, and of which.
///
/// # Errors
///
/// Those of the store.
pub async fn known_cases(tx: &mut Tx, people: &[Person]) -> Result<Vec<(Person, Uuid)>, Error> {
    load_people(tx, people).await?;
    let rows: Vec<(Vec<u8>, Uuid)> = tx.query(CASES).all().await?;
    Ok(rows
        .into_iter()
        .filter_map(|(person, case)| Some((to_person(&person)?, case)))
        .collect())
}

/// Where people live, by the declarations `(person, declaration)`.
///
/// # Errors
///
/// Those of the store.
pub async fn residence(
    tx: &mut Tx,
    declarations: &[(Person, Uuid)],
) -> Result<Vec<(Person, String)>, Error> {
    load_declarations(tx, declarations).await?;
    let rows: Vec<(Vec<u8>, Option<String>)> = tx.query(RESIDENCE).all().await?;
    Ok(rows
        .into_iter()
        .filter_map(|(person, province)| Some((to_person(&person)?, province?)))
        .collect())
}

async fn load_declarations(tx: &mut Tx, declarations: &[(Person, Uuid)]) -> Result<(), Error> {
    let rows: Vec<Open> = declarations
        .iter()
        .map(|(person, id)| Open {
            person: *person,
            id: *id,
            until: 0,
        })
        .collect();
    let latest = rows.iter().filter_map(|row| time_of(row.id)).max();
    load_open(tx, latest.unwrap_or_default(), &rows).await
}

/// What stands sealed as the contact of the declarations `(person, declaration)`, for those that are
/// there.
///
/// # Errors
///
/// Those of the store.
pub async fn sealed_contacts(
    tx: &mut Tx,
    declarations: &[(Person, Uuid)],
) -> Result<Vec<(Person, Uuid, Vec<u8>)>, Error> {
    load_declarations(tx, declarations).await?;
    let rows: Vec<(Vec<u8>, Uuid, Vec<u8>)> = tx.query(CONTACTS).all().await?;
    Ok(rows
        .into_iter()
        .filter_map(|(person, id, sealed)| Some((to_person(&person)?, id, sealed)))
        .collect())
}

/// A pseudonym as it stands in a column.
#[must_use]
pub fn to_person(bytes: &[u8]) -> Option<Person> {
    bytes.try_into().ok()
}
