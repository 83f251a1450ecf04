//! The SQL of check-ins.
//!
//! What writes runs in [`crate::store::Db::append`], decides on nothing that it has read, and takes
//! its rows in the order of their keys, so that two writers never wait for each other.

use std::collections::{HashMap, HashSet};

use uuid::Uuid;

use crate::{
    base::ids::time_of,
    identity::PersonId,
    store::{Copy, Engine, Error, Packed, Sql, Tx, places},
};

/// What a check-in is known by: the checkpoint's number and the id.
pub type Key = (i64, Uuid);

/// A check-in as it is stored. `entered_at` is not here: it is the time in the id.
#[derive(Clone, Debug)]
pub struct Row {
    /// Number of the checkpoint.
    pub checkpoint_id: i64,
    /// A UUIDv7, whose time is the arrival.
    pub id: Uuid,
    /// Who.
    pub person: PersonId,
    /// When they left, in milliseconds UTC, if it is known.
    pub left_at: Option<i64>,
    /// Who said so: a word of [`super::left_source`].
    pub left_source: Option<&'static str>,
    /// A word of [`super::source`].
    pub source: &'static str,
    /// A word of [`super::assurance`].
    pub assurance: &'static str,
    /// People that this row stands for, 1 to 51.
    pub headcount: i64,
    /// The seat, in a vehicle or a hall.
    pub seat: Option<String>,
    /// The declaration that was shown.
    pub declaration_id: Option<Uuid>,
    /// When it was stored, in milliseconds UTC: a lookup sees what was there when it was asked for.
    pub received_at: i64,
}

impl Row {
    /// What it is known by.
    #[must_use]
    pub fn key(&self) -> Key {
        (self.checkpoint_id, self.id)
    }

    /// The arrival, in milliseconds UTC.
    #[must_use]
    pub fn entered_at(&self) -> i64 {
        time_of(self.id).unwrap_or_default()
    }
}

/// Width of a row for SQLite: id 16, person 16, declaration 16 (zeros: none), checkpoint 12, arrival,
/// receipt and end 15 each (zeros: not known), headcount 2, one letter each of source, assurance and
/// who said they left (blank: nobody), then place and length of the seat (10, 3) in `$3`.
pub const WIDTH: usize = 123;

/// The text, with how it reads the seat and what stands behind it.
macro_rules! insert {
    ($seat:literal, $tail:literal) => {
        Sql::split(
            concat!(
                "INSERT INTO check_ins
                     (checkpoint_id, id, person_id, entered_at, left_at, left_source, source,
                      assurance, headcount, seat, declaration_id, received_at)
                 SELECT u.checkpoint_id, u.id, u.person_id, u.entered_at, u.left_at,
                        u.left_source, u.source, u.assurance, u.headcount, u.seat,
                        u.declaration_id, u.received_at
                 FROM UNNEST($1::bigint[], $2::uuid[], $3::bytea[], $4::bigint[], $5::bigint[],
                             $6::text[], $7::text[], $8::text[], $9::bigint[], $10::text[],
                             $11::uuid[], $12::bigint[])
                      AS u (checkpoint_id, id, person_id, entered_at, left_at, left_source,
                            source, assurance, headcount, seat, declaration_id, received_at)
                 ON CONFLICT (checkpoint_id, id) DO NOTHING",
                $tail
            ),
            concat!(
                "INSERT INTO check_ins
                     (checkpoint_id, id, person_id, entered_at, left_at, left_source, source,
                      assurance, headcount, seat, declaration_id, received_at)
                 SELECT CAST(substr($2, j.value + 48, 12) AS INTEGER),
                        substr($2, j.value, 16),
                        substr($2, j.value + 16, 16),
                        CAST(substr($2, j.value + 60, 15) AS INTEGER),
                        NULLIF(CAST(substr($2, j.value + 90, 15) AS INTEGER), 0),
                        NULLIF(CAST(substr($2, j.value + 109, 1) AS TEXT), ' '),
                        CAST(substr($2, j.value + 107, 1) AS TEXT),
                        CAST(substr($2, j.value + 108, 1) AS TEXT),
                        CAST(substr($2, j.value + 105, 2) AS INTEGER), ",
                $seat,
                ",
                        NULLIF(substr($2, j.value + 32, 16), zeroblob(16)),
                        CAST(substr($2, j.value + 75, 15) AS INTEGER)
                 FROM json_each($1) AS j
                 WHERE true
                 ON CONFLICT (checkpoint_id, id) DO NOTHING",
                $tail
            ),
        )
    };
}

/// Nobody in the batch has a seat, as nearly always.
const INSERT: Sql = insert!("NULL", "");
const INSERT_SEATS: Sql = insert!(
    "NULLIF(CAST(substr($3, CAST(substr($2, j.value + 110, 10) AS INTEGER),
                        CAST(substr($2, j.value + 120, 3) AS INTEGER)) AS TEXT), '')",
    ""
);
const INSERT_NAMED: Sql = insert!(
    "NULLIF(CAST(substr($3, CAST(substr($2, j.value + 110, 10) AS INTEGER),
                        CAST(substr($2, j.value + 120, 3) AS INTEGER)) AS TEXT), '')",
    " RETURNING checkpoint_id, id"
);

/// Store the `rows` that are not there yet, and name those that were new. No two rows may have the
/// same key.
///
/// # Errors
///
/// Those of the database.
pub async fn insert(tx: &mut Tx, rows: &[&Row]) -> Result<HashSet<Key>, Error> {
    if rows.is_empty() {
        return Ok(HashSet::new());
    }
    let mut fresh = HashSet::with_capacity(rows.len());
    bind_rows(tx, INSERT_NAMED, rows)
        .for_each(|key: Key| {
            fresh.insert(key);
            Ok::<_, Error>(())
        })
        .await?;
    Ok(fresh)
}

/// As [`insert()`], but only counts what was new.
///
/// # Errors
///
/// Those of the database.
pub async fn insert_counted(tx: &mut Tx, rows: &[&Row]) -> Result<u64, Error> {
    if rows.is_empty() {
        return Ok(0);
    }
    let seats = rows.iter().any(|row| row.seat.is_some());
    let text = if seats { INSERT_SEATS } else { INSERT };
    bind_rows(tx, text, rows).execute().await
}

/// The columns that are copied, in their order.
const COLUMNS: &[&str] = &[
    "checkpoint_id",
    "id",
    "person_id",
    "entered_at",
    "left_at",
    "left_source",
    "source",
    "assurance",
    "headcount",
    "seat",
    "declaration_id",
    "received_at",
];

/// Bytes of a copied row, about.
const COPIED: usize = 180;

/// Store `rows`, of which none is there, in PostgreSQL: half the work of [`insert()`].
///
/// # Errors
///
/// [`Error::Conflict`] if one is there already: then none was stored. Those of the database.
pub async fn copy(tx: &mut Tx, rows: &[&Row]) -> Result<u64, Error> {
    let mut copied = Copy::new("check_ins", COLUMNS, rows.len() * COPIED);
    for row in rows {
        copied.row();
        copied.bigint(Some(row.checkpoint_id));
        copied.uuid(Some(row.id));
        copied.field(Some(row.person.as_bytes()));
        copied.bigint(Some(row.entered_at()));
        copied.bigint(row.left_at);
        copied.field(row.left_source.map(str::as_bytes));
        copied.field(Some(row.source.as_bytes()));
        copied.field(Some(row.assurance.as_bytes()));
        copied.bigint(Some(row.headcount));
        copied.field(row.seat.as_deref().map(str::as_bytes));
        copied.uuid(row.declaration_id);
        copied.bigint(Some(row.received_at));
    }
    tx.copy(copied).await
}

fn bind_rows<'t>(tx: &'t mut Tx, sql: Sql, rows: &[&Row]) -> crate::store::Query<'t> {
    let engine = tx.engine();
    let query = tx.query(sql);
    match engine {
        Engine::Sqlite => {
            let (packed, seats) = pack(rows);
            query
                .bind_sqlite(places(rows.len(), WIDTH))
                .bind_sqlite(packed.into_bytes())
                .bind_sqlite(seats.into_bytes())
        }
        Engine::Postgres => {
            fn column<T>(rows: &[&Row], take: impl Fn(&Row) -> T) -> Vec<T> {
                rows.iter().map(|row| take(row)).collect()
            }
            query
                .bind_postgres(column(rows, |row| row.checkpoint_id))
                .bind_postgres(column(rows, |row| row.id))
                .bind_postgres(column(rows, |row| row.person.as_bytes().to_vec()))
                .bind_postgres(column(rows, Row::entered_at))
                .bind_postgres(column(rows, |row| row.left_at))
                .bind_postgres(column(rows, |row| row.left_source))
                .bind_postgres(column(rows, |row| row.source))
                .bind_postgres(column(rows, |row| row.assurance))
                .bind_postgres(column(rows, |row| row.headcount))
                .bind_postgres(column(rows, |row| row.seat.clone()))
                .bind_postgres(column(rows, |row| row.declaration_id))
                .bind_postgres(column(rows, |row| row.received_at))
        }
    }
}

/// Store rows that were packed before, those that are not there yet.
///
/// # Errors
///
/// Those of the database.
pub async fn insert_packed(tx: &mut Tx, rows: Vec<u8>, seats: Vec<u8>) -> Result<(), Error> {
    if !rows.len().is_multiple_of(WIDTH) {
        return Err(Error::Refused("packed rows are cut off"));
    }
    tx.query(INSERT_SEATS)
        .bind_sqlite(places(rows.len() / WIDTH, WIDTH))
        .bind_sqlite(rows)
        .bind_sqlite(seats)
        .execute()
        .await
        .map(drop)
}

/// The rows and their seats, as SQLite takes them.
#[must_use]
pub fn pack(rows: &[&Row]) -> (Packed, Packed) {
    let mut packed = Packed::with_capacity(rows.len(), WIDTH);
    let mut seats = Packed::default();
    for row in rows {
        packed.add(row.id.as_bytes());
        packed.add(row.person.as_bytes());
        packed.add(row.declaration_id.unwrap_or_default().as_bytes());
        packed.digits(row.checkpoint_id, 12);
        packed.digits(row.entered_at(), 15);
        packed.digits(row.received_at, 15);
        packed.digits(row.left_at.unwrap_or_default(), 15);
        packed.digits(row.headcount, 2);
        packed.word(row.source, 1);
        packed.word(row.assurance, 1);
        packed.word(row.left_source.unwrap_or_default(), 1);
        let seat = row.seat.as_deref().unwrap_or_default();
        packed.digits(seats.add(seat.as_bytes()), 10);
        packed.digits(seat.len(), 3);
    }
    (packed, seats)
}

/// What is stored of a check-in and needed to answer it again.
#[derive(Clone, Debug)]
pub struct Stored {
    /// Number of the checkpoint.
    pub checkpoint_id: i64,
    /// Its id.
    pub id: Uuid,
    /// The person's pseudonym.
    pub person_id: Vec<u8>,
    /// The declaration that was shown.
    pub declaration_id: Option<Uuid>,
    /// The risk of that declaration.
    pub risk: Option<String>,
}

/// The bounds on the id let PostgreSQL leave out the partitions of other days. `UNNEST` stands alone
/// in a sub-query, because beside a distributed table Citus mistakes the types of its columns.
const STORED: Sql = Sql::split(
    "SELECT c.checkpoint_id, c.id, c.person_id, c.declaration_id
     FROM (SELECT u.checkpoint_id, u.id
           FROM UNNEST($1::bigint[], $2::uuid[]) AS u (checkpoint_id, id)) AS k
     JOIN check_ins c ON c.checkpoint_id = k.checkpoint_id AND c.id = k.id
                     AND c.id >= $3::uuid AND c.id <= $4::uuid",
    "SELECT c.checkpoint_id, c.id, c.person_id, c.declaration_id
     FROM json_each($1) AS k
     CROSS JOIN check_ins c ON c.checkpoint_id = k.value AND c.id = substr($2, k.key * 16 + 1, 16)",
);

/// Apart from [`STORED`], because the two tables may be spread over a cluster, each in its own way.
const RISKS: Sql = Sql::split(
    "SELECT d.person_id, d.id, d.risk
     FROM (SELECT u.person_id, u.id FROM UNNEST($1::bytea[], $2::uuid[]) AS u (person_id, id)) AS k
     JOIN declarations d ON d.person_id = k.person_id AND d.id = k.id
                        AND d.id >= $3::uuid AND d.id <= $4::uuid",
    "SELECT d.person_id, d.id, d.risk
     FROM json_each($1) AS k
     CROSS JOIN declarations d ON d.id = substr($2, k.value + 16, 16)
                              AND d.person_id = substr($2, k.value, 16)",
);

/// What is stored under `keys`.
///
/// # Errors
///
/// Those of the database.
pub async fn stored(tx: &mut Tx, keys: &[Key]) -> Result<Vec<Stored>, Error> {
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    let (checkpoints, ids): (Vec<i64>, Vec<Uuid>) = keys.iter().copied().unzip();
    let (least, greatest) = bounds(&ids);
    let packed: Vec<u8> = ids.iter().flat_map(|id| *id.as_bytes()).collect();
    let rows: Vec<(i64, Uuid, Vec<u8>, Option<Uuid>)> = tx
        .query(STORED)
        .bind_sqlite(serde_json::to_string(&checkpoints).unwrap_or_default())
        .bind_sqlite(packed)
        .bind_postgres(checkpoints)
        .bind_postgres(ids)
        .bind_postgres(least)
        .bind_postgres(greatest)
        .all()
        .await?;
    let shown = rows.iter().filter_map(|row| Some((row.2.clone(), row.3?)));
    let risks = risks(tx, shown.collect()).await?;
    Ok(rows
        .into_iter()
        .map(|(checkpoint_id, id, person_id, declaration_id)| Stored {
            checkpoint_id,
            id,
            risk: declaration_id.and_then(|shown| risks.get(&(person_id.clone(), shown)).cloned()),
            person_id,
            declaration_id,
        })
        .collect())
}

/// What a declaration is known by: the person's pseudonym and the id.
type Shown = (Vec<u8>, Uuid);

/// The risks of these declarations.
async fn risks(tx: &mut Tx, mut shown: Vec<Shown>) -> Result<HashMap<Shown, String>, Error> {
    // Twice is once: a batch shows one declaration at many doors.
    shown.sort_unstable();
    shown.dedup();
    if shown.is_empty() {
        return Ok(HashMap::new());
    }
    let packed: Vec<u8> = shown
        .iter()
        .flat_map(|(person, id)| person.iter().chain(id.as_bytes()).copied())
        .collect();
    let (people, ids): (Vec<Vec<u8>>, Vec<Uuid>) = shown.into_iter().unzip();
    let (least, greatest) = bounds(&ids);
    let rows: Vec<(Vec<u8>, Uuid, String)> = tx
        .query(RISKS)
        .bind_sqlite(places(ids.len(), 32))
        .bind_sqlite(packed)
        .bind_postgres(people)
        .bind_postgres(ids)
        .bind_postgres(least)
        .bind_postgres(greatest)
        .all()
        .await?;
    let found = rows.into_iter();
    Ok(found
        .map(|(person, id, risk)| ((person, id), risk))
        .collect())
}

/// A check-out as it is stored.
#[derive(Clone, Copy, Debug)]
pub struct Out {
    /// Of which check-in.
    pub key: Key,
    /// When they left, in milliseconds UTC.
    pub left_at: i64,
}

const LEAVE: Sql = Sql::split(
    "UPDATE check_ins AS c SET left_at = u.left_at, left_source = $1::text
     FROM (SELECT k.checkpoint_id, k.id, k.left_at
           FROM UNNEST($2::bigint[], $3::uuid[], $4::bigint[])
                AS k (checkpoint_id, id, left_at)) AS u
     WHERE c.checkpoint_id = u.checkpoint_id AND c.id = u.id
       AND c.id >= $5::uuid AND c.id <= $6::uuid
     RETURNING c.checkpoint_id, c.id",
    "UPDATE check_ins SET left_at = u.value ->> 1, left_source = $1
     FROM json_each($2) AS u
     WHERE check_ins.checkpoint_id = u.value ->> 0
       AND check_ins.id = substr($3, u.key * 16 + 1, 16)
     RETURNING checkpoint_id, id",
);

/// Set when people left, and name the check-ins that are there. No two may have the same key.
///
/// # Errors
///
/// Those of the database.
pub async fn leave(
    tx: &mut Tx,
    outs: &[Out],
    left_source: &'static str,
) -> Result<HashSet<Key>, Error> {
    if outs.is_empty() {
        return Ok(HashSet::new());
    }
    let (checkpoints, ids): (Vec<i64>, Vec<Uuid>) = outs.iter().map(|out| out.key).unzip();
    let times: Vec<i64> = outs.iter().map(|out| out.left_at).collect();
    let pairs: Vec<(i64, i64)> = checkpoints.iter().copied().zip(times.clone()).collect();
    let packed: Vec<u8> = ids.iter().flat_map(|id| *id.as_bytes()).collect();
    let (least, greatest) = bounds(&ids);
    let found: Vec<Key> = tx
        .query(LEAVE)
        .bind(left_source)
        .bind_sqlite(serde_json::to_string(&pairs).unwrap_or_default())
        .bind_sqlite(packed)
        .bind_postgres(checkpoints)
        .bind_postgres(ids)
        .bind_postgres(times)
        .bind_postgres(least)
        .bind_postgres(greatest)
        .all()
        .await?;
    Ok(found.into_iter().collect())
}

fn bounds(ids: &[Uuid]) -> (Uuid, Uuid) {
    let least = ids.iter().min().copied().unwrap_or_default();
    let greatest = ids.iter().max().copied().unwrap_or_default();
    (least, greatest)
}

#[cfg(test)]
mod tests {
    use crate::checkins::{assurance, left_source, source};

    #[test]
    fn words_fit_their_fields() {
        let words = [source::ONLINE, source::LATE, source::IMPORT, source::SHIFT]
            .into_iter()
            .chain([assurance::POSTER, assurance::WRITTEN])
            .chain([
                left_source::VISITOR,
                left_source::STAFF,
                left_source::IMPORT,
            ]);
        assert!(words.map(str::len).all(|length| length == 1));
    }
}
