//! The rejects file: the rows as they were, their line in the file, and the reason.

use std::{
    fs::{self, File, OpenOptions},
    io,
    path::PathBuf,
};

use super::{ImportError, columns::REJECT_COLUMNS};
use crate::base::{FieldError, sheet::Csv};

/// Written as rows are rejected, so that a run that breaks off leaves what it has found. Without any
/// there is no file, and one of an earlier run goes.
pub(super) struct Rejects {
    path: PathBuf,
    /// Places of the columns that are the file's own.
    kept: Vec<usize>,
    header: csv::ByteRecord,
    file: Option<Csv<File>>,
}

impl Rejects {
    pub(super) fn new(path: PathBuf, header: &csv::ByteRecord) -> Self {
        let own = |name: &[u8]| {
            let name = name.trim_ascii();
            !REJECT_COLUMNS
                .iter()
                .any(|column| column.as_bytes() == name)
        };
        Self {
            path,
            kept: header
                .iter()
                .enumerate()
                .filter(|(_, name)| own(name))
                .map(|(place, _)| place)
                .collect(),
            header: header.clone(),
            file: None,
        }
    }

    pub(super) fn add(
        &mut self,
        record: &csv::ByteRecord,
        reason: &FieldError,
    ) -> Result<(), ImportError> {
        self.write(record, reason)
            .map_err(|error| ImportError::Rejects(self.path.clone(), error))
    }

    fn write(&mut self, record: &csv::ByteRecord, reason: &FieldError) -> io::Result<()> {
        if self.file.is_none() {
            let mut file = Csv::for_import(create(&self.path)?);
            for place in &self.kept {
                file.text(self.header.get(*place).unwrap_or_default())?;
            }
            for name in REJECT_COLUMNS {
                file.text(name.as_bytes())?;
            }
            file.end_row()?;
            self.file = Some(file);
        }
        let Some(file) = &mut self.file else {
            return Ok(());
        };
        for place in &self.kept {
            file.text(record.get(*place).unwrap_or_default())?;
        }
        // More cells than the header names, mostly for a comma in a name, are what is to be put right.
        for cell in record.iter().skip(self.header.len()) {
            file.text(cell)?;
        }
        let line = record.position().map_or(0, csv::Position::line);
        file.text(line.to_string().as_bytes())?;
        let reason = format!("{}: {} / {}", reason.field, reason.vi, reason.en);
        file.text(reason.as_bytes())?;
        file.end_row()
    }

    pub(super) fn finish(self) -> Result<(), ImportError> {
        let done = match self.file {
            Some(file) => file.finish(),
            None => match fs::remove_file(&self.path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
                _ => Ok(()),
            },
        };
        done.map_err(|error| ImportError::Rejects(self.path, error))
    }
}

/// It holds names and numbers in clear: for the owner's eyes only.
fn create(path: &std::path::Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}
