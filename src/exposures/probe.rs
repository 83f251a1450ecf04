//! Probes: the merged presence of an infectious person at a site, with the air left behind.
//!
//! Pieces are merged before the air is added, so that splitting a stay in two changes nothing. Only
//! the infectious person's end is prolonged: air outlasts the person and never precedes them.

use crate::exposures::{
    interval::{Span, union},
    stay::{Piece, Presence},
};

/// One probe of one site.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Probe {
    /// Index of the [`Source`](super::scene::Source) it belongs to.
    pub source: usize,
    /// The site.
    pub site: i64,
    /// When the infectious person may have been there.
    pub core: Span,
    /// End of the air, ms: `core.end()` where there is none.
    pub air_end: i64,
    /// Whether the presence is a point: it proves a meeting and adds no minutes.
    pub point: bool,
    /// The checkpoints that the person scanned for it, in order.
    pub scanned: Vec<i64>,
}

impl Probe {
    /// All of the time in which somebody else may have been exposed.
    #[must_use]
    pub fn reach(&self) -> Span {
        Span::new(self.core.start(), self.air_end).unwrap_or(self.core)
    }
}

/// The probes of one source at one site.
///
/// `stays` are the checkpoint and presence of its stays there, `windows` the union of time in which
/// it counts as infectious, and `air_ms` the longest time the air keeps.
#[must_use]
pub fn probes(
    source: usize,
    site: i64,
    stays: &[(i64, Presence)],
    windows: &[Span],
    air_ms: i64,
) -> Vec<Probe> {
    let cut = |piece: Piece| {
        windows
            .iter()
            .filter_map(move |window| piece.span.meet(*window))
    };
    let (points, pieces): (Vec<_>, Vec<_>) = stays
        .iter()
        .flat_map(|(checkpoint, presence)| {
            let maybe = presence.maybe;
            cut(maybe).map(move |span| (*checkpoint, span, maybe.point))
        })
        .partition(|(_, _, point)| *point);
    let merged = union(pieces.iter().map(|(_, span, _)| *span).collect());
    // A point inside a piece proves nothing that the piece does not.
    let lone = union(points.iter().map(|(_, span, _)| *span).collect())
        .into_iter()
        .filter(|point| !merged.iter().any(|piece| piece.holds(*point)));
    let scanned = |span: Span| {
        let mut codes: Vec<i64> = pieces
            .iter()
            .chain(&points)
            .filter(|(_, part, _)| part.meet(span).is_some())
            .map(|(checkpoint, ..)| *checkpoint)
            .collect();
        codes.sort_unstable();
        codes.dedup();
        codes
    };
    let probe = |core: Span, air: i64, point: bool| Probe {
        source,
        site,
        core,
        air_end: core.end().saturating_add(air),
        point,
        scanned: scanned(core),
    };
    merged
        .iter()
        .map(|core| probe(*core, core.length().min(air_ms), false))
        .chain(lone.map(|core| probe(core, 0, true)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exposures::stay::tests::{HOUR, stay};

    const MINUTE: i64 = 60_000;

    fn found(stays: &[(i64, Option<i64>)], window: (i64, i64), air: i64) -> Vec<(i64, i64, i64)> {
        let stays: Vec<_> = stays
            .iter()
            .map(|(from, until)| {
                let until = until.map(|until| until * MINUTE);
                (1, stay(1, 1, from * MINUTE, until).presence(&HOUR))
            })
            .collect();
        let window = Span::new(window.0 * MINUTE, window.1 * MINUTE).unwrap();
        probes(0, 1, &stays, &[window], air * MINUTE)
            .iter()
            .map(|p| {
                (
                    p.core.start() / MINUTE,
                    p.core.end() / MINUTE,
                    p.air_end / MINUTE,
                )
            })
            .collect()
    }

    #[test]
    fn cut_to_the_window_and_then_prolonged() {
        assert_eq!(found(&[(0, Some(100))], (20, 60), 30), vec![(20, 60, 90)]);
        // No longer than the presence itself.
        assert_eq!(found(&[(0, Some(10))], (0, 60), 30), vec![(0, 10, 20)]);
        assert_eq!(found(&[(0, None)], (0, 600), 30), vec![(0, 60, 90)]);
        assert_eq!(found(&[(0, Some(10))], (10, 60), 30), vec![]);
    }

    /// Row 7 and 14 of the choices: a stay in two rows gives the probe of one.
    #[test]
    fn a_split_stay_changes_nothing() {
        assert_eq!(
            found(&[(0, Some(10)), (10, Some(40))], (0, 600), 30),
            found(&[(0, Some(40))], (0, 600), 30)
        );
    }

    #[test]
    fn a_point_leaves_no_air_and_is_kept_apart() {
        let stays = [(1, stay(1, 1, 7, Some(7)).presence(&HOUR))];
        let window = Span::new(0, 100).unwrap();
        let alone = probes(0, 1, &stays, &[window], 30);
        assert_eq!(alone.len(), 1);
        assert!(alone[0].point);
        assert_eq!(alone[0].reach(), Span::point(7));
        let within = [stays[0], (2, stay(1, 1, 5, Some(9)).presence(&HOUR))];
        let both = probes(0, 1, &within, &[window], 0);
        assert_eq!(both.len(), 1);
        assert!(!both[0].point);
        assert_eq!(both[0].scanned, vec![1, 2]);
    }
}
