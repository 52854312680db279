//! Private keys in every form they come in. They open nothing but the servers of these tests.

use connector_core::Secret;
use connector_postgres::{Pem, SshAuth};
use russh::keys::{PublicKey, decode_secret_key};

/// What the encrypted ones are opened with.
pub(crate) const PASSPHRASE: &str = "correct horse";

/// Name, text, whether it is encrypted.
pub(crate) const KEYS: [(&str, &str, bool); 14] = [
    ("Ed25519, OpenSSH", include_str!("keys/ed25519.openssh"), false),
    (
        "Ed25519, OpenSSH, encrypted",
        include_str!("keys/ed25519.openssh.encrypted"),
        true,
    ),
    ("Ed25519, PKCS#8", include_str!("keys/ed25519.pkcs8"), false),
    ("RSA, OpenSSH", include_str!("keys/rsa.openssh"), false),
    (
        "RSA, OpenSSH, encrypted",
        include_str!("keys/rsa.openssh.encrypted"),
        true,
    ),
    ("RSA, PKCS#1", include_str!("keys/rsa.pkcs1"), false),
    (
        "RSA, PKCS#1, encrypted",
        include_str!("keys/rsa.pkcs1.encrypted"),
        true,
    ),
    ("RSA, PKCS#8", include_str!("keys/rsa.pkcs8"), false),
    (
        "RSA, PKCS#8, encrypted",
        include_str!("keys/rsa.pkcs8.encrypted"),
        true,
    ),
    ("ECDSA, OpenSSH", include_str!("keys/ecdsa.openssh"), false),
    (
        "ECDSA, OpenSSH, encrypted",
        include_str!("keys/ecdsa.openssh.encrypted"),
        true,
    ),
    ("ECDSA, SEC1", include_str!("keys/ecdsa.sec1"), false),
    ("ECDSA, PKCS#8", include_str!("keys/ecdsa.pkcs8"), false),
    (
        "ECDSA, PKCS#8, encrypted",
        include_str!("keys/ecdsa.pkcs8.encrypted"),
        true,
    ),
];

/// Encrypted in the one way that is not supported.
pub(crate) const AES_256: &str = include_str!("keys/rsa.pkcs1.aes256");

/// The public halves.
pub(crate) fn public() -> Vec<PublicKey> {
    let public = |&(name, text, encrypted): &(&str, &str, bool)| {
        let key = decode_secret_key(text, encrypted.then_some(PASSPHRASE));
        key.unwrap_or_else(|error| panic!("{name}: {error}"))
            .public_key()
            .clone()
    };
    KEYS.iter().map(public).collect()
}

pub(crate) fn auth(text: &str, passphrase: Option<&str>) -> SshAuth {
    SshAuth::Key {
        key: Pem::Text(Secret::new(text)),
        passphrase: passphrase.map(Secret::new),
    }
}

/// The simplest.
pub(crate) fn ed25519() -> SshAuth {
    auth(KEYS[0].1, None)
}
