//! What a job will do, decided before data moves.

use connector_core::{
    Capabilities, Claim, Connector, Destination, Difference, Error, ErrorKind, Fence, Identity, Journal,
    Journaled, Origin, ReadPlan, ReadRequest, Result, Selection, Source, State, StateStore, SyncMode, TaskId,
    WriteMode, WritePlan, WriteRequest, target_of,
};
use std::sync::Arc;

use crate::filter::Filtering;
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

/// Refuses a log that is not kept, or that would be written by nothing that tells its records apart.
fn check_log(
    connection: &dyn Connector,
    source: &dyn Source,
    task: &Task,
    mode: WriteMode,
    compares: bool,
) -> Result<()> {
    if task.filter.is_some() {
        let message =
            "a log of changes is read whole: a filter would leave at the other side what no longer passes it";
        return Err(Error::new(ErrorKind::Unsupported, message)
            .with_help("leave `filter` out, or read with another `sync`"));
    }
    if !source.read_capabilities().changes {
        return Err(no_role(connection, "say from a log what was changed and deleted")
            .with_help("say sync = \"incremental\" or \"full\""));
    }
    if compares || mode != WriteMode::Upsert {
        let what = if compares {
            "a write-back sends what differs, which is more than a log says".to_owned()
        } else {
            format!("a log of changes cannot be written in the mode {mode}: its records come more than once")
        };
        return Err(Error::new(ErrorKind::Unsupported, what)
            .with_help("leave `sync` out, or say write = \"upsert\" towards a database"));
    }
    Ok(())
}

/// A task with everything decided that can be before it is claimed.
pub(crate) struct Prepared<'a> {
    source: &'a dyn Source,
    destination: &'a dyn Destination,
    pub(crate) store: Arc<dyn StateStore>,
    capabilities: Capabilities,
    store_is_destination: bool,
    /// Where intents and fates are kept, if the destination wants that.
    journal: Option<Arc<dyn Journal>>,
    /// What the job loses because its state is kept apart: a sentence each.
    apart: Vec<&'static str>,
    source_identity: Identity,
    destination_identity: Identity,
    pub(crate) mapping: Mapping,
    pub(crate) id: TaskId,
    mode: WriteMode,
    match_on: Vec<String>,
    incremental: bool,
    /// The source's log of changes is read.
    changed: bool,
    /// The field it advances by, where the stream names none or another one.
    cursor: Option<String>,
    /// What the task's filter is to this source.
    pub(crate) filtering: Filtering,
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
        let (own, others) = (destination.state_store(), source.state_store());
        let has_own = own.is_some();
        // A write-back's journal is the source's, and so is the state whose fence guards it.
        let own =
            own.filter(|_| !(capabilities.wants_journal && source.journal().is_some() && others.is_some()));
        // A journal checks the fence with the states it is kept with: it is of where the state is.
        let (store, store_is_destination, journal) = match (&job.state, own, others) {
            (Some(apart), _, _) => (Arc::clone(&apart.store), false, apart.journal.clone()),
            (None, Some(store), _) => (store, true, source.journal()),
            (None, None, Some(store)) => (store, false, source.journal()),
            (None, None, None) => {
                return Err(
                    Error::new(ErrorKind::Config, "neither side of the job can keep its state").with_help(
                        "say where it is kept: state = \"file:FOLDER\", or a connection that keeps states, such as a \
                         database",
                    ),
                );
            }
        };
        let journal = journal.filter(|_| capabilities.wants_journal);
        let spec = source.describe(&task.selection).await?;
        let mut match_on = task.match_on.clone();
        let mut mapping = Mapping::new(&spec.schema, &task.fields, &match_on)?;
        if match_on.is_empty() {
            match_on = mapping.schema.primary_key_names().map(str::to_owned).collect();
        }
        if task.write.is_some_and(WriteMode::is_naming) {
            // Nothing else needs to be read.
            mapping = mapping.only(&match_on)?;
        }
        let mode = task.write.unwrap_or(if match_on.is_empty() {
            WriteMode::Insert
        } else {
            WriteMode::Upsert
        });
        let keyed = matches!(mode, WriteMode::Update | WriteMode::Upsert);
        let compares = capabilities.wants_journal && keyed && source.journal().is_some();
        let apart = match &job.state {
            Some(_) => lost_apart(capabilities.transactional && has_own, mode, compares),
            None => Vec::new(),
        };
        let full = options.full || task.sync == Sync::Full;
        let changed = task.sync == Sync::Changed;
        if changed {
            check_log(source.as_ref(), from, task, mode, compares)?;
        }
        let cursor = chosen_cursor(task, from, spec.cursor.as_deref())?;
        let difference = compares && job.state.is_none();
        let filtering = Filtering::new(task.filter.as_ref(), from, &spec.schema, difference)?;
        let prepared = Self {
            source: from,
            destination: to,
            store,
            store_is_destination,
            difference,
            filtering,
            journal,
            apart,
            source_identity: source.identity().await?,
            destination_identity: destination.identity().await?,
            mapping,
            id: task.id(&job.name),
            mode,
            match_on,
            incremental: (spec.cursor.is_some() || cursor.is_some())
                && task.sync == Sync::Incremental
                && !mode.is_of_everything(),
            changed,
            cursor,
            full,
            batch_bytes: (options.memory_budget / 16).clamp(64 << 10, 16 << 20),
            capabilities,
        };
        let write = prepared.write_request(task, &prepared.nobody(), Vec::new());
        let name = format!("the connector `{}`", destination.name());
        prepared.capabilities.admit(&name, &write)?;
        Ok(prepared)
    }

    /// The fence of nobody, for plans.
    fn nobody(&self) -> Fence {
        Fence {
            task: self.id.clone(),
            epoch: 0,
            commit_no: 0,
        }
    }

    /// What both sides say they will do.
    async fn plan(&self, task: &Task) -> Result<TaskPlan> {
        let nobody = self.nobody();
        let read = self.read_request(task, &nobody, None);
        let mut plan = self.source.plan_read(&read).await?;
        plan.notes.extend(self.filtering.note());
        let write = self.write_request(task, &nobody, Vec::new());
        let mut delivery = self.apart.clone();
        if self.capabilities.transactional && self.store_is_destination {
            delivery.push("exactly once: rows, rejections and checkpoint commit together");
        } else if self.journal.is_some() {
            delivery.push(
                "every record's intent is stored before it is sent, and its fate afterwards; an unanswered request is sent again",
            );
        } else if self.apart.is_empty() {
            delivery.push(
                "at least once: after a crash, what was written since the last checkpoint is written again",
            );
        }
        Ok(TaskPlan {
            task: self.id.clone(),
            read: plan,
            write: self.destination.plan_write(&write).await?,
            delivery: delivery.into_iter().map(str::to_owned).collect(),
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

    /// The checkpoint, unless nothing that came before it was written: whoever went on from what a prune has read
    /// would miss rows.
    pub(crate) fn worth_keeping<'s>(&self, checkpoint: Option<&'s State>) -> Option<&'s State> {
        checkpoint.filter(|_| self.mode != WriteMode::Prune)
    }

    /// Whether the engine must save states itself.
    pub(crate) fn saves_state(&self) -> bool {
        !(self.capabilities.transactional && self.store_is_destination)
    }

    fn read_request(&self, task: &Task, fence: &Fence, state: Option<State>) -> ReadRequest {
        let sync = if self.difference {
            SyncMode::Difference(Difference {
                target: target_of(self.destination_identity.clone(), &task.target()),
                fence: fence.clone(),
                match_on: self.mapping.pairs_of(&self.match_on),
                fields: self.mapping.pairs_except(&self.match_on),
                full: self.full,
            })
        } else if self.changed {
            SyncMode::Changed
        } else if self.incremental {
            SyncMode::Incremental
        } else {
            SyncMode::FullRefresh
        };
        let mapped = self.mapping.fields.iter().map(|field| field.from.clone());
        let fields = self.filtering.fields(mapped.collect());
        ReadRequest::new(task.selection.clone(), self.id.clone())
            .with_fields(fields)
            .with_sync(sync)
            .with_filter(self.filtering.pushed_down())
            .with_cursor(self.cursor.clone())
            // What is of everything begins anew if it was cut short.
            .with_state(state.filter(|_| !self.full && !self.mode.is_of_everything()))
            .with_settle(task.settle)
            .with_batch_bytes(self.batch_bytes)
    }

    fn write_request(&self, task: &Task, fence: &Fence, open: Vec<connector_core::Ticket>) -> WriteRequest {
        let into = task.target();
        let journal = self.journal.as_ref().map(|journal| Journaled {
            journal: Arc::clone(journal),
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
            .with_nulls(task.nulls, task.nulls_of.clone())
            .with_deletes(task.deletes)
            .with_max_delete(task.max_delete)
            .with_drift(task.drift)
            .with_fence((!self.saves_state()).then(|| fence.clone()))
            .with_journal(journal)
            .with_origin(origin)
    }
}

/// The field that a task wants to read by, unless the stream is read by it anyway.
fn chosen_cursor(task: &Task, source: &dyn Source, own: Option<&str>) -> Result<Option<String>> {
    let Some(cursor) = task.cursor.as_deref().filter(|cursor| Some(*cursor) != own) else {
        return Ok(None);
    };
    if source.read_capabilities().cursors {
        return Ok(Some(cursor.to_owned()));
    }
    let error = no_role(source, &format!("be read by the cursor `{cursor}`"));
    Err(match own {
        Some(own) => error.with_help(format!("leave `cursor` out: the stream is read by `{own}`")),
        None => error.with_help("leave `cursor` out: the stream is read in full"),
    })
}

/// What a job loses because its state is kept elsewhere than it would be: in the destination, with the rows
/// (`exactly_once`), or with the source's journal (`compares`).
fn lost_apart(exactly_once: bool, mode: WriteMode, compares: bool) -> Vec<&'static str> {
    let mut lost = Vec::new();
    if exactly_once && mode == WriteMode::Insert {
        lost.push(
            "at least once instead of exactly once, the state being kept apart from the rows: after a crash, what was \
             written since the last checkpoint is written again and stands twice",
        );
    } else if exactly_once {
        lost.push(
            "at least once by key instead of exactly once, the state being kept apart from the rows: after a crash, \
             what was written since the last checkpoint is written again over itself",
        );
    }
    if compares {
        lost.push(
            "every record read is sent: a source leaves out what was confirmed only if it keeps the state",
        );
    }
    lost
}

/// Whether an object that is not ours to make has the fields that the mapping names: known without the source, which
/// an earlier job may still have to fill.
pub(crate) async fn check_fields(destination: &dyn Destination, task: &Task) -> Result<()> {
    let object = task.target();
    let spec = destination.describe(&Selection::Stream(object.clone())).await?;
    for name in task.fields.iter().map(|field| &field.to).chain(&task.match_on) {
        // A path to another object's field is the destination's own to follow.
        if name.contains('.') && spec.schema.field(name).is_none() {
            continue;
        }
        spec.schema
            .index_of(name)
            .map_err(|error| error.with_context("object", object.as_str()))?;
    }
    Ok(())
}
