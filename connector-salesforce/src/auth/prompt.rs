//! Asking a person to sign in.

use std::fmt;

use async_trait::async_trait;
use connector_core::{Error, ErrorKind, Result, Secret};
use connector_http::Url;

/// Shows a person where to sign in; given with [`Config::with_prompt`](crate::Config::with_prompt).
///
/// It is called while requests of the connection wait, and whenever only a person can help: at the first sign-in, and
/// after the refresh token has ended.
#[async_trait]
pub trait Prompt: fmt::Debug + Send + Sync {
    /// Shows `ask` and returns: what comes of it is awaited elsewhere, for a few minutes.
    ///
    /// # Errors
    /// It cannot be shown; the sign-in ends with this error.
    async fn show(&self, ask: &Ask) -> Result<()>;

    /// The address that the browser was sent back to, query included.
    ///
    /// Only needed where `callback_url` is the program's own page; one on this machine is served by this crate.
    ///
    /// # Errors
    /// By default there is none.
    async fn redirected(&self) -> Result<Url> {
        Err(Error::new(
            ErrorKind::Config,
            "`callback_url` is not on this machine, and the program does not take its redirects",
        )
        .with_help("use a `callback_url` like http://localhost:33333, and enter it in the app's settings"))
    }
}

/// What a person has to do. `Debug` shows neither address nor code.
#[derive(Clone)]
#[non_exhaustive]
pub enum Ask {
    /// Open this address in a browser on this machine and sign in.
    Browser {
        /// The address.
        url: Url,
    },
    /// Open this address in any browser, sign in, and enter the code.
    Device {
        /// The address.
        url: Url,
        /// The code.
        code: Secret,
    },
}

impl fmt::Debug for Ask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Browser { .. } => "Browser",
            Self::Device { .. } => "Device",
        })
    }
}
