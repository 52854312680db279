//! What it means that a sign-in is refused.

use connector_core::{Error, ErrorKind, Retry};
use connector_http::Failure;

use super::scrub::Scrub;
use super::xml::Texts;
use crate::error::{ApiError, api_error};

/// Kind, retry, what it means, and what to do.
type Meaning = (ErrorKind, Retry, &'static str, &'static str);

/// Makes an error of a sign-in's answer that is not 2xx; `scrub` holds what was sent.
pub(super) fn classify(failure: &Failure, scrub: &Scrub) -> Error {
    let status = failure.status.as_u16();
    let read = fault(&failure.text(), status).unwrap_or_else(|| ApiError::read(status, &failure.body));
    let api = scrub.error(read);
    let base = failure.to_error("the sign-in server");
    let meaning = match &api {
        ApiError::OAuth { error, description } => oauth(error, description),
        ApiError::Api { code, .. } => soap(code),
        ApiError::Page { .. } => None,
    };
    let code = api.code().unwrap_or_default();
    let error = match meaning {
        Some((kind, retry, said, help)) => {
            let retry = match base.retry() {
                after @ Retry::After(_) if retry == Retry::Backoff => after,
                _ => retry,
            };
            Error::new(kind, format!("the sign-in is refused: {said} ({code})"))
                .with_retry(retry)
                .with_help(help)
        }
        None if code.is_empty() => match status {
            404 | 410 => base
                .with_help("check `login_url` and `token_url`: they lead to something other than a sign-in"),
            _ => base,
        },
        // A code that is not known says no, whatever the status.
        None => Error::new(ErrorKind::Auth, format!("the sign-in is refused: {code}"))
            .with_help("look into the user's login history in Salesforce's setup: it names the reason"),
    };
    error.with_source(api)
}

/// Whether asking again could only do harm: the server has looked at what was sent and said no.
pub(super) fn is_final(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Auth | ErrorKind::Forbidden) && api_error(error).is_some()
}

/// Whether a refresh token has come to its end.
pub(super) fn is_ended(error: &Error) -> bool {
    api_error(error).and_then(ApiError::code) == Some("invalid_grant")
}

/// Reads a SOAP fault, 1.1 or 1.2.
pub(super) fn fault(body: &str, status: u16) -> Option<ApiError> {
    if !body.trim_start().starts_with('<') {
        return None;
    }
    let texts = Texts::read(body)?;
    texts.get("Fault")?;
    let code = texts
        .get("exceptionCode")
        .or_else(|| texts.get("faultcode"))
        .or_else(|| texts.get("Value"))?;
    let message = texts
        .get("exceptionMessage")
        .or_else(|| texts.get("faultstring"))
        .or_else(|| texts.get("Text"));
    let code = code.rsplit_once(':').map_or(code, |(_, code)| code);
    Some(ApiError::Api {
        status,
        code: code.chars().take(100).collect(),
        message: message.unwrap_or_default().chars().take(500).collect(),
        fields: Vec::new(),
    })
}

/// The token endpoint's errors.
fn oauth(error: &str, description: &str) -> Option<Meaning> {
    use ErrorKind::{Auth, Config, Forbidden, RateLimited, Unavailable};
    let description = description.to_ascii_lowercase();
    let says = |words: &str| description.contains(words);
    if says("app must be installed into org") {
        return Some((
            Forbidden,
            Retry::Never,
            "the app is not installed in the org",
            "install the app in the org, or give the user \"Approve Uninstalled Connected Apps\"",
        ));
    }
    let (kind, said, help) = match error {
        "invalid_grant" => return Some(invalid_grant(&description)),
        "invalid_client" | "invalid_client_id" => (
            Auth,
            "the app's key or secret is wrong",
            "check `client_id` and `client_secret` against the app in Salesforce, and that the app is in this org",
        ),
        "invalid_request" => (
            Auth,
            "the app does not take this kind of sign-in",
            "allow this `auth` in the app's settings in Salesforce",
        ),
        "unsupported_grant_type" | "unauthorized_client" => (
            Auth,
            "the app or the org does not allow this kind of sign-in",
            "allow this `auth` in the app's settings in Salesforce; the password grant is off in new orgs",
        ),
        "redirect_uri_mismatch" => (
            Config,
            "the callback address is not one of the app's",
            "enter `callback_url` in the app's settings, letter by letter",
        ),
        "unsupported_response_type" => (
            Auth,
            "the app does not take this kind of sign-in",
            "allow the device flow or the web server flow in the app's settings in Salesforce",
        ),
        "inactive_user" => (
            Auth,
            "the user is not active",
            "activate the user in Salesforce, or sign in as another",
        ),
        "inactive_org" => (
            Auth,
            "the org is locked, closed or suspended",
            "ask the org's administrator or Salesforce's support",
        ),
        "rate_limit_exceeded" => {
            return Some((
                RateLimited,
                Retry::Backoff,
                "too many sign-ins in a short time",
                "sign in less often: share one connection, or a `token_store`",
            ));
        }
        "OAUTH_APPROVAL_ERROR_GENERIC" => (
            Auth,
            "the app may not be approved by this user",
            "let an administrator approve the app for the user, and try again in a new browser window",
        ),
        "OAUTH_EC_APP_NOT_FOUND" => (
            Auth,
            "the org does not have the app",
            "check `client_id`, and that the app is installed in the org that `login_url` leads to",
        ),
        "access_denied" => (
            Auth,
            "consent was not given",
            "sign in anew and allow the app's request",
        ),
        "authorization_pending" | "slow_down" => (
            Auth,
            "nobody has signed in yet",
            "open the address that was shown and enter the code",
        ),
        "server_error" | "temporarily_unavailable" | "unknown_error" => {
            return Some((
                Unavailable,
                Retry::Backoff,
                "the sign-in server is in trouble",
                "try again later",
            ));
        }
        _ => return None,
    };
    Some((kind, Retry::Never, said, help))
}

/// `invalid_grant` by its description, in lower case; never worth another try.
fn invalid_grant(description: &str) -> Meaning {
    let known: [(&str, &str, &str); 9] = [
        (
            "expired authorization code",
            "the authorization code is too old",
            "sign in anew: a code is good for a few minutes, and once",
        ),
        (
            "invalid authorization code",
            "the authorization code is wrong or was used before",
            "sign in anew: a code is good for a few minutes, and once",
        ),
        (
            "invalid code verifier",
            "the code does not belong to this `pkce_verifier`",
            "sign in anew, with the verifier that the address was made with",
        ),
        (
            "expired access/refresh token",
            "the refresh token has ended or was revoked",
            "sign in anew: only a person can give a new one; where tokens rotate, two programs need one `token_store`",
        ),
        (
            "audience validation failed",
            "the JWT is meant for another login address",
            "set `audience` to https://login.salesforce.com, https://test.salesforce.com or the site's address",
        ),
        (
            "user hasn't approved this consumer",
            "the user has not approved the app",
            "let an administrator pre-authorize the user's profile or permission set for the app",
        ),
        (
            "ip restricted",
            "signing in from this address is not allowed",
            "add the address to the trusted ranges, or relax the app's IP restrictions",
        ),
        (
            "invalid assertion",
            "the assertion is not accepted",
            "check the key or identity provider, its certificate in Salesforce, the user name and this machine's clock",
        ),
        (
            "authentication failure",
            "the user or what proves it is not accepted",
            "sign in anew: check `username`, `password` and `security_token`, and the user's login history in Salesforce",
        ),
    ];
    let found = known.iter().find(|(words, ..)| description.contains(words));
    let (said, help) = found.map_or(
        (
            "what was given is not accepted, or not any more",
            "sign in anew: the password, the token or the app's policies do not allow it any more",
        ),
        |(_, said, help)| (said, help),
    );
    (ErrorKind::Auth, Retry::Never, said, help)
}

/// The faults of SOAP login.
fn soap(code: &str) -> Option<Meaning> {
    use ErrorKind::{Auth, Config, Forbidden, Unavailable};
    let (kind, said, help) = match code {
        "INVALID_LOGIN" => (
            Auth,
            "user, password or security token are wrong, or the user is locked",
            "check `username`, `password` and `security_token`; a sandbox's user name ends in the sandbox's name",
        ),
        "LOGIN_MUST_USE_SECURITY_TOKEN" => (
            Auth,
            "a security token is needed from this address",
            "set `security_token` (reset it in the user's settings), or add the address to the trusted ranges",
        ),
        "LOGIN_CHALLENGE_ISSUED" | "LOGIN_CHALLENGE_PENDING" => (
            Auth,
            "Salesforce wants the user's identity confirmed",
            "confirm by the message sent to the user, set `security_token`, or add the address to the trusted ranges",
        ),
        "LOGIN_DURING_RESTRICTED_DOMAIN" => (
            Auth,
            "the user may not sign in from this address",
            "add the address to the login ranges of the user's profile",
        ),
        "LOGIN_DURING_RESTRICTED_TIME" => (
            Auth,
            "the user may not sign in at this time",
            "run within the login hours of the user's profile",
        ),
        "PASSWORD_LOCKOUT" => (
            Auth,
            "the user is locked after too many failures",
            "unlock the user in Salesforce, then check `password` and `security_token`",
        ),
        "ORG_LOCKED" => (
            Auth,
            "the org is locked",
            "ask the org's administrator or Salesforce's support",
        ),
        "TRIAL_EXPIRED" => (
            Auth,
            "the org's trial has ended",
            "buy the org or connect to another one",
        ),
        "INVALID_OPERATION_WITH_EXPIRED_PASSWORD" => (Auth, EXPIRED.0, EXPIRED.1),
        "API_DISABLED_FOR_ORG" => (
            Forbidden,
            "the org or the user may not use the API",
            "use an edition with the API, and give the user \"API Enabled\"",
        ),
        "UNSUPPORTED_API_VERSION" | "INVALID_OPERATION" => (
            Config,
            "the org does not offer SOAP login any more",
            "use `client_credentials`, `jwt_bearer` or `authorization_code` instead of `login`",
        ),
        "INVALID_SSO_GATEWAY_URL" => (
            Auth,
            "the user signs in through another server, whose address is wrong",
            "correct the single sign-on settings in Salesforce, or use `client_credentials` or `jwt_bearer`",
        ),
        "FailedAuthentication" => (
            Auth,
            "the identity provider does not accept the user or the password",
            "check `username` and `password`",
        ),
        "SERVER_UNAVAILABLE" | "UNKNOWN_EXCEPTION" | "INTERNAL_ERROR" => {
            return Some((
                Unavailable,
                Retry::Backoff,
                "the server is busy",
                "try again later",
            ));
        }
        _ => return None,
    };
    Some((kind, Retry::Never, said, help))
}

/// What is said of a password that has to be changed.
pub(super) const EXPIRED: (&str, &str) = (
    "the password has expired",
    "set a new password in Salesforce, then change `password` and `security_token`",
);

#[cfg(test)]
mod tests {
    use connector_core::Secret;
    use connector_http::{HeaderMap, StatusCode};

    use super::*;

    fn refused(status: u16, body: &str) -> Error {
        let status = StatusCode::from_u16(status).unwrap();
        let failure = Failure::new("/", status, HeaderMap::new(), body.to_owned());
        classify(&failure, &Scrub::new(&[Secret::new("hunter2")]))
    }

    #[test]
    fn a_fault_is_read_and_what_was_sent_is_taken_out() {
        let body = "<s:Envelope xmlns:s='e'><s:Body><s:Fault><faultcode>sf:INVALID_LOGIN</faultcode><faultstring>\
                    INVALID_LOGIN: hunter2</faultstring></s:Fault></s:Body></s:Envelope>";
        let error = refused(500, body);
        assert_eq!((error.kind(), error.retry()), (ErrorKind::Auth, Retry::Never));
        assert!(error.report().to_string().contains("INVALID_LOGIN: [redacted]"));
        assert!(is_final(&error) && !is_ended(&error));
    }

    #[test]
    fn an_unknown_code_is_final_and_a_page_is_not() {
        let error = refused(400, r#"{"error":"new_word","error_description":"hunter2"}"#);
        assert_eq!(error.to_string(), "the sign-in is refused: new_word");
        assert!(is_final(&error) && !format!("{error:?}").contains("hunter2"));
        let error = refused(502, "<html>hunter2</html>");
        assert_eq!(
            (error.kind(), error.retry()),
            (ErrorKind::Unavailable, Retry::Backoff)
        );
        assert!(!is_final(&error) && !format!("{error:?}").contains("hunter2"));
    }
}
