//! The page behind the poster: "are you here?", the declaration, the result card, leaving.
//!
//! What a phone remembers is in cookies: the declaration's token, and where it is checked in. A
//! browser without cookies still gets its card, in the answer to the form; it only cannot come back
//! to it.

use actix_web::{
    HttpResponse,
    cookie::{Cookie, time::Duration},
    http::StatusCode,
    web,
};
use serde::Deserialize;

use super::{
    area, declaration,
    frame::{Frame, go},
    nations,
    page::{Choice, Form, Page},
    sent::Sent,
    views::{Place, Receipt, Visitor},
    visits::{Visit, Visits},
};
use crate::{
    base::{Code, Failure, Kind, Timestamp, failure::Result, ids},
    checkins::{self, CheckedIn, NewCheckIn, NewCheckOut},
    declarations::{Symptom, token::Tokens},
    http::client_address,
    venues::Entry,
};

/// The cookie with the declaration's token.
pub const DECLARATION_COOKIE: &str = "dkd_declaration";
/// The cookie with the phone's visits.
pub const VISITS_COOKIE: &str = "dkd_visits";
/// Days that the declaration's questions look back.
const LOOK_BACK_DAYS: u32 = 14;

/// What the address may ask for.
#[derive(Deserialize)]
pub struct Asked {
    /// The declaration, although the phone has a good one.
    new: Option<String>,
    /// Another visit, although the phone is checked in.
    again: Option<String>,
}

/// `GET /c/{code}`.
pub async fn show(
    frame: Frame,
    code: web::Path<String>,
    asked: web::Query<Asked>,
) -> Result<HttpResponse> {
    let here = Here::find(frame, &code).await?;
    let anew = asked.new.is_some() || asked.again.is_some();
    if let Some(visit) = here.visits.at(here.code()).filter(|_| !anew) {
        return here.card(visit, &[]);
    }
    if here.entry.checkpoint.closed() {
        return Err(Kind::Closed.into());
    }
    let mut form = Form::default();
    form.set("nationality", "VN");
    let token = here.token().filter(|_| asked.new.is_none());
    here.page(
        form,
        Vec::new(),
        token.map(|(_, until)| until),
        StatusCode::OK,
    )
}

/// `POST /c/{code}`: leaving, entering with the phone's declaration, or declaring and entering.
pub async fn act(frame: Frame, code: web::Path<String>, sent: Sent) -> Result<HttpResponse> {
    let here = Here::find(frame, &code).await?;
    let mut form = sent.0;
    if let Some(id) = form.some("leave") {
        let id = id.parse().map_err(|_| Failure::new(Kind::NotFound))?;
        return here.leave(id).await;
    }
    let app = &here.frame.app;
    let (page, now) = (here.frame.page(), app.clock.now());
    let code = here.code();
    let token = here.token().filter(|_| form.some("again").is_some());
    let address = client_address(&here.frame.request);
    let word = token.as_ref().map(|(token, _)| token.as_str());
    // A token that was read is ours.
    app.limits
        .check_in(address, &code.bytes(), word, |_| true)?;
    let (new, wards) = match &token {
        Some((token, _)) => {
            let new = NewCheckIn {
                id: declaration::id(&form, now),
                checkpoint: code.to_string(),
                declaration_token: Some(token.clone()),
                companions: declaration::companions(&form),
                ..NewCheckIn::default()
            };
            (new, Vec::new())
        }
        // The declaration ran out while the page was open: back to the questions.
        None if form.some("again").is_some() => {
            let to = format!("/c/{code}?new=1");
            return Ok(go(&to).finish());
        }
        None => declaration::read(&app.regions, &page, &mut form, now, &code.to_string()),
    };
    let companions = new.companions.and_then(|n| u32::try_from(n).ok());
    match checkins::check_in(&app.door, new).await {
        Ok(done) => here.entered(&done, companions.unwrap_or(0)),
        Err(failure) if failure.kind == Kind::Invalid => {
            form.blame(&page, &failure.fields, declaration::NAMES);
            let until = token.map(|(_, until)| until);
            here.page(form, wards, until, StatusCode::UNPROCESSABLE_ENTITY)
        }
        Err(failure) => Err(failure),
    }
}

/// A request at a checkpoint.
struct Here {
    frame: Frame,
    entry: std::sync::Arc<Entry>,
    visits: Visits,
}

impl Here {
    async fn find(frame: Frame, code: &str) -> Result<Self> {
        let code: Code = code.parse().map_err(|_| Failure::new(Kind::NotFound))?;
        let entry = frame.app.directory.find(&frame.app.db, code).await?;
        let visits = frame
            .cookie_value(VISITS_COOKIE)
            .map(|cookie| Visits::read(frame.app.keys.token(), &cookie, frame.app.clock.now()))
            .unwrap_or_default();
        Ok(Self {
            frame,
            entry,
            visits,
        })
    }

    fn code(&self) -> Code {
        self.entry.checkpoint.code
    }

    /// The phone's declaration token and until when it is good, in words; nothing if it is not.
    fn token(&self) -> Option<(String, String)> {
        let token = self.frame.cookie_value(DECLARATION_COOKIE)?;
        let app = &self.frame.app;
        let claim = app.door.claim(&token, app.clock.now())?;
        let until = Tokens::valid_until(claim.declaration);
        Some((token, self.frame.page().moment(until)))
    }

    fn place(&self, page: &Page) -> Place {
        let Entry { checkpoint, venue } = self.entry.as_ref();
        Place {
            code: checkpoint.code.to_string(),
            name: checkpoint.name.to_string(),
            venue: venue.name.to_string(),
            kind: page.kind(checkpoint.kind).to_owned(),
            address: venue.address.line(&self.frame.app.regions),
            open: checkpoint.is_open(self.frame.app.clock.now()),
        }
    }

    /// The page with its form, or with the one button of a phone that has declared.
    fn page(
        &self,
        form: Form,
        wards: Vec<Choice>,
        valid_until: Option<String>,
        status: StatusCode,
    ) -> Result<HttpResponse> {
        let app = &self.frame.app;
        let page = self.frame.page();
        self.frame.show_with(
            status,
            &Visitor {
                place: self.place(&page),
                id: ids::v7(app.clock.now(), &app.random).to_string(),
                valid_until,
                f: form,
                nations: nations::choices(self.frame.lang),
                other_nations: nations::others(),
                provinces: area::provinces(&app.regions),
                wards,
                symptoms: Symptom::ALL.map(Symptom::as_str).to_vec(),
                look_back_days: LOOK_BACK_DAYS,
                consent_version: super::consent_version(),
                p: page,
            },
        )
    }

    /// The card of a visit; `also` are cookies to set with it.
    fn card(&self, visit: Visit, also: &[Cookie<'static>]) -> Result<HttpResponse> {
        let now = self.frame.app.clock.now();
        let page = self.frame.page();
        let entered = visit.entered_at();
        let door = &self.frame.app.door;
        let mut answer = self.frame.show(&Receipt {
            place: self.place(&page),
            id: visit.id.to_string(),
            risk: visit.risk.as_str().to_owned(),
            receipt: door.receipt((self.entry.checkpoint.id, visit.id)),
            companions: visit.companions,
            entered_iso: entered.rfc3339(),
            entered_time: entered.local_time(),
            entered_date: entered.local_date(),
            left_iso: visit.left_at.map(Timestamp::rfc3339).unwrap_or_default(),
            left_time: visit.left_at.map(Timestamp::local_time),
            now_ms: now.as_ms(),
            now_time: now.local_time(),
            p: page,
        })?;
        for cookie in also {
            answer.add_cookie(cookie).map_err(Failure::internal)?;
        }
        Ok(answer)
    }

    fn visits_cookie(&self, visit: Visit) -> Cookie<'static> {
        let mut visits = self.visits.clone();
        visits.put(visit);
        let value = visits.write(self.frame.app.keys.token());
        self.frame
            .cookie(VISITS_COOKIE, value, Some(Duration::days(1)))
    }

    /// After a check-in: the card at this page's own address, so that loading it again sends
    /// nothing. A browser that keeps no cookies gets it here and now.
    fn entered(self, done: &CheckedIn, companions: u32) -> Result<HttpResponse> {
        let visit = Visit {
            code: self.code(),
            id: done.id,
            risk: done.risk,
            companions,
            left_at: None,
        };
        let token = done.declaration_token.clone();
        let token = self
            .frame
            .cookie(DECLARATION_COOKIE, token, Some(Duration::days(1)));
        let cookies = [token, self.visits_cookie(visit)];
        let keeps_cookies = self
            .frame
            .request
            .cookies()
            .is_ok_and(|cookies| !cookies.is_empty());
        if !keeps_cookies {
            return self.card(visit, &cookies);
        }
        let mut answer = go(&format!("/c/{}", self.code()));
        for cookie in cookies {
            answer.cookie(cookie);
        }
        Ok(answer.finish())
    }

    async fn leave(self, id: uuid::Uuid) -> Result<HttpResponse> {
        let app = &self.frame.app;
        let new = NewCheckOut {
            checkpoint: self.code().to_string(),
            left_at: None,
        };
        let done = checkins::check_out(&app.door, id, new).await?;
        let known = self.visits.at(self.code()).filter(|visit| visit.id == id);
        match known {
            Some(visit) => {
                let visit = Visit {
                    left_at: Some(done.left_at),
                    ..visit
                };
                let mut answer = go(&format!("/c/{}", self.code()));
                answer.cookie(self.visits_cookie(visit));
                Ok(answer.finish())
            }
            // A browser without cookies: the card says when, and no more than it knows.
            None => self.card(
                Visit {
                    code: self.code(),
                    id,
                    risk: crate::declarations::Risk::Clear,
                    companions: 0,
                    left_at: Some(done.left_at),
                },
                &[],
            ),
        }
    }
}
