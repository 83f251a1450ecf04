//! The stylesheet, the script and the icon, compiled in.
//!
//! Their addresses carry a fingerprint of their content (`/static/app.css?v=…`), so browsers may
//! keep them for a year and still get a new version with the next page.

use std::fmt::Write as _;
use std::sync::LazyLock;

use sha2::{Digest, Sha256};

/// The one stylesheet.
pub const CSS: &str = include_str!("../../assets/static/app.css");
/// The one script; every page works without it.
pub const SCRIPT: &str = include_str!("../../assets/static/app.js");
/// The script that works for a code; only the page that asks for one has it.
pub const WORK: &str = include_str!("../../assets/static/work.js");
/// The icon.
pub const ICON: &str = include_str!("../../assets/static/icon.svg");

static FINGERPRINT: LazyLock<String> = LazyLock::new(|| {
    let mut hash = Sha256::new();
    for part in [CSS, SCRIPT, WORK, ICON] {
        hash.update(part.as_bytes());
    }
    let mut text = String::new();
    for byte in hash.finalize().iter().take(4) {
        // Writing into a string does not fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
});

/// Eight hexadecimal digits that change with the content of any of these files.
#[must_use]
pub fn fingerprint() -> &'static str {
    &FINGERPRINT
}
