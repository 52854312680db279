//! A configuration from keys and values, as job files and connection strings hold them.

use std::path::PathBuf;

use connector_core::{Error, ErrorKind, Properties, PropertyKey, Result, Secret};

use super::Config;

const KEYS: &[PropertyKey] = &[
    PropertyKey::new("store_id", &["store_hash"]),
    PropertyKey::new("oauth_access_token", &["access_token"]),
    PropertyKey::new("api_url", &[]),
    PropertyKey::new("proxy", &[]),
    PropertyKey::new("ca_file", &[]),
    PropertyKey::new("initiate_oauth", &[]),
    // A token is enough: these come along in what people copy from the control panel.
    PropertyKey::new("client_id", &["OAuthClientId"]),
    PropertyKey::new("client_secret", &["OAuthClientSecret"]),
    PropertyKey::new("auth_scheme", &[]),
];

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
        let properties = Properties::read("BigCommerce connection", KEYS, properties)?;
        if let Some(mode) = properties.text("initiate_oauth")
            && !mode.eq_ignore_ascii_case("off")
        {
            return Err(Error::new(ErrorKind::Unsupported, "`InitiateOAuth` other than OFF would need a browser")
                .with_help("make a store-level API account in the control panel and set `oauth_access_token` to its token"));
        }
        let required = |key| {
            let help = format!("set `{key}` from a store-level API account of the control panel");
            properties.required(key).map_err(|error| error.with_help(help))
        };
        let config = Self::new(
            required("store_id")?,
            Secret::new(required("oauth_access_token")?),
        )?
        .with_proxy(properties.secret("proxy"))
        .with_ca_file(properties.text("ca_file").map(PathBuf::from));
        match properties.text("api_url") {
            Some(url) => config.with_api_url(url),
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
                "the BigCommerce connection has no key `store`",
            ),
            (
                &[("store_id", "hunter2")],
                ErrorKind::Config,
                "the BigCommerce connection has no `oauth_access_token`",
            ),
            (
                &twice,
                ErrorKind::Config,
                "the BigCommerce connection says `store_id` twice, differently",
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
