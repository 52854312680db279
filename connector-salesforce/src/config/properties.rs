//! A configuration out of keys and values, as job files hold them.

use connector_core::{Error, ErrorKind, Properties, PropertyKey, Result, Secret, nearest};

use super::{Auth, Config, WriteOptions, address, vendor};

/// Our keys, with the names other products give them.
const KEYS: &[PropertyKey] = &[
    PropertyKey::new("auth", &[]),
    PropertyKey::new("login_url", &[]),
    PropertyKey::new("api_version", &[]),
    PropertyKey::new("client_id", &["OAuthClientId"]),
    PropertyKey::new("client_secret", &["OAuthClientSecret"]),
    PropertyKey::new("username", &["User"]),
    PropertyKey::new("password", &[]),
    PropertyKey::new("security_token", &[]),
    PropertyKey::new("refresh_token", &["OAuthRefreshToken"]),
    PropertyKey::new("access_token", &["OAuthAccessToken"]),
    PropertyKey::new("instance_url", &[]),
    PropertyKey::new("token_url", &[]),
    PropertyKey::new("proxy", &["ProxyURL"]),
    PropertyKey::new("ca_file", &[]),
    PropertyKey::new("auto_assign", &[]),
    PropertyKey::new("allow_duplicates", &[]),
    PropertyKey::new(vendor::AUTH_SCHEME, &[]),
    PropertyKey::new(vendor::USE_SANDBOX, &[]),
    PropertyKey::new(vendor::INITIATE_OAUTH, &[]),
];

/// Ways to sign in that have a name and are not built yet.
const UNSUPPORTED: [&str; 5] = [
    "authorization_code",
    "jwt_bearer",
    "device",
    "login",
    "saml_bearer",
];

impl Config {
    /// Reads a job file's keys: `auth login_url api_version client_id client_secret username password
    /// security_token refresh_token access_token instance_url token_url proxy ca_file auto_assign
    /// allow_duplicates`, and `connection_string`
    /// with other products' names for them. Without `auth`, what is given decides.
    ///
    /// # Errors
    /// [`ErrorKind::Config`]: an unknown key, one said twice differently, one that is missing.
    /// [`ErrorKind::Unsupported`]: a way to sign in that is not built.
    pub fn from_properties(properties: impl IntoIterator<Item = (String, Secret)>) -> Result<Self> {
        let mut given = Properties::read("Salesforce connection", KEYS, properties)?;
        vendor::translate(&mut given)?;
        Given(given).into_config()
    }
}

struct Given(Properties);

impl Given {
    fn need(&self, key: &str, auth: &str) -> Result<Secret> {
        self.0.secret(key).ok_or_else(|| {
            Error::new(ErrorKind::Config, format!("auth `{auth}` needs `{key}`"))
                .with_help(format!("add `{key}` to the connection"))
        })
    }

    /// The way to sign in that what is given amounts to.
    fn infer(&self) -> &'static str {
        let has = |key| self.0.text(key).is_some();
        if has("refresh_token") {
            "refresh_token"
        } else if has("access_token") {
            "access_token"
        } else if has("username") {
            if has("client_id") { "password" } else { "login" }
        } else {
            "client_credentials"
        }
    }

    fn into_config(self) -> Result<Config> {
        let auth = self.auth(self.0.text("auth").unwrap_or_else(|| self.infer()))?;
        let mut config = Config::new(auth);
        if let Some(url) = self.0.text("login_url") {
            config = config.with_login_url(url)?;
        }
        if let Some(url) = self.0.text("token_url") {
            config = config.with_token_url(url)?;
        }
        if let Some(version) = self.0.text("api_version") {
            config = config.with_api_version(version)?;
        }
        config.proxy = self.0.secret("proxy");
        config.ca_file = self.0.text("ca_file").map(Into::into);
        config.write = WriteOptions {
            auto_assign: self.0.flag("auto_assign")?.unwrap_or_default(),
            allow_duplicates: self.0.flag("allow_duplicates")?.unwrap_or_default(),
        };
        Ok(config)
    }

    fn auth(&self, word: &str) -> Result<Auth> {
        Ok(match word {
            "client_credentials" => Auth::ClientCredentials {
                client_id: self.need("client_id", word)?.reveal().to_owned(),
                client_secret: self.need("client_secret", word)?,
            },
            "access_token" => Auth::AccessToken {
                access_token: self.need("access_token", word)?,
                instance_url: address("instance_url", self.need("instance_url", word)?.reveal())?,
            },
            "refresh_token" => Auth::RefreshToken {
                client_id: self.need("client_id", word)?.reveal().to_owned(),
                client_secret: self.0.secret("client_secret"),
                refresh_token: self.need("refresh_token", word)?,
            },
            "password" => Auth::Password {
                client_id: self.need("client_id", word)?.reveal().to_owned(),
                client_secret: self.0.secret("client_secret"),
                username: self.need("username", word)?.reveal().to_owned(),
                password: self.need("password", word)?,
                security_token: self.0.secret("security_token"),
            },
            word if UNSUPPORTED.contains(&word) => {
                return Err(Error::new(
                    ErrorKind::Unsupported,
                    format!("auth `{word}` is not supported in this version"),
                )
                .with_help("use `client_credentials`, `refresh_token`, `access_token` or `password`"));
            }
            word => {
                let known = ["client_credentials", "refresh_token", "access_token", "password"];
                let near = nearest(word, known)
                    .first()
                    .copied()
                    .unwrap_or("client_credentials");
                return Err(
                    Error::new(ErrorKind::Config, format!("there is no auth `{word}`"))
                        .with_help(format!("did you mean `{near}`?")),
                );
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Result<Config> {
        Config::from_properties(
            pairs
                .iter()
                .map(|(key, value)| ((*key).to_owned(), Secret::new(*value))),
        )
    }

    #[test]
    fn a_job_file_s_keys_make_a_configuration() {
        let config = read(&[
            ("auth", "client_credentials"),
            ("login_url", "https://acme.my.salesforce.com"),
            ("client_id", "3MVG9"),
            ("client_secret", "hunter2"),
            ("api_version", "66.0"),
        ])
        .unwrap();
        assert_eq!(config.auth.word(), "client_credentials");
        assert!(!format!("{config:?}").contains("hunter2"));
    }

    #[test]
    fn a_pasted_connection_string_is_understood() {
        let text = "AuthScheme=OAuthPassword;USER=me@acme.com;Password=hunter2;SecurityToken=abc;UseSandbox=true;\
                    OAuthClientId=3MVG9;OAuthClientSecret=s;InitiateOAuth=OFF;";
        let config = read(&[("connection_string", text)]).unwrap();
        assert_eq!(config.login_url.as_str(), "https://test.salesforce.com/");
        let Auth::Password {
            username,
            security_token,
            ..
        } = config.auth
        else {
            panic!("not the password grant")
        };
        assert_eq!(
            (username.as_str(), security_token.is_some()),
            ("me@acme.com", true)
        );
        let text = "OAuthRefreshToken=r;OAuthClientId=3MVG9;LoginURL=https://acme.my.salesforce.com";
        assert_eq!(
            read(&[("connection_string", text)]).unwrap().auth.word(),
            "refresh_token"
        );
    }

    #[test]
    fn mistakes_are_named_and_values_are_not() {
        for (pairs, wanted, help) in [
            (
                &[("clint_id", "x")][..],
                "the Salesforce connection has no key `clint_id`",
                "did you mean `client_id`?",
            ),
            (
                &[("auth", "client_credentials"), ("client_id", "x")],
                "auth `client_credentials` needs `client_secret`",
                "add `client_secret` to the connection",
            ),
            (
                &[("username", "me"), ("password", "hunter2")],
                "auth `login` is not supported in this version",
                "use `client_credentials`, `refresh_token`, `access_token` or `password`",
            ),
            (
                &[("auth", "client_credential")],
                "there is no auth `client_credential`",
                "did you mean `client_credentials`?",
            ),
            (
                &[("connection_string", "User=a;Passwort=hunter2")],
                "the Salesforce connection has no key `Passwort`",
                "did you mean `password`?",
            ),
            (
                &[("username", "a"), ("connection_string", "User=b")],
                "the Salesforce connection says `username` twice, differently",
                "say it once: as a key of its own, or in the connection string",
            ),
        ] {
            let error = read(pairs).unwrap_err();
            assert_eq!((error.to_string().as_str(), error.help()), (wanted, Some(help)));
            assert!(!format!("{error:?}").contains("hunter2"));
        }
    }
}
