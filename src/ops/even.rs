//! Whether the machine's clock can be trusted to delete by.
//!
//! A clock that is set a year ahead by mistake would have everything deleted and every key destroyed
//! within a minute, and setting it right brings nothing back. So what happens by itself every day is
//! done at once when it is small, as it is on every day, and otherwise only after the clock has run
//! evenly for a day: a sweep that comes a day late harms nobody.

use std::time::{Duration, Instant};

use crate::base::Timestamp;

/// How far the clock may run apart from one that nobody sets, before it was set.
const JUMP_MS: i64 = 60 * 60 * 1000;

/// How long it has to run evenly before it is believed.
const TRIAL: Duration = Duration::from_hours(24);

/// Most days that an everyday sweep destroys: one, and a long weekend on which the service was off.
pub(super) const EVERYDAY: usize = 4;

/// Compares the clock with one that cannot be set.
#[derive(Clone, Copy, Debug)]
pub(super) struct Even {
    clock: Timestamp,
    steady: Instant,
}

impl Even {
    /// Begin to watch: `clock` and `steady` show the same moment.
    pub(super) fn new(clock: Timestamp, steady: Instant) -> Self {
        Self { clock, steady }
    }

    /// Whether the clock may be believed when it says that so many `days` are past their time. To be
    /// called more often than once an hour.
    pub(super) fn believes(&mut self, clock: Timestamp, steady: Instant, days: usize) -> bool {
        let even = steady.saturating_duration_since(self.steady);
        let passed = i64::try_from(even.as_millis()).unwrap_or(i64::MAX);
        let apart = (clock.as_ms() - self.clock.as_ms()).saturating_sub(passed);
        if apart.abs() > JUMP_MS {
            *self = Self::new(clock, steady);
            return days <= EVERYDAY;
        }
        days <= EVERYDAY || even >= TRIAL
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_was_set_is_believed_after_a_day() {
        let (start, steady) = (Timestamp::from_ms(1_800_000_000_000), Instant::now());
        let hours = |n: u64| Duration::from_hours(n);
        let at = |n: i64| start.plus_ms(n * 3_600_000);
        let mut even = Even::new(start, steady);
        assert!(
            even.believes(at(1), steady + hours(1), 1),
            "an everyday sweep"
        );
        assert!(
            !even.believes(at(1), steady + hours(1), 30),
            "not at the start"
        );
        assert!(even.believes(at(24), steady + hours(24), 30));
        let year = 365 * 24;
        assert!(
            !even.believes(at(year), steady + hours(24), 30),
            "it was set"
        );
        assert!(!even.believes(at(year + 23), steady + hours(47), 30));
        assert!(
            !even.believes(at(48), steady + hours(48), 30),
            "and set back"
        );
        assert!(even.believes(at(72), steady + hours(72), 30));
    }
}
