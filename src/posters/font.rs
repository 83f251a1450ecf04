//! The poster's two weights of Be Vietnam Pro: which glyph, how wide, what outline.
//!
//! The files are subsets made ahead (`assets/fonts/README.md`): all of the family's Latin letters,
//! without hints and without combining marks. A letter plus a mark that Unicode cannot compose
//! would be set with the mark in the wrong place, so it counts as missing.

use ttf_parser::{
    Face, GlyphId, Tag,
    gpos::{PairAdjustment, PositioningSubtable},
};

use super::{PosterError, scene::Path};

/// Regular, 400.
pub const REGULAR: &[u8] = include_bytes!("../../assets/fonts/BeVietnamPro-Regular.subset.ttf");
/// Bold, 700.
pub const BOLD: &[u8] = include_bytes!("../../assets/fonts/BeVietnamPro-Bold.subset.ttf");

/// Which of the two weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weight {
    /// 400.
    Regular,
    /// 700.
    Bold,
}

/// One glyph of a line.
#[derive(Clone, Debug, PartialEq)]
pub struct Glyph {
    /// The character it stands for.
    pub ch: char,
    /// Its index in the font.
    pub id: u16,
    /// Distance of its origin from the start of the line, in em.
    pub x: f64,
    /// Kerning that was added before it, in em; negative draws it nearer.
    pub kern: f64,
}

/// A line of text, measured.
#[derive(Clone, Debug, PartialEq)]
pub struct Run {
    /// Its weight.
    pub weight: Weight,
    /// Its glyphs from left to right.
    pub glyphs: Vec<Glyph>,
    /// Its advance width, in em.
    pub width: f64,
}

/// Both weights, parsed.
pub struct Fonts {
    regular: Style,
    bold: Style,
}

struct Style {
    face: Face<'static>,
    pairs: Vec<PairAdjustment<'static>>,
}

impl Fonts {
    /// Parses the two files.
    ///
    /// # Errors
    /// [`PosterError::Font`] if a file is damaged.
    pub fn load() -> Result<Self, PosterError> {
        Ok(Self {
            regular: Style::parse(REGULAR)?,
            bold: Style::parse(BOLD)?,
        })
    }

    const fn style(&self, weight: Weight) -> &Style {
        match weight {
            Weight::Regular => &self.regular,
            Weight::Bold => &self.bold,
        }
    }

    /// Measures one line. Spaces are not kerned, so the width of a line is the sum of its words and
    /// spaces.
    ///
    /// # Errors
    /// [`PosterError::MissingGlyph`] names the first character that the font lacks.
    pub fn run(&self, text: &str, weight: Weight) -> Result<Run, PosterError> {
        let style = self.style(weight);
        let face = &style.face;
        let em = f64::from(face.units_per_em());
        let mut glyphs: Vec<Glyph> = Vec::new();
        let mut pen = 0.0;
        for ch in text.chars() {
            let id = face
                .glyph_index(ch)
                .ok_or(PosterError::MissingGlyph { ch })?;
            let kern = glyphs
                .last()
                .filter(|left| left.ch != ' ' && ch != ' ')
                .map_or(0, |left| style.kerning(GlyphId(left.id), id));
            let kern = f64::from(kern) / em;
            pen += kern;
            glyphs.push(Glyph {
                ch,
                id: id.0,
                x: pen,
                kern,
            });
            pen += f64::from(face.glyph_hor_advance(id).unwrap_or(0)) / em;
        }
        Ok(Run {
            weight,
            glyphs,
            width: pen,
        })
    }

    /// The outline of a line whose baseline starts at (`x`, `y`), in mm with y downwards.
    #[must_use]
    pub fn outline(&self, run: &Run, x: f64, y: f64, size: f64) -> Path {
        let face = &self.style(run.weight).face;
        let scale = size / f64::from(face.units_per_em());
        let mut pen = Pen {
            path: Path::default(),
            x,
            y,
            scale,
        };
        for glyph in &run.glyphs {
            pen.x = x + glyph.x * size;
            face.outline_glyph(GlyphId(glyph.id), &mut pen);
        }
        pen.path
    }
}

impl Style {
    fn parse(bytes: &'static [u8]) -> Result<Self, PosterError> {
        let face = Face::parse(bytes, 0).map_err(|_| PosterError::Font)?;
        let pairs = kern_pairs(&face).unwrap_or_default();
        Ok(Self { face, pairs })
    }

    /// The kerning of a pair in font units.
    fn kerning(&self, left: GlyphId, right: GlyphId) -> i16 {
        self.pairs
            .iter()
            .find_map(|pair| pair_advance(*pair, left, right))
            .unwrap_or(0)
    }
}

/// The pair tables of the font's `kern` feature (`GPOS`).
fn kern_pairs(face: &Face<'static>) -> Option<Vec<PairAdjustment<'static>>> {
    let table = face.tables().gpos?;
    let feature = table.features.find(Tag::from_bytes(b"kern"))?;
    let lookups = feature.lookup_indices.into_iter();
    let subtables = lookups
        .filter_map(|index| table.lookups.get(index))
        .flat_map(|lookup| lookup.subtables.into_iter::<PositioningSubtable<'_>>());
    Some(
        subtables
            .filter_map(|subtable| match subtable {
                PositioningSubtable::Pair(pair) => Some(pair),
                _ => None,
            })
            .collect(),
    )
}

fn pair_advance(pair: PairAdjustment<'_>, left: GlyphId, right: GlyphId) -> Option<i16> {
    let covered = pair.coverage().get(left)?;
    let (first, _) = match pair {
        PairAdjustment::Format1 { sets, .. } => sets.get(covered)?.get(right)?,
        PairAdjustment::Format2 {
            classes, matrix, ..
        } => matrix.get((classes.0.get(left), classes.1.get(right)))?,
    };
    Some(first.x_advance)
}

/// Turns font units, y upwards, into mm, y downwards.
struct Pen {
    path: Path,
    x: f64,
    y: f64,
    scale: f64,
}

impl Pen {
    fn at(&self, x: f32, y: f32) -> (f64, f64) {
        (
            self.x + f64::from(x) * self.scale,
            self.y - f64::from(y) * self.scale,
        )
    }
}

impl ttf_parser::OutlineBuilder for Pen {
    fn move_to(&mut self, x: f32, y: f32) {
        self.path.move_to(self.at(x, y));
    }

    fn line_to(&mut self, x: f32, y: f32) {
        self.path.line_to(self.at(x, y));
    }

    fn quad_to(&mut self, x1: f32, y1: f32, x: f32, y: f32) {
        self.path.quad_to(self.at(x1, y1), self.at(x, y));
    }

    /// The fonts have `TrueType` outlines, which know no cubics: the mean of the two control points
    /// is the nearest quadratic.
    fn curve_to(&mut self, x1: f32, y1: f32, x2: f32, y2: f32, x: f32, y: f32) {
        let control = self.at(f32::midpoint(x1, x2), f32::midpoint(y1, y2));
        self.path.quad_to(control, self.at(x, y));
    }

    fn close(&mut self) {
        self.path.close();
    }
}
