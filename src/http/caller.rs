//! Who is calling: the permission is a type in the handler's signature.

use std::{
    future::{Future, Ready, ready},
    marker::PhantomData,
    pin::Pin,
};

use actix_web::{
    Error, FromRequest, HttpMessage as _, HttpRequest, ResponseError as _,
    body::{EitherBody, MessageBody},
    dev::{Payload, ServiceRequest, ServiceResponse},
    middleware::Next,
};
use uuid::Uuid;

use crate::{
    accounts::{self, Account, Alive, Role},
    base::{Failure, Kind, Timestamp},
    http::Shared,
    store,
};

/// A set of roles that may do something.
pub trait Permission: 'static {
    /// The roles.
    const ROLES: &'static [Role];
    /// Whether it takes a proof of the last quarter of an hour.
    const FRESH: bool = false;
}

/// What `P` permits, to somebody who has proved who they are within the last quarter of an hour. It
/// stands before whatever opens names, and before what ends other sessions.
#[derive(Clone, Copy, Debug)]
pub struct Fresh<P>(PhantomData<P>);

impl<P: Permission> Permission for Fresh<P> {
    const ROLES: &'static [Role] = P::ROLES;
    const FRESH: bool = true;
}

macro_rules! permissions {
    ($($(#[$doc:meta])* $name:ident = [$($role:ident),*];)*) => { $(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug)]
        pub struct $name;
        impl Permission for $name { const ROLES: &'static [Role] = &[$(Role::$role),*]; }
    )* };
}

permissions! {
    /// Owners of venues.
    Owners = [VenueOwner];
    /// Officers of the health department.
    Officers = [HealthOfficer, HealthLead];
    /// The second person of the health department.
    LeadOnly = [HealthLead];
    /// Those who look after what people ask about their data.
    Stewards = [HealthLead, Operator];
    /// Operators of the service.
    Operators = [Operator];
    /// Everybody with an account.
    AnyRole = [VenueOwner, Gatekeeper, HealthOfficer, HealthLead, Overseer, HotlineAgent, Operator];
}

/// A program that has proved by an access token that it acts for an account of one of `P`'s roles.
#[derive(Debug)]
pub struct Caller<P> {
    /// The account.
    pub account: Account,
    /// Its family of tokens.
    pub family: Uuid,
    permission: PhantomData<P>,
}

/// A browser that has proved by its cookie that it acts for an account of one of `P`'s roles.
#[derive(Debug)]
pub struct BrowserCaller<P> {
    /// The account.
    pub account: Account,
    /// Its session.
    pub family: Uuid,
    /// Whether the last proof is of the last quarter of an hour.
    pub is_fresh: bool,
    permission: PhantomData<P>,
}

/// The session cookie's name over plain HTTP; over HTTPS it has `__Host-` before it.
pub const COOKIE: &str = "dkd_session";

type Later<T> = Pin<Box<dyn Future<Output = Result<T, Failure>>>>;

fn shared(request: &HttpRequest) -> Result<Shared, Failure> {
    request
        .app_data::<Shared>()
        .cloned()
        .ok_or_else(|| Kind::Internal.into())
}

fn permitted<P: Permission>(alive: &Alive, now: Timestamp) -> Result<(), Failure> {
    if !P::ROLES.contains(&alive.account.role) {
        Err(Kind::Forbidden.into())
    } else if P::FRESH && !alive.is_fresh(now) {
        Err(Kind::ProofNeeded.into())
    } else {
        Ok(())
    }
}

/// Who was let through by [`judge`].
#[derive(Clone)]
struct Judged(Alive);

/// Let through only accounts of `roles`, by access token, before anything of the request is read.
///
/// It stands before the extractors because these run side by side: a body that is refused would be
/// answered before the role is.
///
/// # Errors
///
/// Those of the handler; a refusal is an answer.
pub async fn judge<B: MessageBody>(
    roles: &'static [Role],
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, Error> {
    match account_of(&request, roles).await {
        Ok(judged) => {
            request.extensions_mut().insert(judged);
            Ok(next.call(request).await?.map_into_left_body())
        }
        Err(failure) => Ok(request
            .into_response(failure.error_response())
            .map_into_right_body()),
    }
}

async fn account_of(request: &ServiceRequest, roles: &[Role]) -> Result<Judged, Failure> {
    let app = shared(request.request())?;
    let token = request
        .headers()
        .get("authorization")
        .and_then(|value| value.to_str().ok())
        .and_then(|value| {
            let (scheme, token) = value.split_once(' ')?;
            scheme.eq_ignore_ascii_case("bearer").then_some(token)
        });
    let (account, family) = token
        .and_then(|token| app.access.read(token, app.clock.now()))
        .ok_or(Kind::Unauthorized)?;
    app.limits.account(account)?;
    let alive = app
        .db
        .read(async |tx| accounts::account_of_access(tx, account, family).await)
        .await?
        .ok_or(Kind::Unauthorized)?;
    if !roles.contains(&alive.account.role) {
        return Err(Kind::Forbidden.into());
    }
    Ok(Judged(alive))
}

impl<P: Permission> FromRequest for Caller<P> {
    type Error = Failure;
    type Future = Ready<Result<Self, Failure>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let judged = request.extensions().get::<Judged>().cloned();
        let caller = || {
            let Judged(alive) = judged.ok_or(Kind::Unauthorized)?;
            permitted::<P>(&alive, shared(request)?.clock.now())?;
            Ok(Self {
                account: alive.account,
                family: alive.family,
                permission: PhantomData,
            })
        };
        ready(caller())
    }
}

impl<P: Permission> FromRequest for BrowserCaller<P> {
    type Error = Failure;
    type Future = Later<Self>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let app = shared(request);
        let request = request.clone();
        Box::pin(async move {
            let app = app?;
            let secret = request
                .cookie(&app.cookie_name(COOKIE))
                .map(|cookie| cookie.value().to_owned())
                .ok_or(Kind::Unauthorized)?;
            let alive = app
                .db
                .read(async |tx| accounts::account_of_browser(tx, &secret).await)
                .await?
                .ok_or(Kind::Unauthorized)?;
            app.limits.account(alive.account.id)?;
            if alive.touch_due {
                app.db
                    .append(async |tx| {
                        accounts::touch(tx, alive.family).await?;
                        Ok::<_, store::Error>(())
                    })
                    .await?;
            }
            let now = app.clock.now();
            permitted::<P>(&alive, now)?;
            Ok(Self {
                is_fresh: alive.is_fresh(now),
                account: alive.account,
                family: alive.family,
                permission: PhantomData,
            })
        })
    }
}
