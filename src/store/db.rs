//! Transactions on one of two databases.

use std::{
    hash::{BuildHasher, RandomState},
    sync::{Arc, atomic::AtomicBool},
    time::Duration,
};

use sqlx::{PgConnection, Postgres, Sqlite, Transaction};

use crate::{
    base::{Clock, Timestamp},
    store::{
        DISTRIBUTED, Engine, Error, Fault, Faults, Query, Sql, Target,
        connect::Pool,
        kept::{Flush, Lease},
        query::{On, State, is_race},
    },
};

/// How often a transaction that lost a race is run again: after 2 ms, then 4, to 512, each up to twice
/// as long by chance, so that the same transactions do not meet again.
const RETRIES: u32 = 9;

/// Connections to one of the two databases, and the clock that stamps what is written.
#[derive(Clone, Debug)]
pub struct Db {
    pool: Pool,
    clock: Clock,
    faults: Faults,
    /// Set when something was erased that the files may still hold: [`Db::erased`].
    pub(super) unclean: Arc<AtomicBool>,
}

impl Db {
    /// Open the store at `target`.
    ///
    /// # Errors
    ///
    /// When the URL cannot be read, the file cannot be made or the server cannot be reached.
    pub async fn open(target: &Target, clock: Clock) -> Result<Self, Error> {
        let pool = Pool::open(target).await?;
        Ok(Self {
            pool,
            clock,
            faults: Faults::default(),
            // A process before this one may have stopped between an erasure and its scrub.
            unclean: Arc::new(AtomicBool::new(target.engine() == Engine::Sqlite)),
        })
    }

    /// The same store, which fails as `faults` say.
    #[must_use]
    pub fn with_faults(self, faults: Faults) -> Self {
        Self { faults, ..self }
    }

    /// Which of the two databases this is.
    #[must_use]
    pub fn engine(&self) -> Engine {
        match self.pool {
            Pool::Postgres { .. } => Engine::Postgres,
            Pool::Sqlite { .. } => Engine::Sqlite,
        }
    }

    /// The time by the clock that stamps what is written.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Close all connections, after the work on them is done.
    pub async fn close(&self) {
        self.pool.close().await;
    }

    pub(super) fn pool(&self) -> &Pool {
        &self.pool
    }

    /// Fail before the database is asked, where a test wants it.
    pub(super) fn refuse(&self) -> Result<(), Error> {
        match self.faults.next() {
            None | Some(Fault::Raced) => Ok(()),
            Some(fault) => Err(sqlx::Error::from(fault).into()),
        }
    }

    /// Run `body` in a transaction that may write: committed if it returns `Ok`,
    /// rolled back if it returns `Err`, run again if it lost a race, up to eight
    /// times. So `body` must have no effect outside the transaction.
    ///
    /// Transactions behave as if run one after the other, on both databases.
    ///
    /// # Errors
    ///
    /// Those of `body`, and those of the database. [`Error::WentOn`] if `body`
    /// returned `Ok` though one of its queries had failed: PostgreSQL would
    /// answer the commit with a silent rollback.
    pub async fn write<T, E: From<Error>>(
        &self,
        body: impl AsyncFnMut(&mut Tx) -> Result<T, E>,
    ) -> Result<T, E> {
        self.run(Mode::Write, body).await
    }

    /// Run `body` in a transaction that adds rows, for the hot path: as
    /// [`Self::write`], but PostgreSQL runs it at READ COMMITTED, which tracks no
    /// reads and so has no serialization failures to run again.
    ///
    /// `body` may lean on unique keys, foreign keys and `ON CONFLICT`, never on
    /// what it has read: another transaction may change that before the commit.
    /// SQLite hides the difference, as it has one writer in any case.
    ///
    /// # Errors
    ///
    /// As [`Self::write`].
    pub async fn append<T, E: From<Error>>(
        &self,
        body: impl AsyncFnMut(&mut Tx) -> Result<T, E>,
    ) -> Result<T, E> {
        self.run(Mode::Append, body).await
    }

    /// As [`Self::append`], for the journal: on a connection that nobody else uses, in PostgreSQL.
    ///
    /// # Errors
    ///
    /// As [`Self::append`].
    pub async fn journal<T, E: From<Error>>(
        &self,
        body: impl AsyncFnMut(&mut Tx) -> Result<T, E>,
    ) -> Result<T, E> {
        self.run(Mode::Journal, body).await
    }

    /// As [`Self::journal`], but what it adds may be lost with the power, in SQLite, as long as no other
    /// transaction was committed after it: for what can be done again from what is on the disk.
    ///
    /// # Errors
    ///
    /// As [`Self::append`].
    pub async fn journal_later<T, E: From<Error>>(
        &self,
        body: impl AsyncFnMut(&mut Tx) -> Result<T, E>,
    ) -> Result<T, E> {
        self.run(Mode::JournalLater, body).await
    }

    /// Run the one statement of `body`, which is a transaction by itself and so takes one wait for the
    /// database instead of three. As with [`Self::journal`] it may be run again, also when the
    /// connection was lost: it must add nothing the second time.
    ///
    /// # Errors
    ///
    /// As [`Self::append`]. A second statement is refused.
    pub async fn single<T, E: From<Error>>(
        &self,
        body: impl AsyncFnMut(&mut Tx) -> Result<T, E>,
    ) -> Result<T, E> {
        self.run(Mode::Single, body).await
    }

    /// Run `body` in a transaction that sees one moment of the store and cannot
    /// write.
    ///
    /// # Errors
    ///
    /// Those of `body`, and those of the database.
    pub async fn read<T, E: From<Error>>(
        &self,
        mut body: impl AsyncFnMut(&mut Tx) -> Result<T, E>,
    ) -> Result<T, E> {
        body(&mut self.begin(Mode::Read).await?).await
    }

    /// Run `body` in a transaction that sees one moment of the store and may make temporary tables,
    /// which are gone afterwards: an exposure run. Nothing else can be written.
    ///
    /// # Errors
    ///
    /// Those of `body`, and those of the database.
    pub async fn stage<T, E: From<Error>>(
        &self,
        mut body: impl AsyncFnMut(&mut Tx) -> Result<T, E>,
    ) -> Result<T, E> {
        body(&mut self.begin(Mode::Stage).await?).await
    }

    /// As [`Self::single`], in the journal's log, which is a file of its own in SQLite.
    ///
    /// # Errors
    ///
    /// As [`Self::single`].
    pub async fn log_single<T, E: From<Error>>(
        &self,
        body: impl AsyncFnMut(&mut Tx) -> Result<T, E>,
    ) -> Result<T, E> {
        self.run(Mode::LogSingle, body).await
    }

    /// Run `body` in a transaction on the journal's log. It begins without a lock: nobody else can write
    /// there from its first statement that does.
    ///
    /// # Errors
    ///
    /// As [`Self::append`].
    pub async fn log<T, E: From<Error>>(
        &self,
        body: impl AsyncFnMut(&mut Tx) -> Result<T, E>,
    ) -> Result<T, E> {
        self.run(Mode::Log, body).await
    }

    async fn run<T, E: From<Error>>(
        &self,
        mode: Mode,
        mut body: impl AsyncFnMut(&mut Tx) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut lost = 0;
        loop {
            let (raced, outcome) = self.run_once(mode, &mut body).await;
            if !raced {
                return outcome;
            }
            if lost == RETRIES {
                return Err(Error::Raced.into());
            }
            lost += 1;
            let wait = (1 << lost) + chance() % (1 << lost);
            tokio::time::sleep(Duration::from_millis(wait)).await;
        }
    }

    /// Run `body` in one transaction, and say whether that lost a race.
    async fn run_once<T, E: From<Error>>(
        &self,
        mode: Mode,
        body: &mut impl AsyncFnMut(&mut Tx) -> Result<T, E>,
    ) -> (bool, Result<T, E>) {
        let mut tx = match self.begin(mode).await {
            Ok(tx) => tx,
            Err(error) => return (false, Err(error.into())),
        };
        let outcome = body(&mut tx).await;
        let again = tx.state == State::Raced || tx.lost_unseen();
        match (outcome, tx.state) {
            (Ok(value), State::Sound) => match tx.commit().await {
                Ok(()) => (false, Ok(value)),
                Err(error) => (is_race(&error), Err(Error::from(error).into())),
            },
            (Ok(_), _) => (again, Err(Error::WentOn.into())),
            (Err(error), _) => (again, Err(error)),
        }
    }

    /// Begin in a task of its own, which nobody can cut off: a handler is dropped when its client goes
    /// away or when another extractor fails, and sqlx 0.9.0 gives a PostgreSQL connection whose
    /// `BEGIN` was cut off back to the pool with the transaction open (transact-rs/sqlx#4385). Once
    /// begun, a transaction that is dropped rolls back.
    async fn begin(&self, mode: Mode) -> Result<Tx, Error> {
        self.refuse()?;
        let pool = self.pool.clone();
        let conn = if mode.is_single() {
            // There is no `BEGIN` to be cut off.
            begin(&pool, mode).await?
        } else {
            tokio::spawn(async move { begin(&pool, mode).await })
                .await
                .map_err(|_| Error::Driver(sqlx::Error::PoolClosed))??
        };
        Ok(Tx {
            conn,
            mode,
            now: self.clock.now(),
            state: State::Sound,
            statements: 0,
            untold: false,
            faults: self.faults.clone(),
        })
    }
}

async fn begin(pool: &Pool, mode: Mode) -> Result<Conn, Error> {
    let text = (!mode.is_single()).then_some(match pool {
        Pool::Postgres { .. } => match mode {
            Mode::Read => "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY",
            Mode::Stage => "BEGIN ISOLATION LEVEL REPEATABLE READ",
            Mode::Write => "BEGIN ISOLATION LEVEL SERIALIZABLE",
            _ => "BEGIN ISOLATION LEVEL READ COMMITTED",
        },
        // The write lock is taken now, not at the first write, so that a transaction that began by
        // reading cannot fail with `SQLITE_BUSY`.
        Pool::Sqlite { .. } => match mode {
            Mode::Read | Mode::Stage | Mode::Log => "BEGIN DEFERRED",
            _ => "BEGIN IMMEDIATE",
        },
    });
    let flush = match mode {
        Mode::JournalLater => Flush::Later,
        _ => Flush::Now,
    };
    let begin = text.unwrap_or_default();
    Ok(match (pool, mode) {
        (Pool::Postgres { pool, .. }, Mode::Read | Mode::Stage | Mode::Append | Mode::Write) => {
            Conn::Postgres(pool.begin_with(begin).await?)
        }
        (Pool::Sqlite { read, .. }, Mode::Read) => Conn::Sqlite(read.begin_with(begin).await?),
        (Pool::Sqlite { stage, .. }, Mode::Stage) => Conn::Sqlite(stage.begin_with(begin).await?),
        (Pool::Sqlite { log, .. }, Mode::Log | Mode::LogSingle) => {
            Conn::Kept(log.lease(text, flush).await?)
        }
        (Pool::Postgres { kept, .. } | Pool::Sqlite { kept, .. }, _) => {
            Conn::Kept(kept.lease(text, flush).await?)
        }
    })
}

/// A number that differs from call to call; nothing but a wait depends on it.
fn chance() -> u64 {
    RandomState::new().hash_one(0)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Read,
    Append,
    Journal,
    JournalLater,
    Log,
    LogSingle,
    Single,
    Stage,
    Write,
}

impl Mode {
    /// Whether the one statement is the transaction.
    fn is_single(self) -> bool {
        matches!(self, Self::Single | Self::LogSingle)
    }
}

/// A running transaction.
#[derive(Debug)]
pub struct Tx {
    pub(super) conn: Conn,
    mode: Mode,
    now: Timestamp,
    state: State,
    /// How many were run.
    statements: u32,
    /// A test wants nobody to be told that the one statement was committed.
    untold: bool,
    faults: Faults,
}

#[derive(Debug)]
pub(super) enum Conn {
    Postgres(Transaction<'static, Postgres>),
    Sqlite(Transaction<'static, Sqlite>),
    Kept(Lease),
}

impl Tx {
    /// The one moment at which everything in this transaction happens.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// Which of the two databases this runs on.
    #[must_use]
    pub fn engine(&self) -> Engine {
        match &self.conn {
            Conn::Postgres(_) => Engine::Postgres,
            Conn::Sqlite(_) => Engine::Sqlite,
            Conn::Kept(lease) => lease.engine(),
        }
    }

    /// A query to run in this transaction.
    pub fn query(&mut self, sql: impl Into<Sql>) -> Query<'_> {
        let sql = sql.into();
        // A cluster keeps this promise on each node alone.
        debug_assert!(
            !(self.mode == Mode::Write
                && DISTRIBUTED
                    .iter()
                    .any(|(table, _)| sql.postgres.contains(table))),
            "a serializable transaction uses a distributed table: {}",
            sql.postgres
        );
        let fault = self.next_fault();
        // Statements on temporary tables must not outlive them in the connection's cache.
        let persistent = self.mode != Mode::Stage;
        let on = match &mut self.conn {
            Conn::Postgres(tx) => On::postgres(sql, persistent, tx),
            Conn::Sqlite(tx) => On::sqlite(sql, persistent, tx),
            Conn::Kept(lease) => lease.query(sql),
        };
        Query {
            on,
            state: &mut self.state,
            fault,
        }
    }

    /// How the next statement is to fail, where a test wants it, or because there may be no next one.
    pub(super) fn next_fault(&mut self) -> Option<Fault> {
        let races = !matches!(self.mode, Mode::Read | Mode::Stage);
        let fault = self.faults.next().filter(|f| races || *f != Fault::Raced);
        self.statements += 1;
        if !self.mode.is_single() {
            return fault;
        }
        // The first one is committed already.
        if self.statements > 1 {
            return Some(Fault::Refused);
        }
        self.untold = fault == Some(Fault::Unanswered);
        fault.filter(|_| !self.untold)
    }

    /// The connection, if it is of PostgreSQL, and what its statements have done.
    pub(super) fn postgres(&mut self) -> (Option<&mut PgConnection>, &mut State) {
        let conn = match &mut self.conn {
            Conn::Postgres(tx) => Some(&mut **tx),
            Conn::Sqlite(_) => None,
            Conn::Kept(lease) => lease.postgres(),
        };
        (conn, &mut self.state)
    }

    /// Whether a statement failed because the kept connection was lost before it, which nobody could
    /// know. Such a connection is closed.
    fn lost_unseen(&mut self) -> bool {
        match &mut self.conn {
            Conn::Kept(lease) if self.mode.is_single() && self.state == State::Lost => {
                lease.discard();
                !lease.is_new
            }
            _ => false,
        }
    }

    async fn commit(self) -> sqlx::Result<()> {
        if self.untold {
            return Err(Fault::Unanswered.into());
        }
        if self.mode.is_single() {
            return Ok(());
        }
        let fault = self.faults.next();
        if let Some(fault) = fault
            && fault != Fault::Unanswered
        {
            return Err(fault.into());
        }
        match self.conn {
            Conn::Postgres(tx) => tx.commit().await,
            Conn::Sqlite(tx) => tx.commit().await,
            Conn::Kept(lease) => lease.commit().await,
        }?;
        fault.map_or(Ok(()), |fault| Err(fault.into()))
    }
}
