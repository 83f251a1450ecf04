//! The targets of the fuzzers, run over their seeds and mutations of them: what libFuzzer runs for
//! hours starts from here, and a parser that breaks at once breaks in every test run.

use std::{collections::BTreeSet, path::PathBuf};

use diem_kiem_dich::base::Random;

#[path = "../../fuzz/targets.rs"]
mod targets;

/// Mutations of each seed. Importing a file takes milliseconds, the rest microseconds.
const MUTATIONS: usize = 300;
const MUTATIONS_OF_FILES: usize = 12;

/// Bytes that mean something to one of the parsers.
const WORDS: &[&[u8]] = &[
    b"\0",
    b"\xff",
    b"\r\n",
    b"\"",
    b"'=",
    b",",
    b"%",
    b"+84",
    b"0",
    b"99999999999999999999",
    b"-1",
    b"null",
    b"{}",
    b"[",
    "\u{202e}".as_bytes(),
    "\u{301}".as_bytes(),
    "ễ".as_bytes(),
    "𝟘".as_bytes(),
    "\u{feff}".as_bytes(),
];

fn folder(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("fuzz")
        .join(name)
}

fn seeds(target: &str) -> Vec<Vec<u8>> {
    let files = std::fs::read_dir(folder("seeds").join(target)).unwrap();
    let mut files: Vec<_> = files.map(|file| file.unwrap().path()).collect();
    files.sort();
    files
        .iter()
        .map(|file| std::fs::read(file).unwrap())
        .collect()
}

/// A number below `below`, or 0.
fn below(random: &Random, below: usize) -> usize {
    let number = u32::from_le_bytes(random.bytes());
    usize::try_from(number).unwrap() % below.max(1)
}

/// One to four changes, as a fuzzer makes them.
fn mutate(random: &Random, seed: &[u8], other: &[u8]) -> Vec<u8> {
    let mut data = seed.to_vec();
    for _ in 0..=below(random, 4) {
        let at = below(random, data.len() + 1);
        let end = at + below(random, data.len() - at + 1);
        match below(random, 6) {
            0 if at < data.len() => data[at] ^= 1 << below(random, 8),
            1 => drop(data.drain(at..end)),
            2 => {
                let word = WORDS[below(random, WORDS.len())];
                drop(data.splice(at..at, word.iter().copied()));
            }
            3 => {
                let again = data[at..end].to_vec();
                drop(data.splice(at..at, again));
            }
            4 => {
                let from = below(random, other.len() + 1);
                drop(data.splice(at..end, other[from..].iter().copied()));
            }
            _ => data.push(random.bytes::<1>()[0]),
        }
    }
    data.truncate(16 * 1024);
    data
}

#[test]
fn no_parser_breaks_on_mutated_seeds() {
    for (name, run) in targets::TARGETS {
        let random = Random::seeded(7);
        let seeds = seeds(name);
        let mutations = match *name {
            "import" => MUTATIONS_OF_FILES,
            _ => MUTATIONS,
        };
        run(b"");
        for (at, seed) in seeds.iter().enumerate() {
            run(seed);
            let other = &seeds[(at + 1) % seeds.len()];
            for _ in 0..mutations {
                let data = mutate(&random, seed, other);
                let went_well = std::panic::catch_unwind(|| run(&data)).is_ok();
                assert!(
                    went_well,
                    "{name} breaks on {:?}",
                    String::from_utf8_lossy(&data)
                );
            }
        }
    }
    targets::tidy();
}

#[test]
fn every_target_has_seeds_and_a_fuzzer() {
    let names = |folder: PathBuf| -> BTreeSet<String> {
        let files = std::fs::read_dir(folder).unwrap();
        files
            .map(|file| file.unwrap().path())
            .map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned())
            .collect()
    };
    let known: BTreeSet<String> = targets::TARGETS
        .iter()
        .map(|(name, _)| (*name).to_owned())
        .collect();
    assert_eq!(names(folder("seeds")), known);
    assert_eq!(names(folder("fuzz_targets")), known);
    let manifest = std::fs::read_to_string(folder("Cargo.toml")).unwrap();
    for (name, _) in targets::TARGETS {
        assert!(seeds(name).len() >= 4, "{name} has too few seeds");
        assert!(manifest.contains(&format!("name = \"{name}\"")), "{name}");
    }
}
