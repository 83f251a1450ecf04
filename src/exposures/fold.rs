//! Hits folded into candidates: one row per person, with the links that explain it.
//!
//! Counts are people, so everything of one person is joined before anything is summed: pseudonyms,
//! repeated scans, gates of one site, several cases. Sums are per case, over all sites; what is
//! reported of a person is time spent with any of the cases, each millisecond once.

use std::collections::{BTreeMap, BTreeSet};

use crate::exposures::{
    interval::{Span, common, length, union},
    probe::Probe,
    reached::{Episode, reached},
    scene::{Ground, Scene},
    score::{Anchor, Class, How, Weights, total},
    stay::{Person, Presence, Stay},
};

/// Somebody's stay that a probe found.
#[derive(Clone, Debug)]
pub struct Hit {
    /// Index of the probe.
    pub probe: usize,
    /// The stay.
    pub stay: Stay,
    /// Its two intervals.
    pub presence: Presence,
    /// Weight of the kind of place, per mille.
    pub place_weight: u32,
}

/// What makes a contact in this run.
#[derive(Clone, Debug)]
pub struct Terms {
    /// Time with one case that puts a person on the list, ms; 0 for any longer than nothing.
    pub need_ms: i64,
    /// Thresholds to report, ms, ascending.
    pub rows_ms: Vec<i64>,
    /// Length of the window the sums slide in, ms; `None` for each stay by itself.
    pub span_ms: Option<i64>,
    /// Whether people of one group are contacts at any length.
    pub group_is_contact: bool,
    /// Weights of the score.
    pub weights: Weights,
}

/// How sure it is that a person belongs on the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Grade {
    /// Touched a probe, below the threshold: never counted.
    Present,
    /// The threshold is reached only with assumed stays or residual air.
    Possible,
    /// The threshold is reached in certain time.
    Certain,
}

/// What an officer should know about a candidate besides the minutes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent marks of a person, shown one by one"
)]
pub struct Flags {
    /// Was at two sites at once, says the data.
    pub conflict: bool,
    /// Works there: at least one of the stays is a shift.
    pub staff: bool,
    /// Came in one group with a case.
    pub group: bool,
    /// At least one stay has an assumed end.
    pub assumed: bool,
}

/// Time of one person with one source at one checkpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// Index of the source; `None` for all sources together.
    pub source: Option<usize>,
    /// The site.
    pub site: i64,
    /// The checkpoint that the person scanned.
    pub checkpoint: i64,
    /// First instant, ms UTC.
    pub start_at: i64,
    /// First instant after it, ms UTC.
    pub end_at: i64,
    /// Time both were there for certain, ms.
    pub certain_ms: i64,
    /// Time they may have shared, residual air included, ms.
    pub possible_ms: i64,
    /// The part of `possible_ms` that is only air, ms.
    pub residual_ms: i64,
    /// Whether the end of the person's stay is assumed.
    pub assumed: bool,
    /// People whom the person brought along without a name.
    pub unnamed: i64,
}

/// A person who was there at the same time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// The person's first pseudonym.
    pub person: Person,
    /// How sure.
    pub grade: Grade,
    /// Time with any source for certain, ms.
    pub certain_ms: i64,
    /// Time with any source, residual air included, ms.
    pub possible_ms: i64,
    /// The part of `possible_ms` that is only air, ms.
    pub residual_ms: i64,
    /// Milliseconds of full weight, see [`score`](super::score).
    pub score_ms: i64,
    /// First instant with any source, ms UTC.
    pub first_at: i64,
    /// First instant after the last, ms UTC.
    pub last_at: i64,
    /// The highest threshold reached with one source, ms; `None` below the lowest.
    pub row_ms: Option<i64>,
    /// Marks.
    pub flags: Flags,
    /// Per checkpoint, all sources together: what the list shows.
    pub items: Vec<Link>,
    /// Per source and checkpoint: what explains it.
    pub links: Vec<Link>,
    /// Time shared with each source, for the windows of the next ring.
    pub shared: Vec<Shared>,
}

/// Time shared with one source, over all sites.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shared {
    /// Index of the source.
    pub source: usize,
    /// For certain; a union.
    pub certain: Vec<Span>,
    /// Possibly, residual air included; a union.
    pub possible: Vec<Span>,
}

/// Fold hits into candidates, the one to call first in front.
///
/// `name` gives a person's first pseudonym for any of them. Sources are not candidates of each other.
#[must_use]
pub fn fold(
    scene: &Scene,
    hits: &[Hit],
    terms: &Terms,
    name: impl Fn(Person) -> Person,
) -> Vec<Candidate> {
    let sources: BTreeSet<Person> = scene
        .sources()
        .iter()
        .flat_map(|source| &source.persons)
        .map(|person| name(*person))
        .collect();
    let mut people: BTreeMap<Person, Vec<&Hit>> = BTreeMap::new();
    for hit in hits {
        let person = name(hit.stay.person);
        if !sources.contains(&person) {
            people.entry(person).or_default().push(hit);
        }
    }
    let mut found: Vec<Candidate> = people
        .into_iter()
        .filter_map(|(person, hits)| candidate(scene, person, &hits, terms))
        .collect();
    found.sort_by(|a, b| {
        let key = |c: &Candidate| (!c.flags.group, -c.score_ms, c.first_at, c.person);
        key(a).cmp(&key(b))
    });
    found
}

/// What a person shared with one source at one checkpoint, piece by piece.
#[derive(Clone, Debug, Default)]
struct Part {
    site: i64,
    certain: Vec<Span>,
    core: Vec<Span>,
    air: Vec<Span>,
    points: Vec<Span>,
    group: bool,
    near: bool,
    assumed: bool,
    unnamed: i64,
    place_weight: u32,
}

impl Part {
    fn add(&mut self, hit: &Hit, probe: &Probe, ground: Option<&Ground>) {
        let maybe = hit.presence.maybe;
        let Some(met) = probe.reach().meet(maybe.span) else {
            return;
        };
        if probe.point || maybe.point {
            self.points.push(met);
        } else {
            self.air.push(met);
            self.core.extend(probe.core.meet(maybe.span));
        }
        if let Some(ground) = ground {
            let sure: Vec<Span> = hit.presence.sure.into_iter().collect();
            self.certain.extend(common(&ground.certain, &sure));
            let group = hit.stay.declaration.map(|id| (hit.stay.checkpoint, id));
            self.group |= group.is_some_and(|group| ground.groups.contains(&group));
        }
        self.site = hit.stay.site;
        self.near |= probe.scanned.contains(&hit.stay.checkpoint);
        self.assumed |= hit.presence.assumed;
        self.unnamed = self.unnamed.max(hit.stay.headcount - 1);
        self.place_weight = hit.place_weight;
    }

    fn is_touched(&self) -> bool {
        !self.air.is_empty() || !self.points.is_empty()
    }

    /// All parts of one checkpoint, whatever the source.
    fn join<'p>(parts: impl Iterator<Item = &'p Self>) -> Self {
        let mut all = Self::default();
        for part in parts {
            all.site = part.site;
            all.certain.extend(&part.certain);
            all.core.extend(&part.core);
            all.air.extend(&part.air);
            all.points.extend(&part.points);
            all.group |= part.group;
            all.assumed |= part.assumed;
            all.unnamed = all.unnamed.max(part.unnamed);
        }
        all
    }

    fn ends(&self) -> (i64, i64) {
        let all = || {
            let lone = if self.air.is_empty() {
                &self.points
            } else {
                &self.air
            };
            lone.iter()
        };
        (
            all().map(|span| span.start()).min().unwrap_or(0),
            all().map(|span| span.end()).max().unwrap_or(0),
        )
    }

    fn link(&self, source: Option<usize>, checkpoint: i64) -> Link {
        let (start_at, end_at) = self.ends();
        let possible_ms = length(&union(self.air.clone()));
        Link {
            source,
            site: self.site,
            checkpoint,
            start_at,
            end_at,
            certain_ms: length(&union(self.certain.clone())),
            possible_ms,
            residual_ms: possible_ms - length(&union(self.core.clone())),
            assumed: self.assumed,
            unnamed: self.unnamed,
        }
    }
}

fn candidate(scene: &Scene, person: Person, hits: &[&Hit], terms: &Terms) -> Option<Candidate> {
    let parts = parts(scene, hits);
    if parts.is_empty() {
        return None;
    }
    let mut by_source: BTreeMap<usize, Vec<&Part>> = BTreeMap::new();
    let mut by_checkpoint: BTreeMap<i64, Vec<&Part>> = BTreeMap::new();
    for ((source, checkpoint), part) in &parts {
        by_source.entry(*source).or_default().push(part);
        by_checkpoint.entry(*checkpoint).or_default().push(part);
    }
    let shared: Vec<Shared> = by_source
        .into_iter()
        .map(|(source, parts)| {
            let all = Part::join(parts.into_iter());
            Shared {
                source,
                certain: union(all.certain),
                possible: union(all.air),
            }
        })
        .collect();
    let all = Part::join(parts.values());
    let grade = grade(&shared, all.group && terms.group_is_contact, terms);
    let whole = all.link(None, 0);
    let point_ends = || all.points.iter();
    Some(Candidate {
        person,
        grade,
        certain_ms: whole.certain_ms,
        possible_ms: whole.possible_ms,
        residual_ms: whole.residual_ms,
        score_ms: score(scene, &parts, terms),
        first_at: point_ends()
            .map(|p| p.start())
            .fold(whole.start_at, i64::min),
        last_at: point_ends().map(|p| p.end()).fold(whole.end_at, i64::max),
        row_ms: highest_row(&shared, terms),
        flags: Flags {
            conflict: is_in_conflict(hits),
            staff: hits.iter().any(|hit| hit.stay.shift),
            group: all.group && terms.group_is_contact,
            assumed: all.assumed,
        },
        items: by_checkpoint
            .into_iter()
            .map(|(checkpoint, parts)| Part::join(parts.into_iter()).link(None, checkpoint))
            .collect(),
        links: parts
            .iter()
            .map(|((source, checkpoint), part)| part.link(Some(*source), *checkpoint))
            .collect(),
        shared,
    })
}

fn parts(scene: &Scene, hits: &[&Hit]) -> BTreeMap<(usize, i64), Part> {
    let mut parts: BTreeMap<(usize, i64), Part> = BTreeMap::new();
    for hit in hits {
        if let Some(probe) = scene.probes().get(hit.probe) {
            let ground = scene.ground(probe.source, hit.stay.site);
            parts
                .entry((probe.source, hit.stay.checkpoint))
                .or_default()
                .add(hit, probe, ground);
        }
    }
    parts.retain(|_, part| part.is_touched());
    parts
}

/// The moments at which the time shared with one source suffices.
fn episodes(pieces: &[Span], need_ms: i64, terms: &Terms) -> Vec<Episode> {
    reached(pieces, need_ms, terms.span_ms)
}

fn grade(shared: &[Shared], group: bool, terms: &Terms) -> Grade {
    let suffices = |pieces: fn(&Shared) -> &[Span]| {
        shared
            .iter()
            .any(|with| !episodes(pieces(with), terms.need_ms, terms).is_empty())
    };
    if group || suffices(|with| &with.certain) {
        Grade::Certain
    } else if suffices(|with| &with.possible) {
        Grade::Possible
    } else {
        Grade::Present
    }
}

fn highest_row(shared: &[Shared], terms: &Terms) -> Option<i64> {
    let reaches = |row: i64| {
        shared
            .iter()
            .any(|with| !episodes(&with.possible, row, terms).is_empty())
    };
    terms
        .rows_ms
        .iter()
        .rev()
        .copied()
        .find(|row| reaches(*row))
}

fn score(scene: &Scene, parts: &BTreeMap<(usize, i64), Part>, terms: &Terms) -> i64 {
    let mut worths = Vec::new();
    for ((source, _), part) in parts {
        let (anchor, weight) = scene
            .sources()
            .get(*source)
            .map_or((Anchor::Flat, 1_000), |s| (s.anchor, s.weight));
        for (class, spans) in [
            (Class::Certain, &part.certain),
            (Class::Possible, &part.core),
            (Class::Residual, &part.air),
        ] {
            for span in spans {
                let how = How {
                    class,
                    anchor,
                    place: part.place_weight,
                    source: weight,
                    same_checkpoint: part.near,
                };
                terms.weights.worth(*span, how, &mut worths);
            }
        }
    }
    total(&worths)
}

/// Whether two of the stays, at different sites, share time.
fn is_in_conflict(hits: &[&Hit]) -> bool {
    let mut stays: Vec<(i64, i64, i64)> = hits
        .iter()
        .map(|hit| {
            let span = hit.presence.maybe.span;
            (span.start(), span.end(), hit.stay.site)
        })
        .collect();
    stays.sort_unstable();
    let mut last: Option<(i64, i64)> = None;
    for (start, end, site) in stays {
        last = match last {
            Some((latest, at)) if at != site && latest > start => return true,
            Some((latest, at)) if at == site => Some((latest.max(end), at)),
            _ => Some((end, site)),
        };
    }
    false
}
