//! The JSON edge, `/api/v1`: every route on one page, in reader order, with who may use it. What
//! visitors send stands first: the router asks from the top.
//!
//! Handlers parse, call one rule of a room and answer. The description at `/api/v1/openapi.json` is
//! generated from the same lines.

pub mod cases;
pub mod checkins;
pub mod checkpoints;
pub mod declarations;
pub mod lookups;
mod openapi;
pub mod posters;
mod regions;
pub mod sessions;
mod short_way;
mod transparency;
pub mod venues;

pub use openapi::document;
pub use short_way::{Fork, ShortWay};

use crate::{
    accounts::Role,
    described_routes,
    http::{LeadOnly, Officers, Owners, Permission},
};

const ALL: &[Role] = &Role::ALL;
const OWNERS: &[Role] = Owners::ROLES;
const OFFICERS: &[Role] = Officers::ROLES;
const LEADS: &[Role] = LeadOnly::ROLES;

described_routes! {
    POST  "/api/v1/declarations"              => declarations::create, anyone;
    POST  "/api/v1/check-ins"                 => checkins::create,     anyone;
    POST  "/api/v1/check-ins/batch"           => checkins::batch,      anyone;
    POST  "/api/v1/check-ins/{id}/check-out"  => checkins::check_out,  anyone;

    POST   "/api/v1/sessions"          => sessions::log_in,  anyone;
    POST   "/api/v1/sessions/refresh"  => sessions::refresh, anyone;
    GET    "/api/v1/sessions"                => sessions::list,    ALL;
    DELETE "/api/v1/sessions"                => sessions::end_all, ALL;
    POST   "/api/v1/sessions/current/proof"  => sessions::proof,   ALL;
    DELETE "/api/v1/sessions/current"        => sessions::log_out, ALL;
    DELETE "/api/v1/sessions/{id}"           => sessions::end,     ALL;
    GET    "/api/v1/openapi.json"      => openapi::serve,    anyone;

    GET   "/api/v1/regions"                  => regions::provinces, anyone;
    GET   "/api/v1/regions/{province}/wards" => regions::wards,     anyone;

    GET   "/api/v1/transparency"             => transparency::show, anyone;

    POST  "/api/v1/venues"                               => venues::register,    anyone;
    GET   "/api/v1/venues"                               => venues::list,        OWNERS;
    GET   "/api/v1/venues/{id}"                          => venues::show,        OWNERS;
    POST  "/api/v1/venues/{id}/checkpoints"              => checkpoints::add,    OWNERS;
    GET   "/api/v1/venues/{id}/checkpoints"              => checkpoints::list,   OWNERS;
    GET   "/api/v1/venues/{id}/checkpoints/{checkpoint}" => checkpoints::show,   OWNERS;
    PATCH "/api/v1/venues/{id}/checkpoints/{checkpoint}" => checkpoints::change, OWNERS;
    GET   "/api/v1/checkpoints/{code}"                   => checkpoints::public, anyone;

    GET   "/api/v1/checkpoints/{id}/poster.pdf" => posters::pdf, OWNERS;
    GET   "/api/v1/checkpoints/{id}/poster.png" => posters::png, OWNERS;
    GET   "/api/v1/checkpoints/{id}/poster.svg" => posters::svg, OWNERS;
    GET   "/api/v1/venues/{id}/posters.pdf"     => posters::all, OWNERS;

    POST  "/api/v1/cases"                       => cases::report,      OFFICERS;
    GET   "/api/v1/cases"                       => cases::list,        OFFICERS;
    GET   "/api/v1/cases/{id}"                  => cases::show,        OFFICERS;
    POST  "/api/v1/lookups"                     => lookups::create,    OFFICERS;
    GET   "/api/v1/lookups/{id}"                => lookups::show,      OFFICERS;
    GET   "/api/v1/lookups/{id}/exposures"      => lookups::exposures, OFFICERS;
    GET   "/api/v1/lookups/{id}/exposures.csv"  => lookups::csv,       OFFICERS;
    GET   "/api/v1/lookups/{id}/exposures.xlsx" => lookups::xlsx,      OFFICERS;
    POST  "/api/v1/lookups/{id}/rerun"          => lookups::rerun,     OFFICERS;
    POST  "/api/v1/lookups/{id}/release"        => lookups::release,   LEADS;
}
