//! The pictures of the three steps, drawn as lines on a square of side 1.
//!
//! They say without words what the step says: people who read neither language still see a phone, a
//! code and a form.

use super::scene::{Area, Path, Point, Step};

/// Width of the lines.
const LINE: f64 = 0.06;

const fn area(x: f64, y: f64, w: f64, h: f64) -> Area {
    Area { x, y, w, h }
}

/// A phone whose camera is open: lens and shutter.
fn phone() -> Path {
    Path::frame(area(0.26, 0.06, 0.48, 0.88), 0.09, LINE)
        .and(Path::frame(area(0.37, 0.30, 0.26, 0.26), 0.13, LINE))
        .and(Path::circle((0.50, 0.43), 0.035))
        .and(Path::stroke((0.45, 0.16), (0.55, 0.16), LINE * 0.8))
        .and(Path::circle((0.50, 0.79), 0.055))
}

/// A code inside a viewfinder's four corners.
fn scan() -> Path {
    let mut path = Path::default();
    for (x, y) in [(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)] {
        let corner = |along: f64, across: f64| -> Point {
            let place = |side: f64, way: f64| if side < 0.5 { way } else { 1.0 - way };
            (place(x, along), place(y, across))
        };
        path = path
            .and(Path::stroke(corner(0.09, 0.09), corner(0.30, 0.09), LINE))
            .and(Path::stroke(corner(0.09, 0.09), corner(0.09, 0.30), LINE));
    }
    for (x, y) in [(0.25, 0.25), (0.55, 0.25), (0.25, 0.55)] {
        path = path.and(Path::frame(area(x, y, 0.20, 0.20), 0.02, LINE));
    }
    for (x, y, side) in [
        (0.55, 0.55, 0.08),
        (0.67, 0.67, 0.08),
        (0.67, 0.55, 0.04),
        (0.55, 0.67, 0.04),
    ] {
        path = path.and(Path::rect(area(x, y, side, side), 0.0));
    }
    path
}

/// A sheet with lines and a tick.
fn form() -> Path {
    Path::frame(area(0.18, 0.06, 0.64, 0.88), 0.08, LINE)
        .and(Path::stroke((0.34, 0.26), (0.66, 0.26), LINE))
        .and(Path::stroke((0.34, 0.42), (0.66, 0.42), LINE))
        .and(Path::stroke((0.34, 0.67), (0.45, 0.78), LINE * 1.3))
        .and(Path::stroke((0.45, 0.78), (0.66, 0.59), LINE * 1.3))
}

/// The picture of step 1, 2 or 3 (`index` 0 to 2), with its upper left corner at `at` and `side` mm
/// wide and high.
#[must_use]
pub fn step(index: usize, at: Point, side: f64) -> Path {
    let unit = match index {
        0 => phone(),
        1 => scan(),
        _ => form(),
    };
    let place = |(x, y): Point| (at.0 + x * side, at.1 + y * side);
    Path(
        unit.0
            .into_iter()
            .map(|step| match step {
                Step::Move(to) => Step::Move(place(to)),
                Step::Line(to) => Step::Line(place(to)),
                Step::Quad(control, to) => Step::Quad(place(control), place(to)),
                Step::Close => Step::Close,
            })
            .collect(),
    )
}
