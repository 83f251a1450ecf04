//! Who took their consent back: declarations made before do not let them in any more.
//!
//! A token is good without anybody asking the store, so taking consent back must reach every process
//! before it means anything. Those who did so in the last days are few; they are held in memory, each
//! with the moment, and looked through before a token is believed. A declaration made afterwards is a
//! new consent.

use std::{
    collections::HashMap,
    sync::{
        PoisonError, RwLock,
        atomic::{AtomicBool, Ordering},
    },
};

use super::BEHIND_MS;
use crate::{
    base::{Timestamp, ids},
    declarations::token::{Claim, GOOD_FOR_S},
    identity::PersonId,
    store::{Db, Error, Tx},
};

/// How long a withdrawal is kept, in milliseconds: as long as a token made before could still come,
/// out of a queue without network.
const KEPT_MS: i64 = BEHIND_MS + (GOOD_FOR_S + 3600) * 1000;

/// Most that are held; as many a week would be a country that has lost its trust.
const MOST: i64 = 1_000_000;

/// Those who took their consent back in the last days.
#[derive(Debug, Default)]
pub struct Withdrawn {
    some: AtomicBool,
    held: RwLock<HashMap<PersonId, Timestamp>>,
}

impl Withdrawn {
    /// Whether `claim` stands on a consent that was taken back.
    #[must_use]
    pub fn covers(&self, claim: &Claim) -> bool {
        // Nearly always nobody, and then nothing is locked.
        if !self.some.load(Ordering::Acquire) {
            return false;
        }
        let held = self.held.read().unwrap_or_else(PoisonError::into_inner);
        let made = ids::time_of(claim.declaration).unwrap_or_default();
        held.get(&claim.person)
            .is_some_and(|withdrawn| made <= withdrawn.as_ms())
    }

    /// Read from the store who is not known yet, and forget who need not be known any more.
    ///
    /// # Errors
    ///
    /// Those of the store.
    pub async fn refresh(&self, db: &Db) -> Result<(), Error> {
        let from = db.now().plus_ms(-KEPT_MS);
        let rows: Vec<(Vec<u8>, Timestamp)> = db
            .read(async |tx| {
                tx.query("SELECT person_id, at FROM withdrawals WHERE at > $1 ORDER BY at LIMIT $2")
                    .bind(from)
                    .bind(MOST)
                    .all()
                    .await
            })
            .await?;
        let fresh: HashMap<PersonId, Timestamp> = rows
            .iter()
            .filter_map(|(person, at)| Some((PersonId::from_slice(person)?, *at)))
            .collect();
        let some = !fresh.is_empty();
        *self.held.write().unwrap_or_else(PoisonError::into_inner) = fresh;
        self.some.store(some, Ordering::Release);
        Ok(())
    }
}

/// Note that `person` takes their consent back now, and revoke their personal codes. Processes learn
/// of it by [`Withdrawn::refresh`].
///
/// # Errors
///
/// Those of the store.
pub async fn withdraw(tx: &mut Tx, person: PersonId) -> Result<(), Error> {
    let now = tx.now();
    tx.query(
        "INSERT INTO withdrawals (person_id, at) VALUES ($1, $2)
         ON CONFLICT (person_id) DO UPDATE SET at = $2",
    )
    .bind(person.as_bytes().to_vec())
    .bind(now)
    .execute()
    .await?;
    tx.query("UPDATE passes SET revoked_at = $2 WHERE person_id = $1 AND revoked_at IS NULL")
        .bind(person.as_bytes().to_vec())
        .bind(now)
        .execute()
        .await
        .map(drop)
}

/// Forget withdrawals that no token can meet any more.
///
/// # Errors
///
/// Those of the store.
pub async fn sweep(tx: &mut Tx) -> Result<u64, Error> {
    let before = tx.now().plus_ms(-KEPT_MS);
    tx.query("DELETE FROM withdrawals WHERE at <= $1")
        .bind(before)
        .execute()
        .await
}
