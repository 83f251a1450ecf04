//! The people of a lookup, opened: names and numbers, after an audit entry, as a page and as files.

use std::collections::BTreeMap;

use actix_web::{HttpResponse, web};
use serde::Deserialize;
use uuid::Uuid;

use super::{
    charts::{self, Lane, Row, Span},
    frame::Own,
    lookups::{find, name_of, summary},
    page::{Page, clock},
    texts::Lang,
    views::{Exposure, LookupPage},
};
use crate::{
    api::{self, cases::desk},
    base::{Kind, Timestamp, failure::Result},
    exposures::people::{self, CaseSpan, Item, Which},
    http::{App, Officers},
    identity::Phone,
};

/// Rows of people on one page.
const ROWS: i64 = 200;

/// Where a page of people begins.
#[derive(Deserialize)]
pub struct Place {
    cursor: Option<i64>,
}

/// `GET /lookups/{lookup}/people`: names and numbers, after the audit entry.
pub async fn show(
    own: Own<Officers>,
    id: web::Path<Uuid>,
    place: web::Query<Place>,
) -> Result<HttpResponse> {
    let app = &own.frame.app;
    let run = find(app, &own.account, *id).await?;
    let offset = place.cursor.unwrap_or(0).max(0);
    let which = Which {
        ring: None,
        offset,
        limit: ROWS,
    };
    let (items, more) =
        people::open(&desk(app), &own.account, &run, which, "lookup.opened").await?;
    let spans = app
        .db
        .read(async |tx| people::case_spans(tx, run.id).await)
        .await?;
    let page = own.frame.page();
    let words = charts::Words {
        title: &page.t("timeline"),
        case: &page.t("timeline-case"),
    };
    let shown = LookupPage {
        picture: charts::timeline(words, &lanes(app, &items, &spans)),
        people: Some(
            items
                .iter()
                .map(|item| exposure(app, &page, item))
                .collect(),
        ),
        next: more.then(|| (offset + ROWS).to_string()),
        ..summary(&own.frame, &own.account, &run).await?
    };
    own.frame.show(&shown)
}

fn name(item: &Item) -> String {
    let contact = item.contact.as_ref();
    let name = contact.and_then(|contact| contact.full_name.as_ref());
    name.map_or_else(|| item.reference.clone(), |name| name.as_str().to_owned())
}

fn exposure(app: &App, page: &Page, item: &Item) -> Exposure {
    let contact = item.contact.as_ref();
    let phone = contact.and_then(|contact| contact.phone.as_ref());
    let minutes = |ms: i64| {
        let text = format!("{:.1}", people::minutes(ms));
        match page.lang {
            Lang::Vi => text.replace('.', ","),
            Lang::En => text,
        }
    };
    Exposure {
        ring: item.ring,
        name: name(item),
        phone: phone.map(Phone::national).unwrap_or_default(),
        checkpoint: name_of(app, item.checkpoint),
        from: page.moment(Timestamp::from_ms(item.from)),
        until: clock(Timestamp::from_ms(item.until)),
        assumed: item.assumed,
        certain: minutes(item.certain_ms),
        possible: minutes(item.possible_ms),
        status: people::CANDIDATE.to_owned(),
    }
}

/// Places in the order in which the case was there, each with the people of this page.
fn lanes(app: &App, items: &[Item], spans: &[CaseSpan]) -> Vec<Lane> {
    let mut rows: BTreeMap<i64, Vec<Row>> = BTreeMap::new();
    for item in items.iter().filter(|item| item.ring == 1) {
        let there = rows.entry(item.checkpoint).or_default();
        let span = Span {
            from: item.from,
            until: item.until,
            assumed: item.assumed,
        };
        let name = name(item);
        match there.iter_mut().find(|row| row.name == name) {
            Some(row) => row.spans.push(span),
            None => there.push(Row {
                name,
                spans: vec![span],
            }),
        }
    }
    let mut lanes: Vec<(i64, Lane)> = Vec::new();
    for span in spans {
        let band = Span {
            from: span.start_at,
            until: span.end_at,
            assumed: false,
        };
        let known = lanes.iter_mut().find(|(id, _)| *id == span.checkpoint_id);
        match known {
            Some((_, lane)) => lane.case.push(band),
            None => lanes.push((
                span.checkpoint_id,
                Lane {
                    place: name_of(app, span.checkpoint_id),
                    case: vec![band],
                    rows: rows.remove(&span.checkpoint_id).unwrap_or_default(),
                },
            )),
        }
    }
    // A place where nobody else was has nothing to compare.
    let lanes = lanes.into_iter().map(|(_, lane)| lane);
    lanes.filter(|lane| !lane.rows.is_empty()).collect()
}

/// `GET /lookups/{lookup}/exposures.csv` and `.xlsx`.
pub async fn export(own: Own<Officers>, path: web::Path<(Uuid, String)>) -> Result<HttpResponse> {
    let app = &own.frame.app;
    let (id, format) = path.into_inner();
    let form = match format.as_str() {
        "csv" => api::lookups::Form::Csv,
        "xlsx" => api::lookups::Form::Xlsx,
        _ => return Err(Kind::NotFound.into()),
    };
    api::lookups::file(app, &own.account, id, form).await
}
