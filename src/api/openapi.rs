//! The description of the API, generated from the handlers.

use actix_web::HttpResponse;
use utoipa::{
    OpenApi,
    openapi::{
        InfoBuilder, LicenseBuilder,
        security::{Http, HttpAuthScheme, SecurityScheme},
    },
};

use crate::http::problem::Problem;

/// What handlers do not name themselves.
#[derive(OpenApi)]
#[openapi(components(schemas(Problem)))]
struct Common;

/// The OpenAPI 3.1 document of every route under `/api/v1`.
#[must_use]
pub fn document() -> utoipa::openapi::OpenApi {
    let mut document = super::Paths::openapi();
    document.merge(Common::openapi());
    document.info = InfoBuilder::new()
        .title("diem-kiem-dich")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(
            "Điểm kiểm dịch: QR checkpoints, check-ins, cases and lookups. \
             Failures are application/problem+json (RFC 9457).",
        ))
        .license(Some(LicenseBuilder::new().name("Apache-2.0").build()))
        .build();
    let bearer = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
    document
        .components
        .get_or_insert_default()
        .add_security_scheme("bearer", bearer);
    document
}

/// This description.
#[utoipa::path(get, path = "/api/v1/openapi.json", tag = "Description",
    responses((status = 200, description = "OpenAPI 3.1", content_type = "application/json")))]
pub async fn serve() -> HttpResponse {
    HttpResponse::Ok()
        .insert_header(("cache-control", "public, max-age=300"))
        .json(document())
}
