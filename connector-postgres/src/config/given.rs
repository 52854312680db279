//! What is said about a connection, by key.

use connector_core::{Error, ErrorKind, Result, Secret, nearest, parse_connection_string};

use super::KEYS;

/// Each key and its value. An empty value says nothing.
pub(super) struct Given(Vec<(&'static str, Secret)>);

impl Given {
    /// Takes connection strings and URLs apart, as if their parts stood beside them.
    pub(super) fn read(properties: impl IntoIterator<Item = (String, Secret)>) -> Result<Self> {
        let mut given = Self(Vec::new());
        for (key, value) in properties {
            if fold(&key) == "connectionstring" {
                for (key, value) in parse_connection_string(value.reveal())? {
                    given.insert(&key, value)?;
                }
            } else {
                given.insert(&key, value)?;
            }
        }
        if let Some(url) = given.secret("url") {
            for (key, value) in split_url(url.reveal())? {
                given.insert(key, value)?;
            }
        }
        Ok(given)
    }

    pub(super) fn text(&self, key: &str) -> Option<&str> {
        let found = self.0.iter().find(|(other, _)| *other == key);
        found.map(|(_, value)| value.reveal())
    }

    pub(super) fn secret(&self, key: &str) -> Option<Secret> {
        self.text(key).map(Secret::new)
    }

    pub(super) fn number<T: TryFrom<u64>>(&self, key: &str) -> Result<Option<T>> {
        let Some(text) = self.text(key) else {
            return Ok(None);
        };
        let number = text.parse().ok().and_then(|number| T::try_from(number).ok());
        number.map(Some).ok_or_else(|| {
            Error::new(
                ErrorKind::Config,
                format!("`{key}` is not a whole number, or too large"),
            )
            .with_help("write it in digits alone")
        })
    }

    pub(super) fn flag(&self, key: &str) -> Result<Option<bool>> {
        let Some(text) = self.text(key) else {
            return Ok(None);
        };
        match text.to_ascii_lowercase().as_str() {
            "true" | "yes" | "1" => Ok(Some(true)),
            "false" | "no" | "0" => Ok(Some(false)),
            _ => Err(
                Error::new(ErrorKind::Config, format!("`{key}` is neither true nor false"))
                    .with_help("write `true` or `false`"),
            ),
        }
    }

    fn insert(&mut self, key: &str, value: Secret) -> Result<()> {
        if value.reveal().is_empty() {
            return Ok(());
        }
        let name = name_of(key).ok_or_else(|| unknown(key))?;
        match self.0.iter().find(|(other, _)| *other == name) {
            Some((_, said)) if *said == value => Ok(()),
            Some(_) => Err(Error::new(
                ErrorKind::Config,
                format!("the PostgreSQL connection says `{name}` twice, differently"),
            )),
            None => {
                self.0.push((name, value));
                Ok(())
            }
        }
    }
}

/// The key that is meant.
fn name_of(key: &str) -> Option<&'static str> {
    let folded = fold(key);
    let known = KEYS
        .iter()
        .find(|(name, aliases)| fold(name) == folded || aliases.iter().any(|alias| fold(alias) == folded));
    known.map(|(name, _)| *name)
}

fn unknown(key: &str) -> Error {
    let names = || KEYS.iter().map(|(name, _)| *name);
    let near = nearest(key, names());
    let message = format!("the PostgreSQL connection has no key `{key}`");
    let help = if near.is_empty() {
        format!("the keys are {}", names().collect::<Vec<_>>().join(", "))
    } else {
        format!("did you mean `{}`?", near.join("` or `"))
    };
    Error::new(ErrorKind::Config, message).with_help(help)
}

fn fold(key: &str) -> String {
    key.chars()
        .filter(|c| !matches!(c, '_' | '-' | ' '))
        .flat_map(char::to_lowercase)
        .collect()
}

/// The parts of a URL as keys. Errors never show the URL: it holds the password.
fn split_url(url: &str) -> Result<Vec<(&'static str, Secret)>> {
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
    let host = url.host_str().ok_or_else(wrong)?;
    parts.push(("server", Secret::new(host.trim_matches(['[', ']']))));
    if !url.username().is_empty() {
        parts.push(("user", Secret::new(decode(url.username()))));
    }
    if let Some(password) = url.password() {
        parts.push(("password", Secret::new(decode(password))));
    }
    if let Some(port) = url.port() {
        parts.push(("port", Secret::new(port.to_string())));
    }
    let database = decode(url.path().trim_start_matches('/'));
    if !database.is_empty() {
        parts.push(("database", Secret::new(database)));
    }
    for (key, value) in url.query_pairs() {
        let name = name_of(&key).ok_or_else(|| {
            Error::new(
                ErrorKind::Config,
                format!("the PostgreSQL `url` has the unknown parameter `{key}`"),
            )
        })?;
        parts.push((name, Secret::new(value.into_owned())));
    }
    Ok(parts)
}
