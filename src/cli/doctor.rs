//! `doctor`: is this deployment in order?

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    time::Duration,
};

use clap::Args;

use crate::{
    base::Day,
    cli::{CliError, open},
    config::{Carrier, MasterKey, Settings},
    http::App,
    privacy::{
        audit::{self, Verdict},
        escrow::Escrow,
        rotate,
    },
    store::{self, Target},
};

#[derive(Debug, Args)]
pub(super) struct Options {
    /// Only ask a running service whether it is ready, like `http://127.0.0.1:8080/readyz`.
    #[arg(long, value_name = "URL")]
    url: Option<String>,
}

pub(super) async fn run(settings: Settings, options: Options) -> Result<(), CliError> {
    if let Some(url) = options.url {
        return probe(&url);
    }
    let mut doctor = Doctor::default();
    doctor.settings(&settings);
    let retention = settings.retention_days;
    match open(settings).await {
        Err(error) => doctor.bad(&error.to_string()),
        Ok(app) => {
            doctor.good("database reached, schema up to date, keys open");
            let today = Day::of(app.clock.now());
            match app.keys.day_from(&app.db, today).await {
                Ok(_) => doctor.good(&format!("key of {today} is there")),
                Err(error) => doctor.bad(&error.to_string()),
            }
            let verdict = app.db.read(async |tx| audit::verify(tx).await).await;
            match verdict {
                Ok(Verdict::Whole(n)) => doctor.good(&format!("audit log whole: {n} entries")),
                Ok(Verdict::Broken(finding)) => doctor.bad(&format!(
                    "audit log: {finding}; `diem-kiem-dich audit verify` says all"
                )),
                Err(error) => {
                    let error: store::Error = error;
                    doctor.bad(&error.to_string());
                }
            }
            doctor.keys(&app).await;
            doctor.good(&format!("check-ins are kept {retention} days"));
            app.db.close().await;
        }
    }
    if doctor.problems == 0 {
        Ok(())
    } else {
        Err(CliError::other(format!(
            "{} to mend; see the lines marked with !",
            doctor.problems
        )))
    }
}

#[derive(Default)]
struct Doctor {
    problems: u32,
}

impl Doctor {
    #[expect(clippy::unused_self, reason = "reads as its siblings do")]
    fn good(&self, text: &str) {
        println!("  ok  {text}");
    }

    #[expect(clippy::unused_self, reason = "reads as its siblings do")]
    fn warn(&self, text: &str) {
        println!("warn  {text}");
    }

    fn bad(&mut self, text: &str) {
        self.problems += 1;
        println!("   !  {text}");
    }

    fn settings(&mut self, settings: &Settings) {
        match &settings.database {
            Target::Sqlite(path) => self.good(&format!("SQLite in {}", path.display())),
            Target::Postgres(..) => self.good("PostgreSQL (URL not shown: it may hold a password)"),
        }
        match &settings.public_url {
            None => self.warn(&format!(
                "public_url is not set: posters will show http://{}, which other phones cannot reach",
                settings.listen
            )),
            Some(url) if url.starts_with("http://") => {
                self.warn("public_url is not https: phones will send declarations in the clear");
            }
            Some(url) => self.good(&format!("public_url {url}")),
        }
        if !settings.rate_limits {
            self.warn("rate_limits is off: for benchmarks only");
        }
        match &settings.messages.carrier {
            Carrier::Off => self.warn(
                "message_sender is off: people cannot prove their number to see or erase their data",
            ),
            Carrier::File(path) => self.warn(&format!(
                "messages go to {}, which holds numbers and codes: let a gateway empty it",
                path.display()
            )),
            Carrier::Command(_) => self.good("messages are handed to a program"),
        }
        if let MasterKey::File(path) | MasterKey::Own(path) = &settings.master_key {
            self.key_file(path);
        }
    }

    async fn keys(&mut self, app: &App) {
        match rotate::known(&app.db).await {
            Ok(known) if known.iter().any(|key| key.word() == "read-only") => self.warn(
                "the master key is half rotated: both keys are needed until keys rotate is done",
            ),
            Ok(known) => self.good(&format!("master key number {}", known.len())),
            Err(error) => self.bad(&error.to_string()),
        }
        match Escrow::read(&app.settings.backup_keys) {
            Ok(keys) => match keys.reaches() {
                Some(day) => self.good(&format!("backup keys until {day}")),
                None => self.warn("no backup keys yet: the service or a backup makes them"),
            },
            Err(error) => self.bad(&error.to_string()),
        }
    }

    fn key_file(&mut self, path: &std::path::Path) {
        use std::os::unix::fs::PermissionsExt as _;
        match std::fs::metadata(path) {
            Ok(meta) if meta.permissions().mode().trailing_zeros() >= 6 => {
                self.good(&format!("master key in {}", path.display()));
            }
            Ok(_) => self.bad(&format!(
                "others can read {}; run: chmod 600 {}",
                path.display(),
                path.display()
            )),
            Err(_) => self.warn(&format!(
                "{} is not there yet; the first start makes it",
                path.display()
            )),
        }
    }
}

/// Ask `url` by plain HTTP and expect 200: what a container's health check needs.
fn probe(url: &str) -> Result<(), CliError> {
    let rest = url
        .strip_prefix("http://")
        .ok_or_else(|| CliError::other("--url must begin with http://"))?;
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let answer = (|| {
        let mut stream = TcpStream::connect(host)?;
        stream.set_read_timeout(Some(Duration::from_secs(3)))?;
        write!(
            stream,
            "GET /{path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
        )?;
        let mut answer = String::new();
        stream.take(4096).read_to_string(&mut answer)?;
        Ok::<_, std::io::Error>(answer)
    })();
    match answer {
        Ok(text) if text.starts_with("HTTP/1.1 200") => {
            println!("ready");
            Ok(())
        }
        Ok(_) => Err(CliError::other("the service is not ready")),
        Err(error) => Err(CliError::other(format!(
            "the service does not answer: {error}"
        ))),
    }
}
