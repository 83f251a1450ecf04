//! The second reading: the rows go into the store, in one transaction, and are verified there.

use super::{
    Trouble,
    read::{Chunk, Next, open},
    restore::{Found, Plan, Restored},
};
use crate::{
    base::Timestamp,
    privacy::{
        audit::{self, Verdict},
        day_row,
    },
    store::{Cell, Tx, tables},
};

impl Plan<'_> {
    /// Fill the store, and see that all of it arrived.
    pub(super) async fn fill(
        &self,
        tx: &mut Tx,
        found: &Found,
        tell: &mut impl FnMut(u64),
    ) -> Result<Restored, Trouble> {
        for table in tables() {
            if tx.count_rows(table).await? > 0 {
                return Err(Trouble::NotEmpty(table.name.clone()));
            }
        }
        let mut restored = Restored {
            made_at: Timestamp::from_ms(self.header.made_at),
            engine: self.header.engine.clone(),
            tables: self
                .header
                .tables
                .iter()
                .map(|table| (table.name.clone(), 0))
                .collect(),
            past: 0,
            shut: self.keys.passing.is_none(),
            days: Vec::new(),
            audited: 0,
        };
        let mut reader = open(self.path)?;
        let first = reader.bytes;
        loop {
            let next = reader.next(&self.keys)?;
            tell(first + reader.bytes);
            match next {
                Next::Chunk(chunk) => self.fill_with(tx, chunk, found, &mut restored).await?,
                Next::Shut => {}
                // The same file as a moment ago.
                Next::End(rows) if rows == found.rows => break,
                Next::End(_) => return Err(Trouble::Changed("while it was read")),
            }
        }
        self.verify(tx, &mut restored).await?;
        let entry = audit::Entry {
            action: "backup.restored",
            subject: format!("backup of {}", restored.made_at.rfc3339()),
            reason: Some("operator"),
            ..audit::Entry::default()
        };
        audit::append(tx, entry).await?;
        Ok(restored)
    }

    async fn fill_with(
        &self,
        tx: &mut Tx,
        chunk: Chunk,
        found: &Found,
        restored: &mut Restored,
    ) -> Result<(), Trouble> {
        let first = match self.name(chunk.table) {
            "check_ins" => self.kept,
            _ => self.from,
        };
        let mut rows = Vec::with_capacity(chunk.rows.len());
        for mut row in chunk.rows {
            if self
                .day_of(chunk.table, &mut row)
                .is_some_and(|day| day < first)
            {
                restored.past += 1;
                continue;
            }
            if self.name(chunk.table) == "day_keys" {
                self.rewrap(tx, chunk.table, &mut row, found, restored);
            }
            rows.push(row);
        }
        if let Some((_, count)) = restored.tables.get_mut(chunk.table) {
            *count += rows.len() as u64;
        }
        match self.fillers.get(chunk.table) {
            Some(filler) => Ok(tx.fill(filler, rows).await?),
            None => Err(Trouble::Changed("a table")),
        }
    }

    /// Wrap the key of a day by the master key again, or note that it is gone.
    fn rewrap(
        &self,
        tx: &Tx,
        table: usize,
        row: &mut [Cell],
        found: &Found,
        restored: &mut Restored,
    ) {
        let opened = self
            .day_key(table, row)
            .filter(|(day, _)| *day >= self.from)
            .and_then(|(day, sealed)| Some((day, self.open_day(day, &sealed)?)));
        let wrapped = opened
            .zip(found.wraps.as_ref())
            .map(|((day, key), master)| {
                restored.days.push(day);
                let row = day_row(day);
                master.wrap(crate::privacy::day_place(&row), &key, self.random)
            });
        let gone = wrapped.is_none();
        if let Some(cell) = self.cell(table, row, "wrapped") {
            *cell = wrapped.map_or(Cell::Null, Cell::Bytes);
        }
        if gone && let Some(cell @ Cell::Null) = self.cell(table, row, "destroyed_at") {
            *cell = Cell::Time(tx.now());
        }
    }

    /// Count what is there, check the audit log, and open a key.
    async fn verify(&self, tx: &mut Tx, restored: &mut Restored) -> Result<(), Trouble> {
        for ((name, count), filler) in restored.tables.iter().zip(&self.fillers) {
            let there = tx.count_rows(filler.table()).await?;
            if there != *count {
                return Err(Trouble::Unequal(format!(
                    "{name} has {there} rows where the backup has {count}"
                )));
            }
            tx.renumber(filler).await?;
        }
        let Verdict::Whole(entries) = audit::verify(tx).await? else {
            return Err(Trouble::Unequal(
                "the audit log in the backup was changed before it was made".to_owned(),
            ));
        };
        restored.audited = entries;
        if let Some(day) = restored.days.last() {
            let stored: Option<(Vec<u8>,)> = tx
                .query("SELECT wrapped FROM day_keys WHERE day = $1 AND wrapped IS NOT NULL")
                .bind(i64::from(day.number()))
                .optional()
                .await?;
            let row = day_row(*day);
            let place = crate::privacy::day_place(&row);
            let opens = stored.is_some_and(|(wrapped,)| {
                let mut masters = self.masters.iter();
                masters.any(|key| key.unwrap(place, &wrapped).is_some())
            });
            if !opens {
                return Err(Trouble::Unequal(format!("the key of {day} does not open")));
            }
        }
        Ok(())
    }
}
