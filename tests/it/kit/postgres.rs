//! A throwaway PostgreSQL cluster, started once and ended with the test program.

use std::{
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::OnceLock,
    time::Duration,
};

use sqlx::{Connection, Executor, SqlSafeStr};

static CLUSTER: OnceLock<String> = OnceLock::new();

/// A database URL whose search path is a new, empty schema.
pub async fn fresh_schema() -> String {
    static NUMBER: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
    let base = CLUSTER.get_or_init(start);
    let number = NUMBER.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
    let schema = format!("t{number}");
    let mut tries = 0;
    let mut conn = loop {
        match sqlx::PgConnection::connect(base).await {
            Ok(conn) => break conn,
            Err(error) if tries == 200 => panic!("PostgreSQL does not answer: {error}"),
            Err(_) => tries += 1,
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    let text = sqlx::AssertSqlSafe(format!("CREATE SCHEMA {schema}")).into_sql_str();
    conn.execute(text).await.unwrap();
    conn.close().await.unwrap();
    format!("{base}?options=-csearch_path%3D{schema}")
}

/// Where PostgreSQL's server programs are: on the path, or where Debian puts them.
fn programs() -> PathBuf {
    let mut found: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
        .map(|versions| {
            versions
                .filter_map(Result::ok)
                .map(|version| version.path().join("bin"))
                .filter(|bin| bin.join("initdb").exists())
                .collect()
        })
        .unwrap_or_default();
    found.sort();
    found
        .pop()
        .expect("PostgreSQL's server programs are needed: tests/run installs them")
}

/// PostgreSQL refuses to run as root; then it runs as the user `postgres`.
fn as_server_user(program: &Path) -> Command {
    let root = std::fs::metadata("/proc/self")
        .is_ok_and(|meta| std::os::unix::fs::MetadataExt::uid(&meta) == 0);
    if root {
        let mut command = Command::new("runuser");
        command.args(["-u", "postgres", "--"]).arg(program);
        command
    } else {
        Command::new(program)
    }
}

/// A cluster of a test's own, to stop and to start.
pub struct Cluster {
    bin: PathBuf,
    dir: tempfile::TempDir,
    port: u16,
    /// The URL of its database.
    pub url: String,
}

impl Cluster {
    /// Make a cluster and start it.
    pub fn start() -> Self {
        let bin = programs();
        let (dir, port) = made(&bin);
        let url = format!("postgres://test@127.0.0.1:{port}/postgres");
        let cluster = Self {
            bin,
            dir,
            port,
            url,
        };
        cluster.control("start");
        cluster
    }

    /// Stop it as an administrator does, cutting off who is connected.
    pub fn stop(&self) {
        self.control("stop");
    }

    /// Start it again.
    pub fn start_again(&self) {
        self.control("start");
    }

    fn control(&self, what: &str) {
        let dir = self.dir.path().display();
        let options = format!(
            "-p {} -c listen_addresses=127.0.0.1 -c fsync=off -c unix_socket_directories='{dir}'",
            self.port
        );
        let done = as_server_user(&self.bin.join("pg_ctl"))
            .args([what, "--wait", "--silent", "--mode=fast", "-o", &options])
            .arg(format!("--pgdata={dir}/data"))
            .arg(format!("--log={dir}/log"))
            .current_dir(self.dir.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .unwrap();
        assert!(done.success(), "pg_ctl {what} failed");
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let _ = as_server_user(&self.bin.join("pg_ctl"))
            .args(["stop", "--mode=immediate", "--silent"])
            .arg(format!("--pgdata={}/data", self.dir.path().display()))
            .current_dir(self.dir.path())
            .stderr(Stdio::null())
            .status();
    }
}

/// Start a cluster and give its URL. A shell watches the test program and takes the cluster down
/// with it, however it ends.
fn start() -> String {
    let bin = programs();
    let (dir, port) = made(&bin);
    let dir = dir.keep();
    let data = dir.join("data");
    let script = format!(
        "'{bin}/postgres' -D '{data}' -p {port} -c listen_addresses=127.0.0.1 -c fsync=off \
         -c max_connections=400 -c shared_buffers=64MB -c unix_socket_directories='{dir}' >'{dir}/log' 2>&1 & \
         server=$!; while kill -0 {parent} 2>/dev/null || [ -d /proc/{parent} ]; do sleep 0.5; done; \
         kill -QUIT $server; wait $server; rm -rf '{dir}'",
        bin = bin.display(),
        data = data.display(),
        dir = dir.display(),
        parent = std::process::id(),
    );
    #[expect(
        clippy::zombie_processes,
        reason = "it outlives this program and ends by itself"
    )]
    let _watch = as_server_user(Path::new("/bin/sh"))
        .args(["-c", &script])
        .current_dir(&dir)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    format!("postgres://test@127.0.0.1:{port}/postgres")
}

/// The files of a new cluster, and a free port.
fn made(bin: &Path) -> (tempfile::TempDir, u16) {
    let dir = tempfile::Builder::new()
        .prefix("dkd-postgres-")
        .tempdir()
        .unwrap();
    std::fs::set_permissions(
        dir.path(),
        std::os::unix::fs::PermissionsExt::from_mode(0o777),
    )
    .unwrap();
    let made = as_server_user(&bin.join("initdb"))
        .args([
            "--auth=trust",
            "--username=test",
            "--encoding=UTF8",
            "--no-sync",
            "-D",
        ])
        .arg(dir.path().join("data"))
        .current_dir(dir.path())
        .stdout(Stdio::null())
        .status()
        .unwrap();
    assert!(made.success(), "initdb failed");
    let port = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    (dir, port)
}
