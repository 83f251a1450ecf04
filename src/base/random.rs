//! Randomness: given, never taken.

use std::sync::{Arc, Mutex, PoisonError};

use rand::{Rng, SeedableRng, TryRng, rngs::ChaCha20Rng};

/// A source of random bytes. Everything that needs some is handed one of these.
#[derive(Clone, Debug)]
pub enum Random {
    /// The operating system's.
    System,
    /// One that repeats itself for the same seed: for tests and the demo, never for keys.
    Seeded(Arc<Mutex<ChaCha20Rng>>),
}

impl Random {
    /// A source that gives the same bytes for the same `seed`.
    #[must_use]
    pub fn seeded(seed: u64) -> Self {
        Self::Seeded(Arc::new(Mutex::new(ChaCha20Rng::seed_from_u64(seed))))
    }

    /// Fill `bytes`.
    ///
    /// # Panics
    ///
    /// When the operating system has no randomness to give: nothing safe can be done without.
    pub fn fill(&self, bytes: &mut [u8]) {
        match self {
            Self::System => {
                let filled = rand::rngs::SysRng.try_fill_bytes(bytes);
                assert!(filled.is_ok(), "the operating system gives no random bytes");
            }
            Self::Seeded(source) => source
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .fill_bytes(bytes),
        }
    }

    /// `N` random bytes.
    #[must_use]
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.fill(&mut bytes);
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_repeats_and_the_system_does_not() {
        assert_eq!(
            Random::seeded(7).bytes::<32>(),
            Random::seeded(7).bytes::<32>()
        );
        assert_ne!(
            Random::seeded(7).bytes::<32>(),
            Random::seeded(8).bytes::<32>()
        );
        assert_ne!(Random::System.bytes::<32>(), Random::System.bytes::<32>());
    }
}
