//! Requests as work items: what was asked, by when it is due, what became of it.
//!
//! Most are done in the moment in which they are made. What stays open is what people must do: a
//! request in other words, and an erasure that a case holds up. Whose request it is, is wiped with the
//! last thing to do. Every change of state is in the audit log, under the id of the request.

use uuid::Uuid;

use super::{Desk, due, session};
use crate::{
    accounts::Account,
    base::{Timestamp, ids},
    identity::{PersonId, Phone},
    privacy::audit,
    store::{Error, Tx},
};

/// What was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// To see and to take along.
    Access,
    /// To correct.
    Correct,
    /// To take consent back.
    Withdraw,
    /// To erase.
    Erase,
    /// Something else: to restrict, to object, or about data under a card number.
    Other,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Access,
        Self::Correct,
        Self::Withdraw,
        Self::Erase,
        Self::Other,
    ];

    /// As it is stored.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Access => "access",
            Self::Correct => "correct",
            Self::Withdraw => "withdraw",
            Self::Erase => "erase",
            Self::Other => "other",
        }
    }

    /// The kind of this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

/// What has become of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Somebody has to do something.
    Open,
    /// The service is at it.
    Running,
    /// A case holds what is asked for.
    Held,
    /// It was granted.
    Done,
    /// It was refused, and the person was told why.
    Refused,
}

impl State {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Open,
        Self::Running,
        Self::Held,
        Self::Done,
        Self::Refused,
    ];

    /// As it is stored.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Running => "running",
            Self::Held => "held",
            Self::Done => "done",
            Self::Refused => "refused",
        }
    }

    /// The state of this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == name)
    }
}

/// A request, without whose it is.
#[derive(Clone, Copy, Debug)]
pub struct Request {
    /// Its id.
    pub id: Uuid,
    /// What was asked for.
    pub kind: Kind,
    /// What has become of it.
    pub state: State,
    /// When it came.
    pub received_at: Timestamp,
    /// By when the person must have had a first reply.
    pub reply_due_at: Timestamp,
    /// By when it must be granted.
    pub due_at: Timestamp,
    /// When the person had a first reply.
    pub replied_at: Option<Timestamp>,
    /// When it was put off.
    pub extended_at: Option<Timestamp>,
    /// When it was closed.
    pub closed_at: Option<Timestamp>,
    /// Until when a case holds what it asks for.
    pub held_until: Option<Timestamp>,
    /// Whether there is a number to call back.
    pub has_phone: bool,
}

#[derive(sqlx::FromRow)]
struct Row {
    id: Uuid,
    kind: String,
    state: String,
    received_at: Timestamp,
    reply_due_at: Timestamp,
    due_at: Timestamp,
    replied_at: Option<Timestamp>,
    extended_at: Option<Timestamp>,
    closed_at: Option<Timestamp>,
    held_until: Option<Timestamp>,
    phone_sealed: Option<Vec<u8>>,
}

impl Row {
    fn read(self) -> Option<Request> {
        Some(Request {
            id: self.id,
            kind: Kind::parse(&self.kind)?,
            state: State::parse(&self.state)?,
            received_at: self.received_at,
            reply_due_at: self.reply_due_at,
            due_at: self.due_at,
            replied_at: self.replied_at,
            extended_at: self.extended_at,
            closed_at: self.closed_at,
            held_until: self.held_until,
            has_phone: self.phone_sealed.is_some(),
        })
    }
}

/// A request to be noted.
struct New<'a> {
    kind: Kind,
    state: State,
    person: Option<PersonId>,
    phone: Option<&'a Phone>,
}

async fn insert(tx: &mut Tx, desk: &Desk<'_>, new: New<'_>) -> Result<Uuid, Error> {
    let door = desk.door;
    let (now, id) = (tx.now(), ids::v4(&door.random));
    let closed = matches!(new.state, State::Done);
    let sealed = new.phone.map(|phone| {
        session::seal_phone(
            &door.keys,
            "rights_requests",
            id.as_bytes(),
            phone,
            &door.random,
        )
    });
    tx.query(
        "INSERT INTO rights_requests (id, kind, state, person_id, phone_sealed, received_at,
                                      reply_due_at, due_at, replied_at, closed_at, rows_erased)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 0)",
    )
    .bind(id)
    .bind(new.kind.as_str())
    .bind(new.state.as_str())
    .bind(new.person.map(|person| person.as_bytes().to_vec()))
    .bind(sealed)
    .bind(now)
    .bind(due::after_working_days(
        now,
        desk.deadlines.reply_working_days,
    ))
    .bind(due::after_days(now, due::days(desk.deadlines, new.kind)))
    // A page that answers at once has replied.
    .bind((new.state != State::Open).then_some(now))
    .bind(closed.then_some(now))
    .execute()
    .await?;
    Ok(id)
}

/// Note a request that is granted in this transaction.
pub(super) async fn done(tx: &mut Tx, desk: &Desk<'_>, kind: Kind) -> Result<Uuid, Error> {
    let new = New {
        kind,
        state: State::Done,
        person: None,
        phone: None,
    };
    insert(tx, desk, new).await
}

/// Note a request that the service is at, and goes on with if it is interrupted.
pub(super) async fn begin(
    tx: &mut Tx,
    desk: &Desk<'_>,
    kind: Kind,
    person: PersonId,
) -> Result<Uuid, Error> {
    let new = New {
        kind,
        state: State::Running,
        person: Some(person),
        phone: None,
    };
    insert(tx, desk, new).await
}

/// Note a request in other words of somebody who proved `phone`, for people to answer.
///
/// # Errors
///
/// Those of the store.
pub async fn leave(tx: &mut Tx, desk: &Desk<'_>, phone: &Phone) -> Result<Uuid, Error> {
    let new = New {
        kind: Kind::Other,
        state: State::Open,
        person: None,
        phone: Some(phone),
    };
    let id = insert(tx, desk, new).await?;
    note(tx, None, "rights.requested", id).await?;
    Ok(id)
}

/// Note a request that came by another way, such as a letter. Whose it is stays on paper.
///
/// # Errors
///
/// Those of the store.
pub async fn enter(tx: &mut Tx, desk: &Desk<'_>, by: &Account, kind: Kind) -> Result<Uuid, Error> {
    let new = New {
        kind,
        state: State::Open,
        person: None,
        phone: None,
    };
    let id = insert(tx, desk, new).await?;
    note(tx, Some(by.id), "rights.entered", id).await?;
    Ok(id)
}

/// Write the audit entry of a change of the request `id`.
pub(super) async fn note(
    tx: &mut Tx,
    actor: Option<Uuid>,
    action: &'static str,
    id: Uuid,
) -> Result<(), Error> {
    let entry = audit::Entry {
        actor,
        action,
        subject: id.to_string(),
        ..audit::Entry::default()
    };
    audit::append(tx, entry).await
}

/// The request `id`.
pub(super) async fn find(tx: &mut Tx, id: Uuid) -> Result<Option<Request>, Error> {
    let row: Option<Row> = tx
        .query(
            "SELECT id, kind, state, received_at, reply_due_at, due_at, replied_at, extended_at,
                    closed_at, held_until, phone_sealed
             FROM rights_requests WHERE id = $1",
        )
        .bind(id)
        .optional()
        .await?;
    Ok(row.and_then(Row::read))
}

/// What is left to do, the most urgent first: at most `limit`.
///
/// # Errors
///
/// Those of the store.
pub async fn left_to_do(tx: &mut Tx, limit: i64) -> Result<Vec<Request>, Error> {
    let rows: Vec<Row> = tx
        .query(
            "SELECT id, kind, state, received_at, reply_due_at, due_at, replied_at, extended_at,
                    closed_at, held_until, phone_sealed
             FROM rights_requests WHERE state IN ('open', 'running', 'held')
             ORDER BY due_at, id LIMIT $1",
        )
        .bind(limit)
        .all()
        .await?;
    Ok(rows.into_iter().filter_map(Row::read).collect())
}

/// What was closed last, the latest first: at most `limit`.
///
/// # Errors
///
/// Those of the store.
pub async fn closed(tx: &mut Tx, limit: i64) -> Result<Vec<Request>, Error> {
    let rows: Vec<Row> = tx
        .query(
            "SELECT id, kind, state, received_at, reply_due_at, due_at, replied_at, extended_at,
                    closed_at, held_until, phone_sealed
             FROM rights_requests WHERE closed_at IS NOT NULL
             ORDER BY closed_at DESC, id LIMIT $1",
        )
        .bind(limit)
        .all()
        .await?;
    Ok(rows.into_iter().filter_map(Row::read).collect())
}

/// What of `person` is not finished.
///
/// # Errors
///
/// Those of the store.
pub async fn of_person(tx: &mut Tx, person: PersonId) -> Result<Vec<Request>, Error> {
    let rows: Vec<Row> = tx
        .query(
            "SELECT id, kind, state, received_at, reply_due_at, due_at, replied_at, extended_at,
                    closed_at, held_until, phone_sealed
             FROM rights_requests WHERE person_id = $1 AND closed_at IS NULL
             ORDER BY received_at LIMIT 20",
        )
        .bind(person.as_bytes().to_vec())
        .all()
        .await?;
    Ok(rows.into_iter().filter_map(Row::read).collect())
}

/// Close a request, and wipe whose it is.
pub(super) async fn close(tx: &mut Tx, id: Uuid, state: State) -> Result<(), Error> {
    let now = tx.now();
    tx.query(
        "UPDATE rights_requests SET state = $2, closed_at = $3, person_id = NULL,
                phone_sealed = NULL, held_until = NULL,
                replied_at = COALESCE(replied_at, $3)
         WHERE id = $1",
    )
    .bind(id)
    .bind(state.as_str())
    .bind(now)
    .execute()
    .await
    .map(drop)
}
