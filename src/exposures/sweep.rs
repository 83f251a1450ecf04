//! The daily sweep, whole: files whose clock has run out end, what other cases need is copied, and
//! then what is past its retention goes.

use uuid::Uuid;

use crate::{
    base::{Day, Random},
    cases::clock,
    checkins::retention::{self, Kept, Swept},
    exposures::{keep::Keeper, record},
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
    let runs = db.read(async |tx| record::ended(tx, before).await).await?;
    for run in runs {
        until_nothing(db, async |tx| record::clear(tx, run, BATCH).await).await?;
        db.append(async |tx| record::close(tx, run).await).await?;
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
