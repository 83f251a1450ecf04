//! Making a backup: one moment of the store, while the service runs.

use std::{
    fs::OpenOptions,
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use super::{
    LEFT_OUT, PASSING, Trouble,
    format::{Header, HeaderTable, Keys, day_place},
    write::Writer,
};
use crate::{
    base::{Day, Random, Timestamp},
    checkins::journal,
    http::App,
    ops::keys::{first_key, tend},
    privacy::{
        KeyRing, NoKey, day_row,
        escrow::{Escrow, Purpose},
        hex,
    },
    store::{Cell, Engine, Table, tables},
};

/// What a backup holds.
#[derive(Clone, Debug)]
pub struct Made {
    /// Tables.
    pub tables: usize,
    /// Rows of all of them.
    pub rows: u64,
    /// Bytes of the file.
    pub bytes: u64,
    /// The days whose keys are in it, first and last.
    pub days: Option<(Day, Day)>,
    /// The last day on which anything that passes in it can be opened.
    pub opens_until: Day,
}

/// Whether backups hold the rows of `table`.
fn is_kept(table: &Table) -> bool {
    !LEFT_OUT.contains(&table.name.as_str())
}

/// Write a backup of the store of `app` to `path`, where nothing may be yet. `tell` hears how many rows
/// of how many are done.
///
/// # Errors
///
/// When a file cannot be written or the store cannot be read; then nothing is left at `path`.
pub async fn make(app: &App, path: &Path, mut tell: impl FnMut(u64, u64)) -> Result<Made, Trouble> {
    let failed = |error| Trouble::File(path.to_owned(), error);
    if path.exists() {
        return Err(failed(io::Error::other(
            "this file exists; a backup does not replace another one",
        )));
    }
    tend(app, None).await?;
    // What was acknowledged before now is in the tables; what is acknowledged from now on may not be.
    journal::replay(&app.db).await?;
    let escrow = Escrow::read(&app.settings.backup_keys)?;
    let mut name = path.as_os_str().to_owned();
    name.push(".part");
    let part = PathBuf::from(name);
    let file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&part)
        .map_err(failed)?;
    let made = write(app, &escrow, &file, &mut tell).await;
    let made = made.and_then(|made| {
        file.sync_all().map_err(failed)?;
        let bytes = file.metadata().map_err(failed)?.len();
        std::fs::rename(&part, path).map_err(failed)?;
        Ok(Made { bytes, ..made })
    });
    if made.is_err() {
        // What is half written helps nobody.
        let _ = std::fs::remove_file(&part);
    }
    made
}

async fn write(
    app: &App,
    escrow: &Escrow,
    file: impl Write + Copy,
    tell: &mut impl FnMut(u64, u64),
) -> Result<Made, Trouble> {
    let now = app.clock.now();
    let today = Day::of(now);
    let retention = app.settings.retention_days;
    let (header, keys) = head(app, escrow, now).await?;
    let kept: Vec<&Table> = tables().iter().filter(|table| is_kept(table)).collect();
    let mut days = Days {
        keys: &app.keys,
        escrow,
        path: &app.settings.backup_keys,
        from: first_key(today, retention),
        random: &app.random,
        seen: Vec::new(),
    };
    let mut writer = Writer::new(file, header, keys, &app.random).map_err(io_of)?;
    app.db
        .read(async |tx| {
            let mut total = 0;
            for table in &kept {
                total += tx.count_rows(table).await?;
            }
            let mut done = 0;
            for (at, table) in kept.iter().enumerate() {
                tx.each_row(table, |mut cells| {
                    if table.name == "day_keys" {
                        days.wrap(table, &mut cells)?;
                    }
                    writer.row(at, &cells).map_err(io_of)?;
                    done += 1;
                    if done % 256 == 0 {
                        tell(done, total);
                    }
                    Ok::<_, Trouble>(())
                })
                .await?;
            }
            Ok::<_, Trouble>(())
        })
        .await?;
    let (_, rows) = writer.finish().map_err(io_of)?;
    Ok(Made {
        tables: kept.len(),
        rows: rows.iter().sum(),
        bytes: 0,
        days: days
            .seen
            .iter()
            .copied()
            .min()
            .zip(days.seen.iter().copied().max()),
        opens_until: today.plus(i32::from(retention) + 1),
    })
}

/// The disk does not take what is written.
fn io_of(error: io::Error) -> Trouble {
    Trouble::File("the backup".into(), error)
}

async fn head(app: &App, escrow: &Escrow, now: Timestamp) -> Result<(Header, Keys), Trouble> {
    let today = Day::of(now);
    let master = app.keys.active(&app.db).await?.ok_or(NoKey::OldMaster)?;
    let backup_key = escrow
        .key(&app.keys.masters(), Purpose::File, today)
        .ok_or_else(|| Trouble::ForeignBackupKeys(app.settings.backup_keys.clone()))?;
    let made_at = now.as_ms();
    let (keys, staying_key, passing_key) = Keys::new(&master, &backup_key, made_at, &app.random);
    let kept = tables().iter().filter(|table| is_kept(table));
    let header = Header {
        program: env!("CARGO_PKG_VERSION").to_owned(),
        made_at,
        made_on: today.number(),
        engine: match app.db.engine() {
            Engine::Sqlite => "SQLite".to_owned(),
            Engine::Postgres => "PostgreSQL".to_owned(),
        },
        master: hex(&master.fingerprint()).to_string(),
        staying_key,
        passing_key,
        tables: kept
            .map(|table| HeaderTable {
                name: table.name.clone(),
                passes: PASSING.contains(&table.name.as_str()),
                columns: table
                    .columns
                    .iter()
                    .map(|column| (column.name.clone(), column.kind.letter()))
                    .collect(),
            })
            .collect(),
    };
    Ok((header, keys))
}

/// Takes the keys of the days out of the master key's wrapping, and wraps them in that of their backup
/// keys.
struct Days<'a> {
    keys: &'a KeyRing,
    escrow: &'a Escrow,
    /// Where the backup keys stand.
    path: &'a Path,
    from: Day,
    random: &'a Random,
    seen: Vec<Day>,
}

impl Days<'_> {
    fn wrap(&mut self, table: &Table, cells: &mut [Cell]) -> Result<(), Trouble> {
        let day = match cell(table, cells, "day") {
            Some(Cell::Int(number)) => i32::try_from(*number).ok().map(Day::from_number),
            _ => None,
        };
        let (Some(day), Some(wrapped)) = (day, cell(table, cells, "wrapped")) else {
            return Ok(());
        };
        let row = day_row(day);
        let gone = day < self.from || self.escrow.is_destroyed(Purpose::Day, day);
        *wrapped = match &*wrapped {
            Cell::Bytes(bytes) if !gone => {
                let backup_key = self.escrow.key(&self.keys.masters(), Purpose::Day, day);
                let backup_key =
                    backup_key.ok_or_else(|| Trouble::ForeignBackupKeys(self.path.to_owned()))?;
                let key = self.keys.unwrap(crate::privacy::day_place(&row), bytes)?;
                self.seen.push(day);
                Cell::Bytes(backup_key.seal(day_place(&row), key.bytes(), self.random))
            }
            // Past its retention and not destroyed yet, or destroyed a moment ago.
            _ => Cell::Null,
        };
        Ok(())
    }
}

fn cell<'a>(table: &Table, cells: &'a mut [Cell], name: &str) -> Option<&'a mut Cell> {
    let at = table.columns.iter().position(|c| c.name == name)?;
    cells.get_mut(at)
}
