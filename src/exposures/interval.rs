//! Half-open spans of integer milliseconds.
//!
//! `[start, end)`: two spans that only touch have nothing in common, which is why a visitor who
//! leaves in the very millisecond another one enters has not met them.

use crate::base::MAX_STAY_MS;

/// A span `[start, end)` of milliseconds, never empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    start: i64,
    end: i64,
}

impl Span {
    /// The span `[start, end)`; `None` when it would hold no millisecond.
    #[must_use]
    pub const fn new(start: i64, end: i64) -> Option<Self> {
        if start < end {
            Some(Self { start, end })
        } else {
            None
        }
    }

    /// The one millisecond at `at`: how a point takes part in the same overlap test.
    #[must_use]
    pub const fn point(at: i64) -> Self {
        Self {
            start: at,
            end: at.saturating_add(1),
        }
    }

    /// First millisecond.
    #[must_use]
    pub const fn start(self) -> i64 {
        self.start
    }

    /// First millisecond after it.
    #[must_use]
    pub const fn end(self) -> i64 {
        self.end
    }

    /// Milliseconds in it, at least 1.
    #[must_use]
    pub const fn length(self) -> i64 {
        self.end.saturating_sub(self.start)
    }

    /// What it has in common with `other`.
    #[must_use]
    pub fn meet(self, other: Self) -> Option<Self> {
        Self::new(self.start.max(other.start), self.end.min(other.end))
    }

    /// Whether all of `other` lies in it.
    #[must_use]
    pub const fn holds(self, other: Self) -> bool {
        self.start <= other.start && other.end <= self.end
    }

    /// Longer by `ms` at both ends.
    #[must_use]
    pub const fn grown(self, ms: i64) -> Self {
        Self {
            start: self.start.saturating_sub(ms),
            end: self.end.saturating_add(ms),
        }
    }

    /// Shorter by `ms` at both ends; `None` when nothing is left.
    #[must_use]
    pub const fn shrunk(self, ms: i64) -> Option<Self> {
        Self::new(self.start.saturating_add(ms), self.end.saturating_sub(ms))
    }

    /// The longest span a stay that begins at `at` may fill.
    #[must_use]
    pub const fn longest_stay(at: i64) -> Self {
        Self {
            start: at,
            end: at.saturating_add(MAX_STAY_MS),
        }
    }
}

/// The union of spans: disjoint, in order, touching ones joined.
#[must_use]
pub fn union(mut spans: Vec<Span>) -> Vec<Span> {
    spans.sort_unstable();
    let mut joined: Vec<Span> = Vec::with_capacity(spans.len());
    for span in spans {
        match joined.last_mut() {
            Some(last) if span.start <= last.end => last.end = last.end.max(span.end),
            _ => joined.push(span),
        }
    }
    joined
}

/// What two unions (see [`union`]) have in common, again a union.
#[must_use]
pub fn common(a: &[Span], b: &[Span]) -> Vec<Span> {
    let (mut a, mut b) = (a.iter().peekable(), b.iter().peekable());
    let mut both = Vec::new();
    while let (Some(&&x), Some(&&y)) = (a.peek(), b.peek()) {
        both.extend(x.meet(y));
        if x.end < y.end {
            a.next();
        } else {
            b.next();
        }
    }
    both
}

/// Milliseconds in a union (see [`union`]).
#[must_use]
pub fn length(union: &[Span]) -> i64 {
    union.iter().map(|span| span.length()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    fn span(start: i64, end: i64) -> Span {
        Span::new(start, end).unwrap()
    }

    #[test]
    fn touching_spans_do_not_meet_and_do_join() {
        assert_eq!(span(0, 5).meet(span(5, 9)), None);
        assert_eq!(span(0, 6).meet(span(5, 9)), Some(span(5, 6)));
        assert_eq!(union(vec![span(5, 9), span(0, 5)]), vec![span(0, 9)]);
        assert_eq!(union(vec![span(6, 9), span(0, 5)]).len(), 2);
        assert_eq!(Span::new(3, 3), None);
        assert_eq!(Span::point(3).length(), 1);
    }

    fn spans() -> impl Strategy<Value = Vec<Span>> {
        prop::collection::vec((0_i64..40, 1_i64..12), 0..8)
            .prop_map(|all| all.into_iter().map(|(at, ms)| span(at, at + ms)).collect())
    }

    fn set(spans: &[Span]) -> BTreeSet<i64> {
        spans.iter().flat_map(|s| s.start..s.end).collect()
    }

    proptest! {
        #[test]
        fn unions_and_common_parts_are_those_of_sets(a in spans(), b in spans()) {
            let (x, y) = (union(a.clone()), union(b.clone()));
            prop_assert_eq!(set(&x), set(&a));
            prop_assert!(x.windows(2).all(|w| w[0].end < w[1].start));
            prop_assert_eq!(usize::try_from(length(&x)).unwrap(), set(&a).len());
            let both = common(&x, &y);
            prop_assert!(both.windows(2).all(|w| w[0].end < w[1].start));
            prop_assert_eq!(set(&both), set(&a).intersection(&set(&b)).copied().collect());
        }
    }
}
