//! The folder of one running server, and who holds it.
//!
//! - `owner.lock`: locked by the program the server belongs to, as long as that lives
//! - `server.log`: what the server says; locked by everything that writes to it: the watchdog and the server
//! - `data/`: the server's data
//! - `kept`: there when the server outlives its program
//! - `ended`: there when the server has ended
//!
//! The locks are the system's own and end with the processes, so no process number has to be trusted.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use super::identity::Identity;
use super::process::{self, signal};

const OWNER: &str = "owner.lock";
const LOG: &str = "server.log";
const KEPT: &str = "kept";
const RESTART: &str = "restart";
const ENDED: &str = "ended";

#[derive(Debug)]
pub(super) struct RunDir {
    pub(super) path: PathBuf,
    /// The lock of the program that owns the server.
    _owner: File,
}

impl RunDir {
    pub(super) fn create(path: PathBuf, identity: &Identity) -> io::Result<Self> {
        fs::DirBuilder::new().mode(0o700).create(&path)?;
        let owner = File::create_new(path.join(OWNER))?;
        owner.lock()?;
        identity.give(&path)?;
        Ok(Self { path, _owner: owner })
    }

    pub(super) fn data(&self) -> PathBuf {
        self.path.join("data")
    }

    /// The log, locked, for the watchdog and the server to write to and so to hold.
    pub(super) fn open_log(&self) -> io::Result<File> {
        let log = OpenOptions::new()
            .create_new(true)
            .append(true)
            .open(self.path.join(LOG))?;
        log.lock()?;
        Ok(log)
    }

    pub(super) fn log(&self) -> String {
        fs::read(self.path.join(LOG))
            .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
            .unwrap_or_default()
    }

    /// Where the watchdog says that the server has ended.
    pub(super) fn ended_mark(&self) -> PathBuf {
        self.path.join(ENDED)
    }

    pub(super) fn mark_kept(&self) -> io::Result<()> {
        File::create_new(self.path.join(KEPT)).map(drop)
    }

    /// Tells the watchdog to start the server again once it has ended.
    pub(super) fn mark_restart(&self) -> io::Result<()> {
        File::create_new(self.path.join(RESTART)).map(drop)
    }

    /// The process number of a server that takes connections: the file has it in the first line, the state in the
    /// eighth.
    pub(super) fn ready_pid(&self) -> Option<u32> {
        let text = fs::read_to_string(self.data().join("postmaster.pid")).ok()?;
        let mut lines = text.lines();
        let pid = lines.next()?.trim().parse().ok()?;
        matches!(lines.nth(6)?.trim(), "ready" | "standby").then_some(pid)
    }
}

/// Removes a run folder nobody holds, unless its server was meant to stay and still runs.
pub(super) fn remove_if_left(path: &Path) {
    let wanted = is_held(&path.join(OWNER)) || (path.join(KEPT).exists() && is_held(&path.join(LOG)));
    if !wanted {
        end_and_remove(path);
    }
}

/// Ends a server that may still run in a run folder, as it does when its watchdog was killed too, then removes the
/// folder.
pub(super) fn end_and_remove(path: &Path) {
    let log = path.join(LOG);
    let begun = Instant::now();
    if is_held(&log) {
        end_server(&path.join("data"));
    }
    while is_held(&log) {
        if begun.elapsed() > Duration::from_secs(10) {
            return;
        }
        thread::sleep(Duration::from_millis(5));
    }
    let _ = fs::remove_dir_all(path);
}

fn is_held(file: &Path) -> bool {
    File::open(file).is_ok_and(|file| file.try_lock().is_err())
}

/// Ends the server of a data folder, if the process its file names is one that was given that folder.
fn end_server(data: &Path) {
    let text = fs::read_to_string(data.join("postmaster.pid")).unwrap_or_default();
    let pid = text.lines().next().unwrap_or_default().trim();
    if pid.parse::<u32>().is_ok_and(|number| number > 1)
        && command_line(pid).contains(data.to_string_lossy().as_ref())
    {
        signal("QUIT", pid);
    }
}

fn command_line(pid: &str) -> String {
    if let Ok(bytes) = fs::read(format!("/proc/{pid}/cmdline")) {
        return String::from_utf8_lossy(&bytes).into_owned();
    }
    let mut ps = Command::new("ps");
    process::run(
        ps.args(["-ww", "-o", "command=", "-p", pid]),
        Duration::from_secs(5),
    )
    .unwrap_or_default()
}
