//! How often somebody's name was opened is counted for that person.

use diem_kiem_dich::{
    base::Day,
    exposures::sweep,
    identity::Phone,
    privacy::opened::{self, KEPT_DAYS, Opened},
    store::Error,
};
use serde_json::json;

use crate::{
    kit::On,
    lookups::{World, phone},
    on_both,
};

on_both! { every_opened_name_is_counted_for_its_person }

async fn of(world: &World, who: u32) -> Vec<(String, String, i64)> {
    let app = &world.server.app;
    let number = Phone::parse(&phone(who)).unwrap();
    let person = *app.door.pseudonymizer.of_phone(&number).as_bytes();
    let rows: Vec<Opened> = app
        .db
        .read(async |tx| opened::of(tx, &[person, [9; 16]], 100).await)
        .await
        .unwrap();
    let today = i64::from(Day::of(app.clock.now()).number());
    assert!(rows.iter().all(|row| row.day == today));
    rows.into_iter()
        .map(|row| (row.purpose, row.office, row.times))
        .collect()
}

fn times(purpose: &str, office: &str, times: i64) -> (String, String, i64) {
    (purpose.to_owned(), office.to_owned(), times)
}

async fn every_opened_name_is_counted_for_its_person(on: On) {
    let world = World::start(on).await;
    let (_, code) = world
        .checkpoint(json!({"name": "Cổng", "kind": "office"}))
        .await;
    world.stay(1, &code, 0, Some(60)).await;
    world.stay(2, &code, 0, Some(60)).await;
    // Twice there, and one person.
    world.stay(2, &code, 61, Some(70)).await;
    world.stay(1, &code, 61, Some(70)).await;
    world
        .stay_of(3, &code, 0, Some(60), ("79", "26734"), 0)
        .await;
    let case = world.case(1).await;
    let run = world.look_up(json!({"case": case["id"]})).await;
    for who in 1..=3 {
        assert_eq!(of(&world, who).await, [], "nobody was opened yet");
    }
    world.items(&run, 1).await;
    world.items(&run, 1).await;
    assert_eq!(world.file(&run, "csv").await.0, 200);
    let path = format!("/api/v1/cases/{}", case["id"].as_str().unwrap());
    assert_eq!(world.officer.get(&path).await.0, 200);
    assert_eq!(of(&world, 1).await, [times("case", "80", 1)]);
    let expected = [times("export", "80", 1), times("list", "80", 2)];
    assert_eq!(of(&world, 2).await, expected);
    assert_eq!(of(&world, 3).await, [], "who lives elsewhere is not listed");
    // An office of the whole country looks too.
    let country = world
        .server
        .login_as(diem_kiem_dich::accounts::Role::HealthLead, None)
        .await;
    assert_eq!(country.get(&path).await.0, 200);
    let expected = [times("case", "", 1), times("case", "80", 1)];
    assert_eq!(of(&world, 1).await, expected);
    // Two years later the counts go.
    let app = &world.server.app;
    let sweep = async |days: i32| {
        let today = Day::of(app.clock.now()).plus(days);
        let (db, keys, directory) = (&app.db, &app.keys, &app.directory);
        sweep::sweep(db, keys, &app.random, directory, today, 21)
            .await
            .unwrap();
    };
    sweep(KEPT_DAYS).await;
    assert_eq!(of(&world, 2).await.len(), 2);
    sweep(KEPT_DAYS + 1).await;
    assert_eq!(of(&world, 2).await, []);
    let left: (i64,) = app
        .db
        .read(async |tx| {
            let n = tx.query("SELECT COUNT(*) FROM opened").one().await?;
            Ok::<_, Error>(n)
        })
        .await
        .unwrap();
    assert_eq!(left, (0,));
}
