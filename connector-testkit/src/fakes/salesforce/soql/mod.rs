//! The subset of SOQL the org understands.

mod aggregate;
mod ast;
mod condition;
mod dates;
mod eval;
mod literal;
mod names;
mod parser;
mod path;
mod token;
mod words;

pub(super) use ast::{Aggregate, Query, Select};
pub(super) use eval::run;
pub(super) use parser::parse;
pub(super) use path::{Path, parent};
