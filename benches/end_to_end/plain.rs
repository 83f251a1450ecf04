//! What people usually build: a table, an `INSERT` a request, and a pool.

use diem_kiem_dich::{checkins::store::Row, store::Target};
use sqlx::{
    PgPool, SqlitePool,
    postgres::PgPoolOptions,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

/// A table of check-ins with the keys that lookups need, and nothing else.
#[derive(Clone)]
pub enum Plain {
    Postgres(PgPool),
    Sqlite(SqlitePool),
}

impl Plain {
    /// Durable as the service is: PostgreSQL as it comes, SQLite with a log that is synced at every
    /// commit and one connection that writes.
    pub async fn open(target: &Target) -> Self {
        let plain = match target {
            Target::Postgres(url, connections) => Self::Postgres(
                PgPoolOptions::new()
                    .max_connections(*connections)
                    .connect(url)
                    .await
                    .unwrap(),
            ),
            Target::Sqlite(path) => Self::Sqlite(
                SqlitePoolOptions::new()
                    .max_connections(1)
                    .acquire_timeout(std::time::Duration::from_mins(1))
                    .connect_with(
                        SqliteConnectOptions::new()
                            .filename(path.with_extension("plain.db"))
                            .create_if_missing(true)
                            .journal_mode(SqliteJournalMode::Wal)
                            .synchronous(SqliteSynchronous::Full),
                    )
                    .await
                    .unwrap(),
            ),
        };
        match &plain {
            Self::Postgres(pool) => {
                for text in [
                    "CREATE TABLE IF NOT EXISTS plain (
                         checkpoint_id bigint NOT NULL, id uuid PRIMARY KEY, person_id bytea NOT NULL,
                         entered_at bigint NOT NULL, source text NOT NULL, assurance text NOT NULL,
                         headcount integer NOT NULL, declaration_id uuid)",
                    "CREATE INDEX IF NOT EXISTS plain_place ON plain (checkpoint_id, entered_at)",
                    "CREATE INDEX IF NOT EXISTS plain_person ON plain (person_id, entered_at)",
                ] {
                    sqlx::query(text).execute(pool).await.unwrap();
                }
            }
            Self::Sqlite(pool) => {
                for text in [
                    "CREATE TABLE IF NOT EXISTS plain (
                         checkpoint_id INTEGER NOT NULL, id BLOB PRIMARY KEY, person_id BLOB NOT NULL,
                         entered_at INTEGER NOT NULL, source TEXT NOT NULL, assurance TEXT NOT NULL,
                         headcount INTEGER NOT NULL, declaration_id BLOB)",
                    "CREATE INDEX IF NOT EXISTS plain_place ON plain (checkpoint_id, entered_at)",
                    "CREATE INDEX IF NOT EXISTS plain_person ON plain (person_id, entered_at)",
                ] {
                    sqlx::query(text).execute(pool).await.unwrap();
                }
            }
        }
        plain
    }

    /// Store one row.
    pub async fn insert(&self, row: &Row) -> sqlx::Result<()> {
        macro_rules! insert {
            ($pool:expr) => {
                sqlx::query(INSERT)
                    .bind(row.checkpoint_id)
                    .bind(row.id)
                    .bind(row.person.as_bytes().as_slice())
                    .bind(row.entered_at())
                    .bind(row.source)
                    .bind(row.assurance)
                    .bind(1_i32)
                    .bind(row.declaration_id)
                    .execute($pool)
                    .await
                    .map(drop)
            };
        }
        match self {
            Self::Postgres(pool) => insert!(pool),
            Self::Sqlite(pool) => insert!(pool),
        }
    }

    /// How many rows there are.
    pub async fn count(&self) -> u64 {
        let text = "SELECT COUNT(*) FROM plain";
        let (count,): (i64,) = match self {
            Self::Postgres(pool) => sqlx::query_as(text).fetch_one(pool).await.unwrap(),
            Self::Sqlite(pool) => sqlx::query_as(text).fetch_one(pool).await.unwrap(),
        };
        u64::try_from(count).unwrap()
    }
}

const INSERT: &str = "INSERT INTO plain
     (checkpoint_id, id, person_id, entered_at, source, assurance, headcount, declaration_id)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (id) DO NOTHING";
