//! The audit log: an append-only Merkle log.
//!
//! An entry is written in the transaction of what it records, before the answer: no entry, no
//! answer. It says who, what, why and about how many people, never the data. With each entry the
//! hashes of the subtrees that it completes are stored ([`tree`]), so an append reads as many rows as
//! the new entry closes levels, one in two on average, and any root or proof is made from a few.
//!
//! Hashes alone show a change to nobody who can write them anew. So every ten minutes the root is
//! signed ([`checkpoint`]) and kept in a second place too ([`keep`]); from then on another past than
//! the signed one is found ([`verify`](mod@verify)), also when the end was cut off.

pub mod checkpoint;
pub mod entry;
pub mod export;
pub mod keep;
pub mod tree;
pub mod verify;

use std::collections::BTreeMap;

use uuid::Uuid;

use self::{
    checkpoint::Checkpoint,
    entry::Stored,
    tree::{Frontier, Hash, Range, Whole},
};
use crate::store::{Engine, Error, Sql, Tx};

pub use verify::{Finding, Verdict, verify};

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

/// Append `entry`. Run it in [`crate::store::Db::write`], with what it records.
///
/// # Errors
///
/// [`Error::Unrecorded`], whatever the reason, so that the answer is one that asks to try again.
pub async fn append(tx: &mut Tx, entry: Entry<'_>) -> Result<(), Error> {
    insert(tx, entry)
        .await
        .map_err(|error| Error::Unrecorded(Box::new(error)))
}

async fn insert(tx: &mut Tx, entry: Entry<'_>) -> Result<(), Error> {
    let last = last_seq(tx).await?;
    let size = u64::try_from(last).map_err(|_| GAP)?;
    // Only the subtrees that the new entry completes are needed: one for each bit that it carries over.
    let closed = usize::try_from(size.trailing_ones()).unwrap_or_default();
    let wholes = Range::first(size).wholes();
    let left = wholes.iter().rev().take(closed).copied().collect();
    let known = hashes(tx, left).await?;
    let stored = Stored {
        action: entry.action.to_owned(),
        actor: entry.actor,
        at: tx.now(),
        document: entry.document.map(str::to_owned),
        people: entry.people,
        reason: entry.reason.map(str::to_owned),
        seq: last + 1,
        subject: entry.subject,
    };
    let mut whole = stored.leaf();
    let mut nodes = whole.to_vec();
    for beside in wholes.iter().rev().take(closed) {
        whole = tree::node(known.get(beside).ok_or(GAP)?, &whole);
        nodes.extend(whole);
    }
    let added = tx
        // Another entry in its place means that another transaction won, and PostgreSQL says so only
        // where a conflict is nothing to fail on.
        .query(
            "INSERT INTO audit_log (seq, at, actor, action, subject, document, reason, people, nodes)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
             ON CONFLICT (seq) DO NOTHING",
        )
        .bind(stored.seq)
        .bind(stored.at)
        .bind(stored.actor)
        .bind(stored.action)
        .bind(stored.subject)
        .bind(stored.document)
        .bind(stored.reason)
        .bind(stored.people)
        .bind(nodes)
        .execute()
        .await?;
    if added == 1 { Ok(()) } else { Err(GAP) }
}

/// Entries are missing, so that none can be added in a way that fits the ones before.
const GAP: Error = Error::Refused("the audit log has a gap; run `diem-kiem-dich audit verify`");

/// The place of the last entry; 0 when there is none.
async fn last_seq(tx: &mut Tx) -> Result<i64, Error> {
    let last: Option<(i64,)> = tx
        .query("SELECT seq FROM audit_log ORDER BY seq DESC LIMIT 1")
        .optional()
        .await?;
    Ok(last.map_or(0, |(seq,)| seq))
}

/// What a leaf's row holds for the subtrees that it completes.
const NODES: Sql = Sql::split(
    "SELECT seq, nodes FROM audit_log WHERE seq = ANY($1::bigint[])",
    "SELECT seq, nodes FROM audit_log WHERE seq IN (SELECT value FROM json_each($1))",
);

/// The stored hashes of these subtrees. Those whose rows are missing are missing.
async fn hashes(tx: &mut Tx, wholes: Vec<Whole>) -> Result<BTreeMap<Whole, Hash>, Error> {
    if wholes.is_empty() {
        return Ok(BTreeMap::new());
    }
    let ends = wholes.iter().map(|whole| whole.end());
    let mut ends: Vec<i64> = ends.filter_map(|end| i64::try_from(end).ok()).collect();
    ends.sort_unstable();
    ends.dedup();
    let query = match tx.engine() {
        Engine::Postgres => tx.query(NODES).bind_postgres(ends),
        Engine::Sqlite => tx
            .query(NODES)
            .bind_sqlite(serde_json::to_string(&ends).unwrap_or_default()),
    };
    let rows: Vec<(i64, Vec<u8>)> = query.all().await?;
    let rows: BTreeMap<u64, Vec<u8>> = rows
        .into_iter()
        .filter_map(|(seq, nodes)| Some((u64::try_from(seq).ok()?, nodes)))
        .collect();
    Ok(wholes
        .into_iter()
        .filter_map(|whole| {
            let (nodes, _) = rows.get(&whole.end())?.as_chunks::<32>();
            let hash = nodes.get(usize::try_from(whole.level).ok()?)?;
            Some((whole, *hash))
        })
        .collect())
}

/// How many entries the log has, by the number of the last.
///
/// # Errors
///
/// Those of the store.
pub async fn now_size(tx: &mut Tx) -> Result<u64, Error> {
    Ok(last_seq(tx).await?.unsigned_abs())
}

/// The log as it stands, by the hashes that are stored.
///
/// # Errors
///
/// When entries are missing; those of the store.
pub async fn now(tx: &mut Tx) -> Result<Checkpoint, Error> {
    let size = u64::try_from(last_seq(tx).await?).map_err(|_| GAP)?;
    let wholes = Range::first(size).wholes();
    let known = hashes(tx, wholes.clone()).await?;
    let peaks: Vec<Hash> = wholes
        .iter()
        .filter_map(|whole| known.get(whole).copied())
        .collect();
    let tree = Frontier::new(size, peaks).ok_or(GAP)?;
    Ok(Checkpoint {
        size,
        root: tree.root(),
    })
}

/// The hashes that prove that the log of `old` entries is the beginning of that of `size`
/// ([`tree::is_consistent`] checks them), from what is stored.
///
/// # Errors
///
/// When entries are missing or there never were so many; those of the store.
pub async fn consistency(tx: &mut Tx, old: u64, size: u64) -> Result<Vec<Hash>, Error> {
    proof(tx, tree::consistency(old, size)).await
}

/// The hashes that prove that the entry `seq` is in the log of `size` entries ([`tree::is_included`]
/// checks them, for the leaf `seq - 1`), from what is stored.
///
/// # Errors
///
/// When entries are missing or there never were so many; those of the store.
pub async fn inclusion(tx: &mut Tx, seq: u64, size: u64) -> Result<Vec<Hash>, Error> {
    let ranges = seq.checked_sub(1).and_then(|at| tree::inclusion(at, size));
    proof(tx, ranges).await
}

async fn proof(tx: &mut Tx, ranges: Option<Vec<Range>>) -> Result<Vec<Hash>, Error> {
    let ranges = ranges.ok_or(GAP)?;
    let wholes = ranges.iter().flat_map(|range| range.wholes()).collect();
    let known = hashes(tx, wholes).await?;
    ranges
        .iter()
        .map(|range| range.hash(|whole| known.get(&whole).copied()))
        .collect::<Option<Vec<Hash>>>()
        .ok_or(GAP)
}
