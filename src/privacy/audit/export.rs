//! The log as a file: one JSON object a line, entries in order, each checkpoint after its last entry.
//!
//! An entry's line is its canonical object ([`super::entry`]) with one key more, `leaf`: the hash in
//! base64, as it was stored. A checkpoint's line has one key, `checkpoint`, with the signed note.

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::{
    entry::Stored,
    keep::{self, Kept},
    verify,
};
use crate::store::{Db, Error};

/// Checkpoints read in one transaction.
const BATCH: i64 = 5_000;

/// One line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line {
    /// A checkpoint: the signed note.
    Checkpoint(String),
    /// An entry, and the hash of its leaf as it was stored.
    Entry(Box<Stored>, Vec<u8>),
}

/// An entry's line.
#[derive(Serialize)]
struct Exported<'a> {
    #[serde(flatten)]
    entry: &'a Stored,
    leaf: String,
}

impl Line {
    /// Read a line; `None` when it is none. A key too many is refused: it would not be under the hash.
    #[must_use]
    pub fn read(line: &str) -> Option<Self> {
        let mut object: Map<String, Value> = serde_json::from_str(line).ok()?;
        if let Some(note) = object.remove("checkpoint") {
            let note = note.as_str().filter(|_| object.is_empty())?;
            return Some(Self::Checkpoint(note.to_owned()));
        }
        let leaf = BASE64.decode(object.remove("leaf")?.as_str()?).ok()?;
        let entry = serde_json::from_value(Value::Object(object)).ok()?;
        Some(Self::Entry(entry, leaf))
    }

    /// The line with its end.
    #[must_use]
    pub fn written(&self) -> String {
        let line = match self {
            Self::Checkpoint(note) => serde_json::to_string(&json!({ "checkpoint": note })),
            Self::Entry(entry, leaf) => serde_json::to_string(&Exported {
                entry,
                leaf: BASE64.encode(leaf),
            }),
        };
        // Texts and numbers are always JSON.
        let mut line = line.unwrap_or_default();
        line.push('\n');
        line
    }
}

/// Hand every stored checkpoint to `each`, in order.
///
/// # Errors
///
/// Those of the store and of `each`.
pub async fn each_checkpoint<E: From<Error>>(
    db: &Db,
    mut each: impl FnMut(Kept) -> Result<(), E>,
) -> Result<(), E> {
    let mut after = i64::MIN;
    loop {
        let kept = db
            .read(async |tx| keep::list(tx, after, BATCH).await)
            .await?;
        let Some(last) = kept.last() else {
            return Ok(());
        };
        after = last.size;
        for kept in kept {
            each(kept)?;
        }
    }
}

/// Hand the lines of the log up to entry `size` to `write`, each with the number of entries so far, and
/// say how many entries there were.
///
/// # Errors
///
/// Those of the store and of `write`.
pub async fn write<E: From<Error>>(
    db: &Db,
    size: i64,
    mut write: impl FnMut(String, u64) -> Result<(), E>,
) -> Result<u64, E> {
    let mut notes: Vec<(i64, String)> = Vec::new();
    each_checkpoint(db, |kept| {
        if kept.size <= size {
            notes.push((kept.size, kept.note));
        }
        Ok::<_, E>(())
    })
    .await?;
    let mut notes = notes.into_iter().peekable();
    let (mut after, mut seen) = (i64::MIN, 0);
    loop {
        let rows = db.read(async |tx| verify::rows(tx, after).await).await?;
        let Some(last) = rows.last() else { break };
        after = last.entry.seq;
        for row in rows.into_iter().filter(|row| row.entry.seq <= size) {
            seen += 1;
            let seq = row.entry.seq;
            let leaf = row.leaf().to_vec();
            let line = Line::Entry(Box::new(row.entry), leaf);
            write(line.written(), seen)?;
            while let Some((_, note)) = notes.next_if(|(size, _)| *size <= seq) {
                write(Line::Checkpoint(note).written(), seen)?;
            }
        }
    }
    // Of entries that are not there any more.
    for (_, note) in notes {
        write(Line::Checkpoint(note).written(), seen)?;
    }
    Ok(seen)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Timestamp;

    fn entry() -> Stored {
        Stored {
            action: "lookup.created".to_owned(),
            actor: None,
            at: Timestamp::from_micros(1_794_965_400_000_007),
            document: None,
            people: Some(3),
            reason: Some("Truy vết".to_owned()),
            seq: 1,
            subject: "s".to_owned(),
        }
    }

    #[test]
    fn a_line_is_the_canonical_object_and_its_hash() {
        let line = Line::Entry(Box::new(entry()), entry().leaf().to_vec());
        let text = line.written();
        assert_eq!(Line::read(&text), Some(line));
        // What another program does: take the hash off, sort the keys, hash a zero byte and the rest.
        let mut object: std::collections::BTreeMap<String, Value> =
            serde_json::from_str(&text).unwrap();
        let given = object.remove("leaf").unwrap();
        let canonical = serde_json::to_vec(&object).unwrap();
        assert_eq!(given, BASE64.encode(super::super::tree::leaf(&canonical)));
        let note = Line::Checkpoint("a\n1\nb\n\n— c d\n".to_owned());
        assert_eq!(Line::read(&note.written()), Some(note));
        let more = text.replacen('{', "{\"more\":1,", 1);
        for wrong in ["", "{}", "null", "{\"seq\":1}", &more] {
            assert_eq!(Line::read(wrong), None, "{wrong}");
        }
    }
}
