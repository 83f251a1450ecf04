//! The store facade: the same promises on both engines.

mod schema;
pub mod texts;

use std::cell::Cell;

use diem_kiem_dich::store::{Db, Error, Sql, Tx};

use crate::{
    kit::{self, On},
    on_both,
};

on_both! {
    an_error_rolls_back,
    reads_cannot_write,
    stages_make_temporary_tables_only,
    reads_do_not_wait_for_the_writer,
    a_second_row_is_a_conflict,
    going_on_after_an_error_stores_nothing,
    a_lost_race_is_run_again,
    write_skew_is_run_again,
    isolation_is_as_documented,
    appends_are_not_run_again,
    rows_arrive_one_by_one,
    a_begin_that_nobody_waits_for_hurts_nobody,
}

async fn db(on: On) -> (Db, tempfile::TempDir) {
    let (app, _, dir) = kit::app(on).await;
    (app.db, dir)
}

async fn add(tx: &mut Tx, n: u8) -> Result<u64, Error> {
    tx.query("INSERT INTO person_aliases (alias, person_id) VALUES ($1, $2)")
        .bind(vec![n; 16])
        .bind(vec![0; 16])
        .execute()
        .await
}

async fn count(tx: &mut Tx) -> Result<i64, Error> {
    let (n,) = tx
        .query("SELECT COUNT(*) FROM person_aliases")
        .one::<(i64,)>()
        .await?;
    Ok(n)
}

async fn an_error_rolls_back(on: On) {
    let (db, _dir) = db(on).await;
    let refused: Result<(), Error> = db
        .write(async |tx| {
            add(tx, 1).await?;
            Err(Error::Conflict)
        })
        .await;
    assert!(matches!(refused, Err(Error::Conflict)));
    assert_eq!(db.read(count).await.unwrap(), 0);
}

async fn reads_cannot_write(on: On) {
    let (db, _dir) = db(on).await;
    let refused = db.read(async |tx| add(tx, 1).await).await;
    assert!(matches!(refused, Err(Error::Driver(_))), "{refused:?}");
    assert_eq!(db.read(count).await.unwrap(), 0);
}

async fn stages_make_temporary_tables_only(on: On) {
    let (db, _dir) = db(on).await;
    for _ in 0..2 {
        let rows = db
            .stage(async |tx| {
                tx.query("CREATE TEMPORARY TABLE t_mine AS SELECT alias FROM person_aliases")
                    .execute()
                    .await?;
                tx.query("INSERT INTO t_mine (alias) VALUES ($1)")
                    .bind(vec![1_u8])
                    .execute()
                    .await
            })
            .await;
        assert_eq!(rows.unwrap(), 1, "the table of the stage before is gone");
    }
    if on == On::Sqlite {
        let refused = db.stage(async |tx| add(tx, 1).await).await;
        assert!(refused.is_err());
    }
    assert_eq!(db.read(count).await.unwrap(), 0);
}

/// On SQLite this would wait for ever if reads came from the writer's pool.
async fn reads_do_not_wait_for_the_writer(on: On) {
    let (db, _dir) = db(on).await;
    let meanwhile = db
        .write(async |tx| {
            add(tx, 1).await?;
            db.read(count).await
        })
        .await
        .unwrap();
    assert_eq!(meanwhile, 0);
    assert_eq!(db.read(count).await.unwrap(), 1);
}

async fn a_second_row_is_a_conflict(on: On) {
    let (db, _dir) = db(on).await;
    let again = db
        .write(async |tx| {
            add(tx, 7).await?;
            add(tx, 7).await
        })
        .await;
    assert!(matches!(again, Err(Error::Conflict)), "{again:?}");
}

/// PostgreSQL aborts the transaction at the first error and answers the commit with a rollback that
/// the driver reports as success; SQLite goes on. Neither is let through.
async fn going_on_after_an_error_stores_nothing(on: On) {
    let (db, _dir) = db(on).await;
    let went_on = db
        .write(async |tx| {
            add(tx, 7).await?;
            let _ = add(tx, 7).await;
            Ok::<_, Error>(())
        })
        .await;
    assert!(matches!(went_on, Err(Error::WentOn)), "{went_on:?}");
    assert_eq!(db.read(count).await.unwrap(), 0);
}

/// Wait until the other transaction is as far, or is seen to be waiting.
async fn meet(barrier: &tokio::sync::Barrier) {
    let _ = tokio::time::timeout(std::time::Duration::from_millis(100), barrier.wait()).await;
}

async fn a_lost_race_is_run_again(on: On) {
    let (db, _dir) = db(on).await;
    let barrier = tokio::sync::Barrier::new(2);
    let bump = async || {
        db.write(async |tx| {
            let n = count(tx).await?;
            meet(&barrier).await;
            add(tx, u8::try_from(n).unwrap()).await
        })
        .await
    };
    let (a, b) = tokio::join!(bump(), bump());
    assert!(a.is_ok() && b.is_ok(), "{a:?} {b:?}");
    assert_eq!(db.read(count).await.unwrap(), 2);
}

/// As above, but the rows do not collide: only the commit can refuse.
async fn write_skew_is_run_again(on: On) {
    let (db, _dir) = db(on).await;
    let barrier = tokio::sync::Barrier::new(2);
    let bump = async |n: u8| {
        db.write(async |tx| {
            let before = count(tx).await?;
            meet(&barrier).await;
            add(tx, n).await?;
            meet(&barrier).await;
            Ok::<_, Error>(before)
        })
        .await
    };
    let (a, b) = tokio::join!(bump(10), bump(20));
    let mut seen = [a.unwrap(), b.unwrap()];
    seen.sort_unstable();
    assert_eq!(seen, [0, 1]);
}

async fn isolation_is_as_documented(on: On) {
    let (db, _dir) = db(on).await;
    let level = async |tx: &mut Tx| {
        tx.query(Sql::split("SHOW transaction_isolation", "SELECT 'one'"))
            .one::<(String,)>()
            .await
    };
    let (read,) = db.read(level).await.unwrap();
    let (stage,) = db.stage(level).await.unwrap();
    let (append,) = db.append(level).await.unwrap();
    let (write,) = db.write(level).await.unwrap();
    let expected = if on == On::Postgres {
        [
            "repeatable read",
            "repeatable read",
            "read committed",
            "serializable",
        ]
    } else {
        ["one"; 4]
    };
    assert_eq!([read, stage, append, write], expected);
}

async fn appends_are_not_run_again(on: On) {
    let (db, _dir) = db(on).await;
    let runs = Cell::new(0);
    let tasks = (0..16).map(|n| {
        let (db, runs) = (&db, &runs);
        async move {
            db.append(async |tx| {
                runs.set(runs.get() + 1);
                count(tx).await?;
                add(tx, n).await
            })
            .await
            .unwrap();
        }
    });
    futures_util::future::join_all(tasks).await;
    assert_eq!(runs.get(), 16);
    assert_eq!(db.read(count).await.unwrap(), 16);
}

async fn rows_arrive_one_by_one(on: On) {
    let (db, _dir) = db(on).await;
    db.append(async |tx| {
        for n in 0..5 {
            add(tx, n).await?;
        }
        Ok::<_, Error>(())
    })
    .await
    .unwrap();
    let mut seen = 0;
    let stopped = db
        .read(async |tx| {
            tx.query("SELECT alias FROM person_aliases ORDER BY alias")
                .for_each(|(alias,): (Vec<u8>,)| {
                    assert_eq!(alias, vec![seen; 16]);
                    seen += 1;
                    if seen == 3 {
                        Err(Error::Conflict)
                    } else {
                        Ok(())
                    }
                })
                .await
        })
        .await;
    assert!(matches!(stopped, Err(Error::Conflict)));
    assert_eq!(seen, 3);
}

/// Clients go away in the middle of a request. On PostgreSQL a `BEGIN` that was cut off used to leave
/// its connection inside a transaction that cannot write.
async fn a_begin_that_nobody_waits_for_hurts_nobody(on: On) {
    let (db, _dir) = db(on).await;
    for n in 0..200 {
        let cut = tokio::time::timeout(
            std::time::Duration::from_micros(n * 5),
            db.read(async |tx| count(tx).await),
        );
        let _ = cut.await;
    }
    for n in 0..40 {
        db.append(async |tx| add(tx, n).await).await.unwrap();
    }
    assert_eq!(db.read(count).await.unwrap(), 40);
}

/// What the durability promise rests on.
#[tokio::test]
async fn sqlite_is_durable() {
    let (db, _dir) = db(On::Sqlite).await;
    db.append(async |tx| {
        let (mode,) = tx.query("PRAGMA journal_mode").one::<(String,)>().await?;
        let (sync,) = tx.query("PRAGMA synchronous").one::<(i64,)>().await?;
        let (wipe,) = tx.query("PRAGMA secure_delete").one::<(i64,)>().await?;
        let (keys,) = tx.query("PRAGMA foreign_keys").one::<(i64,)>().await?;
        assert_eq!((mode.as_str(), sync, wipe, keys), ("wal", 2, 1, 1));
        Ok::<_, Error>(())
    })
    .await
    .unwrap();
}
