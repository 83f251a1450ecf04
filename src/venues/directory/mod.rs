//! All checkpoints in memory, so that a check-in reads nothing.
//!
//! Every process holds its own copy. On PostgreSQL a process that makes or changes a checkpoint tells
//! the others its number with the commit, and they read that one row: a closed door is closed
//! everywhere at once. What such a notice misses, and on SQLite everything, is found by asking from
//! time to time what changed. A code that is not in the copy is looked up in the store once.

mod chunks;
mod index;
mod load;
mod shelf;

use std::sync::{Arc, PoisonError, RwLock};

use crate::{
    base::{Code, Kind, Timestamp, failure::Result},
    store::{Db, Error},
    venues::{Checkpoint, OpeningHours, PlaceKind, Venue, checkpoints},
};
use shelf::Shelf;

/// How far before the last change seen a refresh looks again: a transaction stamps its rows when it
/// begins and shows them when it commits, and clocks of two processes differ.
const OVERLAP_MS: i64 = 30_000;

/// A checkpoint with its venue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The checkpoint.
    pub checkpoint: Checkpoint,
    /// The venue that it belongs to.
    pub venue: Venue,
}

/// What a search needs of a checkpoint, over and over: without its texts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// Number of the space that it enters.
    pub site_id: i64,
    /// What kind of place it is.
    pub kind: PlaceKind,
    /// Stay assumed where nobody checked out, in minutes; `None`: the rule set's.
    pub stay_minutes: Option<u16>,
    /// Weekly schedule; `None`: not known.
    pub opening_hours: Option<OpeningHours>,
}

/// All checkpoints of the service.
#[derive(Debug, Default)]
pub struct Directory(RwLock<Held>);

#[derive(Debug, Default)]
struct Held {
    shelf: Shelf,
    /// The last change seen, but not later than this process's clock: another one's may run ahead.
    seen: Option<Timestamp>,
}

impl Directory {
    /// Load everything, row by row, so that nothing is in memory twice.
    ///
    /// # Errors
    ///
    /// Those of the store.
    pub async fn load(db: &Db) -> Result<Self, Error> {
        let held = db.read(async |tx| load::everything(tx).await).await?;
        Ok(Self(RwLock::new(held)))
    }

    /// Read what changed since the last time. Gives how many checkpoints were read, a few of them
    /// again.
    ///
    /// # Errors
    ///
    /// Those of the store.
    pub async fn refresh(&self, db: &Db) -> Result<usize, Error> {
        let seen = self.with(|held| held.seen);
        let changed = db
            .read(async |tx| {
                // A clock that was ahead and was set right has left changes of the future behind.
                let seen = seen.map(|seen| seen.min(tx.now()).plus_ms(-OVERLAP_MS));
                load::changed(tx, seen.unwrap_or(Timestamp::from_ms(0))).await
            })
            .await?;
        Ok(self.take(&changed))
    }

    /// Read the checkpoints of these numbers anew: another process changed them.
    ///
    /// # Errors
    ///
    /// Those of the store.
    pub async fn refresh_these(&self, db: &Db, ids: &[i64]) -> Result<usize, Error> {
        let changed = db.read(async |tx| load::these(tx, ids).await).await?;
        Ok(self.take(&changed))
    }

    fn take(&self, changed: &load::Changed) -> usize {
        let read = changed.checkpoints.len();
        let mut held = self.0.write().unwrap_or_else(PoisonError::into_inner);
        for venue in &changed.venues {
            held.shelf.put_venue(venue);
        }
        for checkpoint in &changed.checkpoints {
            held.put(checkpoint, changed.at);
        }
        read
    }

    /// Hold a checkpoint that was made or changed just now by this process.
    pub fn put(&self, venue: &Venue, checkpoint: &Checkpoint) {
        let mut held = self.0.write().unwrap_or_else(PoisonError::into_inner);
        held.shelf.put_venue(venue);
        held.shelf.put(checkpoint);
    }

    /// The checkpoint of this code, if it is in memory.
    #[must_use]
    pub fn by_code(&self, code: Code) -> Option<Arc<Entry>> {
        self.with(|held| held.shelf.by_code(code)).map(Arc::new)
    }

    /// The checkpoint of this number.
    #[must_use]
    pub fn by_id(&self, id: i64) -> Option<Arc<Entry>> {
        self.with(|held| held.shelf.by_id(id)).map(Arc::new)
    }

    /// What a search needs of the checkpoint of this number.
    #[must_use]
    pub fn facts(&self, id: i64) -> Option<Facts> {
        self.with(|held| held.shelf.facts(id))
    }

    /// The numbers of all checkpoints that enter the space `site`, closed ones too, in order.
    #[must_use]
    pub fn of_site(&self, site: i64) -> Vec<i64> {
        self.with(|held| held.shelf.of_site(site))
    }

    /// The numbers of all checkpoints.
    #[must_use]
    pub fn ids(&self) -> Vec<i64> {
        self.with(|held| held.shelf.ids())
    }

    /// How many checkpoints are in memory.
    #[must_use]
    pub fn len(&self) -> usize {
        self.with(|held| held.shelf.len())
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The checkpoint of this code: from memory, or by one read of the store.
    ///
    /// # Errors
    ///
    /// [`Kind::NotFound`] when there is none; those of the store.
    pub async fn find(&self, db: &Db, code: Code) -> Result<Arc<Entry>> {
        if let Some(entry) = self.by_code(code) {
            return Ok(entry);
        }
        let found = db
            .read(async |tx| checkpoints::find(tx, code).await)
            .await?;
        let (venue, checkpoint) = found.ok_or(Kind::NotFound)?;
        self.put(&venue, &checkpoint);
        self.by_code(code).ok_or_else(|| Kind::NotFound.into())
    }

    fn with<T>(&self, read: impl FnOnce(&Held) -> T) -> T {
        read(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Held {
    fn put(&mut self, checkpoint: &Checkpoint, now: Timestamp) {
        self.seen = self.seen.max(Some(checkpoint.changed_at.min(now)));
        self.shelf.put(checkpoint);
    }
}

#[cfg(test)]
mod tests;
