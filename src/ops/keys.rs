//! The life of the keys beside their rows: picked up, forgotten, and their backup keys with them.

use crate::{
    base::Day,
    checkins::retention::first_kept,
    http::App,
    privacy::{
        FINGERPRINT, NoKey,
        escrow::{Escrow, NoEscrow},
    },
    store,
};

/// What the backup keys were brought up to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tended {
    today: Day,
    from: Day,
    destroyed: Vec<Day>,
    master: [u8; FINGERPRINT],
}

/// The keys could not be looked after.
#[derive(Debug, thiserror::Error)]
pub enum Untended {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// A key is not to be had.
    #[error(transparent)]
    Key(#[from] NoKey),
    /// The backup keys cannot be written.
    #[error(transparent)]
    Escrow(#[from] NoEscrow),
    /// A thread died.
    #[error("a thread ended before its time")]
    Thread,
}

/// The first day whose key is kept on `today`: declarations live a day longer than check-ins.
#[must_use]
pub fn first_key(today: Day, retention_days: u16) -> Day {
    first_kept(today, retention_days).plus(-1)
}

/// The first day whose backup keys stay: those of a day go after its key, never before. The sweep that
/// destroys keys has a clock it can believe; a clock that was set ahead by mistake wipes nothing here.
async fn first_wrapped(app: &App, today: Day) -> Result<Day, store::Error> {
    let by_clock = first_key(today, app.settings.retention_days);
    let days = app.keys.list_days(&app.db).await?;
    let held = days.into_iter().find(|(_, gone)| gone.is_none());
    Ok(held.map_or(by_clock, |(day, _)| day.min(by_clock)))
}

/// Pick up a rotated master key, forget destroyed keys, and bring the backup keys up to date. Nothing is
/// read or written again when nothing has changed since `before`.
///
/// # Errors
///
/// Those of the store, and when the backup keys cannot be written.
pub async fn tend(app: &App, before: Option<Tended>) -> Result<Tended, Untended> {
    let today = Day::of(app.clock.now());
    let from = first_wrapped(app, today).await?;
    let destroyed = app.keys.forget_destroyed(&app.db, from).await?;
    let mut master = app.keys.active(&app.db).await?;
    if master.is_none() {
        // A command may take seconds, on a thread that may wait.
        let keys = app.keys.clone();
        let reloaded = tokio::task::spawn_blocking(move || keys.reload()).await;
        reloaded.map_err(|_| Untended::Thread)?;
        master = app.keys.active(&app.db).await?;
    }
    let master = master.ok_or(NoKey::OldMaster)?;
    let now = Tended {
        today,
        from,
        destroyed,
        master: master.fingerprint(),
    };
    if before.as_ref() != Some(&now) {
        let (path, masters) = (app.settings.backup_keys.clone(), app.keys.masters());
        let (random, destroyed) = (app.random.clone(), now.destroyed.clone());
        let tended = tokio::task::spawn_blocking(move || {
            Escrow::tend(
                &path,
                (&master, &masters),
                (from, today),
                &destroyed,
                &random,
            )
        });
        tended.await.map_err(|_| Untended::Thread)??;
    }
    Ok(now)
}
