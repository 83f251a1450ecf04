//! One cell of the table: a server, so many connections, some seconds.

use std::time::{Duration, Instant};

use diem_kiem_dich::checkins::store::Key;

use crate::{
    Engine, Line, Options,
    client::{self, Heard, Load},
    server::Way,
    stored, usage, world,
};

/// The head of the table.
pub const HEAD: &str = "\
| engine | connections | way | check-ins/s | of bare | of ceiling | × one INSERT | p50 ms | p99 ms | p99.9 ms \
| rows/commit | µs workers | µs journal | µs database | µs client | MB | refused | lost |
|---|--:|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|";

/// What was measured.
pub struct Cell {
    pub engine: Engine,
    pub way: Way,
    pub connections: usize,
    pub acknowledged: usize,
    rate: f64,
    /// Milliseconds: half, 99 %, 99.9 % were faster.
    percentiles: [f64; 3],
    rows_per_commit: f64,
    /// Microseconds of processor time a check-in: workers, journal, database, client.
    used: [f64; 4],
    memory_mb: f64,
    refused: u64,
    lost: usize,
}

struct Used([f64; 4]);

impl Used {
    fn now(server: u32, postmaster: Option<u32>) -> Self {
        let of = usage::of_server(server);
        let part = |kind| of.get(kind).copied().unwrap_or(0.0);
        let postgres = postmaster.map_or(0.0, usage::of_postgres);
        Self([
            part("workers"),
            part("journal"),
            part("database") + postgres,
            usage::of_client(),
        ])
    }
}

/// Load the server and look at what it did.
pub async fn run(
    options: &Options,
    line: &Line,
    connections: usize,
    postmaster: Option<u32>,
) -> Cell {
    let settings = world::settings(line.dir.path(), &line.database_url);
    let before = stored::plain_count(&settings.database, line.way).await;
    let from = Instant::now() + Duration::from_secs(options.warm_up);
    let until = from + Duration::from_secs(options.seconds);
    let load = Load {
        address: line.server.address,
        connections,
        threads: options.threads,
        from,
        until,
    };
    let id = line.server.id();
    let (commits, used, memory_mb, heard) = std::thread::scope(|scope| {
        let running = scope.spawn(|| client::run(load, &line.world));
        std::thread::sleep(from - Instant::now());
        let (commits, used) = (line.server.commits(), Used::now(id, postmaster));
        std::thread::sleep(until - Instant::now());
        let later = Used::now(id, postmaster);
        let memory_mb = usage::resident_mb(id);
        let (count, rows) = line.server.commits();
        let mut each = [0.0; 4];
        for (each, (later, sooner)) in each.iter_mut().zip(later.0.iter().zip(used.0)) {
            *each = later - sooner;
        }
        let commits = (count - commits.0, rows - commits.1);
        (commits, each, memory_mb, running.join().unwrap())
    });
    let Heard {
        acknowledged,
        mut latencies,
        refused,
    } = heard;
    latencies.sort_unstable();
    let keys: Vec<Key> = acknowledged
        .iter()
        .map(|(place, id)| (line.world.checkpoints[*place as usize].0, *id))
        .collect();
    let lost = stored::lost(&settings.database, line.way, &keys, before).await;
    let measured = latencies.len() as f64;
    let percentile = |part: f64| {
        let at = ((measured * part) as usize).min(latencies.len().saturating_sub(1));
        latencies.get(at).map_or(0.0, |us| f64::from(*us) / 1000.0)
    };
    Cell {
        engine: line.engine,
        way: line.way,
        connections,
        acknowledged: keys.len(),
        rate: measured / options.seconds as f64,
        percentiles: [percentile(0.5), percentile(0.99), percentile(0.999)],
        rows_per_commit: commits.1 / commits.0.max(1.0),
        used: used.map(|seconds| seconds * 1e6 / measured.max(1.0)),
        memory_mb,
        refused,
        lost,
    }
}

impl Cell {
    /// A row of the table; ratios to those of the `others` with as many connections.
    pub fn row(&self, others: &[Self]) -> String {
        let to = |way: Way| {
            others
                .iter()
                .find(|other| {
                    other.connections == self.connections
                        && other.way == way
                        && (!way.stores() || other.engine == self.engine)
                })
                .map_or_else(String::new, |other| {
                    format!("{:.2}", self.rate / other.rate)
                })
        };
        let [p50, p99, p999] = self.percentiles;
        let [workers, journal, database, client] = self.used;
        let journaled = self.way == Way::Journal;
        let batch = if journaled {
            format!("{:.1}", self.rows_per_commit)
        } else {
            String::new()
        };
        let engine = if self.way.stores() {
            format!("{:?}", self.engine)
        } else {
            String::new()
        };
        format!(
            "| {engine} | {} | {:?} | {:.0} | {} | {} | {} | {p50:.2} | {p99:.2} | {p999:.2} | {batch} \
             | {workers:.1} | {journal:.1} | {database:.1} | {client:.1} | {:.0} | {} | {} |",
            self.connections,
            self.way,
            self.rate,
            to(Way::Bare),
            to(Way::Ceiling),
            to(Way::OneInsert),
            self.memory_mb,
            self.refused,
            self.lost,
        )
    }
}
