//! `import check-ins`: paper lists and other systems, with a progress bar.

use std::path::PathBuf;

use clap::Subcommand;
use indicatif::{ProgressBar, ProgressStyle};

use crate::{
    checkins::import::{self, Import},
    cli::{CliError, open},
    config::Settings,
};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Import check-ins from a CSV file with the header
    /// `checkpoint,entered_at,left_at,phone,full_name,id_number,seat`.
    ///
    /// UTF-8; times as 2026-11-18T08:30:00+07:00; `left_at` may be empty. Good rows are kept, bad ones
    /// go to FILE.rejected.csv with line and reason. Running it twice adds nothing.
    #[command(name = "check-ins", verbatim_doc_comment)]
    CheckIns {
        /// The CSV file.
        file: PathBuf,
    },
}

pub(super) async fn run(settings: Settings, command: Command) -> Result<(), CliError> {
    let Command::CheckIns { file } = command;
    let bytes = std::fs::metadata(&file)
        .map_err(|error| CliError::other(format!("cannot read {}: {error}", file.display())))?
        .len();
    let app = open(settings).await?;
    let import = Import {
        db: app.db.clone(),
        directory: app.directory.clone(),
        keys: app.keys.clone(),
        clock: app.clock.clone(),
        random: app.random.clone(),
        retention_days: app.settings.retention_days,
    };
    let bar = ProgressBar::new(bytes);
    if let Ok(style) =
        ProgressStyle::with_template("{bar:30} {percent:>3} %  {bytes}/{total_bytes}  {eta} left")
    {
        bar.set_style(style);
    }
    let done = import::check_ins(&import, &file, |bytes| bar.set_position(bytes)).await;
    bar.finish_and_clear();
    app.db.close().await;
    let report = done.map_err(|error| CliError::other(error.to_string()))?;
    println!(
        "{} rows: {} kept, {} rejected; {} stays: {} new, {} known already",
        report.rows, report.kept, report.rejected, report.stays, report.added, report.known
    );
    if report.rejected > 0 {
        println!(
            "the rejected rows and why are in {}",
            import::rejects_path(&file).display()
        );
    }
    Ok(())
}
