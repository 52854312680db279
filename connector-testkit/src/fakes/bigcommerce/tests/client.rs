//! A client small enough to be trusted.

use std::collections::BTreeMap;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::super::{BigCommerceConfig, FakeBigCommerce};

/// An answer, its header names in lower case.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: BTreeMap<String, String>,
    pub(super) body: Vec<u8>,
}

impl Answer {
    pub(super) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(String::as_str).unwrap_or_default()
    }
}

/// A store of so many customers.
pub(super) async fn store(customers: u64) -> FakeBigCommerce {
    FakeBigCommerce::start(BigCommerceConfig {
        customers,
        ..BigCommerceConfig::default()
    })
    .await
    .unwrap()
}

/// `GET` below the store's API path with its token.
pub(super) async fn get(store: &FakeBigCommerce, resource: &str) -> Answer {
    let target = format!("/stores/{}/{resource}", store.store_hash());
    send(store, "GET", &target, Some(&store.access_token()), "")
        .await
        .expect("an answer")
}

/// One request on a connection of its own; nothing if the connection ends before the head of the answer does.
pub(super) async fn send(
    store: &FakeBigCommerce,
    method: &str,
    target: &str,
    token: Option<&str>,
    body: &str,
) -> Option<Answer> {
    let url = store.url();
    let mut stream = TcpStream::connect(url.strip_prefix("http://").unwrap())
        .await
        .unwrap();
    let token = token
        .map(|token| format!("X-Auth-Token: {token}\r\n"))
        .unwrap_or_default();
    let length = body.len();
    let request = format!(
        "{method} {target} HTTP/1.1\r\nHost: store\r\n{token}Content-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut bytes = Vec::new();
    let _ = stream.read_to_end(&mut bytes).await;
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")?;
    let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
    let mut lines = head.split("\r\n");
    let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    let headers = lines
        .map(|line| line.split_once(": ").unwrap())
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    Some(Answer {
        status,
        headers,
        body: bytes[end + 4..].to_vec(),
    })
}
