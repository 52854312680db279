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
    // Somebody has used a token that was rotated out: none of its family is good any more.
    assert_eq!(client.json("POST", PATH, &body(second)).status, 400);
    let third = client.json("POST", PATH, &body(&org.refresh_token())).json();
    let answer = client.json("POST", PATH, &body(third["refresh_token"].as_str().unwrap()));
    assert_eq!(answer.status, 200, "another family goes on");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_works_once_for_whoever_has_its_verifier() {
    let (org, client) = client::org(1).await;
    let id = org.client_id();
    // The verifier of RFC 7636, appendix B.
    let (verifier, challenge) = (
        "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
        "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
    );
    let uri = "http%3A%2F%2Flocalhost%3A33333";
    let code = |extra: &str| {
        let page = format!(
            "/services/oauth2/authorize?response_type=code&client_id={id}&redirect_uri={uri}&state=a%20b{extra}"
        );
        let answer = client.get(&page);
        assert_eq!(answer.status, 302);
        let target = answer.header("location").to_owned();
        assert!(
            target.starts_with("http://localhost:33333?") && target.ends_with("&state=a%20b"),
            "{target}"
        );
        target.split(['?', '&']).nth(1).unwrap().to_owned()
    };
    assert_eq!(code(""), "error=invalid_request");
    let challenge = format!("&code_challenge={challenge}&code_challenge_method=S256");
    let trade = |code: &str, verifier: &str| {
        let body = format!(
            "grant_type=authorization_code&client_id={id}&redirect_uri={uri}&code_verifier={verifier}&{code}"
        );
        client.json("POST", PATH, &body)
    };
    let first = code(&challenge);
    let answer = trade(&first, verifier);
    assert_eq!(answer.status, 200);
    assert!(answer.json()["refresh_token"].is_string());
    assert_eq!(
        trade(&first, verifier).json()["error_description"],
        "invalid authorization code"
    );
    let other = verifier.replace('d', "e");
    assert_eq!(
        trade(&code(&challenge), &other).json()["error_description"],
        "invalid code verifier"
    );
    org.deny_consent();
    assert_eq!(code(&challenge), "error=access_denied");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_waits_for_its_person() {
    let config = SalesforceConfig::default();
    let clock = config.clock.clone();
    let (org, client) = client::with(config).await;
    let id = org.client_id();
    let codes = client
        .json(
            "POST",
            PATH,
            &format!("response_type=device_code&client_id={id}&scope=api"),
        )
        .json();
    let body = format!(
        "grant_type=device&client_id={id}&code={}",
        codes["device_code"].as_str().unwrap()
    );
    let poll = || client.json("POST", PATH, &body);
    assert_eq!(poll().json()["error"], "authorization_pending");
    assert_eq!(poll().json()["error"], "slow_down");
    assert!(!org.approve_device("unknown") && org.approve_device(codes["user_code"].as_str().unwrap()));
    clock.advance(std::time::Duration::from_secs(5));
    assert_eq!(poll().status, 200);
    assert_eq!(poll().status, 400, "the code is used up");
}

#[tokio::test(flavor = "multi_thread")]
async fn soap_login_gives_a_session_or_a_fault() {
    let (org, mut client) = client::org(1).await;
    let login = |version: &str, password: &str| {
        let body = format!(
            "<e:Envelope xmlns:e='x'><e:Body><login><username>{}</username><password>{}</password></login></e:Body></e:Envelope>",
            org.username(),
            password.replace('&', "&amp;")
        );
        let path = format!("/services/Soap/u/{version}");
        let headers = [("Content-Type", "text/xml"), ("SOAPAction", "login")];
        client.send("POST", &path, &headers, body.as_bytes()).unwrap()
    };
    let answer = login("64.0", &org.password());
    assert_eq!(answer.status, 200);
    let session = answer
        .text()
        .split(['<', '>'])
        .skip_while(|part| *part != "sessionId")
        .nth(1)
        .unwrap()
        .to_owned();
    for (version, password, code) in [
        ("65.0", org.password(), "UNSUPPORTED_API_VERSION"),
        ("64.0", "wrong".to_owned(), "INVALID_LOGIN"),
        (
            "64.0",
            org.password().replace(&org.security_token(), ""),
            "LOGIN_MUST_USE_SECURITY_TOKEN",
        ),
    ] {
        let fault = login(version, &password);
        assert_eq!(fault.status, 500);
        assert!(
            fault
                .text()
                .contains(&format!("<sf:exceptionCode>{code}</sf:exceptionCode>"))
        );
    }
    client.token = session;
    assert_eq!(client.get("/services/data/v66.0/limits").status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_assertion_is_taken_once_and_only_whole() {
    let (org, client) = client::org(1).await;
    let trade = |assertion: &str| {
        let assertion = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(assertion);
        let body = format!(
            "grant_type=assertion&assertion_type=urn%3Aoasis%3Anames%3Atc%3ASAML%3A2.0%3Aprofiles%3ASSO%3Abrowser&assertion={assertion}"
        );
        client.json("POST", PATH, &body).status
    };
    let assertion = org.assertion();
    assert_eq!((trade(&assertion), trade(&assertion)), (200, 400));
    assert_eq!(trade(&org.assertion().replace("integration@", "admin@")), 400);
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
