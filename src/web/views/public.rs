//! Pages for everybody: home, messages, log in, register.

use askama::Template;
use askama_web::WebTemplate;

use crate::web::page::{Choice, Form, Page};

/// `/`: what this is, and the three ways in.
#[derive(Template, WebTemplate)]
#[template(path = "home.html")]
pub struct Home {
    /// The frame.
    pub p: Page,
    /// A code that was typed and that no checkpoint has; empty at first.
    pub unknown: String,
}

/// A page that only says something: missing, closed, busy, failed.
#[derive(Template, WebTemplate)]
#[template(path = "message.html")]
pub struct Message {
    /// The frame.
    pub p: Page,
    /// The heading.
    pub title: String,
    /// One or two sentences: what happened and what to do.
    pub text: String,
    /// Whether the same address is worth another try.
    pub retry: bool,
    /// The request's number, or empty.
    pub request_id: String,
}

/// `/login`.
#[derive(Template, WebTemplate)]
#[template(path = "login.html")]
pub struct Login {
    /// The frame.
    pub p: Page,
    /// What was typed.
    pub f: Form,
    /// The page to go on to: a path of this service, or empty.
    pub next: String,
}

/// `/proof`, and any form whose sender has to prove again who they are.
#[derive(Template, WebTemplate)]
#[template(path = "proof.html")]
pub struct Proof {
    /// The frame.
    pub p: Page,
    /// What was wrong with the last proof.
    pub f: Form,
    /// Where the form goes: the page that needs the proof.
    pub action: String,
    /// What was typed there, to be sent once more.
    pub kept: Vec<(String, String)>,
    /// Whether a one-time password is asked for; else the password is.
    pub with_otp: bool,
}

/// A session in the list.
#[derive(Clone, Debug)]
pub struct SessionRow {
    /// Its id.
    pub id: String,
    /// Whether it is a browser's; else it is a program's.
    pub is_browser: bool,
    /// Whether it is the one that looks.
    pub is_this: bool,
    /// Local begin.
    pub created: String,
    /// Local last use.
    pub seen: String,
    /// Local end at the latest.
    pub until: String,
}

/// `/sessions`: where the account is logged in.
#[derive(Template, WebTemplate)]
#[template(path = "sessions.html")]
pub struct Sessions {
    /// The frame.
    pub p: Page,
    /// The open sessions, the last used first.
    pub rows: Vec<SessionRow>,
}

/// `/register`: a venue, its first checkpoint and the account of the person in charge.
#[derive(Template, WebTemplate)]
#[template(path = "register.html")]
pub struct Register {
    /// The frame.
    pub p: Page,
    /// What was typed.
    pub f: Form,
    /// Kinds of place.
    pub kinds: Vec<Choice>,
    /// Today's provinces.
    pub provinces: Vec<Choice>,
    /// Wards to choose from when the typed name fits several; usually empty.
    pub wards: Vec<Choice>,
}
