//! What every answer carries, and where a request came from.

use std::net::{IpAddr, Ipv4Addr};

use actix_web::{
    Error, HttpRequest,
    body::MessageBody,
    dev::{ServiceRequest, ServiceResponse},
    http::header::{HeaderName, HeaderValue},
    middleware::Next,
};

use crate::http::Shared;

/// Nothing from elsewhere, nothing inline, framed by nobody.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
     img-src 'self' data:; connect-src 'self'; manifest-src 'self'; form-action 'self'; \
     base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'";

const HEADERS: [(&str, &str); 6] = [
    ("content-security-policy", CONTENT_SECURITY_POLICY),
    (
        "permissions-policy",
        "camera=(), geolocation=(), microphone=()",
    ),
    ("referrer-policy", "same-origin"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("x-content-type-options", "nosniff"),
];

/// Give every answer its security headers and an `X-Request-Id` made here, keep answers out of
/// caches unless they say otherwise, and write one log line without query or person.
///
/// # Errors
///
/// Those of the handler.
pub async fn wrap(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let app = request.app_data::<Shared>().cloned();
    let id = app
        .as_ref()
        .map(|app| {
            uuid::Uuid::from_bytes(app.random.bytes())
                .simple()
                .to_string()
        })
        .unwrap_or_default();
    let method = request.method().clone();
    let mut response = next.call(request).await?;
    // The pattern of the route, not the path: a path holds codes and ids.
    let route = response
        .request()
        .match_pattern()
        .unwrap_or_else(|| "-".to_owned());
    tracing::info!(%method, route, status = response.status().as_u16(), request = id);
    if let Some(app) = &app {
        app.leaving.mark(&mut response);
    }
    let secure = app.is_some_and(|app| app.is_secure());
    let headers = response.headers_mut();
    for (name, value) in HEADERS {
        headers.insert(
            HeaderName::from_static(name),
            HeaderValue::from_static(value),
        );
    }
    if secure {
        headers.insert(
            HeaderName::from_static("strict-transport-security"),
            HeaderValue::from_static("max-age=63072000; includeSubDomains"),
        );
    }
    if let Ok(id) = HeaderValue::from_str(&id) {
        headers.insert(HeaderName::from_static("x-request-id"), id);
    }
    let caching = HeaderName::from_static("cache-control");
    if !headers.contains_key(&caching) {
        headers.insert(caching, HeaderValue::from_static("no-store"));
    }
    Ok(response)
}

/// Where a request came from. A proxy's header is believed only from a configured proxy, and only
/// its last entry, which that proxy wrote.
#[must_use]
pub fn client_address(request: &HttpRequest) -> IpAddr {
    let peer = request
        .peer_addr()
        .map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.ip());
    let trusted = request
        .app_data::<Shared>()
        .is_some_and(|app| app.settings.trusted_proxies.contains(&peer));
    if !trusted {
        return peer;
    }
    request
        .headers()
        .get_all("x-forwarded-for")
        .last()
        .and_then(|value| value.to_str().ok())
        .and_then(|text| text.rsplit(',').next())
        .and_then(|last| last.trim().parse().ok())
        .unwrap_or(peer)
}
