//! The sealed part of a case file.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::privacy::Place;

/// Who the patient is. Opened only for an officer of the jurisdiction, and audited.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Patient {
    /// Full name.
    pub full_name: String,
    /// Phone number in E.164.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// Number of an identity or insurance card or a passport.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id_number: Option<String>,
    /// Year of birth.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub birth_year: Option<u16>,
    /// Where the patient lives.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<PatientAddress>,
}

/// Where a patient lives, as far as it is known.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PatientAddress {
    /// Id of the catalogue that gives the codes their meaning.
    pub catalogue: String,
    /// Code of the province.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub province: Option<String>,
    /// Code of the ward.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ward: Option<String>,
    /// House, street, hamlet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub street: Option<String>,
}

impl std::fmt::Debug for Patient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

impl std::fmt::Debug for PatientAddress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

/// Where the wrapped key of a case file stands.
pub(super) fn key_place(id: &Uuid) -> Place<'_> {
    place("key_wrapped", id)
}

/// Where the sealed patient stands.
pub(super) fn patient_place(id: &Uuid) -> Place<'_> {
    place("patient_sealed", id)
}

fn place<'a>(column: &'static str, id: &'a Uuid) -> Place<'a> {
    Place {
        table: "cases",
        column,
        row: id.as_bytes(),
    }
}
