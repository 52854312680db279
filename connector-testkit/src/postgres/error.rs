//! Why there is no server.

use std::fmt;
use std::io;

/// Why there is no server; the message is one sentence for the user, with what to do about it.
#[derive(Debug)]
#[non_exhaustive]
pub enum StartError {
    /// No server binaries are installed and none could be fetched.
    Absent {
        /// What was tried, and why it did not do.
        reasons: Vec<String>,
    },
    /// The program runs as root and the machine has no user to hand the server to.
    NoUnprivilegedUser,
    /// A setting of the options that no configuration file can hold.
    Setting {
        /// The setting's name.
        name: String,
    },
    /// A program of the server did not do its work.
    Failed {
        /// What was going on.
        doing: String,
        /// What the program said last.
        said: String,
    },
    /// A file or a process could not be handled.
    Io {
        /// What was going on.
        doing: String,
        /// What the system said.
        source: io::Error,
    },
}

const INSTALL: &str = if cfg!(target_os = "macos") {
    "install one with `brew install postgresql@17`"
} else {
    "install one with `apt install postgresql` (Debian, Ubuntu), `dnf install postgresql-server` (Fedora) or \
     `apk add postgresql` (Alpine)"
};

impl StartError {
    /// For `map_err`: an I/O error with what was going on.
    #[cfg(unix)]
    pub(super) fn io(doing: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let doing = doing.into();
        move |source| Self::Io { doing, source }
    }
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent { reasons } => write!(
                f,
                "no PostgreSQL at hand: {INSTALL}, or npm or pip, which fetch one, or set DATABASE_URL to one that runs \
                 ({})",
                reasons.join("; ")
            ),
            Self::NoUnprivilegedUser => f.write_str(
                "PostgreSQL does not run as root and /etc/passwd has no user to hand it to: add a user `postgres`, or \
                 set DATABASE_URL to a server that runs",
            ),
            Self::Setting { name } => write!(f, "`{name}` is not the name of a setting of PostgreSQL"),
            Self::Failed { doing, said } => write!(f, "{doing} failed: {said}"),
            Self::Io { doing, source } => write!(f, "{doing}: {source}"),
        }
    }
}

impl std::error::Error for StartError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io { source, .. } => Some(source),
            Self::Absent { .. } | Self::NoUnprivilegedUser | Self::Setting { .. } | Self::Failed { .. } => {
                None
            }
        }
    }
}
