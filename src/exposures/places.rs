//! What a search must know of checkpoints: their sites, assumed stays, air and weights.

use crate::{
    cases::rules::{Place, RuleSet},
    regions::{Catalogue, Regions},
    venues::Directory,
};

const MINUTE_MS: i64 = 60_000;

/// The checkpoints of a run, seen through its rule set.
#[derive(Clone, Copy, Debug)]
pub struct Places<'a> {
    /// All checkpoints.
    pub directory: &'a Directory,
    /// Provinces, old and new.
    pub regions: &'a Regions,
    /// The rule set.
    pub rule: &'a RuleSet,
    /// Residual air given with the run for all kinds of place, minutes.
    pub air_minutes: Option<u32>,
}

impl Places<'_> {
    /// The site of a checkpoint: itself, when nothing else is known.
    #[must_use]
    pub fn site(&self, checkpoint: i64) -> i64 {
        self.directory
            .facts(checkpoint)
            .map_or(checkpoint, |facts| facts.site_id)
    }

    /// All checkpoints of a site, closed ones too.
    #[must_use]
    pub fn of_site(&self, site: i64) -> Vec<i64> {
        let all = self.directory.of_site(site);
        if all.is_empty() { vec![site] } else { all }
    }

    /// The stay assumed at a checkpoint, ms: its own, or that of its kind.
    #[must_use]
    pub fn stay_ms(&self, checkpoint: i64) -> i64 {
        let own = self
            .directory
            .facts(checkpoint)
            .and_then(|facts| facts.stay_minutes);
        let minutes = own.map_or_else(|| self.kind(checkpoint).stay, u32::from);
        i64::from(minutes) * MINUTE_MS
    }

    /// The longest time the air keeps at a site, ms.
    #[must_use]
    pub fn air_ms(&self, site: i64) -> i64 {
        let minutes = self.air_minutes.unwrap_or_else(|| self.kind(site).air);
        i64::from(minutes) * MINUTE_MS
    }

    /// Weight of a checkpoint's kind, per mille.
    #[must_use]
    pub fn weight(&self, checkpoint: i64) -> u32 {
        self.kind(checkpoint).weight
    }

    /// When a checkpoint closes for somebody who arrived at `at_ms`, ms UTC.
    #[must_use]
    pub fn closes_at(&self, checkpoint: i64, at_ms: i64) -> Option<i64> {
        self.directory.facts(checkpoint)?.closes_after_ms(at_ms)
    }

    /// Today's code of the province in which a checkpoint is.
    #[must_use]
    pub fn province(&self, checkpoint: i64) -> Option<String> {
        let entry = self.directory.by_id(checkpoint)?;
        let address = &entry.venue.address;
        match address.catalogue {
            Catalogue::July2025 => Some(address.province.to_string()),
            Catalogue::March2025 => self
                .regions
                .map_old_province(&address.province)
                .map(|province| province.code.to_owned()),
        }
    }

    /// Clock tolerance of the way a check-in arrived, ms.
    #[must_use]
    pub fn tolerance_ms(&self, source: &str) -> i64 {
        let tolerance = self.rule.contact.clock_tolerance_s;
        let seconds = if source == crate::checkins::source::LATE {
            tolerance.offline
        } else {
            tolerance.online
        };
        i64::from(seconds) * 1_000
    }

    /// How far key ranges must be widened for uncertain clocks at both ends, ms.
    #[must_use]
    pub fn slack_ms(&self) -> i64 {
        let tolerance = self.rule.contact.clock_tolerance_s;
        2_000 * i64::from(tolerance.online.max(tolerance.offline))
    }

    fn kind(&self, checkpoint: i64) -> Place {
        let facts = self.directory.facts(checkpoint);
        let kind = facts.map_or("other", |facts| facts.kind.as_str());
        self.rule.place(kind)
    }
}
