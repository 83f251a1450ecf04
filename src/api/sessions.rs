//! Logging in and out, proving oneself again, and the account's own sessions.

use actix_web::{HttpRequest, HttpResponse, web};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    accounts::{self, ACCESS_SECONDS, Account, Login},
    base::{Failure, FieldError, Kind, Timestamp, failure::Result},
    http::{
        AnyRole, App, Caller, Fresh, Json, List, PageQuery, Path, Query, Shared, client_address,
        problem::Problem,
    },
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
    /// The one-time password, for accounts that have a second factor: 6 digits, good once.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = Password)]
    otp: Option<SecretString>,
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

/// A one-time password as it was typed; nothing when the field was left empty.
fn typed(otp: Option<&SecretString>) -> Option<&str> {
    use secrecy::ExposeSecret as _;
    otp.map(|otp| otp.expose_secret().trim())
        .filter(|otp| !otp.is_empty())
}

/// Prove who is calling by login, password and, where the role has a second factor, one-time password.
/// An unknown login takes as long and is answered as a wrong password, and so is a wrong one-time
/// password; that one is needed is said only to who knows the password.
///
/// # Errors
///
/// [`Kind::LoginFailed`], [`Kind::OtpNeeded`], [`Kind::OtpUsed`], [`Kind::TooMany`].
pub async fn prove(
    app: &App,
    request: &HttpRequest,
    login: &str,
    password: SecretString,
    otp: Option<&SecretString>,
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
    let account = account.filter(|_| right).ok_or(Kind::LoginFailed)?;
    if account.role.has_second_factor() {
        spend(app, account.id, typed(otp).ok_or(Kind::OtpNeeded)?).await?;
    }
    Ok(account)
}

async fn spend(app: &App, account: Uuid, otp: &str) -> Result<()> {
    app.db
        .write(async |tx| accounts::spend(tx, &app.keys, account, otp).await)
        .await?
        .judge()
}

/// Prove in a session that is open that its account is still the one who calls: by one-time password,
/// or by the password where the role has no second factor. The session is not touched.
///
/// # Errors
///
/// As [`prove`]; [`Kind::Invalid`] when what proves is missing.
pub async fn prove_again(
    app: &App,
    request: &HttpRequest,
    account: &Account,
    otp: Option<&SecretString>,
    password: Option<SecretString>,
) -> Result<()> {
    let name = account.id.to_string();
    app.limits.login(client_address(request), &name)?;
    if account.role.has_second_factor() {
        let otp = typed(otp).ok_or_else(|| FieldError::required("otp"))?;
        return spend(app, account.id, otp).await;
    }
    let password = password.ok_or_else(|| FieldError::required("password"))?;
    let stored = app
        .db
        .read(async |tx| accounts::password_hash_of(tx, account.id).await)
        .await?;
    let right = app.passwords.verify(password, stored).await?;
    if right {
        Ok(())
    } else {
        Err(Kind::LoginFailed.into())
    }
}

/// Log in. Roles that read about people log in with a one-time password, too: without it the answer is
/// 401 `otp_needed`, and one that was used before is 401 `otp_used`.
#[utoipa::path(post, path = "/api/v1/sessions", tag = "Sessions", request_body = Credentials,
    responses((status = 200, body = Tokens), (status = 401, body = Problem)))]
pub async fn log_in(
    app: Shared,
    request: HttpRequest,
    body: Json<Credentials>,
) -> Result<web::Json<Tokens>> {
    let Credentials {
        login,
        password,
        otp,
    } = body.0;
    let account = prove(&app, &request, &login, password, otp.as_ref()).await?;
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

/// What proves again who is calling.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Proof {
    /// The one-time password, for accounts that have a second factor.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = Password)]
    otp: Option<SecretString>,
    /// The password, for those that have none.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = Password)]
    password: Option<SecretString>,
}

/// Prove again who is calling, after 403 `proof_needed`. It holds for 15 minutes and for all tokens of
/// this login.
#[utoipa::path(post, path = "/api/v1/sessions/current/proof", tag = "Sessions",
    security(("bearer" = [])), request_body = Proof,
    responses((status = 204), (status = 401, body = Problem), (status = 422, body = Problem),
        (status = 429, body = Problem)))]
pub async fn proof(
    app: Shared,
    caller: Caller<AnyRole>,
    request: HttpRequest,
    body: Json<Proof>,
) -> Result<HttpResponse> {
    let Proof { otp, password } = body.0;
    prove_again(&app, &request, &caller.account, otp.as_ref(), password).await?;
    app.db
        .append(async |tx| accounts::proved(tx, caller.family).await)
        .await?;
    Ok(HttpResponse::NoContent().finish())
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

/// A session of this account that is open.
#[derive(Debug, Serialize, ToSchema)]
pub struct SessionView {
    id: Uuid,
    /// `browser` or `program`.
    kind: &'static str,
    /// Whether it is the one that asks.
    current: bool,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// Last use, to the minute; for a program, when it last fetched tokens.
    #[schema(value_type = String, format = DateTime)]
    seen_at: Timestamp,
    /// When it ends at the latest.
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
}

/// The open sessions of this account, the last used first; at most 200.
#[utoipa::path(get, path = "/api/v1/sessions", tag = "Sessions", security(("bearer" = [])),
    params(PageQuery),
    responses((status = 200, body = List<SessionView>), (status = 401, body = Problem)))]
pub async fn list(
    app: Shared,
    caller: Caller<AnyRole>,
    query: Query<PageQuery>,
) -> Result<web::Json<List<SessionView>>> {
    let cursor = query.0.read()?;
    let from: usize = cursor.after_or(0)?;
    let open = app
        .db
        .read(async |tx| accounts::list(tx, caller.account.id).await)
        .await?;
    let numbered = open.into_iter().enumerate().skip(from).collect();
    let page = cursor.list(numbered, |(at, _)| (at + 1).to_string());
    Ok(web::Json(page.map(|(_, open)| SessionView {
        id: open.family,
        kind: if open.is_browser {
            "browser"
        } else {
            "program"
        },
        current: open.family == caller.family,
        created_at: open.created_at,
        seen_at: open.seen_at,
        expires_at: open.expires_at,
    })))
}

/// End one of this account's sessions.
#[utoipa::path(delete, path = "/api/v1/sessions/{id}", tag = "Sessions",
    security(("bearer" = [])), params(("id" = Uuid, Path, description = "The session")),
    responses((status = 204), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem)))]
pub async fn end(
    app: Shared,
    caller: Caller<Fresh<AnyRole>>,
    id: Path<Uuid>,
) -> Result<HttpResponse> {
    let ended = app
        .db
        .append(async |tx| accounts::end_one(tx, caller.account.id, id.0).await)
        .await?;
    if ended {
        Ok(HttpResponse::NoContent().finish())
    } else {
        Err(Kind::NotFound.into())
    }
}

/// Log out everywhere: end all sessions of this account, this one too.
#[utoipa::path(delete, path = "/api/v1/sessions", tag = "Sessions", security(("bearer" = [])),
    responses((status = 204), (status = 401, body = Problem), (status = 403, body = Problem)))]
pub async fn end_all(app: Shared, caller: Caller<Fresh<AnyRole>>) -> Result<HttpResponse> {
    app.db
        .append(async |tx| accounts::end_all(tx, caller.account.id).await)
        .await?;
    Ok(HttpResponse::NoContent().finish())
}

fn tokens(app: &App, account: &Account, family: Uuid, refresh: &accounts::Secret) -> Tokens {
    Tokens {
        access_token: app.access.sign(account.id, family, app.clock.now()),
        token_type: "Bearer",
        expires_in: ACCESS_SECONDS,
        refresh_token: refresh.text().to_owned(),
    }
}
