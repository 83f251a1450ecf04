//! The engine against brute force: sets of minutes, no sweep, no union, no SQL.
//!
//! Times are whole minutes so that a set of minutes is exact; everything else is as wild as the
//! rules allow: ties, equal end points, points, open stays, several gates a site, several cases,
//! people with two pseudonyms, uncertain clocks, residual air, windows cut in pieces.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use uuid::Uuid;

use super::{
    fold::{Candidate, Grade, Hit, Terms, fold},
    interval::{Span, union},
    scene::{Scene, Source},
    score::{Anchor, Weights},
    stay::{Limits, Person, Presence, Stay},
};
use crate::cases::rules;

const MINUTE: i64 = 60_000;
/// More minutes than any run of minutes can have.
const HORIZON: i64 = 100_000;
/// Checkpoints 1 and 2 are gates of site 1, 3 and 4 are sites of their own.
const SITE: [i64; 5] = [0, 1, 1, 3, 4];
/// Stay assumed at each checkpoint, minutes.
const DWELL: [i64; 5] = [0, 30, 45, 60, 200];
/// Longest residual air at each site, minutes.
const AIR: [i64; 5] = [0, 20, 0, 0, 30];

#[derive(Clone, Debug)]
struct Row {
    who: u8,
    checkpoint: usize,
    from: i64,
    until: Option<i64>,
    observed: bool,
    shaky: bool,
}

#[derive(Clone, Debug)]
struct World {
    rows: Vec<Row>,
    /// People of each case.
    cases: Vec<Vec<u8>>,
    /// Windows of each case, minutes.
    windows: Vec<Vec<(i64, i64)>>,
    need: i64,
    per_stay: bool,
}

fn row() -> impl Strategy<Value = Row> {
    (
        0_u8..8,
        1_usize..5,
        0_i64..60,
        prop::option::weighted(0.6, prop_oneof![Just(0), 0_i64..40, 0_i64..1_440]),
        prop::bool::weighted(0.8),
        prop::bool::weighted(0.2),
    )
        .prop_map(|(who, checkpoint, slot, length, observed, shaky)| {
            // Few distinct times, so that end points meet often.
            let from = slot * 30 + i64::from(who % 3) * 5;
            Row {
                who,
                checkpoint,
                from,
                until: length.map(|length| from + length / 5 * 5),
                observed,
                shaky,
            }
        })
}

fn world() -> impl Strategy<Value = World> {
    let window = prop::collection::vec((0_i64..1_500, 1_i64..1_500), 1..3)
        .prop_map(|all| all.into_iter().map(|(a, n)| (a, a + n)).collect::<Vec<_>>());
    (
        prop::collection::vec(row(), 2..24),
        prop_oneof![
            Just(vec![vec![0]]),
            Just(vec![vec![0, 1]]),
            Just(vec![vec![0, 1], vec![2]])
        ],
        prop::collection::vec(window, 2),
        prop_oneof![Just(0), Just(5), Just(15), 0_i64..120],
        any::<bool>(),
    )
        .prop_map(|(rows, cases, windows, need, per_stay)| World {
            rows,
            cases,
            windows,
            need,
            per_stay,
        })
}

/// Pseudonyms 6 and 7 are one person.
fn name(person: Person) -> Person {
    if person == [7; 16] { [6; 16] } else { person }
}

fn tolerance(row: &Row) -> i64 {
    if row.shaky { 3 } else { 0 }
}

// ---- the engine ------------------------------------------------------------------------------

fn stay(index: usize, row: &Row) -> Stay {
    let at = u128::try_from(row.from * MINUTE).unwrap();
    Stay {
        checkpoint: i64::try_from(row.checkpoint).unwrap(),
        site: SITE[row.checkpoint],
        id: Uuid::from_u128((at << 80) | u128::try_from(index).unwrap()),
        person: [row.who; 16],
        entered_at: row.from * MINUTE,
        left_at: row.until.map(|until| until * MINUTE),
        observed: row.observed,
        shift: false,
        tolerance_ms: tolerance(row) * MINUTE,
        headcount: 1,
        declaration: None,
    }
}

fn presences(world: &World) -> Vec<(Stay, Presence)> {
    let stays: Vec<Stay> = world
        .rows
        .iter()
        .enumerate()
        .map(|(i, r)| stay(i, r))
        .collect();
    stays
        .iter()
        .map(|stay| {
            let later = stays
                .iter()
                .filter(|other| name(other.person) == name(stay.person))
                .map(|other| (other.site, other.entered_at));
            let limits = Limits {
                stay_ms: DWELL[usize::try_from(stay.checkpoint).unwrap()] * MINUTE,
                closes_at: None,
                next_at: stay.next_elsewhere(later),
            };
            (stay.clone(), stay.presence(&limits))
        })
        .collect()
}

fn spans(minutes: &[(i64, i64)]) -> Vec<Span> {
    union(
        minutes
            .iter()
            .filter_map(|(a, b)| Span::new(a * MINUTE, b * MINUTE))
            .collect(),
    )
}

fn terms(world: &World) -> Terms {
    let rule = rules::find(rules::DEFAULT).unwrap();
    Terms {
        need_ms: world.need * MINUTE,
        rows_ms: vec![0, 15 * MINUTE],
        span_ms: (!world.per_stay).then_some(1_440 * MINUTE),
        group_is_contact: true,
        weights: Weights {
            score: rule.score.clone(),
            zone: rule.local(),
        },
    }
}

fn engine(world: &World) -> Vec<Candidate> {
    let all = presences(world);
    let mut scene = Scene::default();
    for (case, windows) in world.cases.iter().zip(&world.windows) {
        let windows = spans(windows);
        let source = Source {
            persons: case.iter().map(|who| [*who; 16]).collect(),
            certain: windows.clone(),
            possible: windows,
            anchor: Anchor::Flat,
            weight: 1_000,
        };
        let own = all
            .iter()
            .filter(|(stay, _)| source.persons.contains(&stay.person))
            .cloned()
            .collect();
        let air = |site: i64| AIR[usize::try_from(site).unwrap()] * MINUTE;
        scene.add_person(source, own, air);
    }
    let hits: Vec<Hit> = scene
        .probes()
        .iter()
        .enumerate()
        .flat_map(|(probe, p)| {
            all.iter()
                .filter(|(stay, _)| stay.site == p.site)
                .map(move |(stay, presence)| Hit {
                    probe,
                    stay: stay.clone(),
                    presence: *presence,
                    place_weight: 1_000,
                })
        })
        .collect();
    fold(&scene, &hits, &terms(world), name)
}

// ---- brute force -----------------------------------------------------------------------------

type Minutes = BTreeSet<i64>;

fn range(from: i64, until: i64) -> Minutes {
    (from..until).collect()
}

/// Minutes for certain and possibly; both empty for a point.
fn brute_presence(world: &World, row: &Row) -> (Minutes, Minutes) {
    let seen = row.until.is_some() && row.observed;
    let end = if seen {
        row.until.unwrap()
    } else {
        let by_rule = row.until.unwrap_or(row.from + DWELL[row.checkpoint]);
        world
            .rows
            .iter()
            .filter(|other| name([other.who; 16]) == name([row.who; 16]))
            .filter(|other| SITE[other.checkpoint] != SITE[row.checkpoint])
            .map(|other| other.from)
            .filter(|at| *at > row.from)
            .fold(by_rule, i64::min)
    };
    let tolerance = tolerance(row);
    let sure = if seen {
        range(row.from + tolerance, end - tolerance)
    } else {
        Minutes::new()
    };
    if end == row.from {
        return (Minutes::new(), Minutes::new());
    }
    (sure, range(row.from - tolerance, end + tolerance))
}

/// Each run of minutes, prolonged by its own length or `most`.
fn with_air(minutes: &Minutes, most: i64) -> Minutes {
    let mut all = minutes.clone();
    for last in minutes.iter().filter(|m| !minutes.contains(&(*m + 1))) {
        let run = (1..=HORIZON)
            .take_while(|n| minutes.contains(&(last - n)))
            .count();
        let length = i64::try_from(run).unwrap() + 1;
        all.extend(range(last + 1, last + 1 + length.min(most)));
    }
    all
}

fn brute_reaches(minutes: &Minutes, world: &World) -> bool {
    let sum_at = |t: i64| {
        let run = || {
            (1..=HORIZON)
                .take_while(|n| minutes.contains(&(t - n)))
                .count()
        };
        if world.per_stay {
            run()
        } else {
            minutes.range(t - 1_440..t).count()
        }
    };
    minutes
        .iter()
        .any(|m| i64::try_from(sum_at(m + 1)).unwrap() >= world.need)
}

#[derive(Debug, PartialEq, Eq)]
struct Found {
    grade: Grade,
    certain: i64,
    possible: i64,
    residual: i64,
    per_checkpoint: BTreeMap<i64, (i64, i64, i64)>,
}

#[derive(Clone, Debug, Default)]
struct Times {
    certain: Minutes,
    core: Minutes,
    air: Minutes,
}

impl Times {
    fn add(&mut self, other: &Self) {
        self.certain.extend(&other.certain);
        self.core.extend(&other.core);
        self.air.extend(&other.air);
    }

    fn lengths(&self) -> (i64, i64, i64) {
        let count = |set: &Minutes| i64::try_from(set.len()).unwrap();
        (
            count(&self.certain),
            count(&self.air),
            count(&self.air) - count(&self.core),
        )
    }
}

/// What each person shared with each case at each checkpoint; people who shared no minute are left
/// out.
fn brute(world: &World) -> BTreeMap<Person, Found> {
    let presence: Vec<_> = world
        .rows
        .iter()
        .map(|row| brute_presence(world, row))
        .collect();
    let sources: BTreeSet<u8> = world.cases.iter().flatten().copied().collect();
    let mut shared: BTreeMap<Person, BTreeMap<(usize, i64), Times>> = BTreeMap::new();
    for (case, (people, windows)) in world.cases.iter().zip(&world.windows).enumerate() {
        let window: Minutes = windows.iter().flat_map(|(a, b)| range(*a, *b)).collect();
        for site in [1, 3, 4] {
            let (mut sure, mut core) = (Minutes::new(), Minutes::new());
            for (row, (s, m)) in world.rows.iter().zip(&presence) {
                if people.contains(&row.who) && SITE[row.checkpoint] == site {
                    sure.extend(s.intersection(&window));
                    core.extend(m.intersection(&window));
                }
            }
            let air = with_air(&core, AIR[usize::try_from(site).unwrap()]);
            for (row, (s, m)) in world.rows.iter().zip(&presence) {
                if sources.contains(&row.who) || SITE[row.checkpoint] != site {
                    continue;
                }
                let times = Times {
                    certain: sure.intersection(s).copied().collect(),
                    core: core.intersection(m).copied().collect(),
                    air: air.intersection(m).copied().collect(),
                };
                let checkpoint = i64::try_from(row.checkpoint).unwrap();
                shared
                    .entry(name([row.who; 16]))
                    .or_default()
                    .entry((case, checkpoint))
                    .or_default()
                    .add(&times);
            }
        }
    }
    shared
        .into_iter()
        .filter_map(|(person, times)| brute_found(world, &times).map(|found| (person, found)))
        .collect()
}

fn brute_found(world: &World, times: &BTreeMap<(usize, i64), Times>) -> Option<Found> {
    let mut whole = Times::default();
    let mut per_case: BTreeMap<usize, Times> = BTreeMap::new();
    let mut per_checkpoint: BTreeMap<i64, Times> = BTreeMap::new();
    for ((case, checkpoint), part) in times {
        whole.add(part);
        per_case.entry(*case).or_default().add(part);
        per_checkpoint.entry(*checkpoint).or_default().add(part);
    }
    let any = |set: fn(&Times) -> &Minutes| per_case.values().any(|t| brute_reaches(set(t), world));
    let grade = if any(|t| &t.certain) {
        Grade::Certain
    } else if any(|t| &t.air) {
        Grade::Possible
    } else {
        Grade::Present
    };
    let (certain, possible, residual) = whole.lengths();
    (possible > 0).then(|| Found {
        grade,
        certain,
        possible,
        residual,
        per_checkpoint: per_checkpoint
            .into_iter()
            .map(|(checkpoint, times)| (checkpoint, times.lengths()))
            .filter(|(_, (_, possible, _))| *possible > 0)
            .collect(),
    })
}

fn in_minutes(candidates: &[Candidate]) -> BTreeMap<Person, Found> {
    candidates
        .iter()
        .filter(|c| c.possible_ms > 0)
        .map(|c| {
            let found = Found {
                grade: c.grade,
                certain: c.certain_ms / MINUTE,
                possible: c.possible_ms / MINUTE,
                residual: c.residual_ms / MINUTE,
                per_checkpoint: c
                    .items
                    .iter()
                    .filter(|item| item.possible_ms > 0)
                    .map(|item| {
                        let ms = [item.certain_ms, item.possible_ms, item.residual_ms];
                        let [certain, possible, residual] = ms.map(|ms| ms / MINUTE);
                        (item.checkpoint, (certain, possible, residual))
                    })
                    .collect(),
            };
            (c.person, found)
        })
        .collect()
}

// ---- properties ------------------------------------------------------------------------------

fn listed(candidates: &[Candidate]) -> BTreeSet<Person> {
    candidates
        .iter()
        .filter(|c| c.grade > Grade::Present)
        .map(|c| c.person)
        .collect()
}

fn shifted(world: &World, minutes: i64) -> World {
    let mut moved = world.clone();
    for row in &mut moved.rows {
        row.from += minutes;
        row.until = row.until.map(|until| until + minutes);
    }
    for (a, b) in moved.windows.iter_mut().flatten() {
        *a += minutes;
        *b += minutes;
    }
    moved
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 700,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn engine_is_brute_force(world in world()) {
        prop_assert_eq!(in_minutes(&engine(&world)), brute(&world));
    }

    #[test]
    fn certain_is_part_of_possible(world in world()) {
        for c in engine(&world) {
            prop_assert!(c.certain_ms <= c.possible_ms - c.residual_ms);
            prop_assert!(c.residual_ms >= 0 && c.score_ms >= 0);
            prop_assert!(c.items.iter().all(|i| i.certain_ms <= i.possible_ms));
            prop_assert!(c.items.iter().all(|i| c.first_at <= i.start_at && i.end_at <= c.last_at));
        }
    }

    #[test]
    fn the_order_of_rows_does_not_matter(world in world()) {
        let mut turned = world.clone();
        turned.rows.reverse();
        prop_assert_eq!(engine(&world), engine(&turned));
    }

    #[test]
    fn whole_days_later_everything_is_the_same(world in world()) {
        let strip = |all: Vec<Candidate>| all
            .into_iter()
            .map(|c| (c.person, c.grade, c.certain_ms, c.possible_ms, c.score_ms, c.row_ms))
            .collect::<Vec<_>>();
        prop_assert_eq!(strip(engine(&world)), strip(engine(&shifted(&world, 1_440))));
    }

    #[test]
    fn splitting_or_repeating_an_observed_stay_changes_nothing(world in world(), pick in any::<prop::sample::Index>()) {
        let mut closed = world;
        closed.rows.retain(|row| row.observed && row.until.is_some_and(|u| u > row.from + 1) && !row.shaky);
        prop_assume!(!closed.rows.is_empty());
        let whole = engine(&closed);
        let mut twice = closed.clone();
        let at = pick.index(closed.rows.len());
        let (first, second) = (closed.rows[at].clone(), closed.rows[at].clone());
        twice.rows.push(second);
        prop_assert_eq!(in_minutes(&whole), in_minutes(&engine(&twice)));
        let mut split = closed.clone();
        let middle = first.from + (first.until.unwrap() - first.from) / 2;
        split.rows[at].until = Some(middle);
        split.rows.push(Row { from: middle, ..first });
        prop_assert_eq!(in_minutes(&whole), in_minutes(&engine(&split)));
    }

    #[test]
    fn a_larger_window_or_a_smaller_threshold_removes_nobody(world in world(), by in 1_i64..600) {
        let before = listed(&engine(&world));
        let mut wider = world.clone();
        for (a, b) in wider.windows.iter_mut().flatten() {
            *a -= by;
            *b += by;
        }
        prop_assert!(before.is_subset(&listed(&engine(&wider))));
        let lower = World { need: world.need / 2, ..world };
        prop_assert!(before.is_subset(&listed(&engine(&lower))));
    }

    #[test]
    fn another_observed_stay_removes_nobody(world in world(), mut extra in row()) {
        extra.who %= 6;
        extra.observed = true;
        extra.until = extra.until.or(Some(extra.from + 10));
        let mut more = world;
        for row in more.rows.iter_mut().filter(|row| row.who == extra.who) {
            row.observed = true;
            row.until = row.until.or(Some(row.from + 20));
        }
        let before = listed(&engine(&more));
        more.rows.push(extra);
        prop_assert!(before.is_subset(&listed(&engine(&more))));
    }

    /// Without residual air being together is symmetric: 3 is a site without any.
    #[test]
    fn together_is_symmetric_without_air(rows in prop::collection::vec(row(), 2..10)) {
        let mut world = World {
            rows,
            cases: vec![vec![0]],
            windows: vec![vec![(-100, 5_000)]],
            need: 0,
            per_stay: false,
        };
        for row in &mut world.rows {
            row.checkpoint = 3;
            row.who = if row.who < 4 { 0 } else { 5 };
        }
        let there = engine(&world);
        let back = engine(&World { cases: vec![vec![5]], ..world });
        let minutes = |all: &[Candidate]| all.first().map(|c| (c.certain_ms, c.possible_ms));
        prop_assert_eq!(minutes(&there), minutes(&back));
    }
}
