//! What the pieces of a check-in cost, each alone.
//!
//! `cargo bench --bench pieces` prints them all; a word after `--` chooses those whose name holds it.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a benchmark that meets the unexpected stops; criterion's macros make public functions"
)]

use std::{hint::black_box, path::Path};

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use diem_kiem_dich::{
    base::{Clock, Code, Random, Timestamp, ids},
    checkins::{
        NewCheckIn, assurance, source,
        store::{Row, insert},
    },
    config::{Overrides, Settings},
    declarations::{
        Draft, Risk, Sealed,
        token::{Claim, Tokens},
    },
    http::{App, body::read_json},
    identity::{PersonId, Phone, Pseudonymizer},
    privacy::Key,
    regions::Regions,
    store,
};
use tokio::runtime::Runtime;

#[path = "../tests/it/kit/postgres.rs"]
#[expect(dead_code, reason = "the tests crash their clusters too")]
mod postgres;

/// 2026-11-18 01:30:00 UTC.
const NOW: Timestamp = Timestamp::from_ms(1_794_965_400_000);

const DECLARATION: &str = r#"{"full_name": "Nguyễn Văn Mẫu", "birth_year": 1990, "sex": "male",
    "nationality": "VN", "phone": "0901234567",
    "address": {"province": "80", "ward": "25456", "street": "Số 1"},
    "answers": {"travel": {"yes": false, "detail": null},
        "symptoms": {"yes": true, "which": ["fever", "cough"], "detail": null},
        "contact_case": false, "contact_affected_area": false, "contact_symptomatic": false},
    "consent": {"version": "2026-1", "given": true}}"#;

fn claim(random: &Random) -> Claim {
    Claim {
        person: PersonId::from_bytes(random.bytes()),
        declaration: ids::v7(NOW, random),
        risk: Risk::Clear,
    }
}

fn pieces(c: &mut Criterion) {
    let random = Random::seeded(1);
    let key = Key::new(&random);
    let pseudonymizer = Pseudonymizer::new(key.bytes(), 1);
    let phone = Phone::parse("0901234567").unwrap();
    c.bench_function("pseudonym of a phone", |b| {
        b.iter(|| pseudonymizer.of_phone(black_box(&phone)));
    });
    let regions = Regions::load().unwrap();
    let draft = || read_json::<Draft>(DECLARATION.as_bytes()).unwrap();
    c.bench_function("declaration, read", |b| {
        b.iter(|| draft().parse(&regions, NOW));
    });
    let declaration = draft().parse(&regions, NOW).unwrap();
    let (person, id) = (PersonId::from_bytes([7; 16]), ids::v7(NOW, &random));
    c.bench_function("declaration, sealed", |b| {
        b.iter(|| Sealed::new(&declaration, person, id, &key, &Random::System));
    });
    let tokens = Tokens::new(&key);
    let claim = claim(&random);
    let token = tokens.sign(claim);
    c.bench_function("token, signed", |b| b.iter(|| tokens.sign(claim)));
    c.bench_function("token, read", |b| {
        b.iter(|| tokens.read(black_box(&token), NOW));
    });
    let code = Code::new(&random).to_string();
    c.bench_function("code, read", |b| {
        b.iter(|| black_box(&code).parse::<Code>());
    });
    let body = format!(r#"{{"id":"{id}","checkpoint":"{code}","declaration_token":"{token}"}}"#);
    c.bench_function("body of a check-in, read", |b| {
        b.iter(|| read_json::<NewCheckIn>(black_box(body.as_bytes())));
    });
}

fn batches(c: &mut Criterion) {
    let runtime = Runtime::new().unwrap();
    let cluster = postgres::start("-c shared_buffers=256MB");
    let schema = runtime.block_on(postgres::fresh_schema(&cluster));
    for (engine, url) in [("SQLite", None), ("PostgreSQL", Some(schema))] {
        let dir = tempfile::tempdir().unwrap();
        let settings = settings(dir.path(), url);
        let open = App::open(settings, Clock::System, Random::System);
        let app = runtime.block_on(open).unwrap();
        let mut group = c.benchmark_group(format!("{engine}, one commit"));
        for size in [1, 16, 64, 256] {
            group.throughput(Throughput::Elements(size));
            group.bench_function(format!("{size} check-ins"), |b| {
                b.to_async(Runner(&runtime)).iter_batched(
                    || rows(&app, size),
                    |rows| store_all(&app, rows),
                    BatchSize::SmallInput,
                );
            });
        }
        group.finish();
        app.door.journal.stop();
        runtime.block_on(app.db.close());
    }
}

fn settings(dir: &Path, database_url: Option<String>) -> Settings {
    let overrides = Overrides {
        data_dir: Some(dir.to_owned()),
        database_url,
        ..Overrides::default()
    };
    Settings::load(&overrides, std::collections::BTreeMap::new()).unwrap()
}

fn rows(app: &App, size: u64) -> Vec<Row> {
    let now = app.clock.now();
    let mut rows: Vec<Row> = (0..size)
        .map(|number| Row {
            checkpoint_id: i64::try_from(number * 37 % 1000).unwrap(),
            id: ids::v7(now, &app.random),
            person: PersonId::from_bytes(app.random.bytes()),
            left_at: None,
            left_source: None,
            source: source::ONLINE,
            assurance: assurance::POSTER,
            headcount: 1,
            seat: None,
            declaration_id: Some(ids::v7(now, &app.random)),
            received_at: now.as_ms(),
        })
        .collect();
    rows.sort_unstable_by_key(Row::key);
    rows
}

async fn store_all(app: &App, rows: Vec<Row>) {
    let rows: Vec<&Row> = rows.iter().collect();
    let fresh = app
        .db
        .append(async |tx| insert(tx, &rows).await)
        .await
        .map_err(|error: store::Error| error);
    assert_eq!(fresh.unwrap().len(), rows.len());
}

/// Criterion's async benchmarks, on a runtime that is here already.
struct Runner<'a>(&'a Runtime);

impl criterion::async_executor::AsyncExecutor for Runner<'_> {
    fn block_on<T>(&self, future: impl Future<Output = T>) -> T {
        self.0.block_on(future)
    }
}

criterion_group!(benches, pieces, batches);
criterion_main!(benches);
