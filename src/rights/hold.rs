//! What cases hold: spans of time of which a person's rows are needed by an investigation.
//!
//! A patient's own stays in the infectious window, and the stays of somebody whom a lookup found near
//! a patient. A hold never makes anything live longer than it would have lived: retention and the day
//! keys end it.

use crate::{
    base::MAX_STAY_MS,
    identity::PersonId,
    store::{Error, Tx},
};

/// A span of time that is held, in milliseconds UTC, both ends in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hold {
    /// Begin.
    pub from: i64,
    /// End.
    pub until: i64,
}

/// Rows of one kind at most; a person is in far fewer.
const MOST: i64 = 10_000;

/// What cases hold of `person`.
///
/// # Errors
///
/// Those of the store.
pub async fn holds(tx: &mut Tx, person: PersonId) -> Result<Vec<Hold>, Error> {
    let id = || person.as_bytes().to_vec();
    let patient: Vec<(i64, Option<i64>)> = tx
        .query(
            "SELECT c.window_from, c.window_until
             FROM case_persons p JOIN cases c ON c.id = p.case_id
             WHERE p.person_id = $1 LIMIT $2",
        )
        .bind(id())
        .bind(MOST)
        .all()
        .await?;
    let traced: Vec<(i64, i64)> = tx
        .query("SELECT window_from, window_to FROM lookup_run_cases WHERE person_id = $1 LIMIT $2")
        .bind(id())
        .bind(MOST)
        .all()
        .await?;
    let met: Vec<(i64, i64)> = tx
        .query("SELECT first_at, last_at FROM lookup_people WHERE person_id = $1 LIMIT $2")
        .bind(id())
        .bind(MOST)
        .all()
        .await?;
    let patient = patient
        .into_iter()
        .map(|(from, until)| (from, until.unwrap_or(i64::MAX)));
    let all = patient.chain(traced).chain(met);
    Ok(all.map(|(from, until)| Hold { from, until }).collect())
}

/// Whether one of `holds` needs a stay from `entered` to `left`; an unknown end is the latest there
/// can be.
#[must_use]
pub fn is_held(holds: &[Hold], entered: i64, left: Option<i64>) -> bool {
    let left = left.unwrap_or(entered.saturating_add(MAX_STAY_MS));
    holds
        .iter()
        .any(|hold| entered <= hold.until && hold.from <= left)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_touches_a_hold_is_held() {
        let holds = [Hold {
            from: 100,
            until: 200,
        }];
        assert!(is_held(&holds, 150, Some(160)));
        assert!(is_held(&holds, 0, Some(100)) && is_held(&holds, 200, Some(300)));
        assert!(!is_held(&holds, 0, Some(99)) && !is_held(&holds, 201, Some(300)));
        // An open end may reach into it.
        assert!(is_held(&holds, 0, None));
        assert!(!is_held(&[], 150, None));
    }
}
