//! What one process tells the others: PostgreSQL's LISTEN and NOTIFY.
//!
//! A notice goes out with the commit of the transaction that sent it, and not at all when that rolls
//! back. It is lost to a process that is not connected just then, so [`Listener::heard`] says when
//! the connection was made anew, and whoever listens also looks by itself from time to time. SQLite
//! has no such thing: there is one process, or a few that look.

use std::time::Duration;

use sqlx::postgres::{PgListener, PgPoolOptions};

use crate::store::{Db, Engine, Error, Sql, Tx, connect::Pool};

/// A number is cast to the text that a notice carries.
const NOTIFY: Sql = Sql::split("SELECT pg_notify($1, $2::bigint::text)", "SELECT $1, $2");

/// How long one try to connect may take.
const PATIENCE: Duration = Duration::from_secs(2);

/// What was heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard {
    /// The number that somebody sent.
    Number(i64),
    /// The connection was lost and is there again: anything may have been missed.
    Gap,
}

/// A connection of its own that waits for notices.
#[derive(Debug)]
pub struct Listener(PgListener);

impl Tx {
    /// Tell every process that listens on `channel`, this one too, the number `about`, when this
    /// transaction is committed. Does nothing in SQLite.
    ///
    /// # Errors
    ///
    /// Those of the database.
    pub async fn notify(&mut self, channel: &'static str, about: i64) -> Result<(), Error> {
        if self.engine() == Engine::Sqlite {
            return Ok(());
        }
        let query = self.query(NOTIFY).bind(channel).bind(about);
        query.execute().await.map(drop)
    }
}

impl Db {
    /// Listen on `channel`; `None` in SQLite.
    ///
    /// # Errors
    ///
    /// When the server cannot be reached.
    pub async fn listen(&self, channel: &'static str) -> Result<Option<Listener>, Error> {
        let Pool::Postgres { pool, .. } = self.pool() else {
            return Ok(None);
        };
        // Apart from the pool of the requests, so that it takes no connection from them and no age
        // ends it. Tries to connect lie up to a fifth of the patience apart.
        let own = PgPoolOptions::new()
            .max_connections(1)
            .acquire_timeout(PATIENCE)
            .idle_timeout(None)
            .max_lifetime(None)
            .connect_lazy_with((*pool.connect_options()).clone());
        let mut listener = PgListener::connect_with(&own).await?;
        listener.ignore_pool_close_event(true);
        listener.listen(channel).await?;
        Ok(Some(Listener(listener)))
    }
}

impl Listener {
    /// Wait for the next notice. A lost connection is made anew once; when that fails too, make
    /// another listener later.
    ///
    /// # Errors
    ///
    /// When the connection was lost and the server cannot be reached.
    pub async fn heard(&mut self) -> Result<Heard, Error> {
        let notice = self.0.try_recv().await?;
        // What is no number was sent by hand; looking at everything is the safe answer.
        let number = notice.and_then(|notice| notice.payload().parse().ok());
        Ok(number.map_or(Heard::Gap, Heard::Number))
    }
}
