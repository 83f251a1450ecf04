//! `audit verify`, `audit export` and `audit key`: the audit log for whoever wants to check it.

use std::{
    fs::{File, OpenOptions},
    io::{BufRead as _, BufReader, BufWriter, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use clap::{Args, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};

use crate::{
    cli::{CliError, open},
    config::Settings,
    http::App,
    privacy::audit::{
        self,
        checkpoint::PublicKey,
        export::{self, Line},
        keep,
        verify::{self, Check, Report},
    },
    store,
};

/// Findings that are printed; the rest is a number.
const SHOWN: usize = 20;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Check every entry, the hash tree over them and every signed checkpoint: in the database, in
    /// `audit_dir`, and those given. Says which entry was changed, removed, swapped or cut off, and
    /// ends with 1. The service may run meanwhile.
    Verify(Verify),
    /// Write the whole log to FILE, one JSON object a line, for a check elsewhere. It holds reasons and
    /// document numbers: give it to nobody who may not read them.
    Export {
        /// The file to write; must not exist.
        file: PathBuf,
    },
    /// Print the public key that checks the signatures. Note it where the operator cannot change it.
    Key,
}

#[derive(Debug, Args)]
pub(super) struct Verify {
    /// A checkpoint kept elsewhere, or a folder of them: the log must go on from each. May be repeated.
    #[arg(long, value_name = "FILE")]
    checkpoint: Vec<PathBuf>,
    /// The public key, or a file that holds it. Without it the key of this database is used.
    #[arg(long, value_name = "KEY")]
    public_key: Option<String>,
    /// Check this exported file, and touch no database.
    #[arg(long, value_name = "FILE", requires = "public_key")]
    log: Option<PathBuf>,
}

pub(super) async fn run(settings: Settings, command: Command) -> Result<(), CliError> {
    match command {
        Command::Verify(options) => verify(settings, &options).await,
        Command::Export { file } => {
            let app = open(settings).await?;
            let written = export(&app, &file).await;
            app.db.close().await;
            println!("{} entries in {}", written?, file.display());
            Ok(())
        }
        Command::Key => {
            let app = open(settings).await?;
            println!("{}", app.keys.audit().public());
            app.db.close().await;
            Ok(())
        }
    }
}

async fn verify(settings: Settings, options: &Verify) -> Result<(), CliError> {
    let given = options.public_key.as_deref().map(read_key).transpose()?;
    let report = match (&options.log, given) {
        (Some(log), Some(key)) => {
            let mut check = Check::new();
            claim_files(&mut check, &key, &options.checkpoint)?;
            verify_file(check, &key, log)?
        }
        (_, given) => {
            let app = open(settings).await?;
            let report = verify_database(&app, given, &options.checkpoint).await;
            app.db.close().await;
            report?
        }
    };
    tell(&report)
}

/// A key, or the file that holds one.
fn read_key(given: &str) -> Result<PublicKey, CliError> {
    let wrong = |error| CliError::other(format!("--public-key: {given} {error}"));
    given.parse().or_else(|error| {
        let text = std::fs::read_to_string(given).map_err(|_| wrong(error))?;
        text.parse().map_err(wrong)
    })
}

/// Checkpoints from files that were named. A text that is none is an error in the command.
fn claim_files(check: &mut Check, key: &PublicKey, paths: &[PathBuf]) -> Result<(), CliError> {
    for path in paths {
        let files = keep::read_files(path).map_err(|error| CliError::other(error.to_string()))?;
        if files.is_empty() {
            return Err(CliError::other(format!(
                "there is no checkpoint in {}",
                path.display()
            )));
        }
        claim(check, key, files);
    }
    Ok(())
}

fn claim(check: &mut Check, key: &PublicKey, files: Vec<(PathBuf, String)>) {
    for (path, note) in files {
        let source = format!("the checkpoint {}", path.display());
        check.claim_note(key, &note, source);
    }
}

async fn verify_database(
    app: &App,
    given: Option<PublicKey>,
    files: &[PathBuf],
) -> Result<Report, CliError> {
    let key = given.unwrap_or_else(|| app.keys.audit().public());
    let mut check = Check::new();
    // Checkpoints first: the log that is read afterwards has all their entries.
    claim_files(&mut check, &key, files)?;
    let dir = &app.settings.audit_dir;
    if dir.is_dir() {
        let files = keep::read_files(dir).map_err(|error| CliError::other(error.to_string()))?;
        claim(&mut check, &key, files);
    }
    export::each_checkpoint(&app.db, |kept| {
        let source = format!("the checkpoint of {} entries in the database", kept.size);
        check.claim_note(&key, &kept.note, source);
        Ok::<_, CliError>(())
    })
    .await?;
    let entries = app
        .db
        .read(async |tx| audit::now_size(tx).await)
        .await
        .map_err(|error: store::Error| CliError::from(error))?;
    let bar = progress(entries, "{pos} of {len} entries  {eta} left");
    let read = verify::read(&app.db, &mut check, |seen| bar.set_position(seen)).await;
    bar.finish_and_clear();
    read?;
    Ok(check.finish(false))
}

/// Check an exported file, read twice: for its checkpoints and for its entries.
fn verify_file(mut check: Check, key: &PublicKey, path: &Path) -> Result<Report, CliError> {
    let failed =
        |error: std::io::Error| CliError::other(format!("cannot read {}: {error}", path.display()));
    let file = || File::open(path).map(BufReader::new).map_err(failed);
    let bytes = std::fs::metadata(path).map_err(failed)?.len();
    let bar = progress(bytes * 2, "{percent:>3} %  {eta} left");
    for is_second in [false, true] {
        for (number, line) in (1_u64..).zip(file()?.lines()) {
            let line = line.map_err(failed)?;
            bar.inc(1 + u64::try_from(line.len()).unwrap_or_default());
            let source = || format!("line {number} of {}", path.display());
            match (Line::read(&line), is_second) {
                (Some(Line::Checkpoint(note)), false) => {
                    check.claim_note(key, &note, source());
                }
                (Some(Line::Entry(entry, leaf)), true) => check.entry(*entry, &leaf, None),
                (None, false) => {
                    check.bad_checkpoint(source(), "is neither an entry nor a checkpoint");
                }
                (Some(_), _) | (None, true) => {}
            }
        }
    }
    bar.finish_and_clear();
    Ok(check.finish(true))
}

/// Sign the log and write all of it, with its checkpoints, to a file that only this user can read.
async fn export(app: &App, path: &Path) -> Result<u64, CliError> {
    let failed = |error: std::io::Error| {
        CliError::other(format!("cannot write {}: {error}", path.display()))
    };
    let signed = keep::sign_and_put(&app.db, &app.keys.audit(), &app.settings.audit_dir).await;
    let signed = signed.map_err(|error| CliError::other(error.to_string()))?;
    let file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .map_err(failed)?;
    let mut file = BufWriter::new(file);
    // Up to this checkpoint, so that the file ends with one.
    let size = signed.map_or(0, |kept| kept.size);
    let bar = progress(size.unsigned_abs(), "{pos} of {len} entries  {eta} left");
    let written = export::write(&app.db, size, |line, seen| {
        bar.set_position(seen);
        file.write_all(line.as_bytes()).map_err(failed)
    })
    .await;
    bar.finish_and_clear();
    let written = written?;
    let file = file
        .into_inner()
        .map_err(|error| failed(error.into_error()))?;
    file.sync_all().map_err(failed)?;
    Ok(written)
}

/// A bar on standard error, where there is somebody to see it.
fn progress(length: u64, says: &str) -> ProgressBar {
    let bar = ProgressBar::new(length);
    if let Ok(style) = ProgressStyle::with_template(&format!("{{bar:30}} {says}")) {
        bar.set_style(style);
    }
    bar
}

fn tell(report: &Report) -> Result<(), CliError> {
    if report.findings.is_empty() {
        println!(
            "whole: {} entries; {} checkpoints hold, the last of {} entries",
            report.entries, report.checkpoints, report.signed
        );
        return Ok(());
    }
    for finding in report.findings.iter().take(SHOWN) {
        println!("{finding}");
    }
    if let Some(more) = report.findings.len().checked_sub(SHOWN + 1) {
        println!("and {} more", more + 1);
    }
    Err(CliError::other(
        "the audit log is not as it was written; keep everything as it is, and find out who could write to it",
    ))
}
