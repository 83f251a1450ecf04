//! The distributed layout: the two tables that grow, spread over the workers of a Citus cluster.
//!
//! Check-ins go by checkpoint, because every question about them names one; declarations go by
//! person, because everybody looks one up by its person. No text joins the two. Every other table
//! stays an ordinary table of the coordinator: they are small, serializable transactions write them,
//! the audit log has a trigger, and nothing joins them with a distributed table, so none of them
//! needs to be a reference table. What Citus can and cannot do with our texts is tested in
//! `tests/it/citus`.

use sqlx::{Connection as _, PgConnection, Row as _, postgres::PgRow};

use crate::store::{Db, Error, connect::Pool};

/// The tables that are spread, each with the column that says where a row goes.
pub const DISTRIBUTED: [(&str, &str); 2] = [
    ("check_ins", "checkpoint_id"),
    ("declarations", "person_id"),
];

/// The oldest Citus that is good enough: its twelfth release line.
const CITUS_MAJOR: u32 = 12;

/// What the layout is now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Distributed {
    /// The tables that this call spread; none when all of them were.
    pub tables: Vec<&'static str>,
    /// Nodes that hold rows.
    pub nodes: i64,
}

/// Why the layout cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum NotDistributed {
    /// There is one process and one file.
    #[error(
        "SQLite cannot be distributed; give the coordinator of a Citus cluster as database_url"
    )]
    Sqlite,
    /// PostgreSQL alone.
    #[error(
        "this PostgreSQL has no Citus extension in this database: set shared_preload_libraries = 'citus' on every node, restart them, and run CREATE EXTENSION citus in the database of each (deploy/citus/README.md)"
    )]
    NoExtension,
    /// An old release.
    #[error("Citus {0} is too old; the layout needs Citus 12 or later")]
    Old(String),
    /// The database is that of a worker.
    #[error("this is a worker of the cluster; give the coordinator as database_url")]
    Worker,
    /// There is nowhere to put rows.
    #[error(
        "the cluster has no node that holds rows: on the coordinator run SELECT citus_set_coordinator_host('…') and SELECT citus_add_node('…', 5432) for each worker (deploy/citus/README.md)"
    )]
    NoNodes,
    /// Somebody spread a table in another way.
    #[error(
        "the table {table} is distributed by {column} already, and not as this program needs it"
    )]
    Otherwise {
        /// Which table.
        table: &'static str,
        /// By what it is distributed; `nothing`, for a reference table.
        column: String,
    },
}

impl Db {
    /// Spread the tables that grow over the workers of a Citus cluster, in `shards` pieces each. What
    /// is spread already stays as it is, so it may be run again, also after it was cut off. The
    /// service should not be running: rows are moved under a lock.
    ///
    /// # Errors
    ///
    /// [`Error::NotDistributed`] with what to do; those of the database.
    pub async fn distribute(&self, shards: u16) -> Result<Distributed, Error> {
        let Pool::Postgres { pool, .. } = self.pool() else {
            return Err(NotDistributed::Sqlite.into());
        };
        // A connection of its own, because moving rows takes longer than a request may.
        let mut conn = PgConnection::connect_with(&pool.connect_options()).await?;
        sqlx::query("SET statement_timeout = 0")
            .execute(&mut conn)
            .await?;
        sqlx::query("SET lock_timeout = '60s'")
            .execute(&mut conn)
            .await?;
        let done = distribute(&mut conn, shards).await;
        conn.close().await?;
        done
    }
}

async fn distribute(conn: &mut PgConnection, shards: u16) -> Result<Distributed, Error> {
    let nodes = nodes(conn).await?;
    let mut tables = Vec::new();
    for (table, column) in DISTRIBUTED {
        match distributed_by(conn, table).await? {
            None => {
                spread(conn, table, column, shards).await?;
                tables.push(table);
            }
            Some(found) if found == column => {}
            Some(column) => return Err(NotDistributed::Otherwise { table, column }.into()),
        }
        // Citus copies the rows and leaves the old ones behind, out of sight. They would outlive
        // their retention.
        drop_left_behind(conn, table).await?;
    }
    Ok(Distributed { tables, nodes })
}

/// How many nodes hold rows, after making sure that this is the coordinator of a Citus cluster.
async fn nodes(conn: &mut PgConnection) -> Result<i64, Error> {
    let version: Option<String> = scalar(
        conn,
        "SELECT extversion FROM pg_extension WHERE extname = 'citus'",
    )
    .await?;
    let version = version.ok_or(NotDistributed::NoExtension)?;
    let major = version.split(['.', '-']).next();
    if major.and_then(|major| major.parse().ok()) < Some(CITUS_MAJOR) {
        return Err(NotDistributed::Old(version).into());
    }
    let group: Option<i32> = scalar(conn, "SELECT groupid FROM pg_dist_local_group").await?;
    if group != Some(0) {
        return Err(NotDistributed::Worker.into());
    }
    let nodes: Option<i64> = scalar(
        conn,
        "SELECT COUNT(*) FROM pg_dist_node
         WHERE isactive AND shouldhaveshards AND noderole = 'primary'",
    )
    .await?;
    match nodes.unwrap_or_default() {
        0 => Err(NotDistributed::NoNodes.into()),
        nodes => Ok(nodes),
    }
}

async fn scalar<T>(conn: &mut PgConnection, text: &'static str) -> Result<Option<T>, Error>
where
    T: for<'r> sqlx::Decode<'r, sqlx::Postgres> + sqlx::Type<sqlx::Postgres>,
{
    let row = sqlx::query(text).fetch_optional(conn).await?;
    Ok(row.map(|row| row.try_get(0)).transpose()?)
}

/// The column by which `table` is spread; `None` if it is an ordinary table.
async fn distributed_by(conn: &mut PgConnection, table: &str) -> Result<Option<String>, Error> {
    let row: Option<PgRow> = sqlx::query(
        "SELECT CASE WHEN p.partmethod = 'h'
                     THEN column_to_column_name(p.logicalrelid, p.partkey)
                     ELSE 'nothing' END
         FROM pg_dist_partition p WHERE p.logicalrelid = $1::text::regclass",
    )
    .bind(table)
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|row| row.try_get(0)).transpose()?)
}

async fn spread(
    conn: &mut PgConnection,
    table: &str,
    column: &str,
    shards: u16,
) -> Result<(), Error> {
    // Not together with other tables: no text joins them, so each may be moved between nodes alone.
    sqlx::query(
        "SELECT create_distributed_table($1::text::regclass, $2::text,
                                         colocate_with := 'none', shard_count := $3::int)",
    )
    .bind(table)
    .bind(column)
    .bind(i32::from(shards))
    .execute(conn)
    .await?;
    Ok(())
}

async fn drop_left_behind(conn: &mut PgConnection, table: &str) -> Result<(), Error> {
    // A table without partitions is not in its own tree; one with partitions has no size.
    let full: Vec<PgRow> = sqlx::query(
        "SELECT t.relid::regclass::text
         FROM (SELECT p.relid FROM pg_partition_tree($1::text::regclass) p
               UNION SELECT $1::text::regclass) t
         WHERE pg_relation_size(t.relid) > 0",
    )
    .bind(table)
    .fetch_all(&mut *conn)
    .await?;
    for row in full {
        let leaf: String = row.try_get(0)?;
        sqlx::query("SELECT truncate_local_data_after_distributing_table($1::text::regclass)")
            .bind(leaf)
            .execute(&mut *conn)
            .await?;
    }
    Ok(())
}
