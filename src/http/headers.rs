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
    base::{Network, Random},
    http::{App, Shared},
};

/// Nothing from elsewhere, nothing inline, framed by nobody; what a page tries nevertheless is told to
/// [`REPORTS`]. No script makes HTML from text: the one policy that is allowed is for the address of a
/// service worker.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
     img-src 'self' data:; connect-src 'self'; manifest-src 'self'; worker-src 'self'; \
     form-action 'self'; base-uri 'none'; object-src 'none'; frame-ancestors 'none'; \
     require-trusted-types-for 'script'; trusted-types sw; report-to csp";

/// Where browsers report what the policy stopped.
pub const REPORTS: &str = "/csp-report";

/// A page that scans sets this in place of the usual policy, under which nobody gets the camera.
pub const CAMERA_HERE: &str = "camera=(self), geolocation=(), microphone=()";

/// Made once: to check the texts again for every answer would cost more than to send them.
static HEADERS: LazyLock<[(HeaderName, HeaderValue); 6]> = LazyLock::new(|| {
    [
        (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
        (
            HeaderName::from_static("reporting-endpoints"),
            "csp=\"/csp-report\"",
        ),
        (header::REFERRER_POLICY, "same-origin"),
        (header::CROSS_ORIGIN_OPENER_POLICY, "same-origin"),
        (header::CROSS_ORIGIN_RESOURCE_POLICY, "same-origin"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ]
    .map(|(name, value)| (name, HeaderValue::from_static(value)))
});

/// What an answer carries that says nothing else itself.
static UNLESS_SET: LazyLock<[(HeaderName, HeaderValue); 2]> = LazyLock::new(|| {
    [
        (
            header::PERMISSIONS_POLICY,
            "camera=(), geolocation=(), microphone=()",
        ),
        (header::CACHE_CONTROL, "no-store"),
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
    for (name, value) in &*UNLESS_SET {
        if !headers.contains_key(name) {
            headers.insert(name.clone(), value.clone());
        }
    }
}

/// Where a request came from. The header of a proxy is believed only from a configured one, which
/// wrote its last entry; the entries before it count only as long as they are configured proxies too.
#[must_use]
pub fn client_address(request: &HttpRequest) -> IpAddr {
    let peer = request
        .peer_addr()
        .map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.ip());
    let Some(app) = request.app_data::<Shared>() else {
        return peer;
    };
    let proxies = &app.settings.trusted_proxies;
    // Without proxies, which is how a benchmark runs, no header is read.
    if proxies.is_empty() {
        return peer;
    }
    let written = request.headers().get_all("x-forwarded-for");
    let lines: Vec<&str> = written.filter_map(|line| line.to_str().ok()).collect();
    forwarded(peer, &lines, proxies)
}

/// The first address from the right that is no proxy of ours; the outermost proxy where what stands
/// before it is no address.
fn forwarded(peer: IpAddr, lines: &[&str], proxies: &[Network]) -> IpAddr {
    let is_ours = |address: IpAddr| proxies.iter().any(|proxy| proxy.contains(address));
    let mut address = peer;
    let written = lines.iter().rev().flat_map(|line| line.rsplit(','));
    for before in written {
        if !is_ours(address) {
            break;
        }
        match before.trim().parse() {
            Ok(before) => address = before,
            Err(_) => break,
        }
    }
    address
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_configured_proxies_wrote_is_believed() {
        let proxies: Vec<Network> = ["10.0.0.0/8", "::1"].map(|n| n.parse().unwrap()).into();
        let from = |peer: &str, lines: &[&str]| {
            forwarded(peer.parse().unwrap(), lines, &proxies).to_string()
        };
        // Nobody in between: the header is the visitor's own invention.
        assert_eq!(from("192.0.2.1", &["203.0.113.5"]), "192.0.2.1");
        assert_eq!(from("192.0.2.1", &[]), "192.0.2.1");
        // One proxy: its entry is the last, and what the visitor sent before it changes nothing.
        assert_eq!(from("10.0.0.1", &["192.0.2.1"]), "192.0.2.1");
        assert_eq!(from("10.0.0.1", &["203.0.113.5, 192.0.2.1"]), "192.0.2.1");
        assert_eq!(from("10.0.0.1", &["10.9.9.9,192.0.2.1"]), "192.0.2.1");
        assert_eq!(from("10.0.0.1", &["203.0.113.5", "192.0.2.1"]), "192.0.2.1");
        // Two proxies, one behind the other.
        assert_eq!(
            from("::1", &["203.0.113.5, 192.0.2.1, 10.0.0.2"]),
            "192.0.2.1"
        );
        // A proxy that says nothing, or nonsense, stands for itself.
        assert_eq!(from("10.0.0.1", &[]), "10.0.0.1");
        assert_eq!(from("10.0.0.1", &["unknown"]), "10.0.0.1");
        assert_eq!(from("10.0.0.1", &["192.0.2.1, "]), "10.0.0.1");
        assert_eq!(from("10.0.0.1", &["10.0.0.3, 10.0.0.2"]), "10.0.0.3");
        assert_eq!(from("::ffff:10.0.0.1", &["2001:db8::7"]), "2001:db8::7");
    }
}
