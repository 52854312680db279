//! A query that was understood.

use std::sync::Arc;

use super::super::decimal::Decimal;
use super::super::object::ObjectType;
use super::path::Path;

/// `SELECT … FROM … WHERE … ORDER BY … LIMIT … OFFSET …`
#[derive(Clone, Debug)]
pub(in super::super) struct Query {
    pub(in super::super) object: Arc<ObjectType>,
    pub(in super::super) select: Select,
    pub(super) condition: Option<Condition>,
    pub(super) order: Vec<Order>,
    pub(super) limit: Option<usize>,
    pub(super) offset: usize,
}

/// What a query asks for.
#[derive(Clone, Debug)]
pub(in super::super) enum Select {
    /// `COUNT()`
    Count,
    /// `COUNT(Id)` and its like.
    Aggregates(Vec<Aggregate>),
    /// In the order of the query.
    Fields {
        paths: Vec<Path>,
        /// Whether FIELDS(ALL) or FIELDS(CUSTOM) asked for them.
        all_fields: bool,
    },
}

/// `MAX(Amount) most`
#[derive(Clone, Debug)]
pub(in super::super) struct Aggregate {
    pub(super) function: Function,
    pub(super) path: Path,
    pub(in super::super) alias: String,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Function {
    Count,
    CountDistinct,
    Min,
    Max,
}

#[derive(Clone, Debug)]
pub(super) enum Condition {
    Compare {
        path: Path,
        operator: Operator,
        literal: Literal,
    },
    In {
        path: Path,
        literals: Vec<Literal>,
        negated: bool,
    },
    Like {
        path: Path,
        pattern: String,
    },
    And(Vec<Condition>),
    Or(Vec<Condition>),
    Not(Box<Condition>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// A literal, already in the field's own kind.
#[derive(Clone, Debug)]
pub(super) enum Literal {
    Null,
    Bool(bool),
    Number(Decimal),
    /// In lower case, except for ids, which are in their 18-character form.
    Text(String),
    /// Microseconds.
    DateTime(i64),
    /// Days by name, such as TODAY: microseconds of its start and of its end.
    Range(i64, i64),
}

#[derive(Clone, Debug)]
pub(super) struct Order {
    pub(super) path: Path,
    pub(super) descending: bool,
    pub(super) nulls_last: bool,
}

impl Query {
    pub(in super::super) fn has_offset(&self) -> bool {
        self.offset > 0
    }
}
