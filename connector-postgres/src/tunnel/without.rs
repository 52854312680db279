//! A program that was built without tunnels.

use std::time::Duration;

use connector_core::{Error, ErrorKind, Result};
use tokio::net::TcpStream;
use tokio::time::Instant;

use super::SshTunnel;
use crate::dial::Way;

/// There is none.
pub(crate) enum Tunnel {}

impl Tunnel {
    pub(crate) fn new(_settings: &SshTunnel) -> Result<Self> {
        Err(Error::new(
            ErrorKind::Unsupported,
            "this program was built without tunnels through SSH",
        )
        .with_help("build it with the feature `ssh` of connector-postgres"))
    }

    pub(crate) fn address(&self) -> &str {
        match *self {}
    }

    pub(crate) async fn open(
        &self,
        _server: &str,
        _port: u16,
        _way: Way,
        _deadline: Instant,
        _limit: Duration,
    ) -> Result<TcpStream> {
        match *self {}
    }
}
