//! A health officer: from a case to the people who were there.

use diem_kiem_dich::accounts::Role;

use crate::{
    axe,
    browser::{Browser, Setup},
    kit::{On, Server},
    on_both,
    people::{self, BRIEN, LATE, MAU, OI, PASSWORD, minute},
};

on_both! {
    an_officer_finds_who_was_there,
}

async fn an_officer_finds_who_was_there(on: On) {
    let server = Server::start(on).await;
    let code = people::market(&server).await;
    people::visit(&server, &code, MAU, 0, Some(90)).await;
    people::visit(&server, &code, OI, 15, Some(60)).await;
    people::visit(&server, &code, BRIEN, 30, None).await;
    people::visit(&server, &code, LATE, 200, Some(230)).await;
    server.clock.set(minute(480));
    people::account(&server, "can-bo", Role::HealthOfficer).await;

    let desk = Browser::open(&server, Setup::desk()).await;
    people::log_in(&server, &desk, "can-bo", PASSWORD).await;
    assert_eq!(desk.here().await, "/cases");
    axe::check(&desk).await;
    desk.press("a[href='/cases/new']").await;
    desk.picture("case-new").await;
    axe::check(&desk).await;
    desk.press("main form button").await;
    assert!(desk.count("#errors a[href='#confirmed_on']").await == 1);
    desk.fill("full_name", MAU.name).await;
    desk.fill("phone", MAU.phone).await;
    desk.set("onset_on", "2026-11-18").await;
    desk.set("confirmed_on", "2026-11-18").await;
    desk.press("main form button").await;
    let case = desk.here().await;
    assert!(
        desk.text(".window").await.contains("2026"),
        "{}",
        desk.text(".window").await
    );
    let visits = desk.text("main .scroll table").await;
    assert!(
        visits.contains("Chợ Long Hoa (Saale), Cổng số 1"),
        "{visits}"
    );
    assert!(
        visits.contains("08:30") && visits.contains("10:00"),
        "{visits}"
    );
    desk.picture("case").await;
    axe::check(&desk).await;

    // Without a reason and a document there is no answer.
    desk.press("main form button").await;
    assert_eq!(desk.count("#errors a").await, 2);
    assert_eq!(desk.here().await, case);
    axe::check(&desk).await;
    desk.fill("reason", "Điều tra dịch tễ ca bệnh ở chợ").await;
    desk.fill("document", "12/QĐ-TTYT").await;
    desk.press("main form button").await;
    assert!(
        desk.text(".stats").await.starts_with("2\n"),
        "{}",
        desk.text(".stats").await
    );
    let source = desk.source().await;
    assert!(
        !source.contains(OI.name) && !source.contains(OI.phone),
        "counts first"
    );
    desk.picture("lookup-counts").await;
    axe::check(&desk).await;
    the_people_open(&desk).await;
}

async fn the_people_open(desk: &Browser) {
    desk.press("main a.btn").await;
    let people = desk.text("table.people").await;
    for visitor in [OI, BRIEN] {
        assert!(
            people.contains(visitor.name) && people.contains(visitor.phone),
            "{people}"
        );
    }
    assert!(
        !people.contains(LATE.name) && !people.contains(MAU.name),
        "{people}"
    );
    assert!(people.contains("ước tính"), "{people}");
    assert_eq!(desk.count(".chart svg[role=img]").await, 1);
    assert_eq!(
        desk.count(".chart ~ .scroll table, .scroll table.people")
            .await,
        1
    );
    desk.picture("lookup-people").await;
    axe::check(desk).await;

    let link = desk.attribute("a[href$='.csv']", "href").await;
    let (status, kind, csv) = desk.fetch(&link).await;
    assert_eq!((status, kind.as_str()), (200, "text/csv; charset=utf-8"));
    assert!(
        csv.contains("run,rule,ring,person,full_name,phone,"),
        "{csv}"
    );
    assert!(csv.contains(OI.name) && csv.contains(BRIEN.phone), "{csv}");
    assert_eq!(csv.lines().count(), 3, "{csv}");
}

#[tokio::test]
async fn an_officer_looks_up_a_place_without_scripts() {
    let server = Server::start(On::Sqlite).await;
    let code = people::market(&server).await;
    people::visit(&server, &code, OI, 15, Some(60)).await;
    server.clock.set(minute(480));
    people::account(&server, "can-bo", Role::HealthOfficer).await;
    let desk = Browser::open(&server, Setup::desk().without_scripts()).await;
    people::log_in(&server, &desk, "can-bo", PASSWORD).await;
    desk.press("nav a[href='/lookups/new']").await;
    desk.picture("lookup-new").await;
    desk.press("main form button").await;
    assert_eq!(
        desk.count("#errors a[href='#by'], #errors a[href='#reason']")
            .await,
        2
    );
    desk.choose("by", "checkpoint").await;
    desk.fill("code", &code.to_lowercase()).await;
    desk.set("from", "2026-11-18T08:00").await;
    desk.set("until", "2026-11-18T12:00").await;
    desk.fill("reason", "Điều tra ổ dịch").await;
    desk.fill("document", "12/QĐ-TTYT").await;
    // The officer was called away: the form asks who it is, and goes on with what was typed.
    server.clock.set(minute(500));
    desk.press("main form button").await;
    desk.picture("proof").await;
    let otp = server.otp("can-bo").unwrap();
    desk.fill("otp", &otp).await;
    desk.press("main form button").await;
    assert!(
        desk.text(".stats").await.starts_with("1\n"),
        "{}",
        desk.text(".stats").await
    );
    desk.press("main a.btn").await;
    assert!(desk.text("table.people").await.contains(OI.name));
    desk.press("nav a[href='/sessions']").await;
    assert_eq!(desk.count("main .cards li").await, 1);
    desk.picture("sessions").await;
    desk.press("main > form button").await;
    assert_eq!(desk.here().await, "/");
    desk.go("/cases").await;
    assert_eq!(desk.here().await, "/login?next=/cases");
    desk.picture("login").await;
}

#[tokio::test]
async fn the_lookup_form_shows_what_is_asked_for() {
    let server = Server::start(On::Sqlite).await;
    people::account(&server, "can-bo", Role::HealthOfficer).await;
    let phone = Browser::open(&server, Setup::phone()).await;
    people::log_in(&server, &phone, "can-bo", PASSWORD).await;
    for path in ["/sessions", "/proof?next=/cases"] {
        phone.go(path).await;
        axe::check(&phone).await;
    }
    phone.go("/lookups/new").await;
    axe::check(&phone).await;
    let shown = "return document.querySelector(arguments[0]).checkVisibility()";
    for (by, there, away) in [
        ("checkpoint", "#code", "#phone"),
        ("person", "#phone", "#code"),
    ] {
        phone.choose("by", by).await;
        assert_eq!(phone.script(shown, &[there]).await, true);
        assert_eq!(phone.script(shown, &[away]).await, false);
        axe::check(&phone).await;
    }
}
