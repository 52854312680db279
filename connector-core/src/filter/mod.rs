//! Which records are read: comparisons joined by `and`.

mod evaluate;
mod fitted;
mod parse;

use std::fmt;
use std::str::FromStr;

use crate::error::{Error, Result};

pub use {evaluate::RecordFilter, fitted::FittedLiteral};

/// Comparisons that a record must all pass, such as `Status = 'Open' and Amount >= 100 and Email is not null`.
///
/// A comparison with a null is never true, as in SQL. Text is compared by its bytes, whatever the order of the
/// system's language is; floats as PostgreSQL orders them, `NaN` above everything.
///
/// The text: a field's name, bare or in double quotes; `=`, `!=` (or `<>`), `<`, `<=`, `>`, `>=`, `in (…)`, `is null`
/// or `is not null`; a literal: `'text'` (a quote within it doubled), a number, `true` or `false`. Dates, times and
/// UUIDs are texts. [`Display`](fmt::Display) writes what parses back to the same filter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filter {
    comparisons: Vec<Comparison>,
}

/// One comparison: a field and what its value must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comparison {
    /// The field's name.
    pub field: String,
    /// What its value must be.
    pub test: Test,
}

/// What a field's value must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Test {
    /// It stands in this order to the literal.
    Compare(Operator, Literal),
    /// It is one of these.
    In(Vec<Literal>),
    /// There is none.
    IsNull,
    /// There is one.
    IsNotNull,
}

/// How a value stands to a literal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is what its sign says")]
pub enum Operator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// A value as a filter spells it; which type it is of, its field says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Literal {
    /// Text between quotes.
    Text(String),
    /// A number, digit by digit.
    Number(String),
    /// True or false.
    Bool(bool),
}

impl Filter {
    /// Reads the text of a filter.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config): it is none; the message says what is wrong, and where.
    pub fn parse(text: &str) -> Result<Self> {
        parse::filter(text)
    }

    /// The comparisons, of which there is at least one.
    pub fn comparisons(&self) -> &[Comparison] {
        &self.comparisons
    }
}

impl FromStr for Filter {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        Self::parse(text)
    }
}

impl Operator {
    /// Its sign.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Equal => "=",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
        }
    }
}

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, comparison) in self.comparisons.iter().enumerate() {
            if i > 0 {
                f.write_str(" and ")?;
            }
            comparison.fmt(f)?;
        }
        Ok(())
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if parse::is_bare(&self.field) {
            f.write_str(&self.field)?;
        } else {
            write!(f, "\"{}\"", self.field.replace('"', "\"\""))?;
        }
        match &self.test {
            Test::Compare(operator, literal) => write!(f, " {} {literal}", operator.as_str()),
            Test::In(literals) => {
                let list: Vec<String> = literals.iter().map(Literal::to_string).collect();
                write!(f, " in ({})", list.join(", "))
            }
            Test::IsNull => f.write_str(" is null"),
            Test::IsNotNull => f.write_str(" is not null"),
        }
    }
}

impl fmt::Display for Literal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => write!(f, "'{}'", text.replace('\'', "''")),
            Self::Number(text) => f.write_str(text),
            Self::Bool(value) => value.fmt(f),
        }
    }
}
