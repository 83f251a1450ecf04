//! Lookups: asking, and the counts.

use actix_web::{HttpResponse, http::StatusCode, web};
use uuid::Uuid;

use super::{
    frame::{Frame, Own, go},
    page::{Form, Page},
    proof::Proven,
    texts::Lang,
    views::{LookupNew, LookupPage},
};
use crate::{
    accounts::{Account, Role},
    api::cases::desk,
    base::{Failure, Kind, Timestamp, failure::Result},
    cases,
    exposures::{CheckpointDraft, LookupDraft, PersonDraft, Run, people, run as runs},
    http::{App, LeadOnly, Officers},
    regions::Catalogue,
};

/// Paths of the room and fields of the forms, in the order of the pages.
pub const NAMES: &[(&str, &str)] = &[
    ("case", "by"),
    ("checkpoint", "code"),
    ("checkpoint.code", "code"),
    ("checkpoint.from", "from"),
    ("checkpoint.until", "until"),
    ("person", "phone"),
    ("person.phone", "phone"),
    ("person.id_number", "id_number"),
    ("reason", "reason"),
    ("document", "document"),
    ("min_minutes", "min_minutes"),
    ("residual_air_minutes", "residual_air_minutes"),
];

/// Checkpoint and venue in one line.
pub fn name_of(app: &App, checkpoint: i64) -> String {
    let entry = app.directory.by_id(checkpoint);
    entry.map_or_else(String::new, |entry| {
        let (venue, name) = (&entry.venue.name, &entry.checkpoint.name);
        if venue == name {
            venue.to_string()
        } else {
            format!("{venue}, {name}")
        }
    })
}

/// What a field for local date and time says, as RFC 3339: `2026-11-20T08:30` is in Vietnam.
pub fn local(text: &str) -> Option<String> {
    let (_, time) = text.split_once('T')?;
    let seconds = if time.len() == 5 { ":00" } else { "" };
    let whole = format!("{text}{seconds}+07:00");
    Timestamp::parse(&whole).map(|_| whole)
}

/// The fields that every lookup has.
pub fn draft(form: &Form) -> LookupDraft {
    let number = |name: &str| form.some(name).map(|text| text.parse().unwrap_or(-1));
    LookupDraft {
        reason: form.some("reason").map(str::to_owned),
        document: form.some("document").map(str::to_owned),
        min_minutes: number("min_minutes"),
        residual_air_minutes: number("residual_air_minutes"),
        ..LookupDraft::default()
    }
}

/// Run a lookup for the officer.
///
/// # Errors
///
/// [`Kind::Invalid`] with every mistake, and those of the room.
pub async fn run(own: &Own<Officers>, draft: LookupDraft) -> Result<Run> {
    let app = &own.frame.app;
    let order = draft
        .parse(&app.door.pseudonymizer)
        .map_err(Failure::invalid)?;
    desk(app).look_up(&own.account, &order, None).await
}

/// What is left of the officer's day, in one line; empty when nothing is limited.
pub(super) async fn budget(frame: &Frame, officer: &Account) -> Result<String> {
    let Some(today) = desk(&frame.app).today(officer).await? else {
        return Ok(String::new());
    };
    let page = frame.page();
    let lookups = page.t2(
        "budget-lookups",
        "spent",
        page.num(today.lookups),
        "budget",
        page.num(today.budgets.lookups),
    );
    let people = page.t2(
        "budget-people",
        "spent",
        page.num(today.people),
        "budget",
        page.num(today.budgets.people),
    );
    Ok(format!("{lookups} {people}"))
}

async fn ask_page(own: &Own<Officers>, form: Form, status: StatusCode) -> Result<HttpResponse> {
    let page = LookupNew {
        budget: budget(&own.frame, &own.account).await?,
        p: own.frame.page(),
        f: form,
    };
    own.frame.show_with(status, &page)
}

/// `GET /lookups/new`.
pub async fn ask(own: Own<Officers>) -> Result<HttpResponse> {
    ask_page(&own, Form::default(), StatusCode::OK).await
}

/// `POST /lookups/new`: by place and time, or by person.
pub async fn look_up(sent: Proven<Officers>) -> Result<HttpResponse> {
    let Proven { own, mut form } = sent;
    let page = own.frame.page();
    let text = |name: &str| form.some(name).map(str::to_owned);
    let moment = |name: &str| {
        let whole = local(form.v(name));
        whole.and_then(|whole| Timestamp::parse(&whole))
    };
    let mut order = draft(&form);
    match form.v("by") {
        "checkpoint" => {
            order.checkpoint = Some(CheckpointDraft {
                code: text("code"),
                from: moment("from"),
                until: moment("until"),
            });
        }
        "person" => {
            order.person = Some(PersonDraft {
                phone: text("phone"),
                id_number: text("id_number"),
            });
        }
        _ => form.fail(&page, "by", "required"),
    }
    match run(&own, order).await {
        Ok(run) => Ok(go(&format!("/lookups/{}", run.id)).finish()),
        Err(failure) if failure.kind == Kind::Invalid => {
            form.blame(&page, &failure.fields, NAMES);
            ask_page(&own, form, StatusCode::UNPROCESSABLE_ENTITY).await
        }
        // The code was typed: a checkpoint that is not there is a mistake in the form.
        Err(failure) if failure.kind == Kind::NotFound && form.v("by") == "checkpoint" => {
            form.fail(&page, "code", "unknown");
            ask_page(&own, form, StatusCode::UNPROCESSABLE_ENTITY).await
        }
        Err(failure) => Err(failure),
    }
}

pub(super) async fn find(app: &App, account: &Account, id: Uuid) -> Result<Run> {
    app.db
        .read(async |tx| runs::find(tx, account, id).await)
        .await
}

/// `GET /lookups/{lookup}`: counts first.
pub async fn show(own: Own<Officers>, id: web::Path<Uuid>) -> Result<HttpResponse> {
    let run = find(&own.frame.app, &own.account, *id).await?;
    let shown = summary(&own.frame, &own.account, &run).await?;
    own.frame.show(&shown)
}

/// `POST /lookups/{lookup}`: the second person releases a large result.
pub async fn release(sent: Proven<LeadOnly>, id: web::Path<Uuid>) -> Result<HttpResponse> {
    let own = sent.own;
    let run = people::release(&desk(&own.frame.app), &own.account, *id).await?;
    Ok(go(&format!("/lookups/{}", run.id)).finish())
}

/// The page without people.
pub(super) async fn summary(frame: &Frame, account: &Account, run: &Run) -> Result<LookupPage> {
    let app = &frame.app;
    let page = frame.page();
    let only_case = run.parameters.cases.first().copied();
    let only_case = only_case.filter(|_| run.parameters.cases.len() == 1);
    let (referrals, case) = app
        .db
        .read(async |tx| {
            let referrals = people::referrals(tx, account, run.id).await?;
            let case = match only_case {
                Some(id) => Some(cases::find(tx, account, id).await?),
                None => None,
            };
            Ok::<_, Failure>((referrals, case))
        })
        .await?;
    let count = |n: i64| u64::try_from(n).unwrap_or_default();
    let province = |code: Option<String>| {
        let found = code.as_deref();
        let found = found.and_then(|code| app.regions.province(Catalogue::default(), code));
        found.map_or_else(
            || code.clone().unwrap_or_default(),
            |place| place.name.to_owned(),
        )
    };
    let referrals: Vec<(String, u64)> = referrals
        .into_iter()
        .map(|(code, n)| (province(code), count(n)))
        .collect();
    let warnings = run.warnings.iter().map(|warning| match page.lang {
        Lang::Vi => warning.vi.clone(),
        Lang::En => warning.en.clone(),
    });
    Ok(LookupPage {
        budget: budget(frame, account).await?,
        id: run.id.to_string(),
        case: case.map(|case| (case.id.to_string(), case.number)),
        ring1: count(run.ring1),
        ring2: (run.parameters.rings == 2).then(|| count(run.ring2)),
        referred: referrals.iter().map(|(_, n)| n).sum(),
        locked: !run.is_open(),
        may_release: account.role == Role::HealthLead && account.id != run.officer_id,
        referrals,
        warnings: warnings.collect(),
        parameters: parameters(app, &page, run),
        people: None,
        picture: None,
        next: None,
        p: page,
    })
}

fn parameters(app: &App, page: &Page, run: &Run) -> Vec<(String, String)> {
    let by_rule =
        |minutes: Option<u32>| minutes.map_or_else(|| page.t("minutes-by-rule"), |n| n.to_string());
    let asked = &run.parameters;
    let mut all = vec![
        (page.t("param-document"), run.document.clone()),
        (page.t("param-reason"), run.reason.clone()),
        (
            page.t("param-rule"),
            format!("{} v{}", run.rule_id, run.rule_version),
        ),
        (page.t("param-min-minutes"), by_rule(asked.min_minutes)),
        (
            page.t("param-residual-air"),
            by_rule(asked.residual_air_minutes),
        ),
        (page.t("param-made"), page.moment(run.created_at)),
    ];
    if let Some(place) = &asked.checkpoint {
        let entry = place.code.parse().ok();
        let entry = entry.and_then(|code| app.directory.by_code(code));
        let name = entry.map(|entry| name_of(app, entry.checkpoint.id));
        let window = format!("{} – {}", page.moment(place.from), page.moment(place.until));
        all.push((page.t("param-place"), name.unwrap_or_default()));
        all.push((page.t("param-window"), window));
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn local_times_are_vietnamese() {
        let at = |text: &str| local(text).and_then(|text| Timestamp::parse(&text));
        let expected = Timestamp::parse("2026-11-20T01:30:00Z");
        assert_eq!(at("2026-11-20T08:30"), expected);
        assert_eq!(at("2026-11-20T08:30:00"), expected);
        for wrong in ["", "2026-11-20", "2026-11-20T25:00", "x"] {
            assert_eq!(local(wrong), None, "{wrong}");
        }
    }
}
