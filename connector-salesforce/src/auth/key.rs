//! The private key that signs a JWT.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use connector_core::{Error, ErrorKind, Result, Secret};
use pkcs8::der::Document;
use pkcs8::{EncryptedPrivateKeyInfoRef, PrivateKeyInfoRef};
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use rustls_pki_types::PrivateKeyDer;
use rustls_pki_types::pem::PemObject;

const HELP: &str = "give an RSA key of 2048 bits or more in PEM, whose first line is `-----BEGIN PRIVATE KEY-----` or \
                    `-----BEGIN RSA PRIVATE KEY-----`";

/// An RSA key whose certificate the app in Salesforce knows.
#[derive(Clone)]
pub struct PrivateKey(Arc<RsaKeyPair>);

impl PrivateKey {
    /// Reads a PEM text: PKCS#8 or PKCS#1, or encrypted PKCS#8 with its password.
    ///
    /// # Errors
    /// [`ErrorKind::Config`]: it holds no RSA key that can be used, or the password is missing or wrong.
    pub fn from_pem(pem: &Secret, password: Option<&Secret>) -> Result<Self> {
        let text = pem.reveal();
        if text.contains("BEGIN ENCRYPTED PRIVATE KEY") {
            return Self::decrypted(text, password);
        }
        if text.contains("Proc-Type: 4,ENCRYPTED") {
            return Err(wrong("the private key is encrypted in an old way")
                .with_help("convert it: openssl pkcs8 -topk8 -in old.pem -out new.pem"));
        }
        // Causes are left out, for they could show what stands there.
        let der = PrivateKeyDer::from_pem_slice(text.as_bytes()).map_err(|_| none())?;
        let pair = match &der {
            PrivateKeyDer::Pkcs8(der) => RsaKeyPair::from_pkcs8(der.secret_pkcs8_der()),
            PrivateKeyDer::Pkcs1(der) => RsaKeyPair::from_der(der.secret_pkcs1_der()),
            _ => return Err(wrong("the private key is no RSA key").with_help(HELP)),
        };
        Ok(Self(Arc::new(pair.map_err(|_| refused())?)))
    }

    /// The same from a file.
    ///
    /// # Errors
    /// As [`from_pem`](Self::from_pem), or the file cannot be read.
    pub fn from_pem_file(path: impl AsRef<Path>, password: Option<&Secret>) -> Result<Self> {
        let path = path.as_ref();
        let said = |error: Error| error.with_context("file", path.display().to_string());
        let text = std::fs::read_to_string(path).map_err(|error| {
            said(
                wrong("the private key's file cannot be read")
                    .with_help(
                        "check the path and the rights; a .pfx or .jks file has to be converted to PEM",
                    )
                    .with_source(error),
            )
        })?;
        Self::from_pem(&Secret::new(text), password).map_err(said)
    }

    fn decrypted(text: &str, password: Option<&Secret>) -> Result<Self> {
        let password = password.ok_or_else(|| {
            wrong("the private key is encrypted and no password is given")
                .with_help("set `private_key_password`")
        })?;
        let (_, der) = Document::from_pem(text.trim()).map_err(|_| none())?;
        let key = EncryptedPrivateKeyInfoRef::try_from(der.as_bytes()).map_err(|_| none())?;
        let clear = key.decrypt(password.reveal()).map_err(|_| {
            wrong("the private key cannot be decrypted").with_help(
                "check `private_key_password`; an old cipher has to be replaced: openssl pkcs8 -topk8 -v2 aes256",
            )
        })?;
        PrivateKeyInfoRef::try_from(clear.as_bytes()).map_err(|_| none())?;
        let pair = RsaKeyPair::from_pkcs8(clear.as_bytes()).map_err(|_| refused())?;
        Ok(Self(Arc::new(pair)))
    }

    /// An RS256 signature.
    pub(super) fn sign(&self, message: &[u8]) -> Result<Vec<u8>> {
        let mut signature = vec![0; self.0.public().modulus_len()];
        let signed = self
            .0
            .sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature);
        signed.map_err(|_| Error::new(ErrorKind::Bug, "the private key cannot sign"))?;
        Ok(signature)
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PrivateKey")
    }
}

fn wrong(message: &'static str) -> Error {
    Error::new(ErrorKind::Config, message)
}

fn none() -> Error {
    wrong("the private key is no PEM text of a key").with_help(HELP)
}

fn refused() -> Error {
    wrong("the private key cannot be used for RS256").with_help(HELP)
}
