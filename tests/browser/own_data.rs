//! A person's own data, from the number to the erasure: with scripts, which work for the code, and
//! without.

use std::time::{Duration, Instant};

use crate::{
    axe,
    browser::{Browser, Setup},
    kit::{On, Server},
    people::{self, OI, minute},
};

/// The last code that left, once there is one.
async fn code(server: &Server, already: usize) -> String {
    let file = server.settings.data_dir.join("messages.jsonl");
    let began = Instant::now();
    loop {
        let text = std::fs::read_to_string(&file).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        if lines.len() > already {
            let last: serde_json::Value = serde_json::from_str(lines[lines.len() - 1]).unwrap();
            let text = last["text"].as_str().unwrap();
            let digits: String = text.chars().filter(char::is_ascii_digit).collect();
            return digits[..6].to_owned();
        }
        assert!(
            began.elapsed() < Duration::from_secs(20),
            "no code has left"
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn a_person_sees_corrects_and_erases() {
    let server = Server::start_with(On::Sqlite, &[("message_sender", "file")]).await;
    let gate = people::market(&server).await;
    people::visit(&server, &gate, OI, 5, Some(30)).await;
    let phone = Browser::open(&server, Setup::phone()).await;
    phone.go("/").await;
    phone.press(".foot a[href='/du-lieu-cua-toi']").await;
    assert_eq!(phone.text("h1").await, "Dữ liệu của tôi");
    phone.picture("own-ask").await;
    axe::check(&phone).await;
    // The form goes as soon as the puzzle is solved, however early it is sent.
    phone.fill("phone", OI.phone).await;
    phone.press("form[data-work] button").await;
    let began = Instant::now();
    while phone.text("h1").await != "Nhập mã" {
        assert!(
            began.elapsed() < Duration::from_secs(30),
            "{}",
            phone.source().await
        );
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(phone.text(".lead").await.contains("0987654 ***"));
    phone.picture("own-code").await;
    axe::check(&phone).await;
    let code = code(&server, 0).await;
    let wrong = if code == "000000" { "111111" } else { "000000" };
    phone.fill("code", wrong).await;
    phone.press("main form button").await;
    assert_eq!(phone.focused().await, "errors");
    phone.fill("code", &code).await;
    phone.press("main form button").await;
    assert_eq!(phone.here().await, "/du-lieu-cua-toi");
    assert_eq!(phone.count(".stay").await, 1);
    assert!(phone.text("main").await.contains(OI.name));
    phone.picture("own-data").await;
    axe::check(&phone).await;
    let (status, kind, _) = phone.fetch("/du-lieu-cua-toi/ban-sao.json").await;
    assert_eq!((status, kind.as_str()), (200, "application/json"));

    phone
        .press("section.card a[href^='/du-lieu-cua-toi/']")
        .await;
    assert_eq!(phone.value("[name=full_name]").await, OI.name);
    phone.picture("own-correct").await;
    axe::check(&phone).await;
    phone.fill("full_name", "Đỗ Thị Ổi Hồng").await;
    phone.press("main form button").await;
    assert!(phone.text(".done").await.contains("Đã ghi bản sửa"));
    assert!(phone.text("main").await.contains("Đỗ Thị Ổi Hồng"));

    phone.press("a[href='/dong-y']").await;
    assert_eq!(phone.count("section.card").await, 1);
    phone.picture("own-consents").await;
    axe::check(&phone).await;
    phone.go("/du-lieu-cua-toi").await;
    phone.tap("#sure").await;
    phone.press(".btn.danger").await;
    assert_eq!(phone.text("h1").await, "Đã xóa");
    phone.picture("own-erased").await;
    axe::check(&phone).await;
    phone.go("/du-lieu-cua-toi").await;
    assert_eq!(
        phone.count("[name=phone]").await,
        1,
        "the session has ended"
    );
}

#[tokio::test]
async fn without_scripts_one_waits() {
    let server = Server::start_with(On::Sqlite, &[("message_sender", "file")]).await;
    let phone = Browser::open(&server, Setup::phone().without_scripts()).await;
    phone.go("/du-lieu-cua-toi").await;
    assert!(phone.text("noscript p").await.contains("20 giây"));
    phone.fill("phone", OI.phone).await;
    phone.press("main form button").await;
    assert!(
        phone.text("#phone-err").await.contains("đợi"),
        "at once is too fast"
    );
    server.clock.set(minute(1));
    phone.press("main form button").await;
    assert_eq!(phone.text("h1").await, "Nhập mã");
    let code = code(&server, 0).await;
    phone.fill("code", &code).await;
    phone.press("main form button").await;
    assert!(phone.text("main").await.contains("Không có gì được giữ."));
    phone.picture("own-data-none").await;
}
