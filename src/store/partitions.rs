//! One partition a day of `check_ins` and of `declarations`, in PostgreSQL.
//!
//! Range partitions by UUIDv7 bounds: a day's rows go with one `DROP TABLE`. SQLite has one
//! clustered table and deletes in batches, so everything here does nothing there. Names of tables
//! cannot be parameters; the texts are built from a [`Daily`] and a [`Day`], which is a number.

use sqlx::{AssertSqlSafe, SqlSafeStr};

use crate::{
    base::{Day, ids::uuid_floor},
    store::{Db, Error, connect::Pool},
};

/// A table that has one partition a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Daily {
    /// `check_ins`, by the arrival.
    CheckIns,
    /// `declarations`, by the time in the id.
    Declarations,
}

impl Daily {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::CheckIns, Self::Declarations];

    /// Its name.
    #[must_use]
    pub fn table(self) -> &'static str {
        match self {
            Self::CheckIns => "check_ins",
            Self::Declarations => "declarations",
        }
    }
}

/// Make the partitions of `day` that are not there.
pub async fn ensure_partitions(db: &Db, day: Day) -> Result<(), Error> {
    for table in Daily::ALL {
        ensure(db, table, day).await?;
    }
    Ok(())
}

async fn ensure(db: &Db, table: Daily, day: Day) -> Result<(), Error> {
    let Pool::Postgres { pool, .. } = db.pool() else {
        return Ok(());
    };
    db.refuse()?;
    let name = table.table();
    let text = format!(
        "CREATE TABLE IF NOT EXISTS {name}_{} PARTITION OF {name} FOR VALUES FROM ('{}') TO ('{}')",
        day.compact(),
        uuid_floor(day.start_ms()),
        uuid_floor(day.plus(1).start_ms()),
    );
    let made = sqlx::query(AssertSqlSafe(text).into_sql_str())
        .execute(pool)
        .await;
    match made {
        // Two processes made it at the same time: the other one won.
        Err(sqlx::Error::Database(error))
            if matches!(error.code().as_deref(), Some("42P07" | "23505")) =>
        {
            Ok(())
        }
        other => other.map(drop).map_err(Error::from),
    }
}

/// Drop the partition of `day` and every row in it.
pub async fn drop_partition(db: &Db, table: Daily, day: Day) -> Result<(), Error> {
    let Pool::Postgres { pool, .. } = db.pool() else {
        return Ok(());
    };
    db.refuse()?;
    let text = format!("DROP TABLE IF EXISTS {}_{}", table.table(), day.compact());
    sqlx::query(AssertSqlSafe(text).into_sql_str())
        .execute(pool)
        .await?;
    Ok(())
}

/// The days that have a partition of `table`, earliest first; none in SQLite.
pub async fn partition_days(db: &Db, table: Daily) -> Result<Vec<Day>, Error> {
    let Pool::Postgres { pool, .. } = db.pool() else {
        return Ok(Vec::new());
    };
    db.refuse()?;
    let names: Vec<(String,)> = sqlx::query_as(
        "SELECT c.relname::text FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
         WHERE i.inhparent = $1::text::regclass ORDER BY c.relname",
    )
    .bind(table.table())
    .fetch_all(pool)
    .await?;
    let format = ::time::macros::format_description!("[year][month][day]");
    Ok(names
        .iter()
        .filter_map(|(name,)| name.strip_prefix(table.table())?.strip_prefix('_'))
        .filter_map(|day| ::time::Date::parse(day, format).ok())
        .map(|date| Day::of_ms(date.midnight().assume_utc().unix_timestamp() * 1000))
        .collect())
}
