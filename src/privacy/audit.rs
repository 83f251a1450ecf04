//! The audit log: append-only, each entry hashed together with the one before it.
//!
//! An entry is written in the transaction of what it records, before the answer: no entry, no
//! answer. It says who, what, why and about how many people, never the data. A changed or a missing
//! entry breaks the chain and [`verify`] finds it.

use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::{
    base::Timestamp,
    store::{Error, Tx},
};

/// What is recorded.
#[derive(Clone, Debug, Default)]
pub struct Entry<'a> {
    /// The account that did it; `None` for the service itself.
    pub actor: Option<Uuid>,
    /// What was done, like `lookup.created`.
    pub action: &'static str,
    /// To what: an id, never a name.
    pub subject: String,
    /// The number of the document that asked for it.
    pub document: Option<&'a str>,
    /// Why.
    pub reason: Option<&'a str>,
    /// How many people were seen.
    pub people: Option<i64>,
}

/// One stored entry.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Stored {
    /// Its place in the log, from 1.
    pub seq: i64,
    /// When.
    pub at: Timestamp,
    /// The account.
    pub actor: Option<Uuid>,
    /// What was done.
    pub action: String,
    /// To what.
    pub subject: String,
    /// The document.
    pub document: Option<String>,
    /// Why.
    pub reason: Option<String>,
    /// How many people were seen.
    pub people: Option<i64>,
    /// Hash of the entry before.
    pub previous: Vec<u8>,
    /// Hash of this entry.
    pub hash: Vec<u8>,
}

/// What [`verify`] found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// All entries, this many, are as they were written.
    Whole(i64),
    /// The entry at this place was changed, or entries before it are missing.
    BrokenAt(i64),
}

/// Append `entry`. Run it in [`crate::store::Db::write`], with what it records.
///
/// # Errors
///
/// Those of the store.
pub async fn append(tx: &mut Tx, entry: Entry<'_>) -> Result<(), Error> {
    let last: Option<(i64, Vec<u8>)> = tx
        .query("SELECT seq, hash FROM audit_log ORDER BY seq DESC LIMIT 1")
        .optional()
        .await?;
    let (seq, previous) = last.map_or((1, vec![0; 32]), |(seq, hash)| (seq + 1, hash));
    let stored = Stored {
        seq,
        at: tx.now(),
        actor: entry.actor,
        action: entry.action.to_owned(),
        subject: entry.subject,
        document: entry.document.map(str::to_owned),
        reason: entry.reason.map(str::to_owned),
        people: entry.people,
        previous,
        hash: Vec::new(),
    };
    let hash = hash(&stored);
    tx.query(
        "INSERT INTO audit_log
             (seq, at, actor, action, subject, document, reason, people, previous, hash)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
    )
    .bind(stored.seq)
    .bind(stored.at)
    .bind(stored.actor)
    .bind(stored.action)
    .bind(stored.subject)
    .bind(stored.document)
    .bind(stored.reason)
    .bind(stored.people)
    .bind(stored.previous)
    .bind(hash.to_vec())
    .execute()
    .await
    .map(drop)
}

/// Read the whole log and check every link.
///
/// # Errors
///
/// Those of the store.
pub async fn verify(tx: &mut Tx) -> Result<Verdict, Error> {
    let mut previous = vec![0; 32];
    let mut count = 0;
    let mut broken = None;
    tx.query(
        "SELECT seq, at, actor, action, subject, document, reason, people, previous, hash
         FROM audit_log ORDER BY seq",
    )
    .for_each(|entry: Stored| {
        count += 1;
        let sound = entry.seq == count
            && entry.previous == previous
            && entry.hash == hash(&entry).as_slice();
        if !sound && broken.is_none() {
            broken = Some(entry.seq);
        }
        previous.clone_from(&entry.hash);
        Ok::<_, Error>(())
    })
    .await?;
    Ok(broken.map_or(Verdict::Whole(count), Verdict::BrokenAt))
}

/// SHA-256 over every field but the hash, each with its length before it.
fn hash(entry: &Stored) -> [u8; 32] {
    let mut sha = Sha256::new();
    let mut add = |bytes: Option<&[u8]>| {
        let length = bytes.map_or(-1, |b| i64::try_from(b.len()).unwrap_or(i64::MAX));
        sha.update(length.to_be_bytes());
        sha.update(bytes.unwrap_or_default());
    };
    add(Some(&entry.seq.to_be_bytes()));
    add(Some(&entry.at.as_micros().to_be_bytes()));
    add(entry.actor.as_ref().map(|id| id.as_bytes().as_slice()));
    add(Some(entry.action.as_bytes()));
    add(Some(entry.subject.as_bytes()));
    add(entry.document.as_ref().map(String::as_bytes));
    add(entry.reason.as_ref().map(String::as_bytes));
    add(entry
        .people
        .map(i64::to_be_bytes)
        .as_ref()
        .map(<[u8; 8]>::as_slice));
    add(Some(&entry.previous));
    sha.finalize().into()
}
