//! The audit log from outside: what was done to it is found, and nothing is answered without it.

mod found;
mod opened;
mod signed;
mod transparency;

use std::process::Command;

use diem_kiem_dich::{
    config::Settings,
    http::App,
    privacy::audit::{self, Entry, keep},
    store::{Error, Sql, Target},
};

/// What a command said and how it ended.
struct Ran {
    code: i32,
    out: String,
    error: String,
}

/// Run the program with the data and the database of `settings`.
fn run(settings: &Settings, arguments: &[&str]) -> Ran {
    let mut command = Command::new(env!("CARGO_BIN_EXE_diem-kiem-dich"));
    command.arg("--data-dir").arg(&settings.data_dir);
    if let Target::Postgres(url, _) = &settings.database {
        command.arg("--database-url").arg(url);
    }
    let output = command.args(arguments).output().unwrap();
    Ran {
        code: output.status.code().unwrap(),
        out: String::from_utf8(output.stdout).unwrap(),
        error: String::from_utf8(output.stderr).unwrap(),
    }
}

/// Append `n` entries that differ.
async fn filled(app: &App, n: i64) {
    for people in 1..=n {
        app.db
            .write(async |tx| {
                let entry = Entry {
                    action: "lookup.viewed",
                    subject: format!("run {people}"),
                    document: Some("12/CDC"),
                    reason: Some("Truy vết"),
                    people: Some(people),
                    ..Entry::default()
                };
                audit::append(tx, entry).await
            })
            .await
            .unwrap();
    }
}

/// Sign what is there, in both places.
async fn signed(app: &App) -> keep::Kept {
    let dir = &app.settings.audit_dir;
    let kept = keep::sign_and_put(&app.db, &app.keys.audit(), dir).await;
    kept.unwrap().expect("a log that is not empty")
}

/// Run statements as somebody who owns the database.
async fn tamper(app: &App, texts: &[Sql]) {
    let mut texts = texts.to_vec();
    let free = [
        (
            "audit_log",
            "audit_log_keep",
            "audit_log_whole",
            "audit_log_once",
        ),
        (
            "audit_checkpoints",
            "audit_checkpoints_keep",
            "audit_checkpoints_whole",
            "audit_checkpoints_once",
        ),
    ];
    for (table, keep, whole, once) in free {
        let drop = |name| &*format!("DROP TRIGGER IF EXISTS {name}").leak();
        let disable = &*format!("ALTER TABLE {table} DISABLE TRIGGER USER").leak();
        texts.insert(0, Sql::split(disable, drop(keep)));
        texts.insert(0, Sql::split("SELECT 1", drop(whole)));
        texts.insert(0, Sql::split("SELECT 1", drop(once)));
    }
    app.db
        .append(async |tx| {
            for text in &texts {
                tx.query(*text).execute().await?;
            }
            Ok::<_, Error>(())
        })
        .await
        .unwrap();
}
