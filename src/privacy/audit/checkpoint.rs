//! Signed checkpoints: what the log was at a moment, in a form that other programs read.
//!
//! The text is a checkpoint of C2SP (tlog-checkpoint) in a signed note (signed-note): name of the log,
//! number of entries, root of the tree in base64, an empty line, and a line with an Ed25519 signature
//! over what stands before the empty line.
//!
//! ```text
//! diem-kiem-dich/audit/0f5a0c7c
//! 123
//! 0FHaNv3LBO6FtFdTIM+1HNlOSuZdyeSgbE9rAvBZLjo=
//!
//! — diem-kiem-dich/audit/0f5a0c7c Az3grlgtzPICa5OS8npVmf1Myq/5IZni…
//! ```
//!
//! The name is made of the key, so each log has its own and no setting can change it.

use std::{fmt, str::FromStr};

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use sha2::{Digest, Sha256};

use super::tree::Hash;
use crate::privacy::Key;

/// The kind of signature: Ed25519, in the numbers of the signed-note text.
const ED25519: u8 = 1;

/// What begins the line of a signature.
const DASH: &str = "\u{2014} ";

/// The log at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// Entries.
    pub size: u64,
    /// Root of the tree over them.
    pub root: Hash,
}

/// A text is no checkpoint of this log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadNote {
    /// Lines are missing, or say something else than they should.
    #[error("is not a signed checkpoint; perhaps it was cut off or changed")]
    Form,
    /// Another log, or another key.
    #[error("was signed with another key, or for another log")]
    Elsewhere,
    /// The signature does not fit the text.
    #[error("has a signature that does not fit: it was changed")]
    Forged,
}

/// Signs checkpoints.
pub struct Signer(SigningKey);

impl Signer {
    /// The signer with this secret.
    #[must_use]
    pub fn new(secret: &Key) -> Self {
        Self(SigningKey::from_bytes(secret.bytes()))
    }

    /// What others need to check its signatures.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        PublicKey::of(self.0.verifying_key())
    }

    /// `checkpoint` as a signed note.
    #[must_use]
    pub fn sign(&self, checkpoint: &Checkpoint) -> String {
        let public = self.public();
        let text = public.text(checkpoint);
        let mut blob = public.id().to_vec();
        blob.extend(self.0.sign(text.as_bytes()).to_bytes());
        format!("{text}\n{DASH}{} {}\n", public.name, BASE64.encode(blob))
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signer({})", self.public())
    }
}

/// The public half of the key, written `NAME+ID+KEY` as the signed-note text does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKey {
    name: String,
    key: VerifyingKey,
}

impl PublicKey {
    fn of(key: VerifyingKey) -> Self {
        let mark = Sha256::digest(key.as_bytes());
        let mark = mark.iter().take(4).fold(String::new(), |mut text, byte| {
            use fmt::Write as _;
            // Writing to a string does not fail.
            let _ = write!(text, "{byte:02x}");
            text
        });
        Self {
            name: format!("diem-kiem-dich/audit/{mark}"),
            key,
        }
    }

    /// The name of the log, first line of its checkpoints.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    fn id(&self) -> [u8; 4] {
        let mut sha = Sha256::new();
        sha.update(self.name.as_bytes());
        sha.update([b'\n', ED25519]);
        sha.update(self.key.as_bytes());
        let [a, b, c, d, ..]: Hash = sha.finalize().into();
        [a, b, c, d]
    }

    /// What is signed.
    fn text(&self, checkpoint: &Checkpoint) -> String {
        let root = BASE64.encode(checkpoint.root);
        format!("{}\n{}\n{root}\n", self.name, checkpoint.size)
    }

    /// Read a signed note and check its signature. Signatures of others beside ours are passed over.
    ///
    /// # Errors
    ///
    /// When it is not a checkpoint of this log with a good signature.
    pub fn read(&self, note: &str) -> Result<Checkpoint, BadNote> {
        let (text, signatures) = note.split_once("\n\n").ok_or(BadNote::Form)?;
        let mut lines = text.split('\n');
        let (name, size, root) = (lines.next(), lines.next(), lines.next());
        let (Some(name), Some(size), Some(root), None) = (name, size, root, lines.next()) else {
            return Err(BadNote::Form);
        };
        if !signatures.ends_with('\n') {
            return Err(BadNote::Form);
        }
        let ours = signatures
            .lines()
            .find_map(|line| line.strip_prefix(DASH)?.strip_prefix(&self.name))
            .and_then(|rest| BASE64.decode(rest.strip_prefix(' ')?).ok())
            .ok_or(if name == self.name {
                BadNote::Form
            } else {
                BadNote::Elsewhere
            })?;
        let (id, signature) = ours.split_first_chunk::<4>().ok_or(BadNote::Form)?;
        if *id != self.id() || name != self.name {
            return Err(BadNote::Elsewhere);
        }
        let signature = Signature::from_slice(signature).map_err(|_| BadNote::Form)?;
        self.key
            .verify_strict(format!("{text}\n").as_bytes(), &signature)
            .map_err(|_| BadNote::Forged)?;
        let read = Checkpoint {
            size: size.parse().map_err(|_| BadNote::Form)?,
            root: BASE64
                .decode(root)
                .ok()
                .and_then(|bytes| bytes.try_into().ok())
                .ok_or(BadNote::Form)?,
        };
        // One checkpoint, one text: no plus signs, no leading zeros.
        if format!("{text}\n") == self.text(&read) {
            Ok(read)
        } else {
            Err(BadNote::Form)
        }
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut blob = vec![ED25519];
        blob.extend(self.key.as_bytes());
        let id = u32::from_be_bytes(self.id());
        write!(f, "{}+{id:08x}+{}", self.name, BASE64.encode(blob))
    }
}

/// A text is no public key of an audit log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("is not the public key of an audit log; `diem-kiem-dich audit key` prints it")]
pub struct BadKey;

impl FromStr for PublicKey {
    type Err = BadKey;

    fn from_str(text: &str) -> Result<Self, BadKey> {
        let text = text.trim();
        // The name has no plus sign; base64 may.
        let mut parts = text.splitn(3, '+');
        let blob = parts.nth(2).and_then(|key| BASE64.decode(key).ok());
        let key = blob
            .as_deref()
            .and_then(|blob| blob.split_first_chunk::<1>())
            .filter(|(kind, _)| **kind == [ED25519])
            .and_then(|(_, key)| key.try_into().ok())
            .and_then(|key| VerifyingKey::from_bytes(key).ok())
            .map(Self::of)
            .ok_or(BadKey)?;
        if key.to_string() == text {
            Ok(key)
        } else {
            Err(BadKey)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Random;

    fn signer(seed: u64) -> Signer {
        Signer::new(&Key::new(&Random::seeded(seed)))
    }

    const HERE: Checkpoint = Checkpoint {
        size: 123,
        root: [7; 32],
    };

    #[test]
    fn a_note_is_read_by_its_key_and_no_other() {
        let signer = signer(1);
        let note = signer.sign(&HERE);
        assert_eq!(signer.public().read(&note), Ok(HERE));
        assert_eq!(note.lines().count(), 5);
        let other = self::signer(2).public();
        assert_eq!(other.read(&note), Err(BadNote::Elsewhere));
        // A witness's signature beside ours does not hurt.
        let witnessed = format!("{note}{DASH}witness.example AAAAAA==\n");
        assert_eq!(signer.public().read(&witnessed), Ok(HERE));
    }

    #[test]
    fn no_changed_note_is_read() {
        let signer = signer(1);
        let note = signer.sign(&HERE);
        let public = signer.public();
        for (at, found) in note.char_indices() {
            for put in ["", "0", "\n"] {
                let after = &note[at + found.len_utf8()..];
                let changed = format!("{}{put}{after}", &note[..at]);
                if changed != note {
                    assert!(public.read(&changed).is_err(), "{changed:?}");
                }
            }
        }
        let forged = note.replacen("\n123\n", "\n122\n", 1);
        assert_eq!(public.read(&forged), Err(BadNote::Forged));
        assert_eq!(public.read(""), Err(BadNote::Form));
    }

    #[test]
    fn a_public_key_goes_through_text() {
        let public = signer(1).public();
        let text = public.to_string();
        assert_eq!(format!(" {text}\n").parse(), Ok(public));
        let last = text.len() - 3;
        for wrong in [
            "",
            "a+b+c",
            &text[1..],
            &text[..last],
            &text.replacen('+', "+0", 1),
        ] {
            assert_eq!(wrong.parse::<PublicKey>(), Err(BadKey), "{wrong}");
        }
    }

    /// The key that the documentation of Go's `sumdb/note` shows, with its id.
    #[test]
    fn ids_are_those_of_other_programs() {
        let key = BASE64
            .decode("GlzZBxQ8OExB6DDFvOEqqIF+xWSaqr8sMTiLNbLXRNY=")
            .unwrap();
        let public = PublicKey {
            name: "PeterNeumann".to_owned(),
            key: VerifyingKey::from_bytes(&key.try_into().unwrap()).unwrap(),
        };
        assert_eq!(
            public.to_string(),
            "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
        );
    }

    #[test]
    fn a_signer_prints_its_public_key_only() {
        let secret = Key::from_bytes([9; 32]);
        let shown = format!("{:?}", Signer::new(&secret));
        assert!(shown.starts_with("Signer(diem-kiem-dich/audit/"), "{shown}");
        assert!(!shown.contains(&BASE64.encode([9; 32])), "{shown}");
    }
}
