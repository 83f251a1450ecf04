//! One made-up history on both engines gives the same answers, row for row.

use diem_kiem_dich::base::Random;
use serde_json::{Value, json};

use super::World;
use crate::kit::On;

/// A history of a few days' worth of minutes, with gates, open ends and touching stays.
async fn history(on: On) -> Vec<Value> {
    let world = World::start(on).await;
    let (north, first) = world
        .checkpoint(json!({"name": "Bắc", "kind": "market"}))
        .await;
    let gate = json!({"name": "Nam", "kind": "market", "gate_of": north});
    let (_, second) = world.checkpoint(gate).await;
    let (_, third) = world
        .checkpoint(json!({"name": "Quán", "kind": "restaurant", "stay_minutes": 40}))
        .await;
    let hours = json!({"mon": [["07:00", "11:00"]], "tue": [["07:00", "11:00"]]});
    let (_, fourth) = world
        .checkpoint(json!({"name": "Ủy ban", "kind": "office", "opening_hours": hours}))
        .await;
    let codes = [first, second, third, fourth];
    let random = Random::seeded(11);
    for n in 0_u32..70 {
        let [who, place, slot, length, seen] = random.bytes::<5>();
        let from = i64::from(slot) * 5 - 600;
        let until = (seen % 3 > 0).then(|| from + i64::from(length) / 4 * 5);
        let who = if n < 6 { n % 2 } else { u32::from(who % 9) };
        let until = until.filter(|until| *until < 900);
        world
            .stay(who + 1, &codes[usize::from(place % 4)], from, until)
            .await;
    }
    let (one, two) = (world.case(1).await, world.case(2).await);
    let mut answers = Vec::new();
    for order in [
        json!({"case": one["id"]}),
        json!({"case": one["id"], "min_minutes": 45}),
        json!({"cases": [one["id"], two["id"]], "residual_air_minutes": 60}),
        json!({"case": one["id"], "rings": 2, "ring2": {"min_minutes": 10, "infectious_days": 1}}),
        json!({"person": {"phone": super::phone(5)}}),
        json!({"checkpoint": {"code": codes[0], "from": super::at(0), "until": super::at(240)}}),
    ] {
        let rings = if order["rings"] == 2 { 2 } else { 1 };
        let run = world.look_up(order).await;
        answers.push(json!([run["counts"], run["warnings"]]));
        for ring in 1..=rings {
            answers.extend(world.items(&run, ring).await.into_iter().map(bare));
        }
    }
    answers
}

/// A row without what is random by design. The order among equals is by pseudonym, whose key differs.
fn bare(mut item: Value) -> Value {
    let fields = item.as_object_mut().unwrap();
    fields.remove("person");
    fields.remove("via");
    item["checkpoint"].as_object_mut().unwrap().remove("code");
    item
}

#[tokio::test]
async fn both_engines_answer_alike() {
    let sort = |mut rows: Vec<Value>| {
        rows.sort_by_key(ToString::to_string);
        rows
    };
    let (lite, postgres) = tokio::join!(history(On::Sqlite), history(On::Postgres));
    assert!(lite.len() > 40, "a history with only {} rows", lite.len());
    assert_eq!(sort(lite), sort(postgres));
}
