//! The score: an order of work, not a probability, uncalibrated and said to be so on screen.
//!
//! Every millisecond of a person's exposure counts once, at its highest value: certain before
//! possible before the air somebody left behind, times the weight of the day and of the place.
//! Integers only, so that both databases and every run give the same order.

use std::collections::BTreeMap;

use time::Date;

use crate::{
    cases::{rules, zone::Zone},
    exposures::interval::Span,
};

/// Weights of a run: the rule set's, with the zone whose days they count.
#[derive(Clone, Debug)]
pub struct Weights {
    /// Per mille, from the rule set.
    pub score: rules::Score,
    /// The zone whose midnights part the days.
    pub zone: Zone,
}

/// The day from which the weights of a source count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Anchor {
    /// The onset: days before and after it weigh differently.
    Onset(Date),
    /// Anything else: every day weighs the same.
    Flat,
}

/// How sure a piece of exposure is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// Both are known to have been there.
    Certain,
    /// One of them by an assumed end.
    Possible,
    /// In the air of somebody who had left.
    Residual,
}

/// What a span of exposure is weighed by.
#[derive(Clone, Copy, Debug)]
pub struct How {
    /// How sure it is.
    pub class: Class,
    /// The day from which the weights of days count.
    pub anchor: Anchor,
    /// Weight of the kind of place, per mille.
    pub place: u32,
    /// Weight of the source, per mille.
    pub source: u32,
    /// Whether both scanned the same checkpoint.
    pub same_checkpoint: bool,
}

/// A span of exposure and what each of its milliseconds is worth, per mille to the fourth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Worth {
    span: Span,
    value: i64,
}

impl Weights {
    /// What `span` is worth, in parts of one local day each.
    pub fn worth(&self, span: Span, how: How, into: &mut Vec<Worth>) {
        let class = match how.class {
            Class::Certain => self.score.certain,
            Class::Possible => self.score.possible,
            Class::Residual => self.score.residual,
        };
        let near = if how.same_checkpoint {
            self.score.same_checkpoint
        } else {
            1_000
        };
        let place = i64::from(how.place) * i64::from(how.source) / 1_000;
        let rest = i64::from(class) * place * i64::from(near);
        let mut part = Some(span);
        while let Some(left) = part {
            let day = self.zone.day(left.start());
            let end = left.end().min(self.zone.end_of(day)).max(left.start() + 1);
            let value = rest.saturating_mul(i64::from(self.of_day(day, how.anchor)));
            into.extend(Span::new(left.start(), end).map(|span| Worth { span, value }));
            part = Span::new(end, left.end());
        }
    }

    fn of_day(&self, day: Date, anchor: Anchor) -> u32 {
        let days = &self.score.day;
        let Anchor::Onset(onset) = anchor else {
            return days.flat;
        };
        let at = day.to_julian_day() - onset.to_julian_day() - days.first;
        match usize::try_from(at) {
            Err(_) => days.before,
            Ok(at) => days.weights.get(at).copied().unwrap_or(days.after),
        }
    }
}

/// The score of one person: milliseconds of full weight.
#[must_use]
pub fn total(worths: &[Worth]) -> i64 {
    let mut edges: Vec<(i64, i64, bool)> = worths
        .iter()
        .flat_map(|w| {
            [
                (w.span.start(), w.value, true),
                (w.span.end(), w.value, false),
            ]
        })
        .collect();
    edges.sort_unstable();
    let mut active: BTreeMap<i64, usize> = BTreeMap::new();
    let (mut sum, mut since) = (0_i128, 0);
    for (at, value, begins) in edges {
        if let Some((highest, _)) = active.last_key_value() {
            sum += i128::from(at - since) * i128::from(*highest);
        }
        since = at;
        if begins {
            *active.entry(value).or_default() += 1;
        } else if let Some(count) = active.get_mut(&value) {
            *count -= 1;
            if *count == 0 {
                active.remove(&value);
            }
        }
    }
    i64::try_from(sum / 1_000_i128.pow(4)).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::date;

    const MINUTE: i64 = 60_000;

    fn weights() -> Weights {
        let rule = rules::find(rules::DEFAULT).unwrap();
        Weights {
            score: rule.score.clone(),
            zone: rule.local(),
        }
    }

    fn score(parts: &[(i64, i64, Class)], anchor: Anchor, place: u32, near: bool) -> i64 {
        let mut worths = Vec::new();
        for (start, end, class) in parts {
            let span = Span::new(start * MINUTE, end * MINUTE).unwrap();
            let how = How {
                class: *class,
                anchor,
                place,
                source: 1_000,
                same_checkpoint: near,
            };
            weights().worth(span, how, &mut worths);
        }
        total(&worths) / MINUTE
    }

    #[test]
    fn a_millisecond_counts_once_at_its_highest_value() {
        use Class::{Certain, Possible, Residual};
        let flat = |parts: &[_]| score(parts, Anchor::Flat, 1_000, false);
        assert_eq!(flat(&[(0, 60, Certain)]), 60);
        assert_eq!(flat(&[(0, 60, Possible)]), 24);
        assert_eq!(flat(&[(0, 60, Residual)]), 12);
        assert_eq!(
            flat(&[(0, 60, Residual), (0, 40, Possible), (0, 20, Certain)]),
            20 + 8 + 4
        );
        assert_eq!(flat(&[(0, 60, Certain), (0, 60, Certain)]), 60);
        assert_eq!(flat(&[]), 0);
    }

    #[test]
    fn place_and_checkpoint_multiply() {
        let parts = [(0, 100, Class::Certain)];
        assert_eq!(score(&parts, Anchor::Flat, 300, false), 30);
        assert_eq!(score(&parts, Anchor::Flat, 1_000, true), 120);
        assert_eq!(score(&parts, Anchor::Flat, 300, true), 36);
    }

    #[test]
    fn days_count_from_the_onset_and_change_at_local_midnight() {
        // Midnight in Vietnam is 17:00 UTC: 2 hours of 1 January 1970, 2 of the next day.
        let parts = [(15 * 60, 19 * 60, Class::Certain)];
        let on = |onset| score(&parts, Anchor::Onset(onset), 1_000, false);
        // Day −1 weighs 1,000 and day 0 weighs 1,200.
        assert_eq!(on(date!(1970 - 01 - 02)), 120 + 144);
        // Days −3 (400) and before it (400).
        assert_eq!(on(date!(1970 - 01 - 05)), 48 + 48);
        // Days 3 (800) and later (600).
        assert_eq!(on(date!(1969 - 12 - 29)), 96 + 72);
        assert_eq!(score(&parts, Anchor::Flat, 1_000, false), 240);
    }
}
