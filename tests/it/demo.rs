//! The demo as a newcomer runs it: it fills, says where to click, serves, and its story can be found.

use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
};

use diem_kiem_dich::store::Target;
use serde_json::{Value, json};

use crate::{
    kit::{self, Http, On},
    on_both,
};

on_both! { the_outbreak_can_be_found }

/// The running program, ended with the test.
struct Demo {
    child: Child,
    url: String,
    said: String,
}

impl Drop for Demo {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn command(dir: &Path, target: &Target) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_diem-kiem-dich"));
    command
        .args(["demo", "--listen", "127.0.0.1:0", "--data-dir"])
        .arg(dir)
        .env("DKD_RATE_LIMITS", "off")
        .env("RUST_LOG", "warn")
        .stdin(Stdio::null());
    if let Target::Postgres(url, _) = target {
        command.args(["--database-url", url]);
    }
    command
}

fn start(dir: &Path, target: &Target) -> Demo {
    let mut child = command(dir, target).stdout(Stdio::piped()).spawn().unwrap();
    let mut said = String::new();
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        let line = line.unwrap();
        if let Some(url) = line.strip_prefix("listening on ") {
            let url = url.to_owned();
            return Demo { child, url, said };
        }
        said.push_str(&line);
        said.push('\n');
    }
    panic!("the demo ended before it served:\n{said}");
}

async fn log_in(demo: &Demo, login: &str) -> Http {
    assert!(demo.said.contains(login), "{}", demo.said);
    // As the demo says: the secret stands at the end of the line that begins with the login.
    let secret = demo.said.lines().find_map(|line| {
        let line = line.trim().strip_prefix(login)?;
        line.contains(" otp ")
            .then(|| line.split_whitespace().last())?
    });
    let otp = secret.map(|secret| {
        let told = Command::new(env!("CARGO_BIN_EXE_diem-kiem-dich"))
            .args(["otp", secret])
            .output()
            .unwrap();
        String::from_utf8(told.stdout).unwrap().trim().to_owned()
    });
    let body = json!({"login": login, "password": "demo-kiem-dich", "otp": otp});
    let http = Http::new(&demo.url, None);
    let (status, answer) = http.post("/api/v1/sessions", &body).await;
    assert_eq!(status, 200, "{answer}");
    Http::new(&demo.url, answer["access_token"].as_str())
}

/// Names in ring 1 of a lookup by this case, the first in the order of work first.
async fn found(officer: &Http, case: &Value) -> Vec<String> {
    let body = json!({"case": case["id"], "reason": "điều tra ổ dịch", "document": "01/CDC"});
    let (status, run) = officer.post("/api/v1/lookups", &body).await;
    assert_eq!(status, 201, "{run}");
    let id = run["id"].as_str().unwrap();
    let path = format!("/api/v1/lookups/{id}/exposures?ring=1&limit=500");
    let (status, page) = officer.get(&path).await;
    assert_eq!(status, 200, "{page}");
    let items = page["items"].as_array().unwrap();
    let names = items
        .iter()
        .map(|item| item["contact"]["full_name"].as_str());
    names.map(|name| name.unwrap().to_owned()).collect()
}

async fn the_outbreak_can_be_found(on: On) {
    let dir = tempfile::tempdir().unwrap();
    let settings = kit::settings(on, dir.path(), &[]).await;
    let (path, target) = (dir.path().to_owned(), settings.database.clone());
    let demo = tokio::task::spawn_blocking(move || start(&path, &target))
        .await
        .unwrap();
    let officer = log_in(&demo, "cdc.tayninh").await;
    let (_, cases) = officer.get("/api/v1/cases").await;
    let case = |number: &str| {
        let mut cases = cases["items"].as_array().unwrap().iter();
        let case = cases.find(|case| case["number"].as_str().unwrap().ends_with(number));
        case.unwrap().clone()
    };
    let around = found(&officer, &case("-0001")).await;
    for name in ["Lê Văn Kim Chỉ", "Phạm Thị Bàn Phím", "Đỗ Thị Ổi"] {
        assert!(
            around.iter().any(|found| found == name),
            "{name}: {around:?}"
        );
    }
    assert!(!around.iter().any(|found| found == "Liam O'Brien"));
    assert!((20..=500).contains(&around.len()), "{}", around.len());
    let traveller = found(&officer, &case("-0003")).await;
    assert!(!traveller.iter().any(|found| found == "Nguyễn Thị Mẫu Đơn"));
    let owner = log_in(&demo, "0992000001").await;
    let (_, venues) = owner.get("/api/v1/venues").await;
    assert_eq!(venues["items"][0]["name"], "Chợ Sông Mây");
    let code = demo.said.split("/c/").nth(1).unwrap();
    let code = code.split_whitespace().next().unwrap();
    let (status, gate) = owner.get(&format!("/api/v1/checkpoints/{code}")).await;
    assert_eq!((status, &gate["name"]), (200, &json!("Cổng chính")));
    drop(demo);
    let again = command(dir.path(), &settings.database).output().unwrap();
    assert_eq!(again.status.code(), Some(1));
    let why = String::from_utf8(again.stderr).unwrap();
    assert!(why.contains("the database is not empty"), "{why}");
}
