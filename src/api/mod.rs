//! The JSON edge, `/api/v1`: every route on one page, in reader order, with who may use it.
//!
//! Handlers parse, call one rule of a room and answer. The description at `/api/v1/openapi.json` is
//! generated from the same lines.

mod openapi;
mod sessions;

pub use openapi::document;

use crate::{accounts::Role, described_routes};

const ALL: &[Role] = &Role::ALL;

described_routes! {
    POST   "/api/v1/sessions"          => sessions::log_in,  anyone;
    POST   "/api/v1/sessions/refresh"  => sessions::refresh, anyone;
    DELETE "/api/v1/sessions/current"  => sessions::log_out, ALL;
    GET    "/api/v1/openapi.json"      => openapi::serve,    anyone;
}
