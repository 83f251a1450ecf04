//! How often a person's name was opened, so that it can be told to that person.
//!
//! Counted by pseudonym, UTC day, purpose and office, in the transaction that writes the audit entry,
//! before the name is opened: a name that was opened is counted, also when the answer got lost on its
//! way. Nothing here says who looked or for which case; that is in the audit log.

use crate::{
    base::Day,
    store::{Engine, Error, Packed, Sql, Tx, places},
};

/// Days for which counts are kept: two years. No rule names a period for them; this one is long enough
/// to ask about an epidemic after it, and short enough that no trace of a person stays for good.
pub const KEPT_DAYS: i32 = 730;

/// People counted in one statement.
const BATCH: usize = 10_000;

/// For what a name was opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// The file of a case: the person is the patient.
    Case,
    /// A page of a lookup's list: the person was there at the same time as a case.
    List,
    /// A lookup's list as a file.
    Export,
}

impl Purpose {
    /// The stable name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Case => "case",
            Self::List => "list",
            Self::Export => "export",
        }
    }
}

/// How often a person's name was opened on a day, for a purpose, by an office.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Opened {
    /// The UTC day, counted from 1970-01-01.
    pub day: i64,
    /// `case`, `list` or `export`.
    pub purpose: String,
    /// Code of the office's province; empty for an office of the whole country.
    pub office: String,
    /// How often.
    pub times: i64,
}

const COUNT: Sql = Sql::split(
    "INSERT INTO opened (person_id, day, purpose, office, times)
     SELECT u.person_id, $1, $2, $3, 1 FROM UNNEST($4::bytea[]) AS u (person_id)
     ON CONFLICT (person_id, day, purpose, office) DO UPDATE SET times = opened.times + 1",
    "INSERT INTO opened (person_id, day, purpose, office, times)
     SELECT substr($4, j.value, 16), $1, $2, $3, 1 FROM json_each($5) AS j WHERE 1 = 1
     ON CONFLICT (person_id, day, purpose, office) DO UPDATE SET times = opened.times + 1",
);

/// Count that the names of `people` (pseudonyms; one that is there twice counts once) are opened for
/// `purpose` by the office of `province`. To be called in the transaction that writes the audit entry.
///
/// # Errors
///
/// Those of the store.
pub async fn count(
    tx: &mut Tx,
    mut people: Vec<[u8; 16]>,
    purpose: Purpose,
    province: Option<&str>,
) -> Result<(), Error> {
    // Two transactions that count the same people wait for each other in one order.
    people.sort_unstable();
    people.dedup();
    let day = i64::from(Day::of(tx.now()).number());
    for people in people.chunks(BATCH) {
        let engine = tx.engine();
        let query = tx
            .query(COUNT)
            .bind(day)
            .bind(purpose.as_str())
            .bind(province.unwrap_or_default().to_owned());
        match engine {
            Engine::Postgres => query.bind_postgres(column(people)),
            Engine::Sqlite => query
                .bind_sqlite(people.concat())
                .bind_sqlite(places(people.len(), 16)),
        }
        .execute()
        .await?;
    }
    Ok(())
}

fn column(people: &[[u8; 16]]) -> Vec<Vec<u8>> {
    people.iter().map(|person| person.to_vec()).collect()
}

const OF: Sql = Sql::split(
    "SELECT day, purpose, office, CAST(SUM(times) AS BIGINT) AS times FROM opened
     WHERE person_id = ANY($1::bytea[])
     GROUP BY day, purpose, office ORDER BY day DESC, purpose, office LIMIT $2",
    "SELECT day, purpose, office, SUM(times) AS times FROM opened
     WHERE person_id IN (SELECT substr($1, j.value, 16) FROM json_each($3) AS j)
     GROUP BY day, purpose, office ORDER BY day DESC, purpose, office LIMIT $2",
);

/// How often the name of a person, known under these pseudonyms, was opened: the latest day first, at
/// most `limit` rows.
///
/// # Errors
///
/// Those of the store.
pub async fn of(tx: &mut Tx, person: &[[u8; 16]], limit: i64) -> Result<Vec<Opened>, Error> {
    match tx.engine() {
        Engine::Postgres => tx.query(OF).bind_postgres(column(person)).bind(limit),
        Engine::Sqlite => {
            let mut packed = Packed::with_capacity(person.len(), 16);
            for pseudonym in person {
                packed.add(pseudonym);
            }
            tx.query(OF)
                .bind_sqlite(packed.into_bytes())
                .bind(limit)
                .bind_sqlite(places(person.len(), 16))
        }
    }
    .all()
    .await
}

/// Delete the counts of days before `day`, at most `limit`, and say how many.
///
/// # Errors
///
/// Those of the store.
pub async fn forget_before(tx: &mut Tx, day: Day, limit: i64) -> Result<u64, Error> {
    tx.query(
        "DELETE FROM opened WHERE (person_id, day, purpose, office) IN
             (SELECT person_id, day, purpose, office FROM opened WHERE day < $1 LIMIT $2)",
    )
    .bind(i64::from(day.number()))
    .bind(limit)
    .execute()
    .await
}
