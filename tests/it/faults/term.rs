//! The program is told to stop under load.

use std::{
    process::Command,
    time::{Duration, Instant},
};

use super::{
    client::{Client, Said},
    load::Load,
    send_again, stored_check_ins,
};
use crate::{
    kit::{self, On, Program},
    on_both,
};

on_both! {
    being_told_to_stop_fails_no_request,
}

async fn being_told_to_stop_fails_no_request(on: On) {
    let dir = tempfile::tempdir().unwrap();
    let settings = kit::settings(on, dir.path(), &[]).await;
    let mut program = Program::start(&settings);
    let (_, code) = program.venue().await;
    let load = Load::start(program.address, &code, 32);
    tokio::time::sleep(Duration::from_millis(500)).await;
    let mut probe = Client::new(program.address);
    assert_eq!(status(&mut probe, "/readyz").await, Some(200));
    let told = Instant::now();
    let pid = program.child.id().to_string();
    assert!(
        Command::new("kill")
            .args(["-TERM", &pid])
            .status()
            .unwrap()
            .success()
    );
    // First it says so, and goes on serving.
    while status(&mut probe, "/readyz").await != Some(503) {
        assert!(
            told.elapsed() < Duration::from_secs(4),
            "it is not announced"
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let announced = told.elapsed();
    assert_eq!(status(&mut probe, "/healthz").await, Some(200));
    let mut newcomer = Client::new(program.address);
    assert_eq!(status(&mut newcomer, "/healthz").await, Some(200));
    let ended = loop {
        if let Some(ended) = program.child.try_wait().unwrap() {
            break ended;
        }
        assert!(told.elapsed() < Duration::from_secs(30), "it does not end");
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    let took = told.elapsed();
    let history = load.end().await;
    assert_eq!(ended.code(), Some(0));
    let broken = history
        .iter()
        .filter(|sent| matches!(sent.said, Said::Broken))
        .count();
    let stored = history
        .iter()
        .filter(|sent| sent.stored().is_some())
        .count();
    println!(
        "{on:?}: announced after {announced:?}, ended after {took:?}; {stored} stored, {broken} broken"
    );
    assert_eq!(broken, 0, "of {} requests", history.len());
    assert!(history.iter().all(|sent| sent.refused().is_none()));
    assert!(stored > 50, "only {stored} under load");
    program = Program::start(&settings);
    let there = send_again(program.address, &history).await;
    program.kill();
    assert_eq!(stored_check_ins(settings).await, there, "each once");
}

async fn status(client: &mut Client, path: &str) -> Option<u16> {
    match super::get(client, path).await {
        Said::Answer(answer, _) => Some(answer.status),
        _ => None,
    }
}
