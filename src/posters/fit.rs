//! Text into boxes: wraps, and shrinks until it fits. Nothing ever overflows its box.

use super::{
    PosterError,
    font::{Fonts, Run, Weight},
    scene::{Color, Item},
};

/// One point in mm.
pub const PT: f64 = 25.4 / 72.0;

/// Height of a line in em: room for two stacked marks above and one below, as in Ế and Ậ.
const LINE: f64 = 1.24;
/// From the top of a line to its baseline, in em.
const ASCENT: f64 = 0.97;
/// How much a text shrinks in one try.
const STEP: f64 = 0.97;
/// A word that is wider than its line is cut only after the text has shrunk to this share of its
/// size: a smaller whole word is read faster than a larger broken one.
const CUT_BELOW: f64 = 0.65;

/// A box on the sheet, in mm.
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

/// Where lines stand in their box, horizontally.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Align {
    /// At its left edge.
    Left,
    /// In its middle.
    Center,
    /// At its right edge.
    Right,
}

/// Where a stack of paragraphs stands in its box, vertically.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stand {
    /// From its upper edge.
    Top,
    /// In its middle.
    Middle,
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

/// Sets paragraphs one below the other into `area`. The tallest one gives way first, and none grows
/// larger than the one above it if it was smaller at the start.
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
    let paras: Vec<&Para> = paras.iter().filter(|para| !para.text.is_empty()).collect();
    let mut sets = Vec::new();
    for para in &paras {
        sets.push(largest(fonts, para, area.w, para.pt * PT)?);
    }
    while sets.iter().map(Set::height).sum::<f64>() > area.h {
        let tallest = sets
            .iter()
            .enumerate()
            .max_by(|a, b| a.1.height().total_cmp(&b.1.height()));
        let Some((at, set)) = tallest else { break };
        let size = set.size * STEP;
        shrink(fonts, &paras, &mut sets, at, size, area.w)?;
    }
    let used: f64 = sets.iter().map(Set::height).sum();
    let mut y = match stand {
        Stand::Top => area.y,
        Stand::Middle => area.y + (area.h - used) / 2.0,
    };
    let mut items = Vec::new();
    for (set, para) in sets.into_iter().zip(&paras) {
        for run in set.lines {
            let free = area.w - run.width * set.size;
            let x = match align {
                Align::Left => area.x,
                Align::Center => area.x + free / 2.0,
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
    Ok(items)
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
            bound *= (para.pt / above).min(1.0);
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
    let mut size = size;
    loop {
        let cut = para.lines > 1 && size <= para.pt * PT * CUT_BELOW;
        if let Some(lines) = wrap(fonts, para, width / size, cut)?
            && lines.len() <= para.lines
        {
            let lines = balance(fonts, para, lines, width / size, cut)?;
            return Ok(Set { lines, size });
        }
        size *= STEP;
    }
}

/// Breaks the paragraph as evenly as its number of lines allows.
fn balance(
    fonts: &Fonts,
    para: &Para,
    lines: Vec<Run>,
    width: f64,
    cut: bool,
) -> Result<Vec<Run>, PosterError> {
    let mut best = lines;
    if best.len() < 2 {
        return Ok(best);
    }
    for percent in 1..50 {
        let narrower = width * (1.0 - f64::from(percent) / 100.0);
        match wrap(fonts, para, narrower, cut)? {
            Some(lines) if lines.len() == best.len() => best = lines,
            _ => break,
        }
    }
    Ok(best)
}

/// Breaks the paragraph into lines of at most `width` em; `None` if a word is wider and must not be
/// cut.
fn wrap(
    fonts: &Fonts,
    para: &Para,
    width: f64,
    cut: bool,
) -> Result<Option<Vec<Run>>, PosterError> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in para.text.split_whitespace() {
        let longer = if line.is_empty() {
            word.to_owned()
        } else {
            format!("{line} {word}")
        };
        if fonts.run(&longer, para.weight)?.width <= width {
            line = longer;
            continue;
        }
        if !line.is_empty() {
            lines.push(fonts.run(&line, para.weight)?);
            line.clear();
        }
        if fonts.run(word, para.weight)?.width <= width {
            line.push_str(word);
        } else if cut {
            for ch in word.chars() {
                line.push(ch);
                if fonts.run(&line, para.weight)?.width > width {
                    line.pop();
                    if line.is_empty() {
                        return Ok(None);
                    }
                    lines.push(fonts.run(&line, para.weight)?);
                    line = ch.to_string();
                }
            }
        } else {
            return Ok(None);
        }
    }
    if !line.is_empty() {
        lines.push(fonts.run(&line, para.weight)?);
    }
    Ok(Some(lines))
}
