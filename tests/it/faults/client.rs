//! A client that hides nothing: one connection, one request at a time, no second try, and every way
//! of failing told apart.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
};

/// What came of a request.
#[derive(Debug)]
pub enum Said {
    /// An answer, and how long it took.
    Answer(Answer, Duration),
    /// No connection could be made, so nothing was sent.
    Unreachable,
    /// The connection ended, or nothing came for too long: it may have happened or not.
    Broken,
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// Seconds in `Retry-After`.
    pub retry_after: Option<u32>,
    /// The body.
    pub body: Vec<u8>,
}

/// A connection that is made when it is needed and kept as long as the server keeps it.
pub struct Client {
    address: SocketAddr,
    stream: Option<BufReader<TcpStream>>,
}

/// Longest wait for an answer.
const PATIENCE: Duration = Duration::from_mins(1);

impl Client {
    /// A client of the server at `address`.
    pub fn new(address: SocketAddr) -> Self {
        Self {
            address,
            stream: None,
        }
    }

    /// `POST path` with JSON.
    pub async fn post(&mut self, path: &str, json: &str) -> Said {
        self.send(&format!(
            "POST {path} HTTP/1.1\r\nhost: test\r\ncontent-type: application/json\r\n\
             content-length: {}\r\n\r\n{json}",
            json.len()
        ))
        .await
    }

    /// A request, word for word.
    pub async fn send(&mut self, request: &str) -> Said {
        if self.stream.is_none() {
            let Ok(stream) = TcpStream::connect(self.address).await else {
                return Said::Unreachable;
            };
            // An answer is never worth waiting for more of the request.
            let _ = stream.set_nodelay(true);
            self.stream = Some(BufReader::new(stream));
        }
        let began = Instant::now();
        let Some(stream) = &mut self.stream else {
            return Said::Unreachable;
        };
        let exchange = async {
            stream.write_all(request.as_bytes()).await.ok()?;
            read_answer(stream).await
        };
        let Ok(Some((answer, stays))) = tokio::time::timeout(PATIENCE, exchange).await else {
            self.stream = None;
            return Said::Broken;
        };
        if !stays {
            self.stream = None;
        }
        Said::Answer(answer, began.elapsed())
    }
}

/// The next answer and whether the connection stays; `None` when it breaks off before the end.
pub async fn read_answer(stream: &mut BufReader<TcpStream>) -> Option<(Answer, bool)> {
    let mut line = String::new();
    stream.read_line(&mut line).await.ok()?;
    let status = line.strip_prefix("HTTP/1.1 ")?.get(..3)?.parse().ok()?;
    let (mut length, mut retry_after, mut stays) = (0, None, true);
    loop {
        line.clear();
        if stream.read_line(&mut line).await.ok()? == 0 {
            return None;
        }
        let Some((name, value)) = line.trim_end().split_once(':') else {
            break;
        };
        let value = value.trim();
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.parse().ok()?,
            "retry-after" => retry_after = value.parse().ok(),
            "connection" => stays = !value.eq_ignore_ascii_case("close"),
            _ => {}
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.ok()?;
    let answer = Answer {
        status,
        retry_after,
        body,
    };
    Some((answer, stays))
}
