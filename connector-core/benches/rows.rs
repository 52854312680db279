//! What rows cost in time and memory: a `Batch` beside `Vec<Vec<serde_json::Value>>` and Arrow's builders.
//!
//!     cargo bench -p connector-core --bench rows [-- ROWS REPETITIONS]
//!
//! All get the same values, already parsed, and carry with each record what a `Batch` carries: what it does and its
//! number. Then every cell is read back into a sum, which must be the same for all. Batches hold the same records for
//! all: those that fill a `Batch` of the size readers cut by default.
//!
//! Each has its best form. JSON holds dates and decimals as plain numbers, so that none is ever written as text.
//! Arrow knows the type of every column and gets builders as large as the last batch. *By row* it takes a record as a
//! reader has it and gives it as a writer needs it; *by column* it is built and read a whole column at a time, which
//! asks for a source that holds a batch's rows and a destination that does not mind.
//!
//! Time is the process's CPU time: the least of several interleaved repetitions, and their median. What a bare walk
//! over the source's values takes is taken off. Allocations are counted on the way, which costs each a few
//! nanoseconds: nothing to a `Batch` or Arrow, a little to JSON.

#![expect(
    clippy::unwrap_used,
    reason = "what goes wrong in a bench's own set-up ends it"
)]

#[path = "rows/contestants.rs"]
mod contestants;
#[path = "rows/lead.rs"]
mod lead;

use std::hint::black_box;
use std::time::Duration;

use allocation_counter::AllocationInfo;
use connector_core::{ReadRequest, Selection, TaskId};
use contestants::{ArrowByColumn, ArrowByRow, Contestant, Json, Ours};
use cpu_time::ProcessTime;
use lead::{Cell, FIELDS, Sum};

/// Rows the source repeats: too many for a branch predictor to know by heart.
const SOURCE_ROWS: usize = 1009;
/// At most as many times the CPU time of Arrow by row, which does what a `Batch` does.
const MOST_TIME: f64 = 1.3;
/// At most as many allocations for a thousand cells.
const MOST_ALLOCATIONS: f64 = 1.0;

fn main() {
    let mut numbers = std::env::args().skip(1).filter_map(|text| text.parse().ok());
    let (rows, repetitions) = (numbers.next().unwrap_or(500_000), numbers.next().unwrap_or(7));
    let source = Source {
        cells: lead::records(SOURCE_ROWS),
        rows,
    };
    let batch_bytes = ReadRequest::new(Selection::stream("Lead"), TaskId::new("rows", "Lead")).batch_bytes;
    let cuts = cuts(&source, batch_bytes);

    let mut walks = Vec::new();
    let mut results = ["Batch", "serde_json", "Arrow by row", "Arrow by column"].map(Results::new);
    for _ in 0..repetitions.max(1) {
        walks.push(walk(&source));
        let [ours, json, by_row, by_column] = &mut results;
        ours.add(&source, || Ours::new(batch_bytes));
        json.add(&source, || Json::new(cuts.iter()));
        by_row.add(&source, || ArrowByRow::new(cuts.iter()));
        by_column.add(&source, || ArrowByColumn::new(cuts.iter()));
    }
    report(&source, cuts.len(), least(&walks), &results);
}

/// The values that all get.
struct Source {
    cells: Vec<Cell>,
    rows: usize,
}

impl Source {
    fn iter(&self) -> impl Iterator<Item = &[Cell]> {
        self.cells.chunks_exact(FIELDS.len()).cycle().take(self.rows)
    }
}

/// How many records go into each batch.
fn cuts(source: &Source, batch_bytes: usize) -> Vec<usize> {
    let mut ours = Ours::new(batch_bytes);
    let mut cuts = vec![0];
    for row in source.iter() {
        *cuts.last_mut().unwrap() += 1;
        if ours.add(row, 0) {
            ours.finish();
            cuts.push(0);
        }
    }
    cuts
}

/// What it takes to come by the values, and no more.
fn walk(source: &Source) -> Duration {
    let started = ProcessTime::now();
    for row in source.iter() {
        for cell in row {
            black_box(cell);
        }
    }
    started.elapsed()
}

/// What one repetition took.
#[derive(Clone, Copy, Default)]
struct Times {
    build: Duration,
    read: Duration,
    free: Duration,
}

/// All rows through one contestant, batch by batch: built, read, dropped.
fn run<'a, C: Contestant<'a>>(source: &'a Source, mut contestant: C) -> (Times, Sum) {
    let (mut times, mut sum) = (Times::default(), Sum::default());
    let mut rows = (0..).zip(source.iter());
    loop {
        let started = ProcessTime::now();
        let full = rows.any(|(sequence, row)| contestant.add(row, sequence));
        let batch = contestant.finish();
        let built = ProcessTime::now();
        C::read(black_box(&batch), &mut sum);
        let read = ProcessTime::now();
        drop(batch);
        times.build += built.duration_since(started);
        times.read += read.duration_since(built);
        times.free += read.elapsed();
        if !full {
            return (times, sum);
        }
    }
}

/// What the repetitions of one contestant took.
struct Results {
    name: &'static str,
    times: Vec<Times>,
    allocations: AllocationInfo,
    sum: Sum,
}

impl Results {
    fn new(name: &'static str) -> Self {
        Self {
            name,
            times: Vec::new(),
            allocations: AllocationInfo::default(),
            sum: Sum::default(),
        }
    }

    fn add<'a, C: Contestant<'a>>(&mut self, source: &'a Source, contestant: impl FnOnce() -> C) {
        self.allocations = allocation_counter::measure(|| {
            let (times, sum) = run(source, contestant());
            // The one allocation that is not the contestant's.
            allocation_counter::opt_out(|| self.times.push(times));
            self.sum = sum;
        });
    }

    /// Least and median seconds of one part, less those of the walk.
    fn seconds(&self, walk: Duration, part: impl Fn(&Times) -> Duration) -> (f64, f64) {
        let mut times: Vec<Duration> = self.times.iter().map(part).collect();
        times.sort_unstable();
        let less = |time: Duration| time.saturating_sub(walk).as_secs_f64();
        (less(times[0]), less(times[times.len() / 2]))
    }
}

fn least(times: &[Duration]) -> Duration {
    times.iter().min().copied().unwrap_or_default()
}

fn report(source: &Source, batches: usize, walk: Duration, results: &[Results; 4]) {
    let cells = source.rows * FIELDS.len();
    println!(
        "{} rows of {} cells in {batches} batches; a walk over the source takes {:.3} s, which is taken off\n",
        source.rows,
        FIELDS.len(),
        walk.as_secs_f64()
    );
    println!(
        "{:<16}{:>23}{:>23}{:>23}{:>23}{:>20}{:>18}",
        "CPU s (median)", "build", "read", "drop", "sum", "allocations", "peak live KiB"
    );
    let none = Duration::ZERO;
    let seconds = |results: &Results| {
        [
            results.seconds(walk, |times| times.build),
            results.seconds(none, |times| times.read),
            results.seconds(none, |times| times.free),
            results.seconds(walk, |times| times.build + times.read + times.free),
        ]
    };
    let ours = &results[0];
    for contestant in results {
        print!("{:<16}", contestant.name);
        for ((least, median), (of_ours, _)) in seconds(contestant).into_iter().zip(seconds(ours)) {
            print!(
                "{:>23}",
                format!("{least:.3} ({median:.3}) {:>5.2} x", least / of_ours)
            );
        }
        let (this, of_ours) = (contestant.allocations, ours.allocations);
        let times = |this: u64, of_ours: u64| this as f64 / of_ours as f64;
        println!(
            "{:>20}{:>18}",
            format!(
                "{} {:>6.0} x",
                this.count_total,
                times(this.count_total, of_ours.count_total)
            ),
            format!(
                "{} {:>5.2} x",
                this.bytes_max / 1024,
                times(this.bytes_max, of_ours.bytes_max)
            ),
        );
        assert_eq!(contestant.sum, ours.sum, "every cell comes back");
    }

    let per_thousand = ours.allocations.count_total as f64 * 1000.0 / cells as f64;
    println!("\nallocations for a thousand cells of a Batch: {per_thousand:.3} (at most {MOST_ALLOCATIONS})");
    for (arrow, limit) in [
        (&results[2], format!(" (at most {MOST_TIME})")),
        (&results[3], String::new()),
    ] {
        let ratios = seconds(ours)
            .into_iter()
            .zip(seconds(arrow))
            .map(|((ours, _), (arrow, _))| ours / arrow);
        let [build, read, _, sum] = ratios.collect::<Vec<_>>().try_into().unwrap();
        println!(
            "CPU time of a Batch by that of {}: build {build:.2}, read {read:.2}, sum {sum:.2}{limit}",
            arrow.name
        );
    }
    assert!(per_thousand <= MOST_ALLOCATIONS, "too many allocations");
}
