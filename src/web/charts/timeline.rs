//! Who was where together with the case.
//!
//! One lane a place, each with its own time axis: on one axis over days a stay of half an hour
//! would be thinner than a line. The case is the top band of a lane. A solid band is a presence
//! that is known, a striped one an end that is only assumed.

use std::fmt::Write as _;

use super::{escape, shorten};

/// A stay, in milliseconds UTC, half-open.
#[derive(Clone, Copy, Debug)]
pub struct Span {
    /// When it begins.
    pub from: i64,
    /// When it ends.
    pub until: i64,
    /// Whether the end is assumed by rule.
    pub assumed: bool,
}

/// One person in a lane.
#[derive(Clone, Debug)]
pub struct Row {
    /// The name.
    pub name: String,
    /// The stays.
    pub spans: Vec<Span>,
}

/// One place.
#[derive(Clone, Debug)]
pub struct Lane {
    /// The checkpoint's name.
    pub place: String,
    /// The case's stays there.
    pub case: Vec<Span>,
    /// The others.
    pub rows: Vec<Row>,
}

/// The words of the picture.
#[derive(Clone, Copy, Debug)]
pub struct Words<'a> {
    /// What the picture shows.
    pub title: &'a str,
    /// Name of the case's band.
    pub case: &'a str,
}

const WIDTH: i64 = 960;
const LEFT: i64 = 190;
const ROW: i64 = 22;
const HEAD: i64 = 30;
const FOOT: i64 = 30;
/// Beyond this many rows in a lane the table serves better.
const ROWS_MAX: usize = 24;
/// Beyond this many lanes likewise.
const LANES_MAX: usize = 12;
const MINUTE: i64 = 60_000;
/// Vietnam has no summer time: local time is UTC + 7 h the whole year.
const ZONE: i64 = 7 * 60 * MINUTE;

/// The picture; nothing if there is nothing to draw.
#[must_use]
pub fn timeline(words: Words<'_>, lanes: &[Lane]) -> Option<String> {
    let mut body = String::new();
    let mut top = 0;
    for lane in lanes.iter().take(LANES_MAX) {
        top = draw_lane(&mut body, words, lane, top).unwrap_or(top);
    }
    if top == 0 {
        return None;
    }
    Some(format!(
        r#"<svg viewBox="0 0 {WIDTH} {top}" role="img" aria-label="{}"><defs><pattern id="stripes" width="7" height="7" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><path class="stripe" d="M2 0V7"/></pattern></defs>{body}</svg>"#,
        escape(words.title)
    ))
}

/// Draws one lane below `top` and returns where the next begins; nothing if the lane has no stay.
fn draw_lane(svg: &mut String, words: Words<'_>, lane: &Lane, top: i64) -> Option<i64> {
    let all = || {
        lane.case
            .iter()
            .chain(lane.rows.iter().flat_map(|row| row.spans.iter()))
    };
    let first = all().map(|span| span.from).min()?;
    let last = all().map(|span| span.until).max()?;
    // Some air at both ends, so that touching the edge means nothing.
    let pad = ((last - first) / 30).max(5 * MINUTE);
    let axis = Axis {
        from: first - pad,
        until: last + pad,
    };
    let rows = lane.rows.iter().take(ROWS_MAX);
    let bands = i64::try_from(rows.len()).unwrap_or_default() + 1;
    let bottom = top + HEAD + bands * ROW;
    let _ = write!(
        svg,
        r#"<text class="name" x="0" y="{}">{}</text>"#,
        top + 18,
        escape(&shorten(&lane.place, 90))
    );
    axis.draw(svg, top + HEAD - 4, bottom);
    draw_row(svg, axis, words.case, &lane.case, top + HEAD, true);
    for (row, y) in rows.zip((1..).map(|index| top + HEAD + index * ROW)) {
        draw_row(svg, axis, &row.name, &row.spans, y, false);
    }
    Some(bottom + FOOT)
}

fn draw_row(svg: &mut String, axis: Axis, name: &str, spans: &[Span], y: i64, case: bool) {
    let _ = write!(
        svg,
        r#"<text x="{}" y="{}" text-anchor="end">{}</text>"#,
        LEFT - 10,
        y + 14,
        escape(&shorten(name, 24))
    );
    for span in spans {
        let x = axis.x(span.from);
        let width = (axis.x(span.until) - x).max(2);
        let look = match (case, span.assumed) {
            (true, false) => r#"class="case""#,
            (true, true) => r#"class="case-guess""#,
            (false, false) => r#"class="bar""#,
            (false, true) => r#"class="guess" fill="url(#stripes)""#,
        };
        let _ = write!(
            svg,
            r#"<rect {look} x="{x}" y="{}" width="{width}" height="{}" rx="3"><title>{} {}–{}</title></rect>"#,
            y + 2,
            ROW - 5,
            escape(name),
            clock(span.from),
            clock(span.until)
        );
    }
}

/// Local `hh:mm`.
fn clock(instant: i64) -> String {
    let minutes = (instant + ZONE).div_euclid(MINUTE).rem_euclid(24 * 60);
    format!("{:02}:{:02}", minutes / 60, minutes % 60)
}

/// Local `dd/MM` for an instant, by the civil-from-days method (proleptic Gregorian calendar).
fn day(instant: i64) -> String {
    let days = (instant + ZONE).div_euclid(24 * 60 * MINUTE) + 719_468;
    let of_era = days.rem_euclid(146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let shifted = (5 * of_year + 2) / 153;
    let date = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    format!("{date:02}/{month:02}")
}

#[derive(Clone, Copy)]
struct Axis {
    from: i64,
    until: i64,
}

impl Axis {
    fn x(self, instant: i64) -> i64 {
        LEFT + (instant - self.from) * (WIDTH - LEFT) / (self.until - self.from).max(1)
    }

    /// Lines at round local times, at most nine of them.
    fn draw(self, svg: &mut String, top: i64, bottom: i64) {
        let steps = [5, 10, 15, 30, 60, 120, 240, 480, 720, 1440, 2880, 10_080];
        let span = self.until - self.from;
        let step = steps
            .into_iter()
            .map(|minutes| minutes * MINUTE)
            .find(|step| span / step <= 8)
            .unwrap_or(span / 8);
        let mut at = (self.from + ZONE).div_euclid(step) * step + step - ZONE;
        let mut shown = String::new();
        while at < self.until {
            let x = self.x(at);
            let today = day(at);
            let label = if today == shown {
                clock(at)
            } else {
                format!("{today} {}", clock(at))
            };
            shown = today;
            let _ = write!(
                svg,
                r#"<path class="grid" d="M{x} {top}V{bottom}"/><text x="{x}" y="{}" text-anchor="middle">{label}</text>"#,
                bottom + 14
            );
            at += step;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WORDS: Words<'_> = Words {
        title: "who was where",
        case: "F0",
    };

    fn span(from: i64, until: i64, assumed: bool) -> Span {
        Span {
            from: from * MINUTE,
            until: until * MINUTE,
            assumed,
        }
    }

    #[test]
    fn local_days_and_times() {
        assert_eq!((day(0).as_str(), clock(0).as_str()), ("01/01", "07:00"));
        // 2024-02-29T17:30Z is half past midnight on 1 March in Vietnam.
        assert_eq!(day(1_709_227_800_000), "01/03");
        assert_eq!(clock(1_709_227_800_000), "00:30");
        assert_eq!(day(1_709_227_800_000 - 40 * MINUTE), "29/02");
    }

    #[test]
    fn an_assumed_end_looks_different() {
        let lane = Lane {
            place: "Chợ <Mẫu>".into(),
            case: vec![span(0, 60, false)],
            rows: vec![Row {
                name: "=A & B".into(),
                spans: vec![span(30, 90, true), span(100, 110, false)],
            }],
        };
        let svg = timeline(WORDS, &[lane]).unwrap();
        assert_eq!(svg.matches(r#"class="case""#).count(), 1);
        assert_eq!(svg.matches(r#"class="guess""#).count(), 1);
        assert_eq!(svg.matches(r#"class="bar""#).count(), 1);
        assert!(svg.contains("&lt;Mẫu&gt;") && svg.contains("=A &amp; B"));
        assert!(!svg.contains("style="));
    }

    #[test]
    fn nothing_to_draw_is_no_picture() {
        assert!(timeline(WORDS, &[]).is_none());
    }

    #[test]
    fn many_people_are_cut_and_long_spans_have_few_lines() {
        let rows = (0..500)
            .map(|index| Row {
                name: format!("{index}"),
                spans: vec![span(0, 60 * 24 * 20, false)],
            })
            .collect();
        let lane = Lane {
            place: "x".into(),
            case: Vec::new(),
            rows,
        };
        let svg = timeline(WORDS, &[lane]).unwrap();
        assert_eq!(svg.matches("<rect").count(), ROWS_MAX);
        assert!(svg.matches(r#"class="grid""#).count() <= 9);
    }
}
