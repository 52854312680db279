//! Which SSH server it is.

use std::path::Path;

use connector_core::ErrorKind;
use connector_postgres::{SshHostKey, SshTunnel};
use russh::keys::{HashAlg, PublicKey};

use crate::keys_of_users;
use crate::sshd::Sshd;
use crate::support::{config, database, fact, refused, sshd, through};

fn known_hosts(folder: &Path, sshd: &Sshd, key: &PublicKey) -> SshTunnel {
    let path = folder.join("known_hosts");
    let line = format!("[127.0.0.1]:{} {}\n", sshd.port, key.to_openssh().unwrap());
    std::fs::write(&path, line).unwrap();
    let mut tunnel = through(sshd, keys_of_users::ed25519());
    tunnel.host_key = Some(SshHostKey::KnownHosts(path));
    tunnel
}

#[tokio::test]
async fn a_server_nobody_vouches_for_is_refused_with_what_it_showed() {
    let (database, sshd) = (database().await, sshd().await);
    let mut tunnel = through(sshd, keys_of_users::ed25519());
    tunnel.host_key = None;
    let error = refused(config(&database, tunnel.clone()), &[]).await;
    assert_eq!(error.kind(), ErrorKind::Config);
    assert_eq!(
        error.to_string(),
        format!(
            "nothing says how to recognise the SSH server 127.0.0.1:{}",
            sshd.port
        )
    );
    let help = error.help().unwrap();
    assert!(
        help.contains(&format!("`ssh_fingerprint` to {}", sshd.fingerprint())),
        "{help}"
    );
    let way = fact(
        config(&database, through(sshd, keys_of_users::ed25519())),
        "tunnel",
    )
    .await;
    assert!(way.starts_with("SSH, "));
}

#[tokio::test]
async fn any_of_the_server_s_keys_can_be_the_one_that_is_known() {
    let (database, sshd) = (database().await, sshd().await);
    let folder = tempfile::tempdir().unwrap();
    for key in &sshd.host_keys {
        let mut tunnel = through(sshd, keys_of_users::ed25519());
        tunnel.host_key = Some(SshHostKey::Fingerprint(
            key.fingerprint(HashAlg::Sha256).to_string(),
        ));
        fact(config(&database, tunnel), "tunnel").await;
        fact(config(&database, known_hosts(folder.path(), sshd, key)), "tunnel").await;
    }
}

#[tokio::test]
async fn an_unknown_server_is_refused_with_the_line_to_add() {
    let (database, sshd) = (database().await, sshd().await);
    let folder = tempfile::tempdir().unwrap();
    let tunnel = known_hosts(folder.path(), sshd, &sshd.host_keys[0]);
    let path = folder.path().join("known_hosts");
    std::fs::write(&path, "").unwrap();
    let error = refused(config(&database, tunnel.clone()), &[]).await;
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(
        error.to_string().contains("is not in `ssh_known_hosts`"),
        "{error}"
    );
    let (_, line) = error.help().unwrap().split_once("to the file: ").unwrap();
    std::fs::write(&path, line).unwrap();
    fact(config(&database, tunnel), "tunnel").await;
}

#[tokio::test]
async fn a_server_that_changed_is_refused_in_other_words() {
    let (database, sshd) = (database().await, sshd().await);
    let folder = tempfile::tempdir().unwrap();
    let other = keys_of_users::public();
    let error = refused(
        config(&database, known_hosts(folder.path(), sshd, &other[0])),
        &[],
    )
    .await;
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(
        error
            .to_string()
            .contains("has changed: it is not the one in line 1 of"),
        "{error}"
    );
    assert!(error.help().unwrap().contains(&sshd.fingerprint()));

    let mut tunnel = through(sshd, keys_of_users::ed25519());
    tunnel.host_key = Some(SshHostKey::Fingerprint(
        other[0].fingerprint(HashAlg::Sha256).to_string(),
    ));
    let error = refused(config(&database, tunnel), &[]).await;
    assert!(
        error.to_string().ends_with("is not the one of `ssh_fingerprint`"),
        "{error}"
    );
    assert!(
        error.report().to_string().contains(&sshd.fingerprint()),
        "{}",
        error.report()
    );
}

#[tokio::test]
async fn a_file_that_is_not_there_is_no_empty_one() {
    let (database, sshd) = (database().await, sshd().await);
    let mut tunnel = through(sshd, keys_of_users::ed25519());
    tunnel.host_key = Some(SshHostKey::KnownHosts("/no/such/known_hosts".into()));
    let error = refused(config(&database, tunnel), &[]).await;
    assert_eq!(
        error.to_string(),
        "`ssh_known_hosts` /no/such/known_hosts cannot be read"
    );
}
