//! A connection's keys and values, whoever says them and however they are spelt.

use crate::connection_string::parse_connection_string;
use crate::error::{Error, ErrorKind, Result, fold, nearest};
use crate::secret::Secret;

/// The key whose value holds more keys and values.
const CONNECTION_STRING: &str = "connection_string";

/// A key of a connection, and what else people call it.
///
/// Letter case, underscores, hyphens and spaces do not count, so that `SSLMode` needs no alias to mean `ssl_mode`.
#[derive(Clone, Copy, Debug)]
pub struct PropertyKey {
    name: &'static str,
    aliases: &'static [&'static str],
}

impl PropertyKey {
    /// The key `name`, which is also called `aliases`.
    pub const fn new(name: &'static str, aliases: &'static [&'static str]) -> Self {
        Self { name, aliases }
    }

    /// The name.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    fn names(&self) -> impl Iterator<Item = &'static str> + use<> {
        std::iter::once(self.name).chain(self.aliases.iter().copied())
    }
}

/// What is said about a connection, by key.
///
/// It comes from a job file, from a connection string in it, or from both; each key is said once, or everywhere
/// the same. An empty value says nothing. Every value is a [`Secret`], and no error shows one.
#[derive(Clone, Debug)]
pub struct Properties {
    what: &'static str,
    keys: &'static [PropertyKey],
    found: Vec<(&'static str, Secret)>,
}

impl Properties {
    /// Reads `given`; `what` they belong to stands in errors, such as "PostgreSQL connection".
    ///
    /// The value of `connection_string` is [taken apart](parse_connection_string), as if its pairs stood beside it.
    ///
    /// # Errors
    /// [`ErrorKind::Config`]: a key is not among `keys`, or said twice and differently, or twice in one connection
    /// string; a connection string cannot be read.
    pub fn read(
        what: &'static str,
        keys: &'static [PropertyKey],
        given: impl IntoIterator<Item = (String, Secret)>,
    ) -> Result<Self> {
        let mut properties = Self {
            what,
            keys,
            found: Vec::new(),
        };
        properties.add(given)?;
        Ok(properties)
    }

    /// Takes in what another source says: a URL, or what follows from other keys.
    ///
    /// # Errors
    /// As for [`read`](Self::read).
    pub fn add(&mut self, given: impl IntoIterator<Item = (String, Secret)>) -> Result<()> {
        for (name, value) in given {
            if is_connection_string(&name) {
                self.add_string(&value)?;
            } else {
                let key = self.key(&name)?;
                self.set(key, value)?;
            }
        }
        Ok(())
    }

    fn add_string(&mut self, text: &Secret) -> Result<()> {
        let mut said: Vec<(&str, String)> = Vec::new();
        for (name, value) in parse_connection_string(text.reveal())? {
            if is_connection_string(&name) {
                return Err(Error::new(
                    ErrorKind::Config,
                    "a connection string cannot hold another one",
                ));
            }
            let key = self.key(&name)?;
            if let Some((_, before)) = said.iter().find(|(other, _)| *other == key) {
                return Err(Error::new(
                    ErrorKind::Config,
                    format!("the connection string says `{key}` twice, as `{before}` and as `{name}`"),
                )
                .with_help("take one of them out"));
            }
            self.set(key, value)?;
            said.push((key, name));
        }
        Ok(())
    }

    /// The key that is meant by `name`.
    fn key(&self, name: &str) -> Result<&'static str> {
        let wanted = fold(name);
        let known = self
            .keys
            .iter()
            .find(|key| key.names().any(|known| fold(known) == wanted));
        known.map(|key| key.name).ok_or_else(|| self.unknown(name))
    }

    fn unknown(&self, name: &str) -> Error {
        let names = self.keys.iter().flat_map(PropertyKey::names);
        let near = nearest(name, names.chain([CONNECTION_STRING]));
        let error = Error::new(
            ErrorKind::Config,
            format!("the {} has no key `{name}`", self.what),
        );
        match near.first() {
            Some(near) => {
                // It may be another name of a key; the help names the key.
                let key = self
                    .keys
                    .iter()
                    .find(|key| key.names().any(|known| known == *near));
                error.with_help(format!(
                    "did you mean `{}`?",
                    key.map_or(CONNECTION_STRING, |key| key.name)
                ))
            }
            None => {
                let all: Vec<&str> = self.keys.iter().map(|key| key.name).collect();
                error.with_help(format!(
                    "the keys are `{}`, `{CONNECTION_STRING}`",
                    all.join("`, `")
                ))
            }
        }
    }

    fn set(&mut self, key: &'static str, value: Secret) -> Result<()> {
        if value.reveal().is_empty() {
            return Ok(());
        }
        match self.get(key) {
            Some(said) if *said == value => Ok(()),
            Some(_) => Err(Error::new(
                ErrorKind::Config,
                format!("the {} says `{key}` twice, differently", self.what),
            )
            .with_help("say it once: as a key of its own, or in the connection string")),
            None => {
                self.found.push((key, value));
                Ok(())
            }
        }
    }

    fn get(&self, key: &str) -> Option<&Secret> {
        debug_assert!(
            self.keys.iter().any(|known| known.name == key),
            "`{key}` is no key"
        );
        let found = self.found.iter().find(|(other, _)| *other == key);
        found.map(|(_, value)| value)
    }

    /// What is said about `key`, in the clear.
    pub fn text(&self, key: &str) -> Option<&str> {
        self.get(key).map(Secret::reveal)
    }

    /// What is said about `key`, kept secret.
    pub fn secret(&self, key: &str) -> Option<Secret> {
        self.get(key).cloned()
    }

    /// What is said about `key`.
    ///
    /// # Errors
    /// [`ErrorKind::Config`]: nothing is.
    pub fn required(&self, key: &str) -> Result<&str> {
        self.text(key).ok_or_else(|| {
            Error::new(ErrorKind::Config, format!("the {} has no `{key}`", self.what))
                .with_help(format!("add `{key}` to the connection"))
        })
    }

    /// The whole number that is said about `key`.
    ///
    /// # Errors
    /// [`ErrorKind::Config`]: it is none, or is too large.
    pub fn number<T: TryFrom<u64>>(&self, key: &str) -> Result<Option<T>> {
        let Some(text) = self.text(key) else {
            return Ok(None);
        };
        if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(
                Error::new(ErrorKind::Config, format!("`{key}` is not a whole number"))
                    .with_help("write it in digits alone"),
            );
        }
        let number = text
            .parse::<u64>()
            .ok()
            .and_then(|number| T::try_from(number).ok());
        number.map(Some).ok_or_else(|| {
            Error::new(
                ErrorKind::Config,
                format!("`{key}` is a larger number than can be"),
            )
        })
    }

    /// Whether `key` is said to be so: `true` or `false`, `yes` or `no`, `1` or `0`, in any letter case.
    ///
    /// # Errors
    /// [`ErrorKind::Config`]: it is none of them.
    pub fn flag(&self, key: &str) -> Result<Option<bool>> {
        let Some(text) = self.text(key) else {
            return Ok(None);
        };
        match text.to_ascii_lowercase().as_str() {
            "true" | "yes" | "1" => Ok(Some(true)),
            "false" | "no" | "0" => Ok(Some(false)),
            _ => Err(
                Error::new(ErrorKind::Config, format!("`{key}` is neither true nor false"))
                    .with_help("write `true` or `false`"),
            ),
        }
    }
}

fn is_connection_string(name: &str) -> bool {
    fold(name) == fold(CONNECTION_STRING)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEYS: &[PropertyKey] = &[
        PropertyKey::new("server", &["host"]),
        PropertyKey::new("port", &[]),
        PropertyKey::new("database", &["dbname"]),
        PropertyKey::new("user", &["username"]),
        PropertyKey::new("password", &[]),
        PropertyKey::new("use_ssh", &["UserSSH"]),
        PropertyKey::new("ssh_auth_mode", &[]),
        PropertyKey::new("ssh_port", &[]),
        PropertyKey::new("ssh_server", &[]),
        PropertyKey::new("ssh_user", &[]),
        PropertyKey::new("ssh_password", &[]),
        PropertyKey::new("ssh_client_cert", &[]),
        PropertyKey::new("ssh_client_cert_type", &[]),
    ];

    fn read(pairs: &[(&str, &str)]) -> Result<Properties> {
        let pairs = pairs
            .iter()
            .map(|&(name, value)| (name.to_owned(), Secret::new(value)));
        Properties::read("test connection", KEYS, pairs)
    }

    fn said(properties: &Properties) -> Vec<(&'static str, &str)> {
        let found = properties.found.iter();
        found.map(|(key, value)| (*key, value.reveal())).collect()
    }

    #[test]
    fn the_scenario_s_string_with_a_password_is_understood() {
        let text = "User=admin;Password=adminpassword;Database=test;Server=postgresql-server;Port=5432;UseSSH=true;\
                    SSHPort=22;SSHServer=ssh-server;SSHUser=root;SSHPassword=sshpasswd;";
        let wanted = [
            ("user", "admin"),
            ("password", "adminpassword"),
            ("database", "test"),
            ("server", "postgresql-server"),
            ("port", "5432"),
            ("use_ssh", "true"),
            ("ssh_port", "22"),
            ("ssh_server", "ssh-server"),
            ("ssh_user", "root"),
            ("ssh_password", "sshpasswd"),
        ];
        assert_eq!(said(&read(&[("connection_string", text)]).unwrap()), wanted);
        let text = text.replace("UseSSH", "UserSSH");
        assert_eq!(said(&read(&[("ConnectionString", &text)]).unwrap()), wanted);
    }

    #[test]
    fn the_scenario_s_string_with_a_key_is_understood() {
        let text = r"User=admin;Password=adminpassword;Database=test;Server=PostgreSQL-server;Port=5432;UseSSH=true;SSHClientCertType=PEMKEY_FILE;SSHPort=22;SSHServer=ssh-server;SSHUser=root;SSHClientCert=C:\Keys\key.pem;";
        let properties = read(&[("connection_string", text)]).unwrap();
        assert_eq!(
            said(&properties)[5..],
            [
                ("use_ssh", "true"),
                ("ssh_client_cert_type", "PEMKEY_FILE"),
                ("ssh_port", "22"),
                ("ssh_server", "ssh-server"),
                ("ssh_user", "root"),
                ("ssh_client_cert", r"C:\Keys\key.pem"),
            ]
        );
        assert_eq!(properties.flag("use_ssh").unwrap(), Some(true));
        assert_eq!(properties.number::<u16>("ssh_port").unwrap(), Some(22));
    }

    #[test]
    fn keys_are_known_however_they_are_spelt() {
        for name in [
            "use_ssh", "UseSSH", "USE-SSH", "usessh", "UserSSH", "user_ssh", "Use SSH",
        ] {
            assert_eq!(said(&read(&[(name, "1")]).unwrap()), [("use_ssh", "1")], "{name}");
        }
    }

    #[test]
    fn the_same_said_again_is_fine_and_nothing_says_nothing() {
        let properties = read(&[
            ("user", "me"),
            ("connection_string", "Username=me;Port=;Server=db"),
            ("HOST", "db"),
            ("database", ""),
        ])
        .unwrap();
        assert_eq!(said(&properties), [("user", "me"), ("server", "db")]);
        assert_eq!(properties.text("port"), None);
        assert_eq!(properties.number::<u16>("port").unwrap(), None);
        assert_eq!(properties.flag("use_ssh").unwrap(), None);
        assert!(properties.secret("password").is_none());
    }

    #[test]
    fn another_source_joins_and_may_not_contradict() {
        let mut properties = read(&[("user", "me")]).unwrap();
        properties.add([("host".to_owned(), Secret::new("db"))]).unwrap();
        assert_eq!(said(&properties), [("user", "me"), ("server", "db")]);
        let error = properties
            .add([("User".to_owned(), Secret::new("you"))])
            .unwrap_err();
        assert_eq!(
            error.to_string(),
            "the test connection says `user` twice, differently"
        );
    }

    #[test]
    fn mistakes_are_named_and_values_are_not() {
        let all = "the keys are `server`, `port`, `database`, `user`, `password`, `use_ssh`, `ssh_auth_mode`, \
                   `ssh_port`, `ssh_server`, `ssh_user`, `ssh_password`, `ssh_client_cert`, \
                   `ssh_client_cert_type`, `connection_string`";
        let once = "say it once: as a key of its own, or in the connection string";
        for (pairs, wanted, help) in [
            (
                &[("Passwort", "hunter2")][..],
                "the test connection has no key `Passwort`",
                Some("did you mean `password`?"),
            ),
            (
                &[("connection_string", "Zebra=hunter2")],
                "the test connection has no key `Zebra`",
                Some(all),
            ),
            (
                &[("db_names", "hunter2")],
                "the test connection has no key `db_names`",
                Some("did you mean `database`?"),
            ),
            (
                &[("conection_string", "Password=hunter2")],
                "the test connection has no key `conection_string`",
                Some("did you mean `connection_string`?"),
            ),
            (
                &[("password", "hunter2"), ("Password", "hunter3")],
                "the test connection says `password` twice, differently",
                Some(once),
            ),
            (
                &[("connection_string", "Password=hunter2"), ("password", "other")],
                "the test connection says `password` twice, differently",
                Some(once),
            ),
            (
                &[("connection_string", "UseSSH=hunter2;Port=1;UserSSH=hunter2")],
                "the connection string says `use_ssh` twice, as `UseSSH` and as `UserSSH`",
                Some("take one of them out"),
            ),
            (
                &[("connection_string", "UseSSH=;Use_SSH=hunter2")],
                "the connection string says `use_ssh` twice, as `UseSSH` and as `Use_SSH`",
                Some("take one of them out"),
            ),
            (
                &[("connection_string", "ConnectionString='Password=hunter2'")],
                "a connection string cannot hold another one",
                None,
            ),
        ] {
            let error = read(pairs).unwrap_err();
            assert_eq!((error.to_string().as_str(), error.help()), (wanted, help));
            assert!(!format!("{error:?}{}", error.report()).contains("hunter"));
        }
    }

    #[test]
    fn wrong_values_are_not_shown() {
        let properties = read(&[("port", "hunter2"), ("ssh_port", "65536"), ("use_ssh", "hunter2")]).unwrap();
        for (error, wanted) in [
            (
                properties.number::<u16>("port").unwrap_err(),
                "`port` is not a whole number",
            ),
            (
                properties.number::<u16>("ssh_port").unwrap_err(),
                "`ssh_port` is a larger number than can be",
            ),
            (
                properties.flag("use_ssh").unwrap_err(),
                "`use_ssh` is neither true nor false",
            ),
            (
                properties.required("user").unwrap_err(),
                "the test connection has no `user`",
            ),
        ] {
            assert_eq!(error.to_string(), wanted);
            assert!(!format!("{error:?}{}", error.report()).contains("hunter2"));
        }
        assert!(!format!("{properties:?}").contains("hunter2"));
        assert_eq!(properties.number::<u64>("ssh_port").unwrap(), Some(65_536));
        for (text, wanted) in [
            ("TRUE", true),
            ("Yes", true),
            ("1", true),
            ("false", false),
            ("no", false),
            ("0", false),
        ] {
            let properties = read(&[("use_ssh", text)]).unwrap();
            assert_eq!(properties.flag("use_ssh").unwrap(), Some(wanted));
        }
        for text in ["-1", "+1", "1.0", " 1", "1e3"] {
            assert!(
                read(&[("port", text)]).unwrap().number::<u16>("port").is_err(),
                "{text}"
            );
        }
    }
}
