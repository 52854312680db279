//! The fields that were asked for, and those that are read for them.

use std::sync::Arc;

use connector_core::{Column, Event, Result, Schema};

/// The fields that were asked for, and those that are read for them.
pub(crate) struct Shape {
    /// What was asked for, then what of the key was not.
    pub(crate) wide: Arc<Schema>,
    /// What was asked for, where that is less.
    chosen: Option<Arc<Schema>>,
}

impl Shape {
    /// The fields of `schema` called `names`; all of them where there are none.
    pub(crate) fn of(schema: &Arc<Schema>, names: &[String]) -> Result<Self> {
        if names.is_empty() {
            return Ok(Self {
                wide: Arc::clone(schema),
                chosen: None,
            });
        }
        let mut all: Vec<&str> = names.iter().map(String::as_str).collect();
        // The source key goes with every record, asked for or not.
        all.extend(
            schema
                .primary_key_names()
                .filter(|key| !names.iter().any(|name| name == key)),
        );
        let chosen = Arc::new(schema.select(names)?);
        Ok(Self {
            wide: Arc::new(schema.select(&all)?),
            chosen: (all.len() > names.len()).then_some(chosen),
        })
    }

    /// The event as it was asked for.
    pub(crate) fn narrow(&self, event: Event) -> Event {
        match (event, &self.chosen) {
            (Event::Records(batch), Some(chosen)) => {
                let columns: Vec<Column> = (0..chosen.fields().len()).map(Column::Field).collect();
                Event::Records(batch.remap(Arc::clone(chosen), &columns))
            }
            (event, _) => event,
        }
    }
}
