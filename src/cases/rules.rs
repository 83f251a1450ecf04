//! Rule sets: what a document says about infectious windows and contacts, as data.
//!
//! One file per set under `assets/rules`, built into the program, copied whole into every run. A
//! released file is never edited: a correction is a new `version`. Code holds no epidemiological
//! number, so every one of them is named here and comes from a file; an absent key means that the
//! document gives no value.

use std::{collections::BTreeMap, sync::OnceLock};

use serde::{Deserialize, Serialize};
use time::Date;

use super::zone::Zone;

/// The set used when nobody chooses: the last restrictive Vietnamese rules.
pub const DEFAULT: &str = "vn-11042";

/// The kinds of place that every set must know, in the order of the outside contract.
pub const PLACE_KINDS: [&str; 13] = [
    "office",
    "business",
    "market",
    "school",
    "hospital",
    "factory",
    "lodging",
    "restaurant",
    "worship",
    "transport_hub",
    "vehicle",
    "road_checkpoint",
    "other",
];

/// Longest stay a set may assume, in minutes: [`MAX_STAY_MS`](crate::base::MAX_STAY_MS).
const STAY_MINUTES_MAX: u32 = 1_440;

/// One released set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuleSet {
    /// Name, for example `vn-11042`.
    pub id: String,
    /// Counts the corrections of the set, from 1.
    pub version: u32,
    /// The document the numbers come from.
    pub document: String,
    /// First day the document applies to; absent for a preset of our own.
    #[serde(default, with = "day", skip_serializing_if = "Option::is_none")]
    pub valid_from: Option<Date>,
    /// Whether a health office has compared the set with the full text.
    pub checked: bool,
    /// IANA name of the zone whose days the set speaks of.
    pub zone: String,
    /// How far to look back for common places of several cases.
    pub backward: Backward,
    /// What the set cannot express, for the officer to read.
    pub notes: Vec<Note>,
    /// The infectious window of a case.
    pub window: WindowRule,
    /// What makes a contact.
    pub contact: ContactRule,
    /// Second ring.
    pub ring2: Ring2,
    /// What follows for contacts, shown to the officer.
    pub measures: Measures,
    /// Order of work.
    pub score: Score,
    /// Defaults per kind of place.
    pub place: BTreeMap<String, Place>,
}

/// A sentence in both languages of the pages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Note {
    /// Vietnamese.
    pub vi: String,
    /// English.
    pub en: String,
}

/// Backward tracing, in days.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Backward {
    /// Days before the onset to look at.
    pub look_back_d: u32,
    /// Length of the window that slides over them.
    pub slide_d: u32,
}

/// How the infectious window follows from a case's dates.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WindowRule {
    /// With a known onset.
    pub symptomatic: Around,
    /// Without one.
    pub asymptomatic: Around,
    /// What ends the window; the earliest one known does.
    pub ends: Vec<End>,
}

/// Whole local days around an anchor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Around {
    /// The day that counts as day 0.
    pub anchor: AnchorKind,
    /// Days before it.
    pub days_before: u32,
    /// Days after it; absent: until something ends the window.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub days_after: Option<u32>,
}

/// Which date of a case an [`Around`] stands on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AnchorKind {
    /// First day with symptoms.
    Onset,
    /// Day of the positive sample; the day of confirmation where none is recorded.
    Sample,
}

/// What can end an infectious window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum End {
    /// The person is isolated.
    Isolation,
    /// A negative test.
    NegativeTest,
    /// A test with a CT value above 30, entered like a negative test.
    #[serde(rename = "ct_above_30")]
    CtAbove30,
}

/// What makes a contact.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ContactRule {
    /// What the minutes are summed over.
    pub basis: Basis,
    /// Thresholds, ascending: everybody above the lowest is listed, with the highest one reached.
    pub minutes: Vec<Threshold>,
    /// Distance in metres, shown to the officer; a scan does not measure it.
    pub distance_m: f64,
    /// Whether people who came as one group are contacts from entry on, at any length.
    pub group_is_contact: bool,
    /// Uncertainty of the clocks that stamped the check-ins.
    pub clock_tolerance_s: Tolerance,
}

/// What the minutes are summed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Basis {
    /// Over every 24 hours, wherever they begin.
    #[serde(rename = "sliding_24h")]
    Sliding24h,
    /// Over each uninterrupted stay.
    #[serde(rename = "per_stay")]
    PerStay,
}

/// A number of minutes that matters, and when it does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Threshold {
    /// Minutes; 0 means any time longer than nothing.
    pub min: u32,
    /// The condition, Vietnamese.
    pub when: String,
    /// The condition, English.
    pub when_en: String,
}

/// Clock tolerance in seconds, by the way a check-in arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tolerance {
    /// Sent at once.
    pub online: u32,
    /// Kept on a device without network and sent later.
    pub offline: u32,
}

/// Second ring: when a contact of a case may have passed it on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ring2 {
    /// Minutes needed on both hops.
    pub min: u32,
    /// Hours from infection to being infectious.
    pub latent_h: u32,
    /// Days a contact counts as infectious after the last exposure.
    pub infectious_d: u32,
}

/// What the document asks of contacts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Measures {
    /// Contacts of a case.
    pub f1: Vec<Measure>,
    /// Contacts of those; absent where the document is silent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub f2: Vec<Measure>,
}

/// Days of quarantine and watching for one group of contacts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Measure {
    /// The group.
    pub who: String,
    /// Days of quarantine from the last contact.
    pub quarantine_d: u32,
    /// Days of self-monitoring after that.
    pub self_monitor_d: u32,
    /// Day of quarantine on which a test is due.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test_on_day: Option<u32>,
}

/// Weights of the score, in per mille.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Score {
    /// Version of the formula these weights are meant for.
    pub formula: u32,
    /// A certain minute.
    pub certain: u32,
    /// A minute that is only possible.
    pub possible: u32,
    /// A minute in the air of somebody who has left.
    pub residual: u32,
    /// Factor when both scanned the same checkpoint and not only the same site.
    pub same_checkpoint: u32,
    /// Weights by local day.
    pub day: DayWeights,
}

/// Weights by local day, counted from the onset.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DayWeights {
    /// Day of the first of `weights`, counted from the onset.
    pub first: i32,
    /// Weight of that day and of those after it.
    pub weights: Vec<u32>,
    /// Weight of days before.
    pub before: u32,
    /// Weight of days after.
    pub after: u32,
    /// Weight of every day when the anchor is not an onset.
    pub flat: u32,
}

/// Defaults of a kind of place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Place {
    /// Stay assumed where the checkpoint sets none, minutes, 1 to 1,440.
    pub stay: u32,
    /// Longest time the air outlasts the infectious person, minutes; 0 outdoors.
    pub air: u32,
    /// Weight in the score, per mille.
    pub weight: u32,
}

/// Why a set was refused. The text names the key, never a person.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RuleError {
    /// Not TOML, or a key that is missing, unknown or of the wrong type.
    #[error("rule set cannot be read: {0}")]
    Shape(String),
    /// A value that makes no sense.
    #[error("rule set {id}: {what}")]
    Value {
        /// The set.
        id: String,
        /// The rule that is broken.
        what: &'static str,
    },
}

impl RuleSet {
    /// Read a set and check it.
    ///
    /// # Errors
    ///
    /// When a key is missing or unknown, or a value makes no sense.
    pub fn parse(text: &str) -> Result<Self, RuleError> {
        let set: Self =
            toml::from_str(text).map_err(|error| RuleError::Shape(error.message().to_owned()))?;
        match set.fault() {
            Some(what) => Err(RuleError::Value { id: set.id, what }),
            None => Ok(set),
        }
    }

    /// The zone whose days the set speaks of.
    #[must_use]
    pub fn local(&self) -> Zone {
        // `fault` has refused every name that is not known.
        Zone::named(&self.zone).unwrap_or_else(|| Zone::fixed(0))
    }

    /// Defaults of a kind of place; those of `other` for a kind the set does not know.
    #[must_use]
    pub fn place(&self, kind: &str) -> Place {
        let other = || self.place.get("other");
        self.place
            .get(kind)
            .or_else(other)
            .copied()
            .unwrap_or(Place {
                stay: 60,
                air: 0,
                weight: 1_000,
            })
    }

    /// The lowest threshold, minutes: who reaches it is listed.
    #[must_use]
    pub fn min_minutes(&self) -> u32 {
        self.contact.minutes.first().map_or(0, |row| row.min)
    }

    fn fault(&self) -> Option<&'static str> {
        let contact = &self.contact;
        let ascending = contact.minutes.is_sorted_by(|a, b| a.min < b.min);
        let place = |f: fn(&Place) -> bool| self.place.values().all(f);
        [
            (!self.id.is_empty(), "id is empty"),
            (self.version > 0, "version counts from 1"),
            (Zone::named(&self.zone).is_some(), "zone is not known"),
            (
                self.window.symptomatic.anchor == AnchorKind::Onset,
                "the symptomatic window stands on the onset",
            ),
            (
                self.window.asymptomatic.anchor == AnchorKind::Sample,
                "the asymptomatic window stands on the sample",
            ),
            (!contact.minutes.is_empty(), "contact.minutes is empty"),
            (ascending, "contact.minutes is not ascending"),
            (contact.distance_m > 0.0, "distance_m is not positive"),
            (
                PLACE_KINDS
                    .iter()
                    .all(|kind| self.place.contains_key(*kind)),
                "a kind of place is missing",
            ),
            (
                self.place.len() == PLACE_KINDS.len(),
                "a kind of place is not known",
            ),
            (
                place(|p| (1..=STAY_MINUTES_MAX).contains(&p.stay)),
                "a stay is not 1 to 1440 minutes",
            ),
            (
                place(|p| p.air <= STAY_MINUTES_MAX),
                "residual air is longer than 1440 minutes",
            ),
            (
                self.score.residual <= self.score.possible
                    && self.score.possible <= self.score.certain,
                "a doubtful minute weighs more than a certain one",
            ),
        ]
        .into_iter()
        .find_map(|(holds, what)| (!holds).then_some(what))
    }
}

/// The released sets, as built into the program, by id.
///
/// # Errors
///
/// When a built-in file is not a valid set; a test keeps that from happening.
pub fn all() -> Result<&'static BTreeMap<String, RuleSet>, RuleError> {
    static SETS: OnceLock<Result<BTreeMap<String, RuleSet>, RuleError>> = OnceLock::new();
    SETS.get_or_init(|| {
        FILES
            .iter()
            .map(|text| RuleSet::parse(text).map(|set| (set.id.clone(), set)))
            .collect()
    })
    .as_ref()
    .map_err(Clone::clone)
}

/// The released set with this id.
#[must_use]
pub fn find(id: &str) -> Option<&'static RuleSet> {
    all().ok().and_then(|sets| sets.get(id))
}

const FILES: [&str; 6] = [
    include_str!("../../assets/rules/vn-11042.toml"),
    include_str!("../../assets/rules/vn-3638.toml"),
    include_str!("../../assets/rules/vn-762.toml"),
    include_str!("../../assets/rules/vn-1909.toml"),
    include_str!("../../assets/rules/who-2021.toml"),
    include_str!("../../assets/rules/cautious.toml"),
];

/// A day, as TOML's own date when read and as `YYYY-MM-DD` when written.
mod day {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};
    use time::{Date, Month};

    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Form {
        Toml(toml::value::Datetime),
        Text(String),
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Date>, D::Error> {
        let text = match Form::deserialize(from)? {
            Form::Toml(date) => date.to_string(),
            Form::Text(text) => text,
        };
        parse(&text)
            .map(Some)
            .ok_or_else(|| D::Error::custom("not a day"))
    }

    #[expect(
        clippy::ref_option,
        clippy::trivially_copy_pass_by_ref,
        reason = "the shape that serde calls"
    )]
    pub fn serialize<S: Serializer>(day: &Option<Date>, to: S) -> Result<S::Ok, S::Error> {
        match day {
            Some(day) => to.collect_str(day),
            None => to.serialize_none(),
        }
    }

    fn parse(text: &str) -> Option<Date> {
        let mut parts = text.split('-');
        let year = parts.next()?.parse().ok()?;
        let month: u8 = parts.next()?.parse().ok()?;
        let day = parts.next()?.parse().ok()?;
        if parts.next().is_some() {
            return None;
        }
        Date::from_calendar_date(year, Month::try_from(month).ok()?, day).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::date;

    #[test]
    fn every_released_set_is_valid_and_known_by_its_id() {
        let sets = all().unwrap();
        assert_eq!(sets.len(), FILES.len());
        assert!(sets.contains_key(DEFAULT));
        for (id, set) in sets {
            assert!(!set.checked, "{id} has been compared with the full text?");
            assert_eq!(set.place("road_checkpoint").stay, 5);
            assert_eq!(set.place("no such kind"), set.place("other"));
        }
    }

    #[test]
    fn the_table_of_the_sets() {
        let row = |id: &str| {
            let set = find(id).unwrap();
            let window = &set.window;
            (
                set.valid_from,
                window.symptomatic.days_before,
                window.asymptomatic.days_before,
                set.min_minutes(),
                set.contact.minutes.last().unwrap().min,
                set.contact.distance_m,
            )
        };
        assert_eq!(
            row("vn-3638"),
            (Some(date!(2021 - 07 - 30)), 3, 14, 0, 0, 2.0)
        );
        assert_eq!(
            row("vn-11042"),
            (Some(date!(2021 - 12 - 29)), 2, 2, 0, 15, 2.0)
        );
        assert_eq!(
            row("vn-762"),
            (Some(date!(2022 - 02 - 21)), 2, 2, 0, 15, 2.0)
        );
        assert_eq!(
            row("vn-1909"),
            (Some(date!(2022 - 04 - 15)), 2, 2, 0, 15, 1.0)
        );
        assert_eq!(
            row("who-2021"),
            (Some(date!(2021 - 02 - 01)), 2, 2, 15, 15, 1.0)
        );
        assert_eq!(row("cautious"), (None, 3, 14, 0, 0, 2.0));
        assert_eq!(find("vn-0000"), None);
    }

    #[test]
    fn an_unknown_key_or_a_senseless_value_is_refused() {
        let good = FILES[0];
        assert!(RuleSet::parse(good).is_ok());
        let refused = |from: &str, to: &str| {
            assert!(good.contains(from), "the test changes nothing: {from}");
            RuleSet::parse(&good.replacen(from, to, 1)).unwrap_err()
        };
        assert!(matches!(
            refused("distance_m = 2.0", "distance_m = 2.0\ndistanc_m = 2.0"),
            RuleError::Shape(text) if text.contains("distanc_m")
        ));
        let what = |error| match error {
            RuleError::Value { what, .. } => what,
            RuleError::Shape(text) => panic!("{text}"),
        };
        assert_eq!(
            what(refused("version = 1", "version = 0")),
            "version counts from 1"
        );
        assert_eq!(
            what(refused("Asia/Ho_Chi_Minh", "Mars/Olympus")),
            "zone is not known"
        );
        assert_eq!(
            what(refused("min = 15,", "min = 0,")),
            "contact.minutes is not ascending"
        );
        assert_eq!(
            what(refused("stay = 240", "stay = 0")),
            "a stay is not 1 to 1440 minutes"
        );
        assert_eq!(
            what(refused("worship  ", "chapel   ")),
            "a kind of place is missing"
        );
        assert_eq!(
            what(refused("residual = 200", "residual = 500")),
            "a doubtful minute weighs more than a certain one"
        );
    }

    #[test]
    fn a_copy_in_a_run_reads_back_the_same() {
        for set in all().unwrap().values() {
            let copy = serde_json::to_string(set).unwrap();
            assert_eq!(&serde_json::from_str::<RuleSet>(&copy).unwrap(), set);
        }
    }
}
