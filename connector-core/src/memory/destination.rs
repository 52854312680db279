//! Writing: what is taken, and in which way.

use async_trait::async_trait;

use super::plan::{Plan, no_table};
use super::service::ServiceWriter;
use super::writer::TableWriter;
use super::{Kind, Memory, System};
use crate::destination::{Capabilities, Destination, WriteMode, WritePlan, WriteRequest, Writer};
use crate::error::{Error, ErrorKind, Result};

impl Memory {
    /// What messages call it.
    fn said(&self) -> &'static str {
        match self.0.kind {
            Kind::Database => "a database in memory",
            Kind::Service => "a service in memory",
        }
    }

    /// Decides a write, or says why it cannot be.
    pub(super) fn plan_of(&self, system: &System, request: &WriteRequest) -> Result<Plan> {
        let capabilities = self.capabilities();
        capabilities.admit(self.said(), request)?;
        let unsupported = |message: String, help: &'static str| {
            Err(Error::new(ErrorKind::Unsupported, message).with_help(help))
        };
        if !request.keep.is_empty() && (!capabilities.keeps || request.mode == WriteMode::Overwrite) {
            let by = if capabilities.keeps {
                "an overwrite"
            } else {
                "a service in memory"
            };
            return unsupported(format!("{by} keeps no fields"), "leave `keep` out");
        }
        if request.fence.is_some() && !capabilities.transactional {
            return unsupported(
                "a service in memory takes part in no transaction".to_owned(),
                "save the state after the commit, and give the writer no fence",
            );
        }
        let table = system.tables.get(request.stream.as_str());
        if table.is_none() && (!capabilities.creates || request.mode.is_naming()) {
            return Err(no_table(
                request.stream.as_str(),
                system.tables.keys().map(String::as_str),
            ));
        }
        Plan::new(request, table, capabilities.creates)
    }
}

#[async_trait]
impl Destination for Memory {
    fn capabilities(&self) -> Capabilities {
        let mut modes = vec![WriteMode::Insert, WriteMode::Update, WriteMode::Upsert];
        match self.0.kind {
            Kind::Database => {
                modes.extend([
                    WriteMode::Overwrite,
                    WriteMode::History,
                    WriteMode::Delete,
                    WriteMode::Prune,
                ]);
                Capabilities::new(modes)
                    .transactional()
                    .creating()
                    .partial()
                    .deleting()
                    .marking_deleted()
                    .ignoring_deletes()
                    .keeping()
            }
            Kind::Service => Capabilities::new(modes).journalled().partial().deleting(),
        }
    }

    async fn plan_write(&self, request: &WriteRequest) -> Result<WritePlan> {
        let plan = self.plan_of(&self.lock(), request)?;
        let mut plan = plan.write_plan(request);
        if self.0.kind == Kind::Service {
            plan.notes.push(if request.journal.is_some() {
                "what is sent is journalled first".to_owned()
            } else {
                "nothing remembers what was sent".to_owned()
            });
        }
        Ok(plan)
    }

    async fn writer(&self, request: WriteRequest) -> Result<Box<dyn Writer>> {
        Ok(match self.0.kind {
            Kind::Database => Box::new(TableWriter::open(self, request)?),
            Kind::Service => Box::new(ServiceWriter::open(self, request).await?),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{claim, leads, now, rows, schema, write};
    use super::*;

    #[test]
    fn a_plan_changes_nothing() {
        let memory = Memory::new("db");
        let plan = now(memory.plan_write(&write(WriteMode::Upsert, &["id"]))).unwrap();
        assert_eq!(plan.notes, ["makes `lead` with 2 fields, then upsert by (id)"]);
        let names: Vec<&str> = plan.columns.iter().map(|column| column.name.as_str()).collect();
        assert_eq!(names, ["id", "name"]);
        assert!(memory.rows("lead").is_none());
        drop(now(memory.writer(write(WriteMode::Upsert, &["id"]))).unwrap());
        assert_eq!(memory.rows("lead").map(|rows| rows.len()), Some(0));
    }

    #[test]
    fn a_service_refuses_what_it_has_not_declared() {
        let memory = Memory::service("crm");
        memory.create("lead", schema());
        memory.put("lead", &leads(&[(1, "Ada")])).unwrap();
        let fence = Some(claim(&memory).fence.clone());
        let refused = [
            write(WriteMode::Overwrite, &["id"]),
            write(WriteMode::Upsert, &["id"]).with_keep(vec!["name".to_owned()]),
            write(WriteMode::Upsert, &["id"]).with_fence(fence),
        ];
        for request in refused {
            let planned = now(memory.plan_write(&request)).unwrap_err();
            assert_eq!(planned.kind(), ErrorKind::Unsupported);
            assert!(now(memory.writer(request)).is_err());
        }
        assert_eq!(rows(&memory, "lead"), ["1 Ada"]);
        let mut elsewhere = write(WriteMode::Insert, &[]);
        elsewhere.stream = "laed".into();
        let error = now(memory.plan_write(&elsewhere)).unwrap_err();
        assert_eq!(
            (error.kind(), error.help()),
            (ErrorKind::NotFound, Some("did you mean `lead`?"))
        );
    }
}
