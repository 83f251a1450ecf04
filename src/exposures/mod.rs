//! Who was there at the same time: lookups, exposures, exports.
//!
//! The answer names *candidates*, never contacts: a scan sees no distance, mask or wall. SQL finds a
//! superset of pairs by key range; everything after that is arithmetic on integers, the same for
//! both databases, in small modules without a store:
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

pub mod fold;
pub mod interval;
pub mod probe;
pub mod reached;
pub mod scene;
pub mod score;
pub mod stay;

#[cfg(test)]
mod brute;
#[cfg(test)]
mod choices;
