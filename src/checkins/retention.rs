//! Retention: what is older than the period goes, and its keys with it.
//!
//! A check-in lives for the retention period, in UTC days; a declaration a day longer, the life of
//! its token. In PostgreSQL a day of either is one partition and goes with one `DROP TABLE`; in
//! SQLite rows go in bounded batches by key range. Last the day keys are destroyed, so that no copy
//! of the database can be read any more either. Every step may be interrupted and run again.
//!
//! What a case needs longer is copied before anything goes. This room knows no cases, so a sweep is
//! handed the way to copy: nobody can sweep and forget it.

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
    /// What was done for cases before.
    pub cases: Kept,
}

/// What a sweep did for cases before anything went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Kept {
    /// Contacts copied into case files.
    pub contacts: u64,
    /// Stays of patients copied into case files.
    pub stays: u64,
    /// Case files whose own clock had run out, and which were ended.
    pub ended: u64,
    /// Open case files whose keys are damaged, so that nothing could be copied into them.
    pub unreadable: u64,
}

/// What is about to go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Due {
    /// Check-ins of the days before this one.
    pub check_ins: Day,
    /// Declarations of the days before this one, and the keys of those days.
    pub declarations: Day,
}

/// The first day whose check-ins are kept.
#[must_use]
pub fn first_kept(today: Day, retention_days: u16) -> Day {
    today.plus(-i32::from(retention_days))
}

/// Let `keep` copy what cases need of what is due, then delete what is older than `retention_days`
/// before `today`, then destroy the keys of those days. When `keep` fails nothing goes. Writes an audit
/// entry when there was something to do.
///
/// # Errors
///
/// Those of `keep` and of the store; what was done stays done, and the next sweep goes on.
pub async fn sweep<E: From<Error>>(
    db: &Db,
    keys: &KeyRing,
    directory: &Directory,
    today: Day,
    retention_days: u16,
    keep: impl AsyncFnOnce(Due) -> Result<Kept, E>,
) -> Result<Swept, E> {
    journal::replay(db).await?;
    let check_ins = first_kept(today, retention_days);
    let due = Due {
        check_ins,
        declarations: check_ins.plus(-1),
    };
    let mut swept = Swept {
        cases: keep(due).await?,
        ..Swept::default()
    };
    delete(db, directory, due, &mut swept).await?;
    let counted_from = today.plus(-opened::KEPT_DAYS);
    in_batches(db, async |tx| {
        opened::forget_before(tx, counted_from, BATCH).await
    })
    .await?;
    swept.keys = db
        .write(async |tx| destroy_keys(tx, keys, due, swept).await)
        .await?;
    Ok(swept)
}

/// Destroy the keys of the days that are due, and write down what the whole sweep did.
async fn destroy_keys(tx: &mut Tx, keys: &KeyRing, due: Due, swept: Swept) -> Result<u64, Error> {
    let destroyed = keys.destroy_before(tx, due.declarations).await?;
    if destroyed > 0 || swept != Swept::default() {
        let Kept {
            contacts,
            stays,
            ended,
            unreadable,
        } = swept.cases;
        let mut reason = format!(
            "retention; kept for cases: {contacts} contacts, {stays} stays; case files ended: {ended}"
        );
        if unreadable > 0 {
            reason.push_str("; case files that do not open: ");
            reason.push_str(&unreadable.to_string());
        }
        let entry = audit::Entry {
            action: "retention.swept",
            subject: format!("before {}", due.check_ins),
            reason: Some(&reason),
            ..audit::Entry::default()
        };
        audit::append(tx, entry).await?;
    }
    Ok(destroyed)
}

async fn delete(db: &Db, directory: &Directory, due: Due, swept: &mut Swept) -> Result<(), Error> {
    match db.engine() {
        Engine::Postgres => {
            for (table, from) in [
                (Daily::CheckIns, due.check_ins),
                (Daily::Declarations, due.declarations),
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
                    delete_check_ins(tx, checkpoint, due.check_ins).await
                })
                .await?;
            }
            swept.declarations = in_batches(db, async |tx| {
                delete_declarations(tx, due.declarations).await
            })
            .await?;
        }
    }
    Ok(())
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
