//! The master key: where it comes from, and which of several wraps.
//!
//! The text of a master key is one key, or several with blanks or line ends between them. All of them
//! open; which one wraps is written in the database, by its fingerprint, so that several processes
//! agree and a rotation that was cut off goes on where it was.

use std::{
    io::{self, Read},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::mpsc,
    time::{Duration, Instant},
};

use secrecy::ExposeSecret;
use zeroize::Zeroizing;

use crate::{
    base::Random,
    config::MasterKey,
    privacy::{Key, Place},
};

/// How long a command may take to print the key.
const PATIENCE: Duration = Duration::from_secs(10);

/// The longest text that is read: a few keys.
const LONGEST: u64 = 4096;

/// Bytes of a fingerprint.
pub const FINGERPRINT: usize = 16;

/// A master key, which wraps all other keys.
#[derive(Clone, Debug)]
pub struct Master(Key);

/// The master key cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum NoMaster {
    /// A file cannot be read.
    #[error("{path}: {1}", path = .0.display())]
    File(PathBuf, #[source] io::Error),
    /// It is not a key.
    #[error("the master key must be 64 hexadecimal digits; `openssl rand -hex 32` makes one")]
    NotAKey,
    /// The command does not print one.
    #[error("master_key_command: {0}")]
    Command(&'static str),
}

impl Master {
    /// A new master key.
    #[must_use]
    pub fn new(random: &Random) -> Self {
        Self(Key::new(random))
    }

    /// Read 64 hexadecimal digits, spaces around them ignored; `None` if they are none.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if text.len() != 64 || !text.is_ascii() {
            return None;
        }
        let mut bytes = Zeroizing::new([0; 32]);
        for (at, byte) in bytes.iter_mut().enumerate() {
            *byte = u8::from_str_radix(text.get(2 * at..2 * at + 2)?, 16).ok()?;
        }
        Some(Self(Key::from_bytes(*bytes)))
    }

    /// Read one key or several.
    ///
    /// # Errors
    ///
    /// [`NoMaster::NotAKey`] when there is none, or something else stands among them.
    pub fn parse_all(text: &str) -> Result<Vec<Self>, NoMaster> {
        let keys: Option<Vec<Self>> = text.split_whitespace().map(Self::parse).collect();
        keys.filter(|keys| !keys.is_empty())
            .ok_or(NoMaster::NotAKey)
    }

    /// Read the master keys from where the settings say.
    ///
    /// # Errors
    ///
    /// When they cannot be read, or are none.
    pub fn read(from: &MasterKey) -> Result<Vec<Self>, NoMaster> {
        match from {
            MasterKey::Value(value) => Self::parse_all(value.expose_secret()),
            MasterKey::File(path) | MasterKey::Own(path) => Self::read_file(path),
            MasterKey::Command(words) => Self::parse_all(&printed(words)?),
        }
    }

    /// Read the master keys in a file.
    ///
    /// # Errors
    ///
    /// As [`Self::read`].
    pub fn read_file(path: &Path) -> Result<Vec<Self>, NoMaster> {
        let text = std::fs::read_to_string(path).map(Zeroizing::new);
        Self::parse_all(&text.map_err(|error| NoMaster::File(path.to_owned(), error))?)
    }

    /// As 64 hexadecimal digits, for its file.
    #[must_use]
    pub fn hex(&self) -> Zeroizing<String> {
        super::hex(self.0.bytes())
    }

    /// What tells it from others, and tells nothing about it.
    #[must_use]
    pub fn fingerprint(&self) -> [u8; FINGERPRINT] {
        let mac = self.0.mac(&[b"diem-kiem-dich/master-key"]);
        let mut short = [0; FINGERPRINT];
        short.iter_mut().zip(mac).for_each(|(to, from)| *to = from);
        short
    }

    /// A key that only this one gives, for `purpose`.
    #[must_use]
    pub fn derive(&self, purpose: &'static str) -> Key {
        Key::from_bytes(self.0.mac(&[b"diem-kiem-dich/derived", purpose.as_bytes()]))
    }

    /// Wrap `key` for `place`.
    #[must_use]
    pub fn wrap(&self, place: Place<'_>, key: &Key, random: &Random) -> Vec<u8> {
        self.0.seal(place, key.bytes(), random)
    }

    /// The key that was wrapped for `place`, if it was wrapped by this one.
    #[must_use]
    pub fn unwrap(&self, place: Place<'_>, wrapped: &[u8]) -> Option<Key> {
        let plain = self.0.open(place, wrapped).ok()?;
        Some(Key::from_bytes(plain.as_slice().try_into().ok()?))
    }
}

/// What the command prints, at most [`LONGEST`] bytes within [`PATIENCE`]. It is run as it is, without
/// a shell; what it says on standard error goes to ours.
fn printed(words: &[String]) -> Result<Zeroizing<String>, NoMaster> {
    let failed = |why| move |_| NoMaster::Command(why);
    let (program, arguments) = words
        .split_first()
        .ok_or(NoMaster::Command("names no program"))?;
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(failed("the program cannot be started"))?;
    let output = child.stdout.take();
    let (tell, told) = mpsc::channel();
    // A thread of its own, for nothing reads a pipe within a time. It ends with the pipe.
    let reader = std::thread::Builder::new().spawn(move || {
        let mut text = Zeroizing::new(String::with_capacity(usize::try_from(LONGEST).unwrap_or(0)));
        let read = output.map(|output| output.take(LONGEST).read_to_string(&mut text));
        // Nobody waits any more when it took too long.
        let _ = tell.send((matches!(read, Some(Ok(_))), text));
    });
    let until = Instant::now() + PATIENCE;
    let text = reader
        .is_ok()
        .then(|| told.recv_timeout(PATIENCE).ok())
        .flatten();
    let lost = failed("the program was lost");
    let status = loop {
        match child.try_wait().map_err(&lost)? {
            Some(status) => break Some(status),
            None if text.is_some() && Instant::now() < until => {
                std::thread::sleep(Duration::from_millis(5));
            }
            None => break None,
        }
    };
    let Some(status) = status else {
        // It may have ended by itself meanwhile.
        let _ = child.kill();
        let _ = child.wait();
        return Err(NoMaster::Command("the program took longer than 10 seconds"));
    };
    match text {
        Some((true, text)) if status.success() => Ok(text),
        _ => Err(NoMaster::Command("the program failed")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_master_key_is_64_digits() {
        let master = Master::new(&Random::seeded(1));
        let text = master.hex();
        assert_eq!(text.len(), 64);
        let again = Master::parse(&format!(" {}\n", *text)).unwrap();
        assert_eq!(again.0.bytes(), master.0.bytes());
        assert_eq!(again.fingerprint(), master.fingerprint());
        assert!(Master::parse("zz").is_none());
        assert!(Master::parse(&"g".repeat(64)).is_none());
        assert!(Master::parse(&"é".repeat(32)).is_none());
        let other = Master::new(&Random::seeded(2));
        assert_ne!(other.fingerprint(), master.fingerprint());
        let both = Master::parse_all(&format!("{}\n{}\n", *text, *other.hex())).unwrap();
        assert_eq!(both.len(), 2);
        assert!(Master::parse_all("").is_err());
        assert!(Master::parse_all(&format!("{} x", *text)).is_err());
    }

    #[test]
    fn a_command_prints_the_key_and_is_bounded() {
        let words = |script: &str| {
            MasterKey::Command(["/bin/sh", "-c", script].map(str::to_owned).to_vec())
        };
        let master = Master::new(&Random::seeded(1));
        let keys = Master::read(&words(&format!("echo {}", *master.hex()))).unwrap();
        assert_eq!(
            keys.first().map(Master::fingerprint),
            Some(master.fingerprint())
        );
        let problem = |script: &str| Master::read(&words(script)).unwrap_err().to_string();
        assert!(problem(&format!("echo {}; exit 3", *master.hex())).contains("failed"));
        assert!(
            problem("exec yes").contains("failed"),
            "cut off, and ended by it"
        );
        assert!(problem("echo not a key").contains("64 hexadecimal digits"));
        let none = MasterKey::Command(vec!["/nowhere/at/all".to_owned()]);
        let problem = Master::read(&none).unwrap_err().to_string();
        assert!(problem.contains("cannot be started"), "{problem}");
    }
}
