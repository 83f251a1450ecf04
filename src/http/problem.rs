//! How a failure is answered: a problem document (RFC 9457).

use actix_web::{HttpResponse, ResponseError, http::StatusCode, http::header};
use serde::Serialize;
use utoipa::ToSchema;

use crate::base::{Failure, Kind, Timestamp};

/// A failure as the API answers it: `application/problem+json`, RFC 9457.
#[derive(Debug, Serialize, ToSchema)]
pub struct Problem {
    /// A URI that names the kind of failure.
    #[serde(rename = "type")]
    kind: String,
    /// What happened and what to do, Vietnamese and English. Static text.
    title: String,
    /// The HTTP status.
    status: u16,
    /// The stable machine-readable name.
    code: &'static str,
    /// What is wrong, field by field.
    errors: Vec<Mistake>,
    /// The server's time, where the caller's clock is to blame.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    server_time: Option<Timestamp>,
}

/// What is wrong with one field.
#[derive(Debug, Serialize, ToSchema)]
pub struct Mistake {
    /// Path of the field as in the body.
    field: String,
    /// The stable machine-readable name of the mistake.
    code: &'static str,
    /// What to do, Vietnamese and English. Static text, it never repeats what was sent.
    message: String,
}

impl From<&Failure> for Problem {
    fn from(failure: &Failure) -> Self {
        let both = |vi: &str, en: &str| format!("{vi} / {en}");
        Self {
            kind: format!("urn:diem-kiem-dich:{}", failure.kind.code()),
            title: both(failure.kind.vi(), failure.kind.en()),
            status: failure.kind.status(),
            code: failure.kind.code(),
            errors: failure
                .fields
                .iter()
                .map(|field| Mistake {
                    field: field.field.clone().into_owned(),
                    code: field.code,
                    message: both(field.vi, field.en),
                })
                .collect(),
            server_time: failure.server_time,
        }
    }
}

/// Log a failure of ours, once, here where it is handled. The text is that of the error types, which
/// hold no personal data.
pub fn log(failure: &Failure) {
    if failure.kind.status() < 500 {
        return;
    }
    let mut causes = String::new();
    let mut cause = std::error::Error::source(failure);
    while let Some(error) = cause {
        causes.push_str(": ");
        causes.push_str(&error.to_string());
        cause = error.source();
    }
    tracing::error!(code = failure.kind.code(), "request failed{causes}");
}

/// The status of a kind of failure.
#[must_use]
pub fn status(kind: Kind) -> StatusCode {
    StatusCode::from_u16(kind.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

impl ResponseError for Failure {
    fn status_code(&self) -> StatusCode {
        status(self.kind)
    }

    fn error_response(&self) -> HttpResponse {
        log(self);
        let mut response = HttpResponse::build(status(self.kind));
        response
            .insert_header((header::CONTENT_TYPE, "application/problem+json"))
            .insert_header((header::CACHE_CONTROL, "no-store"));
        if let Some(seconds) = self.retry_after {
            response.insert_header((header::RETRY_AFTER, seconds.to_string()));
        }
        if self.kind.status() == 401 {
            response.insert_header((header::WWW_AUTHENTICATE, "Bearer"));
        }
        let body = serde_json::to_vec(&Problem::from(self)).unwrap_or_default();
        response.body(body)
    }
}
