//! Retention: after the period nothing of a day can be read, from any copy.

use diem_kiem_dich::{
    base::{Day, ids::uuid_floor},
    checkins::retention::{Swept, first_kept},
    exposures::sweep::sweep,
    privacy::{NoKey, audit},
    store::{Engine, Error},
};
use serde_json::json;

use crate::{
    checkins::{declaration, venue},
    kit::{On, Server},
    on_both,
};

on_both! {
    what_is_past_its_period_is_gone_and_cannot_be_opened,
    a_sweep_may_run_again_and_leaves_the_kept_alone,
}

async fn rows(server: &Server, from: i64) -> (i64, i64) {
    server.app.door.journal.settle().await.unwrap();
    let floor = uuid_floor(from);
    server
        .app
        .db
        .read(async |tx| {
            let (check_ins,) = tx
                .query("SELECT COUNT(*) FROM check_ins WHERE id >= $1")
                .bind(floor)
                .one::<(i64,)>()
                .await?;
            let (declarations,) = tx
                .query("SELECT COUNT(*) FROM declarations WHERE id >= $1")
                .bind(floor)
                .one::<(i64,)>()
                .await?;
            Ok::<_, Error>((check_ins, declarations))
        })
        .await
        .unwrap()
}

async fn sweep_now(server: &Server) -> Swept {
    let app = &server.app;
    app.door.journal.settle().await.unwrap();
    let today = Day::of(app.clock.now());
    sweep(&app.db, &app.keys, &app.random, &app.directory, today, 21)
        .await
        .unwrap()
}

async fn checked_in(server: &Server, code: &str) {
    let body = json!({"checkpoint": code, "declaration": declaration()});
    let (status, answer) = server.http.post("/api/v1/check-ins", &body).await;
    assert_eq!(status, 201, "{answer}");
}

async fn what_is_past_its_period_is_gone_and_cannot_be_opened(on: On) {
    let server = Server::start(on).await;
    let (_, _, checkpoint) = venue(&server).await;
    let code = checkpoint["code"].as_str().unwrap().to_owned();
    checked_in(&server, &code).await;
    let visited = Day::of(server.clock.now());
    assert_eq!(rows(&server, 0).await, (1, 1));
    // The last day on which it is kept: 21 days later.
    server
        .clock
        .set(server.clock.now().plus_ms(21 * 86_400_000));
    server.app.prepare_days().await.unwrap();
    let swept = sweep_now(&server).await;
    assert_eq!((swept.check_ins, swept.declarations), (0, 0));
    assert_eq!(rows(&server, 0).await, (1, 1));
    // A day later the check-in goes; the declaration outlives it by the life of its token.
    server.clock.set(server.clock.now().plus_ms(86_400_000));
    sweep_now(&server).await;
    assert_eq!(rows(&server, 0).await, (0, 1));
    assert!(
        server
            .app
            .keys
            .day_from(&server.app.db, visited)
            .await
            .is_ok()
    );
    server.clock.set(server.clock.now().plus_ms(86_400_000));
    let swept = sweep_now(&server).await;
    match server.app.db.engine() {
        Engine::Sqlite => assert_eq!(swept.declarations, 1),
        Engine::Postgres => assert!(swept.partitions >= 2),
    }
    assert_eq!(rows(&server, 0).await, (0, 0));
    // The key is gone from the store, so a copy of the sealed rows from yesterday stays shut too;
    // and preparing the days does not make it anew.
    server.app.prepare_days().await.unwrap();
    let gone = server.app.keys.day_from(&server.app.db, visited).await;
    assert!(matches!(gone, Err(NoKey::NoDay)), "{gone:?}");
    let (wrapped,): (i64,) = server
        .app
        .db
        .read(async |tx| {
            tx.query("SELECT COUNT(wrapped) FROM day_keys WHERE day <= $1")
                .bind(i64::from(visited.number()))
                .one()
                .await
        })
        .await
        .unwrap();
    assert_eq!(wrapped, 0, "no wrapped key of that day is left");
    let verdict = server.app.db.read(async |tx| audit::verify(tx).await).await;
    assert!(
        matches!(verdict, Ok(audit::Verdict::Whole(n)) if n >= 2),
        "{verdict:?}"
    );
}

async fn a_sweep_may_run_again_and_leaves_the_kept_alone(on: On) {
    let server = Server::start(on).await;
    let (_, _, checkpoint) = venue(&server).await;
    let code = checkpoint["code"].as_str().unwrap().to_owned();
    checked_in(&server, &code).await;
    server
        .clock
        .set(server.clock.now().plus_ms(23 * 86_400_000));
    server.app.prepare_days().await.unwrap();
    checked_in(&server, &code).await;
    let first = sweep_now(&server).await;
    assert_ne!(first, Swept::default());
    assert_eq!(
        sweep_now(&server).await,
        Swept::default(),
        "nothing is left to do"
    );
    let kept = first_kept(Day::of(server.clock.now()), 21).start_ms();
    assert_eq!(rows(&server, 0).await, rows(&server, kept).await);
    assert_eq!(rows(&server, kept).await, (1, 1));
}
