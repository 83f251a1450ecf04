//! What the QR code says, and its modules.

use qrcode::{EcLevel, QrCode, types::Color};

use super::PosterError;
use crate::base::codes::Code;

/// Modules of white on each side that a reader needs (ISO/IEC 18004, clause 9.1).
pub const QUIET_MODULES: u16 = 4;

/// Longest host, with its port, in characters: beyond it the modules get too small for a sticker.
pub const HOST_MAX: usize = 80;

/// The modules of a QR code, row by row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Matrix {
    side: u16,
    dark: Vec<bool>,
}

/// A horizontal run of dark modules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bar {
    /// Column of its first module.
    pub x: u16,
    /// Its row.
    pub y: u16,
    /// Its length in modules.
    pub length: u16,
}

impl Matrix {
    /// The code for `content` at error correction level H (30 %: posters are scratched and pasted
    /// over).
    ///
    /// # Errors
    /// [`PosterError::Address`] if it is too long for any QR code.
    pub fn new(content: &str) -> Result<Self, PosterError> {
        let code = QrCode::with_error_correction_level(content, EcLevel::H)
            .map_err(|_| PosterError::Address)?;
        let side = u16::try_from(code.width()).map_err(|_| PosterError::Address)?;
        let dark = code
            .into_colors()
            .into_iter()
            .map(|color| color == Color::Dark)
            .collect();
        Ok(Self { side, dark })
    }

    /// Modules on each side, without the quiet zone.
    #[must_use]
    pub const fn side(&self) -> u16 {
        self.side
    }

    /// All dark modules as horizontal runs, from the top left.
    #[must_use]
    pub fn bars(&self) -> Vec<Bar> {
        let mut bars = Vec::new();
        for (y, row) in (0..self.side).zip(self.dark.chunks(usize::from(self.side))) {
            let mut open: Option<Bar> = None;
            for (x, dark) in (0..self.side).zip(row) {
                if *dark {
                    let bar = open.get_or_insert(Bar { x, y, length: 0 });
                    bar.length += 1;
                } else {
                    bars.extend(open.take());
                }
            }
            bars.extend(open);
        }
        bars
    }
}

/// An address taken apart: `https` or `http`, and the host with its port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address<'a> {
    scheme: &'a str,
    /// Host and port, as configured: what a person types.
    pub host: &'a str,
}

impl<'a> Address<'a> {
    /// Reads `https://HOST[:PORT]`, with or without a slash at the end. A path is refused: it would
    /// have to keep its case, and the QR code is upper case.
    ///
    /// # Errors
    /// [`PosterError::Address`].
    pub fn parse(base: &'a str) -> Result<Self, PosterError> {
        let (scheme, rest) = base.split_once("://").ok_or(PosterError::Address)?;
        let host = rest.strip_suffix('/').unwrap_or(rest);
        let known = ["http", "https"]
            .iter()
            .any(|name| scheme.eq_ignore_ascii_case(name));
        let plain = host
            .chars()
            .all(|ch| ch.is_ascii_alphanumeric() || ".-:[]".contains(ch));
        if !known || !plain || host.is_empty() || host.len() > HOST_MAX {
            return Err(PosterError::Address);
        }
        Ok(Self { scheme, host })
    }

    /// What the QR code says: upper case, so that the whole address is in alphanumeric mode and the
    /// code two versions smaller; the service matches the path without regard to case.
    #[must_use]
    pub fn content(&self, code: Code) -> String {
        format!("{}://{}/C/{code}", self.scheme, self.host).to_ascii_uppercase()
    }
}
