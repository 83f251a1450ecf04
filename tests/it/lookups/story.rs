//! From the report of a case to the list of who was there.

use diem_kiem_dich::{accounts::Role, privacy::audit, store::Error};
use serde_json::{Value, json};

use super::{World, at, phone};
use crate::{kit::On, on_both};

on_both! {
    a_case_has_a_number_a_window_and_visits,
    a_case_of_another_office_is_not_there,
    who_was_there_and_for_how_long,
    stays_that_touch_do_not_meet,
    a_missing_check_out_is_assumed_and_shown_so,
    minutes_add_up_over_sites_within_a_day,
    gates_of_one_space_are_joined,
    a_place_and_a_window,
    a_person_who_is_no_case,
    several_cases_list_everybody_once,
    without_reason_and_document_no_answer,
    people_of_another_province_are_counted_and_not_listed,
    a_window_before_the_oldest_stay_says_so,
    running_again_tells_what_is_new,
    a_large_run_opens_after_a_second_person,
    files_hold_what_the_list_shows,
    every_look_is_in_the_log,
    the_second_ring_follows_time,
    companions_are_a_note,
}

const OFFICE: &str = r#"{"name":"Văn phòng","kind":"office"}"#;

fn body(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

async fn a_case_has_a_number_a_window_and_visits(on: On) {
    let world = World::start(on).await;
    let (_, code) = world.checkpoint(body(OFFICE)).await;
    world.stay(1, &code, 0, Some(60)).await;
    world.stay(1, &code, 120, None).await;
    world.stay(2, &code, 0, None).await;
    let case = world.case(1).await;
    assert_eq!(case["number"], "2026-0001");
    assert_eq!(case["visits"], 2);
    let infectious = &case["infectious"];
    assert_eq!(infectious["from"], "2026-11-14T17:00:00.000Z");
    assert_eq!(infectious["until"], Value::Null);
    assert_eq!(infectious["rule"], "vn-11042");
    assert!(
        infectious["because"]
            .as_str()
            .unwrap()
            .contains("17/11/2026")
    );
    let now = world.server.clock.now();
    world.server.clock.set(now.plus_ms(1));
    let second = world.case(2).await;
    assert_eq!(second["number"], "2026-0002");
    let path = format!("/api/v1/cases/{}", case["id"].as_str().unwrap());
    let (status, file) = world.officer.get(&path).await;
    assert_eq!(status, 200, "{file}");
    assert_eq!(file["patient"]["phone"], phone(1));
    assert_eq!(file["stays"][0]["checkpoint"]["name"], "Văn phòng");
    assert_eq!(file["stays"][0]["until"], at(60));
    assert_eq!(file["stays"][1]["assumed"], true);
    let (_, list) = world.officer.get("/api/v1/cases?limit=1").await;
    assert_eq!(list["items"][0]["number"], "2026-0002");
    let next = list["next"].as_str().unwrap();
    let (_, list) = world
        .officer
        .get(&format!("/api/v1/cases?limit=1&cursor={next}"))
        .await;
    assert_eq!(list["items"][0]["number"], "2026-0001");
    assert_eq!(list["next"], Value::Null);
    assert!(!list.to_string().contains("Người"), "a list names nobody");
}

async fn a_case_of_another_office_is_not_there(on: On) {
    let world = World::start(on).await;
    let case = world.case(1).await;
    let other = world.server.login_as(Role::HealthOfficer, Some("79")).await;
    let path = format!("/api/v1/cases/{}", case["id"].as_str().unwrap());
    assert_eq!(other.get(&path).await.0, 404);
    let order = json!({"case": case["id"], "reason": "a", "document": "b"});
    assert_eq!(other.post("/api/v1/lookups", &order).await.0, 404);
    let (_, list) = other.get("/api/v1/cases").await;
    assert_eq!(list["items"], json!([]));
    let whole_country = world.server.login_as(Role::HealthLead, None).await;
    assert_eq!(whole_country.get(&path).await.0, 200);
    let run = world.look_up(json!({"case": case["id"]})).await;
    let path = format!("/api/v1/lookups/{}", run["id"].as_str().unwrap());
    assert_eq!(other.get(&path).await.0, 404);
    assert_eq!(world.officer.get(&path).await.0, 200);
}

async fn who_was_there_and_for_how_long(on: On) {
    let world = World::start(on).await;
    let (_, code) = world.checkpoint(body(OFFICE)).await;
    world.stay(1, &code, 0, Some(60)).await;
    world.stay(2, &code, 30, Some(90)).await;
    world.stay(3, &code, -60, Some(120)).await;
    world.stay(4, &code, 70, Some(80)).await;
    let case = world.case(1).await;
    let run = world.look_up(json!({"case": case["id"]})).await;
    assert_eq!(run["counts"]["ring1"], 3);
    assert_eq!(run["parameters"]["min_minutes"], 0);
    let named = |name: &str, certain, possible| {
        (name.to_owned(), "Văn phòng".to_owned(), certain, possible)
    };
    // An office keeps its air for half an hour.
    assert_eq!(
        world.people(&run, 1).await,
        [
            named(&phone(3), 60.0, 90.0),
            named(&phone(2), 30.0, 60.0),
            named(&phone(4), 0.0, 10.0),
        ]
    );
    let no_air = world
        .look_up(json!({"case": case["id"], "residual_air_minutes": 0}))
        .await;
    assert_eq!(
        world.people(&no_air, 1).await,
        [named(&phone(3), 60.0, 60.0), named(&phone(2), 30.0, 30.0)]
    );
    let longer = world
        .look_up(json!({"case": case["id"], "residual_air_minutes": 0, "min_minutes": 31}))
        .await;
    assert_eq!(longer["counts"]["ring1"], 1);
    let window = json!({"from": at(40), "until": at(50)});
    let narrow = world
        .look_up(json!({"case": case["id"], "residual_air_minutes": 0, "infectious": window}))
        .await;
    let people = world.people(&narrow, 1).await;
    assert!(
        people.iter().all(|row| row.2 == 10.0 && row.3 == 10.0),
        "{people:?}"
    );
    assert_eq!(people.len(), 2);
}

async fn stays_that_touch_do_not_meet(on: On) {
    let world = World::start(on).await;
    let (_, code) = world.checkpoint(body(OFFICE)).await;
    world.stay(1, &code, 0, Some(60)).await;
    world.stay(2, &code, 60, Some(90)).await;
    world.stay(3, &code, -30, Some(0)).await;
    let case = world.case(1).await;
    let order = json!({"case": case["id"], "residual_air_minutes": 0});
    let run = world.look_up(order).await;
    assert_eq!(run["counts"]["ring1"], 0);
    assert_eq!(world.items(&run, 1).await.len(), 0);
    // The air outlasts the case and never precedes it.
    let run = world.look_up(json!({"case": case["id"]})).await;
    let people = world.people(&run, 1).await;
    assert_eq!(people.len(), 1);
    assert_eq!(
        (people[0].0.as_str(), people[0].2, people[0].3),
        (phone(2).as_str(), 0.0, 30.0)
    );
}

async fn a_missing_check_out_is_assumed_and_shown_so(on: On) {
    let world = World::start(on).await;
    let (_, shop) = world
        .checkpoint(json!({"name": "Cửa hàng", "kind": "business", "stay_minutes": 20}))
        .await;
    let (_, market) = world
        .checkpoint(json!({"name": "Chợ", "kind": "market"}))
        .await;
    world.stay(1, &shop, 0, Some(60)).await;
    world.stay(2, &shop, 30, None).await;
    // Scans elsewhere after 5 minutes.
    world.stay(3, &shop, 30, None).await;
    world.stay(3, &market, 35, None).await;
    let case = world.case(1).await;
    let order = json!({"case": case["id"], "residual_air_minutes": 0});
    let run = world.look_up(order).await;
    let items = world.items(&run, 1).await;
    assert!(items.iter().all(|item| item["assumed"] == true));
    let people = world.people(&run, 1).await;
    assert_eq!(people[0], (phone(2), "Cửa hàng".to_owned(), 0.0, 20.0));
    assert_eq!(people[1], (phone(3), "Cửa hàng".to_owned(), 0.0, 5.0));
    assert_eq!(items[0]["grade"], "possible");
    assert_eq!(items[0]["until"], at(50));
}

async fn minutes_add_up_over_sites_within_a_day(on: On) {
    let world = World::start(on).await;
    let (_, one) = world
        .checkpoint(json!({"name": "Một", "kind": "market"}))
        .await;
    let (_, two) = world
        .checkpoint(json!({"name": "Hai", "kind": "market"}))
        .await;
    for (code, from) in [(&one, 0), (&two, 200)] {
        world.stay(1, code, from, Some(from + 8)).await;
        world.stay(2, code, from, Some(from + 8)).await;
    }
    let case = world.case(1).await;
    let run = world
        .look_up(json!({"case": case["id"], "min_minutes": 15}))
        .await;
    let people = world.people(&run, 1).await;
    assert_eq!(people.len(), 2, "{people:?}");
    assert!(people.iter().all(|row| row.2 == 8.0));
    let run = world
        .look_up(json!({"case": case["id"], "min_minutes": 17}))
        .await;
    assert_eq!(run["counts"]["ring1"], 0);
}

async fn gates_of_one_space_are_joined(on: On) {
    let world = World::start(on).await;
    let (id, north) = world
        .checkpoint(json!({"name": "Cổng bắc", "kind": "market"}))
        .await;
    let (_, south) = world
        .checkpoint(json!({"name": "Cổng nam", "kind": "market", "gate_of": id}))
        .await;
    let (_, other) = world
        .checkpoint(json!({"name": "Khác", "kind": "market"}))
        .await;
    world.stay(1, &north, 0, Some(30)).await;
    world.stay(2, &south, 10, Some(20)).await;
    world.stay(3, &other, 10, Some(20)).await;
    let case = world.case(1).await;
    let run = world.look_up(json!({"case": case["id"]})).await;
    assert_eq!(
        world.people(&run, 1).await,
        [(phone(2), "Cổng nam".to_owned(), 10.0, 10.0)]
    );
}

async fn a_place_and_a_window(on: On) {
    let world = World::start(on).await;
    let (_, code) = world.checkpoint(body(OFFICE)).await;
    world.stay(1, &code, 0, Some(60)).await;
    world.stay(2, &code, 50, None).await;
    world.stay(3, &code, 60, Some(90)).await;
    let order =
        json!({"checkpoint": {"code": code.to_lowercase(), "from": at(10), "until": at(60)}});
    let run = world.look_up(order).await;
    let people = world.people(&run, 1).await;
    let rows: Vec<_> = people.iter().map(|p| (p.0.as_str(), p.2, p.3)).collect();
    assert_eq!(
        rows,
        [
            (phone(1).as_str(), 50.0, 50.0),
            (phone(2).as_str(), 0.0, 10.0)
        ]
    );
    let unknown = json!({"reason": "a", "document": "b",
        "checkpoint": {"code": "00000000000000000000000000", "from": at(0), "until": at(1)}});
    assert_eq!(world.officer.post("/api/v1/lookups", &unknown).await.0, 404);
}

async fn a_person_who_is_no_case(on: On) {
    let world = World::start(on).await;
    let (_, code) = world.checkpoint(body(OFFICE)).await;
    world.stay(1, &code, 0, Some(60)).await;
    world.stay(2, &code, 30, Some(90)).await;
    let order = json!({"person": {"phone": "+84 901 000 001"}, "residual_air_minutes": 0});
    let run = world.look_up(order).await;
    assert_eq!(run["warnings"], json!([]));
    let people = world.people(&run, 1).await;
    assert_eq!(people.len(), 1);
    assert_eq!(
        (people[0].0.as_str(), people[0].2),
        (phone(2).as_str(), 30.0)
    );
    assert!(!run.to_string().contains("901000001"), "{run}");
    let nobody = world
        .look_up(json!({"person": {"phone": "0909999999"}}))
        .await;
    assert_eq!(nobody["warnings"][0]["code"], "no_visits");
}

async fn several_cases_list_everybody_once(on: On) {
    let world = World::start(on).await;
    let (_, code) = world
        .checkpoint(json!({"name": "Chợ", "kind": "market"}))
        .await;
    world.stay(1, &code, 0, Some(30)).await;
    world.stay(2, &code, 20, Some(60)).await;
    world.stay(3, &code, 0, Some(90)).await;
    let (one, two) = (world.case(1).await, world.case(2).await);
    // The same patient reported twice is one person all the same.
    let again = world.case(2).await;
    let order = json!({"cases": [one["id"], two["id"], again["id"]]});
    let run = world.look_up(order).await;
    assert_eq!(run["counts"]["ring1"], 1);
    assert_eq!(
        world.people(&run, 1).await,
        [(phone(3), "Chợ".to_owned(), 60.0, 60.0)]
    );
    let run = world.look_up(json!({"case": one["id"]})).await;
    let items = world.items(&run, 1).await;
    let known: Vec<_> = items
        .iter()
        .map(|item| item["flags"]["known_case"].as_bool().unwrap())
        .collect();
    assert_eq!(known.iter().filter(|known| **known).count(), 1);
}

async fn without_reason_and_document_no_answer(on: On) {
    let world = World::start(on).await;
    let case = world.case(1).await;
    let (status, problem) = world
        .officer
        .post("/api/v1/lookups", &json!({"case": case["id"]}))
        .await;
    assert_eq!(status, 422);
    assert_eq!(problem["errors"].as_array().unwrap().len(), 2);
    let owner = &world.owner;
    let order = json!({"case": case["id"], "reason": "a", "document": "b"});
    assert_eq!(owner.post("/api/v1/lookups", &order).await.0, 403);
    assert_eq!(
        world.server.http.post("/api/v1/lookups", &order).await.0,
        401
    );
    let unknown =
        json!({"case": "00000000-0000-4000-8000-000000000001", "reason": "a", "document": "b"});
    assert_eq!(world.officer.post("/api/v1/lookups", &unknown).await.0, 404);
}

async fn people_of_another_province_are_counted_and_not_listed(on: On) {
    let world = World::start(on).await;
    let (_, code) = world.checkpoint(body(OFFICE)).await;
    world.stay(1, &code, 0, Some(60)).await;
    world.stay(2, &code, 0, Some(60)).await;
    let regions = &world.server.app.regions;
    let elsewhere = regions.wards(diem_kiem_dich::regions::Catalogue::default(), "79")[0].code;
    world
        .stay_of(3, &code, 0, Some(60), ("79", elsewhere), 0)
        .await;
    let case = world.case(1).await;
    let run = world.look_up(json!({"case": case["id"]})).await;
    assert_eq!(run["counts"]["ring1"], 2);
    assert_eq!(run["referrals"], json!([{"province": "79", "n": 1}]));
    let people = world.people(&run, 1).await;
    assert_eq!(people.len(), 1);
    assert_eq!(people[0].0, phone(2));
    let (_, file) = world.file(&run, "csv").await;
    assert!(!String::from_utf8(file).unwrap().contains(&phone(3)));
}

async fn a_window_before_the_oldest_stay_says_so(on: On) {
    let world = World::start(on).await;
    let (_, code) = world.checkpoint(body(OFFICE)).await;
    world.stay(1, &code, 0, Some(60)).await;
    let case = world.case(1).await;
    let order = json!({"case": case["id"], "infectious": {"from": "2026-10-01T00:00:00Z"}});
    let run = world.look_up(order).await;
    assert_eq!(run["warnings"][0]["code"], "retention_edge");
    let run = world.look_up(json!({"case": case["id"]})).await;
    assert_eq!(run["warnings"], json!([]));
}

async fn running_again_tells_what_is_new(on: On) {
    let world = World::start(on).await;
    let (_, code) = world.checkpoint(body(OFFICE)).await;
    world.stay(1, &code, 0, Some(60)).await;
    world.stay(2, &code, 0, Some(60)).await;
    let case = world.case(1).await;
    let run = world.look_up(json!({"case": case["id"]})).await;
    let path = format!("/api/v1/lookups/{}/rerun", run["id"].as_str().unwrap());
    let (status, same) = world.officer.post(&path, &json!({})).await;
    assert_eq!(status, 201, "{same}");
    assert_eq!(same["diff"], json!({"added": 0, "withdrawn": 0}));
    let hashes: Vec<(Vec<u8>,)> = world
        .server
        .app
        .db
        .read(async |tx| {
            tx.query("SELECT DISTINCT result_hash FROM lookup_runs")
                .all()
                .await
        })
        .await
        .map_err(|error: Error| error)
        .unwrap();
    assert_eq!(hashes.len(), 1, "the same data has the same hash");
    world.stay(3, &code, 0, Some(60)).await;
    let (_, late) = world.officer.post(&path, &json!({})).await;
    assert_eq!(late["diff"], json!({"added": 1, "withdrawn": 0}));
    assert_eq!(late["parent"], run["id"]);
    // The old run is as it was.
    let path = format!("/api/v1/lookups/{}", run["id"].as_str().unwrap());
    let (_, old) = world.officer.get(&path).await;
    assert_eq!(old, run);
    assert_eq!(world.items(&run, 1).await.len(), 1);
}

async fn a_large_run_opens_after_a_second_person(on: On) {
    let world = World::start(on).await;
    let (_, code) = world.checkpoint(body(OFFICE)).await;
    world.stay(1, &code, 0, Some(60)).await;
    world.stay(2, &code, 0, Some(60)).await;
    let lead = world.server.login_as(Role::HealthLead, Some("80")).await;
    let second = world.server.login_as(Role::HealthLead, Some("80")).await;
    let case = world.case(1).await;
    let order = json!({"case": case["id"], "reason": "a", "document": "b"});
    let (_, run) = lead.post("/api/v1/lookups", &order).await;
    let id = run["id"].as_str().unwrap();
    world
        .server
        .app
        .db
        .write(async |tx| {
            tx.query("UPDATE lookup_runs SET ring1 = 10001")
                .execute()
                .await?;
            Ok::<_, Error>(())
        })
        .await
        .unwrap();
    let people = format!("/api/v1/lookups/{id}/exposures");
    let (status, problem) = second.get(&people).await;
    assert_eq!((status, &problem["code"]), (403, &json!("release_needed")));
    assert_eq!(world.file(&run, "csv").await.0, 403);
    assert_eq!(world.file(&run, "xlsx").await.0, 403);
    let release = format!("/api/v1/lookups/{id}/release");
    let nothing = json!({});
    assert_eq!(world.officer.post(&release, &nothing).await.0, 403);
    assert_eq!(lead.post(&release, &nothing).await.0, 403);
    let (status, released) = second.post(&release, &nothing).await;
    assert_eq!((status, &released["state"]), (200, &json!("released")));
    assert_eq!(lead.get(&people).await.0, 200);
    assert_eq!(world.file(&run, "csv").await.0, 200);
}

async fn files_hold_what_the_list_shows(on: On) {
    let world = World::start(on).await;
    let (_, code) = world
        .checkpoint(json!({"name": "=HYPERLINK(\"x\")", "kind": "market"}))
        .await;
    world.stay(1, &code, 0, Some(60)).await;
    world.stay(2, &code, 30, Some(61)).await;
    let case = world.case(1).await;
    let run = world.look_up(json!({"case": case["id"]})).await;
    let (status, file) = world.file(&run, "csv").await;
    assert_eq!(status, 200);
    let text = String::from_utf8(file).unwrap();
    let text = text.strip_prefix('\u{feff}').unwrap();
    let mut lines = text.lines();
    assert_eq!(
        lines.next(),
        Some(
            "run,rule,ring,person,full_name,phone,via,checkpoint,checkpoint_name,from,until,\
             certain_minutes,possible_minutes,score,status"
        )
    );
    let row = lines.next().unwrap();
    assert!(row.contains(&format!(
        ",1,{},",
        world.items(&run, 1).await[0]["person"].as_str().unwrap()
    )));
    assert!(
        row.contains(&format!("Người Thứ 2,{},,{code},", phone(2))),
        "{row}"
    );
    assert!(row.contains("'=HYPERLINK"), "{row}");
    assert!(
        row.contains(&format!("{},{},30.0,30.0,", at(30), at(60))),
        "{row}"
    );
    assert!(row.ends_with(",candidate"));
    assert_eq!(lines.next(), None);
    let (status, file) = world.file(&run, "xlsx").await;
    assert_eq!(status, 200);
    let mut book: calamine::Xlsx<_> = calamine::Reader::new(std::io::Cursor::new(file)).unwrap();
    let sheet = calamine::Reader::worksheet_range(&mut book, "Exposures").unwrap();
    assert_eq!(sheet.get_value((1, 4)).unwrap().to_string(), "Người Thứ 2");
    assert_eq!(sheet.get_value((1, 5)).unwrap().to_string(), phone(2));
    let about = calamine::Reader::worksheet_range(&mut book, "Run").unwrap();
    assert!(about.rows().any(|row| row[1].to_string() == "12/CDC"));
}

async fn every_look_is_in_the_log(on: On) {
    let world = World::start(on).await;
    let (_, code) = world.checkpoint(body(OFFICE)).await;
    world.stay(1, &code, 0, Some(60)).await;
    world.stay(2, &code, 0, Some(60)).await;
    let case = world.case(1).await;
    let path = format!("/api/v1/cases/{}", case["id"].as_str().unwrap());
    world.officer.get(&path).await;
    let run = world.look_up(json!({"case": case["id"]})).await;
    world.items(&run, 1).await;
    world.file(&run, "csv").await;
    let (entries, verdict) = world
        .server
        .app
        .db
        .read(async |tx| {
            let entries: Vec<(String, Option<String>, Option<i64>)> = tx
                .query("SELECT action, document, people FROM audit_log ORDER BY seq")
                .all()
                .await?;
            Ok::<_, Error>((entries, audit::verify(tx).await?))
        })
        .await
        .unwrap();
    let document = Some("12/CDC".to_owned());
    let entry =
        |action: &str, document: &Option<String>| (action.to_owned(), document.clone(), Some(1));
    assert_eq!(
        entries,
        [
            entry("case.reported", &None),
            entry("case.viewed", &None),
            entry("lookup.created", &document),
            entry("lookup.viewed", &document),
            entry("lookup.exported", &document),
        ]
    );
    assert_eq!(verdict, audit::Verdict::Whole(5));
}

async fn the_second_ring_follows_time(on: On) {
    let world = World::start(on).await;
    let (_, office) = world.checkpoint(body(OFFICE)).await;
    let (_, cafe) = world
        .checkpoint(json!({"name": "Quán", "kind": "restaurant"}))
        .await;
    // 3 met 2 before 2 met the case; 4 left before 2's sum was reached; 5 met 2 afterwards.
    world.stay(2, &cafe, -200, Some(-140)).await;
    world.stay(3, &cafe, -200, Some(-140)).await;
    world.stay(1, &office, 0, Some(60)).await;
    world.stay(2, &office, 0, Some(60)).await;
    world.stay(2, &cafe, 100, Some(160)).await;
    world.stay(5, &cafe, 100, Some(160)).await;
    world.stay(1, &cafe, 300, Some(310)).await;
    let case = world.case(1).await;
    let order = json!({"case": case["id"], "rings": 2, "residual_air_minutes": 0,
        "ring2": {"min_minutes": 15, "latent_hours": 0, "infectious_days": 3}});
    let run = world.look_up(order).await;
    assert_eq!(run["counts"], json!({"ring1": 1, "ring2": 1}));
    let items = world.items(&run, 2).await;
    assert_eq!(items.len(), 1);
    assert_eq!(items[0]["contact"]["phone"], phone(5));
    assert_eq!(items[0]["certain_minutes"], 60.0);
    let first = world.items(&run, 1).await;
    assert_eq!(first[0]["via"], Value::Null);
    assert_eq!(items[0]["via"], first[0]["person"]);
    // Not infectious for a while: then nobody.
    let order = json!({"case": case["id"], "rings": 2, "residual_air_minutes": 0,
        "ring2": {"latent_hours": 48}});
    let run = world.look_up(order).await;
    assert_eq!(run["counts"], json!({"ring1": 1, "ring2": 0}));
}

async fn companions_are_a_note(on: On) {
    let world = World::start(on).await;
    let (_, code) = world.checkpoint(body(OFFICE)).await;
    world
        .stay_of(1, &code, 0, Some(60), ("80", "25459"), 2)
        .await;
    world
        .stay_of(2, &code, 0, Some(60), ("80", "25459"), 3)
        .await;
    let case = world.case(1).await;
    let run = world.look_up(json!({"case": case["id"]})).await;
    assert_eq!(run["counts"]["ring1"], 1);
    assert_eq!(run["warnings"][0]["code"], "unnamed_companions");
    let items = world.items(&run, 1).await;
    assert_eq!(items[0]["flags"]["unnamed_companions"], 3);
}
