//! A query that was understood.

use std::sync::Arc;

use super::super::decimal::Decimal;
use super::super::object::ObjectType;

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
    /// Field indexes in the order of the query.
    Fields(Vec<usize>),
}

#[derive(Clone, Debug)]
pub(super) enum Condition {
    Compare {
        field: usize,
        operator: Operator,
        literal: Literal,
    },
    In {
        field: usize,
        literals: Vec<Literal>,
        negated: bool,
    },
    Like {
        field: usize,
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
}

#[derive(Clone, Debug)]
pub(super) struct Order {
    pub(super) field: usize,
    pub(super) descending: bool,
    pub(super) nulls_last: bool,
}

impl Query {
    pub(in super::super) fn has_offset(&self) -> bool {
        self.offset > 0
    }
}
