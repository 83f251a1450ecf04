//! The journal in SQLite: acknowledged in a log, merged into the tables in sorted batches.
//!
//! Every check-in has its page in the tree of checkpoints and another in the tree of people, and a
//! transaction writes each of them to the disk in full. So a batch is first written as it is, at the
//! end of a log ([`super::log`]), and answered; what it holds is also kept here in memory, and goes
//! into `check_ins` thousands at a time in the order of its keys, or when nothing else is to be done.
//! Whoever reads `check_ins` settles the journal before ([`super::Journal::settle`]).
//!
//! After a crash the log is replayed at the start. Memory holds nothing that is not in the log: every
//! transaction here looks first whether the log is as it was left, for another process may have
//! replayed it, and after a failure nobody knows. Then everything is put into the tables and memory
//! begins anew.

use std::collections::{BTreeMap, HashMap, HashSet};

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
const GENERATION: usize = 32_768;

/// Rows merged in one transaction: some milliseconds, for which check-ins wait.
const SLICE: usize = 512;

/// An acknowledged check-in that is not in `check_ins` yet.
#[derive(Debug)]
struct Entry {
    row: Row,
    risk: Risk,
}

/// What was acknowledged together with the batches of the log that hold it.
#[derive(Debug, Default)]
struct Generation {
    rows: BTreeMap<Key, Entry>,
    /// Check-outs of check-ins that are in the tables.
    outs: BTreeMap<Key, Out>,
    batches: Vec<i64>,
}

/// What is in the log and not yet in the tables.
#[derive(Debug)]
pub(super) struct Ledger {
    fresh: HashMap<Key, Entry>,
    outs: BTreeMap<Key, Out>,
    batches: Vec<i64>,
    merging: Generation,
    /// The log may hold what is not known here: at the start, and after a transaction whose end was
    /// not told.
    doubt: bool,
}

/// What a transaction has written, to be remembered after its commit.
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
            fresh: HashMap::new(),
            outs: BTreeMap::new(),
            batches: Vec::new(),
            merging: Generation::default(),
            doubt: true,
        }
    }

    /// Whether everything that is known is in the tables.
    pub(super) fn is_merged(&self) -> bool {
        self.batches.is_empty() && self.merging.batches.is_empty()
    }

    /// Whether merging should not wait for a quiet moment.
    pub(super) fn is_due(&self) -> bool {
        self.fresh.len() + self.outs.len() >= GENERATION || !self.merging.batches.is_empty()
    }

    /// Check-ins and check-outs that are not in the tables.
    pub(super) fn len(&self) -> usize {
        let merging = self.merging.rows.len() + self.merging.outs.len();
        self.fresh.len() + self.outs.len() + merging
    }

    /// Put everything in the log into the tables, and begin anew.
    async fn replay(&mut self, db: &Db) -> Result<(), Error> {
        log::replay(db).await?;
        *self = Self {
            doubt: false,
            ..Self::new()
        };
        Ok(())
    }

    /// Put everything that was acknowledged into the tables, whoever did it.
    pub(super) async fn settle(&mut self, db: &Db) -> Result<(), Error> {
        while !self.is_merged() {
            self.merge(db).await?;
        }
        self.replay(db).await
    }

    /// What was answered for `key`, if that is not in the tables yet.
    pub(super) async fn find(&mut self, db: &Db, key: Key) -> Result<Option<Answer>, Error> {
        if self.doubt {
            self.replay(db).await?;
        }
        Ok(self.known(key).and_then(|entry| answer(entry, false)))
    }

    /// Whether the log still holds what is known here. Numbers are replayed in their order and never
    /// used again, so the first one tells.
    async fn is_logged(&self, tx: &mut Tx) -> Result<bool, Error> {
        match self.merging.batches.first().or(self.batches.first()) {
            Some(seq) => log::holds(tx, *seq).await,
            None => Ok(true),
        }
    }

    /// Write `works` to the log, and say for each what came of it.
    pub(super) async fn accept(&mut self, db: &Db, works: &[&Work]) -> Result<Vec<Outcome>, Error> {
        for work in works {
            judge(work)?;
        }
        let accepted = loop {
            if self.doubt {
                self.replay(db).await?;
            }
            let written = db.append(async |tx| {
                if self.is_logged(tx).await? {
                    self.write(tx, works).await.map(Some)
                } else {
                    Ok::<_, Error>(None)
                }
            });
            let written = written.await;
            self.doubt = !matches!(written, Ok(Some(_)));
            if let Some(accepted) = written? {
                break accepted;
            }
        };
        self.batches.extend(accepted.batch);
        for entry in accepted.rows {
            self.fresh.insert(entry.row.key(), entry);
        }
        for out in accepted.outs {
            match self.known_mut(out.key) {
                Some(entry) => {
                    entry.row.left_at = Some(out.left_at);
                    entry.row.left_source = Some(left_source::VISITOR);
                }
                None => {
                    self.outs.insert(out.key, out);
                }
            }
        }
        Ok(accepted.outcomes)
    }

    fn known(&self, key: Key) -> Option<&Entry> {
        self.fresh.get(&key).or_else(|| self.merging.rows.get(&key))
    }

    fn known_mut(&mut self, key: Key) -> Option<&mut Entry> {
        match self.fresh.get_mut(&key) {
            Some(entry) => Some(entry),
            None => self.merging.rows.get_mut(&key),
        }
    }

    async fn write(&self, tx: &mut Tx, works: &[&Work]) -> Result<Accepted, Error> {
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
        let packed: Vec<&Row> = rows.iter().map(|entry| &entry.row).collect();
        let batch = if packed.is_empty() && outs.is_empty() {
            None
        } else {
            Some(log::append(tx, &packed, &outs).await?)
        };
        Ok(Accepted {
            outcomes: write::outcomes(works, &answers, &found),
            rows,
            outs,
            batch,
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

    /// Merge some rows, and then some check-outs, into the tables.
    pub(super) async fn merge(&mut self, db: &Db) -> Result<(), Error> {
        if self.doubt {
            return self.replay(db).await;
        }
        if self.merging.batches.is_empty() {
            self.merging = Generation {
                rows: std::mem::take(&mut self.fresh).into_iter().collect(),
                outs: std::mem::take(&mut self.outs),
                batches: std::mem::take(&mut self.batches),
            };
        }
        let generation = &self.merging;
        let rows: Vec<&Row> = generation
            .rows
            .values()
            .take(SLICE)
            .map(|entry| &entry.row)
            .collect();
        let outs = generation.outs.values().take(SLICE - rows.len());
        let outs: Vec<Out> = outs.copied().collect();
        let last = rows.len() == generation.rows.len() && outs.len() == generation.outs.len();
        let merged = db.append(async |tx| {
            if !self.is_logged(tx).await? {
                return Ok(false);
            }
            store::insert_counted(tx, &rows).await?;
            store::leave(tx, &outs, left_source::VISITOR).await?;
            if last {
                log::remove(tx, &generation.batches).await?;
            }
            Ok::<_, Error>(true)
        });
        let merged = merged.await;
        let (rows, outs) = (rows.len(), outs.len());
        self.doubt = !matches!(merged, Ok(true));
        if !merged? {
            return self.replay(db).await;
        }
        if last {
            self.merging = Generation::default();
        } else {
            drop_first(&mut self.merging.rows, rows);
            drop_first(&mut self.merging.outs, outs);
        }
        Ok(())
    }
}

/// Drop the first `n`.
fn drop_first<T>(map: &mut BTreeMap<Key, T>, n: usize) {
    let rest = map.keys().nth(n).copied();
    *map = rest.map_or_else(BTreeMap::new, |key| map.split_off(&key));
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
        let mut risk = arrival.risk;
        if doubtful && let Some(declaration) = &arrival.declaration {
            let stored =
                declarations::store::risk(tx, declaration.person.id, declaration.id).await?;
            risk = stored.and_then(|word| Risk::parse(&word)).unwrap_or(risk);
        }
        entries.push(Entry {
            row: arrival.row.clone(),
            risk,
        });
    }
    Ok(entries)
}
