//! Settings: a file, the environment over it, the command line over both.
//!
//! Unknown keys are refused, in the file and in the environment, so that a misspelt setting is not
//! silently the default. A secret comes by value or by file, never both, and does not print itself.
//! This is the only place where the environment is read.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use crate::{base::Network, store::Target};

/// Connections to PostgreSQL that one process opens at most.
const POSTGRES_CONNECTIONS: u32 = 16;

/// Lookups that one officer makes in a day, unless the account has a budget of its own.
const LOOKUPS_PER_DAY: i64 = 300;

/// People whose names one officer opens in a day, likewise: five lists of the size from which a
/// second person has to agree.
const PEOPLE_PER_DAY: i64 = 50_000;

/// How log lines are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    #[default]
    Plain,
    /// One JSON object a line.
    Json,
}

/// What the file holds: every key is optional.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(
    clippy::struct_field_names,
    reason = "the names are those of the keys; a secret's file ends in _file"
)]
struct File {
    audit_dir: Option<PathBuf>,
    data_dir: Option<PathBuf>,
    database_url: Option<SecretString>,
    database_url_file: Option<PathBuf>,
    listen: Option<SocketAddr>,
    metrics_listen: Option<SocketAddr>,
    public_url: Option<String>,
    rate_limits: Option<String>,
    retention_days: Option<u16>,
    lookups_per_day: Option<i64>,
    people_per_day: Option<i64>,
    security_contact: Option<String>,
    trusted_proxies: Option<Vec<Network>>,
    log: Option<LogFormat>,
    master_key: Option<SecretString>,
    master_key_file: Option<PathBuf>,
    message_sender: Option<String>,
    message_file: Option<PathBuf>,
    message_command: Option<Vec<String>>,
    message_daily_limit: Option<u32>,
    rights_reply_days: Option<u16>,
    rights_access_days: Option<u16>,
    rights_withdraw_days: Option<u16>,
    rights_erase_days: Option<u16>,
    master_key_command: Option<Vec<String>>,
    backup_keys_file: Option<PathBuf>,
    workers: Option<usize>,
}

/// What the command line may set.
#[derive(Clone, Debug, Default)]
pub struct Overrides {
    /// `--config FILE`.
    pub config: Option<PathBuf>,
    /// `--data-dir DIR`.
    pub data_dir: Option<PathBuf>,
    /// `--database-url URL`.
    pub database_url: Option<String>,
    /// `--listen ADDR`.
    pub listen: Option<SocketAddr>,
}

/// Where the master key comes from.
#[derive(Clone, Debug)]
pub enum MasterKey {
    /// Given by value: 64 hexadecimal digits.
    Value(SecretString),
    /// In this file.
    File(PathBuf),
    /// In `<data-dir>/keys/master.key`, made at the first start.
    Own(PathBuf),
    /// Printed by this program, given with its arguments and run without a shell: a key management
    /// service is asked by its own tool.
    Command(Vec<String>),
}

/// What carries messages to people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Carrier {
    /// Nothing: no message can be sent.
    Off,
    /// Each message is a line of JSON at the end of this file, for a gateway that reads it. It holds
    /// numbers and codes.
    File(PathBuf),
    /// This program with these arguments is run for each message, which it reads as a line of JSON
    /// from its standard input. No shell is involved.
    Command(Vec<String>),
}

/// How messages to people leave the service.
#[derive(Clone, Debug)]
pub struct Messages {
    /// What carries them.
    pub carrier: Carrier,
    /// Messages with a code that the whole service sends in one UTC day at most, which bounds what an
    /// attack can cost.
    pub daily_limit: u32,
}

/// By when requests of people about their data are answered, counted from the day of the request.
/// The defaults are those of Luật 91/2025/QH15 and NĐ 356/2025/NĐ-CP as far as they are known: the
/// days for the first reply and for withdrawing are certain, the other two are read as "10 to 20
/// days", so both can be set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deadlines {
    /// Working days until the first reply, 1 to 10.
    pub reply_working_days: u16,
    /// Days to let somebody see, correct or take along their data, 1 to 60.
    pub access_days: u16,
    /// Days to stop processing, after consent was withdrawn or the processing objected to, 1 to 60.
    pub withdraw_days: u16,
    /// Days to erase, 1 to 60.
    pub erase_days: u16,
}

impl Default for Deadlines {
    fn default() -> Self {
        Self {
            reply_working_days: 2,
            access_days: 10,
            withdraw_days: 15,
            erase_days: 20,
        }
    }
}

/// All settings.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where signed checkpoints of the audit log are kept beside the database.
    pub audit_dir: PathBuf,
    /// Where the service keeps its files.
    pub data_dir: PathBuf,
    /// Where the data is.
    pub database: Target,
    /// Where to listen.
    pub listen: SocketAddr,
    /// Where to serve metrics; `None` for nowhere.
    pub metrics_listen: Option<SocketAddr>,
    /// How the outside reaches the service, without a slash at the end.
    pub public_url: Option<String>,
    /// Whether requests are limited, and an officer's day.
    pub rate_limits: bool,
    /// Days for which check-ins are kept, 14 to 28.
    pub retention_days: u16,
    /// Lookups that one officer makes in a day, at least 1.
    pub lookups_per_day: i64,
    /// People whose names one officer opens in a day, at least 1.
    pub people_per_day: i64,
    /// Where weaknesses are reported, a `mailto:` or `https:` address, for `security.txt`; `None`: the
    /// start page.
    pub security_contact: Option<String>,
    /// Proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<Network>,
    /// How log lines are written.
    pub log: LogFormat,
    /// Where the master key comes from.
    pub master_key: MasterKey,
    /// How messages to people leave the service.
    pub messages: Messages,
    /// By when requests of people about their data are answered.
    pub rights: Deadlines,
    /// The backup keys, without which a backup gives back nothing that passes.
    pub backup_keys: PathBuf,
    /// Threads that serve requests.
    pub workers: usize,
}

/// A setting that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read the configuration file {0}: {1}")]
    Read(PathBuf, #[source] std::io::Error),
    /// The file is not TOML or has a key that does not exist.
    #[error("{0}: {1}")]
    Syntax(PathBuf, String),
    /// An environment variable that does not exist.
    #[error("unknown environment variable {0}; see --help for those that exist")]
    UnknownVariable(String),
    /// A value that is not allowed.
    #[error("{key}: {problem}")]
    Value {
        /// The key, as in the file.
        key: &'static str,
        /// What is wrong and what to do.
        problem: String,
    },
}

fn value(key: &'static str, problem: impl Into<String>) -> ConfigError {
    ConfigError::Value {
        key,
        problem: problem.into(),
    }
}

/// The variables of the environment that belong to this program, without `DKD_`, in lower case.
#[must_use]
#[expect(
    clippy::disallowed_methods,
    reason = "the one place where the environment is read"
)]
pub fn environment() -> BTreeMap<String, String> {
    std::env::vars()
        .filter_map(|(name, value)| {
            let key = name.strip_prefix("DKD_")?.to_ascii_lowercase();
            Some((key, value))
        })
        .collect()
}

impl Settings {
    /// Read the settings: defaults, then the file, then `environment`, then `overrides`.
    ///
    /// # Errors
    ///
    /// When something is unknown or not allowed; the text says what to do.
    pub fn load(
        overrides: &Overrides,
        environment: BTreeMap<String, String>,
    ) -> Result<Self, ConfigError> {
        let mut environment = environment;
        let from_environment = environment.remove("config").map(PathBuf::from);
        let file = match overrides.config.clone().or(from_environment) {
            Some(path) => read_file(&path)?,
            None => File::default(),
        };
        let file = over(file, environment)?;
        Self::check(file, overrides)
    }

    fn check(file: File, overrides: &Overrides) -> Result<Self, ConfigError> {
        let data_dir = overrides
            .data_dir
            .clone()
            .or_else(|| file.data_dir.clone())
            .unwrap_or_else(|| PathBuf::from("data"));
        let messages = Messages {
            carrier: carrier(&file, &data_dir)?,
            daily_limit: file.message_daily_limit.unwrap_or(1000),
        };
        let rights = deadlines(&file)?;
        let url = match overrides.database_url.clone() {
            Some(url) => Some(SecretString::from(url)),
            None => secret("database_url", file.database_url, file.database_url_file)?,
        };
        let keys = data_dir.join("keys");
        let given = (
            file.master_key,
            file.master_key_file,
            file.master_key_command,
        );
        let master_key = match given {
            (None, None, None) => MasterKey::Own(keys.join("master.key")),
            (Some(value), None, None) => MasterKey::Value(value),
            (None, Some(path), None) => MasterKey::File(path),
            (None, None, Some(words)) if !words.is_empty() => MasterKey::Command(words),
            (None, None, Some(_)) => return Err(value("master_key_command", "names no program")),
            _ => {
                return Err(value(
                    "master_key",
                    "is given by value, by file or by command; give one of them",
                ));
            }
        };
        let retention_days = file.retention_days.unwrap_or(21);
        if !(14..=28).contains(&retention_days) {
            return Err(value("retention_days", "must be from 14 to 28"));
        }
        let lookups_per_day = file.lookups_per_day.unwrap_or(LOOKUPS_PER_DAY);
        if lookups_per_day < 1 {
            return Err(value("lookups_per_day", "must be 1 or more"));
        }
        let people_per_day = file.people_per_day.unwrap_or(PEOPLE_PER_DAY);
        if people_per_day < 1 {
            return Err(value("people_per_day", "must be 1 or more"));
        }
        let rate_limits = match file.rate_limits.as_deref() {
            None | Some("on") => true,
            Some("off") => false,
            Some(_) => return Err(value("rate_limits", "must be on or off")),
        };
        let workers = file.workers.unwrap_or(2);
        if !(1..=256).contains(&workers) {
            return Err(value("workers", "must be from 1 to 256"));
        }
        Ok(Self {
            audit_dir: file.audit_dir.unwrap_or_else(|| data_dir.join("audit")),
            database: target(url.as_ref(), &data_dir)?,
            data_dir,
            listen: overrides
                .listen
                .or(file.listen)
                .unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 8080))),
            metrics_listen: file.metrics_listen,
            public_url: file.public_url.map(|url| public_url(&url)).transpose()?,
            rate_limits,
            retention_days,
            lookups_per_day,
            people_per_day,
            security_contact: file.security_contact.map(security_contact).transpose()?,
            trusted_proxies: file.trusted_proxies.unwrap_or_default(),
            log: file.log.unwrap_or_default(),
            master_key,
            messages,
            rights,
            backup_keys: file
                .backup_keys_file
                .unwrap_or_else(|| keys.join("backup.keys")),
            workers,
        })
    }
}

fn read_file(path: &Path) -> Result<File, ConfigError> {
    let text =
        std::fs::read_to_string(path).map_err(|error| ConfigError::Read(path.to_owned(), error))?;
    toml::from_str(&text)
        .map_err(|error| ConfigError::Syntax(path.to_owned(), error.message().to_owned()))
}

/// Lay the environment over the file, through the same types: a variable is a key of the file.
fn over(mut file: File, environment: BTreeMap<String, String>) -> Result<File, ConfigError> {
    fn parse<T: std::str::FromStr>(
        key: &'static str,
        text: &str,
    ) -> Result<Option<T>, ConfigError> {
        text.parse()
            .map(Some)
            .map_err(|_| value(key, "cannot be read; see --help for its form"))
    }
    for (key, text) in environment {
        match key.as_str() {
            "audit_dir" => file.audit_dir = Some(text.into()),
            "data_dir" => file.data_dir = Some(text.into()),
            "database_url" => file.database_url = Some(text.into()),
            "database_url_file" => file.database_url_file = Some(text.into()),
            "listen" => file.listen = parse("listen", &text)?,
            "metrics_listen" => file.metrics_listen = parse("metrics_listen", &text)?,
            "public_url" => file.public_url = Some(text),
            "rate_limits" => file.rate_limits = Some(text),
            "retention_days" => file.retention_days = parse("retention_days", &text)?,
            "lookups_per_day" => file.lookups_per_day = parse("lookups_per_day", &text)?,
            "people_per_day" => file.people_per_day = parse("people_per_day", &text)?,
            "trusted_proxies" => {
                let each = text.split(',').map(str::trim).filter(|ip| !ip.is_empty());
                let parsed: Result<Vec<Network>, _> = each.map(str::parse).collect();
                file.trusted_proxies = Some(parsed.map_err(|_| {
                    value(
                        "trusted_proxies",
                        "must be addresses or networks (10.0.0.0/8) separated by commas",
                    )
                })?);
            }
            "security_contact" => file.security_contact = Some(text),
            "log" => {
                file.log = match text.as_str() {
                    "plain" => Some(LogFormat::Plain),
                    "json" => Some(LogFormat::Json),
                    _ => return Err(value("log", "must be plain or json")),
                }
            }
            "master_key" => file.master_key = Some(text.into()),
            "master_key_file" => file.master_key_file = Some(text.into()),
            "message_sender" => file.message_sender = Some(text),
            "message_file" => file.message_file = Some(text.into()),
            "message_command" => {
                let words = text.split_whitespace().map(str::to_owned);
                file.message_command = Some(words.collect());
            }
            "message_daily_limit" => {
                file.message_daily_limit = parse("message_daily_limit", &text)?;
            }
            "rights_reply_days" => file.rights_reply_days = parse("rights_reply_days", &text)?,
            "rights_access_days" => file.rights_access_days = parse("rights_access_days", &text)?,
            "rights_withdraw_days" => {
                file.rights_withdraw_days = parse("rights_withdraw_days", &text)?;
            }
            "rights_erase_days" => file.rights_erase_days = parse("rights_erase_days", &text)?,
            "master_key_command" => {
                file.master_key_command = Some(serde_json::from_str(&text).map_err(|_| {
                    value(
                        "master_key_command",
                        "must be words like [\"program\", \"argument\"]",
                    )
                })?);
            }
            "backup_keys_file" => file.backup_keys_file = Some(text.into()),
            "workers" => file.workers = parse("workers", &text)?,
            _ => {
                let name = format!("DKD_{}", key.to_ascii_uppercase());
                return Err(ConfigError::UnknownVariable(name));
            }
        }
    }
    Ok(file)
}

fn both(key: &'static str) -> ConfigError {
    value(key, "is given by value and by file; give one of them")
}

/// A secret by value or by file, without the line end of the file.
fn secret(
    key: &'static str,
    by_value: Option<SecretString>,
    by_file: Option<PathBuf>,
) -> Result<Option<SecretString>, ConfigError> {
    match (by_value, by_file) {
        (Some(_), Some(_)) => Err(both(key)),
        (None, Some(path)) => {
            let text = std::fs::read_to_string(&path)
                .map(zeroize::Zeroizing::new)
                .map_err(|error| ConfigError::Read(path.clone(), error))?;
            Ok(Some(SecretString::from(text.trim_end().to_owned())))
        }
        (by_value, None) => Ok(by_value),
    }
}

/// What carries messages, as the keys of the file say.
fn carrier(file: &File, data_dir: &Path) -> Result<Carrier, ConfigError> {
    match file.message_sender.as_deref().unwrap_or("off") {
        "off" => Ok(Carrier::Off),
        "file" => Ok(Carrier::File(
            file.message_file
                .clone()
                .unwrap_or_else(|| data_dir.join("messages.jsonl")),
        )),
        "command" => match file.message_command.clone() {
            Some(words) if words.first().is_some_and(|word| word.starts_with('/')) => {
                Ok(Carrier::Command(words))
            }
            _ => Err(value(
                "message_command",
                "must be a list: the full path of a program, then its arguments",
            )),
        },
        _ => Err(value("message_sender", "must be off, file or command")),
    }
}

fn deadlines(file: &File) -> Result<Deadlines, ConfigError> {
    let usual = Deadlines::default();
    let within = |key, given: Option<u16>, usual, most| match given.unwrap_or(usual) {
        days if (1..=most).contains(&days) => Ok(days),
        _ => Err(value(key, format!("must be from 1 to {most}"))),
    };
    Ok(Deadlines {
        reply_working_days: within(
            "rights_reply_days",
            file.rights_reply_days,
            usual.reply_working_days,
            10,
        )?,
        access_days: within(
            "rights_access_days",
            file.rights_access_days,
            usual.access_days,
            60,
        )?,
        withdraw_days: within(
            "rights_withdraw_days",
            file.rights_withdraw_days,
            usual.withdraw_days,
            60,
        )?,
        erase_days: within(
            "rights_erase_days",
            file.rights_erase_days,
            usual.erase_days,
            60,
        )?,
    })
}

fn target(url: Option<&SecretString>, data_dir: &Path) -> Result<Target, ConfigError> {
    let url = url.map_or("", |url| url.expose_secret());
    if url.is_empty() {
        return Ok(Target::Sqlite(data_dir.join("diem-kiem-dich.db")));
    }
    if url.starts_with("postgres://") || url.starts_with("postgresql://") {
        return Ok(Target::Postgres(url.to_owned(), POSTGRES_CONNECTIONS));
    }
    let path = url
        .strip_prefix("sqlite://")
        .or_else(|| url.strip_prefix("sqlite:"));
    match path.filter(|path| !path.is_empty()) {
        Some(path) => Ok(Target::Sqlite(path.into())),
        None => Err(value(
            "database_url",
            "must be postgres://USER@HOST/DATABASE, sqlite:FILE, or left out for SQLite in the data directory",
        )),
    }
}

fn public_url(url: &str) -> Result<String, ConfigError> {
    let url = url.trim_end_matches('/');
    let host = url
        .strip_prefix("https://")
        .or_else(|| url.strip_prefix("http://"))
        .unwrap_or_default();
    // Only what a QR code in upper case can hold (alphanumeric mode) and a host can be.
    let allowed = |c: char| c.is_ascii_alphanumeric() || ".-:[]".contains(c);
    if host.is_empty() || !host.chars().all(allowed) {
        return Err(value(
            "public_url",
            "must be http:// or https:// and a host name, with a port if needed, and no path",
        ));
    }
    Ok(url.to_ascii_lowercase())
}

/// An address of RFC 9116, in one line.
fn security_contact(address: String) -> Result<String, ConfigError> {
    let known = ["mailto:", "https://", "tel:"];
    let is_one = known.iter().any(|start| address.starts_with(start))
        && address.chars().all(|c| c.is_ascii_graphic());
    if is_one {
        Ok(address)
    } else {
        Err(value(
            "security_contact",
            "must begin with mailto:, https:// or tel: and hold no blanks",
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(variables: &[(&str, &str)]) -> Result<Settings, ConfigError> {
        let environment = variables
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect();
        Settings::load(&Overrides::default(), environment)
    }

    #[test]
    fn defaults_are_those_of_the_contract() {
        let settings = load(&[]).unwrap();
        assert_eq!(settings.listen.to_string(), "127.0.0.1:8080");
        assert_eq!(
            settings.database,
            Target::Sqlite("data/diem-kiem-dich.db".into())
        );
        assert!(settings.rate_limits);
        assert_eq!(settings.retention_days, 21);
    }

    #[test]
    fn says_what_is_wrong() {
        let problem = |variables: &[(&str, &str)]| load(variables).unwrap_err().to_string();
        assert_eq!(
            problem(&[("lisen", "1")]),
            "unknown environment variable DKD_LISEN; see --help for those that exist"
        );
        assert!(problem(&[("retention_days", "13")]).contains("14 to 28"));
        assert!(problem(&[("lookups_per_day", "0")]).contains("1 or more"));
        assert!(problem(&[("people_per_day", "-1")]).contains("1 or more"));
        assert!(problem(&[("database_url", "mysql://x")]).contains("postgres://"));
        assert!(problem(&[("master_key", "a"), ("master_key_file", "b")]).contains("one of them"));
        assert!(problem(&[("master_key_command", "aws kms")]).contains("argument"));
        assert!(
            problem(&[("master_key_command", r#"["a"]"#), ("master_key", "b")])
                .contains("one of them")
        );
        assert!(problem(&[("public_url", "https://a/b")]).contains("no path"));
        assert!(problem(&[("rate_limits", "no")]).contains("on or off"));
        assert!(problem(&[("trusted_proxies", "10.0.0.1/8")]).contains("10.0.0.0/8"));
        assert!(problem(&[("security_contact", "a@b.vn\nX: y")]).contains("mailto:"));
        assert!(problem(&[("message_sender", "sms")]).contains("file or command"));
        assert!(problem(&[("message_sender", "command")]).contains("full path"));
        assert!(problem(&[("rights_erase_days", "0")]).contains("from 1 to 60"));
    }

    #[test]
    fn the_file_refuses_unknown_keys_and_the_environment_wins() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("c.toml");
        std::fs::write(&path, "listen = \"127.0.0.1:1\"\nlog = \"json\"\n").unwrap();
        let overrides = Overrides {
            config: Some(path.clone()),
            ..Overrides::default()
        };
        let environment = BTreeMap::from([("listen".to_owned(), "127.0.0.1:2".to_owned())]);
        let settings = Settings::load(&overrides, environment).unwrap();
        assert_eq!(settings.listen.port(), 2);
        assert_eq!(settings.log, LogFormat::Json);
        std::fs::write(&path, "lisen = 1\n").unwrap();
        let error = Settings::load(&overrides, BTreeMap::new()).unwrap_err();
        assert!(error.to_string().contains("lisen"), "{error}");
    }

    #[test]
    fn secrets_do_not_print_themselves() {
        let settings = load(&[("master_key", "feedface")]).unwrap();
        assert!(!format!("{settings:?}").contains("feedface"));
    }
}
