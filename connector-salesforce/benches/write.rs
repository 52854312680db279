//! Writing scores back by Bulk jobs beside what `psql` and `curl` do with the same rows.
//!
//!     cargo bench -p connector-salesforce --bench write [-- ROWS REPETITIONS]
//!
//! `psql` copies the rows out as CSV, and `curl` sends them to a server; the connector takes batches made one at a time,
//! journals them in memory, and runs its jobs at the same server to their ends, results included. The server answers at
//! once, and says how long it worked on the jobs' data itself: that time is added to the other side's.
//!
//! The figures are the least of several interleaved repetitions. *Memory* is the peak of a process that only writes.

#![expect(
    clippy::unwrap_used,
    reason = "what goes wrong in a bench's own set-up ends it"
)]

#[path = "write/ours.rs"]
mod ours;
#[path = "write/psql.rs"]
mod psql;
#[path = "write/server.rs"]
mod server;

use std::time::{Duration, Instant};

use psql::Psql;
use server::Server;

/// At most this ratio.
const MOST: f64 = 1.5;

#[tokio::main(flavor = "multi_thread")]
async fn main() {
    if let Some((count, url)) = ours::alone() {
        ours::write(&url, count).await;
        println!("{}", ours::peak_kib().unwrap());
        return;
    }
    let mut numbers = std::env::args().skip(1).filter_map(|text| text.parse().ok());
    let count: u64 = numbers.next().unwrap_or(200_000);
    let repetitions = numbers.next().unwrap_or(5);
    let server = Server::start();
    let psql = Psql::start(count);
    let (mut by_us, mut by_them, mut by_server) = (Duration::MAX, Duration::MAX, Duration::MAX);
    for _ in 0..repetitions {
        server.forget();
        let started = Instant::now();
        ours::write(&server.url(), count).await;
        by_us = by_us.min(started.elapsed());
        by_server = by_server.min(server.worked());
        assert_eq!(server.rows(), count, "rows that the connector sent");
        server.forget();
        let started = Instant::now();
        tokio::task::block_in_place(|| psql.send(&server.url()));
        by_them = by_them.min(started.elapsed());
        assert_eq!(server.rows(), count, "rows that `curl` sent");
    }
    let memory = ours::memory_alone(&server.url(), count);
    let seconds = |time: Duration| time.as_secs_f64();
    println!("write back {count} rows of 5 columns, least of {repetitions}");
    println!(
        "    connector  {:5.2} s, {:.0} MiB",
        seconds(by_us),
        memory as f64 / 1024.0
    );
    println!(
        "    psql|curl  {:5.2} s, and the server's own {:.2} s",
        seconds(by_them),
        seconds(by_server)
    );
    let ratio = seconds(by_us) / seconds(by_them + by_server);
    println!("    ratio      wall {ratio:.2} (at most {MOST})");
}
