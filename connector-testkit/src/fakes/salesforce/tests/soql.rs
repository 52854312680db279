use std::time::Duration;

use serde_json::json;

use super::client::{self, Client};
use crate::fakes::salesforce::{FakeSalesforce, FieldSpec, FieldValue, ObjectSpec, SalesforceConfig};

async fn org() -> (FakeSalesforce, Client, crate::fakes::FakeClock) {
    let task = ObjectSpec::new("Task__c", "a02")
        .field(FieldSpec::reference("Lead__c", &["Lead"], "Lead__r"))
        .field(FieldSpec::date("Due__c"))
        .field(FieldSpec::textarea("Long__c", 1_000))
        .field(FieldSpec::int("Effort__c", 8));
    let link = ObjectSpec::new("Link__c", "a03")
        .needs_filter(&["Task__c"])
        .field(FieldSpec::reference("Task__c", &["Task__c"], "Task__r"));
    let config = SalesforceConfig {
        leads: 2,
        objects: vec![task, link, ObjectSpec::new("Deaf__c", "a04").queryable(false)],
        ..SalesforceConfig::default()
    };
    let clock = config.clock.clone();
    let (org, client) = client::with(config).await;
    (org, client, clock)
}

fn error(client: &Client, soql: &str) -> (String, String) {
    let answer = client.query(soql);
    assert_eq!(answer.status, 400, "{soql}");
    let body = answer.json();
    (
        answer.error_code(),
        body[0]["message"].as_str().unwrap().to_owned(),
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn fields_of_parents_nest_and_filter() {
    let (org, client, _) = org().await;
    let lead: FieldValue = org.lead_id(1).into();
    let of_lead = org.insert_record("Task__c", &[("Lead__c", lead)]).unwrap();
    let alone = org.insert_record("Task__c", &[]).unwrap();
    org.insert_record("Link__c", &[("Task__c", of_lead.as_str().into())])
        .unwrap();
    let soql = "SELECT Id, Lead__r.LastName, Lead__r.Owner.Name, Lead__r.Id FROM Task__c ORDER BY Id";
    let answer = client.query(soql).json();
    let first = &answer["records"][0];
    assert_eq!(first["Lead__r"]["attributes"]["type"], "Lead");
    assert_eq!(first["Lead__r"]["LastName"], org.lead(1)["LastName"].to_json());
    assert!(["Integration User", "Hugh Mann"].contains(&first["Lead__r"]["Owner"]["Name"].as_str().unwrap()));
    assert_eq!(first["Lead__r"]["Id"], org.lead_id(1));
    assert_eq!(answer["records"][1]["Id"], alone.as_str());
    assert_eq!(answer["records"][1]["Lead__r"], json!(null));
    let id = org.lead_id(1);
    let up = client.query(&format!(
        "SELECT Id FROM Link__c WHERE Task__c IN ('{of_lead}') AND Task__r.Lead__r.Id = '{id}'"
    ));
    assert_eq!(up.json()["totalSize"], 1);
    assert_eq!(
        error(&client, "SELECT Nobody__r.Name FROM Task__c").0,
        "INVALID_FIELD"
    );
    assert_eq!(error(&client, "SELECT Id FROM Link__c").0, "MALFORMED_QUERY");
    assert_eq!(
        error(&client, "SELECT Id FROM Link__c WHERE Name = 'a'").0,
        "MALFORMED_QUERY"
    );
    assert_eq!(
        error(&client, "SELECT Id FROM Deaf__c").0,
        "INVALID_TYPE_FOR_OPERATION"
    );
    let (code, message) = error(&client, "SELECT Id FROM Nope__c");
    assert_eq!(code, "INVALID_TYPE");
    assert!(
        message.contains("sObject type 'Nope__c' is not supported"),
        "{message}"
    );
    assert_eq!(
        error(&client, "SELECT Id FROM Task__c WHERE Long__c = 'a'").0,
        "INVALID_FIELD"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn aggregates_and_field_lists() {
    let (org, client, _) = org().await;
    for effort in [Some("3"), Some("20"), Some("3"), None] {
        let effort = effort.map_or(FieldValue::Null, FieldValue::number);
        org.insert_record("Task__c", &[("Effort__c", effort)]).unwrap();
    }
    let soql = "SELECT COUNT(Id), COUNT(Effort__c) some, COUNT_DISTINCT(Effort__c), MIN(Effort__c), MAX(Effort__c) most FROM Task__c";
    let answer = client.query(soql).json();
    assert_eq!(
        answer["records"][0],
        json!({ "attributes": { "type": "AggregateResult" }, "expr0": 4, "some": 3, "expr2": 2, "expr3": 3, "most": 20 })
    );
    assert_eq!(
        error(&client, "SELECT Name, MAX(Effort__c) FROM Task__c").0,
        "MALFORMED_QUERY"
    );
    assert_eq!(
        error(&client, "SELECT FIELDS(ALL) FROM Task__c").0,
        "MALFORMED_QUERY"
    );
    assert_eq!(
        error(&client, "SELECT FIELDS(CUSTOM) FROM Task__c LIMIT 201").0,
        "MALFORMED_QUERY"
    );
    let all = client.query("SELECT FIELDS(ALL) FROM Task__c LIMIT 200").json();
    assert_eq!(all["records"][0].as_object().unwrap().len(), 1 + 8 + 4);
    let standard = client.query("SELECT FIELDS(STANDARD) FROM Task__c").json();
    assert_eq!(standard["records"][0].as_object().unwrap().len(), 1 + 8);
}

#[tokio::test(flavor = "multi_thread")]
async fn days_have_names() {
    let (org, client, clock) = org().await;
    let day = |back: i64| {
        let mut out = Vec::new();
        let today = clock.now_micros() / 86_400_000_000;
        crate::fakes::salesforce::timestamp::write_date(&mut out, today - back);
        FieldValue::from(String::from_utf8(out).unwrap())
    };
    // Not near midnight, so that the day does not change while the test runs.
    let of_day = clock.now_micros() / 1_000_000 % 86_400;
    clock.advance(Duration::from_secs(
        u64::try_from(86_400 + 43_200 - of_day).unwrap(),
    ));
    for back in [0, 1, 5, 40] {
        org.insert_record("Task__c", &[("Due__c", day(back))]).unwrap();
    }
    let count = |condition: &str| {
        let soql = format!("SELECT COUNT() FROM Task__c WHERE {condition}");
        client.query(&soql).json()["totalSize"].as_u64().unwrap()
    };
    assert_eq!(count("Due__c = TODAY"), 1);
    assert_eq!(count("Due__c < TODAY"), 3);
    assert_eq!(count("Due__c = YESTERDAY"), 1);
    assert_eq!(count("Due__c >= LAST_N_DAYS:5"), 3);
    assert_eq!(count("Due__c > YESTERDAY AND Due__c != TOMORROW"), 1);
    assert_eq!(count("CreatedDate = TODAY"), 4);
    assert_eq!(count("CreatedDate < THIS_YEAR"), 0);
}
