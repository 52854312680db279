//! `Key=Value;…`, as users of this field paste it.

use crate::error::{Error, ErrorKind, Result};
use crate::secret::Secret;

/// Splits a connection string into its pairs, in order.
///
/// Values may be quoted with `'` or `"` (doubled inside to stand for themselves); unquoted ones end at `;` and are
/// trimmed. Backslashes are ordinary characters, so Windows paths stay intact. Which keys there are is for the
/// connector to say; a key that stands twice, in whatever case, is refused. Every value is a [`Secret`], for nobody
/// can tell here which of them are none.
///
/// # Errors
/// [`ErrorKind::Config`]: a part without `=`, a quote without an end, a key twice. The message names keys and
/// positions, never values.
pub fn parse_connection_string(text: &str) -> Result<Vec<(String, Secret)>> {
    let mut pairs: Vec<(String, Secret)> = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix(';') {
            rest = after.trim_start();
            continue;
        }
        let position = text.len() - rest.len() + 1;
        let end = rest.find(['=', ';']).unwrap_or(rest.len());
        let key = rest[..end].trim();
        let Some(after) = rest[end..].strip_prefix('=') else {
            return Err(Error::new(
                ErrorKind::Config,
                format!("the connection string has no `=` after position {position}"),
            )
            .with_help("write it as Key=Value;Key=Value; and put values that hold a `;` in quotes"));
        };
        if key.is_empty() {
            return Err(Error::new(
                ErrorKind::Config,
                format!("the connection string has no key at position {position}"),
            ));
        }
        let (value, after) = take_value(after, key)?;
        if pairs.iter().any(|(other, _)| other.eq_ignore_ascii_case(key)) {
            return Err(Error::new(
                ErrorKind::Config,
                format!("the connection string says `{key}` twice"),
            ));
        }
        pairs.push((key.to_owned(), Secret::new(value)));
        rest = after.trim_start();
    }
    Ok(pairs)
}

/// The value at the front of `text`, and what follows its `;`.
fn take_value<'a>(text: &'a str, key: &str) -> Result<(String, &'a str)> {
    let trimmed = text.trim_start();
    let Some(quote) = trimmed.chars().next().filter(|c| matches!(c, '"' | '\'')) else {
        let end = text.find(';').unwrap_or(text.len());
        return Ok((
            text[..end].trim().to_owned(),
            text[end..].strip_prefix(';').unwrap_or_default(),
        ));
    };
    let mut value = String::new();
    let mut rest = &trimmed[1..];
    loop {
        let unfinished = || {
            Error::new(
                ErrorKind::Config,
                format!("the quoted value of `{key}` does not end"),
            )
        };
        let end = rest.find(quote).ok_or_else(unfinished)?;
        value.push_str(&rest[..end]);
        rest = &rest[end + 1..];
        match rest.strip_prefix(quote) {
            Some(after) => {
                value.push(quote);
                rest = after;
            }
            None => break,
        }
    }
    match rest.trim_start() {
        "" => Ok((value, "")),
        after => after
            .strip_prefix(';')
            .map(|after| (value, after))
            .ok_or_else(|| {
                Error::new(
                    ErrorKind::Config,
                    format!("something follows the quoted value of `{key}` before the next `;`"),
                )
            }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(text: &str) -> Vec<(String, String)> {
        let pairs = parse_connection_string(text).unwrap();
        pairs
            .into_iter()
            .map(|(key, value)| (key, value.reveal().to_owned()))
            .collect()
    }

    #[test]
    fn the_scenario_s_strings_parse() {
        let text = r"User=admin;Password=adminpassword;Database=test;Server=PostgreSQL-server;Port=5432;UseSSH=true;SSHClientCertType=PEMKEY_FILE;SSHPort=22;SSHServer=ssh-server;SSHUser=root;SSHClientCert=C:\Keys\key.pem;";
        let pairs = pairs(text);
        assert_eq!(pairs.len(), 11);
        assert_eq!(
            pairs[10],
            ("SSHClientCert".to_owned(), r"C:\Keys\key.pem".to_owned())
        );
    }

    #[test]
    fn quotes_hold_what_would_end_a_value() {
        let wanted = [
            ("a", "x;y=z"),
            ("b", "it's"),
            ("c", "say \"hi\""),
            ("d", ""),
            ("e", "p=q"),
        ];
        let text = r#" a = "x;y=z" ;b='it''s';; c="say ""hi""";d=;e=p=q"#;
        assert_eq!(
            pairs(text),
            wanted.map(|(key, value)| (key.to_owned(), value.to_owned()))
        );
    }

    #[test]
    fn errors_name_keys_and_never_values() {
        for (text, wanted) in [
            (
                "User=a;hunter2;",
                "the connection string has no `=` after position 8",
            ),
            ("Password='hunter2", "the quoted value of `Password` does not end"),
            (
                "Password='hunter2'x;",
                "something follows the quoted value of `Password` before the next `;`",
            ),
            ("User=a;USER=hunter2", "the connection string says `USER` twice"),
            ("=hunter2", "the connection string has no key at position 1"),
        ] {
            let error = parse_connection_string(text).unwrap_err();
            assert_eq!(error.to_string(), wanted);
            assert!(!format!("{error:?}{}", error.report()).contains("hunter2"));
        }
    }
}
