//! What the service did in a month, in numbers that name nobody: for the public page.
//!
//! Everything is counted from the audit log, so whoever holds an export of it can count again. Counts
//! below [`FEW`] are not told exactly: in a small place they may point to somebody.

use std::collections::BTreeMap;

use tokio::sync::Mutex;

use super::audit::keep::{self, Kept};
use crate::{
    base::{Timestamp, time::VIETNAM},
    store::{Db, Error, Tx},
};

/// Counts from 1 to one below this are told as "below this".
pub const FEW: i64 = 5;

/// How long the numbers of a month that is not over are good for, ms: counting takes a while, and
/// anybody may ask.
const FRESH_MS: i64 = 5 * 60_000;

/// How long after its end a month is still counted anew, ms: the longest that a transaction may last.
const SETTLED_MS: i64 = 60 * 60_000;

/// A month in Vietnamese time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Month {
    /// The year, 1970 to 9999.
    year: i32,
    /// The month, 1 to 12.
    month: u8,
}

impl Month {
    /// The month in which `at` falls.
    #[must_use]
    pub fn of(at: Timestamp) -> Self {
        let at = at.at(VIETNAM);
        Self {
            year: at.year(),
            month: u8::from(at.month()),
        }
    }

    /// Read `2026-11`; `None` if it is none.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (year, month) = text.split_once('-')?;
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if year.len() != 4 || month.len() != 2 || !digits(year) || !digits(month) {
            return None;
        }
        let read = Self {
            year: year.parse().ok()?,
            month: month.parse().ok()?,
        };
        ((1..=12).contains(&read.month) && read.year >= 1970).then_some(read)
    }

    /// The month before it.
    #[must_use]
    pub fn before(self) -> Self {
        match self.month {
            1 => Self {
                year: self.year - 1,
                month: 12,
            },
            month => Self {
                month: month - 1,
                ..self
            },
        }
    }

    /// The month after it.
    #[must_use]
    pub fn after(self) -> Self {
        match self.month {
            12 => Self {
                year: self.year + 1,
                month: 1,
            },
            month => Self {
                month: month + 1,
                ..self
            },
        }
    }

    /// Its first moment.
    #[must_use]
    pub fn start(self) -> Timestamp {
        let Self { year, month } = self;
        Timestamp::parse(&format!("{year:04}-{month:02}-01T00:00:00+07:00")).unwrap_or_default()
    }

    /// `11/2026`, as it is read in Vietnam.
    #[must_use]
    pub fn shown(self) -> String {
        format!("{:02}/{:04}", self.month, self.year)
    }
}

impl std::fmt::Display for Month {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:04}-{:02}", self.year, self.month)
    }
}

/// What was done in a month.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Lookups.
    pub lookups: i64,
    /// People that they found, those of two lookups twice.
    pub found: i64,
    /// Names that were opened, one that was opened twice twice.
    pub opened: i64,
    /// Lists taken out as files.
    pub exports: i64,
    /// People referred to the office of another province.
    pub referred: i64,
    /// Sweeps that deleted what was past its retention.
    pub sweeps: i64,
    /// All entries of the audit log.
    pub entries: i64,
}

impl Counts {
    fn add(&mut self, action: &str, times: i64, people: i64) {
        self.entries += times;
        match action {
            "lookup.created" => {
                self.lookups += times;
                self.found += people;
            }
            "lookup.viewed" | "lookup.opened" | "case.viewed" => self.opened += people,
            "lookup.exported" => {
                self.exports += times;
                self.opened += people;
            }
            "lookup.referred" => self.referred += people,
            "retention.swept" => self.sweeps += times,
            _ => {}
        }
    }
}

/// A count as it may be told: `None` for a few, which is more than none.
#[must_use]
pub fn told(n: i64) -> Option<i64> {
    (n <= 0 || n >= FEW).then_some(n)
}

/// A month, its numbers, and the last checkpoint of the log that was signed in it.
#[derive(Clone, Debug)]
pub struct Told {
    /// The month.
    pub month: Month,
    /// Its numbers.
    pub counts: Counts,
    /// The last checkpoint of the log signed by its end.
    pub checkpoint: Option<Kept>,
    /// When the numbers were counted.
    pub at: Timestamp,
    /// Whether it was over by then.
    pub is_over: bool,
}

/// Counts months, and keeps what it counted.
#[derive(Debug, Default)]
pub struct Board(Mutex<BTreeMap<Month, Told>>);

impl Board {
    /// The months up to now, the latest first, at most `limit`: none before the first entry of the log,
    /// and always the one that is now.
    ///
    /// # Errors
    ///
    /// Those of the store.
    pub async fn latest(&self, db: &Db, limit: usize) -> Result<Vec<Told>, Error> {
        let mut month = Month::of(db.now());
        let first = first(db).await?.unwrap_or(month);
        let mut found = Vec::new();
        while found.len() < limit && (found.is_empty() || month >= first) {
            found.push(self.month(db, month).await?);
            month = month.before();
        }
        Ok(found)
    }

    /// A month from the first entry of the log up to now; `None` for any other.
    ///
    /// # Errors
    ///
    /// Those of the store.
    pub async fn find(&self, db: &Db, month: Month) -> Result<Option<Told>, Error> {
        let now = Month::of(db.now());
        let first = first(db).await?.unwrap_or(now);
        if month > now || month < first {
            return Ok(None);
        }
        self.month(db, month).await.map(Some)
    }

    async fn month(&self, db: &Db, month: Month) -> Result<Told, Error> {
        let now = db.now();
        let over_for = now.as_ms() - month.after().start().as_ms();
        // Held while counting, so that many who ask make one count.
        let mut known = self.0.lock().await;
        if let Some(told) = known.get(&month)
            && (told.at.plus_ms(FRESH_MS) > now
                || told.at.as_ms() > month.after().start().as_ms() + SETTLED_MS)
        {
            return Ok(told.clone());
        }
        let (counts, checkpoint) = db.read(async |tx| count(tx, month).await).await?;
        let told = Told {
            month,
            counts,
            checkpoint,
            at: now,
            is_over: over_for >= 0,
        };
        known.insert(month, told.clone());
        Ok(told)
    }
}

/// The month of the log's first entry.
async fn first(db: &Db) -> Result<Option<Month>, Error> {
    let first: Option<(Timestamp,)> = db
        .read(async |tx| {
            tx.query("SELECT at FROM audit_log ORDER BY seq LIMIT 1")
                .optional()
                .await
        })
        .await?;
    Ok(first.map(|(at,)| Month::of(at)))
}

async fn count(tx: &mut Tx, month: Month) -> Result<(Counts, Option<Kept>), Error> {
    let (from, until) = (month.start(), month.after().start());
    let rows: Vec<(String, i64, i64)> = tx
        .query(
            "SELECT action, COUNT(*), CAST(COALESCE(SUM(people), 0) AS BIGINT) FROM audit_log
             WHERE at >= $1 AND at < $2 GROUP BY action",
        )
        .bind(from)
        .bind(until)
        .all()
        .await?;
    let mut counts = Counts::default();
    for (action, times, people) in rows {
        counts.add(&action, times, people);
    }
    Ok((counts, keep::last(tx, until).await?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_follow_each_other() {
        let month = Month::parse("2026-11").unwrap();
        assert_eq!(month.to_string(), "2026-11");
        assert_eq!(month.shown(), "11/2026");
        assert_eq!(month.after().after().to_string(), "2027-01");
        assert_eq!(month.after().after().before().before(), month);
        // Midnight in Vietnam.
        assert_eq!(month.start().rfc3339(), "2026-10-31T17:00:00.000Z");
        assert_eq!(Month::of(month.start()), month);
        assert_eq!(Month::of(month.start().plus_ms(-1)), month.before());
        for wrong in [
            "",
            "2026",
            "2026-13",
            "2026-00",
            "26-11",
            "2026-1",
            "+026-11",
            "2026-11-01",
        ] {
            assert_eq!(Month::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_few_are_not_told() {
        let all: Vec<_> = [0, 1, 4, 5, 6].into_iter().map(told).collect();
        assert_eq!(all, [Some(0), None, None, Some(5), Some(6)]);
    }

    #[test]
    fn every_look_counts_where_it_belongs() {
        let mut counts = Counts::default();
        counts.add("lookup.created", 2, 30);
        counts.add("lookup.viewed", 3, 20);
        counts.add("lookup.exported", 1, 30);
        counts.add("case.viewed", 4, 4);
        counts.add("lookup.referred", 1, 7);
        counts.add("account.created", 9, 0);
        counts.add("retention.swept", 1, 0);
        let expected = Counts {
            lookups: 2,
            found: 30,
            opened: 54,
            exports: 1,
            referred: 7,
            sweeps: 1,
            entries: 21,
        };
        assert_eq!(counts, expected);
    }
}
