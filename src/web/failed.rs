//! Failures as pages: the same rows of the failure table that the JSON edge answers with, in the
//! visitor's language.
//!
//! Handlers return [`Failure`], whose answer is a problem document; around all pages, [`as_page`]
//! turns such an answer into a page. So a guard that refuses needs to know nothing of pages.

use actix_web::{
    Error, HttpRequest, HttpResponse,
    body::{EitherBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::{
        Method, StatusCode,
        header::{self, HeaderMap},
    },
    middleware::Next,
};
use askama::Template;

use super::{
    frame,
    page::Page,
    proof::{carry, to_proof},
    texts::Lang,
    views::Message,
};
use crate::{
    base::{Failure, Kind},
    http::{Methods, problem},
};

/// Turns a problem into a page. Somebody who is not logged in is sent to the log-in page, and comes
/// back from there.
///
/// # Errors
///
/// Those of what stands between, and none of its own: handlers and guards answer theirs.
pub async fn as_page<B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, Error> {
    // A path of the other edge that does not exist ends up here, too; programs read problems.
    let is_page = !request.path().starts_with("/api/");
    let answer = next.call(request).await?;
    let replaced = {
        let failure = answer
            .response()
            .error()
            .and_then(Error::as_error::<Failure>);
        let status = answer.status();
        let is_problem = failure.is_some() || status.is_client_error() || status.is_server_error();
        let is_html = answer
            .headers()
            .get(header::CONTENT_TYPE)
            .is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"));
        (is_page && is_problem && !is_html).then(|| {
            failed(
                answer.request(),
                failure.map_or_else(|| kind_of(status), |failure| failure.kind),
                answer.headers(),
            )
        })
    };
    let (request, response) = answer.into_parts();
    let mut response = match replaced {
        Some(page) => page.map_into_right_body(),
        None => response.map_into_left_body(),
    };
    carry(&request, &mut response);
    Ok(ServiceResponse::new(request, response))
}

/// The answer to what no route takes: the path is not there, or it takes only the methods that the
/// answer names.
pub fn missing(request: &HttpRequest, methods: &Methods) -> HttpResponse {
    let Some(allowed) = methods.at(request.path()) else {
        return HttpResponse::from_error(Failure::from(Kind::NotFound));
    };
    let mut answer = HttpResponse::from_error(Failure::from(Kind::MethodNotAllowed));
    if let Ok(allowed) = header::HeaderValue::from_str(&allowed) {
        answer.headers_mut().insert(header::ALLOW, allowed);
    }
    answer
}

/// The row of an answer that the framework gave by itself, such as a path that holds no id.
fn kind_of(status: StatusCode) -> Kind {
    Kind::ALL
        .iter()
        .copied()
        .find(|kind| kind.status() == status.as_u16())
        .unwrap_or(Kind::Internal)
}

fn failed(request: &HttpRequest, kind: Kind, said: &HeaderMap) -> HttpResponse {
    match kind {
        Kind::Unauthorized => return to_login(request),
        Kind::ProofNeeded if request.method() == Method::GET => return to_proof(request),
        _ => {}
    }
    let lang = frame::shared(request).map_or(Lang::default(), |app| frame::lang_of(request, &app));
    let page = Page::new(lang);
    let (title, text) = words(&page, request, kind);
    let message = Message {
        title,
        text,
        retry: matches!(kind, Kind::Unavailable | Kind::TooMany),
        request_id: String::new(),
        p: page,
    };
    let mut answer = HttpResponse::build(problem::status(kind));
    answer
        .content_type("text/html; charset=utf-8")
        .insert_header((header::CACHE_CONTROL, "no-store"));
    for name in [header::RETRY_AFTER, header::ALLOW] {
        if let Some(value) = said.get(&name) {
            answer.insert_header((name, value.clone()));
        }
    }
    // A template of texts alone does not fail; if it did, the status still says what happened.
    answer.body(message.render().unwrap_or_default())
}

/// Title and text for a failure. What a visitor meets at the door has words of its own.
fn words(page: &Page, request: &HttpRequest, kind: Kind) -> (String, String) {
    let at_the_door = request.path().to_ascii_lowercase().starts_with("/c/");
    let own = |title: &str, text: &str| (page.t(title), page.t(text));
    match kind {
        Kind::Closed => own("gone-title", "gone-text"),
        Kind::NotFound if at_the_door => own("unknown-title", "unknown-text"),
        Kind::NotFound => own("missing-title", "missing-text"),
        Kind::TooMany => own("many-title", "many-text"),
        Kind::Unavailable => own("busy-title", "busy-text"),
        Kind::Internal => own("failed-title", "failed-text"),
        other => {
            let text = match page.lang {
                Lang::Vi => other.vi(),
                Lang::En => other.en(),
            };
            let title = match kind.status() {
                403 => page.t("forbidden-title"),
                _ => page.t("errors-title"),
            };
            (title, text.to_owned())
        }
    }
}

fn to_login(request: &HttpRequest) -> HttpResponse {
    let path = request.path();
    let reads = request.method() == Method::GET || request.method() == Method::HEAD;
    let to = if reads && path != "/" && is_ours(path) {
        format!("/login?next={path}")
    } else {
        "/login".to_owned()
    };
    HttpResponse::SeeOther()
        .insert_header((header::LOCATION, to))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .finish()
}

/// Whether a path leads to a page of ours and nowhere else: what a browser would read as another
/// host, and what would need escaping, is refused. Of queries only the place in a list may follow.
#[must_use]
pub fn is_ours(path: &str) -> bool {
    let (path, cursor) = path.split_once("?cursor=").unwrap_or((path, ""));
    path.starts_with('/')
        && !path.starts_with("//")
        && path
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "/-_.".contains(c))
        && cursor
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "-.".contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_paths_of_ours_are_followed() {
        for path in ["/", "/cases", "/venues/0b5e-1_x.y", "/cases?cursor=12.a-b"] {
            assert!(is_ours(path), "{path}");
        }
        for path in [
            "",
            "//evil.example",
            "/\\evil",
            "https://evil",
            "/a?b",
            "/a?cursor=1&b",
            "/a?cursor=1?cursor=2",
            "//a?cursor=1",
            "/a#b",
            "/a%2f",
            "/a b",
        ] {
            assert!(!is_ours(path), "{path}");
        }
    }
}
