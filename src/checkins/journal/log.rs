//! The journal's log, in SQLite: what was acknowledged and is not yet in `check_ins`.
//!
//! A batch is one row at the end of a table in a file of its own: two or three pages, where the trees
//! of `check_ins` would take a page or two for every check-in, and no waiting for whoever writes there.
//! Every text here stands for SQLite; PostgreSQL has no log.

use uuid::Uuid;

use crate::{
    checkins::{
        left_source,
        store::{self, Out, Row},
    },
    store::{Db, Engine, Error, Sql, Tx},
};

/// Batches that are put into the tables in one transaction after a crash.
const BATCHES: i64 = 32;

/// Bytes of a check-out: checkpoint, id, moment.
const OUT: usize = 32;

/// How a batch is written. A change of [`OUT`] or of [`store::pack`] is another one.
const FORMAT: i64 = 1;

fn pack_outs(outs: &[Out]) -> Vec<u8> {
    let mut departures = Vec::with_capacity(outs.len() * OUT);
    for out in outs {
        departures.extend(out.key.0.to_be_bytes());
        departures.extend(out.key.1.as_bytes());
        departures.extend(out.left_at.to_be_bytes());
    }
    departures
}

/// Unless one of the check-ins `$5` is in the table.
const APPEND_NEW: Sql = Sql::split(
    "SELECT 1",
    "INSERT INTO journal (format, arrivals, seats, departures)
     SELECT $1, $2, $3, $4
     WHERE NOT EXISTS (SELECT 1 FROM json_each($5) AS k
                       CROSS JOIN check_ins c ON c.checkpoint_id = k.value
                                             AND c.id = substr($2, k.key * $6 + 1, 16))
     RETURNING seq",
);

/// Write a batch of check-ins that are not in the table, and of check-outs, and give its number; `None`,
/// and nothing is written, if one of them is. Run it in [`Db::log_single`].
pub(super) async fn append_new(
    tx: &mut Tx,
    rows: &[&Row],
    outs: &[Out],
) -> Result<Option<i64>, Error> {
    let (arrivals, seats) = store::pack(rows);
    let checkpoints: Vec<i64> = rows.iter().map(|row| row.checkpoint_id).collect();
    let written: Option<(i64,)> = tx
        .query(APPEND_NEW)
        .bind(FORMAT)
        .bind(arrivals.into_bytes())
        .bind(seats.into_bytes())
        .bind(pack_outs(outs))
        .bind(serde_json::to_string(&checkpoints).unwrap_or_default())
        .bind(i64::try_from(store::WIDTH).unwrap_or_default())
        .optional()
        .await?;
    Ok(written.map(|(seq,)| seq))
}

const APPEND: Sql = Sql::split(
    "SELECT 1",
    "INSERT INTO journal (format, arrivals, seats, departures) VALUES ($1, $2, $3, $4)
     RETURNING seq",
);

/// Write a batch, and give its number. Run it in [`Db::log_single`].
pub(super) async fn append(tx: &mut Tx, rows: &[&Row], outs: &[Out]) -> Result<i64, Error> {
    let (arrivals, seats) = store::pack(rows);
    let (seq,) = tx
        .query(APPEND)
        .bind(FORMAT)
        .bind(arrivals.into_bytes())
        .bind(seats.into_bytes())
        .bind(pack_outs(outs))
        .one()
        .await?;
    Ok(seq)
}

/// Count in the tables' file how often the log was merged. What is counted is of no use, but a commit
/// in which nothing changes does not wait for the disk, and this one does, with all before it.
pub(super) async fn mark(tx: &mut Tx) -> Result<(), Error> {
    tx.query(
        "INSERT INTO marks (name, value) VALUES ('journal', 1)
         ON CONFLICT (name) DO UPDATE SET value = marks.value + 1",
    )
    .execute()
    .await
    .map(drop)
}

const REMOVE: Sql = Sql::split("SELECT 1", "DELETE FROM journal WHERE seq <= $1");

/// Remove the batches up to `last`, whose rows are in the tables and on the disk.
pub(super) async fn remove(tx: &mut Tx, last: i64) -> Result<(), Error> {
    tx.query(REMOVE).bind(last).execute().await.map(drop)
}

/// Put everything that was acknowledged into the tables: what a killed process left behind, or another
/// one has not come to yet. Whoever merges the same rows later finds them there.
///
/// # Errors
///
/// Those of the store; what was done stays done.
pub async fn replay(db: &Db) -> Result<(), Error> {
    if db.engine() == Engine::Postgres {
        return Ok(());
    }
    while !db.log_single(async |tx| is_empty(tx).await).await? {
        db.log(async |tx| replay_some(db, tx).await).await?;
    }
    Ok(())
}

#[derive(sqlx::FromRow)]
struct Batch {
    seq: i64,
    format: i64,
    arrivals: Vec<u8>,
    seats: Vec<u8>,
    departures: Vec<u8>,
}

const HOLDS: Sql = Sql::split("SELECT 1", "SELECT seq FROM journal WHERE seq = $1");

/// Lock the log until the end of this transaction, and say whether the batch `seq` is in it.
pub(super) async fn holds(tx: &mut Tx, seq: i64) -> Result<bool, Error> {
    remove(tx, 0).await?;
    let found: Option<(i64,)> = tx.query(HOLDS).bind(seq).optional().await?;
    Ok(found.is_some())
}

const FIRST: Sql = Sql::split("SELECT 1", "SELECT seq FROM journal LIMIT 1");

async fn is_empty(tx: &mut Tx) -> Result<bool, Error> {
    let first: Option<(i64,)> = tx.query(FIRST).optional().await?;
    Ok(first.is_none())
}

const BATCH: Sql = Sql::split(
    "SELECT 1",
    "SELECT seq, format, arrivals, seats, departures FROM journal ORDER BY seq LIMIT $1",
);

/// Nobody may log a later check-out, have it merged and see it taken back by an earlier one here: so the
/// log is locked before it is read.
async fn replay_some(db: &Db, log: &mut Tx) -> Result<(), Error> {
    remove(log, 0).await?;
    let batches: Vec<Batch> = log.query(BATCH).bind(BATCHES).all().await?;
    let Some(last) = batches.last().map(|batch| batch.seq) else {
        return Ok(());
    };
    db.append(async |tx| {
        for batch in &batches {
            put(tx, batch).await?;
        }
        // Another process may have put them there and not have waited for the disk.
        mark(tx).await
    })
    .await?;
    remove(log, last).await
}

/// Put a batch into the tables.
async fn put(tx: &mut Tx, batch: &Batch) -> Result<(), Error> {
    if batch.format != FORMAT || !batch.departures.len().is_multiple_of(OUT) {
        return Err(Error::Refused(
            "the log of check-ins was written by another version; start that version once, and stop it",
        ));
    }
    store::insert_packed(tx, batch.arrivals.clone(), batch.seats.clone()).await?;
    let departures = batch.departures.chunks_exact(OUT);
    let mut outs: Vec<Out> = departures.filter_map(read_out).collect();
    outs.sort_unstable_by_key(|out| out.key);
    store::leave(tx, &outs, left_source::VISITOR)
        .await
        .map(drop)
}

fn read_out(bytes: &[u8]) -> Option<Out> {
    let (checkpoint, rest) = bytes.split_first_chunk()?;
    let (id, rest) = rest.split_first_chunk()?;
    Some(Out {
        key: (i64::from_be_bytes(*checkpoint), Uuid::from_bytes(*id)),
        left_at: i64::from_be_bytes(*rest.first_chunk()?),
    })
}
