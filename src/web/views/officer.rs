//! The health officer's pages: cases and lookups.

use askama::Template;
use askama_web::WebTemplate;

use crate::web::page::{Choice, Form, Page};

/// A case in the list. No patient: a list names nobody.
#[derive(Clone, Debug)]
pub struct CaseRow {
    /// Public id.
    pub id: String,
    /// The case's number.
    pub number: String,
    /// The disease.
    pub disease: String,
    /// Local day of confirmation.
    pub confirmed: String,
    /// Local begin of the infectious window.
    pub from: String,
    /// Local end of it; empty while open.
    pub until: String,
}

/// `/cases`.
#[derive(Template, WebTemplate)]
#[template(path = "cases.html")]
pub struct Cases {
    /// The frame.
    pub p: Page,
    /// Cases of the jurisdiction, newest first.
    pub cases: Vec<CaseRow>,
    /// Where the next page of the list begins.
    pub next: Option<String>,
}

/// `/cases/new`.
#[derive(Template, WebTemplate)]
#[template(path = "case_new.html")]
pub struct CaseNew {
    /// The frame.
    pub p: Page,
    /// What was typed.
    pub f: Form,
    /// Rule sets.
    pub rules: Vec<Choice>,
}

/// A stay of the case.
#[derive(Clone, Debug)]
pub struct Visit {
    /// Name of the checkpoint, with its venue.
    pub checkpoint: String,
    /// Kind of place.
    pub kind: String,
    /// Local begin.
    pub from: String,
    /// Local end.
    pub until: String,
    /// Whether the end is assumed by rule.
    pub assumed: bool,
}

/// A lookup made for the case.
#[derive(Clone, Debug)]
pub struct Run {
    /// Public id.
    pub id: String,
    /// Local time it was made.
    pub made: String,
    /// People in ring 1.
    pub people: u64,
}

/// `/cases/{id}`. The patient is not on it: the file names nobody until a lookup does.
#[derive(Template, WebTemplate)]
#[template(path = "case.html")]
pub struct CasePage {
    /// The frame.
    pub p: Page,
    /// The form "find who was there".
    pub f: Form,
    /// What is left of the day's budgets; empty when nothing is limited.
    pub budget: String,
    /// Public id.
    pub id: String,
    /// The case's number.
    pub number: String,
    /// The disease.
    pub disease: String,
    /// Local begin of the infectious window.
    pub from: String,
    /// Local end of it; empty while open.
    pub until: String,
    /// Why the window is so, in words.
    pub because: String,
    /// The rule set.
    pub rule: String,
    /// Dates of the case: key of the label, local day.
    pub dates: Vec<(&'static str, String)>,
    /// Stays within the window.
    pub visits: Vec<Visit>,
    /// Lookups made before.
    pub runs: Vec<Run>,
}

/// `/lookups/new`: by place or by person.
#[derive(Template, WebTemplate)]
#[template(path = "lookup_new.html")]
pub struct LookupNew {
    /// The frame.
    pub p: Page,
    /// What was typed.
    pub f: Form,
    /// What is left of the day's budgets; empty when nothing is limited.
    pub budget: String,
}

/// A candidate at one checkpoint.
#[derive(Clone, Debug)]
pub struct Exposure {
    /// Hops from the case: 1 or 2.
    pub ring: i64,
    /// Full name.
    pub name: String,
    /// National digits; empty if there is none.
    pub phone: String,
    /// The checkpoint's name.
    pub checkpoint: String,
    /// Local begin.
    pub from: String,
    /// Local end.
    pub until: String,
    /// Whether the end is assumed.
    pub assumed: bool,
    /// Certain minutes with one digit.
    pub certain: String,
    /// Possible minutes with one digit.
    pub possible: String,
    /// `candidate` and what an officer made of it.
    pub status: String,
}

/// `/lookups/{id}`: counts first; the people only after another step.
#[derive(Template, WebTemplate)]
#[template(path = "lookup.html")]
pub struct LookupPage {
    /// The frame.
    pub p: Page,
    /// What is left of the day's budgets; empty when nothing is limited.
    pub budget: String,
    /// Public id of the run.
    pub id: String,
    /// The case it was made for: public id and number.
    pub case: Option<(String, String)>,
    /// People in ring 1.
    pub ring1: u64,
    /// People in ring 2, if it was asked for.
    pub ring2: Option<u64>,
    /// People of other provinces.
    pub referred: u64,
    /// Whether the result is so large that a second person must release it first.
    pub locked: bool,
    /// Whether this officer may release it.
    pub may_release: bool,
    /// The same by province.
    pub referrals: Vec<(String, u64)>,
    /// What the officer must know before relying on it.
    pub warnings: Vec<String>,
    /// Label and value.
    pub parameters: Vec<(String, String)>,
    /// The people, once opened.
    pub people: Option<Vec<Exposure>>,
    /// SVG made by `web::charts`, which escapes what it is given.
    pub picture: Option<String>,
    /// Where the next page of people begins.
    pub next: Option<String>,
}
