//! Backup and restore: one file that belongs to no engine, and that does not undo erasure.
//!
//! The file holds every table but the sessions and marks, row by row, in compressed chunks that are sealed in
//! their order (`format`). It opens with the master key. What passes (check-ins, declarations) is
//! sealed by a key of its own, and the key of each day is wrapped once more, both by *backup keys* that
//! stand in no backup and go when their day does ([`crate::privacy::escrow`]): from then on the rest of
//! the file still opens, and they never do, whoever has the file and the master key.

mod fill;
mod format;
mod make;
mod read;
mod restore;
#[cfg(test)]
mod tests;
mod write;

use std::{io, path::PathBuf};

pub use make::{Made, make};
pub use restore::{Restored, restore};

use super::keys::Untended;
use crate::{
    privacy::{NoKey, escrow::NoEscrow},
    store,
};

/// Tables whose rows are past their retention one day, and then shut in every backup.
const PASSING: [&str; 4] = ["check_ins", "declarations", "passes", "corrections"];

/// Tables that no backup holds: a session that was ended must not come back, nor a message that was sent,
/// and how far something had come is true of one store alone.
const LEFT_OUT: [&str; 5] = [
    "sessions",
    "person_sessions",
    "otp_codes",
    "outbox",
    "marks",
];

/// Every table that is treated in a way of its own, so that a test finds one that was renamed.
#[must_use]
pub fn special_tables() -> Vec<&'static str> {
    let own = ["master_keys", "service_keys", "day_keys"];
    PASSING.into_iter().chain(LEFT_OUT).chain(own).collect()
}

/// A backup cannot be made or restored.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    /// A file cannot be read or written.
    #[error("{path}: {1}", path = .0.display())]
    File(PathBuf, #[source] io::Error),
    /// The file ends before its end.
    #[error("the backup is cut off; use another copy of it")]
    Cut,
    /// The file is not what was written.
    #[error("the backup was changed or damaged ({0}); use another copy of it")]
    Changed(&'static str),
    /// It is no backup at all, or one of a later version.
    #[error("{0}")]
    Foreign(&'static str),
    /// Another master key is needed.
    #[error(
        "the master key does not open this backup; give the one that was in use when it was made, beside the present one if there is another"
    )]
    WrongMaster,
    /// The backup keys are missing, or older than the backup.
    #[error(
        "the backup keys in {path} do not open {what}; put the newest copy of backup.keys there, or add --without-passing to do without for ever",
        path = .0.display(), what = .1
    )]
    NoBackupKeys(PathBuf, String),
    /// The target is in use.
    #[error(
        "the table {0} of the target is not empty; restore into an empty data folder or database"
    )]
    NotEmpty(String),
    /// The backup keys are those of another master key.
    #[error(
        "the master key does not open the backup keys in {path}; put a copy there that it opens, or take the file away: backups made before then give back only what stays",
        path = .0.display()
    )]
    ForeignBackupKeys(PathBuf),
    /// What arrived is not what was sent.
    #[error("{0}; nothing was restored")]
    Unequal(String),
    /// The store failed.
    #[error("{0}")]
    Store(#[from] store::Error),
    /// A key is not to be had.
    #[error("{0}")]
    Key(#[from] NoKey),
    /// The backup keys cannot be read.
    #[error("{0}")]
    Escrow(#[from] NoEscrow),
    /// The backup keys cannot be written.
    #[error("{0}")]
    Untended(#[from] Untended),
}
