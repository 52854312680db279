//! Sessions of PostgreSQL within sessions of SSH.

use std::sync::Arc;
use std::time::Duration;

use connector_core::{Error, ErrorKind, Result};
use russh::ChannelOpenFailure;
use russh::ChannelStream;
use russh::client::Msg;
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout_at};

use super::settings::SshTunnel;
use super::sign_in::{Handle, SignIn};
use crate::dial::Way;

/// The way through one SSH server.
///
/// An SSH session has one line for all of its channels: data that nobody takes from one of them stops the others.
/// Hence [`Way::Own`] for sessions whose rows wait for whoever gets them.
pub(crate) struct Tunnel {
    sign_in: SignIn,
    address: String,
    /// The session that is shared; another takes its place once it has ended.
    shared: Mutex<Option<Arc<Handle>>>,
}

impl Tunnel {
    pub(crate) fn new(settings: &SshTunnel) -> Result<Self> {
        let SshTunnel {
            server, port, user, ..
        } = settings;
        Ok(Self {
            sign_in: SignIn::new(settings)?,
            address: format!("{user}@{server}:{port}"),
            shared: Mutex::new(None),
        })
    }

    /// Who signs in where.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// A stream to `server`, as the SSH server reaches it, before `deadline`; `limit` is what errors call that.
    pub(crate) async fn open(
        &self,
        server: &str,
        port: u16,
        way: Way,
        deadline: Instant,
        limit: Duration,
    ) -> Result<ChannelStream<Msg>> {
        let mut again = way == Way::Shared;
        loop {
            let session = match way {
                Way::Shared => self.shared(deadline, limit).await?,
                Way::Own => Arc::new(self.sign_in.session(deadline, limit).await?),
            };
            let opened = session.channel_open_direct_tcpip(server, u32::from(port), "127.0.0.1", 0);
            match timeout_at(deadline, opened).await {
                Ok(Ok(channel)) => return Ok(channel.into_stream()),
                Ok(Err(russh::Error::ChannelOpenFailure(reason))) => {
                    return Err(self.no_way(server, port, &reason));
                }
                // It had ended, unnoticed.
                Ok(Err(_)) if again => {
                    self.forget(&session).await;
                    again = false;
                }
                Ok(Err(error)) => {
                    return Err(Error::new(
                        ErrorKind::Unavailable,
                        format!("the SSH server {} ended the connection", self.address),
                    )
                    .with_help("see its log")
                    .with_source(error));
                }
                Err(_) => {
                    self.forget(&session).await;
                    return Err(Error::new(
                        ErrorKind::Unavailable,
                        format!(
                            "the SSH server {} did not reach {server}:{port} within {limit:?}",
                            self.address
                        ),
                    )
                    .with_help(
                        "check `server` and `port` as the SSH server sees them, and the firewalls between",
                    ));
                }
            }
        }
    }

    async fn shared(&self, deadline: Instant, limit: Duration) -> Result<Arc<Handle>> {
        let Ok(mut shared) = timeout_at(deadline, self.shared.lock()).await else {
            return Err(Error::new(
                ErrorKind::Unavailable,
                format!("the SSH server {} did not answer within {limit:?}", self.address),
            )
            .with_help("check `ssh_server` and `ssh_port`, and the firewalls on the way"));
        };
        if let Some(session) = shared.as_ref().filter(|session| !session.is_closed()) {
            return Ok(Arc::clone(session));
        }
        let session = Arc::new(self.sign_in.session(deadline, limit).await?);
        *shared = Some(Arc::clone(&session));
        Ok(session)
    }

    /// The next one to come makes a new session. Whoever uses this one goes on as long as it lasts.
    async fn forget(&self, session: &Arc<Handle>) {
        let mut shared = self.shared.lock().await;
        if shared.as_ref().is_some_and(|other| Arc::ptr_eq(other, session)) {
            *shared = None;
        }
    }

    fn no_way(&self, server: &str, port: u16, reason: &ChannelOpenFailure) -> Error {
        let ssh = &self.address;
        match reason {
            ChannelOpenFailure::ConnectFailed => Error::new(
                ErrorKind::Unavailable,
                format!("the SSH server {ssh} reaches nobody at {server}:{port}"),
            )
            .with_help(
                "check `server` and `port` as the SSH server sees them, and that PostgreSQL runs there",
            ),
            ChannelOpenFailure::AdministrativelyProhibited => Error::new(
                ErrorKind::Forbidden,
                format!("the SSH server {ssh} lets nobody through to {server}:{port}"),
            )
            .with_help("allow it there: AllowTcpForwarding and PermitOpen in sshd_config"),
            other => Error::new(
                ErrorKind::Unavailable,
                format!("the SSH server {ssh} opens no way to {server}:{port} ({other:?})"),
            )
            .with_help("see its log"),
        }
    }
}
