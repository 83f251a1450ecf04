//! Logging in and out, and registering a venue.

use actix_web::{
    HttpMessage as _, HttpResponse,
    cookie::{Cookie, time::Duration},
    http::StatusCode,
    web,
};
use secrecy::SecretString;
use serde::Deserialize;

use super::{
    area,
    failed::is_ours,
    frame::{Frame, Own, go},
    page::{Choice, Form, Page},
    proof::Renewed,
    sent::Sent,
    views::{Login, Register},
};
use crate::{
    accounts::{self, Account, Role},
    api,
    base::{Failure, Kind, failure::Result},
    http::{AnyRole, App, COOKIE},
    store,
    venues::{self, NewAddress, NewCheckpoint, NewContact, NewVenue},
};

/// Paths of the room and fields of the registration form, in the order of the page.
const NAMES: &[(&str, &str)] = &[
    ("name", "name"),
    ("kind", "kind"),
    ("address.province", "province"),
    ("address.ward", "ward"),
    ("address.street", "street"),
    ("checkpoint", "checkpoint"),
    ("contact.name", "contact_name"),
    ("contact.phone", "contact_phone"),
    ("password", "password"),
];

/// Where to go after logging in.
#[derive(Deserialize)]
pub struct Next {
    #[serde(default)]
    next: String,
}

fn login_page(frame: &Frame, form: Form, next: &str, status: StatusCode) -> Result<HttpResponse> {
    frame.show_with(
        status,
        &Login {
            p: frame.page(),
            f: form,
            next: Some(next)
                .filter(|next| is_ours(next))
                .unwrap_or_default()
                .to_owned(),
        },
    )
}

/// `GET /login`.
pub async fn ask(frame: Frame, next: web::Query<Next>) -> Result<HttpResponse> {
    login_page(&frame, Form::default(), &next.next, StatusCode::OK)
}

/// `POST /login`. A wrong login, a wrong password and a wrong one-time password are answered alike.
pub async fn log_in(frame: Frame, sent: Sent) -> Result<HttpResponse> {
    let mut form = sent.0;
    let page = frame.page();
    for field in ["login", "password"] {
        if form.v(field).is_empty() {
            form.fail(&page, field, "required");
        }
    }
    let next = form.v("next").to_owned();
    if !form.errors.is_empty() {
        return login_page(&frame, form, &next, StatusCode::UNPROCESSABLE_ENTITY);
    }
    // A password may begin or end with a blank.
    let password = SecretString::from(form.raw("password"));
    let (app, request) = (&frame.app, &frame.request);
    let otp = SecretString::from(form.raw("otp"));
    form.set("otp", "");
    match api::sessions::prove(app, request, form.v("login"), password, Some(&otp)).await {
        Ok(account) => {
            let to = Some(next.as_str()).filter(|next| is_ours(next) && *next != "/login");
            open_session(&frame, &account, to.unwrap_or(home_of(account.role))).await
        }
        Err(failure) => {
            let (field, code) = match failure.kind {
                Kind::LoginFailed => ("login", "wrong"),
                Kind::OtpNeeded => ("otp", "needed"),
                Kind::OtpUsed => ("otp", "used"),
                _ => return Err(failure),
            };
            form.fail(&page, field, code);
            login_page(&frame, form, &next, StatusCode::UNAUTHORIZED)
        }
    }
}

/// The first page of each role.
pub(super) const fn home_of(role: Role) -> &'static str {
    match role {
        Role::VenueOwner => "/venues",
        Role::HealthOfficer | Role::HealthLead => "/cases",
        _ => "/",
    }
}

async fn open_session(frame: &Frame, account: &Account, to: &str) -> Result<HttpResponse> {
    let app = &frame.app;
    let id = account.id;
    let before = frame.cookie_value(COOKIE);
    let secret = app
        .db
        .append(async |tx| {
            if let Some(before) = &before {
                accounts::end_browser(tx, before).await?;
            }
            accounts::open_browser(tx, id, &app.random).await
        })
        .await?;
    let mut answer = go(to);
    answer.cookie(frame.session_cookie(account.role, secret.text().to_owned()));
    Ok(answer.finish())
}

/// `POST /logout`: the session ends here, and the browser forgets what it has cached; not the
/// storage, which may hold check-ins that are not sent yet.
pub async fn log_out(own: Own<AnyRole>, _sent: Sent) -> Result<HttpResponse> {
    let app = &own.frame.app;
    let session = own.session;
    app.db
        .append(async |tx| {
            accounts::end_family(tx, session).await?;
            Ok::<_, store::Error>(())
        })
        .await?;
    Ok(logged_out(&own))
}

/// The way home for who was logged in, without the cookie.
pub(super) fn logged_out(own: &Own<AnyRole>) -> HttpResponse {
    own.frame.request.extensions_mut().remove::<Renewed>();
    let mut gone: Cookie<'static> = own
        .frame
        .cookie(COOKIE, String::new(), Some(Duration::ZERO));
    gone.make_removal();
    let mut answer = go("/");
    answer
        .cookie(gone)
        .insert_header(("clear-site-data", "\"cache\""));
    answer.finish()
}

fn register_page(
    frame: &Frame,
    form: Form,
    wards: Vec<Choice>,
    status: StatusCode,
) -> Result<HttpResponse> {
    let page = frame.page();
    frame.show_with(
        status,
        &Register {
            f: form,
            kinds: super::kinds(&page),
            provinces: area::provinces(&frame.app.regions),
            wards,
            p: page,
        },
    )
}

/// `GET /register`.
pub async fn invite(frame: Frame) -> Result<HttpResponse> {
    let mut form = Form::default();
    form.set("checkpoint", frame.page().t("first-checkpoint-default"));
    register_page(&frame, form, Vec::new(), StatusCode::OK)
}

/// `POST /register`: the venue, its owner's account and a first checkpoint, so that there is a
/// poster to print at once.
pub async fn register(frame: Frame, sent: Sent) -> Result<HttpResponse> {
    let mut form = sent.0;
    let page = frame.page();
    let app = frame.app.clone();
    let (ward, wards) = area::ward(&app.regions, &page, &mut form);
    let first = NewCheckpoint {
        name: form.v("checkpoint").to_owned(),
        ..NewCheckpoint::default()
    };
    let first = first.parse();
    if let Err(failure) = &first {
        // Its room calls the field `name`, which here is the venue's.
        let mut mistakes = failure.fields.clone();
        for mistake in &mut mistakes {
            mistake.field = "checkpoint".into();
        }
        form.blame(&page, &mistakes, NAMES);
    }
    let new = new_venue(&form, ward);
    if first.is_err() {
        note_mistakes(&app, &page, &mut form, &new);
        return register_page(&frame, form, wards, StatusCode::UNPROCESSABLE_ENTITY);
    }
    let first = first?;
    let made = api::venues::register_with(&app, &frame.request, new).await;
    let (venue, account, _) = match made {
        Ok(made) => made,
        Err(failure) if failure.kind == Kind::Invalid => {
            form.blame(&page, &failure.fields, NAMES);
            return register_page(&frame, form, wards, StatusCode::UNPROCESSABLE_ENTITY);
        }
        Err(failure) if failure.kind == Kind::Conflict => {
            form.fail(&page, "contact_phone", "taken");
            return register_page(&frame, form, wards, StatusCode::CONFLICT);
        }
        Err(failure) => return Err(failure),
    };
    let checkpoint = app
        .db
        .write(async |tx| venues::add_checkpoint(tx, &app.keys, &app.random, &venue, &first).await)
        .await?;
    app.directory.put(&venue, &checkpoint);
    let to = format!("/venues/{}?fresh=1", venue.public_id);
    open_session(&frame, &account, &to).await
}

fn new_venue(form: &Form, ward: Option<String>) -> NewVenue {
    let text = |name: &str| form.v(name).to_owned();
    NewVenue {
        name: text("name"),
        kind: text("kind"),
        address: NewAddress {
            province: text("province"),
            ward: ward.unwrap_or_default(),
            street: text("street"),
        },
        contact: NewContact {
            name: text("contact_name"),
            phone: text("contact_phone"),
        },
        password: form.raw("password"),
    }
}

/// Notes everything else that is wrong, so that one look at the form shows it all.
fn note_mistakes(app: &App, page: &Page, form: &mut Form, new: &NewVenue) {
    if let Err(Failure { fields, .. }) = new.parse(&app.regions) {
        form.blame(page, &fields, NAMES);
    }
}
