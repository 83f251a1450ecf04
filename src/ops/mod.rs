//! Start-up and shutdown order, workers, health and metrics.

pub mod backup;
mod checkpoints;
mod directory;
mod even;
mod health;
pub mod keys;
pub mod metrics;
mod server;
mod workers;

pub use health::{Health, ROUTES};
pub use server::{Running, start};
pub use workers::Rounds;
