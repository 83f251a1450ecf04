//! Checkpoints: the owner's, and what anybody who holds a code may see.

use actix_web::{HttpResponse, web};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    api::venues::AddressView,
    base::{Code, Failure, Kind, Timestamp, failure::Result},
    declarations::QUESTIONNAIRE,
    http::{App, Caller, Json, List, Owners, PageQuery, Path, Query, Shared, problem::Problem},
    store::Tx,
    venues::{
        self, Checkpoint, CheckpointPatch, NewCheckpoint, OpeningHours, PlaceKind, VehicleText,
        Venue, Week,
    },
};

/// A vehicle.
#[derive(Serialize, ToSchema)]
pub struct VehicleView {
    /// Number plate as the owner wrote it.
    plate: String,
    /// Line or route; may be empty.
    route: String,
}

/// A checkpoint, for its owner.
#[derive(Serialize, ToSchema)]
pub struct CheckpointView {
    id: Uuid,
    /// What is on the poster: 26 digits of Crockford's Base32.
    code: String,
    /// The visitor's page.
    url: String,
    name: String,
    kind: PlaceKind,
    /// Stay assumed where nobody checked out; null: the rule set's for the kind.
    stay_minutes: Option<u16>,
    capacity: Option<u32>,
    opening_hours: Option<Week>,
    listed: bool,
    /// The checkpoint whose space it enters, where it is not its own.
    gate_of: Option<Uuid>,
    vehicle: Option<VehicleView>,
    closed: bool,
    #[schema(value_type = Option<String>, format = DateTime)]
    closed_at: Option<Timestamp>,
    /// Counts up whenever what is printed changes.
    poster_version: u32,
    /// When that version was made.
    #[schema(value_type = String, format = DateTime)]
    poster_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
}

impl CheckpointView {
    fn new(app: &App, checkpoint: &Checkpoint, vehicle: Option<VehicleText>) -> Self {
        let site = Some(checkpoint.site_id).filter(|site| *site != checkpoint.id);
        let main = site.and_then(|site| app.directory.by_id(site));
        Self {
            id: checkpoint.public_id,
            code: checkpoint.code.to_string(),
            url: format!("{}/c/{}", app.public_url(), checkpoint.code),
            name: checkpoint.name.to_string(),
            kind: checkpoint.kind,
            stay_minutes: checkpoint.stay_minutes,
            capacity: checkpoint.capacity,
            opening_hours: checkpoint.opening_hours.as_ref().map(OpeningHours::week),
            listed: checkpoint.listed,
            gate_of: main.map(|main| main.checkpoint.public_id),
            vehicle: vehicle.map(|vehicle| VehicleView {
                plate: vehicle.plate,
                route: vehicle.route,
            }),
            closed: checkpoint.closed(),
            closed_at: checkpoint.closed_at,
            poster_version: checkpoint.poster_version,
            poster_at: checkpoint.poster_at,
            created_at: checkpoint.created_at,
        }
    }
}

async fn own_venue(app: &App, owner: Uuid, venue: Uuid) -> Result<Venue> {
    app.db
        .read(async |tx| venues::own_venue(tx, owner, venue).await)
        .await
}

/// Add a checkpoint to one of the caller's venues.
#[utoipa::path(post, path = "/api/v1/venues/{id}/checkpoints", tag = "Checkpoints",
    security(("bearer" = [])), params(("id" = Uuid, Path, description = "The venue")),
    request_body = NewCheckpoint,
    responses((status = 201, body = CheckpointView), (status = 404, body = Problem),
        (status = 422, body = Problem)))]
pub async fn add(
    app: Shared,
    caller: Caller<Owners>,
    venue: Path<Uuid>,
    body: Json<NewCheckpoint>,
) -> Result<HttpResponse> {
    let owner = caller.account.id;
    // Whose venue it is comes before what is wrong with the body.
    let venue = own_venue(&app, owner, venue.0).await?;
    let draft = body.0.parse()?;
    let (keys, random) = (&app.keys, &app.random);
    let (checkpoint, vehicle) = app
        .db
        .write(async |tx| {
            let made = venues::add_checkpoint(tx, keys, random, &venue, &draft).await?;
            let vehicle = venues::vehicle_of(tx, keys, &made).await?;
            Ok::<_, Failure>((made, vehicle))
        })
        .await?;
    app.directory.put(&venue, &checkpoint);
    Ok(HttpResponse::Created().json(CheckpointView::new(&app, &checkpoint, vehicle)))
}

/// The checkpoints of one of the caller's venues, in the order of their making.
#[utoipa::path(get, path = "/api/v1/venues/{id}/checkpoints", tag = "Checkpoints",
    security(("bearer" = [])), params(("id" = Uuid, Path, description = "The venue")),
    responses((status = 200, body = List<CheckpointView>), (status = 404, body = Problem)))]
pub async fn list(
    app: Shared,
    caller: Caller<Owners>,
    venue: Path<Uuid>,
    page: Query<PageQuery>,
) -> Result<web::Json<List<CheckpointView>>> {
    let page = page.0.read()?;
    let after = page.after_or(Uuid::nil())?;
    let owner = caller.account.id;
    let rows = app
        .db
        .read(async |tx| {
            let venue = venues::own_venue(tx, owner, venue.0).await?;
            let rows = venues::checkpoints_of(tx, &venue, Some(after), page.limit + 1).await?;
            with_vehicles(tx, &app, rows).await
        })
        .await?;
    let list = page.list(rows, |(checkpoint, _)| checkpoint.public_id.to_string());
    Ok(web::Json(list.map(|(checkpoint, vehicle)| {
        CheckpointView::new(&app, &checkpoint, vehicle)
    })))
}

async fn with_vehicles(
    tx: &mut Tx,
    app: &App,
    rows: Vec<Checkpoint>,
) -> Result<Vec<(Checkpoint, Option<VehicleText>)>> {
    let mut with = Vec::with_capacity(rows.len());
    for checkpoint in rows {
        let vehicle = venues::vehicle_of(tx, &app.keys, &checkpoint).await?;
        with.push((checkpoint, vehicle));
    }
    Ok(with)
}

/// A checkpoint of one of the caller's venues.
#[utoipa::path(get, path = "/api/v1/venues/{id}/checkpoints/{checkpoint}", tag = "Checkpoints",
    security(("bearer" = [])), params(("id" = Uuid, Path), ("checkpoint" = Uuid, Path)),
    responses((status = 200, body = CheckpointView), (status = 404, body = Problem)))]
pub async fn show(
    app: Shared,
    caller: Caller<Owners>,
    path: Path<(Uuid, Uuid)>,
) -> Result<web::Json<CheckpointView>> {
    let owner = caller.account.id;
    let (venue, id) = path.0;
    let (checkpoint, vehicle) = app
        .db
        .read(async |tx| {
            let (of, checkpoint) = venues::own_checkpoint(tx, owner, id).await?;
            if of.public_id != venue {
                return Err(Kind::NotFound.into());
            }
            let vehicle = venues::vehicle_of(tx, &app.keys, &checkpoint).await?;
            Ok::<_, Failure>((checkpoint, vehicle))
        })
        .await?;
    let view = CheckpointView::new(&app, &checkpoint, vehicle);
    Ok(web::Json(view))
}

/// Change a checkpoint of one of the caller's venues. `closed` closes it and opens it again.
#[utoipa::path(patch, path = "/api/v1/venues/{id}/checkpoints/{checkpoint}", tag = "Checkpoints",
    security(("bearer" = [])), params(("id" = Uuid, Path), ("checkpoint" = Uuid, Path)),
    request_body = CheckpointPatch,
    responses((status = 200, body = CheckpointView), (status = 404, body = Problem),
        (status = 422, body = Problem)))]
pub async fn change(
    app: Shared,
    caller: Caller<Owners>,
    path: Path<(Uuid, Uuid)>,
    body: Json<CheckpointPatch>,
) -> Result<web::Json<CheckpointView>> {
    let owner = caller.account.id;
    let (venue, id) = path.0;
    let venue = own_venue(&app, owner, venue).await?;
    // Whether the checkpoint is there comes before what is wrong with the body, too.
    let (_, before) = app
        .db
        .read(async |tx| venues::own_checkpoint(tx, owner, id).await)
        .await?;
    if before.venue_id != venue.id {
        return Err(Kind::NotFound.into());
    }
    let change = body.0.parse()?;
    let (keys, random) = (&app.keys, &app.random);
    let (checkpoint, vehicle) = app
        .db
        .write(async |tx| {
            let changed = venues::patch_checkpoint(tx, keys, random, &venue, id, &change).await?;
            let vehicle = venues::vehicle_of(tx, keys, &changed).await?;
            Ok::<_, Failure>((changed, vehicle))
        })
        .await?;
    // Entrances to the same space may have changed with it.
    app.directory.refresh(&app.db).await?;
    app.directory.put(&venue, &checkpoint);
    let view = CheckpointView::new(&app, &checkpoint, vehicle);
    Ok(web::Json(view))
}

/// What anybody who holds a code may see.
#[derive(Serialize, ToSchema)]
pub struct PublicCheckpoint {
    code: String,
    name: String,
    /// Name of the venue.
    venue: String,
    kind: PlaceKind,
    address: AddressView,
    /// Whether it is open now.
    open: bool,
    #[schema(value_type = String, format = DateTime)]
    server_time: Timestamp,
    /// Version of the questions to answer.
    questionnaire: &'static str,
}

/// The place behind a code: "are you here?"
#[utoipa::path(get, path = "/api/v1/checkpoints/{code}", tag = "Checkpoints",
    params(("code" = String, Path, description = "As printed or as typed")),
    responses((status = 200, body = PublicCheckpoint), (status = 404, body = Problem),
        (status = 410, body = Problem)))]
pub async fn public(app: Shared, code: Path<String>) -> Result<web::Json<PublicCheckpoint>> {
    let code: Code = code.0.parse().map_err(|_| Kind::NotFound)?;
    let entry = app.directory.find(&app.db, code).await?;
    if entry.checkpoint.closed() {
        return Err(Kind::Closed.into());
    }
    let now = app.clock.now();
    Ok(web::Json(PublicCheckpoint {
        code: code.to_string(),
        name: entry.checkpoint.name.to_string(),
        venue: entry.venue.name.to_string(),
        kind: entry.checkpoint.kind,
        address: AddressView::new(&entry.venue.address, &app.regions),
        open: entry.checkpoint.is_open(now),
        server_time: now,
        questionnaire: QUESTIONNAIRE,
    }))
}
