//! Visitors who check in without a pause, and the history of what each was told.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use diem_kiem_dich::base::{Clock, Random, ids};
use serde_json::json;
use tokio::task::JoinHandle;

use super::client::{Answer, Client, Said};

/// One request and what came of it.
pub struct Sent {
    /// The body, to send it again.
    pub body: String,
    /// When it was over.
    pub at: Instant,
    /// What came of it.
    pub said: Said,
}

impl Sent {
    /// The answer of a check-in that is stored.
    pub fn stored(&self) -> Option<&Answer> {
        match &self.said {
            Said::Answer(answer, _) if matches!(answer.status, 200 | 201) => Some(answer),
            _ => None,
        }
    }

    /// The answer of a check-in that is not.
    pub fn refused(&self) -> Option<&Answer> {
        match &self.said {
            Said::Answer(answer, _) if !matches!(answer.status, 200 | 201) => Some(answer),
            _ => None,
        }
    }
}

/// Visitors at one checkpoint.
pub struct Load {
    stop: Arc<AtomicBool>,
    visitors: Vec<JoinHandle<Vec<Sent>>>,
}

impl Load {
    /// Let `visitors` check in at the checkpoint `code`, each over and over, until [`Self::end`]. Each
    /// pauses when it is refused or finds nobody.
    pub fn start(address: SocketAddr, code: &str, visitors: usize) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let visitors = (0..visitors)
            .map(|_| {
                let (stop, code) = (Arc::clone(&stop), code.to_owned());
                tokio::spawn(async move { visit(address, &code, &stop).await })
            })
            .collect();
        Self { stop, visitors }
    }

    /// Wait for the last answers.
    pub async fn end(self) -> Vec<Sent> {
        self.stop.store(true, Ordering::SeqCst);
        let mut history = Vec::new();
        for visitor in self.visitors {
            history.extend(visitor.await.unwrap());
        }
        history.sort_by_key(|sent| sent.at);
        history
    }
}

async fn visit(address: SocketAddr, code: &str, stop: &AtomicBool) -> Vec<Sent> {
    let mut client = Client::new(address);
    let mut history = Vec::new();
    while !stop.load(Ordering::SeqCst) {
        let body = body(code);
        let said = client.post("/api/v1/check-ins", &body).await;
        let pause = !matches!(&said, Said::Answer(answer, _) if answer.status == 201);
        history.push(Sent {
            body,
            at: Instant::now(),
            said,
        });
        if pause {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
    history
}

/// A check-in of now.
pub fn body(code: &str) -> String {
    let id = ids::v7(Clock::System.now(), &Random::System);
    let declaration = json!({
        "full_name": "Nguyễn Văn Mẫu", "birth_year": 1990, "sex": "male", "nationality": "VN",
        "phone": format!("09{:08}", u32::from_be_bytes(Random::System.bytes()) % 100_000_000),
        "address": {"province": "80", "ward": "25456", "street": "Số 1"},
        "answers": {
            "travel": {"yes": false}, "symptoms": {"yes": false}, "contact_case": false,
            "contact_affected_area": false, "contact_symptomatic": false
        },
        "consent": {"version": "2026-1", "given": true}
    });
    json!({"id": id, "checkpoint": code, "declaration": declaration}).to_string()
}
