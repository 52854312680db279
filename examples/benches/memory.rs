//! Peak memory of the main job for few leads and for many, side by side: it must not depend on their number.
//!
//!     cargo bench -p examples --bench memory [-- FEW MANY]
//!
//! Both fakes run in this process, the database in one of its own; what is measured is the program alone, by the
//! kernel's account of its resident memory (Linux).

#![expect(
    clippy::unwrap_used,
    reason = "what goes wrong in a bench's own set-up ends it"
)]

#[path = "../tests/lead_scoring/world.rs"]
#[expect(dead_code, reason = "the tests use more of it")]
mod world;

use std::process::Stdio;
use std::time::{Duration, Instant};

use world::World;

#[tokio::main]
async fn main() {
    let mut sizes = std::env::args().skip(1).filter_map(|text| text.parse().ok());
    let (few, many) = (sizes.next().unwrap_or(100_000), sizes.next().unwrap_or(1_000_000));
    let mut peaks = Vec::new();
    for leads in [few, many] {
        let world = World::new(leads, 5_000).await;
        world.use_example_jobs();
        let (peak, elapsed) = tokio::task::block_in_place(|| peak_of(&world));
        println!(
            "{leads:>9} leads: {:>6.1} MiB at the most, {:.0} s",
            peak as f64 / 1024.0,
            elapsed.as_secs_f64()
        );
        world.assert_scores_equal().await;
        peaks.push(peak as f64);
    }
    println!("ratio many / few: {:.2}", peaks[1] / peaks[0]);
}

/// Runs the program to its successful end; its peak resident memory in KiB.
fn peak_of(world: &World) -> (u64, Duration) {
    let started = Instant::now();
    let mut child = world
        .program()
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    loop {
        let read = std::fs::read_to_string(&status).unwrap_or_default();
        let high = read.lines().find_map(|line| {
            line.strip_prefix("VmHWM:")?
                .trim()
                .strip_suffix(" kB")?
                .parse()
                .ok()
        });
        peak = peak.max(high.unwrap_or(0));
        if let Some(ended) = child.try_wait().unwrap() {
            assert!(ended.success(), "{ended}");
            return (peak, started.elapsed());
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}
