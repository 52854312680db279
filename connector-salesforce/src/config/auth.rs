//! The ways to sign in.

use std::fmt;

use connector_core::Secret;
use url::Url;

use crate::auth::PrivateKey;

/// How to sign in.
#[derive(Clone)]
#[non_exhaustive]
pub enum Auth {
    /// As the user the app is set up to run as; needs a My Domain as the login URL.
    ClientCredentials {
        /// The app's consumer key.
        client_id: String,
        /// The app's consumer secret.
        client_secret: Secret,
    },
    /// With a token that somebody else got; it cannot be renewed.
    AccessToken {
        /// The token.
        access_token: Secret,
        /// The org's address.
        instance_url: Url,
    },
    /// With a refresh token that a user's consent gave.
    ///
    /// Where the org rotates refresh tokens, this one is good for once: give the configuration a
    /// [token store](super::Config::with_token_store), which holds the one that is good now.
    RefreshToken {
        /// The app's consumer key.
        client_id: String,
        /// The app's consumer secret, where the app has one.
        client_secret: Option<Secret>,
        /// The refresh token.
        refresh_token: Secret,
    },
    /// By a person with a browser: the web server flow with PKCE. The person is asked by the configuration's
    /// [prompt](super::Config::with_prompt), and not again while its token store holds a refresh token.
    AuthorizationCode {
        /// The app's consumer key.
        client_id: String,
        /// The app's consumer secret, where the app has one.
        client_secret: Option<Secret>,
        /// Where the browser is sent afterwards, as in the app's settings, letter by letter. Loopback addresses are
        /// served here, such as [`CALLBACK_URL`](super::CALLBACK_URL); port 0 stands for any free port.
        callback_url: String,
        /// A code that somebody else got; then nobody is asked.
        code: Option<GivenCode>,
    },
    /// By a person with a browser anywhere, who enters a code; asked as for an authorization code.
    Device {
        /// The app's consumer key.
        client_id: String,
        /// The app's consumer secret, where the app has one.
        client_secret: Option<Secret>,
    },
    /// By a JWT that a private key signs, for a user who is pre-authorized for the app.
    JwtBearer {
        /// The app's consumer key.
        client_id: String,
        /// The user.
        username: String,
        /// The key whose certificate the app has.
        private_key: PrivateKey,
        /// Whom the JWT is for; by default `https://login.salesforce.com`, `https://test.salesforce.com` or the
        /// site, as the login URL says.
        audience: Option<String>,
    },
    /// By `OAuth`'s password grant, which new orgs switch off.
    Password {
        /// The app's consumer key.
        client_id: String,
        /// The app's consumer secret, where the app has one.
        client_secret: Option<Secret>,
        /// The user.
        username: String,
        /// The user's password.
        password: Secret,
        /// The user's security token; not needed from a trusted address.
        security_token: Option<Secret>,
    },
    /// By SOAP `login()`, without an app. New orgs have it switched off, and it ends in June 2027; it is asked in API
    /// version 64.0 at most, whatever the version of other requests.
    Login {
        /// The user.
        username: String,
        /// The user's password.
        password: Secret,
        /// The user's security token; not needed from a trusted address.
        security_token: Option<Secret>,
    },
    /// By a SAML assertion, from the configuration's [provider](super::Config::with_assertions) or from
    /// [WS-Trust](super::Config::with_ws_trust).
    SamlBearer {
        /// The app's consumer key; without one the assertion is for the org itself, at its own token endpoint.
        client_id: Option<String>,
    },
}

/// An authorization code that somebody else got from a browser.
#[derive(Clone)]
pub struct GivenCode {
    /// The code; good for once, and a few minutes.
    pub code: Secret,
    /// The PKCE verifier whose challenge stood in the address that was shown.
    pub verifier: Secret,
}

impl Auth {
    /// The word for it in job files.
    pub(crate) fn word(&self) -> &'static str {
        match self {
            Self::ClientCredentials { .. } => "client_credentials",
            Self::AccessToken { .. } => "access_token",
            Self::RefreshToken { .. } => "refresh_token",
            Self::AuthorizationCode { .. } => "authorization_code",
            Self::Device { .. } => "device",
            Self::JwtBearer { .. } => "jwt_bearer",
            Self::Password { .. } => "password",
            Self::Login { .. } => "login",
            Self::SamlBearer { .. } => "saml_bearer",
        }
    }
}

impl fmt::Debug for Auth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl fmt::Debug for GivenCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("GivenCode")
    }
}
