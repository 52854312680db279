//! A clock that does not wait, a service that can sign in anew, and servers that misbehave below HTTP.

#![allow(dead_code, unreachable_pub, reason = "each test binary uses its own part")]

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use connector_core::value::Instant;
use connector_core::{Clock, Result};
use connector_http::{
    Failure, HeaderName, HttpClient, HttpConfig, Request, RestClient, Service, Url, sensitive,
};

/// Records what it was asked to wait, and moves on at once.
#[derive(Debug, Default)]
pub struct RecordingClock {
    sleeps: Mutex<Vec<Duration>>,
}

impl RecordingClock {
    pub fn sleeps(&self) -> Vec<Duration> {
        self.sleeps.lock().unwrap().clone()
    }
}

#[async_trait]
impl Clock for RecordingClock {
    fn now(&self) -> Instant {
        let slept: Duration = self.sleeps().iter().sum();
        Instant::from_unix_micros(1_700_000_000_000_000).plus(slept)
    }

    async fn sleep(&self, duration: Duration) {
        self.sleeps.lock().unwrap().push(duration);
    }
}

/// Signs in with `token-<n>`, and renews by counting up.
#[derive(Debug, Default)]
pub struct Tokens {
    pub renewals: AtomicUsize,
    pub renewable: bool,
}

pub const TOKEN: HeaderName = HeaderName::from_static("x-auth-token");

#[async_trait]
impl Service for Tokens {
    async fn authorize(&self, request: &mut Request) -> Result<()> {
        let token = format!("token-{}", self.renewals.load(Ordering::SeqCst));
        request.headers.insert(TOKEN, sensitive(&token)?);
        Ok(())
    }

    async fn reauthorize(&self, rejected: &Request, _refusal: &Failure) -> Result<bool> {
        assert!(rejected.headers.contains_key(TOKEN));
        if self.renewable {
            self.renewals.fetch_add(1, Ordering::SeqCst);
        }
        Ok(self.renewable)
    }
}

/// A client and the clock it waits by.
pub fn client(config: &HttpConfig, tokens: Tokens) -> (RestClient, Arc<RecordingClock>) {
    let clock = Arc::new(RecordingClock::default());
    let http = HttpClient::new(config).unwrap();
    let rest = RestClient::new(http, Arc::new(tokens), Arc::<RecordingClock>::clone(&clock)).with_seed(7);
    (rest, clock)
}

/// A server that answers its nth connection with the nth of `answers`, byte for byte, and hangs up.
pub fn raw_server(answers: Vec<Vec<u8>>) -> (Url, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = Url::parse(&format!(
        "http://{}/rows?secret=hunter2",
        listener.local_addr().unwrap()
    ))
    .unwrap();
    let served = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&served);
    std::thread::spawn(move || {
        for answer in answers {
            let Ok((mut stream, _)) = listener.accept() else {
                return;
            };
            let mut seen = Vec::new();
            let mut buffer = [0; 4096];
            while !seen.windows(4).any(|window| window == b"\r\n\r\n") {
                match stream.read(&mut buffer) {
                    Ok(read) if read > 0 => seen.extend_from_slice(&buffer[..read]),
                    _ => break,
                }
            }
            count.fetch_add(1, Ordering::SeqCst);
            stream.write_all(&answer).unwrap();
        }
    });
    (url, served)
}
