//! Cases: what a health officer reports and reads.

use actix_web::{HttpResponse, web};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    base::{Failure, FieldError, Timestamp, failure::Result},
    cases::{self, Case, CaseDraft, Patient},
    exposures::{Desk, budget::Budgets, run::Visit},
    http::{
        App, Caller, Fresh, Json, List, Officers, PageQuery, Path, Query, Shared, problem::Problem,
    },
    identity::Phone,
    privacy::{
        audit,
        opened::{self, Purpose},
    },
};

/// Everything that a lookup needs, from the application.
#[must_use]
pub fn desk(app: &App) -> Desk<'_> {
    Desk {
        db: &app.db,
        keys: &app.keys,
        journal: &app.door.journal,
        random: &app.random,
        directory: &app.directory,
        regions: &app.regions,
        retention_days: app.settings.retention_days,
        budgets: app.settings.rate_limits.then_some(Budgets {
            lookups: app.settings.lookups_per_day,
            people: app.settings.people_per_day,
        }),
    }
}

/// The window in which a case counts as infectious, half-open.
#[derive(Serialize, ToSchema)]
pub struct InfectiousView {
    #[schema(value_type = String, format = DateTime)]
    from: Timestamp,
    /// First instant after it; null while nothing has ended it.
    #[schema(value_type = Option<String>, format = DateTime)]
    until: Option<Timestamp>,
    /// The rule set that gave it.
    rule: String,
    rule_version: i64,
    /// Why, in words: Vietnamese, a slash, English.
    because: String,
}

/// A case. Names nobody.
#[derive(Serialize, ToSchema)]
pub struct CaseView {
    id: Uuid,
    /// Its number in the year.
    #[schema(example = "2026-0001")]
    number: String,
    disease: String,
    /// Code of the province that reported it; null for the whole country.
    province: Option<String>,
    onset_on: Option<String>,
    sampled_on: Option<String>,
    confirmed_on: String,
    #[schema(value_type = Option<String>, format = DateTime)]
    isolated_at: Option<Timestamp>,
    negative_on: Option<String>,
    infectious: InfectiousView,
    #[schema(value_type = String, format = DateTime)]
    reported_at: Timestamp,
}

impl CaseView {
    fn new(case: &Case) -> Self {
        Self {
            id: case.id,
            number: case.number.clone(),
            disease: case.disease.clone(),
            province: case.province.clone(),
            onset_on: case.onset_on.clone(),
            sampled_on: case.sampled_on.clone(),
            confirmed_on: case.confirmed_on.clone(),
            isolated_at: case.isolated_at.map(Timestamp::from_ms),
            negative_on: case.negative_on.clone(),
            infectious: InfectiousView {
                from: Timestamp::from_ms(case.window_from),
                until: case.window_until.map(Timestamp::from_ms),
                rule: case.rule_id.clone(),
                rule_version: case.rule_version,
                because: format!("{} / {}", case.because.vi, case.because.en),
            },
            reported_at: case.reported_at,
        }
    }
}

/// A case that was reported just now.
#[derive(Serialize, ToSchema)]
pub struct ReportedView {
    #[serde(flatten)]
    case: CaseView,
    /// Stays of the patient in the window.
    visits: usize,
}

/// A checkpoint by its code.
#[derive(Serialize, ToSchema)]
pub struct PlaceView {
    code: String,
    name: String,
    /// Name of the venue.
    venue: String,
    /// Kind of place.
    kind: &'static str,
}

impl PlaceView {
    /// The checkpoint of this number; nothing but empty texts for one that is not known.
    #[must_use]
    pub fn new(app: &App, checkpoint: i64) -> Self {
        app.directory.by_id(checkpoint).map_or(
            Self {
                code: String::new(),
                name: String::new(),
                venue: String::new(),
                kind: "other",
            },
            |entry| Self {
                code: entry.checkpoint.code.to_string(),
                name: entry.checkpoint.name.to_string(),
                venue: entry.venue.name.to_string(),
                kind: entry.checkpoint.kind.as_str(),
            },
        )
    }
}

/// A stay of the patient.
#[derive(Serialize, ToSchema)]
pub struct StayView {
    checkpoint: PlaceView,
    #[schema(value_type = String, format = DateTime)]
    from: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    until: Timestamp,
    /// Whether the end is assumed by rule.
    assumed: bool,
}

impl StayView {
    fn new(app: &App, visit: &Visit) -> Self {
        Self {
            checkpoint: PlaceView::new(app, visit.checkpoint),
            from: Timestamp::from_ms(visit.from),
            until: Timestamp::from_ms(visit.until),
            assumed: visit.assumed,
        }
    }
}

/// The patient of a case.
#[derive(Serialize, ToSchema)]
pub struct PatientView {
    full_name: String,
    /// National digits; a foreign number in E.164.
    phone: Option<String>,
    id_number: Option<String>,
    birth_year: Option<u16>,
    address: Option<PatientAddressView>,
}

/// Where a patient lives, as far as it is known.
#[derive(Serialize, ToSchema)]
pub struct PatientAddressView {
    catalogue: String,
    province: Option<String>,
    ward: Option<String>,
    street: Option<String>,
}

impl From<Patient> for PatientView {
    fn from(patient: Patient) -> Self {
        Self {
            full_name: patient.full_name,
            phone: patient.phone.map(|text| shown_number(&text)),
            id_number: patient.id_number,
            birth_year: patient.birth_year,
            address: patient.address.map(|address| PatientAddressView {
                catalogue: address.catalogue,
                province: address.province,
                ward: address.ward,
                street: address.street,
            }),
        }
    }
}

/// A phone number as officers dial it.
fn shown_number(e164: &str) -> String {
    match Phone::parse(e164) {
        Ok(phone) if phone.is_vietnamese() => phone.national(),
        _ => e164.to_owned(),
    }
}

/// A case with its patient and stays.
#[derive(Serialize, ToSchema)]
pub struct CaseFileView {
    #[serde(flatten)]
    case: CaseView,
    patient: PatientView,
    /// Stays of the patient in the window.
    visits: usize,
    /// The same, one by one, the earliest first.
    stays: Vec<StayView>,
}

/// Report a case. The patient is sealed; the window follows from the dates by the rule set.
#[utoipa::path(post, path = "/api/v1/cases", tag = "Cases", security(("bearer" = [])),
    request_body = CaseDraft,
    responses((status = 201, body = ReportedView), (status = 401, body = Problem),
        (status = 403, body = Problem), (status = 422, body = Problem)))]
pub async fn report(
    app: Shared,
    caller: Caller<Officers>,
    body: Json<CaseDraft>,
) -> Result<HttpResponse> {
    let new = body
        .0
        .parse(&app.regions, &app.door.pseudonymizer, app.clock.now())
        .map_err(Failure::invalid)?;
    let case = cases::report(&app.db, &app.keys, &app.random, &caller.account, &new).await?;
    let visits = desk(&app).visits(&case).await?;
    Ok(HttpResponse::Created().json(ReportedView {
        case: CaseView::new(&case),
        visits: visits.len(),
    }))
}

/// Cases of the jurisdiction, the newest first. A list names nobody.
#[utoipa::path(get, path = "/api/v1/cases", tag = "Cases", security(("bearer" = [])),
    params(PageQuery),
    responses((status = 200, body = List<CaseView>), (status = 401, body = Problem),
        (status = 403, body = Problem)))]
pub async fn list(
    app: Shared,
    caller: Caller<Officers>,
    query: Query<PageQuery>,
) -> Result<web::Json<List<CaseView>>> {
    let cursor = query.0.read()?;
    let before = cursor.after.as_deref().map(read_cursor).transpose()?;
    let found = app
        .db
        .read(async |tx| cases::list(tx, &caller.account, before, cursor.limit + 1).await)
        .await?;
    let key = |case: &Case| format!("{}-{}", case.reported_at.as_micros(), case.id.simple());
    Ok(web::Json(
        cursor.list(found, key).map(|case| CaseView::new(&case)),
    ))
}

fn read_cursor(text: &str) -> Result<(Timestamp, Uuid)> {
    text.split_once('-')
        .and_then(|(at, id)| {
            let at = Timestamp::from_micros(at.parse().ok()?);
            Some((at, Uuid::try_parse(id).ok()?))
        })
        .ok_or_else(|| {
            FieldError::new(
                "cursor",
                "cursor_invalid",
                "cursor không phải của danh sách này.",
                "The cursor is not one of this list.",
            )
            .into()
        })
}

/// A case with its patient and stays. The look is in the audit log before the answer.
#[utoipa::path(get, path = "/api/v1/cases/{id}", tag = "Cases", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The case")),
    responses((status = 200, body = CaseFileView), (status = 401, body = Problem),
        (status = 403, body = Problem, description = "Not permitted, or a fresh proof is needed"),
        (status = 404, body = Problem)))]
pub async fn show(
    app: Shared,
    caller: Caller<Fresh<Officers>>,
    id: Path<Uuid>,
) -> Result<web::Json<CaseFileView>> {
    let (case, patient) = open(&app, &caller.account, id.0).await?;
    let visits = desk(&app).visits(&case).await?;
    Ok(web::Json(CaseFileView {
        case: CaseView::new(&case),
        patient: patient.into(),
        visits: visits.len(),
        stays: visits.iter().map(|v| StayView::new(&app, v)).collect(),
    }))
}

/// A case and its patient, opened after the audit entry; for both edges.
///
/// # Errors
///
/// [`Kind::NotFound`](crate::base::Kind::NotFound) when it is not of the jurisdiction; those of the
/// store.
pub async fn open(
    app: &App,
    officer: &crate::accounts::Account,
    id: Uuid,
) -> Result<(Case, Patient)> {
    app.db
        .write(async |tx| {
            let case = cases::find(tx, officer, id).await?;
            let entry = audit::Entry {
                actor: Some(officer.id),
                action: "case.viewed",
                subject: id.to_string(),
                people: Some(1),
                ..audit::Entry::default()
            };
            audit::append(tx, entry).await?;
            let patients = cases::listed_as(tx, id).await?;
            let province = officer.province.as_deref();
            opened::count(tx, patients, Purpose::Case, province).await?;
            let patient = cases::open_patient(tx, &app.keys, id).await?;
            Ok((case, patient))
        })
        .await
}
