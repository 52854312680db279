//! What one stream is made of.

use connector_core::{Access, DataType, Field, Result, Schema};

use super::EXTRA;
use crate::types::FieldType;

/// One stream: everything that reading it needs to know.
#[derive(Debug)]
pub(crate) struct StreamDef {
    /// The name, as the store's documentation has it.
    pub(crate) name: &'static str,
    /// The name people see.
    pub(crate) label: &'static str,
    /// The path below the store's own.
    pub(crate) path: &'static str,
    pub(crate) version: Version,
    pub(crate) paging: Paging,
    /// The field that tells records apart; a whole number that grows.
    pub(crate) key: &'static str,
    /// The field by which an incremental read advances.
    pub(crate) cursor: &'static str,
    /// Parameters that close a window of `cursor`, both ends inclusive.
    pub(crate) window: (&'static str, &'static str),
    /// The path of the count, where there is one; else the first page has it.
    pub(crate) count: Option<&'static str>,
    /// The lists that make up the stream, one after the other.
    pub(crate) passes: &'static [Pass],
    pub(crate) fields: &'static [FieldDef],
    /// What the API has and the stream has not, with the reason.
    pub(crate) left_out: &'static [(&'static str, &'static str)],
}

/// Which of the two APIs a stream is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Version {
    /// Bare arrays, 204 for none, RFC 2822 dates.
    V2,
    /// `{data, meta}`, ISO 8601 dates.
    V3,
}

/// How one page leads to the next. Page numbers are not among the ways: a record that moves between pages while
/// they are read takes its neighbours' places along.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Paging {
    /// Each page names a cursor; the next is asked for by `after`.
    Cursor,
    /// The next page begins above the last key of this one.
    Keyset {
        /// What makes keys grow.
        sort: &'static str,
        /// The parameter for the smallest key.
        min: &'static str,
    },
}

/// One list of a stream: a parameter that chooses it, and the value of a field that its records have.
#[derive(Debug)]
pub(crate) struct Pass {
    pub(crate) parameter: Option<(&'static str, &'static str)>,
    /// Records with another value of the field belong to another pass: a store that ignores the parameter makes no
    /// record come twice.
    pub(crate) keeps: Option<(&'static str, bool)>,
}

impl Pass {
    /// The one pass of most streams.
    pub(crate) const ALL: &'static [Self] = &[Self {
        parameter: None,
        keeps: None,
    }];
}

/// One field.
#[derive(Debug)]
pub(crate) struct FieldDef {
    pub(crate) name: &'static str,
    pub(crate) kind: FieldType,
    editable: bool,
}

impl FieldDef {
    const fn new(name: &'static str, kind: FieldType) -> Self {
        Self {
            name,
            kind,
            editable: false,
        }
    }

    pub(crate) const fn integer(name: &'static str) -> Self {
        Self::new(name, FieldType::Integer)
    }

    pub(crate) const fn boolean(name: &'static str) -> Self {
        Self::new(name, FieldType::Boolean)
    }

    pub(crate) const fn decimal(name: &'static str) -> Self {
        Self::new(name, FieldType::Decimal)
    }

    pub(crate) const fn text(name: &'static str) -> Self {
        Self::new(name, FieldType::Text)
    }

    pub(crate) const fn instant(name: &'static str) -> Self {
        Self::new(name, FieldType::Instant)
    }

    pub(crate) const fn json(name: &'static str) -> Self {
        Self::new(name, FieldType::Json)
    }

    /// A field that people and programs may change, through this API or the control panel.
    pub(crate) const fn editable(mut self) -> Self {
        self.editable = true;
        self
    }
}

impl StreamDef {
    /// The shape of the stream's records: its fields, then [`EXTRA`].
    pub(crate) fn schema(&self) -> Result<Schema> {
        let fields = self.fields.iter().map(|def| {
            let access = Access::READ_ONLY.with_updatable(def.editable);
            let field = Field::new(def.name, def.kind.data_type()).with_access(access);
            if def.name == self.key {
                field.not_null()
            } else {
                field
            }
        });
        let extra = Field::new(EXTRA, DataType::Json).with_access(Access::READ_ONLY);
        Schema::new(fields.chain([extra]).collect(), [self.key])
    }

    /// The position of a field in the table.
    pub(crate) fn position(&self, name: &str) -> Option<usize> {
        self.fields.iter().position(|field| field.name == name)
    }
}
