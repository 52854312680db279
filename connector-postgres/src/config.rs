//! How to reach a database.

use std::time::Duration;

use connector_core::{Error, ErrorKind, Result, Secret, nearest, parse_connection_string};

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
    /// How long connecting may take, a tunnel and signing in included.
    pub connect_timeout: Duration,
    /// How long the server lets one statement run, to the millisecond; `None`: as it is set there.
    pub statement_timeout: Option<Duration>,
    /// How long the server lets a statement wait for a lock, to the millisecond; `None`: as it is set there.
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

/// Each key, and what else people call it.
const KEYS: &[(&str, &[&str])] = &[
    ("url", &[]),
    ("server", &["host"]),
    ("port", &[]),
    ("database", &["dbname"]),
    ("user", &["username"]),
    ("password", &[]),
    ("schema", &[]),
    ("state_schema", &[]),
    ("ssl_mode", &["sslmode"]),
    ("ssl_root_cert", &["sslrootcert", "sslservercert"]),
    ("max_connections", &[]),
    ("timeout", &["connect_timeout"]),
];

/// Keys that are understood, and belong to what is not there yet.
const TUNNEL_KEYS: &[&str] = &[
    "usessh",
    "userssh",
    "sshserver",
    "sshport",
    "sshuser",
    "sshpassword",
    "sshauthmode",
    "sshclientcert",
    "sshclientcerttype",
    "sshclientcertpassword",
    "sshserverfingerprint",
    "sshkeyfile",
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
            ssl_mode: None,
            ssl_root_cert: None,
            ssl_client_cert: None,
            ssl_client_key: None,
            require_channel_binding: false,
            tunnel: None,
            max_connections: 10,
            connect_timeout: Duration::from_secs(15),
            statement_timeout: None,
            lock_timeout: None,
        }
    }

    /// From a URL such as `postgres://user:password@host:5432/database?sslmode=verify-full`.
    ///
    /// # Errors
    /// [`ErrorKind::Config`]: it is no such URL. The message never holds it, for it holds the password.
    pub fn from_url(url: &str) -> Result<Self> {
        Self::from_properties([("url".to_owned(), Secret::new(url))])
    }

    /// From keys and values, as job files and connection strings have them. Keys are taken in any case, with or
    /// without underscores; `connection_string` holds more of them.
    ///
    /// # Errors
    /// [`ErrorKind::Config`]: a key is unknown, missing, or said twice differently; a value is not what it should be.
    pub fn from_properties(properties: impl IntoIterator<Item = (String, Secret)>) -> Result<Self> {
        let mut given = Vec::new();
        for (key, value) in properties {
            if fold(&key) == "connectionstring" {
                for (key, value) in parse_connection_string(value.reveal())? {
                    insert(&mut given, &key, value)?;
                }
            } else {
                insert(&mut given, &key, value)?;
            }
        }
        if let Some(url) = given
            .iter()
            .find(|(key, _)| *key == "url")
            .map(|(_, url)| url.clone())
        {
            for (key, value) in split_url(url.reveal())? {
                insert(&mut given, key, value)?;
            }
        }
        let text = |key: &str| {
            given
                .iter()
                .find(|(other, _)| *other == key)
                .map(|(_, value)| value.reveal().to_owned())
        };
        let required = |key: &str| {
            text(key).ok_or_else(|| {
                Error::new(
                    ErrorKind::Config,
                    format!("the PostgreSQL connection has no `{key}`"),
                )
                .with_help("give `url`, or `server` and `user`")
            })
        };
        let number = |key: &str, default: u64| match text(key) {
            None => Ok(default),
            Some(value) => value
                .parse()
                .map_err(|_| Error::new(ErrorKind::Config, format!("`{key}` is not a whole number"))),
        };
        let mut config = Self::new(required("server")?, required("user")?);
        config.port = u16::try_from(number("port", 5432)?)
            .map_err(|_| Error::new(ErrorKind::Config, "`port` is not a port number"))?;
        config.database = text("database").filter(|name| !name.is_empty());
        config.password = text("password").map(Secret::new);
        config.schema = text("schema").unwrap_or(config.schema);
        config.state_schema = text("state_schema").unwrap_or(config.state_schema);
        config.ssl_mode = text("ssl_mode").map(|mode| parse_ssl_mode(&mode)).transpose()?;
        config.ssl_root_cert = text("ssl_root_cert").map(|value| Pem::parse(&value));
        config.max_connections = usize::try_from(number("max_connections", 10)?)
            .unwrap_or(usize::MAX)
            .max(4);
        config.connect_timeout = Duration::from_secs(number("timeout", 15)?);
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

fn fold(key: &str) -> String {
    key.chars()
        .filter(|c| !matches!(c, '_' | '-' | ' '))
        .flat_map(char::to_lowercase)
        .collect()
}

fn insert(given: &mut Vec<(&'static str, Secret)>, key: &str, value: Secret) -> Result<()> {
    let folded = fold(key);
    let known = KEYS
        .iter()
        .find(|(name, aliases)| fold(name) == folded || aliases.iter().any(|alias| fold(alias) == folded));
    let Some((name, _)) = known else {
        if TUNNEL_KEYS.contains(&folded.as_str()) || folded.starts_with("ssh") {
            let help = "open the tunnel yourself (ssh -L) and name its local end as `server` and `port`";
            let message = format!("`{key}`: tunnels through SSH are not part of this version");
            return Err(Error::new(ErrorKind::Unsupported, message).with_help(help));
        }
        let near = nearest(key, KEYS.iter().map(|(name, _)| *name));
        let message = format!("the PostgreSQL connection has no key `{key}`");
        let help = if near.is_empty() {
            format!(
                "the keys are {}",
                KEYS.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ")
            )
        } else {
            format!("did you mean `{}`?", near.join("` or `"))
        };
        return Err(Error::new(ErrorKind::Config, message).with_help(help));
    };
    match given.iter().find(|(other, _)| other == name) {
        Some((_, said)) if *said == value => Ok(()),
        Some(_) => Err(Error::new(
            ErrorKind::Config,
            format!("the PostgreSQL connection says `{name}` twice, differently"),
        )),
        None => {
            given.push((name, value));
            Ok(())
        }
    }
}

fn parse_ssl_mode(mode: &str) -> Result<SslMode> {
    match mode {
        "disable" => Ok(SslMode::Disable),
        "require" => Ok(SslMode::Require),
        "verify-ca" => Ok(SslMode::VerifyCa),
        "verify-full" => Ok(SslMode::VerifyFull),
        "prefer" | "allow" => Err(Error::new(
            ErrorKind::Config,
            format!("ssl_mode `{mode}` would fall back to plain text in silence"),
        )
        .with_help("say `verify-full`, or `disable` if plain text is meant")),
        other => Err(
            Error::new(ErrorKind::Config, format!("there is no ssl_mode `{other}`"))
                .with_help("say `verify-full`, `verify-ca`, `require` or `disable`"),
        ),
    }
}

/// The parts of a URL as keys. Errors never show the URL: it holds the password.
fn split_url(url: &str) -> Result<Vec<(&'static str, Secret)>> {
    let wrong = || {
        Error::new(ErrorKind::Config, "the PostgreSQL `url` is not a URL")
            .with_help("write it as postgres://user:password@host:5432/database")
    };
    let url = url::Url::parse(url).map_err(|_| wrong())?;
    if !matches!(url.scheme(), "postgres" | "postgresql") {
        return Err(wrong());
    }
    let decode = |text: &str| {
        // A query decodes `+` as a space; the parts before it must keep theirs.
        let text = text.replace('+', "%2B");
        url::form_urlencoded::parse(format!("x={}", text.replace('&', "%26")).as_bytes())
            .next()
            .map(|(_, value)| value.into_owned())
            .unwrap_or_default()
    };
    let mut parts = Vec::new();
    let host = url.host_str().ok_or_else(wrong)?;
    parts.push(("server", Secret::new(host.trim_matches(['[', ']']))));
    if !url.username().is_empty() {
        parts.push(("user", Secret::new(decode(url.username()))));
    }
    if let Some(password) = url.password() {
        parts.push(("password", Secret::new(decode(password))));
    }
    if let Some(port) = url.port() {
        parts.push(("port", Secret::new(port.to_string())));
    }
    let database = decode(url.path().trim_start_matches('/'));
    if !database.is_empty() {
        parts.push(("database", Secret::new(database)));
    }
    for (key, value) in url.query_pairs() {
        let known = KEYS.iter().find(|(name, aliases)| {
            fold(name) == fold(&key) || aliases.iter().any(|alias| fold(alias) == fold(&key))
        });
        let Some((name, _)) = known else {
            return Err(Error::new(
                ErrorKind::Config,
                format!("the PostgreSQL `url` has the unknown parameter `{key}`"),
            ));
        };
        parts.push((name, Secret::new(value.into_owned())));
    }
    Ok(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

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

    #[test]
    fn the_vendor_s_string_is_understood() {
        let text = "User=admin;Password=adminpassword;Database=test;Server=db;Port=5432;";
        let config = config(&[("connection_string", text), ("port", "5432")]).unwrap();
        assert_eq!(
            (config.server.as_str(), config.database.as_deref()),
            ("db", Some("test"))
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
                vec![("url", "postgres://me@db"), ("ssl_mode", "prefer")],
                "ssl_mode `prefer` would fall back to plain text in silence",
            ),
            (
                vec![("server", "db"), ("SSHServer", "b")],
                "`SSHServer`: tunnels through SSH are not part of this version",
            ),
        ] {
            let error = config(&properties).unwrap_err();
            assert_eq!(error.to_string(), wanted);
            assert!(!format!("{error:?}").contains("hunter2"));
        }
    }
}
