//! The traits, rows, schemas, state and errors that every connector and every engine share.
//!
//! Read in this order: a [`Connector`] is a connection; as a [`Source`] it makes [`Reader`]s that emit [`Batch`]es
//! and checkpoints, as a [`Destination`] it makes [`Writer`]s whose commits are durable and whose reports know every
//! record's fate. Order is always *commit, then state, then acknowledge*; nothing moves progress except a durable
//! commit. The crate does no I/O and knows no runtime. [`memory`] plays every role without either.

mod connector;

mod catalog;
mod schema;

mod batch;
mod key;
mod typed;
pub mod value;

mod filter;
mod source;

mod destination;
mod report;

mod difference;
mod journal;
mod state;
mod statements;

pub mod memory;

mod clock;
mod connection_string;
mod error;
mod properties;
mod retry;
mod secret;

#[cfg(feature = "system-clock")]
pub use clock::SystemClock;
pub use {
    batch::{Batch, BatchBuilder, Column, Op, Record},
    catalog::{Selection, StreamName, StreamSpec, StreamSummary},
    clock::Clock,
    connection_string::parse_connection_string,
    connector::{CheckReport, Connector, Identity},
    destination::{
        Capabilities, ColumnPlan, Deletes, Destination, Drift, Journaled, Nulls, Origin, WriteMode,
        WritePlan, WriteRequest, Writer, target_of,
    },
    difference::{Difference, Target},
    error::{Error, ErrorKind, Report, Result, Retry, nearest},
    filter::{Comparison, Filter, FittedLiteral, Literal, Operator, RecordFilter, Test},
    journal::{Intent, Journal, Rest, Standing, Ticket},
    key::Key,
    properties::{Properties, PropertyKey},
    report::{CommitReport, Counts, Fate, Outcome, Rejection},
    retry::{Backoff, RetryPolicy},
    schema::{
        Access, DataType, DecimalSize, ElementType, Field, Schema, SchemaChange, SchemaDiff, SchemaPolicy,
    },
    secret::Secret,
    source::{Event, ReadCapabilities, ReadPlan, ReadRequest, Reader, Source, SyncMode},
    state::{Claim, Fence, Holder, State, StateStore, TaskId},
    statements::{Statements, StepReport},
    typed::{Patch, ReaderExt, Typed, TypedWriter, WriterExt},
    value::{Decimal, Value},
};
