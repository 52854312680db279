//! Files: locked, put in place whole, and what is said if that fails.

use std::fs::{self, File, TryLockError};
use std::hash::{BuildHasher, RandomState};
use std::io::{self, Write};
use std::path::Path;

use connector_core::{Error, ErrorKind, Result};

/// The error of a file that could not be worked with.
pub(crate) fn failed(doing: &str, path: &Path, error: io::Error) -> Error {
    let kind = match error.kind() {
        io::ErrorKind::NotFound => ErrorKind::NotFound,
        io::ErrorKind::PermissionDenied => ErrorKind::Forbidden,
        // The kind says whether it may pass: the engine tries this one again.
        _ => ErrorKind::Unavailable,
    };
    Error::new(kind, format!("cannot {doing} `{}`", path.display())).with_source(error)
}

/// Locks a file until what is returned is dropped, or the process dies.
///
/// # Errors
/// [`Conflict`](ErrorKind::Conflict): somebody else holds it.
pub(crate) fn lock(path: &Path) -> Result<File> {
    let file = File::create(path).map_err(|error| failed("make", path, error))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::Error(error)) => Err(failed("lock", path, error)),
        Err(TryLockError::WouldBlock) => {
            let message = format!("somebody else is writing: `{}` is locked", path.display());
            Err(Error::new(ErrorKind::Conflict, message).with_help("wait until that write has ended"))
        }
    }
}

/// Makes an empty file, in the place of whatever is there.
pub(crate) fn make_empty(path: &Path) -> Result<()> {
    let made = File::create(path).and_then(|_| flush_names(path));
    made.map_err(|error| failed("make", path, error))
}

/// Stores `text` under another name first: the file at `path` is the old one, whole, until it is the new one.
pub(crate) fn replace(path: &Path, text: &str) -> io::Result<()> {
    let unfinished = path.with_added_extension("new");
    let mut file = File::create(&unfinished)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    publish(&unfinished, path)
}

/// Puts a finished file into the place of another.
pub(crate) fn publish(finished: &Path, path: &Path) -> io::Result<()> {
    fs::rename(finished, path)?;
    flush_names(path)
}

/// Makes the name of a file durable: it is when the folder is.
fn flush_names(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(folder) if cfg!(unix) => File::open(folder)?.sync_all(),
        _ => Ok(()),
    }
}

/// A random id, stored before it is used. The path would not do for one: folders are moved, and others put in their
/// place, to which no state of the old one may be applied.
pub(crate) fn folder_id(path: &Path) -> Result<String> {
    // Of two that make it at the same moment, the first does.
    let made = File::create_new(path).and_then(|mut file| {
        write!(file, "{:016x}", RandomState::new().hash_one(path))?;
        file.sync_all()
    });
    match made {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            return Err(failed("make", path, error));
        }
        _ => {}
    }
    let id = fs::read_to_string(path).map_err(|error| failed("read", path, error))?;
    if id.len() == 16 {
        return Ok(id);
    }
    // Folders without an id would pass for one another.
    let message = format!("`{}` is damaged", path.display());
    Err(Error::new(ErrorKind::State, message).with_help("delete it, and reset the states of this folder"))
}
