//! Runs into the store, in transactions of about a second.

use std::time::{Duration, Instant};

use super::{Import, ImportError, batch::Batch};
use crate::{
    base::Day,
    checkins::store::{self, Row},
    declarations::{self, store::Row as DeclarationRow},
    store::{Engine, Error, Sql, ensure_partitions},
};

/// Rows in the first transaction, and in any at least.
const ROWS_MIN: usize = 8192;

/// Rows in one transaction at most.
const ROWS_MAX: usize = 65_536;

/// How long a transaction should take: a service that runs on the same SQLite file waits for it, and
/// gives up after three seconds.
const TIME: Duration = Duration::from_secs(1);

/// Make keys and partitions of all days that may occur, and give the first of them.
pub(super) async fn prepare(import: &Import) -> Result<Day, ImportError> {
    let now = import.clock.now();
    let first = Day::of(now).plus(-i32::from(import.retention_days));
    let last = Day::of(now).plus(1);
    for day in (first.number()..=last.number()).map(Day::from_number) {
        ensure_partitions(&import.db, day).await?;
    }
    import
        .keys
        .ensure_days(&import.db, first, last, &import.random)
        .await
        .map_err(|error| ImportError::Store(Box::new(error.into())))?;
    // With a log of 128 MiB fewer pages are copied twice into the file.
    import
        .db
        .append(async |tx| {
            tx.query(Sql::split("SELECT 1", "PRAGMA wal_autocheckpoint = 32768"))
                .execute()
                .await
        })
        .await?;
    Ok(first)
}

/// Writes runs, and learns how many rows fit into a transaction.
pub(super) struct Writer<'i> {
    import: &'i Import,
    size: usize,
    copies: bool,
}

impl<'i> Writer<'i> {
    pub(super) fn new(import: &'i Import) -> Self {
        Self {
            import,
            size: ROWS_MIN,
            copies: import.db.engine() == Engine::Postgres,
        }
    }

    /// Write a run, telling `progress` the share that is done, and say how many stays were new.
    /// Contacts go first: a stay never stands without its contact, wherever this is cut off.
    pub(super) async fn write(
        &mut self,
        mut batch: Batch,
        progress: &mut impl FnMut(f64),
    ) -> Result<u64, ImportError> {
        let received_at = self.import.clock.now().as_ms();
        for row in &mut batch.rows {
            row.received_at = received_at;
        }
        let total = share(batch.rows.len() + batch.contacts.len());
        let mut done = 0;
        let mut contacts = batch.contacts.as_slice();
        while !contacts.is_empty() {
            let (some, rest) = contacts.split_at(self.size.min(contacts.len()));
            contacts = rest;
            let began = Instant::now();
            self.contacts(&some.iter().collect::<Vec<_>>()).await?;
            self.learn(some.len(), began.elapsed());
            done += some.len();
            progress(share(done) / total);
        }
        let mut added = 0;
        let mut rows = batch.rows.as_slice();
        while !rows.is_empty() {
            let (some, rest) = rows.split_at(self.size.min(rows.len()));
            rows = rest;
            let began = Instant::now();
            added += self.rows(&some.iter().collect::<Vec<_>>()).await?;
            self.learn(some.len(), began.elapsed());
            done += some.len();
            progress(share(done) / total);
        }
        Ok(added)
    }

    async fn contacts(&self, contacts: &[&DeclarationRow]) -> Result<(), ImportError> {
        let append = self.import.db.append(async |tx| {
            declarations::store::insert(tx, contacts).await?;
            let people = contacts.iter().map(|row| row.person);
            declarations::store::insert_aliases(tx, people).await?;
            Ok::<_, Error>(())
        });
        Ok(append.await?)
    }

    /// Copied, where the engine can, until a row is there already: then somebody runs the same file
    /// again.
    async fn rows(&mut self, rows: &[&Row]) -> Result<u64, ImportError> {
        let db = &self.import.db;
        if self.copies {
            match db.append(async |tx| store::copy(tx, rows).await).await {
                Err(Error::Conflict) => self.copies = false,
                copied => return Ok(copied?),
            }
        }
        let append = db.append(async |tx| store::insert_counted(tx, rows).await);
        Ok(append.await?)
    }

    fn learn(&mut self, rows: usize, took: Duration) {
        // The rest of a run says little about a whole transaction.
        if rows == self.size {
            self.size = next_size(rows, took);
        }
    }
}

/// Rows for the next transaction, after one of `rows` that took `took`: at most twice as many.
fn next_size(rows: usize, took: Duration) -> usize {
    let took = usize::try_from(took.as_millis())
        .unwrap_or(usize::MAX)
        .max(1);
    let target = usize::try_from(TIME.as_millis()).unwrap_or(usize::MAX);
    let fitting = rows.saturating_mul(target) / took;
    fitting.min(2 * rows).clamp(ROWS_MIN, ROWS_MAX)
}

#[expect(clippy::cast_precision_loss, reason = "it moves a progress bar")]
fn share(rows: usize) -> f64 {
    rows as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_transaction_grows_until_it_takes_a_second() {
        let ms = Duration::from_millis;
        assert_eq!(next_size(ROWS_MIN, ms(10)), 2 * ROWS_MIN);
        assert_eq!(next_size(40_000, ms(1000)), 40_000);
        assert_eq!(next_size(40_000, ms(2000)), 20_000);
        assert_eq!(next_size(40_000, ms(60_000)), ROWS_MIN);
        assert_eq!(next_size(ROWS_MAX, ms(1)), ROWS_MAX);
    }
}
