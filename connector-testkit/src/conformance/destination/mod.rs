//! The contract of [`Destination`](connector_core::Destination) and [`Writer`](connector_core::Writer).

mod account;
mod commit;
mod deletes;
mod fence;
mod history;
mod journal;
mod limits;
mod modes;
mod names;
mod overwrite;
mod plan;
mod prune;
mod schema;
mod values;
mod write;

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

use async_trait::async_trait;
use connector_core::{Batch, Connector, Deletes, Destination, Schema, StreamName, WriteMode};

use super::limits::memory_in_use;
use super::need::Need;
use super::sample;
use super::suite::{Listed, Suite, check};
use super::verdict::Failure;

/// A system with one table or object to write to, under the control of a test.
///
/// A new one has no records in it; where the destination makes its tables, not even the table. What the suite looks
/// at is what the system's own users would see: not read through the writer under test.
#[async_trait]
pub trait DestinationSystem: Send + Sync + 'static {
    /// A new connection, as a program that was just started would make it.
    fn connect(&self) -> Arc<dyn Connector>;

    /// The table or object.
    fn stream(&self) -> StreamName;

    /// The shape of the records to write; its primary key is what updates and upserts match on. A text without a
    /// limit should be among its fields.
    fn schema(&self) -> Arc<Schema> {
        sample::schema()
    }

    /// The records with these numbers, as of `version`: the same number has the same key in every version.
    fn records(&self, numbers: Range<usize>, version: usize) -> Batch {
        sample::records(&self.schema(), numbers, version)
    }

    /// Makes the records with these numbers exist as of version 0, and the table or object with them.
    async fn prepare(&self, numbers: Range<usize>);

    /// What stands in `stream`, as records of `schema`; `None` where there is no such table or object. A field that
    /// is not there is unset.
    async fn rows(&self, stream: &StreamName, schema: &Arc<Schema>) -> Option<Batch>;

    /// Those of them that count as being there: without what a soft delete has marked, and of a history the current
    /// versions.
    async fn current(&self, stream: &StreamName, schema: &Arc<Schema>) -> Option<Batch> {
        self.rows(stream, schema).await
    }

    /// Texts that must arrive as they are; leave out only what the system is documented to change.
    fn texts(&self) -> Vec<String> {
        sample::texts()
    }

    /// The record with this number in a form that the system must refuse, if there is one.
    fn flawed(&self, number: usize) -> Option<Batch> {
        let _ = number;
        None
    }

    /// Lets the system apply the next `requests` writes and lose their answers; false where that cannot be done.
    fn lose_answers(&self, requests: usize) -> bool {
        let _ = requests;
        false
    }

    /// The secrets that the connection was given.
    fn secrets(&self) -> Vec<String> {
        Vec::new()
    }

    /// Whether tens of thousands of records can be written within seconds.
    fn is_large(&self) -> bool {
        true
    }
}

impl Suite {
    /// Checks for the [`Destination`] called `name`; `system` makes a new system for each.
    pub fn destination<S, F>(
        name: impl Into<String>,
        system: impl Fn() -> F + Clone + Send + Sync + 'static,
    ) -> Self
    where
        S: DestinationSystem,
        F: Future<Output = S> + Send + 'static,
    {
        Self::over(
            name.into(),
            CHECKS,
            move || {
                let starting = system();
                Box::pin(async move { Box::new(starting.await) as Box<dyn DestinationSystem> })
            },
            |system| Box::pin(std::future::ready(declared(system))),
        )
    }
}

fn declared(system: &dyn DestinationSystem) -> Result<BTreeSet<Need>, Failure> {
    let capabilities = destination(&*system.connect())?.capabilities();
    let has = |mode| capabilities.modes.contains(&mode);
    let keyed = has(WriteMode::Update) || has(WriteMode::Upsert);
    let needs = [
        (Need::Insert, has(WriteMode::Insert)),
        (Need::Update, has(WriteMode::Update)),
        (Need::Upsert, has(WriteMode::Upsert)),
        (Need::Overwrite, has(WriteMode::Overwrite)),
        (Need::History, has(WriteMode::History)),
        (Need::Delete, has(WriteMode::Delete)),
        (Need::Prune, has(WriteMode::Prune)),
        (Need::Keyed, keyed && !system.schema().primary_key().is_empty()),
        (Need::MissingMode, plan::missing_mode(&capabilities).is_some()),
        (Need::Transactions, capabilities.transactional),
        (Need::Creates, capabilities.creates),
        (Need::FixedTables, !capabilities.creates),
        (Need::Journal, capabilities.wants_journal),
        (Need::Partial, capabilities.partial),
        (Need::Deleting, capabilities.deletes.contains(&Deletes::Hard)),
        (
            Need::IgnoredDeletes,
            capabilities.deletes.contains(&Deletes::Ignore),
        ),
        (Need::SoftDeletes, capabilities.deletes.contains(&Deletes::Soft)),
        (
            Need::MissingDeletes,
            deletes::missing_deletes(&capabilities).is_some(),
        ),
        (Need::Keeps, capabilities.keeps),
        (Need::Flawed, system.flawed(0).is_some()),
        (Need::LostAnswers, system.lose_answers(0)),
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
fn destination(connection: &dyn Connector) -> Result<&dyn Destination, Failure> {
    connection
        .as_destination()
        .ok_or_else(|| Failure::new("`as_destination` says that the connection cannot be written to"))
}

/// Every check, with what it needs.
const CHECKS: &[Listed<dyn DestinationSystem>] = &[
    check!(plan::planning_changes_nothing),
    check!(plan::the_plan_names_every_column),
    check!(plan::a_match_field_that_is_not_there_is_refused_by_name, Keyed),
    check!(plan::a_mode_that_is_not_declared_is_refused, MissingMode),
    check!(plan::an_object_that_is_not_there_is_refused, FixedTables),
    check!(values::records_arrive_as_they_are),
    check!(values::text_arrives_byte_for_byte),
    check!(values::a_nul_is_kept_or_rejected),
    check!(values::fields_are_matched_by_name),
    check!(values::null_clears, Keyed),
    check!(values::unset_leaves_alone, Keyed, Partial),
    check!(values::unset_and_null_stay_apart_in_one_batch, Keyed, Partial),
    check!(values::nulls_are_left_alone_where_they_are_to_be, Keyed, Partial),
    check!(values::a_field_may_have_its_own_answer_to_nulls, Keyed, Partial),
    check!(values::unset_in_a_new_record_is_null, Upsert, Partial),
    check!(modes::an_insert_adds_each_record_once, Insert),
    check!(modes::an_insert_changes_nothing_that_is_there, Insert),
    check!(modes::an_upsert_creates_and_updates, Upsert),
    check!(modes::writing_the_same_again_changes_nothing, Upsert),
    check!(modes::an_update_changes_what_is_there, Update),
    check!(modes::an_update_creates_nothing, Update),
    check!(modes::the_last_of_several_in_a_batch_wins, Keyed),
    check!(modes::the_last_of_several_batches_wins, Keyed),
    check!(modes::deletes_are_carried_out, Keyed, Deleting),
    check!(modes::deleting_what_is_not_there_is_harmless, Keyed, Deleting),
    check!(modes::kept_fields_are_filled_and_left_alone, Upsert, Keeps),
    check!(deletes::ignored_deletes_change_nothing, Keyed, IgnoredDeletes),
    check!(deletes::a_soft_delete_leaves_the_row, Keyed, SoftDeletes),
    check!(deletes::what_comes_back_is_no_longer_deleted, Keyed, SoftDeletes),
    check!(deletes::deletes_that_are_not_declared_are_refused, MissingDeletes),
    check!(deletes::named_records_are_deleted, Delete),
    check!(history::a_history_keeps_every_version, History),
    check!(history::the_same_again_makes_no_version, History),
    check!(history::a_delete_ends_the_version, History),
    check!(history::the_last_version_of_a_commit_is_kept, History),
    check!(history::unset_is_as_in_the_version_before, History, Partial),
    check!(prune::a_prune_removes_what_was_not_named, Prune),
    check!(prune::a_prune_removes_nothing_before_it_ends, Prune),
    check!(prune::an_empty_prune_is_refused, Prune),
    check!(prune::a_prune_of_too_much_is_refused, Prune),
    check!(prune::a_prune_with_a_rejected_record_is_refused, Prune),
    check!(prune::a_prune_spares_what_came_since, Prune, Upsert),
    check!(prune::a_prune_goes_on_where_it_was, Prune, Transactions),
    check!(overwrite::an_overwrite_leaves_only_what_was_written, Overwrite),
    check!(overwrite::an_overwrite_shows_the_old_until_it_ends, Overwrite),
    check!(overwrite::a_dropped_overwrite_leaves_the_old, Overwrite),
    check!(overwrite::an_overwrite_with_nothing_empties, Overwrite),
    check!(
        overwrite::an_overwrite_goes_on_where_it_was,
        Overwrite,
        Transactions
    ),
    check!(overwrite::an_overwrite_can_begin_anew, Overwrite, Transactions),
    check!(overwrite::an_old_fence_cannot_publish, Overwrite, Transactions),
    check!(account::every_record_is_accounted_for),
    check!(account::a_flawed_record_is_rejected_alone, Flawed),
    check!(account::a_rejection_names_the_record_and_shows_none_of_it, Flawed),
    check!(account::what_was_rejected_before_is_counted),
    check!(account::each_commit_reports_its_own_records),
    check!(account::a_run_without_records_changes_nothing),
    check!(account::an_empty_batch_is_harmless),
    check!(commit::several_commits_add_up),
    check!(commit::a_finished_write_can_be_seen_by_everyone),
    check!(commit::nothing_shows_before_the_commit, Transactions),
    check!(commit::a_dropped_writer_abandons, Transactions),
    check!(commit::the_checkpoint_is_stored_with_the_rows, Transactions),
    check!(
        commit::a_commit_without_a_checkpoint_leaves_the_last_one,
        Transactions
    ),
    check!(
        commit::a_commit_cut_short_is_whole_or_nothing,
        Keyed,
        Transactions
    ),
    check!(commit::a_write_cut_short_can_be_made_again, Keyed),
    check!(commit::two_tables_are_written_side_by_side, Creates),
    check!(fence::an_old_fence_cannot_commit, Keyed, Transactions),
    check!(
        fence::a_holder_that_missed_a_commit_cannot_commit,
        Keyed,
        Transactions
    ),
    check!(fence::an_old_fence_cannot_save_a_state, Transactions),
    check!(fence::a_task_that_is_held_cannot_be_claimed, Transactions),
    check!(names::odd_names_are_kept, Creates),
    check!(names::names_that_differ_in_case_stay_apart, Creates),
    check!(names::long_names_stay_apart, Creates),
    check!(names::an_odd_table_name_is_kept, Creates),
    check!(schema::a_new_field_joins_and_old_rows_stay, Upsert, Creates),
    check!(schema::a_field_that_is_gone_keeps_its_values, Upsert, Creates),
    check!(journal::nothing_is_sent_that_is_not_journalled, Journal),
    check!(journal::every_record_gets_its_fate, Journal),
    check!(journal::a_refusal_is_a_fate_too, Journal, Flawed),
    check!(journal::a_journal_is_not_required, Journal),
    check!(journal::a_lost_answer_is_no_success, Journal, LostAnswers),
    check!(
        journal::a_lost_answer_to_an_insert_is_ambiguous,
        Journal,
        LostAnswers,
        Insert
    ),
    check!(
        journal::after_lost_answers_a_rerun_leads_to_the_truth,
        Journal,
        LostAnswers,
        Keyed
    ),
    check!(limits::secrets_are_never_shown, Secrets),
    check!(
        limits::memory_does_not_grow_with_what_is_written,
        Keyed,
        MemoryFigures
    ),
];
