//! The server in a process of its own, so that its memory and its time can be told from the client's.

use std::{
    io::{BufRead, BufReader, Read as _, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
};

use actix_web::{App, HttpResponse, HttpServer, web};
use clap::ValueEnum;
use diem_kiem_dich::{
    base::{Clock, Failure, Random},
    checkins::journal::{Answer, Arrival, Instead},
    cli,
    config::LogFormat,
    http, ops,
};
use uuid::Uuid;

use crate::{plain::Plain, world::settings};

/// What becomes of a check-in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Way {
    /// The framework alone: a handler that reads the body and answers, without any of our code.
    Bare,
    /// It is answered at once and stored nowhere: the ceiling.
    Ceiling,
    /// The journal stores it: the service as it is.
    Journal,
    /// One `INSERT` stores it, as people usually build it.
    OneInsert,
}

impl Way {
    /// Whether a check-in ends in a database.
    pub fn stores(self) -> bool {
        matches!(self, Self::Journal | Self::OneInsert)
    }
}

/// Serve until the standard input ends: what a child does. Everything but the `way` is as in the
/// command `serve`.
pub async fn serve(dir: &Path, database_url: &str, way: Way) {
    if way == Way::Bare {
        return bare().await;
    }
    cli::start_log(LogFormat::Plain);
    let mut app = http::App::open(settings(dir, database_url), Clock::System, Random::System)
        .await
        .unwrap();
    let instead = match way {
        Way::Bare | Way::Journal => None,
        Way::Ceiling => Some(Instead::new(async |arrival| Ok(answer(&arrival)))),
        Way::OneInsert => {
            let plain = Plain::open(&app.settings.database).await;
            Some(Instead::new(move |arrival: Arrival| {
                let plain = plain.clone();
                async move {
                    let insert = plain.insert(&arrival.row).await;
                    insert.map_err(Failure::internal)?;
                    Ok(answer(&arrival))
                }
            }))
        }
    };
    if let Some(instead) = instead {
        app.door.journal = app.door.journal.with(instead);
    }
    let listener = || TcpListener::bind("127.0.0.1:0").unwrap();
    let for_metrics = listener();
    let metrics = for_metrics.local_addr().unwrap();
    let served = ops::metrics::serve(for_metrics).unwrap();
    let running = ops::start(app, listener()).unwrap();
    println!("{} {metrics}", running.address);
    until_told().await;
    running.stop().await;
    served.stop(false).await;
}

/// The body of a request, as [`Way::Bare`] reads it.
#[derive(serde::Deserialize)]
struct Sent {
    id: Uuid,
    checkpoint: String,
    declaration_token: String,
}

async fn bare() {
    let server = HttpServer::new(|| {
        App::new().route(
            "/api/v1/check-ins",
            web::post().to(async |sent: web::Json<Sent>| {
                HttpResponse::Created().json(serde_json::json!({
                    "id": sent.id,
                    "checkpoint": sent.checkpoint,
                    "declaration_token": sent.declaration_token,
                }))
            }),
        )
    })
    .workers(2)
    .disable_signals()
    .bind("127.0.0.1:0")
    .unwrap();
    let address = server.addrs()[0];
    let running = server.run();
    let handle = running.handle();
    actix_web::rt::spawn(running);
    println!("{address} {address}");
    until_told().await;
    handle.stop(false).await;
}

async fn until_told() {
    web::block(|| std::io::stdin().read_to_end(&mut Vec::new()))
        .await
        .unwrap()
        .unwrap();
}

fn answer(arrival: &Arrival) -> Answer {
    Answer {
        fresh: true,
        person: arrival.row.person,
        declaration_id: arrival.row.declaration_id.unwrap_or_default(),
        risk: arrival.risk,
    }
}

/// A child that serves.
pub struct Server {
    pub address: SocketAddr,
    metrics: SocketAddr,
    child: Child,
}

impl Server {
    /// Start this program again as a server; what it logs goes to `log` in `dir`.
    pub fn start(dir: &Path, database_url: &str, way: Way) -> Self {
        let log = std::fs::File::create(dir.join("log")).unwrap();
        let mut child = Command::new(std::env::current_exe().unwrap())
            .arg("serve")
            .arg("--dir")
            .arg(dir)
            .args(["--database-url", database_url, "--way"])
            .arg(way.to_possible_value().unwrap().get_name())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let (address, metrics) = line.trim().split_once(' ').expect("the server starts");
        Self {
            address: address.parse().unwrap(),
            metrics: metrics.parse().unwrap(),
            child,
        }
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Commits and rows so far.
    pub fn commits(&self) -> (f64, f64) {
        let mut stream = TcpStream::connect(self.metrics).unwrap();
        let request = "GET /metrics HTTP/1.1\r\nHost: m\r\nConnection: close\r\n\r\n";
        stream.write_all(request.as_bytes()).unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        let value = |name: &str| {
            text.lines()
                .find_map(|line| line.strip_prefix(name)?.trim().parse().ok())
                .unwrap_or(0.0)
        };
        (
            value("commit_batch_rows_count "),
            value("commit_batch_rows_sum "),
        )
    }

    /// End it in order.
    pub fn stop(mut self) {
        drop(self.child.stdin.take());
        assert!(self.child.wait().unwrap().success());
    }
}
