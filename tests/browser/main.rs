//! The pages as a person meets them: in Chromium, on a phone and on a desk, with and without
//! scripts.
//!
//! Each test is a whole journey. Every page that a journey opens is checked on the way
//! ([`page`]), so a new page is checked as soon as a journey passes it.
//! With `DKD_PICTURES=1` the journeys leave pictures in `target/screenshots`.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test that meets the unexpected stops"
)]

mod axe;
mod browser;
mod driver;
#[path = "../it/kit/mod.rs"]
#[expect(
    dead_code,
    unused_imports,
    reason = "the kit serves the other test program, too"
)]
mod kit;
mod languages;
mod officer;
mod own_data;
mod owner;
mod page;
mod people;
mod pictures;
mod reference;
mod transparency;
mod visitor;
