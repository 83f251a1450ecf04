//! Restoring a backup: read it twice, first to see that it is whole, then into an empty store in one
//! transaction, so that a file that is cut off or changed leaves nothing behind.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use super::{
    Trouble,
    format::{Header, Keys, day_place, made_on},
    read::{Chunk, Next, open},
};
use crate::{
    base::{Day, Random, Timestamp, ids::time_of},
    checkins::{journal, retention::first_kept},
    config::Settings,
    ops::keys::first_key,
    privacy::{
        Key, Master, day_row,
        escrow::{Escrow, Purpose, make_private_dir, replace},
    },
    store::{Cell, Column, Db, Filler, Table, ensure_partitions, tables},
};

/// What was restored.
#[derive(Clone, Debug)]
pub struct Restored {
    /// When the backup was made.
    pub made_at: Timestamp,
    /// The engine that it was read from.
    pub engine: String,
    /// Tables, and how many rows each got.
    pub tables: Vec<(String, u64)>,
    /// Rows left out because they are past their retention by now.
    pub past: u64,
    /// Whether what passes could not be opened any more, and was left out.
    pub shut: bool,
    /// The days whose keys came back.
    pub days: Vec<Day>,
    /// Entries of the audit log, all of them as they were written.
    pub audited: i64,
}

/// What is needed to open a backup on this day.
pub(super) struct Plan<'a> {
    pub path: &'a Path,
    pub masters: &'a [Master],
    escrow: Escrow,
    pub header: Header,
    pub keys: Keys,
    pub fillers: Vec<Filler>,
    /// The first day whose check-ins are kept, and the first whose key is.
    pub kept: Day,
    pub from: Day,
    pub random: &'a Random,
}

/// What the first reading found.
#[derive(Default)]
pub(super) struct Found {
    pub rows: Vec<u64>,
    /// The day of every row that has one.
    days: BTreeSet<Day>,
    /// Days whose keys are there, and do not open.
    closed: Vec<Day>,
    /// The master key that wraps.
    pub wraps: Option<Master>,
}

/// Restore the backup at `path` into `db`, which must be empty. `forgo` says to do without what passes
/// when its backup keys are missing. `tell` hears how many bytes are done, of twice those of the file.
///
/// # Errors
///
/// When the file, the keys or the target is not what it must be; then nothing is restored.
pub async fn restore(
    db: &Db,
    settings: &Settings,
    random: &Random,
    path: &Path,
    forgo: bool,
    mut tell: impl FnMut(u64),
) -> Result<Restored, Trouble> {
    let masters =
        Master::read(&settings.master_key).map_err(|error| Trouble::Unequal(error.to_string()))?;
    let backup_keys = backup_keys(settings);
    let plan = plan(db, settings, random, path, &masters, &backup_keys)?;
    let found = plan.look(&mut tell)?;
    plan.judge(&found, &backup_keys, forgo)?;
    db.migrate().await?;
    // A log that was left from another store would go into this one later.
    journal::replay(db).await?;
    for day in partitions(&plan, &found, Day::of(db.now())) {
        ensure_partitions(db, day).await?;
    }
    // The old backups open with the keys that were found, wherever they were.
    if backup_keys != settings.backup_keys {
        let failed = |error| Trouble::File(settings.backup_keys.clone(), error);
        let text = std::fs::read(&backup_keys).map_err(failed)?;
        if let Some(folder) = settings.backup_keys.parent() {
            make_private_dir(folder).map_err(failed)?;
        }
        replace(&settings.backup_keys, &text).map_err(failed)?;
    }
    db.append(async |tx| plan.fill(tx, &found, &mut tell).await)
        .await
}

/// The backup keys: where the settings say, or beside the master key.
fn backup_keys(settings: &Settings) -> PathBuf {
    use crate::config::MasterKey::{File, Own};
    if !settings.backup_keys.exists()
        && let File(path) | Own(path) = &settings.master_key
    {
        let beside = path.with_file_name("backup.keys");
        if beside.exists() {
            return beside;
        }
    }
    settings.backup_keys.clone()
}

fn plan<'a>(
    db: &Db,
    settings: &Settings,
    random: &'a Random,
    path: &'a Path,
    masters: &'a [Master],
    backup_keys: &Path,
) -> Result<Plan<'a>, Trouble> {
    let reader = open(path)?;
    let header = reader.header;
    let escrow = Escrow::read(backup_keys)?;
    let today = Day::of(db.now());
    let from = first_key(today, settings.retention_days);
    let day = made_on(&header);
    let backup_key = escrow
        .key(masters, Purpose::File, day)
        .filter(|_| day >= from);
    let keys = Keys::open(&header, masters, backup_key.as_ref())?;
    let fillers: Option<Vec<Filler>> = header
        .tables
        .iter()
        .map(|table| {
            let ours = tables().iter().find(|ours| ours.name == table.name)?;
            let columns: Option<Vec<Column>> = table
                .columns
                .iter()
                .map(|(name, letter)| {
                    let mut ours = ours.columns.iter();
                    let is_it = |c: &&Column| c.name == *name && c.kind.letter() == *letter;
                    ours.find(is_it).cloned()
                })
                .collect();
            Some(Filler::new(Table {
                columns: columns?,
                ..ours.clone()
            }))
        })
        .collect();
    let newer =
        "this backup has tables that this version does not know; run the version that made it";
    Ok(Plan {
        path,
        masters,
        escrow,
        keys,
        fillers: fillers.ok_or(Trouble::Foreign(newer))?,
        header,
        kept: first_kept(today, settings.retention_days),
        from,
        random,
    })
}

/// The days that need a place: those of the rows that are kept, and the present ones.
fn partitions(plan: &Plan<'_>, found: &Found, today: Day) -> BTreeSet<Day> {
    let near = (plan.from.number()..=today.number() + 2).map(Day::from_number);
    let rows = found.days.iter().copied().filter(|day| *day >= plan.from);
    near.chain(rows).collect()
}

impl Plan<'_> {
    pub(super) fn name(&self, table: usize) -> &str {
        self.header
            .tables
            .get(table)
            .map_or("", |table| table.name.as_str())
    }

    pub(super) fn cell<'c>(
        &self,
        table: usize,
        row: &'c mut [Cell],
        name: &str,
    ) -> Option<&'c mut Cell> {
        let columns = &self.header.tables.get(table)?.columns;
        let at = columns.iter().position(|(column, _)| column == name)?;
        row.get_mut(at)
    }

    /// The day of a row that passes by its id.
    pub(super) fn day_of(&self, table: usize, row: &mut [Cell]) -> Option<Day> {
        if !matches!(self.name(table), "check_ins" | "declarations") {
            return None;
        }
        match self.cell(table, row, "id") {
            Some(Cell::Uuid(id)) => time_of(*id).map(Day::of_ms),
            _ => None,
        }
    }

    /// Read the whole file and see that it is what was written.
    fn look(&self, tell: &mut impl FnMut(u64)) -> Result<Found, Trouble> {
        let mut found = Found::default();
        let mut counted = vec![0; self.header.tables.len()];
        let mut reader = open(self.path)?;
        loop {
            let next = reader.next(&self.keys)?;
            tell(reader.bytes);
            match next {
                Next::Chunk(chunk) => {
                    if let Some(count) = counted.get_mut(chunk.table) {
                        *count += chunk.rows.len() as u64;
                    }
                    self.look_at(chunk, &mut found)?;
                }
                Next::Shut => {}
                Next::End(rows) => {
                    found.rows = rows;
                    break;
                }
            }
        }
        let tables = self.header.tables.iter();
        let is_whole = tables
            .zip(counted.iter().zip(&found.rows))
            .all(|(table, (seen, said))| {
                seen == said || (table.passes && self.keys.passing.is_none())
            });
        if is_whole {
            Ok(found)
        } else {
            Err(Trouble::Changed("the number of its rows"))
        }
    }

    fn look_at(&self, chunk: Chunk, found: &mut Found) -> Result<(), Trouble> {
        for mut row in chunk.rows {
            found.days.extend(self.day_of(chunk.table, &mut row));
            match self.name(chunk.table) {
                "day_keys" => {
                    if let Some((day, sealed)) = self.day_key(chunk.table, &mut row)
                        && day >= self.from
                        && self.open_day(day, &sealed).is_none()
                        && !self.escrow.is_destroyed(Purpose::Day, day)
                    {
                        found.closed.push(day);
                    }
                }
                "master_keys" => {
                    let wraps = matches!(
                        self.cell(chunk.table, &mut row, "replaced_at"),
                        Some(Cell::Null)
                    );
                    if let (true, Some(Cell::Bytes(print))) =
                        (wraps, self.cell(chunk.table, &mut row, "fingerprint"))
                    {
                        let mut masters = self.masters.iter();
                        let is_it = |key: &&Master| key.fingerprint().as_slice() == print;
                        found.wraps =
                            Some(masters.find(is_it).ok_or(Trouble::WrongMaster)?.clone());
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// The day of a row of `day_keys` and its key as it stands in the backup, if it is there.
    pub(super) fn day_key(&self, table: usize, row: &mut [Cell]) -> Option<(Day, Vec<u8>)> {
        let day = match self.cell(table, row, "day")? {
            Cell::Int(number) => Day::from_number(i32::try_from(*number).ok()?),
            _ => return None,
        };
        match self.cell(table, row, "wrapped")? {
            Cell::Bytes(sealed) => Some((day, sealed.clone())),
            _ => None,
        }
    }

    pub(super) fn open_day(&self, day: Day, sealed: &[u8]) -> Option<Key> {
        let backup_key = self.escrow.key(self.masters, Purpose::Day, day)?;
        let plain = backup_key.open(day_place(&day_row(day)), sealed).ok()?;
        Some(Key::from_bytes(plain.as_slice().try_into().ok()?))
    }

    /// Whether what does not open is past its time, or the backup keys are not the right ones.
    fn judge(&self, found: &Found, backup_keys: &Path, forgo: bool) -> Result<(), Trouble> {
        if found.wraps.is_none() {
            return Err(Trouble::WrongMaster);
        }
        let on = made_on(&self.header);
        let missing = if self.keys.passing.is_none() && on >= self.from {
            Some(format!(
                "the check-ins and declarations in a backup of {on}"
            ))
        } else {
            let closed: Vec<String> = found.closed.iter().map(Day::to_string).collect();
            (!closed.is_empty()).then(|| format!("the keys of {}", closed.join(", ")))
        };
        match missing {
            Some(what) if !forgo => Err(Trouble::NoBackupKeys(backup_keys.to_owned(), what)),
            _ => Ok(()),
        }
    }
}
