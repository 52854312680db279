//! The folders of throwaway servers, and the removal of what killed programs left there.
//!
//! Under the folder for temporary files, and not under a home or a build folder, which the unprivileged user of a
//! server started by root could not enter:
//!
//! - `connector-testkit-pg-<uid>/templates/`: one fresh data folder per server version, to be copied
//! - `connector-testkit-pg-<uid>/runs/run-…/`: one per running server

use std::fs::{self, File, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use super::error::StartError;
use super::identity::{Identity, random_hex};
use super::rundir::RunDir;

#[derive(Debug)]
pub(super) struct Places {
    /// Of the program's user, who alone writes there.
    pub(super) base: PathBuf,
    pub(super) templates: PathBuf,
    runs: PathBuf,
}

impl Places {
    pub(super) fn prepare(identity: &Identity) -> Result<Self, StartError> {
        let folders = [std::env::temp_dir(), PathBuf::from("/tmp")];
        let temporary = folders
            .iter()
            .find(|folder| identity.can_enter(folder))
            .unwrap_or(&folders[0]);
        let base = temporary.join(format!("connector-testkit-pg-{}", identity.own_uid()));
        let places = Self {
            templates: base.join("templates"),
            runs: base.join("runs"),
            base,
        };
        // The server's user removes its run folder itself, after the program is gone: as in /tmp, by the sticky bit.
        let (shared, runs) = if identity.drops() {
            (0o755, 0o1777)
        } else {
            (0o700, 0o700)
        };
        for (folder, mode) in [
            (&places.base, shared),
            (&places.templates, shared),
            (&places.runs, runs),
        ] {
            own_folder(folder, mode, identity).map_err(StartError::io(format!(
                "can not use the folder {}",
                folder.display()
            )))?;
        }
        Ok(places)
    }

    /// A new run folder, held by this program.
    pub(super) fn new_run(&self, identity: &Identity) -> io::Result<RunDir> {
        let _guard = self.lock("runs")?;
        let name = format!("run-{}-{}", std::process::id(), random_hex()?);
        RunDir::create(self.runs.join(name), identity)
    }

    /// Removes what programs left that were killed together with their watchdogs. What can not be removed is left for
    /// the next time.
    pub(super) fn sweep(&self, identity: &Identity) {
        let Ok(_guard) = self.lock("runs") else { return };
        let Ok(entries) = fs::read_dir(&self.runs) else {
            return;
        };
        for path in entries.flatten().map(|entry| entry.path()) {
            let named = path
                .file_name()
                .is_some_and(|name| name.to_string_lossy().starts_with("run-"));
            let ours = fs::symlink_metadata(&path).is_ok_and(|found| {
                found.is_dir() && [identity.own_uid(), identity.server_uid()].contains(&found.uid())
            });
            if named && ours {
                super::rundir::remove_if_left(&path);
            }
        }
    }

    /// Waits for a lock between programs; it ends with the returned file.
    pub(super) fn lock(&self, name: &str) -> io::Result<File> {
        lock_file(&self.lock_path(name))
    }

    /// Waits for the programs that hold the lock alone; others may share it.
    pub(super) fn share_lock(&self, name: &str) -> io::Result<File> {
        let file = open_lock(&self.lock_path(name))?;
        file.lock_shared()?;
        Ok(file)
    }

    fn lock_path(&self, name: &str) -> PathBuf {
        self.templates.join(format!("{name}.lock"))
    }
}

/// Waits for a lock between programs on a file made for it.
pub(super) fn lock_file(path: &Path) -> io::Result<File> {
    let file = open_lock(path)?;
    file.lock()?;
    Ok(file)
}

fn open_lock(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(path)
}

/// Makes the folder, or checks that the one that is there belongs to this user and not to somebody who was faster.
fn own_folder(folder: &Path, mode: u32, identity: &Identity) -> io::Result<()> {
    match fs::DirBuilder::new().mode(0o700).create(folder) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        made => made?,
    }
    let found = fs::symlink_metadata(folder)?;
    if !found.is_dir() || found.uid() != identity.own_uid() {
        return Err(io::Error::new(
            io::ErrorKind::PermissionDenied,
            "it belongs to another user",
        ));
    }
    if found.mode() & 0o7777 != mode {
        fs::set_permissions(folder, Permissions::from_mode(mode))?;
    }
    Ok(())
}
