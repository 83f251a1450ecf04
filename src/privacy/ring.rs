//! The key ring: what the master key opens.
//!
//! Service keys (pseudonyms, tokens, records, references) and one key a UTC day stand in the
//! database, wrapped. Destroying a day's wrapped key destroys what was sealed on that day, in every
//! copy; its row stays, so that the key is not made anew for a late arrival.

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
};

use crate::{
    base::{Day, Failure, Kind, Random, Timestamp},
    privacy::{Key, Place, audit::checkpoint::Signer},
    store::{self, Db, Tx},
};

/// The master key, which wraps all others.
#[derive(Clone, Debug)]
pub struct Master(Key);

impl Master {
    /// A new master key.
    #[must_use]
    pub fn new(random: &Random) -> Self {
        Self(Key::new(random))
    }

    /// Read 64 hexadecimal digits, spaces around them ignored; `None` if they are none.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if text.len() != 64 || !text.is_ascii() {
            return None;
        }
        let mut bytes = [0; 32];
        for (at, byte) in bytes.iter_mut().enumerate() {
            *byte = u8::from_str_radix(text.get(2 * at..2 * at + 2)?, 16).ok()?;
        }
        Some(Self(Key::from_bytes(bytes)))
    }

    /// As 64 hexadecimal digits, for its file.
    #[must_use]
    pub fn hex(&self) -> zeroize::Zeroizing<String> {
        use std::fmt::Write as _;
        let mut text = String::with_capacity(64);
        for byte in self.0.bytes() {
            // Writing to a string does not fail.
            let _ = write!(text, "{byte:02x}");
        }
        zeroize::Zeroizing::new(text)
    }
}

/// A key is not to be had.
#[derive(Debug, thiserror::Error)]
pub enum NoKey {
    /// The master key is not the one that wrapped the stored keys.
    #[error(
        "the master key does not open this database's keys; give the key file that was made with this database"
    )]
    WrongMaster,
    /// The day's key was destroyed, or the day is too far away to have one.
    #[error("there is no key for that day")]
    NoDay,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] store::Error),
}

impl From<NoKey> for Failure {
    fn from(error: NoKey) -> Self {
        match error {
            NoKey::Store(error) => error.into(),
            NoKey::NoDay => Kind::ClockOutOfRange.into(),
            NoKey::WrongMaster => Self::internal(error),
        }
    }
}

/// All keys of the service, opened.
#[derive(Debug)]
pub struct KeyRing {
    master: Key,
    pseudonym: Key,
    token: Key,
    record: Key,
    reference: Key,
    audit: Key,
    days: RwLock<HashMap<Day, Arc<Key>>>,
}

/// Version of the service keys.
const VERSION: i64 = 1;

impl KeyRing {
    /// Whether `db` holds no key yet, so that a new master key may be made for it.
    ///
    /// # Errors
    ///
    /// Those of the store.
    pub async fn is_empty(db: &Db) -> Result<bool, store::Error> {
        let any: Option<(i64,)> = db
            .read(async |tx| {
                tx.query("SELECT version FROM service_keys LIMIT 1")
                    .optional()
                    .await
            })
            .await?;
        Ok(any.is_none())
    }

    /// Open the ring in `db`, making the keys that are missing.
    ///
    /// # Errors
    ///
    /// [`NoKey::WrongMaster`] when `master` is not the one that wrapped them.
    pub async fn open(db: &Db, master: &Master, random: &Random) -> Result<Self, NoKey> {
        let mut found = Vec::new();
        for name in ["pseudonym", "token", "record", "reference", "audit"] {
            found.push(
                db.write(async |tx| service_key(tx, master, name, random).await)
                    .await?,
            );
        }
        let mut found = found.into_iter();
        let mut next = || found.next().ok_or(NoKey::WrongMaster);
        Ok(Self {
            master: master.0.clone(),
            pseudonym: next()?,
            token: next()?,
            record: next()?,
            reference: next()?,
            audit: next()?,
            days: RwLock::default(),
        })
    }

    /// The key of pseudonyms. It outlives the days: rings link a person's stays across them.
    #[must_use]
    pub fn pseudonym(&self) -> &Key {
        &self.pseudonym
    }

    /// The key that signs tokens.
    #[must_use]
    pub fn token(&self) -> &Key {
        &self.token
    }

    /// The key that seals what lives as long as its row: logins, contacts of venues, plates.
    #[must_use]
    pub fn record(&self) -> &Key {
        &self.record
    }

    /// The key of the opaque references under which a lookup shows people.
    #[must_use]
    pub fn reference(&self) -> &Key {
        &self.reference
    }

    /// Signs checkpoints of the audit log.
    #[must_use]
    pub fn audit(&self) -> Signer {
        Signer::new(&self.audit)
    }

    /// Wrap the key of a case file.
    #[must_use]
    pub fn wrap(&self, place: Place<'_>, key: &Key, random: &Random) -> Vec<u8> {
        self.master.seal(place, key.bytes(), random)
    }

    /// Unwrap the key of a case file.
    ///
    /// # Errors
    ///
    /// [`NoKey::WrongMaster`] when it does not open.
    pub fn unwrap(&self, place: Place<'_>, wrapped: &[u8]) -> Result<Key, NoKey> {
        unwrap(&self.master, place, wrapped)
    }

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
        db.append(async |tx| {
            for day in &missing {
                let wrapped =
                    self.master
                        .seal(day_place(&day_row(*day)), Key::new(random).bytes(), random);
                insert_day(tx, *day, wrapped).await?;
            }
            Ok::<_, store::Error>(())
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
        let rows: Vec<(i64, Option<Timestamp>)> = db
            .read(async |tx| {
                tx.query("SELECT day, destroyed_at FROM day_keys ORDER BY day")
                    .all()
                    .await
            })
            .await?;
        Ok(rows
            .into_iter()
            .filter_map(|(day, destroyed)| {
                Some((Day::from_number(i32::try_from(day).ok()?), destroyed))
            })
            .collect())
    }

    /// Destroy the keys of all days before `day`, and say how many.
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
        self.forget_before(day);
        Ok(destroyed)
    }

    /// Forget the keys of all days before `day` in this process.
    pub fn forget_before(&self, day: Day) {
        self.days
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .retain(|kept, _| *kept >= day);
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
            let key = unwrap(&self.master, day_place(&day_row(day)), &wrapped)?;
            opened.push((day, Arc::new(key)));
        }
        self.days
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .extend(opened);
        Ok(())
    }
}

fn day_row(day: Day) -> [u8; 4] {
    day.number().to_be_bytes()
}

fn day_place(row: &[u8; 4]) -> Place<'_> {
    Place {
        table: "day_keys",
        column: "wrapped",
        row,
    }
}

fn unwrap(master: &Key, place: Place<'_>, wrapped: &[u8]) -> Result<Key, NoKey> {
    let plain = master
        .open(place, wrapped)
        .map_err(|_| NoKey::WrongMaster)?;
    let bytes: [u8; 32] = plain
        .as_slice()
        .try_into()
        .map_err(|_| NoKey::WrongMaster)?;
    Ok(Key::from_bytes(bytes))
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

async fn service_key(
    tx: &mut Tx,
    master: &Master,
    name: &'static str,
    random: &Random,
) -> Result<Key, NoKey> {
    let place = Place {
        table: "service_keys",
        column: "wrapped",
        row: name.as_bytes(),
    };
    let stored: Option<(Vec<u8>,)> = tx
        .query("SELECT wrapped FROM service_keys WHERE name = $1 AND version = $2")
        .bind(name)
        .bind(VERSION)
        .optional()
        .await?;
    if let Some((wrapped,)) = stored {
        return unwrap(&master.0, place, &wrapped);
    }
    let key = Key::new(random);
    let now = tx.now();
    tx.query(
        "INSERT INTO service_keys (name, version, wrapped, created_at) VALUES ($1, $2, $3, $4)",
    )
    .bind(name)
    .bind(VERSION)
    .bind(master.0.seal(place, key.bytes(), random))
    .bind(now)
    .execute()
    .await?;
    Ok(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_master_key_is_64_digits() {
        let master = Master::new(&Random::seeded(1));
        let text = master.hex();
        assert_eq!(text.len(), 64);
        let again = Master::parse(&format!(" {}\n", *text)).unwrap();
        assert_eq!(again.0.bytes(), master.0.bytes());
        assert!(Master::parse("zz").is_none());
        assert!(Master::parse(&"g".repeat(64)).is_none());
        assert!(Master::parse(&"é".repeat(32)).is_none());
    }
}
