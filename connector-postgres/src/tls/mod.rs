//! Encryption: what is trusted, and who we say we are.

mod failure;
mod verifier;

use std::sync::Arc;

use connector_core::{Error, ErrorKind, Result};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};
use tokio_postgres_rustls::MakeRustlsConnect;

pub(crate) use failure::explain;

use crate::config::{Config, SslMode};
use crate::pem::Pem;
use verifier::{Trust, Verifier};

/// How to encrypt, as the settings say; `None`: plain text.
pub(crate) fn connector(config: &Config) -> Result<Option<MakeRustlsConnect>> {
    let mode = config.effective_ssl_mode();
    if mode == SslMode::Disable {
        return plain(config);
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let trust = match mode {
        SslMode::Disable | SslMode::Require => Trust::Anybody,
        SslMode::VerifyCa => roots(config, false)?,
        SslMode::VerifyFull => roots(config, true)?,
    };
    let verifier = Verifier::new(trust, &provider);
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| Error::new(ErrorKind::Bug, "TLS cannot be set up").with_source(error))?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier));
    let client = match client_certificate(config)? {
        None => builder.with_no_client_auth(),
        Some((chain, key)) => builder.with_client_auth_cert(chain, key).map_err(|error| {
            Error::new(
                ErrorKind::Config,
                "`ssl_client_cert` and `ssl_client_key` do not belong together",
            )
            .with_help("name a certificate and the key it was made for")
            .with_source(error)
        })?,
    };
    Ok(Some(MakeRustlsConnect::new(client)))
}

/// Nothing is encrypted: settings of TLS are a mistake then.
fn plain(config: &Config) -> Result<Option<MakeRustlsConnect>> {
    let given = [
        ("ssl_root_cert", config.ssl_root_cert.is_some()),
        ("ssl_client_cert", config.ssl_client_cert.is_some()),
        ("ssl_client_key", config.ssl_client_key.is_some()),
        ("channel_binding", config.require_channel_binding),
    ];
    match given.into_iter().find(|(_, given)| *given) {
        None => Ok(None),
        Some((key, _)) => Err(Error::new(
            ErrorKind::Config,
            format!("`{key}` is given, and the connection is not encrypted"),
        )
        .with_help(
            "set `ssl_mode` to `verify-full`; left out, a connection to this machine itself is in plain text",
        )),
    }
}

/// Whom the certificate may be signed by.
fn roots(config: &Config, name: bool) -> Result<Trust> {
    let mut roots = RootCertStore::empty();
    let mut pinned = Vec::new();
    match &config.ssl_root_cert {
        Some(pem) => {
            for certificate in certificates(pem, "ssl_root_cert")? {
                // What is no authority can still be the server's own certificate.
                let _ = roots.add(certificate.clone());
                pinned.push(certificate);
            }
        }
        None => {
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            if roots.is_empty() {
                return Err(Error::new(
                    ErrorKind::Config,
                    "this machine trusts no certificate authority, so no server can be verified",
                )
                .with_help("name the PEM file of the server's authority with `ssl_root_cert`"));
            }
        }
    }
    Ok(Trust::Authorities { roots, pinned, name })
}

fn client_certificate(
    config: &Config,
) -> Result<Option<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>)>> {
    let Some(pem) = &config.ssl_client_cert else {
        return match config.ssl_client_key {
            None => Ok(None),
            Some(_) => Err(Error::new(
                ErrorKind::Config,
                "`ssl_client_key` is given without `ssl_client_cert`",
            )
            .with_help("name the certificate of the key")),
        };
    };
    let chain = certificates(pem, "ssl_client_cert")?;
    // A certificate's file often holds its key as well.
    let (key_pem, name) = match &config.ssl_client_key {
        Some(key) => (key, "ssl_client_key"),
        None => (pem, "ssl_client_cert"),
    };
    let text = key_pem.read_private(name)?;
    if text.contains("ENCRYPTED") {
        return Err(Error::new(
            ErrorKind::Unsupported,
            format!(
                "{} holds an encrypted key, which is not supported for TLS",
                key_pem.describe(name)
            ),
        )
        .with_help("decrypt it: `openssl pkey -in KEY -out KEY.plain`, then `chmod 600 KEY.plain`"));
    }
    match PrivateKeyDer::from_pem_slice(text.as_bytes()) {
        Ok(key) => Ok(Some((chain, key))),
        Err(_) => Err(Error::new(
            ErrorKind::Config,
            format!("{} holds no private key", key_pem.describe(name)),
        )
        .with_help("name the PEM file of the certificate's key with `ssl_client_key`")),
    }
}

fn certificates(pem: &Pem, key: &str) -> Result<Vec<CertificateDer<'static>>> {
    let unusable = || {
        Error::new(
            ErrorKind::Config,
            format!("{} holds no certificate", pem.describe(key)),
        )
        .with_help("name a PEM file with a `-----BEGIN CERTIFICATE-----` line")
    };
    let text = pem.read(key)?;
    let found = CertificateDer::pem_slice_iter(text.as_bytes())
        .collect::<Result<Vec<_>, _>>()
        .map_err(|_| unusable())?;
    if found.is_empty() {
        return Err(unusable());
    }
    Ok(found)
}
