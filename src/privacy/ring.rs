//! The key ring: what the master key opens.
//!
//! Service keys (pseudonyms, tokens, records, references) and one key a UTC day stand in the
//! database, wrapped. Destroying a day's wrapped key destroys what was sealed on that day, in every
//! copy; its row stays, so that the key is not made anew for a late arrival. Days are in
//! [`super::days`], and a change of the master key is in [`super::rotate`].

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
};

use crate::{
    base::{Day, Failure, Kind, Random},
    config::MasterKey,
    privacy::{Key, Master, Place, audit::checkpoint::Signer, master::FINGERPRINT},
    store::{self, Db, Sql, Tx},
};

/// A key is not to be had.
#[derive(Debug, thiserror::Error)]
pub enum NoKey {
    /// The master key is not the one that wrapped the stored keys.
    #[error(
        "the master key does not open this database's keys; give the key file that was made with this database"
    )]
    WrongMaster,
    /// The master key was changed, and this process has the old one alone.
    #[error(
        "the master key was rotated and this process does not have the new one; restart it with the new key"
    )]
    OldMaster,
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
            NoKey::WrongMaster | NoKey::OldMaster => Self::internal(error),
        }
    }
}

impl From<NoKey> for store::Error {
    fn from(error: NoKey) -> Self {
        match error {
            NoKey::Store(error) => error,
            NoKey::WrongMaster => Self::Refused("the master key does not open a stored key"),
            NoKey::OldMaster => Self::Refused(
                "the master key was rotated and this process does not have the new one; restart it with the new key",
            ),
            NoKey::NoDay => Self::Refused("there is no key for that day"),
        }
    }
}

/// All keys of the service, opened.
#[derive(Debug)]
pub struct KeyRing {
    /// Where the master keys come from, to read them again while they are rotated.
    source: MasterKey,
    masters: RwLock<Arc<[Master]>>,
    pseudonym: Key,
    token: Key,
    record: Key,
    reference: Key,
    audit: Key,
    pub(super) days: RwLock<HashMap<Day, Arc<Key>>>,
}

/// Version of the service keys.
const VERSION: i64 = 1;

/// The service keys, by name.
const SERVICE: [&str; 5] = ["pseudonym", "token", "record", "reference", "audit"];

/// The fingerprint of the master key that wraps. In PostgreSQL the row is held until the end of the
/// transaction: whoever makes another key the one that wraps waits for those that have wrapped.
const WRAPS: Sql = Sql::split(
    "SELECT fingerprint FROM master_keys WHERE replaced_at IS NULL FOR SHARE",
    "SELECT fingerprint FROM master_keys WHERE replaced_at IS NULL",
);

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

    /// Open the ring in `db` with `masters`, which were read from `source`, making the keys that are
    /// missing. In a new database the first of `masters` becomes the one that wraps.
    ///
    /// # Errors
    ///
    /// [`NoKey::WrongMaster`] when none of them is the one that wrapped.
    pub async fn open(
        db: &Db,
        source: MasterKey,
        masters: Vec<Master>,
        random: &Random,
    ) -> Result<Self, NoKey> {
        let first = masters.first().ok_or(NoKey::WrongMaster)?.clone();
        db.write(async |tx| begin(tx, &first).await).await?;
        let masters: Arc<[Master]> = masters.into();
        let mut found = Vec::new();
        for name in SERVICE {
            found.push(
                db.write(async |tx| service_key(tx, &masters, name, random).await)
                    .await?,
            );
        }
        let mut found = found.into_iter();
        let mut next = || found.next().ok_or(NoKey::WrongMaster);
        Ok(Self {
            source,
            masters: RwLock::new(masters),
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

    /// The master keys that this process has.
    #[must_use]
    pub fn masters(&self) -> Arc<[Master]> {
        Arc::clone(&self.masters.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Read the master keys again from where they came. What cannot be read leaves those that are
    /// there: a service goes on with them. A command may take seconds: not on a thread that serves.
    pub fn reload(&self) {
        match Master::read(&self.source) {
            Ok(fresh) => {
                *self.masters.write().unwrap_or_else(PoisonError::into_inner) = fresh.into();
            }
            Err(error) => tracing::warn!("the master key could not be read again: {error}"),
        }
    }

    /// Whether the keys come from a file, which is read in no time.
    fn is_filed(&self) -> bool {
        matches!(self.source, MasterKey::File(_) | MasterKey::Own(_))
    }

    /// The master key that wraps now; `None` when this process does not have it.
    ///
    /// # Errors
    ///
    /// Those of the store.
    pub async fn active(&self, db: &Db) -> Result<Option<Master>, store::Error> {
        let wraps: Option<(Vec<u8>,)> = db
            .read(async |tx| {
                tx.query("SELECT fingerprint FROM master_keys WHERE replaced_at IS NULL")
                    .optional()
                    .await
            })
            .await?;
        Ok(wraps.and_then(|(print,)| self.with_print(&print)))
    }

    fn with_print(&self, print: &[u8]) -> Option<Master> {
        let masters = self.masters();
        let found = masters.iter().find(|key| key.fingerprint() == print);
        found.cloned()
    }

    /// Whether this process has every master key that may still wrap something: then what does not open
    /// is damaged.
    ///
    /// # Errors
    ///
    /// Those of the store.
    pub async fn is_whole(&self, tx: &mut Tx) -> Result<bool, store::Error> {
        let wrap: Vec<(Vec<u8>,)> = tx
            .query("SELECT fingerprint FROM master_keys WHERE retired_at IS NULL")
            .all()
            .await?;
        Ok(wrap.iter().all(|(print,)| self.with_print(print).is_some()))
    }

    /// The master key that wraps, for this transaction: run it in [`Db::write`].
    ///
    /// # Errors
    ///
    /// [`NoKey::OldMaster`] when this process does not have it.
    pub async fn wrapping(&self, tx: &mut Tx) -> Result<Master, NoKey> {
        let (print,): (Vec<u8>,) = tx.query(WRAPS).one().await?;
        if let Some(master) = self.with_print(&print) {
            return Ok(master);
        }
        if self.is_filed() {
            self.reload();
        }
        self.with_print(&print).ok_or(NoKey::OldMaster)
    }

    /// Wrap the key of a case file, in the transaction that stores it. Whoever wraps in another table
    /// adds it to those that [`super::rotate`] wraps anew.
    ///
    /// # Errors
    ///
    /// [`NoKey::OldMaster`]; those of the store.
    pub async fn wrap(
        &self,
        tx: &mut Tx,
        place: Place<'_>,
        key: &Key,
        random: &Random,
    ) -> Result<Vec<u8>, NoKey> {
        Ok(self.wrapping(tx).await?.wrap(place, key, random))
    }

    /// Unwrap a stored key.
    ///
    /// # Errors
    ///
    /// [`NoKey::WrongMaster`] when it does not open.
    pub fn unwrap(&self, place: Place<'_>, wrapped: &[u8]) -> Result<Key, NoKey> {
        if let Some(key) = unwrap_any(&self.masters(), place, wrapped) {
            return Ok(key);
        }
        // It may have been wrapped anew a moment ago.
        if self.is_filed() {
            self.reload();
        }
        unwrap_any(&self.masters(), place, wrapped).ok_or(NoKey::WrongMaster)
    }
}

/// Where the wrapped service key `name` stands.
pub(super) fn service_place(name: &str) -> Place<'_> {
    Place {
        table: "service_keys",
        column: "wrapped",
        row: name.as_bytes(),
    }
}

fn unwrap_any(masters: &[Master], place: Place<'_>, wrapped: &[u8]) -> Option<Key> {
    masters.iter().find_map(|key| key.unwrap(place, wrapped))
}

/// In a new database `first` is the key that wraps.
async fn begin(tx: &mut Tx, first: &Master) -> Result<(), store::Error> {
    let any: Option<(i64,)> = tx
        .query("SELECT version FROM master_keys LIMIT 1")
        .optional()
        .await?;
    if any.is_some() {
        return Ok(());
    }
    let now = tx.now();
    tx.query("INSERT INTO master_keys (version, fingerprint, created_at) VALUES (1, $1, $2)")
        .bind(first.fingerprint().to_vec())
        .bind(now)
        .execute()
        .await
        .map(drop)
}

async fn service_key(
    tx: &mut Tx,
    masters: &[Master],
    name: &'static str,
    random: &Random,
) -> Result<Key, NoKey> {
    let place = service_place(name);
    let stored: Option<(Vec<u8>,)> = tx
        .query("SELECT wrapped FROM service_keys WHERE name = $1 AND version = $2")
        .bind(name)
        .bind(VERSION)
        .optional()
        .await?;
    if let Some((wrapped,)) = stored {
        return unwrap_any(masters, place, &wrapped).ok_or(NoKey::WrongMaster);
    }
    let (print,): (Vec<u8>,) = tx.query(WRAPS).one().await?;
    let print: [u8; FINGERPRINT] = print.try_into().map_err(|_| NoKey::WrongMaster)?;
    let master = masters.iter().find(|key| key.fingerprint() == print);
    let master = master.ok_or(NoKey::WrongMaster)?;
    let key = Key::new(random);
    let now = tx.now();
    tx.query(
        "INSERT INTO service_keys (name, version, wrapped, created_at) VALUES ($1, $2, $3, $4)",
    )
    .bind(name)
    .bind(VERSION)
    .bind(master.wrap(place, &key, random))
    .bind(now)
    .execute()
    .await?;
    Ok(key)
}
