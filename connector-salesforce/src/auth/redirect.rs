//! Taking the redirect that ends a sign-in in the browser.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use connector_core::{Clock, Error, ErrorKind, Result, Secret};
use connector_http::Url;
use futures::future::{Either, select};
use futures::stream::{FuturesUnordered, StreamExt};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::code::outcome;

/// How long a person is waited for.
const PATIENCE: Duration = Duration::from_secs(5 * 60);
/// Most bytes of a request's head.
const MAX_HEAD: usize = 16 * 1024;
/// Most connections at once: a browser opens a few, one of which says something.
const MAX_OPEN: usize = 16;

/// A port of this machine that waits for one redirect. Dropping it closes the port.
pub(super) struct Callback {
    listener: TcpListener,
    /// The address as it is reached: with the port that was taken.
    url: Url,
    any_port: bool,
}

impl Callback {
    /// Listens where `url` leads; port 0 takes a free one.
    pub(super) async fn listen(url: Url) -> Result<Self> {
        let port = url.port_or_known_default().unwrap_or(80);
        let host = match url.host() {
            Some(url::Host::Ipv6(ip)) => SocketAddr::from((ip, port)),
            Some(url::Host::Ipv4(ip)) => SocketAddr::from((ip, port)),
            _ => SocketAddr::from(([127, 0, 0, 1], port)),
        };
        let taken = |error| {
            Error::new(
                ErrorKind::Config,
                format!("port {port} cannot be listened on for the sign-in"),
            )
            .with_help(
                "close what uses the port, or set another `callback_url` here and in the app's settings",
            )
            .with_source(error)
        };
        let listener = TcpListener::bind(host).await.map_err(taken)?;
        let bound = listener.local_addr().map_err(taken)?.port();
        let mut url = url;
        let any_port = port == 0;
        if any_port {
            let _ = url.set_port(Some(bound));
        }
        Ok(Self {
            listener,
            url,
            any_port,
        })
    }

    /// The callback address as the app's settings spell it.
    pub(super) fn spelt(&self, configured: &str) -> String {
        if self.any_port {
            self.url.to_string()
        } else {
            configured.to_owned()
        }
    }

    /// Waits for the redirect that carries `state`, and closes the port. Whatever else comes is turned away.
    pub(super) async fn code(self, state: &Secret, clock: &Arc<dyn Clock>) -> Result<Secret> {
        let limit = clock.sleep(PATIENCE);
        match select(Box::pin(self.first(state)), limit).await {
            Either::Left((code, _)) => code,
            Either::Right(_) => Err(
                Error::new(ErrorKind::Auth, "nobody signed in within five minutes")
                    .with_help("start again, open the address that is shown and sign in"),
            ),
        }
    }

    async fn first(&self, state: &Secret) -> Result<Secret> {
        let mut open = FuturesUnordered::new();
        loop {
            // A browser may open a connection and say nothing on it: none is waited for alone.
            let next = tokio::select! {
                accepted = self.listener.accept(), if open.len() < MAX_OPEN => accepted.ok(),
                Some(outcome) = open.next(), if !open.is_empty() => {
                    match outcome {
                        Some(outcome) => return outcome,
                        None => None,
                    }
                }
            };
            if let Some((stream, _)) = next {
                open.push(self.answer(stream, state));
            }
        }
    }

    /// Reads one request and answers it.
    async fn answer(&self, mut stream: TcpStream, state: &Secret) -> Option<Result<Secret>> {
        let target = read_target(&mut stream).await?;
        let redirect = self
            .url
            .join(&target)
            .ok()
            .filter(|url| target.starts_with('/') && url.path() == self.url.path());
        let (status, text, outcome) = match redirect {
            None => ("404 Not Found", "There is nothing here.", None),
            Some(redirect) => match outcome(&redirect, state) {
                None => (
                    "400 Bad Request",
                    "This is not the sign-in that was asked for.",
                    None,
                ),
                Some(Ok(code)) => (
                    "200 OK",
                    "You are signed in. You can close this window.",
                    Some(Ok(code)),
                ),
                Some(Err(error)) => (
                    "200 OK",
                    "Signing in was refused. You can close this window.",
                    Some(Err(error)),
                ),
            },
        };
        let answer = format!(
            "HTTP/1.1 {status}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: {}\r\n\
             Cache-Control: no-store\r\nReferrer-Policy: no-referrer\r\nConnection: close\r\n\r\n{text}",
            text.len()
        );
        // The browser's window matters less than the code.
        let _ = stream.write_all(answer.as_bytes()).await;
        let _ = stream.shutdown().await;
        outcome
    }
}

/// The target of a `GET`, path and query.
async fn read_target(stream: &mut TcpStream) -> Option<String> {
    let mut head = Vec::new();
    let mut piece = [0; 1024];
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        let read = stream.read(&mut piece).await.ok().filter(|read| *read > 0)?;
        head.extend_from_slice(&piece[..read]);
        if head.len() > MAX_HEAD {
            return None;
        }
    }
    let head = String::from_utf8(head).ok()?;
    let mut line = head.lines().next()?.split(' ');
    let (method, target) = (line.next()?, line.next()?);
    (method == "GET").then(|| target.to_owned())
}

#[cfg(test)]
mod tests {
    use connector_core::SystemClock;

    use super::*;

    async fn get(url: &Url, target: &str) -> String {
        let port = url.port().unwrap();
        let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        let request = format!("GET {target} HTTP/1.1\r\nHost: localhost\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    }

    #[tokio::test]
    async fn only_the_redirect_with_our_state_ends_the_wait() {
        let callback = Callback::listen(Url::parse("http://localhost:0/back").unwrap())
            .await
            .unwrap();
        let url = callback.url.clone();
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let waiting = tokio::spawn(async move { callback.code(&Secret::new("ours"), &clock).await });
        // One that says nothing does not keep others waiting.
        let silent = TcpStream::connect(("127.0.0.1", url.port().unwrap()))
            .await
            .unwrap();
        for (target, wanted) in [
            ("/favicon.ico", "404"),
            ("/back?code=evil", "400"),
            ("/back?code=evil&state=theirs", "400"),
            ("http://evil.example/back?code=evil&state=ours", "404"),
            ("/back?state=ours&code=good%20one", "200"),
        ] {
            assert!(
                get(&url, target).await.starts_with(&format!("HTTP/1.1 {wanted}")),
                "{target}"
            );
        }
        assert_eq!(waiting.await.unwrap().unwrap().reveal(), "good one");
        drop(silent);
        assert!(
            TcpStream::connect(("127.0.0.1", url.port().unwrap()))
                .await
                .is_err(),
            "the port is closed"
        );
    }

    #[tokio::test]
    async fn a_refusal_in_the_browser_is_the_end() {
        let callback = Callback::listen(Url::parse("http://127.0.0.1:0").unwrap())
            .await
            .unwrap();
        let url = callback.url.clone();
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let waiting = tokio::spawn(async move { callback.code(&Secret::new("ours"), &clock).await });
        get(&url, "/?error=access_denied&error_description=no&state=ours").await;
        let error = waiting.await.unwrap().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Auth);
        assert!(error.report().to_string().contains("access_denied"));
    }
}
