//! The other side: `curl`, and the `csv` crate.

use std::process::{Command, Stdio};
use std::time::Instant;

use cpu_time::ProcessTime;

use crate::measure::{Figures, children_cpu};
use crate::page::{self, Page};
use crate::server::Server;

/// Fetches every page into nothing, over one connection.
pub(crate) fn curl(server: &Server, rows: u64, compressed: bool) -> Figures {
    let pages = (0..page::count(rows)).map(|page| server.page(page, compressed));
    let mut command = Command::new("curl");
    command
        .args(["--silent", "--fail"])
        .args(compressed.then_some("--compressed"))
        .args(pages)
        .stdout(Stdio::null());
    let (cpu, wall) = (children_cpu(), Instant::now());
    assert!(command.status().unwrap().success());
    Figures {
        wall: wall.elapsed().as_secs_f64(),
        cpu: children_cpu() - cpu,
        peak_kib: 0,
    }
}

/// Reads every page from memory.
pub(crate) fn parse(page: &Page, rows: u64) -> Figures {
    let (cpu, wall) = (ProcessTime::now(), Instant::now());
    let mut found = 0;
    let mut record = csv::ByteRecord::new();
    for _ in 0..page::count(rows) {
        let mut reader = csv::Reader::from_reader(page.plain.as_slice());
        while reader.read_byte_record(&mut record).unwrap() {
            found += 1;
        }
    }
    let figures = Figures {
        wall: wall.elapsed().as_secs_f64(),
        cpu: cpu.elapsed().as_secs_f64(),
        peak_kib: 0,
    };
    assert_eq!(found, rows);
    figures
}
