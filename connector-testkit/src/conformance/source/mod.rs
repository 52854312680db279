//! The contract of [`Source`](connector_core::Source) and [`Reader`](connector_core::Reader).

mod cancel;
mod catalog;
mod checkpoint;
mod difference;
mod filter;
mod incremental;
mod keys;
mod limits;
mod log;
mod read;

use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;
use connector_core::{
    Batch, Connector, Key, ReadRequest, Reader, Result, Selection, Source, State, StreamSpec, SyncMode,
    TaskId,
};

use super::limits::memory_in_use;
use super::need::Need;
use super::sample;
use super::suite::{Listed, Suite, check};
use super::taken::Reading;
use super::verdict::Failure;

/// A system with one stream to read, under the control of a test.
///
/// A new one has no records, and a log of changes, where it keeps one, is ready for [`source_task`]. What the suite asks for happens the way it would for the system's own users: not through
/// the connector under test.
#[async_trait]
pub trait SourceSystem: Send + Sync + 'static {
    /// A new connection, as a program that was just started would make it.
    fn connect(&self) -> Arc<dyn Connector>;

    /// The stream.
    fn selection(&self) -> Selection;

    /// Adds `count` records at once, each different: with the same time of change, if the system stamps one.
    async fn add(&self, count: usize);

    /// Adds a record for each of `texts`, which holds it in one of its fields; false where that cannot be done.
    async fn add_texts(&self, texts: &[String]) -> bool {
        let _ = texts;
        false
    }

    /// The texts to [add](Self::add_texts); leave out only what the system is documented to change.
    fn texts(&self) -> Vec<String> {
        sample::texts()
    }

    /// Changes the `count` oldest records.
    async fn change(&self, count: usize);

    /// Removes the `count` oldest records. Asked only of a source that says it sees deletes.
    async fn remove(&self, count: usize) {
        unimplemented_here("remove", count);
    }

    /// Gives the `count` oldest records keys that no record had; false where that cannot be done.
    async fn rekey(&self, count: usize) -> bool {
        let _ = count;
        false
    }

    /// The records there are, as a perfect reader would emit them.
    async fn truth(&self) -> Batch;

    /// Lets time pass, until everything there is can be seen by an incremental read.
    async fn settle(&self) {}

    /// A key of the right form that no record has.
    fn missing_key(&self) -> Option<Key> {
        None
    }

    /// The field to read incrementally by, where the stream's description names none.
    fn cursor(&self) -> Option<String> {
        None
    }

    /// Another stream of the same system.
    fn another_selection(&self) -> Option<Selection> {
        None
    }

    /// A connection to another system of the same kind, which has the same streams.
    fn connect_elsewhere(&self) -> Option<Arc<dyn Connector>> {
        None
    }

    /// The secrets that the connection was given.
    fn secrets(&self) -> Vec<String> {
        Vec::new()
    }

    /// Whether tens of thousands of records can be [added](Self::add) within seconds.
    fn is_large(&self) -> bool {
        true
    }
}

fn unimplemented_here(what: &str, count: usize) {
    assert_eq!(count, 0, "the test system must implement `{what}`");
}

impl Suite {
    /// Checks for the [`Source`] called `name`; `system` makes a new system for each.
    pub fn source<S, F>(
        name: impl Into<String>,
        system: impl Fn() -> F + Clone + Send + Sync + 'static,
    ) -> Self
    where
        S: SourceSystem,
        F: Future<Output = S> + Send + 'static,
    {
        Self::over(
            name.into(),
            CHECKS,
            move || {
                let starting = system();
                Box::pin(async move { Box::new(starting.await) as Box<dyn SourceSystem> })
            },
            |system| Box::pin(declared(system)),
        )
    }
}

async fn declared(system: &dyn SourceSystem) -> Result<BTreeSet<Need>, Failure> {
    let connection = system.connect();
    let capabilities = source(&*connection)?.read_capabilities();
    let spec = connection.describe(&system.selection()).await?;
    let needs = [
        (Need::PrimaryKey, !spec.schema.primary_key().is_empty()),
        (Need::Incremental, spec.cursor.or(system.cursor()).is_some()),
        (Need::Texts, system.add_texts(&[]).await),
        (Need::Keys, capabilities.keys),
        (Need::MissingKey, system.missing_key().is_some()),
        (Need::Cursors, capabilities.cursors),
        (Need::Filters, capabilities.filters),
        (Need::Difference, capabilities.difference),
        (Need::Deletes, capabilities.deletes),
        (Need::Changes, capabilities.changes),
        (Need::Rekeys, system.rekey(0).await),
        (Need::AnotherStream, system.another_selection().is_some()),
        (Need::AnotherSystem, system.connect_elsewhere().is_some()),
        (Need::Secrets, !system.secrets().is_empty()),
        (
            Need::MemoryFigures,
            memory_in_use().is_some() && system.is_large(),
        ),
    ];
    Ok(needs
        .into_iter()
        .filter_map(|(need, has)| has.then_some(need))
        .collect())
}

/// The connection in the role that is tested.
fn source(connection: &dyn Connector) -> Result<&dyn Source, Failure> {
    connection
        .as_source()
        .ok_or_else(|| Failure::new("`as_source` says that the connection cannot be read"))
}

/// The task on whose behalf the suite of a source reads: whoever keeps a log for each task makes it for this one.
pub fn source_task() -> TaskId {
    TaskId::new("conformance", "source")
}

/// A full read in small batches.
fn request(system: &dyn SourceSystem) -> ReadRequest {
    ReadRequest::new(system.selection(), source_task()).with_batch_bytes(2 << 10)
}

/// An incremental read in small batches, going on from `state`.
fn since(system: &dyn SourceSystem, state: Option<State>) -> ReadRequest {
    request(system)
        .with_sync(SyncMode::Incremental)
        .with_cursor(system.cursor())
        .with_state(state)
}

/// Opens a reader over a new connection: nothing is remembered but what the request says.
async fn open(system: &dyn SourceSystem, request: ReadRequest) -> Result<Box<dyn Reader>, Failure> {
    Ok(source(&*system.connect())?.reader(request).await?)
}

/// Reads to the end over a new connection.
async fn read(system: &dyn SourceSystem, request: ReadRequest) -> Result<Reading, Failure> {
    Ok(Reading::of(open(system, request).await?).await?)
}

async fn spec(system: &dyn SourceSystem) -> Result<StreamSpec, Failure> {
    Ok(system.connect().describe(&system.selection()).await?)
}

/// Every check, with what it needs.
const CHECKS: &[Listed<dyn SourceSystem>] = &[
    check!(catalog::every_handle_has_the_same_identity),
    check!(catalog::systems_have_identities_of_their_own, AnotherSystem),
    check!(catalog::a_connection_that_works_passes_its_check),
    check!(catalog::what_was_used_is_never_used_less),
    check!(catalog::the_stream_is_listed),
    check!(catalog::a_description_stays_the_same),
    check!(catalog::the_primary_key_can_be_read, PrimaryKey),
    check!(catalog::a_stream_that_is_not_there_is_not_found),
    check!(read::a_full_read_is_the_truth),
    check!(read::a_full_read_can_be_repeated),
    check!(read::an_empty_stream_reads_empty),
    check!(read::values_are_of_their_types),
    check!(read::text_comes_byte_for_byte, Texts),
    check!(read::fields_that_are_never_null_never_are),
    check!(read::keys_are_unique, PrimaryKey),
    check!(read::the_source_key_is_the_primary_key, PrimaryKey),
    check!(read::sequence_numbers_are_unique),
    check!(read::batches_keep_to_their_bytes),
    check!(read::batches_keep_to_their_records),
    check!(read::chosen_fields_come_in_their_order),
    check!(read::the_source_key_comes_even_if_not_chosen, PrimaryKey),
    check!(read::a_field_that_is_not_there_is_refused_by_name),
    check!(
        checkpoint::an_incremental_read_ends_with_a_checkpoint,
        Incremental
    ),
    check!(checkpoint::an_empty_read_has_a_checkpoint_too, Incremental),
    check!(
        checkpoint::resuming_from_every_checkpoint_loses_nothing,
        Incremental,
        PrimaryKey
    ),
    check!(checkpoint::resuming_a_full_read_loses_nothing, PrimaryKey),
    check!(checkpoint::resuming_goes_forward, Incremental, PrimaryKey),
    check!(checkpoint::a_state_survives_storage, Incremental, PrimaryKey),
    check!(
        checkpoint::a_state_of_another_system_is_refused,
        Incremental,
        AnotherSystem
    ),
    check!(
        checkpoint::a_state_of_another_stream_is_refused,
        Incremental,
        AnotherStream
    ),
    check!(checkpoint::a_state_of_a_newer_version_is_refused, Incremental),
    check!(checkpoint::a_damaged_state_is_refused, Incremental),
    check!(
        checkpoint::acknowledging_changes_nothing_that_is_read,
        Incremental,
        PrimaryKey
    ),
    check!(incremental::the_first_incremental_read_is_everything, Incremental),
    check!(incremental::what_was_added_arrives, Incremental, PrimaryKey),
    check!(incremental::what_was_changed_arrives, Incremental, PrimaryKey),
    check!(
        incremental::nothing_is_invented_where_nothing_changed,
        Incremental
    ),
    check!(
        incremental::ties_across_batches_all_arrive,
        Incremental,
        PrimaryKey
    ),
    check!(
        incremental::what_changes_while_it_is_read_is_not_lost,
        Incremental,
        PrimaryKey
    ),
    check!(
        incremental::an_old_state_still_leads_to_the_truth,
        Incremental,
        PrimaryKey
    ),
    check!(
        incremental::a_cursor_that_is_not_there_is_refused_by_name,
        Cursors
    ),
    check!(incremental::deletes_arrive, Incremental, PrimaryKey, Deletes),
    check!(log::the_first_read_of_a_log_is_everything, Changes, PrimaryKey),
    check!(log::changes_of_a_log_arrive_in_order, Changes, PrimaryKey),
    check!(
        log::a_changed_key_arrives_as_delete_and_put,
        Changes,
        PrimaryKey,
        Rekeys
    ),
    check!(
        log::resuming_a_log_from_every_checkpoint_loses_nothing,
        Changes,
        PrimaryKey
    ),
    check!(
        log::what_changes_while_a_log_is_read_is_not_lost,
        Changes,
        PrimaryKey
    ),
    check!(log::what_was_not_acknowledged_comes_again, Changes, PrimaryKey),
    check!(
        log::acknowledging_a_log_forgets_nothing_after_it,
        Changes,
        PrimaryKey
    ),
    check!(keys::keys_read_their_records_and_no_others, Keys, PrimaryKey),
    check!(
        keys::keys_that_are_not_there_are_left_out,
        Keys,
        PrimaryKey,
        MissingKey
    ),
    check!(keys::reading_keys_makes_no_checkpoint, Keys, PrimaryKey),
    check!(keys::no_keys_read_nothing, Keys, PrimaryKey),
    check!(filter::a_filter_lets_through_what_passes_it, Filters),
    check!(
        filter::a_filter_goes_with_an_incremental_read,
        Filters,
        Incremental
    ),
    check!(filter::a_filter_goes_with_keys, Filters, Keys, PrimaryKey),
    check!(
        filter::a_filter_goes_with_a_difference,
        Filters,
        Difference,
        PrimaryKey
    ),
    check!(
        filter::a_filter_on_a_field_that_is_not_there_is_refused_by_name,
        Filters
    ),
    check!(difference::at_first_everything_differs, Difference, PrimaryKey),
    check!(
        difference::what_was_confirmed_is_counted_and_left_out,
        Difference,
        PrimaryKey
    ),
    check!(
        difference::what_changed_since_is_offered_again,
        Difference,
        PrimaryKey
    ),
    check!(
        difference::what_was_sent_without_an_answer_is_offered_again,
        Difference,
        PrimaryKey
    ),
    check!(
        difference::what_was_rejected_is_offered_again,
        Difference,
        PrimaryKey
    ),
    check!(
        difference::what_was_released_is_offered_again,
        Difference,
        PrimaryKey
    ),
    check!(difference::another_target_starts_empty, Difference, PrimaryKey),
    check!(
        difference::a_full_difference_offers_everything,
        Difference,
        PrimaryKey
    ),
    check!(
        difference::a_difference_under_an_old_fence_is_refused,
        Difference,
        PrimaryKey
    ),
    check!(
        difference::an_old_fence_stores_nothing_in_the_journal,
        Difference,
        PrimaryKey
    ),
    check!(cancel::dropping_next_loses_nothing),
    check!(cancel::a_dropped_reader_leaves_nothing_behind),
    check!(limits::secrets_are_never_shown, Secrets),
    check!(limits::memory_does_not_grow_with_the_stream, MemoryFigures),
];
