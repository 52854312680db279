//! What is wrong with a destination.

/// One defect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Defect {
    /// The plan makes the table.
    PlanMakesTheTable,
    /// The plan says nothing of columns.
    PlanWithoutColumns,
    /// The plan does not say what columns become.
    PlanWithoutTypes,
    /// The plan looks at nothing.
    PlanDoesNotLook,
    /// The error for a key that is not there does not name it.
    UnknownMatchUnnamed,
    /// A mode that is not there is replaced by the nearest.
    MissingModeIsAnother,
    /// An object that is not there is replaced by the nearest.
    MissingObjectIsAnother,

    /// Of a batch, no more is written than fits into one statement.
    LongBatchCut,
    /// Decimals go through floats.
    DecimalsThroughFloats,
    /// The empty text is null.
    EmptyTextIsNull,
    /// Texts lose the white space around them.
    TextTrimmed,
    /// Texts are written in the normal form C.
    TextNormalised,
    /// What is not ASCII becomes a question mark.
    TextInAscii,
    /// The word for null is null.
    NullByItsWord,
    /// The service's own word for null is null.
    NullByItsSign,
    /// Line ends are unified.
    LineEndsUnified,
    /// The byte order mark is taken for one.
    ByteOrderMarkRemoved,
    /// A text that looks like a number is stored like one.
    NumbersRespelt,
    /// Texts are unescaped once too often.
    TextUnescaped,
    /// The mark of the end of the data ends it where it is data.
    EndMarkEnds,
    /// A NUL ends a text.
    NulEndsText,
    /// A NUL is left out.
    NulLeftOut,
    /// A record with a NUL is lost, and counted.
    NulLosesRecord,
    /// Values go into the columns by position.
    FieldsByPosition,
    /// A null is not written.
    NullsSkipped,
    /// A record that has nothing but its key is not written.
    EmptyRecordsSkipped,
    /// A null clears whatever it is to do.
    NullsAlwaysClear,
    /// What a null does to one field is what it does to all.
    NullsOfFieldsIgnored,
    /// Unset is null.
    UnsetIsNull,
    /// Which fields of a batch are set is seen from its first record.
    UnsetByFirstRecord,
    /// Unset is empty in a new record.
    UnsetIsEmptyInNew,

    /// What was inserted is counted as found.
    InsertedCountedAsFound,
    /// Inserts are sent twice.
    InsertsSentTwice,
    /// An insert is an upsert.
    InsertIsUpsert,
    /// A record that is there already sinks the batch it comes in.
    DuplicateSinksBatch,
    /// An upsert counts every record as updated.
    CreatedCountedAsUpdated,
    /// A record found equal is counted as created.
    UnchangedCountedAsCreated,
    /// A record found equal is not counted.
    UnchangedNotCounted,
    /// An update removes what it does not name.
    UpdateRemovesOthers,
    /// An update is an upsert.
    UpdateIsUpsert,
    /// What an update does not find is not counted.
    NotFoundNotCounted,
    /// Of several records with one key, the first in a batch wins.
    FirstInBatchWins,
    /// Of several records with one key, the second in a batch is an error.
    SecondInBatchFails,
    /// Of several records with one key, the first batch's wins.
    FirstBatchWins,
    /// Deletes are ignored, and counted.
    DeletesIgnored,
    /// Deletes find their records by every field.
    DeletesByEveryField,
    /// Deleting what is not there is an error.
    DeletingNothingFails,
    /// Deletes that are to be ignored are carried out.
    DeletesNotIgnored,
    /// A soft delete removes the row.
    SoftIsHard,
    /// What comes back stays marked as deleted.
    MarkStays,
    /// An answer to deletes that is not there is replaced by another.
    MissingDeletesIsAnother,
    /// A delete is an upsert.
    DeleteIsUpsert,

    /// A history keeps the last version only.
    HistoryIsUpsert,
    /// A history begins a version for every record.
    HistoryAlwaysBegins,
    /// A history knows no deletes.
    HistoryWithoutDeletes,
    /// A history has a version of every batch.
    HistoryOfBatches,
    /// What is unset is null in a new version.
    HistoryUnsetIsNull,

    /// A prune knows the names of its first commit.
    PruneByFirstCommit,
    /// A prune that is dropped removes what was not named.
    DroppedPruneRemoves,
    /// A prune that was named nothing empties the table.
    EmptyPruneEmpties,
    /// A prune has no limit.
    PruneWithoutLimit,
    /// A prune does not look at what was rejected.
    PruneDespiteRejections,
    /// A prune begins where it ends.
    PruneBeginsLate,
    /// A prune always begins anew.
    PruneNeverResumes,

    /// Fields to keep are overwritten.
    KeepIgnored,
    /// Fields to keep are never filled.
    KeptNeverFilled,

    /// An overwrite adds to what was there.
    OverwriteKeepsOld,
    /// An overwrite publishes the first batch of each commit.
    OverwriteTakesFirstBatch,
    /// An overwrite empties the table first.
    OverwriteTruncatesFirst,
    /// An overwrite that is dropped publishes what it has.
    DroppedOverwritePublishes,
    /// An overwrite with nothing is not carried out.
    EmptyOverwriteSkipped,
    /// An overwrite always begins anew.
    OverwriteNeverResumes,
    /// An overwrite always goes on with what it finds.
    OverwriteAlwaysResumes,
    /// The fence is not looked at where an overwrite is published.
    OverwriteUnfenced,

    /// Of several batches in a commit, the last is not counted.
    LastBatchNotCounted,
    /// Records are counted as recovered.
    RecoveredInvented,
    /// A bad record sinks its batch.
    FlawedSinksBatch,
    /// A bad record ends the write.
    FlawedEndsWrite,
    /// What is rejected is not counted.
    RejectedNotCounted,
    /// What is rejected is counted as sent, too.
    RejectedCountedAsSent,
    /// A rejection repeats the value.
    RejectionShowsValue,
    /// A rejection does not say which record it is about.
    RejectionWithoutKey,
    /// A rejection has no code.
    RejectionWithoutCode,
    /// What was rejected before is dropped.
    EarlierRejectionsDropped,
    /// What was rejected before is counted, and not told.
    EarlierRejectionsUntold,
    /// Reports add up the run so far.
    ReportsAddUp,
    /// A run without records empties the table.
    EmptyRunTruncates,
    /// After an empty batch, nothing more is taken.
    EmptyBatchEnds,
    /// An empty batch is an error.
    EmptyBatchFails,

    /// What is written after the first commit is lost, and counted.
    LaterCommitsLost,
    /// What is finished shows when the connection ends.
    FinishWaitsForConnection,
    /// Rows are written outside the transaction.
    RowsOutsideTransaction,
    /// A writer that is dropped commits.
    DroppedWriterCommits,
    /// The checkpoint is stored with the next commit.
    CheckpointOneCommitLate,
    /// The checkpoint is not stored.
    CheckpointIgnored,
    /// The checkpoint is stored before the rows.
    CheckpointBeforeRows,
    /// The checkpoint is stored after the rows.
    CheckpointAfterRows,
    /// A commit without a checkpoint stores that there is none.
    NoCheckpointClears,
    /// A write that is cut short leaves the table locked.
    LockLeaks,
    /// The writers of a connection share one staging table.
    SharedStaging,
    /// Who claimed the task since is not looked at.
    EpochIgnored,
    /// What was committed since is not looked at.
    CommitNumberIgnored,
    /// A holder that was overtaken is told to try again.
    OvertakenTriesAgain,
    /// A holder that was overtaken is told that the database is out of reach.
    OvertakenIsAnOutage,
    /// The fence is not looked at where a state is saved.
    SaveUnfenced,
    /// A task can be claimed while somebody holds it.
    HeldIsClaimed,
    /// Who is refused is not told who holds the task.
    HolderUnnamed,

    /// Names lose their special characters.
    NamesSanitised,
    /// Quotes in names are doubled once too often.
    NamesQuotedTwice,
    /// Names are written in lower case.
    NamesInLowerCase,
    /// Names that differ in case only are one column.
    NamesMergedByCase,
    /// Names are cut at 63 bytes.
    NamesCut,
    /// The table's name is written in lower case.
    TableInLowerCase,
    /// A table that is there gets no new columns.
    NewFieldsIgnored,
    /// A table that gets a new column is made anew.
    NewFieldsEmptyTable,
    /// A field that is not written any more is cleared.
    GoneFieldsCleared,

    /// The journal is told after the records were sent.
    JournalledAfterSending,
    /// Fates are not stored.
    FatesLost,
    /// Of many fates, those of the first page are stored.
    FatesOfFirstPage,
    /// A rejection counts as an answer like any other.
    RefusalIsUpdated,
    /// Answers are matched with records by position, and one is missing.
    FatesByPosition,
    /// Without a journal, nothing is written.
    UnjournalledRefused,
    /// What was sent without an answer is in no count.
    UnansweredNotCounted,
    /// A request that broke off on its way counts as done.
    UnsentIsDone,
    /// A request without an answer counts as done.
    UnansweredIsDone,
    /// An insert without an answer is sent again.
    InsertSentAgain,
    /// Records that were sent without an answer are left out for ever.
    UnansweredLeftOut,

    /// The secret is in the connection's `Debug`.
    SecretInDebug,
    /// The secret is among the facts of the check.
    SecretInFacts,
    /// The plan shows the request that will be made.
    SecretInPlan,
    /// Errors show the URL.
    SecretInErrors,
    /// Errors show the headers.
    SecretInHeaders,
    /// Every batch that was written is kept.
    KeepsWhatItWrites,
}
