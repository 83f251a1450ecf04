//! What every answer carries, and where a request came from.

use std::{
    net::{IpAddr, Ipv4Addr},
    sync::{
        LazyLock,
        atomic::{AtomicU64, Ordering},
    },
};

use actix_web::{
    Error, HttpRequest, HttpResponse,
    body::MessageBody,
    dev::{ServiceRequest, ServiceResponse},
    http::header::{self, HeaderName, HeaderValue},
    middleware::Next,
};
use uuid::Uuid;

use crate::{
    base::Random,
    http::{App, Shared},
};

/// Nothing from elsewhere, nothing inline, framed by nobody.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
     img-src 'self' data:; connect-src 'self'; manifest-src 'self'; form-action 'self'; \
     base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'";

/// Made once: to check the texts again for every answer would cost more than to send them.
static HEADERS: LazyLock<[(HeaderName, HeaderValue); 6]> = LazyLock::new(|| {
    [
        (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
        (
            header::PERMISSIONS_POLICY,
            "camera=(), geolocation=(), microphone=()",
        ),
        (header::REFERRER_POLICY, "same-origin"),
        (header::CROSS_ORIGIN_OPENER_POLICY, "same-origin"),
        (header::CROSS_ORIGIN_RESOURCE_POLICY, "same-origin"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ]
    .map(|(name, value)| (name, HeaderValue::from_static(value)))
});

/// Ids of requests: unlike any other, and nothing more.
#[derive(Debug)]
pub struct RequestIds {
    process: u64,
    next: AtomicU64,
}

impl RequestIds {
    /// Ids of this process.
    #[must_use]
    pub fn new(random: &Random) -> Self {
        Self {
            process: u64::from_be_bytes(random.bytes()),
            next: AtomicU64::new(u64::from_be_bytes(random.bytes())),
        }
    }

    fn next(&self) -> Uuid {
        Uuid::from_u64_pair(self.process, self.next.fetch_add(1, Ordering::Relaxed))
    }
}

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
    let mut response = next.call(request).await?;
    if let Some(app) = app {
        let request = response.request().clone();
        // The pattern of the route, not the path: a path holds codes and ids.
        let route = || request.match_pattern().unwrap_or_else(|| "-".to_owned());
        finish(&app, &request, response.response_mut(), route);
    }
    Ok(response)
}

/// What [`wrap`] does to an answer. A request that succeeded is logged at the level `debug`: at full
/// load a line for each would cost more than the check-in itself.
pub fn finish<B>(
    app: &App,
    request: &HttpRequest,
    response: &mut HttpResponse<B>,
    route: impl Fn() -> String,
) {
    let mut text = [0; 32];
    let id = &*app.request_ids.next().simple().encode_lower(&mut text);
    let (method, status) = (request.method(), response.status().as_u16());
    if status < 400 {
        tracing::debug!(%method, route = route(), status, request = id);
    } else {
        tracing::info!(%method, route = route(), status, request = id);
    }
    app.leaving.mark(response);
    let headers = response.headers_mut();
    for (name, value) in &*HEADERS {
        headers.insert(name.clone(), value.clone());
    }
    if app.is_secure() {
        headers.insert(
            header::STRICT_TRANSPORT_SECURITY,
            HeaderValue::from_static("max-age=63072000; includeSubDomains"),
        );
    }
    if let Ok(id) = HeaderValue::from_str(id) {
        headers.insert(HeaderName::from_static("x-request-id"), id);
    }
    if !headers.contains_key(header::CACHE_CONTROL) {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
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
