//! A connector of one's own: a folder of NDJSON files, to read from and to write to.
//!
//! How to write one:
//! 1. Make a handle of the connection and implement [`Connector`](connector_core::Connector) for it: which system it
//!    is, which streams there are, what their records look like (`connector.rs`).
//! 2. To be read, implement [`Source`](connector_core::Source), and [`Reader`](connector_core::Reader) for one read:
//!    batches, and after them checkpoints with a state that the next read goes on from (`source.rs`).
//! 3. To be written to, implement [`Destination`](connector_core::Destination), and
//!    [`Writer`](connector_core::Writer) for one write: commits that are durable, and the fate of every record
//!    (`destination.rs`).
//! 4. Declare what it can do, no more; whatever else it is asked for, refuse.
//! 5. Tell `connector-testkit` how a test gets at the system behind it, and run the suites, one line each
//!    (`examples/tests/custom_connector.rs`). Each check that fails names the promise that is broken.
//!
//! The engine needs no word of all this: it takes any `Arc<dyn Connector>` (`sync.rs`).

mod connector;
mod destination;
mod files;
mod log;
mod plan;
mod rows;
mod schema;
mod source;

mod demo;
mod sync;

#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;

/// Syncs every stream of one folder of NDJSON files into another; without arguments, shows that with folders of its
/// own.
#[derive(Debug, Parser)]
#[command(name = "custom_connector")]
struct Args {
    /// The folder to read: NAME.ndjson with a JSON object in each line, NAME.schema.json beside it.
    #[arg(requires = "to")]
    from: Option<PathBuf>,
    /// The folder to write, made if it is not there.
    to: Option<PathBuf>,
}

#[tokio::main]
async fn main() -> ExitCode {
    let outcome = match Args::parse() {
        Args {
            from: Some(from),
            to: Some(to),
        } => sync::run(&from, &to).await,
        _ => demo::run().await,
    };
    match outcome {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            eprintln!("error: {}", error.report());
            ExitCode::from(1)
        }
    }
}
