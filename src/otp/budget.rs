//! How many codes a number may be sent.

use crate::base::Timestamp;

/// Milliseconds between two codes to one number: a minute.
const PAUSE_MS: i64 = 60 * 1000;

/// So many in ten minutes.
const SHORT: (usize, i64) = (3, 10 * 60 * 1000);

/// So many in 24 hours.
pub const LONG: (usize, i64) = (5, 24 * 3600 * 1000);

/// How long to wait at `now` before another code goes to a number to which codes went at `sent`, the
/// latest first; `None` when it may go at once.
#[must_use]
pub fn wait_ms(sent: &[Timestamp], now: Timestamp) -> Option<i64> {
    let until = |count: usize, span: i64| {
        let nth = sent.get(count - 1)?;
        Some(nth.as_ms() + span)
    };
    let free = [
        until(1, PAUSE_MS),
        until(SHORT.0, SHORT.1),
        until(LONG.0, LONG.1),
    ];
    let free = free.into_iter().flatten().max()?;
    Some(free - now.as_ms()).filter(|wait| *wait > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: i64 = 60 * 1000;

    fn wait(sent: &[i64], now: i64) -> Option<i64> {
        let sent: Vec<_> = sent
            .iter()
            .map(|minute| Timestamp::from_ms(minute * MINUTE))
            .collect();
        wait_ms(&sent, Timestamp::from_ms(now * MINUTE)).map(|ms| ms / MINUTE)
    }

    #[test]
    fn a_minute_three_in_ten_and_five_a_day() {
        assert_eq!(wait(&[], 0), None);
        assert_eq!(wait(&[100], 100), Some(1));
        assert_eq!(wait(&[100], 101), None);
        assert_eq!(wait(&[101, 100], 102), None);
        assert_eq!(wait(&[102, 101, 100], 103), Some(7));
        assert_eq!(wait(&[102, 101, 100], 110), None);
        assert_eq!(wait(&[40, 30, 20, 10, 0], 60), Some(24 * 60 - 60));
        assert_eq!(wait(&[40, 30, 20, 10, 0], 24 * 60), None);
    }
}
