//! `/dong-y`: every version of the consent text, so that everybody can read what they agreed to.

use actix_web::HttpResponse;

use super::{
    frame::Frame,
    views::{ConsentText, Consents},
};
use crate::{base::failure::Result, declarations::CONSENT_VERSIONS};

/// `GET /dong-y`.
pub async fn list(frame: Frame) -> Result<HttpResponse> {
    let page = frame.page();
    let current = super::consent_version();
    let versions = CONSENT_VERSIONS.iter().rev().map(|version| ConsentText {
        version: (*version).to_owned(),
        text: page.consent(version),
        current: *version == current,
    });
    frame.show(&Consents {
        versions: versions.collect(),
        p: page,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::web::{page::Page, texts::Lang};

    #[test]
    fn every_version_has_its_text_in_both_languages() {
        for lang in [Lang::Vi, Lang::En] {
            let page = Page::new(lang);
            for version in CONSENT_VERSIONS {
                let text = page.consent(version);
                assert!(text.len() > 40 && text.contains("21"), "{version}: {text}");
            }
        }
    }
}
