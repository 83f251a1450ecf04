//! From a poster to a scene: what stands where.

use super::{
    Lang, Poster, PosterError,
    fit::{Align, Para, Stand, stack},
    font::{Fonts, Weight},
    plan::Plan,
    qr::{Address, Matrix, QUIET_MODULES},
    scene::{Area, Color, Item, Path, Scene},
    texts::{self, Text},
};

/// One dot of the PNG in mm. Modules are whole dots wide and start on a whole dot, so the code's
/// edges are sharp in the PNG without any smoothing.
pub const DOT: f64 = 25.4 / super::PNG_DPI;

/// Deep blue-green: dark enough (12 : 1 on white) to stay dark on a black-and-white printer.
pub const DARK: Color = Color([0x0a, 0x42, 0x50]);
/// Names and instructions.
pub const INK: Color = Color([0x14, 0x1a, 0x1f]);
/// Labels and the second language (8 : 1 on white).
pub const GREY: Color = Color([0x44, 0x50, 0x58]);
/// Behind what belongs together.
pub const PALE: Color = Color([0xee, 0xf3, 0xf4]);
/// On the band.
const WHITE: Color = Color([0xff, 0xff, 0xff]);

/// Draws one poster.
///
/// # Errors
/// [`PosterError::Address`] and [`PosterError::MissingGlyph`].
pub fn scene(fonts: &Fonts, poster: &Poster) -> Result<Scene, PosterError> {
    let address = Address::parse(&poster.url_base)?;
    let matrix = Matrix::new(&address.content(poster.code))?;
    let plan = Plan::of(poster.size);
    let sheet = Sheet {
        fonts,
        poster,
        plan,
    };
    let code = sheet.code_area(&matrix);
    let mut items = sheet.band()?;
    items.extend(sheet.names(code.y)?);
    let module = code.w / f64::from(matrix.side() + 2 * QUIET_MODULES);
    let quiet = module * f64::from(QUIET_MODULES);
    items.push(Item::Qr {
        matrix,
        at: (code.x + quiet, code.y + quiet),
        module,
    });
    let mut y = code.y + code.h;
    items.extend(sheet.access(&address, y)?);
    y += plan.access + plan.gap;
    if plan.steps > 0.0 {
        items.extend(sheet.steps(y)?);
        y += plan.steps + plan.gap;
    }
    if plan.help > 0.0 {
        items.extend(sheet.help(y)?);
        y += plan.help + plan.gap;
    }
    items.extend(sheet.footer(y)?);
    Ok(Scene {
        width: plan.width,
        height: plan.height,
        items,
    })
}

/// A poster on its way to the scene; what stands below the code is in [`super::below`].
pub struct Sheet<'a> {
    /// Both weights.
    pub fonts: &'a Fonts,
    /// What it says.
    pub poster: &'a Poster,
    /// Its grid.
    pub plan: Plan,
}

/// A paragraph.
pub fn para(text: impl Into<String>, weight: Weight, pt: f64, color: Color, lines: usize) -> Para {
    Para {
        text: text.into(),
        weight,
        pt,
        color,
        lines,
    }
}

impl Sheet<'_> {
    /// A text in the poster's first language, and in its second one or empty.
    pub fn both(&self, text: Text) -> [&'static str; 2] {
        match self.poster.lang {
            Lang::Vi => [text.vi, ""],
            Lang::En => [text.en, ""],
            Lang::Both => [text.vi, text.en],
        }
    }

    /// Both languages on one line.
    pub fn joined(&self, text: Text) -> String {
        join(self.both(text))
    }

    /// The zone from `y` down, `height` mm high, between the margins.
    pub fn zone(&self, y: f64, height: f64) -> Area {
        Area {
            x: self.plan.margin,
            y,
            w: self.plan.width - 2.0 * self.plan.margin,
            h: height,
        }
    }

    /// The square of the code with its quiet zone: as wide as fits, in whole dots.
    fn code_area(&self, matrix: &Matrix) -> Area {
        let plan = &self.plan;
        let below = plan.below();
        let wide = plan.width - 2.0 * plan.pad;
        let high = plan.height - plan.band - plan.names - below;
        let modules = f64::from(matrix.side() + 2 * QUIET_MODULES);
        let module = (wide.min(high) / modules / DOT).floor() * DOT;
        let side = module * modules;
        let whole = |at: f64| (at / DOT).floor() * DOT;
        Area {
            x: whole((plan.width - side) / 2.0),
            y: whole(plan.height - below - side),
            w: side,
            h: side,
        }
    }

    /// The dark band: what this is, who issued it, what to do.
    fn band(&self) -> Result<Vec<Item>, PosterError> {
        let plan = &self.plan;
        let [kind_pt, title_pt, second_pt] = plan.band_pt;
        let whole = Area {
            x: 0.0,
            y: 0.0,
            w: plan.width,
            h: plan.band,
        };
        let mut items = vec![Item::Shape {
            path: Path::rect(whole, 0.0),
            color: DARK,
        }];
        let [title, second] = self.both(texts::TITLE);
        let (second, title_pt) = if second.is_empty() {
            ("", title_pt * 1.12)
        } else {
            (texts::SUBTITLE, title_pt)
        };
        let all = self.zone(0.0, plan.band);
        let mut top = 0.1;
        if kind_pt > 0.0 {
            top = 0.255;
            let row = all.band(0.085, 0.17);
            let authority = self.poster.authority.as_deref().unwrap_or_default();
            let left = row.left(if authority.is_empty() { 1.0 } else { 0.54 });
            let right = row.right(0.44);
            let kind = self.joined(texts::KIND_OF_PLACE);
            let (bold, regular) = (Weight::Bold, Weight::Regular);
            items.extend(self.line(left, Align::Left, &kind, bold, kind_pt, WHITE)?);
            items.extend(self.line(right, Align::Right, authority, regular, kind_pt, WHITE)?);
        }
        let area = all.band(top, 0.95 - top);
        let paras = [
            para(title, Weight::Bold, title_pt, WHITE, 1),
            para(second, Weight::Regular, second_pt, WHITE, 1),
        ];
        items.extend(stack(self.fonts, area, Align::Left, Stand::Middle, &paras)?);
        Ok(items)
    }

    /// Venue, checkpoint and place, between the band and the code, whose quiet zone starts at
    /// `bottom`.
    fn names(&self, bottom: f64) -> Result<Vec<Item>, PosterError> {
        let plan = &self.plan;
        let poster = self.poster;
        let [venue_pt, checkpoint_pt, place_pt] = plan.names_pt;
        let top = plan.band + plan.gap * 0.8;
        let area = self.zone(top, bottom - top);
        let checkpoint = if poster.checkpoint == poster.venue {
            ""
        } else {
            &poster.checkpoint
        };
        let place = std::iter::once(poster.kind.as_str())
            .filter(|kind| !kind.is_empty())
            .chain(std::iter::once(poster.place.join(", ").as_str()).filter(|at| !at.is_empty()))
            .collect::<Vec<_>>()
            .join(texts::DOT);
        let paras = [
            para(&poster.venue, Weight::Bold, venue_pt, INK, 3),
            para(checkpoint, Weight::Bold, checkpoint_pt, DARK, 2),
            para(place, Weight::Regular, place_pt, GREY, 2),
        ];
        stack(self.fonts, area, Align::Left, Stand::Bottom, &paras)
    }

    /// One line of text in the middle of its box's height.
    pub fn line(
        &self,
        area: Area,
        align: Align,
        text: &str,
        weight: Weight,
        pt: f64,
        color: Color,
    ) -> Result<Vec<Item>, PosterError> {
        let paras = [para(text, weight, pt, color, 1)];
        stack(self.fonts, area, align, Stand::Middle, &paras)
    }
}

/// Two texts on one line, or the one that is not empty.
fn join([first, second]: [&str; 2]) -> String {
    if second.is_empty() {
        first.to_owned()
    } else {
        format!("{first}{}{second}", texts::DOT)
    }
}
