//! Transactions on one of two databases.

use std::{
    hash::{BuildHasher, RandomState},
    time::Duration,
};

use sqlx::{Postgres, Sqlite, Transaction};

use crate::{
    base::{Clock, Timestamp},
    store::{
        DISTRIBUTED, Engine, Error, Fault, Faults, Query, Sql, Target,
        connect::Pool,
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
            Pool::Postgres(_) => Engine::Postgres,
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
        match (body(&mut tx).await, tx.state) {
            (Ok(value), State::Sound) => match tx.commit().await {
                Ok(()) => (false, Ok(value)),
                Err(error) => (is_race(&error), Err(Error::from(error).into())),
            },
            (Ok(_), state) => (state == State::Raced, Err(Error::WentOn.into())),
            (Err(error), state) => (state == State::Raced, Err(error)),
        }
    }

    /// Begin in a task of its own, which nobody can cut off: a handler is dropped when its client goes
    /// away or when another extractor fails, and sqlx 0.9.0 gives a PostgreSQL connection whose
    /// `BEGIN` was cut off back to the pool with the transaction open (transact-rs/sqlx#4385). Once
    /// begun, a transaction that is dropped rolls back.
    async fn begin(&self, mode: Mode) -> Result<Tx, Error> {
        self.refuse()?;
        let pool = self.pool.clone();
        let conn = tokio::spawn(async move { begin(&pool, mode).await })
            .await
            .map_err(|_| Error::Driver(sqlx::Error::PoolClosed))??;
        Ok(Tx {
            conn,
            now: self.clock.now(),
            persistent: !matches!(mode, Mode::Stage),
            serializable: matches!(mode, Mode::Write),
            state: State::Sound,
            races: matches!(mode, Mode::Append | Mode::Write),
            faults: self.faults.clone(),
        })
    }
}

async fn begin(pool: &Pool, mode: Mode) -> Result<Conn, Error> {
    Ok(match pool {
        Pool::Postgres(pool) => Conn::Postgres(
            pool.begin_with(match mode {
                Mode::Read => "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY",
                Mode::Stage => "BEGIN ISOLATION LEVEL REPEATABLE READ",
                Mode::Append => "BEGIN ISOLATION LEVEL READ COMMITTED",
                Mode::Write => "BEGIN ISOLATION LEVEL SERIALIZABLE",
            })
            .await?,
        ),
        // The write lock is taken now, not at the first write, so that a transaction that began by
        // reading cannot fail with `SQLITE_BUSY`.
        Pool::Sqlite { write, read, stage } => Conn::Sqlite(match mode {
            Mode::Read => read.begin_with("BEGIN DEFERRED").await?,
            Mode::Stage => stage.begin_with("BEGIN DEFERRED").await?,
            Mode::Append | Mode::Write => write.begin_with("BEGIN IMMEDIATE").await?,
        }),
    })
}

/// A number that differs from call to call; nothing but a wait depends on it.
fn chance() -> u64 {
    RandomState::new().hash_one(0)
}

#[derive(Clone, Copy, Debug)]
enum Mode {
    Read,
    Append,
    Stage,
    Write,
}

/// A running transaction.
#[derive(Debug)]
pub struct Tx {
    conn: Conn,
    now: Timestamp,
    state: State,
    /// Statements on temporary tables must not outlive them in the connection's cache.
    persistent: bool,
    /// Whether another transaction can win against this one: not where nothing is written.
    races: bool,
    faults: Faults,
    /// Whether it behaves as if run alone, which holds on one node only.
    serializable: bool,
}

#[derive(Debug)]
enum Conn {
    Postgres(Transaction<'static, Postgres>),
    Sqlite(Transaction<'static, Sqlite>),
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
        match self.conn {
            Conn::Postgres(_) => Engine::Postgres,
            Conn::Sqlite(_) => Engine::Sqlite,
        }
    }

    /// A query to run in this transaction.
    pub fn query(&mut self, sql: impl Into<Sql>) -> Query<'_> {
        let sql = sql.into();
        // A cluster keeps this promise on each node alone.
        debug_assert!(
            !(self.serializable
                && DISTRIBUTED
                    .iter()
                    .any(|(table, _)| sql.postgres.contains(table))),
            "a serializable transaction uses a distributed table: {}",
            sql.postgres
        );
        let on = match &mut self.conn {
            Conn::Postgres(tx) => {
                On::Postgres(sqlx::query(sql.postgres).persistent(self.persistent), tx)
            }
            Conn::Sqlite(tx) => On::Sqlite(sqlx::query(sql.sqlite).persistent(self.persistent), tx),
        };
        Query {
            on,
            state: &mut self.state,
            fault: self
                .faults
                .next()
                .filter(|fault| self.races || *fault != Fault::Raced),
        }
    }

    async fn commit(self) -> sqlx::Result<()> {
        let fault = self.faults.next();
        if let Some(fault) = fault
            && fault != Fault::Unanswered
        {
            return Err(fault.into());
        }
        match self.conn {
            Conn::Postgres(tx) => tx.commit().await,
            Conn::Sqlite(tx) => tx.commit().await,
        }?;
        fault.map_or(Ok(()), |fault| Err(fault.into()))
    }
}
