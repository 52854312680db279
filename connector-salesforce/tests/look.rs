//! Looking inside an org: what is asked for, and what is made of the answers.

#![allow(
    clippy::unwrap_used,
    reason = "helpers of tests count as code outside of tests"
)]

mod common;

use std::sync::Arc;

use common::TestClock;
use connector_core::{Connector, ErrorKind, Secret, Selection};
use connector_salesforce::{Auth, Config, Salesforce};
use connector_testkit::fakes::FakeClock;
use serde_json::{Value, json};
use wiremock::matchers::{header_exists, method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

const API: &str = "/services/data/v62.0";

fn connect(server: &MockServer) -> Salesforce {
    let auth = Auth::AccessToken {
        access_token: Secret::new("00DD0000000IRFm!hunter2"),
        instance_url: server.uri().parse().unwrap(),
    };
    let config = Config::new(auth).with_login_url(&server.uri()).unwrap();
    Salesforce::new(&config, Arc::new(TestClock(FakeClock::new()))).unwrap()
}

fn object(name: &str) -> Value {
    json!({ "name": name, "label": name, "queryable": true })
}

/// Requests for what has changed since then.
fn since(then: &'static str) -> impl wiremock::Match {
    move |request: &wiremock::Request| {
        let header = request.headers.get("if-modified-since");
        header.is_some_and(|header| header == then)
    }
}

async fn list(server: &MockServer, objects: Vec<Value>) {
    Mock::given(method("GET"))
        .and(path(format!("{API}/sobjects")))
        .respond_with(ResponseTemplate::new(200).set_body_json(json!({ "sobjects": objects })))
        .mount(server)
        .await;
}

async fn describe(server: &MockServer, fields: Value) {
    let answer = json!({ "name": "Thing__c", "queryable": true, "fields": fields });
    Mock::given(method("GET"))
        .and(path(format!("{API}/sobjects/Thing__c/describe")))
        .respond_with(ResponseTemplate::new(200).set_body_json(answer))
        .mount(server)
        .await;
}

#[tokio::test]
async fn objects_are_listed_by_one_request_and_those_that_need_a_filter_say_so() {
    let server = MockServer::start().await;
    let mut hidden = object("LeadChangeEvent");
    hidden["queryable"] = json!(false);
    list(
        &server,
        vec![object("Lead"), object("ContentDocumentLink"), hidden],
    )
    .await;
    let streams = connect(&server).streams().await.unwrap();
    let names: Vec<_> = streams.iter().map(|stream| stream.name.as_str()).collect();
    assert_eq!(names, ["Lead", "ContentDocumentLink"]);
    assert_eq!(streams[0].left_out, None);
    assert!(streams[1].left_out.as_ref().unwrap().contains("filter"));
    assert_eq!(server.received_requests().await.unwrap().len(), 1);
}

#[tokio::test]
async fn what_has_not_changed_is_not_sent_again() {
    let server = MockServer::start().await;
    const CHANGED: &str = "Wed, 10 Jan 2018 21:05:30 GMT";
    let answer = json!({ "name": "Thing__c", "queryable": true, "fields": [{ "name": "Id", "type": "id" }] });
    for (at, body) in [
        ("sobjects", json!({ "sobjects": [object("Thing__c")] })),
        ("sobjects/Thing__c/describe", answer),
    ] {
        let at = format!("{API}/{at}");
        Mock::given(method("GET"))
            .and(path(&at))
            .and(since(CHANGED))
            .respond_with(ResponseTemplate::new(304))
            .expect(2)
            .with_priority(1)
            .mount(&server)
            .await;
        Mock::given(method("GET"))
            .and(path(&at))
            .respond_with(
                ResponseTemplate::new(200)
                    .insert_header("last-modified", CHANGED)
                    .set_body_json(body),
            )
            .expect(1)
            .mount(&server)
            .await;
    }
    let crm = connect(&server);
    for _ in 0..3 {
        assert_eq!(crm.streams().await.unwrap().len(), 1);
        let spec = crm.describe(&Selection::stream("Thing__c")).await.unwrap();
        assert_eq!(spec.schema.fields().len(), 1);
    }
}

#[tokio::test]
async fn without_a_time_of_change_the_second_before_the_answer_is_asked_from() {
    let server = MockServer::start().await;
    let answer = json!({ "name": "Thing__c", "queryable": true, "fields": [{ "name": "Id", "type": "id" }] });
    Mock::given(method("GET"))
        .and(since("Wed, 10 Jan 2018 21:05:29 GMT"))
        .respond_with(ResponseTemplate::new(304))
        .expect(1)
        .with_priority(1)
        .mount(&server)
        .await;
    Mock::given(method("GET"))
        .respond_with(
            ResponseTemplate::new(200)
                .insert_header("date", "Wed, 10 Jan 2018 21:05:30 GMT")
                .set_body_json(answer),
        )
        .expect(1)
        .mount(&server)
        .await;
    let crm = connect(&server);
    for _ in 0..2 {
        crm.describe(&Selection::stream("Thing__c")).await.unwrap();
    }
}

#[tokio::test]
async fn a_field_that_was_added_is_seen_by_the_next_look() {
    let server = MockServer::start().await;
    let with = |fields: Value| {
        let answer = json!({ "name": "Thing__c", "queryable": true, "fields": fields });
        ResponseTemplate::new(200)
            .insert_header("date", "Wed, 10 Jan 2018 21:05:30 GMT")
            .set_body_json(answer)
    };
    Mock::given(method("GET"))
        .and(header_exists("if-modified-since"))
        .respond_with(with(
            json!([{ "name": "Id", "type": "id" }, { "name": "New__c", "type": "boolean" }]),
        ))
        .with_priority(1)
        .mount(&server)
        .await;
    Mock::given(method("GET"))
        .respond_with(with(json!([{ "name": "Id", "type": "id" }])))
        .mount(&server)
        .await;
    let crm = connect(&server);
    let thing = Selection::stream("Thing__c");
    assert_eq!(crm.describe(&thing).await.unwrap().schema.fields().len(), 1);
    assert_eq!(crm.describe(&thing).await.unwrap().schema.fields().len(), 2);
}

#[tokio::test]
async fn every_type_has_its_own_and_what_is_left_out_says_why() {
    let server = MockServer::start().await;
    let typed = |kind: &str| json!({ "name": kind, "type": kind, "length": 0 });
    let mut fields: Vec<Value> = [
        "id",
        "reference",
        "string",
        "textarea",
        "phone",
        "url",
        "email",
        "picklist",
        "combobox",
        "multipicklist",
        "encryptedstring",
        "datacategorygroupreference",
        "boolean",
        "int",
        "long",
        "date",
        "datetime",
        "time",
        "anyType",
        "json",
        "address",
        "location",
        "base64",
        "complexvalue",
        "somethingNew",
    ]
    .into_iter()
    .map(typed)
    .collect();
    for (name, calculated) in [("double", false), ("currency", false), ("formula", true)] {
        let kind = if calculated { "percent" } else { name };
        fields.push(json!({
            "name": name, "type": kind, "precision": 18, "scale": 2, "calculated": calculated,
        }));
    }
    describe(&server, Value::Array(fields)).await;
    let spec = connect(&server)
        .describe(&Selection::stream("Thing__c"))
        .await
        .unwrap();
    let types: Vec<String> = spec
        .schema
        .fields()
        .iter()
        .map(|field| format!("{} {}", field.name, field.data_type))
        .collect();
    assert_eq!(
        types,
        [
            "id text",
            "reference text",
            "string text",
            "textarea text",
            "phone text",
            "url text",
            "email text",
            "picklist text",
            "combobox text",
            "multipicklist text",
            "encryptedstring text",
            "datacategorygroupreference text",
            "boolean bool",
            "int int32",
            "long int64",
            "date date",
            "datetime instant",
            "time time",
            "anyType text",
            "json json",
            "double decimal(18,2)",
            "currency decimal(18,2)",
            "formula decimal",
        ]
    );
    let left_out: Vec<_> = spec.left_out.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        left_out,
        ["address", "location", "base64", "complexvalue", "somethingNew"]
    );
    assert!(spec.left_out.iter().all(|(_, reason)| !reason.is_empty()));
}

#[tokio::test]
async fn keys_of_an_upsert_are_external_ids_lookup_fields_and_the_id() {
    let server = MockServer::start().await;
    let fields = json!([
        { "name": "Id", "type": "id", "nillable": false },
        { "name": "Ext__c", "type": "string", "externalId": true, "createable": true, "updateable": true,
          "nillable": true },
        { "name": "Email", "type": "email", "idLookup": true, "createable": true, "nillable": false },
        { "name": "Name", "type": "string", "createable": true, "nillable": false, "defaultedOnCreate": true },
    ]);
    describe(&server, fields).await;
    let spec = connect(&server)
        .describe(&Selection::stream("Thing__c"))
        .await
        .unwrap();
    let access: Vec<_> = spec
        .schema
        .fields()
        .iter()
        .map(|field| {
            (
                field.access.match_key,
                field.access.required,
                field.access.updatable,
                field.nullable,
            )
        })
        .collect();
    // What must be filled today may be empty in an old record.
    assert_eq!(
        access,
        [
            (true, false, false, false),
            (true, false, true, true),
            (true, true, false, true),
            (false, false, false, true)
        ]
    );
}

#[tokio::test]
async fn a_picklist_says_what_it_offers_and_a_misspelt_field_names_the_nearest() {
    let server = MockServer::start().await;
    let fields = json!([
        { "name": "Id", "type": "id" },
        { "name": "LeadScore__c", "type": "double", "picklistValues": null },
        { "name": "Grade__c", "type": "picklist", "restrictedPicklist": true, "picklistValues": [
            { "value": "hot", "label": "Heiß", "active": true },
            { "value": "old", "label": null, "active": false } ] },
    ]);
    describe(&server, fields).await;
    let crm = connect(&server);
    let grade = crm.picklist("Thing__c", "Grade__c").await.unwrap().unwrap();
    let values: Vec<_> = grade
        .values
        .iter()
        .map(|value| (value.value.as_str(), value.label.as_str(), value.active))
        .collect();
    assert!(grade.restricted);
    assert_eq!(values, [("hot", "Heiß", true), ("old", "old", false)]);
    assert_eq!(crm.picklist("Thing__c", "LeadScore__c").await.unwrap(), None);
    let error = crm.picklist("Thing__c", "LeadScore_c").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Schema);
    assert_eq!(error.help(), Some("did you mean `LeadScore__c`?"));
}

#[tokio::test]
async fn a_misspelt_object_names_the_nearest() {
    let server = MockServer::start().await;
    list(&server, vec![object("Thing__c"), object("Lead")]).await;
    Mock::given(method("GET"))
        .and(path(format!("{API}/sobjects/Thing_c/describe")))
        .respond_with(ResponseTemplate::new(404).set_body_json(
            json!([{ "errorCode": "NOT_FOUND", "message": "The requested resource does not exist" }]),
        ))
        .mount(&server)
        .await;
    let error = connect(&server)
        .describe(&Selection::stream("Thing_c"))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert_eq!(error.help(), Some("did you mean `Thing__c`?"));
}
