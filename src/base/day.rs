//! [`Day`]: a UTC day, the unit of keys, partitions and retention.

use crate::base::Timestamp;

/// Milliseconds in a day.
pub const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// A UTC day, counted from 1970-01-01.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(i32);

impl Day {
    /// The day number `n`, where 1970-01-01 is 0.
    #[must_use]
    pub const fn from_number(n: i32) -> Self {
        Self(n)
    }

    /// The day in which `ms` (milliseconds since the epoch) falls.
    #[must_use]
    pub fn of_ms(ms: i64) -> Self {
        Self(i32::try_from(ms.div_euclid(DAY_MS)).unwrap_or(i32::MAX))
    }

    /// The day in which `at` falls.
    #[must_use]
    pub fn of(at: Timestamp) -> Self {
        Self::of_ms(at.as_ms())
    }

    /// Read `yyyy-mm-dd`; `None` if it is no day.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let format = ::time::macros::format_description!("[year]-[month]-[day]");
        let date = ::time::Date::parse(text, format).ok()?;
        Some(Self::of_ms(
            date.midnight().assume_utc().unix_timestamp() * 1000,
        ))
    }

    /// Days since 1970-01-01.
    #[must_use]
    pub const fn number(self) -> i32 {
        self.0
    }

    /// The first millisecond of the day.
    #[must_use]
    pub fn start_ms(self) -> i64 {
        i64::from(self.0) * DAY_MS
    }

    /// The day `days` later (or earlier).
    #[must_use]
    pub const fn plus(self, days: i32) -> Self {
        Self(self.0.saturating_add(days))
    }

    /// `yyyymmdd`, as partitions are named.
    #[must_use]
    pub fn compact(self) -> String {
        let d = Timestamp::from_ms(self.start_ms()).at(::time::UtcOffset::UTC);
        format!("{:04}{:02}{:02}", d.year(), u8::from(d.month()), d.day())
    }
}

impl std::fmt::Display for Day {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let d = Timestamp::from_ms(self.start_ms()).at(::time::UtcOffset::UTC);
        write!(
            f,
            "{:04}-{:02}-{:02}",
            d.year(),
            u8::from(d.month()),
            d.day()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_from_the_epoch() {
        assert_eq!(Day::of_ms(0).number(), 0);
        assert_eq!(Day::of_ms(-1).number(), -1);
        assert_eq!(Day::of_ms(1_700_000_000_000).to_string(), "2023-11-14");
        assert_eq!(Day::from_number(20_000).compact(), "20241004");
        assert_eq!(Day::parse("2024-10-04"), Some(Day::from_number(20_000)));
        assert_eq!(Day::parse("2024-10-4"), None);
    }
}
