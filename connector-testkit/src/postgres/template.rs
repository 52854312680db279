//! A fresh data folder, made once per server version and copied for every start: `initdb` takes a second or two.

use std::ffi::{OsStr, OsString};
use std::fs::{self, Permissions};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use sha2::{Digest, Sha256};

use super::binaries::Binaries;
use super::error::StartError;
use super::identity::{Identity, random_hex};
use super::places::Places;
use super::process;

const INITDB_LIMIT: Duration = Duration::from_secs(120);

/// The first one the machine has; both sort by code point.
const LOCALES: [&str; 2] = ["C.UTF-8", "C"];

/// Makes `data` a fresh data folder and returns the superuser's password.
pub(super) fn fill(
    data: &Path,
    binaries: &Binaries,
    identity: &Identity,
    places: &Places,
) -> Result<String, StartError> {
    let key = key_of(binaries, identity);
    let template = places.templates.join(&key);
    let can_not_lock = || StartError::io("can not lock the template of data folders");
    let shared = places.share_lock(&key).map_err(can_not_lock())?;
    if let Ok(password) = copy_of(&template, data, identity) {
        return Ok(password);
    }
    drop(shared);
    // None yet, or one that somebody tidied the temporary files of; unless another program was faster.
    let _lock = places.lock(&key).map_err(can_not_lock())?;
    let _ = fs::remove_dir_all(data);
    if let Ok(password) = copy_of(&template, data, identity) {
        return Ok(password);
    }
    let _ = fs::remove_dir_all(data);
    let _ = fs::remove_dir_all(&template);
    make(&template, binaries, identity)?;
    copy_of(&template, data, identity).map_err(StartError::io("can not copy the template of data folders"))
}

fn key_of(binaries: &Binaries, identity: &Identity) -> String {
    let mut hash = Sha256::new();
    hash.update(binaries.folder.as_os_str().as_encoded_bytes());
    hash.update(&binaries.version);
    if let Ok(found) = fs::metadata(binaries.folder.join("postgres")) {
        hash.update(format!(
            "{} {} {}",
            found.len(),
            found.mtime(),
            found.mtime_nsec()
        ));
    }
    let hash: String = hash
        .finalize()
        .iter()
        .take(8)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!("{hash}-{}", identity.server_uid())
}

/// Removes the templates of binaries that are no longer there.
pub(super) fn remove_orphans(places: &Places) {
    for (template, _, _) in entries(&places.templates).unwrap_or_default() {
        let gone = fs::read(template.join("binaries"))
            .is_ok_and(|folder| !Path::new(OsStr::from_bytes(&folder)).join("postgres").exists());
        if gone {
            let _ = fs::remove_dir_all(&template);
        }
    }
}

/// Runs `initdb` in a folder of its own, which takes its place when it is complete.
fn make(template: &Path, binaries: &Binaries, identity: &Identity) -> Result<(), StartError> {
    let part = template.with_extension("part");
    let _ = fs::remove_dir_all(&part);
    let doing = || StartError::io(format!("can not write to {}", part.display()));
    fs::create_dir(&part).map_err(doing())?;
    fs::set_permissions(&part, Permissions::from_mode(0o700)).map_err(doing())?;
    identity.give(&part).map_err(doing())?;
    let password_file = part.join("password");
    let password = random_hex().map_err(StartError::io("can not read /dev/urandom"))?;
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&password_file)
        .map_err(doing())?;
    io::Write::write_all(&mut file, password.as_bytes()).map_err(doing())?;
    identity.give(&password_file).map_err(doing())?;
    let mut said = String::new();
    for locale in LOCALES {
        let mut initdb = identity.command(binaries.folder.join("initdb"));
        initdb.args([
            "--username=postgres",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            "--no-sync",
        ]);
        initdb
            .arg(format!("--locale={locale}"))
            .arg("--pwfile")
            .arg(&password_file);
        initdb.arg("--pgdata").arg(part.join("data")).current_dir(&part);
        match process::run(&mut initdb, INITDB_LIMIT) {
            Ok(_) => {
                let count = count_files(&part.join("data")).map_err(doing())?;
                fs::write(part.join("files"), count.to_string()).map_err(doing())?;
                fs::write(part.join("binaries"), binaries.folder.as_os_str().as_bytes()).map_err(doing())?;
                return fs::rename(&part, template).map_err(doing());
            }
            Err(error) => said = error,
        }
    }
    let _ = fs::remove_dir_all(&part);
    Err(StartError::Failed {
        doing: binaries.folder.join("initdb").display().to_string(),
        said,
    })
}

/// Copies a template whose files are all there, and reads its password.
fn copy_of(template: &Path, data: &Path, identity: &Identity) -> io::Result<String> {
    let password = fs::read_to_string(template.join("password"))?;
    let expected = fs::read_to_string(template.join("files"))?;
    let copied = copy_folder(&template.join("data"), data, identity)?;
    if expected.trim() != copied.to_string() {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "files are missing"));
    }
    Ok(password)
}

/// Copies for the server's user; returns how many files.
fn copy_folder(from: &Path, to: &Path, identity: &Identity) -> io::Result<usize> {
    fs::create_dir(to)?;
    fs::set_permissions(to, Permissions::from_mode(0o700))?;
    identity.give(to)?;
    let mut files = 0;
    for (path, name, is_folder) in entries(from)? {
        let target = to.join(name);
        if is_folder {
            files += copy_folder(&path, &target, identity)?;
        } else {
            fs::copy(&path, &target)?;
            identity.give(&target)?;
            files += 1;
        }
    }
    Ok(files)
}

fn count_files(folder: &Path) -> io::Result<usize> {
    let mut files = 0;
    for (path, _, is_folder) in entries(folder)? {
        files += if is_folder { count_files(&path)? } else { 1 };
    }
    Ok(files)
}

fn entries(folder: &Path) -> io::Result<Vec<(PathBuf, OsString, bool)>> {
    fs::read_dir(folder)?
        .map(|entry| {
            let entry = entry?;
            Ok((entry.path(), entry.file_name(), entry.file_type()?.is_dir()))
        })
        .collect()
}
