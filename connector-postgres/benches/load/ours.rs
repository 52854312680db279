//! The connector's side.

use std::process::Command;

use connector_core::{
    Batch, Connector, Destination, Event, Holder, ReadRequest, Selection, Source, StreamName, TaskId,
    WriteMode, WriteRequest,
};
use connector_postgres::{Config, Postgres};

use crate::ALONE;
use crate::measure::peak_kib;
use crate::rows::{Change, Rows, schema};
use crate::server::Server;

pub(crate) struct Ours {
    postgres: Postgres,
}

impl Ours {
    pub(crate) fn new(url: &str) -> Self {
        Self::with(Config::from_url(url).unwrap())
    }

    pub(crate) fn with(config: Config) -> Self {
        Self {
            postgres: Postgres::new(config).unwrap(),
        }
    }

    /// Drops a table, if it is there.
    pub(crate) async fn drop(&self, table: &str) {
        let statements = self.postgres.statements().unwrap();
        let script = format!("DROP TABLE IF EXISTS {table}; CHECKPOINT");
        statements.execute(&script).await.unwrap();
    }

    /// Upserts batches by id, under a fence, in one commit.
    pub(crate) async fn write(&self, table: &str, batches: impl IntoIterator<Item = Batch>) {
        let task = TaskId::new("bench", table);
        let store = self.postgres.state_store().unwrap();
        let claim = store.claim(&task, &Holder::new("bench")).await.unwrap();
        let request = WriteRequest::new(StreamName::new(table), schema(), WriteMode::Upsert, task)
            .with_match_on(vec!["Id".to_owned()])
            .with_fence(Some(claim.fence.clone()));
        let mut writer = self.postgres.writer(request).await.unwrap();
        for batch in batches {
            writer.write(batch).await.unwrap();
        }
        writer.finish(None).await.unwrap();
    }

    /// Reads every batch of a table.
    pub(crate) async fn read(&self, table: &str, count: u64) {
        let request = ReadRequest::new(Selection::stream(table), TaskId::new("bench", table));
        let mut reader = self.postgres.reader(request).await.unwrap();
        let mut rows = 0;
        while let Some(event) = reader.next().await.unwrap() {
            if let Event::Records(batch) = event {
                rows += batch.len() as u64;
            }
        }
        assert_eq!(rows, count);
    }

    /// The peak memory in KiB of a process that does this and no more.
    pub(crate) fn alone(&self, server: &Server, table: &str, verb: &str, count: u64, change: &str) -> u64 {
        let work = format!("{verb} {table} {count} {change} {}", server.url());
        let output = Command::new(std::env::current_exe().unwrap())
            .env(ALONE, work)
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).unwrap().trim().parse().unwrap()
    }
}

/// What a process whose memory is measured is to do.
pub(crate) struct Alone {
    verb: String,
    table: String,
    count: u64,
    change: Change,
    url: String,
}

impl Alone {
    #[expect(clippy::disallowed_methods, reason = "a bench speaks to its own child by it")]
    pub(crate) fn from_env() -> Option<Self> {
        let work = std::env::var(ALONE).ok()?;
        let mut words = work.split(' ').map(str::to_owned);
        Some(Self {
            verb: words.next()?,
            table: words.next()?,
            count: words.next()?.parse().ok()?,
            change: Change::named(&words.next()?),
            url: words.next()?,
        })
    }

    pub(crate) async fn run(self) {
        let ours = Ours::new(&self.url);
        match self.verb.as_str() {
            "read" => ours.read(&self.table, self.count).await,
            _ => ours.write(&self.table, Rows::new(self.count, self.change)).await,
        }
        println!("{}", peak_kib("self").unwrap());
    }
}
