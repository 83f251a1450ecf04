//! One key: XChaCha20-Poly1305 with a random nonce.

use chacha20poly1305::{
    KeyInit, XChaCha20Poly1305, XNonce,
    aead::{Aead, Payload},
};
use hmac::{Hmac, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::base::Random;

/// The first byte of everything sealed, so that the format can change.
const VERSION: u8 = 1;

/// Bytes of a nonce: enough to be random without ever repeating.
const NONCE: usize = 24;

/// A 256-bit key that cannot print itself and is wiped when dropped.
#[derive(Clone)]
pub struct Key(Zeroizing<[u8; 32]>);

/// The value does not open: another key, another place, or tampered with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("sealed data does not open")]
pub struct Refused;

/// Where a sealed value stands. It opens nowhere else.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// Its table.
    pub table: &'static str,
    /// Its column.
    pub column: &'static str,
    /// The key of its row.
    pub row: &'a [u8],
}

impl Place<'_> {
    fn bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(64);
        for part in [self.table.as_bytes(), self.column.as_bytes(), self.row] {
            bytes.extend(u32::try_from(part.len()).unwrap_or(u32::MAX).to_be_bytes());
            bytes.extend(part);
        }
        bytes
    }
}

impl Key {
    /// A new key.
    #[must_use]
    pub fn new(random: &Random) -> Self {
        Self(Zeroizing::new(random.bytes()))
    }

    /// The key with these bytes.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// Its bytes, for handing to another algorithm.
    #[must_use]
    pub fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Seal `plain` for `place`: a version byte, the nonce, the ciphertext and its tag.
    #[must_use]
    pub fn seal(&self, place: Place<'_>, plain: &[u8], random: &Random) -> Vec<u8> {
        let nonce: [u8; NONCE] = random.bytes();
        let aad = place.bytes();
        let payload = Payload {
            msg: plain,
            aad: &aad,
        };
        // The cipher refuses only plaintexts of more than 256 GiB.
        let sealed = XChaCha20Poly1305::new((&*self.0).into())
            .encrypt(&XNonce::from(nonce), payload)
            .unwrap_or_default();
        let mut out = Vec::with_capacity(1 + NONCE + sealed.len());
        out.push(VERSION);
        out.extend(nonce);
        out.extend(sealed);
        out
    }

    /// Open what was sealed for `place`.
    ///
    /// # Errors
    ///
    /// [`Refused`] when it was sealed by another key or for another place, or was changed.
    pub fn open(&self, place: Place<'_>, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, Refused> {
        let (version, rest) = sealed.split_first().ok_or(Refused)?;
        let (nonce, msg) = rest.split_first_chunk::<NONCE>().ok_or(Refused)?;
        if *version != VERSION {
            return Err(Refused);
        }
        let aad = place.bytes();
        XChaCha20Poly1305::new((&*self.0).into())
            .decrypt(&XNonce::from(*nonce), Payload { msg, aad: &aad })
            .map(Zeroizing::new)
            .map_err(|_| Refused)
    }

    /// HMAC-SHA-256 of `parts`, each with its length before it.
    #[must_use]
    pub fn mac(&self, parts: &[&[u8]]) -> [u8; 32] {
        self.begin().of(parts)
    }

    /// The same for many messages, with the half of the work that depends on the key alone done once.
    ///
    /// # Panics
    ///
    /// Never: HMAC takes keys of any length.
    #[must_use]
    #[expect(clippy::expect_used, reason = "HMAC takes keys of any length")]
    pub fn begin(&self) -> Macs {
        Macs(KeyInit::new_from_slice(&*self.0).expect("a key of any length"))
    }
}

/// Makes what [`Key::mac`] makes.
#[derive(Clone)]
pub struct Macs(Hmac<Sha256>);

impl Macs {
    /// As [`Key::mac`].
    #[must_use]
    pub fn of(&self, parts: &[&[u8]]) -> [u8; 32] {
        let mut mac = self.0.clone();
        for part in parts {
            mac.update(&u32::try_from(part.len()).unwrap_or(u32::MAX).to_be_bytes());
            mac.update(part);
        }
        mac.finalize().into_bytes().into()
    }
}

impl std::fmt::Debug for Macs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Macs(***)")
    }
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key(***)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: Place<'static> = Place {
        table: "declarations",
        column: "contact_sealed",
        row: b"1",
    };

    #[test]
    fn opens_only_where_it_was_sealed() {
        let random = Random::seeded(1);
        let key = Key::new(&random);
        let sealed = key.seal(HERE, b"Nguyen", &random);
        assert_eq!(key.open(HERE, &sealed).unwrap().as_slice(), b"Nguyen");
        for elsewhere in [
            Place { row: b"2", ..HERE },
            Place {
                column: "answers_sealed",
                ..HERE
            },
            Place {
                table: "cases",
                ..HERE
            },
        ] {
            assert_eq!(key.open(elsewhere, &sealed), Err(Refused));
        }
        assert_eq!(Key::new(&random).open(HERE, &sealed), Err(Refused));
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert_eq!(key.open(HERE, &changed), Err(Refused), "byte {at}");
        }
        assert_eq!(key.open(HERE, &sealed[..20]), Err(Refused));
        assert_eq!(format!("{key:?}"), "Key(***)");
    }

    #[test]
    fn never_seals_the_same_way_twice() {
        let random = Random::System;
        let key = Key::new(&random);
        assert_ne!(key.seal(HERE, b"x", &random), key.seal(HERE, b"x", &random));
    }
}
