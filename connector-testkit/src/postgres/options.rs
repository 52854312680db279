//! What a caller can say about the server it wants.

use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;

/// What [`Postgres::start`](super::Postgres::start) goes by. The default looks into the usual folders, then fetches;
/// it knows of no search path and no user's cache: [`Options::from_env`] does.
#[derive(Clone)]
pub struct Options {
    /// A server to use as it is, what a program read from `DATABASE_URL`. Empty counts as absent.
    pub database_url: Option<String>,
    /// The folder of `postgres` and `initdb`; nothing else is tried when it is given.
    pub binaries: Option<PathBuf>,
    /// Folders to look for installed binaries in, separated as in `PATH`.
    pub search_path: Option<OsString>,
    /// Whether to look into the folders packages put the binaries in, such as `/usr/lib/postgresql/*/bin`.
    pub usual_folders: bool,
    /// Whether binaries may be fetched when none are installed.
    pub allow_download: bool,
    /// The package clients to fetch through, in this order; they are looked for in the program's own `PATH`.
    pub package_clients: Vec<PackageClient>,
    /// The user's cache, such as `~/.cache`: fetched binaries stay in a folder of it. Without one, or when the
    /// unprivileged user who runs the server for root can not enter it, `/var/cache` (as root) or the folder for
    /// temporary files takes its place.
    pub cache_dir: Option<PathBuf>,
    /// Writes as safely as an installed server does, for measurements: without it nothing is synced to disk, and
    /// `wal_level` is `minimal`, since the data ends with the server.
    pub durable: bool,
    /// Settings of the server, by name and value, over the ones chosen here; those for its address and port are not
    /// taken.
    pub settings: Vec<(String, String)>,
}

/// A program that fetches packages from wherever it is configured to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PackageClient {
    /// `npm`; fetches PostgreSQL 18.
    Npm,
    /// `pip`, of `python3` or `python`; fetches PostgreSQL 16.
    Pip,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            database_url: None,
            binaries: None,
            search_path: None,
            usual_folders: true,
            allow_download: true,
            package_clients: vec![PackageClient::Npm, PackageClient::Pip],
            cache_dir: None,
            durable: false,
            settings: Vec::new(),
        }
    }
}

impl Options {
    /// The default, with what the environment says: `DATABASE_URL`, `PATH`, and the user's cache by
    /// `XDG_CACHE_HOME` or `HOME`.
    #[must_use]
    #[expect(
        clippy::disallowed_methods,
        reason = "the one function here that is asked to read the environment"
    )]
    pub fn from_env() -> Self {
        let absolute = |name| {
            std::env::var_os(name)
                .map(PathBuf::from)
                .filter(|path| path.is_absolute())
        };
        let of_home = if cfg!(target_os = "macos") {
            "Library/Caches"
        } else {
            ".cache"
        };
        Self {
            database_url: std::env::var("DATABASE_URL").ok(),
            search_path: std::env::var_os("PATH"),
            cache_dir: absolute("XDG_CACHE_HOME").or_else(|| Some(absolute("HOME")?.join(of_home))),
            ..Self::default()
        }
    }
}

impl PackageClient {
    /// What the user calls it.
    #[cfg(unix)]
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Npm => "npm",
            Self::Pip => "pip",
        }
    }
}

impl fmt::Debug for Options {
    /// Without the URL and the values of settings, which may hold a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("has_database_url", &self.database_url.is_some())
            .field("binaries", &self.binaries)
            .field("search_path", &self.search_path)
            .field("usual_folders", &self.usual_folders)
            .field("allow_download", &self.allow_download)
            .field("package_clients", &self.package_clients)
            .field("cache_dir", &self.cache_dir)
            .field("durable", &self.durable)
            .field(
                "settings",
                &self.settings.iter().map(|(name, _)| name).collect::<Vec<_>>(),
            )
            .finish()
    }
}
