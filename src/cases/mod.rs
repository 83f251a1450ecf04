//! Cases (F0), rule sets and infectious windows.
//!
//! A case is a person confirmed by the health service. What its dates mean for the search is not
//! code but data: a rule set ([`rules`]) turns the dates into an infectious window ([`window`]),
//! once, and the window is stored with the case together with the set's id and version.
//!
//! The patient's details are sealed under a key of the case file itself, not under the key of a day:
//! a file outlives the days, by its own clock ([`clock`]). What it needs of a day that goes is copied
//! and sealed anew under that key first ([`kept`]). In clear stand only dates, the province that
//! reported it and keyed pseudonyms.

pub mod clock;
mod draft;
mod file;
pub mod kept;
pub mod rules;
mod store;
pub mod window;
pub mod zone;

pub use draft::{CaseDraft, NewCase, PatientAddressDraft, PatientDraft};
pub use file::{Patient, PatientAddress};
pub use store::{find, list, listed_as, open_patient, persons_of, pseudonyms, report};

use uuid::Uuid;

use crate::{
    accounts::Account,
    base::{Day, Timestamp},
};

/// A case, without what is sealed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    /// Its id.
    pub id: Uuid,
    /// Its number in the year: `2026-0001`.
    pub number: String,
    /// Code of the province that reported it, of today's catalogue; `None` for the whole country.
    pub province: Option<String>,
    /// The disease.
    pub disease: String,
    /// The rule set that gave the window.
    pub rule_id: String,
    /// Its version.
    pub rule_version: i64,
    /// First day with symptoms, `YYYY-MM-DD`, a local day like all of these.
    pub onset_on: Option<String>,
    /// Day of the positive sample.
    pub sampled_on: Option<String>,
    /// Day of confirmation.
    pub confirmed_on: String,
    /// When the person was isolated, ms UTC; a day counts to its end.
    pub isolated_at: Option<i64>,
    /// Day of the negative test.
    pub negative_on: Option<String>,
    /// First instant of the infectious window, ms UTC.
    pub window_from: i64,
    /// First instant after it, ms UTC; `None` while it is open.
    pub window_until: Option<i64>,
    /// Why, in both languages.
    pub because: window::Because,
    /// The account that reported it.
    pub reported_by: Uuid,
    /// When.
    pub reported_at: Timestamp,
}

/// Whether what `province` reported lies in the jurisdiction of `account`.
#[must_use]
pub fn is_in_jurisdiction(account: &Account, province: Option<&str>) -> bool {
    account
        .province
        .as_deref()
        .is_none_or(|own| province == Some(own))
}

/// The first day whose check-ins are kept at `now`: whole UTC days, like the keys.
#[must_use]
pub fn oldest_kept(now: Timestamp, retention_days: u16) -> Day {
    Day::of(now).plus(-i32::from(retention_days))
}
