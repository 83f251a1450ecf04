//! A check-in as the search reads it, and the time that it makes sure or only possible.
//!
//! A stay whose end nobody saw is the common case. One number for it would either drop people or
//! invent minutes, so there are two: what is *sure* (both are known to be there) and what *may be*
//! (with an end assumed by rule). `sure` is always part of `maybe`.

use uuid::Uuid;

use crate::{base::MAX_STAY_MS, exposures::interval::Span};

/// A keyed pseudonym: who, without saying who.
pub type Person = [u8; 16];

/// One check-in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stay {
    /// The checkpoint that was scanned.
    pub checkpoint: i64,
    /// The space it leads to.
    pub site: i64,
    /// The check-in.
    pub id: Uuid,
    /// Who.
    pub person: Person,
    /// Arrival, ms UTC.
    pub entered_at: i64,
    /// End, ms UTC, if one is stored.
    pub left_at: Option<i64>,
    /// Whether somebody saw the end: the visitor, staff or an imported list.
    pub observed: bool,
    /// Whether it is a shift of the staff, which never gets an assumed length.
    pub shift: bool,
    /// Clock tolerance of the way it arrived, ms.
    pub tolerance_ms: i64,
    /// People it stands for, at least 1.
    pub headcount: i64,
    /// The declaration it belongs to; people of one group share it.
    pub declaration: Option<Uuid>,
}

/// What else may end a stay whose end nobody saw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The stay assumed at this checkpoint, ms.
    pub stay_ms: i64,
    /// Closing time after the arrival, ms UTC.
    pub closes_at: Option<i64>,
    /// The person's next check-in at another site, ms UTC.
    pub next_at: Option<i64>,
}

/// Time at a site; a point proves presence and adds no minutes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Piece {
    /// When. A point is one millisecond wide, more where the clock was uncertain.
    pub span: Span,
    /// Whether it is a point.
    pub point: bool,
}

/// The two intervals of a stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Presence {
    /// Time the person is known to have been there, beyond the instant of arrival.
    pub sure: Option<Span>,
    /// Time the person may have been there.
    pub maybe: Piece,
    /// Whether the end is assumed by rule.
    pub assumed: bool,
}

impl Stay {
    /// Whether the end of this stay has to be assumed.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        self.left_at.is_none() || !self.observed
    }

    /// The two intervals of this stay.
    #[must_use]
    pub fn presence(&self, limits: &Limits) -> Presence {
        let assumed = self.is_open();
        let end = if assumed {
            self.assumed_end(limits)
        } else {
            self.left_at.unwrap_or(self.entered_at)
        };
        let end = end.min(self.entered_at.saturating_add(MAX_STAY_MS));
        let Some(stay) = Span::new(self.entered_at, end) else {
            return Presence {
                sure: None,
                maybe: Piece {
                    span: Span::point(self.entered_at).grown(self.tolerance_ms),
                    point: true,
                },
                assumed,
            };
        };
        Presence {
            sure: if assumed {
                None
            } else {
                stay.shrunk(self.tolerance_ms)
            },
            maybe: Piece {
                span: stay.grown(self.tolerance_ms),
                point: false,
            },
            assumed,
        }
    }

    fn assumed_end(&self, limits: &Limits) -> i64 {
        let by_rule = if self.shift {
            self.entered_at
        } else {
            self.entered_at.saturating_add(limits.stay_ms)
        };
        [limits.closes_at, limits.next_at]
            .into_iter()
            .flatten()
            .filter(|at| *at >= self.entered_at)
            .fold(self.left_at.unwrap_or(by_rule), i64::min)
    }

    /// The earliest of this person's later check-ins at another site, ms UTC. `later` gives the site
    /// and arrival of each. One in the very same millisecond does not count: nobody knows which of
    /// the two is wrong, and both are kept.
    pub fn next_elsewhere(&self, later: impl IntoIterator<Item = (i64, i64)>) -> Option<i64> {
        later
            .into_iter()
            .filter(|(site, at)| *site != self.site && *at > self.entered_at)
            .map(|(_, at)| at)
            .min()
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    const MINUTE: i64 = 60_000;

    pub(in crate::exposures) fn stay(person: u8, site: i64, from: i64, until: Option<i64>) -> Stay {
        Stay {
            checkpoint: site,
            site,
            id: Uuid::from_u128((u128::try_from(from).unwrap() << 80) | u128::from(person)),
            person: [person; 16],
            entered_at: from,
            left_at: until,
            observed: until.is_some(),
            shift: false,
            tolerance_ms: 0,
            headcount: 1,
            declaration: None,
        }
    }

    pub(in crate::exposures) const HOUR: Limits = Limits {
        stay_ms: 60 * MINUTE,
        closes_at: None,
        next_at: None,
    };

    fn maybe(stay: &Stay, limits: &Limits) -> (i64, i64, bool) {
        let piece = stay.presence(limits).maybe;
        (
            piece.span.start() / MINUTE,
            piece.span.end() / MINUTE,
            piece.point,
        )
    }

    #[test]
    fn an_observed_end_makes_both_intervals_the_same() {
        let found = stay(1, 1, 0, Some(30 * MINUTE)).presence(&HOUR);
        assert_eq!(found.sure, Span::new(0, 30 * MINUTE));
        assert_eq!(found.sure, Some(found.maybe.span));
        assert!(!found.assumed && !found.maybe.point);
    }

    /// Row 2 of the choices.
    #[test]
    fn a_zero_stay_is_a_point() {
        let found = stay(1, 1, 7, Some(7)).presence(&HOUR);
        assert_eq!((found.sure, found.maybe.point), (None, true));
        assert_eq!(found.maybe.span, Span::point(7));
    }

    /// Row 6 of the choices.
    #[test]
    fn an_open_check_in_is_cut_by_the_next_one_elsewhere() {
        let open = stay(1, 1, 0, None);
        let later = [(1, 5 * MINUTE), (2, 20 * MINUTE), (3, 30 * MINUTE)];
        let limits = Limits {
            next_at: open.next_elsewhere(later),
            ..HOUR
        };
        assert_eq!(maybe(&open, &limits), (0, 20, false));
        assert_eq!(open.presence(&limits).sure, None);
        assert_eq!(open.next_elsewhere([(1, 5 * MINUTE), (2, 0)]), None);
    }

    #[test]
    fn an_assumed_end_is_the_least_of_all_rules() {
        let mut open = stay(1, 1, 10 * MINUTE, None);
        assert_eq!(maybe(&open, &HOUR), (10, 70, false));
        let closing = Limits {
            closes_at: Some(40 * MINUTE),
            ..HOUR
        };
        assert_eq!(maybe(&open, &closing), (10, 40, false));
        // Stored by a rule and not seen by anybody.
        open.left_at = Some(25 * MINUTE);
        assert_eq!(maybe(&open, &closing), (10, 25, false));
        assert!(open.presence(&closing).assumed);
        let long = Limits {
            stay_ms: 3 * MAX_STAY_MS,
            ..HOUR
        };
        open.left_at = None;
        assert_eq!(maybe(&open, &long), (10, 10 + 1_440, false));
    }

    /// Row 7 of the choices: nothing longer than 24 h gets through.
    #[test]
    fn an_observed_stay_is_clamped() {
        let found = stay(1, 1, 0, Some(MAX_STAY_MS + 5)).presence(&HOUR);
        assert_eq!(found.maybe.span.end(), MAX_STAY_MS);
    }

    /// Row 12 of the choices.
    #[test]
    fn a_shift_without_an_end_is_a_point() {
        let shift = Stay {
            shift: true,
            ..stay(1, 1, 0, None)
        };
        assert!(shift.presence(&HOUR).maybe.point);
    }

    /// Row 15 of the choices.
    #[test]
    fn an_uncertain_clock_shrinks_what_is_sure_and_grows_what_may_be() {
        let mut late = stay(1, 1, 60 * MINUTE, Some(90 * MINUTE));
        late.tolerance_ms = 5 * MINUTE;
        let found = late.presence(&HOUR);
        assert_eq!(found.sure, Span::new(65 * MINUTE, 85 * MINUTE));
        assert_eq!(maybe(&late, &HOUR), (55, 95, false));
        late.left_at = Some(68 * MINUTE);
        assert_eq!(late.presence(&HOUR).sure, None);
        late.left_at = Some(late.entered_at);
        assert!(late.presence(&HOUR).maybe.point);
    }
}
