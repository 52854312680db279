//! The main job, end to end: leads and customers in, scores computed, scores written back.
//!
//! Without arguments it needs nothing: it starts a fake Salesforce org, a fake BigCommerce store and a PostgreSQL of
//! its own, runs the four jobs of `jobs.toml`, lets a few leads and orders change, and runs them once more. With
//! `--config FILE` the same jobs run against real accounts.

mod args;
mod connectors;
mod demo;
mod leads;
mod progress;
mod real;
mod table;

use std::process::ExitCode;

use clap::Parser;
use connector_core::Error;

use crate::args::Args;

#[tokio::main]
async fn main() -> ExitCode {
    let args = Args::parse();
    let outcome = match &args.config {
        Some(path) => real::run(path).await,
        None => demo::run(&args).await,
    };
    match outcome {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            print_error(&error);
            ExitCode::from(1)
        }
    }
}

/// Prints an error with its context, its causes and what to do.
fn print_error(error: &Error) {
    eprintln!("error: {}", error.report());
}
