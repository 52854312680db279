use std::collections::BTreeSet;

use serde_json::Value;

use super::client::{self, Client};
use crate::fakes::salesforce::SalesforceConfig;

fn ids(answer: &Value) -> Vec<String> {
    let records = answer["records"].as_array().unwrap();
    records
        .iter()
        .map(|record| record["Id"].as_str().unwrap().to_owned())
        .collect()
}

fn count(client: &Client, condition: &str) -> u64 {
    let answer = client
        .query(&format!("SELECT COUNT() FROM Lead WHERE {condition}"))
        .json();
    assert_eq!(answer["records"], serde_json::json!([]));
    answer["totalSize"].as_u64().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_follow_each_other_to_the_end() {
    let config = SalesforceConfig {
        leads: 25,
        page_size: 10,
        ..SalesforceConfig::default()
    };
    let (org, client) = client::with(config).await;
    let first = client
        .query("SELECT Id, Name, Address, SystemModstamp FROM Lead")
        .json();
    assert_eq!(
        (&first["totalSize"], &first["done"]),
        (&Value::from(25), &Value::from(false))
    );
    let record = &first["records"][0];
    assert_eq!(record["attributes"]["type"], "Lead");
    assert_eq!(
        record["attributes"]["url"],
        format!("/services/data/v66.0/sobjects/Lead/{}", org.lead_id(1))
    );
    assert!(record["SystemModstamp"].as_str().unwrap().ends_with(".000+0000"));
    let text = client.query("SELECT Id FROM Lead LIMIT 1").text();
    assert!(text.contains("\"records\":[{\"attributes\":"), "{text}");
    let mut all = ids(&first);
    let mut page = first;
    while let Some(next) = page["nextRecordsUrl"].as_str() {
        assert!(next.starts_with("/services/data/v66.0/query/01g"), "{next}");
        page = client.get(next).json();
        all.extend(ids(&page));
    }
    assert_eq!(page["done"], true);
    assert_eq!(all, (1..=25).map(|n| org.lead_id(n)).collect::<Vec<_>>());
    let stale = client.get("/services/data/v66.0/query/01gHr0000000099AAA-10");
    assert_eq!(
        (stale.status, stale.error_code().as_str()),
        (400, "INVALID_QUERY_LOCATOR")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn batch_size_is_clamped() {
    let (_org, client) = client::org(500).await;
    let path = "/services/data/v66.0/query?q=SELECT+Id+FROM+Lead";
    let answer = client
        .send("GET", path, &[("Sforce-Query-Options", "batchSize=5")], b"")
        .unwrap()
        .json();
    assert_eq!(answer["records"].as_array().unwrap().len(), 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn conditions_agree_with_the_truth() {
    let (org, client) = client::org(300).await;
    let with_email = (1..=300).filter(|&n| !org.lead(n)["Email"].is_null()).count() as u64;
    assert!((250..300).contains(&with_email), "{with_email}");
    assert_eq!(count(&client, "Email != null"), with_email);
    assert_eq!(count(&client, "NOT Email != null"), 300 - with_email);
    let one = (1..=300).find(|&n| !org.lead(n)["Email"].is_null()).unwrap();
    let email = org.lead(one)["Email"].text().unwrap();
    assert_eq!(count(&client, &format!("Email = '{}'", email.to_uppercase())), 1);
    assert_eq!(
        count(
            &client,
            &format!("Id IN ('{}', '{}')", org.lead_id(7), &org.lead_id(9)[..15])
        ),
        2
    );
    assert_eq!(count(&client, "Balance__c = 1234567890123456.78"), {
        let exact = |n: &u64| org.lead(*n)["Balance__c"].text().as_deref() == Some("1234567890123456.78");
        (1..=300).filter(exact).count() as u64
    });
    assert_eq!(count(&client, "Balance__c = 1234567890123456.79"), 0);
    let smith = (1..=300)
        .filter(|&n| org.lead(n)["LastName"].text().unwrap() == "D'Angelo")
        .count() as u64;
    assert_eq!(
        count(
            &client,
            "(LastName = 'D\\'Angelo' AND IsDeleted = false) OR LastName = 'nobody'"
        ),
        smith
    );
    let stamp = org.lead(5)["SystemModstamp"]
        .text()
        .unwrap()
        .replace("+0000", "Z");
    let same = count(
        &client,
        &format!("SystemModstamp >= {stamp} AND SystemModstamp <= {stamp}"),
    );
    assert_eq!(
        count(
            &client,
            &format!("SystemModstamp < {stamp} OR SystemModstamp > {stamp}")
        ),
        300 - same
    );
    assert!(same >= 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn order_and_limit() {
    let (_org, client) = client::org(100).await;
    let soql = "SELECT Id, SystemModstamp FROM Lead ORDER BY SystemModstamp DESC, Id ASC LIMIT 40";
    let answer = client.query(soql).json();
    assert_eq!(answer["totalSize"], 40);
    let keys: Vec<(String, String)> = answer["records"]
        .as_array()
        .unwrap()
        .iter()
        .map(|record| {
            (
                record["SystemModstamp"].as_str().unwrap().to_owned(),
                record["Id"].as_str().unwrap().to_owned(),
            )
        })
        .collect();
    assert!(
        keys.windows(2)
            .all(|pair| pair[0].0 > pair[1].0 || pair[0].0 == pair[1].0 && pair[0].1 < pair[1].1)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_have_the_real_codes() {
    let (_org, client) = client::org(5).await;
    let unknown = client.query("SELECT Id, Foo FROM Lead");
    assert_eq!(
        (unknown.status, unknown.error_code().as_str()),
        (400, "INVALID_FIELD")
    );
    let message = unknown.json()[0]["message"].as_str().unwrap().to_owned();
    assert!(
        message.contains("ERROR at Row:1:Column:12\nNo such column 'Foo' on entity 'Lead'."),
        "{message}"
    );
    let code = |soql: &str| client.query(soql).error_code();
    assert_eq!(code("SELECT Id FROM Nope"), "INVALID_TYPE");
    assert_eq!(code("SELECT Id FROM Lead WHERE"), "MALFORMED_QUERY");
    assert_eq!(
        code("SELECT Id FROM Lead WHERE Email = 'a' AND Email = 'b' OR Email = 'c'"),
        "MALFORMED_QUERY"
    );
    assert_eq!(
        code("SELECT Id FROM Lead WHERE Description = 'a'"),
        "INVALID_FIELD"
    );
    assert_eq!(
        code("SELECT Id FROM Lead WHERE SystemModstamp > '2026-01-01T00:00:00Z'"),
        "INVALID_FIELD"
    );
    assert_eq!(code("SELECT Id FROM Lead WHERE Email = 5"), "INVALID_FIELD");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_recycle_bin_shows_in_query_all_only() {
    let config = SalesforceConfig {
        leads: 20,
        deleted_every: 5,
        ..SalesforceConfig::default()
    };
    let (org, client) = client::with(config).await;
    org.delete_lead(1).unwrap();
    let size = |path: &str| {
        client
            .get(&format!("/services/data/v66.0/{path}?q=SELECT+Id+FROM+Lead"))
            .json()["totalSize"]
            .clone()
    };
    assert_eq!(size("query"), 15);
    assert_eq!(size("queryAll"), 20);
}

#[tokio::test(flavor = "multi_thread")]
async fn other_objects_can_be_read() {
    let (org, client) = client::org(1).await;
    let users = client.query("SELECT Id, Username FROM User").json();
    assert_eq!(users["totalSize"], 2);
    assert_eq!(users["records"][0]["Username"], "integration@example.com");
    assert_eq!(client.query("SELECT Id FROM Account").json()["totalSize"], 0);
    let lead = client.get(&format!(
        "/services/data/v66.0/sobjects/Lead/{}?fields=Id,Name",
        org.lead_id(1)
    ));
    assert_eq!(lead.json()["Name"], org.lead(1)["Name"].text().unwrap());
    assert_eq!(
        client
            .get(&format!("/services/data/v66.0/sobjects/Lead/{}", org.lead_id(2)))
            .status,
        404
    );
    let distinct: BTreeSet<String> = ids(&users).into_iter().collect();
    assert_eq!(distinct.len(), 2);
}
