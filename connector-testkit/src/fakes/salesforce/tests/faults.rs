use std::time::{Duration, Instant};

use super::client;
use crate::fakes::salesforce::{Fault, FaultAction, FieldValue};

const PATH: &str = "/services/data/v66.0/composite/sobjects";

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_answer_was_applied_and_a_dropped_request_was_not() {
    let (org, client) = client::org(5).await;
    let body = |n: u64| {
        format!(
            "{{\"records\":[{{\"attributes\":{{\"type\":\"Lead\"}},\"id\":\"{}\",\"LeadScore__c\":1}}]}}",
            org.lead_id(n)
        )
    };
    let send = |n: u64| client.send("PATCH", PATH, &[], body(n).as_bytes());
    org.fail_next(Fault::next("composite", FaultAction::ApplyThenDrop));
    org.fail_next(Fault::next("composite", FaultAction::Drop));
    assert!(send(1).is_none());
    assert_eq!(org.lead(1)["LeadScore__c"], FieldValue::number("1"));
    assert!(send(2).is_none());
    assert!(org.lead(2)["LeadScore__c"].is_null());
    assert_eq!(org.ledger().len(), 1);
    assert_eq!(send(2).unwrap().status, 200);
    assert_eq!(org.ledger().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_are_cut() {
    let (org, client) = client::org(500).await;
    org.fail_next(Fault::next("query", FaultAction::Cut { bytes: 700 }));
    let cut = client.query("SELECT Id FROM Lead");
    assert_eq!((cut.status, cut.whole), (200, false));
    assert_eq!(cut.body.len(), 700);
    assert!(client.query("SELECT Id FROM Lead").whole);
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_are_scripted_for_the_wanted_request_only() {
    let (org, client) = client::org(5).await;
    let script = "{\"path\":\"/limits\",\"method\":\"GET\",\"skip\":1,\"times\":2,\"kind\":\"answer\",\"status\":503,\
                  \"headers\":[[\"Retry-After\",\"2\"]],\"body\":\"[]\"}";
    assert_eq!(client.json("POST", "/__admin/faults", script).status, 200);
    let statuses: Vec<u16> = (0..4)
        .map(|_| client.get("/services/data/v66.0/limits").status)
        .collect();
    assert_eq!(statuses, [200, 503, 503, 200]);
    assert_eq!(client.get("/services/data/v66.0/sobjects").status, 200);
    org.fail_next(Fault::next("", FaultAction::Delay { millis: 120 }));
    let started = Instant::now();
    assert_eq!(client.get("/services/data/v66.0/limits").status, 200);
    assert!(started.elapsed() >= Duration::from_millis(120));
    let row = "{\"lead\":1,\"code\":\"UNABLE_TO_LOCK_ROW\"}";
    assert_eq!(client.json("POST", "/__admin/faults", row).status, 200);
    assert_eq!(
        client
            .json("POST", "/__admin/faults", "{\"stop_ingest_after\":3}")
            .status,
        200
    );
    assert_eq!(
        client.json("POST", "/__admin/faults", "{\"nonsense\":3}").status,
        400
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_org_s_own_refusals_are_at_hand() {
    let (org, client) = client::org(1).await;
    let path = "/services/data/v66.0/limits";
    for (action, status, code) in [
        (FaultAction::too_many_at_once(), 403, "REQUEST_LIMIT_EXCEEDED"),
        (FaultAction::used_up(), 403, "REQUEST_LIMIT_EXCEEDED"),
        (FaultAction::unavailable(), 503, "SERVER_UNAVAILABLE"),
        (FaultAction::stale_locator(), 400, "INVALID_QUERY_LOCATOR"),
    ] {
        org.fail_next(Fault::next("/limits", action));
        let answer = client.get(path);
        assert_eq!((answer.status, answer.error_code().as_str()), (status, code));
    }
    org.fail_next(Fault::next("/limits", FaultAction::no_route()));
    let answer = client.get(path);
    assert_eq!((answer.status, answer.header("content-type")), (420, "text/html"));
    assert_eq!(client.get(path).status, 200);
}
