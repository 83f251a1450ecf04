//! `keys`: which keys there are, a new master key, and the end of a day's key.

use std::path::{Path, PathBuf};

use clap::Subcommand;

use crate::{
    base::{Day, Timestamp},
    checkins::retention,
    cli::{CliError, open},
    config::{MasterKey, Settings},
    http::App,
    ops::keys::tend,
    privacy::{
        Master, audit,
        escrow::{Escrow, replace},
        rotate::{self, Known},
    },
    store,
};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// List the keys: which there are, their state, when they were made and destroyed. Never the keys.
    List,
    /// Make a new master key the one that wraps all others, while the service runs. Run it again when it
    /// was cut off. Where the key is no file that this command can write, put the new key beside the old
    /// one first (both in one text, with a blank between them) and restart the service.
    Rotate {
        /// Only write the new key beside the old one, for services that read their key at the start
        /// alone: restart them, and then rotate.
        #[arg(long)]
        prepare: bool,
    },
    /// Destroy the key of a day before its time. Names, numbers and answers of that day can never be
    /// read again, in no copy and no backup.
    Destroy {
        /// The UTC day, like 2026-11-18.
        day: String,
        /// Yes, destroy it.
        #[arg(long)]
        yes: bool,
    },
}

pub(super) async fn run(settings: Settings, command: Command) -> Result<(), CliError> {
    let app = open(settings).await?;
    let done = match command {
        Command::List => list(&app).await,
        Command::Rotate { prepare } => rotate(&app, prepare).await,
        Command::Destroy { day, yes } => destroy(&app, &day, yes).await,
    };
    app.db.close().await;
    done
}

fn row(name: &str, version: i64, state: &str, made: Timestamp, gone: Option<Timestamp>) {
    let gone = gone.map_or_else(String::new, Timestamp::rfc3339);
    let line = format!(
        "{name:<12} {version:>7}  {state:<9}  {:<24}  {gone}",
        made.rfc3339()
    );
    println!("{}", line.trim_end());
}

async fn list(app: &App) -> Result<(), CliError> {
    let today = Day::of(app.clock.now());
    let kept = retention::first_kept(today, app.settings.retention_days);
    println!("key          version  state      made                      destroyed");
    for key in rotate::known(&app.db).await? {
        row(
            "master",
            key.version,
            key.word(),
            key.created_at,
            key.retired_at,
        );
    }
    let service: Vec<(String, i64, Timestamp)> = app
        .db
        .read(async |tx| {
            tx.query("SELECT name, version, created_at FROM service_keys ORDER BY name, version")
                .all()
                .await
        })
        .await
        .map_err(|error: store::Error| CliError::from(error))?;
    for (name, version, made) in service {
        row(&name, version, "active", made, None);
    }
    for key in app.keys.day_keys(&app.db).await? {
        let state = key.state(today, kept).word();
        row(&key.day.to_string(), 1, state, key.made, key.destroyed);
    }
    let path = &app.settings.backup_keys;
    let escrow = Escrow::read(path).map_err(|error| CliError::other(error.to_string()))?;
    match escrow.reaches() {
        Some(day) => println!("backup keys in {} reach until {day}", path.display()),
        None => println!("no backup keys yet; the service makes {}", path.display()),
    }
    Ok(())
}

async fn destroy(app: &App, day: &str, yes: bool) -> Result<(), CliError> {
    let day = Day::parse(day)
        .ok_or_else(|| CliError::other(format!("{day} is no day; write it like 2026-11-18")))?;
    if day >= Day::of(app.clock.now()) {
        return Err(CliError::other(format!(
            "{day} is not over (days end at 00:00 UTC): check-ins of today need its key"
        )));
    }
    if !yes {
        return Err(CliError::other(format!(
            "nobody will ever read a name, number or answer of {day} again; add --yes to destroy its key"
        )));
    }
    let destroyed = app
        .db
        .write(async |tx| {
            let destroyed = app.keys.destroy(tx, day).await?;
            if destroyed {
                let entry = audit::Entry {
                    action: "keys.destroyed",
                    subject: day.to_string(),
                    reason: Some("operator"),
                    ..audit::Entry::default()
                };
                audit::append(tx, entry).await?;
            }
            Ok::<_, store::Error>(destroyed)
        })
        .await?;
    // Also when it was destroyed before: what was left of it then goes now.
    let clean = app.db.scrub().await?;
    tend(app, None)
        .await
        .map_err(|error| CliError::other(error.to_string()))?;
    if !destroyed {
        return Err(CliError::other(format!("{day} has no key; see keys list")));
    }
    println!("destroyed the key of {day}; a running service forgets it within a minute");
    if !clean {
        println!(
            "somebody was reading: the service takes the rest out of its files with its next sweep"
        );
    }
    Ok(())
}

async fn rotate(app: &App, prepare: bool) -> Result<(), CliError> {
    let known = rotate::known(&app.db).await?;
    let is_open = known.iter().any(|key| key.word() == "read-only");
    let masters = app.keys.masters();
    let new = masters.iter().find(|key| !is_known(&known, key)).cloned();
    let file = match &app.settings.master_key {
        MasterKey::File(path) | MasterKey::Own(path) => Some(path.as_path()),
        MasterKey::Value(_) | MasterKey::Command(_) => None,
    };
    if !is_open {
        let new = match (new, file) {
            (Some(new), _) => new,
            (None, Some(_)) if masters.len() > 1 => return finish(app, file).await,
            (None, Some(path)) => {
                let new = beside(path, app)?;
                app.keys.reload();
                new
            }
            (None, None) => {
                return Err(CliError::other(
                    "put a new key beside the old one where the master key comes from (both, with a blank between them), restart the service, and rotate then",
                ));
            }
        };
        if prepare {
            println!(
                "the new key stands beside the old one; restart every service, then: keys rotate"
            );
            return Ok(());
        }
        rotate::activate(&app.db, &new).await?;
    }
    let count = rotate::rewrap(&app.db, &app.keys, &app.random)
        .await
        .map_err(|error| CliError::other(error.to_string()))?;
    tend(app, None)
        .await
        .map_err(|error| CliError::other(error.to_string()))?;
    rotate::retire(&app.db).await?;
    app.db.scrub().await?;
    println!("the new master key wraps everything: {count} keys were wrapped anew");
    finish(app, file).await
}

fn is_known(known: &[Known], key: &Master) -> bool {
    let print = key.fingerprint();
    known.iter().any(|known| known.fingerprint == print)
}

/// Where the old key is kept until the rotation is over.
fn old(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".old");
    name.into()
}

/// Make a new key, and write it beside the old one.
fn beside(path: &Path, app: &App) -> Result<Master, CliError> {
    let failed = |path: &Path, error| CliError::other(format!("{}: {error}", path.display()));
    let kept = old(path);
    let text = std::fs::read(path).map(zeroize::Zeroizing::new);
    let text = text.map_err(|error| failed(path, error))?;
    if kept.exists() {
        let before = std::fs::read(&kept).map(zeroize::Zeroizing::new);
        if before.map_err(|error| failed(&kept, error))? != text {
            return Err(CliError::other(format!(
                "{} is left from the last rotation; destroy it first: shred -u {}",
                kept.display(),
                kept.display()
            )));
        }
    }
    replace(&kept, &text).map_err(|error| failed(&kept, error))?;
    let new = Master::new(&app.random);
    let mut both = new.hex();
    both.push('\n');
    both.push_str(&String::from_utf8_lossy(&text));
    replace(path, both.as_bytes()).map_err(|error| failed(path, error))?;
    Ok(new)
}

/// Leave the key that wraps alone in its file, and say what is left to do.
async fn finish(app: &App, file: Option<&Path>) -> Result<(), CliError> {
    let lost = || CliError::other("the master key that wraps is not where the settings say");
    let active = app.keys.active(&app.db).await?.ok_or_else(lost)?;
    let mut text = active.hex();
    text.push('\n');
    let masters = app.keys.masters();
    let is_it = |key: &Master| key.fingerprint() == active.fingerprint();
    let place = masters.iter().position(is_it).map_or(0, |at| at + 1);
    match file.map(|path| (path, replace(path, text.as_bytes()))) {
        Some((path, Ok(()))) => println!("{} holds the new key alone", path.display()),
        Some((path, Err(error))) => println!(
            "{} cannot be written ({error}): where it comes from, leave key number {place} alone",
            path.display()
        ),
        None => println!("where the master key comes from, leave key number {place} alone"),
    }
    println!(
        "now: 1. copy it, and {}, to where you keep the old copies, over them",
        app.settings.backup_keys.display()
    );
    println!("     2. make a backup; those made before open with the old key only");
    println!("     3. destroy the old key and every copy of it");
    if let Some(kept) = file.map(old).filter(|kept| kept.exists()) {
        println!("        shred -u {}", kept.display());
    }
    Ok(())
}
