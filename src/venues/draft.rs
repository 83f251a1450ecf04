//! What owners send, as it arrives, and what becomes of it once it was read.

use serde::{Deserialize, Deserializer};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    identity::{FullName, Phone, Plate},
    venues::{Address, OpeningHours, PlaceKind, Week},
};

/// An address as it is sent: codes of today's catalogue.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewAddress {
    /// Code of the province, two digits.
    #[serde(default)]
    #[schema(required = true, example = "80")]
    pub province: String,
    /// Code of the ward, five digits; it lies in the province.
    #[serde(default)]
    #[schema(required = true, example = "25459")]
    pub ward: String,
    /// House number and street, hamlet; at most 200 characters, may be empty.
    #[serde(default)]
    pub street: String,
}

/// Whom the health department asks for.
#[derive(Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewContact {
    /// Full name.
    #[serde(default)]
    #[schema(required = true)]
    pub name: String,
    /// Phone number; it becomes the login.
    #[serde(default)]
    #[schema(required = true, example = "0901234567")]
    pub phone: String,
}

/// A venue that registers itself, with the account of its owner.
#[derive(Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewVenue {
    /// Name as people know it, at most 100 characters.
    #[serde(default)]
    #[schema(required = true)]
    pub name: String,
    /// What kind of place it is.
    #[serde(default)]
    #[schema(required = true, value_type = PlaceKind)]
    pub kind: String,
    /// Where it is.
    #[serde(default)]
    #[schema(required = true)]
    pub address: NewAddress,
    /// Whom to ask for.
    #[serde(default)]
    #[schema(required = true)]
    pub contact: NewContact,
    /// Password of the owner's account.
    #[serde(default)]
    #[schema(required = true)]
    pub password: String,
}

/// A vehicle as it is sent.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewVehicle {
    /// Number plate.
    #[serde(default)]
    #[schema(required = true, example = "70B-012.34")]
    pub plate: String,
    /// Line or route, at most 200 characters, may be empty.
    #[serde(default)]
    pub route: String,
}

/// A new checkpoint of a venue.
#[derive(Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewCheckpoint {
    /// Name of the entrance or the space, at most 100 characters.
    #[serde(default)]
    #[schema(required = true)]
    pub name: String,
    /// Absent: `vehicle` when there is a vehicle, else the venue's.
    #[schema(value_type = Option<PlaceKind>)]
    pub kind: Option<String>,
    /// Stay assumed where nobody checked out, 1 to 1440; absent: the rule set's for the kind.
    pub stay_minutes: Option<i64>,
    /// People that fit in, from 1.
    pub capacity: Option<i64>,
    /// Weekly schedule; absent: not known, taken as always open.
    pub opening_hours: Option<Week>,
    /// Whether it may be shown in lists; absent: no.
    pub listed: Option<bool>,
    /// Another checkpoint of the venue: both are entrances to one space, and lookups join them.
    pub gate_of: Option<Uuid>,
    /// For a place that moves.
    pub vehicle: Option<NewVehicle>,
}

/// Changes to a checkpoint: what is absent stays, `null` takes away.
#[derive(Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CheckpointPatch {
    /// New name.
    pub name: Option<String>,
    /// New kind.
    #[schema(value_type = Option<PlaceKind>)]
    pub kind: Option<String>,
    /// New assumed stay, 1 to 1440; `null`: the rule set's for the kind.
    #[serde(default)]
    #[schema(value_type = Option<i64>)]
    pub stay_minutes: Change<i64>,
    /// New capacity; `null`: not known.
    #[serde(default)]
    #[schema(value_type = Option<i64>)]
    pub capacity: Change<i64>,
    /// New schedule; `null`: not known.
    #[serde(default)]
    #[schema(value_type = Option<Week>)]
    pub opening_hours: Change<Week>,
    /// Whether it may be shown in lists.
    pub listed: Option<bool>,
    /// Another checkpoint of the venue whose space this one enters; `null`: a space of its own.
    #[serde(default)]
    #[schema(value_type = Option<Uuid>)]
    pub gate_of: Change<Uuid>,
    /// New vehicle; `null`: none.
    #[serde(default)]
    #[schema(value_type = Option<NewVehicle>)]
    pub vehicle: Change<NewVehicle>,
    /// `true` closes it: no more check-ins. `false` opens it again under the same code.
    pub closed: Option<bool>,
}

/// What a patch says of a thing that may be missing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Change<T> {
    /// Nothing: it stays.
    #[default]
    Keep,
    /// `null`: it goes away.
    Clear,
    /// It becomes this.
    Set(T),
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Change<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Option::deserialize(deserializer).map(|sent| sent.map_or(Self::Clear, Self::Set))
    }
}

impl<T> Change<T> {
    /// The value after the change, where it was `before`.
    pub fn apply(&self, before: &mut Option<T>)
    where
        T: Clone,
    {
        match self {
            Self::Keep => {}
            Self::Clear => *before = None,
            Self::Set(value) => *before = Some(value.clone()),
        }
    }
}

/// A venue that holds together.
pub struct VenueDraft {
    /// Its name, NFC.
    pub name: String,
    /// What kind of place it is.
    pub kind: PlaceKind,
    /// Where it is.
    pub address: Address,
    /// Whom to ask for.
    pub contact_name: FullName,
    /// The contact's number, which is the login.
    pub phone: Phone,
}

/// A vehicle that holds together.
#[derive(Clone)]
pub struct Vehicle {
    /// Its number plate, to compare.
    pub plate: Plate,
    /// Its number plate as the owner wrote it, to show.
    pub written: String,
    /// Its line or route, NFC; may be empty.
    pub route: String,
}

/// A checkpoint that holds together.
pub struct CheckpointDraft {
    /// Its name, NFC.
    pub name: String,
    /// Its kind; `None`: the venue's.
    pub kind: Option<PlaceKind>,
    /// Assumed stay in minutes, 1 to 1440.
    pub stay_minutes: Option<u16>,
    /// People that fit in.
    pub capacity: Option<u32>,
    /// Weekly schedule.
    pub opening_hours: Option<OpeningHours>,
    /// Whether lists may show it.
    pub listed: bool,
    /// The checkpoint whose space it enters.
    pub gate_of: Option<Uuid>,
    /// The vehicle it is in.
    pub vehicle: Option<Vehicle>,
}

/// Changes that hold together; `None` leaves a thing as it is.
#[derive(Default)]
pub struct PatchDraft {
    /// New name.
    pub name: Option<String>,
    /// New kind.
    pub kind: Option<PlaceKind>,
    /// New assumed stay in minutes.
    pub stay_minutes: Change<u16>,
    /// New capacity.
    pub capacity: Change<u32>,
    /// New schedule.
    pub opening_hours: Change<OpeningHours>,
    /// Whether lists may show it.
    pub listed: Option<bool>,
    /// The checkpoint whose space it enters.
    pub gate_of: Change<Uuid>,
    /// The vehicle it is in.
    pub vehicle: Change<Vehicle>,
    /// Closed or open.
    pub closed: Option<bool>,
}
