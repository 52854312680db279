//! A read with everything decided: what its plan says, and its statements.

use connector_core::{ReadPlan, ReadRequest, Result, Selection, SyncMode};
use tokio_postgres::Client;

use super::keys::Keys;
use super::passing;
use super::relation::{Relation, select};
use super::shape::Shape;
use super::since::Advance;
use crate::catalog::ColumnInfo;
use crate::connector::Postgres;
use crate::types::read_notes;

/// A read with everything decided.
pub(crate) struct Reading {
    pub(crate) relation: Relation,
    pub(crate) shape: Shape,
    /// The columns of the shape's wide schema.
    pub(crate) columns: Vec<ColumnInfo>,
    /// What every row must pass.
    filter: Vec<String>,
    chunk: usize,
    sessions: usize,
}

/// Which rows are read.
pub(crate) enum Way {
    Full,
    Keys(Keys),
    Changes(Advance),
}

impl Reading {
    /// Decides how to read what is asked for.
    ///
    /// # Errors
    /// Everything that can be known to be wrong before a row is read.
    pub(crate) async fn of(
        client: &Client,
        postgres: &Postgres,
        request: &ReadRequest,
    ) -> Result<(Self, Way)> {
        let relation = Relation::of(client, postgres, &request.selection).await?;
        let shape = Shape::of(&relation.schema, &request.fields)?;
        let columns = shape
            .wide
            .fields()
            .iter()
            .map(|field| relation.column(&field.name).cloned())
            .collect::<Result<_>>()?;
        let filter = match &request.filter {
            Some(filter) => passing::conditions(filter, &relation)?,
            None => Vec::new(),
        };
        let way = match &request.sync {
            SyncMode::Keys(keys) => Way::Keys(Keys::new(keys, &relation)?),
            SyncMode::Incremental => {
                let table = match &request.selection {
                    Selection::Stream(name) => Some(postgres.table(name.as_str())?),
                    _ => None,
                };
                let cursor = request.cursor.as_deref();
                Way::Changes(Advance::of(&relation, table, cursor, request.settle)?)
            }
            // A difference has a reader of its own.
            SyncMode::FullRefresh | SyncMode::Difference(_) => Way::Full,
            other => return Err(crate::source::unsupported(other)),
        };
        let reading = Self {
            relation,
            shape,
            columns,
            filter,
            chunk: postgres.read_chunk(),
            sessions: postgres.read_sessions(),
        };
        Ok((reading, way))
    }

    /// Selects the columns, and `more` behind them, of the rows that pass the filter and these conditions.
    pub(crate) fn select(&self, more: &[String], conditions: impl IntoIterator<Item = String>) -> String {
        let list: Vec<String> = self
            .columns
            .iter()
            .map(select)
            .chain(more.iter().cloned())
            .collect();
        let conditions: Vec<String> = conditions
            .into_iter()
            .chain(self.filter.iter().cloned())
            .collect();
        let condition = if conditions.is_empty() {
            String::new()
        } else {
            format!(" WHERE {}", conditions.join(" AND "))
        };
        format!(
            "SELECT {} FROM {}{condition}",
            list.join(", "),
            self.relation.from
        )
    }

    /// Whether a read that was cut short can go on.
    pub(crate) fn resumes(&self) -> bool {
        !self.relation.key.is_empty()
    }

    /// What will be done.
    pub(crate) fn plan(&self, way: &Way) -> ReadPlan {
        let Self { relation, chunk, .. } = self;
        let mut notes = Vec::new();
        let mut records = None;
        match way {
            Way::Keys(keys) => notes.push(format!(
                "the {} rows with these keys are read as they are, some thousands in a statement",
                keys.len()
            )),
            Way::Full => {
                records = relation.rows.filter(|_| self.filter.is_empty());
                notes.push(self.whole("all of it is read"));
            }
            Way::Changes(advance) => {
                notes.push(self.whole("the first time all of it is read"));
                notes.extend(advance.notes());
                notes.push(
                    "rows that are deleted, and rows that pass the filter no more, are not seen".to_owned(),
                );
                if !self.resumes() {
                    notes.push(
                        "there is no primary key to merge by: rows that come again stand twice".to_owned(),
                    );
                }
            }
        }
        if self.resumes() && !self.relation.scattered && !matches!(way, Way::Keys(_)) {
            notes.push(format!(
                "a read that was cut short goes on after the last {chunk} rows that were read whole, as of a later moment"
            ));
        }
        if !self.filter.is_empty() {
            notes.push("the filter is applied by the server".to_owned());
        }
        notes.extend(read_notes(&self.columns));
        let mut plan = ReadPlan::default().with_records(records);
        plan.notes = notes;
        plan
    }

    fn whole(&self, what: &str) -> String {
        if !self.resumes() {
            return format!(
                "{what} in one statement, as of one moment; {}, so that a read that was cut short begins anew",
                self.relation.why_no_key()
            );
        }
        if self.relation.scattered {
            return format!(
                "{what} in one statement, as of one moment: its rows lie in no order of the primary key, by which each \
                 would cost a page; a read that was cut short begins anew"
            );
        }
        let by = match self.sessions {
            1 => String::new(),
            sessions => format!(" by {sessions} sessions at once"),
        };
        format!(
            "{what} as of one moment{by}, {} rows of the primary key in a statement",
            self.chunk
        )
    }
}
