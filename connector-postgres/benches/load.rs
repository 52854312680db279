//! Loading and reading a table of leads beside what `psql` does with the same rows.
//!
//!     cargo bench -p connector-postgres --bench load [-- ROWS REPETITIONS [PART]]
//!
//! A part is run if its name holds the word: `upsert`, `100`, `back`.
//!
//! `psql` copies a CSV file, the connector takes batches from memory, both into the same typed table with a primary
//! key, on a server of the bench's own that syncs to disk, with `wal_level = replica`. Before each measurement the
//! table is as it has to be and everything is on disk. The contents of both tables are compared at the end of each
//! part: they are the same.
//!
//! *CPU* is the client's and the server's together. The figures are the least of several interleaved repetitions.
//! *Memory* is the client's peak: ours of a run in a process of its own whose batches are made one at a time.

#![expect(
    clippy::unwrap_used,
    reason = "what goes wrong in a bench's own set-up ends it"
)]

#[path = "../../connector-core/benches/rows/lead.rs"]
#[expect(dead_code, reason = "the bench of rows uses more of it")]
mod lead;
#[path = "load/measure.rs"]
mod measure;
#[path = "load/ours.rs"]
#[expect(dead_code, reason = "the bench of a tunnel uses more of it")]
mod ours;
#[path = "load/psql.rs"]
mod psql;
#[path = "load/rows.rs"]
mod rows;
#[path = "load/server.rs"]
mod server;

use measure::Pair;
use ours::Ours;
use psql::Psql;
use rows::{Change, Rows};
use server::Server;

/// The table before any change.
const LEAD: &str = "lead";
/// What both write into.
const TARGETS: [&str; 2] = ["by_ours", "by_psql"];

/// Says that this process is one whose memory is measured: what it is to do.
const ALONE: &str = "CONNECTOR_BENCH_ALONE";

#[tokio::main(flavor = "multi_thread")]
async fn main() {
    let mut numbers = std::env::args().skip(1).filter_map(|text| text.parse().ok());
    let count: u64 = numbers.next().unwrap_or(500_000);
    let repetitions = numbers.next().unwrap_or(3);
    let part = std::env::args().skip(3).find(|word| !word.starts_with('-'));
    let is_due = |name: &str| part.as_ref().is_none_or(|part| name.contains(part.as_str()));
    if let Some(alone) = ours::Alone::from_env() {
        alone.run().await;
        return;
    }
    let server = Server::start();
    let bench = Bench {
        ours: Ours::new(server.url()),
        psql: Psql::new(server.url()),
        server,
        count,
        repetitions,
    };
    println!(
        "{count} rows of {} columns, least of {repetitions}",
        lead::FIELDS.len()
    );
    bench.ours.write(LEAD, bench.batches(Change::None)).await;
    bench.psql.run("VACUUM ANALYZE lead");
    if is_due("new table") {
        bench.new_table().await;
    }
    for (change, name, most) in [
        (Change::OneIn(100), "upsert, 1 % changed", [0.5, 0.6]),
        (Change::OneIn(1), "upsert, 100 % changed", [1.0, 1.0]),
    ] {
        if is_due(name) {
            bench.upsert(change, name, most).await;
        }
    }
    if is_due("read back") {
        bench.read_back().await;
    }
}

struct Bench {
    server: Server,
    ours: Ours,
    psql: Psql,
    count: u64,
    repetitions: u64,
}

impl Bench {
    fn batches(&self, change: Change) -> Vec<connector_core::Batch> {
        Rows::new(self.count, change).collect()
    }

    async fn new_table(&self) {
        let file = self.psql.export(LEAD);
        let [by_ours, by_psql] = TARGETS;
        let mut pair = Pair::new("new table", [0.8, 0.85]);
        for _ in 0..self.repetitions {
            let batches = self.batches(Change::None);
            self.psql
                .run(&format!("DROP TABLE IF EXISTS {by_ours}; CHECKPOINT"));
            pair.ours(&self.server, self.ours.write(by_ours, batches)).await;
            self.psql.run(&format!(
                "DROP TABLE IF EXISTS {by_psql}; CREATE TABLE {by_psql} (LIKE {LEAD} INCLUDING ALL); CHECKPOINT"
            ));
            self.psql.take_peak();
            pair.theirs(&self.server, || self.psql.copy_in(by_psql, &file));
        }
        let theirs = self.psql.take_peak();
        self.psql.assert_same(by_ours, by_psql);
        let memory = self
            .ours
            .alone(&self.server, by_ours, "write", self.count, "none");
        pair.report([memory, theirs]);
    }

    async fn upsert(&self, change: Change, name: &'static str, most: [f64; 2]) {
        // The file is made of a table that holds the changed rows.
        self.psql.run("DROP TABLE IF EXISTS changed");
        self.ours.write("changed", self.batches(change)).await;
        let file = self.psql.export("changed");
        self.psql.run("DROP TABLE changed");
        let mut pair = Pair::new(name, most);
        for _ in 0..self.repetitions {
            let batches = self.batches(change);
            let [by_ours, by_psql] = TARGETS;
            self.reset(by_ours);
            pair.ours(&self.server, self.ours.write(by_ours, batches)).await;
            self.reset(by_psql);
            self.psql.take_peak();
            pair.theirs(&self.server, || self.psql.merge(by_psql, &file));
        }
        let theirs = self.psql.take_peak();
        self.psql.assert_same(TARGETS[0], TARGETS[1]);
        self.reset(TARGETS[0]);
        let memory = self
            .ours
            .alone(&self.server, TARGETS[0], "write", self.count, change.name());
        pair.report([memory, theirs]);
    }

    async fn read_back(&self) {
        let mut pair = Pair::new("read back", [1.0, 1.1]);
        for _ in 0..self.repetitions {
            pair.ours(&self.server, self.ours.read(LEAD, self.count)).await;
            self.psql.take_peak();
            pair.theirs(&self.server, || self.psql.copy_out(LEAD));
        }
        let theirs = self.psql.take_peak();
        let memory = self.ours.alone(&self.server, LEAD, "read", self.count, "none");
        pair.report([memory, theirs]);
    }

    /// Makes `table` what the leads are, all of it on disk.
    fn reset(&self, table: &str) {
        self.psql.run(&format!(
            "DROP TABLE IF EXISTS {table}; CREATE TABLE {table} (LIKE {LEAD} INCLUDING ALL); \
             INSERT INTO {table} SELECT * FROM {LEAD}"
        ));
        self.psql.run(&format!("VACUUM ANALYZE {table}"));
        self.psql.run("CHECKPOINT");
    }
}
