//! The grid of each sheet: how high its zones are and how large its letters may be.
//!
//! Lengths in mm, letters in points. The zones stand from the top: band, names, QR code with its
//! quiet zone, access (host and code), steps, help, footer. The code takes what the others leave,
//! and the names take what the code leaves.

/// Sheet of paper, upright.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Size {
    /// 297 × 420 mm: a gate, a hall.
    A3,
    /// 210 × 297 mm: a door. The usual one.
    A4,
    /// 148 × 210 mm: a counter.
    A5,
    /// 105 × 148 mm: a table, a bus.
    A6,
    /// 80 × 115 mm: a label roll of 80 mm.
    Sticker,
}

impl Size {
    /// Every size.
    pub const ALL: [Self; 5] = [Self::A3, Self::A4, Self::A5, Self::A6, Self::Sticker];
}

/// Heights and letter sizes of one sheet.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Plan {
    /// Width of the sheet.
    pub width: f64,
    /// Height of the sheet.
    pub height: f64,
    /// White at the left and right edge that no text enters.
    pub margin: f64,
    /// White at the lower edge.
    pub bottom: f64,
    /// Least white beside the code's quiet zone.
    pub pad: f64,
    /// Height of the dark band at the top.
    pub band: f64,
    /// Letters of the band: kind of place, title, title in the second language.
    pub band_pt: [f64; 3],
    /// Least height for the names.
    pub names: f64,
    /// Letters of the names: venue, checkpoint, place.
    pub names_pt: [f64; 3],
    /// Height of the box with host and code.
    pub access: f64,
    /// Letters in it: labels, values.
    pub access_pt: [f64; 2],
    /// Whether host and code stand one above the other, for narrow sheets.
    pub access_stacked: bool,
    /// Height of the three steps, 0 without.
    pub steps: f64,
    /// Letters of the steps: first language, second.
    pub steps_pt: [f64; 2],
    /// Height of the line for people without a phone, 0 without.
    pub help: f64,
    /// Letters of that line: first language, second.
    pub help_pt: [f64; 2],
    /// Letters of the hotline: label, number.
    pub hotline_pt: [f64; 2],
    /// Height of the footer.
    pub footer: f64,
    /// Letters of the footer.
    pub footer_pt: f64,
    /// White between two zones.
    pub gap: f64,
}

const A4: Plan = Plan {
    width: 210.0,
    height: 297.0,
    margin: 14.0,
    bottom: 7.0,
    pad: 8.0,
    band: 31.5,
    band_pt: [9.5, 31.0, 12.0],
    names: 20.0,
    names_pt: [29.0, 16.0, 10.5],
    access: 13.0,
    access_pt: [7.4, 15.5],
    access_stacked: false,
    steps: 15.5,
    steps_pt: [11.0, 8.5],
    help: 8.5,
    help_pt: [11.0, 8.5],
    hotline_pt: [8.0, 15.0],
    footer: 6.2,
    footer_pt: 7.4,
    gap: 2.5,
};

const A5: Plan = Plan {
    width: 148.0,
    height: 210.0,
    margin: 9.0,
    bottom: 4.5,
    pad: 4.0,
    band: 21.5,
    band_pt: [7.2, 22.0, 8.8],
    names: 15.0,
    names_pt: [20.0, 11.5, 8.0],
    access: 9.5,
    access_pt: [5.8, 10.8],
    access_stacked: false,
    steps: 11.0,
    steps_pt: [8.2, 6.4],
    help: 6.4,
    help_pt: [8.2, 6.4],
    hotline_pt: [6.2, 11.0],
    footer: 4.8,
    footer_pt: 5.8,
    gap: 1.5,
};

const A6: Plan = Plan {
    width: 105.0,
    height: 148.0,
    margin: 6.0,
    bottom: 3.0,
    pad: 3.0,
    band: 14.5,
    band_pt: [6.0, 15.0, 6.6],
    names: 12.0,
    names_pt: [15.0, 9.0, 6.8],
    access: 9.4,
    access_pt: [5.6, 9.5],
    access_stacked: true,
    steps: 7.6,
    steps_pt: [6.8, 5.4],
    help: 2.9,
    help_pt: [6.4, 0.0],
    hotline_pt: [0.0, 0.0],
    footer: 4.4,
    footer_pt: 5.3,
    gap: 0.9,
};

const STICKER: Plan = Plan {
    width: 80.0,
    height: 115.0,
    margin: 4.5,
    bottom: 2.5,
    pad: 1.5,
    band: 10.5,
    band_pt: [0.0, 11.5, 6.0],
    names: 10.5,
    names_pt: [13.0, 8.0, 6.0],
    access: 8.6,
    access_pt: [4.6, 8.4],
    access_stacked: true,
    steps: 0.0,
    steps_pt: [0.0, 0.0],
    help: 0.0,
    help_pt: [0.0, 0.0],
    hotline_pt: [0.0, 0.0],
    footer: 4.2,
    footer_pt: 5.2,
    gap: 0.8,
};

impl Plan {
    /// The grid of `size`.
    #[must_use]
    pub fn of(size: Size) -> Self {
        match size {
            Size::A3 => A4.larger(297.0 / 210.0, 297.0, 420.0),
            Size::A4 => A4,
            Size::A5 => A5,
            Size::A6 => A6,
            Size::Sticker => STICKER,
        }
    }

    /// Everything times `k`, on a sheet of `width` × `height`.
    fn larger(self, k: f64, width: f64, height: f64) -> Self {
        Self {
            width,
            height,
            margin: self.margin * k,
            bottom: self.bottom * k,
            pad: self.pad * k,
            band: self.band * k,
            band_pt: self.band_pt.map(|pt| pt * k),
            names: self.names * k,
            names_pt: self.names_pt.map(|pt| pt * k),
            access: self.access * k,
            access_pt: self.access_pt.map(|pt| pt * k),
            access_stacked: self.access_stacked,
            steps: self.steps * k,
            steps_pt: self.steps_pt.map(|pt| pt * k),
            help: self.help * k,
            help_pt: self.help_pt.map(|pt| pt * k),
            hotline_pt: self.hotline_pt.map(|pt| pt * k),
            footer: self.footer * k,
            footer_pt: self.footer_pt * k,
            gap: self.gap * k,
        }
    }

    /// Height of all that stands below the code's quiet zone, down to the edge of the sheet.
    #[must_use]
    pub fn below(&self) -> f64 {
        let zones = [self.access, self.steps, self.help, self.footer];
        let present = zones.iter().filter(|height| **height > 0.0);
        present.map(|height| height + self.gap).sum::<f64>() - self.gap + self.bottom
    }
}
