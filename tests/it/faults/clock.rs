//! The clock of the machine is set while the service runs.

use diem_kiem_dich::{
    accounts::Role,
    base::{Day, Random, ids},
    ops::{Rounds, backup, keys::tend},
    store::Error,
};
use serde_json::{Value, json};

use crate::{
    checkins::{declaration, venue},
    kit::{On, Server},
    on_both,
    venues::{registered, registration},
};

on_both! {
    a_clock_that_jumps_there_and_back_leaves_everything_as_it_was,
    another_process_learns_of_a_change_after_the_clock_was_set_back,
    a_clock_set_far_ahead_wipes_no_backup_keys_and_no_corrections,
}

const HOUR: i64 = 3_600_000;

fn check_in(server: &Server, code: &Value) -> Value {
    let id = ids::v7(server.clock.now(), &Random::System);
    json!({"id": id, "checkpoint": code, "declaration": declaration()})
}

async fn a_clock_that_jumps_there_and_back_leaves_everything_as_it_was(on: On) {
    let server = Server::start_with(on, &[("rate_limits", "on")]).await;
    let (owner, _, checkpoint) = venue(&server).await;
    let code = &checkpoint["code"];
    let officer = server.login_as(Role::HealthOfficer, Some("80")).await;
    let right = server.clock.now();
    let post = async |body: &Value| server.http.post("/api/v1/check-ins", body).await;
    let first = check_in(&server, code);
    let (status, answer) = post(&first).await;
    assert_eq!(status, 201, "{answer}");
    for hours in [3, -48, 400 * 24, -400 * 24, 1, -1] {
        server.clock.set(right.plus_ms(hours * HOUR));
        // Whoever has a clock that is right is told the time; whoever has the service's is let in.
        let there = check_in(&server, code);
        let (status, answer) = post(&there).await;
        assert_eq!(status, 201, "{hours} h: {answer}");
        assert_eq!(post(&there).await, (200, answer));
        // Accounts: a session is good or has ended, and a login works.
        for (who, path) in [(&owner, "/api/v1/venues"), (&officer, "/api/v1/cases")] {
            let (status, _) = who.get(path).await;
            assert!(matches!(status, 200 | 401), "{hours} h, {path}: {status}");
        }
        let (status, made) = server
            .http
            .post(
                "/api/v1/venues",
                &registration(&format!("09{:08}", 20_000 + hours)),
            )
            .await;
        assert_eq!(status, 201, "{hours} h: {made}");
        let login = made["account"]["login"].as_str().unwrap();
        let newcomer = server.login(login, "mat-khau-cua-cho").await;
        assert_eq!(newcomer.get("/api/v1/venues").await.0, 200, "{hours} h");
        server.app.prepare_days().await.unwrap();
        // Set right again: the first answer stands, and today's visitors come in.
        server.clock.set(right);
        let (status, again) = post(&first).await;
        assert_eq!(status, 200, "{hours} h: {again}");
        let (status, answer) = post(&check_in(&server, code)).await;
        assert_eq!(status, 201, "{hours} h and back: {answer}");
        let (status, _) = newcomer.get("/api/v1/venues").await;
        assert!(matches!(status, 200 | 401), "{hours} h and back: {status}");
    }
    assert_eq!(owner.get("/api/v1/venues").await.0, 200, "it is as it was");
}

async fn another_process_learns_of_a_change_after_the_clock_was_set_back(on: On) {
    let server = Server::start(on).await;
    let right = server.clock.now();
    server.clock.set(right.plus_ms(3 * HOUR));
    let (owner, venue) = registered(&server, "0912345678").await;
    let path = format!("/api/v1/venues/{venue}/checkpoints");
    let (status, checkpoint) = owner.post(&path, &json!({"name": "Cổng"})).await;
    assert_eq!(status, 201, "{checkpoint}");
    let other = Server::start_at(server.settings.clone(), server.clock.clone(), 7).await;
    server.clock.set(right);
    // Whoever logged in by the wrong time logs in again by the right one.
    let owner = server.login("0912345678", "mat-khau-cua-cho").await;
    let path = format!("{path}/{}", checkpoint["id"].as_str().unwrap());
    let (status, changed) = owner.patch(&path, &json!({"closed": true})).await;
    assert_eq!(status, 200, "{changed}");
    other.app.directory.refresh(&other.app.db).await.unwrap();
    let (status, answer) = other
        .http
        .post("/api/v1/check-ins", &check_in(&other, &checkpoint["code"]))
        .await;
    assert_eq!(status, 410, "{answer}");
}

async fn corrections(server: &Server) -> i64 {
    let count: Result<(i64,), Error> = server
        .app
        .db
        .read(async |tx| tx.query("SELECT COUNT(*) FROM corrections").one().await)
        .await;
    count.unwrap().0
}

async fn a_clock_set_far_ahead_wipes_no_backup_keys_and_no_corrections(on: On) {
    let server = Server::start(on).await;
    let (app, right) = (&server.app, server.clock.now());
    app.db
        .append(async |tx| {
            tx.query(
                "INSERT INTO corrections (person_id, declaration_id, original_sealed, made_at)
                 VALUES ($1, $2, $3, $4)",
            )
            .bind(vec![1_u8; 16])
            .bind(ids::v7(right, &Random::System))
            .bind(vec![2_u8; 40])
            .bind(right)
            .execute()
            .await
        })
        .await
        .map_err(|error: Error| error)
        .unwrap();
    let keys = || std::fs::read_to_string(&server.settings.backup_keys).unwrap();
    let mut rounds = Rounds::new(app);
    rounds.next(app).await;
    let before = keys();
    assert!(before.lines().count() > 200, "both kinds, for months");
    // A new service makes no key for the day before the first check-ins that it would take.
    let never = Day::of(right).plus(-22).to_string();
    for days in [400, 0] {
        server.clock.set(right.plus_ms(days * 24 * HOUR));
        rounds.next(app).await;
        let file = server.settings.data_dir.join(format!("{days}.backup"));
        backup::make(app, &file, |_, _| {}).await.unwrap();
        tend(app, None).await.unwrap();
        let now = keys();
        let mut held = before.lines().filter(|line| !line.contains(&never));
        let lost = held.find(|line| !now.contains(line));
        assert_eq!(lost, None, "{days} days");
        assert_eq!(corrections(&server).await, 1, "{days} days");
    }
    // By a clock that runs as it should both go in their time: the next round sees what was swept.
    for step in 1..=8 {
        server.clock.set(right.plus_ms(step * 3 * 24 * HOUR));
        rounds.next(app).await;
    }
    rounds.next(app).await;
    assert_eq!(corrections(&server).await, 0);
    let first = before.lines().find(|line| line.starts_with("day "));
    assert!(!keys().contains(first.unwrap()));
}
