//! What a run took.

use std::ops::Add;

/// Seconds and memory of one run.
#[derive(Clone, Copy)]
pub(crate) struct Figures {
    pub(crate) wall: f64,
    pub(crate) cpu: f64,
    pub(crate) peak_kib: u32,
}

impl Add for Figures {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            wall: self.wall + other.wall,
            cpu: self.cpu + other.cpu,
            peak_kib: self.peak_kib.max(other.peak_kib),
        }
    }
}

pub(crate) fn least(runs: &[Figures], of: fn(&Figures) -> f64) -> f64 {
    runs.iter().map(of).fold(f64::INFINITY, f64::min)
}

/// The most memory that this process had so far.
pub(crate) fn peak_kib() -> u32 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .unwrap();
    line.trim().strip_suffix(" kB").unwrap().parse().unwrap()
}

/// CPU seconds of the programs that this one has run to their ends.
pub(crate) fn children_cpu() -> f64 {
    /// Ticks of the clock in which the kernel counts CPU time, in a second.
    const TICKS: f64 = 100.0;
    let text = std::fs::read_to_string("/proc/self/stat").unwrap();
    // The name, which may hold anything, ends with the last parenthesis.
    let fields: Vec<&str> = text.rsplit_once(')').unwrap().1.split_whitespace().collect();
    let ticks = |i: usize| fields[i].parse::<f64>().unwrap();
    (ticks(13) + ticks(14)) / TICKS
}
