//! Who was there at the same time: lookups, exposures, exports.
//!
//! The answer names *candidates*, never contacts: a scan sees no distance, mask or wall. SQL finds a
//! superset of pairs by key range ([`store`]); everything after that is arithmetic on integers, the
//! same for both databases, in small modules without a store:
//!
//! ```text
//! interval   half-open spans of milliseconds, their unions and common parts
//! stay       a check-in, and the time it makes sure or only possible
//! probe      the merged presence of an infectious person at a site, with the air left behind
//! reached    when a sum of minutes reaches a threshold
//! scene      sources, where they were, and their probes
//! fold       hits folded into candidates: one row per person, links that explain it
//! score      the order of work
//! ```
//!
//! [`budget`] bounds what one officer may do in a day. [`search`] joins the two for one ring, [`run`] makes an immutable run of it, [`people`] opens the
//! result to an officer, [`export`] writes it to a file. Nothing here changes a run that was made: a
//! correction is a new one. A run lives as long as the files of its cases: [`sweep`] copies into them
//! what they need of a day before the day goes.

pub mod budget;
pub mod export;
mod findings;
pub mod fold;
pub mod interval;
mod keep;
mod order;
pub mod people;
pub mod places;
pub mod probe;
pub mod reached;
mod record;
pub mod run;
pub mod scene;
pub mod score;
pub mod search;
pub mod stay;
pub mod store;
pub mod sweep;

#[cfg(test)]
mod brute;
#[cfg(test)]
mod choices;

pub use order::{
    CheckpointDraft, CheckpointWindow, Infectious, LookupDraft, Order, Parameters, PersonDraft,
    Ring2Draft, Ring2Terms, WindowDraft,
};
pub use run::{Desk, Run};
