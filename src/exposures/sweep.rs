//! The daily sweep, whole: files whose clock has run out end, what other cases need is copied, and
//! then what is past its retention goes.

use uuid::Uuid;

use crate::{
    base::{Day, Random, Timestamp},
    cases::clock,
    checkins::retention::{self, Kept, Swept},
    exposures::keep::Keeper,
    privacy::{KeyRing, NoKey},
    store::{Db, Error, Tx},
    venues::Directory,
};

/// Rows deleted in one transaction.
const BATCH: i64 = 1_000;

/// Cases looked at together.
const CASES: i64 = 100;

/// Sweep as of `today`, with check-ins kept for `retention_days`: see [`retention::sweep`].
///
/// # Errors
///
/// Those of the store, and [`NoKey::WrongMaster`] when the key of a case file does not open: then
/// nothing is dropped. What was done stays done, and the next sweep goes on.
pub async fn sweep(
    db: &Db,
    keys: &KeyRing,
    random: &Random,
    directory: &Directory,
    today: Day,
    retention_days: u16,
) -> Result<Swept, NoKey> {
    let keeper = Keeper { db, keys, random };
    retention::sweep(db, keys, directory, today, retention_days, async |due| {
        let ended = end_files(db, today).await?;
        clear(db, today).await?;
        let kept = keeper.keep(due).await?;
        Ok(Kept { ended, ..kept })
    })
    .await
}

/// End the files whose clock has run out, and say how many.
async fn end_files(db: &Db, today: Day) -> Result<u64, Error> {
    let mut ended = 0;
    loop {
        let due = db
            .read(async |tx| clock::run_out(tx, today, CASES).await)
            .await?;
        let mut now = 0;
        for case in due {
            let was_open = db
                .write(async |tx| clock::end(tx, case, today).await)
                .await?;
            now += u64::from(was_open);
        }
        if now == 0 {
            return Ok(ended);
        }
        ended += now;
    }
}

/// Delete what files that have ended leave behind: copies, pseudonyms, and the people of lookups that
/// were made for them alone. A lookup for no case has the clock of a file that nothing wound up again.
async fn clear(db: &Db, today: Day) -> Result<(), Error> {
    let mut after = Uuid::nil();
    loop {
        let cases = db
            .read(async |tx| clock::with_leftovers(tx, after, CASES).await)
            .await?;
        let Some(last) = cases.last() else { break };
        after = *last;
        for case in cases {
            until_nothing(db, async |tx| clock::clear(tx, case, BATCH).await).await?;
        }
    }
    let before = clock::alive_from(today);
    let runs = db.read(async |tx| ended_runs(tx, before).await).await?;
    for run in runs {
        until_nothing(db, async |tx| clear_run(tx, run, BATCH).await).await?;
        db.append(async |tx| close(tx, run).await).await?;
    }
    Ok(())
}

/// Run `delete` in transactions of its own until it deletes nothing.
async fn until_nothing(
    db: &Db,
    delete: impl AsyncFn(&mut Tx) -> Result<u64, Error>,
) -> Result<(), Error> {
    while db.append(async |tx| delete(tx).await).await? > 0 {}
    Ok(())
}

/// Runs that are not closed and whose cases have all ended; of a run for no case, when it was made
/// before `before`.
async fn ended_runs(tx: &mut Tx, before: Timestamp) -> Result<Vec<Uuid>, Error> {
    let rows: Vec<(Uuid,)> = tx
        .query(
            "SELECT r.id FROM lookup_runs r
             WHERE r.state <> 'closed' AND r.created_at < $1 AND NOT EXISTS (
                 SELECT 1 FROM lookup_run_cases k JOIN cases c ON c.id = k.case_id
                 WHERE k.run_id = r.id AND c.ended_at IS NULL)
             ORDER BY r.id",
        )
        .bind(before)
        .all()
        .await?;
    Ok(rows.into_iter().map(|(run,)| run).collect())
}

/// Delete the links of at most `limit` people of a run, those people, and as many probes. Gives the
/// people and probes deleted: none when nothing is left.
async fn clear_run(tx: &mut Tx, run: Uuid, limit: i64) -> Result<u64, Error> {
    tx.query(
        "DELETE FROM lookup_links WHERE run_id = $1 AND person_id IN
             (SELECT person_id FROM lookup_people WHERE run_id = $1
              ORDER BY ring, person_id LIMIT $2)",
    )
    .bind(run)
    .bind(limit)
    .execute()
    .await?;
    let people = tx
        .query(
            "DELETE FROM lookup_people WHERE run_id = $1 AND person_id IN
                 (SELECT person_id FROM lookup_people WHERE run_id = $1
                  ORDER BY ring, person_id LIMIT $2)",
        )
        .bind(run)
        .bind(limit)
        .execute()
        .await?;
    let probes = tx
        .query(
            "DELETE FROM lookup_probes WHERE run_id = $1 AND probe IN
                 (SELECT probe FROM lookup_probes WHERE run_id = $1 ORDER BY ring, probe LIMIT $2)",
        )
        .bind(run)
        .bind(limit)
        .execute()
        .await?;
    Ok(people + probes)
}

/// Close a run whose people are gone. Who asked for it, why, and how many it found stays.
async fn close(tx: &mut Tx, run: Uuid) -> Result<(), Error> {
    tx.query("UPDATE lookup_runs SET state = 'closed' WHERE id = $1")
        .bind(run)
        .execute()
        .await?;
    tx.query("DELETE FROM lookup_run_cases WHERE run_id = $1")
        .bind(run)
        .execute()
        .await
        .map(drop)
}
