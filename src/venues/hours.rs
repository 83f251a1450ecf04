//! Opening hours: a weekly schedule in Vietnamese time.
//!
//! Viet Nam has one time zone without summer time, so a week is 10,080 minutes and a schedule is a
//! handful of spans in it. Holidays are deliberately absent: the schedule bounds assumed stays and
//! flags visits outside it, and neither is worth a calendar.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::base::{FieldError, Timestamp, day::DAY_MS, time::VIETNAM};

/// Minutes in a day.
const DAY: u16 = 24 * 60;

/// Minutes in a week.
const WEEK: u16 = 7 * DAY;

/// Milliseconds in a minute.
const MINUTE_MS: i64 = 60_000;

/// Spans that a day may have: mornings, afternoons, evenings and one to spare.
const MAX_SPANS_PER_DAY: usize = 4;

/// Opening hours as they are sent and stored: `{"mon":[["07:00","11:30"],["13:00","18:30"]]}`.
///
/// A day that is left out is closed. Times are `HH:MM` in Vietnamese time; the end may be `24:00`,
/// and an end at or before the start is on the next day: `["22:00","02:00"]`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Week {
    /// Monday.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub mon: Vec<[String; 2]>,
    /// Tuesday.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tue: Vec<[String; 2]>,
    /// Wednesday.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub wed: Vec<[String; 2]>,
    /// Thursday.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub thu: Vec<[String; 2]>,
    /// Friday.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub fri: Vec<[String; 2]>,
    /// Saturday.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sat: Vec<[String; 2]>,
    /// Sunday.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sun: Vec<[String; 2]>,
}

impl Week {
    fn days(&self) -> [(&'static str, &Vec<[String; 2]>); 7] {
        [
            ("mon", &self.mon),
            ("tue", &self.tue),
            ("wed", &self.wed),
            ("thu", &self.thu),
            ("fri", &self.fri),
            ("sat", &self.sat),
            ("sun", &self.sun),
        ]
    }

    fn day_mut(&mut self, day: u16) -> &mut Vec<[String; 2]> {
        match day {
            0 => &mut self.mon,
            1 => &mut self.tue,
            2 => &mut self.wed,
            3 => &mut self.thu,
            4 => &mut self.fri,
            5 => &mut self.sat,
            _ => &mut self.sun,
        }
    }
}

/// `[start, end)` in minutes after Monday 00:00; only `end` may lie beyond the week.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Span {
    start: u16,
    end: u16,
}

/// A weekly schedule that holds together: spans in order, none over another.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct OpeningHours(Arc<[Span]>);

impl OpeningHours {
    /// Open at all times.
    #[must_use]
    pub fn always() -> Self {
        let span = |day: u16| Span {
            start: day * DAY,
            end: (day + 1) * DAY,
        };
        Self((0..7).map(span).collect())
    }

    /// Read a week; every day with a mistake is named.
    ///
    /// # Errors
    ///
    /// Fields `mon` to `sun`, for a time that is none, for more than four spans a day and for spans
    /// that overlap.
    pub fn parse(week: &Week) -> Result<Self, Vec<FieldError>> {
        let mut errors = Vec::new();
        let mut spans: Vec<Span> = Vec::new();
        for (day, (name, pairs)) in (0..).zip(week.days()) {
            if pairs.len() > MAX_SPANS_PER_DAY {
                errors.push(FieldError::new(
                    name,
                    "too_many",
                    "Mỗi ngày tối đa bốn khoảng giờ mở cửa.",
                    "At most four spans a day.",
                ));
                continue;
            }
            let read: Option<Vec<Span>> = pairs.iter().map(|pair| span(day, pair)).collect();
            match read {
                Some(read) => spans.extend(read),
                None => errors.push(FieldError::new(
                    name,
                    "not_a_time",
                    "Giờ mở cửa viết dạng [\"07:00\",\"18:30\"].",
                    "Write opening hours as [\"07:00\",\"18:30\"].",
                )),
            }
        }
        spans.sort_unstable();
        if let Some(over) = overlap(&spans) {
            let name = week.days().into_iter().nth(usize::from(over.start / DAY));
            errors.push(FieldError::new(
                name.map_or("mon", |(name, _)| name),
                "overlap",
                "Các khoảng giờ mở cửa chồng lên nhau.",
                "Spans of opening hours overlap.",
            ));
        }
        if errors.is_empty() {
            Ok(Self(spans.into()))
        } else {
            Err(errors)
        }
    }

    /// Read what [`Self::to_json`] wrote; `None` if it is not that.
    #[must_use]
    pub fn from_json(text: &str) -> Option<Self> {
        Self::parse(&serde_json::from_str(text).ok()?).ok()
    }

    /// As it is stored and sent.
    #[must_use]
    pub fn week(&self) -> Week {
        let mut week = Week::default();
        for span in self.0.iter() {
            let day = span.start / DAY;
            let end = span.end - day * DAY;
            let end = if end > DAY { end - DAY } else { end };
            week.day_mut(day)
                .push([clock(span.start - day * DAY), clock(end)]);
        }
        week
    }

    /// [`Self::week`] as JSON text.
    #[must_use]
    pub fn to_json(&self) -> String {
        // A struct of lists of strings always serialises.
        serde_json::to_string(&self.week()).unwrap_or_default()
    }

    /// Whether it is open at `at`.
    #[must_use]
    pub fn is_open(&self, at: Timestamp) -> bool {
        let minute = minute_of_week(at);
        self.0
            .iter()
            .any(|span| span.holds(minute) || span.holds(minute + WEEK))
    }

    /// The first closing time after `at`: the end of the opening that holds `at`, or of the next one
    /// for a visit outside the hours. `None` when it never opens or never closes.
    #[must_use]
    pub fn closes_after(&self, at: Timestamp) -> Option<Timestamp> {
        let now = minute_of_week(at);
        // Closing times are ends at which no other span goes on.
        let minutes = self
            .0
            .iter()
            .map(|span| span.end % WEEK)
            .filter(|&end| !self.0.iter().any(|span| span.start == end))
            .map(|end| {
                if end > now {
                    end - now
                } else {
                    end + WEEK - now
                }
            })
            .min()?;
        let local = at.as_ms() + local_offset_ms();
        let this_minute = local.div_euclid(MINUTE_MS) * MINUTE_MS - local_offset_ms();
        Some(Timestamp::from_ms(
            this_minute + i64::from(minutes) * MINUTE_MS,
        ))
    }
}

impl Serialize for OpeningHours {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.week().serialize(serializer)
    }
}

impl Span {
    const fn holds(self, minute: u16) -> bool {
        self.start <= minute && minute < self.end
    }
}

fn local_offset_ms() -> i64 {
    i64::from(VIETNAM.whole_seconds()) * 1000
}

fn minute_of_week(at: Timestamp) -> u16 {
    let local = at.as_ms() + local_offset_ms();
    // 1970-01-01 was a Thursday, the fourth day.
    let day = (local.div_euclid(DAY_MS) + 3).rem_euclid(7);
    let minute = local.rem_euclid(DAY_MS) / MINUTE_MS;
    u16::try_from(day * i64::from(DAY) + minute).unwrap_or(0)
}

fn span(day: u16, [from, to]: &[String; 2]) -> Option<Span> {
    let (from, to) = (minutes(from)?, minutes(to)?);
    let end = if to <= from { to + DAY } else { to };
    (from < DAY).then_some(Span {
        start: day * DAY + from,
        end: day * DAY + end,
    })
}

/// Minutes after midnight of `HH:MM`, up to `24:00`.
fn minutes(text: &str) -> Option<u16> {
    let (hours, minutes) = text.split_once(':')?;
    let two = |part: &str| {
        (part.len() == 2 && part.bytes().all(|b| b.is_ascii_digit()))
            .then(|| part.parse::<u16>().ok())
            .flatten()
    };
    let (hours, minutes) = (two(hours)?, two(minutes)?);
    (minutes < 60 && hours * 60 + minutes <= DAY).then_some(hours * 60 + minutes)
}

fn clock(minutes: u16) -> String {
    format!("{:02}:{:02}", minutes / 60, minutes % 60)
}

/// The first span of a sorted list that begins inside the one before it, around the week's end too.
fn overlap(spans: &[Span]) -> Option<Span> {
    let inside = spans.windows(2).find_map(|pair| match pair {
        [a, b] if b.start < a.end => Some(*b),
        _ => None,
    });
    let around = || match (spans.first(), spans.last()) {
        (Some(first), Some(last)) if last.end > first.start + WEEK => Some(*first),
        _ => None,
    };
    inside.or_else(around)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hours(json: &str) -> OpeningHours {
        OpeningHours::from_json(json).unwrap()
    }

    fn local(text: &str) -> Timestamp {
        Timestamp::parse(&format!("{text}+07:00")).unwrap()
    }

    #[test]
    fn opens_and_closes_in_vietnamese_time() {
        // 2026-11-16 is a Monday.
        let shop = hours(r#"{"mon":[["07:00","11:30"],["13:00","18:30"]]}"#);
        assert!(!shop.is_open(local("2026-11-16T06:59:59")));
        assert!(shop.is_open(local("2026-11-16T07:00:00")));
        assert!(!shop.is_open(local("2026-11-16T11:30:00")));
        assert!(!shop.is_open(local("2026-11-17T08:00:00")));
        let closes = |at| shop.closes_after(local(at)).unwrap().rfc3339();
        assert_eq!(closes("2026-11-16T10:00:31"), "2026-11-16T04:30:00.000Z");
        assert_eq!(closes("2026-11-16T11:30:00"), "2026-11-16T11:30:00.000Z");
        assert_eq!(closes("2026-11-16T19:00:00"), "2026-11-23T04:30:00.000Z");
    }

    #[test]
    fn nights_reach_into_the_next_day_and_week() {
        let bar = hours(r#"{"sun":[["22:00","02:00"]]}"#);
        assert!(bar.is_open(local("2026-11-15T23:00:00")));
        assert!(bar.is_open(local("2026-11-16T01:59:00")));
        assert!(!bar.is_open(local("2026-11-16T02:00:00")));
        let closes = bar.closes_after(local("2026-11-15T23:00:00")).unwrap();
        assert_eq!(closes, local("2026-11-16T02:00:00"));
    }

    #[test]
    fn what_never_closes_has_no_closing_time() {
        let always = OpeningHours::always();
        assert_eq!(always.closes_after(local("2026-11-16T02:00:00")), None);
        assert!(always.is_open(local("2026-11-15T23:59:59")));
        assert_eq!(hours(&always.to_json()), always);
        assert_eq!(hours("{}").closes_after(local("2026-11-16T02:00:00")), None);
        let weekdays = hours(r#"{"mon":[["00:00","24:00"]],"tue":[["00:00","12:00"]]}"#);
        assert_eq!(
            weekdays.closes_after(local("2026-11-16T08:00:00")),
            Some(local("2026-11-17T12:00:00"))
        );
    }

    #[test]
    fn what_is_sent_is_what_is_stored() {
        let text =
            r#"{"mon":[["07:00","18:30"]],"sat":[["00:00","24:00"]],"sun":[["22:00","02:00"]]}"#;
        assert_eq!(hours(text).to_json(), text);
    }

    #[test]
    fn mistakes_are_named_by_day() {
        let fields = |json: &str| {
            let week: Week = serde_json::from_str(json).unwrap();
            let errors = OpeningHours::parse(&week).unwrap_err();
            errors
                .into_iter()
                .map(|e| (e.field.into_owned(), e.code))
                .collect::<Vec<_>>()
        };
        let one = |day: &str, code| vec![(day.to_owned(), code)];
        assert_eq!(
            fields(r#"{"mon":[["7:00","18:30"]]}"#),
            one("mon", "not_a_time")
        );
        assert_eq!(
            fields(r#"{"tue":[["24:00","02:00"]]}"#),
            one("tue", "not_a_time")
        );
        assert_eq!(
            fields(r#"{"tue":[["08:00","24:01"]]}"#),
            one("tue", "not_a_time")
        );
        assert_eq!(
            fields(r#"{"wed":[["07:00","12:00"],["11:00","13:00"]]}"#),
            one("wed", "overlap")
        );
        assert_eq!(
            fields(r#"{"mon":[["01:00","05:00"]],"sun":[["22:00","02:00"]]}"#),
            one("mon", "overlap")
        );
        assert!(serde_json::from_str::<Week>(r#"{"monday":[]}"#).is_err());
    }
}
