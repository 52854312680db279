use serde_json::{Value, json};

use super::client;
use crate::fakes::salesforce::{FieldValue, RowFault, SalesforceConfig};

const PATH: &str = "/services/data/v66.0/composite/sobjects";

fn record(id: &str, fields: &str) -> String {
    format!("{{\"attributes\":{{\"type\":\"Lead\"}},\"id\":\"{id}\"{fields}}}")
}

fn body(all_or_none: bool, records: &[String]) -> String {
    format!(
        "{{\"allOrNone\":{all_or_none},\"records\":[{}]}}",
        records.join(",")
    )
}

fn code(result: &Value) -> &str {
    result["errors"][0]["statusCode"].as_str().unwrap_or("none")
}

#[tokio::test(flavor = "multi_thread")]
async fn good_rows_are_written_and_bad_ones_refused_in_order() {
    let config = SalesforceConfig {
        leads: 100,
        converted_every: 50,
        ..SalesforceConfig::default()
    };
    let (org, client) = client::with(config).await;
    org.delete_lead(8).unwrap();
    org.fail_row(RowFault {
        lead: 9,
        code: "UNABLE_TO_LOCK_ROW".to_owned(),
        message: String::new(),
        times: 1,
    });
    let too_long = format!(",\"Tier__c\":\"{}\"", "x".repeat(11));
    let records = [
        record(&org.lead_id(1), ",\"LeadScore__c\":87.125"),
        record("nonsense", ",\"LeadScore__c\":1"),
        record(&org.lead_id(2), &too_long),
        record(&org.lead_id(3), ",\"LeadScore__c\":1000"),
        record(&org.lead_id(4), ",\"CreatedDate\":\"2026-01-01T00:00:00Z\""),
        record(&org.lead_id(1), ",\"LeadScore__c\":5"),
        record(&org.lead_id(50), ",\"LeadScore__c\":5"),
        record(&org.lead_id(8), ",\"LeadScore__c\":5"),
        record(&org.lead_id(9), ",\"LeadScore__c\":5"),
        "{\"attributes\":{\"type\":\"Lead\"},\"LeadScore__c\":5}".to_owned(),
        record(&org.lead_id(5), ",\"LastName\":null"),
        record(
            &org.lead_id(6)[..15],
            ",\"Balance__c\":\"-1234567890123456.78\",\"Title\":\"\"",
        ),
        record(&org.lead_id(7), ",\"ExternalKey__c\":\"lead-0000000001\""),
        record(&org.lead_id(101), ",\"LeadScore__c\":5"),
    ];
    let answer = client
        .send(
            "PATCH",
            PATH,
            &[("Sforce-Auto-Assign", "FALSE")],
            body(false, &records).as_bytes(),
        )
        .unwrap();
    assert_eq!(answer.status, 200, "{}", answer.text());
    let results = answer.json();
    assert_eq!(
        results[0],
        json!({ "id": org.lead_id(1), "success": true, "errors": [] })
    );
    let codes: Vec<&str> = results.as_array().unwrap().iter().map(code).collect();
    assert_eq!(
        codes,
        [
            "none",
            "MALFORMED_ID",
            "STRING_TOO_LONG",
            "NUMBER_OUTSIDE_VALID_RANGE",
            "INVALID_FIELD_FOR_INSERT_UPDATE",
            "DUPLICATE_VALUE",
            "CANNOT_UPDATE_CONVERTED_LEAD",
            "ENTITY_IS_DELETED",
            "UNABLE_TO_LOCK_ROW",
            "MISSING_ARGUMENT",
            "REQUIRED_FIELD_MISSING",
            "none",
            "DUPLICATE_VALUE",
            "INVALID_CROSS_REFERENCE_KEY",
        ]
    );
    assert_eq!(results[2]["errors"][0]["fields"], json!(["Tier__c"]));
    assert!(results[1].get("id").is_none());
    assert_eq!(org.lead(1)["LeadScore__c"], FieldValue::number("87.13"));
    assert_eq!(
        org.lead(6)["Balance__c"],
        FieldValue::number("-1234567890123456.78")
    );
    assert_eq!(org.lead(6)["Title"], FieldValue::Null);
    let entries = org.ledger().entries();
    assert_eq!(entries.len(), 2);
    assert_eq!(entries[0].request, entries[1].request);
    assert_eq!(entries[0].id, org.lead_id(1));
    assert_eq!(
        Value::Object(entries[0].fields.clone()),
        json!({ "LeadScore__c": "87.13" })
    );
    assert_eq!(
        Value::Object(entries[1].fields.clone()),
        json!({ "Balance__c": "-1234567890123456.78", "Title": null })
    );
    assert_eq!(org.stats()["auto_assign"], json!({ "FALSE": 1 }));
    let read = client.query(&format!(
        "SELECT LeadScore__c, LastModifiedById FROM Lead WHERE Id = '{}'",
        org.lead_id(1)
    ));
    assert!(read.text().contains("\"LeadScore__c\":87.13"));
    let users = client.query("SELECT Id FROM User").json();
    assert_eq!(
        read.json()["records"][0]["LastModifiedById"],
        users["records"][0]["Id"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn all_or_none_takes_everything_back() {
    let (org, client) = client::org(10).await;
    let records = [record(&org.lead_id(1), ",\"LeadScore__c\":1"), record("x", "")];
    let results = client.json("PATCH", PATH, &body(true, &records)).json();
    assert_eq!(code(&results[0]), "ALL_OR_NONE_OPERATION_ROLLED_BACK");
    assert_eq!(
        (&results[0]["success"], &results[0]["id"]),
        (&json!(false), &json!(org.lead_id(1)))
    );
    assert_eq!(code(&results[1]), "MALFORMED_ID");
    assert!(org.lead(1)["LeadScore__c"].is_null());
    assert!(org.ledger().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn whole_requests_are_refused() {
    let (org, client) = client::org(300).await;
    let refused = |body: &str| {
        let answer = client.json("PATCH", PATH, body);
        assert_eq!(answer.status, 400);
        answer.error_code()
    };
    let unknown = [
        record(&org.lead_id(1), ",\"LeadScore__c\":1"),
        record(&org.lead_id(2), ",\"Nope\":1"),
    ];
    assert_eq!(refused(&body(false, &unknown)), "INVALID_FIELD");
    let many: Vec<String> = (1..=201)
        .map(|n| record(&org.lead_id(n), ",\"LeadScore__c\":1"))
        .collect();
    assert_eq!(refused(&body(false, &many)), "EXCEEDED_ID_LIMIT");
    assert_eq!(refused("{\"records\":["), "JSON_PARSER_ERROR");
    assert_eq!(
        refused(&body(false, &[record(&org.lead_id(1), ",\"Title\":5")])),
        "JSON_PARSER_ERROR"
    );
    assert_eq!(refused("{\"records\":[{\"id\":\"x\"}]}"), "INVALID_TYPE");
    assert!(org.ledger().is_empty());
    let one = client.json(
        "PATCH",
        &format!("/services/data/v66.0/sobjects/Lead/{}", org.lead_id(3)),
        "{\"Title\":\"One\"}",
    );
    assert_eq!(one.status, 204);
    assert_eq!(org.lead(3)["Title"], "One".into());
}
