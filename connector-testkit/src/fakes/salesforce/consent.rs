//! What people have consented to: authorization codes, device codes, assertions about them, keys that speak for them.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::digest::{SHA256, digest};

/// How long a code is good, in microseconds.
const CODE_LIFE: i64 = 15 * 60 * 1_000_000;
/// How long a device has to wait between polls, in microseconds.
pub(super) const DEVICE_INTERVAL: i64 = 5 * 1_000_000;

/// Everything that stands for a person.
#[derive(Debug, Default)]
pub(super) struct Consents(Mutex<Inner>);

#[derive(Debug, Default)]
pub(super) struct Inner {
    issued: u64,
    codes: HashMap<String, Code>,
    devices: HashMap<String, Device>,
    /// Assertions by id, each from its first tag's end on.
    assertions: HashMap<String, String>,
    /// Public keys of certificates that the app knows.
    pub(super) keys: Vec<Vec<u8>>,
    /// Whether the next person says no.
    pub(super) denied: bool,
    /// Whether the user's password has expired.
    pub(super) password_expired: bool,
}

#[derive(Debug)]
struct Code {
    redirect_uri: String,
    challenge: String,
    issued: i64,
}

#[derive(Debug)]
struct Device {
    user_code: String,
    approved: bool,
    polled: Option<i64>,
}

/// Why a code is refused.
pub(super) type Refusal = (&'static str, &'static str);

impl Consents {
    pub(super) fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn next(&mut self, prefix: &str) -> String {
        self.issued += 1;
        format!("{prefix}{:08}", self.issued)
    }

    /// An authorization code for whoever has the verifier of `challenge`.
    pub(super) fn issue_code(&mut self, redirect_uri: &str, challenge: &str, now: i64) -> String {
        let code = self.next("aPrx.fake_code_");
        let issued = Code {
            redirect_uri: redirect_uri.to_owned(),
            challenge: challenge.to_owned(),
            issued: now,
        };
        self.codes.insert(code.clone(), issued);
        code
    }

    /// Uses an authorization code up.
    pub(super) fn use_code(
        &mut self,
        code: &str,
        redirect_uri: &str,
        verifier: &str,
        now: i64,
    ) -> Result<(), Refusal> {
        let Some(found) = self.codes.remove(code) else {
            return Err(("invalid_grant", "invalid authorization code"));
        };
        if now - found.issued > CODE_LIFE {
            return Err(("invalid_grant", "expired authorization code"));
        }
        if found.redirect_uri != redirect_uri {
            return Err(("redirect_uri_mismatch", "redirect_uri must match configuration"));
        }
        let challenge = URL_SAFE_NO_PAD.encode(digest(&SHA256, verifier.as_bytes()));
        let fits = (43..=128).contains(&verifier.len()) && challenge == found.challenge;
        if fits {
            Ok(())
        } else {
            Err(("invalid_grant", "invalid code verifier"))
        }
    }

    /// A device code and the user code that goes with it.
    pub(super) fn issue_device(&mut self) -> (String, String) {
        let code = self.next("fake_device_");
        let user_code = format!("FAKE{:04}", self.issued);
        let device = Device {
            user_code: user_code.clone(),
            approved: false,
            polled: None,
        };
        self.devices.insert(code.clone(), device);
        (code, user_code)
    }

    /// A person enters a user code.
    pub(super) fn approve(&mut self, user_code: &str) -> bool {
        let mut devices = self.devices.values_mut();
        let found = devices.find(|device| device.user_code == user_code);
        found.map(|device| device.approved = true).is_some()
    }

    /// A device asks whether the person is done.
    pub(super) fn poll(&mut self, code: &str, now: i64) -> Result<(), Refusal> {
        let denied = self.denied;
        let Some(device) = self.devices.get_mut(code) else {
            return Err(("invalid_grant", "expired authorization code"));
        };
        let early = device.polled.is_some_and(|polled| now - polled < DEVICE_INTERVAL);
        device.polled = Some(now);
        if early {
            return Err(("slow_down", "polling too frequently"));
        }
        if denied {
            return Err(("access_denied", "end-user denied authorization"));
        }
        if !device.approved {
            return Err(("authorization_pending", "authorization pending"));
        }
        self.devices.remove(code);
        Ok(())
    }

    /// An assertion about `username`, good for once.
    pub(super) fn issue_assertion(&mut self, username: &str, audience: &str) -> String {
        let id = self.next("_fake_assertion_");
        let assertion = format!(
            "<saml:Assertion xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\" ID=\"{id}\" Version=\"2.0\">\
             <saml:Subject><saml:NameID>{username}</saml:NameID></saml:Subject>\
             <saml:Conditions><saml:AudienceRestriction><saml:Audience>{audience}</saml:Audience>\
             </saml:AudienceRestriction></saml:Conditions></saml:Assertion>"
        );
        self.assertions.insert(id, rest(&assertion).to_owned());
        assertion
    }

    /// Whether an assertion, as base64url, is one of ours that nothing but namespaces was added to.
    pub(super) fn use_assertion(&mut self, encoded: &str) -> bool {
        let decoded = URL_SAFE_NO_PAD.decode(encoded.trim_end_matches('=')).ok();
        let Some(text) = decoded.and_then(|bytes| String::from_utf8(bytes).ok()) else {
            return false;
        };
        let id = text
            .split(" ID=\"")
            .nth(1)
            .and_then(|text| text.split('"').next());
        let issued = id.and_then(|id| self.assertions.remove(id));
        issued.is_some_and(|issued| issued == rest(&text))
    }
}

/// What follows the first tag.
fn rest(document: &str) -> &str {
    document.split_once('>').map_or("", |(_, rest)| rest)
}
