//! What a country's checkpoints take in memory, and how long it takes to load and to find them.
//!
//! ```sh
//! cargo bench --bench directory -- [CHECKPOINTS] [CHECKPOINTS_PER_VENUE] [DATABASE_URL]
//! ```
//!
//! Without a database the entries are put one by one; with the URL of an empty database they are
//! written there first, and loaded as the service does at its start. Linux only: memory is what
//! `/proc/self/status` says.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::cast_precision_loss,
    reason = "a measurement that meets the unexpected stops"
)]

use std::time::Instant;

use diem_kiem_dich::{
    base::{Clock, Code, Random, Timestamp, ids},
    regions::Catalogue,
    store::{Db, Error, Sql, Target},
    venues::{Address, Checkpoint, Directory, OpeningHours, PlaceKind, Venue},
};

/// Viet Nam's in 2021.
const CHECKPOINTS: i64 = 3_700_000;

/// 2026-11-18 01:30:00 UTC.
const NOW: Timestamp = Timestamp::from_ms(1_794_965_400_000);

#[tokio::main(flavor = "current_thread")]
async fn main() {
    // `cargo bench` adds a flag of its own; without it somebody only wants to see that this runs.
    let whole = std::env::args().any(|argument| argument == "--bench");
    let mut arguments = std::env::args().skip(1).filter(|a| !a.starts_with("--"));
    let number = |text: Option<String>| text.map(|text| text.parse::<i64>().expect("a number"));
    let checkpoints = number(arguments.next()).unwrap_or(if whole { CHECKPOINTS } else { 10_000 });
    let per_venue = number(arguments.next()).unwrap_or(1);
    let before = resident();
    let started = Instant::now();
    let directory = match arguments.next() {
        None => made_up(checkpoints, per_venue),
        Some(url) => loaded(url, checkpoints, per_venue).await,
    };
    let bytes = resident() - before;
    println!(
        "{checkpoints} checkpoints, {per_venue} a venue: {:.0} MB, {:.0} bytes each, {:.1} s",
        bytes as f64 / 1e6,
        bytes as f64 / directory.len() as f64,
        started.elapsed().as_secs_f64()
    );
    find(&directory, checkpoints);
}

/// Bytes of this process that are in memory.
fn resident() -> i64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|l| l.starts_with("VmRSS:")).unwrap();
    let kib: i64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    kib * 1024
}

/// Codes in a fixed order, so that they can be asked for without being kept.
fn codes() -> impl Iterator<Item = Code> {
    let random = Random::seeded(7);
    std::iter::repeat_with(move || Code::new(&random))
}

fn made_up(checkpoints: i64, per_venue: i64) -> Directory {
    let directory = Directory::default();
    let random = Random::seeded(8);
    let mut venue = None;
    for (id, code) in (1..=checkpoints).zip(codes()) {
        if (id - 1) % per_venue == 0 {
            venue = Some(a_venue((id - 1) / per_venue + 1, &random));
        }
        let venue = venue.as_ref().unwrap();
        directory.put(venue, &a_checkpoint(id, venue, code, &random));
    }
    directory
}

fn a_venue(id: i64, random: &Random) -> Venue {
    Venue {
        id,
        public_id: ids::v4(random),
        owner: ids::v4(random),
        name: format!("Cửa hàng tạp hoá {id}").into(),
        kind: PlaceKind::Business,
        address: Address {
            catalogue: Catalogue::July2025,
            province: format!("{:02}", id % 3321 % 34).into(),
            ward: format!("{:05}", id % 3321).into(),
            street: format!("{} Nguyễn Trãi", id % 997).into(),
        },
        created_at: NOW,
    }
}

fn a_checkpoint(id: i64, venue: &Venue, code: Code, random: &Random) -> Checkpoint {
    Checkpoint {
        id,
        public_id: ids::v4(random),
        venue_id: venue.id,
        site_id: id,
        code,
        name: format!("Cửa chính số {id}").into(),
        kind: venue.kind,
        stay_minutes: None,
        capacity: None,
        opening_hours: (id % 3 == 0).then(OpeningHours::always),
        listed: true,
        is_vehicle: false,
        poster_version: 1,
        poster_at: NOW,
        created_at: NOW,
        changed_at: NOW,
        closed_at: None,
    }
}

/// Write made-up rows to an empty database, and load them as at a start.
async fn loaded(url: String, checkpoints: i64, per_venue: i64) -> Directory {
    let target = if url.starts_with("postgres") {
        Target::Postgres(url, 2)
    } else {
        Target::Sqlite(url.trim_start_matches("sqlite:").into())
    };
    let db = Db::open(&target, Clock::manual(NOW)).await.unwrap();
    db.migrate().await.unwrap();
    let stored: i64 = db
        .read(async |tx| {
            let (n,) = tx
                .query("SELECT COUNT(*) FROM checkpoints")
                .one::<(i64,)>()
                .await?;
            Ok::<_, Error>(n)
        })
        .await
        .unwrap();
    if stored == 0 {
        write(&db, checkpoints, per_venue).await;
    }
    let before = resident();
    let started = Instant::now();
    let directory = Directory::load(&db).await.unwrap();
    println!(
        "loaded {} in {:.1} s into {:.0} MB",
        directory.len(),
        started.elapsed().as_secs_f64(),
        (resident() - before) as f64 / 1e6
    );
    directory
}

/// Rows a statement.
const CHUNK: i64 = 50_000;

async fn write(db: &Db, checkpoints: i64, per_venue: i64) {
    let owner = ids::v4(&Random::seeded(9));
    db.append(async |tx| {
        tx.query(
            "INSERT INTO accounts (id, login_hash, login_sealed, role, password_hash, created_at)
             VALUES ($1, $2, $2, 'venue-owner', '', $3)",
        )
        .bind(owner)
        .bind(vec![1_u8])
        .bind(NOW)
        .execute()
        .await
    })
    .await
    .unwrap();
    let mut first = 1;
    while first <= checkpoints {
        let last = checkpoints.min(first + CHUNK - 1);
        db.append(async |tx| {
            tx.query(VENUES)
                .bind((first - 1) / per_venue + 1)
                .bind((last - 1) / per_venue + 1)
                .bind(owner)
                .bind(NOW)
                .execute()
                .await?;
            tx.query(ROWS)
                .bind(first)
                .bind(last)
                .bind(per_venue)
                .bind(NOW)
                .execute()
                .await
        })
        .await
        .unwrap();
        first = last + 1;
    }
}

const VENUES: Sql = Sql::split(
    "INSERT INTO venues (id, public_id, owner_id, name, kind, catalogue, province, ward, street,
                         contact_sealed, created_at)
     SELECT n, gen_random_uuid(), $3, 'Cửa hàng tạp hoá ' || n, 'business', '2025-07',
            lpad((n % 3321 % 34)::text, 2, '0'), lpad((n % 3321)::text, 5, '0'),
            (n % 997) || ' Nguyễn Trãi', '\\x00', $4
     FROM generate_series($1::bigint, $2::bigint) AS n
     ON CONFLICT (id) DO NOTHING",
    "WITH RECURSIVE s (n) AS (SELECT $1 UNION ALL SELECT n + 1 FROM s WHERE n < $2)
     INSERT INTO venues (id, public_id, owner_id, name, kind, catalogue, province, ward, street,
                         contact_sealed, created_at)
     SELECT n, randomblob(16), $3, 'Cửa hàng tạp hoá ' || n, 'business', '2025-07',
            printf('%02d', n % 3321 % 34), printf('%05d', n % 3321), (n % 997) || ' Nguyễn Trãi',
            x'00', $4
     FROM s WHERE true
     ON CONFLICT (id) DO NOTHING",
);

const ROWS: Sql = Sql::split(
    "INSERT INTO checkpoints (id, public_id, venue_id, site_id, code, name, kind, opening_hours,
                              listed, poster_version, poster_at, created_at, changed_at)
     SELECT n, gen_random_uuid(), (n - 1) / $3 + 1, n, uuid_send(gen_random_uuid()),
            'Cửa chính số ' || n, 'business',
            CASE WHEN n % 3 = 0 THEN '{\"mon\":[[\"07:00\",\"18:30\"]]}' END,
            TRUE, 1, $4, $4, $4
     FROM generate_series($1::bigint, $2::bigint) AS n",
    "WITH RECURSIVE s (n) AS (SELECT $1 UNION ALL SELECT n + 1 FROM s WHERE n < $2)
     INSERT INTO checkpoints (id, public_id, venue_id, site_id, code, name, kind, opening_hours,
                              listed, poster_version, poster_at, created_at, changed_at)
     SELECT n, randomblob(16), (n - 1) / $3 + 1, n, randomblob(16), 'Cửa chính số ' || n,
            'business', CASE WHEN n % 3 = 0 THEN '{\"mon\":[[\"07:00\",\"18:30\"]]}' END,
            1, 1, $4, $4, $4
     FROM s",
);

/// How long it takes to find a checkpoint, by code and by number.
fn find(directory: &Directory, checkpoints: i64) {
    let asked = checkpoints.min(1_000_000);
    let keys: Vec<(i64, Code)> = (1..=asked)
        .filter_map(|at| directory.by_id(at * 7919 % checkpoints + 1))
        .map(|entry| (entry.checkpoint.id, entry.checkpoint.code))
        .collect();
    let per_key = |started: Instant| started.elapsed().as_secs_f64() * 1e9 / keys.len() as f64;
    let started = Instant::now();
    let found = keys
        .iter()
        .filter(|(id, code)| {
            directory
                .by_code(*code)
                .is_some_and(|entry| entry.checkpoint.id == *id)
        })
        .count();
    println!("by code: {:.0} ns", per_key(started));
    let started = Instant::now();
    let by_id = keys
        .iter()
        .filter(|(id, _)| directory.by_id(*id).is_some())
        .count();
    println!("by number: {:.0} ns", per_key(started));
    assert_eq!((found, by_id), (keys.len(), keys.len()));
}
