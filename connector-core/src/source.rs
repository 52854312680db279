//! Reading: a plan, then a reader that emits batches and checkpoints.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;

use crate::batch::Batch;
use crate::catalog::Selection;
use crate::connector::Connector;
use crate::difference::Difference;
use crate::error::Result;
use crate::filter::Filter;
use crate::key::Key;
use crate::report::Rejection;
use crate::state::{State, TaskId};

/// A connection that can be read.
///
/// Each method names the checks of `connector-testkit`'s conformance suite that pin it.
#[async_trait]
pub trait Source: Connector {
    /// What it can be asked for. What it declares, the suite checks; what it does not declare, the engine does not ask.
    ///
    /// Pinned by `keys_read_their_records_and_no_others`, `at_first_everything_differs`, `deletes_arrive`,
    /// `a_filter_lets_through_what_passes_it`.
    fn read_capabilities(&self) -> ReadCapabilities;

    /// Says what [`reader`](Self::reader) would do: which API and why, how many requests. Moves no data.
    ///
    /// Pinned by `a_field_that_is_not_there_is_refused_by_name`,
    /// `a_filter_on_a_field_that_is_not_there_is_refused_by_name`,
    /// `a_cursor_that_is_not_there_is_refused_by_name`.
    ///
    /// # Errors
    /// Everything that can be known to be wrong before data moves.
    async fn plan_read(&self, request: &ReadRequest) -> Result<ReadPlan>;

    /// Starts to read.
    ///
    /// Pinned by `chosen_fields_come_in_their_order`, `the_source_key_comes_even_if_not_chosen`,
    /// `batches_keep_to_their_bytes`, `batches_keep_to_their_records`, `a_dropped_reader_leaves_nothing_behind`,
    /// `a_filter_lets_through_what_passes_it`, `a_filter_goes_with_an_incremental_read`, `a_filter_goes_with_keys`,
    /// `a_filter_goes_with_a_difference`,
    /// `a_state_of_another_system_is_refused`, `a_state_of_another_stream_is_refused`,
    /// `a_state_of_a_newer_version_is_refused`, `a_damaged_state_is_refused`, for a difference
    /// `a_difference_under_an_old_fence_is_refused`, and for a log `the_first_read_of_a_log_is_everything`.
    ///
    /// # Errors
    /// [`State`](crate::ErrorKind::State): the state is of another source or stream, or of a newer version, or lies
    /// behind what the source still remembers.
    async fn reader(&self, request: ReadRequest) -> Result<Box<dyn Reader>>;
}

/// One read of one stream.
///
/// The contract:
/// - A checkpoint covers everything emitted before it, rejections too; it may come with no records at all. What was
///   rejected before a checkpoint is not offered again.
/// - A field that the system has and a record lacks is null. Unset is for destinations: a read emits none.
/// - Reading on from a checkpoint's state may repeat records, and never skips one.
/// - After an error the reader is spent.
#[async_trait]
pub trait Reader: Send {
    /// The next event, `None` at the end. The last event of a read that has progress to remember is a checkpoint.
    ///
    /// Cancel-safe: a call dropped before it returned loses nothing.
    ///
    /// Pinned by `a_full_read_is_the_truth`, `text_comes_byte_for_byte`, `values_are_of_their_types`, `keys_are_unique`,
    /// `the_source_key_is_the_primary_key`, `sequence_numbers_are_unique`,
    /// `resuming_from_every_checkpoint_loses_nothing`, `an_incremental_read_ends_with_a_checkpoint`,
    /// `ties_across_batches_all_arrive`, `what_changes_while_it_is_read_is_not_lost`,
    /// `dropping_next_loses_nothing`, `memory_does_not_grow_with_the_stream`, and of a log
    /// `changes_of_a_log_arrive_in_order`, `a_changed_key_arrives_as_delete_and_put`,
    /// `resuming_a_log_from_every_checkpoint_loses_nothing`, `what_changes_while_a_log_is_read_is_not_lost`,
    /// `what_was_not_acknowledged_comes_again`.
    async fn next(&mut self) -> Result<Option<Event>>;

    /// Everything up to `state` is durable on the other side; the source may forget it, and nothing else.
    ///
    /// Pinned by `acknowledging_changes_nothing_that_is_read`, and of a log by
    /// `acknowledging_a_log_forgets_nothing_after_it`.
    async fn acknowledge(&mut self, state: &State) -> Result<()> {
        let _ = state;
        Ok(())
    }
}

/// What a reader emits.
#[derive(Debug)]
pub enum Event {
    /// Records.
    Records(Batch),
    /// Records that could not be made into rows; they count, and must not be lost from sight.
    Rejected(Vec<Rejection>),
    /// This many records were compared at the source and found as the other side has confirmed them: read, and not
    /// emitted.
    Unchanged(u64),
    /// `state` covers everything emitted before.
    Checkpoint {
        /// Where to go on from.
        state: State,
        /// To be committed at once: it remembers something dear, such as a job the server is working on.
        urgent: bool,
    },
}

/// What a source can do beyond a full read: what an engine must know before it makes a plan.
///
/// Whether a stream can be read incrementally is the stream's own matter: its spec has a
/// [`cursor`](crate::StreamSpec::cursor), or has none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReadCapabilities {
    /// It reads records by their keys: [`SyncMode::Keys`].
    pub keys: bool,
    /// It compares its records with what another system has confirmed: [`SyncMode::Difference`].
    pub difference: bool,
    /// Its incremental reads emit [`Op::Delete`](crate::Op::Delete) for records that are gone.
    pub deletes: bool,
    /// It reads queries in its own language: [`Selection::Query`].
    pub queries: bool,
    /// It keeps a log of what changes: [`SyncMode::Changed`].
    pub changes: bool,
    /// It reads only the records that pass a [`Filter`], in every mode but [`SyncMode::Changed`]: a log is read whole.
    pub filters: bool,
    /// Its incremental reads advance by the field that the request names.
    pub cursors: bool,
}

impl ReadCapabilities {
    /// Streams are read, and no more.
    pub const fn new() -> Self {
        Self {
            keys: false,
            difference: false,
            deletes: false,
            queries: false,
            changes: false,
            filters: false,
            cursors: false,
        }
    }

    /// It reads records by their keys.
    #[must_use]
    pub const fn with_keys(mut self) -> Self {
        self.keys = true;
        self
    }

    /// It can be the source of a write-back.
    #[must_use]
    pub const fn with_difference(mut self) -> Self {
        self.difference = true;
        self
    }

    /// It says which records are gone.
    #[must_use]
    pub const fn with_deletes(mut self) -> Self {
        self.deletes = true;
        self
    }

    /// It reads queries.
    #[must_use]
    pub const fn with_queries(mut self) -> Self {
        self.queries = true;
        self
    }

    /// It keeps a log of what changes.
    #[must_use]
    pub const fn with_changes(mut self) -> Self {
        self.changes = true;
        self
    }

    /// It reads only what passes a filter.
    #[must_use]
    pub const fn with_filters(mut self) -> Self {
        self.filters = true;
        self
    }

    /// It reads incrementally by any field.
    #[must_use]
    pub const fn with_cursors(mut self) -> Self {
        self.cursors = true;
        self
    }
}

/// What to read, and how.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ReadRequest {
    /// The stream or query.
    pub selection: Selection,
    /// The fields to read, in this order; empty: all readable ones.
    pub fields: Vec<String>,
    /// Which records.
    pub sync: SyncMode,
    /// Of those, the ones that pass; a source that does not declare [`filters`](ReadCapabilities::filters) is given none.
    pub filter: Option<Filter>,
    /// The field that an incremental read advances by, where the stream's spec names none or another is wanted; a source
    /// that does not declare [`cursors`](ReadCapabilities::cursors) is given none.
    pub cursor: Option<String>,
    /// Where to go on from; `None`: from the start. A full refresh goes on within itself: from the state of one that has
    /// ended, it begins anew.
    pub state: Option<State>,
    /// The task on whose behalf.
    pub task: TaskId,
    /// The time that is allowed for rows to become visible late: an incremental read stays that far behind the server's
    /// clock, or goes back as far; `None`: the connector's default.
    pub settle: Option<Duration>,
    /// Most bytes of a batch: it is cut once it has as many, so it may stand over by its last record.
    pub batch_bytes: usize,
    /// Most records of a batch.
    pub batch_records: usize,
}

impl ReadRequest {
    /// A full read of every field, in batches of a mebibyte.
    pub fn new(selection: Selection, task: TaskId) -> Self {
        Self {
            selection,
            fields: Vec::new(),
            sync: SyncMode::FullRefresh,
            filter: None,
            cursor: None,
            state: None,
            task,
            settle: None,
            batch_bytes: 1 << 20,
            batch_records: usize::MAX,
        }
    }

    /// The same with other fields.
    #[must_use]
    pub fn with_fields(mut self, fields: Vec<String>) -> Self {
        self.fields = fields;
        self
    }

    /// The same in another mode.
    #[must_use]
    pub fn with_sync(mut self, sync: SyncMode) -> Self {
        self.sync = sync;
        self
    }

    /// The same, of which only what passes `filter` is read.
    #[must_use]
    pub fn with_filter(mut self, filter: Option<Filter>) -> Self {
        self.filter = filter;
        self
    }

    /// The same, advancing by another field.
    #[must_use]
    pub fn with_cursor(mut self, cursor: Option<String>) -> Self {
        self.cursor = cursor;
        self
    }

    /// The same, going on from a state.
    #[must_use]
    pub fn with_state(mut self, state: Option<State>) -> Self {
        self.state = state;
        self
    }

    /// The same with another settle time.
    #[must_use]
    pub fn with_settle(mut self, settle: Option<Duration>) -> Self {
        self.settle = settle;
        self
    }

    /// The same with batches of another size.
    #[must_use]
    pub fn with_batch_bytes(mut self, bytes: usize) -> Self {
        self.batch_bytes = bytes;
        self
    }

    /// The same with batches of at most so many records.
    #[must_use]
    pub fn with_batch_records(mut self, records: usize) -> Self {
        self.batch_records = records;
        self
    }
}

/// Which records a read covers.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SyncMode {
    /// All of them.
    FullRefresh,
    /// Those changed since the state, by the stream's cursor; all of them where there is no state yet.
    Incremental,
    /// A log of what was put and deleted since the state, in the order in which it was committed; where there is no state
    /// yet, every record first, then the log. A record whose key changed is deleted under the old one, then put under
    /// the new one. Records may repeat; merged by key in their order, they lead to what is there. What was
    /// [acknowledged](Reader::acknowledge) may be forgotten: an older state is refused then, and nothing is skipped.
    Changed,
    /// Those whose mapped fields differ from what the other side has confirmed: the source of a write-back. The
    /// difference is stored as intents in the source's own journal before the first record is emitted.
    Difference(Difference),
    /// Those with these keys, as they are now: for a look, a dry run, a repair. No checkpoint comes of it; a key
    /// that does not exist is left out.
    Keys(Vec<Key>),
}

impl fmt::Display for SyncMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::FullRefresh => "full refresh",
            Self::Incremental => "incremental",
            Self::Changed => "changed",
            Self::Difference(_) => "difference",
            Self::Keys(_) => "keys",
        })
    }
}

/// What a read will do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReadPlan {
    /// The API or statement that is chosen, and why: a sentence each.
    pub notes: Vec<String>,
    /// About how many records, where the source can tell cheaply.
    pub records: Option<u64>,
    /// Requests the read takes, where they are counted.
    pub requests: Option<u64>,
}

impl ReadPlan {
    /// A plan that says one thing.
    pub fn new(note: impl Into<String>) -> Self {
        Self {
            notes: vec![note.into()],
            ..Self::default()
        }
    }

    /// The same with an estimate of the number of records.
    #[must_use]
    pub fn with_records(mut self, records: Option<u64>) -> Self {
        self.records = records;
        self
    }

    /// The same with the number of requests.
    #[must_use]
    pub fn with_requests(mut self, requests: Option<u64>) -> Self {
        self.requests = requests;
        self
    }
}
