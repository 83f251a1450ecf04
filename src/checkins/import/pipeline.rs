//! From a file to runs that are ready to write: one thread reads, several judge, one puts runs
//! together and seals.

use std::{
    collections::BTreeMap,
    io,
    sync::{Arc, Mutex, PoisonError, mpsc as threads},
};

use tokio::sync::mpsc;

use super::{
    batch::{Batch, Draft},
    row::Judge,
};
use crate::base::FieldError;

/// Records that are judged together.
const CHUNK: usize = 8192;

/// Records in the first run.
const RUN_MIN: u64 = 16_384;

/// Records in a run at most: about 60 MB of memory, and three runs are in work. The larger, the seldomer
/// is a page written that rows of several runs share, and the fewer contacts are sealed twice.
const RUN_MAX: u64 = 196_608;

/// Threads that judge; the writer is busy besides.
const JUDGES: usize = 2;

/// Chunks that may be judged before the one that is next.
const WAITING_MAX: usize = 32;

/// Where a file is read from.
pub(super) type FileReader = csv::Reader<io::BufReader<std::fs::File>>;

/// What a run stands for, and where in the file it stood.
pub(super) struct Run {
    pub(super) batch: Batch,
    pub(super) kept: u64,
    pub(super) rejected: Vec<(csv::ByteRecord, FieldError)>,
    /// From which byte of the file to which.
    pub(super) bytes: (u64, u64),
    /// Whether the file ends with it.
    pub(super) last: bool,
}

/// Records in the order of the file.
struct Chunk {
    number: u64,
    /// Bytes of the file up to its end.
    until: u64,
    last: bool,
    records: Vec<csv::ByteRecord>,
}

/// A chunk that was judged.
struct Judged {
    number: u64,
    until: u64,
    last: bool,
    draft: Draft,
    kept: u64,
    rejected: Vec<(csv::ByteRecord, FieldError)>,
}

/// Start the threads; they end when the file does, or when nobody receives any more.
pub(super) fn start(reader: FileReader, judge: &Arc<Judge>) -> mpsc::Receiver<io::Result<Run>> {
    let (chunks, to_judge) = threads::sync_channel(JUDGES);
    let (judged, to_collect) = threads::sync_channel(JUDGES);
    let (runs, to_write) = mpsc::channel(1);
    let failed = runs.clone();
    std::thread::spawn(move || {
        if let Err(error) = read(reader, &chunks) {
            let _ = failed.blocking_send(Err(error));
        }
    });
    let to_judge = Arc::new(Mutex::new(to_judge));
    for _ in 0..JUDGES {
        let (judge, to_judge, judged) = (Arc::clone(judge), Arc::clone(&to_judge), judged.clone());
        std::thread::spawn(move || {
            loop {
                let chunk = to_judge
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .recv();
                let Ok(chunk) = chunk else { return };
                if judged.send(judge_chunk(&judge, chunk)).is_err() {
                    return;
                }
            }
        });
    }
    drop(judged);
    let judge = Arc::clone(judge);
    std::thread::spawn(move || collect(&judge, &to_collect, &runs));
    to_write
}

fn read(mut reader: FileReader, chunks: &threads::SyncSender<Chunk>) -> io::Result<()> {
    for number in 0.. {
        let mut records = Vec::with_capacity(CHUNK);
        let mut record = csv::ByteRecord::new();
        while records.len() < CHUNK && reader.read_byte_record(&mut record)? {
            records.push(record.clone());
        }
        let until = reader.position().byte();
        let last = records.len() < CHUNK;
        let chunk = Chunk {
            number,
            until,
            last,
            records,
        };
        if chunks.send(chunk).is_err() || last {
            break;
        }
    }
    Ok(())
}

fn judge_chunk(judge: &Judge, chunk: Chunk) -> Judged {
    let mut draft = Draft::with_capacity(chunk.records.len());
    let (mut kept, mut rejected) = (0, Vec::new());
    for record in chunk.records {
        match judge.judge(&record, &mut draft) {
            Ok(()) => kept += 1,
            Err(reason) => rejected.push((record, reason)),
        }
    }
    Judged {
        number: chunk.number,
        until: chunk.until,
        last: chunk.last,
        draft,
        kept,
        rejected,
    }
}

/// Put chunks together in the order of the file. Runs grow, so that the writer begins soon; their
/// ends depend on the file alone, so that the same file gives the same contacts.
fn collect(
    judge: &Judge,
    judged: &threads::Receiver<Judged>,
    runs: &mpsc::Sender<io::Result<Run>>,
) {
    let mut waiting = BTreeMap::new();
    let mut next = 0;
    let mut begin = 0;
    let mut size = RUN_MIN;
    let mut draft = Draft::with_capacity(CHUNK);
    let (mut kept, mut rejected) = (0, Vec::new());
    while let Ok(chunk) = judged.recv() {
        waiting.insert(chunk.number, chunk);
        // A thread died with the chunk that all others wait for.
        if waiting.len() > WAITING_MAX {
            return;
        }
        while let Some(chunk) = waiting.remove(&next) {
            next += 1;
            draft.merge(chunk.draft);
            kept += chunk.kept;
            rejected.extend(chunk.rejected);
            let records = kept + u64::try_from(rejected.len()).unwrap_or(u64::MAX);
            if records < size && !chunk.last {
                continue;
            }
            let whole = std::mem::replace(&mut draft, Draft::with_capacity(CHUNK));
            let run = Run {
                batch: judge.seal(whole),
                kept: std::mem::take(&mut kept),
                rejected: std::mem::take(&mut rejected),
                bytes: (begin, chunk.until),
                last: chunk.last,
            };
            begin = chunk.until;
            size = (2 * size).min(RUN_MAX);
            if runs.blocking_send(Ok(run)).is_err() {
                return;
            }
        }
    }
}
