//! Whether the service is alive, and whether it can store a check-in.

use std::sync::atomic::{AtomicBool, Ordering};

use actix_web::{HttpResponse, web};

use crate::{base::Day, http::Shared, routes};

/// What the probes need to know.
#[derive(Debug, Default)]
pub struct Health {
    draining: AtomicBool,
}

impl Health {
    /// From now on the service is not ready: it is about to stop.
    pub fn drain(&self) {
        self.draining.store(true, Ordering::SeqCst);
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
        } else {
            let answer = app
                .db
                .append(async |tx| tx.query("SELECT 1").execute().await)
                .await;
            answer.err().map(|_| "the store does not answer")
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
