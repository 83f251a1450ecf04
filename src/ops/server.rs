//! Starting and stopping: one function that the program and the tests both call.

use std::{
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    os::fd::OwnedFd,
    time::Duration,
};

use actix_web::{
    App as Actix, HttpServer,
    dev::ServerHandle,
    middleware::{Compress, from_fn},
    web,
};

use crate::{
    api,
    http::{self, App, Shared, StartError},
    ops::{Health, checkpoints, directory, health, workers},
    web as pages,
};

/// How long requests in flight may take after the service was told to stop, in seconds.
const GRACE_S: u64 = 10;

/// How long nobody may have asked anything before connections are cut, and how long to wait for it.
const QUIET: Duration = Duration::from_millis(100);
const QUIET_WITHIN: Duration = Duration::from_secs(5);

/// A server that is running.
pub struct Running {
    /// Where it listens.
    pub address: SocketAddr,
    /// Its state.
    pub app: Shared,
    health: web::Data<Health>,
    handle: ServerHandle,
    /// The listening socket, to close it before the connections.
    listener: TcpListener,
    server: actix_web::rt::task::JoinHandle<std::io::Result<()>>,
    workers: [actix_web::rt::task::JoinHandle<()>; 3],
    watch: directory::Watch,
}

/// Serve `app` on `listener`. To be called inside an actix system.
///
/// # Errors
///
/// When the listener cannot be used.
pub fn start(app: App, listener: TcpListener) -> Result<Running, StartError> {
    let address = listener
        .local_addr()
        .map_err(|error| StartError::File("listen".into(), error))?;
    let ours = listener
        .try_clone()
        .map_err(|error| StartError::File("listen".into(), error))?;
    let threads = app.settings.workers;
    let app: Shared = web::Data::new(app);
    let health = web::Data::new(Health::default());
    let (shared, probes) = (app.clone(), health.clone());
    let server = HttpServer::new(move || {
        Actix::new()
            .app_data(shared.clone())
            .app_data(probes.clone())
            .wrap(Compress::default())
            .wrap(from_fn(http::wrap))
            .wrap(api::ShortWay(shared.clone()))
            .configure(api::configure)
            .configure(health::configure)
            .configure(|config| pages::mount(config, health::ROUTES))
    })
    .workers(threads)
    .client_request_timeout(Duration::from_secs(5))
    .keep_alive(Duration::from_mins(1))
    .shutdown_timeout(GRACE_S)
    .disable_signals()
    .listen(listener)
    .map_err(|error| StartError::File("listen".into(), error))?
    .run();
    let handle = server.handle();
    Ok(Running {
        address,
        workers: [
            workers::spawn(app.clone()),
            workers::send(app.clone()),
            workers::learn_withdrawals(app.clone()),
        ],
        watch: directory::watch(&app),
        app,
        health,
        handle,
        listener: ours,
        server: actix_web::rt::spawn(server),
    })
}

impl Running {
    /// Wait until the server ends by itself, which it does only in trouble.
    pub async fn ended(&mut self) {
        tokio::select! {
            ended = &mut self.server => if let Ok(Err(error)) = ended {
                tracing::error!("the server ended: {error}");
            },
            _ = self.app.door.journal.ended() => tracing::error!("the journal's writer ended"),
        }
    }

    /// Say to whoever asks for readiness that the service is about to stop, and go on serving: a
    /// balancer needs a while to send visitors elsewhere.
    pub fn announce(&self) {
        self.health.drain();
    }

    /// Stop: not ready any more, no new connections, requests in flight finished, the journal
    /// drained, the audit log signed, the store closed.
    pub async fn stop(self) {
        self.announce();
        for worker in &self.workers {
            worker.abort();
        }
        self.close().await;
        drop(self.watch);
        self.handle.stop(true).await;
        self.app.door.journal.stop();
        if let Err(error) = self.app.door.journal.ended().await {
            tracing::error!("the journal's writer died: {error}");
        }
        checkpoints::last(&self.app).await;
        self.app.db.close().await;
    }

    /// Close the door first and the connections one by one after their next answer. The server alone
    /// would cut those whose request has arrived but has not been read, and those that wait to be
    /// accepted.
    async fn close(&self) {
        self.handle.pause().await;
        // The standard library closes a listening socket by dropping its last handle, and the server
        // has one until it has stopped; to the system it is a socket like any other.
        let shut = self
            .listener
            .try_clone()
            .and_then(|socket| TcpStream::from(OwnedFd::from(socket)).shutdown(Shutdown::Both));
        if let Err(error) = shut {
            tracing::warn!("the listening socket could not be closed: {error}");
        }
        self.app.leaving.begin();
        let began = tokio::time::Instant::now();
        let mut seen = self.app.leaving.answers();
        while began.elapsed() < QUIET_WITHIN {
            tokio::time::sleep(QUIET).await;
            let answers = self.app.leaving.answers();
            if answers == seen {
                return;
            }
            seen = answers;
        }
    }
}

impl std::fmt::Debug for Running {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Running({})", self.address)
    }
}
