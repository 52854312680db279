//! How to reach a database.

mod duration;
mod encryption;
mod tunnel;
mod url;

use std::time::Duration;

use connector_core::{Error, ErrorKind, Properties, PropertyKey, Result, Secret};

use crate::pem::Pem;
use crate::tunnel::SshTunnel;

/// A connection's settings. Nothing is read from the environment.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Config {
    /// Host name or address.
    pub server: String,
    /// Port; 5432 unless told.
    pub port: u16,
    /// Database; `None`: the user's own name, as every PostgreSQL client has it.
    pub database: Option<String>,
    /// User.
    pub user: String,
    /// Password.
    pub password: Option<Secret>,
    /// The schema of tables whose name says none.
    pub schema: String,
    /// The schema of states, journals and rejections.
    pub state_schema: String,
    /// How long rejections are kept at least, those of a task's newest run always; zero: for ever. 30 days unless
    /// told. They are deleted when a task is claimed, some 200,000 at most each time.
    pub retention: Duration,
    /// Whether a rejection keeps what its record held, in the column `payload`: an object of its fields, or, where
    /// `jsonb` cannot hold it, the text of one. No, unless told: whoever may read rejections would read that too.
    pub keep_payload: bool,
    /// How the connection is encrypted; `None`: [`VerifyFull`](SslMode::VerifyFull), or
    /// [`Disable`](SslMode::Disable) on this machine's loopback.
    pub ssl_mode: Option<SslMode>,
    /// Certificate authorities to trust instead of the system's, or the server's own certificate.
    pub ssl_root_cert: Option<Pem>,
    /// The certificate that says who we are, and those that lead to its authority.
    pub ssl_client_cert: Option<Pem>,
    /// Its private key, not encrypted; `None`: it is in the text of the certificate. A file must be its owner's
    /// alone.
    pub ssl_client_key: Option<Pem>,
    /// Whether signing in must be bound to the certificate, so that nobody in between can pass it on. Where server
    /// and certificate can do it, it happens in any case.
    pub require_channel_binding: bool,
    /// The SSH server to go through, in a program built with the feature `ssh`.
    pub tunnel: Option<SshTunnel>,
    /// Most sessions held at once.
    pub max_connections: usize,
    /// Sessions that read one table at once, all as of the same moment; 1 unless told. Each is one of
    /// [`max_connections`](Self::max_connections).
    pub read_sessions: usize,
    /// Rows of a table, in the order of its primary key, after which a read can go on when it was cut short; 50,000
    /// unless told.
    pub read_chunk: usize,
    /// How long connecting may take, a tunnel and signing in included.
    pub connect_timeout: Duration,
    /// What a pooler in between keeps for a client: [`Session`](PoolMode::Session), or nothing in between, unless told.
    pub pool_mode: PoolMode,
    /// How long the server lets one statement run, to the millisecond; zero: for ever; `None`: as it is set there.
    pub statement_timeout: Option<Duration>,
    /// How long the server lets a statement wait for a lock, to the millisecond; zero: for ever; `None`: as it is
    /// set there.
    pub lock_timeout: Option<Duration>,
}

/// How a connection is encrypted. There is no *prefer*: nothing falls back to plain text in silence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SslMode {
    /// Plain text: whoever is on the way reads and changes everything.
    Disable,
    /// TLS with *whomever* answers: **nothing is verified**. Whoever only listens learns nothing; whoever can put
    /// himself in between reads and changes everything, the password included.
    Require,
    /// TLS, with a certificate that a trusted authority signed, for whatever name. Safe with an authority of one's
    /// own; with a public one, anybody has such a certificate.
    VerifyCa,
    /// TLS, with the certificate and the name in it verified: it must be the [`server`](Config::server)'s, through
    /// a tunnel as well.
    VerifyFull,
}

impl SslMode {
    /// What the key `ssl_mode` calls it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Disable => "disable",
            Self::Require => "require",
            Self::VerifyCa => "verify-ca",
            Self::VerifyFull => "verify-full",
        }
    }
}

/// What a pooler between here and PostgreSQL keeps for a client.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum PoolMode {
    /// A session of its own, or there is no pooler.
    #[default]
    Session,
    /// A session for the length of a transaction: every statement is within one, which begins with the settings that a
    /// session would have, and nothing is left behind in it. A task is held by a time limit that is renewed, instead of
    /// by a session: if its process is gone, it is free a minute later. A job that reads and writes takes two of the
    /// pooler's sessions at once.
    Transaction,
}

impl PoolMode {
    fn parse(text: &str) -> Result<Self> {
        match text.to_ascii_lowercase().as_str() {
            "session" => Ok(Self::Session),
            "transaction" => Ok(Self::Transaction),
            _ => Err(
                Error::new(ErrorKind::Config, format!("there is no pool_mode `{text}`"))
                    .with_help("say `session` or `transaction`, as the pooler's own setting does"),
            ),
        }
    }
}

/// Sessions that a task takes beside those that read.
const SESSIONS_BESIDE: usize = 3;

/// Each key, and what else people call it.
const KEYS: &[PropertyKey] = &[
    PropertyKey::new("url", &[]),
    PropertyKey::new("server", &["host"]),
    PropertyKey::new("port", &[]),
    PropertyKey::new("database", &["dbname"]),
    PropertyKey::new("user", &["username"]),
    PropertyKey::new("password", &[]),
    PropertyKey::new("schema", &[]),
    PropertyKey::new("state_schema", &[]),
    PropertyKey::new("retention", &[]),
    PropertyKey::new("keep_payload", &[]),
    PropertyKey::new("ssl_mode", &[]),
    PropertyKey::new("use_ssl", &[]),
    PropertyKey::new("ssl_root_cert", &["SSLServerCert"]),
    PropertyKey::new("ssl_client_cert", &["sslcert"]),
    PropertyKey::new("ssl_client_key", &["sslkey"]),
    PropertyKey::new("ssl_client_cert_password", &["sslpassword"]),
    PropertyKey::new("channel_binding", &[]),
    PropertyKey::new("max_connections", &[]),
    PropertyKey::new("read_sessions", &[]),
    PropertyKey::new("read_chunk", &[]),
    PropertyKey::new("timeout", &["connect_timeout"]),
    PropertyKey::new("pool_mode", &[]),
    PropertyKey::new("statement_timeout", &[]),
    PropertyKey::new("lock_timeout", &[]),
    PropertyKey::new("use_ssh", &["UserSSH"]),
    PropertyKey::new("ssh_server", &[]),
    PropertyKey::new("ssh_port", &[]),
    PropertyKey::new("ssh_user", &[]),
    PropertyKey::new("ssh_auth_mode", &[]),
    PropertyKey::new("ssh_password", &[]),
    PropertyKey::new("ssh_client_cert", &["SSHKeyFile"]),
    PropertyKey::new("ssh_client_cert_type", &[]),
    PropertyKey::new("ssh_client_cert_password", &[]),
    PropertyKey::new("ssh_fingerprint", &["SSHServerFingerprint"]),
    PropertyKey::new("ssh_known_hosts", &[]),
];

impl Config {
    /// A connection to `server` as `user`, everything else by default.
    pub fn new(server: impl Into<String>, user: impl Into<String>) -> Self {
        Self {
            server: server.into(),
            port: 5432,
            database: None,
            user: user.into(),
            password: None,
            schema: "public".to_owned(),
            state_schema: "sync".to_owned(),
            retention: Duration::from_secs(30 * 24 * 3600),
            keep_payload: false,
            ssl_mode: None,
            ssl_root_cert: None,
            ssl_client_cert: None,
            ssl_client_key: None,
            require_channel_binding: false,
            tunnel: None,
            max_connections: 10,
            read_sessions: 1,
            read_chunk: 50_000,
            connect_timeout: Duration::from_secs(15),
            pool_mode: PoolMode::Session,
            statement_timeout: None,
            lock_timeout: None,
        }
    }

    /// From a URL such as `postgres://user:password@host:5432/database?sslmode=verify-full`.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](connector_core::ErrorKind::Config): it is no such URL. The message never holds it, for it holds the password.
    pub fn from_url(url: &str) -> Result<Self> {
        Self::from_properties([("url".to_owned(), Secret::new(url))])
    }

    /// From keys and values, as job files and connection strings have them. Keys are taken in any case, with or
    /// without underscores; `connection_string` holds more of them. Lengths of time are seconds, or a number with its
    /// unit: `500ms`, `30s`, `5min`, `1h`, `30d`.
    ///
    /// `ssh_server` and whatever else begins with `ssh_` make a [tunnel](SshTunnel), unless `use_ssh` is `false`.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](connector_core::ErrorKind::Config): a key is unknown, missing, or said twice differently; a value is not what it should be.
    pub fn from_properties(properties: impl IntoIterator<Item = (String, Secret)>) -> Result<Self> {
        let mut given = Properties::read("PostgreSQL connection", KEYS, properties)?;
        if let Some(url) = given.secret("url") {
            given.add(url::split(url.reveal())?)?;
        }
        let required = |key| {
            let error = |error: Error| error.with_help("give `url`, or `server` and `user`");
            given.required(key).map_err(error)
        };
        let mut config = Self::new(required("server")?, required("user")?);
        config.port = given.number("port")?.unwrap_or(config.port);
        config.database = given.text("database").map(str::to_owned);
        config.password = given.secret("password");
        config.schema = given.text("schema").map_or(config.schema, str::to_owned);
        config.state_schema = given
            .text("state_schema")
            .map_or(config.state_schema, str::to_owned);
        config.retention = duration::read(&given, "retention")?.unwrap_or(config.retention);
        config.keep_payload = given.flag("keep_payload")?.unwrap_or(config.keep_payload);
        encryption::read(&given, &mut config)?;
        config.tunnel = tunnel::read(&given)?;
        config.max_connections = given
            .number("max_connections")?
            .unwrap_or(config.max_connections)
            .max(4);
        config.read_sessions = given.number("read_sessions")?.unwrap_or(config.read_sessions);
        if config.read_sessions + SESSIONS_BESIDE > config.max_connections {
            let message = format!(
                "`read_sessions` {} leaves too few of {} connections for anything else",
                config.read_sessions, config.max_connections
            );
            return Err(Error::new(ErrorKind::Config, message).with_help(format!(
                "raise `max_connections` to {} at least",
                config.read_sessions + SESSIONS_BESIDE
            )));
        }
        config.read_chunk = given.number("read_chunk")?.unwrap_or(config.read_chunk);
        config.connect_timeout = duration::read(&given, "timeout")?.unwrap_or(config.connect_timeout);
        config.pool_mode = given
            .text("pool_mode")
            .map(PoolMode::parse)
            .transpose()?
            .unwrap_or_default();
        config.statement_timeout = duration::read(&given, "statement_timeout")?;
        config.lock_timeout = duration::read(&given, "lock_timeout")?;
        Ok(config)
    }

    /// How the connection will be encrypted. With a tunnel, `localhost` is the SSH server itself.
    pub fn effective_ssl_mode(&self) -> SslMode {
        let loopback = matches!(self.server.as_str(), "localhost" | "127.0.0.1" | "::1");
        self.ssl_mode.unwrap_or(if loopback {
            SslMode::Disable
        } else {
            SslMode::VerifyFull
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tunnel::{SshAuth, SshHostKey};

    fn config(properties: &[(&str, &str)]) -> Result<Config> {
        Config::from_properties(
            properties
                .iter()
                .map(|(key, value)| ((*key).to_owned(), Secret::new(*value))),
        )
    }

    #[test]
    fn a_url_is_taken_apart() {
        let config = Config::from_url("postgres://me:p%40ss+w@[::1]:6543/my%20db?sslmode=disable").unwrap();
        assert_eq!(
            (config.server.as_str(), config.port, config.user.as_str()),
            ("::1", 6543, "me")
        );
        assert_eq!(config.database.as_deref(), Some("my db"));
        assert_eq!(config.password, Some(Secret::new("p@ss+w")));
        assert_eq!(config.ssl_mode, Some(SslMode::Disable));
    }

    #[test]
    fn what_is_kept_and_how_sessions_are_pooled_can_be_told() {
        let mut properties = vec![("server", "db"), ("user", "me")];
        let usual = config(&properties).unwrap();
        assert_eq!(
            (usual.retention, usual.keep_payload, usual.pool_mode),
            (Duration::from_secs(2_592_000), false, PoolMode::Session)
        );
        properties.extend([
            ("Retention", "7d"),
            ("KeepPayload", "yes"),
            ("PoolMode", "Transaction"),
        ]);
        let told = config(&properties).unwrap();
        assert_eq!(
            (told.retention, told.keep_payload, told.pool_mode),
            (Duration::from_secs(604_800), true, PoolMode::Transaction)
        );
    }

    #[test]
    fn other_machines_are_verified_unless_told() {
        assert_eq!(
            Config::new("db.example.com", "me").effective_ssl_mode(),
            SslMode::VerifyFull
        );
        assert_eq!(
            Config::new("127.0.0.1", "me").effective_ssl_mode(),
            SslMode::Disable
        );
    }

    const BY_PASSWORD: &str = "User=admin;Password=adminpassword;Database=test;Server=postgresql-server;Port=5432;\
                               UseSSH=true;SSHPort=22;SSHServer=ssh-server;SSHUser=root;SSHPassword=sshpasswd;";
    const BY_KEY: &str = r"User=admin;Password=adminpassword;Database=test;Server=PostgreSQL-server;Port=5432;UseSSH=true;SSHClientCertType=PEMKEY_FILE;SSHPort=22;SSHServer=ssh-server;SSHUser=root;SSHClientCert=C:\Keys\key.pem;";

    fn tunnel(text: &str, more: &[(&str, &str)]) -> Result<SshTunnel> {
        let mut properties = vec![("connection_string", text)];
        properties.extend_from_slice(more);
        Ok(config(&properties)?.tunnel.expect("a tunnel"))
    }

    #[test]
    fn the_scenario_s_strings_are_understood() {
        for text in [BY_PASSWORD, &BY_PASSWORD.replace("UseSSH", "UserSSH")] {
            let config = config(&[("connection_string", text), ("port", "5432")]).unwrap();
            assert_eq!(
                (config.server.as_str(), config.database.as_deref()),
                ("postgresql-server", Some("test"))
            );
            // No key of TLS is said, and none is needed for it.
            assert_eq!(config.effective_ssl_mode(), SslMode::VerifyFull);
            let tunnel = config.tunnel.unwrap();
            assert_eq!(
                (tunnel.server.as_str(), tunnel.port, tunnel.user.as_str()),
                ("ssh-server", 22, "root")
            );
            assert!(matches!(&tunnel.auth, SshAuth::Password(password) if password.reveal() == "sshpasswd"));
            assert!(tunnel.host_key.is_none());
        }
        let tunnel = tunnel(BY_KEY, &[("SSHServerFingerprint", "SHA256:x")]).unwrap();
        let SshAuth::Key { key, passphrase } = tunnel.auth else {
            panic!("{:?}", tunnel.auth);
        };
        assert_eq!(key, Pem::File(r"C:\Keys\key.pem".into()));
        assert_eq!(passphrase, None);
        assert!(matches!(tunnel.host_key, Some(SshHostKey::Fingerprint(text)) if text == "SHA256:x"));
    }

    #[test]
    fn a_tunnel_is_there_when_its_keys_are() {
        let direct = config(&[("server", "db"), ("user", "me")]).unwrap();
        assert!(direct.tunnel.is_none());
        let off = config(&[
            ("server", "db"),
            ("user", "me"),
            ("use_ssh", "false"),
            ("ssh_server", "b"),
        ]);
        assert!(off.unwrap().tunnel.is_none());
        let on = config(&[
            ("url", "postgres://me@db"),
            ("ssh_server", "b"),
            ("ssh_user", "u"),
            ("ssh_password", "p"),
            ("ssh_known_hosts", "/etc/ssh/ssh_known_hosts"),
        ]);
        assert!(matches!(
            on.unwrap().tunnel.unwrap().host_key,
            Some(SshHostKey::KnownHosts(_))
        ));
        let blob = "LS0tLS1CRUdJTiBPUEVOU1NIIFBSSVZBVEUgS0VZLS0tLS0=";
        let blob = tunnel(
            "Server=db;User=me;SSHServer=b;SSHUser=u;SSHClientCertType=PEMKEY_BLOB",
            &[("SSHClientCert", blob)],
        );
        assert!(matches!(
            blob.unwrap().auth,
            SshAuth::Key { key: Pem::Text(text), .. } if text.reveal() == "-----BEGIN OPENSSH PRIVATE KEY-----"
        ));
    }

    #[test]
    fn wrong_settings_of_a_tunnel_say_what_is_meant() {
        type Case<'a> = (&'a [(&'a str, &'a str)], &'a str, &'a str);
        let cases: [Case<'_>; 8] = [
            (
                &[("SSHAuthMode", "Passwort")],
                "there is no ssh_auth_mode `Passwort`",
                "`Password`",
            ),
            (
                &[("SSHAuthMode", "Public_Key")],
                "`use_ssh` asks for a tunnel, and there is no `ssh_client_cert`",
                "",
            ),
            (
                &[("ssh_client_cert", "k")],
                "`ssh_password` and `ssh_client_cert` are both given",
                "`ssh_auth_mode`",
            ),
            (
                &[
                    ("SSHAuthMode", "Public_Key"),
                    ("ssh_client_cert", "k"),
                    ("SSHClientCertType", "PFXFILE"),
                ],
                "ssh_client_cert_type `PFXFILE` is not supported",
                "`PEMKEY_FILE`",
            ),
            (
                &[
                    ("SSHAuthMode", "PublicKey"),
                    ("ssh_client_cert", "k"),
                    ("SSHClientCertType", "PEMKEY_FIL"),
                ],
                "there is no ssh_client_cert_type `PEMKEY_FIL`",
                "`PEMKEY_FILE`",
            ),
            (
                &[
                    ("SSHAuthMode", "public key"),
                    ("ssh_client_cert", "k"),
                    ("SSHClientCertType", "PEMKEY_BLOB"),
                ],
                "`ssh_client_cert` is no PEM text, as `PEMKEY_BLOB` has it",
                "",
            ),
            (
                &[("ssh_fingerprint", "a"), ("ssh_known_hosts", "b")],
                "`ssh_fingerprint` and `ssh_known_hosts` are both given",
                "",
            ),
            (
                &[("SSHPorts", "1")],
                "the PostgreSQL connection has no key `SSHPorts`",
                "`ssh_port`",
            ),
        ];
        for (more, message, help) in cases {
            let error = tunnel(BY_PASSWORD, more).unwrap_err();
            assert_eq!(error.to_string(), message);
            assert!(error.help().unwrap().contains(help), "{}", error.report());
            assert!(!error.report().to_string().contains("sshpasswd"));
        }
        let error = config(&[("server", "db"), ("user", "me"), ("ssh_user", "u")]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "`ssh_user` asks for a tunnel, and there is no `ssh_server`"
        );
    }

    #[test]
    fn wrong_settings_are_one_sentence_without_the_password() {
        for (properties, wanted) in [
            (
                vec![("server", "db"), ("usr", "x")],
                "the PostgreSQL connection has no key `usr`",
            ),
            (vec![("server", "db")], "the PostgreSQL connection has no `user`"),
            (
                vec![("url", "postgres://me:hunter2@db"), ("password", "other")],
                "the PostgreSQL connection says `password` twice, differently",
            ),
            (vec![("url", "hunter2")], "the PostgreSQL `url` is not a URL"),
            (
                vec![("url", "postgres://me@db?passwrd=hunter2")],
                "the PostgreSQL connection has no key `passwrd`",
            ),
            (
                vec![("server", "db"), ("user", "me"), ("port", "99999")],
                "`port` is a larger number than can be",
            ),
            (
                vec![("url", "postgres://me@db"), ("ssl_mode", "prefer")],
                "ssl_mode `prefer` would fall back to plain text in silence",
            ),
            (
                vec![
                    ("server", "db"),
                    ("user", "me"),
                    ("use_ssl", "no"),
                    ("ssl_mode", "require"),
                ],
                "`use_ssl` false and `ssl_mode` `require` contradict each other",
            ),
            (
                vec![("server", "db"), ("user", "me"), ("ssl_mode", "verify_fll")],
                "there is no ssl_mode `verify_fll`",
            ),
            (
                vec![("server", "db"), ("user", "me"), ("SSLServerCert", "*")],
                "`ssl_root_cert` `*` would trust anybody",
            ),
            (
                vec![
                    ("server", "db"),
                    ("user", "me"),
                    ("SSLClientCertPassword", "hunter2"),
                ],
                "`ssl_client_cert_password`: encrypted keys are not supported for TLS",
            ),
            (
                vec![("server", "db"), ("user", "me"), ("pool_mode", "statement")],
                "there is no pool_mode `statement`",
            ),
            (
                vec![("server", "db"), ("user", "me"), ("read_sessions", "9")],
                "`read_sessions` 9 leaves too few of 10 connections for anything else",
            ),
            (
                vec![("server", "db"), ("user", "me"), ("lock_timeout", "soon")],
                "`lock_timeout` is no length of time",
            ),
        ] {
            let error = config(&properties).unwrap_err();
            assert_eq!(error.to_string(), wanted);
            assert!(!format!("{error:?}").contains("hunter2"));
        }
    }
}
