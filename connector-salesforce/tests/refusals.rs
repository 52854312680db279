//! What each refused sign-in means: one row per error of the token endpoint and per fault of SOAP login.

#![allow(
    clippy::unwrap_used,
    reason = "helpers of tests count as code outside of tests"
)]

use std::sync::Arc;

use async_trait::async_trait;
use connector_core::value::Instant;
use connector_core::{Clock, Connector, Error, ErrorKind, Secret};
use connector_salesforce::{ApiError, Auth, Config, Salesforce};
use serde_json::json;
use std::time::Duration;
use wiremock::matchers::{method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

/// Stands still.
#[derive(Debug)]
struct Still;

#[async_trait]
impl Clock for Still {
    fn now(&self) -> Instant {
        Instant::from_unix_micros(1_700_000_000_000_000)
    }

    async fn sleep(&self, _: Duration) {}
}

const TRIES: usize = 5;

/// What a connection says when `server` refuses it so, and how often it asked.
async fn outcome(auth: Auth, at: &str, answer: ResponseTemplate) -> (Error, usize) {
    let server = MockServer::start().await;
    Mock::given(method("POST"))
        .and(path(at))
        .respond_with(answer)
        .mount(&server)
        .await;
    let config = Config::new(auth).with_login_url(&server.uri()).unwrap();
    let crm = Salesforce::new(&config, Arc::new(Still)).unwrap();
    let error = crm.streams().await.unwrap_err();
    // Whoever else waits for it is not made to ask again.
    if matches!(error.kind(), ErrorKind::Auth | ErrorKind::Forbidden) {
        let again = crm.streams().await.unwrap_err();
        assert_eq!(again.message(), error.message());
    }
    let asked = server.received_requests().await.unwrap().len();
    (error, asked)
}

fn code(error: &Error) -> Option<String> {
    let api: &ApiError = std::error::Error::source(error)?.downcast_ref()?;
    api.code().map(str::to_owned)
}

#[tokio::test]
async fn every_error_of_the_token_endpoint_has_its_meaning() {
    use ErrorKind::{Auth as Signing, Config as Setting, Forbidden, RateLimited, Unavailable};
    let rows = [
        (
            400,
            "invalid_grant",
            "authentication failure",
            Signing,
            1,
            "the user or what proves it is not accepted",
        ),
        (
            400,
            "invalid_grant",
            "expired access/refresh token",
            Signing,
            1,
            "the refresh token has ended or was revoked",
        ),
        (
            400,
            "invalid_grant",
            "expired authorization code",
            Signing,
            1,
            "the authorization code is too old",
        ),
        (
            400,
            "invalid_grant",
            "invalid authorization code",
            Signing,
            1,
            "the authorization code is wrong or was used before",
        ),
        (
            400,
            "invalid_grant",
            "invalid code verifier",
            Signing,
            1,
            "the code does not belong to this `pkce_verifier`",
        ),
        (
            400,
            "invalid_grant",
            "Audience validation failed",
            Signing,
            1,
            "the JWT is meant for another login address",
        ),
        (
            400,
            "invalid_grant",
            "user hasn't approved this consumer",
            Signing,
            1,
            "the user has not approved the app",
        ),
        (
            400,
            "invalid_grant",
            "ip restricted",
            Signing,
            1,
            "signing in from this address is not allowed",
        ),
        (
            400,
            "invalid_grant",
            "invalid assertion",
            Signing,
            1,
            "the assertion is not accepted",
        ),
        (
            401,
            "invalid_grant",
            "something new",
            Signing,
            1,
            "what was given is not accepted, or not any more",
        ),
        (
            401,
            "invalid_client",
            "invalid client credentials",
            Signing,
            1,
            "the app's key or secret is wrong",
        ),
        (
            400,
            "invalid_client_id",
            "client identifier invalid",
            Signing,
            1,
            "the app's key or secret is wrong",
        ),
        (
            400,
            "invalid_request",
            "",
            Signing,
            1,
            "the app does not take this kind of sign-in",
        ),
        (
            400,
            "unsupported_grant_type",
            "",
            Signing,
            1,
            "the app or the org does not allow this kind of sign-in",
        ),
        (
            400,
            "redirect_uri_mismatch",
            "",
            Setting,
            1,
            "the callback address is not one of the app's",
        ),
        (
            400,
            "unsupported_response_type",
            "",
            Signing,
            1,
            "the app does not take this kind of sign-in",
        ),
        (400, "inactive_user", "", Signing, 1, "the user is not active"),
        (
            400,
            "inactive_org",
            "",
            Signing,
            1,
            "the org is locked, closed or suspended",
        ),
        (
            400,
            "rate_limit_exceeded",
            "",
            RateLimited,
            TRIES,
            "too many sign-ins in a short time",
        ),
        (
            400,
            "OAUTH_APPROVAL_ERROR_GENERIC",
            "",
            Signing,
            1,
            "the app may not be approved by this user",
        ),
        (
            400,
            "OAUTH_EC_APP_NOT_FOUND",
            "",
            Signing,
            1,
            "the org does not have the app",
        ),
        (
            400,
            "invalid_client",
            "app must be installed into org",
            Forbidden,
            1,
            "the app is not installed in the org",
        ),
        (
            503,
            "temporarily_unavailable",
            "",
            Unavailable,
            TRIES,
            "the sign-in server is in trouble",
        ),
    ];
    for (status, error, description, kind, asked, said) in rows {
        let body = json!({ "error": error, "error_description": description });
        let answer = ResponseTemplate::new(status).set_body_json(body);
        let auth = Auth::RefreshToken {
            client_id: "id".into(),
            client_secret: None,
            refresh_token: Secret::new("hunter2-refresh"),
        };
        let (refused, requests) = outcome(auth, "/services/oauth2/token", answer).await;
        let wanted = format!("the sign-in is refused: {said} ({error})");
        assert_eq!(
            (refused.kind(), refused.message()),
            (kind, wanted.as_str()),
            "{error} {description}"
        );
        assert_eq!(requests, asked, "{error} {description}");
        assert_eq!(code(&refused).as_deref(), Some(error));
        assert!(
            refused.help().is_some_and(|help| !help.is_empty()),
            "{error} {description}"
        );
    }
}

#[tokio::test]
async fn every_fault_of_soap_login_has_its_meaning() {
    use ErrorKind::{Auth as Signing, Config as Setting, Forbidden, Unavailable};
    for (fault, kind, asked, said) in [
        (
            "INVALID_LOGIN",
            Signing,
            1,
            "user, password or security token are wrong, or the user is locked",
        ),
        (
            "LOGIN_MUST_USE_SECURITY_TOKEN",
            Signing,
            1,
            "a security token is needed from this address",
        ),
        (
            "LOGIN_CHALLENGE_ISSUED",
            Signing,
            1,
            "Salesforce wants the user's identity confirmed",
        ),
        (
            "LOGIN_CHALLENGE_PENDING",
            Signing,
            1,
            "Salesforce wants the user's identity confirmed",
        ),
        (
            "LOGIN_DURING_RESTRICTED_DOMAIN",
            Signing,
            1,
            "the user may not sign in from this address",
        ),
        (
            "LOGIN_DURING_RESTRICTED_TIME",
            Signing,
            1,
            "the user may not sign in at this time",
        ),
        (
            "PASSWORD_LOCKOUT",
            Signing,
            1,
            "the user is locked after too many failures",
        ),
        ("ORG_LOCKED", Signing, 1, "the org is locked"),
        ("TRIAL_EXPIRED", Signing, 1, "the org's trial has ended"),
        (
            "INVALID_OPERATION_WITH_EXPIRED_PASSWORD",
            Signing,
            1,
            "the password has expired",
        ),
        (
            "API_DISABLED_FOR_ORG",
            Forbidden,
            1,
            "the org or the user may not use the API",
        ),
        (
            "UNSUPPORTED_API_VERSION",
            Setting,
            1,
            "the org does not offer SOAP login any more",
        ),
        ("SERVER_UNAVAILABLE", Unavailable, TRIES, "the server is busy"),
        (
            "INVALID_SSO_GATEWAY_URL",
            Signing,
            1,
            "the user signs in through another server, whose address is wrong",
        ),
    ] {
        let body = format!(
            "<?xml version=\"1.0\"?><soapenv:Envelope xmlns:soapenv=\"http://schemas.xmlsoap.org/soap/envelope/\">\
             <soapenv:Body><soapenv:Fault><faultcode>sf:{fault}</faultcode><faultstring>{fault}: no</faultstring>\
             <detail><sf:LoginFault xmlns:sf=\"urn:fault.partner.soap.sforce.com\"><sf:exceptionCode>{fault}\
             </sf:exceptionCode><sf:exceptionMessage>no &amp; no</sf:exceptionMessage></sf:LoginFault></detail>\
             </soapenv:Fault></soapenv:Body></soapenv:Envelope>"
        );
        let answer = ResponseTemplate::new(500).set_body_raw(body, "text/xml");
        let auth = Auth::Login {
            username: "me".into(),
            password: Secret::new("hunter2"),
            security_token: None,
        };
        let (refused, requests) = outcome(auth, "/services/Soap/u/62.0", answer).await;
        let wanted = format!("the sign-in is refused: {said} ({fault})");
        assert_eq!((refused.kind(), refused.message()), (kind, wanted.as_str()));
        assert_eq!(requests, asked, "{fault}");
        assert_eq!(code(&refused).as_deref(), Some(fault));
        assert!(refused.help().is_some(), "{fault}");
        assert!(refused.report().to_string().contains("no & no"));
    }
}

#[tokio::test]
async fn what_is_no_sign_in_says_so() {
    let credentials = || Auth::ClientCredentials {
        client_id: "id".into(),
        client_secret: Secret::new("hunter2"),
    };
    for (answer, kind, wanted) in [
        (
            ResponseTemplate::new(200).set_body_raw("<html>hunter2</html>", "text/html"),
            ErrorKind::Auth,
            "a page for people answers where the sign-in should",
        ),
        (
            ResponseTemplate::new(200).set_body_json(json!({ "access_token": "hunter2" })),
            ErrorKind::Auth,
            "the token endpoint's answer is no token",
        ),
        (
            ResponseTemplate::new(404).set_body_string("hunter2"),
            ErrorKind::NotFound,
            "the sign-in server does not know the path (status 404)",
        ),
        (
            ResponseTemplate::new(302).insert_header("location", "https://evil.example/"),
            ErrorKind::Config,
            "redirects to `evil.example`, which is not followed",
        ),
    ] {
        let (error, _) = outcome(credentials(), "/services/oauth2/token", answer).await;
        assert_eq!(error.kind(), kind, "{wanted}");
        assert!(error.message().contains(wanted), "{error}");
        assert!(!format!("{error:?}{}", error.report()).contains("hunter2"));
    }
}
