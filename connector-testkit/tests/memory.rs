//! The connectors in memory keep every promise that they declare.

use std::process::ExitCode;

use connector_testkit::conformance::memory::MemorySystem;
use connector_testkit::conformance::{self, Suite};

fn main() -> ExitCode {
    conformance::run([
        Suite::source("memory::source", || async { MemorySystem::source() }),
        Suite::destination("memory::database", || async { MemorySystem::database() }),
        Suite::destination("memory::service", || async { MemorySystem::service() }),
        Suite::state_store("memory::states", || async { MemorySystem::database() }),
        Suite::journal("memory::journal", || async { MemorySystem::database() }),
    ])
}
