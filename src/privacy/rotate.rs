//! A change of the master key, while the service runs.
//!
//! 1. Every process is given both keys, the old and the new one, in any order: both open.
//! 2. The new one is made the one that wraps ([`activate`]), and from then on nothing is wrapped by the
//!    old one: whoever wraps holds the row that says so ([`KeyRing::wrapping`]).
//! 3. What the old one wrapped is wrapped anew, a bounded number of keys in a transaction ([`rewrap`]).
//! 4. When nothing of it is left, the old one is retired ([`retire`]) and can be destroyed. With it go
//!    all older copies of wrapped keys: in backups, in the logs of a database, on disks.
//!
//! Each step may be cut off and run again.

use uuid::Uuid;

use crate::{
    base::{Day, Random, Timestamp},
    privacy::{
        KeyRing, Master, NoKey, Place, audit,
        days::{day_place, day_row},
        ring::service_place,
    },
    store::{self, Db, Tx},
};

/// Keys that are wrapped anew in one transaction.
const BATCH: i64 = 200;

/// A master key as the database knows it.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Known {
    /// The first is 1.
    pub version: i64,
    /// What tells it from others.
    pub fingerprint: Vec<u8>,
    /// Since when it wraps.
    pub created_at: Timestamp,
    /// Since when another one wraps.
    pub replaced_at: Option<Timestamp>,
    /// Since when nothing is wrapped by it any more.
    pub retired_at: Option<Timestamp>,
}

impl Known {
    /// Its state in one word, for a list.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match (self.replaced_at, self.retired_at) {
            (None, _) => "active",
            (Some(_), None) => "read-only",
            (Some(_), Some(_)) => "retired",
        }
    }
}

/// The master keys that the database knows, earliest first.
///
/// # Errors
///
/// Those of the store.
pub async fn known(db: &Db) -> Result<Vec<Known>, store::Error> {
    db.read(async |tx| {
        tx.query(
            "SELECT version, fingerprint, created_at, replaced_at, retired_at
             FROM master_keys ORDER BY version",
        )
        .all()
        .await
    })
    .await
}

/// Make `new`, which every process must have by now, the key that wraps.
///
/// # Errors
///
/// Those of the store.
pub async fn activate(db: &Db, new: &Master) -> Result<(), store::Error> {
    let print = new.fingerprint().to_vec();
    db.write(async |tx| {
        let now = tx.now();
        let wraps: Option<(i64, Vec<u8>)> = tx
            .query("SELECT version, fingerprint FROM master_keys WHERE replaced_at IS NULL")
            .optional()
            .await?;
        let version = match wraps {
            Some((_, stored)) if stored == print => return Ok(()),
            Some((version, _)) => version + 1,
            None => 1,
        };
        tx.query("UPDATE master_keys SET replaced_at = $1 WHERE replaced_at IS NULL")
            .bind(now)
            .execute()
            .await?;
        tx.query("INSERT INTO master_keys (version, fingerprint, created_at) VALUES ($1, $2, $3)")
            .bind(version)
            .bind(print.clone())
            .bind(now)
            .execute()
            .await?;
        note(tx, "keys.rotating", version).await
    })
    .await
}

/// Wrap anew by the key that wraps now what another one wrapped; passes are made until one finds
/// nothing more. Gives how many keys it was.
///
/// # Errors
///
/// [`NoKey::WrongMaster`] when a stored key does not open with any of the master keys.
pub async fn rewrap(db: &Db, keys: &KeyRing, random: &Random) -> Result<u64, NoKey> {
    let mut total = 0;
    loop {
        let mut found = db.write(async |tx| service(tx, keys, random).await).await?;
        let mut after = i64::MIN;
        while let Some((last, some)) = db
            .write(async |tx| days(tx, keys, random, after).await)
            .await?
        {
            after = last;
            found += some;
        }
        let mut after = Uuid::nil();
        while let Some((last, some)) = db
            .write(async |tx| cases(tx, keys, random, after).await)
            .await?
        {
            after = last;
            found += some;
        }
        total += found;
        if found == 0 {
            return Ok(total);
        }
    }
}

/// Note that nothing is wrapped by replaced master keys any more. To be called after a [`rewrap`].
///
/// # Errors
///
/// Those of the store.
pub async fn retire(db: &Db) -> Result<(), store::Error> {
    db.write(async |tx| {
        let now = tx.now();
        let retired = tx
            .query(
                "UPDATE master_keys SET retired_at = $1
                 WHERE replaced_at IS NOT NULL AND retired_at IS NULL",
            )
            .bind(now)
            .execute()
            .await?;
        if retired == 0 {
            return Ok(());
        }
        let (version,): (i64,) = tx
            .query("SELECT version FROM master_keys WHERE replaced_at IS NULL")
            .one()
            .await?;
        note(tx, "keys.rotated", version).await
    })
    .await
}

async fn note(tx: &mut Tx, action: &'static str, version: i64) -> Result<(), store::Error> {
    let entry = audit::Entry {
        action,
        subject: format!("master key {version}"),
        reason: Some("rotation"),
        ..audit::Entry::default()
    };
    audit::append(tx, entry).await
}

/// `wrapped` as `master` wraps it, or `None` if it is that already.
fn anew(
    keys: &KeyRing,
    master: &Master,
    place: Place<'_>,
    wrapped: &[u8],
    random: &Random,
) -> Result<Option<Vec<u8>>, NoKey> {
    if master.unwrap(place, wrapped).is_some() {
        return Ok(None);
    }
    let key = keys.unwrap(place, wrapped)?;
    Ok(Some(master.wrap(place, &key, random)))
}

async fn service(tx: &mut Tx, keys: &KeyRing, random: &Random) -> Result<u64, NoKey> {
    let master = keys.wrapping(tx).await?;
    let rows: Vec<(String, i64, Vec<u8>)> = tx
        .query("SELECT name, version, wrapped FROM service_keys")
        .all()
        .await?;
    let mut found = 0;
    for (name, version, wrapped) in rows {
        if let Some(wrapped) = anew(keys, &master, service_place(&name), &wrapped, random)? {
            found += tx
                .query("UPDATE service_keys SET wrapped = $3 WHERE name = $1 AND version = $2")
                .bind(name)
                .bind(version)
                .bind(wrapped)
                .execute()
                .await?;
        }
    }
    Ok(found)
}

/// Those of the next days after `after`: the last day, and how many were wrapped anew.
async fn days(
    tx: &mut Tx,
    keys: &KeyRing,
    random: &Random,
    after: i64,
) -> Result<Option<(i64, u64)>, NoKey> {
    let master = keys.wrapping(tx).await?;
    let rows: Vec<(i64, Vec<u8>)> = tx
        .query(
            "SELECT day, wrapped FROM day_keys WHERE day > $1 AND wrapped IS NOT NULL
             ORDER BY day LIMIT $2",
        )
        .bind(after)
        .bind(BATCH)
        .all()
        .await?;
    let (mut last, mut found) = (None, 0);
    for (day, wrapped) in rows {
        last = Some(day);
        let row = day_row(Day::from_number(
            i32::try_from(day).map_err(|_| NoKey::NoDay)?,
        ));
        if let Some(wrapped) = anew(keys, &master, day_place(&row), &wrapped, random)? {
            // Not one that was destroyed meanwhile.
            found += tx
                .query("UPDATE day_keys SET wrapped = $2 WHERE day = $1 AND wrapped IS NOT NULL")
                .bind(day)
                .bind(wrapped)
                .execute()
                .await?;
        }
    }
    Ok(last.map(|last| (last, found)))
}

/// Those of the next cases after `after`: the last case, and how many were wrapped anew.
async fn cases(
    tx: &mut Tx,
    keys: &KeyRing,
    random: &Random,
    after: Uuid,
) -> Result<Option<(Uuid, u64)>, NoKey> {
    let master = keys.wrapping(tx).await?;
    let rows: Vec<(Uuid, Vec<u8>)> = tx
        .query(
            "SELECT id, key_wrapped FROM cases WHERE id > $1 AND key_wrapped IS NOT NULL
             ORDER BY id LIMIT $2",
        )
        .bind(after)
        .bind(BATCH)
        .all()
        .await?;
    let (mut last, mut found) = (None, 0);
    for (id, wrapped) in rows {
        last = Some(id);
        let place = Place {
            table: "cases",
            column: "key_wrapped",
            row: id.as_bytes(),
        };
        if let Some(wrapped) = anew(keys, &master, place, &wrapped, random)? {
            found += tx
                .query(
                    "UPDATE cases SET key_wrapped = $2 WHERE id = $1 AND key_wrapped IS NOT NULL",
                )
                .bind(id)
                .bind(wrapped)
                .execute()
                .await?;
        }
    }
    Ok(last.map(|last| (last, found)))
}
