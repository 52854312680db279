//! A handshake that failed, as a sentence and what to do.

use std::error::Error as StdError;
use std::io;

use connector_core::{Error, ErrorKind};
use rustls::{AlertDescription, CertificateError, Error as TlsError};

/// What went wrong with the encryption towards `place`, if that is what went wrong. `server` is the name that was
/// asked for.
pub(crate) fn explain(place: &str, server: &str, error: &(dyn StdError + 'static)) -> Option<Error> {
    let causes = || std::iter::successors(Some(error), |&error| error.source());
    if causes().any(|cause| cause.to_string() == "server does not support TLS") {
        return Some(
            Error::new(ErrorKind::Config, format!("{place} offers no TLS")).with_help(
                "turn it on at the server (`ssl = on`), or set `ssl_mode` to `disable` if plain text is meant: \
                 then whoever is on the way reads and changes everything",
            ),
        );
    }
    let tls = causes().find_map(tls_error)?;
    Some(match tls {
        TlsError::InvalidCertificate(reason) => certificate(place, server, reason),
        TlsError::AlertReceived(alert) if is_about_us(*alert) => Error::new(
            ErrorKind::Auth,
            format!("{place} refused our client certificate ({alert:?})"),
        )
        .with_help("check `ssl_client_cert` and `ssl_client_key` against the authority in the server's `ssl_ca_file`"),
        other => Error::new(
            ErrorKind::Unavailable,
            format!("{place} could not agree on TLS: {other}"),
        )
        .with_help("the server must speak TLS 1.2 or 1.3; see its log"),
    })
}

fn tls_error<'a>(cause: &'a (dyn StdError + 'static)) -> Option<&'a TlsError> {
    cause.downcast_ref::<TlsError>().or_else(|| {
        cause
            .downcast_ref::<io::Error>()
            .and_then(io::Error::get_ref)
            .and_then(|inner| inner.downcast_ref::<TlsError>())
    })
}

fn certificate(place: &str, server: &str, reason: &CertificateError) -> Error {
    let (message, help) = match reason {
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            let presented = match reason {
                CertificateError::NotValidForNameContext { presented, .. } => presented.as_slice(),
                _ => &[],
            };
            let help = if presented.is_empty() {
                "it names no host at all (a common name is not looked at): have it made anew with a \
                 `subjectAltName`, or set `ssl_mode` to `verify-ca` to check who signed it and nothing else"
                    .to_owned()
            } else {
                format!(
                    "set `server` to a name it has ({}), or `ssl_mode` to `verify-ca` to check who signed it and \
                     nothing else",
                    presented.join(", ")
                )
            };
            (format!("the certificate of {place} is not for `{server}`"), help)
        }
        CertificateError::UnknownIssuer | CertificateError::BadSignature => (
            format!("the certificate of {place} is signed by no authority that is trusted here"),
            "name the PEM file of its authority, or of the certificate itself, with `ssl_root_cert`"
                .to_owned(),
        ),
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => (
            format!("the certificate of {place} has expired"),
            "have it renewed at the server, or set this machine's clock right".to_owned(),
        ),
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => (
            format!("the certificate of {place} is not valid yet"),
            "set this machine's clock right".to_owned(),
        ),
        other if other.to_string().contains("CaUsedAsEndEntity") => (
            format!("the certificate of {place} is an authority's own, made by the server itself"),
            "name a PEM file of that very certificate with `ssl_root_cert`".to_owned(),
        ),
        other => (
            format!("the certificate of {place} cannot be used: {other}"),
            "have it made anew at the server".to_owned(),
        ),
    };
    Error::new(ErrorKind::Config, message).with_help(help)
}

/// Alerts by which a server turns down a client's certificate.
fn is_about_us(alert: AlertDescription) -> bool {
    matches!(
        alert,
        AlertDescription::UnknownCA
            | AlertDescription::BadCertificate
            | AlertDescription::CertificateExpired
            | AlertDescription::CertificateRevoked
            | AlertDescription::CertificateUnknown
            | AlertDescription::UnsupportedCertificate
            | AlertDescription::CertificateRequired
            | AlertDescription::DecryptError
    )
}
