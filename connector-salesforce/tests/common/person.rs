use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use connector_core::{Error, ErrorKind};
use connector_salesforce::{Ask, Prompt};
use connector_testkit::fakes::salesforce::FakeSalesforce;
use url::Url;

/// Somebody who does at once what is asked, in a browser of few words.
#[derive(Clone)]
pub struct Person {
    org: Arc<FakeSalesforce>,
    /// The addresses that were shown.
    pub shown: Arc<Mutex<Vec<Url>>>,
    /// Where the browser was sent back to.
    pub sent_back: Arc<Mutex<Option<Url>>>,
}

impl Person {
    pub fn new(org: &Arc<FakeSalesforce>) -> Self {
        Self {
            org: Arc::clone(org),
            shown: Arc::default(),
            sent_back: Arc::default(),
        }
    }

    pub fn asked(&self) -> usize {
        self.shown.lock().unwrap().len()
    }
}

#[async_trait]
impl Prompt for Person {
    async fn show(&self, ask: &Ask) -> Result<(), Error> {
        match ask {
            Ask::Browser { url } => {
                self.shown.lock().unwrap().push(url.clone());
                let target = location(url);
                *self.sent_back.lock().unwrap() = Some(target.clone());
                if target.host_str() != Some("app.example") {
                    std::thread::spawn(move || get(&target));
                }
            }
            Ask::Device { url, code } => {
                self.shown.lock().unwrap().push(url.clone());
                assert!(self.org.approve_device(code.reveal()));
            }
            _ => return Err(Error::new(ErrorKind::Bug, "an unknown question")),
        }
        Ok(())
    }

    async fn redirected(&self) -> Result<Url, Error> {
        Ok(self.sent_back.lock().unwrap().clone().unwrap())
    }
}

impl std::fmt::Debug for Person {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Person")
    }
}

/// Where a page redirects to.
fn location(url: &Url) -> Url {
    let answer = get(url);
    let line = answer.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("location")
            .then(|| value.trim().to_owned())
    });
    Url::parse(&line.unwrap()).unwrap()
}

fn get(url: &Url) -> String {
    let address = (url.host_str().unwrap(), url.port_or_known_default().unwrap());
    let mut stream = TcpStream::connect(address).unwrap();
    let target = &url[url::Position::BeforePath..url::Position::AfterQuery];
    let request = format!("GET {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}
