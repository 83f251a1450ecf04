//! Cases (F0), rule sets and infectious windows.
//!
//! A case is a person confirmed by the health service. What its dates mean for the search is not
//! code but data: a rule set ([`rules`]) turns the dates into an infectious window ([`window`]),
//! once, and the window is stored with the case together with the set's id and version.

pub mod rules;
pub mod window;
pub mod zone;
