//! The API as schemathesis sees it: requests made up from the description, right and wrong, and every
//! answer held against what the description promises.

use std::{path::PathBuf, process::Command};

use diem_kiem_dich::accounts::Role;

use crate::kit::{On, Server};

/// How long it may look for faults with each token.
const SECONDS: &str = "30";

/// The same requests in every run: a failure can be looked at again.
const SEED: &str = "20261118";

/// Ask `server` everything, with the token of `role` or without; what is wrong.
async fn faults(server: &Server, role: Option<Role>) -> String {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let tool = root.join("target/tools/schemathesis/bin/schemathesis");
    assert!(
        tool.exists(),
        "schemathesis is missing: tests/run installs it"
    );
    let dir = tempfile::tempdir().unwrap();
    let mut command = Command::new(tool);
    command
        .arg("--config-file")
        .arg(root.join("tests/schemathesis.toml"))
        .arg("run")
        .arg(format!("{}/api/v1/openapi.json", server.url))
        .args(["--checks", "all", "--max-time", SECONDS, "--seed", SEED])
        .args(["--workers", "1", "--no-shrink", "--continue-on-failure"])
        .args(["--warnings", "off", "--generation-database", "none"])
        // Ending a session would end the token for all that follows.
        .args(["--exclude-method", "DELETE"])
        .current_dir(dir.path());
    if let Some(role) = role {
        let caller = server.login_as(role, Some("80")).await;
        let token = caller.token().unwrap();
        command
            .arg("-H")
            .arg(format!("Authorization: Bearer {token}"));
    }
    let done = tokio::task::spawn_blocking(move || command.output().unwrap());
    let done = done.await.unwrap();
    let said = String::from_utf8_lossy(&done.stdout).into_owned();
    assert!(said.contains("Test cases:"), "it did not run: {done:?}");
    if done.status.success() {
        String::new()
    } else {
        said
    }
}

#[tokio::test]
async fn strangers_find_no_fault() {
    let server = Server::start(On::Sqlite).await;
    let faults = faults(&server, None).await;
    assert!(faults.is_empty(), "{faults}");
}

#[tokio::test]
async fn officers_find_no_fault() {
    let server = Server::start(On::Sqlite).await;
    let faults = faults(&server, Some(Role::HealthOfficer)).await;
    assert!(faults.is_empty(), "{faults}");
}

#[tokio::test]
async fn owners_find_no_fault() {
    let server = Server::start(On::Sqlite).await;
    let faults = faults(&server, Some(Role::VenueOwner)).await;
    assert!(faults.is_empty(), "{faults}");
}
