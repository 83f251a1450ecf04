//! The description of the API, generated from the handlers.

use actix_web::HttpResponse;
use utoipa::{
    OpenApi,
    openapi::{
        ContentBuilder, InfoBuilder, LicenseBuilder, Ref, RefOr, ResponseBuilder,
        path::{Operation, ParameterIn, PathItem},
        security::{Http, HttpAuthScheme, SecurityScheme},
    },
};

use crate::{base::Kind, http::problem::Problem};

/// The media type of every failure.
const PROBLEM: &str = "application/problem+json";

/// How any request can fail.
const ANY: &[u16] = &[500, 503];
/// How a request can fail besides that has to say whose it is.
const SECURED: &[u16] = &[401, 403, 429];
/// How one with a body can.
const WITH_BODY: &[u16] = &[400, 408, 413, 415, 422, 429];

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
    for item in document.paths.paths.values_mut() {
        operations(item).for_each(tell_failures);
    }
    let bearer = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
    document
        .components
        .get_or_insert_default()
        .add_security_scheme("bearer", bearer);
    document
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    let all = [
        &mut item.get,
        &mut item.put,
        &mut item.post,
        &mut item.patch,
        &mut item.delete,
    ];
    all.into_iter().flatten()
}

/// Names every failure that guards and readers in front of a handler can answer, so that a handler
/// names only its own, and the type of all of them.
fn tell_failures(operation: &mut Operation) {
    let mut statuses = ANY.to_vec();
    if operation.security.is_some() {
        statuses.extend(SECURED);
    }
    if operation.request_body.is_some() {
        statuses.extend(WITH_BODY);
    }
    for parameter in operation.parameters.iter().flatten() {
        if let RefOr::T(parameter) = parameter {
            statuses.push(match parameter.parameter_in {
                ParameterIn::Path => 404,
                _ => 422,
            });
        }
    }
    let answers = &mut operation.responses.responses;
    for status in statuses {
        let nothing = || RefOr::T(ResponseBuilder::new().build());
        answers.entry(status.to_string()).or_insert_with(nothing);
    }
    for (status, answer) in answers {
        let kind = Kind::ALL
            .iter()
            .find(|kind| kind.status().to_string() == *status);
        if let (Some(kind), RefOr::T(answer)) = (kind, answer) {
            let problem = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem")));
            answer.content.clear();
            answer
                .content
                .insert(PROBLEM.to_owned(), RefOr::T(problem.build()));
            if answer.description.is_empty() {
                kind.en().clone_into(&mut answer.description);
            }
        }
    }
}

/// This description.
#[utoipa::path(get, path = "/api/v1/openapi.json", tag = "Description",
    responses((status = 200, description = "OpenAPI 3.1", content_type = "application/json")))]
pub async fn serve() -> HttpResponse {
    HttpResponse::Ok()
        .insert_header(("cache-control", "public, max-age=300"))
        .json(document())
}
