//! The writer's loop: take what has arrived, write it, answer; merge when there is time.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::sync::{Notify, mpsc};

use super::{BATCH, Db, Engine, Error, Failure, Job, Kind, Outcome, Work, ledger::Ledger, write};

/// A queue that was empty for so long means that there is time to merge. Much less, and every batch of
/// a few visitors would be followed by a second wait for the disk.
const QUIET: Duration = Duration::from_millis(20);

/// How long to wait after a merge has failed; new check-ins are logged meanwhile.
const PATIENCE: Duration = Duration::from_secs(1);

/// How long the end of the program may wait for merging.
const LAST_MERGE: Duration = Duration::from_secs(5);

/// Rows that may wait to be merged; beyond, check-ins are refused until some are.
const UNMERGED_MAX: usize = 200_000;

/// Write what comes through `queue`, until `stop` and the end of what is waiting.
///
/// Nothing here cuts database work off: only waits are in the `select`.
pub(super) async fn run(db: Db, mut queue: mpsc::Receiver<Job>, stop: Arc<Notify>) {
    let ledger = (db.engine() == Engine::Sqlite).then(Ledger::new);
    let mut writer = Writer { db, ledger };
    let mut jobs = Vec::with_capacity(BATCH);
    let mut pause = QUIET;
    loop {
        let taken = tokio::select! {
            biased;
            taken = queue.recv_many(&mut jobs, BATCH) => taken,
            () = stop.notified() => {
                queue.close();
                continue;
            }
            () = tokio::time::sleep(pause), if !writer.is_merged() => {
                pause = if writer.merge().await { Duration::ZERO } else { PATIENCE };
                continue;
            }
        };
        if taken == 0 {
            // What is not merged by then is in the log, for the next start.
            let end = Instant::now() + LAST_MERGE;
            while !writer.is_merged() && Instant::now() < end && writer.merge().await {}
            return;
        }
        if let Err(Unreachable) = writer.write(std::mem::take(&mut jobs)).await {
            // Whoever waits now would wait for the next attempt to fail, and the last of them for a
            // minute.
            while let Ok(job) = queue.try_recv() {
                let _ = job.reply.send(Err(Failure::busy(2)));
            }
        }
        pause = QUIET;
    }
}

/// The database is away; what was handed over has been told so.
struct Unreachable;

struct Writer {
    db: Db,
    /// In SQLite.
    ledger: Option<Ledger>,
}

impl Writer {
    fn is_merged(&self) -> bool {
        self.ledger.as_ref().is_none_or(Ledger::is_merged)
    }

    /// Merge some rows, and say whether that worked.
    async fn merge(&mut self) -> bool {
        let Some(ledger) = &mut self.ledger else {
            return true;
        };
        let merged = ledger.merge(&self.db).await;
        #[expect(clippy::cast_precision_loss, reason = "some hundred thousand")]
        metrics::gauge!("journal_unmerged_rows").set(ledger.len() as f64);
        if let Err(error) = &merged {
            tracing::warn!("the log could not be merged; it will be tried again: {error}");
        }
        merged.is_ok()
    }

    async fn write(&mut self, mut jobs: Vec<Job>) -> Result<(), Unreachable> {
        let unmerged = self.ledger.as_ref().map_or(0, Ledger::len);
        if unmerged > UNMERGED_MAX && !self.merge().await {
            for job in jobs {
                let _ = job.reply.send(Err(Failure::busy(2)));
            }
            return Err(Unreachable);
        }
        let now = self.db.now().as_ms();
        for job in &mut jobs {
            if let Work::CheckIn(arrival) = &mut job.work {
                arrival.row.received_at = now;
            }
        }
        let (settle, jobs): (Vec<Job>, Vec<Job>) = jobs
            .into_iter()
            .partition(|job| matches!(job.work, Work::Settle));
        let (find, jobs): (Vec<Job>, Vec<Job>) = jobs
            .into_iter()
            .partition(|job| matches!(job.work, Work::Find(_)));
        let written = if jobs.is_empty() {
            Ok(())
        } else {
            self.write_jobs(jobs).await
        };
        self.find(find).await;
        if !settle.is_empty() {
            self.settle(settle).await;
        }
        if self.ledger.as_ref().is_some_and(Ledger::is_due) {
            self.merge().await;
        }
        written
    }

    /// Write `works` in one transaction.
    async fn transact(&mut self, works: &[&Work]) -> Result<Vec<Outcome>, Error> {
        let db = &self.db;
        if let Some(ledger) = &mut self.ledger {
            return ledger.accept(db, works).await;
        }
        let written = db.append(async |tx| write::batch(tx, works, false).await);
        match written.await {
            Err(Error::Conflict) => {
                db.append(async |tx| write::batch(tx, works, true).await)
                    .await
            }
            written => written,
        }
    }

    async fn write_jobs(&mut self, jobs: Vec<Job>) -> Result<(), Unreachable> {
        let began = Instant::now();
        let works: Vec<&Work> = jobs.iter().map(|job| &job.work).collect();
        match self.transact(&works).await {
            Ok(outcomes) => {
                metrics::histogram!("checkin_commit_seconds").record(began.elapsed());
                #[expect(clippy::cast_precision_loss, reason = "at most 256")]
                metrics::histogram!("commit_batch_rows").record(jobs.len() as f64);
                for (job, outcome) in jobs.into_iter().zip(outcomes) {
                    // Whoever asked may have gone away; the row is stored all the same.
                    let _ = job.reply.send(Ok(outcome));
                }
                Ok(())
            }
            Err(error) => self.refused(jobs, error).await,
        }
    }

    /// A database that cannot be reached is no row's fault: all are told to come back. Otherwise each
    /// row is tried alone.
    async fn refused(&mut self, jobs: Vec<Job>, error: Error) -> Result<(), Unreachable> {
        let failure = Failure::from(error);
        let alone = jobs.len() == 1;
        let away = failure.kind == Kind::Unavailable;
        if alone || away {
            refuse(jobs, failure);
            return if away { Err(Unreachable) } else { Ok(()) };
        }
        tracing::warn!(
            rows = jobs.len(),
            "a batch was refused; writing its rows one by one"
        );
        let mut jobs = jobs.into_iter();
        while let Some(job) = jobs.next() {
            let written = self.transact(&[&job.work]).await;
            let down = match written {
                Ok(outcomes) => {
                    if let Some(outcome) = outcomes.into_iter().next() {
                        let _ = job.reply.send(Ok(outcome));
                    }
                    false
                }
                Err(error) => {
                    let failure = Failure::from(error);
                    let down = failure.kind == Kind::Unavailable;
                    let _ = job.reply.send(Err(failure));
                    down
                }
            };
            if down {
                for job in jobs.by_ref() {
                    let _ = job.reply.send(Err(Failure::busy(2)));
                }
                return Err(Unreachable);
            }
        }
        Ok(())
    }

    /// Answer what is asked of check-ins that are not in the tables yet.
    async fn find(&mut self, jobs: Vec<Job>) {
        for job in jobs {
            let found = match (&mut self.ledger, &job.work) {
                (Some(ledger), Work::Find(key)) => ledger.find(&self.db, *key).await,
                _ => Ok(None),
            };
            let found = found.map(Outcome::CheckIn).map_err(Failure::from);
            let _ = job.reply.send(found);
        }
    }

    /// Merge everything, also what another process has logged, and tell `jobs`.
    async fn settle(&mut self, jobs: Vec<Job>) {
        let settled = match &mut self.ledger {
            Some(ledger) => ledger.settle(&self.db).await,
            None => Ok(()),
        };
        match settled {
            Ok(()) => {
                for job in jobs {
                    let _ = job.reply.send(Ok(Outcome::Done));
                }
            }
            Err(error) => refuse(jobs, error.into()),
        }
    }
}

/// Tell all of `jobs`; the cause goes to the log once, with the first.
fn refuse(jobs: Vec<Job>, failure: Failure) {
    let (kind, retry_after) = (failure.kind, failure.retry_after);
    let mut first = Some(failure);
    for job in jobs {
        let failure = first.take().unwrap_or_else(|| Failure {
            retry_after,
            ..kind.into()
        });
        let _ = job.reply.send(Err(failure));
    }
}
