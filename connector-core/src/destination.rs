//! Writing: a plan, then a writer whose commits are durable and whose reports know every record's fate.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;

use crate::batch::Batch;
use crate::catalog::StreamName;
use crate::connector::{Connector, Identity};
use crate::difference::Target;
use crate::error::{Error, ErrorKind, Result};
use crate::journal::{Journal, Ticket};
use crate::report::{CommitReport, Rejection};
use crate::schema::Schema;
use crate::state::{Fence, State, TaskId};

/// A connection that can be written to.
///
/// Each method names the checks of `connector-testkit`'s conformance suite that pin it.
#[async_trait]
pub trait Destination: Connector {
    /// What it can do. What it declares, the suite checks; what it does not declare, it refuses.
    ///
    /// Pinned by `a_mode_that_is_not_declared_is_refused`, `deletes_that_are_not_declared_are_refused`,
    /// `unset_leaves_alone`, `nulls_are_left_alone_where_they_are_to_be`, `deletes_are_carried_out`, `ignored_deletes_change_nothing`,
    /// `a_soft_delete_leaves_the_row`, `what_comes_back_is_no_longer_deleted`,
    /// `kept_fields_are_filled_and_left_alone`.
    fn capabilities(&self) -> Capabilities;

    /// Says what [`writer`](Self::writer) would make, change and send.
    ///
    /// Pinned by `planning_changes_nothing`, `the_plan_names_every_column`,
    /// `a_match_field_that_is_not_there_is_refused_by_name`, `an_object_that_is_not_there_is_refused`.
    ///
    /// # Errors
    /// Everything that can be known to be wrong before data moves: fields that are missing or read-only, types that
    /// do not fit, keys that are none, rights that are missing.
    async fn plan_write(&self, request: &WriteRequest) -> Result<WritePlan>;

    /// Starts to write: makes or changes what [`plan_write`](Self::plan_write) said, nothing else.
    ///
    /// Pinned by `odd_names_are_kept`, `names_that_differ_in_case_stay_apart`, `long_names_stay_apart`,
    /// `a_new_field_joins_and_old_rows_stay`, `a_field_that_is_gone_keeps_its_values`,
    /// `an_overwrite_can_begin_anew`.
    async fn writer(&self, request: WriteRequest) -> Result<Box<dyn Writer>>;
}

/// One write into one table or object.
///
/// The contract:
/// - [`commit`](Self::commit) returns when everything written and rejected before it is durable; a destination that
///   was given a fence stores the checkpoint in the same transaction as the rows, or neither.
/// - A destination that is not transactional refuses a fence, and leaves the checkpoint it is given to the engine.
/// - Records are found by [`WriteRequest::match_on`]; a rejection is known by the record's *source* key.
/// - A record that is there already as it should be, and a delete of what is not there, count as unchanged.
/// - An overwrite or a prune that resumes and finds nothing to go on with is refused, with or without a fence.
/// - A prune is refused at its end, and nothing is deleted, if its records named nothing, if one of them was rejected,
///   or if it would delete more than [`WriteRequest::max_delete`] of the table's rows; its rejections are kept, the
///   checkpoint is not. Its records count as unchanged, what it deletes as [`Counts::pruned`](crate::Counts::pruned).
/// - Dropping a writer abandons what was not committed.
/// - After an error the writer is spent; what it had committed stays.
#[async_trait]
pub trait Writer: Send {
    /// Takes records; they may become durable now or at the next commit.
    ///
    /// Pinned by `records_arrive_as_they_are`, `text_arrives_byte_for_byte`, `null_clears`, `unset_leaves_alone`,
    /// `nulls_are_left_alone_where_they_are_to_be`, `a_field_may_have_its_own_answer_to_nulls`,
    /// `the_last_of_several_in_a_batch_wins`, `named_records_are_deleted`, `a_history_keeps_every_version`,
    /// `the_same_again_makes_no_version`, `a_delete_ends_the_version`, `unset_is_as_in_the_version_before`,
    /// `a_flawed_record_is_rejected_alone`,
    /// `a_write_cut_short_can_be_made_again`, `memory_does_not_grow_with_what_is_written`, and with a journal
    /// `nothing_is_sent_that_is_not_journalled`, `every_record_gets_its_fate`, `a_lost_answer_is_no_success`.
    async fn write(&mut self, batch: Batch) -> Result<()>;

    /// Takes records that were refused before they got here: stored with, and counted as, the writer's own.
    ///
    /// Pinned by `what_was_rejected_before_is_counted`, `a_prune_with_a_rejected_record_is_refused`.
    async fn reject(&mut self, rejected: Vec<Rejection>) -> Result<()>;

    /// Makes everything so far durable, with `checkpoint`; reports the fate of every record since the last commit.
    ///
    /// Pinned by `every_record_is_accounted_for`, `each_commit_reports_its_own_records`,
    /// `the_last_version_of_a_commit_is_kept`, `nothing_shows_before_the_commit`, `a_dropped_writer_abandons`, `the_checkpoint_is_stored_with_the_rows`,
    /// `a_commit_cut_short_is_whole_or_nothing`, `an_old_fence_cannot_commit`,
    /// `a_holder_that_missed_a_commit_cannot_commit`.
    ///
    /// # Errors
    /// [`Conflict`](crate::ErrorKind::Conflict): the fence is no longer the newest; nothing was kept.
    async fn commit(&mut self, checkpoint: Option<&State>) -> Result<CommitReport>;

    /// The last commit; publishes what an overwrite has built, and deletes what a prune was not named.
    ///
    /// Pinned by `a_finished_write_can_be_seen_by_everyone`, `an_overwrite_leaves_only_what_was_written`,
    /// `an_overwrite_shows_the_old_until_it_ends`, `a_dropped_overwrite_leaves_the_old`,
    /// `an_overwrite_goes_on_where_it_was`, `an_old_fence_cannot_publish`, `a_prune_removes_what_was_not_named`,
    /// `a_prune_removes_nothing_before_it_ends`, `an_empty_prune_is_refused`, `a_prune_of_too_much_is_refused`,
    /// `a_prune_spares_what_came_since`, `a_prune_goes_on_where_it_was`.
    ///
    /// # Errors
    /// As [`commit`](Self::commit). Of a prune also [`Data`](crate::ErrorKind::Data): its records named nothing, or
    /// one of them was rejected; and [`Conflict`](crate::ErrorKind::Conflict): it would delete more than it may.
    async fn finish(self: Box<Self>, checkpoint: Option<&State>) -> Result<CommitReport>;
}

/// What a destination can do: what an engine must know before it makes a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Capabilities {
    /// The modes it can write in.
    pub modes: Vec<WriteMode>,
    /// Whether it stores a checkpoint in the transaction of its rows, given a fence.
    pub transactional: bool,
    /// Whether it makes tables from a schema.
    pub creates: bool,
    /// Whether each record's intent should be journalled before it is sent: the system cannot take part in a
    /// transaction.
    pub wants_journal: bool,
    /// Whether a record may leave fields unset, so that they keep the value they have; then a null can do the same
    /// ([`WriteRequest::nulls`]).
    pub partial: bool,
    /// What can become of records with [`Op::Delete`](crate::Op::Delete); none: such a record is rejected.
    pub deletes: Vec<Deletes>,
    /// Whether [`WriteRequest::keep`] is honoured.
    pub keeps: bool,
}

impl Capabilities {
    /// A destination that writes in `modes` and has no other talent.
    pub fn new(modes: Vec<WriteMode>) -> Self {
        Self {
            modes,
            transactional: false,
            creates: false,
            wants_journal: false,
            partial: false,
            deletes: Vec::new(),
            keeps: false,
        }
    }

    /// It stores checkpoints with its rows.
    #[must_use]
    pub fn transactional(mut self) -> Self {
        self.transactional = true;
        self
    }

    /// It makes its tables.
    #[must_use]
    pub fn creating(mut self) -> Self {
        self.creates = true;
        self
    }

    /// It wants a journal.
    #[must_use]
    pub fn journalled(mut self) -> Self {
        self.wants_journal = true;
        self
    }

    /// It leaves alone what a record leaves unset.
    #[must_use]
    pub fn partial(mut self) -> Self {
        self.partial = true;
        self
    }

    /// It deletes records.
    #[must_use]
    pub fn deleting(self) -> Self {
        self.taking(Deletes::Hard)
    }

    /// It marks records as deleted.
    #[must_use]
    pub fn marking_deleted(self) -> Self {
        self.taking(Deletes::Soft)
    }

    /// It leaves alone what is said to be gone.
    #[must_use]
    pub fn ignoring_deletes(self) -> Self {
        self.taking(Deletes::Ignore)
    }

    fn taking(mut self, deletes: Deletes) -> Self {
        self.deletes.push(deletes);
        self
    }

    /// It fills fields of new records that it leaves alone in existing ones.
    #[must_use]
    pub fn keeping(mut self) -> Self {
        self.keeps = true;
        self
    }

    /// Refuses a write that `destination`, which declares this, cannot do, or that nobody could.
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`]: a mode, an answer to deletes or an answer to nulls that is not declared.
    /// [`ErrorKind::Schema`]: an answer to the nulls of a field that is not written. [`ErrorKind::Config`]: a mode and an
    /// answer to deletes that make no sense together, or a limit that is none.
    pub fn admit(&self, destination: &str, request: &WriteRequest) -> Result<()> {
        let WriteRequest { mode, deletes, .. } = request;
        if !self.modes.contains(mode) {
            let message = format!("{destination} cannot be written in the mode {mode}");
            return Err(Error::new(ErrorKind::Unsupported, message)
                .with_help(format!("say write = \"{}\"", listed(&self.modes))));
        }
        // A destination that takes no deletes at all rejects them one by one.
        if *deletes != Deletes::Hard && !self.deletes.contains(deletes) {
            let message = format!("{destination} cannot take deletes as {deletes}");
            let error = Error::new(ErrorKind::Unsupported, message);
            return Err(match self.deletes.as_slice() {
                [] => error.with_help("leave `deletes` out"),
                known => error.with_help(format!("say deletes = \"{}\"", listed(known))),
            });
        }
        let of_fields = request.nulls_of.iter();
        if !self.partial
            && of_fields
                .map(|(_, nulls)| nulls)
                .chain([&request.nulls])
                .any(|nulls| *nulls == Nulls::Leave)
        {
            let message = format!("{destination} cannot leave fields of a record alone");
            return Err(Error::new(ErrorKind::Unsupported, message)
                .with_help("leave `nulls` out: a null clears its field"));
        }
        for (field, _) in &request.nulls_of {
            request.schema.index_of(field)?;
        }
        let (wrong, help) = match (mode, deletes) {
            (WriteMode::Delete | WriteMode::Prune, Deletes::Ignore) => (
                format!("a write in the mode {mode} that ignores deletes does nothing"),
                "say deletes = \"hard\" or \"soft\"",
            ),
            (WriteMode::Overwrite, Deletes::Soft) => (
                "an overwrite leaves no row behind that could be marked as deleted".to_owned(),
                "say deletes = \"hard\", or write in the mode upsert",
            ),
            _ if !(0.0..=1.0).contains(&request.max_delete) => (
                format!(
                    "`max_delete` is {}, and a part is between 0 and 1",
                    request.max_delete
                ),
                "say which part of the rows may go: max_delete = 0.2 is a fifth of them",
            ),
            _ => return Ok(()),
        };
        Err(Error::new(ErrorKind::Config, wrong).with_help(help))
    }
}

fn listed(words: &[impl fmt::Display]) -> String {
    let words: Vec<String> = words.iter().map(ToString::to_string).collect();
    words.join("\" or \"")
}

/// What writing a record means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum WriteMode {
    /// New records only.
    Insert,
    /// Existing records only.
    Update,
    /// Existing records are updated, others created.
    Upsert,
    /// The table becomes exactly what was read.
    Overwrite,
    /// Every version of a record stays as a row of its own, with the time from which and up to which it was valid:
    /// [`VALID_FROM`](Self::VALID_FROM), [`VALID_TO`](Self::VALID_TO), and [`CURRENT`](Self::CURRENT) in the one row
    /// that still is. A record equal to its current version is unchanged; one that differs ends that version and
    /// begins another at the same instant; a delete ends it, [`Deletes::Hard`] or not. Of several versions within one
    /// commit the last counts. What a record leaves unset, and what [`WriteRequest::keep`] names, is as in the current
    /// version.
    History,
    /// Records name what is to be deleted, whatever their [`Op`](crate::Op); only the fields that are matched on
    /// count.
    Delete,
    /// Records name what still exists; at the end, the rows that none of them named are deleted. Only the fields that
    /// are matched on count. Nothing is touched before [`Writer::finish`], and a row that was made or changed since
    /// the writer was made stays: the sweep may have been past its place by then.
    Prune,
}

impl WriteMode {
    /// The field of a history in which a version begins to be valid.
    pub const VALID_FROM: &str = "_valid_from";
    /// The field of a history at which a version is valid no more; null in the current one.
    pub const VALID_TO: &str = "_valid_to";
    /// The field of a history that is true in the current version of each record, and false in all others.
    pub const CURRENT: &str = "_current";

    /// Whether records only name others: nothing of them counts but the fields that are matched on.
    pub fn is_naming(self) -> bool {
        matches!(self, Self::Delete | Self::Prune)
    }

    /// Whether it needs all records of its source to be read, from the first to the last.
    pub fn is_of_everything(self) -> bool {
        matches!(self, Self::Overwrite | Self::Prune)
    }
}

impl fmt::Display for WriteMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Insert => "insert",
            Self::Update => "update",
            Self::Upsert => "upsert",
            Self::Overwrite => "overwrite",
            Self::History => "history",
            Self::Delete => "delete",
            Self::Prune => "prune",
        })
    }
}

/// What becomes of a row whose record is gone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Deletes {
    /// It stays as it is; the record counts as unchanged.
    Ignore,
    /// It stays, and [`DELETED_AT`](Self::DELETED_AT) says since when it is gone, until a record with its key is put
    /// again. What is marked already is unchanged.
    Soft,
    /// It goes.
    #[default]
    Hard,
}

impl Deletes {
    /// The field that marks a row as deleted: an instant; null in a row that is there.
    pub const DELETED_AT: &str = "_deleted_at";
}

impl fmt::Display for Deletes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ignore => "ignore",
            Self::Soft => "soft",
            Self::Hard => "hard",
        })
    }
}

/// What a null does to the field it is written to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Nulls {
    /// It clears the field.
    #[default]
    Clear,
    /// It leaves the field alone, as [`Unset`](crate::Value::Unset) does.
    Leave,
}

impl fmt::Display for Nulls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Clear => "clear",
            Self::Leave => "leave",
        })
    }
}

/// What happens when the other side no longer holds the value that a write-back had confirmed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Drift {
    /// The confirmation is dropped, so that the next write-back sends the value again.
    #[default]
    Overwrite,
    /// The other side's value is left alone, and counted.
    Report,
}

/// Where the records of a write come from, for the fingerprints of a write-back that went the other way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The source and the stream read there.
    pub target: Target,
    /// Each field written: its name here, and at the source.
    pub fields: Vec<(String, String)>,
}

/// What to write, and how.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct WriteRequest {
    /// The table or object.
    pub stream: StreamName,
    /// The records' shape, under the destination's names.
    pub schema: Arc<Schema>,
    /// What writing means.
    pub mode: WriteMode,
    /// The fields that find the record to change; empty for an insert.
    pub match_on: Vec<String>,
    /// Fields that are filled for new records and not overwritten in existing ones.
    pub keep: Vec<String>,
    /// What a null does to its field.
    pub nulls: Nulls,
    /// Fields whose nulls do something else than [`nulls`](Self::nulls) says.
    pub nulls_of: Vec<(String, Nulls)>,
    /// What becomes of rows whose records are gone.
    pub deletes: Deletes,
    /// The largest part of a table's rows that a prune may delete, from 0 to 1.
    pub max_delete: f64,
    /// What to do when the other side changed a value that was written back.
    pub drift: Drift,
    /// The task on whose behalf.
    pub task: TaskId,
    /// The task's fence: given, the destination keeps the task's state itself.
    pub fence: Option<Fence>,
    /// The records go on from a checkpoint of an earlier run. An overwrite goes on with what that run has built;
    /// otherwise it begins anew.
    pub resumes: bool,
    /// Where intents and fates are to be kept; `None`: nowhere.
    pub journal: Option<Journaled>,
    /// Where the records come from, if the destination keeps journals of writes to there.
    pub origin: Option<Origin>,
}

/// A journal to write under a fence, and what an earlier run left open in it.
#[derive(Clone, Debug)]
pub struct Journaled {
    /// The journal.
    pub journal: Arc<dyn Journal>,
    /// The fence.
    pub fence: Fence,
    /// The other side, as the journal knows it.
    pub target: Target,
    /// Work the other side may still be doing for an earlier run: to be looked up before anything is sent.
    pub open: Vec<Ticket>,
}

impl WriteRequest {
    /// The part of a table's rows that a prune may delete unless it is told another: a fifth.
    pub const MAX_DELETE: f64 = 0.2;

    /// A write into `stream`, without a fence, a journal or fields to keep.
    pub fn new(stream: StreamName, schema: Arc<Schema>, mode: WriteMode, task: TaskId) -> Self {
        Self {
            stream,
            schema,
            mode,
            match_on: Vec::new(),
            keep: Vec::new(),
            nulls: Nulls::default(),
            nulls_of: Vec::new(),
            deletes: Deletes::default(),
            max_delete: Self::MAX_DELETE,
            drift: Drift::default(),
            task,
            fence: None,
            resumes: false,
            journal: None,
            origin: None,
        }
    }

    /// The same with a key.
    #[must_use]
    pub fn with_match_on(mut self, fields: Vec<String>) -> Self {
        self.match_on = fields;
        self
    }

    /// The same with fields to keep.
    #[must_use]
    pub fn with_keep(mut self, fields: Vec<String>) -> Self {
        self.keep = fields;
        self
    }

    /// The same with another answer to nulls, and the fields that have one of their own.
    #[must_use]
    pub fn with_nulls(mut self, nulls: Nulls, of_fields: Vec<(String, Nulls)>) -> Self {
        self.nulls = nulls;
        self.nulls_of = of_fields;
        self
    }

    /// What a null does to `field`.
    pub fn nulls_of(&self, field: &str) -> Nulls {
        let own = self.nulls_of.iter().find(|(name, _)| name == field);
        own.map_or(self.nulls, |(_, nulls)| *nulls)
    }

    /// The records of `batch`, unset where they hold a null that leaves its field alone. A key is never left out.
    #[must_use]
    pub fn leave_nulls(&self, batch: Batch) -> Batch {
        if self.nulls == Nulls::Clear && self.nulls_of.is_empty() {
            return batch;
        }
        let fields = batch.schema().fields().iter().enumerate();
        let left = fields.filter(|(_, field)| {
            self.nulls_of(&field.name) == Nulls::Leave && !self.match_on.contains(&field.name)
        });
        let left: Vec<usize> = left.map(|(position, _)| position).collect();
        batch.unset_nulls(&left)
    }

    /// The same with another answer to deletes.
    #[must_use]
    pub fn with_deletes(mut self, deletes: Deletes) -> Self {
        self.deletes = deletes;
        self
    }

    /// The same with another limit for a prune.
    #[must_use]
    pub fn with_max_delete(mut self, part: f64) -> Self {
        self.max_delete = part;
        self
    }

    /// The same with another answer to drift.
    #[must_use]
    pub fn with_drift(mut self, drift: Drift) -> Self {
        self.drift = drift;
        self
    }

    /// The same under a fence.
    #[must_use]
    pub fn with_fence(mut self, fence: Option<Fence>) -> Self {
        self.fence = fence;
        self
    }

    /// The same, going on from a checkpoint or not.
    #[must_use]
    pub fn with_resumes(mut self, resumes: bool) -> Self {
        self.resumes = resumes;
        self
    }

    /// The same with a journal.
    #[must_use]
    pub fn with_journal(mut self, journal: Option<Journaled>) -> Self {
        self.journal = journal;
        self
    }

    /// The same with an origin.
    #[must_use]
    pub fn with_origin(mut self, origin: Option<Origin>) -> Self {
        self.origin = origin;
        self
    }
}

/// The target of a write: the connection's identity and the object.
pub fn target_of(identity: Identity, stream: &StreamName) -> Target {
    Target {
        identity,
        object: stream.as_str().to_owned(),
    }
}

/// What a write will do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct WritePlan {
    /// What is made or changed, the API that is chosen, and why: a sentence each.
    pub notes: Vec<String>,
    /// One line per field.
    pub columns: Vec<ColumnPlan>,
}

/// What becomes of one field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ColumnPlan {
    /// The field, under the destination's name.
    pub name: String,
    /// The core's type.
    pub from: String,
    /// The destination's type, in its own words.
    pub to: String,
    /// Whether every value arrives unchanged; a value that would not is rejected.
    pub lossless: bool,
    /// Why values arrive as they do, where there is something to say: a sentence without its full stop.
    pub reason: Option<String>,
}

impl WritePlan {
    /// A plan that says one thing.
    pub fn new(note: impl Into<String>) -> Self {
        Self {
            notes: vec![note.into()],
            columns: Vec::new(),
        }
    }

    /// The same with columns.
    #[must_use]
    pub fn with_columns(mut self, columns: Vec<ColumnPlan>) -> Self {
        self.columns = columns;
        self
    }
}
