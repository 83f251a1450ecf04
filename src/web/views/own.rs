//! Pages for people about their own data, and for those who look after what is asked.

use askama::Template;
use askama_web::WebTemplate;

use crate::web::page::{Choice, Form, Page};

/// `/du-lieu-cua-toi`, before a number is proved.
#[derive(Template, WebTemplate)]
#[template(path = "own_ask.html")]
pub struct OwnAsk {
    /// The frame.
    pub p: Page,
    /// What was typed.
    pub f: Form,
    /// Whether messages can be sent at all.
    pub can_send: bool,
    /// The form's token; its puzzle is to be solved.
    pub form_token: String,
    /// Zero bits that are asked for.
    pub bits: u32,
    /// Seconds that a browser without scripts waits.
    pub wait_seconds: i64,
}

/// The code is on its way.
#[derive(Template, WebTemplate)]
#[template(path = "own_code.html")]
pub struct OwnCode {
    /// The frame.
    pub p: Page,
    /// What was typed.
    pub f: Form,
    /// The form's token.
    pub form_token: String,
    /// The number, masked.
    pub phone: String,
}

/// A line of a declaration: a name and what stands there.
pub struct Fact {
    /// What it is.
    pub name: String,
    /// What stands there.
    pub value: String,
}

/// A declaration, for whom it is about.
pub struct DeclaredRow {
    /// Its id.
    pub id: String,
    /// When it was made.
    pub made: String,
    /// Where it was shown first; empty when it was made at home.
    pub place: String,
    /// Contact details.
    pub contact: Vec<Fact>,
    /// Questions and answers.
    pub answers: Vec<Fact>,
    /// `clear`, `caution`, `stop`, or a word of an import.
    pub risk: String,
    /// The version of the consent text; empty when nobody was asked.
    pub consent: String,
    /// When it was corrected; empty when it was not.
    pub corrected: String,
    /// Until when it is kept.
    pub until: String,
}

/// How often data was opened in a month, for whom it is about.
pub struct OpenedRow {
    /// The month.
    pub month: String,
    /// For what, in words.
    pub purpose: String,
    /// By which office, in words.
    pub office: String,
    /// How often.
    pub times: String,
}

/// A stay, for whom it is about.
pub struct StayRow {
    /// The checkpoint and its venue.
    pub place: String,
    /// Where that is.
    pub address: String,
    /// The arrival.
    pub entered: String,
    /// The end; empty when nobody said.
    pub left: String,
    /// How many people it stands for.
    pub headcount: i64,
    /// Until when it is kept.
    pub until: String,
}

/// `/du-lieu-cua-toi`, after a number was proved.
#[derive(Template, WebTemplate)]
#[template(path = "own_data.html")]
pub struct OwnData {
    /// The frame.
    pub p: Page,
    /// What was typed.
    pub f: Form,
    /// What was just done: a key of the texts, or empty.
    pub done: &'static str,
    /// The number.
    pub phone: String,
    /// Until when this page is open.
    pub open_until: String,
    /// Declarations, the latest first.
    pub declarations: Vec<DeclaredRow>,
    /// Stays, the latest first.
    pub stays: Vec<StayRow>,
    /// How often it was opened, the latest month first.
    pub opened: Vec<OpenedRow>,
    /// Days for which that is kept.
    pub opened_days: i32,
    /// Erasures that are not finished.
    pub requests: Vec<RequestRow>,
}

/// The same as a file to take along.
#[derive(Template, WebTemplate)]
#[template(path = "own_copy.html")]
pub struct OwnCopy {
    /// The frame.
    pub p: Page,
    /// The number.
    pub phone: String,
    /// When the file was made.
    pub made: String,
    /// Declarations, the latest first.
    pub declarations: Vec<DeclaredRow>,
    /// Stays, the latest first.
    pub stays: Vec<StayRow>,
    /// How often it was opened, the latest month first.
    pub opened: Vec<OpenedRow>,
    /// Days for which that is kept.
    pub opened_days: i32,
}

/// What an erasure did.
#[derive(Template, WebTemplate)]
#[template(path = "own_erased.html")]
pub struct OwnErased {
    /// The frame.
    pub p: Page,
    /// The request, to be named when asking.
    pub request: String,
    /// Rows that are gone.
    pub rows: u64,
    /// Rows that a case holds.
    pub held: u64,
    /// Until when the last of them is held; empty when nothing is.
    pub held_until: String,
    /// Days for which the file of a case keeps what it holds, after its last use.
    pub file_days: u16,
    /// Days for which is kept how often the data was opened.
    pub opened_days: i32,
}

/// `/du-lieu-cua-toi/{declaration}`: correcting.
#[derive(Template, WebTemplate)]
#[template(path = "own_correct.html")]
pub struct OwnCorrect {
    /// The frame.
    pub p: Page,
    /// What was typed, or what is kept.
    pub f: Form,
    /// The declaration.
    pub id: String,
    /// When it was made.
    pub made: String,
    /// Today's provinces.
    pub provinces: Vec<Choice>,
    /// Wards to choose from when the typed name fits several; usually empty.
    pub wards: Vec<Choice>,
}

/// A version of the consent text.
pub struct ConsentText {
    /// Its version.
    pub version: String,
    /// What it says.
    pub text: String,
    /// Whether it is the one that is shown now.
    pub current: bool,
}

/// `/dong-y`: every version of the consent text.
#[derive(Template, WebTemplate)]
#[template(path = "consents.html")]
pub struct Consents {
    /// The frame.
    pub p: Page,
    /// The versions, the latest first.
    pub versions: Vec<ConsentText>,
}

/// A request in a list.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each shows or hides something of its own"
)]
pub struct RequestRow {
    /// Its id.
    pub id: String,
    /// What was asked for: a word.
    pub kind: String,
    /// What has become of it: a word.
    pub state: String,
    /// When it came.
    pub received: String,
    /// By when a first reply is due; empty when there was one.
    pub reply_due: String,
    /// Whether the first reply is late.
    pub reply_late: bool,
    /// By when it is due.
    pub due: String,
    /// Whether it is late.
    pub late: bool,
    /// Until when a case holds it; empty when none does.
    pub held_until: String,
    /// When it was closed; empty when it is not.
    pub closed: String,
    /// Whether it may be put off.
    pub can_extend: bool,
    /// Whether there is something for people to do.
    pub open: bool,
    /// Whether there is a number that the reader may open.
    pub has_phone: bool,
    /// The number, where it was opened a moment ago; else empty.
    pub phone: String,
}

/// `/requests`: what people asked about their data, and by when.
#[derive(Template, WebTemplate)]
#[template(path = "requests.html")]
pub struct Requests {
    /// The frame.
    pub p: Page,
    /// What is left to do, the most urgent first.
    pub open: Vec<RequestRow>,
    /// What was closed last.
    pub closed: Vec<RequestRow>,
    /// What may have been asked for.
    pub kinds: Vec<Choice>,
    /// Days by which a request may be put off.
    pub extension_days: u16,
}
