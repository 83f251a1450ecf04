//! The program itself, in a process of its own, on the machine's clock.

use std::{
    io::{BufRead, BufReader},
    net::SocketAddr,
    path::Path,
    process::{Child, Command, Stdio},
};

use diem_kiem_dich::{config::Settings, store::Target};
use serde_json::{Value, json};

use super::Http;

/// The program while it serves.
pub struct Program {
    /// Its process.
    pub child: Child,
    /// Where it listens.
    pub address: SocketAddr,
    /// `http://127.0.0.1:PORT`.
    pub url: String,
    /// A client without a session.
    pub http: Http,
}

impl Program {
    /// Serve the store of `settings`.
    pub fn start(settings: &Settings) -> Self {
        Self::start_in("exec \"$@\"", settings)
    }

    /// As [`Self::start`], from a shell that says `script`, in which `"$@"` is the program.
    pub fn start_in(script: &str, settings: &Settings) -> Self {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", script, "sh"]);
        command
            .arg(env!("CARGO_BIN_EXE_diem-kiem-dich"))
            .arg("--data-dir")
            .arg(&settings.data_dir)
            .args(["--listen", "127.0.0.1:0"])
            .env("DKD_RATE_LIMITS", "off")
            .env("RUST_LOG", "warn")
            .stdout(Stdio::piped())
            .stderr(log(&settings.data_dir));
        if let Target::Postgres(url, _) = &settings.database {
            command.arg("--database-url").arg(url);
        }
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let url = lines.find_map(|line| {
            let line = line.unwrap();
            line.strip_prefix("listening on ").map(str::to_owned)
        });
        let url = url.unwrap_or_else(|| {
            panic!("the program does not start: {}", told(&settings.data_dir));
        });
        let address = url.strip_prefix("http://").unwrap().parse().unwrap();
        let http = Http::new(&url, None);
        Self {
            child,
            address,
            url,
            http,
        }
    }

    /// End it at once, as the kernel or the power would.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Register a venue: the owner's client and the code of its gate.
    pub async fn venue(&self) -> (Http, String) {
        let body = json!({
            "name": "Chợ Mẫu", "kind": "market",
            "address": {"province": "80", "ward": "25459", "street": "Đường Mẫu"},
            "contact": {"name": "Chủ Mẫu", "phone": "0901234567"},
            "password": super::PASSWORD,
        });
        let (status, made) = self.http.post("/api/v1/venues", &body).await;
        assert_eq!(status, 201, "{made}");
        let login = json!({"login": made["account"]["login"], "password": super::PASSWORD});
        let (status, session) = self.http.post("/api/v1/sessions", &login).await;
        assert_eq!(status, 200, "{session}");
        let owner = Http::new(&self.url, session["access_token"].as_str());
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let path = format!("/api/v1/venues/{}/checkpoints", text(&made["venue"]["id"]));
        let (status, made) = owner.post(&path, &json!({"name": "Cổng"})).await;
        assert_eq!(status, 201, "{made}");
        (owner, text(&made["code"]))
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What it says goes to a file beside its data, one after the other.
fn log(dir: &Path) -> Stdio {
    let file = std::fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(dir.join("log"));
    file.unwrap().into()
}

/// What it said.
pub fn told(dir: &Path) -> String {
    std::fs::read_to_string(dir.join("log")).unwrap_or_default()
}
