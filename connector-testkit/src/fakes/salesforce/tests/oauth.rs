use super::client::{self, encode};
use crate::fakes::salesforce::SalesforceConfig;
use base64::Engine;

const PATH: &str = "/services/oauth2/token";

#[tokio::test(flavor = "multi_thread")]
async fn client_credentials_give_a_token_that_works_until_it_expires() {
    let (org, mut client) = client::org(3).await;
    client.token = "nonsense".to_owned();
    assert_eq!(client.get("/services/data/v66.0/limits").status, 401);
    let body = format!(
        "grant_type=client_credentials&client_id={}&client_secret={}",
        org.client_id(),
        org.client_secret()
    );
    let answer = client.json("POST", PATH, &body).json();
    assert_eq!(answer["instance_url"], org.url());
    assert_eq!(answer["token_type"], "Bearer");
    assert!(answer["id"].as_str().unwrap().contains(&org.org_id()));
    assert!(answer["issued_at"].as_str().unwrap().parse::<u64>().unwrap() > 1_700_000_000_000);
    assert!(answer.get("expires_in").is_none());
    client.token = answer["access_token"].as_str().unwrap().to_owned();
    assert_eq!(client.get("/services/data/v66.0/limits").status, 200);
    org.expire_tokens();
    let refused = client.get("/services/data/v66.0/limits");
    assert_eq!(refused.status, 401);
    assert_eq!(refused.error_code(), "INVALID_SESSION_ID");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_secret_may_come_by_basic_authentication() {
    let (org, client) = client::org(1).await;
    let pair = format!("{}:{}", org.client_id(), org.client_secret());
    let basic = format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(pair));
    let answer = client
        .send(
            "POST",
            PATH,
            &[("Authorization", &basic)],
            b"grant_type=client_credentials",
        )
        .unwrap();
    assert_eq!(answer.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rotated_refresh_token_works_once() {
    let config = SalesforceConfig {
        rotate_refresh_tokens: true,
        ..SalesforceConfig::default()
    };
    let (org, client) = client::with(config).await;
    let first = org.refresh_token();
    let body = |token: &str| {
        format!(
            "grant_type=refresh_token&client_id={}&refresh_token={}",
            org.client_id(),
            encode(token)
        )
    };
    let answer = client.json("POST", PATH, &body(&first)).json();
    let second = answer["refresh_token"].as_str().unwrap();
    assert_ne!(second, first);
    let refused = client.json("POST", PATH, &body(&first));
    assert_eq!(refused.status, 400);
    assert_eq!(refused.json()["error"], "invalid_grant");
    assert_eq!(client.json("POST", PATH, &body(second)).status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_name_their_cause() {
    let (org, client) = client::org(1).await;
    let error = |body: String| {
        client.json("POST", PATH, &body).json()["error"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let (id, secret) = (org.client_id(), org.client_secret());
    assert_eq!(
        error(format!(
            "grant_type=client_credentials&client_id=x&client_secret={secret}"
        )),
        "invalid_client_id"
    );
    assert_eq!(
        error(format!(
            "grant_type=client_credentials&client_id={id}&client_secret=x"
        )),
        "invalid_client"
    );
    assert_eq!(
        error(format!("grant_type=magic&client_id={id}")),
        "unsupported_grant_type"
    );
    let password = |password: &str| {
        let user = encode(&org.username());
        let password = encode(password);
        format!(
            "grant_type=password&client_id={id}&client_secret={secret}&username={user}&password={password}"
        )
    };
    assert_eq!(error(password("wrong")), "invalid_grant");
    assert_eq!(client.json("POST", PATH, &password(&org.password())).status, 200);
}
