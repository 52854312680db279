//! Real faults of a real PostgreSQL: sessions ended, servers restarted, disks full, processes killed and paused.
//!
//! Each trial runs loads whose every outcome is known, breaks them, looks at what is left, and runs them again.

#![expect(
    clippy::unwrap_used,
    reason = "what goes wrong with a trial's own tools ends it"
)]

mod child;
mod sample;
mod scenario;
mod wire;
mod world;

mod clocks;
mod ddl;
mod kills;
mod limits;
mod restarts;
mod sessions;
mod waits;
mod write_back;
mod zombies;

use std::process::ExitCode;

use libtest_mimic::{Arguments, Trial};

/// Trials from async functions, each on a runtime of its own.
macro_rules! trials {
    ($($name:path),* $(,)?) => {
        vec![$(Trial::test(stringify!($name), || {
            let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
            runtime.block_on($name());
            Ok(())
        })),*]
    };
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().collect();
    if let Some(ended) = child::entered(&arguments) {
        return ended;
    }
    let trials = trials![
        kills::at_every_call_of_a_new_table,
        kills::at_every_call_of_an_append,
        kills::at_every_call_of_an_upsert,
        kills::at_every_call_of_an_overwrite,
        kills::at_every_packet_of_a_new_table,
        kills::at_every_packet_of_an_append,
        kills::at_every_packet_of_an_upsert,
        kills::at_every_packet_of_an_overwrite,
        sessions::ended_at_every_packet_of_a_new_table,
        sessions::ended_at_every_packet_of_an_append,
        sessions::ended_at_every_packet_of_an_upsert,
        sessions::ended_at_every_packet_of_an_overwrite,
        sessions::commits_without_an_answer,
        sessions::a_commit_that_cannot_be_read_back,
        sessions::commits_without_a_fence,
        zombies::woken_after_takeover_of_an_append,
        zombies::woken_after_takeover_of_an_upsert,
        zombies::woken_after_takeover_of_an_overwrite,
        zombies::woken_at_every_commit,
        zombies::a_paused_process_with_a_living_session_keeps_its_task,
        zombies::eight_processes_at_once_do_everything_once,
        restarts::an_immediate_restart_within_a_load,
        restarts::a_server_process_that_is_killed,
        restarts::a_replica_that_becomes_the_primary,
        restarts::transactions_that_only_read,
        limits::too_many_connections,
        limits::a_full_file,
        limits::a_full_disk,
        ddl::columns_that_are_changed,
        ddl::a_table_that_is_dropped,
        ddl::a_view_that_is_made,
        write_back::sessions_ended_at_every_packet,
        clocks::a_server_whose_clock_jumps,
        clocks::a_process_whose_clock_jumps,
        waits::a_deadlock,
        waits::a_lock_that_is_held_too_long,
        waits::a_state_that_is_held_too_long,
        waits::a_statement_that_takes_too_long,
        waits::a_user_whose_transactions_are_serializable,
    ];
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}
