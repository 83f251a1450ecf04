//! One query for either database: its text, its values and its rows.
//!
//! A text is a `&'static str` with `$1`-style parameters, which both drivers
//! read; [`Sql::split`] holds the few that cannot be shared. The bounds on values
//! and rows are supertraits, so callers get them without naming a driver.

use futures_util::{Stream, TryStreamExt};
use sqlx::{
    Database, Encode, FromRow, PgConnection, Postgres, Sqlite, SqliteConnection, Type,
    error::DatabaseError, postgres::PgRow, sqlite::SqliteRow,
};

use crate::store::{Error, Fault};

/// A value that both databases can store.
pub trait Value:
    for<'q> Encode<'q, Postgres> + Type<Postgres> + for<'q> Encode<'q, Sqlite> + Type<Sqlite> + Send
{
}
impl<T> Value for T where
    T: for<'q> Encode<'q, Postgres>
        + Type<Postgres>
        + for<'q> Encode<'q, Sqlite>
        + Type<Sqlite>
        + Send
{
}

/// A struct or tuple that can be read from a row of both databases.
pub trait Record:
    for<'r> FromRow<'r, PgRow> + for<'r> FromRow<'r, SqliteRow> + Send + Unpin
{
}
impl<T> Record for T where
    T: for<'r> FromRow<'r, PgRow> + for<'r> FromRow<'r, SqliteRow> + Send + Unpin
{
}

/// One SQL text for both databases, or one for each.
#[derive(Clone, Copy, Debug)]
pub struct Sql {
    pub(crate) postgres: &'static str,
    pub(crate) sqlite: &'static str,
}

impl Sql {
    /// A text for each database, for the few that cannot be shared.
    #[must_use]
    pub const fn split(postgres: &'static str, sqlite: &'static str) -> Self {
        Self { postgres, sqlite }
    }
}

impl From<&'static str> for Sql {
    fn from(text: &'static str) -> Self {
        Self::split(text, text)
    }
}

/// A query with the values bound so far.
#[must_use = "a query does nothing until it is run"]
pub struct Query<'t> {
    pub(crate) on: On<'t>,
    pub(crate) state: &'t mut State,
    /// How this call is to fail, where a test wants it to.
    pub(super) fault: Option<Fault>,
}

/// The same query, for whichever database the transaction is on.
pub(crate) enum On<'t> {
    Postgres(Bound<Postgres>, &'t mut PgConnection),
    Sqlite(Bound<Sqlite>, &'t mut SqliteConnection),
    /// The connection is closed.
    Gone,
}

impl<'t> On<'t> {
    pub(super) fn postgres(sql: Sql, persistent: bool, conn: &'t mut PgConnection) -> Self {
        Self::Postgres(sqlx::query(sql.postgres).persistent(persistent), conn)
    }

    pub(super) fn sqlite(sql: Sql, persistent: bool, conn: &'t mut SqliteConnection) -> Self {
        Self::Sqlite(sqlx::query(sql.sqlite).persistent(persistent), conn)
    }
}

pub(crate) type Bound<DB> = sqlx::query::Query<'static, DB, <DB as Database>::Arguments>;

impl Query<'_> {
    /// Bind the next `$n`.
    pub fn bind<T: Value>(mut self, value: T) -> Self {
        self.on = match self.on {
            On::Postgres(query, conn) => On::Postgres(query.bind(value), conn),
            On::Sqlite(query, conn) => On::Sqlite(query.bind(value), conn),
            On::Gone => On::Gone,
        };
        self
    }

    /// Bind the next `$n` of the PostgreSQL text only: arrays for `UNNEST`.
    pub fn bind_postgres<T>(mut self, value: T) -> Self
    where
        T: for<'q> Encode<'q, Postgres> + Type<Postgres> + Send,
    {
        if let On::Postgres(query, conn) = self.on {
            self.on = On::Postgres(query.bind(value), conn);
        }
        self
    }

    /// Bind the next `$n` of the SQLite text only: JSON and packed bytes for `json_each`.
    pub fn bind_sqlite<T>(mut self, value: T) -> Self
    where
        T: for<'q> Encode<'q, Sqlite> + Type<Sqlite> + Send,
    {
        if let On::Sqlite(query, conn) = self.on {
            self.on = On::Sqlite(query.bind(value), conn);
        }
        self
    }

    /// Run, and say how many rows were touched.
    ///
    /// # Errors
    ///
    /// When the database refuses.
    pub async fn execute(self) -> Result<u64, Error> {
        self.state.refuse(self.fault)?;
        let done = match self.on {
            On::Postgres(query, conn) => query.execute(conn).await.map(|r| r.rows_affected()),
            On::Sqlite(query, conn) => query.execute(conn).await.map(|r| r.rows_affected()),
            On::Gone => Err(sqlx::Error::PoolClosed),
        };
        seen(self.state, done)
    }

    /// Run, and read the row if there is one.
    ///
    /// # Errors
    ///
    /// When the database refuses, or the row is not a `T`.
    pub async fn optional<T: Record>(self) -> Result<Option<T>, Error> {
        self.state.refuse(self.fault)?;
        let row = match self.on {
            On::Postgres(query, conn) => first(query.fetch(conn))
                .await
                .and_then(|row| row.as_ref().map(T::from_row).transpose()),
            On::Sqlite(query, conn) => first(query.fetch(conn))
                .await
                .and_then(|row| row.as_ref().map(T::from_row).transpose()),
            On::Gone => Err(sqlx::Error::PoolClosed),
        };
        seen(self.state, row)
    }

    /// Run, and read the only row.
    ///
    /// # Errors
    ///
    /// As [`Self::optional`], or when there is no row.
    pub async fn one<T: Record>(self) -> Result<T, Error> {
        self.optional()
            .await?
            .ok_or_else(|| sqlx::Error::RowNotFound.into())
    }

    /// Run, and hand each row to `each` as it arrives, without holding them all.
    ///
    /// # Errors
    ///
    /// When the database refuses, a row is not a `T`, or `each` gives up.
    pub async fn for_each<T: Record, E: From<Error>>(
        self,
        mut each: impl FnMut(T) -> Result<(), E>,
    ) -> Result<(), E> {
        self.state.refuse(self.fault)?;
        let Query { on, state, .. } = self;
        match on {
            On::Postgres(query, conn) => {
                let mut rows = query.fetch(conn);
                while let Some(row) = seen(state, rows.try_next().await)? {
                    each(seen(state, T::from_row(&row))?)?;
                }
            }
            On::Sqlite(query, conn) => {
                let mut rows = query.fetch(conn);
                while let Some(row) = seen(state, rows.try_next().await)? {
                    each(seen(state, T::from_row(&row))?)?;
                }
            }
            On::Gone => seen(state, Err(sqlx::Error::PoolClosed))?,
        }
        Ok(())
    }

    /// Run, and read all rows. The caller bounds them with `LIMIT`.
    ///
    /// # Errors
    ///
    /// When the database refuses, or a row is not a `T`.
    pub async fn all<T: Record>(self) -> Result<Vec<T>, Error> {
        self.state.refuse(self.fault)?;
        let rows = match self.on {
            On::Postgres(query, conn) => query
                .fetch_all(conn)
                .await
                .and_then(|rows| rows.iter().map(T::from_row).collect()),
            On::Sqlite(query, conn) => query
                .fetch_all(conn)
                .await
                .and_then(|rows| rows.iter().map(T::from_row).collect()),
            On::Gone => Err(sqlx::Error::PoolClosed),
        };
        seen(self.state, rows)
    }
}

/// The first of `rows`, after all of them: where the statement is the transaction, its commit comes after
/// its last row, and may fail. (The driver's own way stops at the first one, and SQLite then commits
/// with nobody listening.)
async fn first<R>(
    mut rows: impl Stream<Item = sqlx::Result<R>> + Unpin,
) -> sqlx::Result<Option<R>> {
    let first = rows.try_next().await?;
    while rows.try_next().await?.is_some() {}
    Ok(first)
}

/// What the queries so far have done to their transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Sound,
    Failed,
    /// The connection is of no more use.
    Lost,
    Raced,
}

impl State {
    /// Fail before the database is asked, where a test wants it.
    pub(super) fn refuse(&mut self, fault: Option<Fault>) -> Result<(), Error> {
        match fault {
            None => Ok(()),
            Some(fault) => seen(self, Err(fault.into())),
        }
    }
}

/// Note a failure on the way out, so that the transaction is not committed, and
/// a lost race, so that it is run again.
pub(super) fn seen<T>(state: &mut State, result: sqlx::Result<T>) -> Result<T, Error> {
    result.map_err(|error| {
        if is_race(&error) {
            *state = State::Raced;
        } else if *state == State::Sound {
            *state = match error {
                sqlx::Error::Io(_)
                | sqlx::Error::Protocol(_)
                | sqlx::Error::PoolClosed
                | sqlx::Error::WorkerCrashed => State::Lost,
                _ => State::Failed,
            };
        }
        error.into()
    })
}

/// Whether another transaction won: PostgreSQL's serialization failure and
/// deadlock, SQLite's busy snapshot.
pub(crate) fn is_race(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(DatabaseError::code);
    matches!(code.as_deref(), Some("40001" | "40P01" | "517"))
}
