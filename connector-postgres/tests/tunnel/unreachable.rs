//! What is not there: the SSH server, the database behind it, or TLS at its end.

use std::time::Duration;

use connector_core::ErrorKind;
use connector_postgres::SslMode;

use crate::keys_of_users;
use crate::sshd::Sshd;
use crate::support::{config, database, fact, refused, sshd, through};
use crate::tls_server::tls_server;

fn closed_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

#[tokio::test]
async fn an_ssh_server_that_is_not_there() {
    let (database, sshd) = (database().await, sshd().await);
    let mut tunnel = through(sshd, keys_of_users::ed25519());
    tunnel.port = closed_port();
    let error = refused(config(&database, tunnel.clone()), &[]).await;
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert_eq!(
        error.to_string(),
        format!(
            "the SSH server 127.0.0.1:{} does not answer (connection refused)",
            tunnel.port
        )
    );
    // Something else than SSH answers, and waits for the first word.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    tunnel.port = silent.local_addr().unwrap().port();
    let mut config = config(&database, tunnel);
    config.connect_timeout = Duration::from_millis(300);
    let error = refused(config, &[]).await;
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(
        error.to_string().ends_with("did not answer within 300ms"),
        "{error}"
    );
}

#[tokio::test]
async fn a_database_the_ssh_server_does_not_reach() {
    let (database, sshd) = (database().await, sshd().await);
    let mut config = config(&database, through(sshd, keys_of_users::ed25519()));
    config.port = closed_port();
    let error = refused(config.clone(), &[]).await;
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert_eq!(
        error.to_string(),
        format!(
            "the SSH server {}@127.0.0.1:{} reaches nobody at 127.0.0.1:{}",
            sshd.user, sshd.port, config.port
        )
    );
}

#[tokio::test]
async fn an_ssh_server_that_lets_nobody_through() {
    let database = database().await;
    let shut = Sshd::start(&keys_of_users::public(), "AllowTcpForwarding no");
    let error = refused(config(&database, through(&shut, keys_of_users::ed25519())), &[]).await;
    assert_eq!(error.kind(), ErrorKind::Forbidden);
    assert!(error.to_string().contains("lets nobody through to"), "{error}");
}

#[tokio::test]
async fn what_the_database_says_is_said_of_the_whole_way() {
    let (database, sshd) = (database().await, sshd().await);
    let mut config = config(&database, through(sshd, keys_of_users::ed25519()));
    config.database = Some("no_such_database".to_owned());
    let error = refused(config, &[]).await;
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(
        error.to_string().contains(&format!(
            "(through the SSH server {}@127.0.0.1:{})",
            sshd.user, sshd.port
        )),
        "{error}"
    );
}

#[tokio::test]
async fn tls_within_the_tunnel_is_for_the_database_s_name() {
    let (sshd, server) = (sshd().await, tls_server().await);
    let mut config = server.config.clone();
    config.tunnel = Some(through(sshd, keys_of_users::ed25519()));
    config.ssl_mode = Some(SslMode::VerifyFull);
    config.ssl_root_cert = Some(server.authority.pem());
    config.require_channel_binding = true;
    let encryption = fact(config.clone(), "encryption").await;
    assert_eq!(
        encryption,
        "TLSv1.3, the server's certificate and name are verified"
    );
    // The tunnel's own end has another name, which the certificate would have to bear if it were asked.
    "127.0.0.1".clone_into(&mut config.server);
    let error = refused(config, &[]).await;
    assert!(error.to_string().ends_with("is not for `127.0.0.1`"), "{error}");
}

#[tokio::test]
async fn no_tls_within_the_tunnel_is_the_same_error() {
    let (database, sshd) = (database().await, sshd().await);
    let mut config = config(&database, through(sshd, keys_of_users::ed25519()));
    config.ssl_mode = Some(SslMode::Require);
    let error = refused(config, &[]).await;
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.to_string().ends_with("offers no TLS"), "{error}");
    assert!(error.help().unwrap().contains("`ssl_mode` to `disable`"));
}
