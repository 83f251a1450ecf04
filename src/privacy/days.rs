//! The keys of the days, and their life.
//!
//! | state | from | until | what may be done with it |
//! |---|---|---|---|
//! | made | two days before its day | the day begins | nothing: it waits |
//! | active | its UTC day | check-ins of the day are past their retention | seals and opens: visitors queue without a network, and paper lists come in late |
//! | read-only | then | declarations of the day are past theirs, a day later | opens |
//! | destroyed | then, or when an operator says so | for ever | nothing: the row stays so that it is never made anew |
//!
//! One worker owns it (`ops::workers`): it makes the keys ahead, and destroys them after the rows have
//! gone. States follow from the day and the clock; only destruction is written down.

use std::sync::{Arc, PoisonError};

use crate::{
    base::{Day, Random, Timestamp},
    privacy::{Key, KeyRing, NoKey, Place},
    store::{self, Db, Tx},
};

/// Where a day's key is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DayState {
    /// Its day has not begun.
    Made,
    /// What belongs to its day may be sealed.
    Active,
    /// Nothing of its day is accepted any more; what was sealed opens.
    ReadOnly,
    /// It is gone.
    Destroyed,
}

impl DayState {
    /// In one word, for a list.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Made => "made",
            Self::Active => "active",
            Self::ReadOnly => "read-only",
            Self::Destroyed => "destroyed",
        }
    }
}

/// A day's key as it stands in the database, without the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DayKey {
    /// The day.
    pub day: Day,
    /// When it was made.
    pub made: Timestamp,
    /// When it was destroyed.
    pub destroyed: Option<Timestamp>,
}

impl DayKey {
    /// Its state on `today`, when check-ins are kept from `kept` on.
    #[must_use]
    pub fn state(&self, today: Day, kept: Day) -> DayState {
        match self.destroyed {
            Some(_) => DayState::Destroyed,
            None if self.day > today => DayState::Made,
            None if self.day >= kept => DayState::Active,
            None => DayState::ReadOnly,
        }
    }
}

impl KeyRing {
    /// The key of `day`, if it is in memory.
    #[must_use]
    pub fn day(&self, day: Day) -> Option<Arc<Key>> {
        self.days
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&day)
            .cloned()
    }

    /// The key of `day`, read from the store when it is not in memory.
    ///
    /// # Errors
    ///
    /// [`NoKey::NoDay`] when it was destroyed or never made.
    pub async fn day_from(&self, db: &Db, day: Day) -> Result<Arc<Key>, NoKey> {
        if let Some(key) = self.day(day) {
            return Ok(key);
        }
        self.load_days(db, day, day).await?;
        self.day(day).ok_or(NoKey::NoDay)
    }

    /// Make the keys of `[from, to]` that are not there, and hold all of them in memory.
    ///
    /// # Errors
    ///
    /// Those of the store.
    pub async fn ensure_days(
        &self,
        db: &Db,
        from: Day,
        to: Day,
        random: &Random,
    ) -> Result<(), NoKey> {
        let missing: Vec<Day> = (from.number()..=to.number())
            .map(Day::from_number)
            .filter(|day| self.day(*day).is_none())
            .collect();
        if missing.is_empty() {
            return Ok(());
        }
        db.write(async |tx| {
            let master = self.wrapping(tx).await?;
            for day in &missing {
                let wrapped = master.wrap(day_place(&day_row(*day)), &Key::new(random), random);
                insert_day(tx, *day, wrapped).await?;
            }
            Ok::<_, NoKey>(())
        })
        .await?;
        self.load_days(db, from, to).await
    }

    /// The days that have or had a key, earliest first, and when it was destroyed.
    ///
    /// # Errors
    ///
    /// Those of the store.
    pub async fn list_days(&self, db: &Db) -> Result<Vec<(Day, Option<Timestamp>)>, store::Error> {
        let keys = self.day_keys(db).await?;
        Ok(keys.iter().map(|key| (key.day, key.destroyed)).collect())
    }

    /// The keys of the days, those that were destroyed too, earliest first.
    ///
    /// # Errors
    ///
    /// Those of the store.
    pub async fn day_keys(&self, db: &Db) -> Result<Vec<DayKey>, store::Error> {
        let rows: Vec<(i64, Timestamp, Option<Timestamp>)> = db
            .read(async |tx| {
                tx.query("SELECT day, created_at, destroyed_at FROM day_keys ORDER BY day")
                    .all()
                    .await
            })
            .await?;
        Ok(rows
            .into_iter()
            .filter_map(|(day, made, destroyed)| {
                Some(DayKey {
                    day: Day::from_number(i32::try_from(day).ok()?),
                    made,
                    destroyed,
                })
            })
            .collect())
    }

    /// Destroy the keys of all days before `day`, and say how many. [`Db::scrub`] afterwards.
    ///
    /// # Errors
    ///
    /// Those of the store.
    pub async fn destroy_before(&self, tx: &mut Tx, day: Day) -> Result<u64, store::Error> {
        let now = tx.now();
        let destroyed = tx
            .query(
                "UPDATE day_keys SET wrapped = NULL, destroyed_at = $2
                 WHERE day < $1 AND wrapped IS NOT NULL",
            )
            .bind(i64::from(day.number()))
            .bind(now)
            .execute()
            .await?;
        self.forget(|kept| kept < day);
        Ok(destroyed)
    }

    /// Destroy the key of `day`; false when it had none. [`Db::scrub`] afterwards.
    ///
    /// # Errors
    ///
    /// Those of the store.
    pub async fn destroy(&self, tx: &mut Tx, day: Day) -> Result<bool, store::Error> {
        let now = tx.now();
        let destroyed = tx
            .query(
                "UPDATE day_keys SET wrapped = NULL, destroyed_at = $2
                 WHERE day = $1 AND wrapped IS NOT NULL",
            )
            .bind(i64::from(day.number()))
            .bind(now)
            .execute()
            .await?;
        self.forget(|kept| kept == day);
        Ok(destroyed > 0)
    }

    /// Forget the keys that were destroyed, by whatever process, and give their days from `from` on.
    ///
    /// # Errors
    ///
    /// Those of the store.
    pub async fn forget_destroyed(&self, db: &Db, from: Day) -> Result<Vec<Day>, store::Error> {
        let rows: Vec<(i64,)> = db
            .read(async |tx| {
                tx.query("SELECT day FROM day_keys WHERE wrapped IS NULL AND day >= $1")
                    .bind(i64::from(from.number()))
                    .all()
                    .await
            })
            .await?;
        let gone: Vec<Day> = rows
            .into_iter()
            .filter_map(|(day,)| i32::try_from(day).ok().map(Day::from_number))
            .collect();
        self.forget(|kept| kept < from || gone.contains(&kept));
        Ok(gone)
    }

    /// Forget the keys of these days in this process.
    fn forget(&self, gone: impl Fn(Day) -> bool) {
        self.days
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .retain(|kept, _| !gone(*kept));
    }

    async fn load_days(&self, db: &Db, from: Day, to: Day) -> Result<(), NoKey> {
        let rows: Vec<(i64, Vec<u8>)> = db
            .read(async |tx| {
                tx.query(
                    "SELECT day, wrapped FROM day_keys
                     WHERE day >= $1 AND day <= $2 AND wrapped IS NOT NULL",
                )
                .bind(i64::from(from.number()))
                .bind(i64::from(to.number()))
                .all()
                .await
            })
            .await?;
        let mut opened = Vec::with_capacity(rows.len());
        for (day, wrapped) in rows {
            let day = Day::from_number(i32::try_from(day).map_err(|_| NoKey::NoDay)?);
            let key = self.unwrap(day_place(&day_row(day)), &wrapped)?;
            opened.push((day, Arc::new(key)));
        }
        self.days
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .extend(opened);
        Ok(())
    }
}

/// The key of a day's row, for its [`day_place`].
#[must_use]
pub fn day_row(day: Day) -> [u8; 4] {
    day.number().to_be_bytes()
}

/// Where a day's wrapped key stands.
#[must_use]
pub fn day_place(row: &[u8; 4]) -> Place<'_> {
    Place {
        table: "day_keys",
        column: "wrapped",
        row,
    }
}

async fn insert_day(tx: &mut Tx, day: Day, wrapped: Vec<u8>) -> Result<u64, store::Error> {
    let now: Timestamp = tx.now();
    tx.query(
        "INSERT INTO day_keys (day, wrapped, created_at) VALUES ($1, $2, $3)
         ON CONFLICT (day) DO NOTHING",
    )
    .bind(i64::from(day.number()))
    .bind(wrapped)
    .bind(now)
    .execute()
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_has_four_states() {
        let today = Day::from_number(1000);
        let at = Timestamp::from_ms(0);
        let state = |day: i32, destroyed| {
            let key = DayKey {
                day: Day::from_number(day),
                made: at,
                destroyed,
            };
            key.state(today, today.plus(-21))
        };
        assert_eq!(state(1001, None), DayState::Made);
        assert_eq!(state(1000, None), DayState::Active);
        assert_eq!(state(979, None), DayState::Active);
        assert_eq!(state(978, None), DayState::ReadOnly);
        assert_eq!(state(978, Some(at)), DayState::Destroyed);
        assert_eq!(state(1001, Some(at)), DayState::Destroyed);
    }
}
