//! The backup keys: what a backup opens with besides the master key, kept apart from every backup.
//!
//! A backup that could be opened for ever would undo every erasure. So the key of a day stands in it
//! wrapped by that day's *backup key*, and what passes (check-ins, declarations) is sealed by a key that
//! is wrapped by the backup key of the day on which the backup was made. These keys stand in one small
//! file, in no backup and no database, each wrapped by the master key. They are made long ahead, so that
//! a copy of the file serves for weeks, and they are destroyed on schedule: the day's when the key of
//! the day is, the file's when what it sealed is past its retention. Backups made before shut at that
//! moment, wherever they are.

use std::{
    collections::BTreeMap,
    fs::{File, OpenOptions},
    io::{self, Seek, Write},
    os::unix::fs::{MetadataExt, OpenOptionsExt, fchown},
    path::{Path, PathBuf},
};

use zeroize::Zeroizing;

use crate::{
    base::{Day, Random},
    privacy::{Key, Master, Place},
};

/// Days ahead for which keys are made.
const AHEAD: i32 = 90;

/// What a backup key wraps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Purpose {
    /// The key of a day.
    Day,
    /// What passes, in the backups made on a day.
    File,
}

impl Purpose {
    const fn word(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::File => "file",
        }
    }
}

/// The file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum NoEscrow {
    /// It cannot be read or written.
    #[error("the backup keys {path}: {1}", path = .0.display())]
    File(PathBuf, #[source] io::Error),
    /// It is not such a file.
    #[error("{path} is no file of backup keys: line {1}; put an unchanged copy in its place", path = .0.display())]
    Line(PathBuf, usize),
}

/// Which key it is.
type Name = (Purpose, Day);

/// The backup keys in one file.
#[derive(Debug)]
pub struct Escrow {
    path: PathBuf,
    /// Wrapped; `None` for one that was destroyed before its time.
    keys: BTreeMap<Name, Option<Vec<u8>>>,
}

impl Escrow {
    /// The file as it is; without any keys if there is none.
    ///
    /// # Errors
    ///
    /// When it cannot be read.
    pub fn read(path: &Path) -> Result<Self, NoEscrow> {
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(NoEscrow::File(path.to_owned(), error)),
        };
        let mut keys = BTreeMap::new();
        for (at, line) in text.lines().enumerate() {
            let line = line.split('#').next().unwrap_or_default().trim();
            if !line.is_empty() {
                let (name, key) =
                    parse(line).ok_or_else(|| NoEscrow::Line(path.to_owned(), at + 1))?;
                keys.insert(name, key);
            }
        }
        Ok(Self {
            path: path.to_owned(),
            keys,
        })
    }

    /// Whether there is any key.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// The backup key of `day`, if one of `masters` opens it.
    #[must_use]
    pub fn key(&self, masters: &[Master], purpose: Purpose, day: Day) -> Option<Key> {
        let wrapped = self.keys.get(&(purpose, day))?.as_ref()?;
        open(masters, purpose, day, wrapped)
    }

    /// Whether the backup key of `day` was destroyed before its time.
    #[must_use]
    pub fn is_destroyed(&self, purpose: Purpose, day: Day) -> bool {
        self.keys.get(&(purpose, day)).is_some_and(Option::is_none)
    }

    /// The last day for which there is a key.
    #[must_use]
    pub fn reaches(&self) -> Option<Day> {
        self.keys.keys().map(|(_, day)| *day).max()
    }

    /// Bring the file at `path` to what it should be on `today`: keys from `from` until some time ahead,
    /// none before, none of the days `destroyed`, all wrapped by `master` (the others of `masters` only
    /// open). What goes is overwritten. Nothing is written when nothing changes.
    ///
    /// # Errors
    ///
    /// When it cannot be read or written.
    pub fn tend(
        path: &Path,
        (master, masters): (&Master, &[Master]),
        (from, today): (Day, Day),
        destroyed: &[Day],
        random: &Random,
    ) -> Result<Self, NoEscrow> {
        let failed = |error| NoEscrow::File(path.to_owned(), error);
        if let Some(parent) = path.parent() {
            make_private_dir(parent).map_err(failed)?;
        }
        let _alone = alone(path).map_err(failed)?;
        let mut escrow = Self::read(path)?;
        let before = escrow.keys.clone();
        escrow.keys.retain(|(_, day), _| *day >= from);
        for ((purpose, day), wrapped) in &mut escrow.keys {
            let (purpose, day) = (*purpose, *day);
            if purpose == Purpose::Day && destroyed.contains(&day) {
                *wrapped = None;
            }
            if let Some(bytes) = wrapped
                && open(std::slice::from_ref(master), purpose, day, bytes).is_none()
                && let Some(key) = open(masters, purpose, day, bytes)
            {
                *wrapped = Some(wrap(master, purpose, day, &key, random));
            }
        }
        if escrow.is_empty() {
            tracing::info!(file = %path.display(), "made the backup keys; keep a copy with that of the master key");
        }
        for day in (from.number()..=today.number() + AHEAD).map(Day::from_number) {
            for purpose in [Purpose::Day, Purpose::File] {
                if purpose == Purpose::Day && destroyed.contains(&day) {
                    escrow.keys.insert((purpose, day), None);
                }
                escrow
                    .keys
                    .entry((purpose, day))
                    .or_insert_with(|| Some(wrap(master, purpose, day, &Key::new(random), random)));
            }
        }
        if escrow.keys != before {
            escrow.write().map_err(failed)?;
        }
        Ok(escrow)
    }

    fn write(&self) -> io::Result<()> {
        let mut text = Zeroizing::new(String::from(
            "# Backup keys: copy this file and the master key, never into a backup, and replace the copy.\n",
        ));
        for ((purpose, day), key) in &self.keys {
            text.push_str(purpose.word());
            text.push(' ');
            text.push_str(&day.to_string());
            text.push(' ');
            match key {
                Some(wrapped) => text.push_str(&super::hex(wrapped)),
                None => text.push_str("destroyed"),
            }
            text.push('\n');
        }
        replace(&self.path, text.as_bytes())
    }
}

/// Put `bytes` into the file at `path`, all or nothing, and overwrite what was there.
///
/// # Errors
///
/// When it cannot be written.
pub fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut name = path.as_os_str().to_owned();
    name.push(".tmp");
    let aside = PathBuf::from(name);
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&aside)?;
    // A command that root runs must not take the file from the service's user.
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    let owner = std::fs::metadata(path).or_else(|_| std::fs::metadata(folder))?;
    let mine = file.metadata()?;
    if (mine.uid(), mine.gid()) != (owner.uid(), owner.gid()) {
        fchown(&file, Some(owner.uid()), Some(owner.gid()))?;
    }
    file.write_all(bytes)?;
    file.sync_all()?;
    let old = OpenOptions::new().write(true).open(path);
    std::fs::rename(&aside, path)?;
    File::open(folder)?.sync_all()?;
    if let Ok(mut old) = old {
        wipe(&mut old)?;
    }
    Ok(())
}

/// Overwrite the whole of `file` with zeros.
fn wipe(file: &mut File) -> io::Result<()> {
    let length = usize::try_from(file.metadata()?.len()).unwrap_or_default();
    file.rewind()?;
    file.write_all(&vec![0; length])?;
    file.sync_all()
}

/// Make a folder that nobody else can look into, if there is none.
///
/// # Errors
///
/// When it cannot be made.
pub fn make_private_dir(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
}

/// Hold the file for this process as long as the answer lives.
fn alone(path: &Path) -> io::Result<File> {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    let file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(PathBuf::from(name))?;
    file.lock()?;
    Ok(file)
}

fn parse(line: &str) -> Option<(Name, Option<Vec<u8>>)> {
    let mut words = line.split_whitespace();
    let purpose = match words.next()? {
        "day" => Purpose::Day,
        "file" => Purpose::File,
        _ => return None,
    };
    let day = Day::parse(words.next()?)?;
    let key = match words.next()? {
        "destroyed" => None,
        digits => Some(super::unhex(digits)?),
    };
    words.next().is_none().then_some(((purpose, day), key))
}

fn wrap(master: &Master, purpose: Purpose, day: Day, key: &Key, random: &Random) -> Vec<u8> {
    master.wrap(place(purpose, &day.number().to_be_bytes()), key, random)
}

fn open(masters: &[Master], purpose: Purpose, day: Day, wrapped: &[u8]) -> Option<Key> {
    let row = day.number().to_be_bytes();
    masters
        .iter()
        .find_map(|master| master.unwrap(place(purpose, &row), wrapped))
}

fn place(purpose: Purpose, row: &[u8]) -> Place<'_> {
    Place {
        table: "backup_keys",
        column: purpose.word(),
        row,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_made_ahead_and_go_on_their_day() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("keys").join("backup.keys");
        let random = Random::seeded(1);
        let master = Master::new(&random);
        let masters = [master.clone()];
        let today = Day::from_number(20_000);
        let tend = |today: Day, destroyed: &[Day]| {
            let from = today.plus(-22);
            let with = (&master, masters.as_slice());
            Escrow::tend(&path, with, (from, today), destroyed, &random).unwrap()
        };
        let bytes = |escrow: &Escrow, purpose, day| {
            escrow
                .key(&masters, purpose, day)
                .map(|key| key.bytes().to_vec())
        };
        let first = tend(today, &[]);
        let old = bytes(&first, Purpose::Day, today.plus(-22));
        assert!(old.is_some());
        assert_eq!(first.reaches(), Some(today.plus(AHEAD)));
        assert_ne!(old, bytes(&first, Purpose::File, today.plus(-22)));
        let again = tend(today, &[]);
        assert_eq!(bytes(&again, Purpose::Day, today.plus(-22)), old);
        // A day later the first one is gone, also from the bytes of the file.
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.contains(&format!("day {} ", today.plus(-22))));
        let later = tend(today.plus(1), &[today.plus(-3)]);
        assert_eq!(bytes(&later, Purpose::Day, today.plus(-22)), None);
        assert!(!later.is_destroyed(Purpose::Day, today.plus(-22)));
        assert!(later.is_destroyed(Purpose::Day, today.plus(-3)));
        assert!(bytes(&later, Purpose::File, today.plus(-3)).is_some());
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(!text.contains(&format!("day {} ", today.plus(-22))));
        // What was destroyed is not made anew.
        assert_eq!(
            bytes(&tend(today.plus(1), &[]), Purpose::Day, today.plus(-3)),
            None
        );
    }

    #[test]
    fn a_new_master_key_wraps_them_and_the_old_one_opens_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("backup.keys");
        let random = Random::seeded(1);
        let (old, new) = (Master::new(&random), Master::new(&random));
        let today = Day::from_number(20_000);
        let days = (today.plus(-22), today);
        let with = (&old, std::slice::from_ref(&old));
        let before = Escrow::tend(&path, with, days, &[], &random).unwrap();
        let key = before
            .key(std::slice::from_ref(&old), Purpose::Day, today)
            .unwrap();
        let both = [new.clone(), old.clone()];
        let after = Escrow::tend(&path, (&new, &both), days, &[], &random).unwrap();
        let same = after.key(&[new], Purpose::Day, today).unwrap();
        assert_eq!(key.bytes(), same.bytes());
        assert!(after.key(&[old], Purpose::Day, today).is_none());
    }

    #[test]
    fn a_changed_file_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("backup.keys");
        std::fs::write(
            &path,
            "# fine\n\nday 2026-11-22 destroyed\nday 2026-11-2x 00\n",
        )
        .unwrap();
        let problem = Escrow::read(&path).unwrap_err().to_string();
        assert!(problem.contains("line 4"), "{problem}");
        assert!(Escrow::read(&dir.path().join("none")).unwrap().is_empty());
    }

    #[test]
    fn what_is_replaced_is_overwritten() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        std::fs::write(&path, "canary").unwrap();
        std::fs::hard_link(&path, dir.path().join("other name")).unwrap();
        replace(&path, b"new").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"new");
        assert_eq!(
            std::fs::read(dir.path().join("other name")).unwrap(),
            [0; 6]
        );
    }
}
