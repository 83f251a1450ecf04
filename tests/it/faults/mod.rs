//! Faults: what is killed, cut off, full, slow or refused, and what must be true afterwards.
//!
//! In small, as part of every run. `tests/faults` does the same in large.

mod client;
mod clock;
mod disk;
mod inject;
mod kill;
mod load;
mod postgres;
mod slow;
mod term;

use diem_kiem_dich::{
    base::{Clock, Random},
    checkins::hours,
    config::Settings,
    http::App,
};

/// Check-ins of yesterday and today in the store of `settings`, as the venue's page counts them.
async fn stored_check_ins(settings: Settings) -> usize {
    let app = App::open(settings, Clock::System, Random::System)
        .await
        .unwrap();
    let places: Vec<i64> = app
        .directory
        .all()
        .iter()
        .map(|entry| entry.checkpoint.id)
        .collect();
    let now = app.clock.now();
    let mut sum = 0;
    for day in [now.plus_ms(-86_400_000), now] {
        let hours = app
            .db
            .read(async |tx| hours(tx, &places, day).await)
            .await
            .unwrap();
        sum += hours.iter().map(|hour| hour.check_ins).sum::<i64>();
    }
    app.door.journal.stop();
    app.door.journal.ended().await.unwrap();
    app.db.close().await;
    usize::try_from(sum).unwrap()
}
