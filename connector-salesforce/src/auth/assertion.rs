//! Where SAML assertions come from.

use std::fmt;

use async_trait::async_trait;
use connector_core::{Result, Secret};

/// Gets SAML assertions from an identity provider, for `auth = "saml_bearer"`.
///
/// The program that uses this crate gives one with [`Config::with_assertions`](crate::Config::with_assertions);
/// [`WsTrust`](crate::WsTrust) is built in.
#[async_trait]
pub trait AssertionProvider: fmt::Debug + Send + Sync {
    /// A new assertion about the user, for Salesforce: the XML of a signed `Assertion` or of the `Response` around
    /// it, or that in base64. Asked at each sign-in.
    ///
    /// # Errors
    /// The identity provider gave none. The text must show neither passwords nor assertions.
    async fn assertion(&self) -> Result<Secret>;
}
