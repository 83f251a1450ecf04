//! Venues and their checkpoints.
//!
//! A *venue* belongs to an account and has one or more *checkpoints*, each with a code on a poster.
//! Checkpoints that are entrances to one space share a *site*, and lookups join them; otherwise a
//! checkpoint is a site of its own. The [`Directory`] holds all of them in memory, so that a
//! check-in reads nothing.
//!
//! Contact and number plate are sealed under the record key. Inside, rows have small numbers; only
//! the random public ids and the codes leave the service. Nothing is deleted: a checkpoint that is
//! closed keeps its row, because old check-ins point to it.

mod checkpoints;
mod directory;
mod draft;
mod hours;
mod kind;
mod read;
mod rows;
mod store;

use std::sync::Arc;

use uuid::Uuid;

use crate::{
    base::{Code, Timestamp},
    regions::{Catalogue, Regions},
};

pub use checkpoints::{
    CHANGED, add_checkpoint, checkpoints_of, own_checkpoint, patch_checkpoint, vehicle_of,
};
pub use directory::{Directory, Entry, Facts};
pub use draft::{
    Change, CheckpointDraft, CheckpointPatch, NewAddress, NewCheckpoint, NewContact, NewVehicle,
    NewVenue, PatchDraft, Vehicle, VenueDraft,
};
pub use hours::{OpeningHours, Week};
pub use kind::PlaceKind;
pub use read::{MAX_LINE_CHARS, MAX_NAME_CHARS};
pub use rows::{Contact, VehicleText};
pub use store::{add_venue, contact_of, own_venue, register, venues_of};

/// Where a venue is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// The catalogue that gives the codes their meaning.
    pub catalogue: Catalogue,
    /// Code of the province, two digits.
    pub province: Arc<str>,
    /// Code of the ward, five digits.
    pub ward: Arc<str>,
    /// House number and street; may be empty.
    pub street: Box<str>,
}

impl Address {
    /// Name of the province; its code where the catalogue has no such place.
    #[must_use]
    pub fn province_name<'a>(&'a self, regions: &Regions) -> &'a str {
        regions
            .province(self.catalogue, &self.province)
            .map_or(&*self.province, |place| place.name)
    }

    /// Name of the ward; its code where the catalogue has no such place.
    #[must_use]
    pub fn ward_name<'a>(&'a self, regions: &Regions) -> &'a str {
        regions
            .ward(self.catalogue, &self.ward)
            .map_or(&*self.ward, |place| place.name)
    }

    /// In one line, from small to large: `12 Lê Lợi, Phường Tân Ninh, Tỉnh Tây Ninh`.
    #[must_use]
    pub fn line(&self, regions: &Regions) -> String {
        let street = Some(&*self.street).filter(|street| !street.is_empty());
        let parts = [
            street,
            Some(self.ward_name(regions)),
            Some(self.province_name(regions)),
        ];
        parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
    }
}

/// A venue, without what is sealed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Venue {
    /// Its number in the store; it never leaves the service.
    pub id: i64,
    /// Its id outside.
    pub public_id: Uuid,
    /// The account it belongs to.
    pub owner: Uuid,
    /// Its name.
    pub name: Box<str>,
    /// What kind of place it is.
    pub kind: PlaceKind,
    /// Where it is.
    pub address: Address,
    /// When it was registered.
    pub created_at: Timestamp,
}

/// A checkpoint, without what is sealed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// Its number in the store; it never leaves the service.
    pub id: i64,
    /// Its id outside.
    pub public_id: Uuid,
    /// Number of its venue.
    pub venue_id: i64,
    /// Number of the space that it enters: its own, or that of the checkpoint whose gate it is.
    pub site_id: i64,
    /// What is on its poster.
    pub code: Code,
    /// Its name.
    pub name: Box<str>,
    /// What kind of place it is.
    pub kind: PlaceKind,
    /// Stay assumed where nobody checked out, in minutes, 1 to 1440; `None`: the rule set's.
    pub stay_minutes: Option<u16>,
    /// People that fit in.
    pub capacity: Option<u32>,
    /// Weekly schedule; `None`: not known, taken as always open.
    pub opening_hours: Option<OpeningHours>,
    /// Whether lists may show it.
    pub listed: bool,
    /// Whether it is in a vehicle whose plate and route are sealed.
    pub is_vehicle: bool,
    /// Counts up whenever what is printed changes, from 1.
    pub poster_version: u32,
    /// Date of that version, which is printed.
    pub poster_at: Timestamp,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub changed_at: Timestamp,
    /// When it was closed, if it is.
    pub closed_at: Option<Timestamp>,
}

impl Checkpoint {
    /// Whether it takes no check-ins.
    #[must_use]
    pub fn closed(&self) -> bool {
        self.closed_at.is_some()
    }

    /// Whether it is open at `at`: not closed, and inside its opening hours where it has some.
    #[must_use]
    pub fn is_open(&self, at: Timestamp) -> bool {
        !self.closed() && self.in_hours(at)
    }

    /// Whether `at` is inside its opening hours; always, where it has none.
    #[must_use]
    pub fn in_hours(&self, at: Timestamp) -> bool {
        self.opening_hours
            .as_ref()
            .is_none_or(|hours| hours.is_open(at))
    }
}

impl Facts {
    /// The first closing time after `at`, in milliseconds UTC, for the end of an assumed stay.
    #[must_use]
    pub fn closes_after_ms(&self, at_ms: i64) -> Option<i64> {
        self.opening_hours
            .as_ref()?
            .closes_after(Timestamp::from_ms(at_ms))
            .map(Timestamp::as_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_reads_from_small_to_large() {
        let regions = Regions::load().unwrap();
        let address = |street: &str| Address {
            catalogue: Catalogue::default(),
            province: "80".into(),
            ward: "25459".into(),
            street: street.into(),
        };
        let ward = regions.ward(Catalogue::default(), "25459").unwrap().name;
        assert_eq!(
            address("12 Lê Lợi").line(&regions),
            format!("12 Lê Lợi, {ward}, Tỉnh Tây Ninh")
        );
        assert_eq!(address("").line(&regions), format!("{ward}, Tỉnh Tây Ninh"));
    }
}
