//! Salesforce as a destination.

use async_trait::async_trait;
use connector_core::{Capabilities, Destination, Result, WriteMode, WritePlan, WriteRequest, Writer};

use crate::connector::Salesforce;
use crate::writer::{BULK_FROM, Operation, Parents, SalesforceWriter, Target, WriteColumns};

#[async_trait]
impl Destination for Salesforce {
    fn capabilities(&self) -> Capabilities {
        let modes = vec![
            WriteMode::Insert,
            WriteMode::Update,
            WriteMode::Upsert,
            WriteMode::Delete,
        ];
        Capabilities::new(modes)
            .journalled()
            .partial()
            .deleting()
            .ignoring_deletes()
    }

    async fn plan_write(&self, request: &WriteRequest) -> Result<WritePlan> {
        let Target {
            object,
            columns,
            options,
            ..
        } = self.target(request).await?;
        let mut plan = WritePlan::new(columns.meaning(&object)).with_columns(columns.plan(&request.schema));
        let mut note = |text: String| plan.notes.push(text);
        match (columns.operation, &columns.key) {
            (Operation::Insert, None) => note(
                "nothing finds a new record again: one whose answer is lost stays ambiguous, and is not sent again"
                    .to_owned(),
            ),
            (Operation::Insert, Some(key)) => note(format!(
                "a new record whose answer is lost is looked up by `{}` before it is sent again",
                key.field.name
            )),
            (Operation::Update | Operation::Delete, Some(key)) if !key.is_id() => note(format!(
                "ids are looked up by `{}` first; a key that no record has, or several, is rejected",
                key.field.name
            )),
            (Operation::Upsert, _) if !columns.missing().is_empty() => note(format!(
                "records that are not there yet are refused: they must have `{}`, which is not mapped",
                columns.missing().join("`, `")
            )),
            _ => {}
        }
        note(format!(
            "up to {BULK_FROM} records go by sObject Collections, 200 at once; more go by Bulk API 2.0 jobs"
        ));
        if columns.operation != Operation::Delete {
            note(if options.auto_assign {
                "active assignment rules are run".to_owned()
            } else {
                "assignment rules are not run (Sforce-Auto-Assign: FALSE)".to_owned()
            });
            if options.allow_duplicates {
                note("what a duplicate rule warns of is saved all the same".to_owned());
            }
            note("an empty text does what null does: Salesforce knows no empty text".to_owned());
        }
        note(if request.journal.is_some() {
            "what is sent is journalled first: a run that was cut short is looked up before anything is sent again"
                .to_owned()
        } else {
            "nothing remembers what was sent: a run that was cut short sends again".to_owned()
        });
        Ok(plan)
    }

    async fn writer(&self, request: WriteRequest) -> Result<Box<dyn Writer>> {
        let target = self.target(&request).await?;
        let writer = SalesforceWriter::open(target, request.journal, &request.task).await?;
        Ok(Box::new(writer))
    }
}

impl Salesforce {
    /// What `request` writes to, after every check that can be made before there are records.
    async fn target(&self, request: &WriteRequest) -> Result<Target> {
        let described = self.object(&request.stream).await?;
        let parents = Parents::of(self, &described, &request.schema).await?;
        let columns = WriteColumns::new(&self.capabilities(), &described, &parents, request)?;
        Ok(Target {
            org: self.org().clone(),
            object: described.object.name.clone(),
            columns,
            options: self.write_options(),
        })
    }
}
