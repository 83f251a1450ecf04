//! Keys, sealing and the audit log.
//!
//! What a stolen database shows is movements without a name: contact details and answers are sealed
//! under the key of their UTC day, case files under a key of their own, accounts and venues under
//! the record key, and every one of these keys is wrapped by the master key, which is not in the
//! database. A sealed value is bound to its table, column and row and opens nowhere else.

pub mod audit;
pub mod jwt;
mod key;
pub mod opened;
mod ring;
pub mod transparency;

pub use key::{Key, Macs, Place, Refused};
pub use ring::{KeyRing, Master, NoKey};
