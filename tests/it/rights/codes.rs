//! Codes: whose they are, how often they go out, and what they are worth.

use std::{collections::BTreeSet, time::Duration};

use diem_kiem_dich::{
    identity::Phone,
    messages::Language,
    otp::{self, Ask, Asked, Purpose, Verdict},
    store::Error,
};

use super::{
    Browser, NUMBER, PAGE, check_in, code_of, deliver, later, sent, server, server_with, waiting,
};
use crate::{
    checkins::venue,
    kit::{On, Server},
    on_both,
};

on_both! {
    codes_are_judged,
    a_number_is_spared,
    a_thousand_numbers_stop_at_the_breaker,
    numbers_known_and_unknown_are_answered_alike,
}

async fn codes_are_judged(on: On) {
    let server = server(on).await;
    let browser = Browser::new(&server);
    // Without work, and before the wait is over, nothing is sent; after it, it is.
    let page = browser.get(PAGE).await;
    let bare = [
        ("csrf", &*page.hidden("csrf")),
        ("do", "number"),
        ("form", &*page.hidden("form")),
        ("phone", NUMBER),
    ];
    assert_eq!(browser.post(PAGE, &bare).await.status, 422);
    assert_eq!(waiting(&server).await, 0);
    later(&server, 21);
    let asked = browser.post(PAGE, &bare).await;
    assert_eq!(asked.status, 200, "{}", asked.text);
    assert!(asked.has("0901234 ***") && !asked.has(NUMBER));
    let used = browser.post(PAGE, &bare).await;
    assert_eq!(used.status, 422, "a form is good once");

    let code = code_of(&server, NUMBER).await;
    let wrong = if code == "000000" { "000001" } else { "000000" };
    // Another browser with the same form has nothing, and uses up nothing.
    let other = Browser::new(&server);
    other.get(PAGE).await;
    for _ in 0..6 {
        let foreign = other
            .post(
                PAGE,
                &[
                    ("csrf", &*other.get(PAGE).await.hidden("csrf")),
                    ("do", "code"),
                    ("form", &*asked.hidden("form")),
                    ("code", &code),
                ],
            )
            .await;
        assert!(foreign.status == 422 && foreign.has("name=\"phone\""));
    }
    for odd in ["", "12345", "abcdef", "1234567"] {
        assert_eq!(browser.give(&asked, odd).await.status, 422, "{odd}");
    }
    for _ in 0..4 {
        let again = browser.give(&asked, wrong).await;
        assert!(
            again.status == 422 && again.has("name=\"code\""),
            "{}",
            again.text
        );
    }
    let fifth = browser.give(&asked, wrong).await;
    assert!(
        fifth.status == 422 && fifth.has("name=\"phone\""),
        "{}",
        fifth.text
    );
    let sixth = browser.give(&asked, &code).await;
    assert!(
        sixth.status == 422 && !sixth.has("id=\"stays\""),
        "the sixth try, with the right code"
    );

    // A code is good once, for five minutes, with a blank in the middle.
    later(&server, 61);
    let (asked, _) = browser.ask(NUMBER).await;
    let code = code_of(&server, NUMBER).await;
    later(&server, 301);
    assert!(
        browser.give(&asked, &code).await.has("name=\"phone\""),
        "expired"
    );
    let (asked, _) = browser.ask(NUMBER).await;
    let code = code_of(&server, NUMBER).await;
    let spaced = format!("{} {}", &code[..3], &code[3..]);
    assert!(browser.give(&asked, &spaced).await.has("id=\"stays\""));
    browser.press("leave", &[]).await;
    assert!(
        browser.give(&asked, &code).await.has("name=\"phone\""),
        "used"
    );
    assert!(browser.get(PAGE).await.has("name=\"phone\""));
    // A session ends by itself.
    later(&server, 601);
    let browser = Browser::prove(&server, NUMBER).await;
    later(&server, 20 * 60 + 1);
    assert!(browser.get(PAGE).await.has("name=\"phone\""));
}

async fn a_number_is_spared(on: On) {
    let server = server(on).await;
    let browser = Browser::new(&server);
    let ask = async || browser.ask(NUMBER).await.0.status.as_u16();
    assert_eq!(ask().await, 200);
    assert_eq!(ask().await, 429, "a minute between two");
    for _ in 0..2 {
        later(&server, 61);
        assert_eq!(ask().await, 200);
    }
    later(&server, 61);
    assert_eq!(ask().await, 429, "three in ten minutes");
    for _ in 0..2 {
        later(&server, 601);
        assert_eq!(ask().await, 200);
    }
    later(&server, 3600);
    assert_eq!(ask().await, 429, "five a day");
    let (other, _) = browser.ask("0907654321").await;
    assert_eq!(other.status, 200, "another number is not touched");
    later(&server, 24 * 3600);
    assert_eq!(ask().await, 200);
    for (number, code) in [
        ("", "required"),
        ("12", ""),
        ("02438231234", ""),
        ("+14155552671", ""),
    ] {
        let (refused, _) = browser.ask(number).await;
        assert_eq!(refused.status, 422, "{number} {code}");
    }
}

async fn a_thousand_numbers_stop_at_the_breaker(on: On) {
    let server = server_with(on, &[("message_daily_limit", "40")]).await;
    let app = &server.app;
    let mut went = 0;
    let mut spent = 0;
    for number in 0..1000 {
        let phone = Phone::parse(&format!("09{:08}", 10_000_000 + number)).unwrap();
        let token = format!("token {number}");
        let ask = Ask {
            purpose: Purpose::OwnData,
            token: &token,
            binding: "one browser",
            phone: &phone,
            language: Language::Vi,
            daily_limit: app.settings.messages.daily_limit,
        };
        let asked: Result<Asked, Error> = app
            .db
            .write(async |tx| otp::ask(tx, &app.keys, &app.random, ask).await)
            .await;
        match asked.unwrap() {
            Asked::Sent => went += 1,
            Asked::Spent => spent += 1,
            other => panic!("{other:?}"),
        }
    }
    assert_eq!((went, spent), (40, 960));
    let browser = Browser::new(&server);
    let (refused, _) = browser.ask(NUMBER).await;
    assert_eq!(refused.status, 503, "{}", refused.text);
    assert!(refused.has("ngày mai"));
    // The next UTC day has its own.
    later(&server, 24 * 3600);
    assert_eq!(browser.ask(NUMBER).await.0.status, 200);
    while waiting(&server).await > 0 {
        deliver(&server).await;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(sent(&server).len() <= 41);
}

async fn numbers_known_and_unknown_are_answered_alike(on: On) {
    let server = server(on).await;
    let (_, _, checkpoint) = venue(&server).await;
    let name = "TÊN CHIM HOÀNG YẾN 4711";
    check_in(&server, &checkpoint["code"], name, NUMBER).await;
    let ask = async |number: &str| {
        let (shown, token) = Browser::new(&server).ask(number).await;
        // What differs in any case: tokens, and the number that was typed.
        let text = shown
            .text
            .replace(&token, "")
            .replace(&shown.hidden("csrf"), "")
            .replace(&Phone::parse(number).unwrap().masked(), "");
        (shown.status, text)
    };
    assert_eq!(ask(NUMBER).await, ask("0907654321").await);
    code_of(&server, "0907654321").await;
    // Nothing that anybody wrote stands in what goes out.
    let fixed: BTreeSet<String> = sent(&server)
        .iter()
        .map(|message| {
            let text = message["text"].as_str().unwrap();
            assert!(!text.contains("4711") && !text.contains("TÊN"), "{text}");
            text.chars()
                .map(|c| if c.is_ascii_digit() { '0' } else { c })
                .collect()
        })
        .collect();
    assert_eq!(fixed.len(), 1, "{fixed:?}");
}

/// Where no gateway is, the page says where to turn, and nothing is asked.
#[tokio::test]
async fn without_a_gateway_the_page_says_where_to_turn() {
    let server = Server::start(On::Sqlite).await;
    let browser = Browser::new(&server);
    let page = browser.get(PAGE).await;
    assert!(
        page.has("1022") && !page.has("name=\"phone\""),
        "{}",
        page.text
    );
    let bare = browser
        .client
        .post(format!("{}{PAGE}", server.url))
        .header("sec-fetch-site", "same-origin")
        .form(&[("do", "number"), ("phone", NUMBER)]);
    assert_eq!(Browser::shown(bare).await.status, 503);
}

/// A dump of the tables names neither the number nor the code.
#[tokio::test]
async fn neither_number_nor_code_stands_in_the_store() {
    let server = server(On::Sqlite).await;
    let browser = Browser::new(&server);
    let (asked, _) = browser.ask(NUMBER).await;
    let code = code_of(&server, NUMBER).await;
    browser.give(&asked, &code).await;
    let dir = &server.settings.data_dir;
    for name in [
        "diem-kiem-dich.db",
        "diem-kiem-dich.db-wal",
        "diem-kiem-dich.log.db",
    ] {
        let bytes = std::fs::read(dir.join(name)).unwrap_or_default();
        for needle in ["901234567", &code] {
            let found = bytes
                .windows(needle.len())
                .any(|part| part == needle.as_bytes());
            // Six digits may come by chance where numbers stand as text; the number may not.
            assert!(!found || needle.len() == 6, "{name} holds {needle}");
        }
    }
    let verdict: Result<Verdict, Error> = server
        .app
        .db
        .write(async |tx| {
            otp::verify(tx, &server.app.keys, Purpose::OwnData, "x", "y", &code).await
        })
        .await;
    assert_eq!(verdict.unwrap(), Verdict::Gone);
}
