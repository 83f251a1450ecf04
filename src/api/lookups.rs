//! Lookups: who was there at the same time.

use actix_web::{HttpResponse, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    api::cases::{PlaceView, desk},
    base::{Failure, FieldError, Kind, Timestamp, failure::Result, sheet},
    cases::rules,
    declarations::Contact,
    exposures::{
        CheckpointWindow, Infectious, LookupDraft, Run, export,
        people::{self, CANDIDATE, Item, Which, minutes},
        run,
    },
    http::{
        App, Caller, Fresh, Json, LeadOnly, List, Officers, PageQuery, Path, Query, Shared,
        problem::Problem,
    },
    identity::Sex,
};

/// Rows of an export: more than any run that opens has.
const EXPORT_ROWS: i64 = 1_000_000;

/// A rule set by name.
#[derive(Serialize, ToSchema)]
pub struct RuleView {
    id: String,
    version: i64,
    /// The document it stands on.
    document: String,
    /// Whether a health office has compared it with the full text.
    checked: bool,
}

/// Terms of the second ring.
#[derive(Serialize, ToSchema)]
pub struct Ring2View {
    min_minutes: u32,
    latent_hours: u32,
    infectious_days: u32,
}

/// What a run was made with.
#[derive(Serialize, ToSchema)]
pub struct ParametersView {
    /// `case`, `cases`, `checkpoint` or `person`.
    kind: String,
    cases: Vec<Uuid>,
    checkpoint: Option<CheckpointWindow>,
    rule: RuleView,
    rings: i64,
    /// Minutes with one case that put a person on the list.
    min_minutes: u32,
    /// Longest residual air for all kinds of place; null: as the rule set says.
    residual_air_minutes: Option<u32>,
    infectious: Option<Infectious>,
    ring2: Option<Ring2View>,
    reason: String,
    document: String,
}

/// How many people.
#[derive(Serialize, ToSchema)]
pub struct CountsView {
    ring1: i64,
    /// Null when the second ring was not asked for.
    ring2: Option<i64>,
}

/// What to know before relying on a run.
#[derive(Serialize, ToSchema)]
pub struct WarningView {
    code: String,
    /// Vietnamese, a slash, English.
    message: String,
}

/// People who live in another office's province: counted, not listed.
#[derive(Serialize, ToSchema)]
pub struct ReferralView {
    /// Code of the province; null when none is known.
    province: Option<String>,
    n: i64,
}

/// A run: counts, and what they were made with. Names nobody.
#[derive(Serialize, ToSchema)]
pub struct LookupView {
    id: Uuid,
    parameters: ParametersView,
    counts: CountsView,
    warnings: Vec<WarningView>,
    referrals: Vec<ReferralView>,
    /// Check-ins received up to here are in it.
    #[schema(value_type = String, format = DateTime)]
    high_water_mark: Timestamp,
    /// `computed`, or `released` by a second person.
    state: String,
    /// Whether its people open only after release by a second person.
    release_needed: bool,
    /// The run that it repeats.
    parent: Option<Uuid>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
}

/// How a run differs from the one it repeats, in people.
#[derive(Serialize, ToSchema)]
pub struct DiffView {
    added: i64,
    withdrawn: i64,
}

/// A run that repeats another.
#[derive(Serialize, ToSchema)]
pub struct RerunView {
    #[serde(flatten)]
    lookup: LookupView,
    diff: DiffView,
}

/// Who somebody is and how to reach them.
#[derive(Serialize, ToSchema)]
pub struct ContactView {
    full_name: Option<String>,
    /// National digits; a foreign number in E.164.
    phone: Option<String>,
    id_number: Option<String>,
    birth_year: Option<u16>,
    /// `male`, `female` or `other`.
    sex: Option<&'static str>,
    email: Option<String>,
    address: Option<ContactAddressView>,
}

/// Where somebody lives or stays.
#[derive(Serialize, ToSchema)]
pub struct ContactAddressView {
    catalogue: &'static str,
    province: String,
    ward: String,
    street: String,
}

impl From<&Contact> for ContactView {
    fn from(contact: &Contact) -> Self {
        Self {
            full_name: contact.full_name.as_ref().map(|n| n.as_str().to_owned()),
            phone: contact.phone.as_ref().map(|phone| {
                if phone.is_vietnamese() {
                    phone.national()
                } else {
                    phone.e164().to_owned()
                }
            }),
            id_number: contact.id_number.as_ref().map(|id| id.as_str().to_owned()),
            birth_year: contact.birth_year,
            sex: contact.sex.map(Sex::as_str),
            email: contact.email.clone(),
            address: contact.address.as_ref().map(|address| ContactAddressView {
                catalogue: address.catalogue.id(),
                province: address.province.clone(),
                ward: address.ward.clone(),
                street: address.street.clone(),
            }),
        }
    }
}

/// What an officer should know about a candidate besides the minutes.
#[derive(Serialize, ToSchema)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent marks of a person, shown one by one"
)]
pub struct FlagsView {
    /// Was at two sites at once, says the data.
    conflict: bool,
    /// Works there.
    staff: bool,
    /// Came in one group with a case.
    group: bool,
    /// Is the patient of another case.
    known_case: bool,
    /// Companions without a name.
    unnamed_companions: i64,
    /// The highest threshold of the rule set reached, minutes.
    minutes_reached: Option<i64>,
}

/// A candidate at one checkpoint: present at the same place, waiting to be classified.
#[derive(Serialize, ToSchema)]
pub struct ExposureView {
    /// Stands for the person in this run and means nothing elsewhere.
    person: String,
    /// Null when what was declared has been erased.
    contact: Option<ContactView>,
    ring: i64,
    /// In the second ring, the ring-1 person.
    via: Option<String>,
    checkpoint: PlaceView,
    #[schema(value_type = String, format = DateTime)]
    from: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    until: Timestamp,
    /// Minutes both were there for certain, one digit.
    certain_minutes: f64,
    /// Minutes they may have shared, one digit.
    possible_minutes: f64,
    /// The part of these that is only residual air.
    residual_minutes: f64,
    /// Whether the end of the person's stay is assumed by rule.
    assumed: bool,
    /// Order of work, not a probability; the person's, in minutes of full weight.
    score: f64,
    /// `certain` or `possible`.
    grade: String,
    /// `candidate`: naming a contact is an officer's act.
    status: &'static str,
    flags: FlagsView,
}

impl ExposureView {
    fn new(app: &App, item: &Item) -> Self {
        Self {
            person: item.reference.clone(),
            contact: item.contact.as_ref().map(ContactView::from),
            ring: item.ring,
            via: item.via.clone(),
            checkpoint: PlaceView::new(app, item.checkpoint),
            from: Timestamp::from_ms(item.from),
            until: Timestamp::from_ms(item.until),
            certain_minutes: minutes(item.certain_ms),
            possible_minutes: minutes(item.possible_ms),
            residual_minutes: minutes(item.residual_ms),
            assumed: item.assumed,
            score: minutes(item.score_ms),
            grade: item.grade.clone(),
            status: CANDIDATE,
            flags: FlagsView {
                conflict: item.marks.conflict,
                staff: item.marks.staff,
                group: item.marks.group,
                known_case: item.marks.known_case,
                unnamed_companions: item.marks.unnamed,
                minutes_reached: item.marks.row_minutes,
            },
        }
    }
}

fn parameters(run: &Run) -> ParametersView {
    let rule = rules::find(&run.rule_id);
    let given = &run.parameters;
    let ring2 = rule.filter(|_| given.rings == 2).map(|rule| Ring2View {
        min_minutes: given.ring2.min_minutes.unwrap_or(rule.ring2.min),
        latent_hours: given.ring2.latent_hours.unwrap_or(rule.ring2.latent_h),
        infectious_days: given
            .ring2
            .infectious_days
            .unwrap_or(rule.ring2.infectious_d),
    });
    ParametersView {
        kind: run.kind.clone(),
        cases: given.cases.clone(),
        checkpoint: given.checkpoint.clone(),
        rule: RuleView {
            id: run.rule_id.clone(),
            version: run.rule_version,
            document: rule.map_or_else(String::new, |rule| rule.document.clone()),
            checked: rule.is_some_and(|rule| rule.checked),
        },
        rings: given.rings,
        min_minutes: given
            .min_minutes
            .unwrap_or_else(|| rule.map_or(0, rules::RuleSet::min_minutes)),
        residual_air_minutes: given.residual_air_minutes,
        infectious: given.infectious,
        ring2,
        reason: run.reason.clone(),
        document: run.document.clone(),
    }
}

async fn view(app: &App, officer: &crate::accounts::Account, run: &Run) -> Result<LookupView> {
    let referrals = app
        .db
        .read(async |tx| people::referrals(tx, officer, run.id).await)
        .await?;
    Ok(LookupView {
        id: run.id,
        parameters: parameters(run),
        counts: CountsView {
            ring1: run.ring1,
            ring2: (run.parameters.rings == 2).then_some(run.ring2),
        },
        warnings: run
            .warnings
            .iter()
            .map(|warning| WarningView {
                code: warning.code.clone(),
                message: format!("{} / {}", warning.vi, warning.en),
            })
            .collect(),
        referrals: referrals
            .into_iter()
            .map(|(province, n)| ReferralView { province, n })
            .collect(),
        high_water_mark: Timestamp::from_ms(run.high_water_mark),
        state: run.state.clone(),
        release_needed: !run.is_open(),
        parent: run.parent_id,
        created_at: run.created_at,
    })
}

/// Look up who was there. Without a reason and a document number there is no answer; the answer is
/// counts, and the run is in the audit log before it.
#[utoipa::path(post, path = "/api/v1/lookups", tag = "Lookups", security(("bearer" = [])),
    request_body = LookupDraft,
    responses((status = 201, body = LookupView), (status = 401, body = Problem),
        (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 422, body = Problem), (status = 429, body = Problem)))]
pub async fn create(
    app: Shared,
    caller: Caller<Fresh<Officers>>,
    body: Json<LookupDraft>,
) -> Result<HttpResponse> {
    let order = body
        .0
        .parse(&app.door.pseudonymizer)
        .map_err(Failure::invalid)?;
    let run = desk(&app).look_up(&caller.account, &order, None).await?;
    Ok(HttpResponse::Created().json(view(&app, &caller.account, &run).await?))
}

async fn find(app: &App, officer: &crate::accounts::Account, id: Uuid) -> Result<Run> {
    app.db
        .read(async |tx| run::find(tx, officer, id).await)
        .await
}

/// A run: counts and what they were made with.
#[utoipa::path(get, path = "/api/v1/lookups/{id}", tag = "Lookups", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The run")),
    responses((status = 200, body = LookupView), (status = 401, body = Problem),
        (status = 403, body = Problem), (status = 404, body = Problem)))]
pub async fn show(
    app: Shared,
    caller: Caller<Officers>,
    id: Path<Uuid>,
) -> Result<web::Json<LookupView>> {
    let run = find(&app, &caller.account, id.0).await?;
    Ok(web::Json(view(&app, &caller.account, &run).await?))
}

/// Release a run of more than 10,000 people, as the second person.
#[utoipa::path(post, path = "/api/v1/lookups/{id}/release", tag = "Lookups",
    security(("bearer" = [])), params(("id" = Uuid, Path, description = "The run")),
    responses((status = 200, body = LookupView), (status = 401, body = Problem),
        (status = 403, body = Problem), (status = 404, body = Problem)))]
pub async fn release(
    app: Shared,
    caller: Caller<Fresh<LeadOnly>>,
    id: Path<Uuid>,
) -> Result<web::Json<LookupView>> {
    let run = people::release(&desk(&app), &caller.account, id.0).await?;
    Ok(web::Json(view(&app, &caller.account, &run).await?))
}

/// Run a lookup again with the check-ins of now.
#[utoipa::path(post, path = "/api/v1/lookups/{id}/rerun", tag = "Lookups",
    security(("bearer" = [])), params(("id" = Uuid, Path, description = "The run to repeat")),
    responses((status = 201, body = RerunView), (status = 401, body = Problem),
        (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 429, body = Problem)))]
pub async fn rerun(
    app: Shared,
    caller: Caller<Fresh<Officers>>,
    id: Path<Uuid>,
) -> Result<HttpResponse> {
    let run = find(&app, &caller.account, id.0).await?;
    let (new, added, withdrawn) = desk(&app).rerun(&caller.account, &run).await?;
    Ok(HttpResponse::Created().json(RerunView {
        lookup: view(&app, &caller.account, &new).await?,
        diff: DiffView { added, withdrawn },
    }))
}

/// Which rows of a run.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExposuresQuery {
    ring: Option<i64>,
    limit: Option<i64>,
    cursor: Option<String>,
}

/// Candidates of a run with names and phone numbers, the first to call in front. The look is in the
/// audit log before the answer.
#[utoipa::path(get, path = "/api/v1/lookups/{id}/exposures", tag = "Lookups",
    security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The run"),
        ("ring" = Option<i64>, Query, description = "The ring, 1 or 2; 1 by default"),
        ("limit" = Option<i64>, Query, description = "Rows on the page, 1 to 500; 50 by default"),
        ("cursor" = Option<String>, Query, description = "`next` of the page before")),
    responses((status = 200, body = List<ExposureView>), (status = 401, body = Problem),
        (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 429, body = Problem)))]
pub async fn exposures(
    app: Shared,
    caller: Caller<Fresh<Officers>>,
    id: Path<Uuid>,
    query: Query<ExposuresQuery>,
) -> Result<HttpResponse> {
    let query = query.0;
    let ring = query.ring.unwrap_or(1);
    if !(1..=2).contains(&ring) {
        return Err(FieldError::invalid("ring").into());
    }
    let cursor = PageQuery::new(query.limit, query.cursor).read()?;
    let offset: i64 = cursor.after_or(0)?;
    if offset < 0 {
        return Err(FieldError::invalid("cursor").into());
    }
    let run = find(&app, &caller.account, id.0).await?;
    let which = Which {
        ring: Some(ring),
        offset,
        limit: cursor.limit,
    };
    let desk = desk(&app);
    let (items, more) = people::open(&desk, &caller.account, &run, which, "lookup.viewed").await?;
    let page = List {
        items: items.iter().map(|i| ExposureView::new(&app, i)).collect(),
        next: more.then(|| (offset + cursor.limit).to_string()),
    };
    Ok(HttpResponse::Ok()
        .insert_header(("cache-control", "no-store"))
        .json(page))
}

/// All candidates of a run as a file.
#[utoipa::path(get, path = "/api/v1/lookups/{id}/exposures.csv", tag = "Lookups",
    security(("bearer" = [])), params(("id" = Uuid, Path, description = "The run")),
    responses((status = 200, description = "UTF-8 with a byte order mark", content_type = "text/csv"),
        (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem),
        (status = 429, body = Problem)))]
pub async fn csv(
    app: Shared,
    caller: Caller<Fresh<Officers>>,
    id: Path<Uuid>,
) -> Result<HttpResponse> {
    file(&app, &caller.account, id.0, Form::Csv).await
}

/// All candidates of a run as a workbook, with a sheet that says what it was made from.
#[utoipa::path(get, path = "/api/v1/lookups/{id}/exposures.xlsx", tag = "Lookups",
    security(("bearer" = [])), params(("id" = Uuid, Path, description = "The run")),
    responses((status = 200, description = "An XLSX workbook",
            content_type = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
        (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem),
        (status = 429, body = Problem)))]
pub async fn xlsx(
    app: Shared,
    caller: Caller<Fresh<Officers>>,
    id: Path<Uuid>,
) -> Result<HttpResponse> {
    file(&app, &caller.account, id.0, Form::Xlsx).await
}

/// The form of an export.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Comma-separated values.
    Csv,
    /// A workbook.
    Xlsx,
}

/// Write all candidates of a run to a file; for both edges.
///
/// # Errors
///
/// [`Kind::NotFound`] when it is not of the jurisdiction; [`Kind::ReleaseNeeded`] when it is too large
/// to open without a second person; those of the store.
pub async fn file(
    app: &App,
    officer: &crate::accounts::Account,
    id: Uuid,
    form: Form,
) -> Result<HttpResponse> {
    let run = find(app, officer, id).await?;
    let which = Which {
        ring: None,
        offset: 0,
        limit: EXPORT_ROWS,
    };
    let desk = desk(app);
    let (items, more) = people::open(&desk, officer, &run, which, "lookup.exported").await?;
    if more {
        return Err(Kind::TooLarge.into());
    }
    let rows = export::rows(&run, &items, &app.directory);
    let taken = |ending| export::Taken::new(&run, officer.id, app.clock.now(), ending);
    let (bytes, kind, taken) = match form {
        Form::Csv => (
            sheet::csv(&export::HEADER, &rows)?,
            "text/csv; charset=utf-8",
            taken("csv"),
        ),
        Form::Xlsx => {
            let taken = taken("xlsx");
            (
                export::xlsx(&run, &taken, &rows)?,
                "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
                taken,
            )
        }
    };
    let name = format!("attachment; filename=\"{}\"", taken.file);
    Ok(HttpResponse::Ok()
        .insert_header(("content-type", kind))
        .insert_header(("content-disposition", name))
        .insert_header(("cache-control", "no-store"))
        .body(bytes))
}
