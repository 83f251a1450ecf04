//! What everything stands on: ids, time, clock, randomness, codes, networks, sheets, the failure table.
//!
//! Nothing here knows a database, a web framework or a person. Clock and randomness are values that
//! are handed in, so that a test can stop the one and repeat the other.

pub mod clock;
pub mod codes;
pub mod day;
pub mod failure;
pub mod ids;
pub mod network;
pub mod random;
pub mod sheet;
pub mod text;
pub mod time;

pub use clock::Clock;
pub use codes::Code;
pub use day::Day;
pub use failure::{Failure, FieldError, Kind};
pub use network::Network;
pub use random::Random;
pub use time::Timestamp;

/// The longest stay, in milliseconds (24 h). Longer presence is written as several stays. The
/// exposure index looks back exactly this far, so no row may break it.
pub const MAX_STAY_MS: i64 = 24 * 60 * 60 * 1000;
