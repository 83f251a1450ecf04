//! Passwords: argon2id, off the async threads, two at a time.
//!
//! One hash takes 46 to 64 MiB. Twenty at once would be a gigabyte, so the third waits for a
//! permit, and a flood of logins takes neither the memory nor the cores of the check-ins.

use std::sync::{
    Arc, OnceLock,
    atomic::{AtomicUsize, Ordering},
};

use argon2::{Algorithm, Argon2, Params, PasswordHash, PasswordHasher, PasswordVerifier, Version};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Semaphore;

use crate::base::{Failure, FieldError, Kind, Random};

/// Hashes computed at the same time.
const PARALLEL: usize = 2;

/// Callers that may wait for one; more are told to come back.
const WAITING: usize = 64;

/// Shortest password, in characters (NIST SP 800-63B: at least 8).
const SHORTEST: usize = 8;

/// Longest password, in characters.
const LONGEST: usize = 128;

/// How much work a hash takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strength {
    /// 46 MiB, one pass: the first choice of the OWASP password storage cheat sheet.
    Usual,
    /// 64 MiB, three passes: for those who read about people.
    Officer,
}

impl Strength {
    fn hasher(self) -> Result<Argon2<'static>, argon2::Error> {
        let params = match self {
            Self::Usual => Params::new(46 * 1024, 1, 1, None),
            Self::Officer => Params::new(64 * 1024, 3, 1, None),
        }?;
        Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
    }
}

/// Hashes and checks passwords.
#[derive(Clone, Debug)]
pub struct Passwords {
    permits: Arc<Semaphore>,
    waiting: Arc<AtomicUsize>,
    random: Random,
    /// What an unknown login is checked against, so that it takes as long as a known one.
    decoy: Arc<OnceLock<String>>,
}

impl Passwords {
    /// A hasher that takes its salts from `random`.
    #[must_use]
    pub fn new(random: Random) -> Self {
        Self {
            permits: Arc::new(Semaphore::new(PARALLEL)),
            waiting: Arc::default(),
            random,
            decoy: Arc::default(),
        }
    }

    /// Whether `password` may be one: 8 to 128 characters, any of them.
    ///
    /// # Errors
    ///
    /// A field error for `password`.
    pub fn acceptable(password: &SecretString) -> Result<(), FieldError> {
        if (SHORTEST..=LONGEST).contains(&password.expose_secret().chars().count()) {
            return Ok(());
        }
        Err(FieldError::new(
            "password",
            "password_length",
            "Mật khẩu cần từ 8 đến 128 ký tự.",
            "A password has 8 to 128 characters.",
        ))
    }

    /// Hash `password` for storing.
    ///
    /// # Errors
    ///
    /// [`Kind::Unavailable`] when too many are waiting.
    pub async fn hash(
        &self,
        password: SecretString,
        strength: Strength,
    ) -> Result<String, Failure> {
        let salt: [u8; 16] = self.random.bytes();
        self.run(move || make(&password, strength, &salt)).await?
    }

    /// Whether `password` is the one behind `stored`. Without a stored hash the answer is no, after
    /// the same work.
    ///
    /// # Errors
    ///
    /// [`Kind::Unavailable`] when too many are waiting.
    pub async fn verify(
        &self,
        password: SecretString,
        stored: Option<String>,
    ) -> Result<bool, Failure> {
        let decoy = Arc::clone(&self.decoy);
        let salt: [u8; 16] = self.random.bytes();
        self.run(move || {
            let known = stored.is_some();
            let hash = if let Some(hash) = stored.or_else(|| decoy.get().cloned()) {
                hash
            } else {
                let word = SecretString::from("decoy-password");
                let made = make(&word, Strength::Usual, &salt)?;
                decoy.get_or_init(|| made).clone()
            };
            let parsed = PasswordHash::new(&hash).map_err(|_| Failure::new(Kind::Internal))?;
            let right = Argon2::default()
                .verify_password(password.expose_secret().as_bytes(), &parsed)
                .is_ok();
            Ok(known && right)
        })
        .await?
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Failure> {
        if self.waiting.fetch_add(1, Ordering::SeqCst) >= WAITING {
            self.waiting.fetch_sub(1, Ordering::SeqCst);
            return Err(Failure::busy(2));
        }
        let permit = Arc::clone(&self.permits).acquire_owned().await;
        self.waiting.fetch_sub(1, Ordering::SeqCst);
        let permit = permit.map_err(Failure::internal)?;
        tokio::task::spawn_blocking(move || {
            let _held = permit;
            work()
        })
        .await
        .map_err(Failure::internal)
    }
}

fn make(password: &SecretString, strength: Strength, salt: &[u8]) -> Result<String, Failure> {
    let hash: PasswordHash = strength
        .hasher()
        .map_err(|error| Failure::internal(error.to_string()))?
        .hash_password_with_salt(password.expose_secret().as_bytes(), salt)
        .map_err(|error| Failure::internal(error.to_string()))?;
    Ok(hash.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_the_right_one_opens() {
        let passwords = Passwords::new(Random::seeded(1));
        let hash = passwords
            .hash("mật khẩu dài".into(), Strength::Usual)
            .await
            .unwrap();
        assert!(
            hash.starts_with("$argon2id$v=19$m=47104,t=1,p=1$"),
            "{hash}"
        );
        let verify = |text: &str, stored: Option<String>| passwords.verify(text.into(), stored);
        assert!(verify("mật khẩu dài", Some(hash.clone())).await.unwrap());
        assert!(!verify("mật khẩu dai", Some(hash)).await.unwrap());
        assert!(!verify("decoy-password", None).await.unwrap());
    }

    #[test]
    fn lengths_are_counted_in_characters() {
        let acceptable = |text: String| Passwords::acceptable(&text.into()).is_ok();
        assert!(acceptable("ộộộộộộộộ".to_owned()));
        assert!(!acceptable("ộộộộộộộ".to_owned()));
        assert!(acceptable("ộ".repeat(128)));
        assert!(!acceptable("ộ".repeat(129)));
    }
}
