//! Server-rendered pages: any phone, no script needed.
//!
//! Templates are compiled in and escape by default; texts come from message files in two languages;
//! the pages call the same rooms as `/api/v1`, so no rule is written twice. All routes are on this
//! page, with who may use them.
//!
//! Absent on purpose: a script that a page needs. The one there is saves typing and double taps.

mod area;
mod arrivals;
pub mod assets;
mod candidates;
mod cases;
pub mod charts;
mod checkpoints;
mod consent;
mod declaration;
mod describe;
mod failed;
mod files;
mod frame;
mod home;
mod lookups;
mod nations;
mod own_code;
mod own_correct;
mod own_data;
mod own_file;
mod own_rows;
pub mod page;
mod posters;
mod proof;
pub mod reference;
mod requests;
mod sent;
mod sessions;
mod sign;
pub mod texts;
mod transparency;
mod venues;
pub mod views;
mod visitor;
mod visits;
mod week;
mod well_known;

use std::sync::Arc;

use actix_web::{HttpRequest, middleware::from_fn, web};

use crate::{
    accounts::Role,
    api,
    declarations::CONSENT_VERSIONS,
    http::{AnyRole, LeadOnly, Methods, Officers, Owners, Permission as _, Route, Stewards},
    routes,
    venues::PlaceKind,
};
use page::{Choice, Page};

const ALL: &[Role] = AnyRole::ROLES;
const OWNERS: &[Role] = Owners::ROLES;
const OFFICERS: &[Role] = Officers::ROLES;
const LEAD: &[Role] = LeadOnly::ROLES;
const STEWARDS: &[Role] = Stewards::ROLES;

routes! {
    GET  "/"                                            => home::show,          anyone;
    GET  "/c"                                           => home::typed,         anyone;
    GET  "/c/{code}"                                    => visitor::show,       anyone;
    POST "/c/{code}"                                    => visitor::act,        anyone;
    GET  "/C/{code}"                                    => visitor::show,       anyone;
    POST "/C/{code}"                                    => visitor::act,        anyone;

    GET  "/du-lieu-cua-toi"                             => own_data::show,      anyone;
    POST "/du-lieu-cua-toi"                             => own_data::act,       anyone;
    GET  "/du-lieu-cua-toi/ban-sao.{format}"            => own_file::copy,      anyone;
    GET  "/du-lieu-cua-toi/{declaration}"               => own_correct::ask,    anyone;
    POST "/du-lieu-cua-toi/{declaration}"               => own_correct::save,   anyone;
    GET  "/dong-y"                                      => consent::list,       anyone;

    GET  "/register"                                    => sign::invite,        anyone;
    POST "/register"                                    => sign::register,      anyone;
    GET  "/login"                                       => sign::ask,           anyone;
    POST "/login"                                       => sign::log_in,        anyone;
    POST "/logout"                                      => sign::log_out,       ALL;
    GET  "/proof"                                       => proof::ask,          ALL;
    POST "/proof"                                       => proof::answer,       ALL;
    GET  "/sessions"                                    => sessions::list,      ALL;
    POST "/sessions"                                    => sessions::end,       ALL;

    GET  "/venues"                                      => venues::list,        OWNERS;
    GET  "/venues/{venue}"                              => venues::show,        OWNERS;
    GET  "/venues/{venue}/checkpoints/new"              => checkpoints::ask,    OWNERS;
    POST "/venues/{venue}/checkpoints/new"              => checkpoints::add,    OWNERS;
    GET  "/venues/{venue}/checkpoints/{checkpoint}"     => checkpoints::show,   OWNERS;
    POST "/venues/{venue}/checkpoints/{checkpoint}"     => checkpoints::change, OWNERS;

    GET  "/venues/{venue}/checkpoints/{checkpoint}/poster.{format}" => posters::one, OWNERS;
    GET  "/venues/{venue}/posters.pdf"                  => posters::all,        OWNERS;

    GET  "/cases"                                       => cases::list,         OFFICERS;
    GET  "/cases/new"                                   => cases::ask,          OFFICERS;
    POST "/cases/new"                                   => cases::report,       OFFICERS;
    GET  "/cases/{case}"                                => cases::show,         OFFICERS;
    POST "/cases/{case}"                                => cases::look_up,      OFFICERS;
    GET  "/lookups/new"                                 => lookups::ask,        OFFICERS;
    POST "/lookups/new"                                 => lookups::look_up,    OFFICERS;
    GET  "/lookups/{lookup}"                            => lookups::show,       OFFICERS;
    POST "/lookups/{lookup}"                            => lookups::release,    LEAD;
    GET  "/lookups/{lookup}/people"                     => candidates::show,     OFFICERS;
    GET  "/lookups/{lookup}/exposures.{format}"         => candidates::export,     OFFICERS;

    GET  "/minh-bach"                                   => transparency::show,  anyone;
    GET  "/requests"                                    => requests::list,      STEWARDS;
    POST "/requests"                                    => requests::act,       STEWARDS;

    GET  "/docs"                                        => describe::show,      anyone;
    GET  "/static/app.css"                              => files::style,        anyone;
    GET  "/static/app.js"                               => files::script,       anyone;
    GET  "/static/work.js"                              => files::work,         anyone;
    GET  "/static/icon.svg"                             => files::icon,         anyone;
    GET  "/favicon.ico"                                 => files::favicon,      anyone;
    GET  "/robots.txt"                                  => files::robots,       anyone;
    GET  "/.well-known/security.txt"                    => well_known::security, anyone;
    POST "/csp-report"                                  => well_known::report,  anyone;
}

/// Mount the pages, with failures answered as pages. To be called after everything else is mounted,
/// because a path that nothing else knows is answered here, too; `beside` are the routes that neither
/// edge has.
pub fn mount(config: &mut web::ServiceConfig, beside: &[Route]) {
    let methods = Arc::new(Methods::of(&[api::ROUTES, ROUTES, beside]));
    config.service(
        web::scope("")
            .wrap(from_fn(sent::guard))
            .wrap(from_fn(failed::as_page))
            .configure(configure)
            .default_service(web::to(move |request: HttpRequest| {
                std::future::ready(failed::missing(&request, &methods))
            })),
    );
}

/// The days of the week as the opening-hours form names its fields.
pub const WEEK: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// Kinds of place, for a list.
#[must_use]
pub fn kinds(page: &Page) -> Vec<Choice> {
    PlaceKind::ALL
        .iter()
        .map(|kind| Choice::new(kind.as_str(), page.kind(*kind)))
        .collect()
}

/// The version of the consent text that the pages show.
fn consent_version() -> &'static str {
    let [.., shown] = CONSENT_VERSIONS;
    shown
}
