//! What one officer may do in a day.

use diem_kiem_dich::{
    accounts::Role,
    exposures::budget,
    store::{Error, Tx},
};
use serde_json::{Value, json};

use crate::{
    checkins,
    kit::{Http, On, PASSWORD, Server},
    on_both,
};

on_both! {
    lookups_are_counted_by_local_day,
    people_are_counted_once_a_run,
    budgets_are_off_where_limits_are,
}

async fn limited(on: On) -> Server {
    let limits = [
        ("rate_limits", "on"),
        ("lookups_per_day", "2"),
        ("people_per_day", "3"),
    ];
    Server::start_with(on, &limits).await
}

async fn look_up(http: &Http) -> (u16, Value) {
    let ask = json!({"person": {"phone": "0912345678"}, "reason": "x", "document": "y"});
    http.post("/api/v1/lookups", &ask).await
}

async fn refusals(server: &Server) -> i64 {
    let count = async |tx: &mut Tx| {
        let (n,): (i64,) = tx
            .query("SELECT COUNT(*) FROM audit_log WHERE action = $1")
            .bind("lookup.budget_spent")
            .one()
            .await?;
        Ok::<_, Error>(n)
    };
    server.app.db.read(count).await.unwrap()
}

async fn lookups_are_counted_by_local_day(on: On) {
    let server = limited(on).await;
    let account = server
        .account("can-bo", Role::HealthOfficer, Some("80"))
        .await;
    let officer = server.login("can-bo", PASSWORD).await;
    let (status, first) = look_up(&officer).await;
    assert_eq!(status, 201, "{first}");
    // Doing it again is doing it.
    let rerun = format!("/api/v1/lookups/{}/rerun", first["id"].as_str().unwrap());
    assert_eq!(officer.post(&rerun, &json!({})).await.0, 201);
    for _ in 0..2 {
        let (status, problem) = look_up(&officer).await;
        assert_eq!((status, &problem["code"]), (429, &json!("budget_spent")));
        assert!(
            problem["title"]
                .as_str()
                .unwrap()
                .contains("account budget")
        );
    }
    assert_eq!(officer.post(&rerun, &json!({})).await.0, 429);
    assert_eq!(refusals(&server).await, 1, "once a day");
    // Another officer has a day of their own.
    let other = server.login_as(Role::HealthOfficer, Some("80")).await;
    assert_eq!(look_up(&other).await.0, 201);
    // The operator raises it, and takes it back.
    let set = async |lookups: Option<i64>| {
        let write = async |tx: &mut Tx| budget::set(tx, account.id, lookups, None).await;
        server.app.db.write(write).await.unwrap();
    };
    set(Some(3)).await;
    assert_eq!(look_up(&officer).await.0, 201);
    assert_eq!(look_up(&officer).await.0, 429);
    set(None).await;
    // It is 08:30 in Vietnam, and midnight there is 17:00 UTC.
    let midnight = diem_kiem_dich::base::Timestamp::parse("2026-11-18T17:00:00Z").unwrap();
    server.clock.set(midnight.plus_ms(-1));
    let officer = server.login("can-bo", PASSWORD).await;
    assert_eq!(look_up(&officer).await.0, 429);
    server.clock.set(midnight);
    assert_eq!(look_up(&officer).await.0, 201);
    assert_eq!(look_up(&officer).await.0, 201);
    assert_eq!(look_up(&officer).await.0, 429);
    assert_eq!(refusals(&server).await, 2);
}

async fn people_are_counted_once_a_run(on: On) {
    let server = limited(on).await;
    let (_, _, checkpoint) = checkins::venue(&server).await;
    let code = &checkpoint["code"];
    for phone in ["0911111111", "0932222222", "0933333333"] {
        let mut declaration = checkins::declaration();
        declaration["phone"] = json!(phone);
        let visit = json!({"checkpoint": code, "declaration": declaration});
        let (status, answer) = server.http.post("/api/v1/check-ins", &visit).await;
        assert_eq!(status, 201, "{answer}");
    }
    server.clock.set(server.clock.now().plus_ms(60_000));
    server
        .account("can-bo", Role::HealthOfficer, Some("80"))
        .await;
    let officer = server.login("can-bo", PASSWORD).await;
    let from = server.clock.now().plus_ms(-3_600_000);
    let window = json!({"code": code, "from": from, "until": server.clock.now()});
    let ask = json!({"checkpoint": window, "reason": "x", "document": "y", "min_minutes": 0});
    let mut runs = Vec::new();
    for _ in 0..2 {
        let (status, run) = officer.post("/api/v1/lookups", &ask).await;
        assert_eq!(status, 201, "{run}");
        assert_eq!(run["counts"]["ring1"], 3, "{run}");
        runs.push(format!(
            "/api/v1/lookups/{}/exposures",
            run["id"].as_str().unwrap()
        ));
    }
    // All of a run costs its people, however often they are opened and in whatever form.
    for path in [
        &runs[0],
        &runs[0],
        &format!("{}.csv", runs[0]),
        &format!("{}.xlsx", runs[0]),
    ] {
        let (status, answer) = officer.get(path).await;
        assert_eq!(status, 200, "{path}: {answer}");
    }
    let (status, problem) = officer.get(&format!("{}?limit=1", runs[1])).await;
    assert_eq!((status, &problem["code"]), (429, &json!("budget_spent")));
    assert!(!problem.to_string().contains("0911111111"));
    assert_eq!(
        officer.get(&runs[0]).await.0,
        200,
        "what was opened stays open"
    );
    assert_eq!(refusals(&server).await, 1);
}

async fn budgets_are_off_where_limits_are(on: On) {
    let server = Server::start_with(on, &[("lookups_per_day", "1")]).await;
    let officer = server.login_as(Role::HealthOfficer, Some("80")).await;
    for _ in 0..3 {
        assert_eq!(look_up(&officer).await.0, 201);
    }
}
