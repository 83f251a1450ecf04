//! What was erased leaves the files too, as far as a program can see to it.

use std::sync::atomic::Ordering;

use crate::store::{
    Db, Engine, Error,
    connect::Pool,
    kept::{Flush, Kept},
};

impl Db {
    /// Note that rows were erased that nobody may find in the files any more, so that a worker scrubs
    /// them; nothing waits for it here.
    ///
    /// Nothing is noted on PostgreSQL: only writing whole days of check-ins and declarations anew, under
    /// a lock that stops every door, would take the old versions of a few rows out. They are sealed, go
    /// with the next `VACUUM` that it runs by itself, and open no longer than their day's key is kept.
    pub fn erased(&self) {
        if self.engine() == Engine::Sqlite {
            self.unclean.store(true, Ordering::Release);
        }
    }

    /// Whether something was erased since the files were last scrubbed.
    #[must_use]
    pub fn is_unclean(&self) -> bool {
        self.unclean.load(Ordering::Acquire)
    }

    /// After keys were destroyed or rows erased: take what stood in their place out of the files. False when others
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
        // What is erased from here on is for the next time.
        let was_unclean = self.unclean.swap(false, Ordering::AcqRel);
        let clean = self.rewrite().await;
        if was_unclean && !matches!(clean, Ok(true)) {
            self.unclean.store(true, Ordering::Release);
        }
        clean
    }

    async fn rewrite(&self) -> Result<bool, Error> {
        self.refuse()?;
        match self.pool() {
            // What came in stood in the journal's file first.
            Pool::Sqlite { kept, log, .. } => Ok(cut(kept).await? & cut(log).await?),
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

/// Fold the write-ahead log of a file back and cut it; false when somebody was reading it.
async fn cut(file: &Kept) -> Result<bool, Error> {
    let mut lease = file.lease(None, Flush::Now).await?;
    let conn = lease.sqlite().ok_or(sqlx::Error::PoolClosed)?;
    let (busy, _, _): (i64, i64, i64) = sqlx::query_as("PRAGMA main.wal_checkpoint(TRUNCATE)")
        .fetch_one(conn)
        .await?;
    Ok(busy == 0)
}
