//! What was done to the log is found, and said.

use diem_kiem_dich::{
    base::Random,
    http::App,
    privacy::{Key, audit::checkpoint::Signer},
    store::Sql,
};

use super::{Ran, filled, run, signed, tamper};
use crate::{
    kit::{self, On},
    on_both,
};

on_both! {
    a_whole_log_is_called_whole,
    a_changed_entry_is_named,
    a_removed_entry_is_named,
    swapped_entries_are_named,
    a_cut_end_is_named,
    a_log_made_anew_is_found_by_its_checkpoints,
    a_changed_checkpoint_is_named,
    an_exported_file_is_checked_without_a_database,
}

/// A log of twenty entries, signed at 8, 13 and 20.
async fn log(on: On) -> (App, tempfile::TempDir) {
    let (app, _, dir) = kit::app(on).await;
    for more in [8, 5, 7] {
        filled(&app, more).await;
        signed(&app).await;
    }
    (app, dir)
}

/// The log after `texts` were run, checked while it is open.
async fn after(on: On, texts: &[Sql]) -> Ran {
    let (app, _dir) = log(on).await;
    tamper(&app, texts).await;
    run(&app.settings, &["audit", "verify"])
}

async fn a_whole_log_is_called_whole(on: On) {
    let (app, dir) = log(on).await;
    let ran = run(&app.settings, &["audit", "verify"]);
    assert_eq!(ran.code, 0, "{}", ran.error);
    assert_eq!(
        ran.out,
        "whole: 20 entries; 3 checkpoints hold, the last of 20 entries\n"
    );
    // Against a checkpoint that somebody took away long ago.
    let taken = dir.path().join("taken");
    std::fs::copy(
        app.settings.audit_dir.join("000000000008.checkpoint"),
        &taken,
    )
    .unwrap();
    filled(&app, 3).await;
    let with = ["audit", "verify", "--checkpoint", taken.to_str().unwrap()];
    let ran = run(&app.settings, &with);
    assert_eq!(ran.code, 0, "{}", ran.error);
    // With the service stopped.
    app.db.close().await;
    assert_eq!(run(&app.settings, &with).code, 0);
    // A file that is no checkpoint, and one of another log.
    std::fs::write(&taken, "123\n").unwrap();
    let ran = run(&app.settings, &with);
    assert_eq!(ran.code, 1);
    assert!(
        ran.out.contains("is not a signed checkpoint"),
        "{}",
        ran.out
    );
    // With the key of another log nothing holds.
    let other = Signer::new(&Key::new(&Random::seeded(99)))
        .public()
        .to_string();
    let ran = run(&app.settings, &["audit", "verify", "--public-key", &other]);
    assert_eq!(ran.code, 1);
    assert_eq!(
        ran.out.matches("was signed with another key").count(),
        6,
        "{}",
        ran.out
    );
    let ran = run(&app.settings, &["audit", "verify", "--public-key", "none"]);
    assert!(ran.error.contains("is not the public key"), "{}", ran.error);
}

async fn a_changed_entry_is_named(on: On) {
    let ran = after(
        on,
        &["UPDATE audit_log SET people = 1 WHERE seq = 5".into()],
    )
    .await;
    assert_eq!(ran.code, 1);
    assert_eq!(ran.out, "entry 5 was changed\n");
    assert!(ran.error.contains("not as it was written"), "{}", ran.error);
    let ran = after(
        on,
        &[
            "UPDATE audit_log SET at = (SELECT at FROM audit_checkpoints LIMIT 1), actor = NULL,
             document = '' WHERE seq = 20"
                .into(),
        ],
    )
    .await;
    assert_eq!(ran.out, "entry 20 was changed\n");
    // With the hash of its leaf, but not of the subtrees above it.
    let ran = after(
        on,
        &["UPDATE audit_log SET nodes = (SELECT nodes FROM audit_log WHERE seq = 1) WHERE seq = 3"
            .into()],
    )
    .await;
    assert!(ran.out.starts_with("entry 3 was changed\n"), "{}", ran.out);
    assert!(
        ran.out.contains("hashes stored with entry 4"),
        "{}",
        ran.out
    );
}

async fn a_removed_entry_is_named(on: On) {
    let ran = after(on, &["DELETE FROM audit_log WHERE seq = 12".into()]).await;
    assert_eq!(ran.code, 1);
    assert_eq!(ran.out, "entry 12 is missing\n");
    let ran = after(on, &["DELETE FROM audit_log WHERE seq <= 2".into()]).await;
    assert_eq!(ran.out, "entries 1 to 2 are missing\n");
    // The ones after it move up.
    let move_up = "UPDATE audit_log SET seq = seq - 1 WHERE seq > 12";
    let ran = after(
        on,
        &[
            "DELETE FROM audit_log WHERE seq = 12".into(),
            Sql::split("UPDATE audit_log SET seq = -seq WHERE seq > 12", move_up),
            Sql::split(
                "UPDATE audit_log SET seq = -seq - 1 WHERE seq < 0",
                "SELECT 1",
            ),
        ],
    )
    .await;
    assert_eq!(ran.code, 1);
    assert!(ran.out.starts_with("entry 12 was changed\n"), "{}", ran.out);
}

async fn swapped_entries_are_named(on: On) {
    let texts: [Sql; 3] = [
        "UPDATE audit_log SET seq = 1000 WHERE seq = 3".into(),
        "UPDATE audit_log SET seq = 3 WHERE seq = 9".into(),
        "UPDATE audit_log SET seq = 9 WHERE seq = 1000".into(),
    ];
    let ran = after(on, &texts).await;
    assert_eq!(ran.code, 1);
    // Rows with their hashes.
    assert!(
        ran.out.starts_with("entries 3 and 9 were swapped\n"),
        "{}",
        ran.out
    );
    // What they say, without the hashes.
    let ran = after(
        on,
        &[
            "UPDATE audit_log SET people = 12 - people, subject = 'run ' || (12 - people)
             WHERE seq IN (4, 8)"
                .into(),
        ],
    )
    .await;
    assert_eq!(ran.out, "entries 4 and 8 were swapped\n");
}

async fn a_cut_end_is_named(on: On) {
    let cut: Sql = "DELETE FROM audit_log WHERE seq > 15".into();
    let ran = after(on, &[cut]).await;
    assert_eq!(ran.code, 1);
    assert!(
        ran.out
            .starts_with("the end was cut off: entries 16 to 20 are missing, by "),
        "{}",
        ran.out
    );
    // The checkpoints in the database go with it: the second place tells.
    let ran = after(
        on,
        &[cut, "DELETE FROM audit_checkpoints WHERE size > 15".into()],
    )
    .await;
    assert_eq!(ran.code, 1);
    assert!(ran.out.contains("000000000020.checkpoint"), "{}", ran.out);
    // And with what is left nothing can be told.
    let (app, _dir) = log(on).await;
    tamper(
        &app,
        &[cut, "DELETE FROM audit_checkpoints WHERE size > 15".into()],
    )
    .await;
    std::fs::remove_file(app.settings.audit_dir.join("000000000020.checkpoint")).unwrap();
    assert_eq!(run(&app.settings, &["audit", "verify"]).code, 0);
}

async fn a_log_made_anew_is_found_by_its_checkpoints(on: On) {
    let (app, _dir) = log(on).await;
    // Everything from entry 11 on again, by the rules, with something else in one of them.
    tamper(&app, &["DELETE FROM audit_log WHERE seq > 10".into()]).await;
    filled(&app, 10).await;
    let ran = run(&app.settings, &["audit", "verify"]);
    assert_eq!(ran.code, 1);
    assert!(
        ran.out.starts_with("among entries 9 to 13 one was changed"),
        "{}",
        ran.out
    );
    assert_eq!(ran.out.lines().count(), 1, "{}", ran.out);
}

async fn a_changed_checkpoint_is_named(on: On) {
    let change = "UPDATE audit_checkpoints SET note = REPLACE(note, '13', '12') WHERE size = 13";
    let ran = after(on, &[change.into()]).await;
    assert_eq!(ran.code, 1);
    assert!(
        ran.out
            .starts_with("the checkpoint of 13 entries in the database has a signature"),
        "{}",
        ran.out
    );
}

async fn an_exported_file_is_checked_without_a_database(on: On) {
    let (app, dir) = log(on).await;
    filled(&app, 2).await;
    let file = dir.path().join("log.jsonl");
    let path = file.to_str().unwrap();
    let ran = run(&app.settings, &["audit", "export", path]);
    assert_eq!(ran.code, 0, "{}", ran.error);
    assert!(ran.out.starts_with("22 entries in "), "{}", ran.out);
    assert_eq!(
        run(&app.settings, &["audit", "export", path]).code,
        1,
        "not over a file"
    );
    let key = run(&app.settings, &["audit", "key"]).out.trim().to_owned();
    let mut elsewhere = app.settings.clone();
    elsewhere.data_dir = dir.path().join("nothing-is-here");
    let verify = |checkpoint: Option<&str>| {
        let mut arguments = vec!["audit", "verify", "--log", path, "--public-key", &key];
        arguments.extend(checkpoint.iter().flat_map(|path| ["--checkpoint", path]));
        run(&elsewhere, &arguments)
    };
    let ran = verify(None);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.error);
    assert_eq!(
        ran.out,
        "whole: 22 entries; 4 checkpoints hold, the last of 22 entries\n"
    );
    assert!(!elsewhere.data_dir.exists(), "nothing was opened or made");
    let whole = std::fs::read_to_string(&file).unwrap();
    let lines: Vec<&str> = whole.lines().collect();
    assert_eq!(lines.len(), 26);
    let said = |lines: &[&str], checkpoint: Option<&str>| {
        std::fs::write(&file, lines.join("\n") + "\n").unwrap();
        let ran = verify(checkpoint);
        assert_eq!(ran.code, 1, "{}", ran.out);
        ran.out
    };
    let changed = lines[4].replacen("Truy", "Thay", 1);
    let with = |at: usize, line: &'static str| {
        let mut lines = lines.clone();
        lines[at] = line;
        lines
    };
    assert_eq!(
        said(&with(4, changed.leak()), None),
        "entry 5 was changed\n"
    );
    let mut removed = lines.clone();
    removed.remove(2);
    assert_eq!(said(&removed, None), "entry 3 is missing\n");
    let mut swapped = lines.clone();
    swapped.swap(1, 3);
    let out = said(&swapped, None);
    assert!(out.contains("entry 3 is out of place"), "{out}");
    assert!(said(&lines[..24], None).contains("entries from 21 on"));
    let last = app.settings.audit_dir.join("000000000022.checkpoint");
    let cut = said(&lines[..23], Some(last.to_str().unwrap()));
    assert!(
        cut.starts_with("the end was cut off: entries 21 to 22 are missing"),
        "{cut}"
    );
    assert!(said(&with(7, "{\"seq\":8}"), None).contains("line 8 of"));
}
