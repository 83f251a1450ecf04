//! The choices of the design that the fold decides, one test each, named by what they pin.

use uuid::Uuid;

use super::{
    fold::{Candidate, Grade, Hit, Terms, fold},
    interval::Span,
    scene::{Scene, Source},
    score::{Anchor, Weights},
    stay::{
        Limits, Person, Stay,
        tests::{HOUR, stay},
    },
};
use crate::cases::rules;

const MINUTE: i64 = 60_000;
const CASE: u8 = 1;

/// A small world: what the case and others did, minutes from the epoch.
struct World {
    stays: Vec<Stay>,
    cases: Vec<Vec<u8>>,
    window: (i64, i64),
    air: i64,
    need: i64,
    same: fn(Person) -> Person,
}

impl World {
    fn of(stays: Vec<Stay>) -> Self {
        Self {
            stays,
            cases: vec![vec![CASE]],
            window: (0, 10_000),
            air: 0,
            need: 0,
            same: |person| person,
        }
    }

    fn run(&self) -> Vec<Candidate> {
        let rule = rules::find(rules::DEFAULT).unwrap();
        let limits = |stay: &Stay| Limits {
            next_at: stay.next_elsewhere(
                self.stays
                    .iter()
                    .filter(|other| other.person == stay.person)
                    .map(|other| (other.site, other.entered_at)),
            ),
            ..HOUR
        };
        let all: Vec<_> = self
            .stays
            .iter()
            .map(|stay| (stay.clone(), stay.presence(&limits(stay))))
            .collect();
        let window = Span::new(self.window.0 * MINUTE, self.window.1 * MINUTE).unwrap();
        let mut scene = Scene::default();
        for case in &self.cases {
            let persons: Vec<Person> = case.iter().map(|who| [*who; 16]).collect();
            let own = all
                .iter()
                .filter(|(stay, _)| persons.contains(&stay.person))
                .cloned()
                .collect();
            let source = Source {
                persons,
                certain: vec![window],
                possible: vec![window],
                anchor: Anchor::Flat,
                weight: 1_000,
            };
            scene.add_person(source, own, |_| self.air * MINUTE);
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
        let terms = Terms {
            need_ms: self.need * MINUTE,
            rows_ms: vec![0, 15 * MINUTE],
            span_ms: Some(1_440 * MINUTE),
            group_is_contact: true,
            weights: Weights {
                score: rule.score.clone(),
                zone: rule.local(),
            },
        };
        fold(&scene, &hits, &terms, self.same)
    }
}

fn at(person: u8, site: i64, from: i64, until: i64) -> Stay {
    stay(person, site, from * MINUTE, Some(until * MINUTE))
}

fn open(person: u8, site: i64, from: i64) -> Stay {
    stay(person, site, from * MINUTE, None)
}

fn minutes(candidate: &Candidate) -> (i64, i64, i64) {
    let ms = [
        candidate.certain_ms,
        candidate.possible_ms,
        candidate.residual_ms,
    ];
    let [certain, possible, residual] = ms.map(|ms| ms / MINUTE);
    (certain, possible, residual)
}

#[test]
fn row_01_a_out_is_b_in_is_no_exposure() {
    let touching = World::of(vec![at(CASE, 1, 0, 30), at(2, 1, 30, 60), at(3, 1, 29, 60)]);
    let found = touching.run();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].person, [3; 16]);
    assert_eq!(minutes(&found[0]), (1, 1, 0));
}

#[test]
fn row_02_a_point_inside_the_case_s_stay_is_present_with_0_minutes() {
    let found = World::of(vec![at(CASE, 1, 0, 30), at(2, 1, 10, 10)]).run();
    assert_eq!(found[0].grade, Grade::Present);
    assert_eq!(minutes(&found[0]), (0, 0, 0));
    let outside = World::of(vec![at(CASE, 1, 0, 30), at(2, 1, 30, 30)]).run();
    assert_eq!(outside, vec![]);
}

#[test]
fn row_03_exactly_the_threshold_passes() {
    let mut world = World::of(vec![at(CASE, 1, 0, 60), at(2, 1, 45, 90)]);
    world.need = 15;
    assert_eq!(world.run()[0].grade, Grade::Certain);
    world.stays[1].entered_at += 1_000;
    assert_eq!(world.run()[0].grade, Grade::Present);
}

#[test]
fn row_04_minutes_with_one_case_add_up_over_sites_within_24_h() {
    let mut world = World::of(vec![
        at(CASE, 1, 0, 8),
        at(2, 1, 0, 8),
        at(CASE, 2, 600, 608),
        at(2, 2, 600, 608),
    ]);
    world.need = 15;
    let found = world.run();
    assert_eq!(found[0].grade, Grade::Certain);
    assert_eq!(found[0].items.len(), 2);
    for stay in &mut world.stays[2..] {
        stay.entered_at += 1_440 * MINUTE;
        stay.left_at = stay.left_at.map(|at| at + 1_440 * MINUTE);
    }
    assert_eq!(world.run()[0].grade, Grade::Present);
}

#[test]
fn row_04_minutes_with_two_cases_do_not_add_up() {
    let mut world = World::of(vec![at(CASE, 1, 0, 10), at(2, 1, 0, 30), at(3, 1, 20, 30)]);
    world.cases = vec![vec![CASE], vec![3]];
    world.need = 15;
    let found = world.run();
    assert_eq!(found[0].grade, Grade::Present);
    assert_eq!(minutes(&found[0]), (20, 20, 0));
}

#[test]
fn row_05_only_time_inside_the_window_counts() {
    let mut world = World::of(vec![at(CASE, 1, 0, 60), at(2, 1, 0, 60)]);
    world.window = (20, 30);
    assert_eq!(minutes(&world.run()[0]), (10, 10, 0));
    world.window = (60, 90);
    assert_eq!(world.run(), vec![]);
}

#[test]
fn row_06_a_missing_check_out_makes_minutes_possible_only() {
    let found = World::of(vec![at(CASE, 1, 0, 90), open(2, 1, 10)]).run();
    assert_eq!(minutes(&found[0]), (0, 60, 0));
    assert_eq!(found[0].grade, Grade::Possible);
    assert!(found[0].flags.assumed);
    let cut = World::of(vec![at(CASE, 1, 0, 90), open(2, 1, 10), open(2, 2, 30)]).run();
    assert_eq!(minutes(&cut[0]), (0, 20, 0));
}

#[test]
fn row_07_30_h_as_two_rows_are_the_minutes_of_30_h() {
    let found = World::of(vec![
        at(CASE, 1, 0, 1_440),
        at(CASE, 1, 1_440, 1_800),
        at(2, 1, 0, 1_440),
        at(2, 1, 1_440, 1_800),
    ])
    .run();
    assert_eq!(minutes(&found[0]), (1_800, 1_800, 0));
    assert_eq!(found.len(), 1);
}

#[test]
fn row_08_the_same_stay_twice_counts_once() {
    let found = World::of(vec![
        at(CASE, 1, 0, 60),
        at(CASE, 1, 30, 60),
        at(2, 1, 10, 40),
        at(2, 1, 20, 50),
    ])
    .run();
    assert_eq!(minutes(&found[0]), (40, 40, 0));
}

#[test]
fn row_09_two_sites_at_once_are_kept_and_flagged() {
    let mut world = World::of(vec![
        at(CASE, 1, 0, 60),
        at(CASE, 2, 60, 120),
        at(2, 1, 0, 90),
        at(2, 2, 30, 90),
        at(3, 1, 0, 60),
        at(3, 2, 60, 90),
    ]);
    let found = world.run();
    assert_eq!(found.len(), 2);
    let of = |person| found.iter().find(|c| c.person == person).unwrap();
    assert!(of([2; 16]).flags.conflict);
    assert!(!of([3; 16]).flags.conflict);
    // The next check-in elsewhere cuts an assumed end, so that is no conflict.
    world.stays[2] = open(2, 1, 0);
    assert!(world.run().iter().all(|c| !c.flags.conflict));
}

#[test]
fn row_11_a_group_is_a_contact_at_any_length_and_a_count_is_not_a_person() {
    let family = Some(Uuid::from_u128(9));
    let mut case = at(CASE, 1, 0, 5);
    let mut child = at(2, 1, 0, 5);
    (case.declaration, child.declaration) = (family, family);
    let mut stranger = at(3, 1, 0, 5);
    stranger.declaration = Some(Uuid::from_u128(10));
    stranger.headcount = 4;
    let mut world = World::of(vec![case, child, stranger]);
    world.need = 15;
    let found = world.run();
    assert_eq!(found.len(), 2);
    assert_eq!(found[0].person, [2; 16]);
    assert_eq!(found[0].grade, Grade::Certain);
    assert!(found[0].flags.group);
    assert_eq!(found[1].grade, Grade::Present);
    assert_eq!(found[1].items[0].unnamed, 3);
}

#[test]
fn row_12_staff_is_listed_as_staff() {
    let mut world = World::of(vec![at(CASE, 1, 0, 60), at(2, 1, 0, 480), at(3, 1, 0, 480)]);
    world.stays[1].shift = true;
    let found = world.run();
    let staff: Vec<_> = found.iter().map(|c| (c.person[0], c.flags.staff)).collect();
    assert_eq!(staff, [(2, true), (3, false)]);
}

#[test]
fn row_13_a_renewed_code_is_the_same_site() {
    let mut world = World::of(vec![at(CASE, 1, 0, 60), at(2, 1, 30, 90)]);
    let near = world.run()[0].score_ms;
    world.stays[1].checkpoint = 77;
    let found = world.run();
    assert_eq!(minutes(&found[0]), (30, 30, 0));
    assert_eq!(found[0].items[0].checkpoint, 77);
    // The same checkpoint only raises the rank.
    assert!(found[0].score_ms < near);
}

#[test]
fn row_14_air_outlasts_the_case_and_never_precedes_it() {
    let mut world = World::of(vec![
        at(CASE, 1, 60, 120),
        at(2, 1, 130, 180),
        at(3, 1, 0, 50),
    ]);
    assert_eq!(world.run(), vec![]);
    world.air = 30;
    let found = world.run();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].person, [2; 16]);
    assert_eq!(minutes(&found[0]), (0, 20, 20));
    // The other way round: the visitor's air does not count.
    world.cases = vec![vec![2]];
    assert_eq!(world.run(), vec![]);
}

#[test]
fn row_15_a_tolerance_turns_certain_into_possible() {
    let mut world = World::of(vec![at(CASE, 1, 0, 60), at(2, 1, 10, 40)]);
    world.stays[1].tolerance_ms = 5 * MINUTE;
    assert_eq!(minutes(&world.run()[0]), (20, 40, 0));
}

#[test]
fn row_17_a_case_is_not_its_own_contact_by_any_pseudonym() {
    let mut world = World::of(vec![at(CASE, 1, 0, 60), at(8, 1, 0, 60), at(9, 1, 0, 60)]);
    world.cases = vec![vec![CASE, 8]];
    assert_eq!(world.run().len(), 1);
    // A pseudonym that the case record does not know yet is the same person all the same.
    world.cases = vec![vec![CASE]];
    world.same = |person| {
        if person == [8; 16] {
            [CASE; 16]
        } else {
            person
        }
    };
    let found = world.run();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].person, [9; 16]);
}

#[test]
fn row_18_two_cases_share_a_person_who_is_one_person() {
    let mut world = World::of(vec![
        at(CASE, 1, 0, 60),
        at(2, 1, 30, 90),
        at(3, 1, 0, 90),
        at(4, 1, 0, 20),
    ]);
    world.cases = vec![vec![CASE], vec![2]];
    let found = world.run();
    assert_eq!(found.len(), 2);
    let shared = found.iter().find(|c| c.person == [3; 16]).unwrap();
    assert_eq!(minutes(shared), (90, 90, 0));
    assert_eq!((shared.items.len(), shared.links.len()), (1, 2));
}

#[test]
fn a_person_with_two_pseudonyms_is_one_person() {
    let mut world = World::of(vec![at(CASE, 1, 0, 60), at(2, 1, 0, 40), at(3, 1, 20, 60)]);
    world.same = |person| if person == [3; 16] { [2; 16] } else { person };
    let found = world.run();
    assert_eq!(found.len(), 1);
    assert_eq!(minutes(&found[0]), (60, 60, 0));
}

#[test]
fn the_highest_row_reached_is_reported() {
    let found = World::of(vec![at(CASE, 1, 0, 60), at(2, 1, 50, 90), at(3, 1, 45, 90)]).run();
    let rows: Vec<_> = found
        .iter()
        .map(|c| (c.person[0], c.row_ms.map(|ms| ms / MINUTE)))
        .collect();
    assert_eq!(rows, [(3, Some(15)), (2, Some(0))]);
}

#[test]
fn everybody_in_a_place_and_window() {
    let mut scene = Scene::default();
    let window = Span::new(0, 30 * MINUTE).unwrap();
    scene.add_place(1, &[1], window);
    let hits: Vec<Hit> = [at(2, 1, 10, 90), open(3, 1, 20), at(4, 1, 30, 40)]
        .into_iter()
        .map(|stay| Hit {
            probe: 0,
            presence: stay.presence(&HOUR),
            stay,
            place_weight: 1_000,
        })
        .collect();
    let rule = rules::find(rules::DEFAULT).unwrap();
    let terms = Terms {
        need_ms: 0,
        rows_ms: vec![],
        span_ms: None,
        group_is_contact: false,
        weights: Weights {
            score: rule.score.clone(),
            zone: rule.local(),
        },
    };
    let found = fold(&scene, &hits, &terms, |person| person);
    let times: Vec<_> = found.iter().map(|c| (c.person[0], minutes(c))).collect();
    assert_eq!(times, [(2, (20, 20, 0)), (3, (0, 10, 0))]);
}
