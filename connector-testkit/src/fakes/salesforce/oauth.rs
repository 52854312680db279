//! The token endpoint, and the page where people consent.

use std::collections::HashMap;

use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::consent::DEVICE_INTERVAL;
use super::org::Org;
use super::{id, jwt, reply};

/// Consumer key of the org's one app.
pub(super) const CLIENT_ID: &str = "3MVG9fake.consumer.key";
/// Consumer secret of the org's one app.
pub(super) const CLIENT_SECRET: &str = "FAKECONSUMERSECRET0123456789";
/// User of the password grant.
pub(super) const USERNAME: &str = "integration@example.com";
/// Password followed by the security token.
pub(super) const PASSWORD: &str = "correct horse&SECURITYTOKEN";
/// The security token alone.
pub(super) const SECURITY_TOKEN: &str = "SECURITYTOKEN";
/// The grants of the apps' flows, by `grant_type`.
const GRANTS: [&str; 8] = [
    "client_credentials",
    "refresh_token",
    "password",
    "authorization_code",
    "device",
    "urn:ietf:params:oauth:grant-type:jwt-bearer",
    "urn:ietf:params:oauth:grant-type:saml2-bearer",
    "assertion",
];

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
    if field("response_type") == Some("device_code") {
        return device(org, field("client_id"));
    }
    let grant_type = field("grant_type").filter(|grant| GRANTS.contains(grant));
    let Some(grant_type) = grant_type else {
        return Err((400, "unsupported_grant_type", "grant type not supported"));
    };
    // Assertions say who asks, or need no app at all.
    let by_assertion = field("assertion").is_some();
    if field("client_id") != Some(CLIENT_ID) && (!by_assertion || field("client_id").is_some()) {
        return Err((400, "invalid_client_id", "client identifier invalid"));
    }
    // The app lets public clients go without a secret, but a wrong one is wrong.
    let secret_needed = matches!(grant_type, "client_credentials" | "password");
    let wrong_secret = field("client_secret").is_some_and(|secret| secret != CLIENT_SECRET);
    if wrong_secret || secret_needed && field("client_secret").is_none() {
        return Err((400, "invalid_client", "invalid client credentials"));
    }
    let text = |name: &str| field(name).unwrap_or_default();
    let refused = |(error, description)| (400, error, description);
    let mut refresh = None;
    match grant_type {
        "refresh_token" => {
            let rotate = org.config.rotate_refresh_tokens;
            let used = org.sessions.use_refresh(text("refresh_token"), rotate);
            refresh = used.ok_or((400, "invalid_grant", "expired access/refresh token"))?;
        }
        "password" if field("username") != Some(USERNAME) || field("password") != Some(PASSWORD) => {
            return Err((400, "invalid_grant", "authentication failure"));
        }
        "authorization_code" => {
            let (code, uri) = (text("code"), text("redirect_uri"));
            let mut consents = org.sessions.consents.lock();
            let used = consents.use_code(code, uri, text("code_verifier"), org.now());
            used.map_err(refused)?;
            refresh = Some(org.sessions.issue_refresh());
        }
        "device" => {
            let polled = org.sessions.consents.lock().poll(text("code"), org.now());
            polled.map_err(refused)?;
            refresh = Some(org.sessions.issue_refresh());
        }
        "urn:ietf:params:oauth:grant-type:jwt-bearer" => {
            jwt::verify(org, text("assertion")).map_err(refused)?;
        }
        "urn:ietf:params:oauth:grant-type:saml2-bearer" | "assertion"
            if !org.sessions.consents.lock().use_assertion(text("assertion")) =>
        {
            return Err((400, "invalid_grant", "invalid assertion"));
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

fn device(org: &Org, client_id: Option<&str>) -> Result<Response, Refusal> {
    if client_id != Some(CLIENT_ID) {
        return Err((400, "invalid_client_id", "client identifier invalid"));
    }
    let (device_code, user_code) = org.sessions.consents.lock().issue_device();
    let answer = json!({
        "device_code": device_code,
        "user_code": user_code,
        "verification_uri": format!("{}/setup/connect", org.url()),
        "interval": DEVICE_INTERVAL / 1_000_000,
    });
    Ok(reply::json(200, &answer))
}

/// `GET /services/oauth2/authorize`: the person is signed in already, and decides at once.
pub(super) fn authorize(org: &Org, query: &str) -> Response {
    let form = form(query.as_bytes());
    let text = |name: &str| form.get(name).map(String::as_str).unwrap_or_default();
    let uri = text("redirect_uri");
    let local = ["http://localhost:", "http://127.0.0.1:", "https://app.example/"];
    if text("client_id") != CLIENT_ID || !local.iter().any(|start| uri.starts_with(start)) {
        return reply::with_body(
            400,
            "text/html",
            "<html><body>error=redirect_uri_mismatch</body></html>",
        );
    }
    let mut consents = org.sessions.consents.lock();
    let outcome = if text("response_type") != "code" {
        "error=unsupported_response_type&error_description=response+type+not+supported".to_owned()
    } else if text("code_challenge").is_empty() || text("code_challenge_method") != "S256" {
        "error=invalid_request&error_description=missing+required+code+challenge".to_owned()
    } else if consents.denied {
        "error=access_denied&error_description=end-user+denied+authorization".to_owned()
    } else {
        let code = consents.issue_code(uri, text("code_challenge"), org.now());
        format!("code={}", encode(&code))
    };
    let joint = if uri.contains('?') { '&' } else { '?' };
    let target = format!("{uri}{joint}{outcome}&state={}", encode(text("state")));
    let mut response = reply::empty(302);
    if let Ok(target) = target.try_into() {
        response.headers_mut().insert(http::header::LOCATION, target);
    }
    response
}

/// `GET /services/oauth2/userinfo`
pub(super) fn user_info(org: &Org) -> Response {
    let answer = json!({
        "organization_id": org.org_id(),
        "user_id": id::make("005", 1),
        "preferred_username": USERNAME,
    });
    reply::json(200, &answer)
}

fn encode(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
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
