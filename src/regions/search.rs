//! Search for wards by name, with or without accents.
//!
//! Eight pairs of today's wards differ only in their accents inside one province (Văn Lăng and Văn
//! Lang), and most people type none. So both sides are folded to find, and accents only decide the
//! order. The index is a list of folded names, made at the first search; a scan of all 10,035 takes
//! well under a millisecond, so there is nothing cleverer.

use super::Ward;
use crate::base::text::{accent_key, fold};

/// Folded names in the order of the wards: words of letters and digits with single spaces between.
#[derive(Debug)]
pub(super) struct Index {
    names: Vec<Box<str>>,
}

/// How well a ward fits; the smallest is the best.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Rank {
    /// Accents were typed and do not agree.
    other_accents: bool,
    /// Some typed word is only the beginning of the ward's word.
    cut_words: bool,
    /// Words of the name proper that were not typed.
    words_left: usize,
    /// Where in the name the first typed word stands, after the kind.
    position: usize,
}

impl Index {
    pub(super) fn of(wards: &[Ward]) -> Self {
        Self {
            names: wards
                .iter()
                .map(|ward| words(&fold(ward.name)).into())
                .collect(),
        }
    }

    pub(super) fn search<'a>(
        &self,
        wards: &'a [Ward],
        province: Option<&str>,
        text: &str,
        limit: usize,
    ) -> Vec<&'a Ward> {
        let typed = words(&fold(text));
        if typed.is_empty() {
            return Vec::new();
        }
        let typed_accents = words(&accent_key(text));
        let has_accents = typed_accents != typed;
        let in_province = |ward: &Ward| province.is_none_or(|province| province == ward.province);
        let mut found: Vec<(Rank, &Ward)> = wards
            .iter()
            .zip(&self.names)
            .filter(|(ward, _)| in_province(ward))
            .filter_map(|(ward, name)| {
                let mut rank = rank(ward, name, &typed)?;
                rank.other_accents = has_accents && !agrees(ward, &typed_accents);
                Some((rank, ward))
            })
            .collect();
        // Equal ranks stay in the order of the codes, which is the order of the map.
        found.sort_by_key(|&(rank, _)| rank);
        found.truncate(limit);
        found.into_iter().map(|(_, ward)| ward).collect()
    }
}

/// The rank of the best place where the typed words stand one after the other in the name.
fn rank(ward: &Ward, name: &str, typed: &str) -> Option<Rank> {
    let name: Vec<&str> = name.split(' ').collect();
    let typed: Vec<&str> = typed.split(' ').collect();
    let kind_words = ward.kind.label().split(' ').count();
    let fits = |part: &[&str]| {
        part.iter()
            .zip(&typed)
            .all(|(word, typed)| word.starts_with(typed))
    };
    let rank_at = |at: usize, exact: bool| {
        let typed_of_proper = (at + typed.len()).saturating_sub(kind_words.max(at));
        Rank {
            other_accents: false,
            cut_words: !exact,
            words_left: name.len().saturating_sub(kind_words + typed_of_proper),
            position: at.saturating_sub(kind_words),
        }
    };
    name.windows(typed.len())
        .enumerate()
        .filter(|(_, part)| fits(part))
        .map(|(at, part)| rank_at(at, part == typed.as_slice()))
        .min()
}

/// Whether the name contains what was typed, accents and all.
fn agrees(ward: &Ward, typed_accents: &str) -> bool {
    let name = words(&accent_key(ward.name));
    let typed: Vec<&str> = typed_accents.split(' ').collect();
    let name: Vec<&str> = name.split(' ').collect();
    name.windows(typed.len()).any(|part| {
        part.iter()
            .zip(&typed)
            .all(|(word, typed)| word.starts_with(typed))
    })
}

/// Words of letters, digits and marks; every other sign separates (`Bà Rịa - Vũng Tàu`).
fn words(text: &str) -> String {
    let separates = |c: char| !c.is_alphanumeric() && !matches!(c, '\u{300}'..='\u{36F}');
    text.split(separates)
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}
