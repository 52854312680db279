//! What a job will do, decided before data moves.

use connector_core::{
    Capabilities, Claim, Connector, Destination, Difference, Error, ErrorKind, Fence, Identity, Journaled,
    Origin, ReadPlan, ReadRequest, Result, Selection, Source, StateStore, SyncMode, TaskId, WriteMode,
    WritePlan, WriteRequest, target_of,
};
use std::sync::Arc;

use crate::job::{Job, Sync, Task, Work};
use crate::mapping::Mapping;
use crate::options::RunOptions;

/// What a job will do.
#[derive(Debug)]
#[non_exhaustive]
pub struct JobPlan {
    /// The job's name.
    pub name: String,
    /// Its tasks.
    pub tasks: Vec<TaskPlan>,
}

/// What a task will do.
#[derive(Debug)]
#[non_exhaustive]
pub struct TaskPlan {
    /// The task.
    pub task: TaskId,
    /// How its records are read.
    pub read: ReadPlan,
    /// How they are written, field by field.
    pub write: WritePlan,
    /// What is promised about delivery: a sentence each.
    pub delivery: Vec<String>,
}

/// Plans every task of a job.
pub(crate) async fn plan_job(job: &Job, options: &RunOptions) -> Result<JobPlan> {
    let mut tasks = Vec::new();
    match &job.work {
        Work::Script { connection, .. } => {
            if connection.statements().is_none() {
                return Err(no_role(connection.as_ref(), "run statements").with_context("job", &*job.name));
            }
        }
        Work::Sync {
            source,
            destination,
            tasks: wanted,
        } => {
            for task in wanted {
                let context = |error: Error| error.with_context("task", task.id(&job.name).as_str());
                let prepared = Prepared::new(job, task, source, destination, options)
                    .await
                    .map_err(context)?;
                tasks.push(prepared.plan(task).await.map_err(context)?);
            }
        }
    }
    Ok(JobPlan {
        name: job.name.clone(),
        tasks,
    })
}

/// The error of a connection that lacks a role.
pub(crate) fn no_role(connection: &dyn Connector, role: &str) -> Error {
    Error::new(
        ErrorKind::Unsupported,
        format!("the connector `{}` cannot {role}", connection.name()),
    )
}

/// A task with everything decided that can be before it is claimed.
pub(crate) struct Prepared<'a> {
    source: &'a dyn Source,
    destination: &'a dyn Destination,
    pub(crate) store: Arc<dyn StateStore>,
    capabilities: Capabilities,
    store_is_destination: bool,
    source_identity: Identity,
    destination_identity: Identity,
    pub(crate) mapping: Mapping,
    pub(crate) id: TaskId,
    mode: WriteMode,
    match_on: Vec<String>,
    incremental: bool,
    /// The source keeps the journal: it can compute the difference.
    difference: bool,
    full: bool,
    batch_bytes: usize,
}

impl<'a> Prepared<'a> {
    /// Describes both sides and decides mapping, mode and key.
    pub(crate) async fn new(
        job: &Job,
        task: &Task,
        source: &'a Arc<dyn Connector>,
        destination: &'a Arc<dyn Connector>,
        options: &RunOptions,
    ) -> Result<Self> {
        let to = destination
            .as_destination()
            .ok_or_else(|| no_role(destination.as_ref(), "be written to"))?;
        let from = source
            .as_source()
            .ok_or_else(|| no_role(source.as_ref(), "be read"))?;
        let capabilities = to.capabilities();
        if !capabilities.creates {
            check_fields(to, task).await?;
        }
        let (store, store_is_destination) = match (destination.state_store(), source.state_store()) {
            (Some(store), _) => (store, true),
            (None, Some(store)) => (store, false),
            (None, None) => {
                return Err(
                    Error::new(ErrorKind::Config, "neither side of the job can keep its state")
                        .with_help("one side must be a connection that keeps states, such as a database"),
                );
            }
        };
        let spec = source.describe(&task.selection).await?;
        let mut match_on = task.match_on.clone();
        let mapping = Mapping::new(&spec.schema, &task.fields, &match_on)?;
        if match_on.is_empty() {
            match_on = mapping.schema.primary_key_names().map(str::to_owned).collect();
        }
        let mode = task.write.unwrap_or(if match_on.is_empty() {
            WriteMode::Insert
        } else {
            WriteMode::Upsert
        });
        if !capabilities.modes.contains(&mode) {
            let modes: Vec<String> = capabilities.modes.iter().map(WriteMode::to_string).collect();
            return Err(
                no_role(destination.as_ref(), &format!("write in the mode {mode}"))
                    .with_help(format!("say write = \"{}\"", modes.join("\" or \""))),
            );
        }
        let keyed = matches!(mode, WriteMode::Update | WriteMode::Upsert);
        let full = options.full || task.sync == Sync::Full;
        Ok(Self {
            source: from,
            destination: to,
            store,
            store_is_destination,
            source_identity: source.identity().await?,
            destination_identity: destination.identity().await?,
            mapping,
            id: task.id(&job.name),
            mode,
            match_on,
            incremental: spec.cursor.is_some() && task.sync == Sync::Incremental,
            difference: capabilities.wants_journal && keyed && source.journal().is_some(),
            full,
            batch_bytes: (options.memory_budget / 16).clamp(64 << 10, 16 << 20),
            capabilities,
        })
    }

    /// What both sides say they will do.
    async fn plan(&self, task: &Task) -> Result<TaskPlan> {
        let nobody = Fence {
            task: self.id.clone(),
            epoch: 0,
            commit_no: 0,
        };
        let read = self.read_request(task, &nobody, None);
        let write = self.write_request(task, &nobody, Vec::new());
        let delivery = if self.capabilities.transactional && self.store_is_destination {
            "exactly once: rows, rejections and checkpoint commit together".to_owned()
        } else if self.difference {
            "every record's intent is stored before it is sent, and its fate afterwards; an unanswered request is sent again"
                .to_owned()
        } else {
            "at least once: after a crash, what was written since the last checkpoint is written again"
                .to_owned()
        };
        Ok(TaskPlan {
            task: self.id.clone(),
            read: self.source.plan_read(&read).await?,
            write: self.destination.plan_write(&write).await?,
            delivery: vec![delivery],
        })
    }

    /// About how many records the task will read.
    pub(crate) async fn estimate(&self, task: &Task, claim: &Claim) -> Result<Option<u64>> {
        let request = self.read_request(task, &claim.fence, claim.state.clone());
        Ok(self.source.plan_read(&request).await?.records)
    }

    pub(crate) async fn writer(&self, task: &Task, claim: &Claim) -> Result<Box<dyn connector_core::Writer>> {
        self.destination
            .writer(self.write_request(task, &claim.fence, claim.open.clone()))
            .await
    }

    pub(crate) async fn reader(&self, task: &Task, claim: &Claim) -> Result<Box<dyn connector_core::Reader>> {
        self.source
            .reader(self.read_request(task, &claim.fence, claim.state.clone()))
            .await
    }

    /// Whether the engine must save states itself.
    pub(crate) fn saves_state(&self) -> bool {
        !(self.capabilities.transactional && self.store_is_destination)
    }

    fn read_request(&self, task: &Task, fence: &Fence, state: Option<connector_core::State>) -> ReadRequest {
        let sync = if self.difference {
            SyncMode::Difference(Difference {
                target: target_of(self.destination_identity.clone(), &task.target()),
                fence: fence.clone(),
                match_on: self.mapping.pairs_of(&self.match_on),
                fields: self.mapping.pairs_except(&self.match_on),
                full: self.full,
            })
        } else if self.incremental {
            SyncMode::Incremental
        } else {
            SyncMode::FullRefresh
        };
        let fields = self
            .mapping
            .fields
            .iter()
            .map(|field| field.from.clone())
            .collect();
        ReadRequest::new(task.selection.clone(), self.id.clone())
            .with_fields(fields)
            .with_sync(sync)
            .with_state(state.filter(|_| !self.full))
            .with_settle(task.settle)
            .with_batch_bytes(self.batch_bytes)
    }

    fn write_request(&self, task: &Task, fence: &Fence, open: Vec<connector_core::Ticket>) -> WriteRequest {
        let into = task.target();
        let journal = if self.capabilities.wants_journal {
            Connector::journal(self.source)
        } else {
            None
        };
        let journal = journal.map(|journal| Journaled {
            journal,
            fence: fence.clone(),
            target: target_of(self.destination_identity.clone(), &into),
            open,
        });
        let origin = match &task.selection {
            Selection::Stream(stream) => Some(Origin {
                target: target_of(self.source_identity.clone(), stream),
                fields: self.mapping.pairs_except(&[]),
            }),
            _ => None,
        };
        WriteRequest::new(into, Arc::clone(&self.mapping.schema), self.mode, self.id.clone())
            .with_match_on(self.match_on.clone())
            .with_keep(task.keep.clone())
            .with_drift(task.drift)
            .with_fence((!self.saves_state()).then(|| fence.clone()))
            .with_journal(journal)
            .with_origin(origin)
    }
}

/// Whether an object that is not ours to make has the fields that the mapping names: known without the source, which
/// an earlier job may still have to fill.
pub(crate) async fn check_fields(destination: &dyn Destination, task: &Task) -> Result<()> {
    let object = task.target();
    let spec = destination.describe(&Selection::Stream(object.clone())).await?;
    for name in task.fields.iter().map(|field| &field.to).chain(&task.match_on) {
        spec.schema
            .index_of(name)
            .map_err(|error| error.with_context("object", object.as_str()))?;
    }
    Ok(())
}
