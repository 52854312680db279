//! JWTs that speak for a user.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use serde_json::Value;

use super::consent::Refusal;
use super::oauth::{CLIENT_ID, USERNAME};
use super::org::Org;

/// How far ahead a JWT may end, in seconds.
const MAX_LIFE: i64 = 5 * 60;

/// Verifies an assertion as the token endpoint does.
pub(super) fn verify(org: &Org, assertion: &str) -> Result<(), Refusal> {
    const INVALID: Refusal = ("invalid_grant", "invalid assertion");
    let (signed, signature) = assertion.rsplit_once('.').ok_or(INVALID)?;
    let (header, claims) = signed.split_once('.').ok_or(INVALID)?;
    let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).map_err(|_| INVALID);
    let json = |part: &str| serde_json::from_slice::<Value>(&decode(part)?).map_err(|_| INVALID);
    if json(header)?["alg"] != "RS256" {
        return Err(INVALID);
    }
    let claims = json(claims)?;
    if claims["iss"] != CLIENT_ID {
        return Err(("invalid_client_id", "client identifier invalid"));
    }
    let signature = decode(signature)?;
    let keys = org.sessions.consents.lock().keys.clone();
    let good = keys.iter().any(|key| {
        UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, key)
            .verify(signed.as_bytes(), &signature)
            .is_ok()
    });
    if !good {
        return Err(INVALID);
    }
    let own = org.url();
    let audience = claims["aud"].as_str().unwrap_or_default();
    if ![
        "https://login.salesforce.com",
        "https://test.salesforce.com",
        &own,
    ]
    .contains(&audience)
    {
        return Err(("invalid_grant", "Audience validation failed"));
    }
    let left = claims["exp"].as_i64().unwrap_or_default() - org.now() / 1_000_000;
    if !(0..=MAX_LIFE).contains(&left) {
        return Err(INVALID);
    }
    if claims["sub"] != USERNAME {
        return Err(("invalid_grant", "user hasn't approved this consumer"));
    }
    Ok(())
}
