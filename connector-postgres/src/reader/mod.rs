//! A whole table, or the rows of one statement.

use std::pin::Pin;
use std::sync::Arc;

use async_trait::async_trait;
use connector_core::{
    BatchBuilder, Column, Error, ErrorKind, Event, Key, Op, ReadRequest, Reader, Rejection, Result, Schema,
    Selection, Value,
};
use futures::TryStreamExt;
use tokio_postgres::{Row, RowStream};

use crate::catalog::{self, ColumnInfo};
use crate::connect::Guarded;
use crate::connector::Postgres;
use crate::copy::{Raw, decode};
use crate::error::failed;
use crate::ident::Ident;
use crate::types::PgType;

/// Reads every row of a table in one statement.
pub(crate) struct TableReader {
    rows: Pin<Box<RowStream>>,
    shape: Shape,
    decoder: RowDecoder,
    batch_bytes: usize,
    ended: bool,
    /// The session the rows arrive on; what is not read to its end is cancelled.
    session: Guarded,
}

impl TableReader {
    pub(crate) async fn open(postgres: &Postgres, request: &ReadRequest) -> Result<Self> {
        let session = postgres.streaming_session().await?;
        let spec = catalog::describe(&session, postgres, &request.selection).await?;
        let Selection::Stream(name) = &request.selection else {
            return Err(Error::new(ErrorKind::Bug, "a query was described as a table"));
        };
        let table = postgres.table(name.as_str())?;
        let columns = catalog::columns(&session, &table).await?.unwrap_or_default();
        let shape = Shape::of(&spec.schema, &request.fields)?;
        let columns: Vec<ColumnInfo> = shape
            .wide
            .fields()
            .iter()
            .filter_map(|field| columns.iter().find(|column| column.name == field.name).cloned())
            .collect();
        let list: Vec<String> = columns.iter().map(select).collect();
        let sql = format!("SELECT {} FROM {table}", list.join(", "));
        let none: [&str; 0] = [];
        let rows = session
            .query_raw(&sql, none)
            .await
            .map_err(|error| failed("read the table", error))?;
        let decoder = RowDecoder::new(
            columns,
            BatchBuilder::new(Arc::clone(&shape.wide), 0).with_max_records(request.batch_records),
        );
        Ok(Self {
            rows: Box::pin(rows),
            shape,
            decoder,
            batch_bytes: request.batch_bytes,
            ended: false,
            session: Guarded::new(session),
        })
    }
}

#[async_trait]
impl Reader for TableReader {
    async fn next(&mut self) -> Result<Option<Event>> {
        while !self.ended && !self.decoder.builder.is_full(self.batch_bytes) {
            match self
                .rows
                .try_next()
                .await
                .map_err(|error| failed("read the table", error))?
            {
                Some(row) => self.decoder.push(&row, 0)?,
                None => {
                    self.ended = true;
                    self.session.release();
                }
            }
        }
        Ok(self.decoder.finish().map(|event| self.shape.narrow(event)))
    }
}

/// The fields that were asked for, and those that are read for them.
pub(crate) struct Shape {
    /// What was asked for, then what of the key was not.
    wide: Arc<Schema>,
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

    fn narrow(&self, event: Event) -> Event {
        match (event, &self.chosen) {
            (Event::Records(batch), Some(chosen)) => {
                let columns: Vec<Column> = (0..chosen.fields().len()).map(Column::Field).collect();
                Event::Records(batch.remap(Arc::clone(chosen), &columns))
            }
            (event, _) => event,
        }
    }
}

/// A column as it is selected: a type that has no core counterpart comes as its text.
pub(crate) fn select(column: &ColumnInfo) -> String {
    match column.pg_type {
        PgType::Other(_) => format!("{}::text", Ident(&column.name)),
        _ => Ident(&column.name).to_string(),
    }
}

/// `value` of a column as a fingerprint holds it: a number of JSON has no minus zero, so floats go as text.
pub(crate) fn fingerprinted(value: &str, pg_type: &PgType) -> String {
    match pg_type {
        PgType::Float4 | PgType::Float8 => format!("{value}::text"),
        _ => value.to_owned(),
    }
}

/// Rows into batches, by the columns' types.
pub(crate) struct RowDecoder {
    columns: Vec<ColumnInfo>,
    pub(crate) builder: BatchBuilder,
    scratch: String,
    rejected: Vec<Rejection>,
}

impl RowDecoder {
    pub(crate) fn new(columns: Vec<ColumnInfo>, builder: BatchBuilder) -> Self {
        Self {
            columns,
            builder,
            scratch: String::new(),
            rejected: Vec::new(),
        }
    }

    /// Takes the row's cells from position `first` on.
    pub(crate) fn push(&mut self, row: &Row, first: usize) -> Result<()> {
        for (i, column) in self.columns.iter().enumerate() {
            let raw: Raw<'_> = row
                .try_get(first + i)
                .map_err(|error| failed("read a cell", error))?;
            let Some(value) = decode(raw.0, &column.pg_type, &mut self.scratch) else {
                let key = self.key(row, first)?;
                let message = format!(
                    "the value lies outside what can be read, such as infinity (`{}`)",
                    column.name
                );
                let sequence = self.builder.cancel_record();
                self.rejected
                    .push(Rejection::new(sequence, key, "out_of_range", message).with_field(&column.name));
                return Ok(());
            };
            self.builder.push(value);
        }
        self.builder.end_record(Op::Put);
        Ok(())
    }

    /// The row's key, where it has one and can be read.
    fn key(&self, row: &Row, first: usize) -> Result<Option<Key>> {
        let mut parts = Vec::new();
        for &position in self.builder.schema().primary_key() {
            let raw: Raw<'_> = row
                .try_get(first + position)
                .map_err(|error| failed("read a cell", error))?;
            let mut scratch = String::new();
            let Some(value) = decode(raw.0, &self.columns[position].pg_type, &mut scratch) else {
                return Ok(None);
            };
            parts.push(value.to_string());
        }
        let key = Key::from_values(parts.iter().map(|part| Value::Text(part)));
        Ok((!parts.is_empty()).then_some(key))
    }

    /// What has come together: rows, then those that could not be read.
    pub(crate) fn finish(&mut self) -> Option<Event> {
        if !self.builder.is_empty() {
            return Some(Event::Records(self.builder.finish()));
        }
        (!self.rejected.is_empty()).then(|| Event::Rejected(std::mem::take(&mut self.rejected)))
    }
}
