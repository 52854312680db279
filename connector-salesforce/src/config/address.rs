//! Which addresses secrets may be sent to.

use connector_core::{Error, ErrorKind, Result};
use url::Url;

/// Reads an address that secrets may be sent to.
pub(crate) fn address(key: &str, text: &str) -> Result<Url> {
    let url = endpoint(key, text)?;
    if url.query().is_some() {
        return Err(wrong(key, "holds more than an address", MORE));
    }
    Ok(url)
}

/// The same for an endpoint, whose query says which org or app is meant.
pub(crate) fn endpoint(key: &str, text: &str) -> Result<Url> {
    let Ok(url) = Url::parse(text.trim().trim_end_matches('/')) else {
        return Err(wrong(
            key,
            "is no address",
            "write it as https://acme.my.salesforce.com",
        ));
    };
    if !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
        return Err(wrong(key, "holds more than an address", MORE));
    }
    if !is_trustworthy(&url) {
        return Err(wrong(
            key,
            "is not https",
            "use https; plain http is taken for loopback addresses only",
        ));
    }
    Ok(url)
}

const MORE: &str = "leave out user names, `?` and `#`";

fn wrong(key: &str, how: &str, help: &'static str) -> Error {
    Error::new(ErrorKind::Config, format!("`{key}` {how}")).with_help(help)
}

/// Whether an address may be sent a secret: encrypted, or not leaving the machine.
pub(crate) fn is_trustworthy(url: &Url) -> bool {
    url.host().is_some() && (url.scheme() == "https" || url.scheme() == "http" && is_loopback(url))
}

/// Whether an address is this machine's own.
pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
        Some(url::Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    }
}
