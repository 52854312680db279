//! Records that were refused: counted, and stored in the transaction of the rows.

use connector_core::{CommitReport, Fence, Key, Rejection, Result, TaskId};
use tokio_postgres::Client;
use tokio_postgres::types::ToSql;

use crate::error::failed;

/// Rejections held in memory before they are stored.
const MAX_PENDING: usize = 10_000;

/// The rejections of one writer.
pub(super) struct Rejections {
    /// Where they are stored; nowhere without a fence.
    place: Option<Place>,
    pending: Vec<Rejection>,
}

struct Place {
    sync: String,
    task: TaskId,
    epoch: i64,
}

/// Why rows are taken out of the staging table.
pub(super) struct Reason<'a> {
    pub(super) code: &'a str,
    pub(super) message: &'a str,
    pub(super) fields: Vec<String>,
}

impl Rejections {
    pub(super) fn new(sync: String, task: &TaskId, fence: Option<&Fence>) -> Self {
        Self {
            place: fence.map(|fence| Place {
                sync,
                task: task.clone(),
                epoch: fence.epoch,
            }),
            pending: Vec::new(),
        }
    }

    /// Counts a rejection, and keeps it for [`store`](Self::store).
    pub(super) fn add(&mut self, rejection: Rejection, report: &mut CommitReport) {
        if self.place.is_some() {
            self.pending.push(rejection.clone());
        }
        report.reject(rejection);
    }

    /// Whether they should be stored before more come.
    pub(super) fn are_many(&self) -> bool {
        self.pending.len() >= MAX_PENDING
    }

    /// Stores those that were added.
    pub(super) async fn store(&mut self, client: &Client) -> Result<()> {
        let Some(place) = self.place.as_ref().filter(|_| !self.pending.is_empty()) else {
            return Ok(());
        };
        let rejected = std::mem::take(&mut self.pending);
        let sequences: Vec<i64> = rejected.iter().map(|one| one.sequence as i64).collect();
        let keys: Vec<Option<String>> = rejected
            .iter()
            .map(|one| one.key.as_ref().map(|key| storable(key.as_str())))
            .collect();
        let codes: Vec<&str> = rejected.iter().map(|one| one.code.as_str()).collect();
        let messages: Vec<String> = rejected.iter().map(|one| storable(&one.message)).collect();
        let fields: Vec<String> = rejected.iter().map(|one| one.fields.join(",")).collect();
        let sql = format!(
            "INSERT INTO {}.rejection (task, epoch, sequence, key, code, message, fields)
             SELECT $1, $2, sequence, key, code, message, string_to_array(fields, ',')
             FROM unnest($3::bigint[], $4::text[], $5::text[], $6::text[], $7::text[]) AS r (sequence, key, code, message, fields)",
            place.sync
        );
        let parameters: [&(dyn ToSql + Sync); 7] = [
            &place.task.as_str(),
            &place.epoch,
            &sequences,
            &keys,
            &codes,
            &messages,
            &fields,
        ];
        client
            .execute(&sql, &parameters)
            .await
            .map_err(|error| failed("store rejected records", error))?;
        Ok(())
    }

    /// Takes rows out of the staging table and counts each as rejected; `statement` returns their sequence numbers
    /// and keys. However many they are, few of them come here. Returns their number.
    pub(super) async fn take_out(
        &self,
        client: &Client,
        statement: &str,
        reason: Reason<'_>,
        report: &mut CommitReport,
    ) -> Result<u64> {
        let doing = "leave out rejected records";
        let sample = format!(
            "SELECT sequence, key, count(*) OVER () FROM gone ORDER BY sequence LIMIT {}",
            CommitReport::SAMPLE
        );
        let rows = match &self.place {
            None => {
                let sql = format!("WITH gone AS ({statement}) {sample}");
                client.query(&sql, &[]).await
            }
            Some(place) => {
                let sql = format!(
                    "WITH gone AS ({statement}), stored AS (
                        INSERT INTO {}.rejection (task, epoch, sequence, key, code, message, fields)
                        SELECT $1, $2, sequence, key, $3, $4, $5 FROM gone)
                     {sample}",
                    place.sync
                );
                let parameters: [&(dyn ToSql + Sync); 5] = [
                    &place.task.as_str(),
                    &place.epoch,
                    &reason.code,
                    &reason.message,
                    &reason.fields,
                ];
                client.query(&sql, &parameters).await
            }
        }
        .map_err(|error| failed(doing, error))?;
        let total = rows.first().map_or(0, |row| row.get::<_, i64>(2).unsigned_abs());
        for row in &rows {
            let key: Option<String> = row.get(1);
            let sequence = row.get::<_, i64>(0) as u64;
            let mut rejection = Rejection::new(sequence, key.map(Key::new), reason.code, reason.message);
            rejection.fields.clone_from(&reason.fields);
            report.reject(rejection);
        }
        report.counts.rejected += total - rows.len() as u64;
        Ok(total)
    }
}

/// A key or message that PostgreSQL can store: the record may have been refused for the very NUL in it.
fn storable(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}
