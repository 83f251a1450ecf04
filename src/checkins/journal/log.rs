//! The journal's own table, in SQLite: what was acknowledged and is not yet in `check_ins`.
//!
//! A batch is one row of this table, written at its end: two or three pages, where the trees of
//! `check_ins` would take a page or two for every check-in. In PostgreSQL the table stays empty.

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

/// Write a batch, and give its number.
pub(super) async fn append(tx: &mut Tx, rows: &[&Row], outs: &[Out]) -> Result<i64, Error> {
    let (arrivals, seats) = store::pack(rows);
    let mut departures = Vec::with_capacity(outs.len() * OUT);
    for out in outs {
        departures.extend(out.key.0.to_be_bytes());
        departures.extend(out.key.1.as_bytes());
        departures.extend(out.left_at.to_be_bytes());
    }
    let (seq,) = tx
        .query(
            "INSERT INTO journal (format, arrivals, seats, departures) VALUES ($1, $2, $3, $4)
             RETURNING seq",
        )
        .bind(FORMAT)
        .bind(arrivals.into_bytes())
        .bind(seats.into_bytes())
        .bind(departures)
        .one()
        .await?;
    Ok(seq)
}

/// Whether the batch `seq` is there.
pub(super) async fn holds(tx: &mut Tx, seq: i64) -> Result<bool, Error> {
    let found: Option<(i64,)> = tx
        .query("SELECT seq FROM journal WHERE seq = $1")
        .bind(seq)
        .optional()
        .await?;
    Ok(found.is_some())
}

const REMOVE: Sql = Sql::split(
    "DELETE FROM journal WHERE seq = ANY($1::bigint[])",
    "DELETE FROM journal WHERE seq IN (SELECT value FROM json_each($1))",
);

/// Remove the batches `seqs`, whose rows are in the tables.
pub(super) async fn remove(tx: &mut Tx, seqs: &[i64]) -> Result<(), Error> {
    tx.query(REMOVE)
        .bind_postgres(seqs.to_vec())
        .bind_sqlite(serde_json::to_string(seqs).unwrap_or_default())
        .execute()
        .await
        .map(drop)
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
    // Nobody waits for the one writer where there is nothing to write.
    while !db.read(async |tx| is_empty(tx).await).await? {
        db.append(async |tx| replay_some(tx).await).await?;
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

async fn is_empty(tx: &mut Tx) -> Result<bool, Error> {
    let first: Option<(i64,)> = tx
        .query("SELECT seq FROM journal LIMIT 1")
        .optional()
        .await?;
    Ok(first.is_none())
}

async fn replay_some(tx: &mut Tx) -> Result<(), Error> {
    let batches: Vec<Batch> = tx
        .query("SELECT seq, format, arrivals, seats, departures FROM journal ORDER BY seq LIMIT $1")
        .bind(BATCHES)
        .all()
        .await?;
    let mut seqs = Vec::with_capacity(batches.len());
    for batch in batches {
        if batch.format != FORMAT || !batch.departures.len().is_multiple_of(OUT) {
            return Err(Error::Refused(
                "the log of check-ins was written by another version; start that version once, and stop it",
            ));
        }
        store::insert_packed(tx, batch.arrivals, batch.seats).await?;
        let departures = batch.departures.chunks_exact(OUT);
        let mut outs: Vec<Out> = departures.filter_map(read_out).collect();
        outs.sort_unstable_by_key(|out| out.key);
        store::leave(tx, &outs, left_source::VISITOR).await?;
        seqs.push(batch.seq);
    }
    remove(tx, &seqs).await
}

fn read_out(bytes: &[u8]) -> Option<Out> {
    let (checkpoint, rest) = bytes.split_first_chunk()?;
    let (id, rest) = rest.split_first_chunk()?;
    Some(Out {
        key: (i64::from_be_bytes(*checkpoint), Uuid::from_bytes(*id)),
        left_at: i64::from_be_bytes(*rest.first_chunk()?),
    })
}
