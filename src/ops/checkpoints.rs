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

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::{
        base::{Clock, Random, Timestamp},
        config::{Overrides, Settings},
        privacy::audit::{self, Entry},
    };

    async fn app(dir: &std::path::Path) -> App {
        let variables = BTreeMap::from([("data_dir".to_owned(), dir.display().to_string())]);
        let settings = Settings::load(&Overrides::default(), variables).unwrap();
        let clock = Clock::manual(Timestamp::from_ms(1_794_965_400_000));
        App::open(settings, clock, Random::seeded(1)).await.unwrap()
    }

    async fn append(app: &App) {
        app.db
            .write(async |tx| audit::append(tx, Entry::default()).await)
            .await
            .unwrap();
    }

    fn files(app: &App) -> usize {
        keep::read_files(&app.settings.audit_dir).map_or(0, |files| files.len())
    }

    #[tokio::test]
    async fn a_log_that_grows_is_signed_every_ten_minutes() {
        let dir = tempfile::tempdir().unwrap();
        let app = app(dir.path()).await;
        let start = Instant::now();
        let at = |minutes| start + Duration::from_mins(minutes);
        let mut checkpoints = Checkpoints::new(start);
        append(&app).await;
        // The second place is out of reach.
        std::fs::write(&app.settings.audit_dir, "").unwrap();
        checkpoints.round(&app, at(1)).await;
        assert_eq!(checkpoints.covered, start, "it is not kept in both places");
        std::fs::remove_file(&app.settings.audit_dir).unwrap();
        checkpoints.round(&app, at(2)).await;
        assert_eq!((files(&app), checkpoints.covered), (1, at(2)));
        append(&app).await;
        checkpoints.round(&app, at(11)).await;
        assert_eq!((files(&app), checkpoints.covered), (1, at(2)));
        checkpoints.round(&app, at(12)).await;
        assert_eq!((files(&app), checkpoints.covered), (2, at(12)));
        // Nothing new: no checkpoint, and it is not old either.
        checkpoints.round(&app, at(22)).await;
        assert_eq!((files(&app), checkpoints.covered), (2, at(22)));
    }
}
