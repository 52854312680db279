//! The connection: what is there, and which roles it plays.

use std::sync::Arc;

use async_trait::async_trait;

use super::{Kind, Memory};
use crate::catalog::{Selection, StreamName, StreamSpec, StreamSummary};
use crate::connector::{CheckReport, Connector, Identity};
use crate::destination::Destination;
use crate::error::{Error, ErrorKind, Result};
use crate::journal::Journal;
use crate::source::Source;
use crate::state::StateStore;

/// What an incremental read advances by.
const CHANGES: &str = "(change number)";

impl Memory {
    pub(super) fn own_identity(&self) -> Identity {
        Identity::new("memory", &self.0.name)
    }
}

/// The name of the table that is meant.
pub(super) fn table_name(what: &Selection) -> Result<&StreamName> {
    match what {
        Selection::Stream(name) => Ok(name),
        Selection::Query(_) => Err(
            Error::new(ErrorKind::Unsupported, "a system in memory knows no queries")
                .with_help("select a table by its name"),
        ),
    }
}

#[async_trait]
impl Connector for Memory {
    fn name(&self) -> &'static str {
        "memory"
    }

    async fn identity(&self) -> Result<Identity> {
        Ok(self.own_identity())
    }

    async fn check(&self) -> Result<CheckReport> {
        let kind = match self.0.kind {
            Kind::Database => "a database in memory",
            Kind::Service => "a service in memory",
        };
        let tables = self.lock().tables.len();
        Ok(CheckReport::new()
            .with("system", kind)
            .with("name", self.0.name.as_str())
            .with("tables", tables.to_string()))
    }

    async fn streams(&self) -> Result<Vec<StreamSummary>> {
        let system = self.lock();
        let names = system.tables.keys().map(|name| StreamName::new(name.as_str()));
        Ok(names.map(StreamSummary::new).collect())
    }

    async fn describe(&self, what: &Selection) -> Result<StreamSpec> {
        let schema = Arc::clone(self.lock().table(table_name(what)?.as_str())?.schema());
        // Without a key, nobody could say which row has changed.
        let cursor = (!schema.primary_key().is_empty()).then(|| CHANGES.to_owned());
        Ok(StreamSpec::new(what.clone(), schema).with_cursor(cursor))
    }

    fn as_source(&self) -> Option<&dyn Source> {
        Some(self)
    }

    fn as_destination(&self) -> Option<&dyn Destination> {
        Some(self)
    }

    fn state_store(&self) -> Option<Arc<dyn StateStore>> {
        let stateless = self.lock().stateless;
        (!stateless).then(|| Arc::new(self.clone()) as _)
    }

    fn journal(&self) -> Option<Arc<dyn Journal>> {
        Some(Arc::new(self.clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{now, schema};
    use super::*;
    use crate::schema::{DataType, Field, Schema};

    #[test]
    fn tables_are_streams_and_those_with_a_key_can_be_read_incrementally() {
        let memory = Memory::service("crm");
        memory.create("lead", schema());
        memory.create(
            "log",
            Schema::new(vec![Field::new("line", DataType::TEXT)], []).unwrap(),
        );
        let names: Vec<String> = now(memory.streams())
            .unwrap()
            .into_iter()
            .map(|summary| summary.name.to_string())
            .collect();
        assert_eq!(names, ["lead", "log"]);
        let cursor = |name: &str| now(memory.describe(&Selection::stream(name))).unwrap().cursor;
        assert_eq!(cursor("lead").as_deref(), Some("(change number)"));
        assert_eq!(cursor("log"), None);
        assert_eq!(now(memory.identity()).unwrap().as_str(), "memory:crm");
    }

    #[test]
    fn a_stream_that_is_not_there_names_the_nearest() {
        let memory = Memory::new("db");
        memory.create("lead", schema());
        let error = now(memory.describe(&Selection::stream("leads"))).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
        assert_eq!(error.help(), Some("did you mean `lead`?"));
        let error = now(memory.describe(&Selection::Query("SELECT 1".to_owned()))).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
    }

    #[test]
    fn a_system_keeps_states_unless_it_was_told_not_to() {
        assert!(Memory::service("crm").state_store().is_some());
        assert!(Memory::service("crm").without_states().state_store().is_none());
    }
}
