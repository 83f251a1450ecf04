//! Seeing and correcting.

use diem_kiem_dich::{
    accounts::Role,
    base::{Random, ids},
    store::Error,
};
use serde_json::{Value, json};

use super::{Browser, NUMBER, PAGE, count, server, traced};
use crate::{
    checkins::{declaration, venue},
    kit::On,
    on_both,
};

on_both! {
    a_correction_is_read_and_the_first_words_are_kept,
    nobody_sees_anothers_data,
}

async fn a_correction_is_read_and_the_first_words_are_kept(on: On) {
    let server = server(on).await;
    traced(&server).await;
    let browser = Browser::prove(&server, NUMBER).await;
    let page = browser.get(PAGE).await;
    let link = page
        .text
        .split("href=\"")
        .find(|link| link.starts_with("/du-lieu-cua-toi/0"));
    let path = link.unwrap().split('"').next().unwrap().to_owned();
    let form = browser.get(&path).await;
    assert!(
        form.has("value=\"Đỗ Thị Ổi\"") && form.has("value=\"Số 1\""),
        "{}",
        form.text
    );
    let csrf = form.hidden("csrf");
    let send = async |name: &str, year: &str| {
        let fields = [
            ("csrf", csrf.as_str()),
            ("full_name", name),
            ("birth_year", year),
            ("sex", "female"),
            ("province", "80"),
            ("ward", "Phường Tân Ninh"),
            ("street", "Số 7"),
        ];
        browser.post(&path, &fields).await
    };
    let wrong = send("", "1800").await;
    assert_eq!(wrong.status, 422);
    assert!(
        wrong.has("#full_name") && wrong.has("#birth_year"),
        "{}",
        wrong.text
    );
    let right = send("Đỗ Thị Ổi Hồng", "1991").await;
    assert!(right.status == 200 && right.path == PAGE, "{}", right.text);
    assert!(
        right.has("Đỗ Thị Ổi Hồng") && right.has("Số 7, Phường Tân Ninh"),
        "{}",
        right.text
    );
    assert!(right.has("Đã sửa lúc"));
    // The officer reads what is right.
    let officer = server.login_as(Role::HealthOfficer, Some("80")).await;
    let run: Result<(uuid::Uuid,), Error> = server
        .app
        .db
        .read(async |tx| tx.query("SELECT id FROM lookup_runs").one().await)
        .await;
    let exposures = format!("/api/v1/lookups/{}/exposures", run.unwrap().0);
    let (status, list) = officer.get(&exposures).await;
    assert_eq!(status, 200, "{list}");
    assert!(list.to_string().contains("Đỗ Thị Ổi Hồng"), "{list}");
    // What stood there first is kept, however often it is corrected.
    let first = async || -> Vec<u8> {
        let row: Result<(Vec<u8>,), Error> = server
            .app
            .db
            .read(async |tx| {
                tx.query("SELECT original_sealed FROM corrections")
                    .one()
                    .await
            })
            .await;
        row.unwrap().0
    };
    let before = first().await;
    send("Đỗ Thị Ổi Lan", "1991").await;
    assert_eq!(first().await, before);
    // A declaration of somebody else is not there.
    let foreign = browser
        .get(&format!(
            "{PAGE}/{}",
            ids::v7(server.clock.now(), &Random::System)
        ))
        .await;
    assert_eq!(foreign.status, 404);
}

async fn nobody_sees_anothers_data(on: On) {
    let server = server(on).await;
    let (_, _, checkpoint) = venue(&server).await;
    // A card number that somebody claims shows nothing of whoever comes with the card.
    let mut with_card = declaration();
    with_card["phone"] = Value::Null;
    with_card["id_number"] = json!("001090000000");
    with_card["full_name"] = json!("Người Có Thẻ");
    let body = json!({"checkpoint": checkpoint["code"], "declaration": with_card});
    assert_eq!(server.http.post("/api/v1/check-ins", &body).await.0, 201);
    let mut claims = declaration();
    claims["id_number"] = json!("001090000000");
    let body = json!({"checkpoint": checkpoint["code"], "declaration": claims});
    assert_eq!(server.http.post("/api/v1/check-ins", &body).await.0, 201);
    let browser = Browser::prove(&server, NUMBER).await;
    let page = browser.get(PAGE).await;
    assert!(!page.has("Người Có Thẻ"), "{}", page.text);
    assert_eq!(page.text.matches("class=\"card stay\"").count(), 1);
    browser.press("erase", &[("sure", "1")]).await;
    assert_eq!(count(&server, "SELECT COUNT(*) FROM check_ins").await, 1);
    // Without a session there is nothing behind any of the addresses.
    let stranger = Browser::new(&server);
    for path in [
        "",
        "/ban-sao.json",
        "/ban-sao.html",
        "/019a0000-0000-7000-8000-000000000000",
    ] {
        let shown = stranger.get(&format!("{PAGE}{path}")).await;
        assert!(shown.path == PAGE && shown.has("name=\"phone\""), "{path}");
    }
    let post = stranger.press("erase", &[("sure", "1")]).await;
    assert!(post.has("name=\"phone\""));
}
