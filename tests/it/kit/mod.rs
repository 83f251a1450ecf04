//! The test kit: a server of its own for every test, on SQLite and on PostgreSQL.
//!
//! `on_both! { name, … }` stamps out each test once per engine. PostgreSQL is a throwaway cluster
//! that the kit starts itself, once per test program; every test gets a schema of its own.

mod postgres;
mod program;
mod server;

pub use postgres::Cluster;
pub use program::{Program, told};
pub use server::{Http, PASSWORD, Server, json_of};

use std::{collections::BTreeMap, sync::OnceLock};

use diem_kiem_dich::{
    base::{Clock, Random, Timestamp},
    config::{Overrides, Settings},
    http::App,
};

/// Which engine a test runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum On {
    Sqlite,
    Postgres,
}

/// Run each test on both engines: `on_both! { a, b }` makes `on_sqlite::a`, `on_postgres::a`, ….
/// A test is `async fn name(on: On)`.
#[macro_export]
macro_rules! on_both {
    ($($name:ident),* $(,)?) => {
        mod on_sqlite { $(#[tokio::test] async fn $name() { super::$name($crate::kit::On::Sqlite).await; })* }
        mod on_postgres { $(#[tokio::test] async fn $name() { super::$name($crate::kit::On::Postgres).await; })* }
    };
}

/// The moment at which tests begin: 2026-11-18 01:30:00 UTC, a Wednesday, 08:30 in Vietnam.
pub const START: Timestamp = Timestamp::from_ms(1_794_965_400_000);

/// A database URL whose search path is a new, empty schema of this program's own cluster, which
/// need not outlive a power cut.
pub async fn fresh_schema() -> String {
    static CLUSTER: OnceLock<String> = OnceLock::new();
    let base = CLUSTER.get_or_init(|| {
        postgres::start("-c fsync=off -c max_connections=400 -c shared_buffers=64MB")
    });
    postgres::fresh_schema(base).await
}

/// Settings for a fresh store on an engine, in `dir`, with `extra` variables (without `DKD_`).
pub async fn settings(on: On, dir: &std::path::Path, extra: &[(&str, &str)]) -> Settings {
    let mut environment = BTreeMap::from([
        ("data_dir".to_owned(), dir.display().to_string()),
        ("listen".to_owned(), "127.0.0.1:0".to_owned()),
        ("rate_limits".to_owned(), "off".to_owned()),
    ]);
    if on == On::Postgres {
        environment.insert("database_url".to_owned(), fresh_schema().await);
    }
    for (key, value) in extra {
        environment.insert((*key).to_owned(), (*value).to_owned());
    }
    Settings::load(&Overrides::default(), environment).unwrap()
}

/// The application on a fresh store, without a server: for tests of rooms.
pub async fn app(on: On) -> (App, Clock, tempfile::TempDir) {
    let dir = tempfile::tempdir().unwrap();
    let settings = settings(on, dir.path(), &[]).await;
    let clock = Clock::manual(START);
    let app = App::open(settings, clock.clone(), Random::seeded(1))
        .await
        .unwrap();
    (app, clock, dir)
}
