//! Who is calling: the permission is a type in the handler's signature.

use std::{future::Future, marker::PhantomData, pin::Pin};

use actix_web::{FromRequest, HttpRequest, dev::Payload};
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

impl<P: Permission> FromRequest for Caller<P> {
    type Error = Failure;
    type Future = Later<Self>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let app = shared(request);
        let token = request
            .headers()
            .get("authorization")
            .and_then(|value| value.to_str().ok())
            .and_then(|value| {
                let (scheme, token) = value.split_once(' ')?;
                scheme
                    .eq_ignore_ascii_case("bearer")
                    .then(|| token.to_owned())
            });
        Box::pin(async move {
            let app = app?;
            let (account, family) = token
                .and_then(|token| app.access.read(&token, app.clock.now()))
                .ok_or(Kind::Unauthorized)?;
            let account = app
                .db
                .read(async |tx| accounts::account_of_access(tx, account, family).await)
                .await?
                .ok_or(Kind::Unauthorized)?;
            permitted::<P>(&account)?;
            Ok(Self {
                account,
                family,
                permission: PhantomData,
            })
        })
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
        })
    }
}
