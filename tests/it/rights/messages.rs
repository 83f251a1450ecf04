//! The outbox: at least once, never late, wiped when sent.

use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use diem_kiem_dich::{
    http::App,
    identity::Phone,
    messages::{Carry, Language, Message, NotSent, Outgoing, Template, outbox},
    otp::{self, Ask, Asked, Purpose},
    store::Error,
};

use super::NUMBER;
use crate::{
    kit::{self, On},
    on_both,
};

on_both! {
    a_late_code_never_arrives,
    a_message_is_sent_at_least_once_and_wiped,
}

/// Takes nothing, and counts how often it was asked.
#[derive(Debug, Default)]
struct Deaf(AtomicU64);

impl Carry for Deaf {
    fn carry(&self, _: &Outgoing) -> Result<(), NotSent> {
        self.0.fetch_add(1, Ordering::SeqCst);
        Err(NotSent::Late)
    }
}

/// Takes everything, and remembers the ids.
#[derive(Debug, Default)]
struct Taking(Mutex<Vec<(uuid::Uuid, String)>>);

impl Carry for Taking {
    fn carry(&self, message: &Outgoing) -> Result<(), NotSent> {
        let mut taken = self.0.lock().unwrap();
        taken.push((message.id, message.text.clone()));
        Ok(())
    }
}

async fn put_code(app: &App, number: &str) -> Asked {
    let phone = Phone::parse(number).unwrap();
    let token = format!("token of {number} at {}", app.clock.now().as_ms());
    let ask = Ask {
        purpose: Purpose::OwnData,
        token: &token,
        binding: "browser",
        phone: &phone,
        language: Language::En,
        daily_limit: 1000,
    };
    let asked: Result<Asked, Error> = app
        .db
        .write(async |tx| otp::ask(tx, &app.keys, &app.random, ask).await)
        .await;
    asked.unwrap()
}

async fn a_late_code_never_arrives(on: On) {
    let (app, clock, _dir) = kit::app(on).await;
    assert_eq!(put_code(&app, NUMBER).await, Asked::Sent);
    let deaf = Arc::new(Deaf::default());
    let carrier: Arc<dyn Carry> = deaf.clone();
    let deliver = async || {
        outbox::deliver(&app.db, &app.keys, &app.random, &carrier)
            .await
            .unwrap()
    };
    assert_eq!(deliver().await.failed, 1);
    assert_eq!(deliver().await.failed, 0, "not at once again");
    clock.set(clock.now().plus_ms(6_000));
    assert_eq!(deliver().await.failed, 1);
    clock.set(clock.now().plus_ms(5 * 60_000));
    let round = deliver().await;
    assert_eq!((round.failed, round.dropped), (0, 1));
    assert_eq!(deliver().await, outbox::Round::default());
    assert_eq!(deaf.0.load(Ordering::SeqCst), 2);
    app.db.close().await;
}

async fn a_message_is_sent_at_least_once_and_wiped(on: On) {
    let (app, clock, _dir) = kit::app(on).await;
    let phone = Phone::parse(NUMBER).unwrap();
    let message = Message {
        to: phone,
        language: Language::Vi,
        template: Template::Erased,
    };
    let put = async || {
        let done: Result<(), Error> = app
            .db
            .write(async |tx| outbox::put(tx, &app.keys, &app.random, &message, None).await)
            .await;
        done.unwrap();
    };
    // A transaction that is rolled back leaves no message.
    let undone: Result<(), Error> = app
        .db
        .write(async |tx| {
            outbox::put(tx, &app.keys, &app.random, &message, None).await?;
            Err(Error::Conflict)
        })
        .await;
    assert!(undone.is_err());
    let taking = Arc::new(Taking::default());
    let carrier: Arc<dyn Carry> = taking.clone();
    let deaf: Arc<dyn Carry> = Arc::new(Deaf::default());
    let deliver = async |carrier: &Arc<dyn Carry>| {
        outbox::deliver(&app.db, &app.keys, &app.random, carrier)
            .await
            .unwrap()
    };
    assert_eq!(deliver(&carrier).await, outbox::Round::default());
    for _ in 0..40 {
        put().await;
    }
    // Two workers at once send none twice.
    let (one, two) = tokio::join!(deliver(&carrier), deliver(&carrier));
    assert_eq!(one.sent + two.sent, 40);
    let ids: BTreeSet<_> = taking.0.lock().unwrap().iter().map(|(id, _)| *id).collect();
    assert_eq!(ids.len(), 40);
    let left: Result<(i64,), Error> = app
        .db
        .read(async |tx| tx.query("SELECT COUNT(*) FROM outbox").one().await)
        .await;
    assert_eq!(left.unwrap().0, 0, "what was sent is gone");
    // A worker that died in between: its message is free again after a minute.
    put().await;
    let claimed: Result<u64, Error> = app
        .db
        .write(async |tx| {
            let until = tx.now().plus_ms(60_000);
            tx.query("UPDATE outbox SET leased_until = $1")
                .bind(until)
                .execute()
                .await
        })
        .await;
    assert_eq!(claimed.unwrap(), 1);
    assert_eq!(deliver(&carrier).await.sent, 0);
    clock.set(clock.now().plus_ms(60_000));
    assert_eq!(deliver(&carrier).await.sent, 1);
    // A day without luck: given up, and nothing of it opens any more.
    put().await;
    assert_eq!(deliver(&deaf).await.failed, 1);
    clock.set(clock.now().plus_ms(24 * 3_600_000));
    assert_eq!(deliver(&carrier).await.dropped, 1);
    let dead: Result<(i64, i64), Error> = app
        .db
        .read(async |tx| {
            tx.query("SELECT COUNT(*), COUNT(sealed) FROM outbox WHERE dead_at IS NOT NULL")
                .one()
                .await
        })
        .await;
    assert_eq!(dead.unwrap(), (1, 0));
    app.db.close().await;
}
