//! `backup` and `restore`.

use std::path::{Path, PathBuf};

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};

use crate::{
    base::{Clock, Random},
    cli::{CliError, open, serve::alone},
    config::{MasterKey, Settings},
    http::prepare,
    ops::backup,
    store::Db,
};

#[derive(Debug, Args)]
pub(super) struct Backup {
    /// The file to write; nothing may be there yet.
    file: PathBuf,
}

#[derive(Debug, Args)]
pub(super) struct Restore {
    /// The file to read.
    file: PathBuf,
    /// Do without the check-ins, declarations and day keys that the backup keys at hand do not open.
    /// They are lost then.
    #[arg(long)]
    without_passing: bool,
}

fn bar(total: u64, template: &str) -> ProgressBar {
    let bar = ProgressBar::new(total);
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar
}

fn failed(error: &backup::Trouble) -> CliError {
    CliError::other(error.to_string())
}

pub(super) async fn make(settings: Settings, options: Backup) -> Result<(), CliError> {
    let app = open(settings).await?;
    let bar = bar(
        0,
        "{bar:30} {percent:>3} %  {human_pos}/{human_len} rows  {eta} left",
    );
    let made = backup::make(&app, &options.file, |done, total| {
        bar.set_length(total);
        bar.set_position(done);
    })
    .await;
    bar.finish_and_clear();
    app.db.close().await;
    let made = made.map_err(|error| failed(&error))?;
    println!(
        "{}: {} rows of {} tables, {} bytes",
        options.file.display(),
        made.rows,
        made.tables,
        made.bytes
    );
    match made.days {
        Some((first, last)) => println!("holds the keys of {first} to {last}"),
        None => println!("holds the key of no day"),
    }
    println!(
        "opens with the master key; check-ins and declarations only with the backup keys in {} too,",
        app.settings.backup_keys.display()
    );
    println!(
        "until {} at the latest; what stays (venues, cases, audit log) after that as well",
        made.opens_until
    );
    Ok(())
}

pub(super) async fn restore(settings: Settings, options: Restore) -> Result<(), CliError> {
    let size = std::fs::metadata(&options.file)
        .map_err(|error| CliError::other(format!("{}: {error}", options.file.display())))?
        .len();
    if let MasterKey::Own(path) = &settings.master_key
        && !path.exists()
    {
        return Err(CliError::other(format!(
            "{} is missing; put the master key of the backup there, and backup.keys beside it",
            path.display()
        )));
    }
    prepare(&settings.database)?;
    let _alone = alone(&settings.database)?;
    let db = Db::open(&settings.database, Clock::System).await?;
    let bar = bar(
        2 * size,
        "{bar:30} {percent:>3} %  {bytes}/{total_bytes}  {eta} left",
    );
    let restored = backup::restore(
        &db,
        &settings,
        &Random::System,
        &options.file,
        options.without_passing,
        |done| bar.set_position(done),
    )
    .await;
    bar.finish_and_clear();
    db.close().await;
    tell(&options.file, &restored.map_err(|error| failed(&error))?);
    Ok(())
}

fn tell(file: &Path, restored: &backup::Restored) {
    println!(
        "restored {}, made {} from {}",
        file.display(),
        restored.made_at.rfc3339(),
        restored.engine
    );
    for (table, rows) in &restored.tables {
        println!("  {rows:>9}  {table}");
    }
    println!(
        "every row is there; audit log whole: {} entries",
        restored.audited
    );
    if let (Some(first), Some(last)) = (restored.days.iter().min(), restored.days.iter().max()) {
        println!(
            "{} day keys open, from {first} to {last}",
            restored.days.len()
        );
    } else {
        println!("no day key opens");
    }
    if restored.past > 0 {
        println!("left out, past their retention: {} rows", restored.past);
    }
    if restored.shut {
        println!(
            "check-ins and declarations do not open any more: their backup keys are destroyed"
        );
    }
    println!("everybody logs in again: sessions are in no backup");
}
