//! Which addresses an answer may name as the org's own.

use connector_core::{Error, ErrorKind, Result};
use connector_http::Url;

use crate::config::is_loopback;

/// Domains that orgs live under, each the last labels of a host name.
const FAMILY: [&str; 7] = [
    "salesforce.com",
    "force.com",
    "cloudforce.com",
    "database.com",
    "site.com",
    "salesforce.mil",
    "sfcrmproducts.cn",
];

/// What a sign-in's answer is judged by.
#[derive(Clone, Debug)]
pub(super) struct Instances {
    /// The addresses that were configured, and so are trusted.
    pub(super) asked: Vec<Url>,
    /// The org's address, where it was configured: no other is taken then.
    pub(super) pinned: Option<Url>,
}

impl Instances {
    /// Reads the org's address out of an answer.
    ///
    /// It is the pinned one, or on a server that was configured anyway, or `https` at a name of Salesforce's.
    pub(super) fn judge(&self, text: &str) -> Result<Url> {
        let url = bare(text).ok_or_else(|| refused("is no plain https address"))?;
        if let Some(pinned) = &self.pinned {
            return if url.origin() == pinned.origin() {
                Ok(url)
            } else {
                Err(refused("is not the one that `instance_url` names"))
            };
        }
        let known = self.asked.iter().any(|asked| {
            asked.origin() == url.origin()
                || is_loopback(asked) && is_loopback(&url) && asked.port() == url.port()
        });
        if known || url.scheme() == "https" && url.port().is_none() && is_family(&url) {
            Ok(url)
        } else {
            Err(refused("is none of Salesforce's"))
        }
    }
}

/// An address of scheme, host and port alone, spelt plainly: what a parser would have to mend is refused.
fn bare(text: &str) -> Option<Url> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-.:/[]".contains(&byte);
    if !text.bytes().all(plain) {
        return None;
    }
    let url = Url::parse(text).ok()?;
    let host = url.host_str()?;
    // Written as it is read: no slash too many or too few, no number that turns into an address.
    let spelt = text.to_ascii_lowercase();
    let spelt = spelt.strip_suffix('/').unwrap_or(&spelt);
    let read = url.as_str().strip_suffix('/')?;
    let default_port = format!(":{}", url.port_or_known_default()?);
    let same =
        spelt == read || url.port().is_none() && spelt.strip_suffix(default_port.as_str()) == Some(read);
    // A label in punycode may look like another name.
    let honest = !host.ends_with('.') && !host.split('.').any(|label| label.starts_with("xn--"));
    let reached = url.scheme() == "https" || url.scheme() == "http" && is_loopback(&url);
    (same && honest && reached).then_some(url)
}

fn is_family(url: &Url) -> bool {
    let host = url.domain().unwrap_or_default();
    FAMILY.iter().any(|family| {
        host.strip_suffix(family)
            .is_some_and(|rest| rest.len() > 1 && rest.ends_with('.'))
    })
}

fn refused(why: &str) -> Error {
    Error::new(
        ErrorKind::Auth,
        format!("the sign-in's answer names an instance whose address {why}"),
    )
    .with_help(
        "check `login_url` and `token_url`: they lead to something other than Salesforce; \
         if the address is right, set it as `instance_url`",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    fn at(asked: &str) -> Instances {
        Instances {
            asked: vec![url(asked)],
            pinned: None,
        }
    }

    #[test]
    fn an_org_lives_where_salesforce_does() {
        let production = at("https://login.salesforce.com/services/oauth2/token");
        for good in [
            "https://acme.my.salesforce.com",
            "https://acme.my.salesforce.com/",
            "https://acme.my.salesforce.com:443",
            "https://acme--dev.sandbox.my.salesforce.com",
            "https://ACME.my.salesforce.com",
            "https://acme.my.site.com",
            "https://na1.salesforce.com",
        ] {
            assert!(production.judge(good).is_ok(), "{good}");
        }
        for bad in [
            "http://acme.my.salesforce.com",
            "https://evil.example",
            "https://salesforce.com.evil.example",
            "https://evilsalesforce.com",
            "https://salesforce.com",
            "https://acme.my.salesforce.com:8443",
            "https://acme.my.salesforce.com@evil.example",
            "https://user:hunter2@acme.my.salesforce.com",
            "https://acme.my.salesforce.com.",
            "https://acme.my.salesforce.com/path",
            "https://acme.my.salesforce.com?x",
            "https://acme.my.salesforce.com#x",
            "https://acme.my.salesforce.com\\@evil.example",
            "https://acme.my.salesforce.com%2eevil.example",
            "https://xn--slesforce-k2a.salesforce.com",
            "https://s\u{430}lesforce.com",
            "https://acme.my.salesforce\u{3002}com",
            "https://203.0.113.7",
            "https://[2001:db8::1]",
            "https://2130706433",
            "http://127.0.0.1:80",
            "http://localhost",
            "https:acme.my.salesforce.com",
            "https:///acme.my.salesforce.com",
            "//acme.my.salesforce.com",
            "ftp://acme.my.salesforce.com",
            "javascript:alert(1)",
            " https://acme.my.salesforce.com",
            "https://acme.my.sales\nforce.com",
            "acme",
            "",
        ] {
            let error = production.judge(bad).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Auth, "{bad}");
            assert!(!error.report().to_string().contains("hunter2"));
        }
    }

    #[test]
    fn a_server_that_was_configured_may_be_the_org() {
        let local = at("http://127.0.0.1:8080/services/oauth2/token");
        assert!(local.judge("http://127.0.0.1:8080").is_ok());
        assert!(local.judge("http://localhost:8080").is_ok());
        for bad in [
            "http://127.0.0.1:8081",
            "http://127.1:8080",
            "https://127.0.0.1:8443",
        ] {
            assert!(local.judge(bad).is_err(), "{bad}");
        }
        let own = at("https://crm.acme.example:8443");
        assert!(own.judge("https://crm.acme.example:8443").is_ok());
        assert!(own.judge("https://crm.acme.example").is_err());
        let pinned = Instances {
            pinned: Some(url("https://crm.acme.example")),
            ..own
        };
        assert!(pinned.judge("https://crm.acme.example").is_ok());
        assert!(pinned.judge("https://acme.my.salesforce.com").is_err());
    }
}
