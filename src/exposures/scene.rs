//! Who or what others may have been exposed to, where, and the probes that search for them.

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use crate::exposures::{
    interval::{Span, common, union},
    probe::{Probe, probes},
    score::Anchor,
    stay::{Person, Presence, Stay},
};

/// Somebody, or a place, that others may have been exposed to.
#[derive(Clone, Debug)]
pub struct Source {
    /// All pseudonyms; empty for a place.
    pub persons: Vec<Person>,
    /// Time in which it counts as infectious for certain, a union.
    pub certain: Vec<Span>,
    /// Time in which it may, a union that holds `certain`.
    pub possible: Vec<Span>,
    /// The day from which the weights of the score count.
    pub anchor: Anchor,
    /// Weight of the whole source in the score, per mille: 1,000 for a case.
    pub weight: u32,
}

/// What a source leaves at one site, besides its probes.
#[derive(Clone, Debug, Default)]
pub(super) struct Ground {
    /// Time it was there and infectious, both for certain; a union.
    pub(super) certain: Vec<Span>,
    /// Groups it came with: checkpoint and declaration.
    pub(super) groups: BTreeSet<(i64, Uuid)>,
}

/// All sources of a ring, where they were, and the probes to search with.
#[derive(Clone, Debug, Default)]
pub struct Scene {
    sources: Vec<Source>,
    grounds: BTreeMap<(usize, i64), Ground>,
    probes: Vec<Probe>,
    /// People whom the sources brought along without a name of their own.
    unnamed: i64,
}

impl Scene {
    /// Add somebody with their stays, and the probes that follow. `air_ms` gives the longest time
    /// the air keeps at a site.
    pub fn add_person(
        &mut self,
        source: Source,
        stays: Vec<(Stay, Presence)>,
        air_ms: impl Fn(i64) -> i64,
    ) {
        let index = self.sources.len();
        let mut by_site: BTreeMap<i64, Vec<(Stay, Presence)>> = BTreeMap::new();
        for (stay, presence) in stays {
            by_site.entry(stay.site).or_default().push((stay, presence));
        }
        for (site, stays) in by_site {
            let there: Vec<_> = stays.iter().map(|(s, p)| (s.checkpoint, *p)).collect();
            let found = probes(index, site, &there, &source.possible, air_ms(site));
            let with = |stay: &Stay| found.iter().any(|p| p.scanned.contains(&stay.checkpoint));
            self.unnamed += stays
                .iter()
                .filter(|(stay, _)| with(stay))
                .map(|(stay, _)| stay.headcount - 1)
                .max()
                .unwrap_or(0);
            let sure = union(stays.iter().filter_map(|(_, p)| p.sure).collect());
            self.grounds.insert(
                (index, site),
                Ground {
                    certain: common(&sure, &source.certain),
                    groups: stays
                        .iter()
                        .filter_map(|(s, _)| s.declaration.map(|id| (s.checkpoint, id)))
                        .collect(),
                },
            );
            self.probes.extend(found);
        }
        self.sources.push(source);
    }

    /// Add a place in a window: whoever was there then is a candidate.
    pub fn add_place(&mut self, site: i64, checkpoints: &[i64], window: Span) {
        let index = self.sources.len();
        let certain = vec![window];
        self.probes.push(Probe {
            source: index,
            site,
            core: window,
            air_end: window.end(),
            point: false,
            scanned: checkpoints.to_vec(),
        });
        self.grounds.insert(
            (index, site),
            Ground {
                certain: certain.clone(),
                groups: BTreeSet::new(),
            },
        );
        self.sources.push(Source {
            persons: Vec::new(),
            certain: certain.clone(),
            possible: certain,
            anchor: Anchor::Flat,
            weight: 1_000,
        });
    }

    /// The sources, in the order in which they were added.
    #[must_use]
    pub fn sources(&self) -> &[Source] {
        &self.sources
    }

    /// The probes, each named by its index.
    #[must_use]
    pub fn probes(&self) -> &[Probe] {
        &self.probes
    }

    /// What a source leaves at a site.
    pub(super) fn ground(&self, source: usize, site: i64) -> Option<&Ground> {
        self.grounds.get(&(source, site))
    }

    /// People whom the sources brought along without a name of their own.
    #[must_use]
    pub const fn unnamed_companions(&self) -> i64 {
        self.unnamed
    }
}
