//! `/du-lieu-cua-toi`: a person's own data, after a code has proved the number.
//!
//! One address: without a session it asks for a number, then for the code ([`own_code`]); with one it
//! shows what is kept and what can be done about it. Everything is a form, so it works without
//! scripts.

use actix_web::{
    HttpResponse,
    cookie::{Cookie, SameSite, time::Duration},
    http::StatusCode,
    web,
};
use serde::Deserialize;

use super::{
    frame::{Frame, go},
    own_code, own_rows,
    page::Form,
    requests,
    sent::Sent,
    texts::Lang,
    views::{OwnData, OwnErased},
    visitor,
};
use crate::{
    base::{Failure, Kind, failure::Result},
    cases::clock::FILE_DAYS,
    messages::Language,
    privacy::opened::KEPT_DAYS,
    rights::{self, Kept, Session, Way, request, session},
};

/// The address of the page.
pub const PATH: &str = "/du-lieu-cua-toi";

/// The cookie of somebody who has proved a number.
const COOKIE: &str = "dkd_person";

/// What the page may be asked with.
#[derive(Deserialize)]
pub struct Query {
    /// What was done a moment ago.
    done: Option<String>,
}

/// A request by somebody who has proved a number.
pub struct Person {
    /// The request.
    pub frame: Frame,
    /// Who.
    pub session: Session,
}

impl Person {
    /// The person behind a request; `None` without a session that has not ended.
    ///
    /// # Errors
    ///
    /// Those of the store.
    pub async fn of(frame: Frame) -> Result<Option<Self>> {
        match find(&frame).await? {
            Some(session) => Ok(Some(Self { frame, session })),
            None => Ok(None),
        }
    }

    /// What is kept of the person, after the audit entry.
    ///
    /// # Errors
    ///
    /// Those of the store.
    pub async fn kept(&self, way: Way) -> Result<Kept> {
        let app = &self.frame.app;
        app.limits.own_data(self.session.request.as_bytes())?;
        app.db
            .write(async |tx| session::note(tx, &self.session, way).await)
            .await?;
        rights::seen::kept(&app.rights(), self.session.person).await
    }
}

async fn find(frame: &Frame) -> Result<Option<Session>> {
    let Some(secret) = frame.cookie_value(COOKIE) else {
        return Ok(None);
    };
    let app = &frame.app;
    let found = app
        .db
        .read(async |tx| session::find(tx, &app.keys, &secret).await)
        .await?;
    Ok(found)
}

/// `GET /du-lieu-cua-toi`.
pub async fn show(frame: Frame, asked: web::Query<Query>) -> Result<HttpResponse> {
    match find(&frame).await? {
        None => own_code::ask_page(&frame, Form::default(), StatusCode::OK),
        Some(session) => {
            let person = Person { frame, session };
            let done = match asked.done.as_deref() {
                Some("withdrawn") => "own-withdrawn",
                Some("other") => "own-other-done",
                Some("corrected") => "own-correct-done",
                _ => "",
            };
            data_page(&person, Form::default(), done, StatusCode::OK).await
        }
    }
}

async fn data_page(
    person: &Person,
    form: Form,
    done: &'static str,
    status: StatusCode,
) -> Result<HttpResponse> {
    let Person { frame, session } = person;
    let app = &frame.app;
    let kept = person.kept(Way::Page).await?;
    let page = frame.page();
    let unfinished = app
        .db
        .read(async |tx| request::of_person(tx, session.person).await)
        .await?;
    let now = app.clock.now();
    frame.show_with(
        status,
        &OwnData {
            f: form,
            done,
            phone: session.phone.national(),
            open_until: page.moment(session.expires_at),
            declarations: own_rows::declared(app, &page, &kept),
            stays: own_rows::stays(app, &page, &kept),
            opened: own_rows::opened(app, &page, &kept),
            opened_days: KEPT_DAYS,
            requests: unfinished
                .iter()
                .map(|request| requests::row(&page, request, now))
                .collect(),
            p: page,
        },
    )
}

/// `POST /du-lieu-cua-toi`: a number, a code, or what is to be done.
pub async fn act(frame: Frame, sent: Sent) -> Result<HttpResponse> {
    let form = sent.0;
    match form.v("do").to_owned().as_str() {
        "number" => own_code::take_number(frame, form).await,
        "code" => own_code::take_code(frame, form).await,
        what => {
            let Some(person) = Person::of(frame).await? else {
                return Ok(go(PATH).finish());
            };
            granted(person, form, what).await
        }
    }
}

/// The language of messages to this reader.
pub const fn language(lang: Lang) -> Language {
    match lang {
        Lang::Vi => Language::Vi,
        Lang::En => Language::En,
    }
}

/// The cookie of a person's session, which no other site's link brings along.
pub fn person_cookie(frame: &Frame, secret: String, seconds: i64) -> Cookie<'static> {
    let mut cookie = frame.cookie(COOKIE, secret, Some(Duration::seconds(seconds)));
    cookie.set_same_site(SameSite::Strict);
    cookie
}

/// Remove cookies of ours from the browser.
fn forget(frame: &Frame, answer: &mut HttpResponse, names: &[&str]) -> Result<()> {
    for name in names {
        let mut gone = frame.cookie(name, String::new(), Some(Duration::ZERO));
        gone.make_removal();
        answer.add_cookie(&gone).map_err(Failure::internal)?;
    }
    Ok(())
}

/// What somebody who has proved a number asks for.
async fn granted(person: Person, mut form: Form, what: &str) -> Result<HttpResponse> {
    let Person { frame, session } = &person;
    let app = &frame.app;
    let desk = app.rights();
    match what {
        "leave" => {
            app.db
                .write(async |tx| session::end(tx, session.person).await)
                .await?;
            let mut answer = go("/").finish();
            forget(frame, &mut answer, &[COOKIE])?;
            Ok(answer)
        }
        "withdraw" => {
            rights::withdraw(&desk, session).await?;
            let mut answer = go(&format!("{PATH}?done=withdrawn")).finish();
            forget(frame, &mut answer, &[visitor::DECLARATION_COOKIE])?;
            Ok(answer)
        }
        "other" => {
            app.db
                .write(async |tx| request::leave(tx, &desk, &session.phone).await)
                .await?;
            Ok(go(&format!("{PATH}?done=other")).finish())
        }
        "erase" if form.v("sure").is_empty() => {
            form.fail(&frame.page(), "sure", "required");
            data_page(&person, form, "", StatusCode::UNPROCESSABLE_ENTITY).await
        }
        "erase" => erase(&person).await,
        _ => Err(Kind::Malformed.into()),
    }
}

async fn erase(person: &Person) -> Result<HttpResponse> {
    let Person { frame, session } = person;
    let app = &frame.app;
    let erased = rights::erase(&app.rights(), session, language(frame.lang)).await?;
    let page = frame.page();
    let mut answer = frame.show(&OwnErased {
        request: erased.request.to_string(),
        rows: erased.rows,
        held: erased.held,
        held_until: erased
            .held_until
            .map(|at| page.moment(at))
            .unwrap_or_default(),
        file_days: FILE_DAYS,
        opened_days: KEPT_DAYS,
        p: page,
    })?;
    // This phone's own copies: the token of the declaration and the receipts.
    let ours = [COOKIE, visitor::DECLARATION_COOKIE, visitor::VISITS_COOKIE];
    forget(frame, &mut answer, &ours)?;
    Ok(answer)
}
