//! The command line: what an operator types, in plain words.
//!
//! Exit codes: 0 done, 1 failed, 2 wrong usage. Errors go to standard error, one sentence with what
//! to do.

mod account;
mod audit;
mod backup;
mod demo;
mod doctor;
mod import;
mod keys;
mod migrate;
mod poster;
mod serve;
mod sweep;

use std::{net::SocketAddr, path::PathBuf, process::ExitCode};

use clap::{Parser, Subcommand};

use crate::{
    accounts::{TotpSecret, totp},
    base::{Clock, Failure, Random},
    config::{ConfigError, LogFormat, Overrides, Settings, environment},
    http::{App, StartError},
    store,
};

const AFTER: &str = "\
Settings are read from the file given by --config (TOML), then from the environment, then from the
options above. Every key of the file is also a variable: listen = \"…\" is DKD_LISTEN.

  data_dir         folder of the service's files           (default ./data)
  database_url     postgres://USER@HOST/DB or sqlite:FILE  (default SQLite in the data folder)
  database_url_file  the same, in a file
  listen           address and port                        (default 127.0.0.1:8080)
  public_url       how phones reach it, e.g. https://dkd.example.vn: printed in the QR codes
  metrics_listen   address and port for Prometheus         (default none)
  retention_days   14 to 28                                (default 21)
  lookups_per_day  lookups of one officer in a day         (default 300)
  people_per_day   people one officer opens in a day       (default 50000)
  rate_limits      on or off; off is for benchmarks only   (default on)
  trusted_proxies  addresses or networks (10.0.0.0/8) whose X-Forwarded-For counts  (default none)
  security_contact where weaknesses are reported, for security.txt: mailto:… or https://…
  master_key       64 hexadecimal digits, or master_key_file, or master_key_command, the words of a
                   program that prints it               (default: a file made at first start)
  backup_keys_file  what backups open with beside it        (default keys/backup.keys in the folder)
  message_sender   off, file or command: how codes reach people (default off; see deploy/README.md)
  message_file, message_command, message_daily_limit
  rights_reply_days, rights_access_days, rights_withdraw_days, rights_erase_days
                   days to answer what people ask about their data (default 2, 10, 15, 20)
  workers          threads that serve requests             (default 2)
  log              plain or json                           (default plain)
  audit_dir        second place of the audit log's signed checkpoints, best on another disk
                                                           (default audit in the data folder)

First steps:  diem-kiem-dich demo     fills an empty folder with a made-up province, and serves
              diem-kiem-dich          serves; the first start makes database and keys";

/// Điểm kiểm dịch: QR checkpoints that know who entered, and tell the health department who was
/// there at the same time.
#[derive(Debug, Parser)]
#[command(version, after_help = AFTER, max_term_width = 100)]
struct Arguments {
    /// Read settings from this TOML file.
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Keep the service's files (SQLite database, keys) in this folder.
    #[arg(long, global = true, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// Use this database: `postgres://USER@HOST/DATABASE` or `sqlite:FILE`.
    #[arg(long, global = true, value_name = "URL")]
    database_url: Option<String>,
    /// Listen here.
    #[arg(long, global = true, value_name = "ADDR")]
    listen: Option<SocketAddr>,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Bring the database up to date, make missing keys, and serve (what happens without a command).
    Serve,
    /// Fill an empty data folder with a made-up province (venues, two weeks of check-ins, cases), print
    /// the logins, and serve.
    Demo(demo::Options),
    /// Make accounts and look after them.
    #[command(subcommand)]
    Account(account::Command),
    /// Bring the database up to date, and stop.
    Migrate(migrate::Options),
    /// Bring in check-ins from paper lists and other systems.
    #[command(subcommand)]
    Import(import::Command),
    /// Print the one-time password of this moment for a second factor's secret, where there is no
    /// authenticator app: to try the demo, or in a script.
    Otp {
        /// The 32 letters after `totp` that `account create` printed; without it, from standard input.
        secret: Option<String>,
    },
    /// Print a checkpoint's poster.
    Poster(poster::Options),
    /// Delete what is past its retention and destroy its keys, now instead of by itself once a day. What
    /// open cases need is copied into their files before, and files whose own clock has run out end.
    Sweep,
    /// Look after the keys.
    #[command(subcommand)]
    Keys(keys::Command),
    /// Check the audit log, take it out, or print its public key.
    #[command(subcommand)]
    Audit(audit::Command),
    /// Write a backup, while the service runs. Sealed, and open to the same master key; what passes opens
    /// only as long as its backup keys are kept: see deploy/KEYS.md.
    Backup(backup::Backup),
    /// Restore a backup into an empty data folder or database, of either engine.
    Restore(backup::Restore),
    /// Check settings, database, keys and disk, and say what is wrong.
    Doctor(doctor::Options),
}

/// A command that failed, in one sentence with what to do.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CliError {
    /// A setting.
    #[error("{0}")]
    Config(#[from] ConfigError),
    /// The service cannot start.
    #[error("{0}")]
    Start(#[from] StartError),
    /// A rule said no.
    #[error("{0}")]
    Failure(#[from] Failure),
    /// The store failed.
    #[error("{0}")]
    Store(#[from] store::Error),
    /// Anything else, said in full.
    #[error("{0}")]
    Other(String),
}

impl CliError {
    pub(crate) fn other(text: impl Into<String>) -> Self {
        Self::Other(text.into())
    }
}

/// Run the program.
#[must_use]
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let closed = close_memory();
    let system = actix_web::rt::System::new();
    match system.block_on(run(arguments, closed)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("diem-kiem-dich: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Keys are in memory: no core dump is written, and no other program of the same user looks in.
fn close_memory() -> std::io::Result<()> {
    use rustix::process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit};
    let none = Rlimit {
        current: Some(0),
        maximum: Some(0),
    };
    // Each of the two is tried, whatever becomes of the other.
    let limited = setrlimit(Resource::Core, none);
    set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    Ok(limited?)
}

async fn run(arguments: Arguments, closed: std::io::Result<()>) -> Result<(), CliError> {
    let overrides = Overrides {
        config: arguments.config,
        data_dir: arguments.data_dir,
        database_url: arguments.database_url,
        listen: arguments.listen,
    };
    let settings = Settings::load(&overrides, environment())?;
    start_log(settings.log);
    if let Err(error) = closed {
        tracing::warn!(
            "a core dump of this process would hold keys, and cannot be forbidden: {error}"
        );
    }
    match arguments.command.unwrap_or(Command::Serve) {
        Command::Serve => serve::run(settings).await,
        Command::Demo(options) => Box::pin(demo::run(settings, options)).await,
        Command::Account(command) => account::run(settings, command).await,
        Command::Migrate(options) => migrate::run(settings, options).await,
        Command::Import(command) => import::run(settings, command).await,
        Command::Otp { secret } => otp(secret),
        Command::Poster(options) => poster::run(settings, options).await,
        Command::Sweep => sweep::run(settings).await,
        Command::Keys(command) => Box::pin(keys::run(settings, command)).await,
        Command::Audit(command) => Box::pin(audit::run(settings, command)).await,
        Command::Backup(options) => Box::pin(backup::make(settings, options)).await,
        Command::Restore(options) => Box::pin(backup::restore(settings, options)).await,
        Command::Doctor(options) => Box::pin(doctor::run(settings, options)).await,
    }
}

/// Print the one-time password of now.
fn otp(secret: Option<String>) -> Result<(), CliError> {
    let secret = match secret {
        Some(secret) => secret,
        None => std::io::read_to_string(std::io::stdin())
            .map_err(|error| CliError::other(format!("the secret cannot be read: {error}")))?,
    };
    let secret = TotpSecret::parse(secret.trim().trim_start_matches("totp ")).ok_or_else(|| {
        CliError::other("this is no secret: it has 32 letters, as account create printed them")
    })?;
    println!("{}", secret.at(totp::step_at(Clock::System.now())));
    Ok(())
}

/// The application's state, on the machine's own clock and randomness.
async fn open(settings: Settings) -> Result<App, CliError> {
    Ok(App::open(settings, Clock::System, Random::System).await?)
}

/// Log to standard error, so that what a command prints stays apart. `RUST_LOG` chooses the level, as
/// in `debug` or `warn,diem_kiem_dich=debug`.
#[expect(
    clippy::disallowed_methods,
    reason = "RUST_LOG is no setting of ours; programs in Rust read it here"
)]
pub fn start_log(format: LogFormat) {
    use tracing_subscriber::{
        filter::{LevelFilter, Targets},
        fmt,
        layer::SubscriberExt as _,
        registry,
        util::SubscriberInitExt as _,
    };
    let chosen = std::env::var("RUST_LOG")
        .ok()
        .and_then(|text| text.parse().ok());
    let filter = chosen.unwrap_or_else(|| {
        Targets::new()
            .with_default(LevelFilter::WARN)
            .with_target("diem_kiem_dich", LevelFilter::INFO)
    });
    // A log on a full disk: telling standard error about it would end the request in a panic.
    let lines = fmt::layer()
        .log_internal_errors(false)
        .with_writer(std::io::stderr);
    let log = registry().with(filter);
    match format {
        LogFormat::Plain => log.with(lines.with_target(false)).init(),
        LogFormat::Json => log.with(lines.json()).init(),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_holds_together() {
        super::Arguments::command().debug_assert();
    }
}
