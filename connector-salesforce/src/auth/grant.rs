//! Asking the token endpoint.

use connector_core::{Error, ErrorKind, Result, Secret};
use connector_http::{Method, Request, RestClient, StatusCode, Url};
use oauth2::basic::{
    BasicErrorResponse, BasicRevocationErrorResponse, BasicTokenIntrospectionResponse, BasicTokenType,
};
use oauth2::{
    AuthType, Client, ClientId, ClientSecret, ExtraTokenFields, HttpRequest, HttpResponse, RefreshToken,
    RequestTokenError, ResourceOwnerPassword, ResourceOwnerUsername, StandardRevocableToken,
    StandardTokenResponse, TokenResponse, TokenUrl,
};
use serde::{Deserialize, Serialize};

use super::token::Token;
use crate::config::Auth;

/// What Salesforce adds to a token answer.
#[derive(Clone, Debug, Deserialize, Serialize)]
struct Extra {
    instance_url: String,
    #[serde(default)]
    id: Option<String>,
}

impl ExtraTokenFields for Extra {}

type Answer = StandardTokenResponse<Extra, BasicTokenType>;
type OAuth = Client<
    BasicErrorResponse,
    Answer,
    BasicTokenIntrospectionResponse,
    StandardRevocableToken,
    BasicRevocationErrorResponse,
>;

/// What the token endpoint gave.
pub(super) struct Granted {
    pub(super) token: Token,
    pub(super) refresh_token: Option<Secret>,
}

/// Asks `endpoint` for a token; `rotated` is a newer refresh token than the configured one.
pub(super) async fn request(
    rest: &RestClient,
    endpoint: &Url,
    auth: &Auth,
    rotated: Option<&Secret>,
) -> Result<Granted> {
    let (client_id, client_secret) = match auth {
        Auth::ClientCredentials {
            client_id,
            client_secret,
        } => (client_id, Some(client_secret)),
        Auth::RefreshToken {
            client_id,
            client_secret,
            ..
        }
        | Auth::Password {
            client_id,
            client_secret,
            ..
        } => (client_id, client_secret.as_ref()),
        Auth::AccessToken { .. } => {
            return Err(Error::new(
                ErrorKind::Bug,
                "a given token needs no token endpoint",
            ));
        }
    };
    // Secrets travel in the body, which nothing logs.
    let mut client = OAuth::new(ClientId::new(client_id.clone())).set_auth_type(AuthType::RequestBody);
    if let Some(secret) = client_secret {
        client = client.set_client_secret(ClientSecret::new(secret.reveal().to_owned()));
    }
    let client = client.set_token_uri(TokenUrl::from_url(endpoint.clone()));
    let http = |request: HttpRequest| exchange(rest.clone(), request);
    let answer = match auth {
        Auth::ClientCredentials { .. } => client.exchange_client_credentials().request_async(&http).await,
        Auth::RefreshToken { refresh_token, .. } => {
            let token = RefreshToken::new(rotated.unwrap_or(refresh_token).reveal().to_owned());
            client.exchange_refresh_token(&token).request_async(&http).await
        }
        Auth::Password {
            username,
            password,
            security_token,
            ..
        } => {
            let token = security_token.as_ref().map(Secret::reveal).unwrap_or_default();
            let username = ResourceOwnerUsername::new(username.clone());
            let password = ResourceOwnerPassword::new(format!("{}{token}", password.reveal()));
            client
                .exchange_password(&username, &password)
                .request_async(&http)
                .await
        }
        Auth::AccessToken { .. } => {
            return Err(Error::new(
                ErrorKind::Bug,
                "a given token needs no token endpoint",
            ));
        }
    };
    let answer = answer.map_err(|error| match error {
        RequestTokenError::Request(Failed(error)) => error,
        // The library's own errors hold the answer, and with it the token.
        _ => Error::new(ErrorKind::Auth, "the token endpoint's answer is no token")
            .with_help("check `login_url` and `token_url`: they lead to something other than Salesforce"),
    })?;
    let extra = answer.extra_fields();
    let token = Token::granted(
        answer.access_token().secret(),
        &extra.instance_url,
        extra.id.as_deref(),
    )?;
    let refresh_token = answer
        .refresh_token()
        .map(|token| Secret::new(token.secret().clone()));
    Ok(Granted { token, refresh_token })
}

/// Our error where the library wants a `std` one of its own.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
struct Failed(Error);

/// Carries the library's request over our client, whose loop has classified whatever is not 2xx.
async fn exchange(rest: RestClient, request: HttpRequest) -> std::result::Result<HttpResponse, Failed> {
    let url = Url::parse(&request.uri().to_string()).map_err(|error| {
        Failed(Error::new(ErrorKind::Config, "the token endpoint is no address").with_source(error))
    })?;
    let mut ours = Request::new(Method::POST, url).idempotent();
    for (name, value) in request.headers() {
        ours.headers.insert(name.clone(), value.clone());
    }
    ours.body = request.into_body().into();
    let answer = rest.send(&ours).await.map_err(Failed)?;
    let mut response = HttpResponse::new(answer.body.to_vec());
    *response.status_mut() = StatusCode::OK;
    *response.headers_mut() = answer.headers.clone();
    Ok(response)
}
