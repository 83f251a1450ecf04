//! What a check-in needs, in one hand.

use std::{
    collections::HashSet,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicI32, Ordering},
    },
};

use uuid::Uuid;

use super::{
    AHEAD_MS, BEHIND_MS, Journal,
    journal::{self, Answer},
    store::{self, Key},
    withdrawn::Withdrawn,
};
use crate::{
    base::{Clock, Code, Day, Failure, FieldError, Kind, Random, Timestamp, failure::Result, ids},
    declarations::token::{Claim, Tokens},
    identity::Pseudonymizer,
    privacy::{self, KeyRing, Macs, NoKey},
    regions::Regions,
    store::{Db, Error, ensure_partitions},
    venues::{Directory, Entry},
};

/// The version of the pseudonym key.
pub const PSEUDONYM_VERSION: u8 = 1;

/// What a check-in needs, in one hand.
#[derive(Debug)]
pub struct Door {
    /// The store, for what is not on the path: other days' keys, repeats of refused requests.
    pub db: Db,
    /// All checkpoints.
    pub directory: Arc<Directory>,
    /// All places, for addresses.
    pub regions: Arc<Regions>,
    /// The keys of the days.
    pub keys: Arc<KeyRing>,
    /// The way to the writer.
    pub journal: Journal,
    /// The time.
    pub clock: Clock,
    /// Randomness.
    pub random: Random,
    /// Makes pseudonyms.
    pub pseudonymizer: Pseudonymizer,
    /// Signs and reads declaration tokens.
    pub tokens: Tokens,
    /// Who took their consent back.
    pub withdrawn: Withdrawn,
    receipts: Macs,
    ready: RwLock<HashSet<Day>>,
    /// The number of the day that was last found ready: nearly always the one that is asked for.
    latest: AtomicI32,
}

impl Door {
    /// Take everything in hand.
    #[must_use]
    pub fn new(
        db: Db,
        directory: Arc<Directory>,
        regions: Arc<Regions>,
        keys: Arc<KeyRing>,
        journal: Journal,
        clock: Clock,
        random: Random,
    ) -> Self {
        Self {
            pseudonymizer: Pseudonymizer::new(keys.pseudonym().bytes(), PSEUDONYM_VERSION),
            tokens: Tokens::new(keys.token()),
            withdrawn: Withdrawn::default(),
            receipts: keys.token().begin(),
            ready: RwLock::default(),
            latest: AtomicI32::new(i32::MIN),
            db,
            directory,
            regions,
            keys,
            journal,
            clock,
            random,
        }
    }

    /// What the token of a declaration says, if it was good at the arrival `at` and the consent that it
    /// stands on was not taken back.
    #[must_use]
    pub fn claim(&self, token: &str, at: Timestamp) -> Option<Claim> {
        let claim = self.tokens.read(token, at)?;
        (!self.withdrawn.covers(&claim)).then_some(claim)
    }

    /// The service makes keys and partitions ahead; this is for a day that it has missed.
    async fn prepare(&self, day: Day) -> Result<()> {
        ensure_partitions(&self.db, day).await?;
        self.keys
            .ensure_days(&self.db, day, day, &self.random)
            .await?;
        let mut ready = self.ready.write().unwrap_or_else(PoisonError::into_inner);
        ready.retain(|known| known.number() > day.number() - 30);
        ready.insert(day);
        Ok(())
    }

    /// The key of the day in which `id` falls, where rows of that day can be stored.
    pub(super) async fn key_of(&self, id: Uuid) -> Result<Arc<privacy::Key>> {
        let day = Day::of_ms(ids::time_of(id).unwrap_or_default());
        let is_ready = || {
            let ready = self.ready.read().unwrap_or_else(PoisonError::into_inner);
            ready.contains(&day)
        };
        if !is_ready() {
            Box::pin(self.prepare(day)).await?;
        }
        self.keys.day(day).ok_or_else(|| NoKey::NoDay.into())
    }

    /// Make sure that rows of the day in which `id` falls can be stored.
    pub(super) async fn make_ready(&self, id: Uuid) -> Result<()> {
        let day = Day::of_ms(ids::time_of(id).unwrap_or_default()).number();
        if self.latest.load(Ordering::Relaxed) != day {
            self.key_of(id).await?;
            self.latest.store(day, Ordering::Relaxed);
        }
        Ok(())
    }

    /// The checkpoint of a code as it was typed or scanned. What is no code is not found.
    pub(super) async fn checkpoint(&self, code: &str) -> Result<Arc<Entry>> {
        let code: Code = code.parse().map_err(|_| Failure::new(Kind::NotFound))?;
        match self.directory.by_code(code) {
            Some(entry) => Ok(entry),
            // What is rare lies in a box, so that the path of a check-in stays small in memory.
            None => Box::pin(self.directory.find(&self.db, code)).await,
        }
    }

    /// What stands in the store under `key`, for a request that cannot be stored any more.
    pub(super) async fn first_answer(&self, key: Key) -> Result<Option<Answer>> {
        if let Some(answer) = self.journal.find(key).await? {
            return Ok(Some(answer));
        }
        let stored = self
            .db
            .read(async |tx| store::stored(tx, &[key]).await)
            .await
            .map_err(|error: Error| Failure::from(error))?;
        Ok(stored
            .first()
            .and_then(|stored| journal::answer(stored, false)))
    }

    /// The receipt of a check-in: eight digits in two groups, always the same for the same one. By
    /// it a guard and a visitor tell that they mean the same check-in; it opens nothing.
    #[must_use]
    pub fn receipt(&self, (checkpoint_id, id): Key) -> String {
        let mac = self
            .receipts
            .of(&[b"receipt", &checkpoint_id.to_be_bytes(), id.as_bytes()]);
        let mut bits = [0; 16];
        bits.iter_mut().zip(mac).for_each(|(to, from)| *to = from);
        let digits = Code::from_bytes(bits).to_string();
        let (start, end) = (digits.get(18..22), digits.get(22..26));
        format!("{}-{}", start.unwrap_or_default(), end.unwrap_or_default())
    }
}

/// The arrival in a check-in's id, which is also when it is judged.
///
/// # Errors
///
/// A mistake in the field `id` when it is no UUIDv7; [`Kind::ClockOutOfRange`] with the server's time
/// when it is too far from `now`.
pub(super) fn arrival(id: Uuid, now: Timestamp) -> Result<Timestamp> {
    let Some(ms) = ids::time_of(id) else {
        return Err(FieldError::new(
            "id",
            "not_uuid_v7",
            "Mã phải là UUID phiên bản 7.",
            "The id must be a UUID of version 7.",
        )
        .into());
    };
    let behind = now.as_ms() - ms;
    if (-AHEAD_MS..=BEHIND_MS).contains(&behind) {
        return Ok(Timestamp::from_ms(ms));
    }
    Err(Failure {
        server_time: Some(now),
        ..Kind::ClockOutOfRange.into()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_of_a_phone_may_be_a_little_off() {
        let random = Random::seeded(1);
        let now = Timestamp::from_ms(1_800_000_000_000);
        let judge = |ms: i64| arrival(ids::v7(now.plus_ms(ms), &random), now);
        assert_eq!(judge(120_000).unwrap(), now.plus_ms(120_000));
        assert_eq!(judge(-BEHIND_MS).unwrap(), now.plus_ms(-BEHIND_MS));
        for off in [120_001, -BEHIND_MS - 1] {
            let failure = judge(off).unwrap_err();
            assert_eq!(failure.kind, Kind::ClockOutOfRange);
            assert_eq!(failure.server_time, Some(now));
        }
        let failure = arrival(ids::v4(&random), now).unwrap_err();
        assert_eq!(failure.fields.first().unwrap().code, "not_uuid_v7");
    }
}
