//! Time and memory of processes, as the kernel counts them (`/proc`).

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

/// Clock ticks in a second: Linux shows all programs 100.
const TICKS: f64 = 100.0;

/// Seconds of processor time by kind of thread.
pub type Seconds = BTreeMap<&'static str, f64>;

/// What the threads of the server have used.
pub fn of_server(pid: u32) -> Seconds {
    let mut seconds = Seconds::new();
    for task in entries(format!("/proc/{pid}/task")) {
        let Some((name, used, _)) = stat(&task) else {
            continue;
        };
        let kind = match &*name {
            "journal" => "journal",
            name if name.starts_with("sqlx-sqlite") => "database",
            _ => "workers",
        };
        *seconds.entry(kind).or_default() += used;
    }
    seconds
}

/// What PostgreSQL's processes have used: those that `postmaster` started and itself.
pub fn of_postgres(postmaster: u32) -> f64 {
    let own = stat(Path::new(&format!("/proc/{postmaster}"))).map_or(0.0, |(_, used, _)| used);
    let children = entries("/proc".to_owned())
        .into_iter()
        .filter_map(|process| {
            let (_, used, parent) = stat(&process)?;
            (parent == postmaster).then_some(used)
        });
    own + children.sum::<f64>()
}

/// What this process has used.
pub fn of_client() -> f64 {
    stat(Path::new("/proc/self")).map_or(0.0, |(_, used, _)| used)
}

/// Who started a process.
pub fn parent(pid: u32) -> u32 {
    stat(Path::new(&format!("/proc/{pid}"))).map_or(0, |(_, _, parent)| parent)
}

/// Resident memory of a process in MB.
pub fn resident_mb(pid: u32) -> f64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let kb: Option<f64> = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .and_then(|rest| rest.trim().strip_suffix("kB")?.trim().parse().ok());
    kb.unwrap_or(0.0) / 1024.0
}

fn entries(dir: String) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).collect()
}

/// Name, seconds used and parent.
fn stat(dir: &Path) -> Option<(String, f64, u32)> {
    let text = fs::read_to_string(dir.join("stat")).ok()?;
    let (before, after) = text.rsplit_once(')')?;
    let name = before.split_once('(')?.1.to_owned();
    let fields: Vec<&str> = after.split_whitespace().collect();
    let parent = fields.get(1)?.parse().ok()?;
    let user: f64 = fields.get(11)?.parse().ok()?;
    let system: f64 = fields.get(12)?.parse().ok()?;
    Some((name, (user + system) / TICKS, parent))
}
