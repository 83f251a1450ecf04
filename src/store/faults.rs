//! Failures on demand.
//!
//! Given, like the clock: [`Db::with_faults`] hands a store the plan of a test, and the n-th call to
//! the database from then on fails in the way that was asked for. The service gives its store no
//! plan, and no setting can; then a call costs one look at an empty pointer.
//!
//! [`Db::with_faults`]: crate::store::Db::with_faults

use std::{
    borrow::Cow,
    error::Error as StdError,
    sync::{Arc, Mutex, PoisonError},
};

use sqlx::error::{DatabaseError, ErrorKind};

/// How a call fails. A call is a `BEGIN`, a statement or a `COMMIT`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The connection is lost before the call: nothing of it happens.
    Lost,
    /// The database refuses the call, for a reason that does not pass.
    Refused,
    /// Another transaction won. A `BEGIN`, or a transaction that only reads, is let through.
    Raced,
    /// The connection is lost after the call: a `COMMIT` has happened, and nobody was told.
    Unanswered,
}

/// Which call fails; by default none ever does. Clones share one plan.
#[derive(Clone, Debug, Default)]
pub struct Faults(Option<Arc<Mutex<Plan>>>);

#[derive(Debug, Default)]
struct Plan {
    next: Option<(u32, Fault)>,
    fired: bool,
}

impl Faults {
    /// A plan that can be made with [`Self::at`].
    #[must_use]
    pub fn planned() -> Self {
        Self(Some(Arc::default()))
    }

    /// Let the `n`-th call from now on fail, counted from 1, and none after it.
    pub fn at(&self, n: u32, fault: Fault) {
        self.with(|plan| {
            *plan = Plan {
                next: Some((n, fault)),
                fired: false,
            }
        });
    }

    /// Take the plan back, and say whether the call that it names was made.
    #[must_use]
    pub fn end(&self) -> bool {
        self.with(|plan| std::mem::take(plan).fired)
            .unwrap_or_default()
    }

    /// The failure of the call that is being made.
    pub(super) fn next(&self) -> Option<Fault> {
        self.with(|plan| {
            let (left, fault) = plan.next?;
            plan.next = (left > 1).then_some((left - 1, fault));
            plan.fired = plan.next.is_none();
            plan.fired.then_some(fault)
        })
        .flatten()
    }

    fn with<T>(&self, look: impl FnOnce(&mut Plan) -> T) -> Option<T> {
        let plan = self.0.as_ref()?;
        Some(look(
            &mut plan.lock().unwrap_or_else(PoisonError::into_inner),
        ))
    }
}

impl From<Fault> for sqlx::Error {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Lost | Fault::Unanswered => Self::Io(std::io::ErrorKind::ConnectionReset.into()),
            Fault::Refused => Self::Database(Box::new(OnDemand("XX000"))),
            Fault::Raced => Self::Database(Box::new(OnDemand("40001"))),
        }
    }
}

/// A failure as PostgreSQL reports it, by its code.
#[derive(Debug, thiserror::Error)]
#[error("{0} on demand")]
struct OnDemand(&'static str);

impl DatabaseError for OnDemand {
    fn message(&self) -> &'static str {
        "failed on demand"
    }

    fn code(&self) -> Option<Cow<'_, str>> {
        Some(self.0.into())
    }

    fn as_error(&self) -> &(dyn StdError + Send + Sync + 'static) {
        self
    }

    fn as_error_mut(&mut self) -> &mut (dyn StdError + Send + Sync + 'static) {
        self
    }

    fn into_error(self: Box<Self>) -> Box<dyn StdError + Send + Sync + 'static> {
        self
    }

    fn kind(&self) -> ErrorKind {
        ErrorKind::Other
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_call_fails_and_no_other() {
        let faults = Faults::planned();
        assert_eq!(faults.next(), None, "nothing is planned yet");
        faults.at(2, Fault::Lost);
        let calls: Vec<_> = (0..4).map(|_| faults.clone().next()).collect();
        assert_eq!(calls, [None, Some(Fault::Lost), None, None]);
        assert!(faults.end());
        faults.at(2, Fault::Refused);
        assert_eq!(faults.next(), None);
        assert!(!faults.end(), "the second call was not made");
        assert_eq!(faults.next(), None, "the plan is taken back");
    }

    #[test]
    fn a_store_without_a_plan_never_fails() {
        let faults = Faults::default();
        faults.at(1, Fault::Lost);
        assert_eq!(faults.next(), None);
        assert!(!faults.end());
    }
}
