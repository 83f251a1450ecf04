//! What was erased leaves the files too, as far as a program can see to it.

use crate::store::{Db, Error, connect::Pool, kept::Flush};

impl Db {
    /// After keys were destroyed: take what stood in their place out of the files. False when others
    /// were reading and some of it is left; then do it again later.
    ///
    /// SQLite overwrites what is erased (`secure_delete`), but the pages before it stand in the
    /// write-ahead log until that is folded back and cut. PostgreSQL keeps the old version of a row
    /// until the table is written anew. What PostgreSQL's own log and its archive hold goes only with
    /// them: deploy/KEYS.md.
    ///
    /// # Errors
    ///
    /// Those of the database.
    pub async fn scrub(&self) -> Result<bool, Error> {
        self.refuse()?;
        match self.pool() {
            Pool::Sqlite { kept, .. } => {
                let mut lease = kept.lease(None, Flush::Now).await?;
                let conn = lease.sqlite().ok_or(sqlx::Error::PoolClosed)?;
                let (busy, _, _): (i64, i64, i64) =
                    sqlx::query_as("PRAGMA wal_checkpoint(TRUNCATE)")
                        .fetch_one(conn)
                        .await?;
                Ok(busy == 0)
            }
            Pool::Postgres { pool, .. } => {
                for text in ["VACUUM FULL day_keys", "VACUUM FULL service_keys"] {
                    match sqlx::query(text).execute(pool).await {
                        Ok(_) => {}
                        // Somebody reads it for longer than this may wait.
                        Err(sqlx::Error::Database(error))
                            if error.code().as_deref() == Some("55P03") =>
                        {
                            return Ok(false);
                        }
                        Err(error) => return Err(error.into()),
                    }
                }
                Ok(true)
            }
        }
    }
}
