//! The edges: what every answer carries, which methods a path takes, whose word counts.

use std::collections::BTreeSet;

use diem_kiem_dich::{accounts::Role, api, http::Route, ops, web};
use reqwest::{Client, Method, RequestBuilder, Response, header::HeaderMap};
use serde_json::json;

use crate::{
    kit::{Http, On, Server},
    on_both, pages,
};

on_both! { forms_are_ours_or_refused }

/// What every answer carries, whatever it is. A second time and apart from the code, so that taking
/// one away takes two changes.
const BLOCK: &[(&str, &str)] = &[
    (
        "content-security-policy",
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
         connect-src 'self'; manifest-src 'self'; worker-src 'self'; form-action 'self'; \
         base-uri 'none'; object-src 'none'; frame-ancestors 'none'; \
         require-trusted-types-for 'script'; trusted-types sw; report-to csp",
    ),
    ("reporting-endpoints", "csp=\"/csp-report\""),
    ("referrer-policy", "same-origin"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("x-content-type-options", "nosniff"),
];

/// Pages that look at what a camera sees, with their own policy. All others never get one.
const SCANNERS: &[&str] = &[];

/// What may stay in a cache, and how it says so: nothing of it is about anybody. All else is
/// `no-store`.
const KEPT: &[(&str, &str)] = &[
    ("/static/app.css", "public, max-age=31536000, immutable"),
    ("/static/app.js", "public, max-age=31536000, immutable"),
    ("/static/work.js", "public, max-age=31536000, immutable"),
    ("/static/icon.svg", "public, max-age=31536000, immutable"),
    ("/favicon.ico", "public, max-age=31536000, immutable"),
    ("/robots.txt", "public, max-age=31536000, immutable"),
    ("/.well-known/security.txt", "public, max-age=86400"),
    ("/api/v1/openapi.json", "public, max-age=300"),
    ("/api/v1/regions", "public, max-age=3600"),
    ("/api/v1/transparency", "public, max-age=300"),
    ("/api/v1/regions/80/wards", "public, max-age=3600"),
];

fn routes() -> impl Iterator<Item = &'static Route> {
    api::ROUTES.iter().chain(web::ROUTES).chain(ops::ROUTES)
}

/// The path with something in every parameter's place that nobody owns.
fn filled(path: &str) -> String {
    path.replace("{province}", "80")
        .replace("{code}", "00000000000000000000000000")
        .replace("{format}", "csv")
        .split('/')
        .map(|part| match part {
            part if part.starts_with('{') => "11111111-1111-4111-8111-111111111111",
            part => part,
        })
        .collect::<Vec<_>>()
        .join("/")
}

fn value<'h>(headers: &'h HeaderMap, name: &str) -> &'h str {
    headers
        .get(name)
        .map_or("", |value| value.to_str().unwrap())
}

/// What is wrong with the headers of an answer.
fn faults(at: &str, path: &str, answer: &Response, secure: bool) -> Vec<String> {
    let headers = answer.headers();
    let mut faults = Vec::new();
    let mut expect = |name: &str, expected: &str| {
        let found = value(headers, name);
        if found != expected || headers.get_all(name).iter().count() > 1 {
            faults.push(format!("{at}: {name}: {found:?}, not {expected:?}"));
        }
    };
    for (name, expected) in BLOCK {
        expect(name, expected);
    }
    let camera = if SCANNERS.contains(&path) {
        "(self)"
    } else {
        "()"
    };
    expect(
        "permissions-policy",
        &format!("camera={camera}, geolocation=(), microphone=()"),
    );
    let transport = if secure {
        "max-age=63072000; includeSubDomains"
    } else {
        ""
    };
    expect("strict-transport-security", transport);
    let kept = KEPT.iter().find(|(kept, _)| *kept == path);
    let caching = match kept {
        Some((_, how)) if answer.status().is_success() => how,
        _ => "no-store",
    };
    expect("cache-control", caching);
    for (name, value) in headers {
        let value = value.to_str().unwrap_or_default();
        match name.as_str() {
            "server" | "x-powered-by" | "access-control-allow-origin" => {
                faults.push(format!("{at}: {name}: {value}"));
            }
            "set-cookie" => faults.extend(cookie_faults(at, value, secure)),
            _ => {}
        }
    }
    if value(headers, "x-request-id").len() != 32 {
        faults.push(format!("{at}: no request id"));
    }
    faults
}

/// What is wrong with a cookie: out of reach of scripts and other sites, and over HTTPS bound to the
/// host.
fn cookie_faults(at: &str, cookie: &str, secure: bool) -> Vec<String> {
    let mut parts = cookie.split("; ");
    let name = parts.next().unwrap().split('=').next().unwrap();
    let attributes: BTreeSet<&str> = parts.collect();
    let has = |attribute: &str| attributes.contains(attribute);
    let good = has("HttpOnly")
        && has("Path=/")
        && (has("SameSite=Lax") || has("SameSite=Strict"))
        && has("Secure") == secure
        && name.starts_with("__Host-") == secure
        && !attributes.iter().any(|a| a.starts_with("Domain"));
    if good {
        Vec::new()
    } else {
        vec![format!("{at}: set-cookie: {name}; {attributes:?}")]
    }
}

#[tokio::test]
async fn every_answer_carries_its_headers() {
    for (public_url, secure) in [("http://localhost", false), ("https://dkd.example", true)] {
        let server = Server::start_with(On::Sqlite, &[("public_url", public_url)]).await;
        let client = Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .unwrap();
        let mut callers = vec![None];
        for role in [Role::VenueOwner, Role::HealthOfficer, Role::HealthLead] {
            callers.push(Some(server.login_as(role, Some("80")).await));
        }
        let mut wrong = Vec::new();
        let mut seen = BTreeSet::new();
        // What ends a session comes last.
        let mut all: Vec<&Route> = routes().collect();
        all.sort_by_key(|route| route.method == "DELETE");
        for route in all {
            let path = filled(route.path);
            for method in [route.method, "HEAD", "TRACE"] {
                for caller in &callers {
                    let method: Method = method.parse().unwrap();
                    let request = match caller {
                        Some(caller) => caller.request(method.clone(), &path),
                        None => client.request(method.clone(), format!("{}{path}", server.url)),
                    };
                    let answer = request.send().await.unwrap();
                    let status = answer.status().as_u16();
                    seen.insert(status);
                    let at = format!("{method} {path} {status}");
                    wrong.extend(faults(&at, &path, &answer, secure));
                }
            }
        }
        for (method, path) in [
            ("GET", "/nowhere"),
            ("GET", "/api/v1/nowhere"),
            ("GET", "/c/%ff"),
            ("GET", "/static/../Cargo.toml"),
            ("PUT", "/api/v1/check-ins"),
        ] {
            let request = client.request(method.parse().unwrap(), format!("{}{path}", server.url));
            let answer = request.send().await.unwrap();
            let at = format!("{method} {path}");
            wrong.extend(faults(&at, path, &answer, secure));
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        // The table met every kind of answer, not only one.
        for status in [200, 303, 401, 403, 404, 405, 415] {
            assert!(seen.contains(&status), "no answer was {status}: {seen:?}");
        }
    }
}

#[tokio::test]
async fn whatever_can_be_read_can_be_asked_about() {
    let server = Server::start(On::Sqlite).await;
    let officer = server.login_as(Role::HealthOfficer, Some("80")).await;
    let owner = server.login_as(Role::VenueOwner, None).await;
    for route in routes().filter(|route| route.method == "GET") {
        let path = filled(route.path);
        for caller in [&server.http, &officer, &owner] {
            let get = caller.request(Method::GET, &path).send().await.unwrap();
            let head = caller.request(Method::HEAD, &path).send().await.unwrap();
            assert_eq!(head.status(), get.status(), "{path}");
            let kind = |answer: &Response| value(answer.headers(), "content-type").to_owned();
            assert_eq!(kind(&head), kind(&get), "{path}");
            assert!(head.bytes().await.unwrap().is_empty(), "{path}");
        }
    }
}

#[tokio::test]
async fn a_path_says_which_methods_it_takes() {
    let server = Server::start(On::Sqlite).await;
    for route in routes() {
        let path = filled(route.path);
        for method in ["PUT", "OPTIONS", "TRACE", "PROPFIND"] {
            let request = server.http.request(method.parse().unwrap(), &path);
            let answer = request.send().await.unwrap();
            assert_eq!(answer.status(), 405, "{method} {path}");
            let allowed: Vec<&str> = value(answer.headers(), "allow").split(", ").collect();
            assert!(allowed.contains(&route.method), "{path}: {allowed:?}");
            let reads = allowed.contains(&"GET");
            assert_eq!(allowed.contains(&"HEAD"), reads, "{path}: {allowed:?}");
        }
    }
    let answer = server.http.request(Method::PUT, "/api/v1/check-ins");
    let (status, problem) = crate::kit::json_of(answer.send().await.unwrap()).await;
    assert_eq!(status, 405);
    assert_eq!(problem["code"], "method_not_allowed");
}

type Headers = &'static [(&'static str, &'static str)];

/// What a browser says about where a form comes from, and whether it may be from our own page: with
/// the token of the page, and without.
const WORDS: &[(Headers, bool, bool)] = &[
    (&[("sec-fetch-site", "cross-site")], false, false),
    (&[("sec-fetch-site", "same-site")], false, false),
    (&[("sec-fetch-site", "")], false, false),
    (&[("origin", "null")], false, false),
    (&[("origin", "https://evil.example")], false, false),
    (
        &[("sec-fetch-site", "same-origin"), ("origin", "null")],
        false,
        false,
    ),
    (
        &[
            ("sec-fetch-site", "same-origin"),
            ("origin", "https://evil.example"),
        ],
        false,
        false,
    ),
    (
        &[("sec-fetch-site", "cross-site"), ("origin", OURS)],
        false,
        false,
    ),
    // The token decides.
    (&[], true, false),
    (&[("sec-fetch-site", "none")], true, false),
    (&[("origin", OURS)], true, false),
    // The browser's word is enough where nobody is logged in.
    (&[("sec-fetch-site", "same-origin")], true, true),
    (
        &[("sec-fetch-site", "same-origin"), ("origin", OURS)],
        true,
        true,
    ),
];

/// Our own address, as the test's server is configured.
const OURS: &str = "http://localhost";

/// Every page that changes something, as everybody who may: a form counts only if it comes from our
/// own page.
async fn forms_are_ours_or_refused(on: On) {
    let server = Server::start_with(on, &[("public_url", OURS)]).await;
    let stranger = pages::Browser::new(&server);
    let mut browsers = Vec::new();
    for role in [Role::VenueOwner, Role::HealthOfficer, Role::HealthLead] {
        browsers.push((role, pages::logged_in(&server, role).await));
    }
    let mut unsafe_pages = 0;
    let changing = web::ROUTES.iter().filter(|route| route.method != "GET");
    for route in changing.filter(|route| route.path != "/csp-report") {
        unsafe_pages += 1;
        let path = filled(route.path);
        let (browser, has_session) = match route.roles {
            None => (&stranger, false),
            Some(roles) => {
                let may = browsers.iter().rev().find(|(role, _)| roles.contains(role));
                (&may.unwrap().1, true)
            }
        };
        let token = browser.get("/login").await.hidden("csrf");
        assert!(!token.is_empty());
        let send = async |token: &str, words: &[(&'static str, &'static str)]| {
            let mut post: RequestBuilder = browser.post(&path).form(&[("csrf", token)]);
            for (name, value) in words {
                post = post.header(*name, *value);
            }
            post.send().await.unwrap().status().as_u16()
        };
        for (words, with_token, without) in WORDS {
            // Where somebody is logged in, nothing counts without the token.
            let without = *without && !has_session;
            let ends_the_session = route.path == "/logout" && *with_token;
            if !ends_the_session {
                let passed = send(&token, words).await != 403;
                assert_eq!(passed, *with_token, "{path} with the token, {words:?}");
            }
            for wrong in ["", "0123456789abcdef0123456789abcdef"] {
                let passed = send(wrong, words).await != 403;
                assert_eq!(passed, without, "{path} with {wrong:?}, {words:?}");
            }
        }
    }
    assert!(unsafe_pages >= 10, "{unsafe_pages}");
    // The other edge takes no cookie for an answer, so no page can make a browser use it.
    let (_, owner) = browsers.first().unwrap();
    assert_eq!(owner.get("/venues").await.status, 200);
    assert_eq!(owner.get("/api/v1/venues").await.status, 401);
}

/// Send browser's reports as if from `via`, until one is refused; how many went through.
async fn reports(server: &Server, via: impl Fn(u32) -> String) -> u32 {
    let body =
        json!([{"type": "csp-violation", "body": {"effectiveDirective": "script-src-elem"}}]);
    for n in 0..200 {
        let report = server.http.request(Method::POST, "/csp-report");
        let report = report
            .header("content-type", "application/reports+json")
            .header("x-forwarded-for", via(n))
            .body(body.to_string());
        let answer = report.send().await.unwrap();
        match answer.status().as_u16() {
            204 => {}
            429 => {
                assert!(!value(answer.headers(), "retry-after").is_empty());
                return n;
            }
            other => panic!("{other}"),
        }
    }
    200
}

#[tokio::test]
async fn a_forged_forwarded_for_changes_nothing() {
    let limited = ("rate_limits", "on");
    // Nobody is configured: each request names another address, and all are one.
    let server = Server::start_with(On::Sqlite, &[limited]).await;
    let passed = reports(&server, |n| format!("198.51.100.{n}")).await;
    assert!((30..40).contains(&passed), "{passed}");
    // A proxy is: its own entry, the last, tells visitors apart, and what stands before it does not.
    let behind = ("trusted_proxies", "10.0.0.0/8, 127.0.0.0/8");
    let server = Server::start_with(On::Sqlite, &[limited, behind]).await;
    let passed = reports(&server, |n| format!("198.51.100.{n}, 203.0.113.1")).await;
    assert!((30..40).contains(&passed), "{passed}");
    let passed = reports(&server, |_| "203.0.113.2".to_owned()).await;
    assert!((30..40).contains(&passed), "another visitor: {passed}");
    let passed = reports(&server, |n| format!("2001:db8:0:7::{n:x}, 10.0.0.9")).await;
    assert!((30..40).contains(&passed), "one household: {passed}");
}

#[tokio::test]
async fn a_finder_of_weaknesses_is_told_where_to_go() {
    let server = Server::start(On::Sqlite).await;
    let text = |server: &Server| {
        let http: Http = server.http.clone();
        async move {
            let request = http.request(Method::GET, "/.well-known/security.txt");
            let answer = request.send().await.unwrap();
            assert_eq!(answer.status(), 200);
            let kind = value(answer.headers(), "content-type").to_owned();
            assert_eq!(kind, "text/plain; charset=utf-8");
            answer.text().await.unwrap()
        }
    };
    let url = server.app.public_url();
    let expected = format!(
        "Contact: {url}/\nExpires: 2027-05-17T00:00:00Z\nPreferred-Languages: vi, en\n\
         Canonical: {url}/.well-known/security.txt\n"
    );
    let found = text(&server).await;
    assert_eq!(found.replace(".000Z", "Z"), expected);
    let named = [("security_contact", "mailto:an-toan@so-y-te.example")];
    let server = Server::start_with(On::Sqlite, &named).await;
    let found = text(&server).await;
    assert!(found.starts_with("Contact: mailto:an-toan@so-y-te.example\n"));
}
