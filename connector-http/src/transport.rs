//! What went wrong on the way, in words.

use std::error::Error as StdError;
use std::io;

use connector_core::{Error, ErrorKind, Retry};

use crate::request::Request;

/// The error of a request that got no whole answer.
///
/// Only a connection that was never made leaves no doubt: the error of any other request that is not idempotent
/// says that it may have been carried out.
pub(crate) fn transport_error(error: reqwest::Error, request: &Request, proxied: bool) -> Error {
    let not_sent = error.is_connect();
    let untrusted = matches!(
        cause::<rustls::Error>(&error),
        Some(rustls::Error::InvalidCertificate(_))
    );
    let (message, help) = describe(&error, &request.authority(), proxied);
    // Its own text would show the query.
    let wrapped = Error::new(ErrorKind::Unavailable, message).with_source(error.without_url());
    let wrapped = match help {
        Some(help) => wrapped.with_help(help),
        None => wrapped,
    };
    let wrapped = if untrusted {
        wrapped.with_retry(Retry::Never)
    } else {
        wrapped
    };
    if not_sent || request.idempotent {
        wrapped
    } else {
        wrapped.with_may_have_applied()
    }
}

/// Whether nobody listens there: a wrong address far more often than a pause, so that patience is short.
pub(crate) fn is_refused(error: &Error) -> bool {
    cause::<io::Error>(error).is_some_and(|error| error.kind() == io::ErrorKind::ConnectionRefused)
}

fn describe(error: &reqwest::Error, authority: &str, proxied: bool) -> (String, Option<&'static str>) {
    const ADDRESS: &str = "check the address and port, and that a firewall lets the connection through";
    let through = if proxied { " through the proxy" } else { "" };
    if let Some(tls) = cause::<rustls::Error>(error) {
        let certificate = matches!(tls, rustls::Error::InvalidCertificate(_));
        let help = certificate.then_some(
            "point `ca_file` at the certificate authority of the server or of the proxy that opens the connection",
        );
        return (format!("the TLS connection to {authority}{through} fails"), help);
    }
    if error.is_connect() {
        let refused =
            cause::<io::Error>(error).is_some_and(|error| error.kind() == io::ErrorKind::ConnectionRefused);
        return if refused {
            (
                format!("nobody answers at {authority}{through} (connection refused)"),
                Some(ADDRESS),
            )
        } else if error.is_timeout() {
            (
                format!("nobody answers at {authority}{through} (no connection in time)"),
                Some(ADDRESS),
            )
        } else if error.is_dns() {
            (
                format!("the name of {authority} is not known{through}"),
                Some("check the spelling of the host name"),
            )
        } else {
            (
                format!("no connection to {authority}{through} can be made"),
                Some(ADDRESS),
            )
        };
    }
    if error.is_timeout() {
        return (format!("{authority} stopped answering"), None);
    }
    (format!("the connection to {authority} broke off"), None)
}

/// The first cause of type `E`.
fn cause<'a, E: StdError + 'static>(error: &'a (dyn StdError + 'static)) -> Option<&'a E> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref::<E>() {
            return Some(found);
        }
        // An io::Error passes over what it wraps when asked for its source.
        if let Some(inner) = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref)
            && let Some(found) = cause::<E>(inner)
        {
            return Some(found);
        }
        next = error.source();
    }
    None
}
