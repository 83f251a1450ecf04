//! The rules of WCAG 2.2 AA that a program can judge, by axe-core.

use std::path::PathBuf;

use crate::browser::{Browser, DESK, PHONE};

/// Where `tests/run` installs axe-core.
const SOURCE: &str = "target/tools/node_modules/axe-core/axe.min.js";

/// What axe finds against the page, as a list of texts.
const RUN: &str = r"
    const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
    return axe.run(document, { runOnly: tags, resultTypes: ['violations'] }).then(result => result.violations.flatMap(rule =>
        rule.nodes.map(node => rule.id + ': ' + node.target.join(' ') + ': ' + node.failureSummary.replace(/\s+/g, ' '))));
";

/// Fail when axe finds anything on this page, on a phone or a desk, light or dark.
pub async fn check(browser: &Browser) {
    assert!(
        browser.has_scripts(),
        "axe waits for timers, which need scripts"
    );
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(SOURCE);
    let source = std::fs::read_to_string(&file)
        .unwrap_or_else(|_| panic!("{SOURCE} is needed: tests/run installs it"));
    let script = format!("if (!window.axe) {{ {source} }} {RUN}");
    let mut found = Vec::new();
    for width in [PHONE, DESK] {
        browser.resize(width).await;
        for dark in [false, true] {
            browser.darken(dark).await;
            let bad = browser.script(&script, &[]).await;
            let light = if dark { "dark" } else { "light" };
            let bad = bad.as_array().expect("axe gives a list").iter();
            found.extend(bad.map(|text| format!("{width} {light}: {text}")));
        }
    }
    browser.as_set_up().await;
    assert!(found.is_empty(), "{}: {found:#?}", browser.here().await);
}
