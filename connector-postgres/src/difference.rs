//! Rows that differ from what the other side of a write-back has confirmed.

use std::sync::Arc;

use async_trait::async_trait;
use connector_core::{
    BatchBuilder, Difference, Error, ErrorKind, Event, ReadRequest, Reader, Result, Schema, Selection,
};
use tokio_postgres::Client;

use crate::catalog::{self, ColumnInfo};
use crate::connect::Guarded;
use crate::connector::Postgres;
use crate::error::failed;
use crate::ident::{Ident, Literal, Table};
use crate::journal::ensure_target;
use crate::reader::{Relation, RowDecoder, conditions, fingerprinted, select};
use crate::retention::forget_spent;
use crate::state_schema;
use crate::state_store::hold_fence;
use crate::types::PgType;

/// Records of one short statement.
const CHUNK: i64 = 5_000;

/// Reads the intents of a difference, in the order of their keys.
///
/// The records' schema is the key's source fields, then the mapped ones; the key is their source key. What was sent
/// and not settled when an earlier run ended is among them: only updates and upserts come this way, and those may be
/// sent again.
pub(crate) struct DifferenceReader {
    postgres: Postgres,
    sql: String,
    /// What goes on after the first chunk.
    next_sql: String,
    target: i32,
    decoder: RowDecoder,
    batch_bytes: usize,
    /// The last key read.
    last: String,
    /// Rows that do not differ, to be said once.
    unchanged: u64,
    ended: bool,
}

impl DifferenceReader {
    /// Whether the table has the columns, and the key finds one row each.
    pub(crate) async fn check(
        postgres: &Postgres,
        request: &ReadRequest,
        difference: &Difference,
    ) -> Result<()> {
        let session = postgres.session().await?;
        let (table, columns, _) = columns(&session, postgres, request, difference).await?;
        check_key(&session, &table, &columns[..difference.match_on.len()]).await
    }

    /// Stores the difference, and begins to read it.
    pub(crate) async fn open(
        postgres: &Postgres,
        request: &ReadRequest,
        difference: Difference,
    ) -> Result<Self> {
        state_schema::ensure(postgres).await?;
        let session = postgres.session().await?;
        let (table, columns, filter) = columns(&session, postgres, request, &difference).await?;
        let (key, fields) = columns.split_at(difference.match_on.len());
        check_key(&session, &table, key).await?;
        drop(session);

        let doing = "compute the difference";
        let sync = postgres.sync();
        let mut session = Guarded::new(postgres.bare_session().await?);
        let transaction = session
            .session()?
            .transaction()
            .await
            .map_err(|error| failed(doing, error))?;
        hold_fence(&transaction, &sync, &difference.fence).await?;
        let names: Vec<&str> = difference.fields.iter().map(|(name, _)| name.as_str()).collect();
        let match_on: Vec<&str> = difference
            .match_on
            .iter()
            .map(|(name, _)| name.as_str())
            .collect();
        let target = ensure_target(&transaction, &sync, &difference.target, &match_on, &names).await?;
        let payload: Vec<String> = names
            .iter()
            .zip(fields)
            .map(|(name, column)| {
                let value = fingerprinted(&select(column), &column.pg_type);
                format!("{}, {value}", Literal(name))
            })
            .collect();
        let quoted: Vec<String> = key.iter().map(|column| Ident(&column.name).to_string()).collect();
        let rows = format!(
            "SELECT {} AS key, jsonb_build_object({}) AS payload FROM {table} WHERE {}",
            key_text(quoted.iter().map(String::as_str)),
            payload.join(", "),
            quoted
                .iter()
                .map(|column| format!("{column} IS NOT NULL"))
                .chain(filter)
                .collect::<Vec<_>>()
                .join(" AND ")
        );
        // What an earlier run left to be sent is computed anew, from the rows as they are now. `confirmed` is null
        // for whatever was sent without an answer, so that it differs from every payload.
        let forget = format!(
            "UPDATE {sync}.intent SET payload = NULL,
                state = CASE WHEN confirmed IS NULL THEN 'unconfirmed' ELSE 'confirmed' END
             WHERE target = $1 AND state IN ('planned', 'sent')"
        );
        transaction
            .execute(&forget, &[&target])
            .await
            .map_err(|error| failed(doing, error))?;
        let store = format!(
            "WITH row AS ({rows}), stored AS (
                INSERT INTO {sync}.intent AS i (target, key, state, payload)
                SELECT $1, row.key, 'planned', row.payload
                FROM row LEFT JOIN {sync}.intent f ON f.target = $1 AND f.key = row.key
                WHERE $2 OR f.key IS NULL OR f.confirmed IS DISTINCT FROM row.payload
                ON CONFLICT (target, key) DO UPDATE SET state = 'planned', payload = excluded.payload, ticket = NULL
                RETURNING 1)
             SELECT (SELECT count(*) FROM row), (SELECT count(*) FROM stored)"
        );
        let (rows, stored): (i64, i64) = transaction
            .query_one(&store, &[&target, &difference.full])
            .await
            .map(|row| (row.get(0), row.get(1)))
            .map_err(|error| failed(doing, error))?;
        forget_spent(&transaction, &sync, target).await?;
        transaction.commit().await.map_err(|error| failed(doing, error))?;
        session.release();

        let schema = catalog::schema(&columns)?;
        let schema = Schema::new(
            schema.fields().to_vec(),
            difference.match_on.iter().map(|(_, source)| source.as_str()),
        )?;
        let list: Vec<String> = key
            .iter()
            .enumerate()
            .map(|(i, column)| format!("{}::{}", key_part(i, key.len()), column_sql(column)))
            .chain(names.iter().zip(fields).map(|(name, column)| {
                match column.pg_type {
                    // The text of a JSON string has lost its quotes.
                    PgType::Json | PgType::Jsonb => {
                        format!(
                            "nullif(payload -> {}, 'null')::{}",
                            Literal(name),
                            column_sql(column)
                        )
                    }
                    _ => format!("(payload ->> {})::{}", Literal(name), column_sql(column)),
                }
            }))
            .collect();
        let sql = |after: &str| {
            format!(
                "SELECT key, {} FROM {sync}.intent AS i WHERE target = $1 AND state = 'planned' AND key {after} $2 \
                 ORDER BY i.key LIMIT $3",
                list.join(", ")
            )
        };
        Ok(Self {
            postgres: postgres.clone(),
            // A key may be the empty text.
            sql: sql(">="),
            next_sql: sql(">"),
            target,
            decoder: RowDecoder::new(
                columns,
                BatchBuilder::new(Arc::new(schema), 0).with_max_records(request.batch_records),
            ),
            batch_bytes: request.batch_bytes,
            last: String::new(),
            unchanged: u64::try_from(rows - stored).unwrap_or(0),
            ended: false,
        })
    }
}

#[async_trait]
impl Reader for DifferenceReader {
    async fn next(&mut self) -> Result<Option<Event>> {
        if self.unchanged > 0 {
            return Ok(Some(Event::Unchanged(std::mem::take(&mut self.unchanged))));
        }
        while !self.ended && !self.decoder.builder.is_full(self.batch_bytes) {
            let session = self.postgres.session().await?;
            let rows = session
                .query(&self.sql, &[&self.target, &self.last, &CHUNK])
                .await
                .map_err(|error| failed("read the difference", error))?;
            for row in &rows {
                self.decoder.push(row, 1)?;
            }
            match rows.last() {
                Some(row) => {
                    self.last = row.get(0);
                    self.sql.clone_from(&self.next_sql);
                }
                None => self.ended = true,
            }
        }
        Ok(self.decoder.finish())
    }
}

/// The columns of the key, then those of the fields; and what every row must pass.
async fn columns(
    client: &Client,
    postgres: &Postgres,
    request: &ReadRequest,
    difference: &Difference,
) -> Result<(Table, Vec<ColumnInfo>, Vec<String>)> {
    let Selection::Stream(name) = &request.selection else {
        let message = "what differs is found for tables and views, not for a query";
        return Err(Error::new(ErrorKind::Unsupported, message)
            .with_help("make a view of the query, and name the view as `stream`"));
    };
    let table = postgres.table(name.as_str())?;
    let relation = Relation::of(client, postgres, &request.selection).await?;
    let filter = request.filter.as_ref();
    let filter = filter.map(|filter| conditions(filter, &relation)).transpose()?;
    let wanted = difference
        .match_on
        .iter()
        .chain(&difference.fields)
        .map(|(_, source)| source);
    let columns = wanted
        .map(|name| relation.column(name).cloned())
        .collect::<Result<Vec<_>>>()
        .map_err(|error| error.with_context("table", table.to_string()))?;
    if let Some(column) = columns[..difference.match_on.len()]
        .iter()
        .find(|column| !column.pg_type.to_core().can_be_key())
    {
        let message = format!(
            "`{}` of type {} cannot be the key of a write-back",
            column.name,
            column.pg_type.sql()
        );
        return Err(Error::new(ErrorKind::Schema, message)
            .with_help("match on a text, integer, numeric or uuid column"));
    }
    Ok((table, columns, filter.unwrap_or_default()))
}

/// Refuses a key that stands on several rows: which of them would count is anybody's guess.
async fn check_key(client: &Client, table: &Table, key: &[ColumnInfo]) -> Result<()> {
    let names: Vec<String> = key.iter().map(|column| Ident(&column.name).to_string()).collect();
    let primary = catalog::columns(client, table).await?.unwrap_or_default();
    let primary: Vec<&str> = primary
        .iter()
        .filter(|column| column.key_position.is_some())
        .map(|column| column.name.as_str())
        .collect();
    if !primary.is_empty()
        && primary
            .iter()
            .all(|name| key.iter().any(|column| column.name == *name))
    {
        return Ok(());
    }
    let list = names.join(", ");
    let sql = format!(
        "SELECT count(*) FROM (SELECT 1 FROM {table} WHERE {} GROUP BY {list} HAVING count(*) > 1) AS twice",
        names
            .iter()
            .map(|name| format!("{name} IS NOT NULL"))
            .collect::<Vec<_>>()
            .join(" AND ")
    );
    let row = client
        .query_one(&sql, &[])
        .await
        .map_err(|error| failed("check the key", error))?;
    match row.get::<_, i64>(0) {
        0 => Ok(()),
        twice => Err(Error::new(
            ErrorKind::Data,
            format!("{twice} values of {list} stand on several rows of {table}"),
        )
        .with_help("match on columns that are unique, or make a view with one row for each")),
    }
}

/// The canonical text of a key made of these columns, as `connector_core::Key` has it.
pub(crate) fn key_text<'a>(columns: impl IntoIterator<Item = &'a str>) -> String {
    let parts: Vec<String> = columns
        .into_iter()
        .map(|column| format!("{column}::text"))
        .collect();
    match parts.as_slice() {
        [part] => part.clone(),
        parts => format!("to_json(ARRAY[{}])::text", parts.join(", ")),
    }
}

fn key_part(position: usize, of: usize) -> String {
    if of == 1 {
        "key".to_owned()
    } else {
        format!("(key::json ->> {position})")
    }
}

fn column_sql(column: &ColumnInfo) -> String {
    column.pg_type.staged_sql()
}
