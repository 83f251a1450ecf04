//! Pictures of pages, for people to look at.

use std::path::PathBuf;

use serde_json::json;

use crate::browser::{Browser, DESK, PHONE};

impl Browser {
    /// Leave pictures of the whole page on a phone and on a desk, when pictures are asked for.
    pub async fn picture(&self, name: &str) {
        if std::env::var_os("DKD_PICTURES").is_none() {
            return;
        }
        let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("target/screenshots");
        std::fs::create_dir_all(&folder).unwrap();
        for width in [PHONE, DESK] {
            for dark in [false, true] {
                self.resize(width).await;
                self.darken(dark).await;
                let shot = self.shot(width, 1).await;
                let light = if dark { "-dark" } else { "" };
                std::fs::write(folder.join(format!("{name}-{width}{light}.png")), shot).unwrap();
            }
        }
        self.as_set_up().await;
    }

    /// The whole page as PNG.
    async fn shot(&self, width: u32, scale: u32) -> Vec<u8> {
        let height = self
            .script("return document.documentElement.scrollHeight", &[])
            .await;
        let clip = json!({"x": 0, "y": 0, "width": width, "height": height, "scale": scale});
        let params = json!({"format": "png", "captureBeyondViewport": true, "clip": clip});
        let shot = self.cdp("Page.captureScreenshot", params).await;
        decode(shot["data"].as_str().unwrap())
    }
}

/// Base64, as the protocol hands out pictures.
fn decode(text: &str) -> Vec<u8> {
    const DIGITS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let digits: Vec<usize> = text
        .chars()
        .filter_map(|digit| DIGITS.find(digit))
        .collect();
    digits
        .chunks(4)
        .flat_map(|chunk| {
            let word =
                chunk.iter().fold(0, |word, digit| word << 6 | digit) << (6 * (4 - chunk.len()));
            let bytes = [word >> 16, word >> 8, word].map(|byte| u8::try_from(byte & 255).unwrap());
            bytes.into_iter().take(chunk.len() - 1)
        })
        .collect()
}
