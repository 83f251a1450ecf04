//! Work that would hold an async thread: run elsewhere, a few at a time, the rest told to come back.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use tokio::sync::Semaphore;

use crate::base::Failure;

/// A place for slow work, with so many seats and so many who may stand in line.
#[derive(Debug)]
pub struct Offload {
    seats: Arc<Semaphore>,
    line: AtomicUsize,
    longest_line: usize,
}

impl Offload {
    /// `parallel` pieces of work at once, `waiting` behind them.
    #[must_use]
    pub fn new(parallel: usize, waiting: usize) -> Self {
        Self {
            seats: Arc::new(Semaphore::new(parallel)),
            line: AtomicUsize::new(0),
            longest_line: waiting,
        }
    }

    /// Run `work` on a thread of its own.
    ///
    /// # Errors
    ///
    /// [`crate::base::Kind::Unavailable`] when the line is full.
    pub async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Failure> {
        if self.line.fetch_add(1, Ordering::SeqCst) >= self.longest_line {
            self.line.fetch_sub(1, Ordering::SeqCst);
            return Err(Failure::busy(2));
        }
        // A handler that is dropped while it waits must leave the line.
        let standing = Standing(&self.line);
        let seat = Arc::clone(&self.seats).acquire_owned().await;
        drop(standing);
        let seat = seat.map_err(Failure::internal)?;
        tokio::task::spawn_blocking(move || {
            let _taken = seat;
            work()
        })
        .await
        .map_err(Failure::internal)
    }
}

struct Standing<'a>(&'a AtomicUsize);

impl Drop for Standing<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::base::Kind;

    #[tokio::test]
    async fn a_full_line_is_told_to_come_back() {
        let offload = Offload::new(1, 1);
        let slow = || std::thread::sleep(Duration::from_millis(200));
        let (first, second, third) = tokio::join!(offload.run(slow), offload.run(slow), async {
            tokio::time::sleep(Duration::from_millis(20)).await;
            offload.run(|| ()).await
        });
        first.unwrap();
        second.unwrap();
        assert_eq!(third.unwrap_err().kind, Kind::Unavailable);
        assert_eq!(offload.run(|| 7).await.unwrap(), 7);
    }
}
