//! How the two databases are opened.

use std::{path::PathBuf, time::Duration};

use sqlx::{
    PgPool, SqlitePool,
    postgres::{PgConnectOptions, PgPoolOptions},
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

use crate::store::{
    Error,
    kept::{Flush, Kept, Options},
};

/// How long to wait for a connection or a lock before the caller is told to come back.
pub(super) const PATIENCE: Duration = Duration::from_secs(3);

/// Connections that read SQLite side by side.
const SQLITE_READERS: u32 = 4;

/// Exposure runs on SQLite at the same time.
const SQLITE_STAGES: u32 = 2;

/// Acknowledged check-ins and check-outs that are not in their tables yet, a batch in a row. A number is
/// never used again: another process may still remember what it stood for.
const LOG: &str = "CREATE TABLE IF NOT EXISTS journal (
     seq        INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
     format     INTEGER NOT NULL,
     arrivals   BLOB NOT NULL,
     seats      BLOB NOT NULL,
     departures BLOB NOT NULL
 ) STRICT";

/// Which of the two databases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// Embedded, one file.
    Sqlite,
    /// A server.
    Postgres,
}

/// Where the data is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// A SQLite file, made if there is none.
    Sqlite(PathBuf),
    /// A PostgreSQL server, by URL, and how many connections to open at most.
    Postgres(String, u32),
}

impl Target {
    /// Which of the two databases this is.
    #[must_use]
    pub fn engine(&self) -> Engine {
        match self {
            Self::Sqlite(_) => Engine::Sqlite,
            Self::Postgres(..) => Engine::Postgres,
        }
    }
}

#[derive(Clone, Debug)]
pub(super) enum Pool {
    Postgres {
        pool: PgPool,
        /// The journal's.
        kept: Kept,
    },
    Sqlite {
        /// SQLite has one writer at a time. With one connection to write on, writers queue for it, in
        /// order, and not on the lock of the file.
        kept: Kept,
        /// The journal's own file, which waits for nobody who writes in the other one.
        log: Kept,
        read: SqlitePool,
        /// Opened read-only but free to make temporary tables, which `query_only` would refuse.
        stage: SqlitePool,
    },
}

impl Pool {
    pub(super) async fn open(target: &Target) -> Result<Self, Error> {
        match target {
            Target::Postgres(url, connections) => postgres(url, *connections).await,
            Target::Sqlite(path) => sqlite(path).await,
        }
    }

    pub(super) async fn close(&self) {
        match self {
            Self::Postgres { pool, kept } => {
                kept.close().await;
                pool.close().await;
            }
            Self::Sqlite {
                kept,
                log,
                read,
                stage,
            } => {
                log.close().await;
                stage.close().await;
                read.close().await;
                kept.close().await;
            }
        }
    }
}

/// The server bounds statements, locks and idle transactions: a client that times out around a
/// transaction would poison the connection instead.
async fn postgres(url: &str, connections: u32) -> Result<Pool, Error> {
    let options: PgConnectOptions = url
        .parse::<PgConnectOptions>()
        .map_err(|error| Error::Url(Some(error)))?
        .application_name("diem-kiem-dich")
        .options([
            ("statement_timeout", "15s"),
            ("lock_timeout", "2s"),
            ("idle_in_transaction_session_timeout", "15s"),
        ]);
    let pool = PgPoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(PATIENCE)
        .max_lifetime(Duration::from_mins(10))
        .connect_with(options.clone())
        .await?;
    let kept = Kept::new(Options::Postgres(options));
    Ok(Pool::Postgres { pool, kept })
}

/// A commit is on the disk before it is reported (`synchronous = FULL`), reads do not wait for the
/// writer (`journal_mode = WAL`), what is erased is overwritten (`secure_delete`), and foreign keys
/// hold.
async fn sqlite(path: &std::path::Path) -> Result<Pool, Error> {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(PATIENCE)
        .pragma("secure_delete", "ON");
    // The writer first: it makes the file and puts it into WAL mode. It keeps 64 MB of pages, for rows
    // that are merged fall on many of them, and copies them into the file as seldom.
    let kept = Kept::new(Options::Sqlite(
        options
            .clone()
            .pragma("cache_size", "-65536")
            .pragma("temp_store", "MEMORY")
            .pragma("wal_autocheckpoint", "16384"),
        Vec::new(),
    ));
    kept.lease(None, Flush::Now).await?;
    let pool = |connections| {
        SqlitePoolOptions::new()
            .max_connections(connections)
            .acquire_timeout(PATIENCE)
    };
    let read = pool(SQLITE_READERS)
        .connect_with(options.clone().pragma("query_only", "ON"))
        .await?;
    let stage = pool(SQLITE_STAGES).connect_lazy_with(
        SqliteConnectOptions::new()
            .filename(path)
            .read_only(true)
            .busy_timeout(PATIENCE)
            .pragma("temp_store", "MEMORY"),
    );
    let main = path.display().to_string().replace('\'', "''");
    let log = Kept::new(Options::Sqlite(
        options
            .filename(path.with_extension("log.db"))
            .pragma("wal_autocheckpoint", "8192"),
        vec![
            LOG.to_owned(),
            format!("ATTACH DATABASE '{main}' AS stored"),
        ],
    ));
    log.lease(None, Flush::Now).await?;
    Ok(Pool::Sqlite {
        kept,
        log,
        read,
        stage,
    })
}
