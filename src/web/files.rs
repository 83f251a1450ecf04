//! The stylesheet, the script and the icon, as answers.

use actix_web::{HttpResponse, http::header};

use super::assets;

/// A year: the addresses in pages change with the content.
const CACHE: &str = "public, max-age=31536000, immutable";

fn file(kind: &'static str, content: &'static str) -> HttpResponse {
    HttpResponse::Ok()
        .content_type(kind)
        .insert_header((header::CACHE_CONTROL, CACHE))
        .body(content)
}

/// `/static/app.css`.
pub async fn style() -> HttpResponse {
    file("text/css; charset=utf-8", assets::CSS)
}

/// `/static/app.js`.
pub async fn script() -> HttpResponse {
    file("text/javascript; charset=utf-8", assets::SCRIPT)
}

/// `/static/work.js`.
pub async fn work() -> HttpResponse {
    file("text/javascript; charset=utf-8", assets::WORK)
}

/// `/static/icon.svg`.
pub async fn icon() -> HttpResponse {
    file("image/svg+xml", assets::ICON)
}

/// `/favicon.ico`: older browsers ask for it unbidden.
pub async fn favicon() -> HttpResponse {
    file("image/svg+xml", assets::ICON)
}

/// `/robots.txt`: the pages of places and people are nothing for search engines.
pub async fn robots() -> HttpResponse {
    file(
        "text/plain; charset=utf-8",
        "User-agent: *\nDisallow: /c/\nDisallow: /venues\nDisallow: /du-lieu-cua-toi\n",
    )
}
