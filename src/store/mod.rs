//! The store: one SQL text on SQLite and PostgreSQL.
//!
//! This room alone names the two drivers. There is no trait with one implementation per database:
//! the two are a closed set, so an `enum` keeps each decision in one place and type bounds out of
//! every caller. A text is a `&'static str` with `$1`-style parameters that both read;
//! [`Sql::split`] holds the few that cannot be shared, and a test prepares every text of the
//! program on both.
//!
//! Traps that shaped it:
//! - PostgreSQL answers `COMMIT` after a failed statement with a rollback that the driver reports
//!   as success; here neither engine commits ([`Error::WentOn`]).
//! - SQLite's plain `BEGIN` fails when it upgrades from reading to writing, so writers begin with
//!   `BEGIN IMMEDIATE`, on one connection, and readers have a pool of their own.
//! - A `begin` that is cancelled leaves the connection with an open transaction (sqlx 0.9.0), so it
//!   runs in a task of its own, which nobody can cancel.

mod cells;
mod connect;
mod copy;
mod db;
mod distribute;
mod faults;
mod kept;
mod listen;
mod migrate;
mod nearby;
mod packed;
mod partitions;
mod query;
mod scrub;
mod tables;
mod time;

pub use cells::{Cell, Filler};
pub use connect::{Engine, Target};
pub use copy::Copy;
pub use db::{Db, Tx};
pub use distribute::{DISTRIBUTED, Distributed, NotDistributed};
pub use faults::{Fault, Faults};
pub use listen::{Heard, Listener};
pub use packed::{Packed, places};
pub use partitions::{Daily, drop_partition, ensure_partitions, partition_days};
pub use query::{Query, Record, Sql, Value};
pub use tables::{Column, ColumnKind, Table, tables};

use crate::base::{Failure, Kind};

/// A failure of the database or of its contents.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The row already exists.
    #[error("conflicts with a stored row")]
    Conflict,
    /// The driver failed.
    #[error("database failure")]
    Driver(#[source] sqlx::Error),
    /// A row breaks a rule of the schema.
    #[error("{0}")]
    Refused(&'static str),
    /// A transaction went on after a query had failed, and was rolled back.
    #[error("went on after a failed query")]
    WentOn,
    /// The transaction lost every race that it was run for.
    #[error("lost against other transactions, again and again")]
    Raced,
    /// What was to be done could not be written to the audit log, so it was not done.
    #[error("the audit log could not be written")]
    Unrecorded(#[source] Box<Error>),
    /// The schema holds migrations that this program does not know.
    #[error(
        "the database was written by a newer version of this program; run that version, or restore a backup made before it"
    )]
    Newer,
    /// A stored migration could not be applied.
    #[error("the schema could not be brought up to date")]
    Migrate(#[source] sqlx::migrate::MigrateError),
    /// The tables cannot be spread over a cluster.
    #[error("{0}")]
    NotDistributed(#[from] NotDistributed),
    /// The database URL cannot be read.
    #[error("the database URL must be postgres://…, sqlite:FILE or empty")]
    Url(#[source] Option<sqlx::Error>),
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        match error.as_database_error() {
            Some(db) if db.is_unique_violation() => Self::Conflict,
            _ => Self::Driver(error),
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match error {
            Error::Conflict => Kind::Conflict.into(),
            Error::Driver(ref cause) if passes(cause) => Self {
                source: Some(Box::new(error)),
                ..Self::busy(2)
            },
            Error::Raced => Self::busy(1),
            Error::Unrecorded(_) => Self {
                source: Some(Box::new(error)),
                ..Self::busy(5)
            },
            other => Self::internal(other),
        }
    }
}

/// Whether it will work again without anybody changing the program: the database is out of reach,
/// starting, stopping, overrun, out of room or out of time.
fn passes(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed
        | sqlx::Error::Io(_) => true,
        sqlx::Error::Database(error) => error.code().is_some_and(|code| code_passes(&code)),
        _ => false,
    }
}

/// PostgreSQL's codes have five characters (its manual, appendix A): 08 connection, 53 resources, 57
/// stopped by an operator or by a time limit, 58 the system around it, and three of their own.
/// SQLite's are numbers whose lowest byte is the kind: 5 busy, 6 locked, 10 input and output, 13
/// full, 14 cannot open.
fn code_passes(code: &str) -> bool {
    if code.len() == 5 {
        let lock_timeout = "55P03";
        let standby = "25006";
        let idle_in_transaction = "25P03";
        return ["08", "53", "57", "58"]
            .iter()
            .any(|class| code.starts_with(class))
            || [lock_timeout, standby, idle_in_transaction].contains(&code);
    }
    matches!(
        code.parse::<u32>().map(|code| code & 0xff),
        Ok(5 | 6 | 10 | 13 | 14)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_passes_is_told_from_what_does_not() {
        for code in [
            "57P01", "57P02", "57P03", "57014", "53100", "53300", "08006", "58030", "55P03",
        ] {
            assert!(code_passes(code), "{code}");
        }
        for code in ["5", "13", "778", "4874", "14"] {
            assert!(code_passes(code), "{code}");
        }
        for code in [
            "23505", "42601", "22003", "XX000", "1", "1555", "2067", "11", "26", "",
        ] {
            assert!(!code_passes(code), "{code}");
        }
    }
}
