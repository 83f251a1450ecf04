//! Several processes on one database: what one does to a checkpoint, the others know within two
//! seconds, also after the database was away.

use std::time::{Duration, Instant};

use diem_kiem_dich::{
    base::{Clock, Random},
    config::{Overrides, Settings},
    store::Heard,
    venues::CHANGED,
};
use serde_json::{Value, json};

use crate::{
    checkins,
    kit::{Cluster, On, START, Server},
    on_both,
};

on_both! { another_process_knows_within_two_seconds }

/// What another process may take to know: the bound of the contract with operators.
const SOON: Duration = Duration::from_secs(2);

/// Wait until `done`, at most `limit`, and say how long it took.
async fn until(limit: Duration, mut done: impl AsyncFnMut() -> bool) -> Duration {
    let started = Instant::now();
    while !done().await {
        assert!(started.elapsed() < limit, "not within {limit:?}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    started.elapsed()
}

/// Whether `server` holds this checkpoint in memory, without reading the store.
fn holds(server: &Server, made: &Value) -> bool {
    let code = made["code"].as_str().unwrap().parse().unwrap();
    server.app.directory.by_code(code).is_some()
}

async fn check_in(server: &Server, made: &Value) -> u16 {
    let random = Random::System;
    let body = json!({
        "checkpoint": made["code"], "declaration": checkins::declaration(),
        "id": diem_kiem_dich::base::ids::v7(server.clock.now(), &random),
    });
    server.http.post("/api/v1/check-ins", &body).await.0
}

/// The poll of SQLite is as old as the service; on PostgreSQL the net below the notices is 30 s wide,
/// so that within two seconds only a notice can have done it.
async fn another_process_knows_within_two_seconds(on: On) {
    let a = Server::start(on).await;
    let b = Server::start_at(a.settings.clone(), a.clock.clone(), 2).await;
    if on == On::Postgres {
        // B's first look, before it listens, must not be what finds the checkpoint.
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    let slack = if on == On::Sqlite {
        SOON + SOON / 2
    } else {
        SOON
    };
    let (owner, venue, made) = checkins::venue(&a).await;
    until(slack, async || holds(&b, &made)).await;
    assert_eq!(check_in(&b, &made).await, 201);
    let path = format!(
        "/api/v1/venues/{venue}/checkpoints/{}",
        made["id"].as_str().unwrap()
    );
    let change = json!({"name": "Cổng sau", "closed": true});
    let (status, _) = owner.patch(&path, &change).await;
    assert_eq!(status, 200);
    until(slack, async || check_in(&b, &made).await == 410).await;
    let code = made["code"].as_str().unwrap().parse().unwrap();
    let entry = b.app.directory.by_code(code).unwrap();
    assert_eq!(&*entry.checkpoint.name, "Cổng sau");
    let (status, _) = owner.patch(&path, &json!({"closed": false})).await;
    assert_eq!(status, 200);
    until(slack, async || check_in(&b, &made).await == 201).await;
}

/// A notice goes out with its commit, and not at all without.
#[tokio::test]
async fn a_notice_belongs_to_its_transaction() {
    let (app, _, _dir) = crate::kit::app(On::Postgres).await;
    let channel = "a_notice_belongs_to_its_transaction";
    let mut listener = app.db.listen(channel).await.unwrap().unwrap();
    let refused: Result<(), diem_kiem_dich::store::Error> = app
        .db
        .write(async |tx| {
            tx.notify(channel, 1).await?;
            Err(diem_kiem_dich::store::Error::Conflict)
        })
        .await;
    assert!(refused.is_err());
    app.db
        .write(async |tx| tx.notify(channel, i64::MAX).await)
        .await
        .unwrap();
    assert_eq!(listener.heard().await.unwrap(), Heard::Number(i64::MAX));
    let (sqlite, _, _dir) = crate::kit::app(On::Sqlite).await;
    assert!(sqlite.db.listen(CHANGED).await.unwrap().is_none());
}

/// The database is stopped and started again under two servers; nobody restarts them.
#[tokio::test]
async fn notices_come_again_after_the_database_was_away() {
    let cluster = Cluster::start();
    let dir = tempfile::tempdir().unwrap();
    let environment = [
        ("data_dir", dir.path().display().to_string()),
        ("listen", "127.0.0.1:0".to_owned()),
        ("rate_limits", "off".to_owned()),
        ("database_url", cluster.url()),
    ];
    let environment = environment.map(|(key, value)| (key.to_owned(), value));
    let settings = Settings::load(&Overrides::default(), environment.into()).unwrap();
    let clock = Clock::manual(START);
    let a = Server::start_at(settings.clone(), clock.clone(), 1).await;
    let b = Server::start_at(settings, clock, 2).await;
    let (owner, venue, _) = checkins::venue(&a).await;
    cluster.crash();
    tokio::time::sleep(Duration::from_secs(1)).await;
    cluster.start_again();
    let made = async |name: &str| {
        let body = json!({"name": name});
        let path = format!("/api/v1/venues/{venue}/checkpoints");
        owner.post(&path, &body).await
    };
    // The service is back within two seconds of its database.
    let mut first = Value::Null;
    until(SOON, async || {
        let (status, answer) = made("Cổng đầu").await;
        first = answer;
        status == 201
    })
    .await;
    // Found by the look after listening began again, or by a notice.
    until(SOON, async || holds(&b, &first)).await;
    // By now it listens again: far below the 30 seconds of the net, more than once.
    for n in 0..5 {
        let (status, next) = made(&format!("Cổng {n}")).await;
        assert_eq!(status, 201);
        until(SOON / 4, async || holds(&b, &next)).await;
    }
}
