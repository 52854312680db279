//! Tasks claimed and states saved.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use connector_core::{Claim, Error, ErrorKind, Fence, Holder, Result, State, StateStore, TaskId, Ticket};
use serde_json::{Value, json};

use super::{Data, Handle, pause};
use crate::defect::Defect;

/// Frees the task when it is dropped.
struct Lease {
    shared: Arc<Mutex<Data>>,
    name: String,
    claim: i64,
}

impl Drop for Lease {
    fn drop(&mut self) {
        let mut data = self.shared.lock().unwrap();
        if let Some(task) = data.tasks.get_mut(&self.name)
            && task.alive == Some(self.claim)
        {
            task.alive = None;
        }
    }
}

#[async_trait]
impl StateStore for Handle {
    async fn claim(&self, task: &TaskId, holder: &Holder) -> Result<Claim> {
        pause().await;
        if self.has(Defect::LooksLongBeforeItTakes) {
            self.look(task, holder)?;
            pause().await;
        }
        let (claim, lease) = self.take(task, holder)?;
        if self.has(Defect::LeaksADroppedClaim) {
            // Until here, nothing that is dropped ends the hold.
            pause().await;
            return Ok(claim.with_lease(lease()));
        }
        let lease = lease();
        pause().await;
        Ok(claim.with_lease(lease))
    }

    async fn save(&self, fence: &Fence, state: &State) -> Result<()> {
        pause().await;
        if self.has(Defect::ClearsBeforeItSaves) {
            let mut data = self.data();
            self.admit(&data, fence, false)?;
            data.tasks
                .entry(self.name(&fence.task))
                .or_default()
                .states
                .clear();
        }
        if self.has(Defect::ClearsBeforeItSaves) {
            pause().await;
        }
        self.put(fence, state)?;
        pause().await;
        Ok(())
    }
}

impl Handle {
    /// Refuses a task that is held.
    fn look(&self, task: &TaskId, claimant: &Holder) -> Result<()> {
        let data = self.data();
        let Some(found) = data.tasks.get(&self.name(task)) else {
            return Ok(());
        };
        let kept = self.has(Defect::KeepsTheTaskForAName)
            && !found.holder.is_empty()
            && found.holder != claimant.as_str();
        if found.alive.is_none() && !kept {
            return Ok(());
        }
        let named = if self.has(Defect::NamesTheClaimant) {
            claimant.as_str()
        } else {
            &found.holder
        };
        Err(Error::new(
            ErrorKind::Conflict,
            format!("the task `{task}` is held by {named}"),
        ))
    }

    /// Takes the task, and says how to make what frees it.
    fn take(&self, task: &TaskId, holder: &Holder) -> Result<(Claim, impl FnOnce() -> Lease + use<>)> {
        let name = self.name(task);
        if self.has(Defect::RaisesTheEpochBeforeItLooks) {
            self.data().tasks.entry(name.clone()).or_default().epoch += 1;
        }
        if !self.has(Defect::IgnoresTheLease) && !self.has(Defect::LooksLongBeforeItTakes) {
            self.look(task, holder)?;
        }
        let mut data = self.data();
        data.claims += 1;
        let claim = data.claims;
        let everything: Vec<String> = data
            .tasks
            .values()
            .flat_map(|task| task.tickets.clone())
            .collect();
        let found = data.tasks.entry(name.clone()).or_default();
        let first = found.epoch == 0;
        if !(self.has(Defect::KeepsTheEpochOfAHolder) && found.holder == holder.as_str()) {
            found.epoch += 1;
        }
        holder.as_str().clone_into(&mut found.holder);
        found.alive = Some(claim);
        let fence = Fence {
            task: task.clone(),
            epoch: if self.has(Defect::OneEpochForAllTasks) {
                claim
            } else {
                found.epoch
            },
            commit_no: 0,
        };
        let mut state = found
            .states
            .get(&self.of(holder.as_str()))
            .map(|json| serde_json::from_str(json).unwrap());
        if first && self.has(Defect::BeginsWithAState) {
            state =
                serde_json::from_value(json!({"version": 1, "source": "", "stream": "", "data": null})).ok();
        }
        let mut open = found.tickets.clone();
        match self.defect {
            Some(Defect::BeginsWithWork) if first => open.push("job-0".to_owned()),
            Some(Defect::SortsTickets) => open.sort(),
            Some(Defect::FindsTheWorkOfAll) => open = everything,
            Some(Defect::FindsTicketsOnce) => found.tickets.clear(),
            _ => {}
        }
        let open = open.into_iter().map(Ticket::new).collect();
        let shared = Arc::clone(&self.shared);
        Ok((Claim::new(fence, state, open), move || Lease {
            shared,
            name,
            claim,
        }))
    }

    /// The name that states of `holder` are kept by.
    fn of(&self, holder: &str) -> String {
        if self.has(Defect::OneStateForAHolder) {
            holder.to_owned()
        } else {
            String::new()
        }
    }

    fn put(&self, fence: &Fence, state: &State) -> Result<()> {
        let mut data = self.data();
        self.admit(&data, fence, self.has(Defect::TakesOldFences))?;
        let task = data.tasks.entry(self.name(&fence.task)).or_default();
        if self.has(Defect::KeepsTheFirstSave) && task.saved == Some(fence.epoch) {
            return Ok(());
        }
        task.saved = Some(fence.epoch);
        let place = self.of(&task.holder);
        let mut json = serde_json::to_value(state).unwrap();
        match self.defect {
            Some(Defect::RoundsNumbers) => each(&mut json, &|value| {
                if let Some(rounded) = value.as_f64().filter(|number| number.abs() > 2_f64.powi(53)) {
                    *value = json!(rounded);
                }
            }),
            Some(Defect::CutsLongTexts) => each(&mut json, &|value| {
                if let Value::String(text) = value {
                    *text = text.chars().take(65_535).collect();
                }
            }),
            Some(Defect::KeepsTheFirstSource) => {
                if let Some(before) = task.states.get(&place) {
                    let before: Value = serde_json::from_str(before).unwrap();
                    json["source"] = before["source"].clone();
                }
            }
            _ => {}
        }
        task.states.insert(place, json.to_string());
        Ok(())
    }
}

/// Calls `change` with everything in `value` that holds nothing else.
fn each(value: &mut Value, change: &dyn Fn(&mut Value)) {
    match value {
        Value::Array(values) => values.iter_mut().for_each(|value| each(value, change)),
        Value::Object(fields) => fields.values_mut().for_each(|value| each(value, change)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => change(value),
    }
}
