//! The memory of the directory: small rows instead of the structs that the rest of the program sees.
//!
//! A country has 3.7 million checkpoints, and they must fit into a gigabyte. As structs behind `Arc`
//! in four hash maps, one venue to each, they took 666 bytes each; here 261 (`benches/directory.rs`).
//! Texts stand end to end, what repeats (places, opening hours, a name like its venue's) is kept
//! once, and a [`Checkpoint`] is made anew for whoever asks: under a microsecond, where a check-in
//! takes many.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use uuid::Uuid;

use super::{
    Entry, Facts,
    chunks::{Chunks, Text, Texts},
    index::{Index, hash_of_number, hash_of_random},
};
use crate::{
    base::{Code, Timestamp},
    regions::Catalogue,
    venues::{Address, Checkpoint, OpeningHours, PlaceKind, Venue},
};

/// All checkpoints with their venues.
#[derive(Debug, Default)]
pub(super) struct Shelf {
    checkpoints: Chunks<Row>,
    by_id: Index,
    by_code: Index,
    venues: Chunks<VenueRow>,
    by_venue: Index,
    texts: Texts,
    places: Places,
    hours: Vec<OpeningHours>,
    hour_numbers: HashMap<OpeningHours, u32>,
    /// Checkpoints that enter another checkpoint's space: `(site, checkpoint)`, and the other way.
    gates: BTreeSet<(i64, i64)>,
    sites: HashMap<i64, i64>,
}

/// A checkpoint: 96 bytes. Its site is its own unless [`Shelf::sites`] says otherwise.
#[derive(Debug)]
struct Row {
    id: i64,
    public_id: Uuid,
    code: Code,
    poster_at: Timestamp,
    created_at: Timestamp,
    changed_at: Timestamp,
    /// [`NEVER`] while it is open.
    closed_at: Timestamp,
    venue: u32,
    name: Text,
    /// [`NONE`] where they are not known.
    hours: u32,
    /// [`NONE`] where it is not known.
    capacity: u32,
    poster_version: u32,
    /// 0 where it is the rule set's.
    stay_minutes: u16,
    kind: PlaceKind,
    flags: u8,
}

const NEVER: Timestamp = Timestamp::from_micros(i64::MIN);
const NONE: u32 = u32::MAX;
const LISTED: u8 = 1;
const VEHICLE: u8 = 2;

/// A venue: 64 bytes.
#[derive(Debug)]
struct VenueRow {
    id: i64,
    public_id: Uuid,
    owner: Uuid,
    created_at: Timestamp,
    name: Text,
    street: Text,
    place: u32,
    kind: PlaceKind,
}

/// The wards in use, by number.
#[derive(Debug, Default)]
struct Places {
    all: Vec<Place>,
    numbers: HashMap<Place, u32>,
}

/// A ward and its province.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Place {
    catalogue: Catalogue,
    province: Arc<str>,
    ward: Arc<str>,
}

impl Shelf {
    /// With room for so many checkpoints and venues; more may come.
    pub(super) fn with_room(checkpoints: usize, venues: usize) -> Self {
        Self {
            by_id: Index::with_room(checkpoints),
            by_code: Index::with_room(checkpoints),
            by_venue: Index::with_room(venues),
            ..Self::default()
        }
    }

    /// How many checkpoints there are.
    pub(super) fn len(&self) -> usize {
        self.by_id.len()
    }

    /// The numbers of all checkpoints.
    pub(super) fn ids(&self) -> Vec<i64> {
        self.checkpoints.iter().map(|row| row.id).collect()
    }

    /// Whether the venue of this number is here.
    pub(super) fn has_venue(&self, id: i64) -> bool {
        self.venue_at(id).is_some()
    }

    /// The checkpoint of this code.
    pub(super) fn by_code(&self, code: Code) -> Option<Entry> {
        let is = |at| self.checkpoints.get(at).is_some_and(|row| row.code == code);
        let at = self.by_code.find(hash_of_random(code.bytes()), is)?;
        self.entry(self.checkpoints.get(at)?)
    }

    /// The checkpoint of this number.
    pub(super) fn by_id(&self, id: i64) -> Option<Entry> {
        self.entry(self.row(id)?)
    }

    /// What a search needs of the checkpoint of this number.
    pub(super) fn facts(&self, id: i64) -> Option<Facts> {
        let row = self.row(id)?;
        Some(Facts {
            site_id: self.site_of(id),
            kind: row.kind,
            stay_minutes: Some(row.stay_minutes).filter(|minutes| *minutes != 0),
            opening_hours: self.hours_at(row.hours),
        })
    }

    /// The numbers of all checkpoints that enter the space `site`, in order.
    pub(super) fn of_site(&self, site: i64) -> Vec<i64> {
        let own = self.row(site).filter(|_| self.site_of(site) == site);
        let gates = self.gates.range((site, i64::MIN)..=(site, i64::MAX));
        let mut all: Vec<i64> = own
            .map(|row| row.id)
            .into_iter()
            .chain(gates.map(|(_, gate)| *gate))
            .collect();
        all.sort_unstable();
        all
    }

    /// Hold a venue. Venues do not change, so one that is here stays.
    pub(super) fn put_venue(&mut self, venue: &Venue) {
        if self.has_venue(venue.id) {
            return;
        }
        let (name, street) = (
            self.texts.add(&venue.name),
            self.texts.add(&venue.address.street),
        );
        let row = VenueRow {
            id: venue.id,
            public_id: venue.public_id,
            owner: venue.owner,
            created_at: venue.created_at,
            name: name.unwrap_or_default(),
            street: street.unwrap_or_default(),
            place: self.places.number(&venue.address),
            kind: venue.kind,
        };
        if let Some(at) = self.venues.push(row) {
            let held = |at| self.venues.get(at).map_or(0, |row| hash_of_number(row.id));
            self.by_venue.insert(hash_of_number(venue.id), at, held);
        }
    }

    /// Hold a checkpoint, whose venue must be here, unless what is here changed later: a refresh that
    /// began before a change must not undo it.
    pub(super) fn put(&mut self, checkpoint: &Checkpoint) {
        let Some(venue) = self.venue_at(checkpoint.venue_id) else {
            return;
        };
        let held = self.checkpoint_at(checkpoint.id);
        let old = held.and_then(|at| self.checkpoints.get(at));
        if old.is_some_and(|old| old.changed_at > checkpoint.changed_at) {
            return;
        }
        let old_name = old.map(|old| old.name);
        let name = self.name(venue, &checkpoint.name, old_name);
        let row = self.compact(checkpoint, venue, name);
        self.set_site(checkpoint.id, checkpoint.site_id);
        match held.and_then(|at| self.checkpoints.get_mut(at)) {
            Some(old) => *old = row,
            None => self.add(row),
        }
    }

    fn add(&mut self, row: Row) {
        let (id, code) = (row.id, row.code);
        let Some(at) = self.checkpoints.push(row) else {
            return;
        };
        let rows = &self.checkpoints;
        let by_id = |at| rows.get(at).map_or(0, |row| hash_of_number(row.id));
        self.by_id.insert(hash_of_number(id), at, by_id);
        let by_code = |at| {
            rows.get(at)
                .map_or(0, |row| hash_of_random(row.code.bytes()))
        };
        let hash = hash_of_random(code.bytes());
        self.by_code.insert(hash, at, by_code);
    }

    /// Where a name is kept: the venue's, the one it had, or a new place.
    fn name(&mut self, venue: u32, name: &str, old: Option<Text>) -> Text {
        let of_venue = self.venues.get(venue).map(|venue| venue.name);
        let mut kept = [of_venue, old].into_iter().flatten();
        let same = kept.find(|kept| self.texts.get(*kept) == name);
        same.or_else(|| self.texts.add(name)).unwrap_or_default()
    }

    fn compact(&mut self, checkpoint: &Checkpoint, venue: u32, name: Text) -> Row {
        let hours = checkpoint.opening_hours.as_ref();
        let listed = if checkpoint.listed { LISTED } else { 0 };
        let vehicle = if checkpoint.is_vehicle { VEHICLE } else { 0 };
        Row {
            id: checkpoint.id,
            public_id: checkpoint.public_id,
            code: checkpoint.code,
            poster_at: checkpoint.poster_at,
            created_at: checkpoint.created_at,
            changed_at: checkpoint.changed_at,
            closed_at: checkpoint.closed_at.unwrap_or(NEVER),
            venue,
            name,
            hours: hours.map_or(NONE, |hours| self.hour_number(hours)),
            capacity: checkpoint.capacity.unwrap_or(NONE),
            poster_version: checkpoint.poster_version,
            stay_minutes: checkpoint.stay_minutes.unwrap_or(0),
            kind: checkpoint.kind,
            flags: listed | vehicle,
        }
    }

    fn set_site(&mut self, id: i64, site: i64) {
        if let Some(old) = self.sites.remove(&id) {
            self.gates.remove(&(old, id));
        }
        if site != id {
            self.sites.insert(id, site);
            self.gates.insert((site, id));
        }
    }

    fn site_of(&self, id: i64) -> i64 {
        self.sites.get(&id).copied().unwrap_or(id)
    }

    fn checkpoint_at(&self, id: i64) -> Option<u32> {
        let is = |at| self.checkpoints.get(at).is_some_and(|row| row.id == id);
        self.by_id.find(hash_of_number(id), is)
    }

    fn row(&self, id: i64) -> Option<&Row> {
        self.checkpoints.get(self.checkpoint_at(id)?)
    }

    fn venue_at(&self, id: i64) -> Option<u32> {
        let is = |at| self.venues.get(at).is_some_and(|row| row.id == id);
        self.by_venue.find(hash_of_number(id), is)
    }

    fn hours_at(&self, number: u32) -> Option<OpeningHours> {
        self.hours.get(usize::try_from(number).ok()?).cloned()
    }

    fn hour_number(&mut self, hours: &OpeningHours) -> u32 {
        if let Some(number) = self.hour_numbers.get(hours) {
            return *number;
        }
        let number = u32::try_from(self.hours.len()).unwrap_or(NONE);
        self.hours.push(hours.clone());
        self.hour_numbers.insert(hours.clone(), number);
        number
    }

    fn entry(&self, row: &Row) -> Option<Entry> {
        let venue = self.venue(self.venues.get(row.venue)?)?;
        let checkpoint = Checkpoint {
            id: row.id,
            public_id: row.public_id,
            venue_id: venue.id,
            site_id: self.site_of(row.id),
            code: row.code,
            name: self.texts.get(row.name).into(),
            kind: row.kind,
            stay_minutes: Some(row.stay_minutes).filter(|minutes| *minutes != 0),
            capacity: Some(row.capacity).filter(|capacity| *capacity != NONE),
            opening_hours: self.hours_at(row.hours),
            listed: row.flags & LISTED != 0,
            is_vehicle: row.flags & VEHICLE != 0,
            poster_version: row.poster_version,
            poster_at: row.poster_at,
            created_at: row.created_at,
            changed_at: row.changed_at,
            closed_at: Some(row.closed_at).filter(|at| *at != NEVER),
        };
        Some(Entry { checkpoint, venue })
    }

    fn venue(&self, row: &VenueRow) -> Option<Venue> {
        let place = self.places.all.get(usize::try_from(row.place).ok()?)?;
        Some(Venue {
            id: row.id,
            public_id: row.public_id,
            owner: row.owner,
            name: self.texts.get(row.name).into(),
            kind: row.kind,
            address: Address {
                catalogue: place.catalogue,
                province: Arc::clone(&place.province),
                ward: Arc::clone(&place.ward),
                street: self.texts.get(row.street).into(),
            },
            created_at: row.created_at,
        })
    }
}

impl Places {
    fn number(&mut self, address: &Address) -> u32 {
        let place = Place {
            catalogue: address.catalogue,
            province: Arc::clone(&address.province),
            ward: Arc::clone(&address.ward),
        };
        if let Some(number) = self.numbers.get(&place) {
            return *number;
        }
        let number = u32::try_from(self.all.len()).unwrap_or(NONE);
        self.all.push(place.clone());
        self.numbers.insert(place, number);
        number
    }
}
