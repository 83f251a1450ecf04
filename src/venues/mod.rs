//! Venues and their checkpoints.
