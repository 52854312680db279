//! The connector's side, in a process of its own.

use std::process::Command;
use std::sync::Arc;
use std::time::Instant;

use connector_core::{Connector, Event, ReadRequest, Secret, Selection, SystemClock, TaskId};
use connector_salesforce::{Auth, Config, Salesforce};
use cpu_time::ProcessTime;

use crate::ROLE;
use crate::measure::{Figures, peak_kib};
use crate::server::Server;

/// Reads the whole result in a child and returns what it took.
pub(crate) fn measure(server: &Server, rows: u64, compressed: bool) -> Figures {
    let output = Command::new(std::env::current_exe().unwrap())
        .env(ROLE, format!("read {rows} {}", server.root(compressed)))
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let text = String::from_utf8(output.stdout).unwrap();
    let mut words = text.split_whitespace();
    let mut next = || words.next().unwrap();
    Figures {
        wall: next().parse().unwrap(),
        cpu: next().parse().unwrap(),
        peak_kib: next().parse().unwrap(),
    }
}

/// What the child does.
pub(crate) fn run(rows: u64, root: &str) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    let (cpu, wall) = (ProcessTime::now(), Instant::now());
    assert_eq!(runtime.block_on(read(root)), rows);
    println!(
        "{} {} {}",
        wall.elapsed().as_secs_f64(),
        cpu.elapsed().as_secs_f64(),
        peak_kib()
    );
}

async fn read(root: &str) -> u64 {
    let auth = Auth::AccessToken {
        access_token: Secret::new("00DD0000000IRFm!token"),
        instance_url: root.parse().unwrap(),
    };
    let salesforce = Salesforce::new(&Config::new(auth), Arc::new(SystemClock)).unwrap();
    let source = salesforce.as_source().unwrap();
    let request = ReadRequest::new(Selection::stream("Lead"), TaskId::new("bench", "Lead"));
    let mut reader = source.reader(request).await.unwrap();
    let mut rows = 0;
    while let Some(event) = reader.next().await.unwrap() {
        match event {
            Event::Records(batch) => rows += batch.len() as u64,
            Event::Rejected(rejected) => panic!("{:?}", rejected[0]),
            Event::Unchanged(_) | Event::Checkpoint { .. } => {}
        }
    }
    rows
}
