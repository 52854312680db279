//! The token endpoint.

use std::collections::HashMap;

use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::id;
use super::org::Org;
use super::reply;

/// Consumer key of the org's one app.
pub(super) const CLIENT_ID: &str = "3MVG9fake.consumer.key";
/// Consumer secret of the org's one app.
pub(super) const CLIENT_SECRET: &str = "FAKECONSUMERSECRET0123456789";
/// User of the password grant.
pub(super) const USERNAME: &str = "integration@example.com";
/// Password followed by the security token.
pub(super) const PASSWORD: &str = "correct horse&SECURITYTOKEN";

/// `POST /services/oauth2/token`
pub(super) fn token(org: &Org, authorization: Option<&str>, body: &[u8]) -> Response {
    match grant(org, authorization, body) {
        Ok(response) => response,
        Err((status, error, description)) => reply::json(
            status,
            &json!({ "error": error, "error_description": description }),
        ),
    }
}

type Refusal = (u16, &'static str, &'static str);

fn grant(org: &Org, authorization: Option<&str>, body: &[u8]) -> Result<Response, Refusal> {
    let mut form = form(body);
    if let Some((id, secret)) = authorization.and_then(basic) {
        form.entry("client_id".to_owned()).or_insert(id);
        form.entry("client_secret".to_owned()).or_insert(secret);
    }
    let field = |name: &str| form.get(name).map(String::as_str);
    let Some(grant_type) = field("grant_type") else {
        return Err((400, "unsupported_grant_type", "grant type not supported"));
    };
    if !matches!(grant_type, "client_credentials" | "refresh_token" | "password") {
        return Err((400, "unsupported_grant_type", "grant type not supported"));
    }
    if field("client_id") != Some(CLIENT_ID) {
        return Err((400, "invalid_client_id", "client identifier invalid"));
    }
    // The app lets refreshes go without a secret, but a wrong one is wrong.
    let secret_needed = grant_type != "refresh_token" || field("client_secret").is_some();
    if secret_needed && field("client_secret") != Some(CLIENT_SECRET) {
        return Err((400, "invalid_client", "invalid client credentials"));
    }
    let mut refresh = None;
    match grant_type {
        "refresh_token" => {
            let rotate = org.config.rotate_refresh_tokens;
            if !field("refresh_token").is_some_and(|token| org.sessions.use_refresh(token, rotate)) {
                return Err((400, "invalid_grant", "expired access/refresh token"));
            }
            refresh = rotate.then(|| org.sessions.issue_refresh());
        }
        "password" if field("username") != Some(USERNAME) || field("password") != Some(PASSWORD) => {
            return Err((400, "invalid_grant", "authentication failure"));
        }
        _ => {}
    }
    let org_id = org.org_id();
    let url = org.url();
    let mut answer = json!({
        "access_token": org.sessions.issue_access(&org_id, org.now()),
        "signature": STANDARD.encode(org_id.as_bytes()),
        "scope": "api refresh_token",
        "instance_url": url,
        "id": format!("{url}/id/{org_id}/{}", id::make("005", 1)),
        "token_type": "Bearer",
        "issued_at": (org.now() / 1_000).to_string(),
    });
    if let Some(refresh) = refresh {
        answer["refresh_token"] = refresh.into();
    }
    Ok(reply::json(200, &answer))
}

fn basic(header: &str) -> Option<(String, String)> {
    let encoded = header.strip_prefix("Basic ")?;
    let decoded = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (id, secret) = decoded.split_once(':')?;
    Some((decode(id), decode(secret)))
}

/// The fields of a form or of a query string.
pub(super) fn form(text: &[u8]) -> HashMap<String, String> {
    let text = String::from_utf8_lossy(text);
    text.split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| (decode(name), decode(value)))
        .collect()
}

fn decode(text: &str) -> String {
    percent_encoding::percent_decode_str(&text.replace('+', " "))
        .decode_utf8_lossy()
        .into_owned()
}
