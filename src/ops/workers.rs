//! What happens by itself: keys and partitions made ahead, ended sessions deleted, limits swept, the
//! audit log signed. What other processes do to checkpoints is learned in [`super::directory`].

use std::time::{Duration, Instant};

use actix_web::rt;

use super::{
    checkpoints::Checkpoints,
    even::{EVERYDAY, Even},
    keys::{self, Tended, first_key},
};
use crate::{
    accounts,
    base::{Day, Failure},
    exposures::sweep::sweep,
    http::{App, Shared},
    messages::outbox,
    otp, rights, store,
};

/// Time between two rounds.
const EVERY: Duration = Duration::from_mins(1);

/// Time between two looks at the outbox: a code is waited for.
const SEND_EVERY: Duration = Duration::from_secs(1);

/// Time between two looks at who took their consent back in another process.
const WITHDRAWN_EVERY: Duration = Duration::from_secs(5);

/// Ended sessions deleted in one transaction.
const SESSIONS: i64 = 500;

/// Run the workers on this thread until the server stops.
pub fn spawn(app: Shared) -> rt::task::JoinHandle<()> {
    rt::spawn(async move {
        let mut rounds = Rounds::new(&app);
        loop {
            rt::time::sleep(EVERY).await;
            rounds.next(&app).await;
        }
    })
}

/// What one round has to know of those before it.
#[derive(Debug)]
pub struct Rounds {
    swept: Option<Day>,
    tended: Option<Tended>,
    said: String,
    scrubbed: bool,
    even: Even,
    checkpoints: Checkpoints,
}

impl Rounds {
    /// Before the first round.
    #[must_use]
    pub fn new(app: &App) -> Self {
        Self {
            swept: None,
            tended: None,
            said: String::new(),
            scrubbed: true,
            even: Even::new(app.clock.now(), Instant::now()),
            checkpoints: Checkpoints::new(Instant::now()),
        }
    }

    /// One round. What fails is logged and done in the next round.
    pub async fn next(&mut self, app: &App) {
        round(app).await;
        self.checkpoints.round(app, Instant::now()).await;
        tend(app, &mut self.tended, &mut self.said).await;
        let today = Day::of(app.clock.now());
        if self.swept != Some(today)
            && is_due(app, today, &mut self.even).await
            && retention(app, today).await
        {
            self.swept = Some(today);
            self.scrubbed = false;
        }
        self.scrubbed = self.scrubbed || scrub(app).await;
    }
}

/// Send messages on this thread until the server stops.
pub fn send(app: Shared) -> rt::task::JoinHandle<()> {
    rt::spawn(async move {
        let Some(carrier) = app.carrier.clone() else {
            return;
        };
        loop {
            rt::time::sleep(SEND_EVERY).await;
            let sent = outbox::deliver(&app.db, &app.keys, &app.random, &carrier).await;
            if let Err(error) = sent {
                tracing::error!("messages could not be sent: {error}");
            }
        }
    })
}

/// Learn on this thread, until the server stops, who took their consent back.
pub fn learn_withdrawals(app: Shared) -> rt::task::JoinHandle<()> {
    rt::spawn(async move {
        loop {
            rt::time::sleep(WITHDRAWN_EVERY).await;
            if let Err(error) = app.door.withdrawn.refresh(&app.db).await {
                tracing::error!("who took their consent back could not be read: {error}");
            }
        }
    })
}

/// What people's rights leave behind: ended sessions, old codes, erasures that were cut off or held.
async fn look_after_rights(app: &App) -> Result<(), Failure> {
    let desk = app.rights();
    app.db
        .write(async |tx| {
            outbox::sweep(tx).await?;
            otp::sweep(tx).await?;
            rights::session::sweep(tx).await?;
            crate::checkins::withdrawn::sweep(tx).await?;
            Ok::<_, store::Error>(())
        })
        .await?;
    rights::resume(&desk).await?;
    Ok(())
}

/// One round. What fails is logged and done in the next round.
async fn round(app: &App) {
    app.limits.sweep();
    if let Err(error) = app.prepare_days().await {
        tracing::error!("keys and partitions could not be made ahead: {error}");
    }
    let swept = app
        .db
        .append(async |tx| accounts::sweep(tx, SESSIONS).await)
        .await;
    if let Err(error) = swept {
        let error: store::Error = error;
        tracing::error!("ended sessions could not be deleted: {error}");
    }
    if let Err(error) = look_after_rights(app).await {
        tracing::error!("requests of people about their data could not be gone on with: {error}");
    }
}

/// The keys: a rotated master key picked up, destroyed ones forgotten, backup keys made and destroyed.
/// What fails is said once, and done in a later round.
async fn tend(app: &App, tended: &mut Option<Tended>, said: &mut String) {
    match keys::tend(app, tended.take()).await {
        Ok(done) => {
            *tended = Some(done);
            said.clear();
        }
        Err(error) => {
            let text = error.to_string();
            if text != *said {
                tracing::error!("the keys could not be looked after: {text}");
                *said = text;
            }
        }
    }
}

/// What was destroyed leaves the files; false when somebody was reading, for the next round.
async fn scrub(app: &App) -> bool {
    app.db.scrub().await.unwrap_or_else(|error| {
        tracing::error!("what was destroyed could not be taken out of the files: {error}");
        false
    })
}

/// Whether what is past its retention may go by the clock as it is.
async fn is_due(app: &App, today: Day, even: &mut Even) -> bool {
    let kept = match app.keys.list_days(&app.db).await {
        Ok(days) => days,
        Err(error) => {
            tracing::error!("the days could not be read: {error}");
            return false;
        }
    };
    let from = first_key(today, app.settings.retention_days);
    let past = kept
        .iter()
        .filter(|(day, destroyed)| *day < from && destroyed.is_none());
    let past = past.count();
    let due = even.believes(app.clock.now(), Instant::now(), past);
    if !due {
        tracing::error!(
            days = past,
            "the clock says that more than {EVERYDAY} days are past their retention; nothing is deleted \
             until it has run evenly for a day. If it is right, `diem-kiem-dich sweep` deletes them now"
        );
    }
    due
}

/// Once a day: what is past its retention goes. False when it has to be done again.
async fn retention(app: &App, today: Day) -> bool {
    let days = app.settings.retention_days;
    // What is merged later would come back.
    if let Err(error) = app.door.journal.settle().await {
        tracing::error!("the journal could not be settled before the sweep: {error}");
        return false;
    }
    let (db, keys) = (&app.db, &app.keys);
    match sweep(db, keys, &app.random, &app.directory, today, days).await {
        Ok(swept) => tracing::info!(?swept, "retention"),
        Err(error) => {
            tracing::error!("what is past its retention could not be deleted: {error}");
            return false;
        }
    }
    let from = first_key(today, days);
    let corrected = db
        .write(async |tx| rights::correct::sweep(tx, from).await)
        .await;
    if let Err(error) = corrected {
        tracing::error!("corrections past their retention could not be deleted: {error}");
        return false;
    }
    true
}
