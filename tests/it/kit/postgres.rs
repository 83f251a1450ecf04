//! A throwaway PostgreSQL cluster that ends with the program that started it.

use std::{
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use sqlx::{Connection, Executor, SqlSafeStr};

/// A URL of the cluster at `base` whose search path is a new, empty schema.
pub async fn fresh_schema(base: &str) -> String {
    static NUMBER: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
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

/// A folder for a cluster, and a port for it.
fn prepare(bin: &Path) -> (PathBuf, u16) {
    let dir = tempfile::Builder::new()
        .prefix("dkd-postgres-")
        .tempdir()
        .unwrap()
        .keep();
    std::fs::set_permissions(&dir, std::os::unix::fs::PermissionsExt::from_mode(0o777)).unwrap();
    let made = as_server_user(&bin.join("initdb"))
        .args([
            "--auth=trust",
            "--username=test",
            "--encoding=UTF8",
            "--no-sync",
            "-D",
        ])
        .arg(dir.join("data"))
        .current_dir(&dir)
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

/// Run `script` in a shell of the server's user until this program ends.
fn watch(dir: &Path, script: &str) {
    #[expect(
        clippy::zombie_processes,
        reason = "it outlives this program and ends by itself"
    )]
    let _watch = as_server_user(Path::new("/bin/sh"))
        .args(["-c", script])
        .current_dir(dir)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
}

/// Start a cluster with these `options` of its server and give its URL. A shell watches this program
/// and takes the cluster down with it, however it ends.
pub fn start(options: &str) -> String {
    let bin = programs();
    let (dir, port) = prepare(&bin);
    let script = format!(
        "'{bin}/postgres' -D '{dir}/data' -p {port} -c listen_addresses=127.0.0.1 {options} \
         -c unix_socket_directories='{dir}' >'{dir}/log' 2>&1 & \
         server=$!; while kill -0 {parent} 2>/dev/null || [ -d /proc/{parent} ]; do sleep 0.5; done; \
         kill -QUIT $server; wait $server; rm -rf '{dir}'",
        bin = bin.display(),
        dir = dir.display(),
        parent = std::process::id(),
    );
    watch(&dir, &script);
    format!("postgres://test@127.0.0.1:{port}/postgres")
}

/// A cluster of one test, which stops and starts it. It writes to the disk as a real one does.
pub struct Cluster {
    bin: PathBuf,
    dir: PathBuf,
    port: u16,
}

impl Cluster {
    /// Start a cluster.
    pub fn start() -> Self {
        let bin = programs();
        let (dir, port) = prepare(&bin);
        // Should the test die, nothing of the cluster is left behind.
        let script = format!(
            "while [ -d /proc/{parent} ] && [ -d '{dir}' ]; do sleep 0.5; done; \
             '{bin}/pg_ctl' -D '{dir}/data' -m immediate stop; rm -rf '{dir}'",
            bin = bin.display(),
            dir = dir.display(),
            parent = std::process::id(),
        );
        watch(&dir, &script);
        let cluster = Self { bin, dir, port };
        cluster.start_again();
        cluster
    }

    /// Its URL.
    pub fn url(&self) -> String {
        format!("postgres://test@127.0.0.1:{}/postgres", self.port)
    }

    /// Where it keeps everything that it writes.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// What `pg_dump` makes of it.
    pub fn dump(&self) -> Vec<u8> {
        let dumped = Command::new(self.bin.join("pg_dump"))
            .arg(self.url())
            .output()
            .unwrap();
        assert!(dumped.status.success(), "pg_dump: {dumped:?}");
        dumped.stdout
    }

    /// Stop without a checkpoint, as a crash does: connections break, and the next start recovers.
    pub fn crash(&self) {
        self.control(&["-m", "immediate", "stop"]);
    }

    /// Start after [`Self::crash`], and wait until it answers.
    pub fn start_again(&self) {
        let options = format!(
            "-p {} -c listen_addresses=127.0.0.1 -c shared_buffers=64MB -c unix_socket_directories='{}'",
            self.port,
            self.dir.display()
        );
        let log = self.dir.join("log");
        self.control(&["-o", &options, "-l", log.to_str().unwrap(), "start"]);
    }

    fn control(&self, arguments: &[&str]) {
        let done = as_server_user(&self.bin.join("pg_ctl"))
            .arg("-D")
            .arg(self.dir.join("data"))
            .arg("-w")
            .args(arguments)
            .current_dir(&self.dir)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .unwrap();
        assert!(done.success(), "pg_ctl {arguments:?}");
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.crash();
        }
        // The shell that watches it does the rest.
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}
