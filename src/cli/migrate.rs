//! `migrate`: the schema, and the layout of a cluster.

use crate::{
    cli::{CliError, open},
    config::Settings,
};

#[derive(Debug, clap::Args)]
pub(super) struct Options {
    /// Spread check-ins and declarations over the workers of a Citus cluster too; stop the service
    /// first. Does nothing to what is spread already.
    #[arg(long)]
    distribute: bool,
    /// Pieces that each of the two tables is cut into: two to four for every core that the workers
    /// will ever have. Counts for tables that are not spread yet.
    #[arg(long, value_name = "N", default_value_t = 32, requires = "distribute",
          value_parser = clap::value_parser!(u16).range(1..=1024))]
    shards: u16,
}

pub(super) async fn run(settings: Settings, options: Options) -> Result<(), CliError> {
    let app = open(settings).await?;
    let distributed = if options.distribute {
        app.db.distribute(options.shards).await.map(Some)
    } else {
        Ok(None)
    };
    app.db.close().await;
    let distributed = distributed?;
    println!("the database is up to date");
    if let Some(layout) = distributed {
        let nodes = layout.nodes;
        match layout.tables.as_slice() {
            [] => println!("distributed already, over {nodes} nodes"),
            tables => println!("distributed {} over {nodes} nodes", tables.join(" and ")),
        }
    }
    Ok(())
}
