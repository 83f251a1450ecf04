//! What everybody is told: numbers, small ones not exactly, and the signed log behind them.

use diem_kiem_dich::privacy::audit::{self, Entry, checkpoint::PublicKey};
use reqwest::Method;
use serde_json::{Value, json};

use super::{filled, signed};
use crate::{
    kit::{On, Server},
    lookups::World,
    on_both,
};

on_both! { numbers_are_told_and_nobody, looks_are_counted_where_they_belong }

/// How long numbers are kept, and more.
const LATER: i64 = 6 * 60_000;

async fn month(server: &Server, query: &str) -> (u16, Value) {
    server
        .http
        .get(&format!("/api/v1/transparency{query}"))
        .await
}

async fn page(server: &Server, path: &str, lang: &str) -> (u16, String) {
    let request = server.http.request(Method::GET, path);
    let answer = request
        .header("accept-language", lang)
        .send()
        .await
        .unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

async fn numbers_are_told_and_nobody(on: On) {
    let server = Server::start(on).await;
    let (status, told) = month(&server, "").await;
    assert_eq!(status, 200, "{told}");
    assert_eq!(told["month"], "2026-11");
    assert_eq!(told["people_opened"], json!({"n": 0}));
    assert_eq!(told["checkpoint"], Value::Null);
    // 1 + 2 + 3 + 4 names opened.
    filled(&server.app, 4).await;
    let kept = signed(&server.app).await;
    assert_eq!(
        month(&server, "").await.1["people_opened"],
        json!({"n": 0}),
        "counted a moment ago"
    );
    server.clock.set(server.clock.now().plus_ms(LATER));
    let (_, told) = month(&server, "?month=2026-11").await;
    assert_eq!(told["people_opened"], json!({"n": 10}));
    assert_eq!(told["complete"], false);
    assert_eq!(told["checkpoint"]["note"], kept.note);
    let key: PublicKey = told["public_key"].as_str().unwrap().parse().unwrap();
    assert_eq!(key.read(&kept.note).unwrap().size, 4);
    // The next month: three lookups are too few to tell.
    let next = server.clock.now().plus_ms(15 * 86_400_000);
    server.clock.set(next);
    for _ in 0..3 {
        server
            .app
            .db
            .write(async |tx| {
                let entry = Entry {
                    action: "lookup.created",
                    people: Some(2),
                    ..Entry::default()
                };
                audit::append(tx, entry).await
            })
            .await
            .unwrap();
    }
    let (_, told) = month(&server, "").await;
    assert_eq!(told["month"], "2026-12");
    assert_eq!(told["lookups"], json!({"n": null, "below": 5}));
    assert_eq!(told["people_found"], json!({"n": 6}));
    let (_, before) = month(&server, "?month=2026-11").await;
    assert_eq!(before["complete"], true);
    assert_eq!(before["people_opened"], json!({"n": 10}));
    for (query, expected) in [
        ("?month=2026-10", 404),
        ("?month=2027-01", 404),
        ("?month=2026-1", 422),
        ("?month=x", 422),
        ("?months=2026-11", 422),
    ] {
        assert_eq!(month(&server, query).await.0, expected, "{query}");
    }
    let (status, vi) = page(&server, "/minh-bach", "vi").await;
    assert_eq!(status, 200);
    assert!(vi.contains("<dt>Lần truy vết</dt><dd>dưới 5</dd>"), "{vi}");
    assert!(
        vi.contains("11/2026") && vi.contains("<svg") && vi.contains("<td class=\"n\">10</td>")
    );
    let key = server.app.keys.audit().public();
    assert!(vi.contains(key.name()), "the checkpoint stands there");
    let (_, en) = page(&server, "/minh-bach?month=2026-11", "en").await;
    assert!(
        en.contains("<dt>Names and phone numbers opened</dt><dd>10</dd>"),
        "{en}"
    );
    for wrong in ["2026-10", "x"] {
        let path = format!("/minh-bach?month={wrong}");
        assert_eq!(page(&server, &path, "vi").await.0, 404, "{wrong}");
    }
}

async fn looks_are_counted_where_they_belong(on: On) {
    let world = World::start(on).await;
    let (_, code) = world
        .checkpoint(json!({"name": "Cổng", "kind": "office"}))
        .await;
    world.stay(1, &code, 0, Some(60)).await;
    for who in 2..=7 {
        world.stay(who, &code, 0, Some(60)).await;
    }
    for who in 8..=12 {
        world
            .stay_of(who, &code, 0, Some(60), ("79", "26734"), 0)
            .await;
    }
    let case = world.case(1).await;
    let run = world.look_up(json!({"case": case["id"]})).await;
    assert_eq!(run["counts"]["ring1"], 11);
    assert_eq!(world.file(&run, "csv").await.0, 200);
    let (_, told) = month(&world.server, "").await;
    assert_eq!(told["lookups"], json!({"n": null, "below": 5}));
    assert_eq!(told["people_found"], json!({"n": 11}));
    assert_eq!(
        told["people_opened"],
        json!({"n": 6}),
        "those of another province are not"
    );
    assert_eq!(told["people_referred"], json!({"n": 5}));
    assert_eq!(told["exports"], json!({"n": null, "below": 5}));
    let entries: Vec<(String, Option<i64>)> = world
        .server
        .app
        .db
        .read(async |tx| {
            let text = "SELECT action, people FROM audit_log WHERE action = 'lookup.referred'";
            tx.query(text).all().await
        })
        .await
        .unwrap();
    assert_eq!(entries, [("lookup.referred".to_owned(), Some(5))]);
}
