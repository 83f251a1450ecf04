//! Any call to the database fails: the first, the second, and so on through every main flow.
//!
//! Whatever call it is and however it fails, the answer is an error or the truth, and sent again the
//! request succeeds and has happened once.

use diem_kiem_dich::{
    accounts::Role,
    base::{Day, Random, ids},
    checkins, exposures,
    privacy::audit,
    store::{Error, Fault, Faults},
};
use serde_json::{Value, json};

use crate::{
    checkins::declaration,
    kit::{Http, On, Server},
    on_both,
    venues::registration,
};

on_both! {
    checking_in,
    checking_out,
    a_batch,
    registering_a_venue,
    a_case_and_its_lookup,
    a_sweep,
}

/// A flow makes no more calls than this, or something goes round in circles.
const CALLS_MAX: u32 = 200;

/// What is true of a flow at one call: the answer's status when it is sent for the `n`-th time of
/// its kind, and how often it has happened, in all.
struct Flow<S, C> {
    name: &'static str,
    send: S,
    happened: C,
    /// Whether it is still a success when it is sent again after it happened.
    repeatable: bool,
    /// Whether the answer is read after the commit: what is recorded stays so when that fails.
    reads_after: bool,
}

impl<S: AsyncFn(u32) -> u16, C: AsyncFn() -> i64> Flow<S, C> {
    async fn survives(&self, faults: &Faults) {
        let mut number = 0;
        for fault in [Fault::Lost, Fault::Refused, Fault::Raced, Fault::Unanswered] {
            let mut calls = 0;
            loop {
                (calls, number) = (calls + 1, number + 1);
                assert!(calls < CALLS_MAX, "{}: no end", self.name);
                if !self.survives_once(faults, fault, calls, number).await {
                    break;
                }
            }
            println!("{}: {fault:?} at each of {} calls", self.name, calls - 1);
            assert!(calls > 2, "{}: it makes more calls than one", self.name);
        }
    }

    /// False when the flow makes fewer than `call` calls.
    async fn survives_once(&self, faults: &Faults, fault: Fault, call: u32, number: u32) -> bool {
        let about = format!("{}, {fault:?} at call {call}", self.name);
        let before = (self.happened)().await;
        faults.at(call, fault);
        let first = (self.send)(number).await;
        let fired = faults.end();
        let after = (self.happened)().await - before;
        let good = (200..300).contains(&first);
        assert!(good || first >= 500, "{about}: {first}");
        if good {
            assert_eq!(after, 1, "{about}: a false success");
        } else if fault == Fault::Unanswered || self.reads_after {
            assert!((0..=1).contains(&after), "{about}: {after} times");
        } else {
            assert_eq!(after, 0, "{about}: a false failure");
        }
        if !fired || fault == Fault::Raced {
            assert!(good, "{about}: {first}");
        }
        if after == 0 || self.repeatable {
            let again = (self.send)(number).await;
            assert!((200..300).contains(&again), "{about}: {again} again");
        }
        let in_all = (self.happened)().await - before;
        assert_eq!(in_all, 1, "{about}: happened {in_all} times");
        fired
    }
}

/// A server whose store fails on demand, with a venue's gate.
struct Gate {
    server: Server,
    faults: Faults,
    owner: Http,
    code: Value,
}

impl Gate {
    async fn open(on: On) -> Self {
        let faults = Faults::planned();
        let server = Server::start_failing(on, &faults).await;
        let (owner, _, checkpoint) = crate::checkins::venue(&server).await;
        Self {
            server,
            faults,
            owner,
            code: checkpoint["code"].clone(),
        }
    }

    /// The body of the `n`-th check-in: the same for the same `n`.
    fn body(&self, n: u32) -> Value {
        let id = ids::v7(self.server.clock.now(), &Random::seeded(u64::from(n)));
        json!({"id": id, "checkpoint": self.code, "declaration": declaration()})
    }

    async fn check_in(&self, body: &Value) -> u16 {
        self.server.http.post("/api/v1/check-ins", body).await.0
    }

    async fn hours(&self) -> checkins::Hour {
        let app = &self.server.app;
        settled(&self.server).await;
        let places = app.directory.ids();
        let hours = app
            .db
            .read(async |tx| checkins::hours(tx, &places, app.clock.now()).await)
            .await
            .unwrap();
        let mut sum = checkins::Hour::default();
        for hour in hours {
            sum.check_ins += hour.check_ins;
            sum.left += hour.left;
        }
        sum
    }

    /// Every arrival has its declaration, and the declaration opens.
    async fn everybody_is_known(&self) {
        let app = &self.server.app;
        settled(&self.server).await;
        let places = app.directory.ids();
        let now = app.clock.now();
        let arrivals = app
            .db
            .read(async |tx| checkins::arrivals(tx, &app.keys, &places, now, None, 1000).await)
            .await
            .unwrap();
        assert!(!arrivals.is_empty());
        assert!(arrivals.iter().all(|arrival| arrival.name.is_some()));
    }
}

async fn checking_in(on: On) {
    let gate = Gate::open(on).await;
    let flow = Flow {
        name: "check-in",
        send: async |n| gate.check_in(&gate.body(n)).await,
        happened: async || gate.hours().await.check_ins,
        repeatable: true,
        reads_after: false,
    };
    flow.survives(&gate.faults).await;
    gate.everybody_is_known().await;
}

async fn checking_out(on: On) {
    let gate = Gate::open(on).await;
    for n in 1..=CALLS_MAX {
        assert_eq!(gate.check_in(&gate.body(n)).await, 201);
    }
    let flow = Flow {
        name: "check-out",
        send: async |n| {
            let id = gate.body(n)["id"].as_str().unwrap().to_owned();
            let path = format!("/api/v1/check-ins/{id}/check-out");
            let body = json!({"checkpoint": gate.code});
            gate.server.http.post(&path, &body).await.0
        },
        happened: async || gate.hours().await.left,
        repeatable: true,
        reads_after: false,
    };
    flow.survives(&gate.faults).await;
}

async fn a_batch(on: On) {
    const EACH: u32 = 3;
    let gate = Gate::open(on).await;
    let flow = Flow {
        name: "batch",
        send: async |n| {
            let bodies: Vec<Value> = (0..EACH).map(|k| gate.body(n * EACH + k)).collect();
            let (status, answer) = gate
                .server
                .http
                .post("/api/v1/check-ins/batch", &json!({"check_ins": bodies}))
                .await;
            assert_eq!(status, 200);
            // The worst of the three.
            let results = answer["results"].as_array().unwrap().iter();
            let worst = results
                .map(|result| result["status"].as_u64().unwrap())
                .max();
            u16::try_from(worst.unwrap()).unwrap()
        },
        happened: async || gate.hours().await.check_ins / i64::from(EACH),
        repeatable: true,
        reads_after: false,
    };
    flow.survives(&gate.faults).await;
    gate.everybody_is_known().await;
}

/// Everything acknowledged is in the tables. Whoever comes while others are told that the database is
/// away is told so too, and comes back.
async fn settled(server: &Server) {
    for _ in 0..100 {
        if server.app.door.journal.settle().await.is_ok() {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    panic!("the journal does not settle");
}

async fn count(server: &Server, sql: &'static str) -> i64 {
    settled(server).await;
    let count: Result<(i64,), Error> = server
        .app
        .db
        .read(async |tx| tx.query(sql).one().await)
        .await;
    count.unwrap().0
}

async fn registering_a_venue(on: On) {
    let gate = Gate::open(on).await;
    let server = &gate.server;
    let flow = Flow {
        name: "registration",
        send: async |n| {
            let body = registration(&format!("0901{n:06}"));
            server.http.post("/api/v1/venues", &body).await.0
        },
        happened: async || count(server, "SELECT COUNT(*) FROM venues").await,
        // The second time the number is taken.
        repeatable: false,
        reads_after: false,
    };
    flow.survives(&gate.faults).await;
    let accounts = count(server, "SELECT COUNT(*) FROM accounts").await;
    let venues = count(server, "SELECT COUNT(*) FROM venues").await;
    assert_eq!(accounts, venues, "an account each");
    let flow = Flow {
        name: "checkpoint",
        send: async |n| {
            let (_, venues) = gate.owner.get("/api/v1/venues").await;
            let Some(venue) = venues["items"][0]["id"].as_str() else {
                return 503;
            };
            let path = format!("/api/v1/venues/{venue}/checkpoints");
            let body = json!({"name": format!("Cổng {n}")});
            gate.owner.post(&path, &body).await.0
        },
        happened: async || count(server, "SELECT COUNT(*) FROM checkpoints").await,
        repeatable: false,
        reads_after: false,
    };
    flow.survives(&gate.faults).await;
    audit_is_whole(server).await;
}

async fn audit_is_whole(server: &Server) {
    let verdict = server.app.db.read(async |tx| audit::verify(tx).await).await;
    assert!(
        matches!(verdict, Ok(audit::Verdict::Whole(_))),
        "{verdict:?}"
    );
}

async fn a_case_and_its_lookup(on: On) {
    let gate = Gate::open(on).await;
    let server = &gate.server;
    let officer = server.login_as(Role::HealthOfficer, Some("80")).await;
    for n in 1..=3 {
        assert_eq!(gate.check_in(&gate.body(n)).await, 201);
    }
    let report = json!({
        "disease": "covid-19", "onset_on": "2026-11-17", "confirmed_on": "2026-11-17",
        "patient": {"full_name": "Nguyễn Văn Mẫu", "phone": "0901234567"},
    });
    let flow = Flow {
        name: "case",
        send: async |_| officer.post("/api/v1/cases", &report).await.0,
        happened: async || count(server, "SELECT COUNT(*) FROM cases").await,
        repeatable: false,
        reads_after: true,
    };
    flow.survives(&gate.faults).await;
    let (_, case) = officer.post("/api/v1/cases", &report).await;
    let order = json!({"case": case["id"], "reason": "Truy vết", "document": "12/CDC"});
    let flow = Flow {
        name: "lookup",
        send: async |_| officer.post("/api/v1/lookups", &order).await.0,
        // An order that is answered is in the log, and none else is.
        happened: async || {
            count(
                server,
                "SELECT COUNT(*) FROM audit_log WHERE action = 'lookup.created'",
            )
            .await
        },
        repeatable: false,
        reads_after: true,
    };
    flow.survives(&gate.faults).await;
    audit_is_whole(server).await;
}

async fn a_sweep(on: On) {
    let gate = Gate::open(on).await;
    let server = &gate.server;
    let app = &server.app;
    for fault in [Fault::Lost, Fault::Refused, Fault::Unanswered] {
        for call in 1.. {
            assert!(call < CALLS_MAX);
            assert_eq!(gate.check_in(&gate.body(call)).await, 201);
            settled(server).await;
            let visited = Day::of(app.clock.now());
            app.clock.set(app.clock.now().plus_ms(30 * 86_400_000));
            let today = Day::of(app.clock.now());
            let sweep = async || {
                let (db, keys) = (&app.db, &app.keys);
                exposures::sweep::sweep(db, keys, &app.random, &app.directory, today, 21).await
            };
            gate.faults.at(call, fault);
            let first = sweep().await;
            let fired = gate.faults.end();
            // A lost connection is made anew for what is one statement, and that is run again.
            assert!(
                first.is_err() == fired || (fired && fault != Fault::Refused),
                "{fault:?} at call {call}: {first:?}"
            );
            sweep().await.unwrap();
            assert_eq!(count(server, "SELECT COUNT(*) FROM check_ins").await, 0);
            assert_eq!(count(server, "SELECT COUNT(*) FROM declarations").await, 0);
            assert!(app.keys.day_from(&app.db, visited).await.is_err());
            if !fired {
                println!("sweep: {fault:?} at each of {} calls", call - 1);
                break;
            }
        }
    }
    audit_is_whole(server).await;
}
