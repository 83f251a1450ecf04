//! The end of a connection, politely: before the service goes, each answer says that it is the last.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use actix_web::{HttpResponse, http::ConnectionType};

/// Whether the service is about to go, and how much it was still asked since.
#[derive(Debug, Default)]
pub struct Leaving {
    soon: AtomicBool,
    answers: AtomicU64,
}

impl Leaving {
    /// From now on every answer closes its connection, so that nobody sends another request into a
    /// connection that is about to be cut.
    pub fn begin(&self) {
        self.soon.store(true, Ordering::SeqCst);
    }

    /// Answers since [`Self::begin`].
    #[must_use]
    pub fn answers(&self) -> u64 {
        self.answers.load(Ordering::SeqCst)
    }

    /// Say so in `response`.
    pub(super) fn mark<B>(&self, response: &mut HttpResponse<B>) {
        if self.soon.load(Ordering::Relaxed) {
            self.answers.fetch_add(1, Ordering::SeqCst);
            let head = response.head_mut();
            head.set_connection_type(ConnectionType::Close);
        }
    }
}
