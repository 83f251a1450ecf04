//! The public page of what the service did.

use askama::Template;
use askama_web::WebTemplate;

use crate::web::page::Page;

/// One number of a month.
#[derive(Clone, Debug)]
pub struct Measure {
    /// Of what: a key of the family `measure`.
    pub what: &'static str,
    /// The number as it is told.
    pub value: String,
}

/// A month in the table.
#[derive(Clone, Debug)]
pub struct MonthRow {
    /// As in the address: `2026-11`.
    pub month: String,
    /// As it is read: `11/2026`.
    pub shown: String,
    /// Its numbers, in the order of the measures.
    pub values: Vec<String>,
}

/// `/minh-bach`: what the service did in a month, and the log that proves it.
#[derive(Template, WebTemplate)]
#[template(path = "transparency.html")]
pub struct Transparency {
    /// The frame.
    pub p: Page,
    /// The month, as in the address.
    pub month: String,
    /// The month, as it is read.
    pub shown: String,
    /// Whether it is over.
    pub is_over: bool,
    /// Its numbers.
    pub measures: Vec<Measure>,
    /// Bars by month, the earliest first.
    pub picture: String,
    /// The same as a table, the latest first.
    pub months: Vec<MonthRow>,
    /// The last checkpoint of the log by the end of the month; empty when there is none yet.
    pub note: String,
    /// When it was signed, in local words.
    pub signed: String,
    /// The public key.
    pub public_key: String,
}
