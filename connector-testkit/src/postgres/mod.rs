//! A PostgreSQL for whoever has none at hand.
//!
//! [`Postgres::start`] takes, in this order: the URL it is given; the server binaries it is told of, or finds in the
//! search path or the folders packages usually put them in; pinned, checksummed binaries, fetched once through the
//! package client the machine has. When none of these is to be had, the error says in one sentence what to install.
//!
//! A throwaway server listens on 127.0.0.1 only, behind a random password, and ends with the value, or with the
//! program, however that ends: a small shell process holds the other end of a pipe and stops the server when the pipe
//! closes. A program started as root hands the server to an unprivileged user, as PostgreSQL asks.
//!
//! Everything here blocks: in an async program call it before the runtime starts, or in `spawn_blocking`.

#[cfg(unix)]
mod binaries;
#[cfg(unix)]
mod download;
mod error;
#[cfg(unix)]
mod identity;
mod options;
#[cfg(unix)]
mod pins;
#[cfg(unix)]
mod places;
#[cfg(unix)]
mod process;
#[cfg(unix)]
mod rundir;
#[cfg(unix)]
mod server;
#[cfg(unix)]
mod template;
#[cfg(unix)]
mod unpack;

use std::fmt;

pub use error::StartError;
pub use options::{Options, PackageClient};

/// A PostgreSQL to use: the one whose URL was given, or a throwaway server that ends with this value.
///
/// A value that is never dropped, in a `static` say, ends with the program.
#[must_use = "the throwaway server ends when this value is dropped"]
pub struct Postgres {
    url: String,
    #[cfg(unix)]
    server: Option<server::Server>,
}

/// How a server is stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// Sessions are ended, and everything is written: `pg_ctl stop -m fast`.
    Fast,
    /// All processes end at once, and the next start recovers from the log, as after a power failure:
    /// `pg_ctl stop -m immediate`.
    Immediate,
}

impl Stop {
    #[cfg(unix)]
    const fn signal(self) -> &'static str {
        match self {
            Self::Fast => "INT",
            Self::Immediate => "QUIT",
        }
    }
}

/// A server left running by [`Postgres::keep`].
#[derive(Clone, PartialEq, Eq)]
pub struct Kept {
    /// How to connect.
    pub url: String,
    /// The shell command that stops the server and so removes its data; `None` for a server that was not started here.
    pub stop: Option<String>,
}

impl Postgres {
    /// Takes the server the options name, or starts a throwaway one. Blocks: some 0.3 s, 2 s more the first time on
    /// this machine, and as long as a download of 24 MB takes where no binaries are installed.
    ///
    /// # Errors
    /// No server to be had, or one that does not start; the message is for the user to read.
    pub fn start(options: &Options) -> Result<Self, StartError> {
        if let Some(url) = options
            .database_url
            .as_deref()
            .map(str::trim)
            .filter(|url| !url.is_empty())
        {
            return Ok(Self {
                url: url.to_owned(),
                #[cfg(unix)]
                server: None,
            });
        }
        Self::start_throwaway(options)
    }

    /// [`Postgres::start`] with [`Options::from_env`].
    ///
    /// # Errors
    /// As [`Postgres::start`].
    pub fn from_env() -> Result<Self, StartError> {
        Self::start(&Options::from_env())
    }

    #[cfg(unix)]
    fn start_throwaway(options: &Options) -> Result<Self, StartError> {
        let identity = identity::Identity::detect()?;
        let places = places::Places::prepare(&identity)?;
        places.sweep(&identity);
        template::remove_orphans(&places);
        let binaries = binaries::find(options, &identity, &places)?;
        let server = server::Server::start(&binaries, &identity, &places, options)?;
        Ok(Self {
            url: server.url().to_owned(),
            server: Some(server),
        })
    }

    #[cfg(not(unix))]
    fn start_throwaway(_options: &Options) -> Result<Self, StartError> {
        Err(StartError::Absent {
            reasons: vec!["a throwaway server is started on Linux and macOS only".to_owned()],
        })
    }

    /// How to connect, for example `postgres://postgres:3f…@127.0.0.1:40123/postgres?sslmode=disable`. The user of a
    /// throwaway server is its superuser.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Whether the server was started here and ends with this value.
    #[must_use]
    pub fn is_throwaway(&self) -> bool {
        #[cfg(unix)]
        return self.server.is_some();
        #[cfg(not(unix))]
        return false;
    }

    /// Stops a throwaway server, starts it again on the same data at the same address, and waits until it takes
    /// connections. Commits may be lost by an immediate stop unless the server is
    /// [durable](Options::durable).
    ///
    /// # Errors
    /// A server that was not started here, has ended in the meantime, or does not start again.
    #[cfg_attr(not(unix), expect(unused_variables))]
    pub fn restart(&mut self, stop: Stop) -> Result<(), StartError> {
        #[cfg(unix)]
        if let Some(server) = &mut self.server {
            return server.restart(stop);
        }
        Err(StartError::Failed {
            doing: "restarting PostgreSQL".to_owned(),
            said: "it was not started here".to_owned(),
        })
    }

    /// Leaves the server running after the program ends, until [`Kept::stop`] is run.
    ///
    /// # Errors
    /// The server has ended in the meantime, or its folder can not be written.
    #[cfg_attr(not(unix), expect(unused_mut))]
    pub fn keep(self) -> Result<Kept, StartError> {
        let mut stop = None;
        #[cfg(unix)]
        if let Some(server) = self.server {
            stop = Some(server.keep()?);
        }
        Ok(Kept { url: self.url, stop })
    }
}

impl fmt::Debug for Postgres {
    /// Without the URL, which holds a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Postgres")
            .field("is_throwaway", &self.is_throwaway())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Kept {
    /// Without the URL, which holds a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kept")
            .field("stop", &self.stop)
            .finish_non_exhaustive()
    }
}
