//! Posters over HTTP: who gets them, which, and the same bytes again.

use diem_kiem_dich::accounts::Role;
use reqwest::Method;
use serde_json::json;

use crate::{
    kit::{Http, On, Server},
    on_both,
    venues::registered,
};

on_both! {
    the_owner_gets_every_format,
    what_cannot_be_printed_is_named,
    all_posters_are_one_document,
}

async fn bytes(http: &Http, path: &str) -> (u16, String, Vec<u8>) {
    let answer = http.request(Method::GET, path).send().await.unwrap();
    let kind = answer.headers().get("content-type");
    let kind = kind.map_or(String::new(), |kind| kind.to_str().unwrap().to_owned());
    let status = answer.status().as_u16();
    (status, kind, answer.bytes().await.unwrap().to_vec())
}

async fn checkpoint(owner: &Http, venue: &str, name: &str) -> serde_json::Value {
    let path = format!("/api/v1/venues/{venue}/checkpoints");
    let (status, made) = owner.post(&path, &json!({"name": name})).await;
    assert_eq!(status, 201, "{made}");
    made
}

async fn the_owner_gets_every_format(on: On) {
    let server = Server::start(on).await;
    let (owner, venue) = registered(&server, "0901234567").await;
    let made = checkpoint(&owner, &venue, "O'Brien (Ổi) =1+1").await;
    let id = made["id"].as_str().unwrap();
    for (format, media, start) in [
        ("pdf", "application/pdf", "%PDF-"),
        ("png", "image/png", "\u{89}PNG"),
        ("svg", "image/svg+xml", "<"),
    ] {
        let path = format!("/api/v1/checkpoints/{id}/poster.{format}?size=a6&lang=vi,en");
        let (status, kind, first) = bytes(&owner, &path).await;
        assert_eq!((status, kind.as_str()), (200, media));
        let start: Vec<u8> = start.chars().map(|c| u8::try_from(c).unwrap()).collect();
        assert!(first.starts_with(&start), "{format}");
        assert_eq!(
            bytes(&owner, &path).await.2,
            first,
            "the same request, the same bytes"
        );
        assert_eq!(bytes(&server.http, &path).await.0, 401);
    }
    let code = made["code"].as_str().unwrap();
    let by_code = format!("/api/v1/checkpoints/{code}/poster.svg");
    let by_id = format!("/api/v1/checkpoints/{id}/poster.svg");
    assert_eq!(bytes(&owner, &by_code).await, bytes(&owner, &by_id).await);
    let (other, _) = registered(&server, "0901234568").await;
    assert_eq!(bytes(&other, &by_code).await.0, 404);
    let officer = server.login_as(Role::HealthOfficer, Some("80")).await;
    assert_eq!(bytes(&officer, &by_code).await.0, 403);
    let (status, problem) = owner.get(&format!("{by_id}?size=a2&lang=fr")).await;
    assert_eq!(status, 422);
    assert_eq!(problem["errors"].as_array().unwrap().len(), 2);
    let answer = owner.request(Method::GET, &by_id).send().await.unwrap();
    let tag = answer.headers()["etag"].clone();
    let again = owner.request(Method::GET, &by_id);
    let again = again.header("if-none-match", tag.clone()).send().await;
    assert_eq!(again.unwrap().status(), 304);
    let path = format!("/api/v1/venues/{venue}/checkpoints/{id}");
    owner.patch(&path, &json!({"name": "Khác"})).await;
    let changed = owner.request(Method::GET, &by_id);
    let changed = changed.header("if-none-match", tag).send().await.unwrap();
    assert_eq!(changed.status(), 200, "another name, another poster");
}

async fn what_cannot_be_printed_is_named(on: On) {
    let server = Server::start(on).await;
    let (owner, venue) = registered(&server, "0901234567").await;
    let made = checkpoint(&owner, &venue, "Cổng 😀").await;
    let path = format!(
        "/api/v1/checkpoints/{}/poster.pdf",
        made["id"].as_str().unwrap()
    );
    let (status, problem) = owner.get(&path).await;
    assert_eq!(status, 422);
    assert_eq!(problem["errors"][0]["field"], "U+1F600");
    assert_eq!(problem["errors"][0]["code"], "missing_glyph");
}

async fn all_posters_are_one_document(on: On) {
    let server = Server::start(on).await;
    let (owner, venue) = registered(&server, "0901234567").await;
    let path = format!("/api/v1/venues/{venue}/posters.pdf?size=a5");
    assert_eq!(bytes(&owner, &path).await.0, 404, "nothing to print yet");
    for name in ["Cổng 1", "Cổng 2", "Cổng 3"] {
        checkpoint(&owner, &venue, name).await;
    }
    let pages = |pdf: &[u8]| lopdf::Document::load_mem(pdf).unwrap().get_pages().len();
    let (status, kind, pdf) = bytes(&owner, &path).await;
    assert_eq!(
        (status, kind.as_str(), pages(&pdf)),
        (200, "application/pdf", 3)
    );
    let closed = checkpoint(&owner, &venue, "Cổng 4").await;
    let one = format!(
        "/api/v1/venues/{venue}/checkpoints/{}",
        closed["id"].as_str().unwrap()
    );
    owner.patch(&one, &json!({"closed": true})).await;
    assert_eq!(
        pages(&bytes(&owner, &path).await.2),
        3,
        "closed ones are left out"
    );
}
