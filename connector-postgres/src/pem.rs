//! Certificates and keys: where their text comes from.

use std::fs;
use std::path::{Path, PathBuf};

use connector_core::{Error, ErrorKind, Result, Secret};
use zeroize::Zeroizing;

/// A certificate or key as PEM: its file, or the text itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pem {
    /// The path of a file.
    File(PathBuf),
    /// The text, from its `-----BEGIN` line on.
    Text(Secret),
}

impl Pem {
    /// What a setting's value means: PEM text if it has a `-----BEGIN` line, else a path.
    ///
    /// A text on one line, as a connection string has it, may hold `\n` for its line ends.
    pub fn parse(value: &str) -> Self {
        if value.contains("-----BEGIN ") {
            Self::Text(Secret::new(value.replace("\\n", "\n")))
        } else {
            Self::File(PathBuf::from(value))
        }
    }

    /// What errors call it.
    pub(crate) fn describe(&self, key: &str) -> String {
        match self {
            Self::File(path) => format!("`{key}` {}", path.display()),
            Self::Text(_) => format!("the text of `{key}`"),
        }
    }

    /// The text, for whatever everybody may know.
    pub(crate) fn read(&self, key: &str) -> Result<String> {
        match self {
            Self::File(path) => text(path, key),
            Self::Text(text) => Ok(text.reveal().to_owned()),
        }
    }

    /// The text of a private key: its file must be its owner's alone.
    pub(crate) fn read_private(&self, key: &str) -> Result<Zeroizing<String>> {
        match self {
            Self::File(path) => {
                refuse_readable_by_others(path, key)?;
                text(path, key).map(Zeroizing::new)
            }
            Self::Text(text) => Ok(Zeroizing::new(text.reveal().to_owned())),
        }
    }
}

impl From<PathBuf> for Pem {
    fn from(path: PathBuf) -> Self {
        Self::File(path)
    }
}

impl From<&Path> for Pem {
    fn from(path: &Path) -> Self {
        Self::File(path.to_owned())
    }
}

fn text(path: &Path, key: &str) -> Result<String> {
    let bytes = fs::read(path).map_err(|error| unreadable(path, key).with_source(error))?;
    String::from_utf8(bytes).map_err(|_| {
        // The bytes may be a key: they are no part of the error.
        Error::new(
            ErrorKind::Config,
            format!("`{key}` {} is not a PEM file", path.display()),
        )
        .with_help(
            "convert it: `openssl pkcs12 -in FILE -out FILE.pem -nodes` makes one of a .pfx or .p12 file",
        )
    })
}

fn unreadable(path: &Path, key: &str) -> Error {
    Error::new(
        ErrorKind::Config,
        format!("`{key}` {} cannot be read", path.display()),
    )
    .with_help(if path.starts_with("~") {
        "write the path in full: `~` means something to a shell only"
    } else {
        "name a PEM file that this program may read"
    })
}

#[cfg(unix)]
fn refuse_readable_by_others(path: &Path, key: &str) -> Result<()> {
    use std::os::unix::fs::PermissionsExt;

    let found = fs::metadata(path).map_err(|error| unreadable(path, key).with_source(error))?;
    if found.permissions().mode() & 0o077 == 0 {
        return Ok(());
    }
    let message = format!("`{key}` {} can be read by other users", path.display());
    Err(Error::new(ErrorKind::Config, message).with_help(format!("run: chmod 600 {}", path.display())))
}

#[cfg(not(unix))]
fn refuse_readable_by_others(_path: &Path, _key: &str) -> Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_paths_are_told_apart() {
        let text = "-----BEGIN CERTIFICATE-----\\nAAAA\\n-----END CERTIFICATE-----";
        assert_eq!(
            Pem::parse(text),
            Pem::Text(Secret::new(text.replace("\\n", "\n")))
        );
        assert_eq!(
            Pem::parse(r"C:\new\key.pem"),
            Pem::File(PathBuf::from(r"C:\new\key.pem"))
        );
    }

    #[cfg(unix)]
    #[test]
    fn a_key_others_can_read_is_refused_with_the_command_that_helps() {
        use std::os::unix::fs::PermissionsExt;

        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key.pem");
        fs::write(&path, "-----BEGIN PRIVATE KEY-----").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        let pem = Pem::from(path.clone());
        let error = pem.read_private("ssh_client_cert").unwrap_err();
        let help = format!("run: chmod 600 {}", path.display());
        assert_eq!(
            (error.kind(), error.help()),
            (ErrorKind::Config, Some(help.as_str()))
        );
        assert!(pem.read("ssl_root_cert").is_ok());
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        assert!(pem.read_private("ssh_client_cert").is_ok());
    }
}
