//! One drawing for all three outputs: what the layout decides is drawn as PDF, SVG and PNG from the
//! same list, so the three cannot differ.
//!
//! All lengths are in mm, the origin is the top left corner, y goes down. Shapes are only ever
//! filled, by the non-zero rule: a line is a thin shape, so no output needs to know about strokes.

use super::{font::Run, qr::Matrix};

/// A point: x to the right and y down, in mm.
pub type Point = (f64, f64);

/// A box, in mm.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Area {
    /// Left edge.
    pub x: f64,
    /// Upper edge.
    pub y: f64,
    /// Width.
    pub w: f64,
    /// Height.
    pub h: f64,
}

impl Area {
    /// The left part of it, `share` of its width.
    #[must_use]
    pub fn left(self, share: f64) -> Self {
        Self {
            w: self.w * share,
            ..self
        }
    }

    /// The right part of it, `share` of its width.
    #[must_use]
    pub fn right(self, share: f64) -> Self {
        Self {
            x: self.x + self.w * (1.0 - share),
            w: self.w * share,
            ..self
        }
    }

    /// A band of it that starts at `from` and is `height` high, in shares of its height.
    #[must_use]
    pub fn band(self, from: f64, height: f64) -> Self {
        Self {
            y: self.y + self.h * from,
            h: self.h * height,
            ..self
        }
    }
}

/// sRGB.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Color(pub [u8; 3]);

/// One step of a path.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Step {
    /// Starts a ring.
    Move(Point),
    /// A straight line.
    Line(Point),
    /// A quadratic Bézier curve: control point, end.
    Quad(Point, Point),
    /// Back to the ring's start.
    Close,
}

/// Closed rings, filled by the non-zero rule.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Path(pub Vec<Step>);

/// One thing on the sheet; later ones lie above earlier ones.
#[derive(Clone, Debug, PartialEq)]
pub enum Item {
    /// A filled shape.
    Shape {
        /// Its outline.
        path: Path,
        /// Its colour.
        color: Color,
    },
    /// A line of text.
    Text {
        /// Its glyphs.
        run: Run,
        /// Left end of the baseline.
        at: Point,
        /// Size of the em, in mm.
        size: f64,
        /// Its colour.
        color: Color,
    },
    /// The QR code, black.
    Qr {
        /// Its modules.
        matrix: Matrix,
        /// Top left corner of the first module, without the quiet zone.
        at: Point,
        /// Side of a module.
        module: f64,
    },
}

/// A finished sheet.
#[derive(Clone, Debug, PartialEq)]
pub struct Scene {
    /// Width in mm.
    pub width: f64,
    /// Height in mm.
    pub height: f64,
    /// What is on it.
    pub items: Vec<Item>,
}

impl Path {
    /// Starts a ring.
    pub fn move_to(&mut self, to: Point) {
        self.0.push(Step::Move(to));
    }

    /// A straight line.
    pub fn line_to(&mut self, to: Point) {
        self.0.push(Step::Line(to));
    }

    /// A quadratic curve.
    pub fn quad_to(&mut self, control: Point, to: Point) {
        self.0.push(Step::Quad(control, to));
    }

    /// Ends a ring.
    pub fn close(&mut self) {
        self.0.push(Step::Close);
    }

    /// A ring of straight lines.
    #[must_use]
    pub fn polygon(points: &[Point]) -> Self {
        let mut path = Self::default();
        for (at, point) in points.iter().enumerate() {
            if at == 0 {
                path.move_to(*point);
            } else {
                path.line_to(*point);
            }
        }
        path.close();
        path
    }

    /// A rectangle whose corners are rounded with `radius`; 0 gives sharp ones.
    #[must_use]
    pub fn rect(area: Area, radius: f64) -> Self {
        let (left, top, right, bottom) = (area.x, area.y, area.x + area.w, area.y + area.h);
        if radius <= 0.0 {
            return Self::polygon(&[(left, top), (right, top), (right, bottom), (left, bottom)]);
        }
        let mut path = Self::default();
        path.move_to((left + radius, top));
        path.line_to((right - radius, top));
        path.corner((right - radius, top + radius), radius, 270.0);
        path.line_to((right, bottom - radius));
        path.corner((right - radius, bottom - radius), radius, 0.0);
        path.line_to((left + radius, bottom));
        path.corner((left + radius, bottom - radius), radius, 90.0);
        path.line_to((left, top + radius));
        path.corner((left + radius, top + radius), radius, 180.0);
        path.close();
        path
    }

    /// A full circle.
    #[must_use]
    pub fn circle(center: Point, radius: f64) -> Self {
        let around = Area {
            x: center.0 - radius,
            y: center.1 - radius,
            w: 2.0 * radius,
            h: 2.0 * radius,
        };
        Self::rect(around, radius)
    }

    /// The outline of a rounded rectangle, a line of width `line` that lies inside it.
    #[must_use]
    pub fn frame(area: Area, radius: f64, line: f64) -> Self {
        let inside = Area {
            x: area.x + line,
            y: area.y + line,
            w: area.w - 2.0 * line,
            h: area.h - 2.0 * line,
        };
        let mut path = Self::rect(area, radius);
        let hole = Self::rect(inside, (radius - line).max(0.0)).reversed();
        path.0.extend(hole.0);
        path
    }

    /// The dark modules of a QR code, a ring for each horizontal run.
    #[must_use]
    pub fn modules(matrix: &Matrix, at: Point, module: f64) -> Self {
        let mut path = Self::default();
        for bar in matrix.bars() {
            let area = Area {
                x: at.0 + f64::from(bar.x) * module,
                y: at.1 + f64::from(bar.y) * module,
                w: f64::from(bar.length) * module,
                h: module,
            };
            path = path.and(Self::rect(area, 0.0));
        }
        path
    }

    /// A straight line of width `line` with round ends.
    #[must_use]
    pub fn stroke(from: Point, to: Point, line: f64) -> Self {
        let r = line / 2.0;
        let angle = (to.1 - from.1).atan2(to.0 - from.0).to_degrees();
        let mut path = Self::default();
        path.move_to(on_circle(from, r, angle + 90.0));
        path.corner(from, r, angle + 90.0);
        path.corner(from, r, angle + 180.0);
        path.line_to(on_circle(to, r, angle - 90.0));
        path.corner(to, r, angle - 90.0);
        path.corner(to, r, angle);
        path.close();
        path
    }

    /// Adds another path's rings to this one.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self
    }

    /// A quarter of a circle, clockwise on the sheet, in three quadratic curves (off by less than
    /// 0.01 % of the radius).
    fn corner(&mut self, center: Point, r: f64, from_degrees: f64) {
        for third in 0..3 {
            let start = from_degrees + 30.0 * f64::from(third);
            let reach = r / 15f64.to_radians().cos();
            self.quad_to(
                on_circle(center, reach, start + 15.0),
                on_circle(center, r, start + 30.0),
            );
        }
    }

    /// The same single ring in the other direction: a hole, by the non-zero rule.
    fn reversed(&self) -> Self {
        let mut path = Self::default();
        let mut steps = self.0.iter().rev().filter(|step| **step != Step::Close);
        let mut pending = None;
        if let Some(last) = steps.next() {
            path.move_to(end(*last));
            pending = Some(*last);
        }
        for step in steps {
            match pending {
                Some(Step::Quad(control, _)) => path.quad_to(control, end(*step)),
                _ => path.line_to(end(*step)),
            }
            pending = Some(*step);
        }
        path.close();
        path
    }
}

const fn end(step: Step) -> Point {
    match step {
        Step::Move(to) | Step::Line(to) | Step::Quad(_, to) => to,
        Step::Close => (0.0, 0.0),
    }
}

fn on_circle(center: Point, r: f64, degrees: f64) -> Point {
    let angle = degrees.to_radians();
    (center.0 + r * angle.cos(), center.1 + r * angle.sin())
}
