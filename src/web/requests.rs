//! `/requests`: what people asked about their data, and by when it is due.
//!
//! No names and no numbers stand here; a number that somebody left to be called back is opened alone,
//! by the health department, after a fresh proof and with an audit entry.

use actix_web::{HttpResponse, http::StatusCode};
use uuid::Uuid;

use super::{
    frame::{Own, go},
    page::{Choice, Page},
    proof::{self, Answered},
    sent::Sent,
    views::{RequestRow, Requests},
};
use crate::{
    accounts::Role,
    base::{Failure, Kind as Failed, Timestamp, failure::Result},
    http::Stewards,
    identity::Phone,
    rights::{
        Kind, State, Step, due,
        request::{self, Request},
        step,
    },
};

/// Requests listed at most, of those that are open and of those that were closed.
const OPEN: i64 = 200;
const CLOSED: i64 = 50;

/// A request as a list shows it.
pub fn row(page: &Page, request: &Request, now: Timestamp) -> RequestRow {
    let moment = |at: Option<Timestamp>| at.map(|at| page.moment(at)).unwrap_or_default();
    let open = request.state == State::Open;
    // The end of a day is said by its last minute.
    let end = |at: Timestamp| at.plus_ms(-1).local_date();
    let waits = request.replied_at.is_none();
    RequestRow {
        id: request.id.to_string(),
        kind: request.kind.as_str().to_owned(),
        state: request.state.as_str().to_owned(),
        received: page.moment(request.received_at),
        reply_due: if waits {
            end(request.reply_due_at)
        } else {
            String::new()
        },
        reply_late: waits && request.reply_due_at <= now,
        due: end(request.due_at),
        // What a case holds is not late: the law lets it be held.
        late: open && request.due_at <= now,
        held_until: moment(request.held_until),
        closed: moment(request.closed_at),
        can_extend: open && request.extended_at.is_none(),
        open,
        has_phone: request.has_phone,
        phone: String::new(),
    }
}

async fn page(own: &Own<Stewards>, opened: Option<(Uuid, Phone)>) -> Result<HttpResponse> {
    let frame = &own.frame;
    let app = &frame.app;
    let (open, closed) = app
        .db
        .read(async |tx| {
            let open = request::left_to_do(tx, OPEN).await?;
            Ok::<_, crate::store::Error>((open, request::closed(tx, CLOSED).await?))
        })
        .await?;
    let (page, now) = (frame.page(), app.clock.now());
    // The operator sees to deadlines and calls nobody.
    let calls = own.account.role == Role::HealthLead;
    let rows = open.iter().map(|request| {
        let mut row = row(&page, request, now);
        row.has_phone &= calls && row.open;
        if let Some((id, phone)) = &opened
            && *id == request.id
        {
            row.phone = phone.national();
            row.has_phone = false;
        }
        row
    });
    frame.show_with(
        StatusCode::OK,
        &Requests {
            open: rows.collect(),
            closed: closed
                .iter()
                .map(|request| row(&page, request, now))
                .collect(),
            kinds: Kind::ALL
                .iter()
                .map(|kind| Choice::new(kind.as_str(), page.tx("request-kind", kind.as_str())))
                .collect(),
            extension_days: due::EXTENSION_DAYS,
            p: page,
        },
    )
}

/// `GET /requests`.
pub async fn list(own: Own<Stewards>) -> Result<HttpResponse> {
    page(&own, None).await
}

/// `POST /requests`: note a request that came by another way, or what was done about one, or open
/// the number to call back.
pub async fn act(own: Own<Stewards>, sent: Sent) -> Result<HttpResponse> {
    let app = &own.frame.app;
    let form = sent.0;
    let desk = app.rights();
    if form.v("do") == "enter" {
        let kind = Kind::parse(form.v("kind")).ok_or(Failed::Malformed)?;
        app.db
            .write(async |tx| request::enter(tx, &desk, &own.account, kind).await)
            .await?;
        return Ok(go("/requests").finish());
    }
    let id = Uuid::try_parse(form.v("id")).map_err(|_| Failure::new(Failed::NotFound))?;
    if form.v("do") == "phone" {
        if own.account.role != Role::HealthLead {
            return Err(Failed::Forbidden.into());
        }
        if let Answered::Asked(asked) = proof::proven(&own, form).await? {
            return Ok(asked);
        }
        let phone = app
            .db
            .write(async |tx| step::open_phone(tx, &desk, &own.account, id).await)
            .await?;
        return page(&own, Some((id, phone))).await;
    }
    let taken = Step::parse(form.v("do")).ok_or(Failed::Malformed)?;
    app.db
        .write(async |tx| step::step(tx, &own.account, id, taken).await)
        .await?;
    Ok(go("/requests").finish())
}
