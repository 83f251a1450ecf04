//! From a poster to a scene: what stands where.

use super::{
    Lang, Poster, PosterError,
    fit::{Align, Area, Para, Stand, stack},
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
        let second = if second.is_empty() { "" } else { texts::SUBTITLE };
        let mut top = plan.band * 0.1;
        if kind_pt > 0.0 {
            let area = Area {
                x: plan.margin,
                y: plan.band * 0.13,
                w: self.inner(),
                h: plan.band * 0.2,
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
            h: plan.band * 0.94 - top,
        };
        let paras = [
            para(title, Weight::Bold, title_pt, WHITE, 1),
            para(second, Weight::Regular, second_pt, WHITE, 1),
        ];
        let align = if kind_pt > 0.0 { Align::Left } else { Align::Center };
        items.extend(stack(self.fonts, area, align, Stand::Middle, &paras)?);
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
        stack(self.fonts, area, Align::Center, Stand::Middle, &paras)
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
        if plan.access_stacked {
            let half = area.h / 2.0;
            for (text, value, at) in [
                (texts::GO_TO, address.host, area.y),
                (texts::TYPE_CODE, code.as_str(), area.y + half),
            ] {
                let row = Area {
                    x: area.x + inset,
                    y: at,
                    w: area.w - 2.0 * inset,
                    h: half,
                };
                items.extend(self.labelled(row, text, value)?);
            }
            return Ok(items);
        }
        let left = (area.w - 3.0 * inset) * 0.4;
        let host = Area {
            x: area.x + inset,
            y: area.y,
            w: left,
            h: area.h,
        };
        let typed = Area {
            x: host.x + left + inset,
            w: area.w - 3.0 * inset - left,
            ..host
        };
        items.extend(self.labelled(host, texts::GO_TO, address.host)?);
        items.extend(self.labelled(typed, texts::TYPE_CODE, &code)?);
        Ok(items)
    }

    /// A small label above a large value.
    fn labelled(&self, area: Area, label: Text, value: &str) -> Result<Vec<Item>, PosterError> {
        let [label_pt, value_pt] = self.plan.access_pt;
        let upper = Area {
            h: area.h * 0.42,
            ..area
        };
        let lower = Area {
            y: area.y + upper.h,
            h: area.h * 0.55,
            ..area
        };
        let label = self.joined(label);
        let mut items =
            self.line(upper, Align::Left, &label, Weight::Regular, label_pt, GREY)?;
        items.extend(self.line(lower, Align::Left, value, Weight::Bold, value_pt, INK)?);
        Ok(items)
    }

    /// The three steps side by side: picture, number, words.
    fn steps(&self, y: f64) -> Result<Vec<Item>, PosterError> {
        let plan = &self.plan;
        let [first_pt, second_pt] = plan.steps_pt;
        let between = plan.margin * 0.35;
        let width = (self.inner() - 2.0 * between) / 3.0;
        let side = plan.steps.min(width * 0.3);
        let mut items = Vec::new();
        let mut x = plan.margin;
        for (index, text) in texts::STEPS.into_iter().enumerate() {
            let top = y + (plan.steps - side) / 2.0;
            items.push(Item::Shape {
                path: icons::step(index, (x, top), side),
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
            let paras = [
                para(numbered, Weight::Bold, first_pt, INK, 3),
                para(second, Weight::Regular, second_pt, GREY, 3),
            ];
            items.extend(stack(self.fonts, area, Align::Left, Stand::Middle, &paras)?);
            x += width + between;
        }
        Ok(items)
    }

    /// For people without a phone.
    fn help(&self, y: f64) -> Result<Vec<Item>, PosterError> {
        let plan = &self.plan;
        let [first_pt, second_pt] = plan.help_pt;
        let [first, second] = self.both(texts::WITHOUT_PHONE);
        let area = Area {
            x: plan.margin,
            y,
            w: self.inner(),
            h: plan.help,
        };
        let paras = [
            para(first, Weight::Bold, first_pt, DARK, 1),
            para(second, Weight::Regular, second_pt, GREY, 1),
        ];
        stack(self.fonts, area, Align::Left, Stand::Middle, &paras)
    }

    /// Retention at the left; hotline, issue date and version at the right.
    fn footer(&self, y: f64) -> Result<Vec<Item>, PosterError> {
        let plan = &self.plan;
        let poster = self.poster;
        let area = Area {
            x: plan.margin,
            y,
            w: self.inner(),
            h: plan.footer,
        };
        let [retention, _] = self.both(texts::RETENTION);
        let retention = retention.replace("{days}", &poster.retention_days.to_string());
        let date = poster.issued_on;
        let date = format!(
            "{:02}/{:02}/{:04}",
            date.day(),
            u8::from(date.month()),
            date.year()
        );
        let [hotline, _] = self.both(texts::HOTLINE);
        let [issued, _] = self.both(texts::ISSUED);
        let hotline = hotline.replace("{number}", &poster.hotline);
        let issued = issued
            .replace("{date}", &date)
            .replace("{version}", &poster.version.to_string());
        let left = Area {
            w: area.w * 0.5,
            ..area
        };
        let right = Area {
            x: area.x + area.w * 0.5,
            ..left
        };
        let pt = plan.footer_pt;
        let mut items =
            self.line(left, Align::Left, &retention, Weight::Regular, pt, GREY)?;
        let facts = join([&hotline, &issued]);
        items.extend(self.line(right, Align::Right, &facts, Weight::Bold, pt, GREY)?);
        Ok(items)
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
