//! Black-box tests: the service as outside programs see it, on both engines.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test that meets the unexpected stops"
)]
#![expect(
    clippy::cmp_owned,
    clippy::float_cmp,
    clippy::format_collect,
    clippy::format_push_string,
    clippy::ignored_unit_patterns,
    clippy::items_after_statements,
    clippy::needless_for_each,
    clippy::similar_names,
    clippy::single_match_else,
    clippy::zombie_processes,
    reason = "a test says what it means in the shortest way, and its children end with it"
)]

mod accounts;
mod audit;
mod backup;
mod budgets;
mod canary;
mod checkins;
mod citus;
mod demo;
mod edges;
mod factor;
mod faults;
mod fuzz;
mod import;
mod journal;
mod kept;
mod keys;
mod kit;
mod layers;
mod lookups;
mod notices;
mod outside;
mod pages;
mod poster_api;
mod posters;
mod retention;
mod rights;
mod roles;
mod store;
mod venues;
