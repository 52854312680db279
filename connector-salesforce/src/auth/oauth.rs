//! The token endpoint, asked in the ways of OAuth.

use connector_core::{Error, ErrorKind, Result, Secret};
use connector_http::{Method, Request, Response, StatusCode, Url};
use futures::future::BoxFuture;
use oauth2::basic::{
    BasicErrorResponse, BasicRevocationErrorResponse, BasicTokenIntrospectionResponse, BasicTokenType,
};
use oauth2::{
    AuthType, AuthorizationCode, Client, ClientId, ClientSecret, EndpointNotSet, EndpointSet,
    ExtraTokenFields, HttpRequest, HttpResponse, PkceCodeVerifier, RedirectUrl, RefreshToken,
    RequestTokenError, ResourceOwnerPassword, ResourceOwnerUsername, StandardRevocableToken,
    StandardTokenResponse, TokenResponse, TokenUrl,
};
use serde::{Deserialize, Serialize};

use super::door::Door;
use super::token::Granted;

/// What Salesforce adds to a token answer.
#[derive(Clone, Debug, Deserialize, Serialize)]
struct Extra {
    instance_url: String,
    #[serde(default)]
    id: Option<String>,
}

impl ExtraTokenFields for Extra {}

type Answer = StandardTokenResponse<Extra, BasicTokenType>;
type Library = Client<
    BasicErrorResponse,
    Answer,
    BasicTokenIntrospectionResponse,
    StandardRevocableToken,
    BasicRevocationErrorResponse,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointSet,
>;

/// An app at a token endpoint.
pub(super) struct App<'a> {
    pub(super) door: &'a Door,
    pub(super) endpoint: Url,
    pub(super) client_id: &'a str,
    pub(super) client_secret: Option<&'a Secret>,
}

impl App<'_> {
    pub(super) async fn client_credentials(&self) -> Result<Granted> {
        let http = self.http(&[]);
        granted(
            self.library()
                .exchange_client_credentials()
                .request_async(&http)
                .await,
        )
    }

    pub(super) async fn refresh(&self, refresh_token: &Secret) -> Result<Granted> {
        let token = RefreshToken::new(refresh_token.reveal().to_owned());
        let http = self.http(&[refresh_token]);
        granted(
            self.library()
                .exchange_refresh_token(&token)
                .request_async(&http)
                .await,
        )
    }

    /// `password` with the security token behind it.
    pub(super) async fn password(&self, username: &str, password: &Secret) -> Result<Granted> {
        let username = ResourceOwnerUsername::new(username.to_owned());
        let secret = ResourceOwnerPassword::new(password.reveal().to_owned());
        let http = self.http(&[password]);
        granted(
            self.library()
                .exchange_password(&username, &secret)
                .request_async(&http)
                .await,
        )
    }

    /// Trades a code in; `callback` is spelt as it was in the address that was shown.
    pub(super) async fn code(&self, code: &Secret, verifier: &Secret, callback: &str) -> Result<Granted> {
        let callback = RedirectUrl::new(callback.to_owned())
            .map_err(|_| Error::new(ErrorKind::Config, "`callback_url` is no address"))?;
        let http = self.http(&[code, verifier]);
        let library = self.library().set_redirect_uri(callback);
        granted(
            library
                .exchange_code(AuthorizationCode::new(code.reveal().to_owned()))
                .set_pkce_verifier(PkceCodeVerifier::new(verifier.reveal().to_owned()))
                .request_async(&http)
                .await,
        )
    }

    /// Carries the library's requests; `own` are their secrets.
    fn http(&self, own: &[&Secret]) -> impl Fn(HttpRequest) -> BoxFuture<'static, Exchanged> + use<> {
        let door = self.door.clone();
        let secrets: Vec<Secret> = self.secrets(own).into_iter().cloned().collect();
        move |request| Box::pin(exchange(door.clone(), request, secrets.clone()))
    }

    /// The secrets of a request: the app's and its own.
    pub(super) fn secrets<'s>(&'s self, own: &[&'s Secret]) -> Vec<&'s Secret> {
        own.iter().copied().chain(self.client_secret).collect()
    }

    fn library(&self) -> Library {
        let client = Client::new(ClientId::new(self.client_id.to_owned()))
            // Secrets travel in the body, which nothing logs.
            .set_auth_type(AuthType::RequestBody)
            .set_token_uri(TokenUrl::from_url(self.endpoint.clone()));
        match self.client_secret {
            Some(secret) => client.set_client_secret(ClientSecret::new(secret.reveal().to_owned())),
            None => client,
        }
    }
}

/// Asks `endpoint` with a form of the ways that the library does not have.
pub(super) async fn form(
    door: &Door,
    endpoint: Url,
    fields: &[(&str, &str)],
    secrets: &[&Secret],
) -> Result<Granted> {
    let request = Request::post(endpoint).form(fields.iter().copied());
    read(&door.send(request, secrets).await?)
}

/// Reads a token answer.
pub(super) fn read(response: &Response) -> Result<Granted> {
    // The error's own text would show what stands there.
    let answer: Answer = serde_json::from_slice(&response.body).map_err(|_| no_token())?;
    Ok(taken(&answer))
}

fn no_token() -> Error {
    Error::new(ErrorKind::Auth, "the token endpoint's answer is no token")
        .with_help("check `login_url` and `token_url`: they lead to something other than Salesforce")
}

fn taken(answer: &Answer) -> Granted {
    let extra = answer.extra_fields();
    Granted {
        access_token: Secret::new(answer.access_token().secret().as_str()),
        instance_url: extra.instance_url.clone(),
        id: extra.id.clone(),
        refresh_token: answer
            .refresh_token()
            .map(|token| Secret::new(token.secret().as_str())),
    }
}

fn granted(
    answer: std::result::Result<Answer, RequestTokenError<Failed, BasicErrorResponse>>,
) -> Result<Granted> {
    match answer {
        Ok(answer) => Ok(taken(&answer)),
        Err(RequestTokenError::Request(Failed(error))) => Err(error),
        // The library's own errors hold the answer, and with it the token.
        Err(_) => Err(no_token()),
    }
}

/// Our error where the library wants a `std` one of its own.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
struct Failed(Error);

type Exchanged = std::result::Result<HttpResponse, Failed>;

/// Carries the library's request over our client, whose loop has classified whatever is not 2xx.
async fn exchange(door: Door, request: HttpRequest, secrets: Vec<Secret>) -> Exchanged {
    let secrets: Vec<&Secret> = secrets.iter().collect();
    let url = Url::parse(&request.uri().to_string()).map_err(|error| {
        Failed(Error::new(ErrorKind::Config, "the token endpoint is no address").with_source(error))
    })?;
    let mut ours = Request::new(Method::POST, url);
    for (name, value) in request.headers() {
        ours.headers.insert(name.clone(), value.clone());
    }
    ours.body = request.into_body().into();
    let answer = door.send(ours, &secrets).await.map_err(Failed)?;
    let mut response = HttpResponse::new(answer.body.to_vec());
    *response.status_mut() = StatusCode::OK;
    *response.headers_mut() = answer.headers.clone();
    Ok(response)
}
