//! When a sum of minutes reaches a threshold.
//!
//! Not per calendar day: a midnight in the middle of an evening would halve it. The sum slides, so
//! no border of any clock decides. The moment that counts is the one at which the sum *reaches* the
//! threshold, not the one at which the first stay began: whoever left before it met nobody who was
//! already infected.

use crate::exposures::interval::{Span, union};

/// From the first to the last instant at which the sum stands at or above the threshold within one
/// piece, both included: exactly 15 minutes pass, and then the two are the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Episode {
    /// First instant, ms.
    pub first: i64,
    /// Last instant, ms: the end of the piece.
    pub last: i64,
}

/// The episodes in `pieces` (a union, see [`union`]) at which at least
/// `need_ms` have been gathered within the last `span_ms`; with `None` the sum begins anew with
/// every piece.
#[must_use]
pub fn reached(pieces: &[Span], need_ms: i64, span_ms: Option<i64>) -> Vec<Episode> {
    let gathered = Gathered::new(pieces);
    pieces
        .iter()
        .filter_map(|piece| {
            let (p, q) = (piece.start(), piece.end());
            let sum = |t: i64| match span_ms {
                None => t - p,
                Some(span) => gathered.until(t) - gathered.until(t.saturating_sub(span)),
            };
            if sum(q) < need_ms {
                return None;
            }
            // The sum does not fall inside a piece, so the moments that suffice are its end part.
            let (mut low, mut high) = (p, q);
            while low < high {
                let middle = low + (high - low) / 2;
                if sum(middle) >= need_ms {
                    high = middle;
                } else {
                    low = middle + 1;
                }
            }
            Some(Episode {
                first: low,
                last: q,
            })
        })
        .collect()
}

/// When somebody infected in one of `episodes` may be infectious: from `latent_ms` after the first
/// possible infection to `infectious_ms` after the last, a union.
#[must_use]
pub fn onward(episodes: &[Episode], latent_ms: i64, infectious_ms: i64) -> Vec<Span> {
    union(
        episodes
            .iter()
            .filter_map(|episode| {
                let last = episode.last.saturating_add(latent_ms);
                Span::new(
                    episode.first.saturating_add(latent_ms),
                    last.saturating_add(infectious_ms),
                )
            })
            .collect(),
    )
}

/// The length of a union before an instant, by prefix sums.
struct Gathered<'p> {
    pieces: &'p [Span],
    before: Vec<i64>,
}

impl<'p> Gathered<'p> {
    fn new(pieces: &'p [Span]) -> Self {
        let before = pieces
            .iter()
            .scan(0, |sum, piece| {
                let before = *sum;
                *sum += piece.length();
                Some(before)
            })
            .collect();
        Self { pieces, before }
    }

    fn until(&self, t: i64) -> i64 {
        let begun = self.pieces.partition_point(|piece| piece.start() < t);
        let Some(last) = begun.checked_sub(1) else {
            return 0;
        };
        match (self.pieces.get(last), self.before.get(last)) {
            (Some(piece), Some(before)) => before + piece.end().min(t) - piece.start(),
            _ => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MINUTE: i64 = 60_000;
    const DAY: i64 = 1_440 * MINUTE;

    fn minutes(pieces: &[(i64, i64)]) -> Vec<Span> {
        union(
            pieces
                .iter()
                .map(|(start, end)| Span::new(start * MINUTE, end * MINUTE).unwrap())
                .collect(),
        )
    }

    /// Row 3 of the choices.
    #[test]
    fn exactly_15_minutes_pass_and_14_59_fail() {
        let exactly = reached(&minutes(&[(0, 15)]), 15 * MINUTE, Some(DAY));
        let at = 15 * MINUTE;
        assert_eq!(
            exactly,
            vec![Episode {
                first: at,
                last: at
            }]
        );
        let short = [Span::new(0, 15 * MINUTE - 1_000).unwrap()];
        assert_eq!(reached(&short, 15 * MINUTE, Some(DAY)), vec![]);
    }

    /// Row 4 of the choices.
    #[test]
    fn three_times_5_minutes_pass_in_24_h_and_fail_per_stay() {
        let pieces = minutes(&[(0, 5), (100, 105), (1_000, 1_005)]);
        assert_eq!(reached(&pieces, 15 * MINUTE, Some(DAY)).len(), 1);
        assert_eq!(reached(&pieces, 15 * MINUTE, None), vec![]);
    }

    /// Row 4 of the choices.
    #[test]
    fn twice_8_minutes_25_h_apart_fail() {
        let apart = minutes(&[(0, 8), (25 * 60, 25 * 60 + 8)]);
        assert_eq!(reached(&apart, 15 * MINUTE, Some(DAY)), vec![]);
        let nearer = minutes(&[(0, 8), (23 * 60, 23 * 60 + 8)]);
        assert_eq!(reached(&nearer, 15 * MINUTE, Some(DAY)).len(), 1);
    }

    /// Row 21 of the choices: the exposure is when the sum reaches the threshold.
    #[test]
    fn an_episode_begins_when_the_sum_is_there() {
        let found = reached(&minutes(&[(0, 10), (60, 90)]), 15 * MINUTE, Some(DAY));
        assert_eq!(
            found,
            vec![Episode {
                first: 65 * MINUTE,
                last: 90 * MINUTE
            }]
        );
    }

    proptest! {
        /// Its definition at every integer `t`, with spans shorter and longer than the gaps.
        #[test]
        fn is_its_definition_at_every_instant(
            pieces in prop::collection::vec((0_i64..120, 1_i64..25), 0..7),
            need in 0_i64..40,
            span in prop::option::of(1_i64..90),
        ) {
            let pieces = union(pieces.into_iter().filter_map(|(a, n)| Span::new(a, a + n)).collect());
            let found = reached(&pieces, need, span);
            for piece in &pieces {
                for t in piece.start()..=piece.end() {
                    let from = span.map_or(piece.start(), |span| t - span);
                    let sum = (from..t)
                        .filter(|ms| pieces.iter().any(|p| p.start() <= *ms && *ms < p.end()))
                        .count();
                    let there = i64::try_from(sum).unwrap() >= need;
                    let said = found.iter().any(|e| {
                        e.last == piece.end() && e.first <= t && t <= e.last
                    });
                    prop_assert_eq!(there, said, "at {} of {:?}", t, piece);
                }
            }
        }
    }
}
