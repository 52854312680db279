//! What a tunnel needs to know.

use std::path::PathBuf;

use connector_core::Secret;

use crate::pem::Pem;

/// The SSH server to go through. Nothing is read from `~/.ssh` or the environment.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SshTunnel {
    /// Its host name or address.
    pub server: String,
    /// Its port; 22 unless told.
    pub port: u16,
    /// The user there.
    pub user: String,
    /// How the user signs in.
    pub auth: SshAuth,
    /// How the server is recognised. `None`: not at all, so that connecting is refused, with an error that says
    /// which fingerprint the server showed.
    pub host_key: Option<SshHostKey>,
}

/// How one signs in at an SSH server.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum SshAuth {
    /// By password, which also answers a server that asks for it by keyboard-interactive.
    Password(Secret),
    /// By a private key: OpenSSH's own format, PKCS#1, SEC1 or PKCS#8.
    Key {
        /// The key. A file must be its owner's alone.
        key: Pem,
        /// What an encrypted key is opened with.
        passphrase: Option<Secret>,
    },
}

/// How an SSH server is recognised.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum SshHostKey {
    /// By a file such as `~/.ssh/known_hosts`, hashed or not. It is read at every sign-in and never written.
    KnownHosts(PathBuf),
    /// By the fingerprint of one of its keys, as `ssh-keygen -l` shows it: `SHA256:…`.
    Fingerprint(String),
}

impl SshTunnel {
    /// Through port 22 of `server` as `user`; how it is recognised has to be added.
    pub fn new(server: impl Into<String>, user: impl Into<String>, auth: SshAuth) -> Self {
        Self {
            server: server.into(),
            port: 22,
            user: user.into(),
            auth,
            host_key: None,
        }
    }
}
