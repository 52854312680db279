use serde_json::{Value, json};

use super::client::{self, Client};
use crate::fakes::salesforce::{FakeSalesforce, FieldSpec, FieldValue, ObjectSpec, SalesforceConfig};

const CSV_FIELDS: &str = "Id, Text__c, Multi__c, Secret__c, Flag__c, Int__c, Long__c, Double__c, Percent__c, Date__c, \
                          Moment__c, Time__c, Place__Latitude__s, Old__c, No__c";

async fn org() -> (FakeSalesforce, Client, String) {
    let object = ObjectSpec::new("Every__c", "a09")
        .field(FieldSpec::string("Text__c", 80))
        .field(FieldSpec::multipicklist("Multi__c", &["A", "B", "C"]).restricted())
        .field(FieldSpec::encrypted("Secret__c", 20))
        .field(FieldSpec::boolean("Flag__c"))
        .field(FieldSpec::int("Int__c", 8))
        .field(FieldSpec::long("Long__c"))
        .field(FieldSpec::double("Double__c", 18, 4))
        .field(FieldSpec::percent("Percent__c", 5, 2))
        .field(FieldSpec::date("Date__c"))
        .field(FieldSpec::datetime("Moment__c"))
        .field(FieldSpec::time("Time__c"))
        .field(FieldSpec::location("Place__c", 6))
        .field(FieldSpec::address("BillingAddress"))
        .field(FieldSpec::base64("Body__c"))
        .field(FieldSpec::any("Old__c"))
        .field(FieldSpec::complex("Shape__c"))
        .field(FieldSpec::auto_number("No__c"));
    let config = SalesforceConfig {
        leads: 1,
        objects: vec![object],
        ..SalesforceConfig::default()
    };
    let (org, client) = client::with(config).await;
    let number = |text: &str| FieldValue::number(text);
    let id = org
        .insert_record(
            "Every__c",
            &[
                ("Text__c", "a\u{0}b".into()),
                ("Multi__c", "A;C".into()),
                ("Secret__c", "1234567890".into()),
                ("Int__c", number("7")),
                ("Long__c", number("9007199254740993")),
                ("Double__c", number("950000000")),
                ("Percent__c", number("12.5")),
                ("Date__c", "2026-02-28".into()),
                ("Moment__c", FieldValue::DateTime(1_603_400_603_000_000)),
                ("Time__c", "23:59:59.123Z".into()),
                ("Place__Latitude__s", number("47.5")),
                ("Place__Longitude__s", number("-8.25")),
                ("BillingCity", "Zürich".into()),
                ("Body__c", "aGk=".into()),
                ("Old__c", number("3")),
                ("Shape__c", FieldValue::Json("{\"a\":[1]}".into())),
            ],
        )
        .unwrap();
    (org, client, id)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_type_is_described_and_shown_by_rest() {
    let (_org, client, id) = org().await;
    let described = client
        .get("/services/data/v66.0/sobjects/Every__c/describe")
        .json();
    let of = |name: &str| {
        let fields = described["fields"].as_array().unwrap();
        fields.iter().find(|field| field["name"] == name).unwrap().clone()
    };
    let types = [
        ("Text__c", "string", "xsd:string"),
        ("Multi__c", "multipicklist", "xsd:string"),
        ("Secret__c", "encryptedstring", "xsd:string"),
        ("Long__c", "long", "xsd:long"),
        ("Percent__c", "percent", "xsd:double"),
        ("Time__c", "time", "xsd:time"),
        ("Place__c", "location", "urn:location"),
        ("BillingAddress", "address", "urn:address"),
        ("Body__c", "base64", "xsd:base64Binary"),
        ("Old__c", "anyType", "xsd:anyType"),
        ("Shape__c", "complexvalue", "urn:RecordTypesSupported"),
    ];
    for (name, kind, soap) in types {
        assert_eq!(
            (&of(name)["type"], &of(name)["soapType"]),
            (&json!(kind), &json!(soap)),
            "{name}"
        );
    }
    assert_eq!(of("Place__Latitude__s")["compoundFieldName"], "Place__c");
    assert_eq!(
        (&of("Percent__c")["precision"], &of("Percent__c")["scale"]),
        (&json!(5), &json!(2))
    );
    assert_eq!(of("No__c")["autoNumber"], true);
    let soql = "SELECT FIELDS(ALL) FROM Every__c LIMIT 1";
    let text = client.query(soql).text();
    let record = &serde_json::from_str::<Value>(&text).unwrap()["records"][0];
    let wanted = [
        ("Text__c", json!("a\u{0}b")),
        ("Multi__c", json!("A;C")),
        ("Secret__c", json!("******7890")),
        ("Flag__c", json!(false)),
        ("Int__c", json!(7)),
        ("Double__c", json!(950_000_000.0)),
        ("Percent__c", json!(12.5)),
        ("Date__c", json!("2026-02-28")),
        ("Moment__c", json!("2020-10-22T21:03:23.000+0000")),
        ("Time__c", json!("23:59:59.123Z")),
        ("Place__c", json!({ "latitude": 47.5, "longitude": -8.25 })),
        (
            "Body__c",
            json!(format!("/services/data/v66.0/sobjects/Every__c/{id}/Body__c")),
        ),
        ("Shape__c", json!({ "a": [1] })),
        ("No__c", json!("A-0001")),
    ];
    for (name, value) in wanted {
        assert_eq!(record[name], value, "{name}");
    }
    assert_eq!(record["BillingAddress"]["city"], "Zürich");
    assert!(text.contains("\"Long__c\":9007199254740993,"), "{text}");
    assert!(text.contains("\"Double__c\":950000000.0,"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn bulk_shows_what_it_can_and_refuses_the_rest() {
    let (_org, client, id) = org().await;
    let create = |fields: &str| {
        let body = json!({ "operation": "query", "query": format!("SELECT {fields} FROM Every__c") });
        client.json("POST", "/services/data/v66.0/jobs/query", &body.to_string())
    };
    for refused in [
        "Place__c",
        "BillingAddress",
        "Body__c",
        "Shape__c",
        "FIELDS(STANDARD), COUNT(Id)",
    ] {
        assert_eq!(create(refused).status, 400, "{refused}");
    }
    let job = create(CSV_FIELDS).json()["id"].as_str().unwrap().to_owned();
    let path = format!("/services/data/v66.0/jobs/query/{job}");
    while client.get(&path).json()["state"] != "JobComplete" {}
    let csv = client.get(&format!("{path}/results")).csv();
    let int = csv[1][5].clone();
    assert!(["7", "7.0"].contains(&int.as_str()), "{int}");
    assert_eq!(
        csv[1],
        [
            id.as_str(),
            "a\u{0}b",
            "A;C",
            "******7890",
            "false",
            int.as_str(),
            "9007199254740993",
            "9.5E8",
            "12.5",
            "2026-02-28",
            "2020-10-22T21:03:23.000Z",
            "23:59:59.123Z",
            "47.5",
            "3",
            "A-0001"
        ]
    );
}
