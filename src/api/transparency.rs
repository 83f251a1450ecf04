//! What the service did in a month, for everybody.

use actix_web::{HttpResponse, http::header};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::{
    base::{FieldError, Kind, Timestamp, failure::Result},
    http::{Query, Shared, problem::Problem},
    privacy::{
        audit::keep::Kept,
        transparency::{FEW, Month, told},
    },
};

/// How long an answer may be kept: the numbers of the month that is now change.
const CACHING: (header::HeaderName, &str) = (header::CACHE_CONTROL, "public, max-age=300");

/// Which month.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Which {
    /// The month in Vietnamese time, like `2026-11`; absent: the one that is now.
    #[serde(default)]
    month: Option<String>,
}

/// A count. From 1 to 4 the number is not told: in a small place it may point to somebody.
#[derive(Debug, Serialize, ToSchema)]
pub struct Count {
    /// The number; null when it is more than 0 and below `below`.
    n: Option<i64>,
    /// Present where the number is not told: it is below this.
    #[serde(skip_serializing_if = "Option::is_none")]
    below: Option<i64>,
}

impl From<i64> for Count {
    fn from(n: i64) -> Self {
        let n = told(n);
        Self {
            n,
            below: n.is_none().then_some(FEW),
        }
    }
}

/// A signed checkpoint of the audit log.
#[derive(Debug, Serialize, ToSchema)]
pub struct CheckpointView {
    /// Entries of the log.
    size: i64,
    /// When it was signed.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// The signed note, in the form of C2SP's tlog-checkpoint.
    note: String,
}

impl From<Kept> for CheckpointView {
    fn from(kept: Kept) -> Self {
        Self {
            size: kept.size,
            at: kept.at,
            note: kept.note,
        }
    }
}

/// A month in numbers.
#[derive(Debug, Serialize, ToSchema)]
pub struct TransparencyView {
    /// The month, like `2026-11`.
    month: String,
    /// Whether the month was over when it was counted.
    complete: bool,
    /// Lookups: somebody asked who was there.
    lookups: Count,
    /// People that they found; who was found by two counts twice.
    people_found: Count,
    /// Names that were opened; one that was opened twice counts twice.
    people_opened: Count,
    /// Lists taken out as files.
    exports: Count,
    /// People referred to the office of another province.
    people_referred: Count,
    /// Sweeps that deleted what was past its retention.
    retention_sweeps: Count,
    /// The last checkpoint of the audit log that was signed by the end of the month.
    checkpoint: Option<CheckpointView>,
    /// The key that checks its signature.
    public_key: String,
}

/// What the service did in a month, counted from the audit log: numbers only.
#[utoipa::path(get, path = "/api/v1/transparency", tag = "Transparency",
    responses((status = 200, body = TransparencyView), (status = 404, body = Problem),
        (status = 422, body = Problem)))]
pub async fn show(app: Shared, query: Query<Which>) -> Result<HttpResponse> {
    let month = match &query.0.month {
        None => Month::of(app.clock.now()),
        Some(text) => Month::parse(text).ok_or_else(|| {
            FieldError::new(
                "month",
                "month_invalid",
                "Viết tháng như 2026-11.",
                "Write the month like 2026-11.",
            )
        })?,
    };
    let found = app.board.find(&app.db, month).await?;
    let told = found.ok_or(Kind::NotFound)?;
    let counts = told.counts;
    Ok(HttpResponse::Ok()
        .insert_header(CACHING)
        .json(TransparencyView {
            month: told.month.to_string(),
            complete: told.is_over,
            lookups: counts.lookups.into(),
            people_found: counts.found.into(),
            people_opened: counts.opened.into(),
            exports: counts.exports.into(),
            people_referred: counts.referred.into(),
            retention_sweeps: counts.sweeps.into(),
            checkpoint: told.checkpoint.map(CheckpointView::from),
            public_key: app.keys.audit().public().to_string(),
        }))
}
