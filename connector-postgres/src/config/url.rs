//! Connections as URLs.

use connector_core::{Error, ErrorKind, Result, Secret};

/// The parts of a URL as keys. Errors never show the URL: it holds the password.
pub(super) fn split(url: &str) -> Result<Vec<(String, Secret)>> {
    let wrong = || {
        Error::new(ErrorKind::Config, "the PostgreSQL `url` is not a URL")
            .with_help("write it as postgres://user:password@host:5432/database")
    };
    let url = url::Url::parse(url).map_err(|_| wrong())?;
    if !matches!(url.scheme(), "postgres" | "postgresql") {
        return Err(wrong());
    }
    let decode = |text: &str| {
        // A query decodes `+` as a space; the parts before it must keep theirs.
        let text = text.replace('+', "%2B");
        url::form_urlencoded::parse(format!("x={}", text.replace('&', "%26")).as_bytes())
            .next()
            .map(|(_, value)| value.into_owned())
            .unwrap_or_default()
    };
    let mut parts = Vec::new();
    let mut part = |key: &str, value: String| parts.push((key.to_owned(), Secret::new(value)));
    let host = url.host_str().ok_or_else(wrong)?;
    part("server", host.trim_matches(['[', ']']).to_owned());
    part("user", decode(url.username()));
    part("password", decode(url.password().unwrap_or_default()));
    if let Some(port) = url.port() {
        part("port", port.to_string());
    }
    part("database", decode(url.path().trim_start_matches('/')));
    for (key, value) in url.query_pairs() {
        part(&key, value.into_owned());
    }
    Ok(parts)
}
