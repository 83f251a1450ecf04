//! Check in, check out, import.
//!
//! A check-in is known by (checkpoint, id). The id is a UUIDv7 that the visitor's phone made, and its
//! time is the arrival; so the same check-in sent again is the same row, and the first answer stands.
//! What the answer holds beside the id (declaration token, receipt) is derived from what is stored,
//! so that a repeat is answered with the same bytes.
//!
//! Nothing on the path of a check-in reads the store: the checkpoint is in memory, the person is in
//! the declaration or in its token, and the [`journal`] writes what many visitors sent in one
//! transaction. Absent on purpose: a second look at who is asking. A poster lets anybody check in;
//! how much a check-in is worth is said by its assurance.

mod arrivals;
mod check_in;
mod check_out;
mod declare;
pub mod door;
pub mod import;
pub mod journal;
pub mod retention;
pub mod store;
pub mod withdrawn;

pub use arrivals::{Hour, MaskedArrival, arrivals, hours, local_day_start};
pub use check_in::{At, CheckedIn, NewCheckIn, check_in};
pub use check_out::{CheckedOut, NewCheckOut, check_out};
pub use declare::{Declared, NewDeclaration, declare};
pub use door::Door;
pub use journal::Journal;

/// A phone's clock may be this far ahead of ours, in milliseconds.
pub const AHEAD_MS: i64 = 2 * 60 * 1000;

/// A check-in may arrive this late, in milliseconds: as long as a page keeps its offline queue.
pub const BEHIND_MS: i64 = 7 * 24 * 60 * 60 * 1000;

/// A check-in that arrives more than this after its time, in milliseconds, was queued offline.
pub const ONLINE_MS: i64 = 5 * 60 * 1000;

/// Most companions without names that one visitor may bring.
pub const COMPANIONS_MAX: i64 = 50;

/// Most check-ins in one batch.
pub const BATCH_MAX: usize = 100;

/// Letters in the column `source`: how a row came in. Lookups know uncertain clocks by it. One letter,
/// because a country writes a hundred million of them a day.
pub mod source {
    /// Sent when it happened.
    pub const ONLINE: &str = "o";
    /// Sent later by a phone that had no network.
    pub const LATE: &str = "l";
    /// From a file: a paper list or another system.
    pub const IMPORT: &str = "i";
    /// A working shift, from a roster.
    pub const SHIFT: &str = "s";
}

/// Letters in the column `assurance`: what vouches for the presence.
pub mod assurance {
    /// The code on a poster, which anybody may have a photo of.
    pub const POSTER: &str = "p";
    /// Somebody wrote it down.
    pub const WRITTEN: &str = "w";
}

/// Letters in the column `left_source`: who said when the stay ended.
pub mod left_source {
    /// The visitor.
    pub const VISITOR: &str = "v";
    /// Staff of the venue.
    pub const STAFF: &str = "s";
    /// The file that the row came from.
    pub const IMPORT: &str = "i";
}
