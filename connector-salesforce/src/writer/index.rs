//! Which record of a job a result is of.

use std::collections::HashMap;

use connector_core::{Error, ErrorKind, Result};

use super::operation::Operation;
use super::row::Row;
use crate::id::Id;

/// The places of a job's records, by what each was sent with.
#[derive(Debug)]
pub(super) struct Index {
    places: Places,
    records: usize,
}

#[derive(Debug)]
enum Places {
    Ids(HashMap<Id, usize>),
    /// In lower case, for the buffer keeps keys apart that differ in no more than that.
    Keys(HashMap<String, usize>),
}

impl Index {
    pub(super) fn new(operation: Operation, rows: &[Row]) -> Self {
        let by_id = operation.is_by_id() || rows.iter().all(|row| row.id.is_some());
        let numbered = rows.iter().enumerate();
        let places = if by_id {
            Places::Ids(
                numbered
                    .filter_map(|(place, row)| Some((row.id?, place)))
                    .collect(),
            )
        } else {
            Places::Keys(
                numbered
                    .map(|(place, row)| (folded(row.key.as_str()), place))
                    .collect(),
            )
        };
        Self {
            places,
            records: rows.len(),
        }
    }

    /// The place of the record that was sent with `key`.
    ///
    /// # Errors
    /// No record was.
    pub(super) fn place(&self, key: &str) -> Result<usize> {
        let place = match &self.places {
            Places::Ids(places) => Id::parse(key).and_then(|id| places.get(&id)),
            Places::Keys(places) => places.get(&folded(key)),
        };
        place
            .copied()
            .ok_or_else(|| broken("the results of the Bulk job hold a record that was not sent".to_owned()))
    }

    /// Checks that `places` are all of the job's records, each once.
    pub(super) fn check_all_once(&self, places: impl Iterator<Item = usize>) -> Result<()> {
        let mut seen = vec![false; self.records];
        let mut count = 0;
        for place in places {
            count += 1;
            if std::mem::replace(&mut seen[place], true) {
                return Err(broken(
                    "the results of the Bulk job hold a record twice".to_owned(),
                ));
            }
        }
        if count == self.records {
            return Ok(());
        }
        Err(broken(format!(
            "the results of the Bulk job hold {count} records, not {}",
            self.records
        )))
    }
}

/// As the results may spell a key: its spaces at the ends are of no account.
fn folded(key: &str) -> String {
    key.trim().to_lowercase()
}

fn broken(message: String) -> Error {
    Error::new(ErrorKind::Unavailable, message)
        .with_retry(connector_core::Retry::Never)
        .with_help("run again: the job's results are read anew before anything is sent")
}
