//! Reading tables, views and queries.

mod copied;
mod course;
mod decoder;
mod keys;
mod lane;
mod passing;
mod progress;
mod query;
mod reading;
mod relation;
mod rows;
mod shape;
mod since;

pub(crate) use decoder::RowDecoder;
pub(crate) use passing::conditions;
pub(crate) use reading::Reading;
pub(crate) use relation::{Relation, fingerprinted, select};
pub(crate) use rows::RowReader;
pub(crate) use shape::Shape;
