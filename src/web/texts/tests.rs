use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use super::*;

const SOURCES: [(&str, &str); 2] = [
    ("vi", include_str!("../../../assets/locales/vi.ftl")),
    ("en", include_str!("../../../assets/locales/en.ftl")),
];

/// Keys of a message file with the arguments each text uses.
fn arguments_by_key(source: &str) -> BTreeMap<String, BTreeSet<String>> {
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut current = None;
    for line in source.lines() {
        let starts_message = line
            .chars()
            .next()
            .is_some_and(|first| first.is_ascii_lowercase());
        if starts_message {
            let (key, _) = line.split_once(" =").expect("a message is `key = text`");
            assert!(
                !found.contains_key(key),
                "the key {key} stands twice in one file"
            );
            current = Some(key.to_owned());
            found.entry(key.to_owned()).or_default();
        }
        let Some(key) = &current else { continue };
        for piece in line.split('$').skip(1) {
            let name: String = piece
                .chars()
                .take_while(|c| c.is_ascii_alphanumeric() || *c == '_')
                .collect();
            found.entry(key.clone()).or_default().insert(name);
        }
    }
    found
}

/// Every file below a folder.
pub(crate) fn files_below(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files_below(&path, into);
        } else {
            into.push(path);
        }
    }
}

#[test]
fn both_files_parse_whole() {
    for (name, source) in SOURCES {
        if let Err((_, errors)) = FluentResource::try_new(source.to_owned()) {
            panic!("{name}.ftl: {errors:?}");
        }
    }
}

#[test]
fn both_languages_have_the_same_keys_and_arguments() {
    let vi = arguments_by_key(SOURCES[0].1);
    let en = arguments_by_key(SOURCES[1].1);
    let missing: Vec<_> = vi.keys().filter(|key| !en.contains_key(*key)).collect();
    assert!(missing.is_empty(), "missing in English: {missing:?}");
    let missing: Vec<_> = en.keys().filter(|key| !vi.contains_key(*key)).collect();
    assert!(missing.is_empty(), "missing in Vietnamese: {missing:?}");
    for (key, arguments) in &vi {
        assert_eq!(arguments, &en[key], "arguments of {key}");
    }
}

#[test]
fn every_key_that_a_page_names_exists() {
    let known = arguments_by_key(SOURCES[0].1);
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    files_below(&root.join("assets/templates"), &mut files);
    files_below(&root.join("src/web"), &mut files);
    let mut seen = 0;
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        for call in [
            ".t(\"",
            ".t1(\"",
            ".t2(\"",
            ".tn(\"",
            ".t_args(\"",
            "key: \"",
        ] {
            for piece in text.split(call).skip(1) {
                let key = piece.split('"').next().unwrap_or_default();
                if key.is_empty() || key.ends_with('-') {
                    continue;
                }
                seen += 1;
                let shown = file.display();
                assert!(
                    known.contains_key(key),
                    "{shown} names the text {key}, which is missing"
                );
            }
        }
    }
    assert!(seen > 100, "the search found the templates' keys ({seen})");
}

#[test]
fn no_text_is_left_unused() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    files_below(&root.join("assets/templates"), &mut files);
    files_below(&root.join("src/web"), &mut files);
    files.retain(|file| !file.ends_with("texts/tests.rs"));
    let all: String = files
        .iter()
        .map(|file| fs::read_to_string(file).unwrap())
        .collect();
    // Families whose last part is a value: a symptom, an error's code.
    let families = [
        "symptom-",
        "error-",
        "role-",
        "risk-",
        "status-",
        "warning-",
        "sex-",
        "rule-",
        "weekday-",
        "question-",
        "because-",
        "poster-",
        "measure-",
        "consent-",
        "request-kind-",
        "request-state-",
        "own-opened-for-",
    ];
    let unused: Vec<_> = arguments_by_key(SOURCES[0].1)
        .into_keys()
        .filter(|key| !families.iter().any(|family| key.starts_with(family)))
        .filter(|key| !all.contains(&format!("\"{key}\"")))
        .collect();
    assert!(unused.is_empty(), "texts that no page shows: {unused:?}");
}

#[test]
fn texts_carry_no_isolation_marks_and_count_in_both_languages() {
    for lang in [Lang::Vi, Lang::En] {
        let texts = Texts::for_lang(lang);
        let one = texts.t_args("people-count", &[("n", &1)]);
        let many = texts.t_args("people-count", &[("n", &12)]);
        assert!(one.contains('1') && many.contains("12"), "{one} / {many}");
        assert!(!many.contains(['\u{2068}', '\u{2069}']));
    }
    assert_ne!(
        EN.t_args("people-count", &[("n", &1)]).replace('1', "2"),
        EN.t_args("people-count", &[("n", &2)]),
        "English has a singular"
    );
}

#[test]
fn an_argument_of_digits_is_not_rewritten() {
    for login in ["+84901234567", "0901234567", "1.0", "=1+1"] {
        let text = VI.t_args("nav-logout", &[("login", &login)]);
        assert!(text.contains(login), "{text}");
    }
}

#[test]
fn languages_are_chosen_by_weight() {
    assert_eq!(Lang::from_accept(""), Lang::Vi);
    assert_eq!(Lang::from_accept("en-GB,en;q=0.9"), Lang::En);
    assert_eq!(Lang::from_accept("vi-VN,vi;q=0.9,en;q=0.8"), Lang::Vi);
    assert_eq!(Lang::from_accept("en;q=0.3, vi;q=0.7"), Lang::Vi);
    assert_eq!(Lang::from_accept("ko-KR, en;q=0.5"), Lang::En);
    assert_eq!(Lang::from_accept("fr"), Lang::Vi);
    assert_eq!(Lang::from_accept("en;q=0, fr"), Lang::Vi);
    assert_eq!(Lang::from_accept(";;q=,,en;q=x"), Lang::Vi);
}
