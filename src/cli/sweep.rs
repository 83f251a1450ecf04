//! `sweep`: what is past its retention goes.

use crate::{
    base::Day,
    checkins::retention,
    cli::{CliError, open},
    config::Settings,
    exposures, ops,
    privacy::NoKey,
    rights,
};

pub(super) async fn run(settings: Settings) -> Result<(), CliError> {
    let app = open(settings).await?;
    let today = Day::of(app.clock.now());
    let days = app.settings.retention_days;
    let (db, keys) = (&app.db, &app.keys);
    let swept = exposures::sweep::sweep(db, keys, &app.random, &app.directory, today, days).await;
    let corrected = match &swept {
        Ok(_) => {
            let from = ops::keys::first_key(today, days);
            db.write(async |tx| rights::correct::sweep(tx, from).await)
                .await
        }
        // They go after the declarations.
        Err(_) => Ok(0),
    };
    // What could not be taken out of the files yet, a running service takes out tomorrow.
    let clean = app.db.scrub().await;
    let tended = ops::keys::tend(&app, None).await;
    app.db.close().await;
    let swept = swept.map_err(|error| match error {
        NoKey::Store(error) => CliError::from(error),
        other => CliError::other(other.to_string()),
    })?;
    corrected?;
    clean?;
    tended.map_err(|error| CliError::other(error.to_string()))?;
    let for_cases = swept.cases;
    println!(
        "copied into case files: {} contacts, {} stays; ended {} case files",
        for_cases.contacts, for_cases.stays, for_cases.ended
    );
    if for_cases.unreadable > 0 {
        println!(
            "left out {} case files whose keys do not open; see case.unreadable in the audit log",
            for_cases.unreadable
        );
    }
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
