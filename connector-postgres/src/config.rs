//! How to reach a database.

use std::path::PathBuf;
use std::time::Duration;

use connector_core::{Error, ErrorKind, Properties, PropertyKey, Result, Secret};

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
    /// A PEM file of certificate authorities to trust instead of the system's.
    pub ssl_root_cert: Option<PathBuf>,
    /// Most sessions held at once.
    pub max_connections: usize,
    /// How long connecting may take.
    pub connect_timeout: Duration,
}

/// How a connection is encrypted. There is no *prefer*: nothing falls back to plain text in silence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SslMode {
    /// Plain text.
    Disable,
    /// TLS, with the certificate and the host's name verified.
    VerifyFull,
}

const KEYS: &[PropertyKey] = &[
    PropertyKey::new("url", &[]),
    PropertyKey::new("server", &["host"]),
    PropertyKey::new("port", &[]),
    PropertyKey::new("database", &["dbname"]),
    PropertyKey::new("user", &["username"]),
    PropertyKey::new("password", &[]),
    PropertyKey::new("schema", &[]),
    PropertyKey::new("state_schema", &[]),
    PropertyKey::new("ssl_mode", &[]),
    PropertyKey::new("ssl_root_cert", &["SSLServerCert"]),
    PropertyKey::new("max_connections", &[]),
    PropertyKey::new("timeout", &["connect_timeout"]),
    // Understood, and belonging to what is not there yet.
    PropertyKey::new("use_ssh", &["UserSSH"]),
    PropertyKey::new("ssh_server", &[]),
    PropertyKey::new("ssh_port", &[]),
    PropertyKey::new("ssh_user", &[]),
    PropertyKey::new("ssh_password", &[]),
    PropertyKey::new("ssh_auth_mode", &[]),
    PropertyKey::new("ssh_client_cert", &["SSHKeyFile"]),
    PropertyKey::new("ssh_client_cert_type", &[]),
    PropertyKey::new("ssh_client_cert_password", &[]),
    PropertyKey::new("ssh_server_fingerprint", &[]),
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
            max_connections: 10,
            connect_timeout: Duration::from_secs(15),
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
        let mut properties = Properties::read("PostgreSQL connection", KEYS, properties)?;
        if let Some(url) = properties.secret("url") {
            properties.add(split_url(url.reveal())?)?;
        }
        refuse_tunnel(&properties)?;
        let required = |key| {
            let error = |error: Error| error.with_help("give `url`, or `server` and `user`");
            properties.required(key).map_err(error)
        };
        let mut config = Self::new(required("server")?, required("user")?);
        config.port = properties.number("port")?.unwrap_or(config.port);
        config.database = properties.text("database").map(str::to_owned);
        config.password = properties.secret("password");
        config.schema = properties.text("schema").map_or(config.schema, str::to_owned);
        config.state_schema = properties
            .text("state_schema")
            .map_or(config.state_schema, str::to_owned);
        config.ssl_mode = properties.text("ssl_mode").map(parse_ssl_mode).transpose()?;
        config.ssl_root_cert = properties.text("ssl_root_cert").map(PathBuf::from);
        config.max_connections = properties
            .number("max_connections")?
            .unwrap_or(config.max_connections)
            .max(4);
        if let Some(seconds) = properties.number("timeout")? {
            config.connect_timeout = Duration::from_secs(seconds);
        }
        Ok(config)
    }

    /// How the connection will be encrypted.
    pub fn effective_ssl_mode(&self) -> SslMode {
        let loopback = matches!(self.server.as_str(), "localhost" | "127.0.0.1" | "::1");
        self.ssl_mode.unwrap_or(if loopback {
            SslMode::Disable
        } else {
            SslMode::VerifyFull
        })
    }
}

fn refuse_tunnel(properties: &Properties) -> Result<()> {
    if properties.flag("use_ssh")? == Some(false) {
        return Ok(());
    }
    let names = KEYS.iter().map(PropertyKey::name);
    let mut tunnel = names.filter(|name| name.starts_with("ssh_") || *name == "use_ssh");
    match tunnel.find(|name| properties.text(name).is_some()) {
        None => Ok(()),
        Some(name) => Err(Error::new(
            ErrorKind::Unsupported,
            format!("`{name}`: tunnels through SSH are not part of this version"),
        )
        .with_help("open the tunnel yourself (ssh -L) and name its local end as `server` and `port`")),
    }
}

fn parse_ssl_mode(mode: &str) -> Result<SslMode> {
    match mode {
        "disable" => Ok(SslMode::Disable),
        "verify-full" => Ok(SslMode::VerifyFull),
        "prefer" | "allow" => Err(Error::new(
            ErrorKind::Config,
            format!("ssl_mode `{mode}` would fall back to plain text in silence"),
        )
        .with_help("say `verify-full`, or `disable` if plain text is meant")),
        "require" | "verify-ca" => Err(Error::new(
            ErrorKind::Unsupported,
            format!("ssl_mode `{mode}` is not part of this version"),
        )
        .with_help("say `verify-full`, and name the server's authority with `ssl_root_cert`")),
        other => Err(
            Error::new(ErrorKind::Config, format!("there is no ssl_mode `{other}`"))
                .with_help("say `verify-full` or `disable`"),
        ),
    }
}

/// The parts of a URL as keys. Errors never show the URL: it holds the password.
fn split_url(url: &str) -> Result<Vec<(String, Secret)>> {
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
    let mut part = |key: &str, value: String| parts.push((key.to_owned(), Secret::new(value)));
    let host = url.host_str().ok_or_else(wrong)?;
    part("server", host.trim_matches(['[', ']']).to_owned());
    part("user", decode(url.username()));
    part("password", decode(url.password().unwrap_or_default()));
    if let Some(port) = url.port() {
        part("port", port.to_string());
    }
    part("database", decode(url.path().trim_start_matches('/')));
    for (key, value) in url.query_pairs() {
        part(&key, value.into_owned());
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
        let text = "User=admin;Password=adminpassword;Database=test;Server=db;Port=5432;UseSSH=False;";
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
                vec![("server", "db"), ("SSHServer", "b")],
                "`ssh_server`: tunnels through SSH are not part of this version",
            ),
        ] {
            let error = config(&properties).unwrap_err();
            assert_eq!(error.to_string(), wanted);
            assert!(!format!("{error:?}").contains("hunter2"));
        }
    }
}
