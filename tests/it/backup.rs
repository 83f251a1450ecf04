//! Backup and restore: the drill on both engines and across, and that no backup undoes an erasure.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use diem_kiem_dich::{
    accounts::Role,
    base::{Clock, Day, Random},
    config::{MasterKey, Settings},
    ops::{
        backup::{self, Restored, Trouble},
        keys::{first_key, tend},
    },
    privacy::audit::{self, Verdict},
    store::{Db, Error, Table, tables},
};
use serde_json::{Value, json};

use crate::{
    keys::{done, refused},
    kit::{self, On, Program, Server},
    lookups::{World, phone},
    on_both,
};

on_both! {
    a_backup_comes_back_on_either_engine,
    what_was_erased_since_does_not_come_back,
    a_day_that_was_destroyed_by_hand_stays_so,
    a_backup_that_is_not_whole_restores_nothing,
    the_drill_as_an_operator_does_it,
}

const DAY_MS: i64 = 86_400_000;

/// A world with two people who met, one of them a case, and a backup made while it is served.
async fn drilled(on: On) -> (World, String, PathBuf) {
    let world = World::start(on).await;
    let (_, code) = world
        .checkpoint(json!({"name": "Cổng", "stay_minutes": 60}))
        .await;
    world.stay(1, &code, 0, Some(60)).await;
    world.stay(2, &code, 10, None).await;
    let case = world.case(1).await;
    world.look_up(json!({"case": case["id"]})).await;
    // This one is acknowledged, and in SQLite not in its table yet.
    world.stay(3, &code, 20, None).await;
    let file = world.server.settings.data_dir.join("backup");
    let made = backup::make(&world.server.app, &file, |_, _| {})
        .await
        .unwrap();
    assert!(made.rows > 30, "{made:?}");
    assert!(made.days.is_some());
    let bytes = std::fs::read(&file).unwrap();
    for canary in ["Người Thứ", "901000001", "Cổng"] {
        let is_there = bytes
            .windows(canary.len())
            .any(|some| some == canary.as_bytes());
        assert!(!is_there, "{canary} stands in the backup");
    }
    (world, case["id"].as_str().unwrap().to_owned(), file)
}

/// A fresh target with the keys of `from`: its master key, and its backup keys if they are wanted.
async fn target(on: On, from: &Settings, dir: &Path, backup_keys: bool) -> Settings {
    let mut settings = kit::settings(on, dir, &[]).await;
    settings.master_key = from.master_key.clone();
    if backup_keys {
        settings.backup_keys.clone_from(&from.backup_keys);
    } else {
        // Nor beside the master key.
        let key = dir.join("only.key");
        if let MasterKey::Own(path) | MasterKey::File(path) = &from.master_key {
            std::fs::copy(path, &key).unwrap();
        }
        settings.master_key = MasterKey::File(key);
    }
    settings
}

async fn restore(
    settings: &Settings,
    clock: &Clock,
    file: &Path,
    forgo: bool,
) -> (Result<Restored, Trouble>, Db) {
    let db = Db::open(&settings.database, clock.clone()).await.unwrap();
    let done = backup::restore(&db, settings, &Random::System, file, forgo, |_| {}).await;
    (done, db)
}

async fn dump(db: &Db, table: &Table) -> Vec<String> {
    let mut rows = Vec::new();
    db.read(async |tx| {
        tx.each_row(table, |cells| {
            rows.push(format!("{cells:?}"));
            Ok::<_, Error>(())
        })
        .await
    })
    .await
    .unwrap();
    rows.sort();
    rows
}

/// All rows of all tables that a backup brings back as they were.
async fn dumps(db: &Db) -> BTreeMap<String, Vec<String>> {
    let mut all = BTreeMap::new();
    for table in tables() {
        // Sessions end, day keys are wrapped anew, and the restoring is an entry of its own.
        if !["sessions", "marks", "day_keys", "audit_log"].contains(&table.name.as_str()) {
            all.insert(table.name.clone(), dump(db, table).await);
        }
    }
    all
}

async fn count(db: &Db, sql: &'static str) -> i64 {
    let (n,): (i64,) = db
        .read(async |tx| tx.query(sql).one().await)
        .await
        .map_err(|e: Error| e)
        .unwrap();
    n
}

async fn contacts(server: &Server, case: &str) -> (Value, Vec<Value>) {
    let officer = server.login_as(Role::HealthOfficer, Some("80")).await;
    let (status, file) = officer.get(&format!("/api/v1/cases/{case}")).await;
    assert_eq!(status, 200, "{file}");
    let body = json!({"case": case, "reason": "Truy vết", "document": "12/CDC"});
    let (status, run) = officer.post("/api/v1/lookups", &body).await;
    assert_eq!(status, 201, "{run}");
    let path = format!("/api/v1/lookups/{}/exposures", run["id"].as_str().unwrap());
    let (status, page) = officer.get(&path).await;
    assert_eq!(status, 200, "{page}");
    let people = page["items"].as_array().unwrap().iter();
    (
        file["patient"].clone(),
        people.map(|item| item["contact"].clone()).collect(),
    )
}

async fn a_backup_comes_back_on_either_engine(on: On) {
    let (world, case, file) = drilled(on).await;
    world.server.app.door.journal.settle().await.unwrap();
    let there = dumps(&world.server.app.db).await;
    assert_eq!(there["check_ins"].len(), 3);
    let found = contacts(&world.server, &case).await;
    assert_eq!(found.0["phone"], phone(1));
    assert_eq!(found.1.len(), 2);
    for other in [On::Sqlite, On::Postgres] {
        let dir = tempfile::tempdir().unwrap();
        let settings = target(other, &world.server.settings, dir.path(), true).await;
        let (restored, db) = restore(&settings, &world.server.clock, &file, false).await;
        let restored = restored.unwrap();
        assert!(!restored.shut);
        assert_eq!((restored.past, restored.days.len() > 20), (0, true));
        assert!(restored.audited >= 2, "{restored:?}");
        assert_eq!(dumps(&db).await, there, "{on:?} to {other:?}");
        // What is there can be added to, and its log goes on.
        let verdict = db.read(async |tx| audit::verify(tx).await).await.unwrap();
        assert_eq!(verdict, Verdict::Whole(restored.audited + 1));
        let (again, _) = restore(&settings, &world.server.clock, &file, false).await;
        assert!(matches!(again, Err(Trouble::NotEmpty(_))), "{again:?}");
        db.close().await;
        let clock = world.server.clock.clone();
        let served = Server::start_at(settings, clock, 7).await;
        let mut back = contacts(&served, &case).await;
        assert_eq!(back.0, found.0);
        back.1.sort_by_key(Value::to_string);
        let mut before = found.1.clone();
        before.sort_by_key(Value::to_string);
        assert_eq!(back.1, before);
        let (_, venue) = crate::venues::registered(&served, "0987654321").await;
        assert!(
            !venue.is_empty(),
            "numbers go on after those that were restored"
        );
    }
}

async fn what_was_erased_since_does_not_come_back(on: On) {
    let (world, case, file) = drilled(on).await;
    let app = &world.server.app;
    let made = world.server.clock.now();
    let old_keys = world.server.settings.data_dir.join("old.keys");
    std::fs::copy(&world.server.settings.backup_keys, &old_keys).unwrap();
    // A month later.
    let later = made.plus_ms(30 * DAY_MS);
    world.server.clock.set(later);
    app.prepare_days().await.unwrap();
    let destroyed = app
        .db
        .write(async |tx| {
            let from = first_key(Day::of(later), 21);
            app.keys.destroy_before(tx, from).await
        })
        .await;
    assert!(destroyed.unwrap() > 20);
    tend(app, None).await.unwrap();
    assert!(app.db.scrub().await.unwrap());
    // With today's keys, by today's clock, and by a clock that was set back to look behind it.
    for clock in [Clock::manual(later), Clock::manual(made)] {
        let dir = tempfile::tempdir().unwrap();
        let settings = target(on, &world.server.settings, dir.path(), true).await;
        let is_today = clock.now() == later;
        if !is_today {
            let (refused, _) = restore(&settings, &clock, &file, false).await;
            assert!(
                matches!(refused, Err(Trouble::NoBackupKeys(..))),
                "{refused:?}"
            );
        }
        let (restored, db) = restore(&settings, &clock, &file, true).await;
        let restored = restored.unwrap();
        assert!(restored.shut);
        let opening: Vec<_> = restored
            .days
            .iter()
            .filter(|day| **day <= Day::of(made))
            .collect();
        assert!(opening.is_empty(), "{opening:?}");
        assert_eq!(count(&db, "SELECT COUNT(*) FROM check_ins").await, 0);
        assert_eq!(count(&db, "SELECT COUNT(*) FROM declarations").await, 0);
        db.close().await;
        // What stays is there.
        let served = Server::start_at(settings, clock, 7).await;
        let officer = served.login_as(Role::HealthOfficer, Some("80")).await;
        let (status, back) = officer.get(&format!("/api/v1/cases/{case}")).await;
        assert_eq!((status, &back["patient"]["phone"]), (200, &json!(phone(1))));
    }
    // The master key and the file alone: the same.
    let dir = tempfile::tempdir().unwrap();
    let settings = target(on, &world.server.settings, dir.path(), false).await;
    let (restored, db) = restore(&settings, &Clock::manual(made), &file, true).await;
    assert_eq!(restored.unwrap().days, []);
    assert_eq!(count(&db, "SELECT COUNT(*) FROM check_ins").await, 0);
    db.close().await;
    // Only who kept an old copy of the backup keys against the rule could: that is where the bound is.
    let dir = tempfile::tempdir().unwrap();
    let mut settings = target(on, &world.server.settings, dir.path(), true).await;
    settings.backup_keys = old_keys;
    let (restored, db) = restore(&settings, &Clock::manual(made), &file, false).await;
    assert!(!restored.unwrap().shut);
    assert_eq!(count(&db, "SELECT COUNT(*) FROM check_ins").await, 3);
    db.close().await;
}

async fn a_day_that_was_destroyed_by_hand_stays_so(on: On) {
    let (world, _, file) = drilled(on).await;
    let app = &world.server.app;
    let day = Day::of_ms(crate::lookups::MORNING);
    let destroyed = app
        .db
        .write(async |tx| app.keys.destroy(tx, day).await)
        .await;
    assert!(destroyed.unwrap());
    tend(app, None).await.unwrap();
    let dir = tempfile::tempdir().unwrap();
    let settings = target(on, &world.server.settings, dir.path(), true).await;
    let (restored, db) = restore(&settings, &world.server.clock, &file, false).await;
    let restored = restored.unwrap();
    assert!(!restored.days.contains(&day) && restored.days.contains(&day.plus(1)));
    assert_eq!(
        count(&db, "SELECT COUNT(*) FROM check_ins").await,
        3,
        "movements stay"
    );
    assert_eq!(
        count(
            &db,
            "SELECT COUNT(*) FROM day_keys WHERE destroyed_at IS NOT NULL"
        )
        .await,
        1
    );
    db.close().await;
}

async fn a_backup_that_is_not_whole_restores_nothing(on: On) {
    let (world, _, file) = drilled(on).await;
    let bytes = std::fs::read(&file).unwrap();
    let there = backup::make(&world.server.app, &file, |_, _| {}).await;
    assert!(matches!(there, Err(Trouble::File(..))), "none is replaced");
    let dir = tempfile::tempdir().unwrap();
    let settings = target(on, &world.server.settings, dir.path(), true).await;
    let broken = dir.path().join("broken");
    let nothing = async |db: &Db, what: &str| {
        for table in tables() {
            let rows = db
                .read(async |tx| tx.count_rows(table).await)
                .await
                .unwrap();
            assert_eq!(rows, 0, "{what}: {}", table.name);
        }
    };
    let half = bytes.len() / 2;
    let mut changed = bytes.clone();
    changed[half] ^= 1;
    let mut db = Db::open(&settings.database, world.server.clock.clone())
        .await
        .unwrap();
    db.migrate().await.unwrap();
    for (what, text) in [
        ("cut", &bytes[..half]),
        ("cut at the end", &bytes[..bytes.len() - 1]),
        ("changed", &changed),
        ("empty", &[]),
        ("foreign", b"SQLite format 3\0 and so on, for a while"),
    ] {
        std::fs::write(&broken, text).unwrap();
        let (refused, _) = restore(&settings, &world.server.clock, &broken, true).await;
        assert!(refused.is_err(), "{what}");
        nothing(&db, what).await;
    }
    // With another master key.
    let mut other = settings.clone();
    other.master_key = MasterKey::Value("ab".repeat(32).into());
    let (refused, _) = restore(&other, &world.server.clock, &file, true).await;
    assert!(matches!(refused, Err(Trouble::WrongMaster)), "{refused:?}");
    nothing(&db, "another master key").await;
    // The store fails in the middle.
    let faults = diem_kiem_dich::store::Faults::planned();
    db = db.with_faults(faults.clone());
    let run =
        async |db: &Db| backup::restore(db, &settings, &Random::System, &file, false, |_| {}).await;
    faults.at(60, diem_kiem_dich::store::Fault::Lost);
    let failed = run(&db).await;
    assert!(failed.is_err() && faults.end(), "{failed:?}");
    nothing(&db, "a lost connection").await;
    assert!(run(&db).await.is_ok());
    db.close().await;
}

/// The commands, beside a running service, with copies of the two key files and nothing else.
async fn the_drill_as_an_operator_does_it(on: On) {
    let (here, there) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let settings = kit::settings(on, here.path(), &[]).await;
    let program = Program::start(&settings);
    let (_, code) = program.venue().await;
    let body = json!({"checkpoint": code, "declaration": crate::checkins::declaration()});
    for _ in 0..3 {
        let (status, answer) = program.http.post("/api/v1/check-ins", &body).await;
        assert_eq!(status, 201, "{answer}");
    }
    let file = here.path().join("backup").to_str().unwrap().to_owned();
    let said = done(&settings, &["backup", &file]);
    assert!(said.contains("holds the keys of"), "{said}");
    assert!(refused(&settings, &["backup", &file]).contains("exists"));
    let other = if on == On::Sqlite {
        On::Postgres
    } else {
        On::Sqlite
    };
    let target = kit::settings(other, there.path(), &[]).await;
    let keys = there.path().join("keys");
    assert!(refused(&target, &["restore", &file]).contains("master.key"));
    std::fs::create_dir(&keys).unwrap();
    let copy = |name: &str| {
        std::fs::copy(here.path().join("keys").join(name), keys.join(name)).unwrap();
    };
    copy("master.key");
    assert!(refused(&target, &["restore", &file]).contains("backup.keys"));
    copy("backup.keys");
    let said = done(&target, &["restore", &file]);
    for line in ["every row is there", "day keys open", "3  check_ins"] {
        assert!(said.contains(line), "{line}: {said}");
    }
    assert!(refused(&target, &["restore", &file]).contains("not empty"));
    done(&target, &["audit", "verify"]);
    let served = Program::start(&target);
    let (status, answer) = served.http.post("/api/v1/check-ins", &body).await;
    assert_eq!(
        status, 201,
        "the restored checkpoint takes check-ins: {answer}"
    );
}

/// What is treated in a way of its own is still called so.
#[test]
fn special_tables_are_there() {
    for name in backup::special_tables() {
        assert!(tables().iter().any(|table| table.name == name), "{name}");
    }
}
