//! Pictures drawn on the server as SVG.
//!
//! They carry attributes and classes only: the content policy allows no inline style, and the
//! stylesheet's classes follow light and dark. Every picture stands beside a table with the same
//! numbers. Whatever text comes from outside is escaped here, because the page puts the result in
//! as it is.

mod timeline;

use std::fmt::Write as _;

pub use timeline::{Lane, Row, Span, Words, timeline};

/// Escapes a text for SVG.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
    }
    out
}

/// Shortens a text to this many characters, with an ellipsis.
fn shorten(text: &str, characters_max: usize) -> String {
    if text.chars().count() <= characters_max {
        return text.to_owned();
    }
    let kept: String = text
        .chars()
        .take(characters_max.saturating_sub(1))
        .collect();
    format!("{}…", kept.trim_end())
}

/// The least of 1, 2, 5 times a power of ten that cuts `most` into at most five parts.
fn step(most: u64) -> u64 {
    let mut unit = 1_u64;
    loop {
        for factor in [1, 2, 5] {
            let step = unit.saturating_mul(factor);
            if most <= step.saturating_mul(5) {
                return step;
            }
        }
        unit = unit.saturating_mul(10);
    }
}

/// A bar.
#[derive(Clone, Debug)]
pub struct Bar {
    /// What stands under it.
    pub label: String,
    /// Its number; nothing where it is only known to be few.
    pub n: Option<u64>,
    /// The number in words.
    pub shown: String,
}

/// Bars, one an hour: label and number. `title` says what is counted.
#[must_use]
pub fn hours(title: &str, bars: &[(String, u64)]) -> String {
    let most = bars.iter().map(|(_, n)| *n).max();
    let bars: Vec<Bar> = bars
        .iter()
        .map(|(label, n)| Bar {
            label: label.clone(),
            n: Some(*n),
            shown: n.to_string(),
        })
        .collect();
    draw(title, &bars, 0, |bar| bar.n == most)
}

/// Bars, one a month, each with its number above it. What is only known to be few is drawn pale, as
/// high as `few`.
#[must_use]
pub fn months(title: &str, few: u64, bars: &[Bar]) -> String {
    draw(title, bars, few, |bar| bar.n != Some(0))
}

/// Bars; those that are `marked` have their number above them.
fn draw(title: &str, bars: &[Bar], few: u64, marked: impl Fn(&Bar) -> bool) -> String {
    const WIDTH: u64 = 720;
    const HEIGHT: u64 = 240;
    const LEFT: u64 = 44;
    const BOTTOM: u64 = 26;
    const TOP: u64 = 18;
    let number = |bar: &Bar| bar.n.unwrap_or(few);
    let most = bars.iter().map(number).max().unwrap_or(0).max(1);
    let step = step(most);
    let ceiling = most.div_ceil(step) * step;
    let high = HEIGHT - BOTTOM - TOP;
    let count = u64::try_from(bars.len()).unwrap_or(u64::MAX).max(1);
    let slot = (WIDTH - LEFT) / count;
    let mut svg = format!(
        r#"<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{}">"#,
        escape(title)
    );
    for line in 0..=(ceiling / step) {
        let value = line * step;
        let y = TOP + high - value * high / ceiling;
        let _ = write!(
            svg,
            r#"<path class="grid" d="M{LEFT} {y}H{WIDTH}"/><text x="{}" y="{}" text-anchor="end">{value}</text>"#,
            LEFT - 8,
            y + 4
        );
    }
    let every = count.div_ceil(12);
    for (index, bar) in (0_u64..).zip(bars) {
        // A bar alone is no wall.
        let wide = (slot - slot / 4).min(WIDTH / 8);
        let middle = LEFT + index * slot + slot / 2;
        let tall = number(bar) * high / ceiling;
        let y = TOP + high - tall;
        let (label, shown) = (escape(&bar.label), escape(&bar.shown));
        if tall > 0 {
            let class = bar.n.map_or("bar few", |_| "bar");
            let x = middle - wide / 2;
            let _ = write!(
                svg,
                r#"<rect class="{class}" x="{x}" y="{y}" width="{wide}" height="{tall}" rx="2"><title>{label}: {shown}</title></rect>"#
            );
        }
        if marked(bar) {
            let _ = write!(
                svg,
                r#"<text class="top" x="{middle}" y="{}" text-anchor="middle">{shown}</text>"#,
                y - 5
            );
        }
        if index % every == 0 {
            let _ = write!(
                svg,
                r#"<text x="{middle}" y="{}" text-anchor="middle">{label}</text>"#,
                HEIGHT - 8
            );
        }
    }
    svg.push_str("</svg>");
    svg
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_round_and_few() {
        for (most, expected) in [(1, 1), (5, 1), (6, 2), (11, 5), (26, 10), (380, 100)] {
            assert_eq!(step(most), expected, "for {most}");
        }
        assert!(step(u64::MAX) > 0);
    }

    #[test]
    fn bars_are_as_high_as_their_numbers() {
        let svg = hours(
            "by hour",
            &[("07".into(), 5), ("08".into(), 10), ("09".into(), 0)],
        );
        assert_eq!(svg.matches("<rect").count(), 2, "an empty hour has no bar");
        assert!(
            svg.contains(r#"height="196""#) && svg.contains(r#"height="98""#),
            "{svg}"
        );
    }

    #[test]
    fn a_few_are_drawn_and_not_told() {
        let bar = |n, shown: &str| Bar {
            label: "11/2026".into(),
            n,
            shown: shown.into(),
        };
        let svg = months(
            "x",
            5,
            &[bar(Some(10), "10"), bar(None, "<5"), bar(Some(0), "0")],
        );
        assert_eq!(svg.matches("<rect").count(), 2);
        assert!(
            svg.contains(r#"class="bar few""#) && svg.contains(">&lt;5</text>"),
            "{svg}"
        );
    }

    #[test]
    fn what_comes_from_outside_is_escaped() {
        let svg = hours("<script>\"&'", &[("</svg><a>".into(), 1)]);
        assert!(!svg.contains("<script>") && !svg.contains("<a>"), "{svg}");
        assert_eq!(svg.matches("</svg>").count(), 1);
        assert!(!svg.contains("style="));
    }

    #[test]
    fn an_empty_day_and_a_huge_number_draw() {
        assert!(hours("x", &[]).ends_with("</svg>"));
        let huge = hours("x", &[("0".into(), 100_000_000)]);
        assert!(huge.contains("100000000"));
    }

    #[test]
    fn names_are_cut_by_characters() {
        assert_eq!(shorten("Đỗ Thị Ổi", 9), "Đỗ Thị Ổi");
        assert_eq!(shorten("Đỗ Thị Ổi", 8), "Đỗ Thị…");
    }
}
