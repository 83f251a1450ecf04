//! Writing and signing: proofs from what is stored, no entry no answer, no signature for another past.

use diem_kiem_dich::{
    privacy::audit::{
        self, Verdict,
        keep::{self, NotKept},
        tree::{is_consistent, is_included},
    },
    store::{Error, Sql},
};
use serde_json::json;

use super::{filled, run, signed, tamper};
use crate::{
    kit::{self, On, Server},
    lookups::World,
    on_both,
};

on_both! {
    the_tables_only_grow,
    what_is_stored_proves_every_entry_and_every_beginning,
    many_at_once_make_one_log,
    without_an_entry_there_is_no_answer,
    another_past_is_not_signed,
    the_log_is_signed_at_the_end,
}

async fn the_tables_only_grow(on: On) {
    let (app, _, _dir) = kit::app(on).await;
    filled(&app, 3).await;
    signed(&app).await;
    let texts = [
        "UPDATE audit_log SET people = 0 WHERE seq = 2".into(),
        "DELETE FROM audit_log WHERE seq = 3".into(),
        Sql::split("TRUNCATE audit_log", "DELETE FROM audit_log"),
        "UPDATE audit_checkpoints SET note = ''".into(),
        "DELETE FROM audit_checkpoints".into(),
        Sql::split(
            "TRUNCATE audit_checkpoints",
            "DELETE FROM audit_checkpoints",
        ),
    ];
    for text in texts {
        let done = app
            .db
            .append(async |tx| tx.query(text).execute().await)
            .await;
        assert!(done.is_err(), "{text:?}");
    }
    // SQLite's way around triggers.
    let replace = Sql::split(
        "SELECT 1",
        "INSERT OR REPLACE INTO audit_log SELECT seq, at, NULL, '', '', NULL, NULL, 0, nodes
         FROM audit_log WHERE seq = 2",
    );
    let replaced = app
        .db
        .append(async |tx| tx.query(replace).execute().await)
        .await;
    replaced.unwrap();
    let ran = run(&app.settings, &["audit", "verify"]);
    assert_eq!(ran.code, 0, "{}", ran.out);
}

async fn what_is_stored_proves_every_entry_and_every_beginning(on: On) {
    let (app, _, _dir) = kit::app(on).await;
    let mut roots = Vec::new();
    let mut leaves = Vec::new();
    for _ in 0..19 {
        filled(&app, 1).await;
        let (now, nodes) = app
            .db
            .read(async |tx| {
                let nodes: (Vec<u8>,) = tx
                    .query("SELECT nodes FROM audit_log ORDER BY seq DESC LIMIT 1")
                    .one()
                    .await?;
                Ok::<_, Error>((audit::now(tx).await?, nodes.0))
            })
            .await
            .unwrap();
        roots.push(now.root);
        leaves.push(<[u8; 32]>::try_from(&nodes[..32]).unwrap());
        assert_eq!(now.size, roots.len() as u64);
    }
    app.db
        .read(async |tx| {
            for (size, root) in (1_u64..).zip(&roots) {
                for ((old, was), leaf) in (1..=size).zip(&roots).zip(&leaves) {
                    let proof = audit::consistency(tx, old, size).await?;
                    assert!(
                        is_consistent(old, was, size, root, &proof),
                        "{old} of {size}"
                    );
                    let proof = audit::inclusion(tx, old, size).await?;
                    assert!(
                        is_included(*leaf, old - 1, size, &proof, root),
                        "{old} in {size}"
                    );
                    assert!(
                        !is_included(root.to_owned(), old - 1, size, &proof, root) || size == 1
                    );
                }
            }
            assert!(audit::inclusion(tx, 20, 19).await.is_err());
            assert!(audit::consistency(tx, 20, 19).await.is_err());
            Ok::<_, Error>(())
        })
        .await
        .unwrap();
}

async fn many_at_once_make_one_log(on: On) {
    let (app, _, _dir) = kit::app(on).await;
    let work = (0..6).map(|_| filled(&app, 5));
    futures_util::future::join_all(work).await;
    let verdict = app.db.read(async |tx| audit::verify(tx).await).await;
    assert_eq!(verdict.unwrap(), Verdict::Whole(30));
}

async fn without_an_entry_there_is_no_answer(on: On) {
    let world = World::start(on).await;
    let (_, code) = world
        .checkpoint(json!({"name": "Cổng", "kind": "office"}))
        .await;
    world.stay(1, &code, 0, Some(60)).await;
    world.stay(2, &code, 0, Some(60)).await;
    let case = world.case(1).await;
    let run = world.look_up(json!({"case": case["id"]})).await;
    let app = &world.server.app;
    let make = Sql::split(
        "CREATE TRIGGER broken BEFORE INSERT ON audit_log
             FOR EACH ROW EXECUTE FUNCTION audit_log_is_append_only()",
        "CREATE TRIGGER broken BEFORE INSERT ON audit_log
         BEGIN SELECT RAISE(ABORT, 'the disk of the log is broken'); END",
    );
    let mend = Sql::split("DROP TRIGGER broken ON audit_log", "DROP TRIGGER broken");
    let count = async |text: &'static str| {
        let (n,): (i64,) = app
            .db
            .read(async |tx| tx.query(text).one().await)
            .await
            .unwrap();
        n
    };
    let (runs, cases) = (
        "SELECT COUNT(*) FROM lookup_runs",
        "SELECT COUNT(*) FROM cases",
    );
    let before = (count(runs).await, count(cases).await);
    app.db
        .append(async |tx| tx.query(make).execute().await)
        .await
        .unwrap();
    let order = json!({"case": case["id"], "reason": "a", "document": "b"});
    let (status, problem) = world.officer.post("/api/v1/lookups", &order).await;
    assert_eq!(
        (status, &problem["code"]),
        (503, &json!("unavailable")),
        "{problem}"
    );
    let list = format!("/api/v1/lookups/{}/exposures", run["id"].as_str().unwrap());
    let (status, problem) = world.officer.get(&list).await;
    assert_eq!(status, 503);
    assert!(!problem.to_string().contains("Người"), "{problem}");
    assert_eq!(world.file(&run, "csv").await.0, 503);
    assert_eq!(world.file(&run, "xlsx").await.0, 503);
    let file = format!("/api/v1/cases/{}", case["id"].as_str().unwrap());
    let (status, problem) = world.officer.get(&file).await;
    assert_eq!(status, 503);
    assert!(!problem.to_string().contains("Người"), "{problem}");
    assert_eq!((count(runs).await, count(cases).await), before);
    assert_eq!(count("SELECT COUNT(*) FROM opened").await, 0);
    app.db
        .append(async |tx| tx.query(mend).execute().await)
        .await
        .unwrap();
    assert_eq!(world.officer.get(&list).await.0, 200);
    assert_eq!(world.officer.get(&file).await.0, 200);
    assert!(count("SELECT COUNT(*) FROM opened").await > 0);
}

async fn another_past_is_not_signed(on: On) {
    let (app, _, _dir) = kit::app(on).await;
    let sign = async || keep::sign(&app.db, &app.keys.audit()).await;
    assert!(matches!(sign().await, Ok(None)), "there is nothing to sign");
    filled(&app, 6).await;
    let first = sign().await.unwrap().unwrap();
    assert_eq!(first.size, 6);
    assert_eq!(sign().await.unwrap(), Some(first), "it did not grow");
    filled(&app, 3).await;
    assert_eq!(sign().await.unwrap().unwrap().size, 9);
    // Cut off, and grown again with something else.
    tamper(&app, &["DELETE FROM audit_log WHERE seq > 4".into()]).await;
    assert!(matches!(sign().await, Err(NotKept::OtherPast(4))));
    filled(&app, 7).await;
    assert!(matches!(sign().await, Err(NotKept::OtherPast(11))));
    // An entry is gone: no other is added as if nothing had happened.
    tamper(&app, &["DELETE FROM audit_log WHERE seq = 8".into()]).await;
    filled(&app, 4).await;
    let refused = app
        .db
        .write(async |tx| audit::append(tx, audit::Entry::default()).await)
        .await;
    assert!(matches!(refused, Err(Error::Unrecorded(_))), "{refused:?}");
}

async fn the_log_is_signed_at_the_end(on: On) {
    let server = Server::start(on).await;
    filled(&server.app, 4).await;
    let dir = server.settings.audit_dir.clone();
    assert_eq!(dir, server.settings.data_dir.join("audit"));
    let server = server.restart().await;
    let files = keep::read_files(&dir).unwrap();
    let [(path, note)] = files.as_slice() else {
        panic!("one checkpoint: {files:?}");
    };
    assert!(path.ends_with("000000000004.checkpoint"));
    let key = std::fs::read_to_string(dir.join(keep::KEY_FILE)).unwrap();
    let key: audit::checkpoint::PublicKey = key.parse().unwrap();
    let (now, kept) = server
        .app
        .db
        .read(async |tx| Ok::<_, Error>((audit::now(tx).await?, keep::list(tx, 0, 10).await?)))
        .await
        .unwrap();
    assert_eq!(key.read(note), Ok(now));
    assert_eq!(kept.len(), 1);
    assert_eq!(kept[0].note, *note);
}
