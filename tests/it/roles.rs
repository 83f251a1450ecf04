//! Every route × every role: what the table says is what the service does.
//!
//! The expectation stands here a second time, apart from the code, so that loosening a permission
//! takes two changes. A route that is missing here fails.

use std::collections::{BTreeMap, BTreeSet};

use diem_kiem_dich::{accounts::Role, api, ops};
use reqwest::Method;
use serde_json::json;

use crate::{
    kit::{Http, On, Server},
    on_both, venues,
};

on_both! { a_refused_body_neither_outruns_the_permission_nor_hurts_the_store }

/// Who may, as one letter a role: `v`enue-owner, `g`atekeeper, health-`o`fficer, health-`l`ead,
/// over`s`eer, `h`otline-agent, o`p`erator; `*` is everybody, also without an account.
const EXPECTED: &[(&str, &str)] = &[
    ("POST /api/v1/sessions", "*"),
    ("POST /api/v1/sessions/refresh", "*"),
    ("GET /api/v1/sessions", "vgolshp"),
    ("DELETE /api/v1/sessions", "vgolshp"),
    ("POST /api/v1/sessions/current/proof", "vgolshp"),
    ("DELETE /api/v1/sessions/current", "vgolshp"),
    ("DELETE /api/v1/sessions/{id}", "vgolshp"),
    ("GET /api/v1/openapi.json", "*"),
    ("GET /api/v1/regions", "*"),
    ("GET /api/v1/regions/{province}/wards", "*"),
    ("GET /api/v1/transparency", "*"),
    ("POST /api/v1/venues", "*"),
    ("GET /api/v1/venues", "v"),
    ("GET /api/v1/venues/{id}", "v"),
    ("POST /api/v1/venues/{id}/checkpoints", "v"),
    ("GET /api/v1/venues/{id}/checkpoints", "v"),
    ("GET /api/v1/venues/{id}/checkpoints/{checkpoint}", "v"),
    ("PATCH /api/v1/venues/{id}/checkpoints/{checkpoint}", "v"),
    ("GET /api/v1/checkpoints/{code}", "*"),
    ("GET /api/v1/checkpoints/{id}/poster.pdf", "v"),
    ("GET /api/v1/checkpoints/{id}/poster.png", "v"),
    ("GET /api/v1/checkpoints/{id}/poster.svg", "v"),
    ("GET /api/v1/venues/{id}/posters.pdf", "v"),
    ("POST /api/v1/declarations", "*"),
    ("POST /api/v1/check-ins", "*"),
    ("POST /api/v1/check-ins/batch", "*"),
    ("POST /api/v1/check-ins/{id}/check-out", "*"),
    ("POST /api/v1/cases", "ol"),
    ("GET /api/v1/cases", "ol"),
    ("GET /api/v1/cases/{id}", "ol"),
    ("POST /api/v1/lookups", "ol"),
    ("GET /api/v1/lookups/{id}", "ol"),
    ("GET /api/v1/lookups/{id}/exposures", "ol"),
    ("GET /api/v1/lookups/{id}/exposures.csv", "ol"),
    ("GET /api/v1/lookups/{id}/exposures.xlsx", "ol"),
    ("POST /api/v1/lookups/{id}/release", "l"),
    ("POST /api/v1/lookups/{id}/rerun", "ol"),
    ("GET /healthz", "*"),
    ("GET /readyz", "*"),
];

fn letter(role: Role) -> char {
    match role {
        Role::VenueOwner => 'v',
        Role::Gatekeeper => 'g',
        Role::HealthOfficer => 'o',
        Role::HealthLead => 'l',
        Role::Overseer => 's',
        Role::HotlineAgent => 'h',
        Role::Operator => 'p',
    }
}

fn routes() -> Vec<&'static diem_kiem_dich::http::Route> {
    api::ROUTES.iter().chain(ops::ROUTES).collect()
}

#[test]
fn every_route_is_expected_and_every_expectation_is_a_route() {
    let routes: BTreeSet<String> = routes()
        .iter()
        .map(|route| format!("{} {}", route.method, route.path))
        .collect();
    let expected: BTreeSet<String> = EXPECTED
        .iter()
        .map(|(route, _)| (*route).to_owned())
        .collect();
    let missing: Vec<_> = routes.difference(&expected).collect();
    let gone: Vec<_> = expected.difference(&routes).collect();
    assert!(
        missing.is_empty(),
        "routes without an expectation: {missing:#?}"
    );
    assert!(gone.is_empty(), "expectations without a route: {gone:#?}");
}

/// A path with something in every parameter's place that nobody owns.
fn filled(path: &str) -> String {
    path.split('/')
        .map(|part| match part {
            "{province}" => "80",
            "{code}" => "00000000000000000000000000",
            part if part.starts_with('{') => "11111111-1111-4111-8111-111111111111",
            part => part,
        })
        .collect::<Vec<_>>()
        .join("/")
}

#[tokio::test]
async fn every_route_answers_every_role_as_expected() {
    let server = Server::start(On::Sqlite).await;
    let expected: BTreeMap<&str, &str> = EXPECTED.iter().copied().collect();
    let mut callers = Vec::new();
    for role in Role::ALL {
        callers.push((role, server.login_as(role, Some("80")).await));
    }
    let mut wrong = Vec::new();
    for route in routes() {
        let name = format!("{} {}", route.method, route.path);
        let may = expected[name.as_str()];
        let call = async |http: &Http| {
            let method: Method = route.method.parse().unwrap();
            let request = http.request(method.clone(), &filled(route.path));
            let request = if method == Method::POST || method == Method::PATCH {
                request.json(&json!({}))
            } else {
                request
            };
            request.send().await.unwrap().status().as_u16()
        };
        let status = call(&server.http).await;
        let open = !matches!(status, 401 | 403);
        if open != (may == "*") {
            wrong.push(format!("{name} without an account: {status}"));
        }
        if may == "*" {
            continue;
        }
        for (role, caller) in &callers {
            let ends_the_session = route.method == "DELETE";
            let status = if ends_the_session {
                call(&server.login_as(*role, None).await).await
            } else {
                call(caller).await
            };
            let permitted = may.contains(letter(*role));
            let answered = if permitted {
                !matches!(status, 401 | 403)
            } else {
                status == 403
            };
            if !answered {
                wrong.push(format!("{name} as {role}: {status}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn the_description_misses_no_route() {
    let server = Server::start(On::Sqlite).await;
    let (status, document) = server.http.get("/api/v1/openapi.json").await;
    assert_eq!(status, 200);
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
    for route in api::ROUTES {
        let operation = &document["paths"][route.path][route.method.to_lowercase()];
        assert!(
            operation.is_object(),
            "{} {} is not described",
            route.method,
            route.path
        );
        let secured = operation["security"].is_array();
        assert_eq!(
            secured,
            route.roles.is_some(),
            "{} {}: the description of who may use it",
            route.method,
            route.path
        );
    }
    let described: usize = document["paths"]
        .as_object()
        .unwrap()
        .values()
        .map(|path| path.as_object().unwrap().len())
        .sum();
    assert_eq!(
        described,
        api::ROUTES.len(),
        "nothing is described that does not exist"
    );
}

/// Extractors run side by side. A body that is refused at once must not be answered before the role
/// is, and must not cut off the look at the account: on PostgreSQL that left a connection inside a
/// transaction that cannot write.
async fn a_refused_body_neither_outruns_the_permission_nor_hurts_the_store(on: On) {
    let server = Server::start(on).await;
    let owner = server.login_as(Role::VenueOwner, None).await;
    let officer = server.login_as(Role::HealthOfficer, None).await;
    for _ in 0..40 {
        let (status, _) = owner.post("/api/v1/lookups", &json!({"x": 1})).await;
        assert_eq!(status, 403);
        let (status, _) = officer.post("/api/v1/lookups", &json!({"x": 1})).await;
        assert_eq!(status, 422);
    }
    for _ in 0..20 {
        let (status, answer) = server
            .http
            .post(
                "/api/v1/venues",
                &venues::registration(&format!(
                    "09{:08}",
                    u32::from_be_bytes(server.app.random.bytes()) % 100_000_000
                )),
            )
            .await;
        assert_eq!(status, 201, "{answer}");
    }
}
