//! `/minh-bach`: what the service did, month by month, in numbers that name nobody.

use actix_web::{HttpResponse, web};
use serde::Deserialize;

use super::{
    charts,
    frame::Frame,
    page::Page,
    views::{Measure, MonthRow, Transparency},
};
use crate::{
    base::{Kind, failure::Result},
    privacy::transparency::{Counts, FEW, Month, told},
};

/// Months that the picture and the table show.
const MONTHS: usize = 12;

/// Which month.
#[derive(Deserialize)]
pub struct Which {
    month: Option<String>,
}

/// The page.
pub async fn show(frame: Frame, which: web::Query<Which>) -> Result<HttpResponse> {
    let app = &frame.app;
    let latest = app.board.latest(&app.db, MONTHS).await?;
    let shown = match &which.month {
        None => latest.first().cloned(),
        Some(text) => {
            let month = Month::parse(text).ok_or(Kind::NotFound)?;
            app.board.find(&app.db, month).await?
        }
    };
    let shown = shown.ok_or(Kind::NotFound)?;
    let page = frame.page();
    let months = latest.iter().map(|told| MonthRow {
        month: told.month.to_string(),
        shown: told.month.shown(),
        values: numbers(&told.counts)
            .iter()
            .map(|(_, n)| number(&page, *n))
            .collect(),
    });
    let months = months.collect();
    let bars: Vec<charts::Bar> = latest
        .iter()
        .rev()
        .map(|told_month| {
            let opened = told_month.counts.opened;
            charts::Bar {
                label: told_month.month.shown(),
                n: told(opened).and_then(|n| u64::try_from(n).ok()),
                shown: number(&page, opened),
            }
        })
        .collect();
    let measures = numbers(&shown.counts).map(|(what, n)| Measure {
        what,
        value: number(&page, n),
    });
    let picture = charts::months(&page.t("told-by-month"), FEW.unsigned_abs(), &bars);
    let (note, signed) = shown
        .checkpoint
        .map_or_else(Default::default, |kept| (kept.note, page.moment(kept.at)));
    frame.show(&Transparency {
        p: page,
        month: shown.month.to_string(),
        shown: shown.month.shown(),
        is_over: shown.is_over,
        measures: measures.to_vec(),
        picture,
        months,
        note,
        signed,
        public_key: app.keys.audit().public().to_string(),
    })
}

/// The numbers of a month, each with its name in the family `measure`.
fn numbers(counts: &Counts) -> [(&'static str, i64); 6] {
    [
        ("lookups", counts.lookups),
        ("found", counts.found),
        ("opened", counts.opened),
        ("exports", counts.exports),
        ("referred", counts.referred),
        ("sweeps", counts.sweeps),
    ]
}

/// A number as it is told.
fn number(page: &Page, n: i64) -> String {
    match told(n) {
        Some(n) => page.num(n),
        None => page.tn("told-few", FEW),
    }
}
