//! Sessions: one pool per handle, encrypted as the configuration says.

use std::fs;
use std::sync::Arc;

use connector_core::{Error, ErrorKind, Result};
use deadpool_postgres::{Manager, ManagerConfig, Object, Pool, PoolError, RecyclingMethod, Runtime};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use tokio_postgres::{Client, NoTls};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::config::{Config, SslMode};
use crate::error;

/// What every session starts with: our own statements name everything in full, a session that was forgotten ends,
/// and text comes in the one encoding we speak.
const SESSION: &str = "-c client_encoding=UTF8 -c timezone=UTC -c datestyle=ISO -c intervalstyle=iso_8601 \
     -c extra_float_digits=3 -c idle_in_transaction_session_timeout=3600000";

/// How long a session is waited for when all are taken.
const POOL_WAIT: std::time::Duration = std::time::Duration::from_secs(60);

/// Makes the pool; connects to nothing yet.
pub(crate) fn pool(config: &Config) -> Result<Pool> {
    let mut postgres = tokio_postgres::Config::new();
    postgres
        .host(&config.server)
        .port(config.port)
        .user(&config.user)
        .dbname(config.database.as_deref().unwrap_or(&config.user))
        .connect_timeout(config.connect_timeout)
        .keepalives_idle(std::time::Duration::from_secs(30))
        .application_name("connector-postgres")
        .options(SESSION);
    if let Some(password) = &config.password {
        postgres.password(password.reveal());
    }
    let recycling = ManagerConfig {
        recycling_method: RecyclingMethod::Fast,
    };
    let manager = match config.effective_ssl_mode() {
        SslMode::Disable => {
            postgres.ssl_mode(tokio_postgres::config::SslMode::Disable);
            Manager::from_config(postgres, NoTls, recycling)
        }
        SslMode::VerifyFull => {
            postgres.ssl_mode(tokio_postgres::config::SslMode::Require);
            Manager::from_config(postgres, MakeRustlsConnect::new(tls(config)?), recycling)
        }
    };
    Pool::builder(manager)
        .max_size(config.max_connections)
        // Whoever waits longer waits for sessions that wait for it.
        .wait_timeout(Some(POOL_WAIT))
        .runtime(Runtime::Tokio1)
        .build()
        .map_err(|error| Error::new(ErrorKind::Bug, "the connection pool cannot be built").with_source(error))
}

/// A session from the pool.
pub(crate) async fn session(pool: &Pool, address: &str) -> Result<Object> {
    pool.get().await.map_err(|error| match error {
        PoolError::Backend(error) => error::no_connection(address, error),
        other => Error::new(
            ErrorKind::Unavailable,
            "no session of the connection became free in time",
        )
        .with_source(other)
        .with_help("raise `max_connections`: a task takes up to four at once"),
    })
}

/// A session that ends when this is dropped, instead of going back to the pool: it may be within a transaction, or
/// hold a lock.
pub(crate) struct Guarded(Option<Object>);

impl Guarded {
    pub(crate) fn new(session: Object) -> Self {
        Self(Some(session))
    }

    pub(crate) fn client(&self) -> Result<&Client> {
        match &self.0 {
            Some(session) => Ok(session),
            None => Err(Error::new(
                ErrorKind::Bug,
                "a session is used after it was handed back",
            )),
        }
    }

    /// Hands the session back: it is clean.
    pub(crate) fn release(&mut self) {
        drop(self.0.take());
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        drop(self.0.take().map(Object::take));
    }
}

fn tls(config: &Config) -> Result<ClientConfig> {
    let mut roots = RootCertStore::empty();
    match &config.ssl_root_cert {
        Some(path) => {
            let unreadable = |reason: String| {
                Error::new(
                    ErrorKind::Config,
                    format!("`ssl_root_cert` {} cannot be used: {reason}", path.display()),
                )
                .with_help("name a PEM file with the certificate authority of the server's certificate")
            };
            let pem = fs::read(path).map_err(|error| unreadable(error.to_string()))?;
            for certificate in CertificateDer::pem_slice_iter(&pem) {
                let certificate = certificate.map_err(|error| unreadable(format!("{error:?}")))?;
                roots
                    .add(certificate)
                    .map_err(|error| unreadable(error.to_string()))?;
            }
            if roots.is_empty() {
                return Err(unreadable("it holds no certificate".to_owned()));
            }
        }
        None => {
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| Error::new(ErrorKind::Bug, "TLS cannot be set up").with_source(error))?;
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}
