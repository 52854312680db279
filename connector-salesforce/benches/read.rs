//! Reading leads by a Bulk job beside what `curl` and a bare CSV parser do with the same pages.
//!
//!     cargo bench -p connector-salesforce --bench read [-- ROWS REPETITIONS]
//!
//! A server in a process of its own holds one page of results ready, plain and compressed, and sends it as often as
//! there are pages. The connector reads through its public reader, the job's start and end included, in a process of
//! its own that reports what CPU time and memory it took. On the other side, `curl` fetches the same pages into
//! nothing, and then the `csv` crate reads the same bytes from memory into a record that is used again.
//!
//! The figures are the least of several interleaved repetitions; the server's time counts for neither side.

#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "what goes wrong in a bench's own set-up ends it; it speaks to its own children by their environment"
)]

#[path = "read/baseline.rs"]
mod baseline;
#[path = "../../connector-core/benches/rows/lead.rs"]
#[expect(dead_code, reason = "the bench of rows uses more of it")]
mod lead;
#[path = "read/measure.rs"]
mod measure;
#[path = "read/ours.rs"]
mod ours;
#[path = "read/page.rs"]
mod page;
#[path = "read/server.rs"]
mod server;

use measure::{Figures, least};
use page::Page;
use server::Server;

/// Says that this process is one of the bench's own: what it is to do.
const ROLE: &str = "CONNECTOR_BENCH_ROLE";
/// Rows of a page: as many as the connector asks for.
const PAGE_ROWS: u64 = 50_000;

fn main() {
    match std::env::var(ROLE) {
        Ok(role) => match role.split_once(' ').unwrap() {
            ("serve", rows) => server::run(rows.parse().unwrap()),
            ("read", work) => {
                let (rows, root) = work.split_once(' ').unwrap();
                ours::run(rows.parse().unwrap(), root);
            }
            _ => unreachable!(),
        },
        Err(_) => compare(),
    }
}

fn compare() {
    let mut numbers = std::env::args().skip(1).filter_map(|text| text.parse().ok());
    let rows: u64 = numbers.next().unwrap_or(1_000_000);
    let repetitions: u64 = numbers.next().unwrap_or(3);
    let server = Server::start(rows);
    let page = Page::new(rows.min(PAGE_ROWS));
    println!(
        "{rows} rows of {} columns in {} pages of {:.1} MiB ({:.1} MiB compressed), least of {repetitions}",
        lead::FIELDS.len(),
        page::count(rows),
        page.plain.len() as f64 / f64::from(1 << 20),
        page.gzip.len() as f64 / f64::from(1 << 20),
    );
    for compressed in [false, true] {
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        for _ in 0..repetitions {
            ours.push(ours::measure(&server, rows, compressed));
            theirs.push(baseline::curl(&server, rows, compressed) + baseline::parse(&page, rows));
        }
        println!("{}", if compressed { "gzip" } else { "plain" });
        report(&ours, &theirs);
    }
}

fn report(ours: &[Figures], theirs: &[Figures]) {
    let memory = ours.iter().map(|run| run.peak_kib).max().unwrap_or_default();
    let show = |name: &str, runs: &[Figures], rest: &str| {
        let [wall, cpu] = [least(runs, |run| run.wall), least(runs, |run| run.cpu)];
        println!("    {name:<12} {wall:6.2} s, CPU {cpu:6.2} s{rest}");
    };
    let peak = format!(", {:.0} MiB (at most 64)", f64::from(memory) / 1024.0);
    show("connector", ours, &peak);
    show("curl + csv", theirs, "");
    println!(
        "    ratio        wall {:.2}, CPU {:.2} (at most 2.0, aim 1.5)",
        least(ours, |run| run.wall) / least(theirs, |run| run.wall),
        least(ours, |run| run.cpu) / least(theirs, |run| run.cpu),
    );
}
