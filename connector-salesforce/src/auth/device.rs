//! The device flow: a person enters a code in a browser elsewhere.

use std::time::Duration;

use connector_core::{Error, ErrorKind, Result, Secret};
use connector_http::{Request, Url};
use serde::Deserialize;

use super::SCOPE;
use super::oauth::{App, read};
use super::prompt::{Ask, Prompt};
use super::token::Granted;
use crate::config::is_trustworthy;
use crate::error::{ApiError, api_error};

/// How long a person is waited for.
const PATIENCE: Duration = Duration::from_secs(10 * 60);
/// How much slower `slow_down` asks to be.
const SLOWER: Duration = Duration::from_secs(5);

#[derive(Deserialize)]
struct Codes {
    device_code: String,
    user_code: String,
    verification_uri: String,
    #[serde(default = "five")]
    interval: u64,
}

fn five() -> u64 {
    5
}

/// Shows address and code, and asks for the token until the person is done.
pub(super) async fn sign_in(app: &App<'_>, prompt: &dyn Prompt) -> Result<Granted> {
    let codes = begin(app).await?;
    let device_code = Secret::new(codes.device_code);
    let user_code = Secret::new(codes.user_code);
    let url = Url::parse(&codes.verification_uri).ok().filter(is_trustworthy);
    let url = url.ok_or_else(|| {
        Error::new(
            ErrorKind::Auth,
            "the address to enter the code at is not reached by https",
        )
        .with_help("check `login_url`: it leads to something other than Salesforce")
    })?;
    let ask = Ask::Device {
        url,
        code: user_code.clone(),
    };
    prompt.show(&ask).await?;
    let mut interval = Duration::from_secs(codes.interval.clamp(1, 60));
    let mut waited = Duration::ZERO;
    while waited < PATIENCE {
        app.door.clock().sleep(interval).await;
        waited += interval;
        let error = match poll(app, &device_code, &user_code).await {
            Ok(granted) => return Ok(granted),
            Err(error) => error,
        };
        match api_error(&error).and_then(ApiError::code) {
            Some("authorization_pending") => {}
            Some("slow_down") => interval += SLOWER,
            _ => return Err(error),
        }
    }
    Err(
        Error::new(ErrorKind::Auth, "nobody entered the code within ten minutes")
            .with_help("start again, open the address that is shown and enter the code"),
    )
}

async fn begin(app: &App<'_>) -> Result<Codes> {
    let fields = [
        ("response_type", "device_code"),
        ("client_id", app.client_id),
        ("scope", SCOPE),
    ];
    let request = Request::post(app.endpoint.clone()).form(fields);
    let response = app.door.send(request, &[]).await?;
    serde_json::from_slice(&response.body).map_err(|_| {
        Error::new(ErrorKind::Auth, "the token endpoint gives no device code")
            .with_help("allow the device flow in the app's settings in Salesforce")
    })
}

async fn poll(app: &App<'_>, device_code: &Secret, user_code: &Secret) -> Result<Granted> {
    let mut fields = vec![
        ("grant_type", "device"),
        ("code", device_code.reveal()),
        ("client_id", app.client_id),
    ];
    if let Some(secret) = app.client_secret {
        fields.push(("client_secret", secret.reveal()));
    }
    let request = Request::post(app.endpoint.clone()).form(fields);
    let secrets = app.secrets(&[device_code, user_code]);
    read(&app.door.send(request, &secrets).await?)
}
