//! Signing in, and staying so.

mod session;
mod token;

mod door;
mod refusal;
mod scrub;
mod service;

mod instance;
mod xml;

mod oauth;
mod renewal;

mod file_store;
mod kept;
mod store;

mod code;
mod device;
mod prompt;
mod redirect;

mod jwt;
mod key;

mod login;

mod assertion;
mod saml;
mod ws_trust;

pub use assertion::AssertionProvider;
pub use file_store::FileTokenStore;
pub use key::PrivateKey;
pub use prompt::{Ask, Prompt};
pub(crate) use service::{ApiService, foreign};
pub(crate) use session::Session;
pub use store::{MemoryTokenStore, TokenLease, TokenStore};
pub use ws_trust::WsTrust;

/// What is asked for: the API, and to come back without a person.
const SCOPE: &str = "api refresh_token";
