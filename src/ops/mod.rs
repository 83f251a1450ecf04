//! Start-up and shutdown order, workers, health and metrics.
