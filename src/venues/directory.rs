//! All checkpoints in memory, so that a check-in reads nothing.
//!
//! Every process holds its own copy and asks every two seconds what changed. A code that is not in
//! the copy is looked up in the store once, so a checkpoint made a moment ago by another process
//! works at once; what may lag by those two seconds is a change, such as closing.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, PoisonError, RwLock},
};

use uuid::Uuid;

use crate::{
    base::{Code, Kind, Timestamp, failure::Result},
    store::{Db, Error, Tx},
    venues::{
        Checkpoint, Venue, checkpoints,
        rows::{CheckpointRow, VenueRow},
    },
};

/// How far before the last change seen a refresh looks again: a transaction stamps its rows when it
/// begins and shows them when it commits, and clocks of two processes differ.
const OVERLAP_MS: i64 = 30_000;

/// A checkpoint with its venue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The checkpoint.
    pub checkpoint: Checkpoint,
    /// The venue that it belongs to.
    pub venue: Arc<Venue>,
}

/// All checkpoints of the service.
#[derive(Debug, Default)]
pub struct Directory(RwLock<Maps>);

#[derive(Debug, Default)]
struct Maps {
    by_id: HashMap<i64, Arc<Entry>>,
    by_code: HashMap<Code, i64>,
    by_public_id: HashMap<Uuid, i64>,
    /// Only sites that some other checkpoint than the one of that number enters.
    gates: HashMap<i64, HashSet<i64>>,
    venues: HashMap<i64, Arc<Venue>>,
    seen: Option<Timestamp>,
}

impl Directory {
    /// Load everything.
    ///
    /// # Errors
    ///
    /// Those of the store.
    pub async fn load(db: &Db) -> Result<Self, Error> {
        let directory = Self::default();
        directory.refresh(db).await?;
        Ok(directory)
    }

    /// Load what changed since the last time; a worker calls it every two seconds. Gives how many
    /// checkpoints were read, a few of them again.
    ///
    /// # Errors
    ///
    /// Those of the store.
    pub async fn refresh(&self, db: &Db) -> Result<usize, Error> {
        let seen = self.with(|maps| maps.seen);
        let (venues, rows) = db
            .read(async |tx| match seen {
                None => everything(tx).await,
                // A clock that was ahead and was set right has left changes of the future behind.
                Some(seen) => changed(tx, seen.min(tx.now()).plus_ms(-OVERLAP_MS)).await,
            })
            .await?;
        let read = rows.len();
        let mut maps = self.0.write().unwrap_or_else(PoisonError::into_inner);
        for venue in venues {
            maps.put_venue(venue);
        }
        for row in rows {
            maps.seen = maps.seen.max(Some(row.changed_at));
            maps.put(row.into());
        }
        Ok(read)
    }

    /// Hold a checkpoint that was made or changed just now by this process.
    pub fn put(&self, venue: &Venue, checkpoint: &Checkpoint) {
        let mut maps = self.0.write().unwrap_or_else(PoisonError::into_inner);
        maps.put_venue(venue.clone());
        maps.put(checkpoint.clone());
    }

    /// The checkpoint of this code, if it is in memory.
    #[must_use]
    pub fn by_code(&self, code: Code) -> Option<Arc<Entry>> {
        self.with(|maps| maps.by_id.get(maps.by_code.get(&code)?).cloned())
    }

    /// The checkpoint of this number.
    #[must_use]
    pub fn by_id(&self, id: i64) -> Option<Arc<Entry>> {
        self.with(|maps| maps.by_id.get(&id).cloned())
    }

    /// The checkpoint of this public id.
    #[must_use]
    pub fn by_public_id(&self, id: Uuid) -> Option<Arc<Entry>> {
        self.with(|maps| maps.by_id.get(maps.by_public_id.get(&id)?).cloned())
    }

    /// All checkpoints that enter the space `site`, closed ones too.
    #[must_use]
    pub fn of_site(&self, site: i64) -> Vec<Arc<Entry>> {
        self.with(|maps| {
            let own = maps.by_id.get(&site);
            let own = own.filter(|entry| entry.checkpoint.site_id == site);
            let gates = maps.gates.get(&site).into_iter().flatten();
            let gates = gates.filter_map(|id| maps.by_id.get(id));
            let mut all: Vec<_> = own.into_iter().chain(gates).cloned().collect();
            all.sort_by_key(|entry| entry.checkpoint.id);
            all
        })
    }

    /// Every checkpoint, in no order: for exposure runs, which need the site of each.
    #[must_use]
    pub fn all(&self) -> Vec<Arc<Entry>> {
        self.with(|maps| maps.by_id.values().cloned().collect())
    }

    /// How many checkpoints are in memory.
    #[must_use]
    pub fn len(&self) -> usize {
        self.with(|maps| maps.by_id.len())
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

    fn with<T>(&self, read: impl FnOnce(&Maps) -> T) -> T {
        read(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Maps {
    fn put_venue(&mut self, venue: Venue) {
        match self.venues.get(&venue.id) {
            Some(held) if **held == venue => {}
            _ => {
                self.venues.insert(venue.id, Arc::new(venue));
            }
        }
    }

    /// The venue of `checkpoint` must be there already.
    fn put(&mut self, checkpoint: Checkpoint) {
        let Some(venue) = self.venues.get(&checkpoint.venue_id) else {
            return;
        };
        let (id, site) = (checkpoint.id, checkpoint.site_id);
        let entry = Entry {
            venue: Arc::clone(venue),
            checkpoint,
        };
        let held = self.by_id.get(&id);
        // A refresh that began before a change must not undo it.
        let known = |held: &Entry| {
            *held == entry || held.checkpoint.changed_at > entry.checkpoint.changed_at
        };
        if held.is_some_and(|held| known(held)) {
            return;
        }
        let old_site = held.map(|held| held.checkpoint.site_id);
        if let Some(gates) = old_site.and_then(|old| self.gates.get_mut(&old)) {
            gates.remove(&id);
        }
        if site != id {
            self.gates.entry(site).or_default().insert(id);
        }
        self.by_code.insert(entry.checkpoint.code, id);
        self.by_public_id.insert(entry.checkpoint.public_id, id);
        self.by_id.insert(id, Arc::new(entry));
    }
}

type Loaded = (Vec<Venue>, Vec<CheckpointRow>);

async fn everything(tx: &mut Tx) -> Result<Loaded, Error> {
    let mut venues = Vec::new();
    tx.query(
        "SELECT v.id, v.public_id, v.owner_id, v.name, v.kind, v.catalogue, v.province, v.ward,
                v.street, v.created_at
         FROM venues v",
    )
    .for_each(|row: VenueRow| {
        venues.push(row.into());
        Ok::<_, Error>(())
    })
    .await?;
    let mut checkpoints = Vec::new();
    tx.query(
        "SELECT c.id, c.public_id, c.venue_id, c.site_id, c.code, c.name, c.kind,
                c.stay_minutes, c.capacity, c.opening_hours, c.listed,
                c.vehicle_sealed IS NOT NULL AS is_vehicle, c.poster_version,
                c.poster_at, c.created_at, c.changed_at, c.closed_at
         FROM checkpoints c",
    )
    .for_each(|row: CheckpointRow| {
        checkpoints.push(row);
        Ok::<_, Error>(())
    })
    .await?;
    Ok((venues, checkpoints))
}

async fn changed(tx: &mut Tx, since: Timestamp) -> Result<Loaded, Error> {
    let rows: Vec<CheckpointRow> = tx
        .query(
            "SELECT c.id, c.public_id, c.venue_id, c.site_id, c.code, c.name, c.kind,
                    c.stay_minutes, c.capacity, c.opening_hours, c.listed,
                    c.vehicle_sealed IS NOT NULL AS is_vehicle, c.poster_version,
                    c.poster_at, c.created_at, c.changed_at, c.closed_at
             FROM checkpoints c WHERE c.changed_at >= $1",
        )
        .bind(since)
        .all()
        .await?;
    if rows.is_empty() {
        return Ok((Vec::new(), rows));
    }
    let venues: Vec<VenueRow> = tx
        .query(
            "SELECT v.id, v.public_id, v.owner_id, v.name, v.kind, v.catalogue, v.province, v.ward,
                    v.street, v.created_at
             FROM venues v
             WHERE v.id IN (SELECT c.venue_id FROM checkpoints c WHERE c.changed_at >= $1)",
        )
        .bind(since)
        .all()
        .await?;
    Ok((venues.into_iter().map(Venue::from).collect(), rows))
}
