//! `account create`: accounts of everybody but venues, which register themselves.

use std::{
    io::Read as _,
    path::{Path, PathBuf},
};

use clap::Subcommand;
use secrecy::SecretString;

use crate::{
    accounts::{self, Login, NewAccount, Passwords, Role},
    base::{Failure, FieldError},
    cli::{CliError, open},
    config::Settings,
    privacy::audit,
    regions::Catalogue,
    store,
};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Make an account. The password is read from a file or from standard input. Prints the id of
    /// the new account.
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
}

fn role(name: &str) -> Result<Role, String> {
    Role::parse(name).ok_or_else(|| {
        let names: Vec<_> = Role::ALL.iter().map(|role| role.name()).collect();
        format!("one of {}", names.join(", "))
    })
}

pub(super) async fn run(settings: Settings, command: Command) -> Result<(), CliError> {
    let Command::Create {
        login,
        role,
        province,
        password_file,
    } = command;
    let login = Login::parse(&login).map_err(Failure::from)?;
    let password = read_password(password_file.as_deref())?;
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
            Ok::<_, store::Error>(account)
        })
        .await;
    app.db.close().await;
    match made {
        Ok(account) => {
            println!("{}", account.id);
            Ok(())
        }
        Err(store::Error::Conflict) => Err(CliError::other("this login is taken; choose another")),
        Err(error) => Err(error.into()),
    }
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
