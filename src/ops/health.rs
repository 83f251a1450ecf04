//! Whether the service is alive, and whether it can store a check-in.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use actix_web::{HttpResponse, web};
use tokio::{sync::Mutex, time::Instant};

use crate::{base::Day, http::Shared, routes};

/// How long an answer of the store is good for. Anybody may ask, and each question takes the one
/// connection that writes to SQLite.
const FRESH: Duration = Duration::from_secs(1);

/// What the probes need to know.
#[derive(Debug, Default)]
pub struct Health {
    draining: AtomicBool,
    store: Mutex<Option<(Instant, bool)>>,
}

impl Health {
    /// From now on the service is not ready: it is about to stop.
    pub fn drain(&self) {
        self.draining.store(true, Ordering::SeqCst);
    }

    /// Whether the store takes a transaction that writes, as it was found within the last second.
    async fn store_answers(&self, app: &Shared) -> bool {
        let mut known = self.store.lock().await;
        match *known {
            Some((at, answers)) if at.elapsed() < FRESH => answers,
            _ => {
                let asked = app
                    .db
                    .append(async |tx| tx.query("SELECT 1").execute().await)
                    .await;
                *known = Some((Instant::now(), asked.is_ok()));
                asked.is_ok()
            }
        }
    }
}

mod probes {
    use super::{Day, Health, HttpResponse, Ordering, Shared, web};

    /// Alive: no store is asked.
    pub(super) async fn healthz() -> HttpResponse {
        HttpResponse::Ok().content_type("text/plain").body("ok\n")
    }

    /// Ready: not about to stop, today's key is there, and the store answers.
    pub(super) async fn readyz(app: Shared, health: web::Data<Health>) -> HttpResponse {
        let problem = if health.draining.load(Ordering::SeqCst) {
            Some("draining")
        } else if app.keys.day(Day::of(app.clock.now())).is_none() {
            Some("no key for today")
        } else if health.store_answers(&app).await {
            None
        } else {
            Some("the store does not answer")
        };
        match problem {
            None => HttpResponse::Ok()
                .content_type("text/plain")
                .body("ready\n"),
            Some(problem) => HttpResponse::ServiceUnavailable()
                .content_type("text/plain")
                .body(format!("{problem}\n")),
        }
    }
}

routes! {
    GET "/healthz" => probes::healthz, anyone;
    GET "/readyz"  => probes::readyz,  anyone;
}
