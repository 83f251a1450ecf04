//! Visitors for `tests/faults`: they check in under load, note what each was told, and ask again.
//!
//! ```text
//! visitors venue URL                          register a venue, print the code of its gate
//! visitors load ADDRESS CODE N SECONDS FILE   N visitors; what each was told goes to FILE
//! visitors check ADDRESS FILE                 send everything in FILE again: is it there?
//! visitors count DATA_DIR [DATABASE_URL]      how many check-ins of yesterday and today are stored
//! visitors slow ADDRESS head|body N SECONDS   N clients that send a byte now and then
//! ```
//!
//! It prints one line of `name=value` pairs, and fails when something acknowledged is lost.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test that meets the unexpected stops"
)]

use std::{
    collections::BTreeMap,
    io::{BufWriter, Write},
    net::SocketAddr,
    time::Duration,
};

use diem_kiem_dich::{
    base::{Clock, Random},
    checkins::hours,
    config::{Overrides, Settings},
    http::App,
};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

#[path = "../tests/it/faults/client.rs"]
mod client;
#[path = "../tests/it/faults/load.rs"]
mod load;

use client::{Client, Said};
use load::{Load, Sent};

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["venue", url] => println!("{}", venue(url).await),
        ["load", address, code, visitors, seconds, file] => {
            let load = Load::start(address.parse().unwrap(), code, visitors.parse().unwrap());
            tokio::time::sleep(Duration::from_secs(seconds.parse().unwrap())).await;
            let history = load.end().await;
            note(&history, file);
            println!("{}", told(&history));
        }
        ["check", address, file] => check(address.parse().unwrap(), file).await,
        ["count", dir] => println!("{}", count(dir, None).await),
        ["count", dir, url] => println!("{}", count(dir, Some(url)).await),
        ["slow", address, what, clients, seconds] => {
            let address = address.parse().unwrap();
            let seconds = Duration::from_secs(seconds.parse().unwrap());
            slow(address, what, clients.parse().unwrap(), seconds).await;
        }
        _ => panic!("usage: see the head of examples/visitors.rs"),
    }
}

async fn venue(url: &str) -> String {
    let http = reqwest::Client::new();
    let phone = format!(
        "09{:08}",
        u32::from_be_bytes(Random::System.bytes()) % 100_000_000
    );
    let body = json!({
        "name": "Chợ Mẫu", "kind": "market",
        "address": {"province": "80", "ward": "25459", "street": "Đường Mẫu"},
        "contact": {"name": "Chủ Mẫu", "phone": phone}, "password": "mat-khau-thu-nghiem",
    });
    let post = async |path: &str, body: &serde_json::Value, token: &str| {
        let sent = http.post(format!("{url}{path}")).bearer_auth(token);
        let answer = sent.json(body).send().await.unwrap();
        answer.json::<serde_json::Value>().await.unwrap()
    };
    let made = post("/api/v1/venues", &body, "").await;
    let login = json!({"login": made["account"]["login"], "password": "mat-khau-thu-nghiem"});
    let session = post("/api/v1/sessions", &login, "").await;
    let token = session["access_token"].as_str().expect("the owner logs in");
    let path = format!(
        "/api/v1/venues/{}/checkpoints",
        made["venue"]["id"].as_str().unwrap()
    );
    let gate = post(&path, &json!({"name": "Cổng"}), token).await;
    gate["code"].as_str().unwrap().to_owned()
}

/// A line for each request that reached the server: what it was told, and the body.
fn note(history: &[Sent], file: &str) {
    let mut file = BufWriter::new(
        std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(file)
            .unwrap(),
    );
    for sent in history {
        let what = match &sent.said {
            Said::Answer(answer, _) => answer.status,
            Said::Broken => 0,
            Said::Unreachable => continue,
        };
        writeln!(file, "{what} {}", sent.body).unwrap();
    }
    file.flush().unwrap();
}

fn told(history: &[Sent]) -> String {
    let mut statuses: BTreeMap<u16, usize> = BTreeMap::new();
    let (mut broken, mut unreachable, mut when) = (0, 0, 0);
    let mut waits = Vec::new();
    for sent in history {
        match &sent.said {
            Said::Answer(answer, took) => {
                *statuses.entry(answer.status).or_default() += 1;
                waits.push(*took);
                when += usize::from(answer.status == 503 && answer.retry_after.is_none());
            }
            Said::Broken => broken += 1,
            Said::Unreachable => unreachable += 1,
        }
    }
    waits.sort_unstable();
    // No 201 for how long, at most.
    let stored = history.iter().filter(|sent| sent.stored().is_some());
    let times: Vec<_> = stored.map(|sent| sent.at).collect();
    let gap = times.windows(2).map(|pair| pair[1] - pair[0]).max();
    let at = |part: f64| {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "a place in a list"
        )]
        let place = (waits.len() as f64 * part) as usize;
        waits.get(place.min(waits.len().saturating_sub(1)))
    };
    let ms = |wait: Option<&Duration>| wait.map_or(0.0, |wait| wait.as_secs_f64() * 1e3);
    let refused = history
        .iter()
        .filter(|sent| sent.refused().is_some())
        .count();
    let answers: String = statuses
        .iter()
        .map(|(status, n)| format!(" s{status}={n}"))
        .collect::<Vec<_>>()
        .concat();
    format!(
        "stored={} refused={refused} broken={broken} unreachable={unreachable} without_when={when} \
         p50_ms={:.1} p99_ms={:.1} max_ms={:.1} gap_ms={:.1}{answers}",
        times.len(),
        ms(at(0.5)),
        ms(at(0.99)),
        ms(waits.last()),
        ms(gap.as_ref()),
    )
}

/// Whatever was acknowledged must be there already; whatever else reached the server is stored now.
async fn check(address: SocketAddr, file: &str) {
    let text = std::fs::read_to_string(file).unwrap();
    let mut client = Client::new(address);
    let (mut acknowledged, mut unknown, mut lost, mut odd) = (0, 0, 0, 0);
    for line in text.lines() {
        let (told, body) = line.split_once(' ').unwrap();
        let again = match client.post("/api/v1/check-ins", body).await {
            Said::Answer(answer, _) => answer.status,
            _ => 0,
        };
        if told == "200" || told == "201" {
            acknowledged += 1;
            lost += usize::from(again != 200);
        } else {
            unknown += 1;
            odd += usize::from(!matches!(again, 200 | 201));
        }
    }
    println!("acknowledged={acknowledged} unknown={unknown} lost={lost} odd={odd}");
    assert_eq!(lost, 0, "acknowledged and lost");
}

async fn count(dir: &str, url: Option<&str>) -> i64 {
    let overrides = Overrides {
        data_dir: Some(dir.into()),
        database_url: url.map(str::to_owned),
        ..Overrides::default()
    };
    let settings = Settings::load(&overrides, BTreeMap::new()).unwrap();
    let app = App::open(settings, Clock::System, Random::System)
        .await
        .unwrap();
    app.door.journal.settle().await.unwrap();
    let places = app.directory.ids();
    let now = app.clock.now();
    let mut sum = 0;
    for day in [now.plus_ms(-86_400_000), now] {
        let hours = app.db.read(async |tx| hours(tx, &places, day).await).await;
        let counts = hours.unwrap().map(|hour| hour.check_ins);
        sum += counts.iter().sum::<i64>();
    }
    sum
}

/// Clients that are replaced when they are shown out, so that there are always as many.
async fn slow(address: SocketAddr, what: &str, clients: usize, lasting: Duration) {
    let head = "POST /api/v1/check-ins HTTP/1.1\r\nhost: test\r\n";
    let body = "content-type: application/json\r\ncontent-length: 8192\r\n\r\n{";
    let beginning = match what {
        "head" => head.to_owned(),
        "body" => format!("{head}{body}"),
        other => panic!("{other}: head or body"),
    };
    let end = tokio::time::Instant::now() + lasting;
    let tasks: Vec<_> = (0..clients)
        .map(|_| {
            let beginning = beginning.clone();
            tokio::spawn(async move {
                let (mut shown_out, mut longest) = (0, Duration::ZERO);
                while tokio::time::Instant::now() < end {
                    let began = tokio::time::Instant::now();
                    let Ok(mut stream) = TcpStream::connect(address).await else {
                        tokio::time::sleep(Duration::from_millis(100)).await;
                        continue;
                    };
                    let _ = stream.write_all(beginning.as_bytes()).await;
                    let mut answer = [0; 512];
                    loop {
                        let wait = Duration::from_secs(2);
                        let read = tokio::time::timeout(wait, stream.read(&mut answer)).await;
                        let ended = match read {
                            Ok(read) => read.map_or(true, |length| length == 0),
                            Err(_) => stream.write_all(b"a").await.is_err(),
                        };
                        if ended {
                            break;
                        }
                    }
                    shown_out += 1;
                    longest = longest.max(began.elapsed());
                }
                (shown_out, longest)
            })
        })
        .collect();
    let (mut shown_out, mut longest) = (0, Duration::ZERO);
    for task in tasks {
        let (times, took) = task.await.unwrap();
        shown_out += times;
        longest = longest.max(took);
    }
    println!(
        "clients={clients} shown_out={shown_out} longest_s={:.1}",
        longest.as_secs_f64()
    );
}
