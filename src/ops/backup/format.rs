//! The file: a header in clear, then chunks that are compressed and sealed.
//!
//! ```text
//! magic  length  header (JSON)                       in clear, bound to every chunk by its hash
//! kind   length  sealed: deflate: table rows row …   D: what stays, P: what passes
//! …
//! E      length  sealed: JSON: chunks, rows a table  the end, without which the file was cut off
//! ```
//!
//! A chunk is bound to its place and kind: one that is changed, moved, left out or taken from another
//! backup does not open. Numbers are big-endian.

use serde::{Deserialize, Serialize};

use super::Trouble;
use crate::{
    base::{Day, Random},
    privacy::{Key, Master, Place, hex, unhex},
};

/// The first bytes, with the version of the format.
pub(super) const MAGIC: &[u8] = b"diem-kiem-dich backup 1\n";

/// Bytes of rows in a chunk, before they are compressed.
pub(super) const CHUNK: usize = 256 * 1024;

/// More than any header, chunk or sealed chunk has.
pub(super) const HUGE: u32 = 64 * 1024 * 1024;

/// What is said in clear.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Header {
    /// The version of the program that wrote it.
    pub program: String,
    /// When, in milliseconds since the epoch.
    pub made_at: i64,
    /// The UTC day, by number: what passes opens with the backup key of this day.
    pub made_on: i32,
    /// The engine that it was read from.
    pub engine: String,
    /// The fingerprint of the master key that opens it.
    pub master: String,
    /// The key of what stays, sealed by a key of the master key.
    pub staying_key: String,
    /// The key of what passes, sealed by the backup key of the day.
    pub passing_key: String,
    /// The tables, in the order of their rows.
    pub tables: Vec<HeaderTable>,
}

/// A table, as the header names it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct HeaderTable {
    pub name: String,
    /// Whether its rows pass.
    pub passes: bool,
    /// Its columns, each with the letter of its kind.
    pub columns: Vec<(String, char)>,
}

/// How many rows of each table there are, at the end.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct End {
    pub chunks: u64,
    pub rows: Vec<u64>,
}

/// The two keys of a file.
#[derive(Debug)]
pub(super) struct Keys {
    pub staying: Key,
    /// `None` when what passes is shut.
    pub passing: Option<Key>,
}

fn key_place<'a>(column: &'static str, made_at: &'a [u8; 8]) -> Place<'a> {
    Place {
        table: "backup",
        column,
        row: made_at,
    }
}

impl Keys {
    /// New keys, and how they stand in the header.
    pub(super) fn new(
        master: &Master,
        backup_key: &Key,
        made_at: i64,
        random: &Random,
    ) -> (Self, String, String) {
        let row = made_at.to_be_bytes();
        let (staying, passing) = (Key::new(random), Key::new(random));
        let seal = |by: &Key, column, key: &Key| {
            hex(&by.seal(key_place(column, &row), key.bytes(), random)).to_string()
        };
        let texts = (
            seal(&master.derive("backup"), "staying", &staying),
            seal(backup_key, "passing", &passing),
        );
        let keys = Self {
            staying,
            passing: Some(passing),
        };
        (keys, texts.0, texts.1)
    }

    /// The keys of a file: what passes only with its backup key.
    pub(super) fn open(
        header: &Header,
        masters: &[Master],
        backup_key: Option<&Key>,
    ) -> Result<Self, Trouble> {
        let row = header.made_at.to_be_bytes();
        let open = |by: &Key, column, text: &str| {
            let plain = by.open(key_place(column, &row), &unhex(text)?).ok()?;
            Some(Key::from_bytes(plain.as_slice().try_into().ok()?))
        };
        let print = unhex(&header.master).ok_or(Trouble::Changed("its header"))?;
        let master = masters
            .iter()
            .find(|master| master.fingerprint().as_slice() == print)
            .ok_or(Trouble::WrongMaster)?;
        let staying = open(&master.derive("backup"), "staying", &header.staying_key);
        Ok(Self {
            staying: staying.ok_or(Trouble::Changed("its header"))?,
            passing: backup_key.and_then(|key| open(key, "passing", &header.passing_key)),
        })
    }
}

/// Where a chunk stands: in this file, at this place, of this kind.
pub(super) fn chunk_row(digest: &[u8; 32], at: u64, kind: u8) -> [u8; 41] {
    let mut row = [0; 41];
    let parts = digest.iter().copied().chain(at.to_be_bytes()).chain([kind]);
    row.iter_mut().zip(parts).for_each(|(to, from)| *to = from);
    row
}

pub(super) fn chunk_place(row: &[u8; 41]) -> Place<'_> {
    Place {
        table: "backup",
        column: "chunk",
        row,
    }
}

pub(super) const STAYS: u8 = b'D';
pub(super) const PASSES: u8 = b'P';
pub(super) const END: u8 = b'E';

/// The key of `day`, in a backup: bound to its day.
pub(super) fn day_place(row: &[u8; 4]) -> Place<'_> {
    Place {
        table: "backup",
        column: "day",
        row,
    }
}

/// The day on which a backup was made.
pub(super) fn made_on(header: &Header) -> Day {
    Day::from_number(header.made_on)
}
