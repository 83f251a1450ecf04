//! What every page must keep, whatever journey opens it.

use serde_json::{Value, json};

use crate::browser::{Browser, DESK, PHONE};

/// Widths at which no page may be wider than its window; 320 is what WCAG 2.2 (1.4.10) asks for.
const WIDTHS: [u32; 3] = [320, PHONE, DESK];

impl Browser {
    /// What every page must keep: no message in the console and no breach of the policy, one
    /// heading, a language, a title, labels, nothing inline, nothing from elsewhere, and no page
    /// wider than its window.
    pub async fn check(&self) {
        let mut found: Vec<String> = self.console().await;
        let sound = self.script(SOUND, &[&self.server]).await;
        found.extend(texts(&sound));
        for width in WIDTHS {
            self.resize(width).await;
            let wide = self.script(WIDE, &[&width.to_string()]).await;
            found.extend(texts(&wide));
        }
        self.as_set_up().await;
        assert!(found.is_empty(), "{}: {found:#?}", self.here().await);
    }

    /// The warnings and errors of the browser since the last call. That a form was answered with 4xx
    /// is no fault of the page.
    async fn console(&self) -> Vec<String> {
        let log = self
            .command("/se/log", Some(json!({"type": "browser"})))
            .await;
        let entries = log.as_array().cloned().unwrap_or_default();
        let expected = |entry: &Value| {
            let message = entry["message"].as_str().unwrap_or_default();
            if entry["level"] == "INFO" || entry["level"] == "DEBUG" {
                return true;
            }
            entry["source"] == "network"
                && message.contains("with a status of 4")
                && !message.contains("/static/")
                && !message.contains("/api/")
        };
        let unexpected = entries.iter().filter(|entry| !expected(entry));
        unexpected
            .map(|entry| format!("console: {}", entry["message"]))
            .collect()
    }
}

fn texts(list: &Value) -> Vec<String> {
    let items = list.as_array().expect("a list").iter();
    items
        .map(|item| item.as_str().unwrap().to_owned())
        .collect()
}

/// What is wrong with the page, as a list of texts. The argument is the server's address.
const SOUND: &str = r##"
    const bad = [], all = [...document.querySelectorAll('*')];
    const name = element => element.outerHTML.slice(0, 120);
    const headings = document.querySelectorAll('h1');
    if (headings.length !== 1 || !headings[0].textContent.trim()) bad.push(headings.length + ' h1');
    if (!['vi', 'en'].includes(document.documentElement.lang)) bad.push('lang ' + document.documentElement.lang);
    if (!document.title.trim()) bad.push('no title');
    for (const element of all) {
        if (element.hasAttribute('style')) bad.push('inline style: ' + name(element));
        for (const { name: attribute } of element.attributes) if (attribute.startsWith('on')) bad.push('inline handler: ' + name(element));
        if (element.matches('style, script:not([src])')) bad.push('inline ' + element.localName);
        if (element.matches('input:not([type=hidden]), select, textarea')
            && !element.labels.length && !element.ariaLabel) bad.push('no label: ' + name(element));
        if (element.matches('[id]') && document.querySelectorAll('#' + CSS.escape(element.id)).length > 1) bad.push('id twice: ' + element.id);
        if (element.matches('a[href^="#"]') && !document.getElementById(element.getAttribute('href').slice(1))) bad.push('link to nowhere: ' + name(element));
        if (element.matches('[href], [src], [action]')) {
            const to = new URL(element.getAttribute('href') ?? element.getAttribute('src') ?? element.getAttribute('action'), document.baseURI);
            if (to.protocol !== 'tel:' && to.origin !== arguments[0]) bad.push('elsewhere: ' + name(element));
        }
    }
    for (const { name: url } of performance.getEntriesByType('resource')) if (!url.startsWith(arguments[0] + '/')) bad.push('fetched from ' + url);
    return bad;
"##;

/// What is wider than the window, as a list of texts. What scrolls in a frame of its own is not.
const WIDE: &str = r"
    const width = Number(arguments[0]), bad = [], root = document.documentElement;
    if (root.scrollWidth <= width && innerWidth <= width) return bad;
    const framed = element => element && (getComputedStyle(element).overflowX !== 'visible' || framed(element.parentElement));
    for (const element of document.body.querySelectorAll('*'))
        if (element.getBoundingClientRect().right > width + 0.5 && !framed(element.parentElement)) bad.push(width + ' px: ' + element.outerHTML.slice(0, 100));
    return [width + ' px: the page is ' + Math.max(root.scrollWidth, innerWidth) + ' px wide', ...bad.slice(0, 5)];
";
