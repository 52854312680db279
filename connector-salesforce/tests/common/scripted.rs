//! Exchanges by script.

use std::sync::Arc;

use connector_core::{Error, Secret};
use connector_salesforce::{ApiError, Auth, Config, Salesforce};
use connector_testkit::fakes::FakeClock;
use serde_json::{Value, json};
use wiremock::matchers::{method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::TestClock;

pub const API: &str = "/services/data/v62.0";

pub fn connect_to(server: &MockServer, auth: Auth) -> Salesforce {
    let config = Config::new(auth).with_login_url(&server.uri()).unwrap();
    Salesforce::new(&config, Arc::new(TestClock(FakeClock::new()))).unwrap()
}

pub fn signed_in(server: &MockServer) -> Salesforce {
    let instance_url = server.uri().parse().unwrap();
    let access_token = Secret::new("00DD0000000IRFm!hunter2");
    connect_to(
        server,
        Auth::AccessToken {
            access_token,
            instance_url,
        },
    )
}

/// Signed in, and the clock that it waits by.
pub fn signed_in_by_clock(server: &MockServer) -> (Salesforce, FakeClock) {
    let clock = FakeClock::new();
    let auth = Auth::AccessToken {
        access_token: Secret::new("00DD0000000IRFm!hunter2"),
        instance_url: server.uri().parse().unwrap(),
    };
    let config = Config::new(auth).with_login_url(&server.uri()).unwrap();
    let crm = Salesforce::new(&config, Arc::new(TestClock(clock.clone()))).unwrap();
    (crm, clock)
}

pub fn client_credentials(server: &MockServer) -> Salesforce {
    connect_to(
        server,
        Auth::ClientCredentials {
            client_id: "id".into(),
            client_secret: Secret::new("hunter2"),
        },
    )
}

pub async fn on(server: &MockServer, verb: &str, at: &str, answer: ResponseTemplate) {
    Mock::given(method(verb))
        .and(path(at))
        .respond_with(answer)
        .mount(server)
        .await;
}

pub async fn once(server: &MockServer, verb: &str, at: &str, answer: ResponseTemplate) {
    Mock::given(method(verb))
        .and(path(at))
        .respond_with(answer)
        .up_to_n_times(1)
        .with_priority(1)
        .mount(server)
        .await;
}

pub fn ok(body: Value) -> ResponseTemplate {
    ResponseTemplate::new(200)
        .set_body_json(body)
        .insert_header("date", "Wed, 10 Jan 2018 21:05:30 GMT")
}

pub fn refused(status: u16, code: &str, message: &str) -> ResponseTemplate {
    ResponseTemplate::new(status).set_body_json(json!([{ "errorCode": code, "message": message }]))
}

pub fn token(server: &MockServer, token: &str) -> ResponseTemplate {
    ok(json!({
        "access_token": token, "token_type": "Bearer", "instance_url": server.uri(),
        "id": format!("{}/id/00DD0000000IRFmMAO/005D0000001KyEIIA0", server.uri()),
    }))
}

/// An object `X` with an id and a number.
pub async fn describe(server: &MockServer) {
    let field =
        |name: &str, kind: &str| json!({ "name": name, "type": kind, "precision": 5, "filterable": true });
    let fields = [field("Id", "id"), field("N", "double")];
    let answer = json!({ "name": "Lead", "queryable": true, "updateable": true, "fields": fields });
    on(
        server,
        "GET",
        &format!("{API}/sobjects/Lead/describe"),
        ok(answer),
    )
    .await;
    on(
        server,
        "GET",
        "/services/data",
        ok(json!([{ "version": "62.0" }])),
    )
    .await;
}

pub async fn requests(server: &MockServer, at: &str) -> usize {
    server
        .received_requests()
        .await
        .unwrap()
        .iter()
        .filter(|request| request.url.path() == at)
        .count()
}

pub fn code(error: &Error) -> Option<String> {
    let api: &ApiError = std::error::Error::source(error)?.downcast_ref()?;
    api.code().map(str::to_owned)
}
