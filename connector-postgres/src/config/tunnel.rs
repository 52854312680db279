//! The keys of tunnels.

use std::path::PathBuf;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use connector_core::{Error, ErrorKind, Properties, PropertyKey, Result, Secret, nearest};

use super::KEYS;
use crate::pem::Pem;
use crate::tunnel::{SshAuth, SshHostKey, SshTunnel};

const MODES: [&str; 2] = ["Password", "Public_Key"];

/// Kinds of key stores that can be read, then those that others can.
const STORES: [&str; 2] = ["PEMKEY_FILE", "PEMKEY_BLOB"];
const OTHER_STORES: [&str; 16] = [
    "USER",
    "MACHINE",
    "PFXFILE",
    "PFXBLOB",
    "JKSFILE",
    "JKSBLOB",
    "PUBLIC_KEY_FILE",
    "PUBLIC_KEY_BLOB",
    "SSHPUBLIC_KEY_FILE",
    "SSHPUBLIC_KEY_BLOB",
    "P7BFILE",
    "PPKFILE",
    "PPKBLOB",
    "XMLFILE",
    "XMLBLOB",
    "BCFKSFILE",
];

/// The tunnel, if there is to be one: `use_ssh`, or any key of it where `use_ssh` is not said.
pub(super) fn read(given: &Properties) -> Result<Option<SshTunnel>> {
    let wanted = given.flag("use_ssh")?;
    let first = KEYS
        .iter()
        .map(PropertyKey::name)
        .find(|name| name.starts_with("ssh_") && given.text(name).is_some());
    let because = match (wanted, first) {
        (Some(false), _) | (None, None) => return Ok(None),
        (Some(true), _) => "use_ssh",
        (None, Some(key)) => key,
    };
    let required = |key: &str| {
        given.text(key).ok_or_else(|| {
            Error::new(
                ErrorKind::Config,
                format!("`{because}` asks for a tunnel, and there is no `{key}`"),
            )
            .with_help("give `ssh_server`, `ssh_user`, and `ssh_password` or `ssh_client_cert`")
        })
    };
    let mut tunnel = SshTunnel::new(
        required("ssh_server")?,
        required("ssh_user")?,
        auth(given, &required)?,
    );
    tunnel.port = given.number("ssh_port")?.unwrap_or(tunnel.port);
    tunnel.host_key = match (given.text("ssh_fingerprint"), given.text("ssh_known_hosts")) {
        (None, None) => None,
        (Some(fingerprint), None) => Some(SshHostKey::Fingerprint(fingerprint.to_owned())),
        (None, Some(path)) => Some(SshHostKey::KnownHosts(PathBuf::from(path))),
        (Some(_), Some(_)) => {
            return Err(Error::new(
                ErrorKind::Config,
                "`ssh_fingerprint` and `ssh_known_hosts` are both given",
            )
            .with_help("take one of them out"));
        }
    };
    Ok(Some(tunnel))
}

fn auth<'a>(given: &'a Properties, required: &dyn Fn(&str) -> Result<&'a str>) -> Result<SshAuth> {
    let by_key = match given.text("ssh_auth_mode") {
        Some(mode) => by_key(mode)?,
        None => match (given.text("ssh_password"), given.text("ssh_client_cert")) {
            (Some(_), Some(_)) => {
                return Err(Error::new(
                    ErrorKind::Config,
                    "`ssh_password` and `ssh_client_cert` are both given",
                )
                .with_help("say which counts: `ssh_auth_mode` is `Password` or `Public_Key`"));
            }
            (_, key) => key.is_some(),
        },
    };
    if by_key {
        return Ok(SshAuth::Key {
            key: key(given.text("ssh_client_cert_type"), required("ssh_client_cert")?)?,
            passphrase: given.secret("ssh_client_cert_password"),
        });
    }
    Ok(SshAuth::Password(Secret::new(required("ssh_password")?)))
}

fn by_key(mode: &str) -> Result<bool> {
    match mode.to_ascii_lowercase().replace(['_', '-', ' '], "").as_str() {
        "password" => Ok(false),
        "publickey" => Ok(true),
        _ => Err(
            Error::new(ErrorKind::Config, format!("there is no ssh_auth_mode `{mode}`"))
                .with_help(did_you_mean(mode, &MODES)),
        ),
    }
}

fn key(store: Option<&str>, value: &str) -> Result<Pem> {
    let Some(store) = store else {
        return Ok(Pem::parse(value));
    };
    match store.to_ascii_uppercase().as_str() {
        "PEMKEY_FILE" => Ok(Pem::File(PathBuf::from(value))),
        "PEMKEY_BLOB" => blob(value),
        other if OTHER_STORES.contains(&other) => Err(Error::new(
            ErrorKind::Unsupported,
            format!("ssh_client_cert_type `{other}` is not supported"),
        )
        .with_help("store the private key as PEM, and say `PEMKEY_FILE` or `PEMKEY_BLOB`")),
        _ => Err(Error::new(
            ErrorKind::Config,
            format!("there is no ssh_client_cert_type `{store}`"),
        )
        .with_help(did_you_mean(store, &STORES))),
    }
}

/// The text itself, or its base64.
fn blob(value: &str) -> Result<Pem> {
    if let text @ Pem::Text(_) = Pem::parse(value) {
        return Ok(text);
    }
    let bytes = BASE64_STANDARD.decode(value.trim()).ok();
    let text = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
    match text.map(|text| Pem::parse(&text)) {
        Some(text @ Pem::Text(_)) => Ok(text),
        _ => Err(Error::new(
            ErrorKind::Config,
            "`ssh_client_cert` is no PEM text, as `PEMKEY_BLOB` has it",
        )
        .with_help("give the key itself, from its `-----BEGIN` line on; a path is `PEMKEY_FILE`")),
    }
}

fn did_you_mean(word: &str, known: &[&str]) -> String {
    match nearest(word, known.iter().copied()).first() {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("say `{}`", known.join("` or `")),
    }
}
