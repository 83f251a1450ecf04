//! The writer's loop: take what has arrived, write it, answer; merge when there is time.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::{
    sync::{Notify, mpsc},
    task::JoinHandle,
};

use super::{
    BATCH, Db, Engine, Error, Failure, Job, Kind, Outcome, Work,
    ledger::{self, Ledger},
    write,
};

/// A queue that was empty for so long means that there is time to merge.
const QUIET: Duration = Duration::from_millis(20);

/// How long to wait after a merge has failed; new check-ins are logged meanwhile.
const PATIENCE: Duration = Duration::from_secs(1);

/// How long the end of the program may wait for merging.
const LAST_MERGE: Duration = Duration::from_secs(10);

/// Rows that may wait to be merged; beyond, check-ins are refused until some are.
const UNMERGED_MAX: usize = 400_000;

/// Batches that are inserted after one that held a repeated check-in: somebody may be sending them all
/// again, and every such batch would be copied in vain.
const INSERTIONS: u32 = 64;

/// Write what comes through `queue`, until `stop` and the end of what is waiting.
///
/// Nothing here cuts database work off: only waits are in the `select`.
pub(super) async fn run(db: Db, mut queue: mpsc::Receiver<Job>, stop: Arc<Notify>) {
    let ledger = (db.engine() == Engine::Sqlite).then(Ledger::new);
    let mut writer = Writer {
        db,
        ledger,
        insertions: 0,
        merging: None,
        failed: None,
        settling: Vec::new(),
        settling_next: Vec::new(),
    };
    let mut jobs = Vec::with_capacity(BATCH);
    loop {
        let (pause, may_merge) = (writer.pause(), writer.may_merge());
        let taken = tokio::select! {
            biased;
            merged = ended(&mut writer.merging), if writer.merging.is_some() => {
                writer.merged(merged);
                continue;
            }
            taken = queue.recv_many(&mut jobs, BATCH) => taken,
            () = stop.notified() => {
                queue.close();
                continue;
            }
            () = tokio::time::sleep(pause), if may_merge => {
                writer.merge();
                continue;
            }
        };
        if taken == 0 {
            // What is not merged by then is in the log, for the next start.
            let _ = tokio::time::timeout(LAST_MERGE, writer.merge_all()).await;
            return;
        }
        if let Err(Unreachable) = writer.write(std::mem::take(&mut jobs)).await {
            // Whoever waits now would wait for the next attempt to fail, and the last of them for a
            // minute.
            while let Ok(job) = queue.try_recv() {
                let _ = job.reply.send(Err(Failure::busy(2)));
            }
        }
        writer.go_on();
    }
}

type Merged = Result<(), Error>;

/// Wait for the end of a merge that is running.
async fn ended(merging: &mut Option<JoinHandle<Merged>>) -> Merged {
    let Some(running) = merging else {
        return std::future::pending().await;
    };
    let merged = running.await;
    *merging = None;
    merged.unwrap_or(Err(Error::Refused("merging panicked")))
}

/// The database is away; what was handed over has been told so.
struct Unreachable;

struct Writer {
    db: Db,
    /// In SQLite.
    ledger: Option<Ledger>,
    /// Batches that are still to be inserted, not copied, in PostgreSQL.
    insertions: u32,
    /// Running beside the batches, one at a time.
    merging: Option<JoinHandle<Merged>>,
    /// When the last one failed.
    failed: Option<Instant>,
    /// Who waits for its end, and for that of the next one.
    settling: Vec<Job>,
    settling_next: Vec<Job>,
}

impl Writer {
    /// Whether there is something to merge, and nothing is being merged.
    fn may_merge(&self) -> bool {
        let waits = |ledger: &Ledger| ledger.unmerged() != 0;
        self.merging.is_none() && self.ledger.as_ref().is_some_and(waits)
    }

    /// How long to wait before merging, if nobody comes.
    fn pause(&self) -> Duration {
        let rest = |failed: Instant| PATIENCE.saturating_sub(failed.elapsed());
        self.failed.map_or(QUIET, |failed| rest(failed).max(QUIET))
    }

    /// Begin to merge, if that should not wait for a quiet moment.
    fn go_on(&mut self) {
        if self.merging.is_some() {
            return;
        }
        let Some(ledger) = &self.ledger else {
            return;
        };
        let is_due = ledger.is_due();
        let is_wanted = !self.settling.is_empty() || !self.settling_next.is_empty();
        if ledger.unmerged() == 0 {
            done(std::mem::take(&mut self.settling));
            done(std::mem::take(&mut self.settling_next));
        } else if is_wanted || (is_due && self.pause() == QUIET) {
            self.merge();
        }
    }

    /// Begin to merge: again what could not be merged, or what has gathered.
    fn merge(&mut self) {
        let Some(ledger) = &mut self.ledger else {
            return;
        };
        if !ledger.is_merging() {
            self.settling.append(&mut self.settling_next);
        }
        let merge = ledger::merge(self.db.clone(), ledger.next());
        self.merging = Some(tokio::task::spawn_local(merge));
    }

    /// What was being merged is, or could not be.
    fn merged(&mut self, merged: Merged) {
        let settling = std::mem::take(&mut self.settling);
        match merged {
            Ok(()) => {
                self.failed = None;
                if let Some(ledger) = &mut self.ledger {
                    ledger.merged();
                }
                done(settling);
                self.go_on();
            }
            Err(error) => {
                tracing::warn!("the log could not be merged; it will be tried again: {error}");
                self.failed = Some(Instant::now());
                refuse(settling, error.into());
                refuse(std::mem::take(&mut self.settling_next), Failure::busy(2));
            }
        }
    }

    /// Merge until nothing is left, or a merge fails.
    async fn merge_all(&mut self) {
        loop {
            if self.merging.is_none() {
                if !self.may_merge() {
                    return;
                }
                self.merge();
            }
            let merged = ended(&mut self.merging).await;
            self.merged(merged);
        }
    }

    async fn write(&mut self, mut jobs: Vec<Job>) -> Result<(), Unreachable> {
        let unmerged = self.ledger.as_ref().map_or(0, Ledger::unmerged);
        #[expect(clippy::cast_precision_loss, reason = "some hundred thousand")]
        metrics::gauge!("journal_unmerged_rows").set(unmerged as f64);
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
        let written = if unmerged > UNMERGED_MAX {
            refuse(jobs, Failure::busy(2));
            Ok(())
        } else if jobs.is_empty() {
            Ok(())
        } else {
            self.write_jobs(jobs).await
        };
        self.find(find).await;
        if !settle.is_empty() {
            self.settle(settle).await;
        }
        written
    }

    /// Write `works` in one transaction.
    async fn transact(&mut self, works: &[&Work]) -> Result<Vec<Outcome>, Error> {
        let db = &self.db;
        if let Some(ledger) = &mut self.ledger {
            return ledger.accept(db, works).await;
        }
        if write::is_plain(works) {
            self.insertions = self.insertions.saturating_sub(1);
            let (outcomes, repeated) = write::plain(db, works, self.insertions == 0).await?;
            if repeated {
                self.insertions = INSERTIONS;
            }
            Ok(outcomes)
        } else {
            db.journal(async |tx| write::batch(tx, works).await).await
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

    /// Tell `jobs` when everything that was acknowledged before is in the tables.
    async fn settle(&mut self, jobs: Vec<Job>) {
        let Some(ledger) = &mut self.ledger else {
            return done(jobs);
        };
        if let Err(error) = ledger.resolve(&self.db).await {
            return refuse(jobs, error.into());
        }
        if ledger.is_empty() {
            self.settling.extend(jobs);
        } else {
            self.settling_next.extend(jobs);
        }
    }
}

fn done(jobs: Vec<Job>) {
    for job in jobs {
        let _ = job.reply.send(Ok(Outcome::Done));
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
