//! Local days of an office, turned into UTC.
//!
//! Rules speak of whole local days, the store of UTC milliseconds. Vietnam has had one offset since
//! 1975, so the shipped zone is that constant; the table form exists because a day is not always
//! 24 hours elsewhere, and arithmetic that takes it for granted breaks on the first such day.

use time::{Date, Duration};

const MS_PER_S: i64 = 1_000;

/// Offsets from UTC, in order of time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Zone {
    /// Seconds east of UTC before the first change.
    first_s: i64,
    /// `(instant in ms UTC, seconds east of UTC from then on)`, ascending.
    changes: Vec<(i64, i64)>,
}

impl Zone {
    /// The zone of a rule set, by its IANA name; `None` when this program does not know it.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        (name == "Asia/Ho_Chi_Minh").then(|| Self::fixed(7 * 3_600))
    }

    /// A zone that never changes, `offset_s` seconds east of UTC.
    #[must_use]
    pub const fn fixed(offset_s: i64) -> Self {
        Self {
            first_s: offset_s,
            changes: Vec::new(),
        }
    }

    /// A zone with changes: `(instant in ms UTC, seconds east of UTC from then on)`.
    #[must_use]
    pub fn with_changes(first_s: i64, mut changes: Vec<(i64, i64)>) -> Self {
        changes.sort_unstable();
        Self { first_s, changes }
    }

    /// Seconds east of UTC at an instant (ms UTC).
    #[must_use]
    pub fn offset_s(&self, at_ms: i64) -> i64 {
        self.changes
            .iter()
            .take_while(|(from, _)| *from <= at_ms)
            .last()
            .map_or(self.first_s, |(_, offset)| *offset)
    }

    /// The local day of an instant (ms UTC); the last day that exists for one beyond all days.
    #[must_use]
    pub fn day(&self, at_ms: i64) -> Date {
        let local_ms = at_ms.saturating_add(self.offset_s(at_ms) * MS_PER_S);
        let days = local_ms.div_euclid(86_400_000);
        Date::from_julian_day(i32::try_from(days + UNIX_EPOCH_JULIAN_DAY).unwrap_or(i32::MAX))
            .unwrap_or(if days < 0 { Date::MIN } else { Date::MAX })
    }

    /// The instant (ms UTC) at which a local day begins: its midnight, the earlier one when the
    /// clock shows midnight twice, the first instant of the day when it shows none.
    #[must_use]
    pub fn midnight(&self, day: Date) -> i64 {
        let local_ms = (i64::from(day.to_julian_day()) - UNIX_EPOCH_JULIAN_DAY) * 86_400_000;
        let at = |offset: i64| local_ms - offset * MS_PER_S;
        let mut from = i64::MIN;
        let mut offset = self.first_s;
        for (change, next) in &self.changes {
            if at(offset) < *change {
                break;
            }
            (from, offset) = (*change, *next);
        }
        at(offset).max(from)
    }

    /// The instant (ms UTC) at which a local day ends, which is no longer part of it.
    #[must_use]
    pub fn end_of(&self, day: Date) -> i64 {
        self.midnight(day.saturating_add(Duration::DAY))
    }
}

/// The Julian day number of 1970-01-01.
const UNIX_EPOCH_JULIAN_DAY: i64 = 2_440_588;

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::{date, datetime};

    fn ms(at: time::OffsetDateTime) -> i64 {
        i64::try_from(at.unix_timestamp_nanos() / 1_000_000).unwrap()
    }

    #[test]
    fn a_day_in_vietnam_begins_at_seventeen_utc() {
        let zone = Zone::named("Asia/Ho_Chi_Minh").unwrap();
        assert_eq!(
            zone.midnight(date!(2026 - 01 - 01)),
            ms(datetime!(2025-12-31 17:00 UTC))
        );
        assert_eq!(
            zone.end_of(date!(2024 - 02 - 28)),
            ms(datetime!(2024-02-28 17:00 UTC))
        );
        assert_eq!(
            zone.day(ms(datetime!(2025-12-31 16:59:59.999 UTC))),
            date!(2025 - 12 - 31)
        );
        assert_eq!(
            zone.day(ms(datetime!(2025-12-31 17:00 UTC))),
            date!(2026 - 01 - 01)
        );
        assert_eq!(Zone::named("Europe/Berlin"), None);
    }

    /// Central European time in 2026: forward on 29 March, back on 25 October, both at 01:00 UTC.
    #[test]
    fn a_day_may_have_23_or_25_hours() {
        let zone = Zone::with_changes(
            3_600,
            vec![
                (ms(datetime!(2026-03-29 01:00 UTC)), 7_200),
                (ms(datetime!(2026-10-25 01:00 UTC)), 3_600),
            ],
        );
        let hours = |day| (zone.end_of(day) - zone.midnight(day)) / 3_600_000;
        assert_eq!(hours(date!(2026 - 03 - 28)), 24);
        assert_eq!(hours(date!(2026 - 03 - 29)), 23);
        assert_eq!(hours(date!(2026 - 10 - 25)), 25);
        assert_eq!(hours(date!(2026 - 10 - 26)), 24);
    }

    /// Some zones change at midnight itself: then a day begins at 01:00, or has midnight twice.
    #[test]
    fn a_midnight_may_be_missing_or_come_twice() {
        let zone = Zone::with_changes(
            -3 * 3_600,
            vec![
                (ms(datetime!(2018-11-04 03:00 UTC)), -2 * 3_600),
                (ms(datetime!(2019-02-17 02:00 UTC)), -3 * 3_600),
            ],
        );
        assert_eq!(
            zone.midnight(date!(2018 - 11 - 04)),
            ms(datetime!(2018-11-04 03:00 UTC))
        );
        assert_eq!(
            zone.midnight(date!(2018 - 11 - 05)),
            ms(datetime!(2018-11-05 02:00 UTC))
        );
        assert_eq!(
            zone.midnight(date!(2019 - 02 - 17)),
            ms(datetime!(2019-02-17 03:00 UTC))
        );
    }
}
