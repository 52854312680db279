//! Scripted misbehaviour.

use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use super::error::RowError;
use super::object::ObjectType;
use super::value::FieldValue;
use super::view::RowView;

/// Misbehaviour at requests that fit; faults are tried in the order they were added, at most one acts per request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// Part of the path and query of the requests it fits; empty for every request.
    #[serde(default)]
    pub path: String,
    /// Method of the requests it fits; `None` for any.
    #[serde(default)]
    pub method: Option<String>,
    /// How many fitting requests are let through first.
    #[serde(default)]
    pub skip: u64,
    /// How many fitting requests it acts on after that.
    #[serde(default = "one")]
    pub times: u64,
    /// What happens.
    #[serde(flatten)]
    pub action: FaultAction,
}

fn one() -> u64 {
    1
}

/// What a [`Fault`] does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum FaultAction {
    /// Answers with this and applies nothing.
    Answer {
        /// HTTP status.
        status: u16,
        /// Headers of the answer.
        #[serde(default)]
        headers: Vec<(String, String)>,
        /// Body of the answer.
        #[serde(default)]
        body: String,
    },
    /// Closes the connection and applies nothing.
    Drop,
    /// Applies the request, then closes the connection without an answer.
    ApplyThenDrop,
    /// Applies the request and breaks off after so many bytes of the answer's body.
    Cut {
        /// Bytes of the body that still arrive.
        bytes: usize,
    },
    /// Waits (in real time), then applies the request and answers.
    Delay {
        /// How long.
        millis: u64,
    },
}

impl Fault {
    /// A fault for the next request whose path contains `path`.
    pub fn next(path: &str, action: FaultAction) -> Self {
        Self {
            path: path.to_owned(),
            method: None,
            skip: 0,
            times: 1,
            action,
        }
    }
}

/// One lead that cannot be written for a while, such as for a row lock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowFault {
    /// Number of the lead.
    pub lead: u64,
    /// Status code, such as `UNABLE_TO_LOCK_ROW`.
    pub code: String,
    /// Message of the error.
    #[serde(default)]
    pub message: String,
    /// How many writes it refuses.
    #[serde(default = "one")]
    pub times: u64,
}

/// Records that cannot be written for a while, such as for a row lock: of one object, by a value they hold or would
/// get. Works for inserts as well.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordFault {
    /// Name of the object.
    pub object: String,
    /// Name of the field, such as `Id` or an external id.
    pub field: String,
    /// The field's value as text; empty for every record.
    pub value: String,
    /// Status code, such as `UNABLE_TO_LOCK_ROW`.
    pub code: String,
    /// Message of the error.
    #[serde(default)]
    pub message: String,
    /// How many writes it refuses.
    #[serde(default = "one")]
    pub times: u64,
}

/// Everything scripted.
#[derive(Debug, Default)]
pub(super) struct Faults {
    records: Mutex<Vec<RecordFault>>,
    requests: Mutex<Vec<Fault>>,
    rows: Mutex<Vec<RowFault>>,
    ingest: Mutex<Option<u64>>,
}

impl Faults {
    pub(super) fn add(&self, fault: Fault) {
        self.requests
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(fault);
    }

    pub(super) fn add_row(&self, fault: RowFault) {
        self.rows
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(fault);
    }

    pub(super) fn add_record(&self, fault: RecordFault) {
        self.records
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(fault);
    }

    /// Why the write of `values` to `row`, or to a new record, is refused.
    pub(super) fn take_record(
        &self,
        object: &ObjectType,
        row: Option<&RowView<'_>>,
        values: &[(usize, FieldValue)],
    ) -> Option<RowError> {
        let mut faults = self.records.lock().unwrap_or_else(PoisonError::into_inner);
        let place = faults.iter().position(|fault| {
            let field = object.index(&fault.field).filter(|_| fault.object == object.name);
            let given = values.iter().find(|(given, _)| Some(*given) == field);
            let held = || row.zip(field).map(|(row, field)| row.value(field));
            let value = given.map(|(_, value)| value.clone()).or_else(held);
            let same = value.and_then(|value| value.text()) == Some(fault.value.clone());
            fault.object == object.name && (same || fault.value.is_empty())
        })?;
        let fault = &mut faults[place];
        let error = RowError::new(&fault.code, fault.message.clone(), &[]);
        fault.times = fault.times.saturating_sub(1);
        if fault.times == 0 {
            faults.remove(place);
        }
        Some(error)
    }

    /// Makes the next ingest job fail after this many rows.
    pub(super) fn stop_ingest(&self, rows: u64) {
        *self.ingest.lock().unwrap_or_else(PoisonError::into_inner) = Some(rows);
    }

    pub(super) fn take_ingest_stop(&self) -> Option<u64> {
        self.ingest.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    pub(super) fn take(&self, method: &str, path: &str) -> Option<FaultAction> {
        let mut faults = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        let mut action = None;
        for fault in faults.iter_mut() {
            let fits = path.contains(&fault.path)
                && fault
                    .method
                    .as_ref()
                    .is_none_or(|wanted| wanted.eq_ignore_ascii_case(method));
            if !fits || fault.times == 0 {
                continue;
            }
            if fault.skip > 0 {
                fault.skip -= 1;
            } else if action.is_none() {
                fault.times -= 1;
                action = Some(fault.action.clone());
            }
        }
        faults.retain(|fault| fault.times > 0);
        action
    }

    pub(super) fn take_row(&self, lead: u64) -> Option<RowFault> {
        let mut faults = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
        let place = faults.iter().position(|fault| fault.lead == lead)?;
        let found = faults[place].clone();
        faults[place].times = faults[place].times.saturating_sub(1);
        if faults[place].times == 0 {
            faults.remove(place);
        }
        Some(found)
    }
}
