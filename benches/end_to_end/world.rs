//! What stands in the store before the load: a venue, its checkpoints, returning visitors, old rows.

use std::{fmt::Write as _, path::Path};

use diem_kiem_dich::{
    base::{Clock, Random, Timestamp, ids},
    checkins::{
        assurance, source,
        store::{Row, insert_counted},
    },
    config::{Overrides, Settings},
    declarations::{Risk, token::Claim},
    http::App,
    identity::PersonId,
    store,
    venues::{self, NewAddress, NewCheckpoint, NewContact, NewVenue},
};

/// Days over which the old rows are spread: check-ins of the last two weeks.
const DAYS: u64 = 14;

/// People of whom the old rows are.
const PEOPLE: u64 = 1_000_000;

/// Rows in one transaction while the store is filled.
const CHUNK: u64 = 10_000;

/// What the client needs to know.
pub struct World {
    /// Number and code.
    pub checkpoints: Vec<(i64, String)>,
    /// Declaration tokens, all of one length.
    pub tokens: Vec<String>,
    /// A request with gaps.
    pub request: Vec<u8>,
    /// Where id, code and token go.
    pub gaps: [usize; 3],
}

/// The settings of a server on `database_url` (empty: SQLite in the folder).
pub fn settings(dir: &Path, database_url: &str) -> Settings {
    let overrides = Overrides {
        data_dir: Some(dir.to_owned()),
        database_url: (!database_url.is_empty()).then(|| database_url.to_owned()),
        listen: Some(([127, 0, 0, 1], 0).into()),
        config: None,
    };
    let off = [("rate_limits".to_owned(), "off".to_owned())];
    Settings::load(&overrides, off.into()).unwrap()
}

/// How much there is to be.
#[derive(Clone, Copy)]
pub struct Size {
    pub checkpoints: usize,
    pub tokens: usize,
}

/// Fill an empty store, and leave `codes` and `tokens` in the folder for other clients.
pub async fn fill(settings: Settings, size: Size) -> World {
    let dir = settings.data_dir.clone();
    let app = open(settings).await;
    let checkpoints = places(&app, size.checkpoints).await;
    let now = app.clock.now();
    let tokens: Vec<String> = (0..size.tokens)
        .map(|_| {
            app.door.tokens.sign(Claim {
                person: PersonId::from_bytes(app.random.bytes()),
                declaration: ids::v7(now, &app.random),
                risk: Risk::Clear,
            })
        })
        .collect();
    close(app).await;
    let codes: Vec<&str> = checkpoints.iter().map(|(_, code)| &**code).collect();
    std::fs::write(dir.join("codes"), codes.join("\n")).unwrap();
    std::fs::write(dir.join("tokens"), tokens.join("\n")).unwrap();
    let (request, gaps) = request(&tokens);
    World {
        checkpoints,
        tokens,
        request,
        gaps,
    }
}

async fn open(settings: Settings) -> App {
    App::open(settings, Clock::System, Random::System)
        .await
        .unwrap()
}

async fn close(app: App) {
    app.door.journal.stop();
    app.door.journal.ended().await.unwrap();
    app.db.close().await;
}

async fn places(app: &App, count: usize) -> Vec<(i64, String)> {
    let venue = NewVenue {
        name: "Chợ Đo Sức".to_owned(),
        kind: "market".to_owned(),
        address: NewAddress {
            province: "80".to_owned(),
            ward: "25459".to_owned(),
            street: String::new(),
        },
        contact: NewContact {
            name: "Võ Thị Thước".to_owned(),
            phone: "0992000999".to_owned(),
        },
        password: String::new(),
    }
    .parse(&app.regions)
    .unwrap();
    let drafts: Vec<_> = (0..count)
        .map(|number| {
            let new = NewCheckpoint {
                name: format!("Cổng số {number}"),
                ..NewCheckpoint::default()
            };
            new.parse().unwrap()
        })
        .collect();
    app.db
        .write(async |tx| {
            let (venue, _) = venues::register(tx, &app.keys, &app.random, &venue, "").await?;
            let mut made = Vec::with_capacity(drafts.len());
            for draft in &drafts {
                let one = venues::add_checkpoint(tx, &app.keys, &app.random, &venue, draft).await?;
                made.push((one.id, one.code.to_string()));
            }
            Ok::<_, diem_kiem_dich::base::Failure>(made)
        })
        .await
        .unwrap()
}

/// Rows as they would have come in: in the order of time, at all checkpoints, by many people.
pub async fn old_rows(settings: &Settings, checkpoints: &[(i64, String)], count: u64) {
    let app = open(settings.clone()).await;
    let end = app.clock.now().as_ms();
    let span = DAYS * 24 * 60 * 60 * 1000;
    let mut made = 0;
    while made < count {
        let chunk: Vec<Row> = (made..count.min(made + CHUNK))
            .map(|number| {
                let back = span - number * span / count;
                let at = Timestamp::from_ms(end - i64::try_from(back).unwrap());
                let random = u64::from_le_bytes(app.random.bytes());
                let mut person = [0x5a; 16];
                person[..8].copy_from_slice(&(random % PEOPLE).wrapping_mul(PRIME).to_be_bytes());
                let place = (random >> 32) as usize % checkpoints.len();
                Row {
                    checkpoint_id: checkpoints[place].0,
                    id: ids::v7(at, &app.random),
                    person: PersonId::from_bytes(person),
                    left_at: None,
                    left_source: None,
                    source: source::ONLINE,
                    assurance: assurance::POSTER,
                    headcount: 1,
                    seat: None,
                    declaration_id: Some(ids::v7(at, &app.random)),
                    received_at: at.as_ms(),
                }
            })
            .collect();
        let mut rows: Vec<&Row> = chunk.iter().collect();
        rows.sort_unstable_by_key(|row| row.key());
        let stored: Result<u64, store::Error> = app
            .db
            .append(async |tx| insert_counted(tx, &rows).await)
            .await;
        made += stored.unwrap();
    }
    close(app).await;
}

/// Spreads numbers over all 64 bits, as pseudonyms are.
const PRIME: u64 = 0x9E37_79B9_7F4A_7C15;

fn request(tokens: &[String]) -> (Vec<u8>, [usize; 3]) {
    let token = tokens.first().map_or(0, String::len);
    assert!(tokens.iter().all(|other| other.len() == token));
    let pieces = [
        "{\"id\":\"",
        "\",\"checkpoint\":\"",
        "\",\"declaration_token\":\"",
        "\"}",
    ];
    let gaps = [36, 26, token];
    let length: usize = pieces.iter().map(|p| p.len()).sum::<usize>() + gaps.iter().sum::<usize>();
    let mut text = format!(
        "POST /api/v1/check-ins HTTP/1.1\r\nHost: 127.0.0.1\r\n\
         Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
    );
    let mut at = [0; 3];
    for ((piece, gap), at) in pieces.iter().zip(gaps).zip(&mut at) {
        text.push_str(piece);
        *at = text.len();
        let _ = write!(text, "{:gap$}", "");
    }
    text.push_str("\"}");
    (text.into_bytes(), at)
}
