//! Sessions: logging in, the exchange of tokens, logging out.

use diem_kiem_dich::accounts::Role;
use serde_json::json;

use crate::{
    kit::{Http, On, PASSWORD, Server},
    on_both,
};

on_both! {
    tokens_are_exchanged_and_end,
    a_stolen_refresh_token_ends_the_family,
    wrong_and_unknown_are_answered_alike,
    bodies_are_judged_before_anything_else,
    logins_are_limited,
}

async fn tokens_are_exchanged_and_end(on: On) {
    let server = Server::start(on).await;
    let officer = server.login_as(Role::HealthOfficer, Some("80")).await;
    let (status, _) = officer.delete("/api/v1/sessions/current").await;
    assert_eq!(status, 204);
    let (status, problem) = officer.delete("/api/v1/sessions/current").await;
    assert_eq!((status, &problem["code"]), (401, &json!("unauthorized")));
    let late = server.login_as(Role::Operator, None).await;
    server.clock.set(server.clock.now().plus_ms(606_000));
    let (status, _) = late.delete("/api/v1/sessions/current").await;
    assert_eq!(status, 401, "an access token lives ten minutes");
}

async fn a_stolen_refresh_token_ends_the_family(on: On) {
    let server = Server::start(on).await;
    server.account("op", Role::Operator, None).await;
    let body = server.credentials("op", PASSWORD);
    let (status, first) = server.http.post("/api/v1/sessions", &body).await;
    assert_eq!((status, &first["token_type"]), (200, &json!("Bearer")));
    let refresh = async |token: &serde_json::Value| {
        let body = json!({"refresh_token": token});
        server.http.post("/api/v1/sessions/refresh", &body).await
    };
    let (status, second) = refresh(&first["refresh_token"]).await;
    assert_eq!(status, 200);
    let (status, _) = refresh(&first["refresh_token"]).await;
    assert_eq!(status, 401, "good once");
    let (status, _) = refresh(&second["refresh_token"]).await;
    assert_eq!(status, 401, "the whole family ended");
    let stolen = Http::new(&server.url, second["access_token"].as_str());
    assert_eq!(stolen.delete("/api/v1/sessions/current").await.0, 401);
}

async fn wrong_and_unknown_are_answered_alike(on: On) {
    let server = Server::start(on).await;
    server.login_as(Role::Operator, None).await;
    let attempt = async |login: &str| {
        let body = json!({"login": login, "password": "wrong-wrong"});
        server.http.post("/api/v1/sessions", &body).await
    };
    let (status, unknown) = attempt("nobody").await;
    assert_eq!((status, &unknown["code"]), (401, &json!("login_failed")));
    assert_eq!(attempt("0901234567").await.1, unknown);
    assert_eq!(attempt("không phải tên").await.1, unknown);
}

async fn bodies_are_judged_before_anything_else(on: On) {
    let server = Server::start(on).await;
    let post = async |body: &'static str, kind: &str| {
        let request = server
            .http
            .request(reqwest::Method::POST, "/api/v1/sessions")
            .header("content-type", kind)
            .body(body);
        let answer = request.send().await.unwrap();
        assert_eq!(answer.headers()["content-type"], "application/problem+json");
        assert_eq!(answer.headers()["x-request-id"].len(), 32);
        crate::kit::json_of(answer).await
    };
    assert_eq!(post("{", "application/json").await.0, 400);
    assert_eq!(post("a=b", "text/plain").await.0, 415);
    let (status, problem) = post(
        "{\"login\":\"a\",\"password\":\"b\",\"x\":1}",
        "application/json",
    )
    .await;
    assert_eq!(status, 422);
    assert_eq!(problem["errors"][0]["field"], "x");
    assert_eq!(problem["errors"][0]["code"], "unknown_field");
    let large = "x".repeat(70_000);
    let answer = server
        .http
        .post(
            "/api/v1/sessions",
            &json!({"login": large, "password": "b"}),
        )
        .await;
    assert_eq!(answer.0, 413);
}

async fn logins_are_limited(on: On) {
    let server = Server::start_with(on, &[("rate_limits", "on")]).await;
    let body = json!({"login": "không phải tên", "password": "wrong-wrong"});
    let mut refused = None;
    for _ in 0..12 {
        let request = server
            .http
            .request(reqwest::Method::POST, "/api/v1/sessions");
        let answer = request.json(&body).send().await.unwrap();
        if answer.status() == 429 {
            refused = Some(answer.headers()["retry-after"].to_str().unwrap().to_owned());
        }
    }
    let seconds: u32 = refused.expect("the eleventh is refused").parse().unwrap();
    assert!((1..=10).contains(&seconds), "{seconds}");
}
