//! Getting a SAML assertion by WS-Trust 1.3, from user name and password.

use std::fmt;
use std::time::Duration;

use connector_core::value::Instant;
use connector_core::{Error, ErrorKind, Result, Secret};
use connector_http::{HeaderValue, Method, Request, Url, header};
use ring::rand::{SecureRandom, SystemRandom};

use super::door::Door;
use super::xml::{element, escape};
use crate::config::address;

/// Whom the assertion is for, unless `SSOProperties` say otherwise.
const RELYING_PARTY: &str = "https://saml.salesforce.com";
const LIFE: Duration = Duration::from_secs(5 * 60);

/// An identity provider that speaks WS-Trust 1.3 with user name and password, such as AD FS at
/// `…/adfs/services/trust/13/usernamemixed`.
#[derive(Clone)]
pub struct WsTrust {
    url: Url,
    username: String,
    password: Secret,
    relying_party: String,
}

impl WsTrust {
    /// Asks at `url`.
    ///
    /// # Errors
    /// [`ErrorKind::Config`]: it is no `https` address; plain `http` is taken for loopback only.
    pub fn new(url: &str, username: impl Into<String>, password: Secret) -> Result<Self> {
        Ok(Self {
            url: address("sso_login_url", url)?,
            username: username.into(),
            password,
            relying_party: RELYING_PARTY.to_owned(),
        })
    }

    /// The same for another relying party than `https://saml.salesforce.com`: the org's entity id in its single
    /// sign-on settings.
    #[must_use]
    pub fn with_relying_party(mut self, name: impl Into<String>) -> Self {
        self.relying_party = name.into();
        self
    }

    pub(super) async fn assertion(&self, door: &Door) -> Result<Secret> {
        let body = self.request(door.now(), &random_id()?);
        let request = Request::new(Method::POST, self.url.clone())
            .header(header::ACCEPT, HeaderValue::from_static("application/soap+xml"))
            .body("application/soap+xml; charset=utf-8", body);
        let response = door.send(request, &[&self.password]).await;
        let response = response.map_err(|error| error.with_context("identity provider", self.host()))?;
        let text = String::from_utf8_lossy(&response.body);
        let found = element(&text, "RequestedSecurityToken").and_then(|token| element(&token, "Assertion"));
        found.map(Secret::new).ok_or_else(|| {
            Error::new(
                ErrorKind::Auth,
                "the identity provider's answer holds no SAML assertion",
            )
            .with_context("identity provider", self.host())
            .with_help("check `sso_login_url`: it must be a WS-Trust 1.3 endpoint for user name and password")
        })
    }

    fn host(&self) -> String {
        self.url.host_str().unwrap_or_default().to_owned()
    }

    /// A `RequestSecurityToken` by user name.
    fn request(&self, now: Instant, id: &str) -> String {
        let now = now.floor_to_second();
        let until = now.plus(LIFE);
        format!(
            "<s:Envelope xmlns:s=\"http://www.w3.org/2003/05/soap-envelope\" \
             xmlns:a=\"http://www.w3.org/2005/08/addressing\" \
             xmlns:u=\"http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd\">\
             <s:Header><a:Action s:mustUnderstand=\"1\">\
             http://docs.oasis-open.org/ws-sx/ws-trust/200512/RST/Issue</a:Action>\
             <a:MessageID>urn:uuid:{id}</a:MessageID>\
             <a:ReplyTo><a:Address>http://www.w3.org/2005/08/addressing/anonymous</a:Address></a:ReplyTo>\
             <a:To s:mustUnderstand=\"1\">{to}</a:To>\
             <o:Security s:mustUnderstand=\"1\" \
             xmlns:o=\"http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd\">\
             <u:Timestamp u:Id=\"_0\"><u:Created>{now}</u:Created><u:Expires>{until}</u:Expires></u:Timestamp>\
             <o:UsernameToken u:Id=\"_1\"><o:Username>{user}</o:Username><o:Password \
             Type=\"http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-username-token-profile-1.0#PasswordText\">\
             {password}</o:Password></o:UsernameToken></o:Security></s:Header>\
             <s:Body><t:RequestSecurityToken xmlns:t=\"http://docs.oasis-open.org/ws-sx/ws-trust/200512\">\
             <p:AppliesTo xmlns:p=\"http://schemas.xmlsoap.org/ws/2004/09/policy\"><a:EndpointReference>\
             <a:Address>{party}</a:Address></a:EndpointReference></p:AppliesTo>\
             <t:KeyType>http://docs.oasis-open.org/ws-sx/ws-trust/200512/Bearer</t:KeyType>\
             <t:RequestType>http://docs.oasis-open.org/ws-sx/ws-trust/200512/Issue</t:RequestType>\
             <t:TokenType>urn:oasis:names:tc:SAML:2.0:assertion</t:TokenType>\
             </t:RequestSecurityToken></s:Body></s:Envelope>",
            to = escape(self.url.as_str()),
            user = escape(&self.username),
            password = escape(self.password.reveal()),
            party = escape(&self.relying_party),
        )
    }
}

impl fmt::Debug for WsTrust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WsTrust")
            .field("host", &self.host())
            .field("relying_party", &self.relying_party)
            .finish_non_exhaustive()
    }
}

/// A random UUID.
fn random_id() -> Result<String> {
    let mut bytes = [0_u8; 16];
    SystemRandom::new()
        .fill(&mut bytes)
        .map_err(|_| Error::new(ErrorKind::Bug, "the machine gives no random numbers"))?;
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let number = u128::from_be_bytes(bytes);
    Ok(format!(
        "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
        number >> 96,
        number >> 80 & 0xffff,
        number >> 64 & 0xffff,
        number >> 48 & 0xffff,
        number & 0xffff_ffff_ffff
    ))
}
