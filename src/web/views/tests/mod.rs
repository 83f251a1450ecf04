//! Renders every page with every sample, in both languages, and looks at the result. The pages are
//! also left in `target/pages`, to be opened in a browser.

mod samples;

use std::fs;
use std::path::Path;

use crate::web::assets;
use crate::web::texts::Lang;
use samples::samples;

/// The values of an attribute, in the order of the page.
fn attribute_values<'a>(html: &'a str, name: &str) -> Vec<&'a str> {
    let opening = format!(" {name}=\"");
    html.split(&opening)
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .collect()
}

/// Tags with this name, from `<` to `>`.
fn tags<'a>(html: &'a str, name: &str) -> Vec<&'a str> {
    let opening = format!("<{name}");
    html.match_indices(&opening)
        .map(|(at, _)| &html[at..])
        .filter(|rest| rest[opening.len()..].starts_with(|c: char| c.is_whitespace() || c == '>'))
        .map(|rest| rest.split('>').next().unwrap_or(rest))
        .collect()
}

fn check(name: &str, lang: Lang, html: &str) {
    let at = format!("{name} ({})", lang.code());
    assert!(html.starts_with("<!doctype html>"), "{at}: {html:.60}");
    assert!(
        html.contains(&format!("<html lang=\"{}\">", lang.code())),
        "{at}: language"
    );
    assert_eq!(
        tags(html, "h1").len(),
        1,
        "{at}: headings of the first level"
    );
    assert_eq!(tags(html, "main").len(), 1, "{at}: one main part");
    assert!(!html.contains("<style"), "{at}: inline style");
    assert!(
        attribute_values(html, "style").is_empty(),
        "{at}: style attribute"
    );
    assert!(!html.contains("javascript:"), "{at}: script in a link");
    for script in tags(html, "script") {
        assert!(
            script.contains(" src=\"/static/"),
            "{at}: inline script {script}"
        );
    }
    for handler in [
        "onclick", "onload", "onsubmit", "onchange", "onerror", "oninput",
    ] {
        assert!(!html.contains(&format!(" {handler}=")), "{at}: {handler}");
    }
    check_addresses(&at, html);
    check_ids(&at, html);
    check_labels(&at, html);
}

fn check_addresses(at: &str, html: &str) {
    for name in ["src", "href", "action", "formaction"] {
        for address in attribute_values(html, name) {
            let ours = address.is_empty() || address.starts_with(['/', '#', '?']);
            assert!(
                ours || address.starts_with("tel:"),
                "{at}: foreign address {address}"
            );
            assert!(
                !address.starts_with("//"),
                "{at}: foreign address {address}"
            );
        }
    }
    for form in tags(html, "form") {
        assert!(form.contains("method="), "{at}: {form}");
        assert!(form.contains("action=\"/"), "{at}: {form}");
    }
    let posts = html.matches("method=\"post\"").count();
    let tokens = html.matches("name=\"csrf\"").count();
    assert_eq!(
        posts, tokens,
        "{at}: every form that changes something has its token"
    );
}

fn check_ids(at: &str, html: &str) {
    let mut ids = attribute_values(html, "id");
    ids.sort_unstable();
    let all = ids.len();
    ids.dedup();
    assert_eq!(all, ids.len(), "{at}: an id stands twice");
    for link in attribute_values(html, "href") {
        if let Some(target) = link.strip_prefix('#') {
            assert!(
                ids.contains(&target),
                "{at}: link to {link}, which is not there"
            );
        }
    }
    for name in ["aria-describedby", "aria-labelledby", "for"] {
        for value in attribute_values(html, name) {
            for target in value.split_whitespace() {
                assert!(ids.contains(&target), "{at}: {name} names {target}");
            }
        }
    }
}

fn check_labels(at: &str, html: &str) {
    let labelled = attribute_values(html, "for");
    for field in tags(html, "select").into_iter().chain(tags(html, "input")) {
        if field.contains("type=\"hidden\"") {
            continue;
        }
        // A radio button or a box stands inside its label.
        if field.contains("type=\"radio\"") || field.contains("type=\"checkbox\"") {
            let before = html.split(field).next().unwrap_or_default();
            let inside = before.rfind("<label") > before.rfind("</label>");
            assert!(inside, "{at}: no label around {field}");
            continue;
        }
        let id = attribute_values(field, "id");
        assert_eq!(id.len(), 1, "{at}: {field}");
        assert!(labelled.contains(&id[0]), "{at}: no label for {field}");
    }
}

#[test]
fn every_page_renders_and_is_well_made() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/pages");
    fs::create_dir_all(folder.join("static")).unwrap();
    for (name, content) in [
        ("app.css", assets::CSS),
        ("app.js", assets::SCRIPT),
        ("icon.svg", assets::ICON),
    ] {
        fs::write(folder.join("static").join(name), content).unwrap();
    }
    for lang in [Lang::Vi, Lang::En] {
        for (name, html) in samples(lang) {
            let file = format!("{name}.{}.html", lang.code());
            fs::write(folder.join(file), html.replace("\"/static/", "\"static/")).unwrap();
            check(name, lang, &html);
        }
    }
}

#[test]
fn a_page_with_errors_says_so_first_and_keeps_what_was_typed() {
    for (name, html) in samples(Lang::Vi) {
        let wrong = html.contains("class=\"summary\"");
        assert_eq!(wrong, html.contains("<title>Lỗi:"), "{name}");
        if name == "visitor-errors" {
            assert!(wrong);
            assert!(
                html.contains("value=\"Đỗ Thị Ổi\""),
                "the typed name is kept"
            );
            assert!(html.contains("role=\"alert\""));
        }
    }
}

#[test]
fn nothing_is_answered_before_the_visitor_does() {
    for lang in [Lang::Vi, Lang::En] {
        let (_, html) = samples(lang)
            .into_iter()
            .find(|(name, _)| *name == "visitor-first")
            .unwrap();
        assert!(
            !html.contains(" checked"),
            "an answer or the consent is preset"
        );
        for question in [
            "travel",
            "symptoms",
            "contact_case",
            "contact_affected_area",
            "contact_symptomatic",
        ] {
            let buttons = html
                .matches(&format!("type=\"radio\" name=\"{question}\""))
                .count();
            assert_eq!(buttons, 2, "{question}");
        }
    }
}

#[test]
fn texts_from_outside_are_escaped() {
    for (name, html) in samples(Lang::Vi) {
        assert!(
            !html.contains("<b>Phở"),
            "{name} shows a venue's name as markup"
        );
    }
    let (_, html) = samples(Lang::Vi)
        .into_iter()
        .find(|(name, _)| *name == "venue")
        .unwrap();
    assert!(html.contains("Phở &#38; Bún") || html.contains("Phở &amp; Bún"));
}

#[test]
fn the_first_visit_is_small() {
    let first = samples(Lang::Vi)
        .into_iter()
        .find(|(name, _)| *name == "visitor-first")
        .map(|(_, html)| html.len())
        .unwrap();
    let all = first + assets::CSS.len() + assets::SCRIPT.len();
    assert!(all < 40_000, "page {first} bytes, all {all}");
}
