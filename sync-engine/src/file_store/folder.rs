//! The folder: names, locks, and files that are whole or not there.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use connector_core::{Error, ErrorKind, Result};

use super::line;

/// How often, and after which pause, the lock of the folder is tried: ten seconds in all.
const TRIES: u32 = 2_000;
const PAUSE: Duration = Duration::from_millis(5);

/// What the names of unfinished files end in.
const UNFINISHED: [&str; 2] = [".json.tmp", ".journal.tmp"];

/// A folder.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
}

/// A locked file; free when dropped, or when the process dies.
#[derive(Debug)]
pub(super) struct Lock(File);

impl Drop for Lock {
    fn drop(&mut self) {
        // Closing the file does not end the lock while a process that is just being started has it open as well. What
        // keeps it from being unlocked keeps nobody else from being told so.
        let _ = self.0.unlock();
    }
}

impl Folder {
    /// The folder `path`, made if it is not there.
    pub(super) fn open(path: &Path) -> Result<Self> {
        let doing = "make the folder for states";
        // The process may change its working folder later.
        let path = std::path::absolute(path).map_err(|error| failed(doing, path, error))?;
        if path.exists() && !path.is_dir() {
            return Err(
                Error::new(ErrorKind::Config, format!("`{}` is not a folder", path.display()))
                    .with_help("name a folder for the states; it is made if it is not there"),
            );
        }
        let missing: Vec<&Path> = path.ancestors().take_while(|folder| !folder.exists()).collect();
        fs::create_dir_all(&path).map_err(|error| failed(doing, &path, error))?;
        for made in missing.iter().filter_map(|folder| folder.parent()) {
            flush_folder(made).map_err(|error| failed(doing, made, error))?;
        }
        Ok(Self { path })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The file that keeps `what` of `name`. Names that differ have files that differ, also where letter case, length
    /// or characters of file names are limited.
    pub(super) fn file(&self, name: &str, what: &str) -> PathBuf {
        let readable: String = name
            .chars()
            .take(60)
            .map(|c| match c {
                c if c.is_ascii_alphanumeric() => c.to_ascii_lowercase(),
                _ => '_',
            })
            .collect();
        self.path
            .join(format!("{readable}-{}.{what}", line::hash(name.as_bytes(), 32)))
    }

    /// Keeps every other call out of the folder.
    ///
    /// # Errors
    /// [`ErrorKind::Unavailable`]: somebody else keeps us out for too long.
    pub(super) fn lock(&self) -> Result<Lock> {
        let path = self.path.join("store.lock");
        for _ in 0..TRIES {
            if let Some(lock) = try_lock(&path)? {
                return Ok(lock);
            }
            std::thread::sleep(PAUSE);
        }
        Err(Error::new(
            ErrorKind::Unavailable,
            "another process keeps the folder of states locked",
        )
        .with_context("file", path.display().to_string())
        .with_help("see which process has the file open, and whether it was stopped"))
    }

    /// The lease of a task; `None` while somebody else has it.
    pub(super) fn lease(&self, task: &str) -> Result<Option<Lock>> {
        try_lock(&self.file(task, "lease"))
    }

    /// Puts a new file in the place of `path`: after a crash there is the old one or the new one.
    pub(super) fn replace(
        &self,
        path: &Path,
        write: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>,
    ) -> io::Result<()> {
        let unfinished = path.with_added_extension("tmp");
        let mut file = BufWriter::new(File::create(&unfinished)?);
        write(&mut file)?;
        file.flush()?;
        file.get_ref().sync_all()?;
        drop(file);
        fs::rename(&unfinished, path)?;
        flush_folder(&self.path)
    }

    /// Removes what a crash has left unfinished. Nobody is writing: the folder is locked.
    pub(super) fn sweep(&self) -> Result<()> {
        let doing = "clean the folder of states";
        let entries = fs::read_dir(&self.path).map_err(|error| failed(doing, &self.path, error))?;
        for entry in entries {
            let path = entry.map_err(|error| failed(doing, &self.path, error))?.path();
            let name = path.file_name().map(|name| name.to_string_lossy());
            if name.is_some_and(|name| UNFINISHED.iter().any(|end| name.ends_with(end))) {
                fs::remove_file(&path).map_err(|error| failed(doing, &path, error))?;
            }
        }
        Ok(())
    }
}

fn try_lock(path: &Path) -> Result<Option<Lock>> {
    let doing = "lock a file";
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)
        .map_err(|error| failed(doing, path, error))?;
    match file.try_lock() {
        Ok(()) => Ok(Some(Lock(file))),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(failed(doing, path, error)),
    }
}

/// Makes the names in a folder durable; elsewhere than on Unix they are with their files.
fn flush_folder(path: &Path) -> io::Result<()> {
    if cfg!(unix) {
        File::open(path)?.sync_all()?;
    }
    Ok(())
}

/// The error of a file that could not be worked with.
pub(super) fn failed(what: &str, path: &Path, error: io::Error) -> Error {
    let (kind, help) = match error.kind() {
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => (
            ErrorKind::Forbidden,
            "give the user of this process the right to write there",
        ),
        io::ErrorKind::Unsupported => (
            ErrorKind::Unsupported,
            "keep states on a file system that can lock files",
        ),
        io::ErrorKind::NotADirectory | io::ErrorKind::InvalidFilename | io::ErrorKind::InvalidInput => {
            (ErrorKind::Config, "name a path that can be a folder")
        }
        _ => (ErrorKind::Unavailable, "see whether the disk is full, or gone"),
    };
    Error::new(kind, format!("the file system refused to {what}"))
        .with_source(error)
        .with_context("file", path.display().to_string())
        .with_help(help)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_has_a_harmless_file_of_its_own() {
        let folder = Folder { path: PathBuf::new() };
        let long = "x".repeat(5_000);
        let names = [
            "",
            ".",
            "..",
            "/",
            "a/b",
            "a_b",
            "A/b",
            "a\\b",
            "con",
            "a\0b",
            "ä/ö",
            "a\u{308}",
            long.as_str(),
            &long[1..],
        ];
        let files: Vec<String> = names
            .iter()
            .map(|name| folder.file(name, "json").display().to_string())
            .collect();
        for (i, file) in files.iter().enumerate() {
            assert!(!files[..i].contains(file), "{file}");
            assert!(file.len() < 120 && *file == file.to_lowercase(), "{file}");
            assert!(
                file.bytes()
                    .all(|c| c.is_ascii_alphanumeric() || b"_-.".contains(&c)),
                "{file}"
            );
        }
    }
}
