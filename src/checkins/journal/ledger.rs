//! The journal in SQLite: acknowledged in a log, merged into the tables in sorted batches.
//!
//! Every check-in has its page in the tree of checkpoints and another in the tree of people, and a
//! transaction writes each of them to the disk in full. So a batch is first written as it is, at the
//! end of a log ([`super::log`]), and answered; what it holds is also kept here in memory, and goes
//! into `check_ins` thousands at a time in the order of its keys, or when nothing else is to be done.
//! Whoever reads `check_ins` settles the journal before ([`super::Journal::settle`]).
//!
//! After a crash the log is replayed at the start. A row that is merged twice is there once, so memory
//! may know less than the log, and the log less than the tables, but never the other way round.

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
#[derive(Debug, Default)]
pub(super) struct Ledger {
    fresh: HashMap<Key, Entry>,
    outs: BTreeMap<Key, Out>,
    batches: Vec<i64>,
    merging: Generation,
    /// A batch whose commit was not answered may stand in the log.
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
    /// Whether everything is in the tables.
    pub(super) fn is_merged(&self) -> bool {
        self.batches.is_empty() && self.merging.batches.is_empty()
    }

    /// Whether merging should not wait for a quiet moment.
    pub(super) fn is_due(&self) -> bool {
        self.fresh.len() >= GENERATION || !self.merging.batches.is_empty()
    }

    /// Rows that are not in the tables.
    pub(super) fn len(&self) -> usize {
        self.fresh.len() + self.merging.rows.len()
    }

    /// Write `works` to the log, and say for each what came of it.
    pub(super) async fn accept(&mut self, db: &Db, works: &[&Work]) -> Result<Vec<Outcome>, Error> {
        if self.doubt {
            log::replay(db).await?;
            self.doubt = false;
        }
        for work in works {
            judge(work)?;
        }
        let written = db.append(async |tx| self.write(tx, works).await).await;
        let accepted = written.inspect_err(|_| self.doubt = true)?;
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

    /// Merge some rows into the tables.
    pub(super) async fn merge(&mut self, db: &Db) -> Result<(), Error> {
        if self.merging.batches.is_empty() {
            self.merging = Generation {
                rows: std::mem::take(&mut self.fresh).into_iter().collect(),
                outs: std::mem::take(&mut self.outs),
                batches: std::mem::take(&mut self.batches),
            };
        }
        let generation = &self.merging;
        let slice: Vec<&Row> = generation
            .rows
            .values()
            .take(SLICE)
            .map(|entry| &entry.row)
            .collect();
        let last = slice.len() == generation.rows.len();
        db.append(async |tx| {
            store::insert_counted(tx, &slice).await?;
            if last {
                let outs: Vec<Out> = generation.outs.values().copied().collect();
                store::leave(tx, &outs, left_source::VISITOR).await?;
                log::remove(tx, &generation.batches).await?;
            }
            Ok::<_, Error>(())
        })
        .await?;
        if last {
            self.merging = Generation::default();
        } else {
            let rest = generation.rows.keys().nth(SLICE).copied();
            self.merging.rows =
                rest.map_or_else(BTreeMap::new, |key| self.merging.rows.split_off(&key));
        }
        Ok(())
    }
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
        Work::Declare(..) | Work::Settle => true,
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
