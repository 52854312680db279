//! A configuration out of keys and values, as job files hold them.

use connector_core::{Properties, PropertyKey, Result, Secret};

use super::ways::Given;
use super::{Config, WriteOptions, vendor};

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
    PropertyKey::new("token_store", &["OAuthSettingsLocation"]),
    PropertyKey::new("callback_url", &[]),
    PropertyKey::new("authorization_code", &["OAuthVerifier"]),
    PropertyKey::new("pkce_verifier", &[]),
    PropertyKey::new("private_key", &[]),
    PropertyKey::new("private_key_file", &[]),
    PropertyKey::new("private_key_password", &["OAuthJWTCertPassword"]),
    PropertyKey::new("audience", &[]),
    PropertyKey::new("sso_login_url", &[]),
    PropertyKey::new("sso_exchange_url", &[]),
    PropertyKey::new("proxy", &["ProxyURL"]),
    PropertyKey::new("ca_file", &[]),
    PropertyKey::new("auto_assign", &[]),
    PropertyKey::new("allow_duplicates", &[]),
    PropertyKey::new(vendor::AUTH_SCHEME, &[]),
    PropertyKey::new(vendor::USE_SANDBOX, &[]),
    PropertyKey::new(vendor::INITIATE_OAUTH, &[]),
    PropertyKey::new(vendor::JWT_CERT, &[]),
    PropertyKey::new(vendor::JWT_CERT_TYPE, &[]),
    PropertyKey::new(vendor::JWT_CERT_SUBJECT, &[]),
    PropertyKey::new(vendor::JWT_ISSUER, &[]),
    PropertyKey::new(vendor::JWT_SUBJECT, &[]),
    PropertyKey::new(vendor::SSO_PROPERTIES, &[]),
];

impl Config {
    /// Reads a job file's keys, and `connection_string` with other products' names for them.
    ///
    /// `auth` is one of the following; without it, what is given decides.
    ///
    /// | `auth` | needs | may have |
    /// |---|---|---|
    /// | `client_credentials` | `client_id client_secret login_url` | |
    /// | `authorization_code` | `client_id` | `client_secret callback_url token_store authorization_code pkce_verifier` |
    /// | `refresh_token` | `client_id refresh_token` | `client_secret token_store` |
    /// | `jwt_bearer` | `client_id username private_key_file` (or `private_key`) | `private_key_password audience` |
    /// | `device` | `client_id` | `client_secret token_store` |
    /// | `password` | `client_id username password` | `client_secret security_token` |
    /// | `login` | `username password` | `security_token` |
    /// | `saml_bearer` | `sso_login_url username password`, or a provider of the program's | `client_id sso_exchange_url` |
    /// | `access_token` | `access_token instance_url` | |
    ///
    /// Any of them may have `login_url token_url instance_url api_version proxy ca_file
    /// auto_assign allow_duplicates`. The names of the vendor's
    /// driver that say it in other ways are `AuthScheme UseSandbox InitiateOAuth OAuthSettingsLocation OAuthJWTCert
    /// OAuthJWTCertType OAuthJWTIssuer OAuthJWTSubject SSOProperties`; `OAuthSettingsLocation` is `token_store`, and
    /// its file is this crate's own.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](connector_core::ErrorKind::Config): an unknown key, one said twice differently, one that
    /// is missing, one that the named `auth` does not use.
    /// [`ErrorKind::Unsupported`](connector_core::ErrorKind::Unsupported): an identity provider or a kind of key file
    /// that is not built in.
    pub fn from_properties(properties: impl IntoIterator<Item = (String, Secret)>) -> Result<Self> {
        let mut properties = Properties::read("Salesforce connection", KEYS, properties)?;
        Given(&properties).refuse_unused()?;
        vendor::translate(&mut properties)?;
        read(&properties)
    }
}

fn read(properties: &Properties) -> Result<Config> {
    let given = Given(properties);
    let mut config = Config::new(given.auth()?);
    if let Some(url) = properties.text("login_url") {
        config = config.with_login_url(url)?;
    }
    if let Some(url) = properties.text("token_url") {
        config = config.with_token_url(url)?;
    }
    if let Some(url) = properties.text("sso_exchange_url") {
        config = config.with_sso_exchange_url(url)?;
    }
    if let Some(url) = properties.text("instance_url") {
        config = config.with_instance_url(url)?;
    }
    if let Some(version) = properties.text("api_version") {
        config = config.with_api_version(version)?;
    }
    config.proxy = properties.secret("proxy");
    config.ca_file = properties.text("ca_file").map(Into::into);
    config.write = WriteOptions {
        auto_assign: properties.flag("auto_assign")?.unwrap_or_default(),
        allow_duplicates: properties.flag("allow_duplicates")?.unwrap_or_default(),
    };
    config.token_store = given.token_store();
    config.interactive = vendor::interactive(properties)?;
    config.ws_trust = given.ws_trust()?;
    Ok(config)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Auth;

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
                &[("username", "me"), ("security_token", "hunter2")],
                "auth `login` needs `password`",
                "add `password` to the connection",
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

    const ACME: (&str, &str) = ("login_url", "https://acme.my.salesforce.com");

    #[test]
    fn each_scheme_of_the_vendor_s_driver_has_its_word() {
        let key = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/keys/pkcs8.pem");
        for (text, wanted) in [
            (
                "AuthScheme=OAuthClient;OAuthClientId=i;OAuthClientSecret=s",
                "client_credentials",
            ),
            (
                "AuthScheme=OAuthPassword;OAuthClientId=i;User=u;Password=p",
                "password",
            ),
            (
                "AuthScheme=OAuthPKCE;OAuthClientId=i;CallbackURL=http://localhost:33333",
                "authorization_code",
            ),
            (
                "AuthScheme=OAuthPKCE;InitiateOAuth=REFRESH;OAuthClientId=i;OAuthSettingsLocation=memory://x",
                "authorization_code",
            ),
            (
                "AuthScheme=OAuth;OAuthClientId=i;OAuthVerifier=c;PKCEVerifier=v",
                "authorization_code",
            ),
            (
                "AuthScheme=OAuth;OAuthClientId=i;OAuthRefreshToken=r;OAuthAccessToken=t",
                "refresh_token",
            ),
            (
                "AuthScheme=OAuth;InitiateOAuth=OFF;OAuthAccessToken=t;LoginURL=https://acme.my.salesforce.com",
                "access_token",
            ),
            (
                "AuthScheme=Basic;User=u;Password=p;SecurityToken=t;APIVersion=64.0",
                "login",
            ),
            ("User=u;Password=p;SecurityToken=t", "login"),
            (
                "AuthScheme=ADFS;User=u;Password=p;SSOLoginURL=https://adfs.acme.example/adfs/services/trust/13/usernamemixed;\
                 SSOExchangeURL=https://acme.my.salesforce.com/services/oauth2/token?so=00D",
                "saml_bearer",
            ),
            (
                "User=u;Password=p;SSOProperties=RelyingParty=https://saml.salesforce.com;SSOLoginUrl=https://sts.acme.example;\
                 TokenUrl=https://acme.my.salesforce.com/services/oauth2/token?so=00D",
                "saml_bearer",
            ),
        ] {
            let config = read(&[("connection_string", text)]).unwrap();
            assert_eq!(config.auth.word(), wanted, "{text}");
        }
        let text = format!(
            "AuthScheme=OAuthJWT;OAuthClientId=i;OAuthJWTIssuer=j;OAuthJWTSubject=u;OAuthJWTCert={key};\
             OAuthJWTCertType=PEMKEY_FILE;OAuthJWTCertSubject=*"
        );
        let Auth::JwtBearer {
            client_id, username, ..
        } = read(&[("connection_string", &text)]).unwrap().auth
        else {
            panic!("not a JWT")
        };
        assert_eq!((client_id.as_str(), username.as_str()), ("j", "u"));
    }

    #[test]
    fn every_missing_or_contradicting_key_is_one_sentence() {
        for (pairs, wanted) in [
            (
                &[("auth", "authorization_code")][..],
                "auth `authorization_code` needs `client_id`",
            ),
            (&[("auth", "device")], "auth `device` needs `client_id`"),
            (
                &[("auth", "refresh_token"), ("client_id", "i")],
                "auth `refresh_token` needs `refresh_token`",
            ),
            (
                &[("auth", "jwt_bearer"), ("client_id", "i")],
                "auth `jwt_bearer` needs `username`",
            ),
            (
                &[("auth", "jwt_bearer"), ("client_id", "i"), ("username", "u")],
                "auth `jwt_bearer` needs `private_key_file`",
            ),
            (
                &[("auth", "access_token"), ("access_token", "t")],
                "auth `access_token` needs `instance_url`",
            ),
            (
                &[("auth", "login"), ("username", "u")],
                "auth `login` needs `password`",
            ),
            (
                &[("auth", "saml_bearer"), ("sso_login_url", "https://sts.example")],
                "auth `saml_bearer` needs `username`",
            ),
            (
                &[
                    ("auth", "client_credentials"),
                    ("client_id", "i"),
                    ("client_secret", "s"),
                    ("password", "hunter2"),
                ],
                "auth `client_credentials` does not use `password`",
            ),
            (
                &[
                    ("client_id", "i"),
                    ("username", "u"),
                    ("private_key", "hunter2"),
                    ("private_key_file", "f"),
                ],
                "`private_key` and `private_key_file` are both given",
            ),
            (
                &[("client_id", "i"), ("authorization_code", "hunter2")],
                "`authorization_code` is given and `pkce_verifier` is not",
            ),
            (
                &[("AuthScheme", "OAuthClient"), ("auth", "login")],
                "the Salesforce connection says `auth` twice, differently",
            ),
            (
                &[
                    ("UseSandbox", "true"),
                    ("LoginURL", "https://login.salesforce.com"),
                ],
                "`UseSandbox` is true, and `login_url` is the address of the others",
            ),
            (
                &[
                    ("InitiateOAuth", "hunter2"),
                    ("client_id", "i"),
                    ("client_secret", "s"),
                    ACME,
                ],
                "`InitiateOAuth` is none of the words that it can be",
            ),
            (
                &[("AuthScheme", "OKTA"), ("User", "u"), ("Password", "hunter2")],
                "AuthScheme `OKTA` is not built in: signing in there differs from account to account",
            ),
            (&[("AuthScheme", "OAuthJTW")], "there is no AuthScheme `OAuthJTW`"),
            (
                &[("OAuthJWTCert", "key.pfx"), ("OAuthJWTCertType", "PFXFILE")],
                "OAuthJWTCertType `PFXFILE` is not read",
            ),
            (
                &[
                    ("User", "u"),
                    ("Password", "hunter2"),
                    ("SSOLoginURL", "https://sts.example"),
                    ("SSOProperties", "MFAType=x"),
                ],
                "`SSOProperties` says `MFAType`, which is for another identity provider than WS-Trust",
            ),
            (
                &[("client_id", "i"), ("callback_url", "http://acme.example/")],
                "`callback_url` is not https",
            ),
        ] {
            let error = read(pairs).unwrap_err();
            assert_eq!(error.message(), wanted);
            assert!(error.help().is_some(), "{wanted}");
            assert!(!format!("{error:?}").contains("hunter2"));
        }
    }
}
