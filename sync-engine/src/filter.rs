//! What a task's filter is to its source.

use std::sync::Arc;

use connector_core::{Batch, Error, ErrorKind, Filter, Op, RecordFilter, Result, Schema, Source};

/// Who applies a task's filter.
#[derive(Debug)]
pub(crate) enum Filtering {
    /// There is none.
    None,
    /// The source reads only what passes.
    Source(Filter),
    /// It is applied to what was read.
    Here {
        filter: Filter,
        /// The filter for batches of this schema.
        bound: Option<(Arc<Schema>, RecordFilter)>,
    },
}

impl Filtering {
    /// Who applies `filter` to records of `schema`.
    ///
    /// # Errors
    /// [`ErrorKind::Schema`]: it does not fit the stream. [`ErrorKind::Unsupported`]: the source computes the
    /// difference and applies no filter.
    pub(crate) fn new(
        filter: Option<&Filter>,
        source: &dyn Source,
        schema: &Schema,
        difference: bool,
    ) -> Result<Self> {
        let Some(filter) = filter.cloned() else {
            return Ok(Self::None);
        };
        filter
            .for_records(schema)
            .map_err(|error| error.with_context("key", "filter"))?;
        if source.read_capabilities().filters {
            return Ok(Self::Source(filter));
        }
        if difference {
            let message = "the source compares its records with what was confirmed, and applies no filter";
            return Err(Error::new(ErrorKind::Unsupported, message)
                .with_help("make a view of the rows to be sent, and name the view as `stream`"));
        }
        Ok(Self::Here { filter, bound: None })
    }

    /// What the source is asked for.
    pub(crate) fn pushed_down(&self) -> Option<Filter> {
        match self {
            Self::Source(filter) => Some(filter.clone()),
            _ => None,
        }
    }

    /// The fields to read for a mapping of `mapped`: what the filter looks at comes too.
    pub(crate) fn fields(&self, mut mapped: Vec<String>) -> Vec<String> {
        if let Self::Here { filter, .. } = self {
            for comparison in filter.comparisons() {
                if !mapped.contains(&comparison.field) {
                    mapped.push(comparison.field.clone());
                }
            }
        }
        mapped
    }

    /// What a plan says of it.
    pub(crate) fn note(&self) -> Option<String> {
        match self {
            Self::Here { .. } => Some(
                "the source applies no filter: everything is read, and what does not pass is left out and counted"
                    .to_owned(),
            ),
            _ => None,
        }
    }

    /// The records that pass, and how many do not. That a record is gone is told in any case.
    ///
    /// # Errors
    /// [`ErrorKind::Schema`]: the batch lacks a field that the source had described.
    pub(crate) fn apply(&mut self, batch: Batch) -> Result<(Batch, u64)> {
        let Self::Here { filter, bound } = self else {
            return Ok((batch, 0));
        };
        let passes = match bound {
            Some((schema, passes)) if Arc::ptr_eq(schema, batch.schema()) => passes,
            _ => {
                let passes = filter.for_records(batch.schema())?;
                &mut bound.insert((Arc::clone(batch.schema()), passes)).1
            }
        };
        let all = batch.len();
        let batch = batch.retain(|record| record.op() == Op::Delete || passes.keeps(record));
        let filtered = (all - batch.len()) as u64;
        Ok((batch, filtered))
    }
}
