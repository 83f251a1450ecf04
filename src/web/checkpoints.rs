//! The owner's checkpoints: making, changing, closing.

use actix_web::{HttpResponse, http::StatusCode, web};
use serde::Deserialize;
use uuid::Uuid;

use super::{
    WEEK, arrivals,
    frame::{Own, go},
    page::{Choice, Form},
    sent::Sent,
    venues::card,
    views::CheckpointPage,
    week::{put_week, week},
};
use crate::{
    base::{Failure, FieldError, Kind, failure::Result},
    http::Owners,
    venues::{
        self, Change, Checkpoint, CheckpointPatch, NewCheckpoint, NewVehicle, VehicleText, Venue,
    },
};

/// Checkpoints of a venue that a new one may be a gate of.
const ROWS_MAX: i64 = 500;

/// Paths of the room and fields of the form, in the order of the page.
const NAMES: &[(&str, &str)] = &[
    ("name", "name"),
    ("kind", "kind"),
    ("stay_minutes", "stay_minutes"),
    ("capacity", "capacity"),
    ("opening_hours.mon", "opening_hours"),
    ("opening_hours.tue", "opening_hours"),
    ("opening_hours.wed", "opening_hours"),
    ("opening_hours.thu", "opening_hours"),
    ("opening_hours.fri", "opening_hours"),
    ("opening_hours.sat", "opening_hours"),
    ("opening_hours.sun", "opening_hours"),
    ("gate_of", "gate_of"),
    ("vehicle.plate", "plate"),
    ("vehicle.route", "route"),
];

/// What the page may be asked with.
#[derive(Deserialize)]
pub struct Asked {
    /// A change was saved a moment ago.
    saved: Option<String>,
}

/// A venue of the caller, and one of its checkpoints or none yet.
struct At {
    own: Own<Owners>,
    venue: Venue,
    all: Vec<Checkpoint>,
    existing: Option<(Checkpoint, Option<VehicleText>)>,
}

impl At {
    async fn find(own: Own<Owners>, venue: Uuid, checkpoint: Option<Uuid>) -> Result<Self> {
        let app = own.frame.app.clone();
        let owner = own.account.id;
        let (venue, all, existing) = app
            .db
            .read(async |tx| {
                let venue = venues::own_venue(tx, owner, venue).await?;
                let all = venues::checkpoints_of(tx, &venue, None, ROWS_MAX).await?;
                let Some(id) = checkpoint else {
                    return Ok((venue, all, None));
                };
                let (_, one) = venues::own_checkpoint(tx, owner, id).await?;
                if one.venue_id != venue.id {
                    return Err(Failure::new(Kind::NotFound));
                }
                let vehicle = venues::vehicle_of(tx, &app.keys, &one).await?;
                Ok((venue, all, Some((one, vehicle))))
            })
            .await?;
        Ok(Self {
            own,
            venue,
            all,
            existing,
        })
    }

    fn address(&self) -> String {
        let last = self
            .existing
            .as_ref()
            .map_or_else(|| "new".to_owned(), |(one, _)| one.public_id.to_string());
        format!("/venues/{}/checkpoints/{last}", self.venue.public_id)
    }

    async fn page(&self, form: Form, saved: bool, status: StatusCode) -> Result<HttpResponse> {
        let frame = &self.own.frame;
        let app = &frame.app;
        let page = frame.page();
        let one = self.existing.as_ref().map(|(one, _)| one);
        let arrivals = match one {
            Some(one) => Some(arrivals::today(app, &page, std::slice::from_ref(one)).await?),
            None => None,
        };
        let gates = self
            .all
            .iter()
            .filter(|other| one.is_none_or(|one| one.id != other.id))
            .map(|other| Choice::new(other.public_id.to_string(), other.name.as_ref()));
        frame.show_with(
            status,
            &CheckpointPage {
                title: one.map_or_else(|| page.t("checkpoint-add"), |one| one.name.to_string()),
                venue_id: self.venue.public_id.to_string(),
                venue_name: self.venue.name.to_string(),
                existing: one.map(|one| card(app, &page, &self.venue, one)),
                saved,
                arrivals,
                action: self.address(),
                f: form,
                kinds: super::kinds(&page),
                gates: gates.collect(),
                days: WEEK,
                p: page,
            },
        )
    }

    /// The form as the checkpoint is now.
    fn form(&self) -> Form {
        let mut form = Form::default();
        let Some((one, vehicle)) = &self.existing else {
            form.set("kind", self.venue.kind.as_str());
            form.set("listed", "1");
            return form;
        };
        form.set("name", one.name.as_ref());
        form.set("kind", one.kind.as_str());
        let number = |n: Option<u32>| n.map(|n| n.to_string()).unwrap_or_default();
        form.set("stay_minutes", number(one.stay_minutes.map(u32::from)));
        form.set("capacity", number(one.capacity));
        if one.listed {
            form.set("listed", "1");
        }
        if one.site_id != one.id
            && let Some(main) = self.all.iter().find(|other| other.id == one.site_id)
        {
            form.set("gate_of", main.public_id.to_string());
        }
        if let Some(vehicle) = vehicle {
            form.set("plate", vehicle.plate.clone());
            form.set("route", vehicle.route.clone());
        }
        if let Some(hours) = &one.opening_hours {
            put_week(&mut form, &hours.week());
        }
        form
    }
}

/// Whole numbers of the form: nothing for an empty field, an impossible number for what is none.
fn number(form: &Form, name: &str) -> Option<i64> {
    form.some(name).map(|text| text.parse().unwrap_or(-1))
}

fn vehicle(form: &Form) -> Option<NewVehicle> {
    form.some("plate").or(form.some("route"))?;
    Some(NewVehicle {
        plate: form.v("plate").to_owned(),
        route: form.v("route").to_owned(),
    })
}

fn gate_of(form: &Form) -> Result<Option<Uuid>, FieldError> {
    form.some("gate_of")
        .map(Uuid::try_parse)
        .transpose()
        .map_err(|_| FieldError::invalid("gate_of"))
}

fn set<T>(value: Option<T>) -> Change<T> {
    value.map_or(Change::Clear, Change::Set)
}

/// `GET /venues/{venue}/checkpoints/new`.
pub async fn ask(own: Own<Owners>, venue: web::Path<Uuid>) -> Result<HttpResponse> {
    let at = At::find(own, *venue, None).await?;
    let form = at.form();
    at.page(form, false, StatusCode::OK).await
}

/// `POST /venues/{venue}/checkpoints/new`.
pub async fn add(own: Own<Owners>, venue: web::Path<Uuid>, sent: Sent) -> Result<HttpResponse> {
    let at = At::find(own, *venue, None).await?;
    let form = sent.0;
    let made = match gate_of(&form) {
        Ok(gate) => make(&at, &form, gate).await,
        Err(mistake) => Err(mistake.into()),
    };
    match made {
        Ok(checkpoint) => {
            let venue = at.venue.public_id;
            let to = format!(
                "/venues/{venue}/checkpoints/{}?saved=1",
                checkpoint.public_id
            );
            Ok(go(&to).finish())
        }
        Err(failure) => refused(&at, form, failure).await,
    }
}

async fn make(at: &At, form: &Form, gate_of: Option<Uuid>) -> Result<Checkpoint> {
    let app = &at.own.frame.app;
    let new = NewCheckpoint {
        name: form.v("name").to_owned(),
        kind: form.some("kind").map(str::to_owned),
        stay_minutes: number(form, "stay_minutes"),
        capacity: number(form, "capacity"),
        opening_hours: week(form),
        listed: Some(form.is("listed", "1")),
        gate_of,
        vehicle: vehicle(form),
    };
    let draft = new.parse()?;
    let made = app
        .db
        .write(async |tx| {
            venues::add_checkpoint(tx, &app.keys, &app.random, &at.venue, &draft).await
        })
        .await?;
    app.directory.put(&at.venue, &made);
    Ok(made)
}

/// The form again, with what was wrong.
async fn refused(at: &At, mut form: Form, failure: Failure) -> Result<HttpResponse> {
    if failure.kind != Kind::Invalid {
        return Err(failure);
    }
    form.blame(&at.own.frame.page(), &failure.fields, NAMES);
    at.page(form, false, StatusCode::UNPROCESSABLE_ENTITY).await
}

/// `GET /venues/{venue}/checkpoints/{checkpoint}`.
pub async fn show(
    own: Own<Owners>,
    path: web::Path<(Uuid, Uuid)>,
    asked: web::Query<Asked>,
) -> Result<HttpResponse> {
    let (venue, checkpoint) = *path;
    let at = At::find(own, venue, Some(checkpoint)).await?;
    let form = at.form();
    at.page(form, asked.saved.is_some(), StatusCode::OK).await
}

/// `POST /venues/{venue}/checkpoints/{checkpoint}`: change, close or open again.
pub async fn change(
    own: Own<Owners>,
    ids: web::Path<(Uuid, Uuid)>,
    sent: Sent,
) -> Result<HttpResponse> {
    let (venue, checkpoint) = *ids;
    let at = At::find(own, venue, Some(checkpoint)).await?;
    let form = sent.0;
    let changes = match form.v("do") {
        "close" => Ok(CheckpointPatch {
            closed: Some(true),
            ..CheckpointPatch::default()
        }),
        "reopen" => Ok(CheckpointPatch {
            closed: Some(false),
            ..CheckpointPatch::default()
        }),
        _ => patch(&at, &form),
    };
    let done = match changes {
        Ok(changes) => apply(&at, checkpoint, changes).await,
        Err(mistake) => Err(mistake.into()),
    };
    match done {
        Ok(()) => Ok(go(&format!("{}?saved=1", at.address())).finish()),
        Err(failure) => refused(&at, form, failure).await,
    }
}

fn patch(at: &At, form: &Form) -> Result<CheckpointPatch, FieldError> {
    // A schedule with breaks does not fit into the form: untouched lines leave it as it is.
    let shown = week(&at.form());
    let sent = week(form);
    let opening_hours = if sent == shown {
        Change::Keep
    } else {
        set(sent)
    };
    Ok(CheckpointPatch {
        name: Some(form.v("name").to_owned()),
        kind: Some(form.v("kind").to_owned()),
        stay_minutes: set(number(form, "stay_minutes")),
        capacity: set(number(form, "capacity")),
        opening_hours,
        listed: Some(form.is("listed", "1")),
        gate_of: set(gate_of(form)?),
        vehicle: set(vehicle(form)),
        closed: None,
    })
}

async fn apply(at: &At, checkpoint: Uuid, patch: CheckpointPatch) -> Result<()> {
    let app = &at.own.frame.app;
    let patch = patch.parse()?;
    let (keys, random) = (&app.keys, &app.random);
    let changed = app
        .db
        .write(async |tx| {
            venues::patch_checkpoint(tx, keys, random, &at.venue, checkpoint, &patch).await
        })
        .await?;
    app.directory.put(&at.venue, &changed);
    Ok(())
}
