use std::time::Duration;

use super::client;
use crate::fakes::salesforce::{FieldValue, SalesforceConfig};

#[tokio::test(flavor = "multi_thread")]
async fn a_human_edit_moves_the_stamp_and_stays_out_of_the_ledger() {
    let (org, client) = client::org(10).await;
    let before = client
        .query("SELECT COUNT() FROM Lead WHERE SystemModstamp >= 2026-06-01T00:00:00Z")
        .json();
    assert_eq!(before["totalSize"], 0);
    org.edit_lead(
        4,
        &[
            ("Title", "Boss".into()),
            ("LastName", "Neu".into()),
            ("FirstName", FieldValue::Null),
        ],
    )
    .unwrap();
    let after = client
        .query(
            "SELECT Id, Title, Name, LastModifiedById FROM Lead WHERE SystemModstamp >= 2026-06-01T00:00:00Z",
        )
        .json();
    assert_eq!(after["totalSize"], 1);
    assert_eq!(after["records"][0]["Id"], org.lead_id(4));
    assert_eq!(after["records"][0]["Title"], "Boss");
    assert_eq!(after["records"][0]["Name"], "Neu");
    let users = client.query("SELECT Id FROM User").json();
    assert_eq!(after["records"][0]["LastModifiedById"], users["records"][1]["Id"]);
    assert!(org.ledger().is_empty());
    assert!(org.edit_lead(4, &[("Nope", "x".into())]).is_err());
    assert!(org.edit_lead(11, &[]).is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_late_row_shows_up_behind_its_stamp() {
    let config = SalesforceConfig {
        leads: 10,
        ..SalesforceConfig::default()
    };
    let clock = config.clock.clone();
    let (org, client) = client::with(config).await;
    let old = org.lead(3)["Title"].clone();
    org.edit_lead_late(3, &[("Title", "Late".into())], Duration::from_secs(120))
        .unwrap();
    let find = || {
        client
            .query("SELECT Id, SystemModstamp FROM Lead WHERE Title = 'Late'")
            .json()
    };
    assert_eq!(find()["totalSize"], 0);
    assert_eq!(org.lead(3)["Title"], old);
    let committed = clock.now_micros();
    clock.advance(Duration::from_secs(121));
    let found = find();
    assert_eq!(found["totalSize"], 1);
    assert_eq!(org.lead(3)["Title"], "Late".into());
    assert!(matches!(org.lead(3)["SystemModstamp"], FieldValue::DateTime(at) if at <= committed));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_admin_endpoints_do_the_same() {
    let (org, client) = client::org(10).await;
    let answer = client.json(
        "POST",
        "/__admin/leads/2",
        "{\"Balance__c\": 1234567890123456.78, \"Title\": \"T\"}",
    );
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(
        org.lead(2)["Balance__c"],
        FieldValue::number("1234567890123456.78")
    );
    assert_eq!(
        client.json("POST", "/__admin/leads/2", "{\"Nope\": 1}").status,
        400
    );
    let truth = client.get("/__admin/leads?from=2&count=2");
    assert!(truth.text().contains("\"Balance__c\":1234567890123456.78"));
    assert_eq!(truth.json().as_array().unwrap().len(), 2);
    let before = org.stats()["clock_micros"].as_i64().unwrap();
    client.json("POST", "/__admin/advance?seconds=3600", "");
    assert!(
        client.get("/__admin/stats").json()["clock_micros"]
            .as_i64()
            .unwrap()
            >= before + 3_600_000_000
    );
    client.json("POST", "/__admin/expire-tokens", "");
    assert_eq!(client.get("/services/data/v66.0/limits").status, 401);
    assert_eq!(client.get("/__admin/ledger/summary").json()["entries"], 0);
    assert_eq!(client.get("/__admin/info").json()["client_id"], org.client_id());
}
