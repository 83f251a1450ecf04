//! What people do on a day: work, the way there, and what comes after.

use crate::{
    base::{day::DAY_MS, time::VIETNAM},
    cli::demo::{
        dice::Dice,
        outbreak,
        people::{Job, Somebody},
        places::{Places, Spot},
    },
};

/// Days that the story tells, today included.
pub const DAYS: i64 = 14;

/// Milliseconds in a minute.
const MINUTE_MS: i64 = 60_000;

/// The days of the story, in Vietnamese time.
#[derive(Clone, Copy, Debug)]
pub struct Calendar {
    /// Days since 1970-01-01 of the first one.
    first: i64,
}

impl Calendar {
    /// The days that end with the one in which `now_ms` falls.
    #[must_use]
    pub fn ending(now_ms: i64) -> Self {
        let today = (now_ms + offset_ms()).div_euclid(DAY_MS);
        Self {
            first: today - DAYS + 1,
        }
    }

    /// The midnight with which `day` begins, in milliseconds UTC.
    #[must_use]
    pub fn midnight(self, day: i64) -> i64 {
        (self.first + day) * DAY_MS - offset_ms()
    }

    /// 0 is Monday. 1970-01-01 was a Thursday.
    #[must_use]
    pub fn weekday(self, day: i64) -> i64 {
        (self.first + day + 3).rem_euclid(7)
    }
}

fn offset_ms() -> i64 {
    i64::from(VIETNAM.whole_seconds()) * 1000
}

/// One stay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stay {
    /// Who, by number.
    pub who: usize,
    /// Where, by the checkpoint's number in the store.
    pub place: i64,
    /// Arrival, milliseconds UTC.
    pub from: i64,
    /// When they checked out, if they did.
    pub until: Option<i64>,
    /// Seat in a bus.
    pub seat: Option<i64>,
    /// People whom the check-in stands for.
    pub headcount: i64,
}

/// What somebody is going to do: where, from which minute of the day, how many minutes, and how often
/// in a thousand they check out.
#[derive(Clone, Copy, Debug)]
pub struct Visit {
    /// Where.
    pub spot: Spot,
    /// Which of the checkpoints there; `None` for any.
    pub which: Option<usize>,
    /// Minutes after midnight.
    pub at: i64,
    /// Minutes.
    pub minutes: i64,
    /// Check-outs per mille.
    pub out: i64,
}

impl Visit {
    /// A visit to any checkpoint at `spot`.
    #[must_use]
    pub const fn new(spot: Spot, at: i64, minutes: i64, out: i64) -> Self {
        Self {
            spot,
            which: None,
            at,
            minutes,
            out,
        }
    }

    /// The same, to the checkpoint of this number.
    #[must_use]
    pub const fn number(self, which: usize) -> Self {
        Self {
            which: Some(which),
            ..self
        }
    }
}

/// Tells days.
#[derive(Debug)]
pub struct Days<'a> {
    /// Which days.
    pub calendar: Calendar,
    /// Chance.
    pub dice: &'a Dice,
    /// Where one can go.
    pub places: &'a Places,
}

impl Days<'_> {
    /// All stays of a day, in no order.
    #[must_use]
    pub fn stays(&self, people: &[Somebody], day: i64) -> Vec<Stay> {
        let mut stays = Vec::new();
        for (who, somebody) in people.iter().enumerate() {
            let visits = match outbreak::script(somebody, day) {
                Some(script) => script,
                None => self.plan(somebody, day),
            };
            let visits = outbreak::errands(somebody, day).into_iter().chain(visits);
            self.walk(who, day, visits, &mut stays);
        }
        stays
    }

    /// One visit after the other; who is late for one begins it late.
    fn walk(
        &self,
        who: usize,
        day: i64,
        visits: impl Iterator<Item = Visit>,
        stays: &mut Vec<Stay>,
    ) {
        let midnight = self.calendar.midnight(day);
        let mut free = 0;
        for visit in visits {
            let ids = self.places.ids(visit.spot);
            let chosen = visit.which.and_then(|which| ids.get(which));
            let Some(place) = chosen.or_else(|| self.dice.pick(&ids)) else {
                continue;
            };
            let at = visit.at.max(free);
            let from = midnight + at * MINUTE_MS + self.dice.between(0, 40_000);
            let end = from + visit.minutes * MINUTE_MS + self.dice.between(0, 15_000);
            let is_bus = matches!(visit.spot, Spot::Bus(_));
            let with_others = matches!(visit.spot, Spot::Restaurant | Spot::Worship | Spot::Shop);
            stays.push(Stay {
                who,
                place: *place,
                from,
                until: self.dice.chance(visit.out).then_some(end),
                seat: is_bus.then(|| self.dice.between(1, 28)),
                headcount: if with_others && self.dice.chance(120) {
                    self.dice.between(2, 4)
                } else {
                    1
                },
            });
            free = at + visit.minutes + 2;
        }
    }

    fn plan(&self, somebody: &Somebody, day: i64) -> Vec<Visit> {
        if somebody.job == Job::Nurse && self.dice.chance(250) {
            // A night ends at five, before anything of the next day begins.
            return vec![Visit::new(Spot::Hospital, 1080, 655, 800)];
        }
        let mut visits = Vec::new();
        let worked = self.work(somebody, day, &mut visits);
        // The players go nowhere else, so that the story says all there is to find about them; a
        // guest's night in the hotel reaches into the next morning.
        if somebody.part.is_none() && somebody.job != Job::Guest {
            self.leisure(somebody, day, worked, &mut visits);
        }
        visits.sort_by_key(|visit| visit.at);
        visits
    }

    /// The working day; says whether there was one.
    fn work(&self, somebody: &Somebody, day: i64, visits: &mut Vec<Visit>) -> bool {
        let weekday = self.calendar.weekday(day);
        let (free_days, present) = match somebody.job {
            Job::Home => return false,
            Job::Pupil | Job::Teacher | Job::Office(_) => (5..=6, 930),
            Job::Line(_) => (6..=6, 940),
            _ => (7..=7, 860),
        };
        if free_days.contains(&weekday) || !self.dice.chance(present) {
            return false;
        }
        let late = self.dice.between(-9, 9);
        let (start, end) = match somebody.job {
            Job::Seafood | Job::Vendor => (255 + late, 655 + late),
            Job::Line(_) => (410 + late, 995),
            Job::Pupil | Job::Teacher => (405 + late, 995 + late),
            Job::Crew(_) => (330 + late, 1110),
            _ => (450 + late, 1005 + late),
        };
        if let Some(bus) = somebody.bus {
            if start > 360 {
                visits.push(Visit::new(Spot::Bus(bus), start - 48, 38 + late / 3, 450));
            }
            visits.push(Visit::new(Spot::Bus(bus), end + 8, 38 - late / 3, 450));
        }
        self.at_work(somebody, start, end, visits);
        true
    }

    fn at_work(&self, somebody: &Somebody, start: i64, end: i64, visits: &mut Vec<Visit>) {
        let stay = |spot, out| Visit::new(spot, start, end - start, out);
        match somebody.job {
            Job::Seafood => visits.push(stay(Spot::SeafoodHall, 720)),
            Job::Vendor => visits.push(stay(Spot::Market, 640)),
            Job::Line(line) => {
                let noon = 685 + 12 * i64::from(line);
                visits.push(Visit::new(Spot::Line(line), start, noon - start, 880));
                visits.push(Visit::new(Spot::Canteen, noon + 4, 24, 700));
                visits.push(Visit::new(
                    Spot::Line(line),
                    noon + 32,
                    end - noon - 32,
                    780,
                ));
            }
            Job::Nurse => visits.push(stay(Spot::Hospital, 800)),
            Job::Teacher | Job::Pupil => visits.push(stay(Spot::School, 620)),
            Job::Office(office) if self.dice.chance(420) => {
                let noon = 690 + self.dice.between(0, 15);
                visits.push(Visit::new(Spot::Office(office), start, noon - start, 700));
                let lunch = Visit::new(Spot::Restaurant, noon + 7, 34, 620);
                visits.push(lunch.number(usize::from(office) % 4));
                visits.push(Visit::new(Spot::Office(office), 780, end - 780, 800));
            }
            Job::Office(office) => visits.push(stay(Spot::Office(office), 780)),
            Job::Shop(shop) => visits.push(stay(Spot::Shop, 700).number(shop.into())),
            Job::Cook(cook) => visits.push(stay(Spot::Restaurant, 700).number(cook.into())),
            Job::Crew(bus) => {
                visits.push(Visit::new(Spot::Bus(bus), start, 370, 900));
                visits.push(Visit::new(Spot::Bus(bus), start + 430, 340, 900));
            }
            Job::Guest => {
                visits.push(Visit::new(Spot::Restaurant, 720, 45, 500));
                visits.push(Visit::new(Spot::Lodging, 1190, 660, 650));
            }
            Job::Home => {}
        }
    }

    /// Shopping, eating, praying, the doctor, a trip by bus.
    fn leisure(&self, somebody: &Somebody, day: i64, worked: bool, visits: &mut Vec<Visit>) {
        let dice = self.dice;
        let late = dice.between(0, 70);
        let mut maybe = |per_mille, visit: Visit| {
            if dice.chance(per_mille) {
                visits.push(visit);
            }
        };
        if worked {
            maybe(
                130,
                Visit::new(Spot::Market, 1000 + late / 2, 18 + late / 4, 380),
            );
            maybe(150, Visit::new(Spot::Shop, 1060 + late, 15 + late / 3, 400));
            maybe(
                110,
                Visit::new(Spot::Restaurant, 1110 + late, 40 + late / 2, 560),
            );
            return;
        }
        maybe(
            360,
            Visit::new(Spot::Market, 330 + 3 * late, 22 + late / 3, 380),
        );
        maybe(
            90,
            Visit::new(Spot::SeafoodHall, 350 + 3 * late, 12 + late / 5, 420),
        );
        let bus = Spot::Bus(u8::try_from(dice.between(0, 3)).unwrap_or(0));
        maybe(40, Visit::new(Spot::Station, 610 + 2 * late, 12, 300));
        maybe(75, Visit::new(bus, 630 + 2 * late, 36, 430));
        maybe(35, Visit::new(Spot::Clinic, 800 + late, 50 + late, 700));
        maybe(
            210,
            Visit::new(Spot::Shop, 930 + 2 * late, 15 + late / 3, 400),
        );
        maybe(
            130,
            Visit::new(Spot::Restaurant, 1090 + late, 45 + late / 2, 560),
        );
        if self.calendar.weekday(day) == 6 && matches!(somebody.job, Job::Home | Job::Line(_)) {
            maybe(140, Visit::new(Spot::Worship, 390 + late / 3, 65, 450));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;
    use crate::{
        base::{MAX_STAY_MS, Timestamp},
        cli::demo::people::{Part, everybody},
        identity::Pseudonymizer,
        regions::Regions,
    };

    /// 2026-11-18 01:30 UTC.
    const NOW: i64 = 1_794_965_400_000;

    fn story(seed: u64) -> (Vec<Somebody>, Vec<Stay>, Places) {
        let dice = Dice::new(seed);
        let places = Places::numbered();
        let regions = Regions::load().unwrap();
        let pseudonymizer = Pseudonymizer::new(&[7; 32], 1);
        let now = Timestamp::from_ms(NOW);
        let people = everybody(&regions, &pseudonymizer, &dice, now).unwrap();
        let days = Days {
            calendar: Calendar::ending(NOW),
            dice: &dice,
            places: &places,
        };
        let stays = (0..DAYS).flat_map(|day| days.stays(&people, day)).collect();
        (people, stays, places)
    }

    #[test]
    fn a_seed_tells_the_same_story_and_nobody_is_in_two_places() {
        let (people, stays, _) = story(1);
        assert_eq!(stays, story(1).1);
        assert_ne!(stays, story(2).1);
        assert!((60_000..=100_000).contains(&stays.len()), "{}", stays.len());
        let mut last: HashMap<usize, &Stay> = HashMap::new();
        let mut ordered: Vec<&Stay> = stays.iter().collect();
        ordered.sort_by_key(|stay| (stay.who, stay.from));
        for stay in ordered {
            if let Some(before) = last.insert(stay.who, stay) {
                let left = before.until.unwrap_or(before.from);
                assert!(left < stay.from, "{before:?} {stay:?}");
            }
            let until = stay.until.unwrap_or(stay.from);
            assert!((0..=MAX_STAY_MS).contains(&(until - stay.from)), "{stay:?}");
            assert!(stay.who < people.len());
        }
        let open = stays.iter().filter(|stay| stay.until.is_none()).count();
        assert!(open * 100 / stays.len() > 15, "some check-outs are missing");
    }

    #[test]
    fn the_players_meet_where_the_story_says_and_stop_when_isolated() {
        let (people, stays, places) = story(1);
        let of = |part: Part| -> Vec<&Stay> {
            let who = people
                .iter()
                .position(|somebody| somebody.part == Some(part));
            stays
                .iter()
                .filter(|stay| stay.who == who.unwrap())
                .collect()
        };
        let minutes = |one: Part, other: Part, spot: Spot| -> i64 {
            let mut sum = 0;
            for a in of(one) {
                for b in of(other) {
                    let there = places.ids(spot).contains(&a.place) && a.place == b.place;
                    let ends = (a.until.unwrap_or(a.from), b.until.unwrap_or(b.from));
                    let both = ends.0.min(ends.1) - a.from.max(b.from);
                    if there && both > 0 {
                        sum += both / MINUTE_MS;
                    }
                }
            }
            sum
        };
        let (seller, bus) = (Part::FishSeller, Spot::Bus(2));
        assert!(minutes(seller, Part::Clerk, bus) >= 30);
        assert!(minutes(seller, Part::Teacher, bus) >= 30);
        assert!(minutes(seller, Part::Sewer, Spot::SeafoodHall) >= 50);
        for place in [Spot::Market, Spot::SeafoodHall] {
            assert_eq!(minutes(seller, Part::Clerk, place), 0);
        }
        for part in [seller, Part::Sewer, Part::Clerk, Part::Teacher] {
            for spot in [bus, Spot::Clinic, Spot::Restaurant, Spot::Lodging] {
                assert_eq!(minutes(part, Part::Traveller, spot), 0, "{part:?} {spot:?}");
            }
        }
        let calendar = Calendar::ending(NOW);
        for (part, course) in outbreak::CASES {
            let isolated = calendar.midnight(course.isolated) + 19 * 60 * MINUTE_MS;
            let last = of(part).iter().map(|stay| stay.from).max().unwrap();
            assert!(last < isolated, "{part:?}");
        }
    }

    #[test]
    fn the_calendar_ends_today_in_viet_nam() {
        // 2026-11-18 01:30 UTC is a Wednesday, 08:30 in Viet Nam.
        let now = NOW;
        let calendar = Calendar::ending(now);
        assert_eq!(calendar.midnight(DAYS - 1), now - (8 * 60 + 30) * MINUTE_MS);
        assert_eq!(calendar.weekday(DAYS - 1), 2);
        assert_eq!(calendar.weekday(0), 3);
        // 23:30 UTC is the next day there.
        let late = Calendar::ending(now + 22 * 60 * MINUTE_MS);
        assert_eq!(late.midnight(0) - calendar.midnight(0), DAY_MS);
    }
}
