//! Signing in, and staying so.

mod grant;
mod service;
mod token;

use std::sync::Arc;

use connector_core::{Clock, Error, ErrorKind, Result};
use connector_http::{HeaderValue, HttpClient, RestClient, Url, sensitive};
use futures::lock::Mutex;

pub(crate) use service::{ApiService, foreign};
pub(crate) use token::Token;

use crate::config::{Auth, Config};

/// One signed-in session, shared by every request of a connection.
#[derive(Debug)]
pub(crate) struct Session {
    auth: Auth,
    token_endpoint: Url,
    /// Reaches the token endpoint only.
    rest: RestClient,
    /// Held while signing in, so that of many requests refused together one renews and the others wait for it.
    current: Mutex<Current>,
}

#[derive(Debug, Default)]
struct Current {
    token: Option<Arc<Token>>,
    /// The refresh token that came with the last renewal, where the org rotates them.
    rotated: Option<connector_core::Secret>,
}

impl Session {
    /// A session that signs in when it is first needed.
    pub(crate) fn new(config: &Config, http: HttpClient, clock: Arc<dyn Clock>) -> Self {
        Self {
            auth: config.auth.clone(),
            token_endpoint: config.token_endpoint(),
            rest: RestClient::new(http, Arc::new(service::TokenService), clock),
            current: Mutex::new(Current::default()),
        }
    }

    /// The token at hand; signs in where there is none.
    pub(crate) async fn token(&self) -> Result<Arc<Token>> {
        let mut current = self.current.lock().await;
        match &current.token {
            Some(token) => Ok(Arc::clone(token)),
            None => self.sign_in(&mut current).await,
        }
    }

    /// Gets a new token in place of the one that was `refused`, unless somebody else has already.
    pub(crate) async fn renew(&self, refused: &HeaderValue) -> Result<()> {
        let mut current = self.current.lock().await;
        match &current.token {
            Some(token) if token.header != *refused => Ok(()),
            _ if matches!(self.auth, Auth::AccessToken { .. }) => Err(Error::new(
                ErrorKind::Auth,
                "Salesforce no longer accepts the access token",
            )
            .with_help("give a new `access_token`, or an `auth` that can renew it")),
            _ => self.sign_in(&mut current).await.map(drop),
        }
    }

    async fn sign_in(&self, current: &mut Current) -> Result<Arc<Token>> {
        let token = match &self.auth {
            Auth::AccessToken {
                access_token,
                instance_url,
            } => Token::given(access_token, instance_url.clone())?,
            auth => {
                let granted =
                    grant::request(&self.rest, &self.token_endpoint, auth, current.rotated.as_ref()).await?;
                if granted.refresh_token.is_some() {
                    current.rotated = granted.refresh_token;
                }
                granted.token
            }
        };
        let token = Arc::new(token);
        current.token = Some(Arc::clone(&token));
        Ok(token)
    }
}

/// The header that carries `token`.
fn bearer(token: &str) -> Result<HeaderValue> {
    sensitive(&format!("Bearer {token}"))
}
