//! Black-box tests: the service as outside programs see it, on both engines.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test that meets the unexpected stops"
)]

mod accounts;
mod checkins;
mod demo;
mod import;
mod journal;
mod kit;
mod layers;
mod lookups;
mod pages;
mod poster_api;
mod posters;
mod retention;
mod roles;
mod store;
mod venues;
