//! Who the SSH server is.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use connector_core::{Error, ErrorKind, Result};
use russh::client;
use russh::keys::ssh_key::Fingerprint;
use russh::keys::{Algorithm, EcdsaCurve, HashAlg, PublicKey, PublicKeyOrCertificate};

use super::known_hosts::{self, Found};
use super::settings::{SshHostKey, SshTunnel};

/// Kinds of host keys, as one asks for them: the best first, none that needs SHA-1.
const KINDS: [&[Algorithm]; 3] = [
    &[Algorithm::Ed25519],
    &[
        Algorithm::Ecdsa {
            curve: EcdsaCurve::NistP256,
        },
        Algorithm::Ecdsa {
            curve: EcdsaCurve::NistP384,
        },
        Algorithm::Ecdsa {
            curve: EcdsaCurve::NistP521,
        },
    ],
    &[
        Algorithm::Rsa {
            hash: Some(HashAlg::Sha512),
        },
        Algorithm::Rsa {
            hash: Some(HashAlg::Sha256),
        },
    ],
];

/// What the server's key is measured by.
pub(super) enum Trust {
    KnownHosts(PathBuf),
    Fingerprint(Fingerprint),
    Nothing,
}

impl Trust {
    pub(super) fn new(settings: &SshTunnel) -> Result<Self> {
        Ok(match &settings.host_key {
            None => Self::Nothing,
            Some(SshHostKey::KnownHosts(path)) => Self::KnownHosts(path.clone()),
            Some(SshHostKey::Fingerprint(text)) => Self::Fingerprint(fingerprint(text)?),
        })
    }

    /// The kinds of keys to ask for, most wanted first; once for each attempt.
    ///
    /// A fingerprint may be that of any of the server's keys, and a server shows one at a time.
    pub(super) fn attempts(&self, host: &str, port: u16) -> Result<Vec<Vec<Algorithm>>> {
        let all: Vec<Algorithm> = KINDS.concat();
        Ok(match self {
            Self::Nothing => vec![all],
            Self::Fingerprint(_) => KINDS.iter().map(|kind| kind.to_vec()).collect(),
            Self::KnownHosts(path) => {
                let known = known_hosts::algorithms(&read(path)?, host, port);
                let is_rsa = |kind: &Algorithm| matches!(kind, Algorithm::Rsa { .. });
                let is_known = |asked: &Algorithm| {
                    known
                        .iter()
                        .any(|known| known == asked || (is_rsa(known) && is_rsa(asked)))
                };
                let (mut first, rest): (Vec<_>, Vec<_>) = all.into_iter().partition(is_known);
                first.extend(rest);
                vec![first]
            }
        })
    }

    fn judge(&self, host: &str, port: u16, key: &PublicKey) -> Result<(), Failure> {
        let shown = key.fingerprint(HashAlg::Sha256);
        match self {
            Self::Nothing => Err(Failure::Refused(unknown(host, port, key))),
            Self::Fingerprint(known) if *known == shown => Ok(()),
            Self::Fingerprint(_) => Err(Failure::Another(shown.to_string())),
            Self::KnownHosts(path) => {
                let found = known_hosts::look_up(&read(path)?, host, port, key);
                let file = path.display();
                match found {
                    Found::Known => Ok(()),
                    Found::Unknown => Err(Failure::Refused(
                        Error::new(
                            ErrorKind::Config,
                            format!("the SSH server {host}:{port} is not in `ssh_known_hosts` {file}"),
                        )
                        .with_context("host key", shown.to_string())
                        .with_help(format!(
                            "{}, then add this line to the file: {} {}",
                            compare(key),
                            known_hosts::name(host, port),
                            key.to_openssh().unwrap_or_default()
                        )),
                    )),
                    Found::Changed(line) => Err(Failure::Refused(
                        Error::new(
                            ErrorKind::Config,
                            format!(
                                "the host key of the SSH server {host}:{port} has changed: it is not the one in line \
                                 {line} of {file}"
                            ),
                        )
                        .with_context("host key", shown.to_string())
                        .with_help(format!(
                            "somebody may be in between; {}, then put it in the place of that line",
                            compare(key)
                        )),
                    )),
                    Found::Revoked(line) => Err(Failure::Refused(
                        Error::new(
                            ErrorKind::Config,
                            format!("the host key of the SSH server {host}:{port} is revoked by line {line} of {file}"),
                        )
                        .with_help("whoever shows this key is not to be trusted; ask whoever runs the server"),
                    )),
                }
            }
        }
    }
}

/// None of the server's keys has the fingerprint it should have.
pub(super) fn changed(host: &str, port: u16, shown: &[String]) -> Error {
    Error::new(
        ErrorKind::Config,
        format!("the host key of the SSH server {host}:{port} is not the one of `ssh_fingerprint`"),
    )
    .with_context("host keys", shown.join(", "))
    .with_help(
        "somebody may be in between; if whoever runs the server says that its key has changed, set \
         `ssh_fingerprint` to the new one",
    )
}

fn unknown(host: &str, port: u16, key: &PublicKey) -> Error {
    let shown = key.fingerprint(HashAlg::Sha256);
    Error::new(
        ErrorKind::Config,
        format!("nothing says how to recognise the SSH server {host}:{port}"),
    )
    .with_context("host key", shown.to_string())
    .with_help(format!(
        "{}, then set `ssh_fingerprint` to {shown}; or name a file with `ssh_known_hosts`",
        compare(key)
    ))
}

/// How to find out whether a key is the server's.
fn compare(key: &PublicKey) -> String {
    let kind = match key.algorithm() {
        Algorithm::Ed25519 => "ed25519",
        Algorithm::Rsa { .. } => "rsa",
        _ => "ecdsa",
    };
    format!(
        "on the server itself, compare with `ssh-keygen -lf /etc/ssh/ssh_host_{kind}_key.pub`, which must say {}",
        key.fingerprint(HashAlg::Sha256)
    )
}

fn fingerprint(text: &str) -> Result<Fingerprint> {
    let text = text.trim().trim_end_matches('=');
    let text = if text.contains(':') {
        text.to_owned()
    } else {
        format!("SHA256:{text}")
    };
    text.parse()
        .ok()
        .filter(|found| matches!(found, Fingerprint::Sha256(_)))
        .ok_or_else(|| {
            Error::new(
                ErrorKind::Config,
                "`ssh_fingerprint` is no SHA-256 fingerprint of a host key",
            )
            .with_help("it looks like SHA256:… in what `ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub` says on the server")
        })
}

fn read(path: &PathBuf) -> Result<String> {
    let bytes = fs::read(path).map_err(|error| {
        Error::new(
            ErrorKind::Config,
            format!("`ssh_known_hosts` {} cannot be read", path.display()),
        )
        .with_help(if path.starts_with("~") {
            "write the path in full: `~` means something to a shell only"
        } else {
            "name a file that this program may read, or give `ssh_fingerprint` instead"
        })
        .with_source(error)
    })?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Why a session ended before it began.
#[derive(Debug)]
pub(super) enum Failure {
    Ssh(russh::Error),
    /// By ourselves.
    Refused(Error),
    /// The key has this fingerprint, which is another one.
    Another(String),
}

impl From<russh::Error> for Failure {
    fn from(error: russh::Error) -> Self {
        Self::Ssh(error)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Refused(error)
    }
}

/// Judges the server's key when it comes.
pub(super) struct Check {
    pub(super) trust: Arc<Trust>,
    pub(super) host: String,
    pub(super) port: u16,
}

impl client::Handler for Check {
    type Error = Failure;

    async fn check_server_key(&mut self, key: &PublicKeyOrCertificate) -> Result<bool, Failure> {
        match key {
            PublicKeyOrCertificate::PublicKey { key, .. } => {
                self.trust.judge(&self.host, self.port, key)?;
                Ok(true)
            }
            // None is asked for.
            PublicKeyOrCertificate::Certificate(_) => Ok(false),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fingerprints_are_read_as_ssh_keygen_says_them() {
        let plain = "Nh0Me49Zh9fDw/VYUfq43IJmI1T+XrjiYONPND8GzaM";
        assert_eq!(
            fingerprint(&format!("SHA256:{plain}")).unwrap().to_string(),
            format!("SHA256:{plain}")
        );
        assert!(fingerprint(plain).is_ok());
        assert!(fingerprint(&format!("SHA256:{plain}=")).is_ok());
        let md5 = "MD5:16:27:ac:a5:76:28:2d:36:63:1b:56:4d:eb:df:a6:48";
        assert_eq!(fingerprint(md5).unwrap_err().kind(), ErrorKind::Config);
        assert!(fingerprint("SHA256:short").is_err());
    }
}
