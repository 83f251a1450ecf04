//! The person's rights, as a browser without scripts uses them.

mod codes;
mod erasing;
mod messages;
mod requests;
mod seeing;

use std::time::{Duration, Instant};

use diem_kiem_dich::{
    accounts::Role,
    base::{Random, ids},
    identity::Phone,
    messages::outbox,
    otp::work,
    store::Error,
};
use reqwest::{Client, StatusCode};
use serde_json::{Value, json};

use crate::{
    checkins::{declaration, venue},
    kit::{On, Server},
};

/// The number in `declaration()`.
pub const NUMBER: &str = "0901234567";

pub const PAGE: &str = "/du-lieu-cua-toi";

/// A browser without scripts, which solves the puzzle by hand.
pub struct Browser {
    client: Client,
    base: String,
}

pub struct Shown {
    pub status: StatusCode,
    pub path: String,
    pub text: String,
}

impl Shown {
    pub fn hidden(&self, name: &str) -> String {
        let before = format!("name=\"{name}\" value=\"");
        let rest = self.text.split(&before).nth(1).unwrap_or_default();
        rest.split('"').next().unwrap_or_default().to_owned()
    }

    pub fn has(&self, text: &str) -> bool {
        self.text.contains(text)
    }
}

impl Browser {
    pub fn new(server: &Server) -> Self {
        Self {
            client: Client::builder().cookie_store(true).build().unwrap(),
            base: server.url.clone(),
        }
    }

    pub async fn shown(request: reqwest::RequestBuilder) -> Shown {
        let answer = request.send().await.unwrap();
        Shown {
            status: answer.status(),
            path: answer.url().path().to_owned(),
            text: answer.text().await.unwrap(),
        }
    }

    pub async fn get(&self, path: &str) -> Shown {
        Self::shown(self.client.get(format!("{}{path}", self.base))).await
    }

    pub async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Shown {
        Self::shown(
            self.client
                .post(format!("{}{path}", self.base))
                .form(fields),
        )
        .await
    }

    /// Give a number in the page, with the puzzle solved: the answer, and the form's token.
    pub async fn ask(&self, number: &str) -> (Shown, String) {
        let page = self.get(PAGE).await;
        let token = page.hidden("form");
        let answer = work::solve(&token, work::BITS);
        let fields = [
            ("csrf", &*page.hidden("csrf")),
            ("do", "number"),
            ("form", &token),
            ("work", &answer),
            ("phone", number),
        ];
        (self.post(PAGE, &fields).await, token)
    }

    pub async fn give(&self, page: &Shown, code: &str) -> Shown {
        let fields = [
            ("csrf", &*page.hidden("csrf")),
            ("do", "code"),
            ("form", &*page.hidden("form")),
            ("code", code),
        ];
        self.post(PAGE, &fields).await
    }

    /// Press a button of the page about one's data.
    pub async fn press(&self, what: &str, more: &[(&str, &str)]) -> Shown {
        let csrf = self.get(PAGE).await.hidden("csrf");
        let mut fields = vec![("csrf", &*csrf), ("do", what)];
        fields.extend_from_slice(more);
        self.post(PAGE, &fields).await
    }

    /// Prove a number.
    pub async fn prove(server: &Server, number: &str) -> Self {
        let browser = Self::new(server);
        let (asked, _) = browser.ask(number).await;
        assert_eq!(asked.status, 200, "{}", asked.text);
        let code = code_of(server, number).await;
        let opened = browser.give(&asked, &code).await;
        assert_eq!(opened.status, 200, "{}", opened.text);
        assert!(opened.has("<h2 id=\"stays\">"), "{}", opened.text);
        browser
    }
}

/// A server whose messages go to a file.
pub async fn server(on: On) -> Server {
    server_with(on, &[]).await
}

pub async fn server_with(on: On, extra: &[(&str, &str)]) -> Server {
    let mut settings = vec![("message_sender", "file")];
    settings.extend_from_slice(extra);
    Server::start_with(on, &settings).await
}

/// The messages that have left.
pub fn sent(server: &Server) -> Vec<Value> {
    let file = server.settings.data_dir.join("messages.jsonl");
    let text = std::fs::read_to_string(file).unwrap_or_default();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// The code that was sent to `number` last, once it has left.
pub async fn code_of(server: &Server, number: &str) -> String {
    let to = Phone::parse(number).unwrap();
    let codes_to = || -> Vec<Value> {
        let all = sent(server).into_iter();
        all.filter(|message| message["to"] == to.e164() && message["template"] == "code")
            .collect()
    };
    deliver(server).await;
    let began = Instant::now();
    loop {
        // Another worker may be at it.
        if let (Some(last), true) = (codes_to().last(), waiting(server).await == 0) {
            let text = last["text"].as_str().unwrap();
            let digits: String = text.chars().filter(char::is_ascii_digit).collect();
            return digits[..6].to_owned();
        }
        assert!(
            began.elapsed() < Duration::from_secs(10),
            "no code has left"
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

pub async fn deliver(server: &Server) -> outbox::Round {
    let app = &server.app;
    let carrier = app.carrier.clone().unwrap();
    outbox::deliver(&app.db, &app.keys, &app.random, &carrier)
        .await
        .unwrap()
}

pub async fn count(server: &Server, sql: &'static str) -> i64 {
    let row: Result<(i64,), Error> = server
        .app
        .db
        .read(async |tx| tx.query(sql).one().await)
        .await;
    row.unwrap().0
}

pub async fn waiting(server: &Server) -> i64 {
    count(server, "SELECT COUNT(*) FROM outbox WHERE dead_at IS NULL").await
}

/// Check in with `number`, and give the answer.
pub async fn check_in(server: &Server, code: &Value, name: &str, number: &str) -> Value {
    let mut declared = declaration();
    declared["full_name"] = json!(name);
    declared["phone"] = json!(number);
    let body = json!({
        "id": ids::v7(server.clock.now(), &Random::System),
        "checkpoint": code, "declaration": declared, "companions": 2,
    });
    let (status, answer) = server.http.post("/api/v1/check-ins", &body).await;
    assert_eq!(status, 201, "{answer}");
    answer
}

pub fn later(server: &Server, seconds: i64) {
    server.clock.set(server.clock.now().plus_ms(seconds * 1000));
}

/// Tables in which a person is named by pseudonym.
pub const PERSONAL: [&str; 7] = [
    "SELECT COUNT(*) FROM check_ins WHERE person_id = $1",
    "SELECT COUNT(*) FROM declarations WHERE person_id = $1",
    "SELECT COUNT(*) FROM person_aliases WHERE person_id = $1",
    "SELECT COUNT(*) FROM passes WHERE person_id = $1",
    "SELECT COUNT(*) FROM person_sessions WHERE person_id = $1",
    "SELECT COUNT(*) FROM corrections WHERE person_id = $1",
    "SELECT COUNT(*) FROM rights_requests WHERE person_id = $1",
];

pub fn person(server: &Server, number: &str) -> Vec<u8> {
    let phone = Phone::parse(number).unwrap();
    let person = server.app.door.pseudonymizer.of_phone(&phone);
    person.as_bytes().to_vec()
}

pub async fn rows_of(server: &Server, sql: &'static str, person: &[u8]) -> i64 {
    server.app.door.journal.settle().await.unwrap();
    let row: Result<(i64,), Error> = server
        .app
        .db
        .read(async |tx| tx.query(sql).bind(person.to_vec()).one().await)
        .await;
    row.unwrap().0
}

/// Two people at one place, and a lookup that found the second.
pub async fn traced(server: &Server) {
    let (_, _, checkpoint) = venue(server).await;
    check_in(server, &checkpoint["code"], "Ca Bệnh Bí Mật", "0901111111").await;
    check_in(server, &checkpoint["code"], "Đỗ Thị Ổi", NUMBER).await;
    later(server, 3 * 3600);
    let officer = server.login_as(Role::HealthOfficer, Some("80")).await;
    let case = json!({
        "disease": "COVID-19", "confirmed_on": "2026-11-18", "onset_on": "2026-11-17",
        "patient": {"full_name": "Ca Bệnh Bí Mật", "phone": "0901111111"},
    });
    let (status, case) = officer.post("/api/v1/cases", &case).await;
    assert_eq!(status, 201, "{case}");
    let lookup = json!({
        "cases": [case["id"]], "document": "123/QĐ", "reason": "truy vết",
    });
    let (status, run) = officer.post("/api/v1/lookups", &lookup).await;
    assert_eq!(status, 201, "{run}");
    let found = count(server, "SELECT COUNT(*) FROM lookup_people").await;
    assert_eq!(found, 1, "{run}");
}
