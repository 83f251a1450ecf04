//! The owner's venues: list, one venue, its posters.

use actix_web::{HttpResponse, web};
use serde::Deserialize;
use uuid::Uuid;

use super::{
    arrivals,
    frame::Own,
    page::Page,
    views::{CheckpointCard, VenueHead, VenuePage, VenueRow, Venues},
};
use crate::{
    base::failure::Result,
    http::{App, Owners},
    venues::{self, Checkpoint, Venue},
};

/// Venues and checkpoints shown on one page. An owner with more uses the API.
const ROWS_MAX: i64 = 500;

/// `GET /venues`.
pub async fn list(own: Own<Owners>) -> Result<HttpResponse> {
    let app = &own.frame.app;
    let owner = own.account.id;
    let rows = app
        .db
        .read(async |tx| {
            let mut rows = Vec::new();
            for venue in venues::venues_of(tx, owner, None, ROWS_MAX).await? {
                let all = venues::checkpoints_of(tx, &venue, None, ROWS_MAX).await?;
                rows.push((venue, all.len()));
            }
            Ok::<_, crate::base::Failure>(rows)
        })
        .await?;
    let page = own.frame.page();
    let venues = rows
        .into_iter()
        .map(|(venue, checkpoints)| VenueRow {
            id: venue.public_id.to_string(),
            name: venue.name.to_string(),
            kind: page.kind(venue.kind).to_owned(),
            address: venue.address.line(&app.regions),
            checkpoints,
        })
        .collect();
    own.frame.show(&Venues { p: page, venues })
}

/// What the venue's page may be asked with.
#[derive(Deserialize)]
pub struct Asked {
    /// It was registered a moment ago.
    fresh: Option<String>,
}

/// `GET /venues/{venue}`.
pub async fn show(
    own: Own<Owners>,
    venue: web::Path<Uuid>,
    asked: web::Query<Asked>,
) -> Result<HttpResponse> {
    let app = &own.frame.app;
    let owner = own.account.id;
    let (venue, checkpoints) = app
        .db
        .read(async |tx| {
            let venue = venues::own_venue(tx, owner, *venue).await?;
            let all = venues::checkpoints_of(tx, &venue, None, ROWS_MAX).await?;
            Ok::<_, crate::base::Failure>((venue, all))
        })
        .await?;
    let page = own.frame.page();
    let arrivals = arrivals::today(app, &page, &checkpoints).await?;
    let cards = checkpoints.iter().map(|one| card(app, &page, &venue, one));
    own.frame.show(&VenuePage {
        venue: head(app, &page, &venue),
        fresh: asked.fresh.is_some(),
        checkpoints: cards.collect(),
        arrivals,
        p: page,
    })
}

fn head(app: &App, page: &Page, venue: &Venue) -> VenueHead {
    VenueHead {
        id: venue.public_id.to_string(),
        name: venue.name.to_string(),
        kind: page.kind(venue.kind).to_owned(),
        address: venue.address.line(&app.regions),
    }
}

/// A checkpoint as a card.
pub(super) fn card(app: &App, page: &Page, venue: &Venue, one: &Checkpoint) -> CheckpointCard {
    let gate_of = (one.site_id != one.id)
        .then(|| app.directory.by_id(one.site_id))
        .flatten();
    CheckpointCard {
        id: one.public_id.to_string(),
        name: one.name.to_string(),
        kind: page.kind(one.kind).to_owned(),
        code: one.code.to_string(),
        code_grouped: one.code.grouped(),
        closed: one.closed(),
        open: one.is_open(app.clock.now()),
        gate_of: gate_of.map(|main| main.checkpoint.name.to_string()),
        poster: format!(
            "/venues/{}/checkpoints/{}/poster",
            venue.public_id, one.public_id
        ),
    }
}
