//! Reading the file, and finding out that it is not what was written.

use std::{
    io::{BufReader, Read},
    path::Path,
};

use flate2::read::DeflateDecoder;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{
    Trouble,
    format::{CHUNK, END, End, HUGE, Header, Keys, MAGIC, PASSES, STAYS, chunk_place, chunk_row},
};
use crate::{
    base::Timestamp,
    store::{Cell, ColumnKind},
};

/// Rows of one table.
#[derive(Debug)]
pub(super) struct Chunk {
    /// The number of the table in the header.
    pub table: usize,
    pub rows: Vec<Vec<Cell>>,
}

/// What comes next.
pub(super) enum Next {
    Chunk(Chunk),
    /// One that passed and is shut.
    Shut,
    /// The end, and how many rows each table has.
    End(Vec<u64>),
}

/// Reads a backup.
pub(super) struct Reader<R: Read> {
    input: BufReader<R>,
    pub header: Header,
    digest: [u8; 32],
    kinds: Vec<Vec<ColumnKind>>,
    at: u64,
    /// Bytes read.
    pub bytes: u64,
}

/// Read exactly as much, or say that the file was cut.
fn exact(input: &mut impl Read, bytes: &mut [u8]) -> Result<(), Trouble> {
    input.read_exact(bytes).map_err(|_| Trouble::Cut)
}

impl<R: Read> Reader<R> {
    pub(super) fn new(input: R) -> Result<Self, Trouble> {
        let mut input = BufReader::new(input);
        let mut magic = [0; MAGIC.len()];
        let foreign = Trouble::Foreign("this is no backup of diem-kiem-dich");
        if exact(&mut input, &mut magic).is_err() {
            return Err(foreign);
        }
        if magic != *MAGIC {
            let ours = magic.starts_with(b"diem-kiem-dich backup ");
            let newer =
                "this backup was written by a newer version of this program; run that version";
            return Err(if ours {
                Trouble::Foreign(newer)
            } else {
                foreign
            });
        }
        let length = length(&mut input)?;
        let mut text = vec![0; length as usize];
        exact(&mut input, &mut text)?;
        let mut sha = Sha256::new();
        sha.update(magic);
        sha.update(length.to_be_bytes());
        sha.update(&text);
        let header: Header =
            serde_json::from_slice(&text).map_err(|_| Trouble::Changed("its header"))?;
        let kinds = header.tables.iter().map(|table| {
            let kinds = table.columns.iter().map(|(_, letter)| kind(*letter));
            kinds.collect::<Option<Vec<ColumnKind>>>()
        });
        let kinds: Option<Vec<Vec<ColumnKind>>> = kinds.collect();
        Ok(Self {
            input,
            kinds: kinds.ok_or(Trouble::Changed("its header"))?,
            header,
            digest: sha.finalize().into(),
            at: 0,
            bytes: (MAGIC.len() + 4) as u64 + u64::from(length),
        })
    }

    /// The next chunk.
    pub(super) fn next(&mut self, keys: &Keys) -> Result<Next, Trouble> {
        let mut kind = [0];
        exact(&mut self.input, &mut kind)?;
        let [kind] = kind;
        let length = length(&mut self.input)?;
        let mut sealed = vec![0; length as usize];
        exact(&mut self.input, &mut sealed)?;
        self.bytes += 5 + u64::from(length);
        let row = chunk_row(&self.digest, self.at, kind);
        self.at += 1;
        let key = match kind {
            STAYS | END => Some(&keys.staying),
            PASSES => keys.passing.as_ref(),
            _ => return Err(Trouble::Changed("a chunk of no kind")),
        };
        let Some(key) = key else {
            return Ok(Next::Shut);
        };
        let plain = key
            .open(chunk_place(&row), &sealed)
            .map_err(|_| Trouble::Changed("a chunk"))?;
        if kind == END {
            let end: End =
                serde_json::from_slice(&plain).map_err(|_| Trouble::Changed("its end"))?;
            let mut more = [0];
            let is_last = matches!(self.input.read(&mut more), Ok(0));
            if end.chunks + 1 != self.at || !is_last || end.rows.len() != self.kinds.len() {
                return Err(Trouble::Changed("its end"));
            }
            return Ok(Next::End(end.rows));
        }
        let chunk = self.rows(&plain).ok_or(Trouble::Changed("a row"))?;
        let passes = self
            .header
            .tables
            .get(chunk.table)
            .map(|table| table.passes);
        if passes != Some(kind == PASSES) {
            return Err(Trouble::Changed("a chunk of another kind"));
        }
        Ok(Next::Chunk(chunk))
    }

    fn rows(&self, deflated: &[u8]) -> Option<Chunk> {
        let mut plain = zeroize::Zeroizing::new(Vec::with_capacity(CHUNK * 2));
        DeflateDecoder::new(deflated)
            .take(u64::from(HUGE))
            .read_to_end(&mut plain)
            .ok()?;
        let mut rest = plain.as_slice();
        let table = usize::from(u16::from_be_bytes(take(&mut rest)?));
        let count = u32::from_be_bytes(take(&mut rest)?);
        let kinds = self.kinds.get(table)?;
        let mut rows = Vec::new();
        for _ in 0..count {
            let row: Option<Vec<Cell>> = kinds.iter().map(|kind| get(&mut rest, *kind)).collect();
            rows.push(row?);
        }
        rest.is_empty().then_some(Chunk { table, rows })
    }
}

fn length(input: &mut impl Read) -> Result<u32, Trouble> {
    let mut bytes = [0; 4];
    exact(input, &mut bytes)?;
    let length = u32::from_be_bytes(bytes);
    if length > HUGE {
        return Err(Trouble::Changed("a length"));
    }
    Ok(length)
}

fn kind(letter: char) -> Option<ColumnKind> {
    [
        ColumnKind::Int,
        ColumnKind::Bool,
        ColumnKind::Text,
        ColumnKind::Bytes,
        ColumnKind::Uuid,
        ColumnKind::Time,
    ]
    .into_iter()
    .find(|kind| kind.letter() == letter)
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (found, after) = rest.split_first_chunk()?;
    *rest = after;
    Some(*found)
}

fn get(rest: &mut &[u8], kind: ColumnKind) -> Option<Cell> {
    match take(rest)? {
        [0] => return Some(Cell::Null),
        [1] => {}
        _ => return None,
    }
    let long = |rest: &mut &[u8]| {
        let length = u32::from_be_bytes(take(rest)?) as usize;
        let (found, after) = rest.split_at_checked(length)?;
        *rest = after;
        Some(found.to_vec())
    };
    Some(match kind {
        ColumnKind::Int => Cell::Int(i64::from_be_bytes(take(rest)?)),
        ColumnKind::Time => Cell::Time(Timestamp::from_micros(i64::from_be_bytes(take(rest)?))),
        ColumnKind::Uuid => Cell::Uuid(Uuid::from_bytes(take(rest)?)),
        ColumnKind::Text => Cell::Text(String::from_utf8(long(rest)?).ok()?),
        ColumnKind::Bytes => Cell::Bytes(long(rest)?),
        ColumnKind::Bool => match take(rest)? {
            [0] => Cell::Bool(false),
            [1] => Cell::Bool(true),
            _ => return None,
        },
    })
}

/// Open the file at `path`.
pub(super) fn open(path: &Path) -> Result<Reader<std::fs::File>, Trouble> {
    let file = std::fs::File::open(path).map_err(|error| Trouble::File(path.to_owned(), error))?;
    Reader::new(file)
}
