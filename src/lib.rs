//! **diem-kiem-dich**: QR checkpoints that know who entered.
//!
//! # The map of the house
//!
//! Three groups of people use the service, in one loop. *Venues* register checkpoints and print
//! posters; *visitors* scan, declare their health and are checked in; *health departments* report a
//! case and ask who was there at the same time.
//!
//! ```text
//! cli/                 serve · demo · migrate · doctor · account · import · poster · sweep · …
//! ops/                 start-up and shutdown order, workers, health, metrics
//! api/   web/          the two edges: /api/v1 JSON and server-rendered pages
//! http/                App, guards, problem+json, request limits: server and tests build from here
//!
//! regions/ identity/ messages/ otp/ accounts/ venues/ posters/ declarations/ checkins/ cases/
//! exposures/ rights/
//!
//! privacy/             key ring, seal and open, audit log, what people and the public are told
//! store/               Db, Tx, Query: the only place that names a database driver
//! config               settings, one struct per subject
//! base/                ids, time, clock, randomness, codes, secrets, the failure table
//! ```
//!
//! # The arrow rule
//!
//! A room uses only what stands below it, and among the rooms in the middle only those to its left.
//! `tests/it/layers.rs` reads every `use` and every path and fails on an arrow that points up.
//! Rules take [`store::Tx`] and the edge opens the transaction: there are no service objects, no
//! repository traits and no globals.
//!
//! # What must always be true
//!
//! - A check-in that was answered with 201 is on disk.
//! - The same check-in sent twice is stored once, and both times answered the same.
//! - The check-in path depends on nothing but the store: no message, no remote call, no read.
//! - No row, log line, URL, QR code or error text outside a sealed column contains a name, a phone
//!   number or an ID number.
//! - A printed code never unlocks a read.
//! - Nobody sees people without a named case, a reason and a document number, and each such look is
//!   in the audit log *before* the answer.
//! - What open cases need of a day stands in their files before the day goes, and nothing else of it
//!   outlives its key.
//! - `left_at - entered_at <= MAX_STAY` (24 h) for every stay: the exposure index is exact only
//!   because of this.
//! - `entered_at` is the time inside the check-in's UUIDv7 id.
//! - Two engines, one truth: every SQL text runs on SQLite and on PostgreSQL.

/// A check-in allocates some twenty times, on one thread, and frees on another: with the allocator of
/// the C library that is a seventh of its time.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

pub mod base;
pub mod config;
pub mod privacy;
pub mod store;

pub mod accounts;
pub mod cases;
pub mod checkins;
pub mod declarations;
pub mod exposures;
pub mod identity;
pub mod messages;
pub mod otp;
pub mod posters;
pub mod regions;
pub mod rights;
pub mod venues;

pub mod api;
pub mod cli;
pub mod http;
pub mod ops;
pub mod web;
