//! What an SSH tunnel costs: the same loads and reads with and without one.
//!
//!     cargo bench -p connector-postgres --features ssh --bench tunnel [-- ROWS REPETITIONS]
//!
//! The sshd is a real one on this machine, so there is no network to hide the costs of encryption. *CPU* is the client's
//! and PostgreSQL's together, without sshd's. The figures are the least of several interleaved repetitions.

#![expect(
    clippy::unwrap_used,
    reason = "what goes wrong in a bench's own set-up ends it"
)]

#[path = "../../connector-core/benches/rows/lead.rs"]
#[expect(dead_code, reason = "the bench of rows uses more of it")]
mod lead;
#[path = "load/measure.rs"]
#[expect(dead_code, reason = "the bench of loads uses more of it")]
mod measure;
#[path = "load/ours.rs"]
#[expect(dead_code, reason = "the bench of loads uses more of it")]
mod ours;
#[path = "../tests/tunnel/program.rs"]
mod program;
#[path = "load/rows.rs"]
#[expect(dead_code, reason = "the bench of loads uses more of it")]
mod rows;
#[path = "load/server.rs"]
mod server;
#[path = "../tests/tunnel/sshd.rs"]
mod sshd;

use std::time::Instant;

use connector_core::Secret;
use connector_postgres::{Config, Pem, SshAuth, SshHostKey, SshTunnel};
use cpu_time::ProcessTime;
use russh::keys::ssh_key::LineEnding;
use russh::keys::{Algorithm, PrivateKey};

use ours::Ours;
use rows::{Change, Rows};
use server::Server;
use sshd::Sshd;

/// What `ours` is told by when it runs alone, which it does not here.
const ALONE: &str = "CONNECTOR_BENCH_ALONE";

#[tokio::main(flavor = "multi_thread")]
async fn main() {
    let mut numbers = std::env::args().skip(1).filter_map(|text| text.parse().ok());
    let count: u64 = numbers.next().unwrap_or(500_000);
    let repetitions: u64 = numbers.next().unwrap_or(3);
    let server = Server::start();
    let key = PrivateKey::random(&mut russh::keys::key::safe_rng(), Algorithm::Ed25519).unwrap();
    let sshd = tokio::task::block_in_place(|| Sshd::start(&[key.public_key().clone()], ""));
    let config = Config::from_url(server.url()).unwrap();
    let ways = [
        ("direct", Ours::with(config.clone())),
        ("tunnel", Ours::with(through(config, &sshd, &key))),
    ];
    println!(
        "{count} rows of {} columns, least of {repetitions}",
        lead::FIELDS.len()
    );
    let mut least = [[[f64::INFINITY; 2]; 2]; 2];
    for _ in 0..repetitions {
        for (way, (name, ours)) in ways.iter().enumerate() {
            let table = format!("by_{name}");
            ours.drop(&table).await;
            let batches: Vec<_> = Rows::new(count, Change::None).collect();
            let load = measured(&server, ours.write(&table, batches)).await;
            let read = measured(&server, ours.read(&table, count)).await;
            for (verb, run) in [load, read].into_iter().enumerate() {
                for (least, figure) in least[verb][way].iter_mut().zip(run) {
                    *least = least.min(figure);
                }
            }
        }
    }
    for (verb, [direct, tunnel]) in ["load into a new table", "read back"].iter().zip(least) {
        println!("{verb}");
        for (name, [wall, cpu]) in [("direct", direct), ("tunnel", tunnel)] {
            println!("    {name}  {wall:5.2} s, CPU {cpu:5.2} s");
        }
        println!(
            "    ratio   wall {:.2}, CPU {:.2}",
            tunnel[0] / direct[0],
            tunnel[1] / direct[1]
        );
    }
}

/// Seconds that the work took, and seconds of CPU time.
async fn measured(server: &Server, work: impl Future<Output = ()>) -> [f64; 2] {
    let (before, client, wall) = (server.cpu(), ProcessTime::now(), Instant::now());
    work.await;
    let (wall, client) = (wall.elapsed(), client.elapsed());
    measure::settle();
    [wall.as_secs_f64(), client.as_secs_f64() + server.cpu() - before]
}

fn through(mut config: Config, sshd: &Sshd, key: &PrivateKey) -> Config {
    let pem = Pem::Text(Secret::new(key.to_openssh(LineEnding::LF).unwrap().as_str()));
    let auth = SshAuth::Key {
        key: pem,
        passphrase: None,
    };
    let mut tunnel = SshTunnel::new("127.0.0.1", &sshd.user, auth);
    tunnel.port = sshd.port;
    tunnel.host_key = Some(SshHostKey::Fingerprint(sshd.fingerprint()));
    config.tunnel = Some(tunnel);
    config
}
