//! What is printed: the poster of a checkpoint as PDF, PNG and SVG.
//!
//! A poster is a function of [`Poster`] alone: no store, no clock, no randomness. The same poster
//! gives the same bytes, so a poster can be compared with the one on the door. `layout` decides
//! what stands where, once, as a list of shapes and lines of text in millimetres (`scene`); three
//! small writers turn that list into the three formats, which therefore cannot differ.
//!
//! Nothing is left blank in silence: a character that the font lacks is an error that names it, and
//! control and direction characters are refused, since in print they could only mislead.

mod below;
mod fit;
mod font;
mod icons;
mod layout;
mod pdf;
mod plan;
mod png;
mod qr;
mod scene;
mod svg;
#[cfg(test)]
mod tests;
pub mod texts;

use time::Date;
use unicode_normalization::UnicodeNormalization;

pub use plan::Size;

use crate::base::codes::Code;
use font::Fonts;
use scene::Scene;

/// Dots per inch of the PNG.
pub const PNG_DPI: f64 = 150.0;

/// Longest name, authority or line of the address, in characters after NFC.
pub const TEXT_MAX: usize = 200;

/// Most lines of an address.
pub const PLACE_LINES_MAX: usize = 6;

/// Languages on the poster.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Lang {
    /// Vietnamese.
    Vi,
    /// English.
    En,
    /// Vietnamese large, English smaller beneath it.
    Both,
}

/// Everything that a poster says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Poster {
    /// Where the service is reached: `https://HOST[:PORT]`, without a path.
    pub url_base: String,
    /// The checkpoint's code.
    pub code: Code,
    /// Name of the checkpoint, such as a gate or a room. Left out where it is the venue's name.
    pub checkpoint: String,
    /// Name of the venue, the largest text below the title.
    pub venue: String,
    /// The venue's kind in the poster's language; may be empty.
    pub kind: String,
    /// The address, from the street upwards; may be empty.
    pub place: Vec<String>,
    /// The day this version of the poster was made, in Vietnam.
    pub issued_on: Date,
    /// Version of the poster, from 1.
    pub version: u32,
    /// Days after which personal data can no longer be read.
    pub retention_days: u32,
    /// Languages on the sheet.
    pub lang: Lang,
    /// The sheet.
    pub size: Size,
    /// Number of the hotline, such as `1022`.
    pub hotline: String,
    /// Who issues the poster, such as a health department.
    pub authority: Option<String>,
}

/// Why a poster cannot be printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PosterError {
    /// The font has no picture of this character.
    #[error("the poster font has no glyph for {ch:?} (U+{:04X})", u32::from(*ch))]
    MissingGlyph {
        /// The character.
        ch: char,
    },
    /// A control, direction or invisible character.
    #[error("a poster cannot show the control character U+{:04X}", u32::from(*ch))]
    Control {
        /// The character.
        ch: char,
    },
    /// A text is longer than [`TEXT_MAX`], or an address has more than [`PLACE_LINES_MAX`] lines.
    #[error("a text is too long for a poster")]
    TooLong,
    /// The venue has no name.
    #[error("a poster needs the name of the venue")]
    NoName,
    /// The service's address is not `https://HOST[:PORT]`.
    #[error("the public address must be http(s)://host, without a path")]
    Address,
    /// There is nothing to print.
    #[error("no poster to print")]
    Nothing,
    /// The built-in font cannot be read.
    #[error("the poster font is damaged")]
    Font,
    /// The file cannot be written.
    #[error("the poster cannot be written")]
    Write,
}

/// All posters as pages of one PDF; sizes and languages may differ from page to page. Title and
/// language of the document, and its date, are those of the first.
///
/// # Errors
/// See [`PosterError`].
pub fn pdf(posters: &[Poster]) -> Result<Vec<u8>, PosterError> {
    let first = posters.first().ok_or(PosterError::Nothing)?;
    let fonts = Fonts::load()?;
    let scenes = posters
        .iter()
        .map(|poster| drawn(&fonts, poster))
        .collect::<Result<Vec<_>, _>>()?;
    pdf::write(&scenes, first.lang, first.issued_on)
}

/// The poster as PNG at [`PNG_DPI`].
///
/// # Errors
/// See [`PosterError`].
pub fn png(poster: &Poster) -> Result<Vec<u8>, PosterError> {
    let fonts = Fonts::load()?;
    png::write(&fonts, &drawn(&fonts, poster)?)
}

/// The poster as SVG, its texts as outlines.
///
/// # Errors
/// See [`PosterError`].
pub fn svg(poster: &Poster) -> Result<String, PosterError> {
    let fonts = Fonts::load()?;
    let poster = clean(poster)?;
    let scene = layout::scene(&fonts, &poster)?;
    let title = [&poster.venue, &poster.checkpoint, &poster.code.grouped()]
        .map(String::as_str)
        .join(texts::DOT);
    Ok(svg::write(&fonts, &scene, &title))
}

fn drawn(fonts: &Fonts, poster: &Poster) -> Result<Scene, PosterError> {
    layout::scene(fonts, &clean(poster)?)
}

/// The poster with all its texts in NFC and single spaces, or why it cannot be printed.
fn clean(poster: &Poster) -> Result<Poster, PosterError> {
    if poster.place.len() > PLACE_LINES_MAX {
        return Err(PosterError::TooLong);
    }
    let venue = text(&poster.venue)?;
    if venue.is_empty() {
        return Err(PosterError::NoName);
    }
    let place = poster.place.iter().map(|line| text(line));
    Ok(Poster {
        venue,
        checkpoint: text(&poster.checkpoint)?,
        kind: text(&poster.kind)?,
        place: place
            .filter(|line| line.as_ref().map_or(true, |line| !line.is_empty()))
            .collect::<Result<_, _>>()?,
        hotline: text(&poster.hotline)?,
        authority: poster.authority.as_deref().map(text).transpose()?,
        ..poster.clone()
    })
}

fn text(raw: &str) -> Result<String, PosterError> {
    let text: String = raw.nfc().take(TEXT_MAX + 1).collect();
    if text.chars().count() > TEXT_MAX {
        return Err(PosterError::TooLong);
    }
    if let Some(ch) = text.chars().find(|ch| misleads(*ch)) {
        return Err(PosterError::Control { ch });
    }
    Ok(text.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// Control characters, and format characters of Unicode's category Cf and line separators in so far
/// as they change direction, join or vanish.
fn misleads(ch: char) -> bool {
    ch.is_control()
        || matches!(ch, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{feff}')
        || matches!(ch, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}')
        || matches!(ch, '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}
