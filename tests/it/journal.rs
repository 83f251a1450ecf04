//! The journal: full, refused and stopped.

use std::time::Duration;

use diem_kiem_dich::{
    base::{Clock, Kind, Random, ids},
    checkins::{
        journal::{Arrival, Journal, replay},
        store::{Out, Row},
    },
    declarations::Risk,
    identity::PersonId,
    store::{self, Db, Sql},
};
use futures_util::future::join_all;

use crate::{
    kit::{self, On},
    on_both,
};

on_both! {
    a_full_journal_refuses_at_once,
    the_journal_finds_the_socket,
    merging_again_changes_nothing,
    one_bad_row_takes_no_other_with_it,
    stopping_writes_what_is_waiting,
    the_last_check_out_stands_whoever_replays_the_log,
}

fn arrival(clock: &Clock) -> Arrival {
    let id = ids::v7(clock.now(), &Random::System);
    Arrival {
        row: Row {
            checkpoint_id: 1,
            id,
            person: PersonId::from_bytes(Random::System.bytes()),
            left_at: None,
            left_source: None,
            source: "o",
            assurance: "p",
            headcount: 1,
            seat: None,
            declaration_id: Some(id),
            received_at: 0,
        },
        risk: Risk::Clear,
        declaration: None,
    }
}

async fn stored(db: &Db) -> i64 {
    replay(db).await.unwrap();
    let count: Result<(i64,), store::Error> = db
        .read(async |tx| tx.query("SELECT COUNT(*) FROM check_ins").one().await)
        .await;
    count.unwrap().0
}

/// Keeps the journal from writing while its transaction lasts, which is one on the log in SQLite.
const HOLD: Sql = Sql::split("LOCK TABLE check_ins IN EXCLUSIVE MODE", "SELECT 1");

async fn a_full_journal_refuses_at_once(on: On) {
    let (app, clock, _dir) = kit::app(on).await;
    let journal = Journal::with_capacity(app.db.clone(), 8).unwrap();
    let (held, release) = (tokio::sync::Notify::new(), tokio::sync::Notify::new());
    let hold = async |tx: &mut store::Tx| {
        tx.query(HOLD).execute().await?;
        held.notify_one();
        release.notified().await;
        Ok::<_, store::Error>(())
    };
    let hold = async {
        match on {
            On::Sqlite => app.db.log(hold).await,
            On::Postgres => app.db.append(hold).await,
        }
    };
    let send = async {
        held.notified().await;
        let first = journal.check_in(arrival(&clock));
        let rest = async {
            // The writer has taken the first and waits for the lock.
            tokio::time::sleep(Duration::from_millis(100)).await;
            let many = (0..50).map(|_| async {
                let sent = std::time::Instant::now();
                let result = journal.check_in(arrival(&clock)).await;
                (result, sent.elapsed())
            });
            let release = async {
                tokio::time::sleep(Duration::from_millis(200)).await;
                release.notify_one();
            };
            tokio::join!(join_all(many), release).0
        };
        tokio::join!(first, rest)
    };
    let (held, (first, rest)) = tokio::join!(hold, send);
    held.unwrap();
    first.unwrap();
    let (good, refused): (Vec<_>, Vec<_>) = rest.into_iter().partition(|(r, _)| r.is_ok());
    assert_eq!(
        (good.len(), refused.len()),
        (8, 42),
        "as many as there is room for"
    );
    let longest = refused.iter().map(|(_, after)| *after).max();
    println!("{on:?}: refused within {longest:?}");
    for (result, after) in refused {
        let failure = result.unwrap_err();
        assert_eq!(
            (failure.kind, failure.retry_after),
            (Kind::Unavailable, Some(1))
        );
        assert!(
            after < Duration::from_millis(250),
            "at once, not after a wait: {after:?}"
        );
    }
    assert_eq!(stored(&app.db).await, 9);
}

/// PostgreSQL is asked to listen on a socket too, and the journal finds it.
async fn the_journal_finds_the_socket(on: On) {
    let (app, clock, _dir) = kit::app(on).await;
    let near = app
        .db
        .single(async |tx| Ok::<_, store::Error>(tx.copies_fast()));
    assert_eq!(near.await.unwrap(), on == On::Postgres);
    let sent = (0..40).map(|_| app.door.journal.check_in(arrival(&clock)));
    assert!(join_all(sent).await.into_iter().all(|sent| sent.is_ok()));
    assert_eq!(stored(&app.db).await, 40);
}

/// A check-out that was known when its check-in was merged stands, though another process had merged
/// the check-in before it; and a log that is merged twice adds nothing.
async fn merging_again_changes_nothing(on: On) {
    let (app, clock, _dir) = kit::app(on).await;
    let journal = &app.door.journal;
    let sent: Vec<Arrival> = (0..20).map(|_| arrival(&clock)).collect();
    let keys: Vec<_> = sent.iter().map(|arrival| arrival.row.key()).collect();
    let sent = sent.into_iter().map(|arrival| journal.check_in(arrival));
    for answer in join_all(sent).await {
        assert!(answer.unwrap().fresh);
    }
    let leaving = clock.now().as_ms() + 60_000;
    replay(&app.db).await.unwrap();
    for key in &keys {
        let left_at = leaving;
        let out = Out { key: *key, left_at };
        assert!(journal.check_out(out).await.unwrap());
    }
    replay(&app.db).await.unwrap();
    journal.settle().await.unwrap();
    assert_eq!(stored(&app.db).await, 20);
    for key in keys {
        assert_eq!(left_at(&app.db, key).await, Some(leaving));
    }
}

async fn one_bad_row_takes_no_other_with_it(on: On) {
    let (app, clock, _dir) = kit::app(on).await;
    let journal = &app.door.journal;
    let mut bad = arrival(&clock);
    bad.row.headcount = 52;
    let bad_key = bad.row.key();
    let good: Vec<Arrival> = (0..20).map(|_| arrival(&clock)).collect();
    let good_key = good[0].row.key();
    let all = good
        .into_iter()
        .take(10)
        .chain([bad])
        .chain((0..9).map(|_| arrival(&clock)));
    let results = join_all(all.map(|arrival| journal.check_in(arrival))).await;
    let outcomes: Vec<bool> = results.iter().map(Result::is_ok).collect();
    assert_eq!(outcomes.iter().filter(|ok| **ok).count(), 19);
    assert!(!outcomes[10]);
    assert_eq!(stored(&app.db).await, 19);
    let out = |key, ms| Out {
        key,
        left_at: clock.now().as_ms() + ms,
    };
    let (left, unknown, impossible) = tokio::join!(
        journal.check_out(out(good_key, 1000)),
        journal.check_out(out(bad_key, 1000)),
        journal.check_out(out(good_key, 2 * 86_400_000)),
    );
    // The later call replaces; it breaks the rule of 24 h, and the earlier one stands.
    assert!(impossible.is_err());
    assert!(left.unwrap());
    assert!(!unknown.unwrap());
}

async fn stopping_writes_what_is_waiting(on: On) {
    let (app, clock, _dir) = kit::app(on).await;
    let journal = &app.door.journal;
    let waiting: Vec<_> = (0..600)
        .map(|_| journal.check_in(arrival(&clock)))
        .collect();
    let stop = async {
        journal.stop();
        journal.ended().await
    };
    let (results, ended) = tokio::join!(join_all(waiting), stop);
    ended.unwrap();
    assert!(results.iter().all(Result::is_ok));
    assert_eq!(stored(&app.db).await, 600);
    let late = journal.check_in(arrival(&clock)).await.unwrap_err();
    assert_eq!(late.kind, Kind::Unavailable);
}

async fn left_at(db: &Db, key: (i64, uuid::Uuid)) -> Option<i64> {
    let row: Result<(Option<i64>,), store::Error> = db
        .read(async |tx| {
            tx.query("SELECT left_at FROM check_ins WHERE checkpoint_id = $1 AND id = $2")
                .bind(key.0)
                .bind(key.1)
                .one()
                .await
        })
        .await;
    row.unwrap().0
}

/// Another process puts the log into the tables under the feet of the writer, between any two steps.
async fn the_last_check_out_stands_whoever_replays_the_log(on: On) {
    let (app, clock, _dir) = kit::app(on).await;
    let (journal, now) = (&app.door.journal, clock.now().as_ms());
    let out = |key, minutes: i64| Out {
        key,
        left_at: now + minutes * 60_000,
    };
    for replays in 0..8 {
        let other = async |step: u8| {
            if replays & (1 << step) != 0 {
                replay(&app.db).await.unwrap();
            }
        };
        let arrival = arrival(&clock);
        let key = arrival.row.key();
        journal.check_in(arrival).await.unwrap();
        other(0).await;
        assert!(journal.check_out(out(key, 1)).await.unwrap());
        other(1).await;
        assert!(journal.check_out(out(key, 2)).await.unwrap());
        other(2).await;
        journal.settle().await.unwrap();
        let left = left_at(&app.db, key).await;
        assert_eq!(left, Some(now + 120_000), "replayed at {replays:03b}");
    }
}
