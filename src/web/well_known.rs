//! What browsers and finders of weaknesses look for at fixed addresses.

use actix_web::{HttpRequest, HttpResponse, http::header, web::Payload};
use serde::Deserialize;

use crate::{
    base::{Day, Kind, Timestamp, failure::Result},
    http::{App, Shared, body, client_address},
};

/// Days for which a copy of `security.txt` may be relied on; RFC 9116 asks for less than a year.
const GOOD_FOR_DAYS: i32 = 180;

/// Most bytes of a browser's report.
const REPORT_MAX: usize = 16 * 1024;

/// What our policy can stop. A report names more, among it the address of the page, which holds codes:
/// only these words are kept of it.
const DIRECTIVES: [&str; 14] = [
    "base-uri",
    "connect-src",
    "default-src",
    "form-action",
    "frame-ancestors",
    "img-src",
    "manifest-src",
    "object-src",
    "require-trusted-types-for",
    "script-src-attr",
    "script-src-elem",
    "style-src-attr",
    "style-src-elem",
    "trusted-types",
];

/// `/.well-known/security.txt`: where weaknesses are reported (RFC 9116).
pub async fn security(app: Shared) -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/plain; charset=utf-8")
        .insert_header((header::CACHE_CONTROL, "public, max-age=86400"))
        .body(security_text(&app, app.clock.now()))
}

fn security_text(app: &App, now: Timestamp) -> String {
    let here = app.public_url();
    let contact = app.settings.security_contact.as_deref();
    let contact = contact.map_or_else(|| format!("{here}/"), str::to_owned);
    let until = Timestamp::from_ms(Day::of(now).plus(GOOD_FOR_DAYS).start_ms());
    format!(
        "Contact: {contact}\nExpires: {}\nPreferred-Languages: vi, en\nCanonical: {here}/.well-known/security.txt\n",
        until.rfc3339()
    )
}

/// One report of a browser, as far as it is read.
#[derive(Deserialize)]
struct Report {
    body: Option<Stopped>,
}

#[derive(Deserialize)]
struct Stopped {
    #[serde(rename = "effectiveDirective")]
    directive: Option<String>,
}

/// `POST /csp-report`: a browser says that a page tried what the policy forbids. It is counted and
/// logged by the directive alone.
pub async fn report(app: Shared, request: HttpRequest, body: Payload) -> Result<HttpResponse> {
    let kind = request.headers().get(header::CONTENT_TYPE);
    let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if !kind.starts_with("application/reports+json") {
        return Err(Kind::WrongType.into());
    }
    app.limits.report(client_address(&request))?;
    let body = body::collect(body.into_inner(), REPORT_MAX).await?;
    for directive in directives(&body)? {
        metrics::counter!("csp_reports_total", "directive" => directive).increment(1);
        tracing::warn!(directive, "a page tried what its policy forbids");
    }
    Ok(HttpResponse::NoContent().finish())
}

/// The directives named in a browser's reports, as far as they are ours.
fn directives(body: &[u8]) -> Result<Vec<&'static str>> {
    let reports: Vec<Report> = body::read_json(body)?;
    let named = reports.into_iter().filter_map(|report| report.body);
    let named = named.filter_map(|stopped| stopped.directive);
    let known = named.map(|word| {
        let found = DIRECTIVES.iter().find(|directive| **directive == word);
        found.copied().unwrap_or("other")
    });
    Ok(known.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_report_only_our_own_words_are_kept() {
        let body = br#"[{"type":"csp-violation","url":"https://x/c/ABC","body":{"effectiveDirective":"script-src-elem","sample":"0901234567"}},
            {"body":{"effectiveDirective":"0901234567"}},{"type":"deprecation","body":{"id":"x"}},{}]"#;
        assert_eq!(directives(body).unwrap(), ["script-src-elem", "other"]);
        assert!(directives(b"{}").is_err());
        assert!(directives(b"[").is_err());
    }
}
