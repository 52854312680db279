//! The states of reads.

use connector_core::{Error, ErrorKind, Filter, Identity, Result, State};
use serde::{Deserialize, Serialize};

use super::relation::{ROW, Relation};
use super::since::Since;
use crate::ident::{Ident, Literal};

/// The format of the states.
const VERSION: u32 = 1;

/// Where a stream was left off.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Progress {
    /// The filter it was read with: what another one lets through was not read.
    filter: Option<String>,
    pub(crate) of: Of,
}

/// The read it is the progress of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Of {
    /// A full read: every row was read whose key is not beyond this one; `None`: all of them.
    Full { after: Option<Point> },
    /// An incremental read.
    Changes {
        /// The field it advances by.
        cursor: Option<String>,
        /// It was cut short within.
        within: Option<Within>,
        /// What is seen once all of it is read.
        then: Since,
    },
}

/// How far an incremental read has come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Within {
    /// What was seen before it; `None`: nothing.
    pub(crate) since: Option<Since>,
    /// Of what is new to that, every row was read whose key is not beyond this one.
    pub(crate) after: Point,
}

/// A place in the order of the primary key: its columns, and their values as PostgreSQL's text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Point(pub(crate) Vec<(String, String)>);

impl Progress {
    pub(crate) fn new(filter: Option<&Filter>, of: Of) -> Self {
        Self {
            filter: filter.map(Filter::to_string),
            of,
        }
    }

    /// Opens a state.
    ///
    /// # Errors
    /// [`ErrorKind::State`]: it is of another source or stream, of a newer version, or damaged.
    pub(crate) fn open(state: &State, identity: &Identity, relation: &Relation) -> Result<Self> {
        state.open(identity, &relation.name, VERSION)
    }

    /// What can be gone on from in a read with `filter`.
    pub(crate) fn read_with(self, filter: Option<&Filter>) -> Option<Of> {
        (self.filter == filter.map(Filter::to_string)).then_some(self.of)
    }

    pub(crate) fn state(&self, identity: &Identity, relation: &Relation) -> Result<State> {
        State::new(identity.clone(), relation.name.as_str(), VERSION, self)
    }
}

impl Of {
    /// Refuses to go on by another field than before.
    ///
    /// # Errors
    /// [`ErrorKind::State`]: it is another one.
    pub(crate) fn check_cursor(&self, cursor: Option<&str>) -> Result<()> {
        if let Self::Changes { cursor: stored, .. } = self
            && stored.as_deref() != cursor
        {
            let named =
                |cursor: Option<&str>| cursor.map_or("nothing".to_owned(), |name| format!("`{name}`"));
            let message = format!(
                "the stored state advances by {}, not by {}",
                named(stored.as_deref()),
                named(cursor)
            );
            return Err(Error::new(ErrorKind::State, message)
                .with_help("reset the state of this task, or name the cursor that it was read by"));
        }
        Ok(())
    }
}

impl Point {
    /// A point at these values of the key.
    pub(crate) fn new(relation: &Relation, values: impl IntoIterator<Item = String>) -> Self {
        let names = relation.key_columns().map(|column| column.name.clone());
        Self(names.zip(values).collect())
    }

    /// Whether it is one of the key that `relation` has.
    pub(crate) fn is_of(&self, relation: &Relation) -> bool {
        !self.0.is_empty()
            && relation
                .key_columns()
                .map(|column| &column.name)
                .eq(self.0.iter().map(|(name, _)| name))
    }

    /// The condition for keys that stand so to it: `>`, `<=`.
    pub(crate) fn condition(&self, sign: &str, relation: &Relation) -> String {
        let names: Vec<String> = self.0.iter().map(|(name, _)| Ident(name).to_string()).collect();
        let values: Vec<String> = self
            .0
            .iter()
            .zip(relation.key_columns())
            .map(|((_, value), column)| format!("{}::{}", Literal(value), column.declared))
            .collect();
        format!("({}) {sign} ({})", names.join(", "), values.join(", "))
    }
}

/// The key's columns, to order rows by: of the row, for what is selected may have the same name.
pub(crate) fn key_list(relation: &Relation) -> String {
    let names: Vec<String> = relation
        .key_columns()
        .map(|column| format!("{ROW}.{}", Ident(&column.name)))
        .collect();
    names.join(", ")
}

/// The same as texts.
pub(crate) fn key_texts(relation: &Relation) -> Vec<String> {
    relation
        .key_columns()
        .map(|column| format!("{}::text", Ident(&column.name)))
        .collect()
}
