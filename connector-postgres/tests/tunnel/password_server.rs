//! An SSH server within the program that knows one user and one password, and lets through to anywhere.

use std::borrow::Cow;
use std::sync::Arc;

use russh::keys::{Algorithm, HashAlg, PrivateKey};
use russh::server::{Auth, ChannelOpenHandle, Config, Handler, Msg, Response, Session};
use russh::{Channel, MethodKind, MethodSet};
use tokio::net::{TcpListener, TcpStream};

pub(crate) const USER: &str = "somebody";
pub(crate) const PASSWORD: &str = "hunter2-very-secret";

pub(crate) struct PasswordServer {
    pub(crate) port: u16,
    pub(crate) fingerprint: String,
}

impl PasswordServer {
    /// A server that takes passwords by `method`.
    pub(crate) async fn start(method: MethodKind) -> Self {
        let key = PrivateKey::random(&mut russh::keys::key::safe_rng(), Algorithm::Ed25519).unwrap();
        let fingerprint = key.public_key().fingerprint(HashAlg::Sha256).to_string();
        let config = Arc::new(Config {
            methods: MethodSet::from(&[method][..]),
            auth_rejection_time: std::time::Duration::ZERO,
            keys: vec![key],
            ..Config::default()
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let config = Arc::clone(&config);
                tokio::spawn(async move {
                    if let Ok(session) = russh::server::run_stream(config, stream, Guest(method)).await {
                        let _ = session.await;
                    }
                });
            }
        });
        Self { port, fingerprint }
    }
}

struct Guest(MethodKind);

impl Guest {
    /// As OpenSSH has it, whoever was wrong may try again.
    fn verdict(&self, right: bool) -> Auth {
        if right {
            return Auth::Accept;
        }
        Auth::Reject {
            proceed_with_methods: Some(MethodSet::from(&[self.0][..])),
            partial_success: false,
        }
    }
}

impl Handler for Guest {
    type Error = russh::Error;

    async fn auth_password(&mut self, user: &str, password: &str) -> Result<Auth, russh::Error> {
        Ok(self.verdict(user == USER && password == PASSWORD))
    }

    async fn auth_keyboard_interactive<'a>(
        &'a mut self,
        user: &str,
        _submethods: &str,
        response: Option<Response<'a>>,
    ) -> Result<Auth, russh::Error> {
        let Some(mut response) = response else {
            return Ok(Auth::Partial {
                name: Cow::Borrowed(""),
                instructions: Cow::Borrowed(""),
                prompts: Cow::Borrowed(&[(Cow::Borrowed("Password: "), false)]),
            });
        };
        let given = response.next().unwrap_or_default();
        Ok(self.verdict(user == USER && given == PASSWORD))
    }

    async fn channel_open_direct_tcpip(
        &mut self,
        channel: Channel<Msg>,
        host: &str,
        port: u32,
        _originator: &str,
        _originator_port: u32,
        reply: ChannelOpenHandle,
        _session: &mut Session,
    ) -> Result<(), russh::Error> {
        let mut far = TcpStream::connect((host, u16::try_from(port).unwrap())).await?;
        reply.accept().await;
        tokio::spawn(async move {
            let _ = tokio::io::copy_bidirectional(&mut channel.into_stream(), &mut far).await;
        });
        Ok(())
    }
}
