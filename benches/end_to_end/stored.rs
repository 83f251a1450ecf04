//! What is in the store afterwards.

use std::collections::HashSet;

use diem_kiem_dich::{
    base::Clock,
    checkins::{
        journal,
        store::{Key, stored},
    },
    store::{self, Db, Target},
};
use sqlx::{Connection, PgConnection, SqliteConnection};

use crate::{plain::Plain, server::Way};

/// Check-ins looked up at once.
const CHUNK: usize = 1000;

/// How many of the acknowledged check-ins are not in the store: it has to be none.
pub async fn lost(target: &Target, way: Way, acknowledged: &[Key], before: u64) -> usize {
    match way {
        Way::Bare | Way::Ceiling => 0,
        Way::OneInsert => {
            let count = Plain::open(target).await.count().await - before;
            acknowledged.len().saturating_sub(count as usize)
        }
        Way::Journal => {
            let db = Db::open(target, Clock::System).await.unwrap();
            // What SQLite's log holds is stored too.
            journal::replay(&db).await.unwrap();
            let mut lost = 0;
            for keys in acknowledged.chunks(CHUNK) {
                let found: Result<HashSet<Key>, store::Error> = db
                    .read(async |tx| {
                        let rows = stored(tx, keys).await?;
                        Ok(rows.iter().map(|row| (row.checkpoint_id, row.id)).collect())
                    })
                    .await;
                let found = found.unwrap();
                lost += keys.iter().filter(|key| !found.contains(key)).count();
            }
            db.close().await;
            lost
        }
    }
}

/// Bytes on disk, all tables and indexes together.
pub async fn size(target: &Target) -> u64 {
    let (bytes,): (i64,) = match target {
        Target::Sqlite(path) => {
            let mut conn = SqliteConnection::connect(&format!("sqlite:{}", path.display()))
                .await
                .unwrap();
            sqlx::query_as(
                "SELECT (p.page_count - f.freelist_count) * s.page_size
                 FROM pragma_page_count() AS p, pragma_freelist_count() AS f, pragma_page_size() AS s",
            )
            .fetch_one(&mut conn)
            .await
            .unwrap()
        }
        Target::Postgres(url, _) => {
            let mut conn = PgConnection::connect(url).await.unwrap();
            sqlx::query_as(
                "SELECT SUM(pg_total_relation_size(oid))::bigint FROM pg_class
                 WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r'",
            )
            .fetch_one(&mut conn)
            .await
            .unwrap()
        }
    };
    u64::try_from(bytes).unwrap()
}

/// The process that started PostgreSQL's other ones.
pub async fn postmaster(url: &str) -> u32 {
    let mut conn = PgConnection::connect(url).await.unwrap();
    let (backend,): (i32,) = sqlx::query_as("SELECT pg_backend_pid()")
        .fetch_one(&mut conn)
        .await
        .unwrap();
    crate::usage::parent(u32::try_from(backend).unwrap())
}

/// Rows of the plain table, where there is one.
pub async fn plain_count(target: &Target, way: Way) -> u64 {
    match way {
        Way::OneInsert => Plain::open(target).await.count().await,
        Way::Bare | Way::Ceiling | Way::Journal => 0,
    }
}
