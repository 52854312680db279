//! Serving a router on a loopback port for as long as a handle lives.

use std::net::{Ipv4Addr, SocketAddr};

use axum::Router;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::tls::{Certificate, TlsListener};

/// A running HTTP server on 127.0.0.1; dropping it stops it.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    scheme: &'static str,
    task: JoinHandle<()>,
}

impl Server {
    /// Serves `router` on 127.0.0.1 at `port` (0: any free port).
    pub async fn start(router: Router, port: u16) -> std::io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
        let address = listener.local_addr()?;
        let task = tokio::spawn(async move {
            // An accept loop that ends with an error ends the test that needed it, by refused connections.
            let _ = axum::serve(listener, router).await;
        });
        Ok(Self {
            address,
            scheme: "http",
            task,
        })
    }

    /// Serves `router` by HTTPS on 127.0.0.1 at `port` (0: any free port), with this certificate.
    pub async fn start_tls(router: Router, port: u16, certificate: &Certificate) -> std::io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
        let address = listener.local_addr()?;
        let listener = TlsListener::new(listener, certificate)?;
        let task = tokio::spawn(async move {
            let _ = axum::serve(listener, router).await;
        });
        Ok(Self {
            address,
            scheme: "https",
            task,
        })
    }

    /// `http://127.0.0.1:PORT` or `https://127.0.0.1:PORT`, without a trailing slash.
    pub fn url(&self) -> String {
        format!("{}://{}", self.scheme, self.address)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}
