//! No room on the disk for another byte.
//!
//! A limit on the size of the program's files stands for the full disk: the system refuses the
//! write, for root as for everybody. `tests/faults` fills a real file system.

use std::{
    process::Command,
    time::{Duration, Instant},
};

use super::{client::Said, load::Load, send_again, stored_check_ins};
use crate::kit::{self, On, Program};

/// Let the program's files grow to `bytes` and no further.
fn limit(program: &Program, bytes: &str) {
    let pid = program.child.id().to_string();
    let set = Command::new("prlimit")
        .args(["--pid", &pid, &format!("--fsize={bytes}:")])
        .status()
        .unwrap();
    assert!(set.success());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_stops_writing_and_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    let settings = kit::settings(On::Sqlite, dir.path(), &[]).await;
    // The signal that comes with the refusal would end the program; a full disk sends none.
    let mut program = Program::start_in("trap '' XFSZ; exec \"$@\"", &settings);
    let (owner, code) = program.venue().await;
    let load = Load::start(program.address, &code, 16);
    tokio::time::sleep(Duration::from_millis(500)).await;
    limit(&program, "65536");
    tokio::time::sleep(Duration::from_millis(2500)).await;
    // Reading goes on.
    let path = format!("/api/v1/checkpoints/{code}");
    assert_eq!(program.http.get(&path).await.0, 200);
    assert_eq!(owner.get("/api/v1/venues").await.0, 200);
    limit(&program, "unlimited");
    let room = Instant::now();
    let back = loop {
        let mut client = super::client::Client::new(program.address);
        let said = client
            .post("/api/v1/check-ins", &super::load::body(&code))
            .await;
        if matches!(&said, Said::Answer(answer, _) if answer.status == 201) {
            break room.elapsed();
        }
        assert!(
            room.elapsed() < Duration::from_secs(20),
            "{said:?} {}",
            kit::told(dir.path())
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    tokio::time::sleep(Duration::from_millis(300)).await;
    let history = load.end().await;
    let refused = history
        .iter()
        .filter(|sent| sent.refused().is_some())
        .count();
    println!(
        "{} requests, {refused} refused for want of room, back {back:?} after there was room",
        history.len()
    );
    assert!(refused > 0, "the limit was never reached");
    for sent in &history {
        match &sent.said {
            Said::Answer(answer, _) => {
                assert!(
                    matches!(answer.status, 200 | 201 | 503),
                    "{}",
                    answer.status
                );
                assert_eq!(answer.retry_after.is_some(), answer.status == 503);
            }
            other => panic!("{other:?} {:?} {}", sent.at - room, kit::told(dir.path())),
        }
    }
    let there = send_again(program.address, &history).await;
    program.kill();
    assert_eq!(stored_check_ins(settings).await, there + 1, "each once");
}
