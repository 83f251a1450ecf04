//! The outbreak that one can find.
//!
//! A fish seller falls ill on day 7 (counted from 0; today is day 13). Two days before that she can
//! infect others: at her stall she meets a sewer who buys fish before his shift, and in the bus home
//! a clerk and a teacher. The sewer carries it to line 2 of the factory, the clerk to her office. The
//! teacher is not tested yet. A traveller's case has nothing to do with any of them.

use crate::{
    base::{Timestamp, time::VIETNAM},
    cases::{CaseDraft, PatientDraft},
    cli::demo::{
        days::{Calendar, Visit},
        people::{Job, Part, Somebody},
        places::Spot,
    },
};

/// The bus in which three of them meet.
const BUS: Spot = Spot::Bus(2);

/// When it leaves, in minutes after midnight: 11:05.
const DEPARTURE: i64 = 665;

/// The day on which clerk and teacher sit in the bus with the fish seller.
const RIDE: i64 = 8;

/// The dates of a case, in days of the story.
#[derive(Clone, Copy, Debug)]
pub struct Course {
    /// First symptoms.
    pub onset: i64,
    /// The sample.
    pub sampled: i64,
    /// The result.
    pub confirmed: i64,
    /// Isolated at 19:00 of this day.
    pub isolated: i64,
}

/// The reported cases, in the order of their report.
pub const CASES: [(Part, Course); 4] = [
    (
        Part::FishSeller,
        Course {
            onset: 7,
            sampled: 10,
            confirmed: 10,
            isolated: 10,
        },
    ),
    (
        Part::Sewer,
        Course {
            onset: 10,
            sampled: 11,
            confirmed: 12,
            isolated: 11,
        },
    ),
    (
        Part::Traveller,
        Course {
            onset: 12,
            sampled: 12,
            confirmed: 13,
            isolated: 12,
        },
    ),
    (
        Part::Clerk,
        Course {
            onset: 11,
            sampled: 12,
            confirmed: 13,
            isolated: 12,
        },
    ),
];

/// The whole of somebody's day where the story needs it; `None` where the day is like any other.
#[must_use]
pub fn script(somebody: &Somebody, day: i64) -> Option<Vec<Visit>> {
    // At different hours, so that the clinic links none of them.
    let clinic = |at| vec![Visit::new(Spot::Clinic, at, 50, 1000)];
    Some(match (somebody.part?, day) {
        (Part::FishSeller, 0..=9) => vec![
            Visit::new(
                Spot::SeafoodHall,
                258,
                388,
                if day % 4 == 3 { 0 } else { 1000 },
            ),
            Visit::new(BUS, DEPARTURE, 40, 1000),
        ],
        (Part::FishSeller, 10) => clinic(500),
        (Part::Sewer, 11) => clinic(980),
        (Part::Clerk, 12) => clinic(450),
        (Part::Traveller, 12) => clinic(700),
        (Part::Teacher, 12) => clinic(870),
        (Part::Teacher, RIDE) => vec![
            Visit::new(Spot::School, 402, 240, 1000),
            Visit::new(BUS, DEPARTURE + 1, 38, 1000),
        ],
        (Part::Teacher, 11) => vec![Visit::new(Spot::School, 405, 300, 1000)],
        (Part::Clerk, RIDE) => vec![
            Visit::new(Spot::Office(0), 450, 195, 1000),
            Visit::new(BUS, DEPARTURE + 2, 36, 1000),
        ],
        (Part::Clerk, 9..=11) => vec![
            Visit::new(Spot::Office(0), 452, 235, 1000),
            Visit::new(Spot::Restaurant, 693, 40, 1000).number(0),
            Visit::new(Spot::Office(0), 780, 225, 1000),
        ],
        (Part::Sewer, 8..=10) => vec![
            Visit::new(Spot::Line(1), 412, 280, 1000),
            Visit::new(Spot::Canteen, 700, 25, 1000),
            Visit::new(Spot::Line(1), 730, 265, 1000),
        ],
        (Part::Traveller, 8..=11) => vec![
            Visit::new(Spot::Restaurant, 725, 50, 1000).number(2),
            Visit::new(Spot::Lodging, 1200, 640, 1000).number(0),
        ],
        (Part::FishSeller | Part::Traveller, _)
        | (Part::Sewer | Part::Clerk | Part::Teacher, 12..) => Vec::new(),
        _ => return None,
    })
}

/// What somebody does before the day begins, like any other or not.
#[must_use]
pub fn errands(somebody: &Somebody, day: i64) -> Option<Visit> {
    // Fish for the evening, before the shift: half an hour at the stall, twice.
    let fish = Visit::new(Spot::SeafoodHall, 335, 28, 1000);
    (somebody.part == Some(Part::Sewer) && matches!(day, 5 | 6)).then_some(fish)
}

/// What somebody has to declare on a day; empty for nothing.
#[must_use]
pub fn symptoms(somebody: &Somebody, day: i64) -> &'static [&'static str] {
    match (somebody.part, somebody.job, somebody.number, day) {
        // She says nothing before the tenth day, or the guard would have sent her home.
        (Some(Part::FishSeller), _, _, 10) => &["fever", "cough"],
        (Some(Part::Sewer), _, _, 11) | (None, Job::Line(1), 31, 12..) => &["cough", "fatigue"],
        (Some(Part::Clerk), _, _, 12) => &["fever", "sore_throat"],
        (Some(Part::Traveller), _, _, 12) => &["fever"],
        (Some(Part::Teacher), _, _, 11) => &["cough", "sore_throat"],
        (Some(Part::Teacher), _, _, 12) => &["cough", "loss_of_taste"],
        (None, Job::Line(1), 17, 13) => &["fever", "fatigue"],
        (None, Job::Office(0), 8, 13) => &["sore_throat"],
        _ => &[],
    }
}

/// The case of somebody as an officer reports it.
#[must_use]
pub fn report(somebody: &Somebody, course: Course, calendar: Calendar) -> CaseDraft {
    let day = |day: i64| {
        let at = Timestamp::from_ms(calendar.midnight(day)).at(VIETNAM);
        format!(
            "{:04}-{:02}-{:02}",
            at.year(),
            u8::from(at.month()),
            at.day()
        )
    };
    let (birth_year, address) = somebody.details();
    let address = address.map(|address| crate::cases::PatientAddressDraft {
        catalogue: address.catalogue,
        province: address.province,
        ward: address.ward,
        street: address.street,
    });
    CaseDraft {
        disease: Some("covid-19".to_owned()),
        rule: None,
        patient: Some(PatientDraft {
            full_name: somebody.name(),
            phone: somebody.phone(),
            id_number: None,
            birth_year,
            address,
        }),
        onset_on: Some(day(course.onset)),
        sampled_on: Some(day(course.sampled)),
        confirmed_on: Some(day(course.confirmed)),
        isolated_at: Some(format!("{}T19:00:00+07:00", day(course.isolated))),
        negative_on: None,
    }
}
