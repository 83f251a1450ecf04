//! Erasing: everything under a number's pseudonym, but what a case holds.
//!
//! Check-ins and declarations may be spread over a cluster and are never touched by a serializable
//! transaction, so an erasure is several: the request is noted first, with whose it is; then rows go,
//! in bounded batches; last the request is closed and whose it was is wiped. Cut off at any point, it
//! is gone on with by a worker ([`resume`]). Each step may be run again. How often the person's data was
//! opened stays: [`super::opens`].

use uuid::Uuid;

use super::{
    Desk, Kind, Session, State,
    hold::{Hold, holds, is_held},
    request, seen, session,
};
use crate::{
    base::{Timestamp, failure::Result},
    checkins::withdrawn,
    identity::PersonId,
    messages::{Language, Message, Template, outbox},
    privacy::audit,
    store::{Error, Tx},
};

/// Rows deleted in one transaction.
const BATCH: usize = 200;

/// How long a request may be run before a worker takes it up, in milliseconds: a minute.
const STALE_MS: i64 = 60 * 1000;

/// Requests that a worker takes up in one round.
const ROUND: i64 = 50;

/// What an erasure did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Erased {
    /// The request.
    pub request: Uuid,
    /// Rows that are gone.
    pub rows: u64,
    /// Rows that a case holds.
    pub held: u64,
    /// Until when the last of them is held at most.
    pub held_until: Option<Timestamp>,
}

/// Erase what is kept of the person of `session`, and tell the number so. All sessions of the person
/// end.
///
/// # Errors
///
/// Those of the store; what was begun is gone on with.
pub async fn erase(desk: &Desk<'_>, session: &Session, language: Language) -> Result<Erased> {
    let door = desk.door;
    let request = door
        .db
        .write(async |tx| {
            let request = request::begin(tx, desk, Kind::Erase, session.person).await?;
            // Before anything goes, so that nothing comes back out of a phone's queue.
            withdrawn::withdraw(tx, session.person).await?;
            session::end(tx, session.person).await?;
            note(tx, "rights.erasing", request, 1).await?;
            let message = Message {
                to: session.phone.clone(),
                language,
                template: Template::Erased,
            };
            outbox::put(tx, &door.keys, &door.random, &message, None).await?;
            Ok::<_, Error>(request)
        })
        .await?;
    door.withdrawn.refresh(&door.db).await?;
    run(desk, request, session.person).await
}

async fn note(tx: &mut Tx, action: &'static str, request: Uuid, people: i64) -> Result<(), Error> {
    let entry = audit::Entry {
        action,
        subject: request.to_string(),
        people: Some(people),
        ..audit::Entry::default()
    };
    audit::append(tx, entry).await
}

/// Go on with what was cut off, and erase what is not held any more. Says how many requests. What was
/// erased since the last time leaves the files, for which no answer waits.
///
/// # Errors
///
/// Those of the store; what was done stays done.
pub async fn resume(desk: &Desk<'_>) -> Result<usize> {
    let door = desk.door;
    let due: Vec<(Uuid, Option<Vec<u8>>)> = door
        .db
        .read(async |tx| {
            let now = tx.now();
            tx.query(
                "SELECT id, person_id FROM rights_requests
                 WHERE (state = 'running' AND received_at <= $1)
                    OR (state = 'held' AND held_until <= $2)
                 ORDER BY received_at LIMIT $3",
            )
            .bind(now.plus_ms(-STALE_MS))
            .bind(now)
            .bind(ROUND)
            .all()
            .await
        })
        .await
        .map_err(|error: Error| error)?;
    let count = due.len();
    for (request, person) in due {
        if let Some(person) = person.as_deref().and_then(PersonId::from_slice) {
            run(desk, request, person).await?;
        }
    }
    // When somebody was reading, the next round does it.
    if door.db.is_unclean() {
        door.db.scrub().await?;
    }
    Ok(count)
}

/// What of a person goes and what is held.
#[derive(Default)]
struct Plan {
    stays: Vec<(i64, Uuid)>,
    declarations: Vec<Uuid>,
    held: u64,
    held_until: Option<Timestamp>,
}

async fn run(desk: &Desk<'_>, request: Uuid, person: PersonId) -> Result<Erased> {
    let door = desk.door;
    // What was acknowledged is in a log at first, and would come into the tables afterwards.
    door.journal.settle().await?;
    let mut erased = Erased {
        request,
        ..Erased::default()
    };
    loop {
        let plan = plan(desk, person).await?;
        erased.held = plan.held;
        erased.held_until = plan.held_until;
        let gone = delete(desk, person, &plan).await?;
        erased.rows += gone;
        if gone == 0 {
            break;
        }
    }
    door.db
        .write(async |tx| finish(tx, person, erased).await)
        .await?;
    door.db.erased();
    Ok(erased)
}

/// Delete what `plan` says, and count the rows.
async fn delete(desk: &Desk<'_>, person: PersonId, plan: &Plan) -> Result<u64> {
    let db = &desk.door.db;
    let mut rows = 0;
    for some in plan.stays.chunks(BATCH) {
        rows += db
            .append(async |tx| delete_stays(tx, person, some).await)
            .await?;
    }
    for some in plan.declarations.chunks(BATCH) {
        rows += db
            .append(async |tx| delete_declarations(tx, person, some).await)
            .await?;
    }
    Ok(rows)
}

async fn plan(desk: &Desk<'_>, person: PersonId) -> Result<Plan> {
    let db = &desk.door.db;
    let held: Vec<Hold> = db.read(async |tx| holds(tx, person).await).await?;
    let mut plan = Plan::default();
    let mut kept = std::collections::BTreeSet::new();
    let mut declared = Vec::new();
    for day in seen::days(desk) {
        let (stays, declarations) = db
            .read(async |tx| {
                let stays = seen::stays_of(tx, person, day).await?;
                Ok::<_, Error>((stays, seen::declared_on(tx, person, day).await?))
            })
            .await?;
        for stay in stays {
            if is_held(&held, stay.entered_at().as_ms(), stay.left_at) {
                plan.hold(seen::stay_ends(stay.entered_at(), desk.retention_days));
                // What a held stay shows of the person is held with it.
                kept.extend(stay.declaration_id);
            } else {
                plan.stays.push((stay.checkpoint_id, stay.id));
            }
        }
        declared.extend(declarations.into_iter().map(|row| row.id));
    }
    for id in declared {
        if kept.contains(&id) {
            let made = Timestamp::from_ms(crate::base::ids::time_of(id).unwrap_or_default());
            plan.hold(seen::declaration_ends(made, desk.retention_days));
        } else {
            plan.declarations.push(id);
        }
    }
    Ok(plan)
}

impl Plan {
    fn hold(&mut self, until: Timestamp) {
        self.held += 1;
        self.held_until = self.held_until.max(Some(until));
    }
}

async fn delete_stays(tx: &mut Tx, person: PersonId, keys: &[(i64, Uuid)]) -> Result<u64, Error> {
    let mut rows = 0;
    for (checkpoint, id) in keys {
        rows += tx
            .query("DELETE FROM check_ins WHERE checkpoint_id = $1 AND id = $2 AND person_id = $3")
            .bind(*checkpoint)
            .bind(*id)
            .bind(person.as_bytes().to_vec())
            .execute()
            .await?;
    }
    Ok(rows)
}

async fn delete_declarations(tx: &mut Tx, person: PersonId, ids: &[Uuid]) -> Result<u64, Error> {
    let mut rows = 0;
    for id in ids {
        rows += tx
            .query("DELETE FROM declarations WHERE id = $1 AND person_id = $2")
            .bind(*id)
            .bind(person.as_bytes().to_vec())
            .execute()
            .await?;
        tx.query("DELETE FROM corrections WHERE person_id = $1 AND declaration_id = $2")
            .bind(person.as_bytes().to_vec())
            .bind(*id)
            .execute()
            .await?;
    }
    Ok(rows)
}

/// Delete what small tables know of the person, and close the request or note what is held.
async fn finish(tx: &mut Tx, person: PersonId, erased: Erased) -> Result<(), Error> {
    let id = || person.as_bytes().to_vec();
    tx.query("DELETE FROM passes WHERE person_id = $1")
        .bind(id())
        .execute()
        .await?;
    // By it an investigation that holds rows knows that two pseudonyms are one person.
    if erased.held == 0 {
        tx.query("DELETE FROM person_aliases WHERE person_id = $1")
            .bind(id())
            .execute()
            .await?;
    }
    let rows = i64::try_from(erased.rows).unwrap_or(i64::MAX);
    tx.query("UPDATE rights_requests SET rows_erased = rows_erased + $2 WHERE id = $1")
        .bind(erased.request)
        .bind(rows)
        .execute()
        .await?;
    if erased.held == 0 {
        request::close(tx, erased.request, State::Done).await?;
        return note(tx, "rights.erased", erased.request, 1).await;
    }
    tx.query("UPDATE rights_requests SET state = 'held', held_until = $2 WHERE id = $1")
        .bind(erased.request)
        .bind(erased.held_until)
        .execute()
        .await?;
    note(tx, "rights.held", erased.request, 1).await
}
