//! The scene as PNG at 150 dpi, by a small rasteriser of its own.
//!
//! Each row of dots is cut into [`CUTS`] scan lines; on each of them the spans inside the shape
//! (non-zero rule) are known exactly, so the smoothing is exact from left to right and in steps of
//! 1/[`CUTS`] from top to bottom. It needs no crate: shapes are only ever filled, in one colour.

use image::{ExtendedColorType, ImageEncoder, codecs::png::PngEncoder};

use super::{
    PNG_DPI, PosterError,
    font::Fonts,
    scene::{Color, Item, Path, Point, Scene, Step},
};

/// Scan lines in a row of dots.
const CUTS: u8 = 8;
/// Straight pieces of a quadratic curve: off by less than 1/20 dot on the largest letters.
const PIECES: u8 = 8;

/// After the PNG signature and the header chunk.
const AFTER_HEADER: usize = 33;
/// The `pHYs` chunk for 150 dpi (5,906 dots a metre, both ways) with its check sum, so that an image
/// viewer prints the sheet in its true size. The `image` crate does not write it.
const PHYSICAL_SIZE: [u8; 21] = [
    0, 0, 0, 9, b'p', b'H', b'Y', b's', 0, 0, 0x17, 0x12, 0, 0, 0x17, 0x12, 1, 0x67, 0x9f, 0xd2,
    0x52,
];

/// An edge of a shape, in dots, downwards or (`down` false) upwards.
struct Edge {
    top: Point,
    bottom: Point,
    down: bool,
}

struct Canvas {
    width: u32,
    height: u32,
    dots: Vec<u8>,
}

/// Draws the sheet.
///
/// # Errors
/// [`PosterError::Write`].
pub fn write(fonts: &Fonts, scene: &Scene) -> Result<Vec<u8>, PosterError> {
    let (width, height) = (dots(scene.width), dots(scene.height));
    let bytes = usize::try_from(u64::from(width) * u64::from(height) * 3)
        .map_err(|_| PosterError::Write)?;
    let mut canvas = Canvas {
        width,
        height,
        dots: vec![0xff; bytes],
    };
    for item in &scene.items {
        match item {
            Item::Shape { path, color } => canvas.fill(path, *color),
            Item::Text {
                run,
                at,
                size,
                color,
            } => canvas.fill(&fonts.outline(run, at.0, at.1, *size), *color),
            Item::Qr { matrix, at, module } => {
                canvas.fill(&Path::modules(matrix, *at, *module), Color([0, 0, 0]));
            }
        }
    }
    let mut png = Vec::new();
    PngEncoder::new(&mut png)
        .write_image(&canvas.dots, width, height, ExtendedColorType::Rgb8)
        .map_err(|_| PosterError::Write)?;
    if png.len() > AFTER_HEADER {
        png.splice(AFTER_HEADER..AFTER_HEADER, PHYSICAL_SIZE);
    }
    Ok(png)
}

impl Canvas {
    fn fill(&mut self, path: &Path, color: Color) {
        let edges = edges(path);
        let top = edges.iter().map(|edge| edge.top.1).fold(f64::MAX, f64::min);
        let bottom = edges.iter().map(|edge| edge.bottom.1).fold(0.0, f64::max);
        let rows = index(top)..index(bottom.ceil()).min(self.height);
        let width = self.width as usize;
        let mut cover = vec![0.0; width];
        let mut hits = Vec::new();
        for row in rows {
            cover.fill(0.0);
            let upper = f64::from(row);
            let near: Vec<&Edge> = edges
                .iter()
                .filter(|edge| edge.top.1 < upper + 1.0 && edge.bottom.1 > upper)
                .collect();
            for cut in 0..CUTS {
                let y = upper + (f64::from(cut) + 0.5) / f64::from(CUTS);
                hits.clear();
                hits.extend(near.iter().filter_map(|edge| edge.at(y)));
                hits.sort_by(|a: &(f64, i32), b| a.0.total_cmp(&b.0));
                spans(&hits, &mut cover);
            }
            let line = self.dots.chunks_exact_mut(3 * width).nth(row as usize);
            for (dot, share) in line
                .into_iter()
                .flat_map(|line| line.chunks_exact_mut(3))
                .zip(&cover)
            {
                if *share > 0.0 {
                    blend(dot, color, (share / f64::from(CUTS)).min(1.0));
                }
            }
        }
    }
}

impl Edge {
    /// Where it crosses the scan line at `y`, and in which direction.
    fn at(&self, y: f64) -> Option<(f64, i32)> {
        if y < self.top.1 || y >= self.bottom.1 {
            return None;
        }
        let part = (y - self.top.1) / (self.bottom.1 - self.top.1);
        let x = self.top.0 + (self.bottom.0 - self.top.0) * part;
        Some((x, if self.down { 1 } else { -1 }))
    }
}

/// Adds the inside of one scan line to the cover of the row's dots.
fn spans(hits: &[(f64, i32)], cover: &mut [f64]) {
    let mut winding = 0;
    let mut from = 0.0;
    for (x, way) in hits {
        let before = winding;
        winding += way;
        if before == 0 {
            from = *x;
        } else if winding == 0 {
            let (first, last) = (index(from), index(*x));
            let reach = (first as usize)..=(last as usize);
            let inside = cover.get_mut(reach).into_iter().flatten();
            for (dot, at) in inside.zip(first..) {
                let left = f64::from(at);
                *dot += (x.min(left + 1.0) - from.max(left)).max(0.0);
            }
        }
    }
}

fn blend(dot: &mut [u8], Color(rgb): Color, share: f64) {
    for (old, new) in dot.iter_mut().zip(rgb) {
        let mixed = f64::from(*old) + (f64::from(new) - f64::from(*old)) * share;
        *old = byte(mixed);
    }
}

/// The path's edges in dots, curves cut into straight pieces, horizontal ones left out.
fn edges(path: &Path) -> Vec<Edge> {
    let mut edges = Vec::new();
    let mut start = (0.0, 0.0);
    let mut last = start;
    for step in &path.0 {
        match *step {
            Step::Move(to) => {
                start = to;
                last = to;
            }
            Step::Line(to) => {
                edges.extend(edge(last, to));
                last = to;
            }
            Step::Quad(control, to) => {
                let from = last;
                for piece in 1..=PIECES {
                    let t = f64::from(piece) / f64::from(PIECES);
                    let along = |a: f64, b: f64, c: f64| {
                        (1.0 - t) * (1.0 - t) * a + 2.0 * (1.0 - t) * t * b + t * t * c
                    };
                    let next = (
                        along(from.0, control.0, to.0),
                        along(from.1, control.1, to.1),
                    );
                    edges.extend(edge(last, next));
                    last = next;
                }
            }
            Step::Close => {
                edges.extend(edge(last, start));
                last = start;
            }
        }
    }
    edges
}

fn edge(from: Point, to: Point) -> Option<Edge> {
    let scale = PNG_DPI / 25.4;
    let (from, to) = (
        (from.0 * scale, from.1 * scale),
        (to.0 * scale, to.1 * scale),
    );
    let down = from.1 < to.1;
    let (top, bottom) = if down { (from, to) } else { (to, from) };
    (bottom.1 - top.1 > f64::EPSILON).then_some(Edge { top, bottom, down })
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "dots of a sheet: at most 2,480, and never below 0"
)]
fn dots(length: f64) -> u32 {
    (length * PNG_DPI / 25.4).round().max(0.0) as u32
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a position on the sheet in dots: at most 2,480, and never below 0"
)]
const fn index(at: f64) -> u32 {
    at.floor().max(0.0) as u32
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a mean of two bytes is a byte"
)]
const fn byte(value: f64) -> u8 {
    value.round().clamp(0.0, 255.0) as u8
}
