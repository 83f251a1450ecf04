//! The journal in SQLite: acknowledged in a log, merged into the tables in sorted batches.
//!
//! Every check-in has its page in the tree of checkpoints and another in the tree of people, and a
//! transaction writes each of them to the disk in full. So a batch is first written as it is, at the
//! end of a log ([`super::log`]), and answered; what it holds is also kept here in memory, a generation
//! of many thousands, which goes into `check_ins` in the order of its keys while the next one gathers,
//! or when nothing else is to be done. Whoever reads `check_ins` settles the journal before
//! ([`super::Journal::settle`]).
//!
//! After a crash the log is replayed at the start. Memory holds nothing that is not in the log, and
//! everything may be merged twice, also by another process: what is there stays, and of the check-outs
//! of a stay the last one is written.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::Arc,
};

use super::{
    Answer, Arrival, Error, Key, Out, Outcome, Risk, Row, Tx, Work, declarations, left_source, log,
    store, write,
};
use crate::{
    base::{MAX_STAY_MS, ids::time_of},
    checkins::COMPANIONS_MAX,
    store::Db,
};

/// Rows that are merged together: the more, the more of them share a page.
const GENERATION: usize = 65_536;

/// Rows merged in one transaction: some milliseconds, for which other writers wait.
const SLICE: usize = 4096;

/// Check-outs merged while the log is locked.
const OUTS: usize = 512;

/// An acknowledged check-in that is not in `check_ins` yet.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    row: Row,
    risk: Risk,
}

impl Entry {
    fn of(arrival: &Arrival) -> Self {
        Self {
            row: arrival.row.clone(),
            risk: arrival.risk,
        }
    }
}

/// What was acknowledged and is merged together.
#[derive(Debug, Default)]
pub(super) struct Generation {
    rows: HashMap<Key, Entry>,
    /// Check-outs of check-ins that are not among the rows.
    outs: BTreeMap<Key, Out>,
    /// The last batch of the log that holds any of this.
    last: i64,
}

impl Generation {
    fn len(&self) -> usize {
        self.rows.len() + self.outs.len()
    }
}

/// What is in the log and not yet in the tables.
#[derive(Debug)]
pub(super) struct Ledger {
    fresh: Generation,
    /// What is being merged.
    merging: Option<Arc<Generation>>,
    /// The log may hold what is not known here: at the start, and after a batch whose end was not told.
    doubt: bool,
}

/// What was written to the log, to be remembered.
struct Accepted {
    outcomes: Vec<Outcome>,
    rows: Vec<Entry>,
    outs: Vec<Out>,
    batch: Option<i64>,
}

impl Ledger {
    /// Nothing known, of a log that may hold something.
    pub(super) fn new() -> Self {
        Self {
            fresh: Generation::default(),
            merging: None,
            doubt: true,
        }
    }

    /// Whether nothing has gathered since [`Self::next`].
    pub(super) fn is_empty(&self) -> bool {
        self.fresh.len() == 0
    }

    /// Whether what [`Self::next`] gave is not in the tables yet.
    pub(super) fn is_merging(&self) -> bool {
        self.merging.is_some()
    }

    /// Whether enough has gathered to be merged.
    pub(super) fn is_due(&self) -> bool {
        self.fresh.len() >= GENERATION
    }

    /// Check-ins and check-outs that are not in the tables.
    pub(super) fn unmerged(&self) -> usize {
        self.fresh.len() + self.merging.as_ref().map_or(0, |merging| merging.len())
    }

    /// What is to be merged now; what comes meanwhile gathers anew. The same again, until it
    /// is [`Self::merged`].
    pub(super) fn next(&mut self) -> Arc<Generation> {
        let fresh = &mut self.fresh;
        let next = self
            .merging
            .get_or_insert_with(|| Arc::new(std::mem::take(fresh)));
        Arc::clone(next)
    }

    /// What [`Self::next`] gave is in the tables.
    pub(super) fn merged(&mut self) {
        self.merging = None;
    }

    /// Put what a failure, a crash or another process has left in the log into the tables.
    pub(super) async fn resolve(&mut self, db: &Db) -> Result<(), Error> {
        if self.doubt {
            log::replay(db).await?;
            self.fresh = Generation::default();
            self.doubt = false;
        }
        Ok(())
    }

    /// What was answered for `key`, if that is not in the tables yet.
    pub(super) async fn find(&mut self, db: &Db, key: Key) -> Result<Option<Answer>, Error> {
        self.resolve(db).await?;
        Ok(self.known(key).and_then(|entry| answer(entry, false)))
    }

    fn known(&self, key: Key) -> Option<&Entry> {
        let merging = self.merging.as_ref();
        let merging = || merging.and_then(|merging| merging.rows.get(&key));
        self.fresh.rows.get(&key).or_else(merging)
    }

    /// Write `works` to the log, and say for each what came of it.
    pub(super) async fn accept(&mut self, db: &Db, works: &[&Work]) -> Result<Vec<Outcome>, Error> {
        for work in works {
            judge(work)?;
        }
        self.resolve(db).await?;
        let accepted = match self.accept_new(db, works).await? {
            Some(accepted) => accepted,
            None => self.accept_any(db, works).await?,
        };
        self.fresh.last = accepted.batch.unwrap_or(self.fresh.last);
        for entry in accepted.rows {
            self.fresh.rows.insert(entry.row.key(), entry);
        }
        for out in accepted.outs {
            match self.fresh.rows.get_mut(&out.key) {
                Some(entry) => {
                    entry.row.left_at = Some(out.left_at);
                    entry.row.left_source = Some(left_source::VISITOR);
                }
                None => {
                    self.fresh.outs.insert(out.key, out);
                }
            }
        }
        Ok(accepted.outcomes)
    }

    /// Write `works` with one statement, if they are what nearly all are: new check-ins of people who
    /// have declared before, and check-outs of check-ins that are known here. `None`, and nothing is
    /// written, if they are not.
    async fn accept_new(&mut self, db: &Db, works: &[&Work]) -> Result<Option<Accepted>, Error> {
        let arrivals = write::first_of_each(works);
        let outs = write::last_of_each(works);
        let fresh: HashSet<Key> = arrivals.iter().map(|arrival| arrival.row.key()).collect();
        let is_new = !works.iter().any(|work| matches!(work, Work::Declare(..)))
            && arrivals.iter().all(|arrival| arrival.declaration.is_none())
            && !fresh.iter().any(|key| self.known(*key).is_some())
            && outs
                .iter()
                .all(|out| fresh.contains(&out.key) || self.known(out.key).is_some());
        if !is_new {
            return Ok(None);
        }
        let rows: Vec<&Row> = arrivals.iter().map(|arrival| &arrival.row).collect();
        let written = db
            .log_single(async |tx| log::append_new(tx, &rows, &outs).await)
            .await;
        self.doubt = written.is_err();
        let Some(batch) = written? else {
            return Ok(None);
        };
        let rows: Vec<Entry> = arrivals.iter().map(|arrival| Entry::of(arrival)).collect();
        let answers = rows
            .iter()
            .map(|entry| (entry.row.key(), answer(entry, true)))
            .collect();
        let found = outs.iter().map(|out| out.key).collect();
        Ok(Some(Accepted {
            outcomes: write::outcomes(works, &answers, &found),
            rows,
            outs,
            batch: Some(batch),
        }))
    }

    /// Write `works`, whatever they are. Declarations stand in their table before the check-in is in the
    /// log.
    async fn accept_any(&mut self, db: &Db, works: &[&Work]) -> Result<Accepted, Error> {
        let mut accepted = db.append(async |tx| self.declare(tx, works).await).await?;
        if accepted.rows.is_empty() && accepted.outs.is_empty() {
            return Ok(accepted);
        }
        let rows: Vec<&Row> = accepted.rows.iter().map(|entry| &entry.row).collect();
        let batch = db
            .log_single(async |tx| log::append(tx, &rows, &accepted.outs).await)
            .await;
        self.doubt = batch.is_err();
        accepted.batch = Some(batch?);
        Ok(accepted)
    }

    /// Store the declarations of `works`, and say what is to be logged.
    async fn declare(&self, tx: &mut Tx, works: &[&Work]) -> Result<Accepted, Error> {
        let arrivals = write::first_of_each(works);
        let mut answers = HashMap::with_capacity(arrivals.len());
        let (known, unknown): (Vec<&Arrival>, Vec<&Arrival>) = arrivals
            .into_iter()
            .partition(|arrival| self.known(arrival.row.key()).is_some());
        for arrival in known {
            let key = arrival.row.key();
            answers.insert(key, self.known(key).and_then(|entry| answer(entry, false)));
        }
        let keys: Vec<Key> = unknown.iter().map(|arrival| arrival.row.key()).collect();
        for stored in store::stored(tx, &keys).await? {
            let key = (stored.checkpoint_id, stored.id);
            answers.insert(key, write::answer(&stored, false));
        }
        let new: Vec<&Arrival> = unknown
            .into_iter()
            .filter(|arrival| !answers.contains_key(&arrival.row.key()))
            .collect();
        let rows = entries(tx, &new).await?;
        answers.extend(
            rows.iter()
                .map(|entry| (entry.row.key(), answer(entry, true))),
        );
        write::declare(tx, &write::declared(works)).await?;
        let fresh: HashSet<Key> = rows.iter().map(|entry| entry.row.key()).collect();
        let (outs, found) = self.leaving(tx, works, &fresh).await?;
        Ok(Accepted {
            outcomes: write::outcomes(works, &answers, &found),
            rows,
            outs,
            batch: None,
        })
    }

    /// The check-outs of check-ins that are there, wherever; the last of each.
    async fn leaving(
        &self,
        tx: &mut Tx,
        works: &[&Work],
        fresh: &HashSet<Key>,
    ) -> Result<(Vec<Out>, HashSet<Key>), Error> {
        let outs = write::last_of_each(works);
        let is_known = |out: &&Out| fresh.contains(&out.key) || self.known(out.key).is_some();
        let mut found: HashSet<Key> = outs.iter().filter(is_known).map(|out| out.key).collect();
        let elsewhere: Vec<Key> = outs
            .iter()
            .filter(|out| !is_known(out))
            .map(|out| out.key)
            .collect();
        let stored = store::stored(tx, &elsewhere).await?;
        found.extend(stored.iter().map(|row| (row.checkpoint_id, row.id)));
        let there = outs.into_iter().filter(|out| found.contains(&out.key));
        Ok((there.collect(), found))
    }
}

/// Put `generation` into the tables, and then take it out of the log.
pub(super) async fn merge(db: Db, generation: Arc<Generation>) -> Result<(), Error> {
    let sorted = Arc::clone(&generation);
    let keys = tokio::task::spawn_blocking(move || {
        let mut keys: Vec<Key> = sorted.rows.keys().copied().collect();
        keys.sort_unstable();
        keys
    });
    let keys = keys.await.map_err(|_| Error::Refused("a task died"))?;
    for slice in keys.chunks(SLICE) {
        let rows: Vec<&Row> = slice
            .iter()
            .filter_map(|key| generation.rows.get(key))
            .map(|entry| &entry.row)
            .collect();
        // The log has the rows until this is on the disk, so nobody waits for that.
        let insert = db.journal_later(async |tx| store::insert_counted(tx, &rows).await);
        if usize::try_from(insert.await?).ok() != Some(rows.len()) {
            // Another process was faster, and may not have known who left.
            leave(&db, &left_of(&rows), generation.last).await?;
        }
    }
    let outs: Vec<Out> = generation.outs.values().copied().collect();
    leave(&db, &outs, generation.last).await?;
    // This waits for the disk, and for all of the above.
    db.single(async |tx| log::mark(tx).await).await?;
    db.log_single(async |tx| log::remove(tx, generation.last).await)
        .await
}

fn left_of(rows: &[&Row]) -> Vec<Out> {
    let left = rows.iter().filter_map(|row| {
        let left_at = row.left_at?;
        (row.left_source == Some(left_source::VISITOR)).then_some(Out {
            key: row.key(),
            left_at,
        })
    });
    left.collect()
}

/// Write `outs`, of a generation whose last batch is `last`, unless that is gone from the log: then
/// somebody has put all of it into the tables, and perhaps later check-outs too, which must not be
/// taken back. Later ones that are still in the log come after these.
async fn leave(db: &Db, outs: &[Out], last: i64) -> Result<(), Error> {
    for slice in outs.chunks(OUTS) {
        db.log(async |log| {
            if log::holds(log, last).await? {
                let leave = async |tx: &mut Tx| store::leave(tx, slice, left_source::VISITOR).await;
                db.journal_later(leave).await?;
            }
            Ok::<_, Error>(())
        })
        .await?;
    }
    Ok(())
}

/// What the tables would refuse, before it is acknowledged.
fn judge(work: &Work) -> Result<(), Error> {
    let is_stay = |key: Key, left_at: i64| {
        let entered = time_of(key.1).unwrap_or_default();
        (0..=MAX_STAY_MS).contains(&(left_at - entered))
    };
    let good = match work {
        Work::CheckIn(arrival) => {
            let row = &arrival.row;
            (1..=COMPANIONS_MAX + 1).contains(&row.headcount)
                && row.left_at.is_none_or(|left| is_stay(row.key(), left))
        }
        Work::CheckOut(out) => is_stay(out.key, out.left_at),
        Work::Declare(..) | Work::Find(_) | Work::Settle => true,
    };
    if good {
        Ok(())
    } else {
        Err(Error::Refused("a stay breaks the rules of its table"))
    }
}

fn answer(entry: &Entry, fresh: bool) -> Option<Answer> {
    Some(Answer {
        fresh,
        person: entry.row.person,
        declaration_id: entry.row.declaration_id?,
        risk: entry.risk,
    })
}

/// Store the declarations of `new` check-ins. Somebody may have used one id at two checkpoints with two
/// declarations: the first declaration stands, and its risk.
async fn entries(tx: &mut Tx, new: &[&Arrival]) -> Result<Vec<Entry>, Error> {
    let doubtful = write::insert_declarations(tx, new).await?;
    let mut entries = Vec::with_capacity(new.len());
    for arrival in new {
        let mut entry = Entry::of(arrival);
        if doubtful && let Some(declaration) = &arrival.declaration {
            let stored =
                declarations::store::risk(tx, declaration.person.id, declaration.id).await?;
            let stored = stored.and_then(|word| Risk::parse(&word));
            entry.risk = stored.unwrap_or(entry.risk);
        }
        entries.push(entry);
    }
    Ok(entries)
}
