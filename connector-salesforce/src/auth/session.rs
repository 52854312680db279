//! One signed-in session.

use std::sync::{Arc, Mutex as Lock, PoisonError};
use std::time::Duration;

use connector_core::value::Instant;
use connector_core::{Clock, Error, ErrorKind, Result, Retry, Secret};
use connector_http::{HeaderValue, HttpClient};
use futures::lock::Mutex;

use super::door::Door;
use super::instance::Instances;
use super::oauth::App;
use super::renewal::{Renewal, Way};
use super::scrub::Scrub;
use super::store::{MemoryTokenStore, TokenStore};
use super::token::{Granted, Token};
use super::{jwt, login, refusal, saml};
use crate::config::{Auth, Config};
use crate::error::{ApiError, api_error};

/// How long a refusal stands without being asked again: each failure counts towards locking the user.
const STANDS: Duration = Duration::from_secs(10 * 60);
/// How many tokens are remembered to be kept out of errors.
const RECENT: usize = 4;

/// One signed-in session, shared by every request of a connection.
#[derive(Debug)]
pub(crate) struct Session {
    config: Config,
    door: Door,
    instances: Instances,
    store: Arc<dyn TokenStore>,
    /// Held while signing in, so that of many requests refused together one renews and the others wait for it.
    current: Mutex<Current>,
    /// The tokens that requests have carried lately.
    recent: Lock<Vec<Secret>>,
}

#[derive(Debug, Default)]
struct Current {
    token: Option<Arc<Token>>,
    refusal: Option<Refusal>,
    /// Tokens that the store did not take; what they replace is worth nothing any more.
    unsaved: Option<Secret>,
}

/// A sign-in that was refused for good.
#[derive(Debug)]
struct Refusal {
    at: Instant,
    kind: ErrorKind,
    message: String,
    help: Option<String>,
    api: Option<ApiError>,
}

impl Session {
    /// A session that signs in when it is first needed.
    pub(crate) fn new(config: &Config, http: HttpClient, clock: Arc<dyn Clock>) -> Self {
        let mut asked = vec![config.login_url.clone(), config.token_endpoint()];
        asked.extend(config.sso_exchange_url.clone());
        let pinned = match &config.auth {
            Auth::AccessToken { .. } => None,
            _ => config.instance_url.clone(),
        };
        Self {
            config: config.clone(),
            door: Door::new(http, clock),
            instances: Instances { asked, pinned },
            store: config
                .token_store
                .clone()
                .unwrap_or_else(|| Arc::new(MemoryTokenStore::default())),
            current: Mutex::default(),
            recent: Lock::default(),
        }
    }

    /// The token at hand; signs in where there is none.
    pub(crate) async fn token(&self) -> Result<Arc<Token>> {
        let mut current = self.current.lock().await;
        match &current.token {
            Some(token) => Ok(Arc::clone(token)),
            None => Box::pin(self.sign_in(&mut current, None)).await,
        }
    }

    /// Gets a new token in place of the one that was `refused`, unless somebody else has already.
    pub(crate) async fn renew(&self, refused: &HeaderValue) -> Result<()> {
        let mut current = self.current.lock().await;
        match &current.token {
            Some(token) if token.header != *refused => Ok(()),
            _ => Box::pin(self.sign_in(&mut current, Some(refused)))
                .await
                .map(drop),
        }
    }

    /// `text` without the tokens of late; `None` where there are none in it.
    pub(super) fn scrubbed(&self, text: &str) -> Option<String> {
        let recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        let clean = Scrub::new(recent.iter()).text(text);
        (clean != text).then_some(clean)
    }

    async fn sign_in(&self, current: &mut Current, refused: Option<&HeaderValue>) -> Result<Arc<Token>> {
        if let Some(refusal) = &current.refusal {
            if self.door.now() < refusal.at.plus(STANDS) {
                return Err(refusal.error());
            }
            current.refusal = None;
        }
        match self.ask(&mut current.unsaved, refused).await {
            Ok(token) => {
                self.remember(token.secret());
                let token = Arc::new(token);
                current.token = Some(Arc::clone(&token));
                Ok(token)
            }
            Err(error) => {
                if refusal::is_final(&error) {
                    current.refusal = Some(Refusal::of(&error, self.door.now()));
                }
                Err(error)
            }
        }
    }

    async fn ask(&self, unsaved: &mut Option<Secret>, refused: Option<&HeaderValue>) -> Result<Token> {
        let config = &self.config;
        let granted = match &config.auth {
            Auth::AccessToken {
                access_token,
                instance_url,
            } => {
                return if refused.is_none() {
                    Token::given(access_token, instance_url.clone())
                } else {
                    Err(
                        Error::new(ErrorKind::Auth, "Salesforce no longer accepts the access token")
                            .with_help("give a new `access_token`, or an `auth` that can renew it"),
                    )
                };
            }
            Auth::RefreshToken {
                client_id,
                client_secret,
                refresh_token,
            } => {
                let way = Way::Given(refresh_token);
                return self
                    .renewal(client_id, client_secret.as_ref(), way, unsaved, refused)
                    .await;
            }
            Auth::AuthorizationCode {
                client_id,
                client_secret,
                callback_url,
                code,
            } => {
                let way = match code {
                    Some(code) => Way::Code { code, callback_url },
                    None => Way::Browser { callback_url },
                };
                return self
                    .renewal(client_id, client_secret.as_ref(), way, unsaved, refused)
                    .await;
            }
            Auth::Device {
                client_id,
                client_secret,
            } => {
                return self
                    .renewal(client_id, client_secret.as_ref(), Way::Device, unsaved, refused)
                    .await;
            }
            Auth::ClientCredentials {
                client_id,
                client_secret,
            } => {
                self.app(client_id, Some(client_secret))
                    .client_credentials()
                    .await?
            }
            Auth::Password {
                client_id,
                client_secret,
                username,
                password,
                security_token,
            } => {
                let password = joined(password, security_token.as_ref());
                self.app(client_id, client_secret.as_ref())
                    .password(username, &password)
                    .await?
            }
            Auth::JwtBearer {
                client_id,
                username,
                private_key,
                audience,
            } => {
                let audience = audience
                    .clone()
                    .unwrap_or_else(|| jwt::audience(&config.login_url));
                let endpoint = config.token_endpoint();
                jwt::sign_in(&self.door, endpoint, client_id, username, &audience, private_key).await?
            }
            Auth::Login {
                username,
                password,
                security_token,
            } => {
                let password = joined(password, security_token.as_ref());
                let endpoint = config.login_address(&login::path(config.api_version.number()));
                login::sign_in(&self.door, endpoint, username, &password).await?
            }
            Auth::SamlBearer { client_id } => self.by_assertion(client_id.as_deref()).await?,
        };
        Token::granted(&granted, &self.instances)
    }

    async fn by_assertion(&self, client_id: Option<&str>) -> Result<Granted> {
        let config = &self.config;
        let assertion = match (&config.assertions, &config.ws_trust) {
            (Some(provider), _) => provider.assertion().await?,
            (None, Some(provider)) => provider.assertion(&self.door).await?,
            (None, None) => return Err(Error::new(ErrorKind::Bug, "nobody gives assertions")),
        };
        let endpoint = config
            .sso_exchange_url
            .clone()
            .unwrap_or_else(|| config.token_endpoint());
        saml::sign_in(&self.door, endpoint, client_id, &assertion).await
    }

    async fn renewal(
        &self,
        client_id: &str,
        client_secret: Option<&Secret>,
        way: Way<'_>,
        unsaved: &mut Option<Secret>,
        refused: Option<&HeaderValue>,
    ) -> Result<Token> {
        let renewal = Renewal {
            app: self.app(client_id, client_secret),
            config: &self.config,
            store: self.store.as_ref(),
            instances: &self.instances,
            way,
        };
        renewal.token(unsaved, refused).await
    }

    fn app<'a>(&'a self, client_id: &'a str, client_secret: Option<&'a Secret>) -> App<'a> {
        App {
            door: &self.door,
            endpoint: self.config.token_endpoint(),
            client_id,
            client_secret,
        }
    }

    fn remember(&self, token: &Secret) {
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        recent.insert(0, token.clone());
        recent.truncate(RECENT);
    }
}

impl Refusal {
    fn of(error: &Error, at: Instant) -> Self {
        Self {
            at,
            kind: error.kind(),
            message: error.message().to_owned(),
            help: error.help().map(str::to_owned),
            api: api_error(error).cloned(),
        }
    }

    fn error(&self) -> Error {
        let error = Error::new(self.kind, self.message.clone()).with_retry(Retry::Never);
        let error = match &self.help {
            Some(help) => error.with_help(help.clone()),
            None => error,
        };
        match &self.api {
            Some(api) => error.with_source(api.clone()),
            None => error,
        }
    }
}

/// The password as Salesforce wants it: the security token behind it, with nothing between.
fn joined(password: &Secret, security_token: Option<&Secret>) -> Secret {
    let token = security_token.map(Secret::reveal).unwrap_or_default();
    Secret::new(format!("{}{token}", password.reveal()))
}
