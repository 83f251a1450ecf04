//! The owner's pages: venues, checkpoints, arrivals.

use askama::Template;
use askama_web::WebTemplate;

use crate::web::page::{Choice, Form, Page};

/// A venue in the owner's list.
#[derive(Clone, Debug)]
pub struct VenueRow {
    /// Public id.
    pub id: String,
    /// Name.
    pub name: String,
    /// Kind of place, in words.
    pub kind: String,
    /// Address in one line.
    pub address: String,
    /// Number of checkpoints.
    pub checkpoints: usize,
}

/// `/venues`.
#[derive(Template, WebTemplate)]
#[template(path = "venues.html")]
pub struct Venues {
    /// The frame.
    pub p: Page,
    /// The account's venues.
    pub venues: Vec<VenueRow>,
}

/// A venue as its page's head shows it.
#[derive(Clone, Debug)]
pub struct VenueHead {
    /// Public id.
    pub id: String,
    /// Name.
    pub name: String,
    /// Kind of place, in words.
    pub kind: String,
    /// Address in one line.
    pub address: String,
}

/// A checkpoint as a card.
#[derive(Clone, Debug)]
pub struct CheckpointCard {
    /// Public id.
    pub id: String,
    /// Name.
    pub name: String,
    /// Kind of place, in words.
    pub kind: String,
    /// The code, 26 characters.
    pub code: String,
    /// The code in groups, for reading.
    pub code_grouped: String,
    /// Whether the owner has closed it.
    pub closed: bool,
    /// Whether it is within its opening hours now.
    pub open: bool,
    /// Name of the checkpoint whose space it is another entrance to.
    pub gate_of: Option<String>,
    /// Address of its poster, without the ending that says the format.
    pub poster: String,
}

/// Arrivals of one hour of the day.
#[derive(Clone, Debug)]
pub struct Hour {
    /// `07:00`.
    pub label: String,
    /// Arrivals in it.
    pub n: u64,
}

/// One arrival, masked on the server.
#[derive(Clone, Debug)]
pub struct Arrival {
    /// Local time of entry.
    pub entered: String,
    /// Local time of leaving; empty while inside.
    pub left: String,
    /// Masked name.
    pub name: String,
    /// Masked phone number.
    pub phone: String,
    /// The checkpoint's name.
    pub checkpoint: String,
}

/// One day's arrivals.
#[derive(Clone, Debug)]
pub struct Arrivals {
    /// The local day.
    pub day: String,
    /// How many came.
    pub total: u64,
    /// How many of them are still inside.
    pub inside: u64,
    /// Share of those who checked out, with the percent sign.
    pub out_share: String,
    /// Hour by hour.
    pub hours: Vec<Hour>,
    /// The same as a picture: SVG made by `web::charts`, which escapes what it is given.
    pub chart: String,
    /// The latest arrivals.
    pub latest: Vec<Arrival>,
}

/// `/venues/{id}`.
#[derive(Template, WebTemplate)]
#[template(path = "venue.html")]
pub struct VenuePage {
    /// The frame.
    pub p: Page,
    /// The venue.
    pub venue: VenueHead,
    /// Whether it was registered a moment ago.
    pub fresh: bool,
    /// Its checkpoints.
    pub checkpoints: Vec<CheckpointCard>,
    /// Today's arrivals at all of them.
    pub arrivals: Arrivals,
}

/// `/venues/{id}/checkpoints/{id}` and `…/new`: poster, closing, arrivals, and the form.
#[derive(Template, WebTemplate)]
#[template(path = "checkpoint.html")]
pub struct CheckpointPage {
    /// The frame.
    pub p: Page,
    /// The heading.
    pub title: String,
    /// The venue's public id.
    pub venue_id: String,
    /// The venue's name.
    pub venue_name: String,
    /// The checkpoint, or nothing while it is being made.
    pub existing: Option<CheckpointCard>,
    /// Whether a change was saved a moment ago.
    pub saved: bool,
    /// Today's arrivals there.
    pub arrivals: Option<Arrivals>,
    /// Where the form goes.
    pub action: String,
    /// The form.
    pub f: Form,
    /// Kinds of place.
    pub kinds: Vec<Choice>,
    /// Other checkpoints of the venue.
    pub gates: Vec<Choice>,
    /// The week: `mon` … `sun`.
    pub days: [&'static str; 7],
}
