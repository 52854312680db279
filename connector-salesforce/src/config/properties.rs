//! A configuration out of keys and values, as job files hold them.

use std::collections::BTreeMap;

use connector_core::{Error, ErrorKind, Result, Secret, nearest, parse_connection_string};

use super::{Auth, Config, address, vendor};

const KEYS: [&str; 15] = [
    "auth",
    "login_url",
    "api_version",
    "client_id",
    "client_secret",
    "username",
    "password",
    "security_token",
    "refresh_token",
    "access_token",
    "instance_url",
    "token_url",
    "proxy",
    "ca_file",
    "connection_string",
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
    /// security_token refresh_token access_token instance_url token_url proxy ca_file`, and `connection_string`
    /// with other products' names for them. Without `auth`, what is given decides.
    ///
    /// # Errors
    /// [`ErrorKind::Config`]: an unknown key, one said twice differently, one that is missing.
    /// [`ErrorKind::Unsupported`]: a way to sign in that is not built.
    pub fn from_properties(properties: impl IntoIterator<Item = (String, Secret)>) -> Result<Self> {
        let mut given = Given::default();
        for (key, value) in properties {
            let Some(known) = KEYS.iter().find(|known| **known == key) else {
                return Err(unknown(&key));
            };
            if *known == "connection_string" {
                for (key, value) in vendor::translate(parse_connection_string(value.reveal())?)? {
                    given.set(key, value)?;
                }
            } else {
                given.set(known, value)?;
            }
        }
        given.into_config()
    }
}

fn unknown(key: &str) -> Error {
    let near = nearest(key, KEYS);
    let help = match near.first() {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("the keys are {}", KEYS.join(", ")),
    };
    Error::new(
        ErrorKind::Config,
        format!("a Salesforce connection has no key `{key}`"),
    )
    .with_help(help)
}

#[derive(Default)]
struct Given(BTreeMap<&'static str, Secret>);

impl Given {
    fn set(&mut self, key: &'static str, value: Secret) -> Result<()> {
        let before = self.0.insert(key, value);
        match before {
            Some(before) if self.0.get(key) != Some(&before) => Err(Error::new(
                ErrorKind::Config,
                format!("`{key}` is given twice, differently"),
            )
            .with_help("say it once: as a key of its own, or in the connection string")),
            _ => Ok(()),
        }
    }

    fn take(&mut self, key: &'static str) -> Option<Secret> {
        self.0.remove(key).filter(|value| !value.reveal().is_empty())
    }

    fn text(&mut self, key: &'static str) -> Option<String> {
        self.take(key).map(|value| value.reveal().to_owned())
    }

    fn need(&mut self, key: &'static str, auth: &str) -> Result<Secret> {
        self.take(key).ok_or_else(|| {
            Error::new(ErrorKind::Config, format!("auth `{auth}` needs `{key}`"))
                .with_help(format!("add `{key}` to the connection"))
        })
    }

    fn has(&self, key: &'static str) -> bool {
        self.0.get(key).is_some_and(|value| !value.reveal().is_empty())
    }

    /// The way to sign in that what is given amounts to.
    fn infer(&self) -> &'static str {
        if self.has("refresh_token") {
            "refresh_token"
        } else if self.has("access_token") {
            "access_token"
        } else if self.has("username") {
            if self.has("client_id") {
                "password"
            } else {
                "login"
            }
        } else {
            "client_credentials"
        }
    }

    fn into_config(mut self) -> Result<Config> {
        let word = self.text("auth").unwrap_or_else(|| self.infer().to_owned());
        let auth = self.auth(&word)?;
        let mut config = Config::new(auth);
        if let Some(url) = self.text("login_url") {
            config = config.with_login_url(&url)?;
        }
        if let Some(url) = self.text("token_url") {
            config = config.with_token_url(&url)?;
        }
        if let Some(version) = self.text("api_version") {
            config = config.with_api_version(&version)?;
        }
        config.proxy = self.take("proxy");
        config.ca_file = self.text("ca_file").map(Into::into);
        Ok(config)
    }

    fn auth(&mut self, word: &str) -> Result<Auth> {
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
                client_secret: self.take("client_secret"),
                refresh_token: self.need("refresh_token", word)?,
            },
            "password" => Auth::Password {
                client_id: self.need("client_id", word)?.reveal().to_owned(),
                client_secret: self.take("client_secret"),
                username: self.need("username", word)?.reveal().to_owned(),
                password: self.need("password", word)?,
                security_token: self.take("security_token"),
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
                &[("clientid", "x")][..],
                "a Salesforce connection has no key `clientid`",
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
                "the connection string has no key `Passwort`",
                "did you mean `Password`?",
            ),
            (
                &[("username", "a"), ("connection_string", "User=b")],
                "`username` is given twice, differently",
                "say it once: as a key of its own, or in the connection string",
            ),
        ] {
            let error = read(pairs).unwrap_err();
            assert_eq!((error.to_string().as_str(), error.help()), (wanted, Some(help)));
            assert!(!format!("{error:?}").contains("hunter2"));
        }
    }
}
