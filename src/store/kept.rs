//! A connection that is kept from one transaction to the next.
//!
//! A pool asks whether a connection is still alive when it hands it out and when it gets it back: two
//! waits more than the one for the commit, and on busy cores a wait is what a check-in costs most. What
//! writes all day long keeps its connection instead: in SQLite the one that writes, in PostgreSQL one
//! for the journal. Whoever comes first is served first.

use std::{sync::Arc, time::Duration};

use sqlx::{
    AssertSqlSafe, Connection as _, PgConnection, SqlSafeStr as _, SqliteConnection,
    postgres::PgConnectOptions, sqlite::SqliteConnectOptions,
};
use tokio::{
    sync::{Mutex, OwnedMutexGuard},
    time::timeout,
};

use crate::store::{Engine, Sql, connect::PATIENCE, nearby, query::On};

/// How long a new connection may take.
const CONNECT: Duration = PATIENCE;

/// How it is made.
#[derive(Clone, Debug)]
pub(super) enum Options {
    Postgres(PgConnectOptions),
    /// And what is run on every new connection.
    Sqlite(SqliteConnectOptions, Vec<String>),
}

/// What a commit waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flush {
    /// The disk.
    Now,
    /// In SQLite, nothing: what is lost with the power is as if it had not been done, and the next
    /// commit that waits for the disk takes it along.
    Later,
}

/// The connection; clones are the same one.
#[derive(Clone, Debug)]
pub(super) struct Kept {
    options: Arc<Options>,
    held: Arc<Mutex<Held>>,
}

#[derive(Debug, Default)]
struct Held {
    live: Option<Live>,
    /// What its commits wait for; `None` if that is not known.
    flush: Option<Flush>,
    closed: bool,
}

#[derive(Debug)]
enum Live {
    /// And whether it is a socket of this machine.
    Postgres(PgConnection, bool),
    Sqlite(SqliteConnection),
}

/// The connection in use. Dropped before its end, a transaction is rolled back before anybody else
/// gets the connection.
#[derive(Debug)]
pub(super) struct Lease {
    held: Option<OwnedMutexGuard<Held>>,
    engine: Engine,
    /// Whether a transaction is open on it.
    open: bool,
    /// Whether the connection was made for this use.
    pub(super) is_new: bool,
}

impl Kept {
    pub(super) fn new(options: Options) -> Self {
        Self {
            options: Arc::new(options),
            held: Arc::default(),
        }
    }

    /// Wait for the connection, and begin with `text` if there is one.
    pub(super) async fn lease(
        &self,
        text: Option<&'static str>,
        flush: Flush,
    ) -> sqlx::Result<Lease> {
        let held = timeout(PATIENCE, Arc::clone(&self.held).lock_owned())
            .await
            .map_err(|_| sqlx::Error::PoolTimedOut)?;
        if held.closed {
            return Err(sqlx::Error::PoolClosed);
        }
        let engine = match *self.options {
            Options::Postgres(_) => Engine::Postgres,
            Options::Sqlite(..) => Engine::Sqlite,
        };
        let mut lease = Lease {
            is_new: held.live.is_none(),
            held: Some(held),
            engine,
            open: false,
        };
        lease.connect(&self.options).await?;
        lease.set(flush).await?;
        if let Some(text) = text {
            match lease.begin(text).await {
                // It was lost while nobody looked.
                Err(error) if !lease.is_new && error.as_database_error().is_none() => {
                    lease.discard();
                    lease.connect(&self.options).await?;
                    lease.set(flush).await?;
                    lease.begin(text).await?;
                }
                begun => begun?,
            }
        }
        Ok(lease)
    }

    /// Close it, once nobody uses it; the last connection to a SQLite file folds the log back.
    pub(super) async fn close(&self) {
        let mut held = self.held.lock().await;
        held.closed = true;
        // The other side may be gone; there is nothing more to lose.
        let _ = match held.live.take() {
            Some(Live::Postgres(conn, _)) => conn.close().await,
            Some(Live::Sqlite(conn)) => conn.close().await,
            None => Ok(()),
        };
    }
}

impl Lease {
    pub(super) fn engine(&self) -> Engine {
        self.engine
    }

    fn live(&mut self) -> Option<&mut Live> {
        self.held.as_mut()?.live.as_mut()
    }

    /// Whether sending to it twice before it answers costs no wait.
    pub(super) fn is_near(&self) -> bool {
        let live = self.held.as_ref().and_then(|held| held.live.as_ref());
        matches!(live, Some(Live::Postgres(_, true)))
    }

    /// A query to run on it.
    pub(super) fn query(&mut self, sql: Sql) -> On<'_> {
        match self.live() {
            Some(Live::Postgres(conn, _)) => On::postgres(sql, true, conn),
            Some(Live::Sqlite(conn)) => On::sqlite(sql, true, conn),
            None => On::Gone,
        }
    }

    /// The connection, if it is of PostgreSQL.
    pub(super) fn postgres(&mut self) -> Option<&mut PgConnection> {
        match self.live()? {
            Live::Postgres(conn, _) => Some(conn),
            Live::Sqlite(_) => None,
        }
    }

    /// The connection, if it is of SQLite.
    pub(super) fn sqlite(&mut self) -> Option<&mut SqliteConnection> {
        match self.live()? {
            Live::Sqlite(conn) => Some(conn),
            Live::Postgres(..) => None,
        }
    }

    async fn connect(&mut self, options: &Options) -> sqlx::Result<()> {
        if self.live().is_some() {
            return Ok(());
        }
        self.is_new = true;
        let live = timeout(CONNECT, async {
            Ok::<_, sqlx::Error>(match options {
                Options::Postgres(options) => {
                    let (conn, is_near) = nearby::connect(options).await?;
                    Live::Postgres(conn, is_near)
                }
                Options::Sqlite(options, first) => {
                    let mut conn = SqliteConnection::connect_with(options).await?;
                    for text in first {
                        let text = AssertSqlSafe(text.clone()).into_sql_str();
                        sqlx::raw_sql(text).execute(&mut conn).await?;
                    }
                    Live::Sqlite(conn)
                }
            })
        });
        let live = live.await.map_err(|_| sqlx::Error::PoolTimedOut)??;
        if let Some(held) = &mut self.held {
            held.live = Some(live);
            held.flush = Some(Flush::Now);
        }
        Ok(())
    }

    async fn run(&mut self, text: &'static str) -> sqlx::Result<()> {
        match self.live() {
            Some(Live::Postgres(conn, _)) => sqlx::raw_sql(text).execute(conn).await.map(drop),
            Some(Live::Sqlite(conn)) => sqlx::query(text).execute(conn).await.map(drop),
            None => Err(sqlx::Error::PoolClosed),
        }
    }

    async fn set(&mut self, flush: Flush) -> sqlx::Result<()> {
        let known = self
            .held
            .as_mut()
            .and_then(|held| held.flush.replace(flush));
        if known == Some(flush) || self.engine == Engine::Postgres {
            return Ok(());
        }
        let text = match flush {
            Flush::Now => "PRAGMA synchronous = FULL",
            Flush::Later => "PRAGMA synchronous = NORMAL",
        };
        let done = self.run(text).await;
        if done.is_err() {
            self.discard();
        }
        done
    }

    async fn begin(&mut self, text: &'static str) -> sqlx::Result<()> {
        self.open = true;
        self.run(text).await
    }

    pub(super) async fn commit(mut self) -> sqlx::Result<()> {
        self.run("COMMIT").await?;
        self.open = false;
        Ok(())
    }

    /// Close the connection; the next user makes another one.
    pub(super) fn discard(&mut self) {
        self.open = false;
        if let Some(held) = &mut self.held {
            held.live = None;
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if !self.open {
            return;
        }
        let mut lease = Self {
            held: self.held.take(),
            open: false,
            ..*self
        };
        match tokio::runtime::Handle::try_current() {
            Ok(runtime) => drop(runtime.spawn(async move {
                // SQLite has already rolled back when the disk was full, and then refuses; whatever the
                // cause, a new connection has no transaction.
                if lease.run("ROLLBACK").await.is_err() {
                    lease.discard();
                }
            })),
            Err(_) => lease.discard(),
        }
    }
}
