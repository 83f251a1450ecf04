//! From a poster to a scene: what stands where.

use super::{
    Lang, Poster, PosterError,
    fit::{Align, Area, Para, Stand, row, stack},
    font::{Fonts, Weight},
    icons,
    plan::Plan,
    qr::{Address, Matrix, QUIET_MODULES},
    scene::{Color, Item, Path, Scene},
    texts::{self, Text},
};

/// One dot of the PNG in mm. Modules are whole dots wide and start on a whole dot, so the code's
/// edges are sharp in the PNG without any smoothing.
pub const DOT: f64 = 25.4 / super::PNG_DPI;

/// Deep blue-green: dark enough (12 : 1 on white) to stay dark on a black-and-white printer.
const DARK: Color = Color([0x0a, 0x42, 0x50]);
const INK: Color = Color([0x14, 0x1a, 0x1f]);
const GREY: Color = Color([0x44, 0x50, 0x58]);
const PALE: Color = Color([0xee, 0xf3, 0xf4]);
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

struct Sheet<'a> {
    fonts: &'a Fonts,
    poster: &'a Poster,
    plan: Plan,
}

fn para(text: impl Into<String>, weight: Weight, pt: f64, color: Color, lines: usize) -> Para {
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
    fn both(&self, text: Text) -> [&'static str; 2] {
        match self.poster.lang {
            Lang::Vi => [text.vi, ""],
            Lang::En => [text.en, ""],
            Lang::Both => [text.vi, text.en],
        }
    }

    /// Both languages on one line.
    fn joined(&self, text: Text) -> String {
        join(self.both(text))
    }

    /// The width between the margins.
    fn inner(&self) -> f64 {
        self.plan.width - 2.0 * self.plan.margin
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
        let mut items = vec![Item::Shape {
            path: Path::rect(0.0, 0.0, plan.width, plan.band, 0.0),
            color: DARK,
        }];
        let [title, second] = self.both(texts::TITLE);
        let (second, title_pt) = if second.is_empty() {
            ("", title_pt * 1.12)
        } else {
            (texts::SUBTITLE, title_pt)
        };
        let mut top = plan.band * 0.1;
        if kind_pt > 0.0 {
            let area = Area {
                x: plan.margin,
                y: plan.band * 0.085,
                w: self.inner(),
                h: plan.band * 0.17,
            };
            top = area.y + area.h;
            let authority = self.poster.authority.as_deref().unwrap_or_default();
            let half = Area {
                w: area.w * if authority.is_empty() { 1.0 } else { 0.54 },
                ..area
            };
            let kind = self.joined(texts::KIND_OF_PLACE);
            items.extend(self.line(half, Align::Left, &kind, Weight::Bold, kind_pt, WHITE)?);
            let other = Area {
                x: area.x + area.w * 0.56,
                w: area.w * 0.44,
                ..area
            };
            items.extend(self.line(
                other,
                Align::Right,
                authority,
                Weight::Regular,
                kind_pt,
                WHITE,
            )?);
        }
        let area = Area {
            x: plan.margin,
            y: top,
            w: self.inner(),
            h: plan.band * 0.95 - top,
        };
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
        let area = Area {
            x: plan.margin,
            y: top,
            w: self.inner(),
            h: bottom - top,
        };
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

    /// Host and code for those whose camera does not read the QR code.
    fn access(&self, address: &Address<'_>, y: f64) -> Result<Vec<Item>, PosterError> {
        let plan = &self.plan;
        let area = Area {
            x: plan.margin,
            y,
            w: self.inner(),
            h: plan.access,
        };
        let mut items = vec![Item::Shape {
            path: Path::rect(area.x, area.y, area.w, area.h, plan.gap),
            color: PALE,
        }];
        let inset = plan.margin * 0.4;
        let code = self.poster.code.grouped();
        let rows = [(texts::GO_TO, address.host), (texts::TYPE_CODE, &code)];
        if plan.access_stacked {
            let mut row = Area {
                x: area.x + inset,
                y: area.y + plan.gap * 0.3,
                w: area.w - 2.0 * inset,
                h: area.h / 2.0 - plan.gap * 0.3,
            };
            for (label, value) in rows {
                items.extend(self.beside(row, label, value)?);
                row.y += row.h;
            }
            return Ok(items);
        }
        let left = (area.w - 3.0 * inset) * 0.4;
        let mut cell = Area {
            x: area.x + inset,
            w: left,
            ..area
        };
        for (label, value) in rows {
            items.extend(self.labelled(cell, label, value)?);
            cell.x += left + inset;
            cell.w = area.w - 3.0 * inset - left;
        }
        Ok(items)
    }

    /// A small label above a large value.
    fn labelled(&self, area: Area, label: Text, value: &str) -> Result<Vec<Item>, PosterError> {
        let [label_pt, value_pt] = self.plan.access_pt;
        let upper = Area {
            y: area.y + area.h * 0.07,
            h: area.h * 0.33,
            ..area
        };
        let lower = Area {
            y: upper.y + upper.h,
            h: area.h * 0.53,
            ..area
        };
        let label = self.joined(label);
        let mut items = self.line(upper, Align::Left, &label, Weight::Regular, label_pt, GREY)?;
        let value = [para(value, Weight::Bold, value_pt, INK, 1)];
        items.extend(stack(
            self.fonts,
            lower,
            Align::Left,
            Stand::Bottom,
            &value,
        )?);
        Ok(items)
    }

    /// A small label, its languages one above the other, at the left of a large value.
    fn beside(&self, area: Area, label: Text, value: &str) -> Result<Vec<Item>, PosterError> {
        let [label_pt, value_pt] = self.plan.access_pt;
        let left = Area {
            w: area.w * 0.33,
            ..area
        };
        let right = Area {
            x: area.x + area.w * 0.35,
            w: area.w * 0.65,
            ..area
        };
        let [first, second] = self.both(label);
        let paras = [
            para(first, Weight::Regular, label_pt, GREY, 1),
            para(second, Weight::Regular, label_pt * 0.9, GREY, 1),
        ];
        let mut items = stack(self.fonts, left, Align::Left, Stand::Middle, &paras)?;
        items.extend(self.line(right, Align::Left, value, Weight::Bold, value_pt, INK)?);
        Ok(items)
    }

    /// The three steps side by side: picture, number, words.
    fn steps(&self, y: f64) -> Result<Vec<Item>, PosterError> {
        let plan = &self.plan;
        let [first_pt, second_pt] = plan.steps_pt;
        let between = plan.margin * 0.35;
        let width = (self.inner() - 2.0 * between) / 3.0;
        let side = plan.steps.min(width * 0.26);
        let mut items = Vec::new();
        let mut cells = Vec::new();
        let mut x = plan.margin;
        for (index, text) in texts::STEPS.into_iter().enumerate() {
            let top = y + (plan.steps - side) / 2.0;
            items.push(Item::Shape {
                path: Path::rect(x, top, side, side, plan.gap * 0.7),
                color: PALE,
            });
            let inside = side * 0.11;
            items.push(Item::Shape {
                path: icons::step(index, (x + inside, top + inside), side - 2.0 * inside),
                color: DARK,
            });
            let [first, second] = self.both(text);
            let area = Area {
                x: x + side + between * 0.6,
                y,
                w: width - side - between * 0.6,
                h: plan.steps,
            };
            let numbered = format!("{}. {first}", index + 1);
            let paras = vec![
                para(numbered, Weight::Bold, first_pt, INK, 3),
                para(second, Weight::Regular, second_pt, GREY, 3),
            ];
            cells.push((area, paras));
            x += width + between;
        }
        items.extend(row(self.fonts, &cells)?);
        Ok(items)
    }

    /// For people without a phone; the hotline at the right, where there is room.
    fn help(&self, y: f64) -> Result<Vec<Item>, PosterError> {
        let plan = &self.plan;
        let [first_pt, second_pt] = plan.help_pt;
        let [label_pt, number_pt] = plan.hotline_pt;
        let [first, second] = self.both(texts::WITHOUT_PHONE);
        let share = if number_pt > 0.0 { 0.76 } else { 1.0 };
        let area = Area {
            x: plan.margin,
            y,
            w: self.inner() * share,
            h: plan.help,
        };
        let second = if second_pt > 0.0 { second } else { "" };
        let paras = [
            para(first, Weight::Bold, first_pt, DARK, 1),
            para(second, Weight::Regular, second_pt, GREY, 1),
        ];
        let mut items = stack(self.fonts, area, Align::Left, Stand::Middle, &paras)?;
        if number_pt > 0.0 && !self.poster.hotline.is_empty() {
            let right = Area {
                x: area.x + area.w,
                w: self.inner() - area.w,
                ..area
            };
            let label = self.joined(texts::HOTLINE);
            let paras = [
                para(
                    self.poster.hotline.clone(),
                    Weight::Bold,
                    number_pt,
                    DARK,
                    1,
                ),
                para(label, Weight::Regular, label_pt, GREY, 1),
            ];
            items.extend(stack(
                self.fonts,
                right,
                Align::Right,
                Stand::Middle,
                &paras,
            )?);
        }
        Ok(items)
    }

    /// How long data is kept; issue date and version, by which a stale poster is spotted. On small
    /// sheets one below the other and in the first language.
    fn footer(&self, y: f64) -> Result<Vec<Item>, PosterError> {
        let plan = &self.plan;
        let poster = self.poster;
        let area = Area {
            x: plan.margin,
            y,
            w: self.inner(),
            h: plan.footer,
        };
        let days = poster.retention_days.to_string();
        let [first, second] = self
            .both(texts::RETENTION)
            .map(|text| text.replace("{days}", &days));
        let [issued, issued_too] = self.both(texts::ISSUED).map(|text| self.issued(text));
        let pt = plan.footer_pt;
        let line = |text: String, weight| para(text, weight, pt, GREY, 1);
        if plan.access_stacked {
            let [hotline, _] = self.both(texts::HOTLINE);
            let facts = if poster.hotline.is_empty() {
                issued
            } else {
                format!("{hotline} {}{}{issued}", poster.hotline, texts::DOT)
            };
            let paras = [line(first, Weight::Regular), line(facts, Weight::Bold)];
            return stack(self.fonts, area, Align::Left, Stand::Middle, &paras);
        }
        let left = Area {
            w: area.w * 0.66,
            ..area
        };
        let right = Area {
            x: area.x + left.w,
            w: area.w - left.w,
            ..area
        };
        let kept = [line(first, Weight::Regular), line(second, Weight::Regular)];
        let dated = [
            line(issued, Weight::Bold),
            line(issued_too, Weight::Regular),
        ];
        let mut items = stack(self.fonts, left, Align::Left, Stand::Middle, &kept)?;
        items.extend(stack(
            self.fonts,
            right,
            Align::Right,
            Stand::Middle,
            &dated,
        )?);
        Ok(items)
    }

    fn issued(&self, text: &str) -> String {
        if text.is_empty() {
            return String::new();
        }
        let date = self.poster.issued_on;
        let (day, month) = (date.day(), u8::from(date.month()));
        text.replace("{date}", &format!("{day:02}/{month:02}/{:04}", date.year()))
            .replace("{version}", &self.poster.version.to_string())
    }

    /// One line of text in the middle of its box's height.
    fn line(
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
