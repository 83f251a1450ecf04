//! The officer's cases: list, report, one case, and "find who was there".

use actix_web::{HttpResponse, http::StatusCode, web};
use serde::Deserialize;
use uuid::Uuid;

use super::{
    frame::{Own, go},
    lookups,
    page::{Choice, Form, Page},
    proof::Proven,
    sent::Sent,
    texts::Lang,
    views::{CaseNew, CasePage, CaseRow, Cases, Run, Visit},
};
use crate::{
    api::cases::desk,
    base::{Failure, Kind, Timestamp, failure::Result},
    cases::{self, Case, CaseDraft, PatientDraft, rules},
    exposures::{self, LookupDraft},
    http::{App, Fresh, Officers},
};

/// Cases on one page of the list.
const ROWS: i64 = 50;

/// Lookups listed on the page of a case.
const RUNS: i64 = 20;

/// Paths of the room and fields of the form, in the order of the page.
const NAMES: &[(&str, &str)] = &[
    ("patient", "full_name"),
    ("patient.full_name", "full_name"),
    ("patient.birth_year", "birth_year"),
    ("patient.phone", "phone"),
    ("patient.id_number", "id_number"),
    ("onset_on", "onset_on"),
    ("sampled_on", "sampled_on"),
    ("confirmed_on", "confirmed_on"),
    ("isolated_at", "isolated_at"),
    ("negative_on", "negative_on"),
    ("disease", "disease"),
    ("rule", "rule"),
];

/// Where a page of the list begins.
#[derive(Deserialize)]
pub struct Place {
    cursor: Option<String>,
}

/// `MICROSECONDS.ID` of the last case of the page before.
fn before(cursor: &str) -> Option<(Timestamp, Uuid)> {
    let (at, id) = cursor.split_once('.')?;
    Some((Timestamp::from_micros(at.parse().ok()?), id.parse().ok()?))
}

/// `GET /cases`.
pub async fn list(own: Own<Officers>, place: web::Query<Place>) -> Result<HttpResponse> {
    let app = &own.frame.app;
    let before = place.cursor.as_deref().and_then(before);
    let mut rows = app
        .db
        .read(async |tx| cases::list(tx, &own.account, before, ROWS + 1).await)
        .await?;
    let rows_max = usize::try_from(ROWS).unwrap_or(usize::MAX);
    let more = rows.len() > rows_max;
    rows.truncate(rows_max);
    let next = rows
        .last()
        .filter(|_| more)
        .map(|case| format!("{}.{}", case.reported_at.as_micros(), case.id));
    let page = own.frame.page();
    let rows = rows.into_iter().map(|case| CaseRow {
        id: case.id.to_string(),
        confirmed: day(&case.confirmed_on),
        from: page.moment(Timestamp::from_ms(case.window_from)),
        until: until(&page, &case),
        number: case.number,
        disease: case.disease,
    });
    own.frame.show(&Cases {
        cases: rows.collect(),
        next,
        p: page,
    })
}

/// A stored day as people read it: `2026-11-18` is `18/11/2026`.
fn day(stored: &str) -> String {
    let mut parts = stored.splitn(3, '-');
    match (parts.next(), parts.next(), parts.next()) {
        (Some(year), Some(month), Some(day)) => format!("{day}/{month}/{year}"),
        _ => stored.to_owned(),
    }
}

fn until(page: &Page, case: &Case) -> String {
    let until = case.window_until.map(Timestamp::from_ms);
    until.map(|at| page.moment(at)).unwrap_or_default()
}

fn report_page(own: &Own<Officers>, form: Form, status: StatusCode) -> Result<HttpResponse> {
    let sets = rules::all().map_err(Failure::internal)?;
    let rules = sets.values().map(|set| {
        let label = format!("{} ({})", set.id, set.document);
        Choice::new(set.id.clone(), label)
    });
    own.frame.show_with(
        status,
        &CaseNew {
            p: own.frame.page(),
            f: form,
            rules: rules.collect(),
        },
    )
}

/// `GET /cases/new`.
pub async fn ask(own: Own<Officers>) -> Result<HttpResponse> {
    let mut form = Form::default();
    form.set("rule", rules::DEFAULT);
    form.set("disease", "COVID-19");
    report_page(&own, form, StatusCode::OK)
}

/// `POST /cases/new`.
pub async fn report(own: Own<Officers>, sent: Sent) -> Result<HttpResponse> {
    let app = &own.frame.app;
    let mut form = sent.0;
    let page = own.frame.page();
    let draft = draft(&page, &mut form);
    let new = draft.parse(&app.regions, &app.door.pseudonymizer, app.clock.now());
    let new = match new {
        Ok(new) if form.errors.is_empty() => new,
        Ok(_) => return report_page(&own, form, StatusCode::UNPROCESSABLE_ENTITY),
        Err(mistakes) => {
            form.blame(&page, &mistakes, NAMES);
            return report_page(&own, form, StatusCode::UNPROCESSABLE_ENTITY);
        }
    };
    let case = cases::report(&app.db, &app.keys, &app.random, &own.account, &new).await?;
    Ok(go(&format!("/cases/{}", case.id)).finish())
}

fn draft(page: &Page, form: &mut Form) -> CaseDraft {
    let birth_year = form.some("birth_year").map(str::to_owned);
    let year = birth_year.as_deref().and_then(|text| text.parse().ok());
    if birth_year.is_some() && year.is_none() {
        form.fail(page, "birth_year", "invalid");
    }
    let text = |name: &str| form.some(name).map(str::to_owned);
    CaseDraft {
        disease: text("disease"),
        rule: text("rule"),
        patient: Some(PatientDraft {
            full_name: text("full_name"),
            phone: text("phone"),
            id_number: text("id_number"),
            birth_year: year,
            address: None,
        }),
        onset_on: text("onset_on"),
        sampled_on: text("sampled_on"),
        confirmed_on: text("confirmed_on"),
        isolated_at: text("isolated_at").map(|text| lookups::local(&text).unwrap_or(text)),
        negative_on: text("negative_on"),
    }
}

async fn find<P>(own: &Own<P>, id: Uuid) -> Result<Case> {
    own.frame
        .app
        .db
        .read(async |tx| cases::find(tx, &own.account, id).await)
        .await
}

/// `GET /cases/{case}`: where the patient was, so it takes a fresh proof as names do.
pub async fn show(own: Own<Fresh<Officers>>, id: web::Path<Uuid>) -> Result<HttpResponse> {
    let case = find(&own, *id).await?;
    case_page(&own, case, Form::default(), StatusCode::OK).await
}

/// `POST /cases/{case}`: find who was there.
pub async fn look_up(sent: Proven<Officers>, id: web::Path<Uuid>) -> Result<HttpResponse> {
    let Proven { own, mut form } = sent;
    let case = find(&own, *id).await?;
    let order = LookupDraft {
        case: Some(case.id),
        ..lookups::draft(&form)
    };
    match lookups::run(&own, order).await {
        Ok(run) => Ok(go(&format!("/lookups/{}", run.id)).finish()),
        Err(failure) if failure.kind == Kind::Invalid => {
            form.blame(&own.frame.page(), &failure.fields, lookups::NAMES);
            case_page(&own, case, form, StatusCode::UNPROCESSABLE_ENTITY).await
        }
        Err(failure) => Err(failure),
    }
}

async fn case_page<P>(
    own: &Own<P>,
    case: Case,
    form: Form,
    status: StatusCode,
) -> Result<HttpResponse> {
    let app = &own.frame.app;
    let visits = desk(app).visits(&case).await?;
    let budget = lookups::budget(&own.frame, &own.account).await?;
    let id = case.id;
    let runs = app
        .db
        .read(async |tx| exposures::run::of_case(tx, id, RUNS).await)
        .await?;
    let page = own.frame.page();
    let because = match page.lang {
        Lang::Vi => case.because.vi.clone(),
        Lang::En => case.because.en.clone(),
    };
    let visits = visits.iter().map(|visit| shown(app, &page, visit));
    let runs = runs.iter().map(|run| Run {
        id: run.id.to_string(),
        made: page.moment(run.created_at),
        people: u64::try_from(run.ring1).unwrap_or_default(),
    });
    own.frame.show_with(
        status,
        &CasePage {
            f: form,
            budget,
            id: case.id.to_string(),
            from: page.moment(Timestamp::from_ms(case.window_from)),
            until: until(&page, &case),
            because,
            rule: case.rule_id.clone(),
            dates: dates(&page, &case),
            visits: visits.collect(),
            runs: runs.collect(),
            number: case.number,
            disease: case.disease,
            p: page,
        },
    )
}

fn shown(app: &App, page: &Page, visit: &exposures::run::Visit) -> Visit {
    let entry = app.directory.by_id(visit.checkpoint);
    let kind = entry.as_ref().map(|entry| page.kind(entry.checkpoint.kind));
    Visit {
        checkpoint: lookups::name_of(app, visit.checkpoint),
        kind: kind.unwrap_or_default().to_owned(),
        from: page.moment(Timestamp::from_ms(visit.from)),
        until: page.moment(Timestamp::from_ms(visit.until)),
        assumed: visit.assumed,
    }
}

fn dates(page: &Page, case: &Case) -> Vec<(&'static str, String)> {
    let isolated = case.isolated_at.map(Timestamp::from_ms);
    [
        ("onset-on", case.onset_on.as_deref().map(day)),
        ("sampled-on", case.sampled_on.as_deref().map(day)),
        ("confirmed-on", Some(day(&case.confirmed_on))),
        ("isolated-at", isolated.map(|at| page.moment(at))),
        ("negative-on", case.negative_on.as_deref().map(day)),
    ]
    .into_iter()
    .filter_map(|(key, value)| Some((key, value?)))
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_cursors_are_read() {
        assert_eq!(day("2026-11-18"), "18/11/2026");
        assert_eq!(day("x"), "x");
        let id = Uuid::from_u128(7);
        let cursor = format!("12345.{id}");
        assert_eq!(before(&cursor), Some((Timestamp::from_micros(12345), id)));
        assert_eq!(before("12345"), None);
    }
}
