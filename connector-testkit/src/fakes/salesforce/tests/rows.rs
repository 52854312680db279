use serde_json::{Value, json};

use super::client::{self, Client, encode};
use crate::fakes::FakeClock;
use crate::fakes::salesforce::timestamp;
use crate::fakes::salesforce::{FakeSalesforce, FieldSpec, FieldValue, ObjectSpec, SalesforceConfig};

const BASE: &str = "/services/data/v66.0";

async fn org() -> (FakeSalesforce, Client, FakeClock) {
    let object = ObjectSpec::new("Part__c", "a05")
        .field(FieldSpec::string("Code__c", 40).external_id())
        .field(FieldSpec::int("Count__c", 8))
        .field(FieldSpec::base64("Body__c"));
    let config = SalesforceConfig {
        leads: 2,
        objects: vec![object, ObjectSpec::new("Still__c", "a06").replicateable(false)],
        ..SalesforceConfig::default()
    };
    let clock = config.clock.clone();
    let (org, client) = client::with(config).await;
    (org, client, clock)
}

#[tokio::test(flavor = "multi_thread")]
async fn one_record_is_created_changed_and_deleted() {
    let (org, client, _) = org().await;
    let made = client.json(
        "POST",
        &format!("{BASE}/sobjects/Part__c"),
        "{\"Code__c\": \"a\"}",
    );
    assert_eq!((made.status, &made.json()["success"]), (201, &json!(true)));
    let id = made.json()["id"].as_str().unwrap().to_owned();
    let by_key = format!("{BASE}/sobjects/Part__c/Code__c/{}", encode("a/b c"));
    let upsert = |path: &str, count: u32| client.json("PATCH", path, &format!("{{\"Count__c\": {count}}}"));
    assert_eq!(upsert(&format!("{by_key}?updateOnly=true"), 1).status, 404);
    let created = upsert(&by_key, 1);
    assert_eq!((created.status, &created.json()["created"]), (201, &json!(true)));
    let changed = upsert(&by_key, 2);
    assert_eq!((changed.status, &changed.json()["created"]), (200, &json!(false)));
    let found = client.get(&by_key).json();
    assert_eq!(
        (&found["Code__c"], &found["Count__c"]),
        (&json!("a/b c"), &json!(2))
    );
    org.insert_record("Part__c", &[("Code__c", "a/b c".into())])
        .unwrap();
    let several = upsert(&by_key, 3);
    assert_eq!(
        (several.status, several.json().as_array().unwrap().len()),
        (300, 2)
    );
    assert_eq!(
        client
            .json("DELETE", &format!("{BASE}/sobjects/Part__c/{id}"), "")
            .status,
        204
    );
    let again = client.json("DELETE", &format!("{BASE}/sobjects/Part__c/{id}"), "");
    assert_eq!(
        (again.status, again.error_code().as_str()),
        (404, "ENTITY_IS_DELETED")
    );
    assert_eq!(client.get(&format!("{BASE}/sobjects/Part__c/{id}")).status, 404);
    let no_key = client.get(&format!("{BASE}/sobjects/Part__c/Count__c/1"));
    assert_eq!((no_key.status, no_key.error_code().as_str()), (404, "NOT_FOUND"));
}

#[tokio::test(flavor = "multi_thread")]
async fn many_records_and_blobs_are_retrieved() {
    let (org, client, _) = org().await;
    let id = org
        .insert_record("Part__c", &[("Code__c", "a".into()), ("Body__c", "aGk=".into())])
        .unwrap();
    let body = json!({ "ids": [id, "a05Hr0000000099AAA"], "fields": ["Code__c"] }).to_string();
    let found = client
        .json("POST", &format!("{BASE}/composite/sobjects/Part__c"), &body)
        .json();
    assert_eq!((&found[0]["Code__c"], &found[1]), (&json!("a"), &Value::Null));
    let listed = client.get(&format!(
        "{BASE}/composite/sobjects/Part__c?ids={id}&fields=Id,Code__c"
    ));
    assert_eq!(listed.json()[0]["Id"], id.as_str());
    let shown = client.get(&format!("{BASE}/sobjects/Part__c/{id}")).json();
    assert_eq!(client.get(shown["Body__c"].as_str().unwrap()).body, b"hi");
    let batch = json!({ "haltOnError": true, "batchRequests": [
        { "method": "GET", "url": format!("v66.0/sobjects/Part__c/{id}?fields=Code__c") },
        { "method": "GET", "url": "v66.0/query?q=SELECT+Nope+FROM+Lead" },
        { "method": "PATCH", "url": format!("v66.0/sobjects/Part__c/{id}"), "richInput": { "Code__c": "b" } },
    ] });
    let before = org.calls();
    let answer = client
        .json("POST", &format!("{BASE}/composite/batch"), &batch.to_string())
        .json();
    assert_eq!(answer["hasErrors"], true);
    let codes: Vec<_> = answer["results"]
        .as_array()
        .unwrap()
        .iter()
        .map(|each| each["statusCode"].as_u64())
        .collect();
    assert_eq!(codes, [Some(200), Some(400), Some(412)]);
    assert_eq!(answer["results"][0]["result"]["Code__c"], "a");
    assert_eq!(org.record("Part__c", &id).unwrap()["Code__c"], "a".into());
    assert_eq!(org.calls() - before, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn describe_tells_when_it_changed() {
    let (org, client, clock) = org().await;
    let path = format!("{BASE}/sobjects/Part__c/describe");
    let since = client.get(&path).header("last-modified").to_owned();
    let ask = |since: &str| {
        client
            .send("GET", &path, &[("If-Modified-Since", since)], b"")
            .unwrap()
    };
    assert_eq!((ask(&since).status, ask(&since).body.len()), (304, 0));
    clock.advance(std::time::Duration::from_secs(5));
    org.hide_field("Part__c", "Count__c", true).unwrap();
    let answer = ask(&since);
    assert_eq!(answer.status, 200);
    assert!(answer.header("last-modified") != since);
    assert_eq!(ask("yesterday").status, 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_changed_and_what_is_gone_is_told_within_the_rules() {
    let (org, client, clock) = org().await;
    let kept = org.insert_record("Part__c", &[]).unwrap();
    let binned = org.insert_record("Part__c", &[]).unwrap();
    let purged = org.insert_record("Part__c", &[]).unwrap();
    let started = clock.now_micros();
    org.delete_record("Part__c", &binned).unwrap();
    org.purge_record("Part__c", &purged).unwrap();
    clock.advance(std::time::Duration::from_secs(180));
    let ask = |object: &str, what: &str, from: i64, to: i64| {
        let (from, to) = (timestamp::rest(from), timestamp::rest(to));
        client.get(&format!(
            "{BASE}/sobjects/{object}/{what}/?start={}&end={}",
            encode(&from),
            encode(&to)
        ))
    };
    let hour = 3_600_000_000;
    let (from, to) = (started - hour, started + hour);
    let updated = ask("Part__c", "updated", from, to).json();
    assert_eq!(updated["ids"], json!([kept]));
    let covered = timestamp::parse(updated["latestDateCovered"].as_str().unwrap()).unwrap();
    assert!(covered <= clock.now_micros() && covered > started, "{covered}");
    let deleted = ask("Part__c", "deleted", from, to).json();
    let ids: Vec<_> = deleted["deletedRecords"]
        .as_array()
        .unwrap()
        .iter()
        .map(|each| each["id"].clone())
        .collect();
    assert_eq!(ids, [binned.as_str(), purged.as_str()]);
    let code = |what: &str, from: i64, to: i64| ask("Part__c", what, from, to).error_code();
    assert_eq!(code("updated", from, from + 10), "INVALID_REPLICATION_DATE");
    assert_eq!(
        code("updated", started - 31 * 24 * hour, to),
        "INVALID_REPLICATION_DATE"
    );
    assert_eq!(
        ask("Part__c", "updated", started - 29 * 24 * hour, to).status,
        200
    );
    assert_eq!(
        code("deleted", started - 16 * 24 * hour, to),
        "INVALID_REPLICATION_DATE"
    );
    assert_eq!(
        ask("Still__c", "deleted", from, to).error_code(),
        "INVALID_TYPE_FOR_OPERATION"
    );
    org.cut_deletion_log("Part__c");
    assert_eq!(code("deleted", from, to), "INVALID_REPLICATION_DATE");
    assert_eq!(
        org.record("Part__c", &binned).unwrap()["IsDeleted"],
        FieldValue::Bool(true)
    );
}
