//! PostgreSQL crashes, comes back, and stays away, under load.

use std::time::{Duration, Instant};

use super::{
    client::Said,
    load::{Load, Sent},
    send_again, stored_check_ins,
};
use crate::kit::{self, Cluster, On, Program};

/// Everybody was told the truth: stored, or come back later.
fn is_honest(history: &[Sent]) {
    for sent in history {
        match &sent.said {
            Said::Answer(answer, _) if answer.status == 503 => {
                assert!(answer.retry_after.is_some(), "come back, but when?");
            }
            Said::Answer(answer, _) => assert!(
                matches!(answer.status, 200 | 201),
                "{}: {}",
                answer.status,
                String::from_utf8_lossy(&answer.body)
            ),
            other => panic!("{other:?}"),
        }
    }
}

/// How long after `up` the first check-in was stored.
fn recovered(history: &[Sent], up: Instant) -> Duration {
    let first = history
        .iter()
        .find(|sent| sent.at > up && sent.stored().is_some());
    first.expect("it recovers").at - up
}

/// The longest that anybody waited for an answer.
fn longest(history: &[Sent]) -> Duration {
    let waits = history.iter().map(|sent| match &sent.said {
        Said::Answer(_, took) => *took,
        _ => Duration::ZERO,
    });
    waits.max().unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crash_of_the_database_is_survived() {
    let cluster = Cluster::start();
    let dir = tempfile::tempdir().unwrap();
    let settings = kit::settings(On::Sqlite, dir.path(), &[("database_url", &cluster.url())]).await;
    let mut program = Program::start(&settings);
    let (_, code) = program.venue().await;
    let mut there = 0;
    // Back at once, and back after longer than a request waits.
    for away in [Duration::ZERO, Duration::from_secs(5)] {
        let load = Load::start(program.address, &code, 16);
        tokio::time::sleep(Duration::from_millis(800)).await;
        cluster.crash();
        tokio::time::sleep(away).await;
        cluster.start_again();
        let up = Instant::now();
        tokio::time::sleep(Duration::from_millis(1500)).await;
        let mut history = load.end().await;
        if !history
            .iter()
            .any(|sent| sent.at > up && sent.stored().is_some())
        {
            // A busy machine: one more try, patiently.
            let load = Load::start(program.address, &code, 16);
            tokio::time::sleep(Duration::from_secs(9)).await;
            history.extend(load.end().await);
        }
        is_honest(&history);
        let refused = history
            .iter()
            .filter(|sent| sent.refused().is_some())
            .count();
        let (after, waited) = (recovered(&history, up), longest(&history));
        println!(
            "away {away:?}: {} requests, {refused} told to come back, first stored {after:?} \
             after the database, longest wait {waited:?}",
            history.len()
        );
        assert!(after < Duration::from_secs(10), "{after:?}");
        assert!(waited < Duration::from_secs(15), "{waited:?}");
        there += send_again(program.address, &history).await;
    }
    program.kill();
    assert_eq!(stored_check_ins(settings).await, there, "each once");
}
