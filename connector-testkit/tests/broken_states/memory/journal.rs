//! Intents and fates.

use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;
use connector_core::{
    Counts, Fate, Fence, Intent, Journal, Key, Outcome, Rest, Result, Standing, Target, Ticket,
};

use super::{Data, Handle, Record, pause};
use crate::defect::Defect;

#[async_trait]
impl Journal for Handle {
    async fn intend(&self, fence: &Fence, target: &Target, intent: &Intent<'_>) -> Result<()> {
        pause().await;
        let mut keys = intent.keys;
        if self.has(Defect::LosesKeysBeyondMany) {
            keys = &keys[..keys.len().min(16_383)];
        }
        let part = if self.has(Defect::StoresInParts) {
            16
        } else {
            keys.len().max(1)
        };
        if keys.is_empty() {
            self.admit(&self.data(), fence, false)?;
        }
        for (number, keys) in keys.chunks(part).enumerate() {
            if number > 0 {
                pause().await;
            }
            self.send(fence, target, keys, intent.ticket)?;
        }
        if self.has(Defect::OpensTheTicketLast) {
            pause().await;
            self.send(fence, target, &[], intent.ticket)?;
        }
        pause().await;
        Ok(())
    }

    async fn settle(&self, fence: &Fence, target: &Target, fates: &[Fate]) -> Result<()> {
        pause().await;
        self.set(fence, target, fates)?;
        pause().await;
        Ok(())
    }

    async fn close(&self, fence: &Fence, target: &Target, ticket: &Ticket, rest: Rest) -> Result<Counts> {
        pause().await;
        if self.has(Defect::EndsTheTicketFirst) {
            self.end(fence, ticket, rest)?;
            pause().await;
        }
        let records = self.set_rest(fence, target, ticket, rest)?;
        // No pause between the two: nobody sees the one without the other.
        self.end(fence, ticket, rest)?;
        pause().await;
        let mut counts = Counts::default();
        if rest == Rest::Updated || self.has(Defect::CountsTheReleased) {
            counts.updated = records;
        }
        Ok(counts)
    }

    async fn standings(&self, target: &Target, keys: &[Key]) -> Result<Vec<Option<Standing>>> {
        pause().await;
        let mut keys: Vec<String> = keys.iter().map(|key| self.key(key)).collect();
        if self.has(Defect::TellsStandingsInTheOrderOfKeys) {
            keys.sort_unstable();
        }
        let data = self.data();
        let records = data.records.get(&self.there(target));
        let standing = |key: &String| Some(records?.get(key)?.standing);
        let standings = keys.iter().map(standing);
        Ok(if self.has(Defect::LeavesOutTheUnknown) {
            standings.filter(Option::is_some).collect()
        } else {
            standings.collect()
        })
    }
}

impl Handle {
    fn send(&self, fence: &Fence, target: &Target, keys: &[Key], ticket: Option<&Ticket>) -> Result<()> {
        let mut data = self.data();
        let data: &mut Data = &mut data;
        let admitted = self.admit(data, fence, self.has(Defect::TakesOldIntents));
        if !self.has(Defect::OpensTicketsOfOldFences) {
            admitted?;
        } else if admitted.is_err() && ticket.is_none() {
            return admitted;
        }
        let mut ticket = ticket.map(|ticket| ticket.as_str().to_owned());
        if let Some(name) = &ticket {
            let task = data.tasks.entry(self.name(&fence.task)).or_default();
            if self.has(Defect::OpensTheTicketLast) && !keys.is_empty() {
                // Not yet.
            } else if !task.tickets.contains(name) {
                task.tickets.push(name.clone());
            } else if self.has(Defect::LosesLaterIntents) {
                ticket = None;
            }
        } else if self.has(Defect::StoresTicketsOnly) {
            return Ok(());
        }
        if self.has(Defect::OpensTicketsOfOldFences) {
            self.admit(data, fence, false)?;
        }
        let records = data.records.entry(self.there(target)).or_default();
        for key in keys {
            let key = self.key(key);
            let before = records.get(&key);
            if self.has(Defect::KeepsTheConfirmed)
                && before.is_some_and(|record| record.standing == Standing::Confirmed)
            {
                continue;
            }
            let mut carried = ticket.clone();
            if self.has(Defect::KeepsTheFirstTicket)
                && let Some(first) = before.and_then(|record| record.ticket.clone())
            {
                carried = Some(first);
            }
            let alone = self.has(Defect::KeepsCargoInTheHandle);
            let record = Record {
                standing: Standing::Sent,
                ticket: carried,
                known_to: alone.then(|| Arc::clone(&self.token)),
                settled: false,
            };
            records.insert(key, record);
        }
        Ok(())
    }

    fn set(&self, fence: &Fence, target: &Target, fates: &[Fate]) -> Result<()> {
        let mut data = self.data();
        self.admit(&data, fence, self.has(Defect::TakesOldFates))?;
        let data: &mut Data = &mut data;
        let records = data.records.entry(self.there(target)).or_default();
        if fates.is_empty() && self.has(Defect::EmptySettlesAll) {
            for record in records.values_mut() {
                record.standing = Standing::Confirmed;
            }
        }
        let mut tickets = BTreeSet::new();
        for fate in fates {
            let key = self.key(&fate.key);
            let before = records.get(&key);
            let ticket = before.and_then(|record| record.ticket.clone());
            tickets.extend(ticket.clone());
            let left = match before {
                None => self.has(Defect::SettlesOnlyTheIntended),
                Some(record) => self.has(Defect::KeepsTheFirstFate) && record.settled,
            };
            if left {
                continue;
            }
            if fate.outcome == Outcome::Deleted && self.has(Defect::DeletedIsForgotten) {
                records.remove(&key);
                continue;
            }
            let stays = fate.outcome == Outcome::Ambiguous && self.has(Defect::AmbiguousGoesWithTheTicket);
            let record = Record {
                standing: self.after(&fate.outcome),
                ticket: ticket.filter(|_| stays),
                known_to: None,
                settled: true,
            };
            records.insert(key, record);
        }
        if self.has(Defect::SettlingEndsTheTicket) {
            tickets.retain(|ticket| {
                let mut carried = records.values();
                carried.all(|record| record.ticket.as_ref() != Some(ticket))
            });
            let task = data.tasks.entry(self.name(&fence.task)).or_default();
            task.tickets.retain(|ticket| !tickets.contains(ticket));
        }
        Ok(())
    }

    fn after(&self, outcome: &Outcome) -> Standing {
        match (outcome, self.defect) {
            (Outcome::Created { id: None }, Some(Defect::CreatedWithoutIdIsSent))
            | (Outcome::Released, Some(Defect::ReleasedIsSent)) => Standing::Sent,
            (Outcome::Rejected { .. }, Some(Defect::RejectedIsPlanned))
            | (Outcome::Ambiguous, Some(Defect::AmbiguousIsPlanned)) => Standing::Planned,
            (Outcome::Created { .. } | Outcome::Updated | Outcome::Deleted, _) => Standing::Confirmed,
            (Outcome::Rejected { .. }, _) => Standing::Unconfirmed,
            (Outcome::Ambiguous, _) => Standing::Sent,
            _ => Standing::Planned,
        }
    }

    /// Settles the rest of a ticket; returns how many records that were.
    fn set_rest(&self, fence: &Fence, target: &Target, ticket: &Ticket, rest: Rest) -> Result<u64> {
        let mut data = self.data();
        self.admit(&data, fence, self.has(Defect::TakesOldCloses))?;
        let carries = |record: &Record| {
            let known = record
                .known_to
                .as_ref()
                .is_none_or(|token| Arc::ptr_eq(token, &self.token));
            known
                && record.ticket.as_ref().is_some_and(|carrier| {
                    carrier == ticket.as_str()
                        || (self.has(Defect::ClosesByPrefix) && carrier.starts_with(ticket.as_str()))
                })
        };
        let mut records = 0;
        let all = data.records.entry(self.there(target)).or_default();
        for record in all.values_mut().filter(|record| carries(record)) {
            record.standing = match rest {
                Rest::Updated => Standing::Confirmed,
                Rest::Released if self.has(Defect::ReleasesNothing) => Standing::Sent,
                Rest::Released => Standing::Planned,
            };
            if !self.has(Defect::ClosesAgain) {
                record.ticket = None;
            }
            records += 1;
        }
        if self.has(Defect::CountsTicketsForRecords) {
            records = records.min(1);
        }
        Ok(records)
    }

    fn end(&self, fence: &Fence, ticket: &Ticket, rest: Rest) -> Result<()> {
        if rest == Rest::Released && self.has(Defect::ReleasedTicketsStayOpen) {
            return Ok(());
        }
        let mut data = self.data();
        self.admit(&data, fence, self.has(Defect::TakesOldCloses))?;
        let name = self.name(&fence.task);
        for (task, found) in &mut data.tasks {
            if *task == name || self.has(Defect::ClosesInAllTasks) {
                found.tickets.retain(|open| open != ticket.as_str());
            }
        }
        Ok(())
    }
}
