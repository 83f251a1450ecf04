//! Text into boxes: wraps, and shrinks until it fits. Nothing ever overflows its box.

use super::{
    PosterError,
    font::{Fonts, Run, Weight},
    scene::{Area, Color, Item},
};

/// One point in mm.
pub const PT: f64 = 25.4 / 72.0;

/// Height of a line in em: room for two stacked marks above and one below, as in Ế and Ậ.
const LINE: f64 = 1.24;
/// From the top of a line to its baseline, in em.
const ASCENT: f64 = 0.97;
/// How much a text shrinks in one try.
const STEP: f64 = 0.97;
/// How much of the difference in size a smaller paragraph keeps below a shrinking one: at 1 all of
/// them would shrink alike, and the smallest one be lost first.
const KEEP: f64 = 0.7;
/// A word that is wider than its line is cut only after the text has shrunk to this share of its
/// size: a smaller whole word is read faster than a larger broken one.
const CUT_BELOW: f64 = 0.65;

/// Where lines stand in their box, horizontally.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Align {
    /// At its left edge.
    Left,
    /// At its right edge.
    Right,
}

/// Where a stack of paragraphs stands in its box, vertically.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stand {
    /// In its middle.
    Middle,
    /// On its lower edge.
    Bottom,
}

/// One paragraph.
#[derive(Clone, Debug)]
pub struct Para {
    /// What it says.
    pub text: String,
    /// Its weight.
    pub weight: Weight,
    /// Its largest size, in points.
    pub pt: f64,
    /// Its colour.
    pub color: Color,
    /// Most lines it may take.
    pub lines: usize,
}

/// A paragraph that has been broken into lines.
struct Set {
    lines: Vec<Run>,
    size: f64,
}

impl Set {
    fn height(&self) -> f64 {
        self.lines.iter().map(|_| LINE * self.size).sum()
    }
}

/// Sets paragraphs one below the other into `area`. The tallest one gives way first, and those
/// below it follow at a distance, so that the order of sizes stays.
///
/// # Errors
/// [`PosterError::MissingGlyph`].
pub fn stack(
    fonts: &Fonts,
    area: Area,
    align: Align,
    stand: Stand,
    paras: &[Para],
) -> Result<Vec<Item>, PosterError> {
    let paras = written(paras);
    let sets = set(fonts, area, &paras)?;
    Ok(place(sets, &paras, area, align, stand))
}

/// Several stacks side by side, at the left of their boxes, all of them in the letter sizes of the
/// one that had to shrink most.
///
/// # Errors
/// [`PosterError::MissingGlyph`].
pub fn row(fonts: &Fonts, cells: &[(Area, Vec<Para>)]) -> Result<Vec<Item>, PosterError> {
    let mut least: Vec<f64> = Vec::new();
    for (area, paras) in cells {
        let sets = set(fonts, *area, &written(paras))?;
        for (at, set) in sets.iter().enumerate() {
            match least.get_mut(at) {
                Some(size) => *size = size.min(set.size),
                None => least.push(set.size),
            }
        }
    }
    let mut items = Vec::new();
    for (area, paras) in cells {
        let mut paras = paras.clone();
        for (para, size) in paras.iter_mut().zip(&least) {
            para.pt = size / PT;
        }
        items.extend(stack(fonts, *area, Align::Left, Stand::Middle, &paras)?);
    }
    Ok(items)
}

fn written(paras: &[Para]) -> Vec<&Para> {
    paras.iter().filter(|para| !para.text.is_empty()).collect()
}

fn set(fonts: &Fonts, area: Area, paras: &[&Para]) -> Result<Vec<Set>, PosterError> {
    let mut sets = Vec::new();
    for para in paras {
        sets.push(largest(fonts, para, area.w, para.pt * PT)?);
    }
    while sets.iter().map(Set::height).sum::<f64>() > area.h {
        let tallest = sets
            .iter()
            .enumerate()
            .max_by(|a, b| a.1.height().total_cmp(&b.1.height()));
        let Some((at, set)) = tallest else { break };
        let size = set.size * STEP;
        shrink(fonts, paras, &mut sets, at, size, area.w)?;
    }
    Ok(sets)
}

fn place(sets: Vec<Set>, paras: &[&Para], area: Area, align: Align, stand: Stand) -> Vec<Item> {
    let used: f64 = sets.iter().map(Set::height).sum();
    let mut y = match stand {
        Stand::Middle => area.y + (area.h - used) / 2.0,
        Stand::Bottom => area.y + area.h - used,
    };
    let mut items = Vec::new();
    for (set, para) in sets.into_iter().zip(paras) {
        for run in set.lines {
            let free = area.w - run.width * set.size;
            let x = match align {
                Align::Left => area.x,
                Align::Right => area.x + free,
            };
            items.push(Item::Text {
                at: (x, y + ASCENT * set.size),
                run,
                size: set.size,
                color: para.color,
            });
            y += LINE * set.size;
        }
    }
    items
}

/// Sets paragraph `at` at `size`, and those below it no larger in proportion.
fn shrink(
    fonts: &Fonts,
    paras: &[&Para],
    sets: &mut [Set],
    at: usize,
    size: f64,
    width: f64,
) -> Result<(), PosterError> {
    let mut bound = size;
    let mut above: Option<f64> = None;
    for (set, para) in sets.iter_mut().zip(paras).skip(at) {
        if let Some(above) = above {
            bound *= (para.pt / above).min(1.0).powf(KEEP);
        }
        if set.size > bound {
            *set = largest(fonts, para, width, bound)?;
        }
        bound = bound.min(set.size);
        above = Some(para.pt);
    }
    Ok(())
}

/// The largest setting, from `size` downwards, that keeps to the paragraph's number of lines.
fn largest(fonts: &Fonts, para: &Para, width: f64, size: f64) -> Result<Set, PosterError> {
    let words = measure(fonts, para)?;
    let space = fonts.run(" ", para.weight)?.width;
    let mut size = size;
    loop {
        let cut = para.lines > 1 && size <= para.pt * PT * CUT_BELOW;
        let pieces = if cut {
            letters(&words, width / size)
        } else {
            words.clone()
        };
        if let Some(lines) = wrap(&pieces, space, width / size, para.lines) {
            let lines = balance(&pieces, space, width / size, lines)
                .iter()
                .map(|line| fonts.run(line, para.weight))
                .collect::<Result<_, _>>()?;
            return Ok(Set { lines, size });
        }
        size *= STEP;
    }
}

/// What stays together on a line: a word, or a letter of a word that had to be cut.
#[derive(Clone)]
struct Piece {
    text: String,
    /// In em.
    width: f64,
    /// Widths of its letters one by one, kerning included.
    letters: Vec<f64>,
    /// Whether a space parts it from the piece before.
    spaced: bool,
}

fn measure(fonts: &Fonts, para: &Para) -> Result<Vec<Piece>, PosterError> {
    para.text
        .split_whitespace()
        .map(|word| {
            let run = fonts.run(word, para.weight)?;
            let ends = run.glyphs.iter().skip(1).map(|glyph| glyph.x);
            let starts = run.glyphs.iter().map(|glyph| glyph.x);
            let letters = starts
                .zip(ends.chain([run.width]))
                .map(|(start, end)| end - start)
                .collect();
            Ok(Piece {
                text: word.to_owned(),
                width: run.width,
                letters,
                spaced: true,
            })
        })
        .collect()
}

/// The words, those wider than a line taken apart into letters.
fn letters(words: &[Piece], width: f64) -> Vec<Piece> {
    let mut pieces = Vec::new();
    for word in words {
        if word.width <= width {
            pieces.push(word.clone());
            continue;
        }
        for (at, (ch, width)) in word.text.chars().zip(&word.letters).enumerate() {
            pieces.push(Piece {
                text: ch.to_string(),
                width: *width,
                letters: Vec::new(),
                spaced: at == 0,
            });
        }
    }
    pieces
}

/// Breaks the pieces as evenly as their number of lines allows.
fn balance(pieces: &[Piece], space: f64, width: f64, lines: Vec<String>) -> Vec<String> {
    let mut best = lines;
    for percent in 1..50 {
        let narrower = width * (1.0 - f64::from(percent) / 100.0);
        match wrap(pieces, space, narrower, best.len()) {
            Some(lines) if best.len() > 1 => best = lines,
            _ => break,
        }
    }
    best
}

/// Breaks the pieces into at most `most` lines of at most `width` em; `None` if that cannot be done.
fn wrap(pieces: &[Piece], space: f64, width: f64, most: usize) -> Option<Vec<String>> {
    let mut lines: Vec<String> = Vec::new();
    let mut used = 0.0;
    for piece in pieces {
        if piece.width > width {
            return None;
        }
        let gap = if piece.spaced { space } else { 0.0 };
        match lines.last_mut() {
            Some(line) if used + gap + piece.width <= width => {
                if piece.spaced {
                    line.push(' ');
                }
                line.push_str(&piece.text);
                used += gap + piece.width;
            }
            _ => {
                lines.push(piece.text.clone());
                used = piece.width;
            }
        }
        if lines.len() > most {
            return None;
        }
    }
    Some(lines)
}
