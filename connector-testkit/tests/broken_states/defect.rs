//! What can be wrong with a store or a journal, and which checks must say so.

/// One thing that is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Defect {
    // Of the store.
    /// A task never claimed before has a state.
    BeginsWithAState,
    /// A task never claimed before has open work.
    BeginsWithWork,
    /// A holder that comes back gets its epoch back.
    KeepsTheEpochOfAHolder,
    /// The refusal names whoever is refused.
    NamesTheClaimant,
    /// Everybody gets the task.
    IgnoresTheLease,
    /// The epoch goes up although the claim is refused.
    RaisesTheEpochBeforeItLooks,
    /// Only the last holder, by name, gets the task again.
    KeepsTheTaskForAName,
    /// Whether the task is held is looked up some time before it is taken.
    LooksLongBeforeItTakes,
    /// A claim of any task ends the fences of all.
    OneEpochForAllTasks,
    /// Tasks of one job share all they have.
    OneTaskForAJob,
    LowersTaskNames,
    CutsTaskNames,
    /// Whole numbers become floating ones where those are too small.
    RoundsNumbers,
    /// Of the saves under one claim the first is kept.
    KeepsTheFirstSave,
    /// A text ends where a column does.
    CutsLongTexts,
    /// The source of the first state stays.
    KeepsTheFirstSource,
    /// Every holder has a state of its own.
    OneStateForAHolder,
    TakesOldFences,
    TakesNewerFences,
    /// The old state is removed some time before the new one is there.
    ClearsBeforeItSaves,
    /// Nothing ends the hold of a claim that nobody waited for.
    LeaksADroppedClaim,

    // Of the journal.
    /// A settlement of nothing settles everything.
    EmptySettlesAll,
    /// What is sent without a ticket is not stored.
    StoresTicketsOnly,
    CreatedWithoutIdIsSent,
    DeletedIsForgotten,
    RejectedIsPlanned,
    AmbiguousIsPlanned,
    ReleasedIsSent,
    /// What has a fate gets no other.
    KeepsTheFirstFate,
    TellsStandingsInTheOrderOfKeys,
    /// What is not known is left out of the standings.
    LeavesOutTheUnknown,
    /// What was not intended gets no fate.
    SettlesOnlyTheIntended,
    /// What was confirmed stays so, however often it is sent again.
    KeepsTheConfirmed,
    /// Which records a ticket carries is known to the handle alone.
    KeepsCargoInTheHandle,
    SortsTickets,
    /// Open work is found once.
    FindsTicketsOnce,
    /// Nothing is left to settle, so the ticket is forgotten.
    SettlingEndsTheTicket,
    /// A ticket that was not applied stays open.
    ReleasedTicketsStayOpen,
    /// Only the call that opens a ticket gives records to it.
    LosesLaterIntents,
    CountsTicketsForRecords,
    CountsTheReleased,
    /// The rest of a ticket that was not applied stays as it is.
    ReleasesNothing,
    /// An ambiguous record meets the fate of its ticket's rest.
    AmbiguousGoesWithTheTicket,
    /// Closing a ticket closes those whose names begin with its own, too.
    ClosesByPrefix,
    /// A record stays with the first ticket it was sent with.
    KeepsTheFirstTicket,
    /// Records stay with a ticket that is closed.
    ClosesAgain,
    TakesOldIntents,
    TakesOldFates,
    TakesOldCloses,
    /// An old intent is refused, after its ticket was opened.
    OpensTicketsOfOldFences,
    /// Where the target's identity ends, and its object begins, is lost.
    JoinsIdentityAndObject,
    IgnoresTheIdentity,
    /// Every task finds the open work of all.
    FindsTheWorkOfAll,
    /// Closing a ticket ends those of its name in all tasks.
    ClosesInAllTasks,
    LowersKeys,
    TrimsKeys,
    CutsKeys,
    /// Keys beyond what fits into one call are left out.
    LosesKeysBeyondMany,
    /// Keys are stored a few at a time.
    StoresInParts,
    /// Records are there some time before the ticket that carries them.
    OpensTheTicketLast,
    /// A ticket is ended some time before its records are settled.
    EndsTheTicketFirst,

    // Of both.
    ShowsItsPassword,
}

/// A defect, the check it is meant for, and the checks that cannot help but fail with it.
pub(crate) type Case = (Defect, &'static str, &'static [&'static str]);

pub(crate) const OF_STORES: &[Case] = &[
    (
        Defect::BeginsWithAState,
        "the_first_claim_finds_nothing",
        &[
            "a_takeover_goes_on_from_the_last_state",
            "a_fence_of_another_task_cannot_save",
        ],
    ),
    (Defect::BeginsWithWork, "the_first_claim_finds_nothing", &[]),
    (
        Defect::KeepsTheEpochOfAHolder,
        "every_claim_raises_the_epoch",
        &["a_fence_of_another_task_cannot_save"],
    ),
    (
        Defect::NamesTheClaimant,
        "a_held_task_is_refused_and_its_holder_named",
        &[],
    ),
    (
        Defect::IgnoresTheLease,
        "a_held_task_is_refused_and_its_holder_named",
        &[
            "a_refused_claim_takes_nothing_from_the_holder",
            "of_simultaneous_claims_one_wins",
        ],
    ),
    (
        Defect::RaisesTheEpochBeforeItLooks,
        "a_refused_claim_takes_nothing_from_the_holder",
        &["of_simultaneous_claims_one_wins"],
    ),
    (
        Defect::KeepsTheTaskForAName,
        "dropping_a_claim_frees_the_task",
        &[
            "of_simultaneous_claims_one_wins",
            "a_takeover_goes_on_from_the_last_state",
            "an_old_fence_cannot_save",
        ],
    ),
    (
        Defect::LooksLongBeforeItTakes,
        "of_simultaneous_claims_one_wins",
        &[],
    ),
    (
        Defect::OneEpochForAllTasks,
        "tasks_are_apart",
        &["a_fence_of_another_task_cannot_save"],
    ),
    (
        Defect::OneTaskForAJob,
        "tasks_are_apart",
        &[
            "odd_task_names_are_tasks_of_their_own",
            "a_fence_of_another_task_cannot_save",
        ],
    ),
    (
        Defect::LowersTaskNames,
        "odd_task_names_are_tasks_of_their_own",
        &[],
    ),
    (
        Defect::CutsTaskNames,
        "odd_task_names_are_tasks_of_their_own",
        &[],
    ),
    (Defect::RoundsNumbers, "a_saved_state_comes_back", &[]),
    (
        Defect::KeepsTheFirstSave,
        "the_last_of_several_saves_wins",
        &["a_takeover_goes_on_from_the_last_state"],
    ),
    (Defect::CutsLongTexts, "a_large_state_comes_back", &[]),
    (
        Defect::KeepsTheFirstSource,
        "a_state_is_kept_whoever_it_is_of",
        &[],
    ),
    (
        Defect::OneStateForAHolder,
        "a_takeover_goes_on_from_the_last_state",
        &["of_simultaneous_claims_one_wins", "an_old_fence_cannot_save"],
    ),
    (Defect::TakesOldFences, "an_old_fence_cannot_save", &[]),
    (
        Defect::TakesNewerFences,
        "a_fence_of_another_task_cannot_save",
        &[],
    ),
    (
        Defect::ClearsBeforeItSaves,
        "a_dropped_save_leaves_a_whole_state",
        &[],
    ),
    (Defect::LeaksADroppedClaim, "a_dropped_claim_holds_nothing", &[]),
    (Defect::ShowsItsPassword, "secrets_are_never_shown", &[]),
];

pub(crate) const OF_JOURNALS: &[Case] = &[
    (
        Defect::EmptySettlesAll,
        "what_is_intended_is_sent_until_settled",
        &[],
    ),
    (
        Defect::StoresTicketsOnly,
        "what_is_intended_is_sent_until_settled",
        &[
            "what_is_intended_survives_a_new_handle",
            "closing_touches_no_other_ticket",
            "a_record_belongs_to_its_last_intent",
            "an_old_fence_cannot_settle",
            "targets_are_apart",
        ],
    ),
    (
        Defect::CreatedWithoutIdIsSent,
        "every_outcome_leads_to_its_standing",
        &["closing_leaves_fates_alone", "targets_are_apart"],
    ),
    (
        Defect::DeletedIsForgotten,
        "every_outcome_leads_to_its_standing",
        &[
            "the_last_fate_stands",
            "closing_leaves_fates_alone",
            "targets_are_apart",
        ],
    ),
    (
        Defect::RejectedIsPlanned,
        "every_outcome_leads_to_its_standing",
        &[
            "the_last_fate_stands",
            "the_fate_of_what_was_never_sent_is_kept",
            "closing_leaves_fates_alone",
            "targets_are_apart",
            "odd_keys_are_kept_apart",
        ],
    ),
    (
        Defect::AmbiguousIsPlanned,
        "every_outcome_leads_to_its_standing",
        &[
            "the_last_fate_stands",
            "closing_leaves_fates_alone",
            "targets_are_apart",
            "odd_keys_are_kept_apart",
        ],
    ),
    (
        Defect::ReleasedIsSent,
        "every_outcome_leads_to_its_standing",
        &[
            "the_last_fate_stands",
            "closing_leaves_fates_alone",
            "targets_are_apart",
            "odd_keys_are_kept_apart",
        ],
    ),
    (Defect::KeepsTheFirstFate, "the_last_fate_stands", &[]),
    (
        Defect::TellsStandingsInTheOrderOfKeys,
        "standings_are_told_in_the_order_of_the_keys",
        &[],
    ),
    (
        Defect::LeavesOutTheUnknown,
        "standings_are_told_in_the_order_of_the_keys",
        &[],
    ),
    (
        Defect::SettlesOnlyTheIntended,
        "the_fate_of_what_was_never_sent_is_kept",
        &[],
    ),
    (
        Defect::KeepsTheConfirmed,
        "intending_again_what_was_confirmed_makes_it_sent",
        &[],
    ),
    (
        Defect::KeepsCargoInTheHandle,
        "what_is_intended_survives_a_new_handle",
        &["an_old_fence_cannot_close", "tasks_have_tickets_of_their_own"],
    ),
    (Defect::SortsTickets, "open_tickets_come_back_in_order", &[]),
    (
        Defect::FindsTicketsOnce,
        "open_tickets_come_back_in_order",
        &["an_old_fence_cannot_close", "tasks_have_tickets_of_their_own"],
    ),
    (
        Defect::SettlingEndsTheTicket,
        "settling_every_record_leaves_its_ticket_open",
        &[],
    ),
    (Defect::ReleasedTicketsStayOpen, "closing_ends_the_ticket", &[]),
    (
        Defect::LosesLaterIntents,
        "closing_confirms_the_rest_and_counts_it",
        &["closing_returns_the_rest_to_be_done"],
    ),
    (
        Defect::CountsTicketsForRecords,
        "closing_confirms_the_rest_and_counts_it",
        &[
            "what_is_intended_survives_a_new_handle",
            "closing_leaves_fates_alone",
            "closing_touches_no_other_ticket",
            "a_record_belongs_to_its_last_intent",
            "an_old_fence_cannot_close",
            "tasks_have_tickets_of_their_own",
            "odd_keys_are_kept_apart",
            "twenty_thousand_keys_are_all_kept",
        ],
    ),
    (
        Defect::CountsTheReleased,
        "closing_returns_the_rest_to_be_done",
        &["closing_leaves_fates_alone"],
    ),
    (
        Defect::ReleasesNothing,
        "closing_returns_the_rest_to_be_done",
        &["closing_leaves_fates_alone"],
    ),
    (
        Defect::AmbiguousGoesWithTheTicket,
        "closing_leaves_fates_alone",
        &["odd_keys_are_kept_apart"],
    ),
    (Defect::ClosesByPrefix, "closing_touches_no_other_ticket", &[]),
    (
        Defect::KeepsTheFirstTicket,
        "a_record_belongs_to_its_last_intent",
        &[],
    ),
    (Defect::ClosesAgain, "closing_twice_counts_nothing_more", &[]),
    (Defect::TakesOldIntents, "an_old_fence_cannot_intend", &[]),
    (Defect::OpensTicketsOfOldFences, "an_old_fence_cannot_intend", &[]),
    (Defect::TakesOldFates, "an_old_fence_cannot_settle", &[]),
    (Defect::TakesOldCloses, "an_old_fence_cannot_close", &[]),
    (Defect::JoinsIdentityAndObject, "targets_are_apart", &[]),
    (
        Defect::IgnoresTheIdentity,
        "targets_are_apart",
        &["tasks_have_tickets_of_their_own"],
    ),
    (Defect::FindsTheWorkOfAll, "tasks_have_tickets_of_their_own", &[]),
    (Defect::ClosesInAllTasks, "tasks_have_tickets_of_their_own", &[]),
    (Defect::LowersKeys, "odd_keys_are_kept_apart", &[]),
    (Defect::TrimsKeys, "odd_keys_are_kept_apart", &[]),
    (Defect::CutsKeys, "odd_keys_are_kept_apart", &[]),
    (
        Defect::LosesKeysBeyondMany,
        "twenty_thousand_keys_are_all_kept",
        &[],
    ),
    (
        Defect::StoresInParts,
        "a_dropped_intend_stores_all_or_nothing",
        &[],
    ),
    (
        Defect::OpensTheTicketLast,
        "a_dropped_intend_stores_all_or_nothing",
        &[],
    ),
    (
        Defect::EndsTheTicketFirst,
        "a_dropped_close_can_be_made_again",
        &[],
    ),
    (Defect::ShowsItsPassword, "secrets_are_never_shown", &[]),
];
