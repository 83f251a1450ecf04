//! `serve`: start, say so, and stop in order.

use std::{
    fs::{File, TryLockError},
    net::{SocketAddr, TcpListener},
    time::Duration,
};

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::{
    accounts,
    cli::{CliError, open},
    config::{MasterKey, Settings},
    http::App,
    ops,
    store::{self, Target},
};

/// How long the service says that it is about to stop before it does, so that a balancer sends
/// visitors elsewhere.
const ANNOUNCE: Duration = Duration::from_secs(5);

pub(super) async fn run(settings: Settings) -> Result<(), CliError> {
    let app = open(settings).await?;
    serve(app).await
}

/// Serve `app` until SIGTERM, which is announced for a while, or SIGINT, which is not. A second signal
/// ends the announcement.
pub(super) async fn serve(app: App) -> Result<(), CliError> {
    let _alone = alone(&app.settings.database)?;
    let listen = app.settings.listen;
    let listener = bind(listen, "listen")?;
    if let MasterKey::Own(path) = &app.settings.master_key {
        eprintln!(
            "keys: {} (keep a copy apart from the database)",
            path.display()
        );
    }
    // What a killed program had acknowledged is put into its tables.
    app.door.journal.settle().await?;
    let empty = app
        .db
        .read(async |tx| accounts::is_empty(tx).await)
        .await
        .map_err(|error: store::Error| CliError::from(error))?;
    if empty {
        eprintln!(
            "no account yet; make the first one with\n  diem-kiem-dich account create LOGIN --role operator"
        );
    }
    let metrics = match app.settings.metrics_listen {
        Some(listen) => Some(ops::metrics::serve(bind(listen, "metrics_listen")?)?),
        None => None,
    };
    let mut terminate = signal_of(SignalKind::terminate())?;
    let mut interrupt = signal_of(SignalKind::interrupt())?;
    let mut running = ops::start(app, listener)?;
    println!("listening on http://{}", running.address);
    // Absent a service manager there is nobody to tell, and that is fine.
    let _ = sd_notify::notify(&[sd_notify::NotifyState::Ready]);
    let mut politely = false;
    tokio::select! {
        _ = terminate.recv() => politely = true,
        _ = interrupt.recv() => {}
        () = running.ended() => {
            return Err(CliError::other("the server ended by itself; see the log"));
        }
    }
    let _ = sd_notify::notify(&[sd_notify::NotifyState::Stopping]);
    if politely {
        running.announce();
        tokio::select! {
            () = tokio::time::sleep(ANNOUNCE) => {}
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    }
    running.stop().await;
    if let Some(metrics) = metrics {
        metrics.stop(false).await;
    }
    Ok(())
}

fn bind(address: SocketAddr, key: &str) -> Result<TcpListener, CliError> {
    TcpListener::bind(address).map_err(|error| {
        CliError::other(format!(
            "cannot listen on {address}: {error}; give another address as {key}"
        ))
    })
}

fn signal_of(kind: SignalKind) -> Result<Signal, CliError> {
    signal(kind).map_err(|error| CliError::other(format!("signals cannot be received: {error}")))
}

/// Hold the SQLite file for this program as long as the answer lives: what one process has
/// acknowledged and not yet merged, another one would not know. Commands may run beside it.
pub(super) fn alone(database: &Target) -> Result<Option<File>, CliError> {
    let Target::Sqlite(path) = database else {
        return Ok(None);
    };
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    let unusable = |error| CliError::other(format!("cannot lock {}: {error}", path.display()));
    let file = File::create(&name).map_err(unusable)?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Err(CliError::other(format!(
            "another diem-kiem-dich serves {}; stop it first, or use PostgreSQL for several",
            path.display()
        ))),
        Err(TryLockError::Error(error)) => Err(unusable(error)),
    }
}
