//! Cases and lookups from outside, on both engines.

mod plans;
mod same;
mod story;

use diem_kiem_dich::{
    accounts::Role,
    base::{Timestamp, ids},
};
use serde_json::{Value, json};

use crate::{
    kit::{Http, On, Server, json_of},
    venues::registered,
};

/// 09:00 in Vietnam on the day before the tests begin.
pub const MORNING: i64 = Timestamp::from_ms(1_794_880_800_000).as_ms();

/// A province with a venue, an officer, and people who come and go.
pub struct World {
    pub server: Server,
    pub owner: Http,
    pub venue: String,
    pub officer: Http,
}

/// Minutes after nine as an RFC 3339 time.
pub fn at(minute: i64) -> String {
    Timestamp::from_ms(MORNING + minute * 60_000).rfc3339()
}

/// A phone number for the person `n`.
pub fn phone(n: u32) -> String {
    format!("0901{n:06}")
}

impl World {
    pub async fn start(on: On) -> Self {
        let server = Server::start(on).await;
        let (owner, venue) = registered(&server, "0912345678").await;
        let officer = server.login_as(Role::HealthOfficer, Some("80")).await;
        Self {
            server,
            owner,
            venue,
            officer,
        }
    }

    /// A checkpoint: its public id and its code.
    pub async fn checkpoint(&self, body: Value) -> (String, String) {
        let path = format!("/api/v1/venues/{}/checkpoints", self.venue);
        let (status, made) = self.owner.post(&path, &body).await;
        assert_eq!(status, 201, "{made}");
        let text = |field: &str| made[field].as_str().unwrap().to_owned();
        (text("id"), text("code"))
    }

    /// Somebody comes at `from` and, if anybody saw it, leaves at `until` (minutes after nine).
    pub async fn stay(&self, who: u32, code: &str, from: i64, until: Option<i64>) {
        self.stay_of(who, code, from, until, ("80", "25459"), 0)
            .await;
    }

    /// As [`Self::stay`], of somebody who lives elsewhere or brings companions.
    pub async fn stay_of(
        &self,
        who: u32,
        code: &str,
        from: i64,
        until: Option<i64>,
        home: (&str, &str),
        companions: i64,
    ) {
        let entered = Timestamp::from_ms(MORNING + from * 60_000);
        let id = ids::v7(entered, &self.server.app.random);
        let body = json!({
            "id": id, "checkpoint": code, "companions": companions,
            "declaration": {
                "full_name": format!("Người Thứ {who}"), "birth_year": 1990, "sex": "female",
                "nationality": "VN", "phone": phone(who),
                "address": {"province": home.0, "ward": home.1, "street": "1 Lê Lợi"},
                "answers": {
                    "travel": {"yes": false}, "symptoms": {"yes": false}, "contact_case": false,
                    "contact_affected_area": false, "contact_symptomatic": false,
                },
                "consent": {"version": "2026-1", "given": true},
            },
        });
        let (status, answer) = self.server.http.post("/api/v1/check-ins", &body).await;
        assert_eq!(status, 201, "{answer}");
        if let Some(until) = until {
            let path = format!("/api/v1/check-ins/{id}/check-out");
            let body = json!({"checkpoint": code, "left_at": at(until)});
            let (status, answer) = self.server.http.post(&path, &body).await;
            assert_eq!(status, 200, "{answer}");
        }
    }

    /// Report the person `who` as a case with the onset on the day of the tests' visits.
    pub async fn case(&self, who: u32) -> Value {
        let body = json!({
            "disease": "covid-19", "onset_on": "2026-11-17", "confirmed_on": "2026-11-17",
            "patient": {"full_name": format!("Người Thứ {who}"), "phone": phone(who)},
        });
        let (status, made) = self.officer.post("/api/v1/cases", &body).await;
        assert_eq!(status, 201, "{made}");
        made
    }

    /// Look up, with reason and document.
    pub async fn look_up(&self, mut body: Value) -> Value {
        body["reason"] = json!("Truy vết");
        body["document"] = json!("12/CDC");
        let (status, run) = self.officer.post("/api/v1/lookups", &body).await;
        assert_eq!(status, 201, "{run}");
        run
    }

    /// The people of a run in the order of the list: phone, checkpoint name, certain and possible
    /// minutes.
    pub async fn people(&self, run: &Value, ring: u8) -> Vec<(String, String, f64, f64)> {
        self.items(run, ring)
            .await
            .iter()
            .map(|item| {
                (
                    item["contact"]["phone"].as_str().unwrap().to_owned(),
                    item["checkpoint"]["name"].as_str().unwrap().to_owned(),
                    item["certain_minutes"].as_f64().unwrap(),
                    item["possible_minutes"].as_f64().unwrap(),
                )
            })
            .collect()
    }

    /// The rows of a run, page by page.
    pub async fn items(&self, run: &Value, ring: u8) -> Vec<Value> {
        let id = run["id"].as_str().unwrap();
        let mut items = Vec::new();
        let mut cursor = String::new();
        loop {
            let path = format!("/api/v1/lookups/{id}/exposures?ring={ring}&limit=3{cursor}");
            let (status, page) = self.officer.get(&path).await;
            assert_eq!(status, 200, "{page}");
            items.extend(page["items"].as_array().unwrap().iter().cloned());
            match page["next"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return items,
            }
        }
    }

    /// A file of a run.
    pub async fn file(&self, run: &Value, ending: &str) -> (u16, Vec<u8>) {
        let id = run["id"].as_str().unwrap();
        let path = format!("/api/v1/lookups/{id}/exposures.{ending}");
        let answer = self
            .officer
            .request(reqwest::Method::GET, &path)
            .send()
            .await
            .unwrap();
        let status = answer.status().as_u16();
        if status != 200 {
            let (status, _) = json_of(answer).await;
            return (status, Vec::new());
        }
        (status, answer.bytes().await.unwrap().to_vec())
    }
}
