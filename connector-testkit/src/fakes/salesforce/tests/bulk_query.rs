use serde_json::{Value, json};

use super::client::{self, Client};
use crate::fakes::salesforce::SalesforceConfig;

const JOBS: &str = "/services/data/v66.0/jobs/query";

fn create(client: &Client, query: &str) -> Value {
    let body = json!({ "operation": "query", "query": query, "contentType": "CSV", "lineEnding": "LF" });
    let answer = client.json("POST", JOBS, &body.to_string());
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_can_be_fetched_again_whatever_was_edited() {
    let (org, client) = client::org(1_000).await;
    let job = create(
        &client,
        "SELECT Id, Title, Description, Balance__c, NumberOfEmployees, SystemModstamp FROM Lead",
    );
    assert_eq!(job["state"], "UploadComplete");
    assert_eq!(job["apiVersion"], json!(66.0));
    let path = format!("{JOBS}/{}", job["id"].as_str().unwrap());
    assert!(path.contains("/750"));
    assert_eq!(client.get(&format!("{path}/results")).status, 400);
    assert_eq!(client.get(&path).json()["state"], "InProgress");
    let done = client.get(&path).json();
    assert_eq!(
        (&done["state"], &done["numberRecordsProcessed"]),
        (&json!("JobComplete"), &json!(1_000))
    );

    let mut rows = Vec::new();
    let mut locator = String::new();
    let mut second = None;
    loop {
        let at = if locator.is_empty() {
            String::new()
        } else {
            format!("&locator={locator}")
        };
        let page = client.get(&format!("{path}/results?maxRecords=300{at}"));
        assert!(page.whole);
        let mut records = page.csv();
        let header = records.remove(0);
        assert_eq!(
            header,
            [
                "Id",
                "Title",
                "Description",
                "Balance__c",
                "NumberOfEmployees",
                "SystemModstamp"
            ]
        );
        assert_eq!(page.header("sforce-numberofrecords"), records.len().to_string());
        if rows.len() == 300 {
            second = Some((locator.clone(), page.body.clone()));
        }
        rows.extend(records);
        locator = page.header("sforce-locator").to_owned();
        if locator == "null" {
            break;
        }
    }
    assert_eq!(rows.len(), 1_000);
    for (n, row) in (1..).zip(&rows) {
        let lead = org.lead(n);
        assert_eq!(row[0], org.lead_id(n));
        assert_eq!(row[1], lead["Title"].text().unwrap_or_default());
        assert_eq!(row[2], lead["Description"].text().unwrap_or_default());
        assert_eq!(
            row[5],
            lead["SystemModstamp"].text().unwrap().replace("+0000", "Z")
        );
        let plain =
            |text: &str| crate::fakes::salesforce::decimal::Decimal::parse(text).map(|number| number.plain());
        assert_eq!(plain(&row[3]), lead["Balance__c"].text());
        assert_eq!(plain(&row[4]), lead["NumberOfEmployees"].text());
    }
    assert!(rows.iter().any(|row| row[3] == "1.23456789012345678E15"));

    let (locator, bytes) = second.unwrap();
    org.edit_lead(301, &[("Title", "Changed".into())]).unwrap();
    let again = client.get(&format!("{path}/results?maxRecords=300&locator={locator}"));
    assert_eq!(again.body, bytes);
    assert_eq!(org.lead(301)["Title"], "Changed".into());
    let other_version = client.get(&format!("{}/results", path.replace("v66", "v65")));
    assert_eq!(other_version.status, 409);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_bulk_cannot_do_is_refused() {
    let (_org, client) = client::org(5).await;
    let refused = |query: &str| {
        let answer = client.json(
            "POST",
            JOBS,
            &json!({ "operation": "query", "query": query }).to_string(),
        );
        assert_eq!(answer.status, 400);
        (
            answer.error_code(),
            answer.json()[0]["message"].as_str().unwrap().to_owned(),
        )
    };
    let compound = refused("SELECT Id, Address FROM Lead");
    assert_eq!(
        compound,
        (
            "API_ERROR".to_owned(),
            "Selecting compound data not supported in Bulk Query".to_owned()
        )
    );
    let entity = refused("SELECT Id FROM LeadStatus");
    assert_eq!(
        entity,
        (
            "INVALIDENTITY".to_owned(),
            "Entity 'LeadStatus' is not supported by the Bulk API.".to_owned()
        )
    );
    assert_eq!(refused("SELECT Id, Nope FROM Lead").0, "INVALID_FIELD");
    assert_eq!(refused("SELECT COUNT() FROM Lead").0, "API_ERROR");
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_are_aborted_deleted_and_listed() {
    let config = SalesforceConfig {
        leads: 250,
        bulk_polls: 0,
        bulk_page_size: 100,
        ..SalesforceConfig::default()
    };
    let (_org, client) = client::with(config).await;
    let first = create(&client, "SELECT Id FROM Lead");
    let path = format!("{JOBS}/{}", first["id"].as_str().unwrap());
    let early = client.json("DELETE", &path, "");
    assert_eq!((early.status, early.error_code().as_str()), (400, "API_ERROR"));
    assert_eq!(
        client.json("PATCH", &path, "{\"state\":\"Aborted\"}").json()["state"],
        "Aborted"
    );
    assert_eq!(
        client
            .json("PATCH", &path, "{\"state\":\"Aborted\"}")
            .error_code(),
        "INVALIDJOBSTATE"
    );
    assert_eq!(client.json("DELETE", &path, "").status, 204);
    assert_eq!(client.get(&path).status, 404);
    let second = create(&client, "SELECT Id FROM Lead WHERE Id = null");
    let path = format!("{JOBS}/{}", second["id"].as_str().unwrap());
    assert_eq!(client.get(&path).json()["state"], "JobComplete");
    let page = client.get(&format!("{path}/results"));
    assert_eq!(page.text(), "\"Id\"\n");
    assert_eq!(page.header("sforce-locator"), "null");
    let third = create(&client, "SELECT Id FROM Lead");
    let path = format!("{JOBS}/{}", third["id"].as_str().unwrap());
    client.get(&path);
    let pages = client.get(&format!("{path}/resultPages")).json();
    assert_eq!(pages["resultPages"].as_array().unwrap().len(), 3);
    let last = pages["resultPages"][2]["resultUrl"].as_str().unwrap();
    assert_eq!(client.get(last).csv().len(), 51);
    assert_eq!(client.get(JOBS).json()["records"].as_array().unwrap().len(), 2);
}
