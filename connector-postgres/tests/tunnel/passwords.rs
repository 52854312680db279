//! Signing in by password, as such and when it is asked for.

use connector_core::{ErrorKind, Secret};
use connector_postgres::{SshAuth, SshHostKey, SshTunnel};
use russh::MethodKind;

use crate::keys_of_users;
use crate::password_server::{PASSWORD, PasswordServer, USER};
use crate::support::{config, database, fact, refused, sshd, through};

fn tunnel(server: &PasswordServer, password: &str) -> SshTunnel {
    let mut tunnel = SshTunnel::new("127.0.0.1", USER, SshAuth::Password(Secret::new(password)));
    tunnel.port = server.port;
    tunnel.host_key = Some(SshHostKey::Fingerprint(server.fingerprint.clone()));
    tunnel
}

#[tokio::test]
async fn a_password_signs_in_and_a_wrong_one_is_said_to_be() {
    let database = database().await;
    for method in [MethodKind::Password, MethodKind::KeyboardInteractive] {
        let server = PasswordServer::start(method).await;
        let way = fact(config(&database, tunnel(&server, PASSWORD)), "tunnel").await;
        assert_eq!(way, format!("SSH, {USER}@127.0.0.1:{}", server.port));

        let wrong = "another-secret";
        let error = refused(config(&database, tunnel(&server, wrong)), &[wrong, PASSWORD]).await;
        assert_eq!(error.kind(), ErrorKind::Auth);
        assert_eq!(
            error.report().to_string(),
            format!(
                "the SSH server 127.0.0.1:{} refused the password of `{USER}`\nhelp: check `ssh_user` and \
                 `ssh_password`",
                server.port
            )
        );
    }
}

#[tokio::test]
async fn a_server_that_takes_no_passwords_says_so() {
    let (database, sshd) = (database().await, sshd().await);
    let mut tunnel = through(sshd, SshAuth::Password(Secret::new(PASSWORD)));
    let off = crate::sshd::Sshd::start(&[], "PasswordAuthentication no\nKbdInteractiveAuthentication no");
    tunnel.port = off.port;
    tunnel.host_key = Some(SshHostKey::Fingerprint(off.fingerprint()));
    let error = refused(config(&database, tunnel), &[PASSWORD]).await;
    assert_eq!(error.kind(), ErrorKind::Auth);
    assert!(
        error.to_string().contains("takes no passwords") && error.to_string().contains("publickey"),
        "{error}"
    );
}

#[tokio::test]
async fn every_form_of_key_signs_in() {
    let (database, sshd) = (database().await, sshd().await);
    for (name, text, encrypted) in keys_of_users::KEYS {
        let auth = keys_of_users::auth(text, encrypted.then_some(keys_of_users::PASSPHRASE));
        let way = fact(config(&database, through(sshd, auth)), "tunnel").await;
        assert!(way.starts_with("SSH, "), "{name}: {way}");
    }
}

#[tokio::test]
async fn a_key_that_cannot_be_opened_says_why() {
    let (database, sshd) = (database().await, sshd().await);
    for (name, text, encrypted) in keys_of_users::KEYS {
        if !encrypted {
            continue;
        }
        let wrong = "wrong horse";
        let auth = keys_of_users::auth(text, Some(wrong));
        let error = refused(config(&database, through(sshd, auth)), &[wrong, text]).await;
        assert_eq!(
            (error.kind(), error.to_string().as_str()),
            (
                ErrorKind::Config,
                "the passphrase does not open the text of `ssh_client_cert`"
            ),
            "{name}"
        );
        let auth = keys_of_users::auth(text, None);
        let error = refused(config(&database, through(sshd, auth)), &[text]).await;
        assert_eq!(
            error.to_string(),
            "the text of `ssh_client_cert` is encrypted, and there is no passphrase",
            "{name}"
        );
        assert!(error.help().unwrap().contains("ssh_client_cert_password"));
    }
    let auth = keys_of_users::auth(keys_of_users::AES_256, Some(keys_of_users::PASSPHRASE));
    let error = refused(
        config(&database, through(sshd, auth)),
        &[keys_of_users::PASSPHRASE],
    )
    .await;
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(error.to_string().contains("AES-256-CBC"), "{error}");
    let error = refused(
        config(
            &database,
            through(sshd, keys_of_users::auth("ssh-ed25519 AAAA", None)),
        ),
        &[],
    )
    .await;
    assert_eq!(
        error.to_string(),
        "the text of `ssh_client_cert` holds no private key"
    );
}

#[tokio::test]
async fn a_key_the_server_does_not_know_is_shown_as_it_is_to_be_added() {
    let database = database().await;
    let strict = crate::sshd::Sshd::start(&[], "");
    let error = refused(config(&database, through(&strict, keys_of_users::ed25519())), &[]).await;
    assert_eq!(error.kind(), ErrorKind::Auth);
    assert!(error.to_string().contains("refused the key of"), "{error}");
    let public = keys_of_users::public()[0].to_openssh().unwrap();
    assert!(error.help().unwrap().contains(&public), "{}", error.report());
}
