//! The second factor: logging in with it, proving oneself again, and the account's own sessions.

use std::process::Command;

use diem_kiem_dich::{
    accounts::{Role, TotpSecret, totp},
    api,
    privacy::audit,
};
use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    kit::{self, Http, On, PASSWORD, Server},
    on_both,
};

on_both! {
    officers_log_in_with_a_one_time_password,
    a_one_time_password_is_good_once,
    of_many_at_once_one_gets_in,
    a_role_applies_from_the_next_request_on,
    guessing_closes_the_second_factor,
    a_proof_is_fresh_for_a_quarter_of_an_hour,
    an_owner_proves_by_password,
    own_sessions_are_listed_and_ended,
    the_command_line_makes_and_replaces_second_factors,
    a_secret_is_sealed,
}

async fn log_in(server: &Server, body: &Value) -> (u16, String) {
    let (status, answer) = server.http.post("/api/v1/sessions", body).await;
    (
        status,
        answer["code"].as_str().unwrap_or_default().to_owned(),
    )
}

async fn officers_log_in_with_a_one_time_password(on: On) {
    let server = Server::start(on).await;
    for role in Role::ALL {
        let login = role.name();
        server.account(login, role, Some("80")).await;
        let without = json!({"login": login, "password": PASSWORD});
        let needed = matches!(
            role,
            Role::HealthOfficer | Role::HealthLead | Role::Operator
        );
        let (status, code) = log_in(&server, &without).await;
        if !needed {
            assert_eq!(status, 200, "{role} {code}");
            continue;
        }
        assert_eq!((status, code.as_str()), (401, "otp_needed"), "{role}");
        let empty = json!({"login": login, "password": PASSWORD, "otp": ""});
        assert_eq!(log_in(&server, &empty).await.1, "otp_needed");
        // To somebody without the password, not even that is said.
        let stranger = json!({"login": login, "password": "khong-dung"});
        assert_eq!(log_in(&server, &stranger).await.1, "login_failed");
        let mut right = server.credentials(login, PASSWORD);
        right["password"] = json!("khong-dung");
        assert_eq!(log_in(&server, &right).await.1, "login_failed");
        // A wrong password has not used it up.
        right["password"] = json!(PASSWORD);
        assert_eq!(log_in(&server, &right).await.0, 200, "{role}");
    }
}

async fn a_one_time_password_is_good_once(on: On) {
    let server = Server::start(on).await;
    let account = server.account("can-bo", Role::HealthOfficer, None).await;
    let app = &server.app;
    let enrol = async |tx: &mut _| {
        diem_kiem_dich::accounts::enrol(tx, &app.keys, &app.random, account.id).await
    };
    let secret = app.db.write(enrol).await.unwrap();
    let here = totp::step_at(server.clock.now());
    let attempt = async |step: i64| {
        let otp = secret.at(step);
        let body = json!({"login": "can-bo", "password": PASSWORD, "otp": otp});
        log_in(&server, &body).await.1
    };
    assert_eq!(attempt(here - 2).await, "login_failed");
    assert_eq!(attempt(here + 2).await, "login_failed");
    assert_eq!(attempt(here).await, "");
    assert_eq!(attempt(here).await, "otp_used");
    assert_eq!(
        attempt(here - 1).await,
        "otp_used",
        "an earlier one is spent, too"
    );
    assert_eq!(attempt(here + 1).await, "", "the next one is not");
    server.clock.set(server.clock.now().plus_ms(30_000));
    assert_eq!(attempt(here + 1).await, "otp_used");
    assert_eq!(attempt(here + 2).await, "");
}

async fn of_many_at_once_one_gets_in(on: On) {
    let server = Server::start(on).await;
    server.account("can-bo", Role::HealthOfficer, None).await;
    let body = server.credentials("can-bo", PASSWORD);
    let attempts = (0..4).map(|_| log_in(&server, &body));
    let mut answers: Vec<_> = futures_util::future::join_all(attempts).await;
    answers.sort();
    let (first, rest) = answers.split_first().unwrap();
    assert_eq!(first.0, 200, "{answers:?}");
    assert!(
        rest.iter().all(|(_, code)| code == "otp_used"),
        "{answers:?}"
    );
}

async fn a_role_applies_from_the_next_request_on(on: On) {
    let server = Server::start(on).await;
    let account = server.account("can-bo", Role::HealthOfficer, None).await;
    let officer = server.login("can-bo", PASSWORD).await;
    assert_eq!(officer.get("/api/v1/cases").await.0, 200);
    let change = async |tx: &mut diem_kiem_dich::store::Tx| {
        tx.query("UPDATE accounts SET role = $2 WHERE id = $1")
            .bind(account.id)
            .bind("overseer")
            .execute()
            .await
    };
    server.app.db.write(change).await.unwrap();
    assert_eq!(officer.get("/api/v1/cases").await.0, 403);
    assert_eq!(officer.get("/api/v1/sessions").await.0, 200);
}

async fn guessing_closes_the_second_factor(on: On) {
    let server = Server::start(on).await;
    server.account("can-bo", Role::HealthOfficer, None).await;
    let guess = json!({"login": "can-bo", "password": PASSWORD, "otp": "12345"});
    for _ in 0..5 {
        assert_eq!(log_in(&server, &guess).await.1, "login_failed");
    }
    let right = server.credentials("can-bo", PASSWORD);
    let request = server.http.request(Method::POST, "/api/v1/sessions");
    let answer = request.json(&right).send().await.unwrap();
    assert_eq!(answer.status(), 429);
    let wait: i64 = answer.headers()["retry-after"]
        .to_str()
        .unwrap()
        .parse()
        .unwrap();
    assert!((890..=901).contains(&wait), "{wait}");
    // A stranger cannot close it: without the password nothing is counted.
    server.account("khac", Role::HealthOfficer, None).await;
    for _ in 0..7 {
        let guess = json!({"login": "khac", "password": "khong-dung", "otp": "123456"});
        assert_eq!(log_in(&server, &guess).await.1, "login_failed");
    }
    let right = server.credentials("khac", PASSWORD);
    assert_eq!(log_in(&server, &right).await.0, 200);
    server
        .clock
        .set(server.clock.now().plus_ms((wait + 1) * 1000));
    let right = server.credentials("can-bo", PASSWORD);
    assert_eq!(log_in(&server, &right).await.0, 200);
    assert_eq!(audited(&server, "account.otp_closed").await, 1);
}

/// Entries of the audit log with this action.
async fn audited(server: &Server, action: &'static str) -> i64 {
    let count = async |tx: &mut diem_kiem_dich::store::Tx| {
        let (n,): (i64,) = tx
            .query("SELECT COUNT(*) FROM audit_log WHERE action = $1")
            .bind(action)
            .one()
            .await?;
        Ok::<_, diem_kiem_dich::store::Error>(n)
    };
    server.app.db.read(count).await.unwrap()
}

/// Routes that ask for a fresh proof, apart from the code.
const FRESH: &[&str] = &[
    "GET /api/v1/cases/{id}",
    "POST /api/v1/lookups",
    "POST /api/v1/lookups/{id}/rerun",
    "POST /api/v1/lookups/{id}/release",
    "GET /api/v1/lookups/{id}/exposures",
    "GET /api/v1/lookups/{id}/exposures.csv",
    "GET /api/v1/lookups/{id}/exposures.xlsx",
    "DELETE /api/v1/sessions",
    "DELETE /api/v1/sessions/{id}",
];

/// A client with the tokens of one login that it refreshes itself.
struct Refreshing {
    url: String,
    refresh: Value,
    http: Http,
}

impl Refreshing {
    async fn log_in(server: &Server, login: &str) -> Self {
        let body = server.credentials(login, PASSWORD);
        let (status, tokens) = server.http.post("/api/v1/sessions", &body).await;
        assert_eq!(status, 200, "{tokens}");
        Self::of(&server.url, &tokens)
    }

    fn of(url: &str, tokens: &Value) -> Self {
        Self {
            url: url.to_owned(),
            refresh: tokens["refresh_token"].clone(),
            http: Http::new(url, tokens["access_token"].as_str()),
        }
    }

    async fn next(&mut self, server: &Server) {
        let body = json!({"refresh_token": self.refresh});
        let (status, tokens) = server.http.post("/api/v1/sessions/refresh", &body).await;
        assert_eq!(status, 200, "{tokens}");
        *self = Self::of(&self.url, &tokens);
    }
}

fn filled(path: &str) -> String {
    path.replace("{id}", "11111111-1111-4111-8111-111111111111")
}

async fn a_proof_is_fresh_for_a_quarter_of_an_hour(on: On) {
    let server = Server::start(on).await;
    server.account("lanh-dao", Role::HealthLead, None).await;
    let mut lead = Refreshing::log_in(&server, "lanh-dao").await;
    let begun = server.clock.now();
    let minutes = |n: i64| begun.plus_ms(n * 60_000);
    let ask = json!({"person": {"phone": "0912345678"}, "reason": "x", "document": "y"});
    let proof = "/api/v1/sessions/current/proof";
    server.clock.set(minutes(9));
    lead.next(&server).await;
    server.clock.set(minutes(15).plus_ms(-1));
    assert_eq!(lead.http.post("/api/v1/lookups", &ask).await.0, 201);
    server.clock.set(minutes(15));
    let stale = lead.http.post("/api/v1/lookups", &ask).await;
    assert_eq!((stale.0, &stale.1["code"]), (403, &json!("proof_needed")));
    // It is asked for before a body is read, and exactly where the list above says.
    for route in api::ROUTES {
        let lead_may = route
            .roles
            .is_some_and(|roles| roles.contains(&Role::HealthLead));
        let name = format!("{} {}", route.method, route.path);
        if !lead_may || name == "DELETE /api/v1/sessions/current" {
            continue;
        }
        let method: Method = route.method.parse().unwrap();
        let (_, answer) = lead
            .http
            .send(method, &filled(route.path), &json!({}))
            .await;
        let asked = answer["code"] == "proof_needed";
        assert_eq!(asked, FRESH.contains(&name.as_str()), "{name}: {answer}");
    }
    let (status, problem) = lead.http.post(proof, &json!({})).await;
    assert_eq!(
        (status, &problem["errors"][0]["field"]),
        (422, &json!("otp"))
    );
    let wrong = lead.http.post(proof, &json!({"otp": "12345"})).await;
    assert_eq!((wrong.0, &wrong.1["code"]), (401, &json!("login_failed")));
    let by_password = lead.http.post(proof, &json!({"password": PASSWORD})).await;
    assert_eq!(by_password.0, 422, "the password is no second factor");
    let otp = json!({"otp": server.otp("lanh-dao")});
    assert_eq!(lead.http.post(proof, &otp).await.0, 204);
    let again = lead.http.post(proof, &otp).await;
    assert_eq!((again.0, &again.1["code"]), (401, &json!("otp_used")));
    assert_eq!(lead.http.post("/api/v1/lookups", &ask).await.0, 201);
    // It belongs to this login, whatever its tokens are, and to no other.
    server.clock.set(minutes(18));
    lead.next(&server).await;
    assert_eq!(lead.http.post("/api/v1/lookups", &ask).await.0, 201);
    let mut other = Refreshing::log_in(&server, "lanh-dao").await;
    server.clock.set(minutes(26));
    other.next(&server).await;
    lead.next(&server).await;
    server.clock.set(minutes(31));
    assert_eq!(lead.http.post("/api/v1/lookups", &ask).await.0, 403);
    assert_eq!(other.http.post("/api/v1/lookups", &ask).await.0, 201);
}

async fn an_owner_proves_by_password(on: On) {
    let server = Server::start(on).await;
    server.account("chu-quan", Role::VenueOwner, None).await;
    let mut owner = Refreshing::log_in(&server, "chu-quan").await;
    for _ in 0..2 {
        server.clock.set(server.clock.now().plus_ms(9 * 60_000));
        owner.next(&server).await;
    }
    let all = "/api/v1/sessions";
    assert_eq!(owner.http.delete(all).await.0, 403);
    let proof = "/api/v1/sessions/current/proof";
    let wrong = json!({"password": "khong-dung"});
    assert_eq!(owner.http.post(proof, &wrong).await.0, 401);
    let right = json!({"password": PASSWORD});
    assert_eq!(owner.http.post(proof, &right).await.0, 204);
    assert_eq!(owner.http.delete(all).await.0, 204);
    assert_eq!(owner.http.get(all).await.0, 401, "this one ended, too");
}

async fn own_sessions_are_listed_and_ended(on: On) {
    let server = Server::start(on).await;
    server.account("can-bo", Role::HealthOfficer, None).await;
    let mut here = Refreshing::log_in(&server, "can-bo").await;
    server.clock.set(server.clock.now().plus_ms(60_000));
    let there = Refreshing::log_in(&server, "can-bo").await;
    let stranger = server.login_as(Role::HealthOfficer, None).await;
    here.next(&server).await;
    let (_, list) = here.http.get("/api/v1/sessions").await;
    let items = list["items"].as_array().unwrap();
    assert_eq!(items.len(), 2, "a family is one session: {list}");
    let current = |yes: bool| {
        let mut found = items.iter().filter(|item| item["current"] == yes);
        found.next().unwrap()["id"].as_str().unwrap().to_owned()
    };
    let (_, first) = here.http.get("/api/v1/sessions?limit=1").await;
    let (_, second) = here
        .http
        .get(&format!(
            "/api/v1/sessions?limit=1&cursor={}",
            first["next"].as_str().unwrap()
        ))
        .await;
    assert_ne!(first["items"][0]["id"], second["items"][0]["id"]);
    assert!(second["next"].is_null());
    let other = format!("/api/v1/sessions/{}", current(false));
    assert_eq!(stranger.delete(&other).await.0, 404, "somebody else's");
    assert_eq!(there.http.get("/api/v1/sessions").await.0, 200);
    assert_eq!(here.http.delete(&other).await.0, 204);
    assert_eq!(there.http.get("/api/v1/sessions").await.0, 401);
    assert_eq!(here.http.delete(&other).await.0, 404);
    assert_eq!(stranger.delete("/api/v1/sessions").await.0, 204);
    assert_eq!(here.http.get("/api/v1/sessions").await.0, 200);
}

/// Run the program on the store in `dir`; what it prints.
fn program(
    settings: &diem_kiem_dich::config::Settings,
    arguments: &[&str],
) -> (Option<i32>, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_diem-kiem-dich"));
    command.arg("--data-dir").arg(&settings.data_dir);
    if let diem_kiem_dich::store::Target::Postgres(url, _) = &settings.database {
        command.arg("--database-url").arg(url);
    }
    let word = settings.data_dir.join("word");
    std::fs::write(&word, PASSWORD).unwrap();
    if arguments.contains(&"create") {
        command.args(arguments).arg("--password-file").arg(&word);
    } else {
        command.args(arguments);
    }
    let told = command.env("RUST_LOG", "warn").output().unwrap();
    (told.status.code(), String::from_utf8(told.stdout).unwrap())
}

async fn the_command_line_makes_and_replaces_second_factors(on: On) {
    let dir = tempfile::tempdir().unwrap();
    let settings = kit::settings(on, dir.path(), &[]).await;
    let run = async |arguments: &'static [&'static str]| {
        let settings = settings.clone();
        let run = move || program(&settings, arguments);
        tokio::task::spawn_blocking(run).await.unwrap()
    };
    let (code, told) = run(&["account", "create", "chu", "--role", "gatekeeper"]).await;
    assert_eq!((code, told.lines().count()), (Some(0), 1), "{told}");
    let (_, told) = run(&["account", "create", "cdc", "--role", "health-officer"]).await;
    let lines: Vec<_> = told.lines().collect();
    assert_eq!(lines.len(), 2, "{told}");
    assert!(uuid::Uuid::try_parse(lines[0]).is_ok(), "{told}");
    let first = TotpSecret::parse(lines[1].strip_prefix("totp ").unwrap()).unwrap();
    assert_eq!(run(&["account", "reset-totp", "chu"]).await.0, Some(1));
    assert_eq!(run(&["account", "reset-totp", "nobody"]).await.0, Some(1));

    let clock = diem_kiem_dich::base::Clock::System;
    let server = Server::start_at(settings.clone(), clock, 1).await;
    server.enrolled("cdc", first);
    let officer = server.login("cdc", PASSWORD).await;
    let (_, told) = run(&["account", "reset-totp", "cdc"]).await;
    let second = TotpSecret::parse(told.trim().strip_prefix("totp ").unwrap()).unwrap();
    assert_eq!(
        officer.get("/api/v1/sessions").await.0,
        401,
        "its sessions ended"
    );
    let old = server.credentials("cdc", PASSWORD);
    assert_eq!(log_in(&server, &old).await.1, "login_failed");
    server.enrolled("cdc", second);
    let officer = server.login("cdc", PASSWORD).await;
    assert_eq!(run(&["account", "end-sessions", "cdc"]).await.0, Some(0));
    assert_eq!(officer.get("/api/v1/sessions").await.0, 401);
    assert_eq!(
        run(&["account", "budget", "cdc", "--lookups", "7"]).await.0,
        Some(0)
    );
    for action in [
        "account.totp_reset",
        "account.sessions_ended",
        "account.budget",
    ] {
        assert_eq!(audited(&server, action).await, 1, "{action}");
    }
    let verdict = server.app.db.read(async |tx| audit::verify(tx).await).await;
    assert!(matches!(verdict.unwrap(), audit::Verdict::Whole(_)));
}

/// What stands in the table gives nobody a password.
async fn a_secret_is_sealed(on: On) {
    let server = Server::start(on).await;
    let account = server.account("can-bo", Role::HealthOfficer, None).await;
    let app = &server.app;
    let secret = app
        .db
        .write(async |tx| {
            diem_kiem_dich::accounts::enrol(tx, &app.keys, &app.random, account.id).await
        })
        .await
        .unwrap();
    let read = async |tx: &mut diem_kiem_dich::store::Tx| {
        let (sealed,): (Vec<u8>,) = tx
            .query("SELECT totp_sealed FROM accounts WHERE id = $1")
            .bind(account.id)
            .one()
            .await?;
        Ok::<_, diem_kiem_dich::store::Error>(sealed)
    };
    let sealed = app.db.read(read).await.unwrap();
    assert!(sealed.len() > secret.bytes().len());
    assert!(!sealed.windows(8).any(|part| part == &secret.bytes()[..8]));
}
