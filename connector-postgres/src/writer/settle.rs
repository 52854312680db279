//! Staged rows to where they belong, and what became of them.

use bytes::BytesMut;
use connector_core::{Drift, Key, Result, WriteMode};
use std::collections::HashMap;
use tokio_postgres::Client;
use tokio_postgres::error::SqlState;

use super::TableWriter;
use super::keys::Keys;
use super::refused::{Merged, deduplicate, merge};
use super::transaction::{Path, Transaction};
use super::unfit::{known, lacking, unknown};
use crate::error::failed;
use crate::fingerprint::Rows;
use crate::history;
use crate::load::Load;
use crate::merge::{Merge, deduplicate_table, sample_news};
use crate::own::Own;
use crate::shape::Shape;
use crate::stage::{self, STAGE};
use crate::table::Layout;

impl TableWriter {
    /// Ends the COPY and moves the rows to where they belong; adds to the report what became of them.
    pub(super) async fn settle_rows(&mut self, transaction: &mut Transaction) -> Result<()> {
        let Some(load) = transaction.load.take() else {
            return Ok(());
        };
        load.finish().await?;
        match transaction.path {
            // A name changes nothing.
            Path::Append if self.sweep.is_some() => self.report.counts.unchanged += transaction.rows,
            Path::Append => self.report.counts.created += transaction.rows,
            Path::New => {
                let client = transaction.session.client()?;
                let layout = &self.layout;
                let deleted = delete_directly(client, layout, &transaction.direct_deletes).await?;
                let superseded = if layout.key.is_empty() {
                    0
                } else {
                    add_key(client, layout).await?
                };
                let counts = &mut self.report.counts;
                counts.created += transaction.rows - superseded - deleted;
                counts.unchanged += superseded + deleted + transaction.deletes;
            }
            Path::Stage => self.settle_stage(transaction).await?,
        }
        transaction.rows = 0;
        transaction.keys = Keys::unknown();
        transaction.deletes = 0;
        transaction.direct_deletes.clear();
        Ok(())
    }

    async fn settle_stage(&mut self, transaction: &mut Transaction) -> Result<()> {
        self.hold_table(transaction).await?;
        transaction.evolve(&self.layout).await?;
        let is_uniform = transaction.shape.is_partial() && !transaction.shape.masked;
        if is_uniform && transaction.deletes > 0 && !self.layout.names_only {
            // A record that comes after a delete of its key starts from nothing, unlike the others.
            transaction.widen_stage(&self.layout).await?;
        }
        let client = transaction.session.client()?;
        let (layout, shape) = (&self.layout, &transaction.shape);
        let mut kind = self.merge_kind(transaction);
        let delete = self.delete_kind(transaction);
        let rejected_before = self.report.counts.rejected;
        // What leaves fields unset cannot tell; what is built beside is compared when it is published.
        let fingerprinted = self
            .fingerprinted
            .as_ref()
            .filter(|_| !shape.is_partial() && self.overwritten.is_none());
        let (rejections, report) = (&mut self.rejections, &mut self.report);
        let unfit = match kind {
            Merge::Insert => known(layout),
            Merge::Update => vec![unknown(layout)],
            _ => Vec::new(),
        };
        let payload = rejections.staged_payload(layout, shape);
        for (statement, reason) in unfit {
            rejections
                .take_out(client, &statement, &payload, reason, report)
                .await?;
        }
        if kind == Merge::History {
            execute(client, &history::lock(layout)).await?;
        }
        if kind != Merge::Insert && !layout.names_only {
            if shape.masked {
                count(client, &stage::fold(layout)).await?;
            } else {
                let rows = transaction.rows;
                let samples = kind == Merge::Upsert && !layout.own.is_versions() && rows > SAMPLE;
                if samples && are_few(client, layout, shape, rows).await? {
                    kind = Merge::UpsertFew;
                }
                // What is compared, deleted or updated must be each record's last word.
                let compared = transaction.deletes > 0 || fingerprinted.is_some() || kind != Merge::Upsert;
                if compared && transaction.keys.may_repeat() {
                    deduplicate(client, layout).await?;
                }
            }
        }
        if let Some((statement, reason)) = lacking(layout, shape, kind) {
            rejections
                .take_out(client, &statement, &payload, reason, report)
                .await?;
        }
        let mut echo = 0;
        if let Some(fingerprinted) = fingerprinted {
            let sync = self.postgres.sync();
            echo = count(client, &fingerprinted.count_echo(layout, &sync)).await?;
            report.counts.drifted +=
                count(client, &fingerprinted.count_drift(layout, &sync, Rows::Staged)).await?;
            if self.request.drift == Drift::Overwrite {
                execute(client, &fingerprinted.forget_drifted(layout, &sync, Rows::Staged)).await?;
            }
        }
        let deleted = if transaction.deletes > 0 || layout.names_only {
            merge(client, layout, shape, delete, rejections, report)
                .await?
                .deleted
        } else {
            0
        };
        let merged = if layout.names_only {
            Merged::default()
        } else {
            merge(client, layout, shape, kind, rejections, report).await?
        };
        let counts = &mut report.counts;
        let updated = merged.updated.saturating_sub(echo);
        counts.created += merged.created;
        counts.updated += updated;
        counts.deleted += deleted;
        counts.echo += echo;
        // What repeats a later record of the same commit, or says what the table says already.
        let told = merged.created + updated + deleted + echo + counts.rejected - rejected_before;
        counts.unchanged += (transaction.rows + transaction.deletes).saturating_sub(told);
        Ok(())
    }

    /// How staged rows get into the table.
    fn merge_kind(&self, transaction: &Transaction) -> Merge {
        let shape = &transaction.shape;
        match self.request.mode {
            // What began in this very transaction can be changed: of several versions in it the last counts.
            WriteMode::History if !transaction.made => Merge::History,
            WriteMode::Insert => Merge::Insert,
            WriteMode::Update => Merge::Update,
            _ if self.layout.key.is_empty() => Merge::Insert,
            _ if shape.masked => Merge::PartialUpsert,
            _ => Merge::Upsert,
        }
    }

    /// How staged deletes are carried out; nobody misses a row that this transaction made.
    fn delete_kind(&self, transaction: &Transaction) -> Merge {
        match &self.layout.own {
            Own::Mark { .. } if !transaction.made => Merge::Mark,
            Own::Versions { .. } if !transaction.made => Merge::Close,
            _ => Merge::Delete,
        }
    }
}

/// Rows that are looked at before it is decided how to merge all of them.
const SAMPLE: u64 = 1_000;

/// Whether, of staged rows, few are new or differ from what is there: going by a sample.
async fn are_few(client: &Client, layout: &Layout, shape: &Shape, rows: u64) -> Result<bool> {
    let row = client
        .query_one(&sample_news(layout, shape, SAMPLE, rows), &[])
        .await
        .map_err(|error| failed("compare rows", error))?;
    let (looked_at, news): (i64, i64) = (row.get(0), row.get(1));
    // Taken up one by one, a row that is the same costs a lock; found beforehand, one that differs is compared twice.
    Ok(news * 3 < looked_at)
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

/// Makes the key of a table just loaded; if one stands twice, after the earlier rows are gone. Returns their number.
pub(super) async fn add_key(client: &Client, layout: &Layout) -> Result<u64> {
    let run = async |sql: &str| client.batch_execute(sql).await;
    let failed = |error| failed("make the primary key", error);
    run("SAVEPOINT key").await.map_err(failed)?;
    match run(&layout.add_key_sql()).await {
        Ok(()) => Ok(0),
        Err(error) if error.code() == Some(&SqlState::UNIQUE_VIOLATION) => {
            run("ROLLBACK TO key").await.map_err(failed)?;
            let superseded = execute(client, &deduplicate_table(layout)).await?;
            run(&layout.add_key_sql()).await.map_err(failed)?;
            Ok(superseded)
        }
        Err(error) => Err(failed(error)),
    }
}

/// Deletes rows from a table that was just made: rare, and few.
async fn delete_directly(client: &Client, layout: &Layout, rows: &HashMap<Key, BytesMut>) -> Result<u64> {
    if rows.is_empty() {
        return Ok(0);
    }
    let shape = Shape {
        staged: true,
        ..Shape::default()
    };
    let run = async |sql: &str| {
        client
            .batch_execute(sql)
            .await
            .map_err(|error| failed("delete rows", error))
    };
    run(&stage::create(layout, &shape)).await?;
    let mut load = Load::start(client, &stage::copy(layout, &shape)).await?;
    for row in rows.values() {
        load.push_encoded(row);
        load.flush().await?;
    }
    load.finish().await?;
    let sql = Merge::Delete.sql(layout, &shape, None);
    let row = client
        .query_one(&sql, &[])
        .await
        .map_err(|error| failed("delete rows", error))?;
    run(&format!("DROP TABLE {STAGE}")).await?;
    Ok(row.get::<_, i64>(2).unsigned_abs())
}
