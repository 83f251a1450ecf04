//! The journal: one writer for the whole process, and one transaction for many visitors.
//!
//! Requests hand their row to the writer and wait. The writer takes what has arrived, writes it with
//! one statement a table, commits, and answers all: the disk is waited for once, not once a visitor.
//! Nobody is answered before the commit.
//!
//! The channel is bounded. When it is full, a request is refused at once: whoever is told to come
//! back comes back, and whoever waits without end goes away. A batch that the database refuses is
//! written again row by row, so that one bad row does not take others with it.
//!
//! In PostgreSQL a batch goes into the tables at once. In SQLite it goes into a log first, which takes
//! a fraction of the pages, and from there into the tables in large sorted batches (`ledger`); so
//! whoever reads `check_ins` calls [`Journal::settle`] before.

use std::{sync::Arc, time::Duration};

use tokio::sync::{Notify, mpsc, oneshot, watch};
use uuid::Uuid;

use super::{
    left_source,
    store::{self, Key, Out, Row, Stored},
};
use crate::{
    base::{Failure, Kind, failure::Result},
    declarations::{
        self, Risk,
        store::{Pass, Row as DeclarationRow},
    },
    identity::PersonId,
    store::{Db, Engine, Error, Tx},
};

mod instead;
mod ledger;
mod log;
mod write;
mod writer;

pub use instead::Instead;
pub use log::replay;
pub(super) use write::answer;

/// Requests that may wait for the writer; beyond, they are refused.
pub const CAPACITY: usize = 4096;

/// How long a reader waits for a place in the queue.
const SETTLE_WAIT: Duration = Duration::from_secs(3);

/// Most rows in one transaction.
pub const BATCH: usize = 256;

/// A check-in to store.
#[derive(Debug)]
pub struct Arrival {
    /// Its row.
    pub row: Row,
    /// The risk of the declaration that was shown.
    pub risk: Risk,
    /// The declaration, where it came with the check-in.
    pub declaration: Option<DeclarationRow>,
}

/// What stands in the store for a check-in, whoever put it there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Whether this request put it there.
    pub fresh: bool,
    /// Who.
    pub person: PersonId,
    /// The declaration that was shown.
    pub declaration_id: Uuid,
    /// Its risk.
    pub risk: Risk,
}

#[derive(Debug)]
enum Work {
    CheckIn(Box<Arrival>),
    CheckOut(Out),
    Declare(Box<DeclarationRow>, Pass),
    /// What was answered for a check-in that is not in the tables yet.
    Find(Key),
    /// Put everything that was acknowledged into the tables.
    Settle,
}

#[derive(Clone, Copy, Debug)]
enum Outcome {
    /// `None`: what is stored has no declaration to answer from.
    CheckIn(Option<Answer>),
    /// Whether the check-in is there.
    CheckOut(bool),
    Done,
}

#[derive(Debug)]
struct Job {
    work: Work,
    reply: oneshot::Sender<Result<Outcome>>,
}

/// The way to the writer. Clones lead to the same one.
#[derive(Clone, Debug)]
pub struct Journal {
    jobs: mpsc::Sender<Job>,
    stop: Arc<Notify>,
    /// Becomes true when the writer has ended in order; closed without that, the writer died.
    ended: watch::Receiver<bool>,
    /// Whether something acknowledged may not be in the tables yet.
    settles: bool,
    instead: Option<Instead>,
}

impl Journal {
    /// Start the writer, on a thread of its own: database work inside closures cannot be moved
    /// between threads, and nothing else may keep the writer from the next batch.
    ///
    /// # Errors
    ///
    /// When the system has no thread to give.
    pub fn start(db: Db) -> std::io::Result<Self> {
        Self::with_capacity(db, CAPACITY)
    }

    /// As [`Self::start`], with room for `capacity` waiting requests.
    ///
    /// # Errors
    ///
    /// As [`Self::start`].
    pub fn with_capacity(db: Db, capacity: usize) -> std::io::Result<Self> {
        let (jobs, queue) = mpsc::channel(capacity);
        let settles = db.engine() == Engine::Sqlite;
        let (end, ended) = watch::channel(false);
        let stop = Arc::new(Notify::new());
        let stopped = Arc::clone(&stop);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        std::thread::Builder::new()
            .name("journal".to_owned())
            .spawn(move || {
                let here = tokio::task::LocalSet::new();
                here.block_on(&runtime, writer::run(db, queue, stopped));
                // Nobody may be left who wants to know.
                let _ = end.send(true);
            })?;
        Ok(Self {
            jobs,
            stop,
            ended,
            settles,
            instead: None,
        })
    }

    /// The same with `instead` taking the check-ins, for benchmarks to compare with.
    #[must_use]
    pub fn with(self, instead: Instead) -> Self {
        Self {
            instead: Some(instead),
            ..self
        }
    }

    /// Refuse what comes from now on, write what is waiting, then end the writer.
    pub fn stop(&self) {
        self.stop.notify_one();
    }

    /// Wait for the end of the writer. It ends in order only after [`Self::stop`]; when it died,
    /// nothing can be stored any more and the process must end.
    ///
    /// # Errors
    ///
    /// When it died.
    pub async fn ended(&self) -> Result<()> {
        let mut ended = self.ended.clone();
        let in_order = ended.wait_for(|ended| *ended).await;
        in_order.map(drop).map_err(Failure::internal)
    }

    /// Requests that wait for the writer, for the metrics.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.jobs.max_capacity() - self.jobs.capacity()
    }

    /// Store a check-in, and say what stands there.
    ///
    /// # Errors
    ///
    /// [`Kind::Unavailable`] when the journal is full; those of the store.
    pub async fn check_in(&self, arrival: Arrival) -> Result<Answer> {
        if let Some(instead) = &self.instead {
            return instead.take(arrival).await;
        }
        match self.submit(Work::CheckIn(Box::new(arrival))).await? {
            Outcome::CheckIn(Some(answer)) => Ok(answer),
            _ => Err(Failure::internal("a stored check-in has no declaration")),
        }
    }

    /// Store a check-out, and say whether its check-in is there.
    ///
    /// # Errors
    ///
    /// As [`Self::check_in`].
    pub async fn check_out(&self, out: Out) -> Result<bool> {
        let outcome = self.submit(Work::CheckOut(out)).await?;
        Ok(matches!(outcome, Outcome::CheckOut(true)))
    }

    /// Store a declaration and its personal code.
    ///
    /// # Errors
    ///
    /// As [`Self::check_in`].
    pub async fn declare(&self, row: DeclarationRow, pass: Pass) -> Result<()> {
        self.submit(Work::Declare(Box::new(row), pass))
            .await
            .map(drop)
    }

    /// Put into the tables what was acknowledged until now, so that a reader sees it. Takes nothing
    /// where it is there already.
    ///
    /// # Errors
    ///
    /// Those of the store.
    pub async fn settle(&self) -> Result<()> {
        if !self.settles {
            return Ok(());
        }
        let (reply, answer) = oneshot::channel();
        let work = Work::Settle;
        let sent = self.jobs.send_timeout(Job { work, reply }, SETTLE_WAIT);
        sent.await.map_err(|_| Failure::busy(1))?;
        let settled = answer.await.map_err(Failure::internal)?;
        settled.map(drop)
    }

    /// What was answered for `key`, if that is not in the tables yet.
    ///
    /// # Errors
    ///
    /// As [`Self::check_in`].
    pub(super) async fn find(&self, key: Key) -> Result<Option<Answer>> {
        if !self.settles {
            return Ok(None);
        }
        match self.submit(Work::Find(key)).await? {
            Outcome::CheckIn(found) => Ok(found),
            _ => Ok(None),
        }
    }

    async fn submit(&self, work: Work) -> Result<Outcome> {
        let (reply, answer) = oneshot::channel();
        if self.jobs.try_send(Job { work, reply }).is_err() {
            metrics::counter!("shed_total", "reason" => "journal_full").increment(1);
            return Err(Failure::busy(1));
        }
        // The writer died with this request in hand: whether it was stored is not known. Sent
        // again, it is stored once.
        answer
            .await
            .unwrap_or_else(|_| Err(Failure::internal("the journal's writer died")))
    }
}
