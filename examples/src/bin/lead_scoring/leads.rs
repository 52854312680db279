//! A few leads as Salesforce holds them.

use connector_core::{
    Connector, Error, ErrorKind, Event, Key, ReadRequest, Result, Selection, SyncMode, TaskId, Value,
};

/// What is shown of a lead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Lead {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) email: String,
    pub(crate) score: String,
}

/// Reads the leads called `ids` from Salesforce, in the order asked for.
pub(crate) async fn read(crm: &dyn Connector, ids: &[String]) -> Result<Vec<Lead>> {
    let source = crm
        .as_source()
        .ok_or_else(|| Error::new(ErrorKind::Bug, "Salesforce is no source"))?;
    let keys = ids.iter().map(|id| Key::new(id.as_str())).collect();
    let fields = ["Id", "Name", "Email", "LeadScore__c"]
        .map(str::to_owned)
        .to_vec();
    let request = ReadRequest::new(Selection::stream("Lead"), TaskId::new("lead_scoring", "look"))
        .with_fields(fields)
        .with_sync(SyncMode::Keys(keys));
    let mut reader = source.reader(request).await?;
    let mut leads = Vec::new();
    while let Some(event) = reader.next().await? {
        let Event::Records(batch) = event else { continue };
        leads.extend(batch.records().map(|record| {
            let text = |name: &str| match record.get(name) {
                Value::Null | Value::Unset => "–".to_owned(),
                value => value.to_string(),
            };
            Lead {
                id: text("Id"),
                name: text("Name"),
                email: text("Email"),
                score: text("LeadScore__c"),
            }
        }));
    }
    leads.sort_by_key(|lead| ids.iter().position(|id| *id == lead.id));
    Ok(leads)
}
