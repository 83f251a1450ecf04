//! Declaring, checking in and out, as visitors' phones do it.

use diem_kiem_dich::base::{Random, Timestamp, ids};
use futures_util::future::join_all;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    kit::{Http, On, Server},
    on_both,
};

on_both! {
    the_first_answer_stands,
    ids_are_judged_by_the_clock,
    checkpoints_that_do_not_take_check_ins,
    bodies_are_judged_field_by_field,
    a_token_stands_for_its_declaration,
    a_batch_answers_each_on_its_own,
    check_outs_keep_to_the_stay,
    one_id_many_times_at_once_is_stored_once,
    of_a_crowd_only_who_comes_again_is_known,
    one_id_at_two_checkpoints_answers_the_same_again,
    a_restart_forgets_nothing,
    nothing_personal_lies_about,
    a_venue_sees_masked_arrivals,
}

/// A declaration like that of the contract, without symptoms.
pub fn declaration() -> Value {
    json!({
        "full_name": "Nguyễn Văn Mẫu", "birth_year": 1990, "sex": "male", "nationality": "VN",
        "id_number": null, "phone": "0901234567", "email": null,
        "address": {"province": "80", "ward": "25456", "street": "Số 1"},
        "answers": {
            "travel": {"yes": false, "detail": null},
            "symptoms": {"yes": false, "which": [], "detail": null},
            "contact_case": false, "contact_affected_area": false, "contact_symptomatic": false
        },
        "consent": {"version": "2026-1", "given": true}
    })
}

/// A venue with one checkpoint: the owner's client, the venue's id, the checkpoint.
pub async fn venue(server: &Server) -> (Http, String, Value) {
    let phone = format!(
        "09{:08}",
        u32::from_be_bytes(Random::System.bytes()) % 100_000_000
    );
    let body = json!({
        "name": "Chợ Mẫu", "kind": "market",
        "address": {"province": "80", "ward": "25459", "street": "Đường Mẫu"},
        "contact": {"name": "Chủ Mẫu", "phone": phone}, "password": "mat-khau-thu-nghiem",
    });
    let (status, made) = server.http.post("/api/v1/venues", &body).await;
    assert_eq!(status, 201, "{made}");
    let login = made["account"]["login"].as_str().unwrap();
    let owner = server.login(login, "mat-khau-thu-nghiem").await;
    let venue = made["venue"]["id"].as_str().unwrap().to_owned();
    let checkpoint = checkpoint(&owner, &venue).await;
    (owner, venue, checkpoint)
}

async fn checkpoint(owner: &Http, venue: &str) -> Value {
    let path = format!("/api/v1/venues/{venue}/checkpoints");
    let (status, made) = owner.post(&path, &json!({"name": "Cổng chính"})).await;
    assert_eq!(status, 201, "{made}");
    made
}

/// An id whose time is `ms` after the server's.
fn id(server: &Server, ms: i64) -> Uuid {
    ids::v7(server.clock.now().plus_ms(ms), &Random::System)
}

fn check_in(id: Uuid, checkpoint: &Value) -> Value {
    json!({"id": id, "checkpoint": checkpoint["code"], "declaration": declaration()})
}

async fn count(server: &Server, sql: &'static str) -> i64 {
    server.app.door.journal.settle().await.unwrap();
    let count: Result<(i64,), diem_kiem_dich::store::Error> = server
        .app
        .db
        .read(async |tx| tx.query(sql).one().await)
        .await;
    count.unwrap().0
}

const CHECK_INS: &str = "SELECT COUNT(*) FROM check_ins";

async fn the_first_answer_stands(on: On) {
    let server = Server::start(on).await;
    let (_, _, checkpoint) = venue(&server).await;
    let id = id(&server, 0);
    let body = check_in(id, &checkpoint);
    let post = async |body: &Value| server.http.post("/api/v1/check-ins", body).await;
    let (status, first) = post(&body).await;
    assert_eq!(status, 201, "{first}");
    assert_eq!(first["id"], json!(id));
    assert_eq!(
        first["checkpoint"],
        json!({"code": checkpoint["code"], "name": "Cổng chính"})
    );
    assert_eq!(first["entered_at"], json!(server.clock.now().rfc3339()));
    assert_eq!(first["risk"], "clear");
    assert_eq!(first.as_object().unwrap().len(), 6, "{first}");
    let receipt = first["receipt"].as_str().unwrap();
    assert_eq!(
        (receipt.len(), receipt.chars().nth(4)),
        (9, Some('-')),
        "{receipt}"
    );
    assert_eq!(post(&body).await, (200, first.clone()));
    // Other content, bad content, no content; typed by hand; an hour later.
    server.clock.set(server.clock.now().plus_ms(3_600_000));
    let mut other = body.clone();
    other["declaration"]["phone"] = json!("0912345678");
    other["declaration"]["answers"]["contact_case"] = json!(true);
    assert_eq!(post(&other).await, (200, first.clone()));
    other["declaration"]["phone"] = json!("x");
    assert_eq!(post(&other).await, (200, first.clone()));
    let code = checkpoint["code"].as_str().unwrap().to_lowercase();
    let bare = json!({"id": id, "checkpoint": code, "companions": 99});
    assert_eq!(post(&bare).await, (200, first.clone()));
    assert_eq!(count(&server, CHECK_INS).await, 1);
    assert_eq!(count(&server, "SELECT COUNT(*) FROM declarations").await, 1);
    // Without an id every sending is another check-in.
    let mut without = body.clone();
    without.as_object_mut().unwrap().remove("id");
    without["companions"] = json!(50);
    let (status, second) = post(&without).await;
    assert_eq!(status, 201);
    assert_eq!(post(&without).await.0, 201);
    assert_ne!(second["id"], first["id"]);
    assert_eq!(
        count(&server, "SELECT MAX(headcount) FROM check_ins").await,
        51
    );
}

async fn ids_are_judged_by_the_clock(on: On) {
    let server = Server::start(on).await;
    let (_, _, checkpoint) = venue(&server).await;
    const WEEK: i64 = 7 * 24 * 3_600_000;
    for (ms, expected) in [
        (120_000, 201),
        (-WEEK, 201),
        (120_001, 422),
        (-WEEK - 1, 422),
    ] {
        let body = check_in(id(&server, ms), &checkpoint);
        let (status, answer) = server.http.post("/api/v1/check-ins", &body).await;
        assert_eq!(status, expected, "{ms}: {answer}");
        if status == 422 {
            assert_eq!(answer["code"], "clock_out_of_range");
            assert_eq!(answer["server_time"], json!(server.clock.now().rfc3339()));
        }
    }
    let sources = "SELECT COUNT(*) FROM check_ins WHERE source = 'l'";
    assert_eq!(count(&server, sources).await, 1);
    let body = check_in(ids::v4(&Random::System), &checkpoint);
    let (status, answer) = server.http.post("/api/v1/check-ins", &body).await;
    assert_eq!((status, &answer["errors"][0]["field"]), (422, &json!("id")));
    assert_eq!(answer["errors"][0]["code"], "not_uuid_v7");
}

async fn checkpoints_that_do_not_take_check_ins(on: On) {
    let server = Server::start(on).await;
    let (owner, venue, checkpoint) = venue(&server).await;
    let post = async |body: &Value| server.http.post("/api/v1/check-ins", body).await;
    for code in ["7ZZZZZZZZZZZZZZZZZZZZZZZZZ", "", "U", "đ"] {
        let mut body = check_in(id(&server, 0), &checkpoint);
        body["checkpoint"] = json!(code);
        let (status, problem) = post(&body).await;
        assert_eq!(
            (status, &problem["code"]),
            (404, &json!("not_found")),
            "{code}"
        );
    }
    let before = check_in(id(&server, -1000), &checkpoint);
    let queued = check_in(id(&server, -1000), &checkpoint);
    let (_, first) = post(&before).await;
    let path = format!(
        "/api/v1/venues/{venue}/checkpoints/{}",
        checkpoint["id"].as_str().unwrap()
    );
    let (status, closed) = owner.patch(&path, &json!({"closed": true})).await;
    assert_eq!(status, 200, "{closed}");
    let (status, problem) = post(&check_in(id(&server, 0), &checkpoint)).await;
    assert_eq!((status, &problem["code"]), (410, &json!("closed")));
    assert_eq!(post(&before).await, (200, first), "the first answer stands");
    assert_eq!(
        post(&queued).await.0,
        201,
        "who came before it closed was there"
    );
}

async fn bodies_are_judged_field_by_field(on: On) {
    let server = Server::start(on).await;
    let (_, _, checkpoint) = venue(&server).await;
    let mistakes = async |change: &dyn Fn(&mut Value)| -> Vec<(String, String)> {
        let mut body = check_in(id(&server, 0), &checkpoint);
        change(&mut body);
        let (status, problem) = server.http.post("/api/v1/check-ins", &body).await;
        assert_eq!(status, 422, "{problem}");
        let errors = problem["errors"].as_array().unwrap().iter();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        errors
            .map(|e| (text(&e["field"]), text(&e["code"])))
            .collect()
    };
    let one = |field: &str, code: &str| vec![(field.to_owned(), code.to_owned())];
    assert_eq!(
        mistakes(&|b| b["seat"] = json!("1")).await,
        one("seat", "unknown_field")
    );
    assert_eq!(
        mistakes(&|b| b["declaration"]["religion"] = json!("x")).await,
        one("declaration.religion", "unknown_field")
    );
    assert_eq!(
        mistakes(&|b| b["declaration"]["birth_year"] = json!("0901234567")).await,
        one("declaration.birth_year", "wrong_type")
    );
    assert_eq!(
        mistakes(&|b| b["declaration"] = json!(null)).await,
        one("declaration", "required")
    );
    assert_eq!(
        mistakes(&|b| b["declaration_token"] = json!("x")).await,
        one("declaration_token", "one_of_two")
    );
    let all = mistakes(&|b| {
        b["companions"] = json!(51);
        b["declaration"]["phone"] = json!(null);
        b["declaration"]["answers"]["travel"] = json!(null);
        b["declaration"]["consent"]["given"] = json!(false);
    });
    let fields: Vec<String> = all.await.into_iter().map(|(field, _)| field).collect();
    assert_eq!(
        fields,
        [
            "companions",
            "declaration.phone",
            "declaration.answers.travel",
            "declaration.consent.given"
        ]
    );
    assert_eq!(
        mistakes(&|b| b["companions"] = json!(-1)).await,
        one("companions", "out_of_range")
    );
    assert_eq!(count(&server, CHECK_INS).await, 0);
}

async fn a_token_stands_for_its_declaration(on: On) {
    let server = Server::start(on).await;
    let (_, _, checkpoint) = venue(&server).await;
    let mut sick = declaration();
    sick["answers"]["symptoms"] = json!({"yes": true, "which": ["cough"]});
    sick["id_number"] = json!("001090000000");
    let (status, declared) = server
        .http
        .post("/api/v1/declarations", &json!({"declaration": sick}))
        .await;
    assert_eq!(
        (status, &declared["risk"]),
        (201, &json!("caution")),
        "{declared}"
    );
    let until = Timestamp::parse(declared["valid_until"].as_str().unwrap()).unwrap();
    let made = server.clock.now();
    assert_eq!(until.as_ms() - made.as_ms(), 24 * 3_600_000);
    assert_eq!(declared["personal_code"].as_str().unwrap().len(), 30);
    assert_eq!(count(&server, "SELECT COUNT(*) FROM passes").await, 1);
    assert_eq!(
        count(&server, "SELECT COUNT(*) FROM person_aliases").await,
        1
    );
    let arrive = async |id: Uuid| {
        let body = json!({"id": id, "checkpoint": checkpoint["code"],
            "declaration_token": declared["declaration_token"]});
        let (status, answer) = server.http.post("/api/v1/check-ins", &body).await;
        (status, answer, body)
    };
    let (status, first, body) = arrive(id(&server, 0)).await;
    assert_eq!(
        (status, &first["risk"]),
        (201, &json!("caution")),
        "{first}"
    );
    assert_eq!(first["declaration_token"], declared["declaration_token"]);
    // Judged at the arrival, not when it is sent.
    let in_time = id(&server, 23 * 3_600_000);
    let too_late = id(&server, 25 * 3_600_000);
    server.clock.set(made.plus_ms(30 * 3_600_000));
    assert_eq!(arrive(in_time).await.0, 201);
    let (status, problem, _) = arrive(too_late).await;
    assert_eq!(
        (status, &problem["errors"][0]["field"]),
        (422, &json!("declaration_token"))
    );
    assert_eq!(
        server.http.post("/api/v1/check-ins", &body).await,
        (200, first)
    );
    let one_person = "SELECT COUNT(DISTINCT person_id) FROM check_ins";
    assert_eq!(count(&server, one_person).await, 1);
    assert_eq!(count(&server, "SELECT COUNT(*) FROM declarations").await, 1);
    let bad = json!({"checkpoint": checkpoint["code"], "declaration_token": "eyJ.x.y"});
    assert_eq!(server.http.post("/api/v1/check-ins", &bad).await.0, 422);
    let (status, problem) = server
        .http
        .post("/api/v1/declarations", &json!({"declaration": {}}))
        .await;
    assert_eq!(
        (status, &problem["errors"][0]["field"]),
        (422, &json!("declaration.full_name"))
    );
}

async fn a_batch_answers_each_on_its_own(on: On) {
    let server = Server::start(on).await;
    let (_, _, checkpoint) = venue(&server).await;
    let (good, twice) = (id(&server, 0), id(&server, -60_000));
    let (_, first) = server
        .http
        .post("/api/v1/check-ins", &check_in(good, &checkpoint))
        .await;
    let mut unknown_code = check_in(id(&server, 0), &checkpoint);
    unknown_code["checkpoint"] = json!("7ZZZZZZZZZZZZZZZZZZZZZZZZZ");
    let mut unknown_field = check_in(id(&server, 0), &checkpoint);
    unknown_field["x"] = json!(1);
    let all = [
        check_in(good, &checkpoint),
        check_in(twice, &checkpoint),
        check_in(twice, &checkpoint),
        check_in(id(&server, 600_000), &checkpoint),
        unknown_code,
        unknown_field.clone(),
        json!("nonsense"),
    ];
    let body = json!({"check_ins": all});
    let (status, answer) = server.http.post("/api/v1/check-ins/batch", &body).await;
    assert_eq!(status, 200, "{answer}");
    let results = answer["results"].as_array().unwrap();
    let statuses: Vec<i64> = results
        .iter()
        .map(|r| r["status"].as_i64().unwrap())
        .collect();
    assert_eq!(statuses, [200, 201, 200, 422, 404, 422, 422]);
    let mut expected = first;
    expected["status"] = json!(200);
    assert_eq!(results[0], expected);
    assert_eq!(
        (&results[1]["id"], &results[1]["receipt"]),
        (&json!(twice), &results[2]["receipt"])
    );
    assert_eq!(results[3]["code"], "clock_out_of_range");
    assert_eq!(
        results[3]["server_time"],
        json!(server.clock.now().rfc3339())
    );
    assert_eq!(results[5]["errors"][0]["code"], "unknown_field");
    assert_eq!(results[5]["id"], unknown_field["id"]);
    assert_eq!(results[6]["id"], json!(null));
    assert_eq!(count(&server, CHECK_INS).await, 2);
    let many = |n: usize| json!({"check_ins": vec![json!({}); n]});
    assert_eq!(
        server
            .http
            .post("/api/v1/check-ins/batch", &many(100))
            .await
            .0,
        200
    );
    let (status, problem) = server
        .http
        .post("/api/v1/check-ins/batch", &many(101))
        .await;
    assert_eq!(
        (status, &problem["errors"][0]["code"]),
        (422, &json!("too_many"))
    );
    let large = json!({"check_ins": ["x".repeat(1024 * 1024)]});
    assert_eq!(
        server.http.post("/api/v1/check-ins/batch", &large).await.0,
        413
    );
}

async fn check_outs_keep_to_the_stay(on: On) {
    let server = Server::start(on).await;
    let (owner, place, here) = venue(&server).await;
    let there = checkpoint(&owner, &place).await;
    let id = id(&server, 0);
    let entered = server.clock.now();
    assert_eq!(
        server
            .http
            .post("/api/v1/check-ins", &check_in(id, &here))
            .await
            .0,
        201
    );
    let leave = async |id: Uuid, place: &Value, left: Option<Timestamp>| {
        let body = match left {
            Some(at) => json!({"checkpoint": place["code"], "left_at": at}),
            None => json!({"checkpoint": place["code"]}),
        };
        server
            .http
            .post(&format!("/api/v1/check-ins/{id}/check-out"), &body)
            .await
    };
    server.clock.set(entered.plus_ms(3_600_000));
    let (status, answer) = leave(id, &here, None).await;
    assert_eq!(
        (status, &answer["left_at"]),
        (200, &json!(server.clock.now().rfc3339()))
    );
    let earlier = entered.plus_ms(600_000);
    let (status, answer) = leave(id, &here, Some(earlier)).await;
    assert_eq!(
        (status, &answer["left_at"]),
        (200, &json!(earlier.rfc3339())),
        "{answer}"
    );
    let kept = "SELECT left_at - entered_at FROM check_ins WHERE left_source = 'v'";
    assert_eq!(
        count(&server, kept).await,
        600_000,
        "the later call replaces"
    );
    for (left, code) in [
        (entered.plus_ms(-1), "before_entry"),
        (entered.plus_ms(3_600_000 + 120_001), "in_the_future"),
    ] {
        let (status, problem) = leave(id, &here, Some(left)).await;
        assert_eq!((status, &problem["errors"][0]["code"]), (422, &json!(code)));
    }
    assert_eq!(leave(id, &there, None).await.0, 404, "another checkpoint");
    let unknown = ids::v7(entered, &Random::System);
    assert_eq!(leave(unknown, &here, None).await.0, 404);
    assert_eq!(leave(ids::v4(&Random::System), &here, None).await.0, 404);
    assert_eq!(leave(id, &json!({"code": "nonsense"}), None).await.0, 404);
    server.clock.set(entered.plus_ms(24 * 3_600_000));
    assert_eq!(leave(id, &here, None).await.0, 200, "exactly a day");
    server.clock.set(entered.plus_ms(24 * 3_600_000 + 1));
    let (status, problem) = leave(id, &here, None).await;
    assert_eq!(
        (status, &problem["errors"][0]["code"]),
        (422, &json!("stay_too_long"))
    );
}

async fn one_id_many_times_at_once_is_stored_once(on: On) {
    let server = Server::start(on).await;
    let (_, _, checkpoint) = venue(&server).await;
    let body = check_in(id(&server, 0), &checkpoint);
    let tasks: Vec<_> = (0..64)
        .map(|n| {
            let (http, mut body) = (server.http.clone(), body.clone());
            body["declaration"]["birth_year"] = json!(1930 + n);
            tokio::spawn(async move { http.post("/api/v1/check-ins", &body).await })
        })
        .collect();
    let mut answers = Vec::new();
    for task in tasks {
        answers.push(task.await.unwrap());
    }
    let fresh = answers.iter().filter(|(status, _)| *status == 201).count();
    assert_eq!(fresh, 1);
    assert!(
        answers
            .iter()
            .all(|(status, _)| [200, 201].contains(status))
    );
    assert!(answers.iter().all(|(_, answer)| *answer == answers[0].1));
    assert_eq!(count(&server, CHECK_INS).await, 1);
    assert_eq!(count(&server, "SELECT COUNT(*) FROM declarations").await, 1);
}

/// Returning visitors are written with one statement, where nobody of them comes again.
async fn of_a_crowd_only_who_comes_again_is_known(on: On) {
    let server = Server::start(on).await;
    let (_, _, checkpoint) = venue(&server).await;
    let old = check_in(id(&server, 0), &checkpoint);
    let (status, first) = server.http.post("/api/v1/check-ins", &old).await;
    assert_eq!(status, 201);
    for round in 1..=3 {
        server.app.door.journal.settle().await.unwrap();
        let mut bodies: Vec<Value> = (0..40)
            .map(|_| {
                json!({"id": id(&server, 0), "checkpoint": checkpoint["code"],
                    "declaration_token": first["declaration_token"]})
            })
            .collect();
        bodies.push(json!({"id": old["id"], "checkpoint": checkpoint["code"],
            "declaration_token": first["declaration_token"]}));
        let sent = bodies
            .iter()
            .map(|body| server.http.post("/api/v1/check-ins", body));
        let answers = join_all(sent).await;
        let (last, new) = answers.split_last().unwrap();
        assert_eq!(*last, (200, first.clone()));
        assert!(new.iter().all(|(status, _)| *status == 201));
        assert_eq!(count(&server, CHECK_INS).await, 1 + 40 * round);
    }
}

async fn one_id_at_two_checkpoints_answers_the_same_again(on: On) {
    let server = Server::start(on).await;
    let (owner, place, here) = venue(&server).await;
    let there = checkpoint(&owner, &place).await;
    let id = id(&server, 0);
    let post = async |body: &Value| server.http.post("/api/v1/check-ins", body).await;
    let (_, first) = post(&check_in(id, &here)).await;
    let mut other = check_in(id, &there);
    other["declaration"]["answers"]["contact_case"] = json!(true);
    let (status, second) = post(&other).await;
    assert_eq!(
        (status, &second["risk"]),
        (201, &json!("clear")),
        "the first declaration stands"
    );
    assert_ne!(second["receipt"], first["receipt"]);
    assert_eq!(post(&other).await, (200, second));
    assert_eq!(post(&check_in(id, &here)).await, (200, first));
}

async fn a_restart_forgets_nothing(on: On) {
    let server = Server::start(on).await;
    let (_, _, checkpoint) = venue(&server).await;
    let body = check_in(id(&server, 0), &checkpoint);
    let (status, first) = server.http.post("/api/v1/check-ins", &body).await;
    assert_eq!(status, 201);
    let server = server.restart().await;
    assert_eq!(
        server.http.post("/api/v1/check-ins", &body).await,
        (200, first.clone())
    );
    let again = json!({"checkpoint": checkpoint["code"],
        "declaration_token": first["declaration_token"]});
    assert_eq!(server.http.post("/api/v1/check-ins", &again).await.0, 201);
}

async fn nothing_personal_lies_about(on: On) {
    let server = Server::start(on).await;
    let (_, _, checkpoint) = venue(&server).await;
    let canaries = [
        "Kanarienvogel",
        "0977654321",
        "977654321",
        "001090987654",
        "kanari@example.vn",
        "Vogelweg",
    ];
    let mut body = check_in(id(&server, 0), &checkpoint);
    body["declaration"]["full_name"] = json!("Kanarienvogel Mẫu");
    body["declaration"]["phone"] = json!("0977654321");
    body["declaration"]["id_number"] = json!("001090987654");
    body["declaration"]["email"] = json!("kanari@example.vn");
    body["declaration"]["address"]["street"] = json!("Vogelweg 1");
    body["declaration"]["answers"]["travel"] = json!({"yes": true, "detail": "Kanarienvogel"});
    let (status, answer) = server.http.post("/api/v1/check-ins", &body).await;
    assert_eq!(status, 201);
    let mut seen = answer.to_string();
    let (_, declared) = server
        .http
        .post(
            "/api/v1/declarations",
            &json!({"declaration": body["declaration"]}),
        )
        .await;
    seen.push_str(&declared.to_string());
    for (pointer, value) in [
        ("/declaration/full_name", json!({"Kanarienvogel": 1})),
        ("/declaration/birth_year", json!("0977654321")),
        ("/declaration/phone", json!("0977654321x")),
        ("/declaration/id_number", json!("001090987654x001090987654")),
        ("/declaration/email", json!("Kanarienvogel")),
        (
            "/declaration/answers/symptoms/which",
            json!(["Kanarienvogel"]),
        ),
        ("/id", json!("Kanarienvogel")),
    ] {
        let mut bad = body.clone();
        bad["id"] = json!(id(&server, 0));
        *bad.pointer_mut(pointer).unwrap() = value;
        let (status, problem) = server.http.post("/api/v1/check-ins", &bad).await;
        assert_eq!(status, 422, "{pointer}");
        seen.push_str(&problem.to_string());
        let batch = json!({"check_ins": [bad]});
        let (_, results) = server.http.post("/api/v1/check-ins/batch", &batch).await;
        seen.push_str(&results.to_string());
    }
    let raw = raw_store(&server).await;
    let stored = |text: &[u8]| raw.windows(text.len()).any(|window| window == text);
    assert!(stored(b"clear"), "what is stored in clear is found");
    for canary in canaries {
        assert!(!seen.contains(canary), "{canary} in an answer");
        for form in [canary.to_owned(), hex(canary)] {
            let found = raw
                .windows(form.len())
                .any(|window| window == form.as_bytes());
            assert!(!found, "{form} in the store");
        }
    }
}

fn hex(text: &str) -> String {
    text.bytes().map(|byte| format!("{byte:02x}")).collect()
}

/// Every byte of the database file and its log, or every row of every table as text.
async fn raw_store(server: &Server) -> Vec<u8> {
    use diem_kiem_dich::store::Target;
    match &server.settings.database {
        Target::Sqlite(path) => {
            let mut log = path.clone().into_os_string();
            log.push("-wal");
            let mut raw = std::fs::read(path).unwrap();
            raw.extend(std::fs::read(log).unwrap_or_default());
            raw
        }
        Target::Postgres(url, _) => {
            use sqlx::{AssertSqlSafe, Connection, SqlSafeStr};
            let mut conn = sqlx::PgConnection::connect(url).await.unwrap();
            let tables: Vec<(String,)> = sqlx::query_as(
                "SELECT tablename::text FROM pg_tables WHERE schemaname = current_schema()",
            )
            .fetch_all(&mut conn)
            .await
            .unwrap();
            let mut raw = Vec::new();
            for (table,) in tables {
                let text = AssertSqlSafe(format!("SELECT t::text FROM {table} t")).into_sql_str();
                let rows: Vec<(String,)> = sqlx::query_as(text).fetch_all(&mut conn).await.unwrap();
                rows.iter().for_each(|(row,)| raw.extend(row.bytes()));
            }
            raw
        }
    }
}

async fn a_venue_sees_masked_arrivals(on: On) {
    use diem_kiem_dich::{checkins, store};
    let server = Server::start(on).await;
    let (_, _, checkpoint) = venue(&server).await;
    let code = checkpoint["code"].as_str().unwrap().parse().unwrap();
    let number = server.app.directory.by_code(code).unwrap().checkpoint.id;
    let mut at = Vec::new();
    // 08:30 in Vietnam; nine hours ago was yesterday.
    for ms in [-9 * 3_600_000, -3_600_000, -1000, 0] {
        let id = id(&server, ms);
        at.push(id);
        let mut body = check_in(id, &checkpoint);
        body["companions"] = json!(2);
        assert_eq!(server.http.post("/api/v1/check-ins", &body).await.0, 201);
    }
    let path = format!("/api/v1/check-ins/{}/check-out", at[1]);
    let out = json!({"checkpoint": checkpoint["code"]});
    assert_eq!(server.http.post(&path, &out).await.0, 200);
    let day = server.clock.now();
    server.app.door.journal.settle().await.unwrap();
    let keys = &server.app.keys;
    let (hours, page, rest) = server
        .app
        .db
        .read(async |tx| {
            let hours = checkins::hours(tx, &[number], day).await?;
            let page = checkins::arrivals(tx, keys, &[number], day, None, 2).await?;
            let after = page.last().map(|last| last.id);
            let rest = checkins::arrivals(tx, keys, &[number], day, after, 2).await?;
            Ok::<_, store::Error>((hours, page, rest))
        })
        .await
        .unwrap();
    let counts: Vec<_> = hours
        .iter()
        .map(|hour| (hour.check_ins, hour.people))
        .collect();
    assert_eq!((counts[7], counts[8]), ((1, 3), (2, 6)));
    assert_eq!(counts.iter().map(|(n, _)| n).sum::<i64>(), 3);
    let found: Vec<Uuid> = page.iter().chain(&rest).map(|arrival| arrival.id).collect();
    assert_eq!(found, [at[3], at[2], at[1]]);
    assert_eq!(page[0].name.as_deref(), Some("Nguyễn Văn***"));
    assert_eq!(page[0].phone.as_deref(), Some("0901234 ***"));
    assert_eq!((page[0].headcount, page[0].left_at), (3, None));
    assert_eq!(rest[0].left_at, Some(day));
}
