//! Visitors at the door: the first time, the next time, and when something is wrong.

use std::time::Duration;

use crate::{
    axe,
    browser::{Browser, Setup},
    kit::{On, Server},
    on_both,
    people::{self, MAU, minute},
};

on_both! {
    a_first_visit_without_scripts,
}

/// What a first visit may weigh: a page, its style and its script, on a slow line.
const WEIGHT_MAX: u64 = 40_000;

async fn a_first_visit_without_scripts(on: On) {
    let server = Server::start(on).await;
    let code = people::market(&server).await;
    let phone = Browser::open(&server, Setup::phone().without_scripts()).await;

    // As the poster's code says it: in upper case.
    phone.go(&format!("/C/{code}")).await;
    assert_eq!(phone.text("h1").await, "Cổng số 1");
    assert_eq!(phone.text(".venue").await, "Chợ Long Hoa (Saale)");
    assert_eq!(
        phone.text("address").await,
        "12 Lê Lợi, Phường Tân Ninh, Tỉnh Tây Ninh"
    );
    assert_eq!(phone.text(".here").await, "Bạn đang ở đây?");
    assert_eq!(
        phone.count(":checked:not(option)").await,
        0,
        "nothing is preset"
    );
    assert_eq!(
        phone.attribute("#ward", "role").await,
        "",
        "scripts are off"
    );
    let weight = phone.weight().await;
    assert!((1_000..WEIGHT_MAX).contains(&weight), "{weight} bytes");
    phone.picture("visitor-form").await;

    // Something is missing, and the number is too short.
    people::declare(&phone, MAU).await;
    phone.fill("phone", "0912").await;
    phone.fill("street", "").await;
    phone.press(".btn.go").await;
    let title = phone.script("return document.title", &[]).await;
    assert!(title.as_str().unwrap().starts_with("Lỗi:"), "{title}");
    assert_eq!(phone.attribute("#errors", "role").await, "alert");
    assert_eq!(phone.count("#errors a").await, 2);
    assert_eq!(phone.value("[name=full_name]").await, MAU.name);
    assert_eq!(phone.value("[name=phone]").await, "0912");
    assert_eq!(phone.value("[name=province]").await, "80");
    assert_eq!(
        phone.count("input[name=symptoms][value=no]:checked").await,
        1
    );
    assert_eq!(phone.count("#consent:checked").await, 1);
    phone.picture("visitor-errors").await;
    for field in ["phone", "street"] {
        let words = phone.text(&format!("#errors a[href='#{field}']")).await;
        assert!(
            phone.text(&format!("#{field}-err")).await.contains(&words),
            "{words}"
        );
        phone.tap(&format!("#errors a[href='#{field}']")).await;
        assert_eq!(phone.focused().await, field);
        assert_eq!(
            phone.attribute(&format!("#{field}"), "aria-invalid").await,
            "true"
        );
    }

    phone.fill("phone", MAU.phone).await;
    phone.fill("street", "Số 5").await;
    phone.press(".btn.go").await;
    assert_eq!(phone.here().await, format!("/c/{code}"));
    assert_eq!(phone.text("h1").await, "MỜI VÀO");
    assert!(phone.text(".when").await.contains("08:30:00"));
    assert!(phone.text(".where").await.contains("Cổng số 1"));
    let receipt = phone.text(".receipt b").await;
    assert!(receipt.len() >= 6, "{receipt}");
    let source = phone.source().await;
    assert!(
        !source.contains(MAU.name) && !source.contains(MAU.phone),
        "the card is shown around"
    );
    phone.picture("card-clear").await;

    server.clock.set(minute(40));
    phone.press(".btn.out").await;
    assert_eq!(phone.text("h1").await, "ĐÃ RA");
    assert!(phone.text(".when").await.contains("09:10:00"));
    assert_eq!(phone.text(".receipt b").await, receipt);
    phone.picture("card-left").await;
}

#[tokio::test]
async fn a_phone_that_has_declared_needs_two_taps() {
    let server = Server::start(On::Sqlite).await;
    let (owner, venue) = people::venue(&server, "Chợ Long Hoa", "0907000001").await;
    let gate = people::checkpoint(&owner, &venue, "Cổng số 1").await;
    let hall = people::checkpoint(&owner, &venue, "Nhà lồng").await;
    let phone = Browser::open(&server, Setup::phone()).await;

    // The first time, with a list of wards that narrows while one types.
    phone.go(&format!("/c/{gate}")).await;
    let weight = phone.weight().await;
    assert!((1_000..40_000).contains(&weight), "{weight} bytes");
    axe::check(&phone).await;
    phone.press(".btn.go").await;
    assert_eq!(
        phone.focused().await,
        "errors",
        "what is wrong is said first"
    );
    assert!(phone.count("#errors a").await > 8);
    axe::check(&phone).await;
    people::declare(&phone, MAU).await;
    phone.fill("ward", "tan n").await;
    for _ in 0..100 {
        if phone.count("#ward-list:not([hidden]) li").await > 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    phone.picture("visitor-wards").await;
    let shown = phone.text("#ward-list").await;
    assert!(
        shown.lines().any(|line| line == "Phường Tân Ninh"),
        "{shown}"
    );
    let first = phone.text("#ward-list li").await;
    phone.key("\u{e015}").await;
    phone.key("\u{e007}").await;
    assert_eq!(phone.value("[name=ward]").await, first);
    phone.press(".btn.go").await;
    assert_eq!(phone.text("h1").await, "MỜI VÀO");
    axe::check(&phone).await;
    // The clock runs, so a screenshot gives itself away.
    let before = phone.text("[data-clock]").await;
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    assert_ne!(phone.text("[data-clock]").await, before);

    // The next door: scanning opened the page, and one tap enters.
    server.clock.set(minute(20));
    phone.go(&format!("/c/{hall}")).await;
    assert_eq!(phone.text("h1").await, "Nhà lồng");
    assert_eq!(phone.count("form input[name=full_name]").await, 0);
    phone.picture("visitor-again").await;
    axe::check(&phone).await;
    phone.press(".btn.go").await;
    assert_eq!(phone.text("h1").await, "MỜI VÀO");
    assert!(phone.text(".when").await.contains("08:50:00"));

    // The first poster again, on the way out: the card is there, with the button to leave.
    server.clock.set(minute(50));
    phone.go(&format!("/c/{gate}")).await;
    assert!(phone.text(".when").await.contains("08:30:00"));
    phone.press(".btn.out").await;
    assert_eq!(phone.text("h1").await, "ĐÃ RA");
    axe::check(&phone).await;
}

#[tokio::test]
async fn a_sick_visitor_is_stopped_and_a_doubt_is_asked_about() {
    let server = Server::start(On::Sqlite).await;
    let code = people::market(&server).await;
    let phone = Browser::open(&server, Setup::phone()).await;
    phone.go(&format!("/c/{code}")).await;
    people::declare(&phone, MAU).await;
    phone.choose("symptoms", "yes").await;
    phone.choose("symptom", "fever").await;
    phone.choose("contact_case", "yes").await;
    phone.press(".btn.go").await;
    assert_eq!(phone.text("h1").await, "DỪNG LẠI");
    assert!(phone.text(".advice").await.contains("1022"));
    phone.picture("card-stop").await;
    axe::check(&phone).await;

    phone.go(&format!("/c/{code}?new=1")).await;
    people::declare(&phone, MAU).await;
    phone.choose("contact_affected_area", "yes").await;
    phone.press(".btn.go").await;
    assert_eq!(phone.text("h1").await, "HỎI NGƯỜI GÁC CỬA");
    phone.picture("card-caution").await;
    axe::check(&phone).await;
}

#[tokio::test]
async fn a_code_that_is_not_there_says_so() {
    let server = Server::start(On::Sqlite).await;
    people::market(&server).await;
    let phone = Browser::open(&server, Setup::phone()).await;
    phone.go("/c/7ZZZZZZZZZZZZZZZZZZZZZZZZZ").await;
    assert_eq!(phone.text("h1").await, "Không có mã này");
    phone.picture("unknown-code").await;
    axe::check(&phone).await;
    phone.go("/").await;
    phone.fill("code", "abc").await;
    phone.press("form button").await;
    assert!(
        phone
            .text("[role=alert]")
            .await
            .contains("Không có điểm kiểm dịch")
    );
}
