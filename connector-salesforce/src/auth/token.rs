//! An access token and what is known about it.

use connector_core::{Result, Secret};
use connector_http::{HeaderValue, Url, sensitive};

use super::instance::Instances;
use crate::id::Id;

/// What a sign-in's answer says, unjudged.
#[derive(Clone)]
pub(super) struct Granted {
    pub(super) access_token: Secret,
    /// The org's address.
    pub(super) instance_url: String,
    /// `https://login.salesforce.com/id/{org}/{user}`.
    pub(super) id: Option<String>,
    pub(super) refresh_token: Option<Secret>,
}

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
    secret: Secret,
}

impl Token {
    /// A token that somebody else got: it may name its org before an `!`.
    pub(super) fn given(token: &Secret, instance: Url) -> Result<Self> {
        let org = token.reveal().split_once('!').and_then(|(org, _)| Id::parse(org));
        Ok(Self {
            header: bearer(token)?,
            instance,
            org: org.filter(|org| org.as_str().starts_with("00D")),
            user: None,
            secret: token.clone(),
        })
    }

    /// A token as an answer gave it, if the org's address stands up to `instances`.
    pub(super) fn granted(granted: &Granted, instances: &Instances) -> Result<Self> {
        let instance = instances.judge(&granted.instance_url)?;
        let mut ids = granted.id.iter().flat_map(|id| id.rsplit('/'));
        let user = ids.next().and_then(Id::parse);
        let org = ids.next().and_then(Id::parse);
        let given = Self::given(&granted.access_token, instance)?;
        Ok(Self {
            org: org.or(given.org),
            user,
            ..given
        })
    }

    /// Whether `url` leads to the org's own address; nothing else is ever sent the token.
    pub(crate) fn covers(&self, url: &Url) -> bool {
        url.origin() == self.instance.origin() && url.username().is_empty() && url.password().is_none()
    }

    /// The token's own text.
    pub(super) fn secret(&self) -> &Secret {
        &self.secret
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

/// The header that carries `token`.
fn bearer(token: &Secret) -> Result<HeaderValue> {
    sensitive(&format!("Bearer {}", token.reveal()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn granted(token: &str, instance_url: &str, id: Option<&str>) -> Result<Token> {
        let instances = Instances {
            asked: vec![Url::parse("https://login.salesforce.com").unwrap()],
            pinned: None,
        };
        let granted = Granted {
            access_token: Secret::new(token),
            instance_url: instance_url.to_owned(),
            id: id.map(str::to_owned),
            refresh_token: None,
        };
        Token::granted(&granted, &instances)
    }

    #[test]
    fn a_token_covers_its_own_instance_alone() {
        let token = granted("t", "https://acme.my.salesforce.com", None).unwrap();
        assert!(token.covers(&Url::parse("https://acme.my.salesforce.com/services").unwrap()));
        for other in [
            "https://evil.com/",
            "http://acme.my.salesforce.com/",
            "https://acme.my.salesforce.com:444/",
            "https://x@acme.my.salesforce.com/",
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
        let token = granted("hunter2", "https://acme.my.salesforce.com", Some(id)).unwrap();
        assert_eq!(
            token.org.as_ref().map(|org| org.as_str().to_owned()).as_deref(),
            Some("00DD0000000IRFmMAO")
        );
        assert!(!format!("{token:?}").contains("hunter2"));
    }
}
