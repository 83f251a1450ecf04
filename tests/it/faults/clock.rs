//! The clock of the machine is set while the service runs.

use diem_kiem_dich::{
    accounts::Role,
    base::{Random, ids},
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
