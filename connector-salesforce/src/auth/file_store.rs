//! Tokens in a file.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use connector_core::{Error, ErrorKind, Result, Secret};

use super::store::{TokenLease, TokenStore};

/// A [`TokenStore`] in a file that only its owner may read.
///
/// A save writes another file and renames it, so that there is always one whole. Beside it lies an empty file that
/// ends in `.lock`: programs that share the store wait for each other at its lock, which ends with its holder.
#[derive(Clone, Debug)]
pub struct FileTokenStore {
    path: PathBuf,
}

impl FileTokenStore {
    /// A store at `path`, in a folder that is there. One file holds the tokens of one connection.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }
}

#[async_trait]
impl TokenStore for FileTokenStore {
    async fn lock(&self) -> Result<Box<dyn TokenLease>> {
        let path = self.path.clone();
        let locked = tokio::task::spawn_blocking(move || {
            let file = create(&beside(&path, ".lock")).map_err(|error| failed(&path, "locked", error))?;
            file.lock().map_err(|error| failed(&path, "locked", error))?;
            Ok(Lease { path, _lock: file })
        });
        let lease: Lease = locked.await.map_err(|error| {
            Error::new(ErrorKind::Cancelled, "waiting for the token store ended").with_source(error)
        })??;
        Ok(Box::new(lease))
    }
}

struct Lease {
    path: PathBuf,
    _lock: File,
}

#[async_trait]
impl TokenLease for Lease {
    async fn load(&mut self) -> Result<Option<Secret>> {
        let text = match fs::read_to_string(&self.path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed(&self.path, "read", error)),
        };
        if is_public(&self.path).map_err(|error| failed(&self.path, "read", error))? {
            return Err(Error::new(
                ErrorKind::Config,
                format!(
                    "other users of this machine can read the token store `{}`",
                    self.path.display()
                ),
            )
            .with_help(
                "take their rights to the file away (chmod 600), and sign in anew if they may have read it",
            ));
        }
        Ok(Some(Secret::new(text)))
    }

    async fn save(&mut self, tokens: &Secret) -> Result<()> {
        replace(&self.path, tokens).map_err(|error| failed(&self.path, "written", error))
    }
}

fn replace(path: &Path, tokens: &Secret) -> io::Result<()> {
    // One holder of the lock, so one writer of this file.
    let draft = beside(path, ".new");
    match fs::remove_file(&draft) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = create(&draft)?;
    file.write_all(tokens.reveal().as_bytes())?;
    file.sync_all()?;
    drop(file);
    fs::rename(&draft, path)?;
    sync_folder(path)
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

/// Opens a file that only its owner may read, and makes it where it is not.
fn create(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

#[cfg(unix)]
fn is_public(path: &Path) -> io::Result<bool> {
    let mode = std::os::unix::fs::PermissionsExt::mode(&fs::metadata(path)?.permissions());
    Ok(mode & 0o077 != 0)
}

/// A file has the rights of its folder there.
#[cfg(not(unix))]
fn is_public(_path: &Path) -> io::Result<bool> {
    Ok(false)
}

/// Makes a rename last.
#[cfg(unix)]
fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

#[cfg(not(unix))]
fn sync_folder(_path: &Path) -> io::Result<()> {
    Ok(())
}

fn failed(path: &Path, what: &str, error: io::Error) -> Error {
    Error::new(
        ErrorKind::State,
        format!("the token store `{}` cannot be {what}", path.display()),
    )
    .with_help("make the folder, and give this program's user the right to write in it")
    .with_source(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_saved_is_whole_private_and_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tokens.json");
        let store = FileTokenStore::new(&path);
        let mut lease = store.lock().await.unwrap();
        assert!(lease.load().await.unwrap().is_none());
        for text in ["a much longer first text", "second"] {
            lease.save(&Secret::new(text)).await.unwrap();
            assert_eq!(lease.load().await.unwrap(), Some(Secret::new(text)));
        }
        drop(lease);
        let names = fs::read_dir(folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name());
        let mut names: Vec<_> = names.collect();
        names.sort();
        assert_eq!(names, ["tokens.json", "tokens.json.lock"]);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
            fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
            let error = store.lock().await.unwrap().load().await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Config);
        }
        let nowhere = FileTokenStore::new(folder.path().join("no/such"));
        assert_eq!(nowhere.lock().await.err().unwrap().kind(), ErrorKind::State);
    }

    #[tokio::test]
    async fn one_holder_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tokens.json");
        let counter = async |store: FileTokenStore| {
            for _ in 0..20 {
                let mut lease = store.lock().await.unwrap();
                let seen = lease.load().await.unwrap();
                let seen: u32 = seen.map_or(0, |text| text.reveal().parse().unwrap());
                tokio::task::yield_now().await;
                lease.save(&Secret::new((seen + 1).to_string())).await.unwrap();
            }
        };
        let counters = (0..4).map(|_| counter(FileTokenStore::new(&path)));
        futures::future::join_all(counters).await;
        let mut lease = FileTokenStore::new(&path).lock().await.unwrap();
        assert_eq!(lease.load().await.unwrap(), Some(Secret::new("80")));
    }
}
