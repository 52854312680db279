//! As little of an HTTP client as the tests need.

use std::io::{Read, Write};
use std::net::TcpStream;

use serde_json::Value;

use crate::fakes::salesforce::{FakeSalesforce, SalesforceConfig};

/// An answer.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
    /// Whether the body came to its end.
    pub(super) whole: bool,
}

impl Answer {
    pub(super) fn header(&self, name: &str) -> &str {
        let found = self
            .headers
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map_or("", |(_, value)| value.as_str())
    }

    pub(super) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("no JSON: {self:?}"))
    }

    pub(super) fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }

    /// Records of a CSV body, the header row first.
    pub(super) fn csv(&self) -> Vec<Vec<String>> {
        csv(&self.body)
    }

    pub(super) fn error_code(&self) -> String {
        self.json()[0]["errorCode"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    }
}

/// Records of a CSV.
pub(super) fn csv(body: &[u8]) -> Vec<Vec<String>> {
    let (mut records, mut record, mut cell, mut quoted) = (Vec::new(), Vec::new(), Vec::new(), false);
    let mut bytes = body.iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' if quoted && bytes.peek() == Some(&b'"') => {
                bytes.next();
                cell.push(b'"');
            }
            b'"' => quoted = !quoted,
            b',' if !quoted => record.push(String::from_utf8(std::mem::take(&mut cell)).unwrap()),
            b'\n' if !quoted => {
                record.push(String::from_utf8(std::mem::take(&mut cell)).unwrap());
                records.push(std::mem::take(&mut record));
            }
            _ => cell.push(byte),
        }
    }
    assert!(record.is_empty() && cell.is_empty(), "the last line has no end");
    records
}

/// An org with this many leads.
pub(super) async fn org(leads: u64) -> (FakeSalesforce, Client) {
    with(SalesforceConfig {
        leads,
        ..SalesforceConfig::default()
    })
    .await
}

pub(super) async fn with(config: SalesforceConfig) -> (FakeSalesforce, Client) {
    let org = FakeSalesforce::start(config).await.unwrap();
    let client = Client {
        host: org.url().replace("http://", ""),
        token: org.access_token(),
    };
    (org, client)
}

pub(super) struct Client {
    pub(super) host: String,
    pub(super) token: String,
}

impl Client {
    pub(super) fn get(&self, path: &str) -> Answer {
        self.send("GET", path, &[], b"").expect("an answer")
    }

    pub(super) fn json(&self, method: &str, path: &str, body: &str) -> Answer {
        self.send(
            method,
            path,
            &[("Content-Type", "application/json")],
            body.as_bytes(),
        )
        .expect("an answer")
    }

    pub(super) fn query(&self, soql: &str) -> Answer {
        self.get(&format!("/services/data/v66.0/query?q={}", encode(soql)))
    }

    /// `None` if the connection closed without an answer.
    pub(super) fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Option<Answer> {
        let mut stream = TcpStream::connect(&self.host).unwrap();
        let mut head = format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n",
            self.host
        );
        if !headers.iter().any(|(name, _)| *name == "Authorization") {
            head.push_str(&format!("Authorization: Bearer {}\r\n", self.token));
        }
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str(&format!("Content-Length: {}\r\n\r\n", body.len()));
        stream.write_all(&[head.as_bytes(), body].concat()).unwrap();
        let mut raw = Vec::new();
        // A reset after some bytes is part of what is tested.
        let _ = stream.read_to_end(&mut raw);
        if raw.is_empty() { None } else { Some(answer(&raw)) }
    }
}

fn answer(raw: &[u8]) -> Answer {
    let end = raw
        .windows(4)
        .position(|window| window == b"\r\n\r\n")
        .expect("a whole head");
    let head = String::from_utf8(raw[..end].to_vec()).unwrap();
    let mut lines = head.lines();
    let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    let headers: Vec<(String, String)> = lines
        .map(|line| line.split_once(": ").unwrap())
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let mut answer = Answer {
        status,
        headers,
        body: raw[end + 4..].to_vec(),
        whole: true,
    };
    if answer.header("transfer-encoding") == "chunked" {
        (answer.body, answer.whole) = dechunk(&answer.body);
    } else if let Ok(length) = answer.header("content-length").parse::<usize>() {
        answer.whole = answer.body.len() == length;
    }
    answer
}

fn dechunk(mut raw: &[u8]) -> (Vec<u8>, bool) {
    let mut body = Vec::new();
    while let Some(end) = raw.windows(2).position(|window| window == b"\r\n") {
        let size = usize::from_str_radix(std::str::from_utf8(&raw[..end]).unwrap(), 16).unwrap();
        raw = &raw[end + 2..];
        if size == 0 {
            return (body, true);
        }
        let there = size.min(raw.len());
        body.extend_from_slice(&raw[..there]);
        raw = raw.get(size + 2..).unwrap_or_default();
    }
    (body, false)
}

/// Percent-encodes everything but letters and digits.
pub(super) fn encode(text: &str) -> String {
    text.bytes()
        .map(|byte| {
            if byte.is_ascii_alphanumeric() {
                char::from(byte).to_string()
            } else {
                format!("%{byte:02X}")
            }
        })
        .collect()
}
