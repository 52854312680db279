//! The subset of SOQL the org understands.

mod ast;
mod eval;
mod literal;
mod parser;
mod token;
mod words;

pub(super) use ast::{Query, Select};
pub(super) use eval::run;
pub(super) use parser::parse;
