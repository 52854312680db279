//! The command line.

use std::path::PathBuf;

use clap::Parser;

/// Scores Salesforce leads by what the same people bought in a BigCommerce store, and writes the scores back.
#[derive(Debug, Parser)]
#[command(name = "lead_scoring")]
pub(crate) struct Args {
    /// Run the jobs of this file against real accounts, instead of the demonstration.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Leads in the demonstration's Salesforce org.
    #[arg(
        long,
        value_name = "NUMBER",
        default_value_t = 5_000,
        conflicts_with = "config"
    )]
    pub(crate) leads: u64,
    /// Customers in the demonstration's store.
    #[arg(
        long,
        value_name = "NUMBER",
        default_value_t = 3_000,
        conflicts_with = "config"
    )]
    pub(crate) customers: u64,
    /// Leave the demonstration's database up, and say how to connect.
    #[arg(long, conflicts_with = "config")]
    pub(crate) keep: bool,
}
