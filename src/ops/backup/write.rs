//! Writing the file.

use std::io::{self, BufWriter, Write};

use flate2::{Compression, write::DeflateEncoder};
use sha2::{Digest, Sha256};

use super::format::{CHUNK, END, End, Header, Keys, MAGIC, PASSES, STAYS, chunk_place, chunk_row};
use crate::{base::Random, store::Cell};

/// Writes a backup.
pub(super) struct Writer<W: Write> {
    out: BufWriter<W>,
    header: Header,
    digest: [u8; 32],
    keys: Keys,
    random: Random,
    at: u64,
    rows: Vec<u64>,
    table: usize,
    pending: Vec<u8>,
    pending_rows: u32,
}

impl<W: Write> Writer<W> {
    pub(super) fn new(out: W, header: Header, keys: Keys, random: &Random) -> io::Result<Self> {
        let mut out = BufWriter::new(out);
        let text = serde_json::to_vec(&header)?;
        let mut head = MAGIC.to_vec();
        head.extend(u32::try_from(text.len()).unwrap_or(u32::MAX).to_be_bytes());
        head.extend(text);
        out.write_all(&head)?;
        Ok(Self {
            out,
            rows: vec![0; header.tables.len()],
            header,
            digest: Sha256::digest(&head).into(),
            keys,
            random: random.clone(),
            at: 0,
            table: 0,
            pending: Vec::with_capacity(CHUNK + CHUNK / 4),
            pending_rows: 0,
        })
    }

    /// The next row of table number `table`; tables come in the order of the header.
    pub(super) fn row(&mut self, table: usize, cells: &[Cell]) -> io::Result<()> {
        if table != self.table || self.pending.len() >= CHUNK {
            self.flush()?;
            self.table = table;
        }
        for cell in cells {
            put(&mut self.pending, cell);
        }
        self.pending_rows += 1;
        if let Some(rows) = self.rows.get_mut(table) {
            *rows += 1;
        }
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.pending_rows == 0 {
            return Ok(());
        }
        let mut deflate = DeflateEncoder::new(Vec::with_capacity(CHUNK / 2), Compression::fast());
        let table = u16::try_from(self.table).unwrap_or(u16::MAX);
        deflate.write_all(&table.to_be_bytes())?;
        deflate.write_all(&self.pending_rows.to_be_bytes())?;
        deflate.write_all(&self.pending)?;
        let plain = deflate.finish()?;
        self.pending.clear();
        self.pending_rows = 0;
        let passes = self.header.tables.get(self.table).is_some_and(|t| t.passes);
        self.chunk(if passes { PASSES } else { STAYS }, &plain)
    }

    fn chunk(&mut self, kind: u8, plain: &[u8]) -> io::Result<()> {
        let key = match kind {
            PASSES => self.keys.passing.as_ref(),
            _ => Some(&self.keys.staying),
        };
        let key = key.ok_or_else(|| io::Error::other("a key is missing"))?;
        let row = chunk_row(&self.digest, self.at, kind);
        let sealed = key.seal(chunk_place(&row), plain, &self.random);
        self.out.write_all(&[kind])?;
        let length = u32::try_from(sealed.len()).unwrap_or(u32::MAX);
        self.out.write_all(&length.to_be_bytes())?;
        self.out.write_all(&sealed)?;
        self.at += 1;
        Ok(())
    }

    /// Write the end, and give back where it was written with the rows of each table.
    pub(super) fn finish(mut self) -> io::Result<(W, Vec<u64>)> {
        self.flush()?;
        let end = End {
            chunks: self.at,
            rows: self.rows.clone(),
        };
        let text = serde_json::to_vec(&end)?;
        self.chunk(END, &text)?;
        let out = self
            .out
            .into_inner()
            .map_err(io::IntoInnerError::into_error)?;
        Ok((out, self.rows))
    }
}

fn put(out: &mut Vec<u8>, cell: &Cell) {
    let mut long = |bytes: &[u8]| {
        out.push(1);
        out.extend(u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_be_bytes());
        out.extend(bytes);
    };
    match cell {
        Cell::Text(text) => long(text.as_bytes()),
        Cell::Bytes(bytes) => long(bytes),
        Cell::Null => out.push(0),
        Cell::Bool(yes) => out.extend([1, u8::from(*yes)]),
        Cell::Int(number) => {
            out.push(1);
            out.extend(number.to_be_bytes());
        }
        Cell::Time(at) => {
            out.push(1);
            out.extend(at.as_micros().to_be_bytes());
        }
        Cell::Uuid(id) => {
            out.push(1);
            out.extend(id.as_bytes());
        }
    }
}
