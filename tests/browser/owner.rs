//! A venue's owner, from registering to closing a checkpoint.

use crate::{
    axe,
    browser::{Browser, Setup},
    kit::{On, Server},
    on_both,
    people::{self, OI, PASSWORD},
};

on_both! {
    an_owner_registers_prints_looks_and_closes,
}

async fn an_owner_registers_prints_looks_and_closes(on: On) {
    let server = Server::start(on).await;
    let desk = Browser::open(&server, Setup::desk()).await;
    desk.go("/").await;
    desk.picture("home").await;
    axe::check(&desk).await;
    desk.press(".hero a[href='/register']").await;
    desk.picture("register").await;
    axe::check(&desk).await;
    desk.press("main form button").await;
    assert_eq!(desk.focused().await, "errors");
    axe::check(&desk).await;
    desk.fill("name", "Phở <b>Mẫu</b> & Con").await;
    desk.choose("kind", "restaurant").await;
    desk.choose("province", "80").await;
    desk.fill("ward", "tan ninh").await;
    desk.fill("street", "12 Lê Lợi").await;
    desk.fill("checkpoint", "Cửa chính").await;
    desk.fill("contact_name", "Lê Thị Chủ").await;
    desk.fill("contact_phone", "0901 234 567").await;
    desk.fill("password", PASSWORD).await;
    desk.press("main form button").await;
    assert_eq!(desk.text("h1").await, "Phở <b>Mẫu</b> & Con");
    assert!(desk.text(".done").await.contains("Đã đăng ký"));
    let venue = desk.here().await;
    let venue = venue.split('?').next().unwrap();
    let first = desk.text("p.code").await.replace('-', "");

    desk.press("nav button").await;
    assert_eq!(desk.here().await, "/");
    desk.go(venue).await;
    assert!(
        desk.here().await.starts_with("/login?next="),
        "{}",
        desk.here().await
    );
    desk.picture("login").await;
    axe::check(&desk).await;
    desk.fill("login", "0901234567").await;
    desk.fill("password", "khong-phai-the").await;
    desk.press("main form button").await;
    assert_eq!(desk.focused().await, "errors");
    assert_eq!(desk.value("[name=login]").await, "0901234567");
    assert_eq!(desk.value("[name=password]").await, "");
    desk.fill("password", PASSWORD).await;
    desk.press("main form button").await;
    assert_eq!(desk.here().await, venue);
    desk.press("nav a[href='/venues']").await;
    desk.picture("venues").await;
    axe::check(&desk).await;
    desk.press(".cards a").await;

    desk.press(&format!("a[href='{venue}/checkpoints/new']"))
        .await;
    axe::check(&desk).await;
    desk.fill("name", "Phòng họp 2").await;
    desk.choose("kind", "office").await;
    desk.fill("stay_minutes", "45").await;
    desk.set("open_mon", "07:00").await;
    desk.set("close_mon", "21:30").await;
    desk.press("form.form button").await;
    assert_eq!(desk.text("h1").await, "Phòng họp 2");
    assert_eq!(desk.value("[name=stay_minutes]").await, "45");
    let checkpoint = desk.here().await;
    desk.picture("checkpoint").await;
    axe::check(&desk).await;
    posters_are_there(&desk).await;

    people::visit(&server, &first, OI, 5, None).await;
    people::visit(&server, &first, people::BRIEN, 7, Some(30)).await;
    desk.go(venue).await;
    assert!(
        desk.text(".stats").await.contains("2\nlượt vào"),
        "{}",
        desk.text(".stats").await
    );
    assert_eq!(desk.count(".chart svg[role=img] .bar").await, 1);
    let table = "table:not(details table) tbody tr";
    assert_eq!(desk.count(table).await, 2);
    assert!(
        desk.text(&format!("{table} td:nth-child(4)"))
            .await
            .ends_with("***")
    );
    desk.tap("section details summary").await;
    assert!(
        desk.text("details table").await.contains("08"),
        "the picture's numbers as a table"
    );
    let source = desk.source().await;
    for hidden in [OI.name, OI.phone, people::BRIEN.name, people::BRIEN.phone] {
        assert!(!source.contains(hidden), "{hidden} stands in the page");
    }
    desk.picture("venue").await;
    axe::check(&desk).await;
    closing_is_seen_by_visitors(&server, &desk, &checkpoint).await;
}

async fn posters_are_there(desk: &Browser) {
    let links = "return [...document.querySelectorAll('form[method=get] button')]
        .map(button => new URL(button.hasAttribute('formaction') ? button.formAction : button.form.action).pathname + '?size=a4&lang=vi,en')";
    let links = desk.script(links, &[]).await;
    let kinds = ["application/pdf", "image/png", "image/svg+xml"];
    assert_eq!(links.as_array().unwrap().len(), kinds.len());
    for (link, kind) in links.as_array().unwrap().iter().zip(kinds) {
        let (status, given, body) = desk.fetch(link.as_str().unwrap()).await;
        assert_eq!((status, given.as_str()), (200, kind), "{link}");
        assert!(body.len() > 1_000);
    }
}

async fn closing_is_seen_by_visitors(server: &Server, desk: &Browser, checkpoint: &str) {
    desk.go(checkpoint.split('?').next().unwrap()).await;
    let page = desk.attribute("a[href^='/c/']", "href").await;
    let visitor = Browser::open(server, Setup::phone()).await;
    visitor.go(&page).await;
    assert_eq!(visitor.text("h1").await, "Phòng họp 2");
    desk.press(".btn.danger").await;
    assert_eq!(desk.text(".badge").await, "Đã đóng");
    visitor.go(&page).await;
    assert_eq!(visitor.text("h1").await, "Điểm kiểm dịch đã đóng");
    visitor.picture("closed").await;
    axe::check(&visitor).await;
}
