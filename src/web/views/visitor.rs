//! The visitor's pages: the declaration and the result card.

use askama::Template;
use askama_web::WebTemplate;

use crate::web::page::{Choice, Form, Page};

/// The place as its page shows it, so that a visitor sees whether the poster is the right one.
#[derive(Clone, Debug)]
pub struct Place {
    /// The checkpoint's code, 26 characters, as in the address.
    pub code: String,
    /// The checkpoint's name.
    pub name: String,
    /// The venue's name.
    pub venue: String,
    /// The kind of place, in words.
    pub kind: String,
    /// Street, ward and province in one line.
    pub address: String,
    /// Whether it is within its opening hours.
    pub open: bool,
}

/// `/c/{code}`: "are you here?", then one button or the declaration.
#[derive(Template, WebTemplate)]
#[template(path = "visitor.html")]
pub struct Visitor {
    /// The frame.
    pub p: Page,
    /// Where.
    pub place: Place,
    /// The check-in's id, made with the page: sending the form twice is one check-in.
    pub id: String,
    /// Until when the phone's declaration holds, in local words; nothing if it has none.
    pub valid_until: Option<String>,
    /// What was typed.
    pub f: Form,
    /// Nationalities that stand there by name.
    pub nations: Vec<Choice>,
    /// Codes of all others.
    pub other_nations: Vec<&'static str>,
    /// Today's provinces.
    pub provinces: Vec<Choice>,
    /// Wards to choose from when the typed name fits several; usually empty.
    pub wards: Vec<Choice>,
    /// Symptoms asked for, in the form's order.
    pub symptoms: Vec<&'static str>,
    /// Days the questions look back.
    pub look_back_days: u32,
    /// Version of the consent text shown.
    pub consent_version: &'static str,
}

/// The card that the visitor shows at the door. Nothing personal is on it.
#[derive(Template, WebTemplate)]
#[template(path = "receipt.html")]
pub struct Receipt {
    /// The frame.
    pub p: Page,
    /// Where.
    pub place: Place,
    /// The check-in's id.
    pub id: String,
    /// `clear`, `caution` or `stop`.
    pub risk: String,
    /// The short code that proves the check-in.
    pub receipt: String,
    /// How many came along, 0-50.
    pub companions: u32,
    /// Time of entry for machines.
    pub entered_iso: String,
    /// Local time of entry, with seconds.
    pub entered_time: String,
    /// Local day of entry.
    pub entered_date: String,
    /// Time of leaving for machines; empty while inside.
    pub left_iso: String,
    /// Local time of leaving, with seconds; nothing while inside.
    pub left_time: Option<String>,
    /// The server's time in milliseconds since 1970, from which the card's clock runs.
    pub now_ms: i64,
    /// The server's local time, with seconds.
    pub now_time: String,
}
