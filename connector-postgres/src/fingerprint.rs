//! Fingerprints of a write-back that went the other way, beside the rows of a load.

use connector_core::{Result, WriteRequest};
use tokio_postgres::Client;

use crate::connector::Postgres;
use crate::differ::differ;
use crate::difference::key_text;
use crate::error::failed;
use crate::ident::{Literal, Table};
use crate::merge::changed_value;
use crate::reader::fingerprinted;
use crate::stage::{DELETED, STAGE, equal};
use crate::table::Layout;

/// Which columns of the table hold the fingerprints of a write-back that went the other way.
#[derive(Clone, Debug)]
pub(crate) struct Fingerprinted {
    /// The target's number.
    target: i32,
    /// Positions of the columns that make a fingerprint's key.
    key: Vec<usize>,
    /// Each field of a fingerprint, and its column's position.
    fields: Vec<(String, usize)>,
}

/// The rows that are compared with fingerprints, each a record's last word.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Rows<'a> {
    /// Those of the staging table.
    Staged,
    /// Those of a table.
    Of(&'a Table),
}

impl Fingerprinted {
    /// Whether, and where, this table's rows carry values that were written back to where they come from.
    pub(crate) async fn find(
        client: &Client,
        postgres: &Postgres,
        request: &WriteRequest,
        layout: &Layout,
    ) -> Result<Option<Self>> {
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
            layout.columns.iter().position(|column| column.field == *name)
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
            .map(|(key, fields)| Self {
                target: row.get(0),
                key,
                fields,
            }))
    }

    /// Joins rows with what was confirmed of them.
    fn join(&self, layout: &Layout, sync: &str, rows: Rows<'_>) -> String {
        let column = |position: usize| format!("s.{}", layout.columns[position].ident());
        let key: Vec<String> = self.key.iter().map(|&position| column(position)).collect();
        let (rows, put) = match rows {
            Rows::Staged => (STAGE.to_owned(), format!(" AND NOT s.{DELETED}")),
            Rows::Of(table) => (table.to_string(), String::new()),
        };
        format!(
            "{rows} s JOIN {sync}.intent f ON f.target = {} AND f.key = {} AND f.confirmed IS NOT NULL{put}",
            self.target,
            key_text(key.iter().map(String::as_str))
        )
    }

    /// What came of the fingerprint's fields, in the fingerprint's own form: only those that a record of it holds.
    fn came(&self, layout: &Layout, rows: Rows<'_>) -> String {
        let parts: Vec<String> = self
            .fields
            .iter()
            .map(|(name, position)| {
                let column = &layout.columns[*position];
                let mut value = format!("s.{}", column.ident());
                // What is staged as text has not been read by the server yet.
                if matches!(rows, Rows::Of(_)) {
                    value = column.pg_type.selected(&value);
                }
                let value = fingerprinted(&value, &column.pg_type);
                format!("{}, {value}", Literal(name))
            })
            .collect();
        format!("jsonb_build_object({})", parts.join(", "))
    }

    /// Counts the records that are our own write-back coming back: what was confirmed came, and nothing differs that
    /// anybody but the system can edit.
    pub(crate) fn count_echo(&self, layout: &Layout, sync: &str) -> String {
        let ours =
            |i: usize| layout.keep.contains(&i) || self.fields.iter().any(|(_, position)| *position == i);
        let differs = |editable: bool| {
            let columns =
                layout.columns.iter().enumerate().filter(|&(i, column)| {
                    column.editable == editable && !ours(i) && !layout.key.contains(&i)
                });
            differ(columns.map(|(position, column)| {
                let old = format!("t.{}", column.ident());
                (&column.pg_type, old, changed_value(layout, position, "t", false))
            }))
        };
        format!(
            "SELECT count(*) FROM {} JOIN {} t ON {} WHERE {} @> f.confirmed AND {} AND NOT {}",
            self.join(layout, sync, Rows::Staged),
            layout.table,
            equal(layout, &layout.key, "t", "s"),
            self.came(layout, Rows::Staged),
            differs(false),
            differs(true),
        )
    }

    /// Counts the records that no longer hold what was confirmed of them.
    pub(crate) fn count_drift(&self, layout: &Layout, sync: &str, rows: Rows<'_>) -> String {
        format!(
            "SELECT count(*) FROM {} WHERE NOT {} @> f.confirmed",
            self.join(layout, sync, rows),
            self.came(layout, rows)
        )
    }

    /// Forgets what was confirmed of them.
    pub(crate) fn forget_drifted(&self, layout: &Layout, sync: &str, rows: Rows<'_>) -> String {
        format!(
            "UPDATE {sync}.intent i SET confirmed = NULL, state = CASE i.state WHEN 'confirmed' THEN 'unconfirmed' ELSE i.state END \
             FROM {} WHERE i.target = f.target AND i.key = f.key AND NOT {} @> f.confirmed",
            self.join(layout, sync, rows),
            self.came(layout, rows)
        )
    }
}
