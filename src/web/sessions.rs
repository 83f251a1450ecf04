//! The account's own sessions: where one is logged in, and logging out there or everywhere.

use actix_web::{HttpResponse, http::StatusCode};
use uuid::Uuid;

use super::{
    frame::{Own, go},
    proof::Proven,
    sign::logged_out,
    views::{SessionRow, Sessions},
};
use crate::{
    accounts::{self, Open},
    base::{Kind, failure::Result},
    http::AnyRole,
};

/// `GET /sessions`.
pub async fn list(own: Own<AnyRole>) -> Result<HttpResponse> {
    let account = own.account.id;
    let open = own
        .frame
        .app
        .db
        .read(async |tx| accounts::list(tx, account).await)
        .await?;
    let page = own.frame.page();
    let rows = open.into_iter().map(|open: Open| SessionRow {
        id: open.family.to_string(),
        is_browser: open.is_browser,
        is_this: open.family == own.session,
        created: page.moment(open.created_at),
        seen: page.moment(open.seen_at),
        until: page.moment(open.expires_at),
    });
    let shown = Sessions {
        rows: rows.collect(),
        p: own.frame.page(),
    };
    own.frame.show_with(StatusCode::OK, &shown)
}

/// `POST /sessions`: end one of them, or all.
pub async fn end(sent: Proven<AnyRole>) -> Result<HttpResponse> {
    let Proven { own, form } = sent;
    let (app, account) = (&own.frame.app, own.account.id);
    if form.some("all").is_some() {
        app.db
            .append(async |tx| accounts::end_all(tx, account).await)
            .await?;
        return Ok(logged_out(&own));
    }
    let one = form.some("end").and_then(|id| Uuid::try_parse(id).ok());
    let one = one.ok_or(Kind::NotFound)?;
    app.db
        .append(async |tx| accounts::end_one(tx, account, one).await)
        .await?;
    if one == own.session {
        return Ok(logged_out(&own));
    }
    Ok(go("/sessions").finish())
}
