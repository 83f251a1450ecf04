//! Every SQL text of `src/` is accepted by the engine it is meant for: what `sqlx::query!` would
//! check, for both dialects, with no saved metadata.

use std::path::Path;

use sqlx::{AssertSqlSafe, Executor, SqlSafeStr};

use crate::{
    kit::{self, On},
    layers,
};

#[tokio::test]
async fn every_text_prepares() {
    let (lite_app, _, dir) = kit::app(On::Sqlite).await;
    let file =
        sqlx::sqlite::SqliteConnectOptions::new().filename(dir.path().join("diem-kiem-dich.db"));
    let lite = sqlx::SqlitePool::connect_with(file).await.unwrap();
    let mut lite = lite.acquire().await.unwrap();
    // The journal's log is a file of its own.
    let log = dir.path().join("diem-kiem-dich.log.db");
    let attach = format!("ATTACH DATABASE '{}' AS log", log.display());
    lite.execute(AssertSqlSafe(attach).into_sql_str())
        .await
        .unwrap();
    let pg_dir = tempfile::tempdir().unwrap();
    let settings = kit::settings(On::Postgres, pg_dir.path(), &[]).await;
    let diem_kiem_dich::store::Target::Postgres(url, _) = settings.database.clone() else {
        panic!("the settings name PostgreSQL");
    };
    let clock = diem_kiem_dich::base::Clock::manual(kit::START);
    let random = diem_kiem_dich::base::Random::seeded(1);
    let pg_app = diem_kiem_dich::http::App::open(settings, clock, random)
        .await
        .unwrap();
    let pg = sqlx::PgPool::connect(&url).await.unwrap();
    let mut pg = pg.acquire().await.unwrap();
    let found = all();
    // Staging tables first: later texts stand on them.
    for (for_postgres, for_sqlite) in &found {
        if for_postgres.contains("CREATE TEMPORARY TABLE") {
            let text = AssertSqlSafe(for_postgres.clone()).into_sql_str();
            pg.execute(text).await.unwrap();
            let text = AssertSqlSafe(for_sqlite.clone()).into_sql_str();
            lite.execute(text).await.unwrap();
        }
    }
    let mut seen = 0;
    for (for_postgres, for_sqlite) in found {
        if for_postgres.contains("CREATE TEMPORARY TABLE") {
            continue;
        }
        pg.prepare(AssertSqlSafe(for_postgres.clone()).into_sql_str())
            .await
            .unwrap_or_else(|e| panic!("PostgreSQL: {e}\n{for_postgres}"));
        if for_sqlite.is_empty() {
            continue;
        }
        lite.prepare(AssertSqlSafe(for_sqlite.clone()).into_sql_str())
            .await
            .unwrap_or_else(|e| panic!("SQLite: {e}\n{for_sqlite}"));
        seen += 1;
    }
    assert!(seen >= 20, "the scan found only {seen}");
    lite_app.db.close().await;
    pg_app.db.close().await;
}

/// The SQL texts of `src/`, each as a pair (PostgreSQL, SQLite); the latter is empty where a macro puts
/// it together.
pub fn all() -> Vec<(String, String)> {
    let mut found = Vec::new();
    for file in layers::files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src")) {
        let source = std::fs::read_to_string(&file).unwrap();
        let code: String = source
            .lines()
            .filter(|line| !line.trim_start().starts_with("//"))
            .flat_map(|line| [line, "\n"])
            .collect();
        found.extend(texts(&code));
    }
    found
}

/// The SQL texts in `source`, each as a pair (PostgreSQL, SQLite): literals given to `.query(`, in
/// `const …: &str = `, and in `Sql::split(`.
fn texts(source: &str) -> Vec<(String, String)> {
    let is_sql = |text: &str| {
        [
            "SELECT",
            "INSERT",
            "UPDATE",
            "DELETE",
            "CREATE TEMPORARY",
            "ANALYZE",
            "DROP TABLE tr_",
        ]
        .iter()
        .any(|verb| text.trim_start().starts_with(verb))
    };
    let shared = [".query(", ": &str ="].into_iter().flat_map(|opener| {
        source
            .match_indices(opener)
            .filter_map(move |(at, opener)| {
                let (text, _) = literal(&source[at + opener.len()..])?;
                is_sql(&text).then(|| (text.clone(), text))
            })
    });
    let split = source
        .match_indices("Sql::split(")
        .filter_map(|(at, opener)| {
            let (postgres, rest) = literal(&source[at + opener.len()..])?;
            let rest = rest.trim_start().strip_prefix(',')?;
            let sqlite = literal(rest).map_or_else(String::new, |(text, _)| text);
            Some((postgres, sqlite))
        });
    shared.chain(split).collect()
}

/// The string literal that `source` starts with, and what follows it. A `concat!` is read if it is one
/// literal and a tail that a macro chooses.
fn literal(source: &str) -> Option<(String, &str)> {
    if let Some(inside) = source.trim_start().strip_prefix("concat!(") {
        let (text, rest) = literal(inside)?;
        let (tail, rest) = rest.split_once(')')?;
        let name = tail
            .trim()
            .strip_prefix(',')?
            .trim_start()
            .strip_prefix('$')?;
        let is_name = name.chars().all(|c| c.is_ascii_lowercase());
        return is_name.then_some((text, rest));
    }
    let body = source.trim_start().strip_prefix('"')?;
    let mut text = String::new();
    let mut chars = body.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Some((text, &body[at + 1..])),
            '\\' => match chars.next()?.1 {
                // A line that ends in a backslash goes on after the blanks of the next.
                '\n' => {
                    let rest = chars.as_str();
                    let skipped = rest.len() - rest.trim_start().len();
                    for _ in 0..rest[..skipped].chars().count() {
                        chars.next();
                    }
                }
                'n' => text.push('\n'),
                c => text.push(c),
            },
            c => text.push(c),
        }
    }
    None
}
