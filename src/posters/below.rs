//! What stands below the code: how to get in without a camera, the steps, help, the small print.

use super::{
    PosterError,
    fit::{Align, Stand, row, stack},
    font::Weight,
    icons,
    layout::{DARK, GREY, INK, PALE, Sheet, para},
    qr::Address,
    scene::{Area, Item, Path},
    texts::{self, Text},
};

impl Sheet<'_> {
    /// Host and code for those whose camera does not read the QR code.
    pub fn access(&self, address: &Address<'_>, y: f64) -> Result<Vec<Item>, PosterError> {
        let plan = &self.plan;
        let area = self.zone(y, plan.access);
        let mut items = vec![Item::Shape {
            path: Path::rect(area, plan.gap),
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
        let (upper, lower) = (area.band(0.07, 0.33), area.band(0.4, 0.53));
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
        let (left, right) = (area.left(0.33), area.right(0.65));
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
    pub fn steps(&self, y: f64) -> Result<Vec<Item>, PosterError> {
        let plan = &self.plan;
        let [first_pt, second_pt] = plan.steps_pt;
        let zone = self.zone(y, plan.steps);
        let between = plan.margin * 0.35;
        let width = (zone.w - 2.0 * between) / 3.0;
        let side = plan.steps.min(width * 0.26);
        let mut items = Vec::new();
        let mut cells = Vec::new();
        let mut x = plan.margin;
        for (index, text) in texts::STEPS.into_iter().enumerate() {
            let top = y + (plan.steps - side) / 2.0;
            let tile = Area {
                x,
                y: top,
                w: side,
                h: side,
            };
            items.push(Item::Shape {
                path: Path::rect(tile, plan.gap * 0.7),
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
    pub fn help(&self, y: f64) -> Result<Vec<Item>, PosterError> {
        let plan = &self.plan;
        let [first_pt, second_pt] = plan.help_pt;
        let [label_pt, number_pt] = plan.hotline_pt;
        let [first, second] = self.both(texts::WITHOUT_PHONE);
        let share = if number_pt > 0.0 { 0.76 } else { 1.0 };
        let area = self.zone(y, plan.help);
        let second = if second_pt > 0.0 { second } else { "" };
        let paras = [
            para(first, Weight::Bold, first_pt, DARK, 1),
            para(second, Weight::Regular, second_pt, GREY, 1),
        ];
        let mut items = stack(
            self.fonts,
            area.left(share),
            Align::Left,
            Stand::Middle,
            &paras,
        )?;
        if number_pt > 0.0 && !self.poster.hotline.is_empty() {
            let right = area.right(1.0 - share);
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
    pub fn footer(&self, y: f64) -> Result<Vec<Item>, PosterError> {
        let plan = &self.plan;
        let poster = self.poster;
        let area = self.zone(y, plan.footer);
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
        let (left, right) = (area.left(0.66), area.right(0.34));
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
}
