//! What other processes do to checkpoints, learned.
//!
//! Two tasks. One waits for notices (PostgreSQL only) and reads what they name at once. The other
//! looks at everything that changed: often while there is nobody who would tell, rarely as a net
//! under the notices, which a pooler in between or a lost connection may swallow.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use actix_web::rt;

use crate::{
    http::Shared,
    store::{Engine, Error, Heard, Listener},
    venues::CHANGED,
};

/// How often to look while nobody tells: what another process closed takes this long.
const LOOK: Duration = Duration::from_secs(2);

/// How often to look while notices come in.
const NET: Duration = Duration::from_secs(30);

/// How long to wait before listening is tried again.
const AGAIN: Duration = Duration::from_millis(500);

/// The tasks; they end when this is dropped.
#[derive(Debug)]
pub struct Watch(Vec<rt::task::JoinHandle<()>>);

impl Drop for Watch {
    fn drop(&mut self) {
        for task in &self.0 {
            task.abort();
        }
    }
}

/// Keep the directory up to date on this thread.
#[must_use]
pub fn watch(app: &Shared) -> Watch {
    let told = Arc::new(AtomicBool::new(false));
    let mut tasks = vec![rt::spawn(look(app.clone(), Arc::clone(&told)))];
    if app.db.engine() == Engine::Postgres {
        tasks.push(rt::spawn(listen(app.clone(), told)));
    }
    Watch(tasks)
}

async fn look(app: Shared, told: Arc<AtomicBool>) {
    let mut last = tokio::time::Instant::now();
    loop {
        rt::time::sleep(LOOK).await;
        if told.load(Ordering::Relaxed) && last.elapsed() < NET {
            continue;
        }
        last = tokio::time::Instant::now();
        refresh(&app).await;
    }
}

async fn refresh(app: &Shared) {
    if let Err(error) = app.directory.refresh(&app.db).await {
        tracing::error!("changes to checkpoints could not be read: {error}");
    }
}

/// Listen for ever, through restarts of the database.
async fn listen(app: Shared, told: Arc<AtomicBool>) {
    loop {
        let ended = match app.db.listen(CHANGED).await {
            Ok(Some(listener)) => {
                told.store(true, Ordering::Relaxed);
                // What changed while nobody listened.
                refresh(&app).await;
                hear(&app, listener).await
            }
            Ok(None) => return,
            Err(error) => error,
        };
        if told.swap(false, Ordering::Relaxed) {
            tracing::warn!("notices of changed checkpoints are lost for the moment: {ended}");
        }
        rt::time::sleep(AGAIN).await;
    }
}

/// Read what notices name, until the connection fails.
async fn hear(app: &Shared, mut listener: Listener) -> Error {
    loop {
        match listener.heard().await {
            Ok(Heard::Number(id)) => {
                if let Err(error) = app.directory.refresh_these(&app.db, &[id]).await {
                    return error;
                }
            }
            Ok(Heard::Gap) => refresh(app).await,
            Err(error) => return error,
        }
    }
}
