//! An access token and what is known about it.

use connector_core::{Error, ErrorKind, Result, Secret};
use connector_http::{HeaderValue, Url};

use super::bearer;
use crate::config::is_trustworthy;
use crate::id::Id;

/// An access token, where it is good, and whose it is.
#[derive(Clone)]
pub(crate) struct Token {
    /// `Authorization`, never printed.
    pub(crate) header: HeaderValue,
    /// The org's address, without a path.
    pub(crate) instance: Url,
    /// The org's id, where the token or its answer tells.
    pub(crate) org: Option<Id>,
    /// The user's id, where the answer tells.
    pub(crate) user: Option<Id>,
}

impl Token {
    /// A token that somebody else got: it may name its org before an `!`.
    pub(super) fn given(token: &Secret, instance: Url) -> Result<Self> {
        let org = token.reveal().split_once('!').and_then(|(org, _)| Id::parse(org));
        let org = org.filter(|org| org.as_str().starts_with("00D"));
        Ok(Self {
            header: bearer(token.reveal())?,
            instance,
            org,
            user: None,
        })
    }

    /// A token as the token endpoint gave it, with the texts of `instance_url` and `id`.
    pub(super) fn granted(token: &str, instance_url: &str, id: Option<&str>) -> Result<Self> {
        let instance = Url::parse(instance_url)
            .ok()
            .filter(is_trustworthy)
            .ok_or_else(|| {
                Error::new(
                    ErrorKind::Auth,
                    "the token endpoint names an instance that is not reached by https",
                )
                .with_help("check `login_url` and `token_url`: they lead to something other than Salesforce")
            })?;
        // `https://login.salesforce.com/id/{org}/{user}`
        let mut ids = id.into_iter().flat_map(|id| id.rsplit('/'));
        let user = ids.next().and_then(Id::parse);
        let org = ids.next().and_then(Id::parse);
        Ok(Self {
            header: bearer(token)?,
            instance,
            org,
            user,
        })
    }

    /// Whether `url` leads to the org's own address; nothing else is ever sent the token.
    pub(crate) fn covers(&self, url: &Url) -> bool {
        url.origin() == self.instance.origin()
    }
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Token")
            .field("instance", &self.instance.as_str())
            .field("org", &self.org)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instance_elsewhere_than_behind_https_is_refused() {
        assert!(Token::granted("t", "http://acme.my.salesforce.com", None).is_err());
        assert!(Token::granted("t", "acme", None).is_err());
        let token = Token::granted("t", "https://acme.my.salesforce.com", None).unwrap();
        assert!(token.covers(&Url::parse("https://acme.my.salesforce.com/services").unwrap()));
        for other in [
            "https://evil.com/",
            "http://acme.my.salesforce.com/",
            "https://acme.my.salesforce.com:444/",
        ] {
            assert!(!token.covers(&Url::parse(other).unwrap()), "{other}");
        }
    }

    #[test]
    fn the_org_is_read_off_the_token_or_its_answer() {
        let instance = Url::parse("https://acme.my.salesforce.com").unwrap();
        let given = Token::given(&Secret::new("00DD0000000IRFm!hunter2"), instance.clone()).unwrap();
        assert!(
            given
                .org
                .is_some_and(|org| org.as_str().starts_with("00DD0000000IRFm"))
        );
        assert!(
            Token::given(&Secret::new("eyJhbGciOi"), instance)
                .unwrap()
                .org
                .is_none()
        );
        let id = "https://login.salesforce.com/id/00DD0000000IRFmMAO/005D0000001KyEIIA0";
        let granted = Token::granted("hunter2", "https://acme.my.salesforce.com", Some(id)).unwrap();
        assert_eq!(
            granted.org.map(|org| org.as_str().to_owned()).as_deref(),
            Some("00DD0000000IRFmMAO")
        );
        assert!(!format!("{granted:?}").contains("hunter2"));
    }
}
