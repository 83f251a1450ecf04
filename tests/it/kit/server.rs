//! A server in this program, on a clock that the test moves.

use std::{
    collections::HashMap,
    net::TcpListener,
    sync::{Mutex, mpsc},
    thread::JoinHandle,
};

use diem_kiem_dich::{
    accounts::{self, Account, Login, NewAccount, Role, TotpSecret, totp},
    base::{Clock, Random},
    config::Settings,
    http::{App, Shared},
    ops,
    store::{self, Db, Faults},
};
use reqwest::{Method, Response, StatusCode};
use serde_json::Value;

use super::{On, START};

/// The password of every account that the kit makes.
pub const PASSWORD: &str = "mat-khau-thu-nghiem";

/// A running server on a fresh store.
pub struct Server {
    /// `http://127.0.0.1:PORT`.
    pub url: String,
    /// The server's clock.
    pub clock: Clock,
    /// The server's state, to look behind the answers.
    pub app: Shared,
    /// A client without a session.
    pub http: Http,
    /// What it was started with.
    pub settings: Settings,
    stop: tokio::sync::oneshot::Sender<()>,
    thread: JoinHandle<()>,
    dir: Option<tempfile::TempDir>,
    authenticator: Authenticator,
}

/// What an app on the officers' phones holds, by login: the secret, and the step of the password used
/// last. A password is good once.
type Authenticator = Mutex<HashMap<String, (TotpSecret, i64)>>;

impl Server {
    /// Start a server on a fresh store.
    pub async fn start(on: On) -> Self {
        Self::start_with(on, &[]).await
    }

    /// Start a server on a fresh store with settings (as variables without `DKD_`).
    pub async fn start_with(on: On, extra: &[(&str, &str)]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let settings = super::settings(on, dir.path(), extra).await;
        let mut server = Self::start_at(settings, Clock::manual(START), 1).await;
        server.dir = Some(dir);
        server
    }

    /// Start a server on a fresh store that fails as `faults` say.
    pub async fn start_failing(on: On, faults: &Faults) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let settings = super::settings(on, dir.path(), &[]).await;
        let clock = Clock::manual(START);
        let mut server = Self::start_over(settings, clock, 1, faults.clone()).await;
        server.dir = Some(dir);
        server
    }

    /// Start a server on the store that `settings` name.
    pub async fn start_at(settings: Settings, clock: Clock, seed: u64) -> Self {
        Self::start_over(settings, clock, seed, Faults::default()).await
    }

    async fn start_over(settings: Settings, clock: Clock, seed: u64, faults: Faults) -> Self {
        let (told, tell) = mpsc::channel();
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let (with, time) = (settings.clone(), clock.clone());
        let thread = std::thread::spawn(move || {
            actix_web::rt::System::new().block_on(async move {
                let db = Db::open(&with.database, time.clone()).await.unwrap();
                let db = db.with_faults(faults);
                let app = App::on(db, with, time, Random::seeded(seed)).await.unwrap();
                let listener = TcpListener::bind("127.0.0.1:0").unwrap();
                let running = ops::start(app, listener).unwrap();
                told.send((running.address, running.app.clone())).unwrap();
                let _ = stopped.await;
                running.stop().await;
            });
        });
        let (address, app) = tokio::task::spawn_blocking(move || tell.recv())
            .await
            .unwrap()
            .expect("the server starts");
        let url = format!("http://{address}");
        Self {
            http: Http::new(&url, None),
            url,
            clock,
            app,
            settings,
            stop,
            thread,
            dir: None,
            authenticator: Authenticator::default(),
        }
    }

    /// Stop in order and start again on the same store.
    pub async fn restart(mut self) -> Self {
        let (settings, clock) = (self.settings.clone(), self.clock.clone());
        let authenticator = std::mem::take(&mut self.authenticator);
        let dir = self.stop().await;
        let mut again = Self::start_at(settings, clock, 2).await;
        again.dir = dir;
        again.authenticator = authenticator;
        again
    }

    /// A new account; its password is [`PASSWORD`], and its second factor is on the kit's phone.
    pub async fn account(&self, login: &str, role: Role, province: Option<&str>) -> Account {
        let app = &self.app;
        let password_hash = app
            .passwords
            .hash(PASSWORD.into(), accounts::Strength::Usual)
            .await
            .unwrap();
        let new = NewAccount {
            login: Login::parse(login).unwrap(),
            role,
            province: province.map(str::to_owned),
            password_hash,
        };
        let made = app.db.write(async |tx| {
            let account = accounts::create(tx, &app.keys, &app.random, &new).await?;
            let secret = if role.has_second_factor() {
                Some(accounts::enrol(tx, &app.keys, &app.random, account.id).await?)
            } else {
                None
            };
            Ok::<_, store::Error>((account, secret))
        });
        let (account, secret) = made.await.unwrap();
        if let Some(secret) = secret {
            self.enrolled(login, secret);
        }
        account
    }

    /// Put a second factor on the kit's phone.
    pub fn enrolled(&self, login: &str, secret: TotpSecret) {
        let mut held = self.authenticator.lock().unwrap();
        held.insert(login.to_owned(), (secret, i64::MIN));
    }

    /// A one-time password of this login that was not used yet; `None` when it has no second factor.
    /// Where all that fit the moment are used, the clock goes on to the next.
    pub fn otp(&self, login: &str) -> Option<String> {
        let mut held = self.authenticator.lock().unwrap();
        let (secret, last) = held.get_mut(login)?;
        let here = totp::step_at(self.clock.now());
        // The machine's clock goes on by itself, so the oldest that fits may be too old in a moment.
        let oldest = match self.clock {
            Clock::Manual(_) => here - totp::SKEW_STEPS,
            Clock::System => here,
        };
        let step = oldest.max(last.saturating_add(1));
        let early = step - here - totp::SKEW_STEPS;
        if early > 0 {
            let on = early * totp::STEP_SECONDS * 1000;
            self.clock.set(self.clock.now().plus_ms(on));
        }
        *last = step;
        Some(secret.at(step))
    }

    /// Stop in order; gives the folder of the store, which goes with it.
    pub async fn stop(self) -> Option<tempfile::TempDir> {
        drop(self.app);
        let _ = self.stop.send(());
        let thread = self.thread;
        tokio::task::spawn_blocking(move || thread.join().unwrap())
            .await
            .unwrap();
        self.dir
    }

    /// A client logged in to a new account.
    pub async fn login_as(&self, role: Role, province: Option<&str>) -> Http {
        let name = format!(
            "{}-{}",
            role.name(),
            uuid::Uuid::from_bytes(self.app.random.bytes()).simple()
        );
        self.account(&name, role, province).await;
        self.login(&name, PASSWORD).await
    }

    /// A client logged in by login, password and, where there is one, second factor.
    pub async fn login(&self, login: &str, password: &str) -> Http {
        let body = self.credentials(login, password);
        let (status, answer) = self.http.post("/api/v1/sessions", &body).await;
        assert_eq!(status, 200, "{answer}");
        Http::new(&self.url, answer["access_token"].as_str())
    }

    /// What a program sends to log in.
    pub fn credentials(&self, login: &str, password: &str) -> Value {
        serde_json::json!({"login": login, "password": password, "otp": self.otp(login)})
    }
}

/// A client of the API.
#[derive(Clone)]
pub struct Http {
    base: String,
    token: Option<String>,
    client: reqwest::Client,
}

impl Http {
    /// A client of the service at `base`, with an access token or without.
    pub fn new(base: &str, token: Option<&str>) -> Self {
        Self {
            base: base.to_owned(),
            token: token.map(str::to_owned),
            client: reqwest::Client::new(),
        }
    }

    /// Its access token.
    pub fn token(&self) -> Option<&str> {
        self.token.as_deref()
    }

    /// A request that is not sent yet.
    pub fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        let request = self.client.request(method, format!("{}{path}", self.base));
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    /// `GET path`: status and JSON.
    pub async fn get(&self, path: &str) -> (u16, Value) {
        json_of(self.request(Method::GET, path).send().await.unwrap()).await
    }

    /// `POST path` with JSON: status and JSON.
    pub async fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        self.send(Method::POST, path, body).await
    }

    /// `PATCH path` with JSON: status and JSON.
    pub async fn patch(&self, path: &str, body: &Value) -> (u16, Value) {
        self.send(Method::PATCH, path, body).await
    }

    /// `DELETE path`: status and JSON.
    pub async fn delete(&self, path: &str) -> (u16, Value) {
        json_of(self.request(Method::DELETE, path).send().await.unwrap()).await
    }

    /// Any method with JSON: status and JSON.
    pub async fn send(&self, method: Method, path: &str, body: &Value) -> (u16, Value) {
        json_of(self.request(method, path).json(body).send().await.unwrap()).await
    }
}

/// The status and the JSON of an answer; `Null` when there is none.
pub async fn json_of(answer: Response) -> (u16, Value) {
    let status: StatusCode = answer.status();
    let text = answer.text().await.unwrap();
    (
        status.as_u16(),
        serde_json::from_str(&text).unwrap_or(Value::Null),
    )
}
