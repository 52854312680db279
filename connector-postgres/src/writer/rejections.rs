//! Records that were refused: counted, and stored in the transaction of the rows.

use connector_core::{CommitReport, Fence, Key, Record, Rejection, Result, TaskId};
use tokio_postgres::Client;
use tokio_postgres::types::ToSql;

use super::payload::{self, Payload};
use super::reason::is_answer;
use crate::connector::Postgres;
use crate::error::failed;
use crate::shape::Shape;
use crate::table::Layout;

/// Rejections held in memory before they are stored, and bytes of what their records held.
const MAX_PENDING: usize = 10_000;
const MAX_PENDING_BYTES: usize = 16 << 20;

/// The rejections of one writer.
pub(super) struct Rejections {
    /// Where they are stored; nowhere without a fence.
    place: Option<Place>,
    /// Whether what their records held is kept with them.
    keeps_payload: bool,
    pending: Vec<(Rejection, Option<Payload>)>,
    pending_bytes: usize,
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

/// How payloads are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// As objects; one that `jsonb` does not take, as its text: a JSON string.
    Object,
    /// All of them as their text.
    Text,
    /// Not at all.
    None,
}

async fn run(client: &Client, sql: &str) -> Result<()> {
    client
        .batch_execute(sql)
        .await
        .map_err(|error| failed("store rejected records", error))
}

impl Place {
    async fn insert(
        &self,
        client: &Client,
        rejected: &[(Rejection, Option<Payload>)],
        form: Form,
    ) -> std::result::Result<(), tokio_postgres::Error> {
        let (rejections, payloads): (Vec<_>, Vec<_>) = rejected
            .iter()
            .map(|(one, payload)| (one, payload.as_ref()))
            .unzip();
        let sequences: Vec<i64> = rejections.iter().map(|one| one.sequence as i64).collect();
        let keys: Vec<Option<String>> = rejections
            .iter()
            .map(|one| one.key.as_ref().map(|key| storable(key.as_str())))
            .collect();
        let codes: Vec<&str> = rejections.iter().map(|one| one.code.as_str()).collect();
        let messages: Vec<String> = rejections.iter().map(|one| storable(&one.message)).collect();
        let fields: Vec<String> = rejections.iter().map(|one| one.fields.join(",")).collect();
        let kept = payloads
            .iter()
            .map(|payload| payload.filter(|_| form != Form::None));
        let texts: Vec<Option<&str>> = kept.map(|payload| payload.map(Payload::as_str)).collect();
        let plain: Vec<bool> = payloads
            .iter()
            .map(|payload| form == Form::Object && payload.is_some_and(Payload::has_plain_escapes))
            .collect();
        let sql = format!(
            "INSERT INTO {}.rejection (task, epoch, sequence, key, code, message, fields, payload)
             SELECT $1, $2, sequence, key, code, message, string_to_array(fields, ','),
                    CASE WHEN plain THEN payload::jsonb ELSE to_jsonb(payload) END
             FROM unnest($3::bigint[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::bool[])
                AS r (sequence, key, code, message, fields, payload, plain)",
            self.sync
        );
        let parameters: [&(dyn ToSql + Sync); 9] = [
            &self.task.as_str(),
            &self.epoch,
            &sequences,
            &keys,
            &codes,
            &messages,
            &fields,
            &texts,
            &plain,
        ];
        client.execute(&sql, &parameters).await.map(drop)
    }
}

impl Rejections {
    pub(super) fn new(postgres: &Postgres, task: &TaskId, fence: Option<&Fence>) -> Self {
        let sync = postgres.sync();
        Self {
            keeps_payload: fence.is_some() && postgres.keeps_payload(),
            place: fence.map(|fence| Place {
                sync,
                task: task.clone(),
                epoch: fence.epoch,
            }),
            pending: Vec::new(),
            pending_bytes: 0,
        }
    }

    /// Counts a rejection, and keeps it for [`store`](Self::store).
    pub(super) fn add(&mut self, rejection: Rejection, payload: Option<Payload>, report: &mut CommitReport) {
        if self.place.is_some() {
            self.pending_bytes += payload.as_ref().map_or(0, |payload| payload.as_str().len());
            self.pending.push((rejection.clone(), payload));
        }
        report.reject(rejection);
    }

    /// The same with what the record held, if that is kept.
    pub(super) fn add_record(
        &mut self,
        record: &Record<'_>,
        layout: &Layout,
        rejection: Rejection,
        report: &mut CommitReport,
    ) {
        let payload = self.keeps_payload.then(|| Payload::of(record, layout));
        self.add(rejection, payload, report);
    }

    /// Whether they should be stored before more come.
    pub(super) fn are_many(&self) -> bool {
        self.pending.len() >= MAX_PENDING || self.pending_bytes >= MAX_PENDING_BYTES
    }

    /// What a staged row `s` held, as SQL: null where it is not kept.
    pub(super) fn staged_payload(&self, layout: &Layout, shape: &Shape) -> String {
        if self.keeps_payload {
            payload::staged(layout, shape)
        } else {
            "NULL::jsonb".to_owned()
        }
    }

    /// Stores those that were added.
    pub(super) async fn store(&mut self, client: &Client) -> Result<()> {
        let doing = "store rejected records";
        let Some(place) = self.place.as_ref().filter(|_| !self.pending.is_empty()) else {
            return Ok(());
        };
        let rejected = std::mem::take(&mut self.pending);
        self.pending_bytes = 0;
        if rejected.iter().all(|(_, payload)| payload.is_none()) {
            let stored = place.insert(client, &rejected, Form::None).await;
            return stored.map_err(|error| failed(doing, error));
        }
        // What a record held is no reason to lose its rejection, or the rows of this commit.
        for form in [Form::Object, Form::Text, Form::None] {
            run(client, "SAVEPOINT rejections").await?;
            match place.insert(client, &rejected, form).await {
                Ok(()) => return run(client, "RELEASE rejections").await,
                Err(error) if is_answer(&error) && form != Form::None => {
                    run(client, "ROLLBACK TO rejections").await?;
                }
                Err(error) => return Err(failed(doing, error)),
            }
        }
        Ok(())
    }

    /// Takes rows out of the staging table and counts each as rejected; `statement` returns their sequence numbers
    /// and keys, `payload` is SQL of [`staged_payload`](Self::staged_payload). However many they are, few of them come
    /// here. Returns their number.
    pub(super) async fn take_out(
        &self,
        client: &Client,
        statement: &str,
        payload: &str,
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
                    "WITH gone AS ({statement}, {payload} AS payload), stored AS (
                        INSERT INTO {}.rejection (task, epoch, sequence, key, code, message, fields, payload)
                        SELECT $1, $2, sequence, key, $3, $4, $5, payload FROM gone)
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
