//! Writing: lines added to a log, or a new log in the place of the old one.

use std::fs::File;
use std::io::Write;
use std::path::PathBuf;

use async_trait::async_trait;
use connector_core::{
    Batch, Capabilities, CommitReport, Destination, Op, Record, Rejection, Result, State, WriteMode,
    WritePlan, WriteRequest, Writer,
};

use crate::connector::Ndjson;
use crate::files::{failed, lock, publish};
use crate::plan::Plan;
use crate::rows::Rows;

#[async_trait]
impl Destination for Ndjson {
    fn capabilities(&self) -> Capabilities {
        // What is declared is checked and asked for. Not `transactional`: lines and a task's state cannot be stored in
        // one step here. The state is stored after the lines, so that nothing is lost; after a crash some records come
        // again, and are found unchanged by their keys, so that nothing is doubled.
        Capabilities::new(vec![WriteMode::Insert, WriteMode::Upsert, WriteMode::Overwrite])
            .creating()
            .partial()
            .deleting()
    }

    async fn plan_write(&self, request: &WriteRequest) -> Result<WritePlan> {
        Plan::new(self, request).map(Plan::into_write_plan)
    }

    async fn writer(&self, request: WriteRequest) -> Result<Box<dyn Writer>> {
        Ok(Box::new(LogWriter::open(self, request)?))
    }
}

/// Adds lines to a log.
struct LogWriter {
    request: WriteRequest,
    path: PathBuf,
    file: File,
    /// What is there, to leave alone what is the same already, and what a record leaves unset. All of it is in memory:
    /// this is an example.
    rows: Rows,
    /// Lines that wait for the commit.
    pending: String,
    report: CommitReport,
    /// An overwrite's log takes this one's place when it is finished.
    replaces: Option<PathBuf>,
    /// One writer at a time: another one's lines would not be among `rows`.
    _lock: File,
}

impl LogWriter {
    fn open(folder: &Ndjson, request: WriteRequest) -> Result<Self> {
        let lock = lock(&folder.file(&request.stream, ".lock")?)?;
        // Nobody has to plan first: what a plan refuses is refused here as well.
        let plan = Plan::new(folder, &request)?;
        let (path, replaces) = plan.make(folder, &request)?;
        let (rows, file) = Rows::open(&path, plan.schema)?;
        Ok(Self {
            request,
            path,
            file,
            rows,
            pending: String::new(),
            report: CommitReport::default(),
            replaces,
            _lock: lock,
        })
    }

    /// Takes one record; or says by a code and in words why not, without a value of it.
    fn take(&mut self, record: &Record<'_>) -> Result<(), (&'static str, String)> {
        let key = self.rows.key(record);
        let old = self.rows.get(&key);
        // Unset fields are left alone by an upsert only: an overwrite writes records whole.
        let base = old.filter(|_| self.request.mode == WriteMode::Upsert);
        let line = self.rows.line(record, base);
        let line = line.map_err(|error| ("bad_value", error.to_string()))?;
        let counts = &mut self.report.counts;
        // Every record is counted once: the engine compares the sum with what was read.
        let (count, changes) = match (record.op(), old, self.request.mode) {
            (Op::Delete, _, WriteMode::Insert) => {
                return Err(("delete_refused", "an insert deletes nothing".to_owned()));
            }
            (Op::Delete, None, _) => (&mut counts.unchanged, false),
            (Op::Delete, Some(_), _) => (&mut counts.deleted, true),
            (Op::Put, None, _) => (&mut counts.created, true),
            (Op::Put, Some(old), _) if old == line => (&mut counts.unchanged, false),
            (Op::Put, Some(_), WriteMode::Insert) => {
                return Err(("duplicate", "another record has this key".to_owned()));
            }
            (Op::Put, Some(_), _) => (&mut counts.updated, true),
        };
        *count += 1;
        if changes {
            self.pending.push_str(&line);
            self.pending.push('\n');
            self.rows.set(key, record.op(), line);
        }
        Ok(())
    }
}

#[async_trait]
impl Writer for LogWriter {
    async fn write(&mut self, batch: Batch) -> Result<()> {
        // What a null is not to clear is as good as unset.
        for record in self.request.leave_nulls(batch).records() {
            // Refused alone: the others of the batch are written.
            if let Err((code, message)) = self.take(&record) {
                let rejection = Rejection::new(record.sequence(), record.source_key(), code, message);
                self.report.reject(rejection);
            }
        }
        Ok(())
    }

    async fn reject(&mut self, rejected: Vec<Rejection>) -> Result<()> {
        for rejection in rejected {
            self.report.reject(rejection);
        }
        Ok(())
    }

    /// On the disk when it returns, and not reported before. The checkpoint is stored by whoever keeps the state, after
    /// this; with the fence it would be this writer's to store.
    async fn commit(&mut self, _checkpoint: Option<&State>) -> Result<CommitReport> {
        let file = &mut self.file;
        let written = file.write_all(self.pending.as_bytes());
        let durable = written.and_then(|()| file.sync_data());
        durable.map_err(|error| failed("write", &self.path, error))?;
        self.pending.clear();
        Ok(std::mem::take(&mut self.report))
    }

    async fn finish(mut self: Box<Self>, checkpoint: Option<&State>) -> Result<CommitReport> {
        let report = self.commit(checkpoint).await?;
        if let Some(log) = &self.replaces {
            // The old log stands until here; then all of the new one shows at once.
            publish(&self.path, log).map_err(|error| failed("replace", log, error))?;
        }
        Ok(report)
    }
}
