//! What is wrong with a source.

/// One defect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Defect {
    /// The identity holds the number of the session.
    IdentityOfTheSession,
    /// The identity says which kind of system it is, and not which one.
    IdentityOfTheKind,
    /// The check of the connection finds nothing out.
    CheckSaysNothing,
    /// The check asks for a right that reading does not take.
    CheckWantsTooMuch,
    /// What is left is shown as what was used.
    UsageCountsDown,
    /// One thing that is metered has two lines.
    UsageSaidTwice,
    /// Of the list of streams, only the first page is taken.
    FirstPageOfStreams,
    /// The border of two pages of streams is on both.
    StreamListedTwice,
    /// The description is made from the records there are.
    DescribedFromRecords,
    /// The description has another name than was asked for.
    DescribedUnderAnotherName,
    /// The key is declared as a field that may be null.
    KeyMayBeNull,
    /// The key is declared as a field that cannot be read.
    KeyIsUnreadable,
    /// The key is declared as a float.
    KeyIsAFloat,
    /// A stream that is not there is described as the one that is nearest.
    MisspeltStreamIsFound,
    /// The nearest name is not told.
    NotFoundWithoutHelp,
    /// Whatever goes wrong is taken for an outage.
    NotFoundIsAnOutage,

    /// A full read goes by when records came, and takes edited ones for newer than itself.
    EditedLeftOut,
    /// The last page is taken for the end, and dropped.
    LastPageLost,
    /// The record at the border of two pages is on both.
    BorderTwice,
    /// Decimals go through floats.
    DecimalsThroughFloats,
    /// The empty text is null.
    EmptyTextIsNull,
    /// Texts lose the white space around them.
    TextTrimmed,
    /// Texts come in the normal form C.
    TextNormalised,
    /// UTF-8 is read as Latin-1.
    TextDecodedAsLatin1,
    /// The word for null is null.
    NullByItsWord,
    /// What has been read in full before is left out.
    SecondFullReadGoesOn,
    /// A stream without records is read as one record without values.
    EmptyReadsAsARecord,
    /// Whoever waits for a first record waits for ever.
    HangsWithoutRecords,
    /// The first of no records is looked at.
    PanicsWithoutRecords,
    /// Batches declare a wider type than the description.
    BatchOfWiderType,
    /// A text is longer than it is declared to be.
    TextLongerThanDeclared,
    /// A field is declared as never null because the API's documentation says so.
    NullInNotNull,
    /// Different records get the same key.
    KeysCollide,
    /// The source key is not what the key field holds.
    SourceKeyRespelt,
    /// Each batch numbers its records from the start.
    NumbersPerBatch,
    /// The bytes asked for are ignored.
    BytesIgnored,
    /// The records asked for are ignored.
    RecordsIgnored,
    /// Fields come in the system's order.
    FieldsInOwnOrder,
    /// Every field comes, whatever was chosen.
    EveryFieldComes,
    /// The key comes only if it was chosen.
    KeyOnlyIfChosen,
    /// A field that is not there is left out of the request.
    UnknownFieldLeftOut,
    /// A field that is not there is found out while reading.
    PlanDoesNotLook,
    /// The error for a field that is not there does not say which.
    UnknownFieldUnnamed,

    /// The last checkpoint is kept for a next page that does not come.
    LastCheckpointMissing,
    /// Without records, there is no checkpoint.
    NoCheckpointWithoutRecords,
    /// Without records, the checkpoint is a little in the future.
    EmptyCheckpointAhead,
    /// A checkpoint is emitted before the records that it covers.
    CheckpointBeforeRecords,
    /// A full read that is resumed skips one record.
    ResumedFullReadSkips,
    /// The state is checked, and not used.
    StateUnused,
    /// The state names something that the server drops after its use.
    StateOfOneUse,
    /// A state of another system counts as none.
    ForeignStateIsNone,
    /// A state of another system is refused without saying whose it is.
    ForeignStateUnnamed,
    /// A state of another stream is used as it is.
    OtherStreamsStateTaken,
    /// A state of a newer version is used as it is.
    NewerStateTaken,
    /// A state that cannot be read counts as none.
    DamagedStateIsNone,
    /// A state that cannot be read is the other side's fault.
    DamagedStateIsAnOutage,
    /// What was acknowledged is gone for every reader to come.
    AcknowledgedIsGone,
    /// An acknowledgement moves the read along.
    AcknowledgingSkips,

    /// The first incremental read begins some time ago, not at the start.
    BoundedStart,
    /// The record at the border of two pages of an incremental read is on both.
    IncrementalBorderTwice,
    /// What was never changed has no time of change, and is not found.
    OnlyEditsSeen,
    /// Records are looked for by when they came.
    OnlyNewSeen,
    /// Old deletes are told again and again.
    OldDeletesAgain,
    /// Where nothing changed, a record without values comes.
    NothingReadsAsARecord,
    /// A read goes on after the last moment seen, and leaves others of the same moment out.
    TiesSkipped,
    /// The last checkpoint is of when the read ended.
    CheckpointOfTheEnd,
    /// The newest state known to the server counts, whichever is given.
    NewestStateCounts,
    /// A cursor that is not there is left out of the request.
    UnknownCursorLeftOut,
    /// Deletes are dropped.
    DeletesDropped,
    /// Deletes come as records with empty fields.
    DeletesArePuts,

    /// The first read of a log is the log alone: what was there before it is left out.
    LogWithoutItsStart,
    /// What a log says of one record comes in another order than it happened in.
    LogOutOfOrder,
    /// A record whose key changed is put under the new key, and stays under the old one.
    OldKeyStays,
    /// Every checkpoint of a log is the one of its end.
    LogStateOfTheEnd,
    /// What came while a log was read counts as read.
    LogEndsWhenReadingDoes,
    /// Reading a log moves it along.
    ReadingMovesTheLog,
    /// An acknowledgement moves a log to its end.
    AcknowledgedToTheEnd,
    /// A state that the log has forgotten is read on from what is left.
    ForgottenIsSkipped,

    /// The keys are left out of the request.
    KeysIgnored,
    /// Of many keys, those of the first request are read.
    FirstKeysOnly,
    /// A key that is not there ends the read with an error.
    MissingKeyFails,
    /// A key that is not there is a record without values.
    MissingKeyIsARecord,
    /// A read by keys moves the stream's progress.
    KeysMakeCheckpoint,
    /// No keys are no condition.
    NoKeysAreNoCondition,

    /// The filter is left out of a full read's request.
    FilterIgnored,
    /// The filter is left out where changes are read.
    FilterIgnoredForChanges,
    /// The filter is left out where keys are read.
    FilterIgnoredForKeys,
    /// The filter is left out where a difference is computed.
    FilterIgnoredForDifferences,
    /// A filter on a field that is not there is left out of the request.
    UnknownFilterLeftOut,

    /// A null differs from nothing.
    NullsNeverDiffer,
    /// Records that differ are counted as unchanged, too.
    DifferingCountedAsUnchanged,
    /// What does not differ is not counted.
    UnchangedNotCounted,
    /// What was confirmed is forgotten.
    ConfirmedForgotten,
    /// A record that was confirmed once is left out for ever.
    ConfirmedForEver,
    /// Intents are not stored.
    IntentsNotStored,
    /// A rejection counts as an answer like any other.
    RejectedIsConfirmed,
    /// A job that is over has done its work.
    ReleasedIsConfirmed,
    /// What one system has confirmed counts for another.
    SystemOfTargetIgnored,
    /// What is confirmed of one object counts for another.
    ObjectOfTargetIgnored,
    /// A full difference is one like any other.
    FullIgnored,
    /// The fence is not looked at before a difference is stored.
    DifferenceUnfenced,
    /// The fence is not looked at where intents and fates are stored.
    JournalUnfenced,

    /// A call that is dropped while it waits loses what it had taken.
    DroppedNextLoses,
    /// A call that is dropped while it waits makes the next one begin its page again.
    DroppedNextRepeats,
    /// A reader that is dropped leaves its cursor open at the server.
    CursorsLeak,
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
    /// The cause of an error shows the secret.
    SecretInCause,
    /// Every record is read before the first is emitted.
    ReadsAllFirst,
    /// Every batch that was emitted is kept.
    KeepsWhatItEmits,
}
