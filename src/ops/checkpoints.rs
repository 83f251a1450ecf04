//! Signing the audit log every ten minutes and at the end.

use std::time::{Duration, Instant};

use crate::{http::App, privacy::audit::keep};

/// Time between two checkpoints of a log that grows.
const EVERY: Duration = Duration::from_mins(10);

/// How long the last checkpoint may hold up the end of the program.
const LAST: Duration = Duration::from_secs(5);

/// When the log was found signed.
#[derive(Debug)]
pub(super) struct Checkpoints {
    /// When the last checkpoint was found to cover the whole log, or the program started.
    covered: Instant,
    /// When to look again.
    due: Instant,
}

impl Checkpoints {
    /// The first one is due at once: the program before may have been killed.
    pub(super) fn new(now: Instant) -> Self {
        Self {
            covered: now,
            due: now,
        }
    }

    /// Sign the log if it is time for it. What fails is logged and tried again in the next round.
    pub(super) async fn round(&mut self, app: &App, now: Instant) {
        if now >= self.due && sign(app).await {
            self.covered = now;
            self.due = now + EVERY;
        }
        let age = now.duration_since(self.covered);
        metrics::gauge!("audit_checkpoint_age_seconds").set(age.as_secs_f64());
    }
}

/// Sign what was written since the last checkpoint, before the program ends.
pub(super) async fn last(app: &App) {
    if tokio::time::timeout(LAST, sign(app)).await.is_err() {
        tracing::error!(
            "the audit log could not be signed before the end: the store does not answer"
        );
    }
}

/// False when it has to be done again.
async fn sign(app: &App) -> bool {
    let dir = &app.settings.audit_dir;
    match keep::sign_and_put(&app.db, &app.keys.audit(), dir).await {
        Ok(_) => true,
        Err(error) => {
            tracing::error!("the audit log could not be signed: {error}");
            false
        }
    }
}
