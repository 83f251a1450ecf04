//! Keeping checkpoints: in the database, and as files in a second place.
//!
//! A checkpoint is signed only when the log goes on from the one before it, so nobody who rewrites the
//! log gets the new past signed. The second place is a folder that may be on another disk or another
//! machine: whoever can write to the database alone cannot cut off the end unseen.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, ErrorKind, Read as _, Write as _},
    path::{Path, PathBuf},
};

use super::{
    checkpoint::{BadNote, Checkpoint, PublicKey, Signer},
    tree,
};
use crate::{
    base::Timestamp,
    store::{self, Db, Tx},
};

/// Name of the file that holds the public key, beside the checkpoints.
pub const KEY_FILE: &str = "public-key.txt";

/// What the name of a checkpoint's file ends in.
const ENDING: &str = ".checkpoint";

/// Bytes of a checkpoint's file at most: a checkpoint has some two hundred, and each witness adds one
/// line.
const NOTE_MAX: u64 = 64 * 1024;

/// A checkpoint as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Kept {
    /// Entries of the log.
    pub size: i64,
    /// When it was signed.
    pub at: Timestamp,
    /// The signed note.
    pub note: String,
}

/// A checkpoint cannot be signed or kept.
#[derive(Debug, thiserror::Error)]
pub enum NotKept {
    /// The store failed.
    #[error("{0}")]
    Store(#[from] store::Error),
    /// What stands in the table was signed with another key, or changed.
    #[error("the last checkpoint in the database {0}")]
    Note(#[from] BadNote),
    /// The log is not the one that was signed.
    #[error(
        "the audit log of {0} entries does not go on from the last checkpoint; run `diem-kiem-dich audit verify`"
    )]
    OtherPast(u64),
    /// A file cannot be written.
    #[error("{path}: {1}", path = .0.display())]
    File(PathBuf, #[source] io::Error),
}

/// The last checkpoint that was signed before `until`.
///
/// # Errors
///
/// Those of the store.
pub async fn last(tx: &mut Tx, until: Timestamp) -> Result<Option<Kept>, store::Error> {
    tx.query(
        "SELECT size, at, note FROM audit_checkpoints WHERE at < $1 ORDER BY size DESC LIMIT 1",
    )
    .bind(until)
    .optional()
    .await
}

/// Checkpoints of more than `after` entries, in order, at most `limit`.
///
/// # Errors
///
/// Those of the store.
pub async fn list(tx: &mut Tx, after: i64, limit: i64) -> Result<Vec<Kept>, store::Error> {
    tx.query("SELECT size, at, note FROM audit_checkpoints WHERE size > $1 ORDER BY size LIMIT $2")
        .bind(after)
        .bind(limit)
        .all()
        .await
}

/// Sign the log as it is, if it grew since the last checkpoint, and give the last checkpoint. `None`
/// while the log is empty.
///
/// # Errors
///
/// [`NotKept::OtherPast`] when the log does not go on from the last checkpoint; those of the store.
pub async fn sign(db: &Db, signer: &Signer) -> Result<Option<Kept>, NotKept> {
    let (log, before, proof) = db.read(async |tx| look(tx, signer).await).await?;
    if let Some((kept, before)) = before {
        let goes_on = tree::is_consistent(before.size, &before.root, log.size, &log.root, &proof);
        if !goes_on {
            return Err(NotKept::OtherPast(log.size));
        }
        if log.size == before.size {
            return Ok(Some(kept));
        }
    }
    if log.size == 0 {
        return Ok(None);
    }
    let note = signer.sign(&log);
    let size = i64::try_from(log.size).unwrap_or(i64::MAX);
    let at = db
        .append(async |tx| {
            let at = tx.now();
            // Another process may have signed the same.
            tx.query(
                "INSERT INTO audit_checkpoints (size, at, note) VALUES ($1, $2, $3)
                 ON CONFLICT (size) DO NOTHING",
            )
            .bind(size)
            .bind(at)
            .bind(note.clone())
            .execute()
            .await?;
            Ok::<_, store::Error>(at)
        })
        .await?;
    Ok(Some(Kept { size, at, note }))
}

/// Sign the log as it is, as [`sign`] does, and have the last checkpoint in the second place, `dir`.
///
/// # Errors
///
/// Those of [`sign`] and of [`put`].
pub async fn sign_and_put(db: &Db, signer: &Signer, dir: &Path) -> Result<Option<Kept>, NotKept> {
    let Some(kept) = sign(db, signer).await? else {
        return Ok(None);
    };
    let (dir, public) = (dir.to_owned(), signer.public());
    let at = dir.clone();
    tokio::task::spawn_blocking(move || put(&dir, &public, &kept).map(|()| Some(kept)))
        .await
        .map_err(|error| NotKept::File(at, io::Error::other(error)))?
}

type Look = (Checkpoint, Option<(Kept, Checkpoint)>, Vec<tree::Hash>);

/// The log, the last checkpoint, and what shows that one goes on from the other: of one moment.
async fn look(tx: &mut Tx, signer: &Signer) -> Result<Look, NotKept> {
    let log = super::now(tx).await?;
    let kept: Option<Kept> = tx
        .query("SELECT size, at, note FROM audit_checkpoints ORDER BY size DESC LIMIT 1")
        .optional()
        .await?;
    let Some(kept) = kept else {
        return Ok((log, None, Vec::new()));
    };
    let before = signer.public().read(&kept.note)?;
    if before.size == 0 || before.size > log.size {
        return Err(NotKept::OtherPast(log.size));
    }
    let proof = super::consistency(tx, before.size, log.size).await?;
    Ok((log, Some((kept, before)), proof))
}

/// Put a checkpoint into `dir` as a file of its own, and the public key beside it. Files that are there
/// are left alone, so a folder that only takes new files will do.
///
/// # Errors
///
/// When the folder cannot be written, or holds another checkpoint of the same size.
pub fn put(dir: &Path, public: &PublicKey, kept: &Kept) -> Result<(), NotKept> {
    let in_dir = |error| NotKept::File(dir.to_owned(), error);
    fs::create_dir_all(dir).map_err(in_dir)?;
    let files = [
        (KEY_FILE.to_owned(), format!("{public}\n")),
        (format!("{:012}{ENDING}", kept.size), kept.note.clone()),
    ];
    for (name, text) in files {
        let path = dir.join(name);
        write(&path, &text).map_err(|error| NotKept::File(path, error))?;
    }
    File::open(dir)
        .and_then(|dir| dir.sync_all())
        .map_err(in_dir)
}

/// Write a file that is not there, or not whole because the machine stopped while it was written.
fn write(path: &Path, text: &str) -> io::Result<()> {
    let mut file = match OpenOptions::new().write(true).create_new(true).open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            let there = read(path)?;
            if there == text {
                return Ok(());
            }
            if !text.starts_with(&there) {
                return Err(io::Error::new(
                    ErrorKind::InvalidData,
                    "holds something else than what was signed now; keep it, and find out why",
                ));
            }
            OpenOptions::new().write(true).truncate(true).open(path)?
        }
        Err(error) => return Err(error),
    };
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

fn read(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    File::open(path)?.take(NOTE_MAX).read_to_string(&mut text)?;
    Ok(text)
}

/// Read checkpoints: of `path` itself, or of every checkpoint's file in it when it is a folder. Gives
/// their texts with the names of their files, in order.
///
/// # Errors
///
/// When something cannot be read.
pub fn read_files(path: &Path) -> Result<Vec<(PathBuf, String)>, NotKept> {
    let at = |path: &Path| {
        let path = path.to_owned();
        move |error| NotKept::File(path, error)
    };
    let mut paths = vec![path.to_owned()];
    if path.is_dir() {
        let listed: Result<Vec<PathBuf>, _> = fs::read_dir(path)
            .map_err(at(path))?
            .map(|entry| entry.map(|entry| entry.path()))
            .collect();
        paths = listed.map_err(at(path))?;
        paths.retain(|path| {
            path.as_os_str()
                .as_encoded_bytes()
                .ends_with(ENDING.as_bytes())
        });
        paths.sort();
    }
    paths
        .into_iter()
        .map(|path| match read(&path) {
            Ok(text) => Ok((path, text)),
            Err(error) => Err(NotKept::File(path, error)),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{base::Random, privacy::Key};

    #[test]
    fn a_checkpoint_is_put_once_and_never_over_another() {
        let dir = tempfile::tempdir().unwrap();
        let dir = dir.path().join("second/place");
        let signer = Signer::new(&Key::new(&Random::seeded(1)));
        let note = |root| signer.sign(&Checkpoint { size: 7, root });
        let kept = Kept {
            size: 7,
            at: Timestamp::default(),
            note: note([1; 32]),
        };
        put(&dir, &signer.public(), &kept).unwrap();
        put(&dir, &signer.public(), &kept).unwrap();
        let files = read_files(&dir).unwrap();
        assert_eq!(files.len(), 1, "the key's file is no checkpoint");
        assert_eq!(files[0].1, kept.note);
        assert!(files[0].0.ends_with("000000000007.checkpoint"));
        let other = Kept {
            note: note([2; 32]),
            ..kept.clone()
        };
        assert!(put(&dir, &signer.public(), &other).is_err());
        assert_eq!(read_files(&dir).unwrap()[0].1, kept.note);
        // The machine stopped in the middle of the file.
        fs::write(&files[0].0, &kept.note[..20]).unwrap();
        put(&dir, &signer.public(), &kept).unwrap();
        assert_eq!(read_files(&dir).unwrap()[0].1, kept.note);
    }
}
