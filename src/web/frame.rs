//! What a request says before its page is drawn: language, who is logged in, form token.
//!
//! [`Frame`] is for everybody; [`Own`] is a frame with an account of the permitted roles, so that
//! the permission stands in the handler's type, as on the JSON edge. Both read the session once.

use std::{future::Future, marker::PhantomData, pin::Pin};

use actix_web::{
    FromRequest, HttpRequest, HttpResponse, HttpResponseBuilder,
    cookie::{Cookie, SameSite, time::Duration},
    dev::Payload,
    http::{StatusCode, header},
};
use askama::Template;
use uuid::Uuid;

use super::{
    page::{Bar, Page},
    texts::Lang,
};
use crate::{
    accounts::{self, Account, Role},
    base::{Failure, Kind},
    http::{AnyRole, App, BrowserCaller, COOKIE, Officers, Owners, Permission, Shared, Stewards},
};

/// The cookie that a form's token is bound to while nobody is logged in.
const FORM_COOKIE: &str = "dkd_form";
/// The cookie that keeps the language chosen by the switch.
const LANG_COOKIE: &str = "dkd_lang";
/// Letters at the beginning of a session's cookie that are its id.
const SESSION_ID: usize = 32;
/// How long the choice of a language is kept: a year.
const LANG_DAYS: i64 = 365;

type Later<T> = Pin<Box<dyn Future<Output = Result<T, Failure>>>>;

/// A request for a page.
pub struct Frame {
    /// The application.
    pub app: Shared,
    /// The request itself, for cookies and the address.
    pub request: HttpRequest,
    /// The language of the answer.
    pub lang: Lang,
    account: Option<Account>,
    login: Option<String>,
    fresh_form: Option<String>,
}

/// A request for a page by somebody of `P`'s roles.
pub struct Own<P> {
    /// The request.
    pub frame: Frame,
    /// The account.
    pub account: Account,
    /// Its session.
    pub session: Uuid,
    /// Whether the last proof is of the last quarter of an hour.
    pub is_fresh: bool,
    permission: PhantomData<P>,
}

impl Frame {
    async fn of(request: HttpRequest, account: Option<Account>) -> Result<Self, Failure> {
        let app = shared(&request)?;
        let login = match &account {
            Some(account) => {
                let id = account.id;
                let read = async |tx: &mut _| accounts::login_of(tx, &app.keys, id).await;
                Some(app.db.read(read).await?)
            }
            None => None,
        };
        let has_form_cookie = request.cookie(&app.cookie_name(FORM_COOKIE)).is_some();
        let fresh_form =
            (!has_form_cookie && account.is_none()).then(|| hex(&app.random.bytes::<16>()));
        Ok(Self {
            lang: lang_of(&request, &app),
            app,
            request,
            account,
            login,
            fresh_form,
        })
    }

    /// The page's own part of the context.
    #[must_use]
    pub fn page(&self) -> Page {
        let mut page = Page::new(self.lang);
        page.retention_days = u32::from(self.app.settings.retention_days);
        page.token = binding(&self.request, &self.app)
            .or_else(|| self.fresh_form.clone())
            .map(|bound| token(&self.app, &bound))
            .unwrap_or_default();
        page.bar = self.account.as_ref().map(|account| Bar {
            login: self.login.clone().unwrap_or_default(),
            venues: Owners::ROLES.contains(&account.role),
            cases: Officers::ROLES.contains(&account.role),
            requests: Stewards::ROLES.contains(&account.role),
        });
        page
    }

    /// What forms of this browser are bound to: its session, or the cookie made for forms, which may
    /// be set with this very answer.
    #[must_use]
    pub fn bound(&self) -> Option<String> {
        binding(&self.request, &self.app).or_else(|| self.fresh_form.clone())
    }

    /// The page as an answer. It may hold somebody's data, so no cache keeps it.
    ///
    /// # Errors
    ///
    /// [`Kind::Internal`] when the template fails.
    pub fn show(&self, page: &impl Template) -> Result<HttpResponse, Failure> {
        self.show_with(StatusCode::OK, page)
    }

    /// The page as an answer with this status.
    ///
    /// # Errors
    ///
    /// [`Kind::Internal`] when the template fails.
    pub fn show_with(
        &self,
        status: StatusCode,
        page: &impl Template,
    ) -> Result<HttpResponse, Failure> {
        let body = page.render().map_err(Failure::internal)?;
        let mut answer = HttpResponse::build(status);
        answer
            .content_type("text/html; charset=utf-8")
            .insert_header((header::CONTENT_LANGUAGE, self.lang.code()))
            .insert_header((header::CACHE_CONTROL, "no-store"));
        if let Some(value) = &self.fresh_form {
            answer.cookie(self.cookie(FORM_COOKIE, value.clone(), None));
        }
        if chosen(&self.request).is_some() {
            let days = Duration::days(LANG_DAYS);
            answer.cookie(self.cookie(LANG_COOKIE, self.lang.code().to_owned(), Some(days)));
        }
        Ok(answer.body(body))
    }

    /// The cookie of a session. Who reads about people is never sent in by a link from elsewhere.
    #[must_use]
    pub fn session_cookie(&self, role: Role, secret: String) -> Cookie<'static> {
        let mut cookie = self.cookie(COOKIE, secret, None);
        if role.has_second_factor() {
            cookie.set_same_site(SameSite::Strict);
        }
        cookie
    }

    /// A cookie of ours: out of reach of scripts, not sent along by other sites' forms. Without an
    /// age it ends with the browser.
    #[must_use]
    pub fn cookie(&self, name: &str, value: String, age: Option<Duration>) -> Cookie<'static> {
        let mut cookie = Cookie::build(self.app.cookie_name(name), value)
            .path("/")
            .http_only(true)
            .same_site(SameSite::Lax)
            .secure(self.app.is_secure())
            .finish();
        if let Some(age) = age {
            cookie.set_max_age(age);
        }
        cookie
    }

    /// The value of a cookie of ours.
    #[must_use]
    pub fn cookie_value(&self, name: &str) -> Option<String> {
        self.request
            .cookie(&self.app.cookie_name(name))
            .map(|cookie| cookie.value().to_owned())
    }
}

impl FromRequest for Frame {
    type Error = Failure;
    type Future = Later<Self>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let caller = session_cookie(request)
            .is_some()
            .then(|| BrowserCaller::<AnyRole>::from_request(request, payload));
        let request = request.clone();
        Box::pin(async move {
            let account = match caller {
                Some(caller) => match caller.await {
                    Ok(caller) => Some(caller.account),
                    Err(failure) if failure.kind == Kind::Unauthorized => None,
                    Err(failure) => return Err(failure),
                },
                None => None,
            };
            Self::of(request, account).await
        })
    }
}

impl<P: Permission> FromRequest for Own<P> {
    type Error = Failure;
    type Future = Later<Self>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let caller = BrowserCaller::<P>::from_request(request, payload);
        let request = request.clone();
        Box::pin(async move {
            let caller = caller.await?;
            let frame = Frame::of(request, Some(caller.account.clone())).await?;
            Ok(Self {
                frame,
                account: caller.account,
                session: caller.family,
                is_fresh: caller.is_fresh,
                permission: PhantomData,
            })
        })
    }
}

/// On to another page of ours, by GET.
#[must_use]
pub fn go(to: &str) -> HttpResponseBuilder {
    let mut answer = HttpResponse::SeeOther();
    answer
        .insert_header((header::LOCATION, to))
        .insert_header((header::CACHE_CONTROL, "no-store"));
    answer
}

/// The application behind a request.
pub(super) fn shared(request: &HttpRequest) -> Result<Shared, Failure> {
    request
        .app_data::<Shared>()
        .cloned()
        .ok_or_else(|| Kind::Internal.into())
}

fn session_cookie(request: &HttpRequest) -> Option<String> {
    let app = shared(request).ok()?;
    let cookie = request.cookie(&app.cookie_name(COOKIE))?;
    Some(cookie.value().to_owned())
}

/// The language asked for in the address.
fn chosen(request: &HttpRequest) -> Option<Lang> {
    request
        .query_string()
        .split('&')
        .find_map(|pair| pair.strip_prefix("lang="))
        .and_then(Lang::from_code)
}

/// The language of a request: by the address, else by the cookie, else by the browser's settings.
pub(super) fn lang_of(request: &HttpRequest, app: &App) -> Lang {
    let kept = || {
        let cookie = request.cookie(&app.cookie_name(LANG_COOKIE))?;
        Lang::from_code(cookie.value())
    };
    let accepted = || {
        let header = request.headers().get(header::ACCEPT_LANGUAGE)?;
        Some(Lang::from_accept(header.to_str().ok()?))
    };
    chosen(request)
        .or_else(kept)
        .or_else(accepted)
        .unwrap_or_default()
}

/// What a form's token is bound to: the session, or the cookie made for forms. A session's cookie
/// begins with its id, which stays when a proof replaces the secret: other open forms stay good.
pub(super) fn binding(request: &HttpRequest, app: &App) -> Option<String> {
    let of_session = |cookie: String| {
        let id = cookie.get(..SESSION_ID).unwrap_or(&cookie);
        format!("session {id}")
    };
    session_cookie(request).map(of_session).or_else(|| {
        let cookie = request.cookie(&app.cookie_name(FORM_COOKIE))?;
        Some(cookie.value().to_owned())
    })
}

/// The hidden token of a form, which another site cannot know.
pub(super) fn token(app: &App, bound: &str) -> String {
    let mac = app.keys.token().mac(&[b"form", bound.as_bytes()]);
    hex(mac.get(..16).unwrap_or_default())
}

/// Bytes in hexadecimal.
pub(super) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
