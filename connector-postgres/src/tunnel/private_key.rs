//! The key a user signs in with.

use connector_core::{Error, ErrorKind, Result, Secret};
use russh::keys::{PrivateKey, decode_secret_key};

use crate::pem::Pem;

const KEY: &str = "ssh_client_cert";

/// Reads a private key, and opens it if it is encrypted.
pub(super) fn load(pem: &Pem, passphrase: Option<&Secret>) -> Result<PrivateKey> {
    let text = pem.read_private(KEY)?;
    let name = pem.describe(KEY);
    if !text.contains("PRIVATE KEY-----") {
        return Err(
            Error::new(ErrorKind::Config, format!("{name} holds no private key"))
                .with_help("name the private half of a key that `ssh-keygen` or `openssl` made"),
        );
    }
    if let Some(cipher) = unknown_cipher(&text) {
        return Err(Error::new(
            ErrorKind::Unsupported,
            format!("{name} is encrypted in a way that is not supported ({cipher})"),
        )
        .with_help("store it in OpenSSH's format: `ssh-keygen -p -f KEY`, on a copy"));
    }
    let passphrase = match (is_encrypted(&text), passphrase) {
        (false, _) => None,
        (true, Some(passphrase)) => Some(passphrase.reveal()),
        (true, None) => {
            return Err(Error::new(
                ErrorKind::Config,
                format!("{name} is encrypted, and there is no passphrase"),
            )
            .with_help("give it as `ssh_client_cert_password`"));
        }
    };
    decode_secret_key(&text, passphrase).map_err(|error| match passphrase {
        Some(_) => Error::new(ErrorKind::Config, format!("the passphrase does not open {name}"))
            .with_help("check `ssh_client_cert_password`")
            .with_source(error),
        None => Error::new(ErrorKind::Config, format!("{name} cannot be read"))
            .with_help(
                "it must be an Ed25519, ECDSA or RSA key, as OpenSSH's own format, PKCS#1, SEC1 or PKCS#8",
            )
            .with_source(error),
    })
}

fn is_encrypted(text: &str) -> bool {
    text.contains("ENCRYPTED") || PrivateKey::from_openssh(text.trim()).is_ok_and(|key| key.is_encrypted())
}

/// The old encryption within the PEM file itself, where it is not the one that can be read.
fn unknown_cipher(text: &str) -> Option<&str> {
    let cipher = text
        .lines()
        .find_map(|line| line.strip_prefix("DEK-Info:"))?
        .trim();
    let readable = cipher.starts_with("AES-128-CBC,") && text.contains("-----BEGIN RSA PRIVATE KEY-----");
    (!readable).then(|| cipher.split(',').next().unwrap_or(cipher))
}
