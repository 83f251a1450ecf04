//! The infectious window of a case: dates in, `[from, until)` out, with the reason in words.
//!
//! Rules speak of whole local days, so the window runs from the midnight that begins the first day
//! to the one that ends the last. It is turned into UTC once, here, and stored: a rule set that
//! changes later does not move the window of a case that was already worked on.

use time::{Date, Duration, macros::format_description};

use super::{
    rules::{Around, End, RuleSet},
    zone::Zone,
};

/// What is known of a case's course. Days are local days of the rule set's zone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Course {
    /// First day with symptoms.
    pub onset_on: Option<Date>,
    /// Day of the positive sample.
    pub sampled_on: Option<Date>,
    /// Day the case was confirmed; the anchor where the other two are unknown.
    pub confirmed_on: Option<Date>,
    /// When the person was isolated.
    pub isolated_at: Option<Isolated>,
    /// Day of a test that ends the window; it counts through that day's end.
    pub negative_on: Option<Date>,
}

/// When a person was isolated, as exactly as it is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Isolated {
    /// At an instant, ms UTC.
    At(i64),
    /// On a day, which counts to its end.
    On(Date),
}

/// The date a window stands on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Anchor {
    /// First symptoms.
    Onset(Date),
    /// Positive sample.
    Sample(Date),
    /// Confirmation, for want of the other two.
    Confirmation(Date),
}

impl Anchor {
    /// The day itself.
    #[must_use]
    pub const fn day(self) -> Date {
        match self {
            Self::Onset(day) | Self::Sample(day) | Self::Confirmation(day) => day,
        }
    }

    /// Whether the days of the score are counted from it.
    #[must_use]
    pub const fn is_onset(self) -> bool {
        matches!(self, Self::Onset(_))
    }
}

/// The infectious window of one case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Window {
    /// First instant, ms UTC.
    pub from: i64,
    /// First instant after it, ms UTC; `None` while nothing has ended it.
    pub until: Option<i64>,
    /// Id of the rule set.
    pub rule: String,
    /// Its version.
    pub rule_version: u32,
    /// The day it was counted from.
    pub anchor: Anchor,
    /// Why it begins and ends when it does.
    pub because: Because,
}

/// A reason in both languages of the pages. Holds dates and static words only.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Because {
    /// Vietnamese.
    pub vi: String,
    /// English.
    pub en: String,
}

/// Why no window follows from the dates given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WindowError {
    /// Neither onset nor sample nor confirmation.
    #[error("a case needs the day of onset, sample or confirmation")]
    NoAnchor,
    /// A date that has not come yet.
    #[error("the date lies in the future")]
    Future(Field),
    /// A date so far off that no window can be counted from it.
    #[error("the date is out of range")]
    OutOfRange(Field),
    /// The window would end before it begins.
    #[error("the infectious period would end before it begins")]
    Empty(Field),
}

/// A date of a case, to say which one is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// `onset_on`
    Onset,
    /// `sampled_on`
    Sampled,
    /// `confirmed_on`
    Confirmed,
    /// `isolated_at`
    Isolated,
    /// `negative_on`
    Negative,
}

impl Field {
    /// The name of the field in requests.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Onset => "onset_on",
            Self::Sampled => "sampled_on",
            Self::Confirmed => "confirmed_on",
            Self::Isolated => "isolated_at",
            Self::Negative => "negative_on",
        }
    }
}

/// The infectious window that `rule` gives for `course`, seen from `now_ms` (ms UTC).
///
/// # Errors
///
/// When there is no date to count from, a date lies in the future, or the end would not lie after
/// the beginning.
pub fn infectious(course: &Course, rule: &RuleSet, now_ms: i64) -> Result<Window, WindowError> {
    infectious_in(&rule.local(), course, rule, now_ms)
}

fn infectious_in(
    zone: &Zone,
    course: &Course,
    rule: &RuleSet,
    now_ms: i64,
) -> Result<Window, WindowError> {
    refuse_future(zone, course, now_ms)?;
    let (anchor, around, field) = anchor(course, rule)?;
    let first = anchor
        .day()
        .checked_sub(Duration::days(i64::from(around.days_before)))
        .filter(|day| day.year() >= 1970)
        .ok_or(WindowError::OutOfRange(field))?;
    let from = zone.midnight(first);
    let end = earliest_end(zone, course, rule, anchor, around);
    if let Some(end) = &end
        && end.at <= from
    {
        return Err(WindowError::Empty(end.field));
    }
    Ok(Window {
        from,
        until: end.as_ref().map(|end| end.at),
        rule: rule.id.clone(),
        rule_version: rule.version,
        anchor,
        because: because(rule, anchor, around, end.as_ref()),
    })
}

fn refuse_future(zone: &Zone, course: &Course, now_ms: i64) -> Result<(), WindowError> {
    let today = zone.day(now_ms);
    let isolated_on = match course.isolated_at {
        Some(Isolated::On(day)) => Some(day),
        Some(Isolated::At(at)) if at > now_ms => return Err(WindowError::Future(Field::Isolated)),
        _ => None,
    };
    [
        (course.onset_on, Field::Onset),
        (course.sampled_on, Field::Sampled),
        (course.confirmed_on, Field::Confirmed),
        (isolated_on, Field::Isolated),
        (course.negative_on, Field::Negative),
    ]
    .into_iter()
    .find(|(day, _)| day.is_some_and(|day| day > today))
    .map_or(Ok(()), |(_, field)| Err(WindowError::Future(field)))
}

fn anchor<'r>(
    course: &Course,
    rule: &'r RuleSet,
) -> Result<(Anchor, &'r Around, Field), WindowError> {
    let asymptomatic = &rule.window.asymptomatic;
    if let Some(day) = course.onset_on {
        Ok((Anchor::Onset(day), &rule.window.symptomatic, Field::Onset))
    } else if let Some(day) = course.sampled_on {
        Ok((Anchor::Sample(day), asymptomatic, Field::Sampled))
    } else if let Some(day) = course.confirmed_on {
        Ok((Anchor::Confirmation(day), asymptomatic, Field::Confirmed))
    } else {
        Err(WindowError::NoAnchor)
    }
}

/// The end of a window and what brought it about.
struct Ended {
    at: i64,
    field: Field,
    vi: String,
    en: String,
}

fn earliest_end(
    zone: &Zone,
    course: &Course,
    rule: &RuleSet,
    anchor: Anchor,
    around: &Around,
) -> Option<Ended> {
    let ends = &rule.window.ends;
    let mut known = Vec::new();
    if let Some(days) = around.days_after {
        let day = anchor.day().saturating_add(Duration::days(i64::from(days)));
        known.push(Ended {
            at: zone.end_of(day),
            field: Field::Onset,
            vi: format!("đến hết ngày {} ({days} ngày sau)", vi_day(day)),
            en: format!("through {day} ({days} days after)"),
        });
    }
    if let Some(isolated) = course
        .isolated_at
        .filter(|_| ends.contains(&End::Isolation))
    {
        let (at, vi, en) = match isolated {
            Isolated::At(at) => {
                let (day, clock) = (zone.day(at), local_clock(zone, at));
                let vi = format!("đến khi cách ly lúc {clock} ngày {}", vi_day(day));
                (at, vi, format!("until isolation at {clock} on {day}"))
            }
            Isolated::On(day) => {
                let vi = format!("đến hết ngày cách ly {}", vi_day(day));
                let en = format!("through the day of isolation, {day}");
                (zone.end_of(day), vi, en)
            }
        };
        known.push(Ended {
            at,
            field: Field::Isolated,
            vi,
            en,
        });
    }
    let by_test = ends.contains(&End::NegativeTest) || ends.contains(&End::CtAbove30);
    if let Some(day) = course.negative_on.filter(|_| by_test) {
        known.push(Ended {
            at: zone.end_of(day),
            field: Field::Negative,
            vi: format!("đến hết ngày xét nghiệm âm tính {}", vi_day(day)),
            en: format!("through the day of the negative test, {day}"),
        });
    }
    known.into_iter().min_by_key(|end| end.at)
}

fn because(rule: &RuleSet, anchor: Anchor, around: &Around, end: Option<&Ended>) -> Because {
    let (vi, en) = match anchor {
        Anchor::Onset(_) => ("khởi phát", "onset"),
        Anchor::Sample(_) => ("lấy mẫu", "the sample"),
        Anchor::Confirmation(_) => ("xác định ca bệnh", "confirmation"),
    };
    let (day, before) = (anchor.day(), around.days_before);
    let (end_vi, end_en) = end.map_or(("chưa kết thúc", "not ended yet"), |end| {
        (end.vi.as_str(), end.en.as_str())
    });
    Because {
        vi: format!(
            "Từ {before} ngày trước ngày {vi} {}, {end_vi} ({}, bản {}).",
            vi_day(day),
            rule.id,
            rule.version
        ),
        en: format!(
            "From {before} days before {en} on {day}, {end_en} ({}, version {}).",
            rule.id, rule.version
        ),
    }
}

/// Read a day as it is stored and sent, `2021-12-29`.
#[must_use]
pub fn parse_day(text: &str) -> Option<Date> {
    Date::parse(text.trim(), format_description!("[year]-[month]-[day]")).ok()
}

/// A day as it is written in Vietnam, `29/12/2021`.
fn vi_day(day: Date) -> String {
    format!("{}/{}/{}", day.day(), u8::from(day.month()), day.year())
}

/// Hours and minutes of an instant on the clocks of `zone`.
fn local_clock(zone: &Zone, at_ms: i64) -> String {
    let minute = (at_ms + zone.offset_s(at_ms) * 1_000).div_euclid(60_000);
    let minute = minute.rem_euclid(1_440);
    format!("{:02}:{:02}", minute / 60, minute % 60)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cases::rules::find;
    use time::{
        OffsetDateTime,
        macros::{date, datetime},
    };

    fn ms(at: OffsetDateTime) -> i64 {
        i64::try_from(at.unix_timestamp_nanos() / 1_000_000).unwrap()
    }

    fn now() -> i64 {
        ms(datetime!(2026-11-21 08:00 UTC))
    }

    fn window(rule: &str, course: &Course) -> Result<Window, WindowError> {
        infectious(course, find(rule).unwrap(), now())
    }

    fn bounds(rule: &str, course: &Course) -> (OffsetDateTime, Option<OffsetDateTime>) {
        let utc = |at: i64| OffsetDateTime::from_unix_timestamp_nanos(i128::from(at) * 1_000_000);
        let window = window(rule, course).unwrap();
        (
            utc(window.from).unwrap(),
            window.until.map(|until| utc(until).unwrap()),
        )
    }

    #[test]
    fn two_whole_days_before_the_onset_open_until_something_ends_it() {
        let course = Course {
            onset_on: Some(date!(2026 - 11 - 15)),
            sampled_on: Some(date!(2026 - 11 - 17)),
            confirmed_on: Some(date!(2026 - 11 - 18)),
            ..Course::default()
        };
        assert_eq!(
            bounds("vn-11042", &course),
            (datetime!(2026-11-12 17:00 UTC), None)
        );
        assert_eq!(
            bounds("vn-3638", &course),
            (datetime!(2026-11-11 17:00 UTC), None)
        );
    }

    #[test]
    fn no_onset_sample_date_then_confirmation() {
        let sampled = Course {
            sampled_on: Some(date!(2026 - 11 - 17)),
            confirmed_on: Some(date!(2026 - 11 - 18)),
            ..Course::default()
        };
        assert_eq!(
            bounds("vn-11042", &sampled).0,
            datetime!(2026-11-14 17:00 UTC)
        );
        assert_eq!(
            bounds("cautious", &sampled).0,
            datetime!(2026-11-02 17:00 UTC)
        );
        let confirmed = Course {
            confirmed_on: Some(date!(2026 - 11 - 18)),
            ..Course::default()
        };
        let found = window("vn-11042", &confirmed).unwrap();
        assert_eq!(found.from, ms(datetime!(2026-11-15 17:00 UTC)));
        assert_eq!(found.anchor, Anchor::Confirmation(date!(2026 - 11 - 18)));
        assert_eq!(
            window("vn-11042", &Course::default()),
            Err(WindowError::NoAnchor)
        );
    }

    #[test]
    fn isolated_the_same_day_ends_at_that_instant_or_with_the_day() {
        let mut course = Course {
            onset_on: Some(date!(2026 - 11 - 15)),
            isolated_at: Some(Isolated::At(ms(datetime!(2026-11-15 03:30 UTC)))),
            ..Course::default()
        };
        assert_eq!(
            bounds("vn-11042", &course).1,
            Some(datetime!(2026-11-15 03:30 UTC))
        );
        course.isolated_at = Some(Isolated::On(date!(2026 - 11 - 15)));
        assert_eq!(
            bounds("vn-11042", &course).1,
            Some(datetime!(2026-11-15 17:00 UTC))
        );
        // Isolated today: the day's end has not come, and is still the end.
        course.isolated_at = Some(Isolated::On(date!(2026 - 11 - 21)));
        assert_eq!(
            bounds("vn-11042", &course).1,
            Some(datetime!(2026-11-21 17:00 UTC))
        );
    }

    #[test]
    fn the_earliest_end_that_the_rule_set_knows_counts() {
        let course = Course {
            onset_on: Some(date!(2026 - 11 - 10)),
            isolated_at: Some(Isolated::On(date!(2026 - 11 - 16))),
            negative_on: Some(date!(2026 - 11 - 14)),
            ..Course::default()
        };
        assert_eq!(
            bounds("vn-11042", &course).1,
            Some(datetime!(2026-11-14 17:00 UTC))
        );
        // Isolation only.
        assert_eq!(
            bounds("vn-3638", &course).1,
            Some(datetime!(2026-11-16 17:00 UTC))
        );
        // 13 days after the onset, were it not isolated before.
        assert_eq!(
            bounds("who-2021", &course).1,
            Some(datetime!(2026-11-16 17:00 UTC))
        );
        let free = Course {
            isolated_at: None,
            ..course
        };
        assert_eq!(
            bounds("who-2021", &free).1,
            Some(datetime!(2026-11-23 17:00 UTC))
        );
    }

    #[test]
    fn over_the_ends_of_months_and_years() {
        let at = |onset| {
            bounds(
                "cautious",
                &Course {
                    onset_on: Some(onset),
                    ..Course::default()
                },
            )
            .0
        };
        assert_eq!(at(date!(2026 - 01 - 01)), datetime!(2025-12-28 17:00 UTC));
        assert_eq!(at(date!(2024 - 03 - 02)), datetime!(2024-02-27 17:00 UTC));
        assert_eq!(at(date!(2025 - 03 - 02)), datetime!(2025-02-26 17:00 UTC));
    }

    /// Central European time in 2026: forward on 29 March, back on 25 October.
    #[test]
    fn a_23_h_and_a_25_h_day() {
        let zone = Zone::with_changes(
            3_600,
            vec![
                (ms(datetime!(2026-03-29 01:00 UTC)), 7_200),
                (ms(datetime!(2026-10-25 01:00 UTC)), 3_600),
            ],
        );
        let hours = |onset: Date| {
            let course = Course {
                onset_on: Some(onset),
                isolated_at: Some(Isolated::On(onset)),
                ..Course::default()
            };
            let found = infectious_in(&zone, &course, find("vn-11042").unwrap(), now()).unwrap();
            (found.until.unwrap() - found.from) / 3_600_000
        };
        assert_eq!(hours(date!(2026 - 03 - 28)), 72);
        assert_eq!(hours(date!(2026 - 03 - 30)), 71);
        assert_eq!(hours(date!(2026 - 10 - 26)), 73);
        assert_eq!(hours(date!(2026 - 10 - 28)), 72);
    }

    #[test]
    fn dates_in_the_future_are_refused_by_the_local_day() {
        // 16:59 UTC on the 21st is still the 21st in Vietnam, 17:00 is the 22nd.
        let course = Course {
            onset_on: Some(date!(2026 - 11 - 22)),
            ..Course::default()
        };
        let rule = find("vn-11042").unwrap();
        assert_eq!(
            infectious(&course, rule, ms(datetime!(2026-11-21 16:59 UTC))),
            Err(WindowError::Future(Field::Onset))
        );
        assert!(infectious(&course, rule, ms(datetime!(2026-11-21 17:00 UTC))).is_ok());
        let isolated = Course {
            confirmed_on: Some(date!(2026 - 11 - 20)),
            isolated_at: Some(Isolated::At(now() + 1)),
            ..Course::default()
        };
        assert_eq!(
            window("vn-11042", &isolated),
            Err(WindowError::Future(Field::Isolated))
        );
        let negative = Course {
            isolated_at: None,
            negative_on: Some(date!(2026 - 11 - 22)),
            ..isolated
        };
        assert_eq!(
            window("vn-11042", &negative),
            Err(WindowError::Future(Field::Negative))
        );
    }

    #[test]
    fn an_end_before_the_beginning_is_refused() {
        let course = Course {
            onset_on: Some(date!(2026 - 11 - 15)),
            negative_on: Some(date!(2026 - 11 - 12)),
            ..Course::default()
        };
        assert_eq!(
            window("vn-11042", &course),
            Err(WindowError::Empty(Field::Negative))
        );
        // The end of the 13th lies after the beginning of the 13th.
        let course = Course {
            negative_on: Some(date!(2026 - 11 - 13)),
            ..course
        };
        assert!(window("vn-11042", &course).is_ok());
    }

    #[test]
    fn a_date_that_nothing_can_be_counted_from_is_refused() {
        let course = Course {
            onset_on: Some(Date::MIN),
            ..Course::default()
        };
        assert_eq!(
            window("vn-11042", &course),
            Err(WindowError::OutOfRange(Field::Onset))
        );
    }

    #[test]
    fn the_reason_names_dates_and_the_rule() {
        let course = Course {
            onset_on: Some(date!(2026 - 11 - 15)),
            isolated_at: Some(Isolated::At(ms(datetime!(2026-11-15 03:30 UTC)))),
            ..Course::default()
        };
        let because = window("vn-11042", &course).unwrap().because;
        assert_eq!(
            because.vi,
            "Từ 2 ngày trước ngày khởi phát 15/11/2026, đến khi cách ly lúc 10:30 ngày 15/11/2026 \
             (vn-11042, bản 1)."
        );
        assert_eq!(
            because.en,
            "From 2 days before onset on 2026-11-15, until isolation at 10:30 on 2026-11-15 \
             (vn-11042, version 1)."
        );
    }
}
