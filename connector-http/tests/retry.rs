//! Which requests are repeated, when, and how long after.

#![allow(clippy::unwrap_used, reason = "a test ends where a helper of it fails")]

mod support;

use std::sync::atomic::Ordering;
use std::time::Duration;

use connector_core::{ErrorKind, Retry};
use connector_http::{HttpConfig, Request, Url};
use support::{Tokens, client, raw_server};
use wiremock::matchers::{header, method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

fn rows(server: &MockServer) -> Url {
    Url::parse(&format!("{}/rows", server.uri())).unwrap()
}

#[tokio::test]
async fn a_pause_that_the_server_asks_for_is_kept() {
    let server = MockServer::start().await;
    let paused = ResponseTemplate::new(429).insert_header("retry-after", "17");
    Mock::given(path("/rows"))
        .respond_with(paused)
        .up_to_n_times(1)
        .mount(&server)
        .await;
    Mock::given(path("/rows"))
        .respond_with(ResponseTemplate::new(200).set_body_string("[1]"))
        .mount(&server)
        .await;
    let (rest, clock) = client(&HttpConfig::default(), Tokens::default());
    let response = rest.send(&Request::get(rows(&server))).await.unwrap();
    assert_eq!(response.json::<Vec<u8>>().unwrap(), [1]);
    assert_eq!(clock.sleeps(), [Duration::from_secs(17)]);
}

#[tokio::test]
async fn failures_of_the_server_are_tried_again_with_growing_pauses() {
    let server = MockServer::start().await;
    Mock::given(path("/rows"))
        .respond_with(ResponseTemplate::new(500))
        .up_to_n_times(2)
        .mount(&server)
        .await;
    Mock::given(path("/rows"))
        .respond_with(ResponseTemplate::new(200))
        .mount(&server)
        .await;
    let (rest, clock) = client(&HttpConfig::default(), Tokens::default());
    rest.send(&Request::get(rows(&server))).await.unwrap();
    let sleeps = clock.sleeps();
    assert_eq!(sleeps.len(), 2);
    assert!(
        sleeps[0] <= Duration::from_secs(1) && sleeps[1] >= Duration::from_secs(1),
        "{sleeps:?}"
    );
}

#[tokio::test]
async fn tries_end_and_the_error_says_so() {
    let server = MockServer::start().await;
    Mock::given(path("/rows"))
        .respond_with(ResponseTemplate::new(503))
        .expect(5)
        .mount(&server)
        .await;
    let (rest, clock) = client(&HttpConfig::default(), Tokens::default());
    let error = rest.send(&Request::get(rows(&server))).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.retry()),
        (ErrorKind::Unavailable, Retry::Never)
    );
    assert_eq!(
        error.context(),
        [("request", "GET /rows".to_owned()), ("attempts", "5".to_owned())]
    );
    assert_eq!(clock.sleeps().len(), 4);
}

#[tokio::test]
async fn a_pause_too_long_to_sit_out_goes_to_the_caller() {
    let server = MockServer::start().await;
    let paused = ResponseTemplate::new(429).insert_header("retry-after", "86400");
    Mock::given(path("/rows"))
        .respond_with(paused)
        .expect(1)
        .mount(&server)
        .await;
    let (rest, clock) = client(&HttpConfig::default(), Tokens::default());
    let error = rest.send(&Request::get(rows(&server))).await.unwrap_err();
    assert_eq!(error.retry(), Retry::After(Duration::from_secs(86_400)));
    assert!(clock.sleeps().is_empty());
}

#[tokio::test]
async fn a_rejected_token_is_renewed_once() {
    let server = MockServer::start().await;
    let fresh = Mock::given(header("x-auth-token", "token-1"));
    fresh
        .respond_with(ResponseTemplate::new(200))
        .mount(&server)
        .await;
    Mock::given(method("POST"))
        .respond_with(ResponseTemplate::new(401))
        .expect(1)
        .mount(&server)
        .await;
    let (rest, clock) = client(
        &HttpConfig::default(),
        Tokens {
            renewable: true,
            ..Tokens::default()
        },
    );
    // Even a request that must not be carried out twice: a 401 says that it was not carried out once.
    rest.send(&Request::post(rows(&server))).await.unwrap();
    assert!(clock.sleeps().is_empty());
}

#[tokio::test]
async fn a_token_that_stays_rejected_is_an_error() {
    let server = MockServer::start().await;
    Mock::given(path("/rows"))
        .respond_with(ResponseTemplate::new(401))
        .expect(2)
        .mount(&server)
        .await;
    let (rest, _) = client(
        &HttpConfig::default(),
        Tokens {
            renewable: true,
            ..Tokens::default()
        },
    );
    let error = rest.send(&Request::get(rows(&server))).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Auth);
}

#[tokio::test]
async fn a_lost_answer_to_a_post_is_doubt_and_not_repeated() {
    let (url, served) = raw_server(vec![Vec::new(), Vec::new()]);
    let (rest, clock) = client(&HttpConfig::default(), Tokens::default());
    let error = rest
        .send(&Request::post(url).form([("a", "b")]))
        .await
        .unwrap_err();
    assert!(error.may_have_applied());
    assert_eq!(served.load(Ordering::SeqCst), 1);
    assert!(clock.sleeps().is_empty());
    assert!(
        !format!("{error:?} {}", error.report()).contains("hunter2"),
        "the query is not shown"
    );
}

#[tokio::test]
async fn a_post_that_failed_within_the_server_is_doubt_and_a_refused_one_is_not() {
    let server = MockServer::start().await;
    Mock::given(path("/rows"))
        .respond_with(ResponseTemplate::new(500))
        .expect(1)
        .mount(&server)
        .await;
    Mock::given(path("/busy"))
        .respond_with(ResponseTemplate::new(503))
        .up_to_n_times(1)
        .mount(&server)
        .await;
    Mock::given(path("/busy"))
        .respond_with(ResponseTemplate::new(201))
        .expect(1)
        .mount(&server)
        .await;
    let (rest, _) = client(&HttpConfig::default(), Tokens::default());
    assert!(
        rest.send(&Request::post(rows(&server)))
            .await
            .unwrap_err()
            .may_have_applied()
    );
    let busy = rows(&server).join("/busy").unwrap();
    assert_eq!(rest.send(&Request::post(busy)).await.unwrap().status, 201);
}

#[tokio::test]
async fn nobody_there_is_said_with_the_address() {
    let free = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let (rest, clock) = client(&HttpConfig::default(), Tokens::default());
    let url = Url::parse(&format!("http://{free}/rows?secret=hunter2")).unwrap();
    // A connection that was never made leaves no doubt, so that even a POST is tried again.
    let error = rest.send(&Request::post(url)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert_eq!(
        error.message(),
        format!("nobody answers at {free} (connection refused)")
    );
    assert!(error.help().unwrap().starts_with("check the address and port"));
    assert!(!error.may_have_applied());
    assert_eq!(clock.sleeps().len(), 1, "patience is short where nobody listens");
    assert!(
        !format!("{error:?} {}", error.report()).contains("hunter2"),
        "the query is not shown"
    );
}
