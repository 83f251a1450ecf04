//! Keys: listed, rotated under a running service, destroyed, and never told.

use std::{
    path::Path,
    process::{Command, Output},
};

use diem_kiem_dich::{
    accounts::Role,
    base::{Clock, Day, Random},
    config::{MasterKey, Settings},
    http::{App, StartError},
    privacy::{Master, NoKey, hex, rotate},
    store::{Error, Target},
};
use serde_json::{Value, json};

use crate::{
    checkins::declaration,
    kit::{self, Http, On, PASSWORD, Program, Server},
    on_both,
};

on_both! {
    the_master_key_is_rotated_while_the_service_runs,
    a_rotation_may_be_cut_off_anywhere,
    a_service_that_reads_its_key_once_goes_on_until_it_is_restarted,
    a_day_is_destroyed_by_hand,
}

/// Run the program with `arguments` beside whatever serves the store.
fn command(settings: &Settings, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_diem-kiem-dich"));
    command
        .args(arguments)
        .arg("--data-dir")
        .arg(&settings.data_dir)
        .env("RUST_LOG", "warn")
        .stdin(std::process::Stdio::null());
    if let Target::Postgres(url, _) = &settings.database {
        command.arg("--database-url").arg(url);
    }
    command.output().unwrap()
}

/// As [`command`], which must do what it is told, and what it says.
pub fn done(settings: &Settings, arguments: &[&str]) -> String {
    let output = command(settings, arguments);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let problem = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {said}{problem}");
    said
}

pub fn refused(settings: &Settings, arguments: &[&str]) -> String {
    let output = command(settings, arguments);
    assert!(!output.status.success(), "{arguments:?} was done");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn key_file(settings: &Settings) -> std::path::PathBuf {
    settings.data_dir.join("keys").join("master.key")
}

/// The access token of a new officer of a running program.
async fn officer(program: &Program, settings: &Settings) -> String {
    let password = settings.data_dir.join("password");
    std::fs::write(&password, PASSWORD).unwrap();
    let file = password.to_str().unwrap();
    let role = ["--role", "health-officer", "--province", "80"];
    let make = ["account", "create", "cdc", "--password-file", file];
    let all: Vec<&str> = make.into_iter().chain(role).collect();
    let said = done(settings, &all);
    let secret = said.lines().find_map(|line| line.strip_prefix("totp "));
    let code = done(settings, &["otp", secret.unwrap()]);
    let body = json!({"login": "cdc", "password": PASSWORD, "otp": code.trim()});
    let (status, session) = program.http.post("/api/v1/sessions", &body).await;
    assert_eq!(status, 200, "{session}");
    session["access_token"].as_str().unwrap().to_owned()
}

async fn report(officer: &Http, phone: &str) -> String {
    let body = json!({
        "disease": "covid-19", "confirmed_on": "2026-11-17",
        "patient": {"full_name": "Người Bệnh", "phone": phone},
    });
    let (status, made) = officer.post("/api/v1/cases", &body).await;
    assert_eq!(status, 201, "{made}");
    made["id"].as_str().unwrap().to_owned()
}

async fn patient(officer: &Http, case: &str) -> Value {
    let (status, file) = officer.get(&format!("/api/v1/cases/{case}")).await;
    assert_eq!(status, 200, "{file}");
    file["patient"]["phone"].clone()
}

async fn the_master_key_is_rotated_while_the_service_runs(on: On) {
    let dir = tempfile::tempdir().unwrap();
    let settings = kit::settings(on, dir.path(), &[]).await;
    let mut program = Program::start(&settings);
    let (_, code) = program.venue().await;
    let token = officer(&program, &settings).await;
    let officer = Http::new(&program.url, Some(&token));
    let before = report(&officer, "0901000001").await;
    let old = std::fs::read_to_string(key_file(&settings)).unwrap();
    let said = done(&settings, &["keys", "rotate"]);
    assert!(said.contains("shred"), "the last step is said: {said}");
    let new = std::fs::read_to_string(key_file(&settings)).unwrap();
    assert_eq!((new.len(), new == old), (65, false));
    let kept = dir.path().join("keys").join("master.key.old");
    assert_eq!(std::fs::read_to_string(&kept).unwrap(), old);
    // The service goes on, with what was wrapped before and what is wrapped now.
    assert_eq!(patient(&officer, &before).await, "0901000001");
    let after = report(&officer, "0901000002").await;
    assert_eq!(patient(&officer, &after).await, "0901000002");
    let body = json!({"checkpoint": code, "declaration": declaration()});
    let (status, answer) = program.http.post("/api/v1/check-ins", &body).await;
    assert_eq!(status, 201, "{answer}");
    let said = done(&settings, &["keys", "list"]);
    for word in ["retired", "active", "made", "pseudonym", "backup keys"] {
        assert!(said.contains(word), "{word}: {said}");
    }
    for key in [old.trim(), new.trim()] {
        assert!(!said.contains(key) && !kit::told(dir.path()).contains(key));
    }
    // A second rotation first wants the old key gone.
    let problem = refused(&settings, &["keys", "rotate"]);
    assert!(problem.contains("shred -u"), "{problem}");
    program.kill();
    // The old key opens nothing any more.
    std::fs::write(key_file(&settings), &old).unwrap();
    let problem = refused(&settings, &["doctor"]);
    assert!(!problem.is_empty());
    let said = command(&settings, &["keys", "list"]);
    assert!(String::from_utf8_lossy(&said.stderr).contains("does not open"));
    std::fs::write(key_file(&settings), &new).unwrap();
    let mut program = Program::start(&settings);
    let officer = Http::new(&program.url, Some(&token));
    assert_eq!(patient(&officer, &before).await, "0901000001");
    assert_eq!(patient(&officer, &after).await, "0901000002");
    done(&settings, &["audit", "verify"]);
    program.kill();
}

/// Open the store with `keys` in the master key's file.
async fn open(settings: &Settings, keys: &[&Master]) -> Result<App, StartError> {
    let text: Vec<String> = keys.iter().map(|key| key.hex().to_string()).collect();
    std::fs::write(key_file(settings), text.join("\n")).unwrap();
    App::open(settings.clone(), Clock::manual(kit::START), Random::System).await
}

async fn a_rotation_may_be_cut_off_anywhere(on: On) {
    let dir = tempfile::tempdir().unwrap();
    let settings = kit::settings(on, dir.path(), &[]).await;
    let clock = Clock::manual(kit::START);
    let app = App::open(settings.clone(), clock, Random::System)
        .await
        .unwrap();
    let old = Master::read_file(&key_file(&settings)).unwrap().remove(0);
    let new = Master::new(&Random::System);
    let day = Day::of(kit::START);
    let key = app.keys.day(day).unwrap().bytes().to_vec();
    let opens = async |app: App| {
        let found = app.keys.day_from(&app.db, day).await.unwrap();
        assert_eq!(found.bytes().to_vec(), key);
        app.db.close().await;
    };
    app.db.close().await;
    // Both keys are given, in any order; nothing else has happened.
    opens(open(&settings, &[&new, &old]).await.unwrap()).await;
    opens(open(&settings, &[&old, &new]).await.unwrap()).await;
    opens(open(&settings, &[&old]).await.unwrap()).await;
    // The new one wraps, and nothing was wrapped anew.
    let app = open(&settings, &[&old, &new]).await.unwrap();
    rotate::activate(&app.db, &new).await.unwrap();
    rotate::activate(&app.db, &new).await.unwrap();
    app.db.close().await;
    opens(open(&settings, &[&old, &new]).await.unwrap()).await;
    let refused = open(&settings, &[&new]).await;
    assert!(matches!(refused, Err(StartError::Keys(NoKey::WrongMaster))));
    // In the middle: the database fails at one call after another.
    for n in 1..30 {
        let app = open(&settings, &[&new, &old]).await.unwrap();
        let faults = diem_kiem_dich::store::Faults::planned();
        let db = app.db.clone().with_faults(faults.clone());
        faults.at(n * 3, diem_kiem_dich::store::Fault::Lost);
        let failed = rotate::rewrap(&db, &app.keys, &Random::System).await;
        assert!(failed.is_err() || !faults.end(), "call {n}");
        opens(app).await;
    }
    let app = open(&settings, &[&new, &old]).await.unwrap();
    rotate::rewrap(&app.db, &app.keys, &Random::System)
        .await
        .unwrap();
    let left = rotate::rewrap(&app.db, &app.keys, &Random::System)
        .await
        .unwrap();
    assert_eq!(left, 0, "nothing is left to do");
    rotate::retire(&app.db).await.unwrap();
    app.db.close().await;
    opens(open(&settings, &[&new]).await.unwrap()).await;
    let refused = open(&settings, &[&old]).await;
    assert!(matches!(refused, Err(StartError::Keys(NoKey::WrongMaster))));
}

/// A key by value cannot be read again: what was opened stays open, and nothing is wrapped by a key that
/// will be gone.
async fn a_service_that_reads_its_key_once_goes_on_until_it_is_restarted(on: On) {
    let (old, new) = (Master::new(&Random::System), Master::new(&Random::System));
    let both = format!("{} {}", *old.hex(), *new.hex());
    let dir = tempfile::tempdir().unwrap();
    let extra = [("master_key", old.hex().to_string())];
    let extra: Vec<(&str, &str)> = extra.iter().map(|(k, v)| (*k, v.as_str())).collect();
    let settings = kit::settings(on, dir.path(), &extra).await;
    let clock = Clock::manual(kit::START);
    let server = Server::start_at(settings.clone(), clock, 1).await;
    let (_, _, checkpoint) = crate::checkins::venue(&server).await;
    let officer = server.login_as(Role::HealthOfficer, Some("80")).await;
    let case = report(&officer, "0901000001").await;
    let mut settings = settings;
    settings.master_key = MasterKey::Value(both.into());
    let clock = Clock::manual(kit::START);
    let other = App::open(settings.clone(), clock, Random::System)
        .await
        .unwrap();
    rotate::activate(&other.db, &new).await.unwrap();
    rotate::rewrap(&other.db, &other.keys, &Random::System)
        .await
        .unwrap();
    // Check-ins do not stop; what would need the new key says so, and nothing is lost.
    let body = json!({"checkpoint": checkpoint["code"], "declaration": declaration()});
    let (status, answer) = server.http.post("/api/v1/check-ins", &body).await;
    assert_eq!(status, 201, "{answer}");
    let body = json!({
        "disease": "covid-19", "confirmed_on": "2026-11-17",
        "patient": {"full_name": "Người Bệnh", "phone": "0901000002"},
    });
    let (status, _) = officer.post("/api/v1/cases", &body).await;
    assert_eq!(status, 500);
    other.db.close().await;
    // A process that was given both keys goes on.
    let clock = Clock::manual(kit::START);
    let again = Server::start_at(settings, clock, 2).await;
    let officer = again.login_as(Role::HealthOfficer, Some("80")).await;
    assert_eq!(patient(&officer, &case).await, "0901000001");
    report(&officer, "0901000002").await;
}

async fn a_day_is_destroyed_by_hand(on: On) {
    let dir = tempfile::tempdir().unwrap();
    let settings = kit::settings(on, dir.path(), &[]).await;
    let app = App::open(settings.clone(), Clock::System, Random::System)
        .await
        .unwrap();
    let today = Day::of(app.clock.now());
    let (yesterday, day) = (today.plus(-1), today.plus(-1).to_string());
    let wrapped: (Vec<u8>,) = app
        .db
        .read(async |tx| {
            tx.query("SELECT wrapped FROM day_keys WHERE day = $1")
                .bind(i64::from(yesterday.number()))
                .one()
                .await
        })
        .await
        .map_err(|error: Error| error)
        .unwrap();
    assert!(app.keys.day(yesterday).is_some());
    assert!(refused(&settings, &["keys", "destroy", &day]).contains("--yes"));
    let now = today.to_string();
    assert!(refused(&settings, &["keys", "destroy", &now, "--yes"]).contains("not over"));
    assert!(refused(&settings, &["keys", "destroy", "18/11", "--yes"]).contains("2026-11-18"));
    done(&settings, &["keys", "destroy", &day, "--yes"]);
    assert!(refused(&settings, &["keys", "destroy", &day, "--yes"]).contains("has no key"));
    let said = done(&settings, &["keys", "list"]);
    assert!(
        said.contains(&format!("{day}         1  destroyed")),
        "{said}"
    );
    // A process that held it forgets it, and it is not made anew.
    diem_kiem_dich::ops::keys::tend(&app, None).await.unwrap();
    assert!(app.keys.day(yesterday).is_none());
    app.prepare_days().await.unwrap();
    assert!(matches!(
        app.keys.day_from(&app.db, yesterday).await,
        Err(NoKey::NoDay)
    ));
    app.db.close().await;
    if on == On::Sqlite {
        for ending in ["", "-wal", "-shm"] {
            let file = dir.path().join(format!("diem-kiem-dich.db{ending}"));
            let bytes = std::fs::read(file).unwrap_or_default();
            let found = bytes.windows(wrapped.0.len()).any(|some| some == wrapped.0);
            assert!(!found, "the destroyed key is still in the file{ending}");
        }
    }
    let keys = std::fs::read_to_string(dir.path().join("keys/backup.keys")).unwrap();
    assert!(keys.contains(&format!("day {day} destroyed")), "{keys}");
}

/// Neither a dump of the memory nor another program of the same user sees a key.
#[tokio::test]
async fn the_memory_of_a_running_service_is_closed() {
    let dir = tempfile::tempdir().unwrap();
    let settings = kit::settings(On::Sqlite, dir.path(), &[]).await;
    let mut program = Program::start_in("ulimit -c unlimited; exec \"$@\"", &settings);
    let limits = Path::new("/proc")
        .join(program.child.id().to_string())
        .join("limits");
    let limits = std::fs::read_to_string(limits).unwrap();
    let core = limits
        .lines()
        .find(|line| line.starts_with("Max core file size"));
    let words: Vec<&str> = core.unwrap().split_whitespace().collect();
    assert_eq!(words[4..6], ["0", "0"], "{limits}");
    // Nor when it is made to dump itself, with a limit that would let it.
    let ended = Command::new("kill")
        .args(["-ABRT", &program.child.id().to_string()])
        .status();
    assert!(ended.unwrap().success());
    let status = program.child.wait().unwrap();
    let by = std::os::unix::process::ExitStatusExt::signal(&status);
    assert_eq!(by, Some(6));
    assert!(!std::os::unix::process::ExitStatusExt::core_dumped(&status));
}

/// A key that is printed with whatever holds it would stand in the log one day.
#[tokio::test]
async fn nothing_that_holds_keys_prints_them() {
    let (app, _, dir) = kit::app(On::Sqlite).await;
    let text = std::fs::read_to_string(dir.path().join("keys/master.key")).unwrap();
    let master = Master::parse(&text).unwrap();
    let today = app.keys.day(Day::of(kit::START)).unwrap();
    let printed = format!("{app:?}{:?}{master:?}{today:?}", app.settings);
    assert!(printed.contains("***"));
    let mut keys = vec![today.bytes().to_vec()];
    keys.push(diem_kiem_dich::privacy::unhex(text.trim()).unwrap());
    for key in [
        app.keys.pseudonym(),
        app.keys.token(),
        app.keys.record(),
        app.keys.reference(),
    ] {
        keys.push(key.bytes().to_vec());
    }
    for key in keys {
        // As digits, and as a list of numbers.
        let start = key.get(..4).unwrap();
        let numbers = format!("{start:?}");
        let numbers = numbers.trim_matches(['[', ']']);
        assert!(!printed.contains(&**hex(start)), "a key is printed");
        assert!(!printed.contains(numbers), "a key is printed");
    }
}
