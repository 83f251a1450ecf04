//! Names and numbers that are known go through everything that the service does, and then whatever it
//! wrote is searched for them: its log, its database files as they lie on the disk, a dump, its
//! metrics, and what it said about mistakes.

use std::{
    collections::{BTreeSet, HashMap},
    net::TcpListener,
    path::{Path, PathBuf},
    process::Command,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use diem_kiem_dich::{
    accounts::Role,
    base::{Clock, text::fold},
    config::{Overrides, Settings},
    store::Target,
};
use reqwest::Method;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::{
    kit::{Cluster, Http, On, PASSWORD, Program, Server, told},
    on_both,
};

on_both! { nobody_is_found_in_what_the_service_wrote }

/// What must be found nowhere. Nobody is called so, and no other test writes it.
const SECRETS: &[&str] = &[
    // The visitor by API.
    "Quách Thị Chim Hoàng Yến",
    "0931777001",
    "031190777001",
    "chim.hoang.yen@mau.example",
    "Ngõ Hoàng Yến Bảy",
    "Đi Hoàng Yến Bay",
    "Đau Hoàng Yến Hót",
    // The visitor by page.
    "Lục Văn Chim Sơn Ca",
    "0931777002",
    "Ngõ Sơn Ca Tám",
    // The patient.
    "Tôn Thất Chim Khuyên",
    "0931777003",
    // The owner and a vehicle.
    "Chủ Quán Chim Sẻ",
    "0931777004",
    "51B-777.04",
    // From paper.
    "Giấy Viết Chim Cút",
    "0931777005",
    "031190777005",
    // Known only from requests that are wrong.
    "Sai Bét Chim Cu",
    "0931777006",
    // The case of another number: looked up, never there.
    "0931777007",
    // The password of everybody.
    PASSWORD,
];

/// Names of venues and checkpoints are no secret and stand in clear: what looks for secrets must find
/// them.
const CONTROL: &str = "Chợ Chim Công";

/// Characters of the shortest token.
const TOKEN_CHARS: usize = 64;

/// The ways in which a text may lie in a file.
fn spellings(secret: &str) -> Vec<Vec<u8>> {
    let mut texts = BTreeSet::from([secret.to_owned(), secret.to_lowercase(), fold(secret)]);
    if let Some(subscriber) = secret.strip_prefix('0').filter(|s| s.len() == 9) {
        // Without the leading zero it is part of every international spelling.
        texts.insert(subscriber.to_owned());
    }
    if secret.contains('-') {
        texts.insert(secret.replace(['-', '.'], ""));
    }
    let mut found: Vec<Vec<u8>> = Vec::new();
    for text in &texts {
        let bytes = text.as_bytes();
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let escaped = text.chars().map(|c| match c {
            c if c.is_ascii() => c.to_string(),
            c => format!("\\u{:04x}", u32::from(c)),
        });
        found.push(bytes.to_vec());
        found.push(hex.to_uppercase().into_bytes());
        found.push(hex.into_bytes());
        found.push(STANDARD.encode(&bytes[..bytes.len() / 3 * 3]).into());
        found.push(escaped.collect::<String>().into_bytes());
        found.push(text.encode_utf16().flat_map(u16::to_le_bytes).collect());
    }
    // A bare hash of a number gives it away: there are few enough numbers to try them all. Of 256 random
    // bits it does not, and sessions are found by it.
    if secret.len() >= TOKEN_CHARS {
        return found;
    }
    let mut hashed = texts;
    if let Some(subscriber) = secret.strip_prefix('0') {
        hashed.insert(format!("+84{subscriber}"));
        hashed.insert(format!("84{subscriber}"));
    }
    for text in hashed {
        let hash = Sha256::digest(text.as_bytes());
        found.push(hash.to_vec());
        let hex: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
        found.push(hex.into_bytes());
    }
    found
}

/// Finds many texts in one pass: a byte of the file costs one look into a table.
struct Search {
    /// Whether a spelling begins with these three bytes.
    begins: Vec<bool>,
    /// Spellings by their first three bytes, with the number of their secret.
    by: HashMap<usize, Vec<(usize, Vec<u8>)>>,
}

impl Search {
    fn new(secrets: &[&str]) -> Self {
        let mut search = Self {
            begins: vec![false; 1 << 24],
            by: HashMap::new(),
        };
        for (number, secret) in secrets.iter().enumerate() {
            for spelling in spellings(secret) {
                assert!(
                    spelling.len() >= 6,
                    "{secret} is too short to be told apart"
                );
                let begin = Self::begin(&spelling);
                search.begins[begin] = true;
                search.by.entry(begin).or_default().push((number, spelling));
            }
        }
        search
    }

    fn begin(bytes: &[u8]) -> usize {
        usize::from(bytes[0]) << 16 | usize::from(bytes[1]) << 8 | usize::from(bytes[2])
    }

    /// The numbers of the secrets in `content`.
    fn found(&self, content: &[u8]) -> BTreeSet<usize> {
        let mut found = BTreeSet::new();
        for (at, three) in content.windows(3).enumerate() {
            let begin = Self::begin(three);
            if self.begins[begin] {
                let here = self.by[&begin].iter();
                let here = here.filter(|(_, spelling)| content[at..].starts_with(spelling));
                found.extend(here.map(|(number, _)| *number));
            }
        }
        found
    }
}

/// Where things were written: a name for each place, and what lies there.
#[derive(Default)]
struct Written(Vec<(String, Vec<u8>)>);

impl Written {
    fn add(&mut self, place: impl Into<String>, content: impl Into<Vec<u8>>) {
        self.0.push((place.into(), content.into()));
    }

    /// Every file below `dir`. One that goes away meanwhile has nothing any more.
    fn files(&mut self, dir: &Path) {
        for entry in std::fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                self.files(&path);
            } else if let Ok(content) = std::fs::read(&path) {
                self.add(path.display().to_string(), content);
            }
        }
    }

    /// What was found of `secrets`, and where.
    fn search<'s>(&self, secrets: &[&'s str]) -> Vec<(&'s str, &str)> {
        let search = Search::new(secrets);
        let mut found = Vec::new();
        for (place, content) in &self.0 {
            let here = search.found(content).into_iter();
            found.extend(here.map(|number| (secrets[number], place.as_str())));
        }
        found
    }
}

fn declaration(name: &str, phone: &str, id: Option<&str>) -> Value {
    json!({
        "full_name": name, "birth_year": 1990, "sex": "female", "nationality": "VN",
        "id_number": id, "phone": phone, "email": "chim.hoang.yen@mau.example",
        "address": {"province": "80", "ward": "25459", "street": "Ngõ Hoàng Yến Bảy"},
        "answers": {
            "travel": {"yes": true, "detail": "Đi Hoàng Yến Bay"},
            "symptoms": {"yes": true, "which": ["other"], "detail": "Đau Hoàng Yến Hót"},
            "contact_case": false, "contact_affected_area": false, "contact_symptomatic": false
        },
        "consent": {"version": "2026-1", "given": true}
    })
}

/// A running service, an officer, and all that it said about mistakes.
struct Story {
    program: Program,
    officer: Http,
    mistakes: String,
    tokens: Vec<String>,
}

impl Story {
    async fn good(http: &Http, path: &str, body: &Value) -> Value {
        let (status, answer) = http.post(path, body).await;
        assert!(status < 300, "{path}: {status} {answer}");
        answer
    }

    /// A venue with a gate and a bus; their codes.
    async fn venue(&mut self) -> (String, String) {
        let registration = json!({
            "name": CONTROL, "kind": "market",
            "address": {"province": "80", "ward": "25459", "street": "Đường Mẫu"},
            "contact": {"name": "Chủ Quán Chim Sẻ", "phone": "0931777004"},
            "password": PASSWORD,
        });
        let made = Self::good(&self.program.http, "/api/v1/venues", &registration).await;
        let login = json!({"login": "0931777004", "password": PASSWORD});
        let session = Self::good(&self.program.http, "/api/v1/sessions", &login).await;
        let token = session["access_token"].as_str().unwrap();
        self.tokens.push(token.to_owned());
        let refresh = session["refresh_token"].as_str().unwrap();
        self.tokens.push(refresh.to_owned());
        let owner = Http::new(&self.program.url, Some(token));
        let id = made["venue"]["id"].as_str().unwrap();
        let path = format!("/api/v1/venues/{id}/checkpoints");
        let gate = Self::good(&owner, &path, &json!({"name": "Cổng"})).await;
        let bus = json!({"name": "Xe", "kind": "vehicle", "vehicle": {"plate": "51B-777.04"}});
        let bus = Self::good(&owner, &path, &bus).await;
        let (status, seen) = owner.get(&path).await;
        assert_eq!(status, 200, "{seen}");
        let code = |made: &Value| made["code"].as_str().unwrap().to_owned();
        (code(&gate), code(&bus))
    }

    async fn visitors(&mut self, gate: &str, bus: &str) {
        let http = self.program.http.clone();
        let patient = declaration("Tôn Thất Chim Khuyên", "0931777003", None);
        let batch = json!({"check_ins": [{"checkpoint": gate, "declaration": patient}]});
        Self::good(&http, "/api/v1/check-ins/batch", &batch).await;
        let declared = declaration(
            "Quách Thị Chim Hoàng Yến",
            "0931777001",
            Some("031190777001"),
        );
        let entered = json!({"checkpoint": gate, "declaration": declared});
        let entered = Self::good(&http, "/api/v1/check-ins", &entered).await;
        let token = entered["declaration_token"].as_str().unwrap();
        self.tokens.push(token.to_owned());
        let again = json!({"checkpoint": bus, "declaration_token": token});
        let again = Self::good(&http, "/api/v1/check-ins", &again).await;
        let id = again["id"].as_str().unwrap();
        let path = format!("/api/v1/check-ins/{id}/check-out");
        Self::good(&http, &path, &json!({"checkpoint": bus})).await;
        let form = [
            ("new", "1"),
            ("full_name", "Lục Văn Chim Sơn Ca"),
            ("birth_year", "1990"),
            ("sex", "male"),
            ("nationality", "VN"),
            ("phone", "0931777002"),
            ("province", "80"),
            ("ward", "Phường Tân Ninh"),
            ("street", "Ngõ Sơn Ca Tám"),
            ("travel", "no"),
            ("symptoms", "no"),
            ("contact_case", "no"),
            ("contact_affected_area", "no"),
            ("contact_symptomatic", "no"),
            ("consent", "2026-1"),
        ];
        let page = http.request(Method::POST, &format!("/c/{gate}"));
        let page = page.header("sec-fetch-site", "same-origin").form(&form);
        let page = page.send().await.unwrap();
        assert_eq!(page.status(), 200);
        let card = page.text().await.unwrap();
        assert!(card.contains("result clear"), "{card}");
    }

    /// A case, three lookups and both exports: the officer is told the names, and nobody else.
    async fn officer(&self) {
        let today = Clock::System.now().local_date();
        let today: Vec<&str> = today.rsplit('/').collect();
        let report = json!({
            "disease": "covid-19", "confirmed_on": today.join("-"),
            "patient": {"full_name": "Tôn Thất Chim Khuyên", "phone": "0931777003"}
        });
        let case = Self::good(&self.officer, "/api/v1/cases", &report).await;
        let orders = [
            json!({"case": case["id"], "rings": 2, "reason": "truy vết", "document": "7/CDC"}),
            json!({"person": {"phone": "0931777001"}, "reason": "truy vết", "document": "8/CDC"}),
            json!({"person": {"phone": "0931777007"}, "reason": "truy vết", "document": "9/CDC"}),
        ];
        let mut named = String::new();
        for order in orders {
            let run = Self::good(&self.officer, "/api/v1/lookups", &order).await;
            let id = run["id"].as_str().unwrap();
            for file in ["", ".csv", ".xlsx"] {
                let path = format!("/api/v1/lookups/{id}/exposures{file}");
                let answer = self.officer.request(Method::GET, &path).send().await;
                let answer = answer.unwrap();
                assert_eq!(answer.status(), 200, "{path}");
                let bytes = answer.bytes().await.unwrap();
                named.push_str(&String::from_utf8_lossy(&bytes));
            }
        }
        // Otherwise the search below would prove nothing.
        assert!(named.contains("Quách Thị Chim Hoàng Yến"));
        assert!(named.contains("0931777002"));
        let path = format!("/api/v1/cases/{}", case["id"].as_str().unwrap());
        let (_, file) = self.officer.get(&path).await;
        assert_eq!(file["patient"]["phone"], "0931777003");
    }

    /// Names and numbers where they do not belong, in every way that is refused.
    async fn mistakes(&mut self, gate: &str) {
        let (name, phone) = ("Sai Bét Chim Cu", "0931777006");
        let http = self.program.http.clone();
        let mut wrong = declaration(name, phone, None);
        wrong["sex"] = json!(name);
        let bodies = [
            json!({"checkpoint": gate, "declaration": wrong}),
            json!({"checkpoint": gate, "declaration": declaration(name, name, Some(phone))}),
            json!({"checkpoint": name, "declaration": {"full_name": phone}}),
            json!({"checkpoint": gate, name: phone}),
            json!({"checkpoint": gate, "declaration": name}),
            json!({"checkpoint": gate, "declaration_token": name}),
            json!({"checkpoint": gate, "id": phone}),
        ];
        for body in &bodies {
            for path in ["/api/v1/check-ins", "/api/v1/declarations"] {
                let (status, answer) = http.post(path, body).await;
                assert!((400..500).contains(&status), "{path} {body}: {answer}");
                self.mistakes.push_str(&answer.to_string());
            }
        }
        for (path, body) in [
            (
                "/api/v1/sessions",
                json!({"login": phone, "password": name}),
            ),
            ("/api/v1/sessions/refresh", json!({"refresh_token": name})),
            ("/api/v1/venues", json!({"name": name, "kind": phone})),
            (
                "/api/v1/check-ins/0931777006/check-out",
                json!({"checkpoint": gate}),
            ),
        ] {
            let (status, answer) = http.post(path, &body).await;
            assert!((400..500).contains(&status), "{path} {body}: {answer}");
            self.mistakes.push_str(&answer.to_string());
        }
        for (path, body) in [
            (
                "/api/v1/cases",
                json!({"disease": phone, "patient": {"full_name": name}}),
            ),
            ("/api/v1/lookups", json!({"case": name})),
            (
                "/api/v1/lookups",
                json!({"person": {"phone": "0931777001"}, "reason": phone, "document": phone}),
            ),
            (
                "/api/v1/lookups",
                json!({"person": {"phone": name}, "reason": name}),
            ),
        ] {
            let (status, answer) = self.officer.post(path, &body).await;
            assert_eq!(status, 422, "{path} {body}: {answer}");
            self.mistakes.push_str(&answer.to_string());
        }
        for path in [
            format!("/c/{phone}"),
            format!("/api/v1/checkpoints/{phone}"),
            format!("/api/v1/regions?name={phone}"),
            format!("/api/v1/nowhere/{phone}?q={name}"),
            format!("/{name}"),
        ] {
            let answer = http.request(Method::GET, &path).send().await.unwrap();
            self.mistakes.push_str(&answer.text().await.unwrap());
        }
        let broken = http.request(Method::POST, "/api/v1/check-ins");
        let broken = broken.header("content-type", "application/json");
        let broken = broken.body(format!("{{\"full_name\":\"{name}\",{phone}"));
        let answer = broken.send().await.unwrap();
        assert!(matches!(answer.status().as_u16(), 400 | 422));
        self.mistakes.push_str(&answer.text().await.unwrap());
    }
}

/// Bring in a list from paper, from a folder that is not the service's.
fn import(settings: &Settings, gate: &str) -> String {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("list.csv");
    let now = Clock::System.now().plus_ms(-3_600_000).rfc3339();
    let text = format!(
        "checkpoint,entered_at,left_at,phone,full_name,id_number,seat\n\
         {gate},{now},,0931777005,Giấy Viết Chim Cút,,\n\
         {gate},{now},,,Giấy Viết Chim Cút,031190777005,\n\
         {gate},{now},,Sai Bét Chim Cu,0931777006,,\n\
         {gate},0931777006,,0931777006,Sai Bét Chim Cu,,\n"
    );
    std::fs::write(&file, text).unwrap();
    let done = program(settings)
        .args(["import", "check-ins"])
        .arg(&file)
        .output()
        .unwrap();
    let said = [done.stdout, done.stderr].concat();
    let said = String::from_utf8(said).unwrap();
    assert!(said.contains("4 rows: 2 kept, 2 rejected"), "{said}");
    said
}

/// The program on the store of `settings`.
fn program(settings: &Settings) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_diem-kiem-dich"));
    command.arg("--data-dir").arg(&settings.data_dir);
    command.env("RUST_LOG", "debug");
    if let Target::Postgres(url, _) = &settings.database {
        command.arg("--database-url").arg(url);
    }
    command
}

/// What the program would say if it broke at the worst moment: everything it knows, as a panic shows
/// it.
fn panics(settings: &Settings) -> String {
    let draft = declaration(
        "Quách Thị Chim Hoàng Yến",
        "0931777001",
        Some("031190777001"),
    );
    let check_in = json!({"checkpoint": "x", "declaration": draft, "declaration_token": "a.b.c"});
    let check_in: diem_kiem_dich::checkins::NewCheckIn = serde_json::from_value(check_in).unwrap();
    let case = json!({"disease": "x", "patient": {"full_name": "Tôn Thất Chim Khuyên", "phone": "0931777003"}});
    let case: diem_kiem_dich::cases::CaseDraft = serde_json::from_value(case).unwrap();
    let lookup = json!({"person": {"phone": "0931777007"}});
    let lookup: diem_kiem_dich::exposures::LookupDraft = serde_json::from_value(lookup).unwrap();
    let phone = diem_kiem_dich::identity::Phone::parse("0931777001").unwrap();
    format!("{check_in:?} {case:?} {lookup:?} {phone:?} {settings:?}")
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

async fn nobody_is_found_in_what_the_service_wrote(on: On) {
    let dir = tempfile::tempdir().unwrap();
    let cluster = (on == On::Postgres).then(Cluster::start);
    let mut environment = std::collections::BTreeMap::from([(
        "data_dir".to_owned(),
        dir.path().display().to_string(),
    )]);
    if let Some(cluster) = &cluster {
        environment.insert("database_url".to_owned(), cluster.url());
    }
    let settings = Settings::load(&Overrides::default(), environment).unwrap();
    // The officer's account and token, by the keys that the program will find.
    let before = Server::start_at(settings.clone(), Clock::System, 7).await;
    let officer = before.login_as(Role::HealthOfficer, Some("80")).await;
    let token = officer.token().unwrap().to_owned();
    before.stop().await;

    let metrics = free_port();
    let script =
        format!("export RUST_LOG=debug DKD_METRICS_LISTEN=127.0.0.1:{metrics}; exec \"$@\"");
    let running = Program::start_in(&script, &settings);
    let mut story = Story {
        officer: Http::new(&running.url, Some(&token)),
        program: running,
        mistakes: String::new(),
        tokens: vec![token],
    };
    let (gate, bus) = story.venue().await;
    story.visitors(&gate, &bus).await;
    let imported = import(&settings, &gate);
    story.officer().await;
    story.mistakes(&gate).await;
    let metrics = reqwest::get(format!("http://127.0.0.1:{metrics}/metrics"));
    let metrics = metrics.await.unwrap().text().await.unwrap();
    assert!(metrics.contains("checkin_commit_seconds"), "{metrics}");

    let mut written = Written::default();
    written.add("metrics", metrics);
    written.add("what was said of mistakes", story.mistakes);
    written.add("what the import said", imported);
    written.add("what a panic would say", panics(&settings));
    // While it runs, with all that is not merged or written back yet.
    written.files(dir.path());
    if let Some(cluster) = &cluster {
        written.add("dump", cluster.dump());
    }
    story.program.kill();
    written.files(dir.path());
    if let Some(cluster) = &cluster {
        for part in ["data/base", "data/pg_wal", "data/pg_stat_tmp"] {
            let part: PathBuf = cluster.dir().join(part);
            if part.is_dir() {
                written.files(&part);
            }
        }
        written.add(
            "PostgreSQL's log",
            std::fs::read(cluster.dir().join("log")).unwrap(),
        );
    }

    // The search finds what is there, in every kind of place.
    let control = written.search(&[CONTROL]);
    let places: BTreeSet<&str> = control.iter().map(|(_, place)| *place).collect();
    let in_place = |part: &str| places.iter().any(|place| place.contains(part));
    match on {
        On::Sqlite => assert!(in_place(".db"), "{places:?}"),
        On::Postgres => assert!(in_place("dump") && in_place("pg_wal"), "{places:?}"),
    }
    let log = told(dir.path());
    assert!(
        log.contains("/api/v1/check-ins") && log.contains("/c/{code}"),
        "{log}"
    );

    let tokens: Vec<&str> = story.tokens.iter().map(String::as_str).collect();
    let found = written.search(&[SECRETS, &tokens].concat());
    assert!(found.is_empty(), "{found:#?}");
}
