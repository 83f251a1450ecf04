//! Erasing and taking consent back.

use diem_kiem_dich::{
    accounts::Role,
    base::{Random, ids},
    privacy::audit,
    rights,
    store::Error,
};
use serde_json::{Value, json};

use super::{
    Browser, NUMBER, PAGE, PERSONAL, check_in, count, deliver, later, person, rows_of, sent,
    server, traced,
};
use crate::{
    checkins::{declaration, venue},
    kit::{On, Server},
    on_both,
    pages::logged_in,
};

on_both! {
    a_person_sees_takes_along_and_erases,
    consent_taken_back_ends_the_declarations,
    what_a_case_holds_is_explained_and_ends,
    an_erasure_that_was_cut_off_is_gone_on_with,
    what_was_erased_leaves_the_files,
    how_often_it_was_opened_is_told_and_stays,
}

async fn takes_along(browser: &Browser, name: &str) {
    let file = browser.get(&format!("{PAGE}/ban-sao.json")).await;
    let data: Value = serde_json::from_str(&file.text).unwrap();
    assert_eq!(data["declarations"].as_array().unwrap().len(), 2);
    assert_eq!(data["stays"].as_array().unwrap().len(), 1);
    assert_eq!(data["stays"][0]["people"], 3);
    let names: Vec<_> = data["declarations"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["contact"]["full_name"].as_str().unwrap())
        .collect();
    assert!(names.contains(&name), "{names:?}");
    let readable = browser.get(&format!("{PAGE}/ban-sao.html")).await;
    assert!(
        readable.has("Cổng chính, Chợ Mẫu") && !readable.has("<b>Thị") && !readable.has("<form")
    );
    assert_eq!(
        browser.get(&format!("{PAGE}/ban-sao.csv")).await.status,
        404
    );
}

async fn a_person_sees_takes_along_and_erases(on: On) {
    let server = server(on).await;
    let (_, _, checkpoint) = venue(&server).await;
    let name = "Đỗ <b>Thị</b> Ổi";
    let mut declared = declaration();
    declared["full_name"] = json!(name);
    let sent_before = json!({
        "id": ids::v7(server.clock.now(), &Random::System),
        "checkpoint": checkpoint["code"], "declaration": declared, "companions": 2,
    });
    let (status, answer) = server.http.post("/api/v1/check-ins", &sent_before).await;
    assert_eq!(status, 201, "{answer}");
    check_in(&server, &checkpoint["code"], "Người Khác", "0907654321").await;
    let (status, made) = server
        .http
        .post(
            "/api/v1/declarations",
            &json!({"declaration": declaration()}),
        )
        .await;
    assert_eq!(status, 201, "{made}");

    let browser = Browser::prove(&server, NUMBER).await;
    let page = browser.get(PAGE).await;
    assert!(
        page.has("Đỗ &#60;b&#62;Thị") && !page.has("<b>Thị"),
        "{}",
        page.text
    );
    assert!(page.has("Cổng chính, Chợ Mẫu") && page.has("08:30, 18/11/2026"));
    assert!(page.has("07:00, 10/12/2026"), "until when a stay is kept");
    assert!(
        page.has("bản 2026-1 lúc 08:30, 18/11/2026"),
        "proof of consent"
    );
    assert!(!page.has("Người Khác"));
    assert_eq!(
        page.text
            .matches("<section class=\"card\"><h3>08:30")
            .count(),
        2
    );

    takes_along(&browser, name).await;
    // Nothing goes without the box.
    let unsure = browser.press("erase", &[]).await;
    assert_eq!(unsure.status, 422);
    assert!(unsure.has("#sure"));
    let erased = browser.press("erase", &[("sure", "1")]).await;
    assert_eq!(erased.status, 200, "{}", erased.text);
    assert!(
        erased.has("Đã xóa") && erased.has("3 dòng") && erased.has("Không còn gì"),
        "{}",
        erased.text
    );
    // What a case file might have copied goes later than that.
    assert!(erased.has("90 ngày sau lần dùng cuối của hồ sơ"));
    let person = person(&server, NUMBER);
    for table in PERSONAL {
        assert_eq!(rows_of(&server, table, &person).await, 0, "{table}");
    }
    // What the other one left is there.
    assert_eq!(count(&server, "SELECT COUNT(*) FROM check_ins").await, 1);
    assert_eq!(count(&server, "SELECT COUNT(*) FROM declarations").await, 1);
    if on == On::Sqlite {
        // Nor does the journal's own file bring it back.
        let logged: Result<(i64,), Error> = server
            .app
            .db
            .log_single(async |tx| tx.query("SELECT COUNT(*) FROM journal").one().await)
            .await;
        assert_eq!(logged.unwrap().0, 0);
    }
    let page = browser.get(PAGE).await;
    assert!(page.has("name=\"phone\""), "the session has ended");
    // A phone that sends again what it had sent before is told to declare anew.
    let (status, refused) = server.http.post("/api/v1/check-ins", &sent_before).await;
    assert_eq!(status, 422, "{refused}");
    assert_eq!(refused["errors"][0]["code"], "withdrawn");
    // The number is told, and again nothing is kept under it.
    deliver(&server).await;
    later(&server, 61);
    let again = Browser::prove(&server, NUMBER).await;
    assert!(again.get(PAGE).await.has("Không có gì được giữ."));
    let last = sent(&server);
    assert!(last.iter().any(|message| message["template"] == "erased"));
    let whole = server.app.db.read(async |tx| audit::verify(tx).await).await;
    assert!(
        matches!(whole, Ok(audit::Verdict::Whole(n)) if n >= 6),
        "{whole:?}"
    );
}

async fn consent_taken_back_ends_the_declarations(on: On) {
    let server = server(on).await;
    let (_, _, checkpoint) = venue(&server).await;
    let answer = check_in(&server, &checkpoint["code"], "Đỗ Thị Ổi", NUMBER).await;
    let other = check_in(&server, &checkpoint["code"], "Người Khác", "0907654321").await;
    let by_token = async |answer: &Value| {
        let body = json!({
            "id": ids::v7(server.clock.now(), &Random::System), "checkpoint": checkpoint["code"],
            "declaration_token": answer["declaration_token"],
        });
        server.http.post("/api/v1/check-ins", &body).await
    };
    assert_eq!(by_token(&answer).await.0, 201);
    let browser = Browser::prove(&server, NUMBER).await;
    later(&server, 5);
    let done = browser.press("withdraw", &[]).await;
    assert!(done.has("Đã rút lại sự đồng ý"), "{}", done.text);
    let (status, refused) = by_token(&answer).await;
    assert_eq!(status, 422, "{refused}");
    assert_eq!(refused["errors"][0]["code"], "token_not_good");
    assert_eq!(by_token(&other).await.0, 201, "nobody else is touched");
    // Another process knows it at its start.
    let server = server.restart().await;
    let body = json!({
        "checkpoint": checkpoint["code"], "declaration_token": answer["declaration_token"],
    });
    assert_eq!(server.http.post("/api/v1/check-ins", &body).await.0, 422);
    // A new declaration is a new consent.
    later(&server, 5);
    let anew = check_in(&server, &checkpoint["code"], "Đỗ Thị Ổi", NUMBER).await;
    let body = json!({
        "checkpoint": checkpoint["code"], "declaration_token": anew["declaration_token"],
    });
    assert_eq!(server.http.post("/api/v1/check-ins", &body).await.0, 201);
}

async fn what_a_case_holds_is_explained_and_ends(on: On) {
    let server = server(on).await;
    traced(&server).await;
    // A day later, somewhere else: no case needs that.
    later(&server, 24 * 3600);
    let (_, _, checkpoint) = venue(&server).await;
    check_in(&server, &checkpoint["code"], "Đỗ Thị Ổi", NUMBER).await;
    let browser = Browser::prove(&server, NUMBER).await;
    let erased = browser.press("erase", &[("sure", "1")]).await;
    assert_eq!(erased.status, 200, "{}", erased.text);
    assert!(
        erased.has("2 dòng đã bị xóa") && erased.has("2 dòng đang cần"),
        "{}",
        erased.text
    );
    assert!(erased.has("11/12/2026"), "until when: {}", erased.text);
    assert!(!erased.has("Bí Mật") && !erased.has("0901111111") && !erased.has("2026-0001"));
    let person = person(&server, NUMBER);
    assert_eq!(rows_of(&server, PERSONAL[0], &person).await, 1);
    assert_eq!(rows_of(&server, PERSONAL[1], &person).await, 1);
    later(&server, 61);
    let again = Browser::prove(&server, NUMBER).await;
    let page = again.get(PAGE).await;
    assert!(
        page.has("Được giữ lâu nhất đến") && !page.has("Bí Mật"),
        "{}",
        page.text
    );
    // It is on the list of those who look after it, without a person.
    let lead = logged_in(&server, Role::HealthLead).await;
    let list = lead.get("/requests").await;
    assert!(list.text.contains("Một ca bệnh đang giữ") && !list.text.contains(NUMBER));
    // When its time is over, the rest goes by itself, and whose it was is forgotten.
    later(&server, 24 * 24 * 3600);
    let resumed = rights::resume(&server.app.rights()).await.unwrap();
    assert_eq!(resumed, 1);
    assert_eq!(rows_of(&server, PERSONAL[6], &person).await, 0);
    let open = count(
        &server,
        "SELECT COUNT(*) FROM rights_requests WHERE closed_at IS NULL",
    )
    .await;
    assert_eq!(open, 0);
}

async fn an_erasure_that_was_cut_off_is_gone_on_with(on: On) {
    let server = server(on).await;
    let (_, _, checkpoint) = venue(&server).await;
    check_in(&server, &checkpoint["code"], "Đỗ Thị Ổi", NUMBER).await;
    let person = person(&server, NUMBER);
    let id = ids::v4(&Random::System);
    let app = &server.app;
    // What the first of its transactions leaves behind.
    let begun: Result<u64, Error> = app
        .db
        .write(async |tx| {
            let now = tx.now();
            tx.query(
                "INSERT INTO rights_requests (id, kind, state, person_id, received_at, reply_due_at,
                                              due_at, rows_erased)
                 VALUES ($1, 'erase', 'running', $2, $3, $3, $3, 0)",
            )
            .bind(id)
            .bind(person.clone())
            .bind(now)
            .execute()
            .await
        })
        .await;
    assert_eq!(begun.unwrap(), 1);
    assert_eq!(
        rights::resume(&app.rights()).await.unwrap(),
        0,
        "it may be running"
    );
    later(&server, 61);
    assert_eq!(rights::resume(&app.rights()).await.unwrap(), 1);
    for table in PERSONAL {
        assert_eq!(rows_of(&server, table, &person).await, 0, "{table}");
    }
    assert_eq!(rights::resume(&app.rights()).await.unwrap(), 0);
}

/// Files of the store that hold `needle`.
fn holding(server: &Server, needle: &[u8]) -> Vec<String> {
    let files = ["db", "db-wal", "log.db", "log.db-wal"];
    let names = files.map(|ending| format!("diem-kiem-dich.{ending}"));
    let holds = |name: &String| {
        let bytes = std::fs::read(server.settings.data_dir.join(name)).unwrap_or_default();
        bytes.windows(needle.len()).any(|some| some == needle)
    };
    names.into_iter().filter(holds).collect()
}

async fn what_was_erased_leaves_the_files(on: On) {
    let server = server(on).await;
    let db = &server.app.db;
    let (_, _, checkpoint) = venue(&server).await;
    check_in(&server, &checkpoint["code"], "Đỗ Thị Ổi", NUMBER).await;
    let person = person(&server, NUMBER);
    // Nobody else looks after it here, and the start has been seen to.
    rows_of(&server, PERSONAL[0], &person).await;
    cleaned(&server).await;
    let row: Result<(Vec<u8>,), Error> = db
        .read(async |tx| {
            tx.query("SELECT contact_sealed FROM declarations WHERE person_id = $1")
                .bind(person.clone())
                .one()
                .await
        })
        .await;
    let sealed = row.unwrap().0;
    if on == On::Sqlite {
        assert!(!holding(&server, &sealed).is_empty(), "it can be found");
    }
    let browser = Browser::prove(&server, NUMBER).await;
    let erased = browser.press("erase", &[("sure", "1")]).await;
    assert_eq!(erased.status, 200, "{}", erased.text);
    // PostgreSQL does it by itself: SECURITY.md says what that leaves.
    assert_eq!(db.is_unclean(), on == On::Sqlite);
    cleaned(&server).await;
    if on == On::Sqlite {
        assert_eq!(holding(&server, &sealed), [""; 0]);
    }
}

/// The worker's round, until nobody was reading meanwhile.
async fn cleaned(server: &Server) {
    for _ in 0..100 {
        rights::resume(&server.app.rights()).await.unwrap();
        if !server.app.db.is_unclean() {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("what was erased was not scrubbed");
}

async fn how_often_it_was_opened_is_told_and_stays(on: On) {
    let server = server(on).await;
    traced(&server).await;
    let browser = Browser::prove(&server, NUMBER).await;
    assert!(browser.get(PAGE).await.has("Chưa ai mở."));
    let officer = server.login_as(Role::HealthOfficer, Some("80")).await;
    let run: Result<(uuid::Uuid,), Error> = server
        .app
        .db
        .read(async |tx| tx.query("SELECT id FROM lookup_runs").one().await)
        .await;
    let exposures = format!("/api/v1/lookups/{}/exposures", run.unwrap().0);
    assert_eq!(officer.get(&exposures).await.0, 200);
    assert_eq!(officer.get(&exposures).await.0, 200);
    let row = "<tr><th scope=\"row\">11/2026</th>\
               <td>Danh sách người có mặt cùng nơi, cùng lúc với ca bệnh</td>\
               <td>Cơ quan y tế Tỉnh Tây Ninh</td><td class=\"n\">2</td></tr>";
    let page = browser.get(PAGE).await;
    assert!(page.has(row), "{}", page.text);
    assert!(!page.has("Bí Mật") && !page.has("2026-0001"));
    let english = browser.get(&format!("{PAGE}?lang=en")).await;
    assert!(english.has("A list of people who were where and when a case was"));
    browser.get(&format!("{PAGE}?lang=vi")).await;
    let readable = browser.get(&format!("{PAGE}/ban-sao.html")).await;
    assert!(readable.has(row), "{}", readable.text);
    let file = browser.get(&format!("{PAGE}/ban-sao.json")).await;
    let data: Value = serde_json::from_str(&file.text).unwrap();
    let told = json!([{"month": "2026-11", "purpose": "list", "province": "80", "times": 2}]);
    assert_eq!(data["opened"], told);
    // Whoever has another number is told nothing of it.
    let other = Browser::prove(&server, "0907654321").await;
    assert!(other.get(PAGE).await.has("Chưa ai mở."));
    let erased = browser.press("erase", &[("sure", "1")]).await;
    assert!(erased.has("được giữ 730 ngày"), "{}", erased.text);
    later(&server, 61);
    let again = Browser::prove(&server, NUMBER).await;
    assert!(again.get(PAGE).await.has(row), "it is their proof");
}
