//! The scene as SVG: text as outlines, so it looks the same wherever it is opened; no script, no
//! font and no address outside the file.
//!
//! Coordinates are whole hundredths of a millimetre, relative to the point before: a third of the
//! size of absolute millimetres, and finer than any printer's dot.

use std::fmt::Write as _;

use super::{
    font::Fonts,
    qr::Matrix,
    scene::{Color, Item, Path, Point, Scene, Step},
};

/// Units of a millimetre.
const UNITS: f64 = 100.0;

/// Writes the sheet; `title` is what a screen reader says.
#[must_use]
pub fn write(fonts: &Fonts, scene: &Scene, title: &str) -> String {
    let (width, height) = (scene.width, scene.height);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}mm\" height=\"{height}mm\" \
         viewBox=\"0 0 {} {}\" role=\"img\">\n<title>{}</title>\n\
         <path fill=\"#ffffff\" d=\"M0 0h{0}v{1}H0z\"/>\n",
        whole(width),
        whole(height),
        escaped(title),
    );
    for item in &scene.items {
        match item {
            Item::Shape { path, color } => shape(&mut out, path, *color),
            Item::Text {
                run,
                at,
                size,
                color,
            } => shape(&mut out, &fonts.outline(run, at.0, at.1, *size), *color),
            Item::Qr { matrix, at, module } => code(&mut out, matrix, *at, *module),
        }
    }
    out.push_str("</svg>\n");
    out
}

fn shape(out: &mut String, path: &Path, Color([r, g, b]): Color) {
    let _ = write!(out, "<path fill=\"#{r:02x}{g:02x}{b:02x}\" d=\"");
    let mut pen = (0, 0);
    for step in &path.0 {
        match *step {
            Step::Move(to) => {
                pen = units(to);
                let _ = write!(out, "M{} {}", pen.0, pen.1);
            }
            Step::Line(to) => {
                out.push('l');
                let to = units(to);
                relative(out, pen, to);
                pen = to;
            }
            Step::Quad(control, to) => {
                out.push('q');
                relative(out, pen, units(control));
                let to = units(to);
                if to.0 >= pen.0 {
                    out.push(' ');
                }
                relative(out, pen, to);
                pen = to;
            }
            Step::Close => out.push('z'),
        }
    }
    out.push_str("\"/>\n");
}

/// Two numbers, without a space where the sign parts them.
fn relative(out: &mut String, from: (i64, i64), to: (i64, i64)) {
    let (x, y) = (to.0 - from.0, to.1 - from.1);
    let space = if y < 0 { "" } else { " " };
    let _ = write!(out, "{x}{space}{y}");
}

/// The code as one path in units of modules, so that its edges are drawn without smoothing.
fn code(out: &mut String, matrix: &Matrix, at: Point, module: f64) {
    let _ = write!(
        out,
        "<path fill=\"#000000\" shape-rendering=\"crispEdges\" \
         transform=\"translate({:.3} {:.3}) scale({:.5})\" d=\"",
        at.0 * UNITS,
        at.1 * UNITS,
        module * UNITS
    );
    for bar in matrix.bars() {
        let _ = write!(out, "M{} {}h{}v1h-{2}z", bar.x, bar.y, bar.length);
    }
    out.push_str("\"/>\n");
}

fn units((x, y): Point) -> (i64, i64) {
    (whole(x), whole(y))
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "a sheet is at most 420 mm, 42,000 units"
)]
fn whole(length: f64) -> i64 {
    (length * UNITS).round() as i64
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}
