//! The way through an SSH server, without a local port: what comes out of the SSH session goes straight to the
//! PostgreSQL client.

mod settings;
#[cfg(not(feature = "ssh"))]
mod without;

pub use settings::{SshAuth, SshHostKey, SshTunnel};
#[cfg(not(feature = "ssh"))]
pub(crate) use without::Tunnel;
#[cfg(feature = "ssh")]
mod host_key;
#[cfg(feature = "ssh")]
mod known_hosts;
#[cfg(feature = "ssh")]
mod private_key;
#[cfg(feature = "ssh")]
mod shared;
#[cfg(feature = "ssh")]
mod sign_in;

#[cfg(feature = "ssh")]
pub(crate) use shared::Tunnel;
