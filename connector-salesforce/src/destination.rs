//! Salesforce as a destination.

use async_trait::async_trait;
use connector_core::{Capabilities, Destination, Result, WriteMode, WritePlan, WriteRequest, Writer};

use crate::connector::Salesforce;
use crate::writer::{BULK_FROM, SalesforceWriter, Target, WriteColumns};

#[async_trait]
impl Destination for Salesforce {
    fn capabilities(&self) -> Capabilities {
        Capabilities::new(vec![WriteMode::Update]).journalled().partial()
    }

    async fn plan_write(&self, request: &WriteRequest) -> Result<WritePlan> {
        let described = self.object(&request.stream).await?;
        let columns = WriteColumns::new(&described, request)?;
        let object = &described.object.name;
        let mut plan = WritePlan::new(format!(
            "records of `{object}` are updated by `Id`; none is created"
        ))
        .with_columns(columns.plan(&request.schema));
        plan.notes.push(format!(
            "up to {BULK_FROM} records go by sObject Collections, 200 at once; more go by Bulk API 2.0 jobs"
        ));
        plan.notes
            .push("assignment rules are not run (Sforce-Auto-Assign: FALSE)".to_owned());
        plan.notes
            .push("an empty text clears its field, as null does: Salesforce knows no empty text".to_owned());
        plan.notes.push(if request.journal.is_some() {
            "what is sent is journalled first: a run that was cut short is looked up before anything is sent again".to_owned()
        } else {
            "nothing remembers what was sent: a run that was cut short sends again".to_owned()
        });
        Ok(plan)
    }

    async fn writer(&self, request: WriteRequest) -> Result<Box<dyn Writer>> {
        let described = self.object(&request.stream).await?;
        let columns = WriteColumns::new(&described, &request)?;
        let target = Target {
            org: self.org().clone(),
            object: described.object.name.clone(),
            columns,
        };
        Ok(Box::new(SalesforceWriter::open(target, request.journal).await?))
    }
}
