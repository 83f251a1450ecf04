//! `migrate --distribute` against PostgreSQL alone, and against a stand-in for Citus: tables and
//! functions of its names that write down how they are called. It shows what the command does and
//! does twice, and nothing of what Citus makes of it.

use std::process::Command;

use diem_kiem_dich::{
    base::{Clock, Random, ids},
    config::{Overrides, Settings},
    http::App,
    store::{Db, Distributed, Error, NotDistributed},
};
use sqlx::{Connection, Executor, PgConnection, Row};

use crate::kit::{self, Cluster, On, START};

const STAND_IN: &str = "
    INSERT INTO pg_extension (oid, extname, extowner, extnamespace, extrelocatable, extversion)
         VALUES (99999, 'citus', 10, 11, FALSE, '11.3-1');
    CREATE TABLE pg_dist_local_group (groupid INT);
    INSERT INTO pg_dist_local_group VALUES (3);
    CREATE TABLE pg_dist_node (isactive BOOLEAN, shouldhaveshards BOOLEAN, noderole TEXT);
    INSERT INTO pg_dist_node VALUES (TRUE, FALSE, 'primary'), (FALSE, TRUE, 'primary');
    CREATE TABLE pg_dist_partition (logicalrelid REGCLASS PRIMARY KEY, partmethod \"char\", partkey TEXT);
    CREATE TABLE calls (n SERIAL, call TEXT);
    CREATE FUNCTION column_to_column_name(REGCLASS, TEXT) RETURNS TEXT LANGUAGE sql AS 'SELECT $2';
    CREATE FUNCTION create_distributed_table(table_name REGCLASS, distribution_column TEXT,
        distribution_type TEXT DEFAULT 'hash', colocate_with TEXT DEFAULT 'default',
        shard_count INT DEFAULT NULL) RETURNS void LANGUAGE plpgsql AS $$ BEGIN
        INSERT INTO pg_dist_partition VALUES (table_name, 'h', distribution_column);
        INSERT INTO calls (call) VALUES (concat_ws(' ', 'spread', table_name, distribution_column,
                                                   colocate_with, shard_count)); END $$;
    CREATE FUNCTION truncate_local_data_after_distributing_table(REGCLASS) RETURNS void
        LANGUAGE plpgsql AS $$ BEGIN
        EXECUTE format('TRUNCATE %s', $1);
        INSERT INTO calls (call) VALUES (concat_ws(' ', 'empty', $1)); END $$;";

async fn refused(db: &Db) -> NotDistributed {
    match db.distribute(8).await {
        Err(Error::NotDistributed(reason)) => reason,
        other => panic!("it is refused: {other:?}"),
    }
}

fn settings(cluster: &Cluster, dir: &std::path::Path) -> Settings {
    let environment = [
        ("data_dir".to_owned(), dir.display().to_string()),
        ("database_url".to_owned(), cluster.url()),
    ];
    Settings::load(&Overrides::default(), environment.into()).unwrap()
}

#[tokio::test]
async fn the_layout_is_made_once() {
    let cluster = Cluster::start();
    let dir = tempfile::tempdir().unwrap();
    let clock = Clock::manual(START);
    let app = App::open(settings(&cluster, dir.path()), clock, Random::seeded(1))
        .await
        .unwrap();
    let mut conn = PgConnection::connect(&cluster.url()).await.unwrap();
    assert!(matches!(
        refused(&app.db).await,
        NotDistributed::NoExtension
    ));
    conn.execute(STAND_IN).await.unwrap();
    assert!(matches!(refused(&app.db).await, NotDistributed::Old(_)));
    conn.execute("UPDATE pg_extension SET extversion = '12.1-1' WHERE extname = 'citus'")
        .await
        .unwrap();
    assert!(matches!(refused(&app.db).await, NotDistributed::Worker));
    conn.execute("UPDATE pg_dist_local_group SET groupid = 0")
        .await
        .unwrap();
    assert!(matches!(refused(&app.db).await, NotDistributed::NoNodes));
    conn.execute("UPDATE pg_dist_node SET isactive = TRUE, shouldhaveshards = TRUE")
        .await
        .unwrap();
    sqlx::query(
        "INSERT INTO check_ins (checkpoint_id, id, person_id, entered_at, source, assurance,
                                headcount, received_at)
         VALUES (1, $1, '\\x00', 0, 'online', 'poster', 1, 0)",
    )
    .bind(ids::v7(START, &Random::seeded(2)))
    .execute(&mut conn)
    .await
    .unwrap();
    let leaf: String = conn
        .fetch_one("SELECT tableoid::regclass::text FROM check_ins")
        .await
        .unwrap()
        .get(0);
    let done = app.db.distribute(8).await.unwrap();
    let all = Distributed {
        tables: vec!["check_ins", "declarations"],
        nodes: 2,
    };
    assert_eq!(done, all);
    let again = app.db.distribute(16).await.unwrap();
    assert!(again.tables.is_empty());
    let calls: Vec<String> = conn
        .fetch_all("SELECT call FROM calls ORDER BY n")
        .await
        .unwrap()
        .iter()
        .map(|row| row.get(0))
        .collect();
    let expected = [
        "spread check_ins checkpoint_id none 8".to_owned(),
        format!("empty {leaf}"),
        "spread declarations person_id none 8".to_owned(),
    ];
    assert_eq!(calls, expected, "and nothing the second time");
    conn.execute("UPDATE pg_dist_partition SET partkey = 'id' WHERE partkey = 'person_id'")
        .await
        .unwrap();
    let reason = refused(&app.db).await.to_string();
    assert!(
        reason.contains("declarations is distributed by id"),
        "{reason}"
    );
    app.db.close().await;
}

/// What an operator sees on a PostgreSQL without Citus and on SQLite: one sentence with what to do.
#[tokio::test]
async fn without_citus_it_says_what_to_do() {
    for on in [On::Postgres, On::Sqlite] {
        let dir = tempfile::tempdir().unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_diem-kiem-dich"));
        command
            .args(["migrate", "--distribute", "--data-dir"])
            .arg(dir.path());
        if on == On::Postgres {
            command.args(["--database-url", &kit::fresh_schema().await]);
        }
        let output = tokio::task::spawn_blocking(move || command.output().unwrap())
            .await
            .unwrap();
        assert_eq!(output.status.code(), Some(1));
        let said = String::from_utf8(output.stderr).unwrap();
        let expected = match on {
            On::Postgres => "CREATE EXTENSION citus",
            On::Sqlite => "SQLite cannot be distributed",
        };
        assert!(said.contains(expected), "{on:?}: {said}");
        assert!(output.stdout.is_empty());
    }
}
