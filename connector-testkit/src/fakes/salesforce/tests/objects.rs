use std::time::Duration;

use super::client;
use crate::fakes::salesforce::{FieldSpec, FieldValue, ObjectSpec, RecordFault, SalesforceConfig};

fn invoices() -> ObjectSpec {
    ObjectSpec::new("Invoice__c", "a01")
        .field(FieldSpec::string("Code__c", 10).external_id().unique().required())
        .field(FieldSpec::currency("Amount__c", 18, 2))
        .field(FieldSpec::picklist("Stage__c", &["Open", "Paid"]).restricted())
        .field(FieldSpec::reference("Lead__c", &["Lead"], "Lead__r"))
        .field(FieldSpec::double("Total__c", 18, 2).calculated())
        .field(FieldSpec::string("Secret__c", 20).hidden())
        .rule("Amount__c", "Amount must not be 13", |record| {
            record["Amount__c"] == FieldValue::number("13")
        })
}

async fn org() -> (
    crate::fakes::salesforce::FakeSalesforce,
    client::Client,
    crate::fakes::FakeClock,
) {
    let config = SalesforceConfig {
        leads: 3,
        objects: vec![invoices()],
        ..SalesforceConfig::default()
    };
    let clock = config.clock.clone();
    let (org, client) = client::with(config).await;
    (org, client, clock)
}

#[tokio::test(flavor = "multi_thread")]
async fn records_of_an_own_object_are_kept_and_queried() {
    let (org, client, clock) = org().await;
    let first = org
        .insert_record(
            "Invoice__c",
            &[("Code__c", "a".into()), ("Total__c", FieldValue::number("3.5"))],
        )
        .unwrap();
    let late = org
        .insert_record_late("Invoice__c", &[("Code__c", "b".into())], Duration::from_secs(60))
        .unwrap();
    let found = |all: &str| {
        let path = format!("/services/data/v66.0/{all}?q=SELECT+Id,Total__c+FROM+Invoice__c+ORDER+BY+Id");
        let answer = client.get(&path).json();
        let records = answer["records"].as_array().unwrap().clone();
        records
            .iter()
            .map(|record| record["Id"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(found("query"), std::slice::from_ref(&first));
    let stamped = clock.now_micros();
    clock.advance(Duration::from_secs(61));
    assert_eq!(found("query"), [first.clone(), late.clone()]);
    let seen = org.record("Invoice__c", &late).unwrap();
    assert!(matches!(seen["SystemModstamp"], FieldValue::DateTime(at) if at <= stamped));
    org.delete_record("Invoice__c", &first).unwrap();
    assert_eq!(found("query"), std::slice::from_ref(&late));
    assert_eq!(found("queryAll"), [first.clone(), late.clone()]);
    org.undelete_record("Invoice__c", &first).unwrap();
    assert_eq!(found("query").len(), 2);
    org.delete_record("Invoice__c", &first).unwrap();
    clock.advance(Duration::from_secs(16 * 86_400));
    assert_eq!(found("queryAll"), std::slice::from_ref(&late));
    org.purge_record("Invoice__c", &late).unwrap();
    assert!(found("queryAll").is_empty());
    assert!(org.records("Invoice__c").is_empty());
    assert!(
        org.insert_record("Invoice__c", &[("Amount__c", "text".into())])
            .is_err()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hidden_field_is_absent_until_it_is_shown() {
    let (org, client, _) = org().await;
    let names = || {
        let described = client
            .get("/services/data/v66.0/sobjects/Invoice__c/describe")
            .json();
        described["fields"]
            .as_array()
            .unwrap()
            .iter()
            .any(|field| field["name"] == "Secret__c")
    };
    let code = || client.query("SELECT Secret__c FROM Invoice__c").error_code();
    assert!(!names());
    assert_eq!(code(), "INVALID_FIELD");
    org.hide_field("Invoice__c", "Secret__c", false).unwrap();
    assert!(names());
    org.add_field("Invoice__c", FieldSpec::boolean("New__c")).unwrap();
    let id = org
        .insert_record("Invoice__c", &[("Code__c", "x".into())])
        .unwrap();
    let answer = client.query("SELECT New__c, Secret__c FROM Invoice__c").json();
    assert_eq!(answer["records"][0]["New__c"], false);
    org.hide_field("Invoice__c", "Secret__c", true).unwrap();
    assert_eq!(code(), "INVALID_FIELD");
    assert!(org.record("Invoice__c", &id).unwrap().contains_key("Secret__c"));
}

mod writing {
    use super::*;
    use crate::fakes::salesforce::FakeSalesforce;
    use crate::fakes::salesforce::change::{Column, Done, Operation, RowChange};
    use crate::fakes::salesforce::error::RowError;
    use crate::fakes::salesforce::json_in::Input;

    fn change(
        org: &FakeSalesforce,
        object: &str,
        operation: Operation,
        fields: &[(&str, &str)],
    ) -> RowChange {
        let schema = org.org.schema();
        let object = schema.find(object).unwrap();
        let mut change = RowChange::new(object, operation);
        for (name, text) in fields {
            let column = Column::parse(&schema, object, name).unwrap();
            column.assign(&mut change, Input::Text((*text).to_owned()));
        }
        change
    }

    fn one(org: &FakeSalesforce, change: RowChange) -> Result<Done, RowError> {
        org.org.write(1, &[change], false).pop().unwrap()
    }

    fn code(result: Result<Done, RowError>) -> String {
        result.unwrap_err().code
    }

    fn key(org: &FakeSalesforce, object: &str, field: &str) -> Operation {
        let object = org.org.object(object).unwrap();
        Operation::Upsert {
            key: object.field(field).unwrap(),
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn what_is_wrong_with_a_record_is_told_and_nothing_is_written() {
        let (org, _, _) = org().await;
        let insert =
            |fields: &[(&str, &str)]| one(&org, change(&org, "Invoice__c", Operation::Insert, fields));
        assert_eq!(code(insert(&[("Amount__c", "1")])), "REQUIRED_FIELD_MISSING");
        assert_eq!(code(insert(&[("Code__c", "12345678901")])), "STRING_TOO_LONG");
        assert_eq!(
            code(insert(&[("Code__c", "a"), ("Total__c", "1")])),
            "INVALID_FIELD_FOR_INSERT_UPDATE"
        );
        let stage = insert(&[("Code__c", "a"), ("Stage__c", "No")]);
        assert_eq!(code(stage), "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST");
        let rule = insert(&[("Code__c", "a"), ("Amount__c", "13")]).unwrap_err();
        assert_eq!(
            (rule.code.as_str(), &rule.fields[..]),
            ("FIELD_CUSTOM_VALIDATION_EXCEPTION", &["Amount__c".to_owned()][..])
        );
        let parent = insert(&[("Code__c", "a"), ("Lead__c", &org.lead_id(9))]);
        assert_eq!(code(parent), "INVALID_CROSS_REFERENCE_KEY");
        assert!(org.records("Invoice__c").is_empty() && org.ledger().is_empty());
        insert(&[("Code__c", "a")]).unwrap();
        assert_eq!(code(insert(&[("Code__c", "A")])), "DUPLICATE_VALUE");
        let user = change(&org, "User", Operation::Insert, &[]);
        assert_eq!(code(one(&org, user)), "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY");
        org.fail_record(RecordFault {
            object: "Invoice__c".to_owned(),
            field: "Code__c".to_owned(),
            value: "locked".to_owned(),
            code: "UNABLE_TO_LOCK_ROW".to_owned(),
            message: "unable to obtain exclusive access to this record".to_owned(),
            times: 1,
        });
        assert_eq!(code(insert(&[("Code__c", "locked")])), "UNABLE_TO_LOCK_ROW");
        insert(&[("Code__c", "locked")]).unwrap();
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn records_go_through_their_whole_life() {
        let (org, _, _) = org().await;
        let upsert = key(&org, "Invoice__c", "Code__c");
        let by_lead = [
            ("Code__c", "a"),
            ("Lead__r.ExternalKey__c", "LEAD-0000000002"),
            ("Amount__c", "1e3"),
        ];
        let made = one(&org, change(&org, "Invoice__c", upsert, &by_lead)).unwrap();
        assert!(made.created);
        let record = org.record("Invoice__c", &made.id).unwrap();
        assert_eq!(record["Lead__c"], org.lead_id(2).as_str().into());
        assert_eq!(record["Amount__c"], FieldValue::number("1000"));
        let again = one(
            &org,
            change(
                &org,
                "Invoice__c",
                upsert,
                &[("Code__c", "A"), ("Amount__c", "2")],
            ),
        )
        .unwrap();
        assert_eq!(
            again,
            Done {
                id: made.id.clone(),
                created: false
            }
        );
        assert_eq!(org.record("Invoice__c", &made.id).unwrap()["Code__c"], "a".into());
        let twice = [
            change(&org, "Invoice__c", upsert, &[("Code__c", "n")]),
            change(&org, "Invoice__c", upsert, &[("Code__c", "N")]),
        ];
        let results = org.org.write(2, &twice, true);
        assert_eq!(
            results[0].as_ref().unwrap_err().code,
            "ALL_OR_NONE_OPERATION_ROLLED_BACK"
        );
        assert_eq!(results[1].as_ref().unwrap_err().code, "DUPLICATE_VALUE");
        assert_eq!(org.records("Invoice__c").len(), 1);
        let by_id = |operation| change(&org, "Invoice__c", operation, &[("Id", &made.id)]);
        one(&org, by_id(Operation::Delete)).unwrap();
        assert_eq!(code(one(&org, by_id(Operation::Update))), "ENTITY_IS_DELETED");
        one(&org, by_id(Operation::Undelete)).unwrap();
        one(&org, by_id(Operation::HardDelete)).unwrap();
        assert_eq!(org.record("Invoice__c", &made.id), None);
        assert_eq!(code(one(&org, by_id(Operation::Delete))), "ENTITY_IS_DELETED");
        let done: Vec<String> = org
            .ledger()
            .entries()
            .into_iter()
            .map(|entry| entry.operation)
            .collect();
        assert_eq!(done, ["insert", "update", "delete", "undelete", "delete"]);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn leads_are_created_beside_the_seeds() {
        let (org, client, _) = org().await;
        let made = one(
            &org,
            change(
                &org,
                "Lead",
                Operation::Insert,
                &[("LastName", "Neu"), ("Company", "C")],
            ),
        )
        .unwrap();
        assert_eq!(org.lead_number(&made.id), Some(4));
        let lead = org.lead(4);
        assert_eq!(
            (&lead["Name"], &lead["Status"]),
            (&"Neu".into(), &"Open - Not Contacted".into())
        );
        assert_eq!(lead["Title"], FieldValue::Null);
        assert_eq!(client.query("SELECT COUNT() FROM Lead").json()["totalSize"], 4);
        org.edit_lead(1, &[("Email", "one@example.com".into())]).unwrap();
        let by_email = change(
            &org,
            "Lead",
            key(&org, "Lead", "Email"),
            &[("Email", "One@example.com"), ("Title", "CFO")],
        );
        let found = one(&org, by_email).unwrap();
        assert_eq!((org.lead_number(&found.id), found.created), (Some(1), false));
        assert_eq!(org.lead(1)["Title"], "CFO".into());
        let mut delete = change(&org, "Lead", Operation::Delete, &[]);
        delete.id = Some(org.lead_id(2));
        one(&org, delete.clone()).unwrap();
        assert_eq!(client.query("SELECT COUNT() FROM Lead").json()["totalSize"], 3);
        let counts = client
            .get("/services/data/v66.0/limits/recordCount?sObjects=Lead")
            .json();
        assert_eq!(counts["sObjects"][0]["count"], 3);
        delete.operation = Operation::Undelete;
        one(&org, delete).unwrap();
        assert_eq!(client.query("SELECT COUNT() FROM Lead").json()["totalSize"], 4);
    }
}
