//! Declaring without checking in.

use actix_web::{HttpRequest, HttpResponse};

use crate::{
    base::failure::Result,
    checkins::{self, Declared, NewDeclaration},
    http::{Json, Shared, client_address, problem::Problem},
};

/// Declare health. The token checks in for 24 hours without declaring again; the personal code lets
/// a gatekeeper check this person in, is shown once and opens nothing.
#[utoipa::path(post, path = "/api/v1/declarations", tag = "Checking in",
    request_body = NewDeclaration,
    responses((status = 201, body = Declared), (status = 422, body = Problem),
        (status = 503, body = Problem)))]
pub async fn create(
    app: Shared,
    request: HttpRequest,
    body: Json<NewDeclaration>,
) -> Result<HttpResponse> {
    let address = client_address(&request);
    // There is no checkpoint to count by: the address takes its place.
    let place = address.to_string();
    app.limits
        .check_in(address, place.as_bytes(), None, |_| false)?;
    let declared = checkins::declare(&app.door, body.0).await?;
    Ok(HttpResponse::Created().json(declared))
}
