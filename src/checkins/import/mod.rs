//! Import of check-ins from CSV: paper lists and other systems.
//!
//! Threads read, judge and seal (`pipeline`), and one writes (`write`): a run of rows in the order
//! of their keys, in transactions of a second. Ids are derived from what the rows say, so a file that
//! is imported twice adds nothing. Rows that cannot be used go
//! to `FILE.rejected.csv` as they were, with their line and the reason; put right, that file can be
//! imported as it is.
//!
//! Nobody declared anything here: a declaration row holds only the sealed contact, its risk is
//! [`crate::declarations::UNDECLARED`], and the check-in's assurance says that it was written down.
//! A person's stays in one run share one such row, kept as long as the latest of them.

mod batch;
mod columns;
mod pipeline;
mod rejects;
mod row;
mod write;

use std::{
    fs::File,
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use self::{columns::Columns, rejects::Rejects, row::Judge};
use crate::{
    base::{Clock, Failure, Random},
    privacy::KeyRing,
    store::{Db, Error},
    venues::Directory,
};

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
    let first_day = write::prepare(import).await?;
    let mut rejects = Rejects::new(rejects_path(file), &header);
    let judge = Arc::new(Judge::new(import, columns, first_day));
    let mut runs = pipeline::start(reader, &judge);
    let mut report = Report::default();
    let mut writer = write::Writer::new(import);
    let mut whole = false;
    while let Some(run) = runs.recv().await {
        let run = run.map_err(unreadable)?;
        for (record, reason) in &run.rejected {
            rejects.add(record, reason)?;
        }
        report.kept += run.kept;
        report.rejected += u64::try_from(run.rejected.len()).unwrap_or(u64::MAX);
        report.stays += u64::try_from(run.batch.rows.len()).unwrap_or(u64::MAX);
        let (from, to) = run.bytes;
        let mut share = |done: f64| progress(from + scaled(to - from, done));
        report.added += writer.write(run.batch, &mut share).await?;
        whole = run.last;
    }
    rejects.finish()?;
    if !whole {
        return Err(ImportError::Broken);
    }
    report.rows = report.kept + report.rejected;
    report.known = report.stays - report.added;
    Ok(report)
}

/// The part `share`, 0 to 1, of `bytes`.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "it moves a progress bar"
)]
fn scaled(bytes: u64, share: f64) -> u64 {
    (bytes as f64 * share) as u64
}
