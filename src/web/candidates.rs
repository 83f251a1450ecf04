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
    http::{App, Fresh, Officers},
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
    own: Own<Fresh<Officers>>,
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
    // By place and time there is no case: the top band is the time that was asked about.
    let top = match &run.parameters.checkpoint {
        Some(_) => "param-window",
        None => "timeline-case",
    };
    let words = charts::Words {
        title: &page.t("timeline"),
        case: &page.t(top),
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
                    rows: Vec::new(),
                },
            )),
        }
    }
    // People are told apart by their reference: two may have one name.
    let mut rows: BTreeMap<(i64, &str), usize> = BTreeMap::new();
    for item in items.iter().filter(|item| item.ring == 1) {
        let lane = lanes.iter_mut().find(|(id, _)| *id == item.checkpoint);
        let Some((id, lane)) = lane else { continue };
        let there = Span {
            from: item.from,
            until: item.until,
            assumed: item.assumed,
        };
        let bands = bands(there, item.certain_ms, &lane.case);
        let next = lane.rows.len();
        let row = *rows.entry((*id, &item.reference)).or_insert(next);
        match lane.rows.get_mut(row) {
            Some(row) => row.spans.extend(bands),
            None => lane.rows.push(Row {
                name: name(item),
                spans: bands,
            }),
        }
    }
    // A place where nobody else was has nothing to compare.
    let lanes = lanes.into_iter().map(|(_, lane)| lane);
    lanes.filter(|lane| !lane.rows.is_empty()).collect()
}

/// When somebody was there with the case. A run keeps the first and the last moment and how long it
/// was for certain; where the case came several times, the time in between is no presence, so the
/// band is cut to the case's own, and it is a known one only if the certain time fills it.
fn bands(there: Span, certain_ms: i64, case: &[Span]) -> Vec<Span> {
    let parts: Vec<Span> = case
        .iter()
        .map(|band| Span {
            from: band.from.max(there.from),
            until: band.until.min(there.until),
            assumed: there.assumed,
        })
        .filter(|part| part.from < part.until)
        .collect();
    if parts.len() < 2 {
        return vec![there];
    }
    let shared: i64 = parts.iter().map(|part| part.until - part.from).sum();
    let assumed = there.assumed || certain_ms < shared;
    let cut = |part: Span| Span { assumed, ..part };
    parts.into_iter().map(cut).collect()
}

/// `GET /lookups/{lookup}/exposures.csv` and `.xlsx`.
pub async fn export(
    own: Own<Fresh<Officers>>,
    path: web::Path<(Uuid, String)>,
) -> Result<HttpResponse> {
    let app = &own.frame.app;
    let (id, format) = path.into_inner();
    let form = match format.as_str() {
        "csv" => api::lookups::Form::Csv,
        "xlsx" => api::lookups::Form::Xlsx,
        _ => return Err(Kind::NotFound.into()),
    };
    api::lookups::file(app, &own.account, id, form).await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(&(from, until): &(i64, i64)) -> Span {
        Span {
            from,
            until,
            assumed: false,
        }
    }

    fn drawn(there: (i64, i64), certain_ms: i64, case: &[(i64, i64)]) -> Vec<(i64, i64, bool)> {
        let case: Vec<Span> = case.iter().map(span).collect();
        let bands = bands(span(&there), certain_ms, &case);
        bands
            .iter()
            .map(|band| (band.from, band.until, band.assumed))
            .collect()
    }

    #[test]
    fn nobody_is_drawn_while_the_case_was_away() {
        let both = [(0, 100), (500, 600)];
        let there = drawn((20, 560), 140, &both);
        assert_eq!(there, [(20, 100, false), (500, 560, false)]);
        // Less for certain than the bands together: which part it was is not kept.
        let there = drawn((20, 560), 100, &both);
        assert_eq!(there, [(20, 100, true), (500, 560, true)]);
    }

    #[test]
    fn one_stay_is_drawn_as_it_is_kept() {
        let twice = [(0, 100), (500, 600)];
        assert_eq!(drawn((20, 80), 60, &twice), [(20, 80, false)]);
        // Air that stayed behind: after the case had left.
        assert_eq!(drawn((110, 130), 0, &[(0, 100)]), [(110, 130, false)]);
    }
}
