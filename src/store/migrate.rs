//! Bringing the schema up to date: forward only, the same file names for both engines.

use sqlx::migrate::{MigrateError, Migrator};

use crate::store::{Db, Error, connect::Pool, kept::Flush};

static POSTGRES: Migrator = sqlx::migrate!("migrations/postgres");
static SQLITE: Migrator = sqlx::migrate!("migrations/sqlite");

impl Db {
    /// Bring the schema up to date, and say how many migrations the program knows.
    ///
    /// # Errors
    ///
    /// [`Error::Newer`] when the schema holds a migration that this program does not know, and
    /// when a migration does not apply.
    pub async fn migrate(&self) -> Result<usize, Error> {
        let (done, known) = match self.pool() {
            Pool::Postgres { pool, .. } => (POSTGRES.run(pool).await, POSTGRES.iter().count()),
            Pool::Sqlite { kept, .. } => {
                let mut lease = kept.lease(None, Flush::Now).await?;
                let conn = lease.sqlite().ok_or(sqlx::Error::PoolClosed)?;
                (SQLITE.run(conn).await, SQLITE.iter().count())
            }
        };
        match done {
            Ok(()) => Ok(known),
            Err(MigrateError::VersionMissing(_) | MigrateError::VersionTooNew(..)) => {
                Err(Error::Newer)
            }
            Err(other) => Err(Error::Migrate(other)),
        }
    }
}

/// The texts of PostgreSQL's migrations, in their order: they name the kind of every column.
pub(super) fn postgres_texts() -> Vec<String> {
    POSTGRES
        .iter()
        .map(|migration| migration.sql.as_str().to_owned())
        .collect()
}
