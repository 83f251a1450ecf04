//! Something in the writer's place, given as clock and randomness are given: what a benchmark sets
//! the journal beside.

use std::{pin::Pin, sync::Arc};

use super::{Answer, Arrival, Result};

type Later = Pin<Box<dyn Future<Output = Result<Answer>>>>;

/// Takes check-ins instead of the writer.
#[derive(Clone)]
pub struct Instead(Arc<dyn Fn(Arrival) -> Later + Send + Sync>);

impl Instead {
    /// `take` stores a check-in, or does not, and says what to answer.
    pub fn new<F>(take: impl Fn(Arrival) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<Answer>> + 'static,
    {
        Self(Arc::new(move |arrival| Box::pin(take(arrival))))
    }

    pub(super) fn take(&self, arrival: Arrival) -> Later {
        (self.0)(arrival)
    }
}

impl std::fmt::Debug for Instead {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Instead")
    }
}
