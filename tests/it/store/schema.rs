//! Both schemas agree, and a newer one is refused.

use std::collections::BTreeMap;

use diem_kiem_dich::{
    http::StartError,
    store::{ColumnKind, Error, Sql, tables},
};

use crate::kit::{self, On};

/// Tables and columns, each with whether it may be null.
async fn columns(on: On) -> BTreeMap<(String, String), bool> {
    let (app, _, _dir) = kit::app(on).await;
    let rows: Vec<(String, String, bool)> = app
        .db
        .read(async |tx| {
            tx.query(Sql::split(
                "SELECT c.table_name::text, c.column_name::text, c.is_nullable = 'YES'
                   FROM information_schema.columns c
                  WHERE c.table_schema = current_schema()",
                "SELECT m.name, p.name, p.\"notnull\" = 0
                   FROM sqlite_master m JOIN pragma_table_info(m.name) p WHERE m.type = 'table'",
            ))
            .all()
            .await
        })
        .await
        .unwrap();
    rows.into_iter()
        .filter(|(table, ..)| {
            let partition = ["check_ins_", "declarations_"]
                .iter()
                .find_map(|parent| table.strip_prefix(parent));
            !table.starts_with("_sqlx")
                && !table.starts_with("sqlite_")
                && !partition.is_some_and(|day| day.chars().all(|c| c.is_ascii_digit()))
        })
        .map(|(table, column, nullable)| ((table, column), nullable))
        .collect()
}

#[tokio::test]
async fn both_schemas_agree() {
    let (sqlite, postgres) = (columns(On::Sqlite).await, columns(On::Postgres).await);
    assert!(
        sqlite.len() > 100,
        "the look at the schema found only {}",
        sqlite.len()
    );
    assert_eq!(sqlite, postgres);
}

/// The list of tables that backups go through is what both engines have.
#[tokio::test]
async fn the_list_of_tables_is_the_schema() {
    let listed = |kinds: bool| -> BTreeMap<(String, String), String> {
        let columns = tables().iter().flat_map(|table| {
            let columns = table.columns.iter();
            columns.map(|column| {
                let kind = kinds.then(|| column.kind.letter().to_string());
                let name = (table.name.clone(), column.name.clone());
                (name, kind.unwrap_or_default())
            })
        });
        columns.collect()
    };
    let names = columns(On::Sqlite).await.into_keys();
    let sqlite: BTreeMap<_, _> = names.map(|name| (name, String::new())).collect();
    assert_eq!(listed(false), sqlite);
    let (app, _, _dir) = kit::app(On::Postgres).await;
    let kinds: Vec<(String, String, String)> = app
        .db
        .read(async |tx| {
            tx.query(Sql::split(
                "SELECT c.table_name::text, c.column_name::text, c.udt_name::text
                   FROM information_schema.columns c
                  WHERE c.table_schema = current_schema()",
                "SELECT '', '', ''",
            ))
            .all()
            .await
        })
        .await
        .unwrap();
    let kinds: BTreeMap<_, _> = kinds
        .into_iter()
        .map(|(table, column, kind)| {
            let kind = ColumnKind::of(&kind).map(|kind| kind.letter().to_string());
            ((table, column), kind.unwrap_or_default())
        })
        .filter(|(name, _)| sqlite.contains_key(name))
        .collect();
    assert_eq!(listed(true), kinds);
}

#[test]
fn both_folders_hold_the_same_migrations() {
    let names = |engine: &str| {
        let dir = format!("{}/migrations/{engine}", env!("CARGO_MANIFEST_DIR"));
        let mut names: Vec<_> = std::fs::read_dir(dir)
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        names.sort();
        names
    };
    assert_eq!(names("sqlite"), names("postgres"));
}

/// Every SQLite table keeps its types.
#[tokio::test]
async fn sqlite_tables_are_strict() {
    let (app, _, _dir) = kit::app(On::Sqlite).await;
    let loose: Vec<(String,)> = app
        .db
        .read(async |tx| {
            tx.query(
                "SELECT name FROM pragma_table_list
                 WHERE schema = 'main' AND type = 'table' AND strict = 0
                   AND name NOT LIKE 'sqlite_%' AND name NOT LIKE '_sqlx%'",
            )
            .all()
            .await
        })
        .await
        .unwrap();
    assert_eq!(loose, []);
}

#[tokio::test]
async fn a_newer_schema_is_refused() {
    for on in [On::Sqlite, On::Postgres] {
        let dir = tempfile::tempdir().unwrap();
        let settings = kit::settings(on, dir.path(), &[]).await;
        let open = async || {
            let clock = diem_kiem_dich::base::Clock::manual(kit::START);
            let random = diem_kiem_dich::base::Random::seeded(1);
            diem_kiem_dich::http::App::open(settings.clone(), clock, random).await
        };
        let app = open().await.unwrap();
        app.db
            .append(async |tx| {
                tx.query(Sql::split(
                    "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
                     VALUES (9999, 'later', TRUE, '\\x00', 0)",
                    "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
                     VALUES (9999, 'later', TRUE, x'00', 0)",
                ))
                .execute()
                .await
            })
            .await
            .unwrap();
        app.db.close().await;
        let refused = open().await;
        assert!(
            matches!(refused, Err(StartError::Store(Error::Newer))),
            "{on:?}: {:?}",
            refused.err()
        );
    }
}
