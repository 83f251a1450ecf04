//! Checking the log, from the database or from an exported file.
//!
//! Entries come in order, each with the hash that was stored with it. What does not fit is named as
//! closely as the evidence allows: an entry that does not fit its own hash by its number; where hashes
//! were made anew to fit, the stretch between the last checkpoint that holds and the first that does
//! not.

use std::{collections::BTreeMap, fmt};

use super::{
    checkpoint::{Checkpoint, PublicKey},
    entry::Stored,
    tree::{Frontier, Hash},
};
use crate::store::{Db, Error, Tx};

/// Entries read in one transaction.
const BATCH: i64 = 5_000;

/// Changed entries that are looked at for having changed places, and findings that are kept of a kind.
const FEW: usize = 100;

/// What is wrong with the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// The entry is not the one that was written.
    Changed(i64),
    /// The two entries stand in each other's place.
    Swapped(i64, i64),
    /// The entries from the first to the second number are missing.
    Removed(i64, i64),
    /// The entry stands where none can, or twice.
    OutOfPlace(i64),
    /// The hashes stored with the entry do not come from the entries before it.
    Hashes(i64),
    /// The log ends before the second number, up to which a checkpoint was signed: the entries from
    /// the first number on are missing.
    Truncated(i64, i64, String),
    /// The entries fit each other but not the checkpoint: in this stretch one was changed, added or
    /// taken away, and the hashes were made anew.
    Rewritten(i64, i64, String),
    /// What was given as a checkpoint is none.
    BadCheckpoint(String, String),
    /// The entries from this number on are under no checkpoint. Only where there should be one.
    Unsigned(i64),
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Changed(seq) => write!(f, "entry {seq} was changed"),
            Self::Swapped(one, other) => write!(f, "entries {one} and {other} were swapped"),
            Self::Removed(from, to) if from == to => write!(f, "entry {from} is missing"),
            Self::Removed(from, to) => write!(f, "entries {from} to {to} are missing"),
            Self::OutOfPlace(seq) => write!(f, "entry {seq} is out of place"),
            Self::Hashes(seq) => write!(
                f,
                "the hashes stored with entry {seq} do not fit the entries up to it"
            ),
            Self::Truncated(from, to, by) => write!(
                f,
                "the end was cut off: entries {from} to {to} are missing, by {by}"
            ),
            Self::Rewritten(from, to, by) => write!(
                f,
                "among entries {from} to {to} one was changed, added or removed and the hashes were made anew, by {by}"
            ),
            Self::BadCheckpoint(source, why) => write!(f, "{source} {why}"),
            Self::Unsigned(from) => write!(
                f,
                "no checkpoint covers the entries from {from} on: the file was cut off, or is no whole export"
            ),
        }
    }
}

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// All entries, this many, are as they were written.
    Whole(i64),
    /// They are not; the first finding.
    Broken(Finding),
}

/// Everything that was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Entries seen.
    pub entries: i64,
    /// Checkpoints that hold.
    pub checkpoints: usize,
    /// Entries up to the last checkpoint that holds.
    pub signed: u64,
    /// What is wrong, by place.
    pub findings: Vec<Finding>,
}

/// A checkpoint that the log must fit, and where it came from.
#[derive(Clone, Debug)]
struct Claim {
    root: Hash,
    source: String,
}

/// A check that is going on. Give it the claims first, then every entry, then finish it.
#[derive(Debug, Default)]
pub struct Check {
    claims: BTreeMap<u64, Vec<Claim>>,
    /// The tree as the stored hashes make it; `None` after a gap, when it cannot be known any more.
    tree: Option<Frontier>,
    /// Place of the last entry.
    last: i64,
    held: usize,
    /// Entries up to the last checkpoint that holds.
    signed: u64,
    entries: i64,
    /// Entries that do not fit their stored hashes.
    changed: Vec<(Stored, Hash)>,
    /// Whether a checkpoint was met that does not hold; then none after it does.
    rewritten: bool,
    findings: Vec<Finding>,
}

impl Check {
    /// A check that has seen nothing.
    #[must_use]
    pub fn new() -> Self {
        Self {
            tree: Some(Frontier::default()),
            ..Self::default()
        }
    }

    /// The log must fit `checkpoint`, whose signature was checked and which came from `source`.
    pub fn claim(&mut self, checkpoint: &Checkpoint, source: impl Into<String>) {
        let claims = self.claims.entry(checkpoint.size).or_default();
        // The same one lies in two places.
        if claims.iter().all(|known| known.root != checkpoint.root) {
            claims.push(Claim {
                root: checkpoint.root,
                source: source.into(),
            });
        }
    }

    /// The log must fit the checkpoint in `note`, if `key` signed it, which came from `source`.
    pub fn claim_note(&mut self, key: &PublicKey, note: &str, source: impl Into<String>) {
        match key.read(note) {
            Ok(checkpoint) => self.claim(&checkpoint, source),
            Err(why) => self.bad_checkpoint(source, why),
        }
    }

    /// What was given as a checkpoint is none.
    pub fn bad_checkpoint(&mut self, source: impl Into<String>, why: impl fmt::Display) {
        self.find(Finding::BadCheckpoint(source.into(), why.to_string()));
    }

    /// The next entry, with the hash of its leaf as it was stored, and with the hashes of all subtrees
    /// that it completes where they were stored.
    pub fn entry(&mut self, entry: Stored, leaf: &[u8], nodes: Option<&[u8]>) {
        self.entries += 1;
        let seq = entry.seq;
        if seq <= self.last {
            return self.find(Finding::OutOfPlace(seq));
        }
        if seq > self.last + 1 {
            self.find(Finding::Removed(self.last + 1, seq - 1));
            self.tree = None;
        }
        self.last = seq;
        let computed = entry.leaf();
        // The stored hash stands for the entry that was there, so that what follows can be checked.
        let stored = Hash::try_from(leaf).unwrap_or(computed);
        if computed != leaf {
            if self.changed.len() < FEW {
                self.changed.push((entry, stored));
            } else {
                self.find(Finding::Changed(seq));
            }
        }
        let Some(tree) = &mut self.tree else { return };
        let completed = tree.push(stored);
        if nodes.is_some_and(|nodes| nodes != completed.as_flattened()) {
            self.find(Finding::Hashes(seq));
        }
        self.meet_claims();
    }

    /// Hold the tree against the checkpoints of its size.
    fn meet_claims(&mut self) {
        let Some(tree) = &self.tree else { return };
        let Some(claims) = self.claims.get(&tree.size()) else {
            return;
        };
        let root = tree.root();
        let against = claims.iter().find(|claim| claim.root != root);
        let Some(claim) = against else {
            self.held += 1;
            self.signed = tree.size();
            return;
        };
        if !self.rewritten {
            self.rewritten = true;
            let from = i64::try_from(self.signed).unwrap_or(i64::MAX) + 1;
            let finding = Finding::Rewritten(from, self.last, claim.source.clone());
            self.find(finding);
        }
    }

    /// One kind of finding may come for every entry; enough is enough.
    fn find(&mut self, finding: Finding) {
        if self.findings.len() < FEW {
            self.findings.push(finding);
        }
    }

    /// What was found. With `all_signed` the last entry must be under a checkpoint.
    #[must_use]
    pub fn finish(mut self, all_signed: bool) -> Report {
        // The greatest tells of all of them.
        if let Some((size, claims)) = self.claims.last_key_value() {
            let size = i64::try_from(*size).unwrap_or(i64::MAX);
            if size > self.last {
                let source = claims.first().map(|claim| claim.source.clone());
                let cut = Finding::Truncated(self.last + 1, size, source.unwrap_or_default());
                self.findings.push(cut);
            }
        }
        if all_signed && self.findings.is_empty() && self.signed < self.last.unsigned_abs() {
            let from = i64::try_from(self.signed).unwrap_or(i64::MAX) + 1;
            self.findings.push(Finding::Unsigned(from));
        }
        let mut findings = places_changed(self.changed);
        findings.append(&mut self.findings);
        Report {
            entries: self.entries,
            checkpoints: self.held,
            signed: self.signed,
            findings,
        }
    }
}

/// Changed entries, those that stand in each other's place told apart.
fn places_changed(mut changed: Vec<(Stored, Hash)>) -> Vec<Finding> {
    let mut findings = Vec::new();
    while !changed.is_empty() {
        let (entry, hash) = changed.remove(0);
        let moved = |entry: &Stored, to: i64| Stored {
            seq: to,
            ..entry.clone()
        };
        let other = changed.iter().position(|(other, other_hash)| {
            let here = moved(other, entry.seq).leaf();
            let there = moved(&entry, other.seq).leaf();
            // Without their hashes, or with them.
            (here, there) == (hash, *other_hash) || (here, there) == (*other_hash, hash)
        });
        findings.push(match other {
            Some(other) => Finding::Swapped(entry.seq, changed.remove(other).0.seq),
            None => Finding::Changed(entry.seq),
        });
    }
    findings
}

/// One row.
#[derive(sqlx::FromRow)]
pub(super) struct Row {
    #[sqlx(flatten)]
    pub(super) entry: Stored,
    pub(super) nodes: Vec<u8>,
}

impl Row {
    pub(super) fn leaf(&self) -> &[u8] {
        self.nodes.get(..32).unwrap_or_default()
    }
}

/// The next rows after the entry `after`, in order.
pub(super) async fn rows(tx: &mut Tx, after: i64) -> Result<Vec<Row>, Error> {
    tx.query(
        "SELECT seq, at, actor, action, subject, document, reason, people, nodes
         FROM audit_log WHERE seq > $1 ORDER BY seq LIMIT $2",
    )
    .bind(after)
    .bind(BATCH)
    .all()
    .await
}

/// Hand every entry in the database to `check`, and the number of those seen so far to `progress`. The
/// log may grow meanwhile.
///
/// # Errors
///
/// Those of the store.
pub async fn read(db: &Db, check: &mut Check, mut progress: impl FnMut(u64)) -> Result<(), Error> {
    let mut after = i64::MIN;
    loop {
        let rows = db.read(async |tx| rows(tx, after).await).await?;
        let Some(last) = rows.last() else {
            return Ok(());
        };
        after = last.entry.seq;
        for row in rows {
            let nodes = row.nodes;
            check.entry(row.entry, nodes.get(..32).unwrap_or_default(), Some(&nodes));
        }
        progress(check.entries.unsigned_abs());
    }
}

/// Read the whole log and check every entry and every hash, with no checkpoint: a change that left the
/// hashes as they were.
///
/// # Errors
///
/// Those of the store.
pub async fn verify(tx: &mut Tx) -> Result<Verdict, Error> {
    let mut check = Check::new();
    let mut after = i64::MIN;
    loop {
        let rows = rows(tx, after).await?;
        let Some(last) = rows.last() else { break };
        after = last.entry.seq;
        for row in rows {
            check.entry(row.entry.clone(), row.leaf(), Some(&row.nodes));
        }
    }
    let report = check.finish(false);
    Ok(match report.findings.into_iter().next() {
        None => Verdict::Whole(report.entries),
        Some(finding) => Verdict::Broken(finding),
    })
}
