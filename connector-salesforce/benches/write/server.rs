//! A server of Bulk jobs that are done as soon as their data is there.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::json;

#[derive(Clone)]
pub(crate) struct Server {
    port: u16,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    jobs: u64,
    uploads: HashMap<String, Vec<u8>>,
    worked: Duration,
}

impl Server {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let server = Self {
            port: listener.local_addr().unwrap().port(),
            state: Arc::default(),
        };
        let accepting = server.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (server, stream) = (accepting.clone(), stream.unwrap());
                std::thread::spawn(move || server.serve(&stream));
            }
        });
        server
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/", self.port)
    }

    /// Starts to count anew.
    pub(crate) fn forget(&self) {
        *self.state.lock().unwrap() = State::default();
    }

    /// The time that was spent on the jobs' data, without that of moving it.
    pub(crate) fn worked(&self) -> Duration {
        self.state.lock().unwrap().worked
    }

    /// Rows of all uploads, headers left out.
    pub(crate) fn rows(&self) -> u64 {
        let state = self.state.lock().unwrap();
        let lines = |csv: &Vec<u8>| csv.iter().filter(|byte| **byte == b'\n').count() as u64 - 1;
        state.uploads.values().map(lines).sum()
    }

    fn serve(&self, stream: &TcpStream) {
        stream.set_nodelay(true).unwrap();
        let mut reader = BufReader::with_capacity(1 << 16, stream);
        while let Some(head) = head(&mut reader) {
            let body = body(&mut reader, stream, &head);
            let (status, kind, answer) = self.answer(&head.method, &head.path, body);
            let head = format!(
                "HTTP/1.1 {status} OK\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\
                 Sforce-Limit-Info: api-usage=18/100000\r\n\r\n",
                answer.len()
            );
            let mut stream = stream;
            if stream
                .write_all(head.as_bytes())
                .and_then(|()| stream.write_all(&answer))
                .is_err()
            {
                return;
            }
        }
    }

    fn answer(&self, method: &str, path: &str, body: Vec<u8>) -> (u16, &'static str, Vec<u8>) {
        let json = |value: serde_json::Value| (200, "application/json", value.to_string().into_bytes());
        let started = Instant::now();
        let mut state = self.state.lock().unwrap();
        let words: Vec<&str> = path
            .trim_start_matches("/services/data/v62.0/")
            .split('/')
            .collect();
        match (method, words.as_slice()) {
            ("GET", ["sobjects", "Lead", "describe"]) => json(lead()),
            ("POST", ["jobs", "ingest"]) => {
                state.jobs += 1;
                json(json!({ "id": format!("750job{}", state.jobs), "state": "Open" }))
            }
            ("PUT", ["jobs", "ingest", id, "batches"]) => {
                state.uploads.insert((*id).to_owned(), body);
                (201, "text/plain", Vec::new())
            }
            ("PATCH", ["jobs", "ingest", id]) => json(json!({ "id": id, "state": "UploadComplete" })),
            ("GET", ["jobs", "ingest", id]) => json(json!({ "id": id, "state": "JobComplete" })),
            ("GET", ["jobs", "ingest", id, "successfulResults"]) => {
                let results = results(&state.uploads[*id]);
                state.worked += started.elapsed();
                (200, "text/csv", results)
            }
            ("GET", ["jobs", "ingest", _, "failedResults"]) => {
                (200, "text/csv", b"\"sf__Id\",\"sf__Error\",\"Id\"\n".to_vec())
            }
            ("GET", ["jobs", "ingest", _, "unprocessedrecords"]) => (200, "text/csv", b"\"Id\"\n".to_vec()),
            ("GET", ["limits"]) => json(json!({})),
            ("GET", _) if path.ends_with("/userinfo") => {
                json(json!({ "organization_id": "00D000000000001AAA" }))
            }
            _ => (404, "application/json", b"[]".to_vec()),
        }
    }
}

/// Every row again, as applied.
fn results(upload: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(upload.len() * 2);
    for (i, line) in upload.split_inclusive(|byte| *byte == b'\n').enumerate() {
        if i == 0 {
            out.extend_from_slice(b"sf__Id,sf__Created,");
        } else {
            out.extend_from_slice(&line[..18]);
            out.extend_from_slice(b",false,");
        }
        out.extend_from_slice(line);
    }
    out
}

fn lead() -> serde_json::Value {
    let field = |name: &str, kind: &str, length: u32| {
        json!({
            "name": name, "type": kind, "length": length, "precision": if kind == "double" { 5 } else { 0 },
            "scale": if kind == "double" { 2 } else { 0 }, "digits": if kind == "int" { 8 } else { 0 },
            "nillable": true, "createable": name != "Id", "updateable": name != "Id", "filterable": true,
        })
    };
    let fields = [
        field("Id", "id", 18),
        field("LeadScore__c", "double", 0),
        field("Tier__c", "string", 20),
        field("Reason__c", "string", 255),
        field("Visits__c", "int", 0),
    ];
    json!({ "name": "Lead", "queryable": true, "updateable": true, "createable": true, "deletable": true, "fields": fields })
}

/// How a request's body is told to end.
enum Length {
    Known(usize),
    Chunked,
}

/// What a request begins with.
struct Head {
    method: String,
    path: String,
    length: Length,
    /// Its body is held back until it is asked for.
    waits: bool,
}

/// The head of the next request.
fn head(reader: &mut impl BufRead) -> Option<Head> {
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
    let mut words = line.split(' ').map(str::to_owned);
    let (method, path) = (words.next()?, words.next()?);
    let (mut length, mut waits) = (Length::Known(0), false);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let line = line.trim_end().to_ascii_lowercase();
        match line.split_once(": ") {
            Some(("content-length", bytes)) => length = Length::Known(bytes.parse().ok()?),
            Some(("transfer-encoding", "chunked")) => length = Length::Chunked,
            Some(("expect", _)) => waits = true,
            _ if line.is_empty() => {
                return Some(Head {
                    method,
                    path,
                    length,
                    waits,
                });
            }
            _ => {}
        }
    }
}

fn body(reader: &mut impl BufRead, mut stream: &TcpStream, head: &Head) -> Vec<u8> {
    if head.waits {
        stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").unwrap();
    }
    let mut body = Vec::new();
    match head.length {
        Length::Known(bytes) => {
            body.resize(bytes, 0);
            reader.read_exact(&mut body).unwrap();
        }
        Length::Chunked => loop {
            let mut line = String::new();
            reader.read_line(&mut line).unwrap();
            let bytes = usize::from_str_radix(line.trim(), 16).unwrap();
            let start = body.len();
            body.resize(start + bytes, 0);
            reader.read_exact(&mut body[start..]).unwrap();
            reader.read_line(&mut line).unwrap();
            if bytes == 0 {
                break;
            }
        },
    }
    body
}
