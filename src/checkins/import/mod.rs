//! Import of check-ins from CSV: paper lists and other systems.
//!
//! One thread reads, several judge and seal, one writes: a batch is one transaction. Ids are derived
//! from what the rows say, so a file that is imported twice adds nothing. Rows that cannot be used go
//! to `FILE.rejected.csv` as they were, with their line and the reason; put right, that file can be
//! imported as it is.
//!
//! Nobody declared anything here: a declaration row holds only the sealed contact, its risk is
//! [`crate::declarations::UNDECLARED`], and the check-in's assurance says that it was written down.
//! A person's stays in one batch share one such row, kept as long as the latest of them.

mod batch;
mod columns;
mod rejects;
mod row;

use std::{
    collections::BTreeMap,
    fs::File,
    io,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
        mpsc as threads,
    },
    time::{Duration, Instant},
};

use tokio::sync::mpsc;

use self::{batch::Batch, columns::Columns, rejects::Rejects, row::Judge};
use super::store::{self, Row};
use crate::{
    base::{Clock, Day, Failure, FieldError, Random},
    declarations,
    privacy::KeyRing,
    store::{Db, Error, Sql, ensure_partitions},
    venues::Directory,
};

/// Records in the first batch, and in any at least.
const BATCH_MIN: usize = 8192;

/// Records in one batch at most: about 30 MB of memory, and five batches are in work.
const BATCH_MAX: usize = 65_536;

/// How long a transaction should take. The larger, the seldomer is a page written that rows of
/// several batches share; but a service that runs on the same SQLite file waits for it, and gives up
/// after three seconds.
const BATCH_TIME: Duration = Duration::from_secs(1);

/// Threads that judge and seal; the writer is busy besides.
const JUDGES: usize = 2;

/// What an import needs.
#[derive(Clone, Debug)]
pub struct Import {
    /// The store.
    pub db: Db,
    /// All checkpoints.
    pub directory: Arc<Directory>,
    /// All keys.
    pub keys: Arc<KeyRing>,
    /// The time.
    pub clock: Clock,
    /// Randomness.
    pub random: Random,
    /// Days that check-ins are kept; older rows are rejected.
    pub retention_days: u16,
}

/// What came of it. `rows = kept + rejected` and `stays = added + known`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Rows in the file, without the header.
    pub rows: u64,
    /// Rows that were good.
    pub kept: u64,
    /// Rows that went to the rejects file.
    pub rejected: u64,
    /// Stays that the good rows stand for; a row of more than 24 h is several.
    pub stays: u64,
    /// Stays that were new.
    pub added: u64,
    /// Stays that were there already.
    pub known: u64,
}

/// Why an import could not be done. Rows written before stay; run again, it goes on.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The file cannot be read, or the rejects file cannot be written.
    #[error("cannot read {0}; check that it is there and may be read")]
    File(PathBuf, #[source] io::Error),
    /// The rejects file cannot be written.
    #[error("cannot write {0}; check the folder's permissions and free space")]
    Rejects(PathBuf, #[source] io::Error),
    /// The first line is not the header.
    #[error(
        "the first line must name the columns checkpoint,entered_at,left_at,phone,full_name,id_number,seat"
    )]
    Header,
    /// The store failed.
    #[error("the database refused; rows before this were kept, run the import again")]
    Store(#[source] Box<Failure>),
    /// A thread died.
    #[error("the import broke off; rows before this were kept, run it again")]
    Broken,
}

impl From<Error> for ImportError {
    fn from(error: Error) -> Self {
        Self::Store(Box::new(error.into()))
    }
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
    batch: Batch,
    kept: u64,
    rejected: Vec<(csv::ByteRecord, FieldError)>,
}

/// Where the rejects of `file` go: `FILE.rejected.csv`.
#[must_use]
pub fn rejects_path(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".rejected.csv");
    name.into()
}

/// Import `file`, telling `progress` from time to time how many of its bytes are done.
///
/// # Errors
///
/// [`ImportError`]; rows that are bad are not an error.
pub async fn check_ins(
    import: &Import,
    file: &Path,
    mut progress: impl FnMut(u64),
) -> Result<Report, ImportError> {
    let unreadable = |error| ImportError::File(file.to_owned(), error);
    let mut reader = csv::ReaderBuilder::new()
        .flexible(true)
        .has_headers(false)
        .from_reader(io::BufReader::with_capacity(
            1 << 20,
            File::open(file).map_err(unreadable)?,
        ));
    let mut header = csv::ByteRecord::new();
    let found = reader.read_byte_record(&mut header);
    if !found.map_err(|error| unreadable(error.into()))? {
        return Err(ImportError::Header);
    }
    let columns = Columns::read(&header).ok_or(ImportError::Header)?;
    let first_day = prepare(import).await?;
    let mut rejects = Rejects::new(rejects_path(file), &header);
    let judge = Arc::new(Judge::new(import, columns, first_day));
    let size = Arc::new(AtomicUsize::new(BATCH_MIN));
    let mut judged = start_threads(reader, &judge, &size);
    let mut report = Report::default();
    let mut waiting = BTreeMap::new();
    let mut next = 0;
    let mut whole = false;
    while let Some(chunk) = judged.recv().await {
        let chunk = chunk.map_err(unreadable)?;
        waiting.insert(chunk.number, chunk);
        while let Some(chunk) = waiting.remove(&next) {
            next += 1;
            whole = chunk.last;
            for (record, reason) in &chunk.rejected {
                rejects.add(record, reason)?;
            }
            report.kept += chunk.kept;
            report.rejected += u64::try_from(chunk.rejected.len()).unwrap_or(u64::MAX);
            let (rows, began) = (chunk.batch.rows.len(), Instant::now());
            write(import, chunk.batch, &mut report).await?;
            let fitting = next_size(rows, began.elapsed());
            size.store(fitting, Ordering::Relaxed);
            progress(chunk.until);
        }
    }
    rejects.finish()?;
    if !whole {
        return Err(ImportError::Broken);
    }
    report.rows = report.kept + report.rejected;
    report.known = report.stays - report.added;
    Ok(report)
}

/// Rows for the next transaction, after one of `rows` that took `took`: at most twice as many.
fn next_size(rows: usize, took: Duration) -> usize {
    let took = usize::try_from(took.as_millis())
        .unwrap_or(usize::MAX)
        .max(1);
    let target = usize::try_from(BATCH_TIME.as_millis()).unwrap_or(usize::MAX);
    let fitting = rows.saturating_mul(target) / took;
    fitting.min(2 * rows).clamp(BATCH_MIN, BATCH_MAX)
}

/// Make keys and partitions of all days that may occur, and give the first of them.
async fn prepare(import: &Import) -> Result<Day, ImportError> {
    let now = import.clock.now();
    let first = Day::of(now).plus(-i32::from(import.retention_days));
    let last = Day::of(now).plus(1);
    for day in (first.number()..=last.number()).map(Day::from_number) {
        ensure_partitions(&import.db, day).await?;
    }
    import
        .keys
        .ensure_days(&import.db, first, last, &import.random)
        .await
        .map_err(|error| ImportError::Store(Box::new(error.into())))?;
    // Rows arrive in no order of the indexes; with the touched pages in memory none is written twice
    // in one transaction, and with a log of 128 MiB fewer are copied twice into the file.
    import
        .db
        .append(async |tx| {
            tx.query(Sql::split("SELECT 1", "PRAGMA cache_size = -131072"))
                .execute()
                .await?;
            tx.query(Sql::split("SELECT 1", "PRAGMA wal_autocheckpoint = 32768"))
                .execute()
                .await
        })
        .await?;
    Ok(first)
}

type FileReader = csv::Reader<io::BufReader<File>>;

fn start_threads(
    reader: FileReader,
    judge: &Arc<Judge>,
    size: &Arc<AtomicUsize>,
) -> mpsc::Receiver<io::Result<Judged>> {
    let (chunks, to_judge) = threads::sync_channel(0);
    let (done, judged) = mpsc::channel(1);
    let (failed, size) = (done.clone(), Arc::clone(size));
    std::thread::spawn(move || {
        if let Err(error) = read(reader, &chunks, &size) {
            let _ = failed.blocking_send(Err(error));
        }
    });
    let to_judge = Arc::new(Mutex::new(to_judge));
    for _ in 0..JUDGES {
        let (judge, to_judge, done) = (Arc::clone(judge), Arc::clone(&to_judge), done.clone());
        std::thread::spawn(move || {
            loop {
                let chunk = to_judge
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .recv();
                let Ok(chunk) = chunk else { return };
                if done.blocking_send(Ok(judge_chunk(&judge, chunk))).is_err() {
                    return;
                }
            }
        });
    }
    judged
}

fn read(
    mut reader: FileReader,
    chunks: &threads::SyncSender<Chunk>,
    size: &AtomicUsize,
) -> io::Result<()> {
    for number in 0.. {
        let size = size.load(Ordering::Relaxed);
        let mut records = Vec::with_capacity(size);
        let mut record = csv::ByteRecord::new();
        while records.len() < size && reader.read_byte_record(&mut record)? {
            records.push(record.clone());
        }
        let until = reader.position().byte();
        let last = records.len() < size;
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
    let mut draft = batch::Draft::with_capacity(chunk.records.len());
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
        batch: judge.seal(draft),
        kept,
        rejected,
    }
}

/// Write a batch in one transaction.
async fn write(import: &Import, mut batch: Batch, report: &mut Report) -> Result<(), ImportError> {
    let received_at = import.clock.now().as_ms();
    for row in &mut batch.rows {
        row.received_at = received_at;
    }
    let rows: Vec<&Row> = batch.rows.iter().collect();
    let contacts: Vec<_> = batch.contacts.iter().collect();
    let added = import
        .db
        .append(async |tx| {
            let added = store::insert_counted(tx, &rows).await?;
            declarations::store::insert(tx, &contacts).await?;
            let people = contacts.iter().map(|row| row.person);
            declarations::store::insert_aliases(tx, people).await?;
            Ok::<_, Error>(added)
        })
        .await?;
    report.stays += u64::try_from(rows.len()).unwrap_or(u64::MAX);
    report.added += added;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_transaction_grows_until_it_takes_a_second() {
        let ms = Duration::from_millis;
        assert_eq!(next_size(BATCH_MIN, ms(10)), 2 * BATCH_MIN);
        assert_eq!(next_size(40_000, ms(1000)), 40_000);
        assert_eq!(next_size(40_000, ms(2000)), 20_000);
        assert_eq!(next_size(40_000, ms(60_000)), BATCH_MIN);
        assert_eq!(next_size(BATCH_MAX, ms(0)), BATCH_MAX);
    }
}
