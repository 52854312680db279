//! A configuration from keys and values, as job files and connection strings hold them.

use std::path::PathBuf;

use connector_core::{Error, ErrorKind, Result, Secret, nearest, parse_connection_string};

use super::Config;

/// The keys there are: ours, and the same in the words of other tools. Letter case and underscores do not count.
const KEYS: &[(Key, &[&str])] = &[
    (Key::StoreId, &["store_id", "StoreId", "store_hash"]),
    (
        Key::AccessToken,
        &["oauth_access_token", "OAuthAccessToken", "access_token"],
    ),
    (Key::ApiUrl, &["api_url"]),
    (Key::Proxy, &["proxy"]),
    (Key::CaFile, &["ca_file"]),
    (Key::InitiateOAuth, &["InitiateOAuth"]),
    (Key::ConnectionString, &["connection_string"]),
    // A token is enough: these come along in what people copy from the control panel.
    (Key::Unused, &["client_id", "OAuthClientId"]),
    (Key::Unused, &["client_secret", "OAuthClientSecret"]),
    (Key::Unused, &["AuthScheme"]),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Key {
    StoreId,
    AccessToken,
    ApiUrl,
    Proxy,
    CaFile,
    InitiateOAuth,
    ConnectionString,
    Unused,
}

impl Config {
    /// A configuration from keys and values.
    ///
    /// The keys are `store_id`, `oauth_access_token`, `api_url`, `proxy`, `ca_file` and `connection_string`, whose
    /// pairs are taken in as if they stood beside it; other tools' names for them are understood, whatever their
    /// letter case. An empty value is none.
    ///
    /// # Errors
    /// [`ErrorKind::Config`]: a key is unknown, missing, or said twice differently. [`ErrorKind::Unsupported`]:
    /// `InitiateOAuth` asks for a sign-in.
    pub fn from_properties(properties: impl IntoIterator<Item = (String, Secret)>) -> Result<Self> {
        let mut found = Found::default();
        for (name, value) in properties {
            match key(&name)? {
                Key::ConnectionString => {
                    for (name, value) in parse_connection_string(value.reveal())? {
                        found.add(key(&name)?, &name, value)?;
                    }
                }
                key => found.add(key, &name, value)?,
            }
        }
        found.into_config()
    }
}

fn key(name: &str) -> Result<Key> {
    let same = |known: &str| fold(known) == fold(name);
    if let Some((key, _)) = KEYS
        .iter()
        .find(|(_, names)| names.iter().any(|known| same(known)))
    {
        return Ok(*key);
    }
    let near = nearest(name, KEYS.iter().filter_map(|(_, names)| names.first().copied()));
    let error = Error::new(
        ErrorKind::Config,
        format!("a BigCommerce connection has no key `{name}`"),
    );
    Err(match near.as_slice() {
        [] => error.with_help("the keys are `store_id`, `oauth_access_token`, `api_url`, `proxy`, `ca_file`"),
        near => error.with_help(format!("did you mean `{}`?", near.join("` or `"))),
    })
}

fn fold(name: &str) -> String {
    name.chars()
        .filter(|&c| c != '_')
        .flat_map(char::to_lowercase)
        .collect()
}

/// What was said so far.
#[derive(Debug, Default)]
struct Found(Vec<(Key, Secret)>);

impl Found {
    fn add(&mut self, key: Key, name: &str, value: Secret) -> Result<()> {
        if value.reveal().trim().is_empty() || key == Key::Unused {
            return Ok(());
        }
        if key == Key::ConnectionString {
            return Err(Error::new(
                ErrorKind::Config,
                "a connection string cannot hold another one",
            ));
        }
        match self.get(key) {
            Some(said) if *said == value => Ok(()),
            Some(_) => Err(Error::new(
                ErrorKind::Config,
                format!("`{name}` is said twice, and differently"),
            )
            .with_help("keep it either in the connection string or in its own key")),
            None => {
                self.0.push((key, value));
                Ok(())
            }
        }
    }

    fn get(&self, key: Key) -> Option<&Secret> {
        self.0
            .iter()
            .find(|(known, _)| *known == key)
            .map(|(_, value)| value)
    }

    fn require(&self, key: Key, name: &str) -> Result<&Secret> {
        self.get(key).ok_or_else(|| {
            Error::new(
                ErrorKind::Config,
                format!("a BigCommerce connection needs `{name}`"),
            )
            .with_help(format!(
                "set `{name}` from a store-level API account of the control panel"
            ))
        })
    }

    fn into_config(self) -> Result<Config> {
        if let Some(mode) = self.get(Key::InitiateOAuth)
            && !mode.reveal().eq_ignore_ascii_case("off")
        {
            return Err(Error::new(ErrorKind::Unsupported, "`InitiateOAuth` other than OFF would need a browser")
                .with_help("make a store-level API account in the control panel and set `oauth_access_token` to its token"));
        }
        let store_id = self.require(Key::StoreId, "store_id")?.reveal();
        let token = self.require(Key::AccessToken, "oauth_access_token")?.clone();
        let config = Config::new(store_id, token)?
            .with_proxy(self.get(Key::Proxy).cloned())
            .with_ca_file(self.get(Key::CaFile).map(|path| PathBuf::from(path.reveal())));
        match self.get(Key::ApiUrl) {
            Some(url) => config.with_api_url(url.reveal()),
            None => Ok(config),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(pairs: &[(&str, &str)]) -> Result<Config> {
        Config::from_properties(
            pairs
                .iter()
                .map(|&(name, value)| (name.to_owned(), Secret::new(value))),
        )
    }

    #[test]
    fn our_keys_and_those_of_other_tools_mean_the_same() {
        for pairs in [
            &[("store_id", "abc123"), ("oauth_access_token", "t")][..],
            &[("StoreId", "store-abc123"), ("access_token", "t")],
            &[(
                "connection_string",
                "InitiateOAuth=OFF;StoreId=abc123;OAuthAccessToken=t;OAuthClientId=x;",
            )],
            &[
                ("connection_string", "storeid=abc123;oauthaccesstoken=t"),
                ("STORE_ID", "abc123"),
                ("proxy", ""),
            ],
        ] {
            let config = config(pairs).unwrap();
            assert_eq!(
                (config.store_hash(), config.access_token.reveal()),
                ("abc123", "t")
            );
            assert!(config.http.proxy.is_none());
        }
    }

    #[test]
    fn mistakes_are_named_and_values_are_not() {
        let twice = [
            ("connection_string", "StoreId=abc123;OAuthAccessToken=hunter2"),
            ("store_id", "other"),
        ];
        for (pairs, kind, message) in [
            (
                &[("store", "hunter2")][..],
                ErrorKind::Config,
                "a BigCommerce connection has no key `store`",
            ),
            (
                &[("store_id", "hunter2")],
                ErrorKind::Config,
                "a BigCommerce connection needs `oauth_access_token`",
            ),
            (
                &twice,
                ErrorKind::Config,
                "`store_id` is said twice, and differently",
            ),
            (
                &[("InitiateOAuth", "GETANDREFRESH")],
                ErrorKind::Unsupported,
                "`InitiateOAuth` other than OFF would need a browser",
            ),
        ] {
            let error = config(pairs).unwrap_err();
            assert_eq!((error.kind(), error.message()), (kind, message));
            assert!(!format!("{error:?}").contains("hunter2"));
        }
        let error = config(&[("acess_token", "t")]).unwrap_err();
        assert_eq!(error.help(), Some("did you mean `oauth_access_token`?"));
    }
}
