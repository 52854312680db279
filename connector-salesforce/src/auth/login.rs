//! SOAP `login()`: user, password and security token, without an app.

use connector_core::{Error, ErrorKind, Result, Secret};
use connector_http::{HeaderName, HeaderValue, Method, Request, Url, header};

use super::door::Door;
use super::refusal::EXPIRED;
use super::token::Granted;
use super::xml::{Texts, escape};

/// The newest version that still has `login()`; requests to the REST API may use a newer one.
const NEWEST: u16 = 64;
/// What Salesforce takes at most.
const MAX_REQUEST: usize = 10 * 1024;

/// The path of `login()` in API version `version`, or in the last one that has it.
pub(super) fn path(version: u16) -> String {
    format!("/services/Soap/u/{}.0", version.min(NEWEST))
}

/// Asks `endpoint` for a session; `password` has the security token behind it.
pub(super) async fn sign_in(
    door: &Door,
    endpoint: Url,
    username: &str,
    password: &Secret,
) -> Result<Granted> {
    let body = format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\
         <env:Envelope xmlns:env=\"http://schemas.xmlsoap.org/soap/envelope/\"><env:Body>\
         <n1:login xmlns:n1=\"urn:partner.soap.sforce.com\"><n1:username>{}</n1:username>\
         <n1:password>{}</n1:password></n1:login></env:Body></env:Envelope>",
        escape(username),
        escape(password.reveal()),
    );
    if body.len() > MAX_REQUEST {
        return Err(Error::new(
            ErrorKind::Config,
            "user and password are too long for `login`",
        ));
    }
    let request = Request::new(Method::POST, endpoint)
        .header(header::ACCEPT, HeaderValue::from_static("text/xml"))
        .header(
            HeaderName::from_static("soapaction"),
            HeaderValue::from_static("login"),
        )
        .body("text/xml; charset=UTF-8", body);
    let response = door.send(request, &[password]).await?;
    let text = String::from_utf8_lossy(&response.body);
    read(&text)
}

fn read(text: &str) -> Result<Granted> {
    let strange = || {
        Error::new(ErrorKind::Auth, "the answer to `login` holds no session")
            .with_help("check `login_url`: it leads to something other than Salesforce")
    };
    let texts = Texts::read(text).ok_or_else(strange)?;
    // Such a session may set a new password and nothing else.
    if texts.get("passwordExpired") == Some("true") {
        return Err(Error::new(ErrorKind::Auth, EXPIRED.0).with_help(EXPIRED.1));
    }
    let get = |name| texts.get(name).filter(|text| !text.is_empty());
    let (session, server) = get("sessionId").zip(get("serverUrl")).ok_or_else(strange)?;
    let id = get("organizationId").zip(get("userId"));
    Ok(Granted {
        access_token: Secret::new(session),
        instance_url: instance(server),
        id: id.map(|(org, user)| format!("/id/{org}/{user}")),
        refresh_token: None,
    })
}

/// Scheme, host and port of a `serverUrl`; old host names end in `-api`.
fn instance(server_url: &str) -> String {
    let Some((scheme, rest)) = server_url.split_once("://") else {
        return server_url.to_owned();
    };
    let host = rest.split_once('/').map_or(rest, |(host, _)| host);
    let host = match host.split_once('.') {
        Some((first, domain)) if domain.ends_with("salesforce.com") => {
            format!("{}.{domain}", first.strip_suffix("-api").unwrap_or(first))
        }
        _ => host.to_owned(),
    };
    format!("{scheme}://{host}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_session_is_for_the_server_s_host() {
        for (server, wanted) in [
            (
                "https://na1-api.salesforce.com/services/Soap/u/64.0/00D",
                "https://na1.salesforce.com",
            ),
            (
                "https://acme.my.salesforce.com/services/Soap/u/64.0",
                "https://acme.my.salesforce.com",
            ),
            ("http://127.0.0.1:8080/services", "http://127.0.0.1:8080"),
            ("https://a@b.com/x", "https://a@b.com"),
            ("nonsense", "nonsense"),
        ] {
            assert_eq!(instance(server), wanted);
        }
    }

    #[test]
    fn login_stays_at_the_last_version_that_has_it() {
        assert_eq!(path(62), "/services/Soap/u/62.0");
        assert_eq!(path(66), "/services/Soap/u/64.0");
    }

    #[test]
    fn an_expired_password_is_an_error_though_there_is_a_session() {
        let answer = "<r><passwordExpired>true</passwordExpired><sessionId>hunter2</sessionId>\
                      <serverUrl>https://a.salesforce.com/</serverUrl></r>";
        let error = read(answer).err().unwrap();
        assert_eq!(
            (error.kind(), error.message()),
            (ErrorKind::Auth, "the password has expired")
        );
        assert!(read("<r><sessionId>hunter2</sessionId></r>").is_err());
        assert!(read("{}").is_err());
    }
}
