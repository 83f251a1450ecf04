//! The plan of every statement of a search is an index range scan, on both engines.

use diem_kiem_dich::{
    base::{Random, Timestamp, ids},
    exposures::store::{self, Bounds, COUNT, HITS, NEXT, Open, STAYS, StagedProbe, Subject},
    store::{Db, Error, Tx},
};

use super::MORNING;
use crate::{
    kit::{self, On},
    on_both,
};

on_both! { every_plan_is_an_index_range }

const EVENING: i64 = MORNING + 12 * 3_600_000;

/// Enough rows that a planner has something to choose.
async fn fill(db: &Db) {
    let random = Random::seeded(5);
    db.append(async |tx| {
        for n in 0..600_i64 {
            let at = MORNING + n * 20_000;
            let id = ids::v7(Timestamp::from_ms(at), &random);
            tx.query(
                "INSERT INTO check_ins (checkpoint_id, id, person_id, entered_at, source, assurance,
                     headcount, received_at)
                 VALUES ($1, $2, $3, $4, 'o', 'p', 1, $4)",
            )
            .bind(n % 20)
            .bind(id)
            .bind(vec![u8::try_from(n % 50).unwrap(); 16])
            .bind(at)
            .execute()
            .await?;
        }
        Ok::<_, Error>(())
    })
    .await
    .unwrap();
}

async fn plan(tx: &mut Tx, on: On, text: &str, dwell: bool) -> Result<String, Error> {
    let explain = match on {
        On::Sqlite => format!("EXPLAIN QUERY PLAN {text}"),
        On::Postgres => format!("EXPLAIN {text}"),
    };
    let explain: &'static str = Box::leak(explain.into_boxed_str());
    let bounds = Bounds::new(MORNING, MORNING + 1, EVENING);
    let query = tx
        .query(explain)
        .bind(bounds.from)
        .bind(bounds.to)
        .bind(bounds.high_water_mark);
    let query = if dwell {
        query.bind(86_400_000_i64)
    } else {
        query
    };
    Ok(match on {
        On::Sqlite => {
            let rows: Vec<(i64, i64, i64, String)> = query.all().await?;
            rows.into_iter().map(|row| row.3 + "\n").collect()
        }
        On::Postgres => {
            let rows: Vec<(String,)> = query.all().await?;
            rows.into_iter().map(|row| row.0 + "\n").collect()
        }
    })
}

async fn every_plan_is_an_index_range(on: On) {
    let (app, _, _dir) = kit::app(on).await;
    fill(&app.db).await;
    let plans = app
        .db
        .stage(async |tx| {
            store::prepare(tx).await?;
            let subject = Subject {
                subject: 0,
                person: [1; 16],
                a: MORNING,
                b: MORNING + 600_000,
            };
            let bounds = Bounds::new(MORNING, MORNING + 600_000, EVENING);
            store::load_subjects(tx, bounds, &[subject]).await?;
            let probe = StagedProbe {
                probe: 0,
                person: [1; 16],
                checkpoint: 1,
                a: MORNING,
                dwell: 3_600_000,
                b: MORNING + 600_000,
            };
            store::load_probes(tx, &[probe]).await?;
            let open = Open {
                person: [1; 16],
                id: ids::v7(Timestamp::from_ms(MORNING), &Random::seeded(6)),
                until: MORNING + 3_600_000,
            };
            assert!(!store::next(tx, bounds, &[open]).await?.is_empty());
            assert!(store::count(tx, bounds).await?.0 > 0);
            let mut plans = Vec::new();
            for (text, dwell, index) in [
                (STAYS, true, "person"),
                (COUNT, false, "checkpoint"),
                (HITS, false, "checkpoint"),
                (NEXT, false, "person"),
            ] {
                plans.push((plan(tx, on, text, dwell).await?, index));
            }
            Ok::<_, Error>(plans)
        })
        .await
        .unwrap();
    for (plan, index) in plans {
        match on {
            On::Sqlite => {
                let expected = match index {
                    "person" => "USING INDEX check_ins_person (<expr>=? AND <expr>=?)",
                    _ => "USING PRIMARY KEY (checkpoint_id=? AND id>? AND id<?)",
                };
                assert!(plan.contains(expected), "{plan}");
                assert!(!plan.contains("SCAN c"), "{plan}");
            }
            On::Postgres => {
                assert!(!plan.contains("Seq Scan on check_ins"), "{plan}");
                assert!(!plan.contains("Hash Join"), "{plan}");
                assert!(!plan.contains("Materialize"), "{plan}");
                // A partition is a day; inside it a person's rows are few.
                let condition = match index {
                    "person" => ["(substr(person_id, 1, 6) = ", ""],
                    _ => ["((checkpoint_id = ", "id >"],
                };
                let ranged = plan.lines().any(|line| {
                    line.contains("Index Cond") && condition.iter().all(|part| line.contains(part))
                });
                assert!(ranged, "{plan}");
            }
        }
    }
}
