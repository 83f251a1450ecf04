//! Rows of venues and checkpoints, and what is sealed in them.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    base::{Code, Failure, Random, Timestamp, failure::Result},
    privacy::{KeyRing, Place},
    regions::Catalogue,
    venues::{Address, Checkpoint, OpeningHours, PlaceKind, Venue},
};

#[derive(sqlx::FromRow)]
pub(super) struct VenueRow {
    id: i64,
    public_id: Uuid,
    owner_id: Uuid,
    name: String,
    kind: String,
    catalogue: String,
    province: String,
    ward: String,
    street: String,
    created_at: Timestamp,
}

impl From<VenueRow> for Venue {
    fn from(row: VenueRow) -> Self {
        Self {
            id: row.id,
            public_id: row.public_id,
            owner: row.owner_id,
            name: row.name.into(),
            kind: PlaceKind::parse(&row.kind).unwrap_or(PlaceKind::Other),
            address: Address {
                catalogue: Catalogue::parse(&row.catalogue).unwrap_or_default(),
                province: row.province.into(),
                ward: row.ward.into(),
                street: row.street.into(),
            },
            created_at: row.created_at,
        }
    }
}

#[derive(sqlx::FromRow)]
pub(super) struct CheckpointRow {
    id: i64,
    public_id: Uuid,
    venue_id: i64,
    site_id: i64,
    code: Vec<u8>,
    name: String,
    kind: String,
    stay_minutes: Option<i64>,
    capacity: Option<i64>,
    opening_hours: Option<String>,
    listed: bool,
    is_vehicle: bool,
    poster_version: i64,
    poster_at: Timestamp,
    created_at: Timestamp,
    changed_at: Timestamp,
    closed_at: Option<Timestamp>,
}

impl From<CheckpointRow> for Checkpoint {
    fn from(row: CheckpointRow) -> Self {
        let hours = row.opening_hours.as_deref();
        Self {
            id: row.id,
            public_id: row.public_id,
            venue_id: row.venue_id,
            site_id: row.site_id,
            code: Code::from_bytes(row.code.try_into().unwrap_or_default()),
            name: row.name.into(),
            kind: PlaceKind::parse(&row.kind).unwrap_or(PlaceKind::Other),
            stay_minutes: row.stay_minutes.and_then(|m| u16::try_from(m).ok()),
            capacity: row.capacity.and_then(|n| u32::try_from(n).ok()),
            opening_hours: hours.and_then(OpeningHours::from_json),
            listed: row.listed,
            is_vehicle: row.is_vehicle,
            poster_version: u32::try_from(row.poster_version).unwrap_or(1),
            poster_at: row.poster_at,
            created_at: row.created_at,
            changed_at: row.changed_at,
            closed_at: row.closed_at,
        }
    }
}

/// Whom the health department asks for, as it is sealed and shown to the owner.
#[derive(Serialize, Deserialize)]
pub struct Contact {
    /// Full name.
    pub name: String,
    /// Phone number in E.164.
    pub phone: String,
}

/// A vehicle, as it is sealed and shown to the owner and to officers.
#[derive(Serialize, Deserialize)]
pub struct VehicleText {
    /// Number plate as the owner wrote it.
    pub plate: String,
    /// Line or route; may be empty.
    pub route: String,
}

pub(super) fn contact_place(venue: &Uuid) -> Place<'_> {
    Place {
        table: "venues",
        column: "contact_sealed",
        row: venue.as_bytes(),
    }
}

pub(super) fn vehicle_place(checkpoint: &Uuid) -> Place<'_> {
    Place {
        table: "checkpoints",
        column: "vehicle_sealed",
        row: checkpoint.as_bytes(),
    }
}

pub(super) fn seal(
    keys: &KeyRing,
    random: &Random,
    place: Place<'_>,
    value: &impl Serialize,
) -> Vec<u8> {
    // A struct of strings always serialises.
    let plain = zeroize::Zeroizing::new(serde_json::to_vec(value).unwrap_or_default());
    keys.record().seal(place, &plain, random)
}

pub(super) fn open<T: for<'de> Deserialize<'de>>(
    keys: &KeyRing,
    place: Place<'_>,
    sealed: &[u8],
) -> Result<T> {
    let plain = keys
        .record()
        .open(place, sealed)
        .map_err(Failure::internal)?;
    // The reason of a failure to read could repeat what was read.
    serde_json::from_slice(&plain).map_err(|_| Failure::internal("a sealed value is not JSON"))
}
