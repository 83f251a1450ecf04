//! Writing a day: sealed declarations and check-ins, in one transaction.

use std::collections::HashMap;

use uuid::Uuid;

use crate::{
    base::{Day, Failure, Timestamp, failure::Result, ids},
    checkins::{
        assurance, left_source, source,
        store::{Row, insert_counted},
    },
    cli::demo::{days::Stay, dice::Dice, outbreak, people::Somebody},
    declarations::{Sealed, store as declarations, store::Row as DeclarationRow},
    http::App,
    store::Error,
};

/// Check-ins per mille that a phone sent later, without a network.
const OFFLINE: i64 = 25;

/// Declarations per mille with a cough that means nothing, and with a journey.
const COUGHS: i64 = 3;
const JOURNEYS: i64 = 9;

/// Write the stays of `day` that began before `now`; gives how many.
pub async fn day(
    app: &App,
    dice: &Dice,
    people: &[Somebody],
    mut stays: Vec<Stay>,
    day: i64,
    now: Timestamp,
) -> Result<u64> {
    stays.sort_unstable_by_key(|stay| (stay.who, stay.from));
    let mut declared: HashMap<usize, Uuid> = HashMap::new();
    let mut rows = Vec::with_capacity(stays.len());
    let mut papers = Vec::new();
    for stay in stays {
        // Chance falls for every stay, so that the hour of the day changes nothing before it.
        let id = ids::v7(Timestamp::from_ms(stay.from), dice.random());
        let offline = dice.chance(OFFLINE);
        let Some(somebody) = people.get(stay.who) else {
            continue;
        };
        let declaration = if let Some(declaration) = declared.get(&stay.who) {
            *declaration
        } else {
            let paper = declaration(app, dice, somebody, id, day)?;
            if stay.from < now.as_ms() {
                papers.push(paper);
            }
            declared.insert(stay.who, id);
            id
        };
        if stay.from >= now.as_ms() {
            continue;
        }
        let left_at = stay.until.filter(|until| *until <= now.as_ms());
        rows.push(Row {
            checkpoint_id: stay.place,
            id,
            person: somebody.person.id,
            left_at,
            left_source: left_at.map(|_| left_source::VISITOR),
            source: if offline {
                source::LATE
            } else {
                source::ONLINE
            },
            assurance: assurance::POSTER,
            headcount: stay.headcount,
            seat: stay.seat.map(|seat| seat.to_string()),
            declaration_id: Some(declaration),
            received_at: now.as_ms(),
        });
    }
    rows.sort_unstable_by_key(Row::key);
    papers.sort_unstable_by_key(|paper| (paper.id, paper.person.id));
    let rows: Vec<&Row> = rows.iter().collect();
    let papers: Vec<&DeclarationRow> = papers.iter().collect();
    app.db
        .append(async |tx| {
            declarations::insert(tx, &papers).await?;
            insert_counted(tx, &rows).await
        })
        .await
        .map_err(|error: Error| error.into())
}

fn declaration(
    app: &App,
    dice: &Dice,
    somebody: &Somebody,
    id: Uuid,
    day: i64,
) -> Result<DeclarationRow> {
    let at = Timestamp::from_ms(ids::time_of(id).unwrap_or_default());
    let key = app.keys.day(Day::of(at));
    let key = key.ok_or_else(|| Failure::internal("a day of the story has no key"))?;
    let (coughs, travelled) = (dice.chance(COUGHS), dice.chance(JOURNEYS));
    let mut symptoms = outbreak::symptoms(somebody, day);
    if symptoms.is_empty() && coughs && somebody.part.is_none() {
        symptoms = &["cough"];
    }
    let said;
    let declaration = if symptoms.is_empty() && !travelled {
        &somebody.declaration
    } else {
        said = somebody.declares(&app.regions, at, symptoms, travelled)?;
        &said
    };
    Ok(DeclarationRow {
        person: somebody.person,
        id,
        sealed: Sealed::new(declaration, somebody.person.id, id, &key, &app.random),
        risk: declaration.risk.as_str(),
        province: declaration.province.clone(),
        consent_version: declaration.consent_version,
    })
}
