//! Chromedriver: one for the test program, gone with it.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpStream},
    os::unix::process::CommandExt,
    process::{Child, Command, Stdio},
    sync::OnceLock,
    time::Duration,
};

use serde_json::Value;

static DRIVER: OnceLock<(SocketAddr, Child)> = OnceLock::new();

/// Where chromedriver listens; the first call starts it.
pub fn address() -> SocketAddr {
    DRIVER.get_or_init(start).0
}

/// The shell holds the one end of a pipe and this program the other. However this program ends, the
/// pipe closes, and the shell takes down its group: chromedriver and every Chromium it started.
fn start() -> (SocketAddr, Child) {
    for program in ["chromium", "chromedriver"] {
        let found = Command::new(program)
            .arg("--version")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        assert!(
            found.is_ok_and(|status| status.success()),
            "{program} is needed: tests/run installs it"
        );
    }
    let mut shell = Command::new("/bin/sh")
        .args(["-c", "chromedriver --port=0 & read _; kill 0"])
        .process_group(0)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(shell.stdout.take().unwrap()).lines();
    let port = lines
        .by_ref()
        .map_while(Result::ok)
        .find_map(|line| {
            let (_, port) = line.rsplit_once("started successfully on port ")?;
            port.trim_end_matches('.').parse().ok()
        })
        .expect("chromedriver starts");
    // Whatever else it says has to go somewhere, or it would stop at a full pipe.
    std::thread::spawn(move || lines.for_each(drop));
    (SocketAddr::from(([127, 0, 0, 1], port)), shell)
}

/// A WebDriver command: its value, or what went wrong.
pub async fn command(
    http: &reqwest::Client,
    path: &str,
    body: Option<&Value>,
) -> Result<Value, String> {
    let url = format!("http://{}{path}", address());
    let request = match body {
        Some(body) => http.post(url).json(body),
        None => http.get(url),
    };
    let answer = request.send().await.map_err(|error| error.to_string())?;
    let good = answer.status().is_success();
    let mut body: Value = answer.json().await.map_err(|error| error.to_string())?;
    if good {
        Ok(body["value"].take())
    } else {
        Err(body["value"]["message"].to_string())
    }
}

/// End a session without an async runtime, so that a test that fails ends its browser, too.
pub fn end(session: &str) {
    let Ok(mut stream) = TcpStream::connect(address()) else {
        return;
    };
    let _ = stream.set_read_timeout(Some(Duration::from_secs(10)));
    let request = format!(
        "DELETE {session} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n",
        address()
    );
    if stream.write_all(request.as_bytes()).is_ok() {
        let mut answer = [0; 16];
        let _ = stream.read(&mut answer);
    }
}
