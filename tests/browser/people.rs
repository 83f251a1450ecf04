//! Who the journeys are about: places with a code, visitors, an officer.

use diem_kiem_dich::{accounts::Role, base::Timestamp};
use serde_json::{Value, json};

use crate::{
    browser::Browser,
    kit::{Http, START, Server},
};

/// A code of today's catalogue: Phường Tân Ninh of Tây Ninh.
const WARD: (&str, &str) = ("80", "25459");

/// The password of every account of the journeys.
pub const PASSWORD: &str = "mat-khau-thu-nghiem";

/// A visitor: name and phone number.
#[derive(Clone, Copy)]
pub struct Visitor {
    pub name: &'static str,
    pub phone: &'static str,
}

pub const MAU: Visitor = Visitor {
    name: "Nguyễn Văn Mẫu",
    phone: "0912345678",
};
pub const OI: Visitor = Visitor {
    name: "Đỗ Thị Ổi",
    phone: "0987654321",
};
pub const BRIEN: Visitor = Visitor {
    name: "Seán O'Brien",
    phone: "0901234567",
};
pub const LATE: Visitor = Visitor {
    name: "Trần Đến Sau",
    phone: "0939111222",
};

/// A moment of the first day, in minutes after the tests begin (08:30 in Vietnam).
pub const fn minute(minutes: i64) -> Timestamp {
    START.plus_ms(minutes * 60_000)
}

/// Register a venue by the API: its owner's client and its id.
pub async fn venue(server: &Server, name: &str, phone: &str) -> (Http, String) {
    let body = json!({
        "name": name, "kind": "market",
        "address": {"province": WARD.0, "ward": WARD.1, "street": "12 Lê Lợi"},
        "contact": {"name": "Lê Thị Chủ", "phone": phone},
        "password": PASSWORD,
    });
    let (status, made) = server.http.post("/api/v1/venues", &body).await;
    assert_eq!(status, 201, "{made}");
    let owner = server.login(phone, PASSWORD).await;
    (owner, made["venue"]["id"].as_str().unwrap().to_owned())
}

/// Add a checkpoint by the API: its code.
pub async fn checkpoint(owner: &Http, venue: &str, name: &str) -> String {
    let path = format!("/api/v1/venues/{venue}/checkpoints");
    let (status, made) = owner.post(&path, &json!({"name": name})).await;
    assert_eq!(status, 201, "{made}");
    made["code"].as_str().unwrap().to_owned()
}

/// A market with one checkpoint: its code.
pub async fn market(server: &Server) -> String {
    let (owner, venue) = venue(server, "Chợ Long Hoa (Saale)", "0907000001").await;
    checkpoint(&owner, &venue, "Cổng số 1").await
}

/// Check in by the API at `from` and, if known, out at `until` (minutes after the start). The
/// server's clock is left there.
pub async fn visit(server: &Server, code: &str, who: Visitor, from: i64, until: Option<i64>) {
    server.clock.set(minute(from));
    let body = json!({"checkpoint": code, "declaration": declaration(who)});
    let (status, made) = server.http.post("/api/v1/check-ins", &body).await;
    assert_eq!(status, 201, "{made}");
    if let Some(until) = until {
        server.clock.set(minute(until));
        let path = format!(
            "/api/v1/check-ins/{}/check-out",
            made["id"].as_str().unwrap()
        );
        let (status, left) = server.http.post(&path, &json!({"checkpoint": code})).await;
        assert_eq!(status, 200, "{left}");
    }
}

fn declaration(who: Visitor) -> Value {
    json!({
        "full_name": who.name, "birth_year": 1990, "sex": "female", "nationality": "VN",
        "phone": who.phone,
        "address": {"province": WARD.0, "ward": WARD.1, "street": "Số 5"},
        "answers": {"travel": {"yes": false}, "symptoms": {"yes": false}, "contact_case": false,
            "contact_affected_area": false, "contact_symptomatic": false},
        "consent": {"version": "2026-1", "given": true},
    })
}

/// An account of this role in the province of the venues; its password is [`PASSWORD`].
pub async fn account(server: &Server, login: &str, role: Role) {
    server.account(login, role, Some(WARD.0)).await;
}

/// Log in by the page.
pub async fn log_in(server: &Server, browser: &Browser, login: &str, password: &str) {
    browser.go("/login").await;
    browser.fill("login", login).await;
    browser.fill("password", password).await;
    if let Some(otp) = server.otp(login) {
        browser.fill("otp", &otp).await;
    }
    browser.press("main button").await;
}

/// Fill the visitor's declaration: healthy, from the province of the venues.
pub async fn declare(browser: &Browser, who: Visitor) {
    browser.fill("full_name", who.name).await;
    browser.fill("birth_year", "1990").await;
    browser.choose("sex", "male").await;
    browser.fill("phone", who.phone).await;
    browser.choose("province", WARD.0).await;
    browser.fill("ward", "phuong tan ninh").await;
    browser.fill("street", "Số 5").await;
    for question in [
        "travel",
        "symptoms",
        "contact_case",
        "contact_affected_area",
        "contact_symptomatic",
    ] {
        browser.choose(question, "no").await;
    }
    browser.tap("#consent").await;
}
