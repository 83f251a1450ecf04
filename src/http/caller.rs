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
    accounts::{self, Account, Role},
    base::{Failure, Kind},
    http::Shared,
    store,
};

/// A set of roles that may do something.
pub trait Permission: 'static {
    /// The roles.
    const ROLES: &'static [Role];
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

fn permitted<P: Permission>(account: &Account) -> Result<(), Failure> {
    if P::ROLES.contains(&account.role) {
        Ok(())
    } else {
        Err(Kind::Forbidden.into())
    }
}

/// Who was let through by [`judge`].
#[derive(Clone)]
struct Judged(Account, Uuid);

/// Let through only accounts of `roles`, by access token, before anything of the request is read.
///
/// It stands before the extractors because these run side by side: a body that is refused would cut
/// off the look at the account, and a database transaction must never be cut off.
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
    let account = app
        .db
        .read(async |tx| accounts::account_of_access(tx, account, family).await)
        .await?
        .ok_or(Kind::Unauthorized)?;
    if !roles.contains(&account.role) {
        return Err(Kind::Forbidden.into());
    }
    Ok(Judged(account, family))
}

impl<P: Permission> FromRequest for Caller<P> {
    type Error = Failure;
    type Future = Ready<Result<Self, Failure>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let judged = request.extensions().get::<Judged>().cloned();
        ready(match judged {
            None => Err(Kind::Unauthorized.into()),
            Some(Judged(account, family)) => permitted::<P>(&account).map(|()| Self {
                account,
                family,
                permission: PhantomData,
            }),
        })
    }
}

/// Run `work` to its end even if nobody waits for it any more. Extractors run side by side and the
/// first that fails drops the others; a database transaction must not be dropped while it begins.
///
/// # Errors
///
/// Those of `work`.
pub async fn uncut<T: 'static>(
    work: impl Future<Output = Result<T, Failure>> + 'static,
) -> Result<T, Failure> {
    actix_web::rt::spawn(work)
        .await
        .unwrap_or_else(|error| Err(Failure::internal(error)))
}

impl<P: Permission> FromRequest for BrowserCaller<P> {
    type Error = Failure;
    type Future = Later<Self>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let app = shared(request);
        let request = request.clone();
        Box::pin(uncut(async move {
            let app = app?;
            let secret = request
                .cookie(&app.cookie_name(COOKIE))
                .map(|cookie| cookie.value().to_owned())
                .ok_or(Kind::Unauthorized)?;
            let (account, family, due) = app
                .db
                .read(async |tx| accounts::account_of_browser(tx, &secret).await)
                .await?
                .ok_or(Kind::Unauthorized)?;
            if due {
                app.db
                    .append(async |tx| {
                        accounts::touch(tx, family).await?;
                        Ok::<_, store::Error>(())
                    })
                    .await?;
            }
            permitted::<P>(&account)?;
            Ok(Self {
                account,
                family,
                permission: PhantomData,
            })
        }))
    }
}
