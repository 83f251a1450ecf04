//! The outbox: written with what it tells about, claimed for a while, wiped when sent.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use uuid::Uuid;
use zeroize::Zeroizing;

use super::{Carry, Language, Message, Outgoing, Template};
use crate::{
    base::{Failure, Random, Timestamp, ids},
    identity::Phone,
    privacy::{KeyRing, Place},
    store::{Db, Error, Tx},
};

/// How long a worker has a message for itself, in milliseconds: longer than any carrier may take.
const LEASE_MS: i64 = 60 * 1000;

/// The first wait after a failure, in milliseconds; each one is twice as long as the one before.
const RETRY_MS: i64 = 5 * 1000;

/// The longest wait between two tries, in milliseconds.
const RETRY_MAX_MS: i64 = 10 * 60 * 1000;

/// A message that could not be sent for so long is given up, in milliseconds: a day.
const GIVE_UP_MS: i64 = 24 * 3600 * 1000;

/// How long is kept that a message was given up, in milliseconds: a week.
const DEAD_KEPT_MS: i64 = 7 * 24 * 3600 * 1000;

/// Messages claimed at once.
const BATCH: i64 = 16;

/// The form of a message inside the seal.
#[derive(Serialize, Deserialize)]
struct Stored {
    to: String,
    language: Language,
    #[serde(flatten)]
    template: Template,
}

fn place(id: &Uuid) -> Place<'_> {
    Place {
        table: "outbox",
        column: "sealed",
        row: id.as_bytes(),
    }
}

/// Put `message` into the outbox; after `not_after` it is not sent any more.
///
/// # Errors
///
/// Those of the store.
pub async fn put(
    tx: &mut Tx,
    keys: &KeyRing,
    random: &Random,
    message: &Message,
    not_after: Option<Timestamp>,
) -> Result<(), Error> {
    let id = ids::v4(random);
    let stored = Stored {
        to: message.to.e164().to_owned(),
        language: message.language,
        template: message.template,
    };
    // A struct of texts and numbers is always JSON.
    let plain = Zeroizing::new(serde_json::to_vec(&stored).unwrap_or_default());
    let sealed = keys.record().seal(place(&id), &plain, random);
    let now = tx.now();
    tx.query(
        "INSERT INTO outbox (id, template, sealed, created_at, due_at, not_after, tries)
         VALUES ($1, $2, $3, $4, $5, $6, 0)",
    )
    .bind(id)
    .bind(message.template.name())
    .bind(sealed)
    .bind(now)
    .bind(now)
    .bind(not_after)
    .execute()
    .await
    .map(drop)
}

/// A message that is this worker's for a while.
#[derive(Debug, sqlx::FromRow)]
struct Claimed {
    id: Uuid,
    sealed: Option<Vec<u8>>,
    tries: i64,
}

/// What one round did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Round {
    /// Messages that were taken away.
    pub sent: u64,
    /// Messages that were not, and are tried again.
    pub failed: u64,
    /// Codes that came too late, and messages that were given up.
    pub dropped: u64,
}

/// Send what is due, drop what is too late, and note how old the oldest message is.
///
/// # Errors
///
/// Those of the store; what was sent is wiped, or sent again under the same id.
pub async fn deliver(
    db: &Db,
    keys: &KeyRing,
    random: &Random,
    carrier: &Arc<dyn Carry>,
) -> Result<Round, Failure> {
    let mut round = Round::default();
    let oldest = db.read(async |tx| oldest(tx).await).await?;
    let waited = oldest.map_or(0, |at| db.now().as_secs() - at.as_secs());
    #[expect(clippy::cast_precision_loss, reason = "seconds of days")]
    metrics::gauge!("outbox_oldest_seconds").set(waited.max(0) as f64);
    if oldest.is_none() {
        return Ok(round);
    }
    round.dropped = db.write(async |tx| drop_late(tx).await).await?;
    loop {
        let lease = ids::v4(random);
        let claimed = db.write(async |tx| claim(tx, lease).await).await?;
        let last = claimed.len() < usize::try_from(BATCH).unwrap_or(0);
        for message in claimed {
            if send(db, keys, carrier, lease, message).await? {
                round.sent += 1;
            } else {
                round.failed += 1;
            }
        }
        if last {
            return Ok(round);
        }
    }
}

/// When the oldest message that still waits was put there.
///
/// # Errors
///
/// Those of the store.
pub async fn oldest(tx: &mut Tx) -> Result<Option<Timestamp>, Error> {
    let row: Option<(Timestamp,)> = tx
        .query("SELECT created_at FROM outbox WHERE dead_at IS NULL ORDER BY created_at LIMIT 1")
        .optional()
        .await?;
    Ok(row.map(|(at,)| at))
}

async fn claim(tx: &mut Tx, lease: Uuid) -> Result<Vec<Claimed>, Error> {
    let now = tx.now();
    tx.query(
        "UPDATE outbox SET lease = $1, leased_until = $2, tries = tries + 1
         WHERE id IN (SELECT id FROM outbox
                      WHERE dead_at IS NULL AND due_at <= $3
                        AND (leased_until IS NULL OR leased_until <= $3)
                      ORDER BY due_at LIMIT $4)
         RETURNING id, sealed, tries",
    )
    .bind(lease)
    .bind(now.plus_ms(LEASE_MS))
    .bind(now)
    .bind(BATCH)
    .all()
    .await
}

/// Hand one message over, and wipe it; say whether it was taken.
async fn send(
    db: &Db,
    keys: &KeyRing,
    carrier: &Arc<dyn Carry>,
    lease: Uuid,
    claimed: Claimed,
) -> Result<bool, Failure> {
    let Claimed { id, sealed, tries } = claimed;
    let Some(message) = sealed.and_then(|sealed| open(keys, id, &sealed)) else {
        // Sealed by a key that is gone: nobody can send it.
        tracing::error!("a message in the outbox does not open and is given up");
        db.write(async |tx| give_up(tx, id).await).await?;
        return Ok(false);
    };
    let template = message.template.name();
    let outgoing = Outgoing::new(id, &message);
    let carrier = Arc::clone(carrier);
    let outcome = tokio::task::spawn_blocking(move || carrier.carry(&outgoing))
        .await
        .map_err(Failure::internal)?;
    match outcome {
        Ok(()) => {
            metrics::counter!("messages_sent_total", "template" => template).increment(1);
            db.write(async |tx| wipe(tx, id).await).await?;
            Ok(true)
        }
        Err(error) => {
            metrics::counter!("messages_failed_total", "template" => template).increment(1);
            tracing::warn!(
                template,
                "a message was not taken, and is tried again: {error}"
            );
            db.write(async |tx| put_back(tx, id, lease, tries).await)
                .await?;
            Ok(false)
        }
    }
}

fn open(keys: &KeyRing, id: Uuid, sealed: &[u8]) -> Option<Message> {
    let plain = keys.record().open(place(&id), sealed).ok()?;
    let stored: Stored = serde_json::from_slice(&plain).ok()?;
    Some(Message {
        to: Phone::parse(&stored.to).ok()?,
        language: stored.language,
        template: stored.template,
    })
}

/// Whoever sent it: it is gone for all, since at least once is enough.
async fn wipe(tx: &mut Tx, id: Uuid) -> Result<u64, Error> {
    tx.query("DELETE FROM outbox WHERE id = $1")
        .bind(id)
        .execute()
        .await
}

async fn put_back(tx: &mut Tx, id: Uuid, lease: Uuid, tries: i64) -> Result<u64, Error> {
    let wait = RETRY_MS
        .saturating_mul(1 << (tries - 1).clamp(0, 16))
        .min(RETRY_MAX_MS);
    let due = tx.now().plus_ms(wait);
    tx.query(
        "UPDATE outbox SET due_at = $3, lease = NULL, leased_until = NULL
         WHERE id = $1 AND lease = $2",
    )
    .bind(id)
    .bind(lease)
    .bind(due)
    .execute()
    .await
}

async fn give_up(tx: &mut Tx, id: Uuid) -> Result<u64, Error> {
    let now = tx.now();
    tx.query("UPDATE outbox SET dead_at = $2, sealed = NULL WHERE id = $1")
        .bind(id)
        .bind(now)
        .execute()
        .await
}

/// Drop what is too late, also where nothing carries messages any more, and forget what was given up a
/// week ago.
///
/// # Errors
///
/// Those of the store.
pub async fn sweep(tx: &mut Tx) -> Result<u64, Error> {
    drop_late(tx).await?;
    let before = tx.now().plus_ms(-DEAD_KEPT_MS);
    tx.query("DELETE FROM outbox WHERE dead_at <= $1")
        .bind(before)
        .execute()
        .await
}

/// Drop codes that are too late, and give up what could not be sent for a day. A message that a worker
/// holds is left to it.
async fn drop_late(tx: &mut Tx) -> Result<u64, Error> {
    let now = tx.now();
    let late = tx
        .query(
            "DELETE FROM outbox WHERE dead_at IS NULL AND not_after <= $1
                AND (leased_until IS NULL OR leased_until <= $1)",
        )
        .bind(now)
        .execute()
        .await?;
    let dead = tx
        .query(
            "UPDATE outbox SET dead_at = $1, sealed = NULL, lease = NULL
             WHERE dead_at IS NULL AND created_at <= $2
               AND (leased_until IS NULL OR leased_until <= $1)",
        )
        .bind(now)
        .bind(now.plus_ms(-GIVE_UP_MS))
        .execute()
        .await?;
    if late + dead > 0 {
        metrics::counter!("messages_dropped_total").increment(late + dead);
        tracing::warn!(
            late,
            dead,
            "messages were dropped: they could not be sent in time"
        );
    }
    Ok(late + dead)
}
