//! A form that was sent: read within limits, and refused when another site sent it.
//!
//! Two signs tell our own page from a foreign one. Browsers say in `Sec-Fetch-Site` and `Origin`
//! where a form came from; and each form holds a token bound to a cookie that other sites cannot
//! read. A foreign sign refuses whatever else is right. A session is only acted on with the token;
//! without a session, a browser's own word `same-origin` is enough, so that a visitor whose browser
//! keeps no cookies can still check in.
//!
//! The foreign sign is looked for around all pages, before any of them is asked; the token is looked
//! for where the form is read.

use std::{future::Future, pin::Pin};

use actix_web::{
    Error, FromRequest, HttpRequest,
    body::{EitherBody, MessageBody},
    dev::{Payload, ServiceRequest, ServiceResponse},
    http::header,
    middleware::Next,
};
use subtle::ConstantTimeEq;

use super::{frame, page::Form};
use crate::{
    base::{Failure, Kind},
    http::{App, COOKIE, REPORTS, body},
};

/// The fields of a form that our own page sent.
pub struct Sent(pub Form);

impl FromRequest for Sent {
    type Error = Failure;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Failure>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let request = request.clone();
        let payload = payload.take();
        Box::pin(async move {
            let app = frame::shared(&request)?;
            if !is_form(&request) {
                return Err(Kind::WrongType.into());
            }
            let origin = origin(&request, &app);
            let body = body::collect(payload, body::USUAL).await?;
            let form = Form::read(&body)?;
            let has_session = request.cookie(&app.cookie_name(COOKIE)).is_some();
            let proven = match origin {
                Origin::Foreign => false,
                Origin::Ours if !has_session => true,
                Origin::Ours | Origin::Unknown => has_token(&request, &app, form.v("csrf")),
            };
            if proven {
                Ok(Self(form))
            } else {
                Err(Kind::ForeignForm.into())
            }
        })
    }
}

/// Refuses what another site had a browser send, before anything of it is read: every page that
/// changes something is behind this, also one that reads no form. Browsers send their reports
/// unasked, and a report changes nothing.
///
/// # Errors
///
/// Those of what stands behind it; a refusal is an answer.
pub async fn guard<B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, Error> {
    let changes = !request.method().is_safe() && request.path() != REPORTS;
    let is_foreign = changes
        && frame::shared(request.request())
            .is_ok_and(|app| origin(request.request(), &app) == Origin::Foreign);
    if is_foreign {
        let refused = request.error_response(Failure::from(Kind::ForeignForm));
        return Ok(refused.map_into_right_body());
    }
    Ok(next.call(request).await?.map_into_left_body())
}

fn is_form(request: &HttpRequest) -> bool {
    header_text(request, "content-type")
        .and_then(|value| value.split(';').next())
        .is_some_and(|kind| {
            kind.trim()
                .eq_ignore_ascii_case("application/x-www-form-urlencoded")
        })
}

fn header_text<'a>(request: &'a HttpRequest, name: &str) -> Option<&'a str> {
    request.headers().get(name)?.to_str().ok()
}

fn has_token(request: &HttpRequest, app: &App, sent: &str) -> bool {
    frame::binding(request, app).is_some_and(|bound| {
        let expected = frame::token(app, &bound);
        bool::from(expected.as_bytes().ct_eq(sent.as_bytes()))
    })
}

/// Where a form came from, by the browser's own word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Origin {
    Ours,
    Foreign,
    Unknown,
}

fn origin(request: &HttpRequest, app: &App) -> Origin {
    let host = header_text(request, header::HOST.as_str()).unwrap_or_default();
    judge(
        header_text(request, "sec-fetch-site"),
        header_text(request, "origin"),
        host,
        app.settings.public_url.as_deref(),
    )
}

fn judge(site: Option<&str>, origin: Option<&str>, host: &str, public: Option<&str>) -> Origin {
    let ours = |origin: &str| {
        public.is_some_and(|public| origin.eq_ignore_ascii_case(public))
            || origin
                .split_once("://")
                .is_some_and(|(_, from)| !host.is_empty() && from.eq_ignore_ascii_case(host))
    };
    match (site, origin) {
        (Some(site), _) if site != "same-origin" && site != "none" => Origin::Foreign,
        (_, Some(origin)) if !ours(origin) => Origin::Foreign,
        (Some("same-origin"), _) => Origin::Ours,
        _ => Origin::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_foreign_sign_refuses_whatever_else_is_right() {
        let public = Some("https://dkd.example");
        let judge = |site, origin| judge(site, origin, "10.0.0.1:8080", public);
        assert_eq!(
            judge(Some("same-origin"), Some("https://dkd.example")),
            Origin::Ours
        );
        assert_eq!(
            judge(Some("same-origin"), Some("http://10.0.0.1:8080")),
            Origin::Ours
        );
        assert_eq!(judge(Some("same-origin"), None), Origin::Ours);
        for site in ["cross-site", "same-site", "", "x"] {
            assert_eq!(
                judge(Some(site), Some("https://dkd.example")),
                Origin::Foreign
            );
        }
        for origin in [
            "null",
            "https://evil.example",
            "https://dkd.example.evil",
            "",
        ] {
            assert_eq!(judge(Some("same-origin"), Some(origin)), Origin::Foreign);
            assert_eq!(judge(None, Some(origin)), Origin::Foreign);
        }
        assert_eq!(judge(None, None), Origin::Unknown);
        assert_eq!(judge(Some("none"), None), Origin::Unknown);
        assert_eq!(judge(None, Some("https://dkd.example")), Origin::Unknown);
    }
}
