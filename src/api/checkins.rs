//! Checking in and out.

use actix_web::{
    HttpRequest, HttpResponse,
    body::BoxBody,
    http::{
        StatusCode,
        header::{self, HeaderValue},
    },
    web,
};
use futures_util::future::join_all;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    base::{Code, Failure, FieldError, failure::Result},
    checkins::{self, BATCH_MAX, CheckedIn, CheckedOut, NewCheckIn, NewCheckOut},
    http::{
        App, Json, Path, Shared,
        body::{BATCH, read_json},
        client_address,
        problem::{self, Problem},
    },
};

/// Check in. Sent again with the same id and checkpoint, with whatever content, the first answer
/// stands: 201 at first, then 200 with the same body.
#[utoipa::path(post, path = "/api/v1/check-ins", tag = "Checking in", request_body = NewCheckIn,
    responses((status = 201, body = CheckedIn), (status = 200, body = CheckedIn),
        (status = 404, body = Problem), (status = 410, body = Problem),
        (status = 422, body = Problem), (status = 503, body = Problem)))]
pub async fn create(
    app: Shared,
    request: HttpRequest,
    body: Json<NewCheckIn>,
) -> Result<HttpResponse> {
    answer(&app, &request, body).await
}

/// As [`create`], which the router finds; [`super::ShortWay`] comes here without it.
pub(super) async fn answer(
    app: &App,
    request: &HttpRequest,
    body: Json<NewCheckIn>,
) -> Result<HttpResponse> {
    let stored = check_in(app, request, body.0).await?;
    let status = if stored.fresh {
        StatusCode::CREATED
    } else {
        StatusCode::OK
    };
    let json = json_of(&stored).map_err(Failure::internal)?;
    let mut response = HttpResponse::with_body(status, BoxBody::new(json));
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static(JSON));
    Ok(response)
}

/// The same bytes as `serde_json` writes. Only the name can hold what must be escaped, so only there
/// is it looked for.
fn json_of(stored: &CheckedIn) -> serde_json::Result<Vec<u8>> {
    let CheckedIn {
        id,
        checkpoint,
        entered_at,
        risk,
        declaration_token,
        receipt,
        fresh: _,
    } = stored;
    let mut json = Vec::with_capacity(ANSWER);
    let mut put = |text: &str| json.extend_from_slice(text.as_bytes());
    put("{\"id\":\"");
    put(id.hyphenated().encode_lower(&mut [0; 36]));
    put("\",\"checkpoint\":{\"code\":\"");
    put(&checkpoint.code);
    put("\",\"name\":");
    serde_json::to_writer(&mut json, &checkpoint.name)?;
    let mut put = |text: &str| json.extend_from_slice(text.as_bytes());
    put("},\"entered_at\":\"");
    put(&entered_at.rfc3339());
    put("\",\"risk\":\"");
    put(risk.as_str());
    put("\",\"declaration_token\":\"");
    put(declaration_token);
    put("\",\"receipt\":\"");
    put(receipt);
    put("\"}");
    Ok(json)
}

/// Bytes of an answer with a long name of a checkpoint.
const ANSWER: usize = 768;

const JSON: &str = "application/json";

async fn check_in(app: &App, request: &HttpRequest, new: NewCheckIn) -> Result<CheckedIn> {
    let code = new.checkpoint.parse::<Code>().map(Code::bytes);
    app.limits.check_in(
        client_address(request),
        code.as_ref().map_or(b"no code", |code| code.as_slice()),
        new.declaration_token.as_deref(),
        |token| app.door.tokens.read(token, app.clock.now()).is_some(),
    )?;
    checkins::check_in(&app.door, new).await
}

/// Check-ins that a phone gathered without a network.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Batch {
    /// At most 100, each on its own.
    #[schema(value_type = Vec<BatchItem>, max_items = 100)]
    check_ins: Vec<serde_json::Value>,
}

/// A check-in of a batch. One that is not right is refused by itself, so anything may stand here.
#[derive(ToSchema)]
#[schema(as = BatchCheckIn)]
#[serde(untagged)]
#[expect(dead_code, reason = "it stands in the description alone")]
enum BatchItem {
    /// A check-in.
    CheckIn(NewCheckIn),
    /// What is refused.
    Other(serde_json::Value),
}

/// What came of each check-in, in their order.
#[derive(Serialize, ToSchema)]
pub struct BatchResults {
    results: Vec<BatchResult>,
}

/// What came of one check-in: as if it had been sent alone.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
pub enum BatchResult {
    /// It is stored: 201, or 200 when it was before.
    Stored {
        /// 201 or 200.
        status: u16,
        /// The answer.
        #[serde(flatten)]
        answer: CheckedIn,
    },
    /// It is not stored.
    Refused {
        /// Its id, if it had one that can be read.
        id: Option<Uuid>,
        /// Why, with the status.
        #[serde(flatten)]
        problem: Problem,
        /// Seconds after which sending it again makes sense.
        #[serde(skip_serializing_if = "Option::is_none")]
        retry_after: Option<u32>,
    },
}

/// Check in many times. The answer is 200 whatever came of each.
#[utoipa::path(post, path = "/api/v1/check-ins/batch", tag = "Checking in", request_body = Batch,
    responses((status = 200, body = BatchResults), (status = 413, body = Problem),
        (status = 422, body = Problem)))]
pub async fn batch(
    app: Shared,
    request: HttpRequest,
    body: Json<Batch, BATCH>,
) -> Result<web::Json<BatchResults>> {
    let sent = body.0.check_ins;
    if sent.len() > BATCH_MAX {
        return Err(FieldError::new(
            "check_ins",
            "too_many",
            "Mỗi lần gửi tối đa 100 lượt.",
            "At most 100 check-ins can be sent at once.",
        )
        .into());
    }
    // Together, so that the journal writes them in one go.
    let results = join_all(sent.iter().map(|one| one_of_batch(&app, &request, one))).await;
    Ok(web::Json(BatchResults { results }))
}

async fn one_of_batch(app: &App, request: &HttpRequest, one: &serde_json::Value) -> BatchResult {
    let read = || read_json::<NewCheckIn>(&serde_json::to_vec(one).map_err(Failure::internal)?);
    let stored = match read() {
        Ok(new) => check_in(app, request, new).await,
        Err(failure) => Err(failure),
    };
    match stored {
        Ok(answer) => BatchResult::Stored {
            status: if answer.fresh { 201 } else { 200 },
            answer,
        },
        Err(failure) => {
            problem::log(&failure);
            let id = one.get("id").and_then(|id| id.as_str()?.parse().ok());
            BatchResult::Refused {
                id,
                retry_after: failure.retry_after,
                problem: Problem::from(&failure),
            }
        }
    }
}

/// Check out. A later call replaces an earlier one.
#[utoipa::path(post, path = "/api/v1/check-ins/{id}/check-out", tag = "Checking in",
    params(("id" = Uuid, Path, description = "The check-in")), request_body = NewCheckOut,
    responses((status = 200, body = CheckedOut), (status = 404, body = Problem),
        (status = 422, body = Problem), (status = 503, body = Problem)))]
pub async fn check_out(
    app: Shared,
    id: Path<Uuid>,
    body: Json<NewCheckOut>,
) -> Result<web::Json<CheckedOut>> {
    checkins::check_out(&app.door, id.0, body.0)
        .await
        .map(web::Json)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{base::Timestamp, checkins::At, declarations::Risk};

    #[test]
    fn an_answer_is_written_as_by_serde() {
        let stored = CheckedIn {
            id: Uuid::from_bytes([0x7a; 16]),
            checkpoint: At {
                code: "7ZZZZZZZZZZZZZZZZZZZZZZZZZ".to_owned(),
                name: "Cổng \"A\" \\ B\n".to_owned(),
            },
            entered_at: Timestamp::from_ms(1_700_000_000_123),
            risk: Risk::Caution,
            declaration_token: "a.b-_.c".to_owned(),
            receipt: "ABCD-1234".to_owned(),
            fresh: true,
        };
        let by_serde = serde_json::to_vec(&stored).unwrap();
        assert_eq!(json_of(&stored).unwrap(), by_serde);
    }
}
