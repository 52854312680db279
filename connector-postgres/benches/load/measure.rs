//! Two contestants, measured in turns.

use std::time::{Duration, Instant};

use cpu_time::ProcessTime;

use crate::server::{Server, children_cpu};

/// Seconds that one run took.
#[derive(Clone, Copy)]
struct Run {
    wall: f64,
    client: f64,
    server: f64,
}

impl Run {
    fn cpu(self) -> f64 {
        self.client + self.server
    }
}

/// Runs of both, and what their ratios are to be at most: wall time and CPU time.
pub(crate) struct Pair {
    name: &'static str,
    most: [f64; 2],
    ours: Vec<Run>,
    theirs: Vec<Run>,
}

impl Pair {
    pub(crate) fn new(name: &'static str, most: [f64; 2]) -> Self {
        Self {
            name,
            most,
            ours: Vec::new(),
            theirs: Vec::new(),
        }
    }

    pub(crate) async fn ours(&mut self, server: &Server, work: impl Future<Output = ()>) {
        let (before, client, wall) = (server.cpu(), ProcessTime::now(), Instant::now());
        work.await;
        let (wall, client) = (wall.elapsed().as_secs_f64(), client.elapsed().as_secs_f64());
        settle();
        self.ours.push(Run {
            wall,
            client,
            server: server.cpu() - before,
        });
    }

    pub(crate) fn theirs(&mut self, server: &Server, work: impl FnOnce()) {
        let (before, client, wall) = (server.cpu(), children_cpu(), Instant::now());
        tokio::task::block_in_place(work);
        let wall = wall.elapsed().as_secs_f64();
        settle();
        self.theirs.push(Run {
            wall,
            client: children_cpu() - client,
            server: server.cpu() - before,
        });
    }

    /// Prints what came of it; `memory` is ours and theirs, in KiB.
    pub(crate) fn report(&self, memory: [u64; 2]) {
        let [ours, theirs] = memory.map(|kib| kib as f64 / 1024.0);
        let least =
            |runs: &[Run], of: fn(Run) -> f64| runs.iter().map(|run| of(*run)).fold(f64::INFINITY, f64::min);
        let figures = |runs: &[Run]| {
            format!(
                "{:5.2} s, CPU {:5.2} s (client {:.2}, server {:.2})",
                least(runs, |run| run.wall),
                least(runs, Run::cpu),
                least(runs, |run| run.client),
                least(runs, |run| run.server),
            )
        };
        let ratio = |of: fn(Run) -> f64| least(&self.ours, of) / least(&self.theirs, of);
        println!("{}", self.name);
        println!("    connector  {}, {ours:.0} MiB", figures(&self.ours));
        println!("    psql       {}, {theirs:.0} MiB", figures(&self.theirs));
        println!(
            "    ratio      wall {:.2} (at most {}), CPU {:.2} (at most {})",
            ratio(|run| run.wall),
            self.most[0],
            ratio(Run::cpu),
            self.most[1],
        );
    }
}

/// Gives a session's process the time to end after its client, so that its account is closed.
pub(crate) fn settle() {
    std::thread::sleep(Duration::from_millis(500));
}

/// The most memory that a process had so far.
pub(crate) fn peak_kib(pid: &str) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix(" kB")?.parse().ok()
}
