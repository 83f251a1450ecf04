//! By when a request is answered.

use time::{Duration, Weekday};

use super::Kind;
use crate::{
    base::{Timestamp, time::VIETNAM},
    config::Deadlines,
};

/// The end of the day in Vietnam, `days` after the day of `from`.
#[must_use]
pub fn after_days(from: Timestamp, days: u16) -> Timestamp {
    let day = from.at(VIETNAM).date();
    end_of(day.saturating_add(Duration::days(i64::from(days))))
}

/// The end of the day in Vietnam, `days` working days after the day of `from`: Monday to Friday.
/// Public holidays count as working days here, which is the stricter reading and needs no calendar.
#[must_use]
pub fn after_working_days(from: Timestamp, days: u16) -> Timestamp {
    let mut day = from.at(VIETNAM).date();
    let mut left = days;
    while left > 0 {
        day = day.saturating_add(Duration::DAY);
        if !matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday) {
            left -= 1;
        }
    }
    end_of(day)
}

/// The first moment after a day in Vietnam.
fn end_of(day: time::Date) -> Timestamp {
    let next = day.saturating_add(Duration::DAY).midnight();
    Timestamp::from_ms(next.assume_offset(VIETNAM).unix_timestamp() * 1000)
}

/// The days for a request of this kind.
#[must_use]
pub const fn days(deadlines: Deadlines, kind: Kind) -> u16 {
    match kind {
        Kind::Access | Kind::Correct => deadlines.access_days,
        Kind::Withdraw | Kind::Other => deadlines.withdraw_days,
        Kind::Erase => deadlines.erase_days,
    }
}

/// Days by which a request may be put off, once (NĐ 356/2025/NĐ-CP).
pub const EXTENSION_DAYS: u16 = 15;

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    #[test]
    fn days_end_at_midnight_in_vietnam() {
        // A Wednesday, 08:30 in Vietnam.
        let wednesday = at("2026-11-18T01:30:00Z");
        assert_eq!(after_days(wednesday, 10), at("2026-11-28T17:00:00Z"));
        assert_eq!(after_working_days(wednesday, 2), at("2026-11-20T17:00:00Z"));
        // 23:30 in UTC is the next day in Vietnam.
        assert_eq!(
            after_days(at("2026-11-18T23:30:00Z"), 0),
            at("2026-11-19T17:00:00Z")
        );
    }

    #[test]
    fn a_weekend_is_passed_over() {
        let friday = at("2026-11-20T09:00:00Z");
        assert_eq!(after_working_days(friday, 1), at("2026-11-23T17:00:00Z"));
        assert_eq!(after_working_days(friday, 2), at("2026-11-24T17:00:00Z"));
        let saturday = at("2026-11-21T09:00:00Z");
        assert_eq!(after_working_days(saturday, 1), at("2026-11-23T17:00:00Z"));
    }
}
