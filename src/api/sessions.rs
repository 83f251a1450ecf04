//! Logging in and out.

use actix_web::{HttpRequest, HttpResponse, web};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    accounts::{self, ACCESS_SECONDS, Account, Login},
    base::{Failure, Kind, failure::Result},
    http::{AnyRole, App, Caller, Json, Shared, client_address, problem::Problem},
    store,
};

/// Login and password.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Credentials {
    /// A phone number (venues), or a name.
    login: String,
    #[schema(value_type = String, format = Password)]
    password: SecretString,
    /// A one-time password, for accounts that have a second factor.
    #[serde(default, rename = "otp")]
    _otp: Option<String>,
}

/// Tokens for a program.
#[derive(Debug, Serialize, ToSchema)]
pub struct Tokens {
    /// For the `Authorization: Bearer` header.
    access_token: String,
    token_type: &'static str,
    /// Seconds for which the access token is good.
    expires_in: i64,
    /// Good once, for the next pair.
    refresh_token: String,
}

/// Prove who is calling by login and password. An unknown login takes as long and is answered as a
/// wrong password.
///
/// # Errors
///
/// [`Kind::LoginFailed`], [`Kind::TooMany`].
pub async fn prove(
    app: &App,
    request: &HttpRequest,
    login: &str,
    password: SecretString,
) -> Result<Account> {
    // One login in another writing is the same login, also to the limits.
    let parsed = Login::parse(login);
    let name = parsed.as_ref().map_or(login, Login::text);
    app.limits.login(client_address(request), name)?;
    let login = parsed.map_err(|_| Failure::new(Kind::LoginFailed))?;
    let found = app
        .db
        .read(async |tx| accounts::find_login(tx, &app.keys, &login).await)
        .await?;
    let (account, hash) = found.unzip();
    let right = app.passwords.verify(password, hash).await?;
    account
        .filter(|_| right)
        .ok_or_else(|| Kind::LoginFailed.into())
}

/// Log in.
#[utoipa::path(post, path = "/api/v1/sessions", tag = "Sessions", request_body = Credentials,
    responses((status = 200, body = Tokens), (status = 401, body = Problem)))]
pub async fn log_in(
    app: Shared,
    request: HttpRequest,
    body: Json<Credentials>,
) -> Result<web::Json<Tokens>> {
    let Credentials {
        login, password, ..
    } = body.0;
    let account = prove(&app, &request, &login, password).await?;
    let (family, refresh) = app
        .db
        .append(async |tx| accounts::open_family(tx, account.id, &app.random).await)
        .await?;
    Ok(web::Json(tokens(&app, &account, family, &refresh)))
}

/// A refresh token.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Refresh {
    refresh_token: String,
}

/// The next pair of tokens. A refresh token that is used twice ends its whole family.
#[utoipa::path(post, path = "/api/v1/sessions/refresh", tag = "Sessions", request_body = Refresh,
    responses((status = 200, body = Tokens), (status = 401, body = Problem)))]
pub async fn refresh(app: Shared, body: Json<Refresh>) -> Result<web::Json<Tokens>> {
    let next = app
        .db
        .write(async |tx| accounts::refresh(tx, &body.refresh_token, &app.random).await)
        .await?;
    let (account, family, secret) = next.ok_or(Kind::Unauthorized)?;
    Ok(web::Json(tokens(&app, &account, family, &secret)))
}

/// Log out: the tokens of this login are not good any more.
#[utoipa::path(delete, path = "/api/v1/sessions/current", tag = "Sessions",
    security(("bearer" = [])),
    responses((status = 204), (status = 401, body = Problem)))]
pub async fn log_out(app: Shared, caller: Caller<AnyRole>) -> Result<HttpResponse> {
    app.db
        .append(async |tx| {
            accounts::end_family(tx, caller.family).await?;
            Ok::<_, store::Error>(())
        })
        .await?;
    Ok(HttpResponse::NoContent().finish())
}

fn tokens(app: &App, account: &Account, family: uuid::Uuid, refresh: &accounts::Secret) -> Tokens {
    Tokens {
        access_token: app.access.sign(account.id, family, app.clock.now()),
        token_type: "Bearer",
        expires_in: ACCESS_SECONDS,
        refresh_token: refresh.text().to_owned(),
    }
}
