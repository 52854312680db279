//! Who is trusted, and what is said when nobody should be.

use std::collections::HashMap;

use connector_core::{Connector, Error, ErrorKind, Secret};
use connector_postgres::{Config, Pem, Postgres, SslMode};
use rcgen::ExtendedKeyUsagePurpose;

use crate::support::{database, refusal};
use crate::tls_server::{Authority, BY_CERTIFICATE, Identity, TlsServer, tls_server};

async fn facts(config: Config) -> HashMap<String, String> {
    let report = Postgres::new(config).unwrap().check().await;
    let report = report.unwrap_or_else(|error| panic!("{}", error.report()));
    report
        .facts
        .iter()
        .map(|(name, text)| (name.to_string(), text.clone()))
        .collect()
}

async fn refused(config: Config) -> Error {
    let error = match Postgres::new(config) {
        Ok(postgres) => refusal(postgres.check().await),
        Err(error) => error,
    };
    assert!(error.help().is_some(), "{}", error.report());
    error
}

/// Encrypted as `mode` says, trusting the authority of the server's certificate.
fn encrypted(server: &TlsServer, mode: SslMode) -> Config {
    let mut config = server.config.clone();
    config.ssl_mode = Some(mode);
    config.ssl_root_cert = Some(server.authority.pem());
    config
}

#[tokio::test]
async fn a_certificate_for_the_name_is_accepted_and_the_check_says_so() {
    let server = tls_server().await;
    let facts = facts(encrypted(server, SslMode::VerifyFull)).await;
    assert_eq!(
        facts["encryption"],
        "TLSv1.3, the server's certificate and name are verified"
    );
    assert_eq!(facts["host"], format!("localhost:{}", server.config.port));
    assert_eq!(facts["tunnel"], "none");
}

#[tokio::test]
async fn a_certificate_for_another_name_is_refused_unless_only_the_authority_counts() {
    let server = tls_server().await;
    let mut config = encrypted(server, SslMode::VerifyFull);
    "127.0.0.1".clone_into(&mut config.server);
    let error = refused(config.clone()).await;
    assert_eq!(error.kind(), ErrorKind::Config);
    assert_eq!(
        error.to_string(),
        format!(
            "the certificate of PostgreSQL at 127.0.0.1:{} is not for `127.0.0.1`",
            server.config.port
        )
    );
    let help = error.help().unwrap();
    assert!(help.contains("localhost") && help.contains("verify-ca"), "{help}");
    config.ssl_mode = Some(SslMode::VerifyCa);
    let encryption = facts(config).await.remove("encryption").unwrap();
    assert!(encryption.ends_with("its name is not"), "{encryption}");
}

#[tokio::test]
async fn an_unknown_authority_is_refused() {
    let server = tls_server().await;
    for mode in [SslMode::VerifyFull, SslMode::VerifyCa] {
        let mut config = encrypted(server, mode);
        config.ssl_root_cert = Some(Authority::new("another authority").pem());
        let error = refused(config).await;
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(
            error
                .to_string()
                .ends_with("is signed by no authority that is trusted here"),
            "{error}"
        );
        assert!(error.help().unwrap().contains("ssl_root_cert"));
    }
}

#[tokio::test]
async fn require_encrypts_and_trusts_anybody() {
    let server = tls_server().await;
    let mut config = server.config.clone();
    config.ssl_mode = Some(SslMode::Require);
    let encryption = facts(config).await.remove("encryption").unwrap();
    assert_eq!(encryption, "TLSv1.3, the server is not verified");
}

#[tokio::test]
async fn a_server_without_tls_is_one_error_that_names_the_key() {
    let database = database().await;
    for mode in [SslMode::VerifyFull, SslMode::VerifyCa, SslMode::Require] {
        let mut config = database.config.clone();
        config.ssl_mode = Some(mode);
        config.ssl_root_cert = Some(Authority::new("anybody").pem());
        let address = format!("{}:{}", config.server, config.port);
        let error = refused(config).await;
        assert_eq!(error.kind(), ErrorKind::Config);
        assert_eq!(
            error.to_string(),
            format!("PostgreSQL at {address} offers no TLS")
        );
        assert!(error.help().unwrap().contains("`ssl_mode` to `disable`"));
    }
}

fn client(authority: &Authority) -> Identity {
    authority.issue(&[], BY_CERTIFICATE, ExtendedKeyUsagePurpose::ClientAuth)
}

fn pem(text: &str) -> Pem {
    Pem::Text(Secret::new(text))
}

#[tokio::test]
async fn a_client_certificate_signs_in() {
    let server = tls_server().await;
    let mut config = encrypted(server, SslMode::VerifyFull);
    BY_CERTIFICATE.clone_into(&mut config.user);
    config.database = Some("postgres".to_owned());
    config.password = None;
    let error = refused(config.clone()).await;
    assert_eq!(error.kind(), ErrorKind::Auth);
    assert!(
        error.help().unwrap().contains("ssl_client_cert"),
        "{}",
        error.report()
    );

    let identity = client(&server.authority);
    config.ssl_client_cert = Some(pem(&identity.certificate));
    config.ssl_client_key = Some(pem(&identity.key));
    assert_eq!(facts(config.clone()).await["user"], BY_CERTIFICATE);

    let stranger = client(&Authority::new("another authority"));
    config.ssl_client_cert = Some(pem(&stranger.certificate));
    config.ssl_client_key = Some(pem(&stranger.key));
    let error = refused(config.clone()).await;
    assert_eq!(error.kind(), ErrorKind::Auth);
    assert!(
        error.to_string().contains("refused our client certificate"),
        "{}",
        error.report()
    );

    config.ssl_client_cert = Some(pem(&identity.certificate));
    let error = refused(config.clone()).await;
    assert_eq!(
        error.to_string(),
        "`ssl_client_cert` and `ssl_client_key` do not belong together"
    );
    config.ssl_client_key = None;
    let error = refused(config).await;
    assert_eq!(
        error.to_string(),
        "the text of `ssl_client_cert` holds no private key"
    );
}

#[tokio::test]
async fn signing_in_is_bound_to_the_certificate_where_that_is_asked_for() {
    let server = tls_server().await;
    let mut config = encrypted(server, SslMode::VerifyFull);
    config.require_channel_binding = true;
    facts(config.clone()).await;
    config.ssl_mode = Some(SslMode::Disable);
    config.ssl_root_cert = None;
    let error = refused(config).await;
    assert_eq!(
        error.to_string(),
        "`channel_binding` is given, and the connection is not encrypted"
    );
}

#[tokio::test]
async fn settings_of_tls_without_tls_are_a_mistake() {
    let database = database().await;
    let mut config = database.config.clone();
    config.ssl_root_cert = Some(Authority::new("anybody").pem());
    let error = refused(config).await;
    assert_eq!(error.kind(), ErrorKind::Config);
    assert_eq!(
        error.to_string(),
        "`ssl_root_cert` is given, and the connection is not encrypted"
    );
}
