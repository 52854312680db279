//! Connection strings: what is read can be written and read again, and no error shows a value.

use connector_core::{Properties, PropertyKey, Secret, parse_connection_string};

/// A value that no message may show.
const PLANTED: &str = "pl4nted-v4lue";

const KEYS: &[PropertyKey] = &[
    PropertyKey::new("user", &["username"]),
    PropertyKey::new("password", &[]),
    PropertyKey::new("port", &[]),
    PropertyKey::new("use_ssh", &["UserSSH"]),
];

pub(crate) fn check(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    if let Ok(pairs) = parse_connection_string(text) {
        for quote in ['\'', '"'] {
            let written: String = pairs
                .iter()
                .map(|(key, value)| format!("{key}={};", quoted(value.reveal(), quote)))
                .collect();
            assert_eq!(parse_connection_string(&written).unwrap(), pairs);
        }
    }
    if text.contains(PLANTED) {
        return;
    }
    // Wherever the value ends up, it comes behind a `=` or a quote: never in a key.
    for quote in ["", "'", "\""] {
        keeps_secret(&format!("{text};Password={quote}{PLANTED}{quote}{text}"));
        keeps_secret(&format!("{text};Port={quote}{PLANTED}{quote};{text}"));
    }
}

/// `value` in quotes.
pub(crate) fn quoted(value: &str, quote: char) -> String {
    let doubled = value.replace(quote, &format!("{quote}{quote}"));
    format!("{quote}{doubled}{quote}")
}

fn keeps_secret(text: &str) {
    let hidden = |shown: String| assert!(!shown.contains(PLANTED), "{shown}");
    match parse_connection_string(text) {
        Ok(pairs) => hidden(format!("{pairs:?}")),
        Err(error) => hidden(format!("{error:?}{}", error.report())),
    }
    let given = [("connection_string".to_owned(), Secret::new(text))];
    match Properties::read("test connection", KEYS, given) {
        Ok(properties) => {
            hidden(format!("{properties:?}"));
            let port = properties.number::<u16>("port").err();
            let flag = properties.flag("use_ssh").err();
            for error in port.into_iter().chain(flag) {
                hidden(format!("{error:?}{}", error.report()));
            }
        }
        Err(error) => hidden(format!("{error:?}{}", error.report())),
    }
}
