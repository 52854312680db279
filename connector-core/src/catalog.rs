//! What a connection has to offer: streams, their schemas, and how they can be read.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::schema::Schema;

/// The name of a stream, as its connector spells it: an object, a table, a resource.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct StreamName(String);

impl StreamName {
    /// A name.
    pub fn new(name: impl Into<String>) -> Self {
        Self(name.into())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for StreamName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<&str> for StreamName {
    fn from(name: &str) -> Self {
        Self::new(name)
    }
}

/// What to describe or read.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Selection {
    /// A stream of the catalog.
    Stream(StreamName),
    /// A query in the source's own language: SQL, SOQL.
    Query(String),
}

impl Selection {
    /// The stream called `name`.
    pub fn stream(name: impl Into<String>) -> Self {
        Self::Stream(StreamName::new(name))
    }
}

impl fmt::Display for Selection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stream(name) => name.fmt(f),
            Self::Query(_) => f.write_str("query"),
        }
    }
}

/// A stream by name: what listing a catalog costs little to say.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StreamSummary {
    /// The name.
    pub name: StreamName,
    /// The name people see, where it differs.
    pub label: Option<String>,
    /// Why a job over all streams leaves it out, as one that answers only to a filter; `None`: it does not.
    pub left_out: Option<String>,
}

impl StreamSummary {
    /// A stream without a label.
    pub fn new(name: StreamName) -> Self {
        Self {
            name,
            label: None,
            left_out: None,
        }
    }

    /// The same, left out of all streams for a reason.
    #[must_use]
    pub fn with_left_out(mut self, reason: Option<String>) -> Self {
        self.left_out = reason;
        self
    }

    /// The same with a label.
    #[must_use]
    pub fn with_label(mut self, label: impl Into<String>) -> Self {
        self.label = Some(label.into());
        self
    }
}

/// A stream in full: its schema, and how it can be read.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StreamSpec {
    /// What was described.
    pub selection: Selection,
    /// The records' shape.
    pub schema: Arc<Schema>,
    /// The field by which an incremental read advances, or the name of the system's own order of changes; `None`
    /// where the stream cannot be read incrementally.
    pub cursor: Option<String>,
    /// Why some of what the system has is not in `schema`, in the system's words: a field and its reason.
    pub left_out: Vec<(String, String)>,
}

impl StreamSpec {
    /// A stream that can only be read in full.
    pub fn new(selection: Selection, schema: Arc<Schema>) -> Self {
        Self {
            selection,
            schema,
            cursor: None,
            left_out: Vec::new(),
        }
    }

    /// The same with a cursor.
    #[must_use]
    pub fn with_cursor(mut self, cursor: Option<String>) -> Self {
        self.cursor = cursor;
        self
    }
}
