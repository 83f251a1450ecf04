//! Retention: what is older than the period goes, and its keys with it.
//!
//! A check-in lives for the retention period, in UTC days; a declaration a day longer, the life of
//! its token. In PostgreSQL a day of either is one partition and goes with one `DROP TABLE`; in
//! SQLite rows go in bounded batches by key range. Last the day keys are destroyed, so that no copy
//! of the database can be read any more either. Every step may be interrupted and run again.

use super::journal;
use crate::{
    base::{Day, ids::uuid_floor},
    privacy::{KeyRing, audit, opened},
    store::{self, Daily, Db, Engine, Error, Tx},
    venues::Directory,
};

/// Rows deleted in one transaction.
const BATCH: i64 = 1000;

/// What a sweep did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Check-ins deleted row by row (SQLite).
    pub check_ins: u64,
    /// Days of check-ins or declarations dropped as a partition (PostgreSQL).
    pub partitions: u64,
    /// Declarations deleted row by row (SQLite).
    pub declarations: u64,
    /// Day keys destroyed.
    pub keys: u64,
}

/// The first day whose check-ins are kept.
#[must_use]
pub fn first_kept(today: Day, retention_days: u16) -> Day {
    today.plus(-i32::from(retention_days))
}

/// Delete what is older than `retention_days` before `today`, then destroy the keys of those days.
/// Writes an audit entry when there was something to do.
///
/// # Errors
///
/// Those of the store; what was done stays done, and the next sweep goes on.
pub async fn sweep(
    db: &Db,
    keys: &KeyRing,
    directory: &Directory,
    today: Day,
    retention_days: u16,
) -> Result<Swept, Error> {
    journal::replay(db).await?;
    let mut swept = Swept::default();
    let check_ins_from = first_kept(today, retention_days);
    let declarations_from = check_ins_from.plus(-1);
    match db.engine() {
        Engine::Postgres => {
            for (table, from) in [
                (Daily::CheckIns, check_ins_from),
                (Daily::Declarations, declarations_from),
            ] {
                for day in store::partition_days(db, table).await? {
                    if day < from {
                        store::drop_partition(db, table, day).await?;
                        swept.partitions += 1;
                    }
                }
            }
        }
        Engine::Sqlite => {
            for checkpoint in directory.ids() {
                swept.check_ins += in_batches(db, async |tx| {
                    delete_check_ins(tx, checkpoint, check_ins_from).await
                })
                .await?;
            }
            swept.declarations = in_batches(db, async |tx| {
                delete_declarations(tx, declarations_from).await
            })
            .await?;
        }
    }
    let counted_from = today.plus(-opened::KEPT_DAYS);
    in_batches(db, async |tx| {
        opened::forget_before(tx, counted_from, BATCH).await
    })
    .await?;
    swept.keys = db
        .write(async |tx| {
            let destroyed = keys.destroy_before(tx, declarations_from).await?;
            if destroyed > 0 || swept != Swept::default() {
                let entry = audit::Entry {
                    action: "retention.swept",
                    subject: format!("before {check_ins_from}"),
                    reason: Some("retention"),
                    ..audit::Entry::default()
                };
                audit::append(tx, entry).await?;
            }
            Ok::<_, Error>(destroyed)
        })
        .await?;
    Ok(swept)
}

/// Run `delete` in transactions of its own until it deletes less than a batch.
async fn in_batches(
    db: &Db,
    delete: impl AsyncFn(&mut Tx) -> Result<u64, Error>,
) -> Result<u64, Error> {
    let mut total = 0;
    loop {
        let deleted = db.append(async |tx| delete(tx).await).await?;
        total += deleted;
        if deleted < BATCH.unsigned_abs() {
            return Ok(total);
        }
    }
}

async fn delete_check_ins(tx: &mut Tx, checkpoint: i64, from: Day) -> Result<u64, Error> {
    tx.query(
        "DELETE FROM check_ins WHERE checkpoint_id = $1 AND id IN
             (SELECT id FROM check_ins WHERE checkpoint_id = $1 AND id < $2 ORDER BY id LIMIT $3)",
    )
    .bind(checkpoint)
    .bind(uuid_floor(from.start_ms()))
    .bind(BATCH)
    .execute()
    .await
}

async fn delete_declarations(tx: &mut Tx, from: Day) -> Result<u64, Error> {
    tx.query(
        "DELETE FROM declarations WHERE (id, person_id) IN
             (SELECT id, person_id FROM declarations WHERE id < $1 ORDER BY id LIMIT $2)",
    )
    .bind(uuid_floor(from.start_ms()))
    .bind(BATCH)
    .execute()
    .await
}
