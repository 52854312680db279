//! A real sshd: where it comes from, and how it runs without rights.

use std::ffi::OsString;
use std::fs::{self, Permissions};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::sync::LazyLock;

use russh::keys::ssh_key::LineEnding;
use russh::keys::{Algorithm, EcdsaCurve, HashAlg, PrivateKey, PublicKey};

use crate::program::{Account, Program, Running};

// As root it would need a user and a folder of its own, so that somebody without rights takes root's place.
static PROGRAM: LazyLock<Program> = LazyLock::new(|| Program::find("sshd", "openssh-server"));

/// A server on a port of its own, for one user.
pub(crate) struct Sshd {
    pub(crate) port: u16,
    /// Who may sign in.
    pub(crate) user: String,
    /// One of each kind.
    pub(crate) host_keys: Vec<PublicKey>,
    _running: Running,
}

impl Sshd {
    /// Starts a server that lets in whoever has a key of `authorized`; `more` is added to its configuration.
    pub(crate) fn start(authorized: &[PublicKey], more: &str) -> Self {
        let folder = tempfile::Builder::new().prefix("sshd-").tempdir().unwrap().keep();
        let account = Account::find();
        fs::set_permissions(&folder, Permissions::from_mode(0o700)).unwrap();
        let mut config = String::new();
        let mut host_keys = Vec::new();
        let kinds = [
            ("ed25519", Algorithm::Ed25519),
            (
                "ecdsa",
                Algorithm::Ecdsa {
                    curve: EcdsaCurve::NistP256,
                },
            ),
        ];
        for (name, algorithm) in kinds {
            let key = PrivateKey::random(&mut russh::keys::key::safe_rng(), algorithm).unwrap();
            host_keys.push(key.public_key().clone());
            let path = folder.join(name);
            let text = key.to_openssh(LineEnding::LF).unwrap();
            account.write(&path, &text);
            config.push_str(&format!("HostKey {}\n", path.display()));
        }
        let authorized: Vec<String> = authorized.iter().map(|key| key.to_openssh().unwrap()).collect();
        let authorized_keys = folder.join("authorized_keys");
        account.write(&authorized_keys, &authorized.join("\n"));
        config.push_str(&format!(
            "AuthorizedKeysFile {}\nStrictModes no\nPidFile none\nUseDNS no\nLogLevel VERBOSE\n{more}\n",
            authorized_keys.display()
        ));
        let config_file = folder.join("config");
        account.write(&config_file, &config);
        account.give(&folder);
        let port = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let arguments = ["-D", "-e", "-f"].map(OsString::from).into_iter();
        let address = ["-p", &port.to_string(), "-o", "ListenAddress=127.0.0.1"].map(OsString::from);
        let arguments: Vec<OsString> = arguments.chain([config_file.into()]).chain(address).collect();
        Self {
            port,
            _running: Running::start(&PROGRAM, &account, folder, &arguments, port),
            user: account.name,
            host_keys,
        }
    }

    /// The fingerprint of its best key.
    pub(crate) fn fingerprint(&self) -> String {
        self.host_keys[0].fingerprint(HashAlg::Sha256).to_string()
    }
}
