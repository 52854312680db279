//! Connection strings.

use connector_core::{Properties, PropertyKey, Secret, nearest, parse_connection_string};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::{cases, properties};

/// How a value is put into a connection string.
#[derive(Clone, Copy, Debug)]
enum Style {
    /// As it is, where that can be; in quotes elsewhere.
    Plain,
    Single,
    Double,
}

fn style() -> impl Strategy<Value = Style> {
    prop_oneof![Just(Style::Plain), Just(Style::Single), Just(Style::Double)]
}

fn written(value: &str, style: Style) -> String {
    let plain = !value.contains(';') && !value.starts_with(['\'', '"']) && value.trim() == value;
    match style {
        Style::Plain if plain => value.to_owned(),
        Style::Single => properties::connection_string::quoted(value, '\''),
        Style::Plain | Style::Double => properties::connection_string::quoted(value, '"'),
    }
}

/// Text in which what matters to the parser is frequent.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "[a-zA-Z0-9_ =;'\"\\\\-]{0,24}",
        "(Password|User|UseSSH|UserSSH|Port)?[=;'\"a ]{0,12}",
    ]
}

proptest! {
    #![proptest_config(cases(2_000))]

    #[test]
    fn what_is_written_is_read(
        pairs in vec(("[^=;]{1,12}", any::<String>(), style(), "[ \t]{0,2}"), 0..6),
    ) {
        let mut said: Vec<(String, Secret)> = Vec::new();
        let mut string = String::new();
        for (key, value, style, space) in pairs {
            let key = key.trim();
            if key.is_empty() || said.iter().any(|(other, _)| other.eq_ignore_ascii_case(key)) {
                continue;
            }
            string += &format!("{space}{key}{space}={space}{}{space};", written(&value, style));
            said.push((key.to_owned(), Secret::new(value)));
        }
        prop_assert_eq!(parse_connection_string(&string).unwrap(), &said[..]);
        // The last `;` may be missing.
        let string = string.strip_suffix(';').unwrap_or(&string);
        prop_assert_eq!(parse_connection_string(string).unwrap(), said);
    }

    #[test]
    fn no_text_panics_or_shows_a_value(text in text()) {
        properties::connection_string::check(text.as_bytes());
    }

    #[test]
    fn keys_of_a_table_are_found_in_any_spelling(
        picked in 0..KEYS.len(),
        spelling in vec((any::<bool>(), "[_ -]{0,2}"), 24),
        value in any::<String>(),
    ) {
        let (key, name) = KEYS_AND_NAMES[picked];
        let name: String = name
            .chars()
            .zip(spelling)
            .map(|(c, (upper, gap))| {
                let c = if upper { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() };
                format!("{c}{gap}")
            })
            .collect();
        let properties = Properties::read("test connection", KEYS, [(name, Secret::new(&*value))]).unwrap();
        prop_assert_eq!(properties.text(key).unwrap_or_default(), value);
    }

    #[test]
    fn any_key_is_taken_or_refused_with_a_way_out(name in text(), value in any::<String>()) {
        if let Err(error) = Properties::read("test connection", KEYS, [(name, Secret::new(value))]) {
            prop_assert!(error.help().is_some() || error.to_string().contains("connection string"));
        }
    }

    #[test]
    fn near_names_are_few_and_known(name in text(), mut known in vec(text(), 0..8)) {
        let near = nearest(&name, known.iter().map(String::as_str));
        prop_assert!(near.len() <= 3);
        prop_assert!(near.iter().all(|near| known.iter().any(|known| known == near)));
        // A known name is nearest to itself.
        known.push(name);
        let itself = known.last().unwrap();
        let near = nearest(itself, known.iter().map(String::as_str));
        let folded = |name: &str| -> String {
            let letters = name.chars().filter(|c| !matches!(c, '_' | '-' | ' '));
            letters.flat_map(char::to_lowercase).collect()
        };
        prop_assert!(near.iter().any(|near| folded(near) == folded(itself)));
    }
}

const KEYS: &[PropertyKey] = &[
    PropertyKey::new("server", &["host"]),
    PropertyKey::new("use_ssh", &["UserSSH"]),
    PropertyKey::new("ssh_client_cert_type", &[]),
];

const KEYS_AND_NAMES: [(&str, &str); 3] = [
    ("server", "host"),
    ("use_ssh", "UserSSH"),
    ("ssh_client_cert_type", "SSHClientCertType"),
];
