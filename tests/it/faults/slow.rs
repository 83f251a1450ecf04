//! Clients that send one byte now and then: their connections are closed by the limit, and nobody
//! else notices.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::client::{Client, Said};
use crate::kit::{On, Server};

/// What a slow client sends at once; a byte at a time follows.
const HEAD: &str = "POST /api/v1/check-ins HTTP/1.1\r\nhost: test\r\n";

const JSON: &str = "content-type: application/json\r\ncontent-length: 5000\r\n\r\n{";

/// Where the slow clients stop, and in which place.
fn beginnings() -> Vec<(&'static str, String)> {
    let form = "content-type: application/x-www-form-urlencoded\r\ncontent-length: 5000\r\n\r\na";
    let upload = "content-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n5\r\n{";
    vec![
        ("says nothing", String::new()),
        ("half a head", HEAD.to_owned()),
        ("half a body", format!("{HEAD}{JSON}")),
        ("half a chunk", format!("{HEAD}{upload}")),
        (
            "half a batch",
            HEAD.replace("check-ins", "check-ins/batch") + JSON,
        ),
        (
            "half a form",
            HEAD.replace("api/v1/check-ins", "login") + form,
        ),
        (
            "a body for nobody",
            HEAD.replace("check-ins", "nothing-here") + JSON,
        ),
        (
            "a body without a role",
            HEAD.replace("check-ins", "cases") + JSON,
        ),
        (
            "a body of a question",
            HEAD.replace("POST", "GET")
                .replace("api/v1/check-ins", "healthz")
                + JSON,
        ),
    ]
}

/// Open a connection, send the beginning, then a byte a second; how long until it is closed.
async fn dawdle(address: SocketAddr, beginning: &str) -> Duration {
    let began = Instant::now();
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(beginning.as_bytes()).await.unwrap();
    let mut answer = [0; 1024];
    loop {
        assert!(
            began.elapsed() < Duration::from_mins(1),
            "it is never closed"
        );
        let read = tokio::time::timeout(Duration::from_secs(1), stream.read(&mut answer)).await;
        let ended = match read {
            // The server says why before it closes.
            Ok(read) => read.map_or(true, |length| length == 0),
            Err(_) => stream.write_all(b"a").await.is_err(),
        };
        if ended {
            return began.elapsed();
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slow_clients_are_shown_out_and_nobody_notices() {
    let server = Server::start(On::Sqlite).await;
    let address: SocketAddr = server.url.strip_prefix("http://").unwrap().parse().unwrap();
    let slow: Vec<_> = (0..20)
        .flat_map(|_| beginnings())
        .map(|(name, beginning)| {
            let dawdling = tokio::spawn(async move { dawdle(address, &beginning).await });
            (name, dawdling)
        })
        .collect();
    let others = tokio::spawn(async move {
        let mut client = Client::new(address);
        let mut waits = Vec::new();
        for _ in 0..200 {
            match super::get(&mut client, "/api/v1/regions").await {
                Said::Answer(answer, took) if answer.status == 200 => waits.push(took),
                other => panic!("{other:?}"),
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        waits.sort();
        waits
    });
    let mut longest: Vec<(&str, Duration)> = Vec::new();
    for (name, dawdling) in slow {
        let took = dawdling.await.unwrap();
        match longest.iter_mut().find(|(known, _)| *known == name) {
            Some((_, known)) => *known = took.max(*known),
            None => longest.push((name, took)),
        }
    }
    let waits = others.await.unwrap();
    let (median, last) = (waits[waits.len() / 2], waits[waits.len() - 1]);
    println!("closed after: {longest:?}; meanwhile others waited {median:?}, at most {last:?}");
    for (name, took) in longest {
        // The limit is 5 s, of a batch 20 s.
        assert!(took < Duration::from_secs(25), "{name}: {took:?}");
    }
    assert!(median < Duration::from_secs(1), "{median:?}");
}
