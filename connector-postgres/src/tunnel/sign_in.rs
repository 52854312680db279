//! Signing in at the SSH server.

use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use connector_core::{Error, ErrorKind, Result, Secret};
use russh::client::{self, AuthResult, KeyboardInteractiveAuthResponse};
use russh::keys::{Algorithm, HashAlg, PrivateKey, PrivateKeyWithHashAlg};
use russh::{AlgorithmKind, MethodKind, MethodSet, Preferred};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};

use super::host_key::{self, Check, Failure, Trust};
use super::private_key;
use super::settings::{SshAuth, SshTunnel};

/// An SSH session, signed in.
pub(super) type Handle = client::Handle<Check>;

/// After so long without a word, the server is asked whether it is there; after the third time without an answer,
/// it is not.
const KEEPALIVE: Duration = Duration::from_secs(15);

/// How much of one channel may be on its way, in bytes.
const WINDOW: u32 = 16 << 20;

/// Asked for the password once more by the same server means that it was wrong.
const PROMPTS: usize = 4;

/// Signs in, as often as needed.
pub(super) struct SignIn {
    server: String,
    port: u16,
    user: String,
    method: Method,
    trust: Arc<Trust>,
}

enum Method {
    Password(Secret),
    Key(Arc<PrivateKey>),
}

impl SignIn {
    pub(super) fn new(settings: &SshTunnel) -> Result<Self> {
        let method = match &settings.auth {
            SshAuth::Password(password) => Method::Password(password.clone()),
            SshAuth::Key { key, passphrase } => {
                Method::Key(Arc::new(private_key::load(key, passphrase.as_ref())?))
            }
        };
        Ok(Self {
            server: settings.server.clone(),
            port: settings.port,
            user: settings.user.clone(),
            method,
            trust: Arc::new(Trust::new(settings)?),
        })
    }

    /// A session of its own.
    pub(super) async fn session(&self, deadline: Instant, limit: Duration) -> Result<Handle> {
        self.within(deadline, limit, async {
            let mut handle = self.handshake().await?;
            self.authenticate(&mut handle).await?;
            Ok(handle)
        })
        .await
    }

    async fn within<T>(
        &self,
        deadline: Instant,
        limit: Duration,
        work: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        timeout_at(deadline, work).await.unwrap_or_else(|_| {
            let message = format!("{} did not answer within {limit:?}", self.name());
            Err(Error::new(ErrorKind::Unavailable, message)
                .with_help("check `ssh_server` and `ssh_port`, and the firewalls on the way"))
        })
    }

    /// Connects, and makes sure that it is the right server.
    async fn handshake(&self) -> Result<Handle> {
        let mut shown = Vec::new();
        for kinds in self.trust.attempts(&self.server, self.port)? {
            match self.try_handshake(kinds).await {
                Ok(handle) => return Ok(handle),
                Err(Failure::Refused(error)) => return Err(error),
                Err(Failure::Another(fingerprint)) => shown.push(fingerprint),
                // It has no key of this kind; another attempt asks for another kind.
                Err(Failure::Ssh(russh::Error::NoCommonAlgo {
                    kind: AlgorithmKind::Key,
                    ..
                })) => {}
                Err(Failure::Ssh(error)) => return Err(self.no_session(error)),
            }
        }
        Err(host_key::changed(&self.server, self.port, &shown))
    }

    async fn try_handshake(&self, kinds: Vec<Algorithm>) -> Result<Handle, Failure> {
        let stream = TcpStream::connect((self.server.as_str(), self.port))
            .await
            .map_err(|error| self.unreachable(error))?;
        let _ = stream.set_nodelay(true);
        let config = client::Config {
            preferred: Preferred {
                key: kinds.into(),
                ..Preferred::DEFAULT
            },
            window_size: WINDOW,
            keepalive_interval: Some(KEEPALIVE),
            nodelay: true,
            ..client::Config::default()
        };
        let check = Check {
            trust: Arc::clone(&self.trust),
            host: self.server.clone(),
            port: self.port,
        };
        client::connect_stream(Arc::new(config), stream, check).await
    }

    async fn authenticate(&self, handle: &mut Handle) -> Result<()> {
        let answer = match &self.method {
            Method::Password(password) => self.by_password(handle, password).await,
            Method::Key(key) => self.by_key(handle, key).await,
        };
        match answer.map_err(|error| self.no_session(error))? {
            AuthResult::Success => Ok(()),
            AuthResult::Failure {
                remaining_methods,
                partial_success,
            } => Err(self.refused(&remaining_methods, partial_success)),
        }
    }

    async fn by_key(&self, handle: &mut Handle, key: &Arc<PrivateKey>) -> Result<AuthResult, russh::Error> {
        let hash = if key.algorithm().is_rsa() {
            // A server that does not say is asked for the better of what it can be expected to know.
            handle
                .best_supported_rsa_hash()
                .await?
                .unwrap_or(Some(HashAlg::Sha256))
        } else {
            None
        };
        let key = PrivateKeyWithHashAlg::new(Arc::clone(key), hash);
        handle.authenticate_publickey(&self.user, key).await
    }

    async fn by_password(&self, handle: &mut Handle, password: &Secret) -> Result<AuthResult, russh::Error> {
        let answer = handle
            .authenticate_password(&self.user, password.reveal())
            .await?;
        let AuthResult::Failure {
            remaining_methods, ..
        } = &answer
        else {
            return Ok(answer);
        };
        // Many servers take no password as such, and ask for it.
        if remaining_methods.contains(&MethodKind::Password)
            || !remaining_methods.contains(&MethodKind::KeyboardInteractive)
        {
            return Ok(answer);
        }
        let mut asked = handle
            .authenticate_keyboard_interactive_start(&self.user, None)
            .await?;
        let mut given = false;
        for _ in 0..PROMPTS {
            let prompts = match asked {
                KeyboardInteractiveAuthResponse::Success => return Ok(AuthResult::Success),
                KeyboardInteractiveAuthResponse::Failure {
                    remaining_methods,
                    partial_success,
                } => {
                    return Ok(AuthResult::Failure {
                        remaining_methods,
                        partial_success,
                    });
                }
                KeyboardInteractiveAuthResponse::InfoRequest { prompts, .. } => prompts,
            };
            if given && !prompts.is_empty() {
                break;
            }
            given |= !prompts.is_empty();
            // What is shown while it is typed is no password.
            let answers = prompts.iter().map(|prompt| match prompt.echo {
                true => String::new(),
                false => password.reveal().to_owned(),
            });
            asked = handle
                .authenticate_keyboard_interactive_respond(answers.collect())
                .await?;
        }
        Ok(answer)
    }

    /// The server as errors call it.
    fn name(&self) -> String {
        format!("the SSH server {}:{}", self.server, self.port)
    }

    fn unreachable(&self, error: io::Error) -> Error {
        let message = match error.kind() {
            io::ErrorKind::ConnectionRefused => {
                format!("{} does not answer (connection refused)", self.name())
            }
            _ => format!("{} cannot be reached", self.name()),
        };
        Error::new(ErrorKind::Unavailable, message)
            .with_help("check `ssh_server` and `ssh_port`")
            .with_source(error)
    }

    fn no_session(&self, error: russh::Error) -> Error {
        let (message, help) = match &error {
            russh::Error::Version => (
                format!("what answers at {}:{} is no SSH server", self.server, self.port),
                "check `ssh_server` and `ssh_port`",
            ),
            russh::Error::NoCommonAlgo { .. } => (
                format!("{} speaks no kind of SSH that is safe enough", self.name()),
                "update the server",
            ),
            _ => (
                format!("{} ended the connection", self.name()),
                "see its log; it may have too many connections, or bar this address after failed attempts",
            ),
        };
        Error::new(ErrorKind::Unavailable, message)
            .with_help(help)
            .with_source(error)
    }

    fn refused(&self, remaining: &MethodSet, partial: bool) -> Error {
        let (server, user) = (self.name(), &self.user);
        let methods: Vec<&str> = remaining.iter().map(<&str>::from).collect();
        let methods = methods.join(", ");
        if methods.is_empty() {
            // Some say no by hanging up.
            return Error::new(
                ErrorKind::Auth,
                format!("{server} ended the connection when `{user}` signed in"),
            )
            .with_help(match &self.method {
                Method::Password(_) => "check `ssh_user` and `ssh_password`; see the server's log",
                Method::Key(_) => "check `ssh_user` and `ssh_client_cert`; see the server's log",
            });
        }
        if partial {
            return Error::new(
                ErrorKind::Unsupported,
                format!("{server} wants a second proof from `{user}` ({methods})"),
            )
            .with_help("name a user that signs in with a key alone");
        }
        match &self.method {
            Method::Password(_) => {
                let takes_passwords = remaining.contains(&MethodKind::Password)
                    || remaining.contains(&MethodKind::KeyboardInteractive);
                if takes_passwords {
                    Error::new(
                        ErrorKind::Auth,
                        format!("{server} refused the password of `{user}`"),
                    )
                    .with_help("check `ssh_user` and `ssh_password`")
                } else {
                    Error::new(
                        ErrorKind::Auth,
                        format!("{server} takes no passwords from `{user}`, only {methods}"),
                    )
                    .with_help("sign in with a key: `ssh_client_cert`")
                }
            }
            Method::Key(key) => Error::new(ErrorKind::Auth, format!("{server} refused the key of `{user}`"))
                .with_help(format!(
                    "check `ssh_user`, and that this line is in the user's ~/.ssh/authorized_keys there: {}",
                    key.public_key().to_openssh().unwrap_or_default()
                )),
        }
    }
}
