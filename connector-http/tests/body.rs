//! Bodies arrive whole or not at all, and redirects are not followed.

#![allow(clippy::unwrap_used, reason = "a test ends where a helper of it fails")]

mod support;

use std::io::Write;
use std::sync::atomic::Ordering;

use connector_core::ErrorKind;
use connector_http::{HttpConfig, Request, Url};
use flate2::Compression;
use flate2::write::GzEncoder;
use support::{Tokens, client, raw_server};
use wiremock::matchers::path;
use wiremock::{Mock, MockServer, ResponseTemplate};

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn answer(headers: &str, body: &[u8]) -> Vec<u8> {
    [format!("HTTP/1.1 200 OK\r\n{headers}\r\n").as_bytes(), body].concat()
}

#[tokio::test]
async fn a_cut_body_is_read_again() {
    let whole = answer("Content-Length: 5\r\n", b"[1,2]");
    let packed = gzip(b"[1,2]");
    let cut_gzip = &packed[..packed.len() - 4];
    for cut in [
        answer("Content-Length: 5\r\n", b"[1"),
        answer("Transfer-Encoding: chunked\r\n", b"2\r\n[1\r\n"),
        answer(
            &format!("Content-Length: {}\r\nContent-Encoding: gzip\r\n", cut_gzip.len()),
            cut_gzip,
        ),
        // Without a length, the end of the connection could be a cut as well.
        answer("", b"[1,2]"),
    ] {
        let (url, served) = raw_server(vec![cut, whole.clone()]);
        let (rest, _) = client(&HttpConfig::default(), Tokens::default());
        let response = rest.send(&Request::get(url)).await.unwrap();
        assert_eq!(response.body, "[1,2]");
        assert_eq!(served.load(Ordering::SeqCst), 2);
    }
}

#[tokio::test]
async fn gzip_is_unpacked_up_to_a_limit() {
    let server = MockServer::start().await;
    let packed = |bytes: &[u8]| {
        ResponseTemplate::new(200)
            .insert_header("content-encoding", "gzip")
            .set_body_bytes(gzip(bytes))
    };
    Mock::given(path("/small"))
        .respond_with(packed(&[b'x'; 1000]))
        .mount(&server)
        .await;
    Mock::given(path("/bomb"))
        .respond_with(packed(&vec![0; 5_000_000]))
        .expect(1)
        .mount(&server)
        .await;
    let (rest, _) = client(&HttpConfig::default().with_max_body(1_000_000), Tokens::default());
    let url = |path: &str| Url::parse(&server.uri()).unwrap().join(path).unwrap();
    assert_eq!(
        rest.send(&Request::get(url("/small"))).await.unwrap().body,
        vec![b'x'; 1000]
    );
    let error = rest.send(&Request::get(url("/bomb"))).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Data);
    assert!(
        error.message().ends_with("is larger than 1000000 bytes"),
        "{error}"
    );
}

#[tokio::test]
async fn a_stream_ends_whole_or_in_an_error() {
    let (url, _) = raw_server(vec![answer("Content-Length: 9\r\n", b"a,b\n")]);
    let (rest, _) = client(&HttpConfig::default(), Tokens::default());
    let mut response = rest.stream(&Request::get(url)).await.unwrap();
    assert_eq!(response.chunk().await.unwrap().unwrap(), "a,b\n");
    let error = response.chunk().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert_eq!(error.context(), [("request", "GET /rows".to_owned())]);
}

#[tokio::test]
async fn a_redirect_is_not_followed_and_the_token_stays_here() {
    let (here, elsewhere) = (MockServer::start().await, MockServer::start().await);
    Mock::given(path("/rows"))
        .respond_with(ResponseTemplate::new(200))
        .expect(0)
        .mount(&elsewhere)
        .await;
    let target = format!("http://localhost:{}/rows", elsewhere.address().port());
    let redirect = ResponseTemplate::new(302).insert_header("location", target);
    Mock::given(path("/rows"))
        .respond_with(redirect)
        .expect(1)
        .mount(&here)
        .await;
    let (rest, _) = client(&HttpConfig::default(), Tokens::default());
    let error = rest
        .send(&Request::get(
            Url::parse(&format!("{}/rows", here.uri())).unwrap(),
        ))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert_eq!(
        error.message(),
        format!(
            "{} redirects to `localhost`, which is not followed",
            here.address()
        )
    );
    assert!(elsewhere.received_requests().await.unwrap().is_empty());
}

#[tokio::test]
async fn plain_http_to_another_machine_is_refused_before_anything_is_sent() {
    let (rest, _) = client(&HttpConfig::default(), Tokens::default());
    let error = rest
        .send(&Request::get(Url::parse("http://192.0.2.1/rows").unwrap()))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
}

#[tokio::test]
async fn an_answer_that_is_no_json_is_not_quoted() {
    let server = MockServer::start().await;
    let page = ResponseTemplate::new(200).set_body_string("<html>hunter2</html>");
    Mock::given(path("/page")).respond_with(page).mount(&server).await;
    Mock::given(path("/text"))
        .respond_with(ResponseTemplate::new(200).set_body_string("\"hunter2\""))
        .mount(&server)
        .await;
    let (rest, _) = client(&HttpConfig::default(), Tokens::default());
    for (path, said) in [
        ("/page", "an HTML page"),
        ("/text", "not the JSON that was expected (line 1"),
    ] {
        let url = Url::parse(&server.uri()).unwrap().join(path).unwrap();
        let error = rest
            .send(&Request::get(url))
            .await
            .unwrap()
            .json::<Vec<u8>>()
            .unwrap_err();
        assert!(error.message().contains(said), "{error}");
        assert!(!format!("{error:?}").contains("hunter2"));
    }
}

#[test]
fn a_proxy_password_is_not_printed() {
    let config = HttpConfig::default().with_proxy(Some("http://me:hunter2@proxy:3128".to_owned().into()));
    let (rest, _) = client(&config, Tokens::default());
    assert!(!format!("{config:?} {rest:?}").contains("hunter2"));
}
