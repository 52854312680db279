//! A few leads as Salesforce holds them.

use connector_core::{
    Connector, Error, ErrorKind, Event, Key, ReadRequest, Result, Selection, SyncMode, TaskId, Value,
};

use crate::table;

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

/// The ids of the ten leads with the highest scores in the warehouse's `lead_reverse`.
pub(crate) async fn best(warehouse: &dyn Connector) -> Result<Vec<String>> {
    let source = warehouse
        .as_source()
        .ok_or_else(|| Error::new(ErrorKind::Bug, "PostgreSQL is no source"))?;
    let request = ReadRequest::new(
        Selection::stream("lead_reverse"),
        TaskId::new("lead_scoring", "look"),
    )
    .with_fields(["Id", "LeadScore__c"].map(str::to_owned).to_vec());
    let mut reader = source.reader(request).await?;
    let mut best: Vec<(f64, String)> = Vec::new();
    while let Some(event) = reader.next().await? {
        let Event::Records(batch) = event else { continue };
        for record in batch.records() {
            // Good enough to rank by; what is shown is read from Salesforce.
            if let Ok(score) = record.get("LeadScore__c").to_string().parse::<f64>() {
                best.push((score, record.get("Id").to_string()));
            }
        }
        best.sort_by(|a, b| b.0.total_cmp(&a.0));
        best.truncate(10);
    }
    Ok(best.into_iter().map(|(_, id)| id).collect())
}

/// Leads side by side, before and after.
pub(crate) fn compare(before: &[Lead], after: &[Lead]) -> String {
    let mut rows = vec![
        ["lead", "name", "e-mail", "score before", "score after"]
            .map(str::to_owned)
            .to_vec(),
    ];
    rows.extend(after.iter().map(|after| {
        let score = before
            .iter()
            .find(|before| before.id == after.id)
            .map_or("–", |before| &before.score);
        vec![
            after.id.clone(),
            after.name.clone(),
            after.email.clone(),
            score.to_owned(),
            after.score.clone(),
        ]
    }));
    format!(
        "{} leads as Salesforce holds them\n\n{}",
        after.len(),
        table::align(&rows, 3)
    )
}
