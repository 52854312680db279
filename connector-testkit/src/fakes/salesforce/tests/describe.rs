use super::client;
use crate::fakes::salesforce::timestamp;

#[tokio::test(flavor = "multi_thread")]
async fn lead_is_described_with_all_its_fields() {
    let (_org, client) = client::org(1).await;
    let lead = client.get("/services/data/v62.0/sobjects/Lead/describe").json();
    assert_eq!(lead["keyPrefix"], "00Q");
    let fields = lead["fields"].as_array().unwrap();
    assert_eq!(fields.len(), 54 + 5);
    assert!(fields.iter().all(|field| field.as_object().unwrap().len() == 57));
    let field = |name: &str| fields.iter().find(|field| field["name"] == name).unwrap();
    assert_eq!(field("Email")["idLookup"], true);
    assert_eq!(field("Email")["externalId"], false);
    assert_eq!(field("Street")["compoundFieldName"], "Address");
    assert_eq!(field("Name")["compoundFieldName"], serde_json::Value::Null);
    assert_eq!(
        field("OwnerId")["referenceTo"],
        serde_json::json!(["Group", "User"])
    );
    assert_eq!(field("Address")["type"], "address");
    assert_eq!(field("Balance__c")["precision"], 18);
    assert_eq!(field("LeadScore__c")["custom"], true);
    assert_eq!(field("ExternalKey__c")["unique"], true);
    assert_eq!(field("NumberOfEmployees")["digits"], 8);
    assert_eq!(field("Rating")["picklistValues"][0]["value"], "Hot");
}

#[tokio::test(flavor = "multi_thread")]
async fn objects_and_versions_are_listed() {
    let (_org, client) = client::org(1).await;
    let list = client.get("/services/data/v66.0/sobjects").json();
    let names: Vec<_> = list["sobjects"]
        .as_array()
        .unwrap()
        .iter()
        .map(|object| &object["name"])
        .collect();
    assert_eq!(names, ["Account", "Lead", "LeadStatus", "User"]);
    assert_eq!(list["maxBatchSize"], 200);
    let versions = client.get("/services/data").json();
    let spring = versions
        .as_array()
        .unwrap()
        .iter()
        .find(|version| version["version"] == "66.0")
        .unwrap();
    assert_eq!(spring["label"], "Spring '26");
    let missing = client.get("/services/data/v66.0/sobjects/Nope/describe");
    assert_eq!(
        (missing.status, missing.error_code().as_str()),
        (404, "NOT_FOUND")
    );
    assert_eq!(client.get("/services/data/v29.0/limits").status, 410);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_shows_the_clock_and_the_usage() {
    let config = crate::fakes::salesforce::SalesforceConfig::default();
    let clock = config.clock.clone();
    let (org, client) = client::with(config).await;
    clock.advance(std::time::Duration::from_secs(400 * 86_400));
    let before = clock.now_micros();
    let answer = client.get("/services/data/v66.0/limits");
    let after = clock.now_micros();
    let possible = [timestamp::http_date(before), timestamp::http_date(after)];
    assert!(
        possible.contains(&answer.header("date").to_owned()),
        "{} not in {possible:?}",
        answer.header("date")
    );
    assert_eq!(
        answer
            .headers
            .iter()
            .filter(|(name, _)| name.eq_ignore_ascii_case("date"))
            .count(),
        1
    );
    assert_eq!(answer.header("sforce-limit-info"), "api-usage=1/100000");
    assert_eq!(org.calls(), 1);
    let counts = client
        .get("/services/data/v66.0/limits/recordCount?sObjects=Lead,Nope")
        .json();
    assert_eq!(
        counts,
        serde_json::json!({ "sObjects": [{ "count": 1000, "name": "Lead" }] })
    );
}

#[test]
fn dates_are_right() {
    assert_eq!(
        timestamp::http_date(1_603_400_603_000_000),
        "Thu, 22 Oct 2020 21:03:23 GMT"
    );
    assert_eq!(
        timestamp::rest(1_603_400_603_000_000),
        "2020-10-22T21:03:23.000+0000"
    );
    assert_eq!(
        timestamp::parse("2020-10-22T23:03:23.000+02:00"),
        Some(1_603_400_603_000_000)
    );
    assert_eq!(timestamp::parse("2020-02-30T00:00:00Z"), None);
}
