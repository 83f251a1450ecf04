//! What a venue sees of its visitors: how many in each hour, and a masked list.
//!
//! Masked as the old national system showed it to venues: the name without the given name, the first
//! digits of the phone number. Whoever needs more names a case and asks as a health officer.

use std::collections::HashMap;

use uuid::Uuid;

use crate::{
    base::{
        Timestamp,
        day::DAY_MS,
        ids::{time_of, uuid_floor},
        time::VIETNAM,
    },
    declarations::{Contact, day_of, unseal_contact},
    identity::{FullName, PersonId, Phone},
    privacy::KeyRing,
    store::{Error, Sql, Tx, places},
};

const HOUR_MS: i64 = 60 * 60 * 1000;

/// Check-ins of one hour of a local day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Hour {
    /// Check-ins.
    pub check_ins: i64,
    /// People, companions counted.
    pub people: i64,
    /// Check-ins that have ended.
    pub left: i64,
}

/// One arrival, masked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MaskedArrival {
    /// Number of the checkpoint.
    pub checkpoint_id: i64,
    /// Id of the check-in; the cursor of what comes after it.
    pub id: Uuid,
    /// When they came.
    pub entered_at: Timestamp,
    /// When they left, if that is known.
    pub left_at: Option<Timestamp>,
    /// `Nguyễn Văn***`; `None` when the day's key is not in memory or nothing is known.
    pub name: Option<String>,
    /// `0901234 ***`.
    pub phone: Option<String>,
    /// People, companions counted.
    pub headcount: i64,
}

/// The first moment of the local day (`Asia/Ho_Chi_Minh`) in which `at` falls, in milliseconds UTC.
#[must_use]
pub fn local_day_start(at: Timestamp) -> i64 {
    let offset = i64::from(VIETNAM.whole_seconds()) * 1000;
    (at.as_ms() + offset).div_euclid(DAY_MS) * DAY_MS - offset
}

const HOURS: Sql = Sql::split(
    "SELECT (c.entered_at - $1::bigint) / 3600000 AS hour, COUNT(*),
            CAST(SUM(c.headcount) AS BIGINT),
            COUNT(c.left_at)
     FROM check_ins c
     WHERE c.checkpoint_id = ANY($2::bigint[]) AND c.id >= $3::uuid AND c.id < $4::uuid
     GROUP BY 1",
    "SELECT (c.entered_at - $1) / 3600000 AS hour, COUNT(*), CAST(SUM(c.headcount) AS BIGINT),
            COUNT(c.left_at)
     FROM check_ins c
     WHERE c.checkpoint_id IN (SELECT value FROM json_each($2)) AND c.id >= $3 AND c.id < $4
     GROUP BY 1",
);

/// Check-ins at these checkpoints in each of the 24 hours of the local day in which `day` falls.
///
/// # Errors
///
/// Those of the store.
pub async fn hours(tx: &mut Tx, checkpoints: &[i64], day: Timestamp) -> Result<[Hour; 24], Error> {
    let start = local_day_start(day);
    let rows: Vec<(i64, i64, i64, i64)> = tx
        .query(HOURS)
        .bind(start)
        .bind_postgres(checkpoints.to_vec())
        .bind_sqlite(serde_json::to_string(checkpoints).unwrap_or_default())
        .bind(uuid_floor(start))
        .bind(uuid_floor(start + 24 * HOUR_MS))
        .all()
        .await?;
    let mut hours = [Hour::default(); 24];
    for (hour, check_ins, people, left) in rows {
        let slot = usize::try_from(hour).ok().and_then(|at| hours.get_mut(at));
        if let Some(slot) = slot {
            *slot = Hour {
                check_ins,
                people,
                left,
            };
        }
    }
    Ok(hours)
}

#[derive(sqlx::FromRow)]
struct Found {
    checkpoint_id: i64,
    id: Uuid,
    left_at: Option<i64>,
    headcount: i64,
    person_id: Vec<u8>,
    declaration_id: Option<Uuid>,
}

const ARRIVALS: Sql = Sql::split(
    "SELECT c.checkpoint_id, c.id, c.left_at, c.headcount, c.person_id, c.declaration_id
     FROM check_ins c
     WHERE c.checkpoint_id = ANY($1::bigint[]) AND c.id >= $2::uuid AND c.id < $3::uuid
     ORDER BY c.id DESC LIMIT $4",
    "SELECT c.checkpoint_id, c.id, c.left_at, c.headcount, c.person_id, c.declaration_id
     FROM check_ins c
     WHERE c.checkpoint_id IN (SELECT value FROM json_each($1)) AND c.id >= $2 AND c.id < $3
     ORDER BY c.id DESC LIMIT $4",
);

/// Apart from [`ARRIVALS`], because the two tables may be spread over a cluster, each in its own way.
const CONTACTS: Sql = Sql::split(
    "SELECT d.person_id, d.id, d.contact_sealed
     FROM (SELECT u.person_id, u.id FROM UNNEST($1::bytea[], $2::uuid[]) AS u (person_id, id)) AS k
     JOIN declarations d ON d.person_id = k.person_id AND d.id = k.id
                        AND d.id >= $3::uuid AND d.id <= $4::uuid",
    "SELECT d.person_id, d.id, d.contact_sealed
     FROM json_each($1) AS k
     CROSS JOIN declarations d ON d.id = substr($2, k.value + 16, 16)
                              AND d.person_id = substr($2, k.value, 16)",
);

/// The sealed contacts of these declarations, by person and id.
async fn contacts(
    tx: &mut Tx,
    declarations: &[(PersonId, Uuid)],
) -> Result<HashMap<(PersonId, Uuid), Vec<u8>>, Error> {
    let ids: Vec<Uuid> = declarations.iter().map(|(_, id)| *id).collect();
    let people = declarations.iter().map(|(person, _)| person.as_bytes());
    let packed = people
        .clone()
        .zip(&ids)
        .flat_map(|(p, id)| [*p, *id.as_bytes()]);
    let least = ids.iter().min().copied().unwrap_or_default();
    let greatest = ids.iter().max().copied().unwrap_or_default();
    let rows: Vec<(Vec<u8>, Uuid, Vec<u8>)> = tx
        .query(CONTACTS)
        .bind_sqlite(places(ids.len(), 32))
        .bind_sqlite(packed.flatten().collect::<Vec<u8>>())
        .bind_postgres(people.map(|person| person.to_vec()).collect::<Vec<_>>())
        .bind_postgres(ids)
        .bind_postgres(least)
        .bind_postgres(greatest)
        .all()
        .await?;
    let found = rows.into_iter();
    Ok(found
        .filter_map(|(person, id, sealed)| Some(((PersonId::from_slice(&person)?, id), sealed)))
        .collect())
}

/// Arrivals at these checkpoints in the local day in which `day` falls, latest first, at most
/// `limit`; those before the check-in `after`, where one is given.
///
/// # Errors
///
/// Those of the store.
pub async fn arrivals(
    tx: &mut Tx,
    keys: &KeyRing,
    checkpoints: &[i64],
    day: Timestamp,
    after: Option<Uuid>,
    limit: i64,
) -> Result<Vec<MaskedArrival>, Error> {
    let start = local_day_start(day);
    let end = uuid_floor(start + DAY_MS);
    let rows: Vec<Found> = tx
        .query(ARRIVALS)
        .bind_postgres(checkpoints.to_vec())
        .bind_sqlite(serde_json::to_string(checkpoints).unwrap_or_default())
        .bind(uuid_floor(start))
        .bind(after.map_or(end, |after| after.min(end)))
        .bind(limit)
        .all()
        .await?;
    let mut declared: Vec<(PersonId, Uuid)> = rows.iter().filter_map(declaration_of).collect();
    declared.sort_unstable();
    declared.dedup();
    let sealed = if declared.is_empty() {
        HashMap::new()
    } else {
        contacts(tx, &declared).await?
    };
    Ok(rows
        .iter()
        .map(|found| {
            let contact = declaration_of(found).and_then(|(person, id)| {
                let key = keys.day(day_of(id)?)?;
                unseal_contact(&key, person, id, sealed.get(&(person, id))?)
            });
            mask(found, contact.as_ref())
        })
        .collect())
}

/// The declaration that was shown, as it is known by.
fn declaration_of(found: &Found) -> Option<(PersonId, Uuid)> {
    Some((
        PersonId::from_slice(&found.person_id)?,
        found.declaration_id?,
    ))
}

fn mask(found: &Found, contact: Option<&Contact>) -> MaskedArrival {
    let name = contact.and_then(|contact| contact.full_name.as_ref());
    let phone = contact.and_then(|contact| contact.phone.as_ref());
    MaskedArrival {
        checkpoint_id: found.checkpoint_id,
        id: found.id,
        entered_at: Timestamp::from_ms(time_of(found.id).unwrap_or_default()),
        left_at: found.left_at.map(Timestamp::from_ms),
        name: name.map(FullName::masked),
        phone: phone.map(Phone::masked),
        headcount: found.headcount,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_begins_at_local_midnight() {
        let start = |text| Timestamp::from_ms(local_day_start(Timestamp::parse(text).unwrap()));
        let expected = Timestamp::parse("2026-11-20T17:00:00Z").unwrap();
        assert_eq!(start("2026-11-20T17:00:00Z"), expected);
        assert_eq!(start("2026-11-21T16:59:59.999Z"), expected);
        assert_ne!(start("2026-11-21T17:00:00Z"), expected);
    }
}
