//! `account`: accounts of everybody but venues, which register themselves; a lost second factor,
//! open sessions, and an officer's daily budgets.

use std::{
    io::Read as _,
    path::{Path, PathBuf},
};

use clap::Subcommand;
use secrecy::SecretString;

use crate::{
    accounts::{self, Account, Login, NewAccount, Passwords, Role},
    base::{Failure, FieldError},
    cli::{CliError, open},
    config::Settings,
    exposures::budget,
    http::{App, Officers, Permission as _},
    privacy::audit,
    regions::Catalogue,
    store::{self, Tx},
};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Make an account. The password is read from a file or from standard input. Prints the id of
    /// the new account; for health-officer, health-lead and operator, on a second line, `totp` and
    /// the secret (Base32) to type into an authenticator app. It is shown this once.
    Create {
        /// Login: a phone number, or a name of 2-64 of a-z, 0-9, dot, underscore and hyphen.
        login: String,
        /// venue-owner, gatekeeper, health-officer, health-lead, overseer, hotline-agent, operator.
        #[arg(long, value_parser = role)]
        role: Role,
        /// Code of the province the account works for, like 80; without it, the whole country.
        #[arg(long, value_name = "CODE")]
        province: Option<String>,
        /// Read the password from the first line of this file instead of standard input.
        #[arg(long, value_name = "FILE")]
        password_file: Option<PathBuf>,
    },
    /// Replace a lost second factor: prints `totp` and the new secret, and ends the account's sessions.
    ResetTotp {
        /// The account's login.
        login: String,
    },
    /// End all sessions of an account: of somebody who left, or whose computer was lost.
    EndSessions {
        /// The account's login.
        login: String,
    },
    /// Give an officer daily budgets of their own. What is left out becomes the usual one.
    Budget {
        /// The account's login.
        login: String,
        /// Lookups in a day.
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(i64).range(0..))]
        lookups: Option<i64>,
        /// People whose names are opened in a day.
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(i64).range(0..))]
        people: Option<i64>,
    },
}

fn role(name: &str) -> Result<Role, String> {
    Role::parse(name).ok_or_else(|| {
        let names: Vec<_> = Role::ALL.iter().map(|role| role.name()).collect();
        format!("one of {}", names.join(", "))
    })
}

pub(super) async fn run(settings: Settings, command: Command) -> Result<(), CliError> {
    match command {
        Command::Create {
            login,
            role,
            province,
            password_file,
        } => create(settings, &login, role, province, password_file.as_deref()).await,
        Command::ResetTotp { login } => on(settings, &login, reset_totp).await,
        Command::EndSessions { login } => on(settings, &login, end_sessions).await,
        Command::Budget {
            login,
            lookups,
            people,
        } => {
            let set = async |app: &App, account: &Account| {
                set_budget(app, account, lookups, people).await
            };
            on(settings, &login, set).await
        }
    }
}

async fn create(
    settings: Settings,
    login: &str,
    role: Role,
    province: Option<String>,
    password_file: Option<&Path>,
) -> Result<(), CliError> {
    let login = Login::parse(login).map_err(Failure::from)?;
    let password = read_password(password_file)?;
    Passwords::acceptable(&password).map_err(Failure::from)?;
    let app = open(settings).await?;
    let known = |code: &String| app.regions.province(Catalogue::default(), code).is_some();
    if province.as_ref().is_some_and(|code| !known(code)) {
        return Err(Failure::from(FieldError::new(
            "province",
            "province_unknown",
            "Không có tỉnh, thành phố nào mang mã này.",
            "no province has this code; GET /api/v1/regions lists them",
        ))
        .into());
    }
    let password_hash = app.passwords.hash(password, role.strength()).await?;
    let new = NewAccount {
        login,
        role,
        province,
        password_hash,
    };
    let made = app
        .db
        .write(async |tx| {
            let account = accounts::create(tx, &app.keys, &app.random, &new).await?;
            let entry = audit::Entry {
                action: "account.created",
                subject: account.id.to_string(),
                reason: Some(role.name()),
                ..audit::Entry::default()
            };
            audit::append(tx, entry).await?;
            let secret = if role.has_second_factor() {
                Some(accounts::enrol(tx, &app.keys, &app.random, account.id).await?)
            } else {
                None
            };
            Ok::<_, store::Error>((account, secret))
        })
        .await;
    app.db.close().await;
    match made {
        Ok((account, secret)) => {
            println!("{}", account.id);
            if let Some(secret) = secret {
                println!("totp {}", secret.base32().as_str());
            }
            Ok(())
        }
        Err(store::Error::Conflict) => Err(CliError::other("this login is taken; choose another")),
        Err(error) => Err(error.into()),
    }
}

/// Change an account that is there.
async fn on(
    settings: Settings,
    login: &str,
    change: impl AsyncFnOnce(&App, &Account) -> Result<(), CliError>,
) -> Result<(), CliError> {
    let login = Login::parse(login).map_err(Failure::from)?;
    let app = open(settings).await?;
    let found = app
        .db
        .read(async |tx| accounts::find_login(tx, &app.keys, &login).await)
        .await;
    let done = match found {
        Ok(Some((account, _))) => change(&app, &account).await,
        Ok(None) => Err(CliError::other("there is no account with this login")),
        Err(error) => Err(error.into()),
    };
    app.db.close().await;
    done
}

async fn end_sessions(app: &App, account: &Account) -> Result<(), CliError> {
    let ended = app
        .db
        .write(async |tx| {
            note(tx, "account.sessions_ended", account, None).await?;
            accounts::end_all(tx, account.id).await
        })
        .await?;
    println!("ended {ended}");
    Ok(())
}

/// A new second factor. Sessions that were opened with the old one end.
async fn reset_totp(app: &App, account: &Account) -> Result<(), CliError> {
    if !account.role.has_second_factor() {
        return Err(CliError::other(format!(
            "the role {} logs in without a second factor",
            account.role
        )));
    }
    let secret = app
        .db
        .write(async |tx| {
            note(tx, "account.totp_reset", account, None).await?;
            accounts::end_all(tx, account.id).await?;
            accounts::enrol(tx, &app.keys, &app.random, account.id).await
        })
        .await?;
    println!("totp {}", secret.base32().as_str());
    Ok(())
}

async fn set_budget(
    app: &App,
    account: &Account,
    lookups: Option<i64>,
    people: Option<i64>,
) -> Result<(), CliError> {
    if !Officers::ROLES.contains(&account.role) {
        return Err(CliError::other(format!(
            "the role {} makes no lookups, so it has no budget",
            account.role
        )));
    }
    let text = |n: Option<i64>| n.map_or_else(|| "usual".to_owned(), |n| n.to_string());
    let reason = format!("lookups {}, people {}", text(lookups), text(people));
    app.db
        .write(async |tx| {
            note(tx, "account.budget", account, Some(&reason)).await?;
            budget::set(tx, account.id, lookups, people).await
        })
        .await?;
    println!("{reason}");
    Ok(())
}

async fn note(
    tx: &mut Tx,
    action: &'static str,
    account: &Account,
    reason: Option<&str>,
) -> Result<(), store::Error> {
    let entry = audit::Entry {
        action,
        subject: account.id.to_string(),
        reason,
        ..audit::Entry::default()
    };
    audit::append(tx, entry).await
}

/// The first line of the file or of standard input.
fn read_password(file: Option<&Path>) -> Result<SecretString, CliError> {
    let mut text = String::new();
    let read = match file {
        Some(path) => std::fs::File::open(path).and_then(|mut file| file.read_to_string(&mut text)),
        None => {
            if std::io::IsTerminal::is_terminal(&std::io::stdin()) {
                eprintln!("Password (one line, then Enter; it shows on the screen):");
                std::io::stdin().read_line(&mut text)
            } else {
                std::io::stdin().read_to_string(&mut text)
            }
        }
    };
    read.map_err(|error| CliError::other(format!("the password cannot be read: {error}")))?;
    let text = zeroize::Zeroizing::new(text);
    Ok(text.lines().next().unwrap_or_default().to_owned().into())
}
