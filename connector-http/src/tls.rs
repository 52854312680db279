//! Whom to trust.

use std::path::Path;
use std::sync::Arc;

use connector_core::{Error, ErrorKind, Result};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

/// TLS 1.2 and 1.3 by ring, trusting the system's certificate authorities and those of `ca_file`.
pub(crate) fn client_config(ca_file: Option<&Path>) -> Result<ClientConfig> {
    let mut roots = RootCertStore::empty();
    // Certificates of the system that cannot be read are left out: one bad file must not stop every connection.
    let system = rustls_native_certs::load_native_certs();
    roots.add_parsable_certificates(system.certs);
    if let Some(path) = ca_file {
        add_file(&mut roots, path)?;
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| Error::new(ErrorKind::Bug, "TLS cannot be set up").with_source(error))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

fn add_file(roots: &mut RootCertStore, path: &Path) -> Result<()> {
    let refused = |said: &str| {
        Error::new(
            ErrorKind::Config,
            format!("the certificate file `{}` {said}", path.display()),
        )
        .with_help("point `ca_file` at a PEM file with the certificates of the authorities to trust")
    };
    let mut found = 0;
    for certificate in
        CertificateDer::pem_file_iter(path).map_err(|error| refused("cannot be read").with_source(error))?
    {
        let certificate = certificate.map_err(|error| refused("is no PEM file").with_source(error))?;
        roots
            .add(certificate)
            .map_err(|error| refused("holds a certificate that is none").with_source(error))?;
        found += 1;
    }
    if found == 0 {
        Err(refused("holds no certificate"))
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_file_that_is_none_is_refused_by_name() {
        let error = client_config(Some(Path::new("no-such.pem"))).unwrap_err();
        assert_eq!(
            error.message(),
            "the certificate file `no-such.pem` cannot be read"
        );
        let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
        assert!(
            client_config(Some(&manifest))
                .unwrap_err()
                .message()
                .ends_with("holds no certificate")
        );
        assert!(client_config(None).is_ok());
    }
}
