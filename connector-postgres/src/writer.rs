//! One task's rows, rejections and checkpoint, a transaction at a time.

use std::collections::HashMap;

use async_trait::async_trait;
use bytes::BytesMut;
use connector_core::{
    Batch, CommitReport, Drift, Error, ErrorKind, Fence, Key, Op, Rejection, Result, State, Value, WriteMode,
    WriteRequest, Writer,
};
use tokio_postgres::Client;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::ToSql;

use crate::connect::Guarded;
use crate::connector::Postgres;
use crate::error::failed;
use crate::load::{Load, encode_row};
use crate::merge::{self, Fingerprinted};
use crate::state_schema;
use crate::state_store::{fenced_off, to_json};
use crate::table::Layout;

/// Rejections held in memory before they are stored.
const MAX_REJECTED: usize = 10_000;

/// Writes one table.
///
/// A transaction begins with the first record after a commit and holds a COPY open; [`commit`](Writer::commit) ends
/// the COPY, merges, stores rejections, moves the task's row, and commits. Dropped within one, it ends the session,
/// and with it the transaction.
pub(crate) struct TableWriter {
    postgres: Postgres,
    request: WriteRequest,
    layout: Layout,
    fingerprinted: Option<Fingerprinted>,
    /// Moves with each commit.
    fence: Option<Fence>,
    transaction: Option<Transaction>,
    rejected: Vec<Rejection>,
    report: CommitReport,
    /// Whether the rejections have a place to be stored.
    state_schema: bool,
}

/// What a transaction holds.
struct Transaction {
    session: Guarded,
    load: Option<Load>,
    /// How rows get into the table.
    path: Path,
    rows: u64,
    deletes: u64,
    /// What to delete from a table that is being loaded directly: rows for the staging table.
    direct_deletes: HashMap<Key, BytesMut>,
    /// Whether it made or changed the table.
    shaped: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Path {
    /// Into a table that this transaction made; its key comes afterwards.
    New,
    /// Into the table as it is.
    Append,
    /// Into the staging table.
    Stage,
}

impl TableWriter {
    pub(crate) async fn open(postgres: Postgres, request: WriteRequest) -> Result<Self> {
        let session = postgres.session().await?;
        let state_schema = request.fence.is_some();
        if state_schema {
            state_schema::ensure(&session, postgres.state_schema()).await?;
        }
        let layout = Layout::plan(&session, &postgres, &request).await?;
        let fingerprinted = if state_schema {
            fingerprints(&session, &postgres, &request, &layout).await?
        } else {
            None
        };
        let fence = request.fence.clone();
        Ok(Self {
            postgres,
            request,
            layout,
            fingerprinted,
            fence,
            transaction: None,
            rejected: Vec::new(),
            report: CommitReport::default(),
            state_schema,
        })
    }

    /// Begins a transaction; with `rows`, makes or changes the table and starts the COPY.
    async fn begin(&self, rows: bool) -> Result<Transaction> {
        let doing = "begin to write";
        let session = self.postgres.session().await?;
        let mut transaction = Transaction {
            session: Guarded::new(session),
            load: None,
            path: Path::Append,
            rows: 0,
            deletes: 0,
            direct_deletes: HashMap::new(),
            shaped: false,
        };
        let client = transaction.session.client()?;
        client
            .batch_execute("BEGIN")
            .await
            .map_err(|error| failed(doing, error))?;
        if !rows {
            return Ok(transaction);
        }
        let run = async |sql: &str| {
            client
                .batch_execute(sql)
                .await
                .map_err(|error| failed(doing, error))
        };
        let path = if !self.layout.exists {
            run(&self.layout.create_sql()).await?;
            Path::New
        } else {
            if let Some(sql) = self.layout.add_columns_sql() {
                run(&sql).await?;
            }
            if self.request.mode == WriteMode::Insert {
                Path::Append
            } else {
                run(&merge::create_stage(&self.layout)).await?;
                Path::Stage
            }
        };
        let load = self.start_load(client, path).await?;
        transaction.path = path;
        transaction.shaped = true;
        transaction.load = Some(load);
        Ok(transaction)
    }

    async fn start_load(&self, client: &Client, path: Path) -> Result<Load> {
        let statement = match path {
            Path::New => merge::copy_table(&self.layout, true),
            Path::Append => merge::copy_table(&self.layout, false),
            Path::Stage => merge::copy_stage(&self.layout),
        };
        Load::start(client, &statement, path == Path::Stage).await
    }

    /// Ends the COPY and moves the rows to where they belong; adds to the report what became of them.
    async fn settle_rows(&mut self, transaction: &mut Transaction) -> Result<()> {
        let Some(load) = transaction.load.take() else {
            return Ok(());
        };
        load.finish().await?;
        let counts = &mut self.report.counts;
        let client = transaction.session.client()?;
        match transaction.path {
            Path::Append => counts.created += transaction.rows,
            Path::New => {
                let deleted = delete_directly(client, &self.layout, &transaction.direct_deletes).await?;
                let superseded = if self.layout.key.is_empty() {
                    0
                } else {
                    add_key(client, &self.layout).await?
                };
                counts.created += transaction.rows - superseded - deleted;
                counts.unchanged += superseded + deleted + transaction.deletes;
            }
            Path::Stage => {
                let sync = self.postgres.sync();
                let puts = transaction.rows;
                let mut superseded = 0;
                // What is compared with fingerprints must be each record's last word.
                if transaction.deletes > 0 || self.fingerprinted.is_some() {
                    superseded += execute(client, &merge::deduplicate_stage(&self.layout)).await?;
                }
                if let Some(fingerprinted) = &self.fingerprinted {
                    counts.echo += count(client, &fingerprinted.count_echo(&self.layout, &sync)).await?;
                    counts.drifted += count(client, &fingerprinted.count_drift(&self.layout, &sync)).await?;
                    if self.request.drift == Drift::Overwrite {
                        execute(client, &fingerprinted.forget_drifted(&self.layout, &sync)).await?;
                    }
                }
                let echo = counts.echo;
                let deleted = if transaction.deletes > 0 {
                    execute(client, &merge::delete(&self.layout)).await?
                } else {
                    0
                };
                let (created, updated) = upsert(client, &self.layout, &mut superseded).await?;
                let updated = updated.saturating_sub(echo);
                counts.created += created;
                counts.updated += updated;
                counts.deleted += deleted;
                // What repeats a later record of the same commit, or says what the table says already.
                counts.unchanged += puts + transaction.deletes - created - updated - echo - deleted;
            }
        }
        Ok(())
    }

    async fn store_rejections(&mut self, client: &Client) -> Result<()> {
        if self.rejected.is_empty() || !self.state_schema {
            self.rejected.clear();
            return Ok(());
        }
        let rejected = std::mem::take(&mut self.rejected);
        let sequences: Vec<i64> = rejected
            .iter()
            .map(|rejection| rejection.sequence as i64)
            .collect();
        let keys: Vec<Option<String>> = rejected
            .iter()
            .map(|rejection| rejection.key.as_ref().map(|key| storable(key.as_str())))
            .collect();
        let codes: Vec<&str> = rejected.iter().map(|rejection| rejection.code.as_str()).collect();
        let messages: Vec<String> = rejected
            .iter()
            .map(|rejection| storable(&rejection.message))
            .collect();
        let fields: Vec<String> = rejected
            .iter()
            .map(|rejection| rejection.fields.join(","))
            .collect();
        let epoch = self.fence.as_ref().map_or(0, |fence| fence.epoch);
        let sql = format!(
            "INSERT INTO {}.rejection (task, epoch, sequence, key, code, message, fields)
             SELECT $1, $2, sequence, key, code, message, string_to_array(fields, ',')
             FROM unnest($3::bigint[], $4::text[], $5::text[], $6::text[], $7::text[]) AS r (sequence, key, code, message, fields)",
            self.postgres.sync()
        );
        let parameters: [&(dyn ToSql + Sync); 7] = [
            &self.request.task.as_str(),
            &epoch,
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

    /// The transaction's last statement: hits one row, or everything is undone.
    async fn move_fence(&self, client: &Client, checkpoint: Option<&State>) -> Result<()> {
        let Some(fence) = &self.fence else { return Ok(()) };
        let state = checkpoint.map(to_json).transpose()?;
        let sql = format!(
            "UPDATE {}.task SET commit_no = commit_no + 1, state = coalesce($4::text::jsonb, state), committed_at = now()
             WHERE task = $1 AND epoch = $2 AND commit_no = $3",
            self.postgres.sync()
        );
        let parameters: [&(dyn ToSql + Sync); 4] =
            [&fence.task.as_str(), &fence.epoch, &fence.commit_no, &state];
        let moved = client
            .execute(&sql, &parameters)
            .await
            .map_err(|error| failed("store the checkpoint", error))?;
        if moved == 1 {
            Ok(())
        } else {
            Err(fenced_off(fence))
        }
    }

    /// After a COMMIT whose answer was lost: whether it took place.
    async fn was_committed(&self, fence: &Fence) -> Result<bool> {
        let session = self.postgres.session().await?;
        let sql = format!(
            "SELECT epoch, commit_no FROM {}.task WHERE task = $1",
            self.postgres.sync()
        );
        let row = session
            .query_one(&sql, &[&fence.task.as_str()])
            .await
            .map_err(|error| failed("read the commit back", error))?;
        Ok((row.get::<_, i64>(0), row.get::<_, i64>(1)) == (fence.epoch, fence.commit_no + 1))
    }
}

#[async_trait]
impl Writer for TableWriter {
    async fn write(&mut self, batch: Batch) -> Result<()> {
        let mut transaction = match self.transaction.take() {
            Some(transaction) if transaction.load.is_some() => transaction,
            _ => self.begin(true).await?,
        };
        for record in batch.records() {
            let Some(load) = &mut transaction.load else {
                return Err(Error::new(ErrorKind::Bug, "a transaction lost its COPY"));
            };
            let deleted = record.op() == Op::Delete;
            let key = || Key::from_values(self.layout.key.iter().map(|&position| record.value(position)));
            if let Some(field) = unset_field(&record, deleted) {
                let error = Error::new(
                    ErrorKind::Unsupported,
                    format!("a record says nothing about `{field}`"),
                );
                return Err(error.with_help(
                    "read every field that is mapped; PostgreSQL rows are written whole in this version",
                ));
            }
            let taken = if deleted && self.request.mode == WriteMode::Insert {
                let message = "a write in the mode insert deletes nothing";
                Err(Rejection::new(
                    record.sequence(),
                    record.source_key(),
                    "delete_refused",
                    message,
                ))
            } else if deleted && transaction.path == Path::New {
                let mut row = BytesMut::new();
                encode_row(&record, &self.layout, deleted, true, &mut row)
                    .map(|()| drop(transaction.direct_deletes.insert(key(), row)))
            } else {
                load.push(&record, &self.layout, deleted)
            };
            match taken {
                Ok(()) if deleted => transaction.deletes += 1,
                Ok(()) => {
                    transaction.rows += 1;
                    if !transaction.direct_deletes.is_empty() {
                        transaction.direct_deletes.remove(&key());
                    }
                }
                Err(rejection) => {
                    self.report.reject(rejection.clone());
                    self.rejected.push(rejection);
                }
            }
            load.flush().await?;
        }
        if self.rejected.len() >= MAX_REJECTED
            && let Some(load) = transaction.load.take()
        {
            // The session cannot do two things at once: end the COPY, store, and start another.
            load.finish().await?;
            let client = transaction.session.client()?;
            self.store_rejections(client).await?;
            transaction.load = Some(self.start_load(client, transaction.path).await?);
        }
        self.transaction = Some(transaction);
        Ok(())
    }

    async fn reject(&mut self, rejected: Vec<Rejection>) -> Result<()> {
        for rejection in rejected {
            self.report.reject(rejection.clone());
            self.rejected.push(rejection);
        }
        Ok(())
    }

    async fn commit(&mut self, checkpoint: Option<&State>) -> Result<CommitReport> {
        let mut transaction = match self.transaction.take() {
            Some(transaction) => transaction,
            None => self.begin(false).await?,
        };
        self.settle_rows(&mut transaction).await?;
        let client = transaction.session.client()?;
        self.store_rejections(client).await?;
        self.move_fence(client, checkpoint).await?;
        if let Err(error) = client.batch_execute("COMMIT").await {
            let committed = match &self.fence {
                Some(fence) if error.is_closed() => self.was_committed(fence).await?,
                _ => false,
            };
            if !committed {
                return Err(failed("commit", error));
            }
        } else {
            // The session is clean: back to the pool.
            transaction.session.release();
        }
        if transaction.shaped {
            self.layout.exists = true;
            self.layout
                .columns
                .iter_mut()
                .for_each(|column| column.added = false);
        }
        if let Some(fence) = &mut self.fence {
            fence.commit_no += 1;
        }
        Ok(std::mem::take(&mut self.report))
    }

    async fn finish(mut self: Box<Self>, checkpoint: Option<&State>) -> Result<CommitReport> {
        if !self.layout.exists && self.transaction.is_none() {
            // Nothing came: the table is there all the same.
            self.transaction = Some(self.begin(true).await?);
        }
        self.commit(checkpoint).await
    }
}

/// A key or message that PostgreSQL can store: the record may have been refused for the very NUL in it.
fn storable(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}

fn unset_field<'a>(record: &connector_core::Record<'a>, deleted: bool) -> Option<&'a str> {
    if deleted {
        return None;
    }
    let position = record.values().position(|value| matches!(value, Value::Unset))?;
    Some(&record.schema().fields()[position].name)
}

async fn execute(client: &Client, sql: &str) -> Result<u64> {
    client
        .execute(sql, &[])
        .await
        .map_err(|error| failed("merge rows", error))
}

async fn count(client: &Client, sql: &str) -> Result<u64> {
    let row = client
        .query_one(sql, &[])
        .await
        .map_err(|error| failed("compare rows", error))?;
    Ok(u64::try_from(row.get::<_, i64>(0)).unwrap_or(0))
}

/// Merges the staging table; if a key stands in it twice, once more without the earlier ones.
async fn upsert(client: &Client, layout: &Layout, superseded: &mut u64) -> Result<(u64, u64)> {
    let sql = merge::upsert(layout);
    let run = async |sql: &str| {
        client
            .batch_execute(sql)
            .await
            .map_err(|error| failed("merge rows", error))
    };
    run("SAVEPOINT merge").await?;
    let row = match client.query_one(&sql, &[]).await {
        Err(error) if error.code() == Some(&SqlState::CARDINALITY_VIOLATION) => {
            run("ROLLBACK TO merge").await?;
            *superseded += execute(client, &merge::deduplicate_stage(layout)).await?;
            client.query_one(&sql, &[]).await
        }
        other => other,
    }
    .map_err(|error| failed("merge rows", error))?;
    let number = |i: usize| u64::try_from(row.get::<_, i64>(i)).unwrap_or(0);
    Ok((number(0), number(1)))
}

/// Makes the key of a table just loaded; if one stands twice, after the earlier rows are gone. Returns their number.
async fn add_key(client: &Client, layout: &Layout) -> Result<u64> {
    let run = async |sql: &str| client.batch_execute(sql).await;
    run("SAVEPOINT key")
        .await
        .map_err(|error| failed("make the primary key", error))?;
    match run(&layout.add_key_sql()).await {
        Ok(()) => Ok(0),
        Err(error) if error.code() == Some(&SqlState::UNIQUE_VIOLATION) => {
            run("ROLLBACK TO key")
                .await
                .map_err(|error| failed("make the primary key", error))?;
            let superseded = execute(client, &merge::deduplicate_table(layout)).await?;
            run(&layout.add_key_sql())
                .await
                .map_err(|error| failed("make the primary key", error))?;
            Ok(superseded)
        }
        Err(error) => Err(failed("make the primary key", error)),
    }
}

/// Deletes rows from a table that was just made: rare, and few.
async fn delete_directly(client: &Client, layout: &Layout, rows: &HashMap<Key, BytesMut>) -> Result<u64> {
    if rows.is_empty() {
        return Ok(0);
    }
    client
        .batch_execute(&merge::create_stage(layout))
        .await
        .map_err(|error| failed("delete rows", error))?;
    let mut load = Load::start(client, &merge::copy_stage(layout), true).await?;
    for row in rows.values() {
        load.push_encoded(row);
        load.flush().await?;
    }
    load.finish().await?;
    execute(client, &merge::delete(layout)).await
}

/// Whether, and where, this table's rows carry values that were written back to where they come from.
async fn fingerprints(
    client: &Client,
    postgres: &Postgres,
    request: &WriteRequest,
    layout: &Layout,
) -> Result<Option<Fingerprinted>> {
    let Some(origin) = &request.origin else {
        return Ok(None);
    };
    let sql = format!(
        "SELECT target, match_on, fields FROM {}.target WHERE identity = $1 AND object = $2",
        postgres.sync()
    );
    let row = client
        .query_opt(&sql, &[&origin.target.identity.as_str(), &origin.target.object])
        .await
        .map_err(|error| failed("look for fingerprints", error))?;
    let Some(row) = row else { return Ok(None) };
    let position = |source: &String| {
        let (name, _) = origin.fields.iter().find(|(_, other)| other == source)?;
        layout.columns.iter().position(|column| column.name == *name)
    };
    let match_on: Vec<String> = row.get(1);
    let fields: Vec<String> = row.get(2);
    let key: Option<Vec<usize>> = match_on.iter().map(position).collect();
    let fields: Option<Vec<(String, usize)>> = fields
        .iter()
        .map(|field| position(field).map(|position| (field.clone(), position)))
        .collect();
    // A load that leaves out a field that was written back cannot tell whether it has drifted.
    Ok(key
        .zip(fields)
        .filter(|(key, fields)| !key.is_empty() && !fields.is_empty())
        .map(|(key, fields)| Fingerprinted {
            target: row.get(0),
            key,
            fields,
        }))
}
