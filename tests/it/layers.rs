//! The arrow rule: a room uses only what stands below it.

use std::{collections::BTreeSet, path::Path};

/// The rooms, lowest first. A room may use itself and whatever stands before it.
const ORDER: [&str; 21] = [
    "base",
    "config", // uses the store's `Target` alone, below
    "store",
    "privacy",
    "regions",
    "identity",
    "messages",
    "otp",
    "accounts",
    "venues",
    "posters",
    "declarations",
    "checkins",
    "cases",
    "exposures",
    "rights",
    "http",
    "api",
    "web",
    "ops",
    "cli",
];

/// The one arrow that is allowed to point up: settings name the kind of store.
const ALLOWED: [(&str, &str); 1] = [("config", "store")];

#[test]
fn arrows_point_down() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut wrong = Vec::new();
    let mut rooms = BTreeSet::new();
    for file in files(&src) {
        let below = file.strip_prefix(&src).unwrap();
        let first = below.iter().next().unwrap().to_str().unwrap();
        let room = first.trim_end_matches(".rs");
        if matches!(room, "lib" | "main") {
            continue;
        }
        rooms.insert(room.to_owned());
        let rank = rank(room).unwrap_or_else(|| panic!("{room} has no place in the order"));
        let source = std::fs::read_to_string(&file).unwrap();
        for used in used_rooms(&source) {
            let allowed = ALLOWED.contains(&(room, used.as_str()));
            if crate::layers::rank(&used).is_some_and(|other| other > rank) && !allowed {
                wrong.push(format!("{} uses {used}", below.display()));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "arrows that point up:\n{}",
        wrong.join("\n")
    );
    assert!(rooms.len() >= 16, "the scan found only {rooms:?}");
}

/// Only `store/` names a database driver; deriving how a row is read is allowed everywhere.
#[test]
fn only_the_store_names_a_driver() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for file in files(&src) {
        let below = file.strip_prefix(&src).unwrap();
        if below.starts_with("store") {
            continue;
        }
        let source = std::fs::read_to_string(&file).unwrap();
        for (at, line) in source.lines().enumerate() {
            let rest = line.replace("sqlx::FromRow", "").replace("sqlx::Type", "");
            assert!(
                !rest.contains("sqlx::"),
                "{}:{} names the driver",
                below.display(),
                at + 1
            );
        }
    }
}

#[test]
fn the_scan_sees_every_kind_of_arrow() {
    let source = "use crate::{\n    base::{Day, ids},\n    store::{self, Db},\n};\nuse crate::http::App;\nfn f() { crate::cli::main(); } // crate::web::x\n";
    let seen: Vec<_> = used_rooms(source).into_iter().collect();
    assert_eq!(seen, ["base", "cli", "http", "store"]);
}

fn rank(room: &str) -> Option<usize> {
    ORDER.iter().position(|other| *other == room)
}

/// The rooms that `source` names after `crate::`, alone or in braces.
fn used_rooms(source: &str) -> BTreeSet<String> {
    let code: String = source
        .lines()
        .map(|line| line.split("//").next().unwrap_or(""))
        .collect::<Vec<_>>()
        .join("\n");
    let mut rooms = BTreeSet::new();
    for (at, found) in code.match_indices("crate::") {
        let rest = &code[at + found.len()..];
        if let Some(group) = rest.strip_prefix('{') {
            let mut depth = 0;
            let mut word = String::new();
            let mut expecting = true;
            for c in group.chars() {
                match c {
                    '{' => depth += 1,
                    '}' if depth == 0 => break,
                    '}' => depth -= 1,
                    ',' if depth == 0 => expecting = true,
                    c if depth == 0 && expecting && (c.is_alphanumeric() || c == '_') => {
                        word.push(c);
                    }
                    _ if depth == 0 && !word.is_empty() => {
                        rooms.insert(std::mem::take(&mut word));
                        expecting = false;
                    }
                    _ => {}
                }
            }
            if !word.is_empty() {
                rooms.insert(word);
            }
        } else {
            let word: String = rest
                .chars()
                .take_while(|c| c.is_alphanumeric() || *c == '_')
                .collect();
            rooms.insert(word);
        }
    }
    rooms.retain(|room| rank(room).is_some());
    rooms
}

/// The Rust files under `dir`.
pub fn files(dir: &Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if path.extension().is_some_and(|ext| ext == "rs") {
            found.push(path);
        }
    }
    found.sort();
    found
}
