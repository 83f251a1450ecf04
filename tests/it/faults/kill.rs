//! The program is killed under load, again and again.

use std::time::Duration;

use super::{load::Load, send_again, stored_check_ins};
use crate::{
    kit::{self, On, Program},
    on_both,
};

on_both! {
    what_was_acknowledged_survives_kill_9,
}

async fn what_was_acknowledged_survives_kill_9(on: On) {
    let dir = tempfile::tempdir().unwrap();
    let settings = kit::settings(on, dir.path(), &[]).await;
    let mut program = Program::start(&settings);
    let (_, code) = program.venue().await;
    let mut there = 0;
    for round in 1..=3 {
        let load = Load::start(program.address, &code, 16);
        tokio::time::sleep(Duration::from_millis(700 + 130 * round)).await;
        program.kill();
        let history = load.end().await;
        let acknowledged = history
            .iter()
            .filter(|sent| sent.stored().is_some())
            .count();
        assert!(acknowledged > 20, "only {acknowledged} under load");
        assert!(history.iter().all(|sent| sent.refused().is_none()));
        program = Program::start(&settings);
        there += send_again(program.address, &history).await;
        println!("{on:?}: killed after {acknowledged} answers, all there");
    }
    program.kill();
    assert_eq!(stored_check_ins(settings).await, there, "each once");
}
