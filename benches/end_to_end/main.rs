//! Durable check-ins per second over HTTP, on both engines, at many connections at once.
//!
//! The server is the library's own, with its journal, beside the same server that answers at once
//! (the ceiling) and one that does an `INSERT` a request, all in one run on one machine. Every check-in
//! that was acknowledged is looked for in the store afterwards. `benches/README.md` says how to run it
//! and what the columns mean.

#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a benchmark that meets the unexpected stops, and its figures are rounded anyway"
)]

mod cell;
mod client;
mod plain;
#[path = "../../tests/it/kit/postgres.rs"]
#[expect(dead_code, reason = "the tests crash their clusters too")]
mod postgres;
mod server;
mod stored;
mod usage;
mod world;

use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};

use cell::{Cell, HEAD};
use server::{Server, Way};
use world::{Size, World};

/// A server that is good for a load test: everything durable, as PostgreSQL comes, and room for the
/// log between two checkpoints.
const POSTGRES: &str = "-c shared_buffers=1GB -c max_wal_size=4GB -c max_connections=100";

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Engine {
    Sqlite,
    Postgres,
}

/// Durable check-ins per second over HTTP.
#[derive(Parser)]
struct Options {
    /// Engines to measure.
    #[arg(long, value_delimiter = ',', default_value = "sqlite,postgres")]
    engines: Vec<Engine>,
    /// What becomes of a check-in.
    #[arg(
        long,
        value_delimiter = ',',
        default_value = "bare,ceiling,one-insert,journal"
    )]
    ways: Vec<Way>,
    /// Connections at once, cell by cell.
    #[arg(long, value_delimiter = ',', default_value = "1,32,128,256,512")]
    connections: Vec<usize>,
    /// Seconds that are measured in each cell.
    #[arg(long, default_value_t = 5)]
    seconds: u64,
    /// Seconds before that.
    #[arg(long, default_value_t = 1)]
    warm_up: u64,
    /// Check-ins that stand in the store before.
    #[arg(long, default_value_t = 0)]
    rows: u64,
    /// Checkpoints at which people check in.
    #[arg(long, default_value_t = 1000)]
    checkpoints: usize,
    /// Returning visitors.
    #[arg(long, default_value_t = 10_000)]
    tokens: usize,
    /// Threads of the client.
    #[arg(long, default_value_t = 2)]
    threads: usize,
    /// Settings of PostgreSQL's server.
    #[arg(long, default_value = POSTGRES)]
    postgres: String,
    /// What `cargo bench` says to every benchmark.
    #[arg(long, hide = true)]
    bench: bool,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Fill an empty store and leave `codes` and `tokens` in its folder, for other clients.
    Fill {
        #[arg(long)]
        dir: PathBuf,
        #[arg(long, default_value = "")]
        database_url: String,
    },
    /// Be the server.
    #[command(hide = true)]
    Serve {
        #[arg(long)]
        dir: PathBuf,
        #[arg(long)]
        database_url: String,
        #[arg(long)]
        way: Way,
    },
}

fn main() {
    let options = Options::parse();
    actix_web::rt::System::new().block_on(async {
        match &options.command {
            Some(Command::Serve {
                dir,
                database_url,
                way,
            }) => server::serve(dir, database_url, *way).await,
            Some(Command::Fill { dir, database_url }) => {
                let settings = world::settings(dir, database_url);
                let world = world::fill(settings.clone(), options.size()).await;
                world::old_rows(&settings, &world.checkpoints, options.rows).await;
            }
            None => measure(&options).await,
        }
    });
}

impl Options {
    fn size(&self) -> Size {
        Size {
            checkpoints: self.checkpoints,
            tokens: self.tokens,
        }
    }
}

/// One engine with one way: a server on a store of its own.
struct Line {
    engine: Engine,
    way: Way,
    dir: tempfile::TempDir,
    database_url: String,
    world: World,
    /// Bytes on disk before the first check-in.
    empty: u64,
    server: Server,
}

async fn line(options: &Options, cluster: Option<&str>, engine: Engine, way: Way) -> Line {
    let dir = tempfile::tempdir().unwrap();
    let database_url = match (engine, cluster) {
        (Engine::Postgres, Some(cluster)) => postgres::fresh_schema(cluster).await,
        _ => String::new(),
    };
    let rows = if way == Way::Journal { options.rows } else { 0 };
    let settings = world::settings(dir.path(), &database_url);
    let world = world::fill(settings.clone(), options.size()).await;
    let empty = stored::size(&settings.database).await;
    world::old_rows(&settings, &world.checkpoints, rows).await;
    let server = Server::start(dir.path(), &database_url, way);
    Line {
        engine,
        way,
        dir,
        database_url,
        world,
        empty,
        server,
    }
}

async fn measure(options: &Options) {
    let cluster = options
        .engines
        .contains(&Engine::Postgres)
        .then(|| postgres::start(&options.postgres));
    let mut lines = Vec::new();
    for engine in &options.engines {
        for way in &options.ways {
            // What stores nothing is measured once.
            if !way.stores() && Some(engine) != options.engines.first() {
                continue;
            }
            lines.push(line(options, cluster.as_deref(), *engine, *way).await);
        }
    }
    println!("{HEAD}");
    let postmaster = match &cluster {
        Some(url) => Some(stored::postmaster(url).await),
        None => None,
    };
    let mut cells: Vec<Cell> = Vec::new();
    for connections in &options.connections {
        for line in &lines {
            let cell = cell::run(options, line, *connections, postmaster).await;
            println!("{}", cell.row(&cells));
            cells.push(cell);
        }
    }
    println!();
    for line in lines {
        line.server.stop();
        if line.way != Way::Journal {
            continue;
        }
        let sent = |cell: &&Cell| cell.engine == line.engine && cell.way == Way::Journal;
        let sent: usize = cells
            .iter()
            .filter(sent)
            .map(|cell| cell.acknowledged)
            .sum();
        let rows = options.rows + sent as u64;
        let settings = world::settings(line.dir.path(), &line.database_url);
        let bytes = stored::size(&settings.database).await - line.empty;
        let each = bytes as f64 / rows as f64;
        println!(
            "{:?}: {rows} check-ins, {each:.1} bytes each on disk, indexes included",
            line.engine
        );
    }
}
