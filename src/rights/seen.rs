//! What is kept of a person.

use uuid::Uuid;

use super::{Desk, Opens, correct, opens};
use crate::{
    base::{Day, Timestamp, failure::Result, ids::time_of, ids::uuid_floor},
    checkins::retention::first_kept,
    declarations::{self, Answers, Contact},
    identity::PersonId,
    store::{Error, Tx},
};

/// Rows of one day at most: a phone that sends more is broken or hostile. An erasure goes on until
/// nothing is left.
const DAY_MOST: i64 = 2_000;

/// A declaration that is kept.
pub struct Declared {
    /// Its id, whose time is when it was made.
    pub id: Uuid,
    /// Contact details, with corrections; `None` when they do not open.
    pub contact: Option<Contact>,
    /// When they were corrected.
    pub corrected_at: Option<Timestamp>,
    /// The answers; `None` when nobody was asked.
    pub answers: Option<Answers>,
    /// What followed from them.
    pub risk: String,
    /// The version of the questions.
    pub questionnaire: String,
    /// The version of the consent text; empty when nobody was asked.
    pub consent_version: String,
}

/// A stay that is kept.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Stay {
    /// Number of the checkpoint.
    pub checkpoint_id: i64,
    /// Its id, whose time is the arrival.
    pub id: Uuid,
    /// When they left, in milliseconds UTC.
    pub left_at: Option<i64>,
    /// Who said so: a letter of [`crate::checkins::left_source`].
    pub left_source: Option<String>,
    /// A letter of [`crate::checkins::source`].
    pub source: String,
    /// People that it stands for.
    pub headcount: i64,
    /// The seat.
    pub seat: Option<String>,
    /// The declaration that was shown.
    pub declaration_id: Option<Uuid>,
}

/// Everything that is kept of a person, the latest first.
#[derive(Default)]
pub struct Kept {
    /// Declarations.
    pub declarations: Vec<Declared>,
    /// Stays.
    pub stays: Vec<Stay>,
    /// How often it was opened by month.
    pub opened: Vec<Opens>,
}

impl Declared {
    /// When it was made.
    #[must_use]
    pub fn at(&self) -> Timestamp {
        at(self.id)
    }
}

impl Stay {
    /// The arrival.
    #[must_use]
    pub fn entered_at(&self) -> Timestamp {
        at(self.id)
    }
}

fn at(id: Uuid) -> Timestamp {
    Timestamp::from_ms(time_of(id).unwrap_or_default())
}

/// The first moment at which a check-in of `at` is not kept any more.
#[must_use]
pub fn stay_ends(at: Timestamp, retention_days: u16) -> Timestamp {
    let day = Day::of(at).plus(i32::from(retention_days) + 1);
    Timestamp::from_ms(day.start_ms())
}

/// The first moment at which a declaration of `at` is not kept any more: it outlives its day's
/// check-ins by the life of its token.
#[must_use]
pub fn declaration_ends(at: Timestamp, retention_days: u16) -> Timestamp {
    stay_ends(at, retention_days).plus_ms(crate::base::day::DAY_MS)
}

/// The days of which something may be kept.
pub(super) fn days(desk: &Desk<'_>) -> impl Iterator<Item = Day> + use<> {
    let today = Day::of(desk.door.clock.now());
    // A phone's clock may be a little ahead of midnight.
    let to = today.plus(1).number();
    let from = first_kept(today, desk.retention_days).plus(-1).number();
    (from..=to).rev().map(Day::from_number)
}

/// The stays of `person` on `day`.
pub(super) async fn stays_of(tx: &mut Tx, person: PersonId, day: Day) -> Result<Vec<Stay>, Error> {
    let short = person.as_bytes().get(..6).unwrap_or_default().to_vec();
    tx.query(
        "SELECT c.checkpoint_id, c.id, c.left_at, c.left_source, c.source, c.headcount, c.seat,
                c.declaration_id
         FROM check_ins c
         WHERE c.entered_at / 86400000 = $1 AND substr(c.person_id, 1, 6) = $2
           AND c.person_id = $3 AND c.id >= $4 AND c.id < $5
         ORDER BY c.id DESC LIMIT $6",
    )
    .bind(i64::from(day.number()))
    .bind(short)
    .bind(person.as_bytes().to_vec())
    .bind(uuid_floor(day.start_ms()))
    .bind(uuid_floor(day.plus(1).start_ms()))
    .bind(DAY_MOST)
    .all()
    .await
}

/// A declaration without what is sealed.
#[derive(sqlx::FromRow)]
pub(super) struct Row {
    pub(super) id: Uuid,
    risk: String,
    questionnaire: String,
    consent_version: String,
}

/// The declarations of `person` on `day`. There is no index by person: a day of declarations is looked
/// through, which is dear for a country and seldom asked for.
pub(super) async fn declared_on(
    tx: &mut Tx,
    person: PersonId,
    day: Day,
) -> Result<Vec<Row>, Error> {
    tx.query(
        "SELECT d.id, d.risk, d.questionnaire, d.consent_version FROM declarations d
         WHERE d.person_id = $1 AND d.id >= $2 AND d.id < $3 ORDER BY d.id DESC LIMIT $4",
    )
    .bind(person.as_bytes().to_vec())
    .bind(uuid_floor(day.start_ms()))
    .bind(uuid_floor(day.plus(1).start_ms()))
    .bind(DAY_MOST)
    .all()
    .await
}

/// Everything that is kept of `person`, opened. Write the audit entry before
/// ([`super::session::note`]): nothing here asks.
///
/// # Errors
///
/// Those of the store.
pub async fn kept(desk: &Desk<'_>, person: PersonId) -> Result<Kept> {
    let door = desk.door;
    door.journal.settle().await?;
    let mut kept = Kept {
        opened: opens::by_month(desk, person).await?,
        ..Kept::default()
    };
    for day in days(desk) {
        // A transaction a day: nobody waits for the whole look.
        let (stays, declared) = door
            .db
            .read(async |tx| {
                let stays = stays_of(tx, person, day).await?;
                Ok::<_, Error>((stays, declared_on(tx, person, day).await?))
            })
            .await?;
        kept.stays.extend(stays);
        if declared.is_empty() {
            continue;
        }
        let ids = declared.iter().map(|row| row.id);
        declarations::open_days(&door.keys, &door.db, ids).await?;
        let opened = door
            .db
            .read(async |tx| open(tx, desk, person, &declared).await)
            .await?;
        kept.declarations.extend(opened);
    }
    Ok(kept)
}

async fn open(
    tx: &mut Tx,
    desk: &Desk<'_>,
    person: PersonId,
    rows: &[Row],
) -> Result<Vec<Declared>> {
    let keys = &desk.door.keys;
    let mut opened = Vec::with_capacity(rows.len());
    for row in rows {
        let corrected_at = correct::made_at(tx, person, row.id).await?;
        opened.push(Declared {
            id: row.id,
            contact: declarations::open_contact(keys, tx, person, row.id).await?,
            corrected_at,
            answers: declarations::open_answers(keys, tx, person, row.id).await?,
            risk: row.risk.clone(),
            questionnaire: row.questionnaire.clone(),
            consent_version: row.consent_version.clone(),
        });
    }
    Ok(opened)
}

impl std::fmt::Debug for Declared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

impl std::fmt::Debug for Kept {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "Kept({} declarations, {} stays)",
            self.declarations.len(),
            self.stays.len()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_is_that_of_the_sweep() {
        let at = Timestamp::parse("2026-11-18T01:30:00Z").unwrap();
        let ends = stay_ends(at, 21);
        assert_eq!(ends.rfc3339(), "2026-12-10T00:00:00.000Z");
        // The first day on which the sweep does not keep it.
        assert!(first_kept(Day::of(ends), 21) > Day::of(at));
        assert!(first_kept(Day::of(ends.plus_ms(-1)), 21) <= Day::of(at));
        assert_eq!(
            declaration_ends(at, 21).rfc3339(),
            "2026-12-11T00:00:00.000Z"
        );
    }
}
