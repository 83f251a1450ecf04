//! Venues and checkpoints: registering, one's own and other people's, what anybody may see.

use diem_kiem_dich::{
    accounts::Role,
    base::{Clock, Random},
    venues::Directory,
};
use serde_json::{Value, json};

use crate::{
    kit::{self, Http, On, Server},
    on_both,
};

on_both! {
    a_venue_registers_itself_and_logs_in,
    one_number_registers_once,
    every_mistake_of_a_registration_is_named,
    names_go_through_unchanged,
    checkpoints_are_made_and_changed,
    a_gate_shares_the_space_of_another,
    somebody_elses_and_missing_are_alike,
    lists_are_paged,
    codes_are_read_as_people_type_them,
    a_closed_checkpoint_says_so_and_opens_again,
    another_process_learns_of_a_checkpoint,
    a_plate_and_a_contact_never_stand_in_clear,
    regions_are_listed,
}

/// A venue's registration with this phone number.
pub fn registration(phone: &str) -> Value {
    json!({
        "name": "Chợ Mẫu", "kind": "market",
        "address": {"province": "80", "ward": "25459", "street": "12 Lê Lợi"},
        "contact": {"name": "Đỗ Thị Ổi", "phone": phone},
        "password": "mat-khau-cua-cho",
    })
}

/// A registered venue: its owner's client and its id.
pub async fn registered(server: &Server, phone: &str) -> (Http, String) {
    let (status, made) = server
        .http
        .post("/api/v1/venues", &registration(phone))
        .await;
    assert_eq!(status, 201, "{made}");
    let owner = server.login(phone, "mat-khau-cua-cho").await;
    (owner, made["venue"]["id"].as_str().unwrap().to_owned())
}

async fn checkpoint(owner: &Http, venue: &str, body: Value) -> Value {
    let path = format!("/api/v1/venues/{venue}/checkpoints");
    let (status, made) = owner.post(&path, &body).await;
    assert_eq!(status, 201, "{made}");
    made
}

fn mistakes(problem: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let errors = problem["errors"].as_array().unwrap();
    errors
        .iter()
        .map(|error| (text(&error["field"]), text(&error["code"])))
        .collect()
}

async fn a_venue_registers_itself_and_logs_in(on: On) {
    let server = Server::start(on).await;
    let body = registration("0901 234 567");
    let (status, made) = server.http.post("/api/v1/venues", &body).await;
    assert_eq!(status, 201, "{made}");
    assert_eq!(made["account"]["login"], "+84901234567");
    assert_eq!(made["venue"]["name"], "Chợ Mẫu");
    assert_eq!(made["venue"]["kind"], "market");
    let address = &made["venue"]["address"];
    assert_eq!(address["ward"], "25459");
    assert_eq!(address["text"], "12 Lê Lợi, Phường Tân Ninh, Tỉnh Tây Ninh");
    let owner = server.login("+84901234567", "mat-khau-cua-cho").await;
    let (status, list) = owner.get("/api/v1/venues").await;
    assert_eq!((status, &list["next"]), (200, &Value::Null));
    assert_eq!(list["items"].as_array().unwrap().len(), 1);
    assert_eq!(list["items"][0]["id"], made["venue"]["id"]);
    let id = made["venue"]["id"].as_str().unwrap();
    let (_, one) = owner.get(&format!("/api/v1/venues/{id}")).await;
    assert_eq!(one["contact"]["name"], "Đỗ Thị Ổi");
}

async fn one_number_registers_once(on: On) {
    let server = Server::start(on).await;
    registered(&server, "0901234567").await;
    let again = registration("+84 901 234 567");
    let (status, problem) = server.http.post("/api/v1/venues", &again).await;
    assert_eq!((status, &problem["code"]), (409, &json!("conflict")));
}

async fn every_mistake_of_a_registration_is_named(on: On) {
    let server = Server::start(on).await;
    let body = json!({
        "name": "a\u{202e}b", "kind": "chapel",
        "address": {"province": "80", "ward": "99999", "street": ""},
        "contact": {"name": "", "phone": "12"}, "password": "short",
    });
    let (status, problem) = server.http.post("/api/v1/venues", &body).await;
    assert_eq!(status, 422);
    let fields: Vec<_> = mistakes(&problem).into_iter().map(|(f, _)| f).collect();
    let expected = [
        "name",
        "kind",
        "address.ward",
        "contact.name",
        "contact.phone",
        "password",
    ];
    assert_eq!(fields, expected);
    let (status, problem) = server.http.post("/api/v1/venues", &json!({})).await;
    assert_eq!(status, 422);
    assert!(mistakes(&problem).contains(&("name".to_owned(), "required".to_owned())));
    let mut unknown = registration("0901234567");
    unknown["contact"]["fax"] = json!("1");
    let (status, problem) = server.http.post("/api/v1/venues", &unknown).await;
    assert_eq!(status, 422);
    let expected = ("contact.fax".to_owned(), "unknown_field".to_owned());
    assert_eq!(mistakes(&problem), [expected]);
    let text = problem.to_string();
    assert!(
        !text.contains("0901234567") && !text.contains("Ổi"),
        "{text}"
    );
}

async fn names_go_through_unchanged(on: On) {
    let server = Server::start(on).await;
    let (owner, venue) = registered(&server, "0901234567").await;
    for (sent, stored) in [
        ("=HYPERLINK(\"http://x\",\"y\")", None),
        ("Halle (Saale)", None),
        ("O'Brien", None),
        ("Đỗ Thị Ổi", None),
        ("<b>Cổng</b> & \"cửa\"", None),
        ("Quầy 1\u{301}; DROP TABLE venues--", None),
        ("  Cho\u{31b}\u{323}   Lo\u{31b}\u{301}n ", Some("Chợ Lớn")),
    ] {
        let made = checkpoint(&owner, &venue, json!({"name": sent})).await;
        let stored = stored.unwrap_or(sent);
        assert_eq!(made["name"], stored);
        let path = format!("/api/v1/checkpoints/{}", made["code"].as_str().unwrap());
        let (_, public) = server.http.get(&path).await;
        assert_eq!(public["name"], stored);
    }
}

async fn checkpoints_are_made_and_changed(on: On) {
    let server = Server::start(on).await;
    let (owner, venue) = registered(&server, "0901234567").await;
    let hours =
        json!({"mon": [["07:00", "11:30"], ["13:00", "24:00"]], "sun": [["22:00", "02:00"]]});
    let made = checkpoint(
        &owner,
        &venue,
        json!({
            "name": "Xe 01", "stay_minutes": 1440, "capacity": 45, "opening_hours": hours,
            "listed": true, "vehicle": {"plate": "70B-012.34", "route": "Tân Ninh – Gò Dầu"},
        }),
    )
    .await;
    assert_eq!(made["kind"], "vehicle");
    assert_eq!(made["opening_hours"], hours);
    assert_eq!(made["vehicle"]["plate"], "70B-012.34");
    assert_eq!(
        (&made["closed"], &made["poster_version"]),
        (&json!(false), &json!(1))
    );
    let code = made["code"].as_str().unwrap();
    assert_eq!(code.len(), 26);
    assert!(
        made["url"]
            .as_str()
            .unwrap()
            .ends_with(&format!("/c/{code}"))
    );
    let path = format!(
        "/api/v1/venues/{venue}/checkpoints/{}",
        made["id"].as_str().unwrap()
    );
    let change = json!({"name": "Xe 02", "stay_minutes": null, "opening_hours": null});
    let (status, changed) = owner.patch(&path, &change).await;
    assert_eq!(status, 200, "{changed}");
    assert_eq!(
        (&changed["name"], &changed["code"]),
        (&json!("Xe 02"), &made["code"])
    );
    assert_eq!(changed["stay_minutes"], Value::Null);
    assert_eq!(changed["capacity"], 45);
    assert_eq!(changed["vehicle"]["route"], "Tân Ninh – Gò Dầu");
    assert_eq!(changed["poster_version"], 2, "what is printed changed");
    let (_, changed) = owner
        .patch(&path, &json!({"vehicle": null, "capacity": 1}))
        .await;
    assert_eq!(
        (&changed["vehicle"], &changed["capacity"]),
        (&Value::Null, &json!(1))
    );
    assert_eq!(owner.get(&path).await.1, changed);
    let wrong = json!({
        "stay_minutes": 1441, "capacity": 0, "kind": "x", "opening_hours": {"mon": [["1", "2"]]},
    });
    let (status, problem) = owner.patch(&path, &wrong).await;
    assert_eq!(status, 422);
    let mut fields: Vec<_> = mistakes(&problem).into_iter().map(|(f, _)| f).collect();
    fields.sort();
    assert_eq!(
        fields,
        ["capacity", "kind", "opening_hours.mon", "stay_minutes"]
    );
    let (status, _) = owner.patch(&path, &json!({"code": "X"})).await;
    assert_eq!(status, 422, "unknown fields are refused");
    let plain = checkpoint(&owner, &venue, json!({"name": "Cổng", "stay_minutes": 1})).await;
    assert_eq!(
        (&plain["kind"], &plain["listed"]),
        (&json!("market"), &json!(false))
    );
}

async fn a_gate_shares_the_space_of_another(on: On) {
    let server = Server::start(on).await;
    let (owner, venue) = registered(&server, "0901234567").await;
    let main = checkpoint(&owner, &venue, json!({"name": "Cổng chính"})).await;
    let side = json!({"name": "Cổng phụ", "gate_of": main["id"]});
    let side = checkpoint(&owner, &venue, side).await;
    let third = json!({"name": "Cổng sau", "gate_of": side["id"]});
    let third = checkpoint(&owner, &venue, third).await;
    assert_eq!(
        (&side["gate_of"], &third["gate_of"]),
        (&main["id"], &main["id"])
    );
    assert_eq!(main["gate_of"], Value::Null);
    let find = |checkpoint: &Value| {
        let code = checkpoint["code"].as_str().unwrap().parse().unwrap();
        server.app.directory.by_code(code).unwrap()
    };
    let site = find(&main).checkpoint.site_id;
    assert_eq!(find(&third).checkpoint.site_id, site);
    assert_eq!(server.app.directory.of_site(site).len(), 3);
    let path = format!(
        "/api/v1/venues/{venue}/checkpoints/{}",
        side["id"].as_str().unwrap()
    );
    let (_, alone) = owner.patch(&path, &json!({"gate_of": null})).await;
    assert_eq!(alone["gate_of"], Value::Null);
    assert_eq!(server.app.directory.of_site(site).len(), 2);
    let (other, elsewhere) = registered(&server, "0901234568").await;
    let foreign = json!({"name": "Cổng", "gate_of": main["id"]});
    let path = format!("/api/v1/venues/{elsewhere}/checkpoints");
    let (status, problem) = other.post(&path, &foreign).await;
    assert_eq!(status, 422);
    assert_eq!(mistakes(&problem)[0].0, "gate_of");
}

async fn somebody_elses_and_missing_are_alike(on: On) {
    let server = Server::start(on).await;
    let (owner, venue) = registered(&server, "0901234567").await;
    let made = checkpoint(&owner, &venue, json!({"name": "Cổng"})).await;
    let id = made["id"].as_str().unwrap();
    let (other, others_venue) = registered(&server, "0901234568").await;
    let missing = "00000000-0000-4000-8000-000000000000";
    for (venue, id) in [
        (venue.as_str(), id),
        (others_venue.as_str(), id),
        (missing, missing),
        ("1", "1"),
    ] {
        let one = format!("/api/v1/venues/{venue}/checkpoints/{id}");
        let poster = format!("/api/v1/checkpoints/{id}/poster.svg");
        let mut answers = vec![
            other.get(&one).await,
            other.patch(&one, &json!({"stay_minutes": 0})).await,
            other.patch(&one, &json!({"closed": true})).await,
            other.get(&poster).await,
        ];
        if venue != others_venue {
            answers.push(other.get(&format!("/api/v1/venues/{venue}")).await);
            let all = format!("/api/v1/venues/{venue}/checkpoints");
            answers.push(other.get(&all).await);
            answers.push(other.post(&all, &json!({"name": "x"})).await);
            answers.push(other.post(&all, &json!({})).await);
            let posters = format!("/api/v1/venues/{venue}/posters.pdf");
            answers.push(other.get(&posters).await);
        }
        for (status, problem) in answers {
            assert_eq!(
                (status, &problem["code"]),
                (404, &json!("not_found")),
                "{one}"
            );
        }
    }
    let (_, untouched) = owner
        .get(&format!("/api/v1/venues/{venue}/checkpoints/{id}"))
        .await;
    assert_eq!(untouched["closed"], false);
    let officer = server.login_as(Role::HealthOfficer, Some("80")).await;
    assert_eq!(officer.get("/api/v1/venues").await.0, 403);
    assert_eq!(server.http.get("/api/v1/venues").await.0, 401);
}

async fn lists_are_paged(on: On) {
    let server = Server::start(on).await;
    let (owner, venue) = registered(&server, "0901234567").await;
    for number in 1..=5 {
        checkpoint(&owner, &venue, json!({"name": format!("Cổng {number}")})).await;
    }
    let path = format!("/api/v1/venues/{venue}/checkpoints");
    let mut names = Vec::new();
    let mut next = String::new();
    let mut pages = 0;
    loop {
        let (status, page) = owner.get(&format!("{path}?limit=2{next}")).await;
        assert_eq!(status, 200, "{page}");
        let items = page["items"].as_array().unwrap();
        assert!(items.len() <= 2);
        names.extend(items.iter().map(|item| item["name"].clone()));
        pages += 1;
        match page["next"].as_str() {
            Some(cursor) => next = format!("&cursor={cursor}"),
            None => break,
        }
    }
    assert_eq!(pages, 3);
    let expected: Vec<_> = (1..=5).map(|n| json!(format!("Cổng {n}"))).collect();
    assert_eq!(names, expected);
    for wrong in ["limit=0", "limit=501", "cursor=x", "limit=a"] {
        assert_eq!(
            owner.get(&format!("{path}?{wrong}")).await.0,
            422,
            "{wrong}"
        );
    }
}

async fn codes_are_read_as_people_type_them(on: On) {
    let server = Server::start(on).await;
    let (owner, venue) = registered(&server, "0901234567").await;
    let made = checkpoint(&owner, &venue, json!({"name": "Cổng"})).await;
    let code = made["code"].as_str().unwrap();
    let get = async |typed: &str| {
        let typed = typed.replace(' ', "%20");
        server
            .http
            .get(&format!("/api/v1/checkpoints/{typed}"))
            .await
    };
    let (status, seen) = get(code).await;
    assert_eq!(status, 200);
    assert_eq!(seen["venue"], "Chợ Mẫu");
    assert_eq!(
        (&seen["kind"], &seen["open"]),
        (&json!("market"), &json!(true))
    );
    assert_eq!(seen["server_time"], kit::START.rfc3339());
    assert!(seen["questionnaire"].is_string());
    let look_alike = code.replace('0', "o").replace('1', "L").to_lowercase();
    let grouped = format!(
        "{} {}-{}",
        &look_alike[..5],
        &look_alike[5..10],
        &look_alike[10..]
    );
    for typed in [look_alike.as_str(), grouped.as_str()] {
        assert_eq!(get(typed).await.1["code"], code, "{typed}");
    }
    let with_u = format!("{}U", &code[..25]);
    let unknown = "00000000000000000000000000";
    for wrong in [with_u.as_str(), &code[..25], unknown, "x"] {
        assert_eq!(get(wrong).await.0, 404, "{wrong}");
    }
}

async fn a_closed_checkpoint_says_so_and_opens_again(on: On) {
    let server = Server::start(on).await;
    let (owner, venue) = registered(&server, "0901234567").await;
    // Tests begin on a Wednesday at 08:30.
    let hours = json!({"wed": [["08:00", "09:00"]]});
    let body = json!({"name": "Cổng", "opening_hours": hours});
    let made = checkpoint(&owner, &venue, body).await;
    let code = made["code"].as_str().unwrap();
    let public = format!("/api/v1/checkpoints/{code}");
    assert_eq!(server.http.get(&public).await.1["open"], true);
    server.clock.set(kit::START.plus_ms(30 * 60_000));
    assert_eq!(server.http.get(&public).await.1["open"], false);
    let path = format!(
        "/api/v1/venues/{venue}/checkpoints/{}",
        made["id"].as_str().unwrap()
    );
    let owner = server.login("0901234567", "mat-khau-cua-cho").await;
    let (status, closed) = owner.patch(&path, &json!({"closed": true})).await;
    assert_eq!((status, &closed["closed"]), (200, &json!(true)));
    assert_eq!(closed["poster_version"], 1);
    let (status, problem) = server.http.get(&public).await;
    assert_eq!((status, &problem["code"]), (410, &json!("closed")));
    let (_, open) = owner.patch(&path, &json!({"closed": false})).await;
    assert_eq!(
        (&open["closed"], &open["code"]),
        (&json!(false), &json!(code))
    );
    assert_eq!(server.http.get(&public).await.0, 200);
}

async fn another_process_learns_of_a_checkpoint(on: On) {
    let server = Server::start(on).await;
    let (owner, venue) = registered(&server, "0901234567").await;
    let other = Directory::load(&server.app.db).await.unwrap();
    assert!(other.is_empty());
    let made = checkpoint(&owner, &venue, json!({"name": "Cổng"})).await;
    let code = made["code"].as_str().unwrap().parse().unwrap();
    assert!(other.by_code(code).is_none());
    let found = other.find(&server.app.db, code).await.unwrap();
    assert_eq!(
        (&*found.checkpoint.name, &*found.venue.name),
        ("Cổng", "Chợ Mẫu")
    );
    let path = format!(
        "/api/v1/venues/{venue}/checkpoints/{}",
        made["id"].as_str().unwrap()
    );
    server.clock.set(kit::START.plus_ms(1000));
    owner.patch(&path, &json!({"closed": true})).await;
    assert!(!other.by_code(code).unwrap().checkpoint.closed());
    assert_eq!(other.refresh(&server.app.db).await.unwrap(), 1);
    assert!(other.by_code(code).unwrap().checkpoint.closed());
    // What is older than what is held changes nothing.
    other.put(&found.venue, &found.checkpoint);
    assert!(other.by_code(code).unwrap().checkpoint.closed());
    let unknown = diem_kiem_dich::base::Code::new(&Random::seeded(99));
    assert!(other.find(&server.app.db, unknown).await.is_err());
}

async fn a_plate_and_a_contact_never_stand_in_clear(on: On) {
    let server = Server::start(on).await;
    let (owner, venue) = registered(&server, "0901234567").await;
    let body = json!({"name": "Xe", "vehicle": {"plate": "70B-012.34", "route": "Gò Dầu"}});
    checkpoint(&owner, &venue, body).await;
    let rows: Vec<(Vec<u8>, Vec<u8>)> = server
        .app
        .db
        .read(async |tx| {
            tx.query(
                "SELECT v.contact_sealed, c.vehicle_sealed
                 FROM checkpoints c JOIN venues v ON v.id = c.venue_id",
            )
            .all()
            .await
        })
        .await
        .map_err(|error: diem_kiem_dich::store::Error| error)
        .unwrap();
    let (contact, vehicle) = &rows[0];
    let holds = |bytes: &[u8], text: &str| {
        bytes
            .windows(text.len())
            .any(|window| window == text.as_bytes())
    };
    for text in ["901234567", "Đỗ Thị Ổi", "70B", "Gò Dầu"] {
        assert!(!holds(contact, text) && !holds(vehicle, text), "{text}");
    }
    assert!(matches!(server.clock, Clock::Manual(_)));
}

async fn regions_are_listed(on: On) {
    let server = Server::start(on).await;
    let (status, provinces) = server.http.get("/api/v1/regions").await;
    assert_eq!(status, 200);
    let items = provinces["items"].as_array().unwrap();
    assert_eq!(items.len(), 34);
    let tay_ninh = json!({"code": "80", "name": "Tỉnh Tây Ninh", "kind": "province"});
    assert!(items.contains(&tay_ninh));
    let (_, wards) = server.http.get("/api/v1/regions/80/wards").await;
    let all = wards["items"].as_array().unwrap();
    let ward = json!({"code": "25459", "name": "Phường Tân Ninh", "kind": "ward"});
    assert!(all.len() > 50 && all.contains(&ward));
    let (_, page) = server.http.get("/api/v1/regions/80/wards?limit=3").await;
    let cursor = page["next"].as_str().unwrap();
    let (_, rest) = server
        .http
        .get(&format!("/api/v1/regions/80/wards?cursor={cursor}"))
        .await;
    assert_eq!(rest["items"].as_array().unwrap().len(), all.len() - 3);
    let (_, found) = server
        .http
        .get("/api/v1/regions/80/wards?q=tan%20ninh")
        .await;
    assert_eq!(found["items"][0], ward);
    let (_, old) = server.http.get("/api/v1/regions?catalogue=2025-03").await;
    assert_eq!(old["items"].as_array().unwrap().len(), 63);
    assert_eq!(server.http.get("/api/v1/regions/00/wards").await.0, 404);
    assert_eq!(server.http.get("/api/v1/regions?catalogue=x").await.0, 422);
}
