//! What people do about a request that is open. Every step is in the audit log.

use uuid::Uuid;

use super::{Desk, State, due, request, session};
use crate::{
    accounts::Account,
    base::{Kind as Failed, failure::Result},
    identity::Phone,
    privacy::audit,
    store::Tx,
};

/// What somebody did about a request that is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The person had a first reply.
    Replied,
    /// It is put off, once, by [`due::EXTENSION_DAYS`].
    Extended,
    /// It was granted.
    Done,
    /// It was refused, with reasons that the person was given.
    Refused,
}

impl Step {
    /// The step of this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "replied" => Some(Self::Replied),
            "extended" => Some(Self::Extended),
            "done" => Some(Self::Done),
            "refused" => Some(Self::Refused),
            _ => None,
        }
    }

    const fn action(self) -> &'static str {
        match self {
            Self::Replied => "rights.replied",
            Self::Extended => "rights.extended",
            Self::Done => "rights.done",
            Self::Refused => "rights.refused",
        }
    }
}

/// Note a step of the open request `id`.
///
/// # Errors
///
/// [`Failed::NotFound`] when there is no such request or it is not open; [`Failed::Conflict`] when the
/// step was taken before; those of the store.
pub async fn step(tx: &mut Tx, by: &Account, id: Uuid, step: Step) -> Result<()> {
    let request = request::find(tx, id)
        .await?
        .filter(|request| request.state == State::Open)
        .ok_or(Failed::NotFound)?;
    let now = tx.now();
    match step {
        Step::Replied if request.replied_at.is_some() => return Err(Failed::Conflict.into()),
        Step::Extended if request.extended_at.is_some() => return Err(Failed::Conflict.into()),
        Step::Replied => {
            tx.query("UPDATE rights_requests SET replied_at = $2 WHERE id = $1")
                .bind(id)
                .bind(now)
                .execute()
                .await?;
        }
        Step::Extended => {
            let due_at = due::after_days(request.due_at.plus_ms(-1), due::EXTENSION_DAYS);
            tx.query("UPDATE rights_requests SET extended_at = $2, due_at = $3 WHERE id = $1")
                .bind(id)
                .bind(now)
                .bind(due_at)
                .execute()
                .await?;
        }
        Step::Done => request::close(tx, id, State::Done).await?,
        Step::Refused => request::close(tx, id, State::Refused).await?,
    }
    request::note(tx, Some(by.id), step.action(), id).await?;
    Ok(())
}

/// The number to call back about an open request, after an audit entry.
///
/// # Errors
///
/// [`Failed::NotFound`] when there is none; those of the store.
pub async fn open_phone(tx: &mut Tx, desk: &Desk<'_>, by: &Account, id: Uuid) -> Result<Phone> {
    let row: Option<(Option<Vec<u8>>,)> = tx
        .query("SELECT phone_sealed FROM rights_requests WHERE id = $1 AND closed_at IS NULL")
        .bind(id)
        .optional()
        .await?;
    let sealed = row.and_then(|(sealed,)| sealed).ok_or(Failed::NotFound)?;
    let entry = audit::Entry {
        actor: Some(by.id),
        action: "rights.phone_opened",
        subject: id.to_string(),
        people: Some(1),
        ..audit::Entry::default()
    };
    audit::append(tx, entry).await?;
    session::open_phone(&desk.door.keys, "rights_requests", id.as_bytes(), &sealed)
        .ok_or_else(|| Failed::NotFound.into())
}
