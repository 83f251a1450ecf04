//! The Unix socket of a PostgreSQL server on this machine.
//!
//! sqlx 0.9.0 leaves Nagle's algorithm on for TCP (transact-rs/sqlx#4335): whoever sends twice before
//! the server answers, as `COPY` does, waits 40 ms. A socket has no such wait, and costs less. So what is
//! asked to connect to this machine looks for it, and takes it if it leads to the same server.

use std::path::{Path, PathBuf};

use sqlx::{Connection as _, PgConnection, postgres::PgConnectOptions};

/// Where servers put it, and where nobody but them may put one: `/tmp`, PostgreSQL's own place, is not
/// among them.
const USUAL: [&str; 2] = ["/var/run/postgresql", "/run/postgresql"];

/// Connect, if possible by socket, and say whether it is one.
pub(super) async fn connect(options: &PgConnectOptions) -> sqlx::Result<(PgConnection, bool)> {
    let mut far = PgConnection::connect_with(options).await?;
    if options.get_socket().is_some() || options.get_host().starts_with('/') {
        return Ok((far, true));
    }
    if !["localhost", "127.0.0.1", "::1"].contains(&options.get_host()) {
        return Ok((far, false));
    }
    let server = started(&mut far).await?;
    for folder in folders(&mut far).await {
        let socket = folder.join(format!(".s.PGSQL.{}", options.get_port()));
        if !is_there(&socket) {
            continue;
        }
        // It may want other proof of who we are, and refuse.
        let near = PgConnection::connect_with(&options.clone().socket(&folder)).await;
        if let Ok(mut near) = near
            && started(&mut near).await.ok().as_deref() == Some(&server)
        {
            // It is not needed any more, however it ends.
            let _ = far.close().await;
            return Ok((near, true));
        }
    }
    Ok((far, false))
}

fn is_there(socket: &Path) -> bool {
    socket.try_exists().unwrap_or_default()
}

/// What tells one server from another.
async fn started(conn: &mut PgConnection) -> sqlx::Result<String> {
    sqlx::query_scalar("SELECT pg_postmaster_start_time()::text || ' ' || current_database()")
        .fetch_one(conn)
        .await
}

/// Where its socket may be. Most accounts may not ask for it.
async fn folders(conn: &mut PgConnection) -> Vec<PathBuf> {
    let told: sqlx::Result<String> = sqlx::query_scalar("SHOW unix_socket_directories")
        .fetch_one(conn)
        .await;
    let told = told.unwrap_or_default();
    let told = told.split(',').map(str::trim).filter(|f| !f.is_empty());
    told.chain(USUAL).map(PathBuf::from).collect()
}
