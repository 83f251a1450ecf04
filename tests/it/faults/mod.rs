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

use std::net::SocketAddr;

use diem_kiem_dich::{
    base::{Clock, Random},
    checkins::hours,
    config::Settings,
    http::App,
};

use client::{Client, Said};
use load::Sent;

/// `GET path`.
async fn get(client: &mut Client, path: &str) -> Said {
    let request = format!("GET {path} HTTP/1.1\r\nhost: test\r\n\r\n");
    client.send(&request).await
}

/// Send everything of `history` that reached the server again: what was acknowledged gets the same
/// answer, and then each of them is stored. Gives how many there are.
async fn send_again(address: SocketAddr, history: &[Sent]) -> usize {
    let mut client = Client::new(address);
    let mut stored = 0;
    for sent in history {
        if matches!(sent.said, Said::Unreachable) {
            continue;
        }
        let Said::Answer(again, _) = client.post("/api/v1/check-ins", &sent.body).await else {
            panic!("no answer");
        };
        if let Some(answer) = sent.stored() {
            assert_eq!(again.status, 200, "acknowledged and lost");
            assert_eq!(again.body, answer.body, "the first answer stands");
        }
        assert!(matches!(again.status, 200 | 201), "{}", again.status);
        stored += 1;
    }
    stored
}

/// Check-ins of yesterday and today in the store of `settings`, as the venue's page counts them.
async fn stored_check_ins(settings: Settings) -> usize {
    let app = App::open(settings, Clock::System, Random::System)
        .await
        .unwrap();
    app.door.journal.settle().await.unwrap();
    let places = app.directory.ids();
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
