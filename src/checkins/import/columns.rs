//! The header of a file, and what stands in its cells.

use crate::base::sheet::unguarded;

/// The columns of the file, all of them required, in any order.
const COLUMNS: [&str; 7] = [
    "checkpoint",
    "entered_at",
    "left_at",
    "phone",
    "full_name",
    "id_number",
    "seat",
];

/// What a rejects file has besides; passed over.
pub(super) const REJECT_COLUMNS: [&str; 2] = ["line", "reason"];

/// Where each of [`COLUMNS`] stands.
#[derive(Clone, Copy, Debug)]
pub(super) struct Columns {
    pub(super) places: [usize; 7],
    pub(super) count: usize,
}

impl Columns {
    /// Read the header; `None` when a column is missing, unknown or there twice.
    pub(super) fn read(header: &csv::ByteRecord) -> Option<Self> {
        let names: Vec<&str> = header
            .iter()
            .map(|name| std::str::from_utf8(name).ok().map(str::trim))
            .collect::<Option<_>>()?;
        let known = |name: &str| COLUMNS.contains(&name) || REJECT_COLUMNS.contains(&name);
        let mut unique = names.clone();
        unique.sort_unstable();
        unique.dedup();
        if !names.iter().all(|name| known(name)) || unique.len() != names.len() {
            return None;
        }
        let mut places = [0; 7];
        for (place, column) in places.iter_mut().zip(COLUMNS) {
            *place = names.iter().position(|name| *name == column)?;
        }
        Some(Self {
            places,
            count: names.len(),
        })
    }
}

/// Take off outer blanks, and the `'` that our exports put before what looks like a formula.
pub(super) fn unquote(text: &str) -> &str {
    unguarded(text.trim_matches(' '))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_names_every_column_in_any_order() {
        let read = |names: &[&str]| Columns::read(&csv::ByteRecord::from(names.to_vec()));
        assert_eq!(read(&COLUMNS).unwrap().places, [0, 1, 2, 3, 4, 5, 6]);
        let mut turned = COLUMNS;
        turned.reverse();
        assert_eq!(read(&turned).unwrap().places, [6, 5, 4, 3, 2, 1, 0]);
        assert_eq!(
            read(&[&COLUMNS[..], &REJECT_COLUMNS].concat())
                .unwrap()
                .count,
            9
        );
        assert!(read(&COLUMNS[1..]).is_none());
        assert!(read(&[&COLUMNS[..], &["seat"]].concat()).is_none());
        assert!(read(&[&COLUMNS[..], &["note"]].concat()).is_none());
        assert!(read(&["Checkpoint"]).is_none());
    }

    #[test]
    fn only_the_apostrophe_of_our_exports_is_taken_off() {
        for (cell, text) in [
            ("'=1+1", "=1+1"),
            ("'+84901234567", "+84901234567"),
            ("'-Anh", "-Anh"),
            ("'Anh", "'Anh"),
            (" 0901234567 ", "0901234567"),
            ("'", "'"),
        ] {
            assert_eq!(unquote(cell), text);
        }
    }
}
