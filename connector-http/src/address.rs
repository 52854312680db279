//! Which addresses requests may go to.

use connector_core::{Error, ErrorKind, Result};
use url::{Host, Url};

/// Checks that what is sent to `url` cannot be read on the way: `https`, or `http` to a loopback address.
///
/// # Errors
/// [`ErrorKind::Config`]: another scheme, `http` to another machine, or a user name or password within the address.
pub fn check_url(url: &Url) -> Result<()> {
    let host = url.host_str().unwrap_or_default();
    if !url.username().is_empty() || url.password().is_some() {
        return Err(Error::new(
            ErrorKind::Config,
            format!("the address of `{host}` holds a user name or password"),
        )
        .with_help("put credentials into their own keys"));
    }
    match url.scheme() {
        "https" => Ok(()),
        "http" if is_loopback(url) => Ok(()),
        "http" => Err(Error::new(
            ErrorKind::Config,
            format!("plain http to `{host}` would show the token to others"),
        )
        .with_help("write https; plain http is accepted for loopback addresses only")),
        scheme => Err(Error::new(
            ErrorKind::Config,
            format!("the scheme `{scheme}` is no way to reach an API"),
        )
        .with_help("write an address that begins with https://")),
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_may_be_asked_in_the_clear() {
        for good in [
            "https://api.example.com/",
            "http://127.0.0.1:80/",
            "http://[::1]:9/",
            "http://localhost/",
        ] {
            assert!(check_url(&Url::parse(good).unwrap()).is_ok(), "{good}");
        }
        for bad in [
            "http://api.example.com/",
            "http://127.0.0.1.example.com/",
            "http://localhost.example.com/",
            "ftp://localhost/",
            "https://user:hunter2@example.com/",
        ] {
            let error = check_url(&Url::parse(bad).unwrap()).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Config, "{bad}");
            assert!(!error.report().to_string().contains("hunter2"));
        }
    }
}
