//! The end of an overwrite: what was built takes the table's place, in the transaction of the last commit.

use connector_core::{CommitReport, Drift, Error, ErrorKind, Result};
use tokio_postgres::Client;
use tokio_postgres::error::SqlState;

use super::TableWriter;
use super::known::Known;
use super::transaction::Transaction;
use crate::error::failed;
use crate::fingerprint::Rows;
use crate::ident::{Ident, Table};
use crate::swap::{self, Index};
use crate::table::Layout;

const DOING: &str = "publish an overwrite";

impl TableWriter {
    /// Publishes; the shadow is there, and everything staged is in it.
    pub(super) async fn publish(&mut self, transaction: &mut Transaction) -> Result<()> {
        let Some(target) = &self.overwritten else {
            return Ok(());
        };
        let client = transaction.session.client()?;
        let swap = Swap {
            client,
            target,
            known: self.known.as_ref(),
            shadow: &self.layout.table,
        };
        let staged = swap.count(swap.shadow).await?;
        if let Some(fingerprinted) = &self.fingerprinted {
            let (sync, rows) = (self.postgres.sync(), Rows::Of(swap.shadow));
            let drifted = client
                .query_one(&fingerprinted.count_drift(target, &sync, rows), &[])
                .await
                .map_err(|error| failed("compare rows", error))?;
            note_drift(&mut self.report, drifted.get(0));
            if self.request.drift == Drift::Overwrite {
                swap.run(&fingerprinted.forget_drifted(target, &sync, rows))
                    .await?;
            }
        }
        if !target.exists {
            swap.take_free_name().await?;
        } else if !swap.replace().await? {
            swap.in_place().await?;
        }
        let published = swap.count(&target.table).await?;
        if published == staged {
            return Ok(());
        }
        let message = format!(
            "{} would hold {published} rows of the {staged} that were written; nothing was published",
            target.table
        );
        Err(Error::new(ErrorKind::Data, message)
            .with_help("a trigger or rule of the table leaves rows out: change it, or write in another mode"))
    }
}

fn note_drift(report: &mut CommitReport, drifted: i64) {
    report.counts.drifted += u64::try_from(drifted).unwrap_or(0);
}

struct Swap<'a> {
    client: &'a Client,
    target: &'a Layout,
    /// The target as it was planned for.
    known: Option<&'a Known>,
    shadow: &'a Table,
}

impl Swap<'_> {
    async fn run(&self, sql: &str) -> Result<()> {
        self.client
            .batch_execute(sql)
            .await
            .map_err(|error| failed(DOING, error))
    }

    /// Nobody may have changed the table: what was built is like it was.
    async fn hold_target(&self) -> Result<()> {
        match self.known {
            Some(known) => known.hold(self.client, &self.target.table).await,
            None => Ok(()),
        }
    }

    async fn count(&self, table: &Table) -> Result<i64> {
        let row = self
            .client
            .query_one(&format!("SELECT count(*) FROM {table}"), &[])
            .await
            .map_err(|error| failed("count rows", error))?;
        Ok(row.get(0))
    }

    /// There was no such table: the shadow becomes it.
    async fn take_free_name(&self) -> Result<()> {
        let key = swap::indexes(self.client, self.shadow).await?;
        self.run(&format!(
            "ALTER TABLE {} RENAME TO {}; COMMENT ON TABLE {} IS NULL",
            self.shadow,
            Ident(&self.target.table.name),
            self.target.table
        ))
        .await?;
        let Some(key) = key.first() else {
            return Ok(());
        };
        let sql = format!(
            "ALTER INDEX {}.{} RENAME TO {}",
            Ident(&self.shadow.schema),
            Ident(&key.name),
            Ident(&key_name(&self.target.table.name))
        );
        self.run("SAVEPOINT name").await?;
        if self.client.batch_execute(&sql).await.is_err() {
            // Somebody has that name: the key is as good under another.
            self.run("ROLLBACK TO name").await?;
        }
        Ok(())
    }

    /// Drops the table and gives the shadow its name, indexes, rights and comment. False where that would not leave
    /// the same table behind: then nothing was done.
    async fn replace(&self) -> Result<bool> {
        if !swap::obstacles(self.client, self.target).await?.is_empty() {
            return Ok(false);
        }
        self.run("SAVEPOINT replace").await?;
        let indexes = swap::indexes(self.client, &self.target.table).await?;
        let own_key = swap::indexes(self.client, self.shadow).await?;
        // Everything that takes long, before readers are kept out.
        let mut names = Vec::new();
        for (number, index) in indexes.iter().enumerate() {
            match own_key.iter().find(|own| own.primary && index.primary) {
                Some(own) => names.push(own.name.clone()),
                None => {
                    self.run(&index.make_sql(self.shadow, number)).await?;
                    names.push(swap::provisional(self.shadow, number));
                }
            }
        }
        if self.exchange(&indexes, &names).await? {
            return Ok(true);
        }
        self.run("ROLLBACK TO replace").await?;
        Ok(false)
    }

    async fn exchange(&self, indexes: &[Index], names: &[String]) -> Result<bool> {
        let (table, shadow) = (&self.target.table, self.shadow);
        self.run(&format!("LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE"))
            .await?;
        self.hold_target().await?;
        // Somebody may have changed its indexes until now, or what depends on it.
        let same = swap::obstacles(self.client, self.target).await?.is_empty()
            && swap::indexes(self.client, table).await? == indexes;
        if !same {
            return Ok(false);
        }
        let likeness = swap::likeness(self.client, table, shadow).await?;
        self.run(&likeness.join("; ")).await?;
        match self.client.batch_execute(&format!("DROP TABLE {table}")).await {
            Ok(()) => {}
            // Something of a kind that was not thought of, such as a function.
            Err(error) if error.code() == Some(&SqlState::DEPENDENT_OBJECTS_STILL_EXIST) => return Ok(false),
            Err(error) => return Err(failed(DOING, error)),
        }
        self.run(&format!("ALTER TABLE {shadow} RENAME TO {}", Ident(&table.name)))
            .await?;
        for (index, name) in indexes.iter().zip(names) {
            self.run(&index.rename_sql(shadow, name)).await?;
        }
        Ok(true)
    }

    /// Changes the table's rows: whatever depends on it stays, and readers see the old rows until the end.
    async fn in_place(&self) -> Result<()> {
        let table = &self.target.table;
        self.run(&format!("LOCK TABLE {table} IN SHARE ROW EXCLUSIVE MODE"))
            .await?;
        self.hold_target().await?;
        if let Some(sql) = self.target.evolve_sql() {
            self.run(&sql).await?;
        }
        for statement in swap::in_place(self.target, self.shadow) {
            self.run(&statement).await?;
        }
        self.run(&format!("DROP TABLE {}", self.shadow)).await
    }
}

/// The name that the server gives to a primary key's index.
fn key_name(table: &str) -> String {
    const END: &str = "_pkey";
    let most = 63 - END.len();
    let end = (0..=most.min(table.len()))
        .rev()
        .find(|&end| table.is_char_boundary(end))
        .unwrap_or_default();
    format!("{}{END}", &table[..end])
}
