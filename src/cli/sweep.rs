//! `sweep` and `keys list`: what an operator looks after.

use clap::Subcommand;

use crate::{
    base::Day,
    checkins::retention,
    cli::{CliError, open},
    config::Settings,
    exposures,
    privacy::NoKey,
};

#[derive(Debug, Subcommand)]
pub(super) enum Keys {
    /// List the day keys: which days can be read, and which were destroyed. Never the keys.
    List,
}

pub(super) async fn run(settings: Settings) -> Result<(), CliError> {
    let app = open(settings).await?;
    let today = Day::of(app.clock.now());
    let days = app.settings.retention_days;
    let (db, keys) = (&app.db, &app.keys);
    let swept = exposures::sweep::sweep(db, keys, &app.random, &app.directory, today, days).await;
    app.db.close().await;
    let swept = swept.map_err(|error| match error {
        NoKey::Store(error) => CliError::from(error),
        other => CliError::other(other.to_string()),
    })?;
    let for_cases = swept.cases;
    println!(
        "copied into case files: {} contacts, {} stays; ended {} case files",
        for_cases.contacts, for_cases.stays, for_cases.ended
    );
    println!(
        "kept from {}: deleted {} check-ins, {} days of check-ins, {} declarations, {} day keys",
        retention::first_kept(today, days),
        swept.check_ins,
        swept.partitions,
        swept.declarations,
        swept.keys
    );
    Ok(())
}

pub(super) async fn keys(settings: Settings, command: Keys) -> Result<(), CliError> {
    let Keys::List = command;
    let app = open(settings).await?;
    let days = app.keys.list_days(&app.db).await;
    app.db.close().await;
    for (day, destroyed) in days? {
        match destroyed {
            None => println!("{day}  readable"),
            Some(at) => println!("{day}  destroyed {}", at.rfc3339()),
        }
    }
    Ok(())
}
