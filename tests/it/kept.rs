//! What a case needs of a day outlives the day, in the file of the case, until the file's own clock
//! has run out; and nothing else of that day does.

use diem_kiem_dich::{
    accounts::{Account, Role},
    api::cases::desk,
    base::{Day, Random, ids},
    cases::{self, CaseDraft, clock::FILE_DAYS},
    checkins::retention::{Kept, Swept},
    config::MasterKey,
    exposures::{LookupDraft, Run, people, sweep::sweep},
    http::App,
    privacy::{Master, NoKey, audit, rotate},
    store::{Db, Error, Fault, Faults},
};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    kit::{On, Server},
    lookups::{World, at, phone},
    on_both,
};

on_both! {
    a_day_goes_and_the_case_still_says_whom_it_found,
    a_lookup_after_the_day_knows_where_the_patient_was,
    a_file_ends_and_nothing_of_it_opens,
    a_lookup_winds_the_clock_up_again,
    each_of_several_cases_keeps_its_own,
    a_declaration_under_another_number_is_kept_too,
    an_interrupted_sweep_loses_nothing,
    a_case_whose_key_is_damaged_holds_up_nobody,
    without_the_master_key_nothing_goes,
}

const DAY_MS: i64 = 86_400_000;

/// Days after which check-ins and declarations of today are past their retention.
const GONE: i64 = 23;

async fn sweep_at(app: &App, db: &Db, today: Day) -> Result<Swept, NoKey> {
    let keys = &app.keys;
    sweep(db, keys, &app.random, &app.directory, today, 21).await
}

async fn sweep_now(server: &Server) -> Swept {
    server.app.door.journal.settle().await.unwrap();
    let today = Day::of(server.app.clock.now());
    let app = &server.app;
    sweep_at(app, &app.db, today).await.unwrap()
}

/// Let days go by; whoever was logged in logs in again.
async fn later(world: &mut World, days: i64) {
    let clock = &world.server.clock;
    clock.set(clock.now().plus_ms(days * DAY_MS));
    world.server.app.prepare_days().await.unwrap();
    world.officer = world.server.login_as(Role::HealthOfficer, Some("80")).await;
}

async fn count(app: &App, sql: &'static str) -> i64 {
    let count: Result<(i64,), Error> = app.db.read(async |tx| tx.query(sql).one().await).await;
    count.unwrap().0
}

const KEPT: &str =
    "SELECT (SELECT COUNT(*) FROM case_contacts) + (SELECT COUNT(*) FROM case_stays)";

const ORIGINALS: &str = "SELECT COUNT(*) FROM declarations";

/// A patient at an office and a market, somebody who met them, somebody who did not, and a lookup.
async fn one_case(world: &World) -> (String, Value) {
    let (_, office) = world
        .checkpoint(json!({"name": "Văn phòng", "kind": "office"}))
        .await;
    let (_, market) = world
        .checkpoint(json!({"name": "Chợ", "kind": "market"}))
        .await;
    world.stay(1, &office, 0, Some(60)).await;
    world.stay(1, &market, 100, None).await;
    // Cuts the stay before it.
    world.stay(1, &office, 105, None).await;
    world.stay(2, &office, 30, Some(90)).await;
    world.stay(3, &market, 10, Some(50)).await;
    let case = world.case(1).await;
    let run = world.look_up(json!({"case": case["id"]})).await;
    assert_eq!(run["counts"]["ring1"], 1);
    (market, run)
}

fn case_of(run: &Value) -> String {
    let case = run["parameters"]["cases"][0].as_str();
    format!("/api/v1/cases/{}", case.expect("a lookup of a case"))
}

async fn a_day_goes_and_the_case_still_says_whom_it_found(on: On) {
    let mut world = World::start(on).await;
    let (market, run) = one_case(&world).await;
    let window = json!({"code": market, "from": at(0), "until": at(99)});
    let place = world.look_up(json!({"checkpoint": window})).await;
    assert_eq!(world.people(&place, 1).await.len(), 1);
    let people = world.items(&run, 1).await;
    assert_eq!(people[0]["contact"]["phone"], phone(2));
    let file = world.file(&run, "csv").await;
    let (_, case) = world.officer.get(&case_of(&run)).await;
    assert_eq!(case["visits"], 3);
    let visited = Day::of(world.server.clock.now());

    later(&mut world, GONE).await;
    let swept = sweep_now(&world.server).await;
    let kept = Kept {
        contacts: 1,
        stays: 3,
        ended: 0,
        unreadable: 0,
    };
    assert_eq!(swept.cases, kept);
    let app = &world.server.app;
    assert_eq!(count(app, ORIGINALS).await, 0);
    assert_eq!(count(app, "SELECT COUNT(*) FROM check_ins").await, 0);
    let gone = app.keys.day_from(&app.db, visited).await;
    assert!(matches!(gone, Err(NoKey::NoDay)), "{gone:?}");
    // The case says what it said: the list, the file, the patient and where they were.
    assert_eq!(world.items(&run, 1).await, people);
    assert_eq!(world.file(&run, "csv").await, file);
    assert_eq!(world.file(&run, "xlsx").await.0, 200);
    assert_eq!(world.officer.get(&case_of(&run)).await.1, case);
    // Somebody else of that day does not open, though a lookup that named no case found them.
    let other = world.items(&place, 1).await;
    assert_eq!(other.len(), 1);
    assert_eq!(other[0]["contact"], Value::Null);

    assert_eq!(sweep_now(&world.server).await, Swept::default());
    assert_eq!(count(app, KEPT).await, 4, "and twice is once");
    let told: Vec<(String, Option<String>, Option<i64>)> = app
        .db
        .read(async |tx| {
            tx.query(
                "SELECT action, reason, people FROM audit_log
                 WHERE action IN ('case.kept', 'retention.swept') ORDER BY seq",
            )
            .all()
            .await
        })
        .await
        .map_err(|error: Error| error)
        .unwrap();
    let entry =
        |action: &str, reason: &str, people| (action.to_owned(), Some(reason.to_owned()), people);
    assert_eq!(
        told,
        [
            entry("case.kept", "retention", Some(1)),
            entry("case.kept", "retention", Some(1)),
            entry(
                "retention.swept",
                "retention; kept for cases: 1 contacts, 3 stays; case files ended: 0",
                None
            ),
        ]
    );
    nothing_in_clear(app).await;
}

/// The copies hold no name, number or pseudonym that can be read.
async fn nothing_in_clear(app: &App) {
    let rows: Vec<(Vec<u8>, Vec<u8>)> = app
        .db
        .read(async |tx| {
            tx.query(
                "SELECT entry, sealed FROM case_contacts UNION ALL
                 SELECT entry, sealed FROM case_stays",
            )
            .all()
            .await
        })
        .await
        .map_err(|error: Error| error)
        .unwrap();
    let people: Vec<(Vec<u8>,)> = app
        .db
        .read(async |tx| {
            tx.query("SELECT person_id FROM lookup_people UNION SELECT person_id FROM case_persons")
                .all()
                .await
        })
        .await
        .map_err(|error: Error| error)
        .unwrap();
    assert!(!rows.is_empty() && !people.is_empty());
    for (entry, sealed) in rows {
        let bytes = [entry, sealed].concat();
        let holds = |part: &[u8]| bytes.windows(part.len()).any(|window| window == part);
        assert!(!holds("Người".as_bytes()) && !holds(b"901000") && !holds(b"checkpoint"));
        assert!(!people.iter().any(|(person,)| holds(person)));
    }
}

async fn a_lookup_after_the_day_knows_where_the_patient_was(on: On) {
    let mut world = World::start(on).await;
    let (_, run) = one_case(&world).await;
    later(&mut world, GONE).await;
    sweep_now(&world.server).await;
    let id = run["parameters"]["cases"][0].clone();
    let again = world.look_up(json!({"case": id})).await;
    let warned: Vec<_> = again["warnings"].as_array().unwrap().iter().collect();
    assert_eq!(
        warned.len(),
        1,
        "where the patient was is known: {warned:?}"
    );
    assert_eq!(warned[0]["code"], "retention_edge");
    // Whom they met is not: everybody else's stays went with the day.
    assert_eq!(again["counts"]["ring1"], 0);
    let spans = |run: &Value| {
        let run = Uuid::parse_str(run["id"].as_str().unwrap()).unwrap();
        let app = world.server.app.clone();
        async move {
            app.db
                .read(async |tx| people::case_spans(tx, run).await)
                .await
                .unwrap()
        }
    };
    let first = spans(&run).await;
    assert_eq!(first.len(), 3);
    // The last stay is open, and its end assumed from the same hour.
    assert_eq!(spans(&again).await, first);
    assert_eq!(world.people(&run, 1).await.len(), 1);
}

/// Tables of a case and its lookups in which somebody stands.
const WITH_PEOPLE: [(&str, &str); 7] = [
    (
        "CREATE TABLE y_contacts AS SELECT * FROM case_contacts",
        "INSERT INTO case_contacts SELECT * FROM y_contacts",
    ),
    (
        "CREATE TABLE y_stays AS SELECT * FROM case_stays",
        "INSERT INTO case_stays SELECT * FROM y_stays",
    ),
    (
        "CREATE TABLE y_persons AS SELECT * FROM case_persons",
        "INSERT INTO case_persons SELECT * FROM y_persons",
    ),
    (
        "CREATE TABLE y_run_cases AS SELECT * FROM lookup_run_cases",
        "INSERT INTO lookup_run_cases SELECT * FROM y_run_cases",
    ),
    (
        "CREATE TABLE y_people AS SELECT * FROM lookup_people",
        "INSERT INTO lookup_people SELECT * FROM y_people",
    ),
    (
        "CREATE TABLE y_links AS SELECT * FROM lookup_links",
        "INSERT INTO lookup_links SELECT * FROM y_links",
    ),
    (
        "CREATE TABLE y_patients AS SELECT id, patient_sealed FROM cases",
        "UPDATE cases SET ended_at = NULL, patient_sealed =
             (SELECT y.patient_sealed FROM y_patients y WHERE y.id = cases.id)",
    ),
];

async fn run_all(app: &App, texts: impl IntoIterator<Item = &'static str>) {
    for text in texts {
        app.db
            .append(async |tx| tx.query(text).execute().await)
            .await
            .unwrap();
    }
}

async fn a_file_ends_and_nothing_of_it_opens(on: On) {
    let mut world = World::start(on).await;
    let (market, run) = one_case(&world).await;
    let window = json!({"code": market, "from": at(0), "until": at(99)});
    let place = world.look_up(json!({"checkpoint": window})).await;
    assert_eq!(place["counts"]["ring1"], 1);
    later(&mut world, GONE).await;
    sweep_now(&world.server).await;
    // The window of this case is open; the clock runs from its lookup, on the day of its report.
    later(&mut world, i64::from(FILE_DAYS) - GONE).await;
    assert_eq!(sweep_now(&world.server).await.cases, Kept::default());
    assert_eq!(world.people(&run, 1).await.len(), 1, "on the last day");
    assert_eq!(world.items(&place, 1).await.len(), 1);
    run_all(&world.server.app, WITH_PEOPLE.map(|(copy, _)| copy)).await;

    later(&mut world, 1).await;
    let swept = sweep_now(&world.server).await;
    assert_eq!(swept.cases.ended, 1);
    assert_eq!(sweep_now(&world.server).await, Swept::default());
    let app = &world.server.app;
    assert_eq!(count(app, KEPT).await, 0);
    for nobody in [
        "SELECT COUNT(*) FROM case_persons",
        "SELECT COUNT(*) FROM lookup_people",
        "SELECT COUNT(*) FROM lookup_links",
        "SELECT COUNT(*) FROM lookup_probes",
        "SELECT COUNT(*) FROM lookup_run_cases",
        "SELECT COUNT(key_wrapped) + COUNT(patient_sealed) FROM cases",
    ] {
        assert_eq!(count(app, nobody).await, 0, "{nobody}");
    }
    assert_eq!(world.officer.get(&case_of(&run)).await.0, 404);
    let (_, list) = world.officer.get("/api/v1/cases").await;
    assert_eq!(list["items"], json!([]));
    assert_eq!(world.items(&run, 1).await, [] as [Value; 0]);
    // Who asked, why and how many were found stays.
    let path = format!("/api/v1/lookups/{}", run["id"].as_str().unwrap());
    let (_, closed) = world.officer.get(&path).await;
    assert_eq!(closed["state"], "closed");
    assert_eq!(closed["counts"], run["counts"]);
    let ended = "SELECT COUNT(*) FROM audit_log WHERE action = 'case.ended' AND actor IS NULL";
    assert_eq!(count(app, ended).await, 1);

    // Yesterday's rows, put back: they are there, and nothing of them opens.
    run_all(app, WITH_PEOPLE.map(|(_, back)| back)).await;
    assert_eq!(count(app, KEPT).await, 4);
    assert_eq!(world.officer.get(&case_of(&run)).await.0, 404);
    let items = world.items(&run, 1).await;
    assert_eq!(items.len(), 1);
    assert_eq!(items[0]["contact"], Value::Null);
    let again = world
        .look_up(json!({"case": run["parameters"]["cases"][0]}))
        .await;
    let warned = again["warnings"].as_array().unwrap().iter();
    assert!(warned.into_iter().any(|one| one["code"] == "no_visits"));
    let verdict = app.db.read(async |tx| audit::verify(tx).await).await;
    assert!(
        matches!(verdict, Ok(audit::Verdict::Whole(_))),
        "{verdict:?}"
    );
}

async fn a_lookup_winds_the_clock_up_again(on: On) {
    let mut world = World::start(on).await;
    let (_, run) = one_case(&world).await;
    later(&mut world, GONE).await;
    sweep_now(&world.server).await;
    world
        .look_up(json!({"case": run["parameters"]["cases"][0]}))
        .await;
    later(&mut world, i64::from(FILE_DAYS)).await;
    assert_eq!(sweep_now(&world.server).await.cases.ended, 0);
    assert_eq!(world.people(&run, 1).await.len(), 1);
    later(&mut world, 1).await;
    assert_eq!(sweep_now(&world.server).await.cases.ended, 1);
}

async fn each_of_several_cases_keeps_its_own(on: On) {
    let mut world = World::start(on).await;
    let (_, one) = world
        .checkpoint(json!({"name": "Một", "kind": "market"}))
        .await;
    let (_, two) = world
        .checkpoint(json!({"name": "Hai", "kind": "market"}))
        .await;
    let (_, cafe) = world
        .checkpoint(json!({"name": "Quán", "kind": "restaurant"}))
        .await;
    for (code, case, met) in [(&one, 1, 2), (&two, 11, 12)] {
        world.stay(case, code, 0, Some(60)).await;
        world.stay(met, code, 0, Some(60)).await;
    }
    // Both met the first case; one of them then met somebody else.
    world.stay(3, &one, 0, Some(60)).await;
    world.stay(3, &cafe, 100, Some(160)).await;
    world.stay(4, &cafe, 100, Some(160)).await;
    let (first, second) = (world.case(1).await, world.case(11).await);
    let run = world
        .look_up(json!({"cases": [first["id"], second["id"]], "rings": 2}))
        .await;
    assert_eq!(run["counts"], json!({"ring1": 3, "ring2": 1}));
    let (ring1, ring2) = (world.items(&run, 1).await, world.items(&run, 2).await);
    later(&mut world, GONE).await;
    let swept = sweep_now(&world.server).await;
    assert_eq!(swept.cases.contacts, 4);
    assert_eq!(world.items(&run, 1).await, ring1);
    assert_eq!(world.items(&run, 2).await, ring2);
    let files: Vec<(i64,)> = world
        .server
        .app
        .db
        .read(async |tx| {
            tx.query("SELECT COUNT(*) FROM case_contacts GROUP BY case_id ORDER BY COUNT(*)")
                .all()
                .await
        })
        .await
        .map_err(|error: Error| error)
        .unwrap();
    assert_eq!(files, [(1,), (3,)], "nobody stands in a file without need");
}

async fn a_declaration_under_another_number_is_kept_too(on: On) {
    let mut world = World::start(on).await;
    let (_, code) = world
        .checkpoint(json!({"name": "Một", "kind": "market"}))
        .await;
    world.stay(1, &code, 0, Some(60)).await;
    // Known by both numbers, and later here by the number of the card alone.
    for (minute, numbers) in [
        (
            -300,
            json!({"phone": phone(2), "id_number": "001090000007"}),
        ),
        (30, json!({"id_number": "001090000007"})),
    ] {
        let entered =
            diem_kiem_dich::base::Timestamp::from_ms(crate::lookups::MORNING + minute * 60_000);
        let mut declaration = crate::checkins::declaration();
        let fields = declaration.as_object_mut().unwrap();
        fields.remove("phone");
        fields.remove("id_number");
        fields.insert("full_name".to_owned(), json!("Người Hai Số"));
        fields.extend(numbers.as_object().unwrap().clone());
        let body = json!({
            "id": ids::v7(entered, &world.server.app.random), "checkpoint": code,
            "declaration": declaration,
        });
        let (status, answer) = world.server.http.post("/api/v1/check-ins", &body).await;
        assert_eq!(status, 201, "{answer}");
    }
    let case = world.case(1).await;
    let run = world.look_up(json!({"case": case["id"]})).await;
    let before = world.items(&run, 1).await;
    assert_eq!(before[0]["contact"]["full_name"], "Người Hai Số");
    assert_eq!(before[0]["contact"]["phone"], Value::Null);
    later(&mut world, GONE).await;
    assert_eq!(sweep_now(&world.server).await.cases.contacts, 1);
    assert_eq!(world.items(&run, 1).await, before);
}

/// A day with a patient and somebody who met them, made without accounts' sessions: many of these
/// are needed.
struct Shop {
    server: Server,
    officer: Account,
    code: Value,
}

impl Shop {
    async fn open(on: On) -> Self {
        let server = Server::start(on).await;
        let (_, _, checkpoint) = crate::checkins::venue(&server).await;
        Self {
            server,
            officer: Account {
                id: Uuid::from_u128(1),
                role: Role::HealthOfficer,
                province: None,
            },
            code: checkpoint["code"].clone(),
        }
    }

    /// Somebody comes now.
    async fn comes(&self, who: u32) {
        let app = &self.server.app;
        let mut declaration = crate::checkins::declaration();
        declaration["phone"] = json!(phone(who));
        declaration["full_name"] = json!(format!("Người Thứ {who}"));
        let id = ids::v7(app.clock.now(), &app.random);
        let body = json!({"id": id, "checkpoint": self.code, "declaration": declaration});
        let (status, answer) = self.server.http.post("/api/v1/check-ins", &body).await;
        assert_eq!(status, 201, "{answer}");
    }

    /// Report `who` and look them up.
    async fn look_up(&self, who: u32) -> Run {
        let app = &self.server.app;
        let now = app.clock.now();
        let today = now.rfc3339()[..10].to_owned();
        let draft: CaseDraft = serde_json::from_value(json!({
            "disease": "covid-19", "onset_on": today, "confirmed_on": today,
            "isolated_at": now.rfc3339(),
            "patient": {"full_name": "Người Bệnh", "phone": phone(who)},
        }))
        .unwrap();
        let new = draft
            .parse(&app.regions, &app.door.pseudonymizer, now)
            .unwrap();
        let case = cases::report(&app.db, &app.keys, &app.random, &self.officer, &new)
            .await
            .unwrap();
        let draft: LookupDraft = serde_json::from_value(json!({
            "case": case.id, "reason": "Truy vết", "document": "12/CDC",
        }))
        .unwrap();
        let order = draft.parse(&app.door.pseudonymizer).unwrap();
        let run = desk(app).look_up(&self.officer, &order, None).await;
        let run = run.unwrap();
        assert_eq!(run.ring1, 1);
        run
    }

    /// Contacts and stays in the file of a run's case.
    async fn kept(&self, run: &Run) -> (i64, i64) {
        let case = run.parameters.cases[0];
        self.server
            .app
            .db
            .read(async |tx| {
                tx.query(
                    "SELECT (SELECT COUNT(*) FROM case_contacts WHERE case_id = $1),
                            (SELECT COUNT(*) FROM case_stays WHERE case_id = $1)",
                )
                .bind(case)
                .one()
                .await
            })
            .await
            .map_err(|error: Error| error)
            .unwrap()
    }

    /// The names on the list of a run.
    async fn names(&self, run: &Run) -> Vec<Option<String>> {
        let which = people::Which {
            ring: None,
            offset: 0,
            limit: 10,
        };
        let desk = desk(&self.server.app);
        let opened = people::open(&desk, &self.officer, run, which, "lookup.viewed").await;
        let names = opened.unwrap().0.into_iter().map(|item| {
            let name = item.contact?.full_name?;
            Some(name.as_str().to_owned())
        });
        names.collect()
    }
}

/// Whatever call of a sweep fails, whether it ends files, copies or deletes, the people of an open case
/// open after it as before it, and the next sweep goes on to the end.
async fn an_interrupted_sweep_loses_nothing(on: On) {
    let shop = Shop::open(on).await;
    let app = &shop.server.app;
    // The sweep's own way to the store fails, and nobody else's: the service works beside it.
    let faults = Faults::planned();
    let failing = app.db.clone().with_faults(faults.clone());
    let mut who = 100;
    let mut ended = false;
    // A commit that nobody was told of is the same code on both engines, and cheaper to look at here.
    let kinds: &[Fault] = match on {
        On::Sqlite => &[Fault::Refused, Fault::Unanswered],
        On::Postgres => &[Fault::Refused],
    };
    for fault in kinds.iter().copied() {
        let mut call = 0;
        loop {
            call += 1;
            assert!(call < 200, "no end");
            who += 2;
            shop.server.clock.set(app.clock.now().plus_ms(DAY_MS));
            app.prepare_days().await.unwrap();
            shop.comes(who).await;
            shop.comes(who + 1).await;
            shop.server.clock.set(app.clock.now().plus_ms(60_000));
            let run = shop.look_up(who).await;
            let visited = Day::of(app.clock.now());
            let met = vec![Some(format!("Người Thứ {}", who + 1))];
            assert_eq!(shop.names(&run).await, met);
            // By the calendar of the sweep this day is due, and the next one is not.
            let today = visited.plus(i32::try_from(GONE).unwrap());
            let about = format!("{fault:?} at call {call}");

            faults.at(call, fault);
            let first = sweep_at(app, &failing, today).await;
            let fired = faults.end();
            // A lost connection is made anew for what is one statement, and that is run again.
            assert!(
                first.is_err() == fired || (fired && fault != Fault::Refused),
                "{about}: {first:?}"
            );
            assert_eq!(shop.names(&run).await, met, "{about}: lost");
            let done = sweep_at(app, &failing, today).await.unwrap();
            assert_eq!(shop.names(&run).await, met, "{about}: lost in the end");
            assert_eq!(count(app, ORIGINALS).await, 0, "{about}");
            assert_eq!(shop.kept(&run).await, (1, 1), "{about}");
            assert!(app.keys.day_from(&app.db, visited).await.is_err());
            ended |= done.cases.ended > 0 || first.is_ok_and(|swept| swept.cases.ended > 0);
            if !fired {
                assert_eq!(done, Swept::default());
                println!("sweep: {fault:?} at each of {} calls", call - 1);
                break;
            }
        }
    }
    assert!(ended, "after so many days the first files have ended");
    let verdict = app.db.read(async |tx| audit::verify(tx).await).await;
    assert!(
        matches!(verdict, Ok(audit::Verdict::Whole(_))),
        "{verdict:?}"
    );
}

async fn a_case_whose_key_is_damaged_holds_up_nobody(on: On) {
    let mut world = World::start(on).await;
    one_case(&world).await;
    // Its patient has a stay of these days too, and its lookup finds somebody.
    let damaged = world.case(2).await["id"].clone();
    let run = world.look_up(json!({"case": damaged})).await;
    assert_eq!(run["counts"]["ring1"], 1);
    let id = Uuid::parse_str(damaged.as_str().unwrap()).unwrap();
    let app = world.server.app.clone();
    app.db
        .append(async |tx| {
            tx.query("UPDATE cases SET key_wrapped = $2 WHERE id = $1")
                .bind(id)
                .bind(vec![7_u8; 60])
                .execute()
                .await
        })
        .await
        .map_err(|error: Error| error)
        .unwrap();
    later(&mut world, GONE).await;
    let swept = sweep_now(&world.server).await;
    let kept = Kept {
        contacts: 1,
        stays: 3,
        ended: 0,
        unreadable: 1,
    };
    assert_eq!(swept.cases, kept);
    assert!(swept.keys > 0);
    assert_eq!(count(&app, ORIGINALS).await, 0);
    assert_eq!(
        count(&app, KEPT).await,
        4,
        "the other file has all of its own"
    );
    sweep_now(&world.server).await;
    let told: Vec<(String,)> = app
        .db
        .read(async |tx| {
            tx.query("SELECT subject FROM audit_log WHERE action = 'case.unreadable'")
                .all()
                .await
        })
        .await
        .map_err(|error: Error| error)
        .unwrap();
    assert_eq!(told, [(id.to_string(),)], "once");
}

async fn without_the_master_key_nothing_goes(on: On) {
    let mut world = World::start(on).await;
    one_case(&world).await;
    let app = world.server.app.clone();
    let mut settings = world.server.settings.clone();
    let (MasterKey::Own(path) | MasterKey::File(path)) = settings.master_key.clone() else {
        panic!("the kit keeps the master key in a file");
    };
    let old = std::fs::read_to_string(&path).unwrap();
    settings.master_key = MasterKey::Value(old.trim().to_owned().into());
    let clock = world.server.clock.clone();
    let other = App::open(settings, clock, Random::System).await.unwrap();
    let new = Master::new(&Random::System);
    std::fs::write(&path, format!("{} {old}", *new.hex())).unwrap();
    app.keys.reload();
    rotate::activate(&app.db, &new).await.unwrap();
    rotate::rewrap(&app.db, &app.keys, &Random::System)
        .await
        .unwrap();
    rotate::retire(&app.db).await.unwrap();
    later(&mut world, GONE).await;
    app.door.journal.settle().await.unwrap();
    let today = Day::of(app.clock.now());
    let before = count(&app, ORIGINALS).await;
    let stopped = sweep_at(&other, &other.db, today).await;
    assert!(matches!(stopped, Err(NoKey::WrongMaster)), "{stopped:?}");
    assert!(before > 0);
    assert_eq!(count(&app, ORIGINALS).await, before);
    let unreadable = "SELECT COUNT(*) FROM audit_log WHERE action = 'case.unreadable'";
    assert_eq!(count(&app, unreadable).await, 0);
    other.db.close().await;
    // Whoever has the key goes on.
    assert_eq!(sweep_now(&world.server).await.cases.stays, 3);
}
