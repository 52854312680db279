use serde_json::{Value, json};

use super::client::{self, Answer, Client};
use crate::fakes::salesforce::FieldValue;

const JOBS: &str = "/services/data/v66.0/jobs/ingest";

fn create(client: &Client) -> String {
    let body = json!({ "object": "Lead", "operation": "update", "contentType": "CSV", "lineEnding": "LF" });
    let answer = client.json("POST", JOBS, &body.to_string());
    assert_eq!(answer.status, 200, "{}", answer.text());
    let job = answer.json();
    assert_eq!(job["state"], "Open");
    let id = job["id"].as_str().unwrap();
    assert_eq!(
        job["contentUrl"],
        format!("services/data/v66.0/jobs/ingest/{id}/batches")
    );
    format!("{JOBS}/{id}")
}

fn upload(client: &Client, path: &str, csv: &str) -> Answer {
    client
        .send(
            "PUT",
            &format!("{path}/batches"),
            &[("Content-Type", "text/csv; charset=UTF-8")],
            csv.as_bytes(),
        )
        .unwrap()
}

fn finish(client: &Client, path: &str) -> Value {
    assert_eq!(
        client
            .json("PATCH", path, "{\"state\":\"UploadComplete\"}")
            .json()["state"],
        "UploadComplete"
    );
    assert_eq!(client.get(path).json()["state"], "InProgress");
    client.get(path).json()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_row_ends_in_one_of_the_result_sets() {
    let (org, client) = client::org(1_000).await;
    org.edit_lead(2, &[("Title", "old".into())]).unwrap();
    org.edit_lead(3, &[("Title", "old".into())]).unwrap();
    let path = create(&client);
    let mut csv = "Id,leadscore__c,Title\n".to_owned();
    for n in 1..=300 {
        let title = match n {
            2 => "",
            3 => "#N/A",
            _ => "\"say \"\"hi\"\",\nthen go\"",
        };
        csv.push_str(&format!(
            "{},{},{title}\n",
            org.lead_id(n),
            if n == 7 { "oops" } else { "12.345" }
        ));
    }
    csv.push_str(&format!("{},1,dup\n", org.lead_id(300)));
    assert_eq!(upload(&client, &path, &csv).status, 201);
    assert_eq!(upload(&client, &path, &csv).error_code(), "INVALIDJOBSTATE");
    let job = finish(&client, &path);
    assert_eq!(job["state"], "JobComplete");
    assert_eq!(
        (&job["numberRecordsProcessed"], &job["numberRecordsFailed"]),
        (&json!(301), &json!(2))
    );

    let mut good = client.get(&format!("{path}/successfulResults")).csv();
    assert_eq!(
        good.remove(0),
        ["sf__Id", "sf__Created", "Id", "leadscore__c", "Title"]
    );
    assert_eq!(good.len(), 299);
    assert!(good.iter().all(|row| row[0] == row[2] && row[1] == "false"));
    let order: Vec<u64> = good.iter().map(|row| org.lead_number(&row[0]).unwrap()).collect();
    assert!(
        order.windows(2).any(|pair| pair[0] > pair[1]),
        "the order is that of the upload"
    );
    let mut sorted = order.clone();
    sorted.sort_unstable();
    assert_eq!(sorted, (1..=300).filter(|&n| n != 7).collect::<Vec<_>>());
    assert!(good.iter().any(|row| row[4] == "say \"hi\",\nthen go"));

    let mut bad = client.get(&format!("{path}/failedResults")).csv();
    assert_eq!(
        bad.remove(0),
        ["sf__Id", "sf__Error", "Id", "leadscore__c", "Title"]
    );
    bad.sort_by(|left, right| left[2].cmp(&right[2]));
    assert_eq!(
        bad[0][1],
        "INVALID_TYPE_ON_FIELD_IN_RECORD:LeadScore__c: value not of required type: oops:LeadScore__c --"
    );
    assert!(bad[1][1].starts_with("DUPLICATE_VALUE:"), "{}", bad[1][1]);
    assert_eq!(
        client.get(&format!("{path}/unprocessedrecords")).csv(),
        [["Id", "leadscore__c", "Title"]]
    );

    assert_eq!(org.lead(1)["LeadScore__c"], FieldValue::number("12.35"));
    assert_eq!(org.lead(1)["Title"], "say \"hi\",\nthen go".into());
    assert_eq!(org.lead(2)["Title"], "old".into());
    assert_eq!(org.lead(3)["Title"], FieldValue::Null);
    assert!(org.lead(7)["LeadScore__c"].is_null());
    let entries = org.ledger().entries();
    assert_eq!(entries.len(), 299);
    assert!(
        entries
            .iter()
            .all(|entry| entry.request == entries[0].request && entry.operation == "update")
    );
    assert_eq!(client.json("DELETE", &path, "").status, 204);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_job_leaves_rows_unprocessed() {
    let (org, client) = client::org(500).await;
    org.stop_next_ingest(250);
    let path = create(&client);
    let rows: String = (1..=400).map(|n| format!("{},5\n", org.lead_id(n))).collect();
    upload(&client, &path, &format!("Id,LeadScore__c\n{rows}"));
    let job = finish(&client, &path);
    assert_eq!(
        (&job["state"], &job["numberRecordsProcessed"]),
        (&json!("Failed"), &json!(250))
    );
    assert_eq!(client.get(&format!("{path}/successfulResults")).csv().len(), 251);
    assert_eq!(client.get(&format!("{path}/unprocessedrecords")).csv().len(), 151);
    assert_eq!(org.ledger().len(), 250);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_upload_fails_the_job() {
    let (org, client) = client::org(5).await;
    for (csv, message) in [
        ("Id,Nope\nx,1\n", "InvalidBatch : Field name not found : Nope"),
        (
            "Id,LeadScore__c\r\nx,1\r\n",
            "InvalidBatch : LineEnding is invalid on user data. Current LineEnding setting is LF",
        ),
    ] {
        let path = create(&client);
        upload(&client, &path, csv);
        let job = finish(&client, &path);
        assert_eq!(
            (&job["state"], &job["errorMessage"]),
            (&json!("Failed"), &json!(message))
        );
        assert_eq!(client.get(&format!("{path}/unprocessedrecords")).csv().len(), 2);
    }
    let path = create(&client);
    upload(
        &client,
        &path,
        &format!("Id,LeadScore__c\n{},1\n", org.lead_id(1)),
    );
    assert_eq!(
        client.json("PATCH", &path, "{\"state\":\"Aborted\"}").json()["state"],
        "Aborted"
    );
    assert_eq!(client.get(&format!("{path}/unprocessedrecords")).csv().len(), 2);
    assert!(org.ledger().is_empty());
    assert_eq!(client.get(JOBS).json()["records"].as_array().unwrap().len(), 3);
    let unknown = client.json("POST", JOBS, "{\"object\":\"Lead\",\"operation\":\"replace\"}");
    assert_eq!(unknown.status, 400);
}
