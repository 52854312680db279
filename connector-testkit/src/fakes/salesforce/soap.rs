//! SOAP: `login()`, and an identity provider that speaks WS-Trust.

use axum::response::Response;

use super::oauth::{PASSWORD, SECURITY_TOKEN, USERNAME};
use super::org::Org;
use super::{id, reply};

/// The newest version with `login()`.
const NEWEST: u32 = 64;
/// Most bytes of a `login()`.
const MAX_LOGIN: usize = 10 * 1024;

/// `POST /services/Soap/u/{version}`
pub(super) fn login(org: &Org, version: &str, action: Option<&str>, body: &[u8]) -> Response {
    let text = String::from_utf8_lossy(body);
    let number = version
        .strip_suffix(".0")
        .and_then(|number| number.parse::<u32>().ok());
    let consents = org.sessions.consents.lock();
    let refusal = match (texts(&text, "username"), texts(&text, "password")) {
        _ if action.is_none() => Some(("CLIENT_NOT_ACCESSIBLE", "no SOAPAction header")),
        _ if body.len() > MAX_LOGIN => Some(("EXCEEDED_MAX_SIZE_REQUEST", "the request is too large")),
        _ if number.is_none_or(|number| !(31..=NEWEST).contains(&number)) => Some((
            "UNSUPPORTED_API_VERSION",
            "login is not supported in this version",
        )),
        (Some(user), Some(password)) if user == USERNAME && password == PASSWORD => None,
        (Some(user), Some(password))
            if user == USERNAME && Some(password.as_str()) == PASSWORD.strip_suffix(SECURITY_TOKEN) =>
        {
            Some((
                "LOGIN_MUST_USE_SECURITY_TOKEN",
                "Invalid username, password, security token; or user locked out.",
            ))
        }
        _ => Some((
            "INVALID_LOGIN",
            "Invalid username, password, security token; or user locked out.",
        )),
    };
    if let Some((code, message)) = refusal {
        return fault(code, message);
    }
    let org_id = org.org_id();
    let answer = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><soapenv:Envelope \
         xmlns:soapenv=\"http://schemas.xmlsoap.org/soap/envelope/\" xmlns=\"urn:partner.soap.sforce.com\" \
         xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\"><soapenv:Body><loginResponse><result>\
         <metadataServerUrl>{url}/services/Soap/m/{version}/{short}</metadataServerUrl>\
         <passwordExpired>{expired}</passwordExpired><sandbox>false</sandbox>\
         <serverUrl>{url}/services/Soap/u/{version}/{short}</serverUrl><sessionId>{session}</sessionId>\
         <userId>{user}</userId><userInfo><organizationId>{org_id}</organizationId>\
         <orgDefaultCurrencyIsoCode xsi:nil=\"true\"/><sessionSecondsValid>7200</sessionSecondsValid>\
         <userName>{USERNAME}</userName></userInfo></result></loginResponse></soapenv:Body></soapenv:Envelope>",
        url = org.url(),
        short = &org_id[..15],
        expired = consents.password_expired,
        session = org.sessions.issue_access(&org_id, org.now()),
        user = id::make("005", 1),
    );
    reply::with_body(200, "text/xml;charset=UTF-8", answer)
}

fn fault(code: &str, message: &str) -> Response {
    let body = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><soapenv:Envelope \
         xmlns:soapenv=\"http://schemas.xmlsoap.org/soap/envelope/\" xmlns:sf=\"urn:fault.partner.soap.sforce.com\">\
         <soapenv:Body><soapenv:Fault><faultcode>sf:{code}</faultcode><faultstring>{code}: {message}</faultstring>\
         <detail><sf:LoginFault><sf:exceptionCode>{code}</sf:exceptionCode><sf:exceptionMessage>{message}\
         </sf:exceptionMessage></sf:LoginFault></detail></soapenv:Fault></soapenv:Body></soapenv:Envelope>"
    );
    reply::with_body(500, "text/xml;charset=UTF-8", body)
}

/// `POST /adfs/services/trust/13/usernamemixed`: a WS-Trust 1.3 identity provider that the org trusts.
pub(super) fn issue_assertion(org: &Org, body: &[u8]) -> Response {
    let text = String::from_utf8_lossy(body);
    let user = texts(&text, "Username");
    // The security token belongs to Salesforce, not to the user's other passwords.
    let known = user.as_deref() == Some(USERNAME)
        && texts(&text, "Password").as_deref() == PASSWORD.strip_suffix(SECURITY_TOKEN);
    let asked = texts(&text, "RequestType").is_some_and(|kind| kind.ends_with("/Issue"))
        && texts(&text, "TokenType").is_some_and(|kind| kind.contains("SAML:2.0"));
    let party = text
        .split("AppliesTo")
        .nth(1)
        .and_then(|text| texts(text, "Address"));
    let (true, true, Some(party)) = (known, asked, party) else {
        let body = "<s:Envelope xmlns:s=\"http://www.w3.org/2003/05/soap-envelope\" xmlns:a=\"urn:a\"><s:Body>\
                    <s:Fault><s:Code><s:Value>s:Sender</s:Value></s:Code><s:Reason><s:Text xml:lang=\"en\">\
                    ID3242: The security token could not be authenticated or authorized.</s:Text></s:Reason>\
                    </s:Fault></s:Body></s:Envelope>";
        return reply::with_body(500, "application/soap+xml; charset=utf-8", body);
    };
    let assertion = org.sessions.consents.lock().issue_assertion(USERNAME, &party);
    let answer = format!(
        "<s:Envelope xmlns:s=\"http://www.w3.org/2003/05/soap-envelope\" xmlns:a=\"http://www.w3.org/2005/08/addressing\">\
         <s:Body><trust:RequestSecurityTokenResponseCollection \
         xmlns:trust=\"http://docs.oasis-open.org/ws-sx/ws-trust/200512\"><trust:RequestSecurityTokenResponse>\
         <trust:RequestedSecurityToken>{assertion}</trust:RequestedSecurityToken>\
         </trust:RequestSecurityTokenResponse></trust:RequestSecurityTokenResponseCollection></s:Body></s:Envelope>"
    );
    reply::with_body(200, "application/soap+xml; charset=utf-8", answer)
}

/// The text of the first element of that local name: as much of an XML parser as such requests need.
fn texts(document: &str, name: &str) -> Option<String> {
    let mut rest = document;
    loop {
        let (_, after) = rest.split_once('<')?;
        let (tag, content) = after.split_once('>')?;
        let element = tag.split([' ', '\t', '\r', '\n']).next().unwrap_or_default();
        let local = element.rsplit_once(':').map_or(element, |(_, local)| local);
        if local == name && !element.starts_with('/') {
            let text = content.split('<').next().unwrap_or_default();
            return Some(unescape(text.trim()));
        }
        rest = content;
    }
}

fn unescape(text: &str) -> String {
    let known = [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&apos;", "'"),
        ("&amp;", "&"),
    ];
    known.iter().fold(text.to_owned(), |text, (escaped, plain)| {
        text.replace(escaped, plain)
    })
}
