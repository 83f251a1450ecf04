//! Proving oneself again before names are opened.
//!
//! A page that is asked for by GET sends the browser to `/proof` and gets it back from there. A form
//! is not lost: [`Proven`] shows it again with everything that was typed in hidden fields and a field
//! for the one-time password, and goes on from there.

use std::{future::Future, pin::Pin};

use actix_web::{
    FromRequest, HttpMessage as _, HttpRequest, HttpResponse,
    cookie::Cookie,
    dev::Payload,
    error::InternalError,
    http::{StatusCode, header},
    web,
};
use secrecy::SecretString;
use serde::Deserialize;

use super::{
    failed::is_ours,
    frame::{Own, go},
    page::Form,
    sent::Sent,
    sign::home_of,
    views::Proof,
};
use crate::{
    accounts, api,
    base::{Failure, Kind, failure::Result},
    http::{AnyRole, Permission},
};

/// Fields that prove, and the form's token: they are never shown again.
const NEVER_KEPT: [&str; 3] = ["csrf", "otp", "password"];

/// A form that was sent by somebody of `P`'s roles who has proved who they are within the last quarter
/// of an hour, or has just now in the form itself.
pub struct Proven<P> {
    /// Who sent it.
    pub own: Own<P>,
    /// What was sent.
    pub form: Form,
}

/// A session cookie that this answer has to carry, because the proof replaced the session's secret.
pub struct Renewed(pub Cookie<'static>);

impl<P: Permission> FromRequest for Proven<P> {
    type Error = actix_web::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Self::Error>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let own = Own::<P>::from_request(request, payload);
        let sent = Sent::from_request(request, payload);
        Box::pin(async move {
            let own = own.await?;
            match proven(&own, sent.await?.0).await? {
                Answered::Proven(form) => Ok(Self { own, form }),
                Answered::Asked(asked) => Err(InternalError::from_response("", asked).into()),
            }
        })
    }
}

/// What became of a form that needs a fresh proof.
pub enum Answered {
    /// It may be gone on with.
    Proven(Form),
    /// This is to be answered: the form again, with the question for the proof.
    Asked(HttpResponse),
}

/// Whether whoever sent `form` has proved who they are within the last quarter of an hour, or has just
/// now in the form itself.
///
/// # Errors
///
/// Those of the store, and of proofs that are refused unread.
pub async fn proven<P>(own: &Own<P>, mut form: Form) -> Result<Answered> {
    if own.is_fresh {
        return Ok(Answered::Proven(form));
    }
    let path = own.frame.request.path().to_owned();
    let field = field(own);
    if form.some(field).is_none() {
        return ask_page(own, form, &path, StatusCode::FORBIDDEN).map(Answered::Asked);
    }
    if let Err(failure) = prove(own, &form).await {
        let code = mistake(failure)?;
        form.fail(&own.frame.page(), field, code);
        return ask_page(own, form, &path, StatusCode::UNAUTHORIZED).map(Answered::Asked);
    }
    Ok(Answered::Proven(form))
}

/// The field that proves: a one-time password, or for accounts without a second factor the password.
fn field<P>(own: &Own<P>) -> &'static str {
    if own.account.role.has_second_factor() {
        "otp"
    } else {
        "password"
    }
}

/// What was wrong with the proof, for the field; other failures are no mistakes of the form.
fn mistake(failure: Failure) -> Result<&'static str> {
    match failure.kind {
        Kind::LoginFailed => Ok("wrong"),
        Kind::OtpUsed => Ok("used"),
        _ => Err(failure),
    }
}

async fn prove<P>(own: &Own<P>, form: &Form) -> Result<()> {
    let (app, request) = (&own.frame.app, &own.frame.request);
    let otp = SecretString::from(form.raw("otp"));
    let password = SecretString::from(form.raw("password"));
    api::sessions::prove_again(app, request, &own.account, Some(&otp), Some(password)).await?;
    let session = own.session;
    let secret = app
        .db
        .append(async |tx| accounts::renew(tx, session, &app.random).await)
        .await?;
    let cookie = own
        .frame
        .session_cookie(own.account.role, secret.text().to_owned());
    request.extensions_mut().insert(Renewed(cookie));
    Ok(())
}

/// The answer with the cookie that a proof has made necessary.
pub fn carry(request: &HttpRequest, answer: &mut HttpResponse<impl Sized>) {
    if let Some(Renewed(cookie)) = request.extensions().get::<Renewed>() {
        // A cookie of ours is always a header.
        let _ = answer.add_cookie(cookie);
    }
}

fn ask_page<P>(own: &Own<P>, form: Form, action: &str, status: StatusCode) -> Result<HttpResponse> {
    let kept = form
        .fields()
        .filter(|(name, _)| !NEVER_KEPT.contains(name))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let mut shown = Form::default();
    shown.errors = form.errors;
    own.frame.show_with(
        status,
        &Proof {
            p: own.frame.page(),
            f: shown,
            action: action.to_owned(),
            kept,
            with_otp: own.account.role.has_second_factor(),
        },
    )
}

/// Where to go on.
#[derive(Deserialize)]
pub struct Next {
    #[serde(default)]
    next: String,
}

/// `GET /proof`.
pub async fn ask(own: Own<AnyRole>, next: web::Query<Next>) -> Result<HttpResponse> {
    let mut form = Form::default();
    if is_ours(&next.next) {
        form.set("next", next.next.as_str());
    }
    ask_page(&own, form, "/proof", StatusCode::OK)
}

/// `POST /proof`: another proof, then on to where it was needed.
pub async fn answer(own: Own<AnyRole>, sent: Sent) -> Result<HttpResponse> {
    let mut form = sent.0;
    let page = own.frame.page();
    let field = field(&own);
    if form.some(field).is_none() {
        form.fail(&page, field, "required");
        return ask_page(&own, form, "/proof", StatusCode::UNPROCESSABLE_ENTITY);
    }
    if let Err(failure) = prove(&own, &form).await {
        let code = mistake(failure)?;
        form.fail(&page, field, code);
        return ask_page(&own, form, "/proof", StatusCode::UNAUTHORIZED);
    }
    let next = form.v("next");
    let to = Some(next).filter(|next| is_ours(next));
    Ok(go(to.unwrap_or(home_of(own.account.role))).finish())
}

/// The way to `/proof` and back. A file would leave the browser standing there, so the way back leads
/// to the page that has the file's link.
pub fn to_proof(request: &HttpRequest) -> HttpResponse {
    let path = request.path();
    let page = match path.rsplit_once("/exposures.") {
        Some((run, _)) => format!("{run}/people"),
        None => match request.query_string() {
            "" => path.to_owned(),
            query => format!("{path}?{query}"),
        },
    };
    let back = if is_ours(&page) { page.as_str() } else { path };
    HttpResponse::SeeOther()
        .insert_header((header::LOCATION, format!("/proof?next={back}")))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .finish()
}
