//! The clock: given, never taken.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use crate::base::Timestamp;

/// Tells the time. Everything that needs the time is handed one of these.
#[derive(Clone, Debug)]
pub enum Clock {
    /// The clock of the machine.
    System,
    /// A clock that stands still until it is set: microseconds since the epoch.
    Manual(Arc<AtomicI64>),
}

impl Clock {
    /// A clock that shows `at` until [`Self::set`] moves it.
    #[must_use]
    pub fn manual(at: Timestamp) -> Self {
        Self::Manual(Arc::new(AtomicI64::new(at.as_micros())))
    }

    /// The present moment.
    #[must_use]
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place where the clock of the machine is read"
    )]
    pub fn now(&self) -> Timestamp {
        match self {
            Self::System => {
                let since = std::time::SystemTime::now()
                    .duration_since(std::time::UNIX_EPOCH)
                    .unwrap_or_default();
                Timestamp::from_micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
            }
            Self::Manual(at) => Timestamp::from_micros(at.load(Ordering::SeqCst)),
        }
    }

    /// Move a manual clock to `at`; the machine's clock is not moved.
    pub fn set(&self, at: Timestamp) {
        if let Self::Manual(cell) = self {
            cell.store(at.as_micros(), Ordering::SeqCst);
        }
    }
}
