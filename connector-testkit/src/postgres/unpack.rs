//! Unpacking fetched packages.

use std::ffi::OsStr;
use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Component, Path};
use std::process::Command;
use std::time::Duration;

use flate2::read::GzDecoder;

use super::process;

/// Unpacks a package of npm. Such packages can not hold links; this one lists them in a file instead.
pub(super) fn npm_package(bytes: &[u8], into: &Path) -> Result<(), String> {
    tar::Archive::new(GzDecoder::new(bytes))
        .unpack(into)
        .map_err(|error| error.to_string())?;
    let package = into.join("package");
    let list = fs::read(package.join("native/pg-symlinks.json")).map_err(|error| error.to_string())?;
    let links: Vec<serde_json::Value> = serde_json::from_slice(&list).map_err(|error| error.to_string())?;
    for link in links {
        let path = |end| {
            let path = Path::new(link.get(end)?.as_str()?);
            path.components()
                .all(|part| matches!(part, Component::Normal(_)))
                .then_some(path)
        };
        let (source, target) = path("source")
            .zip(path("target"))
            .ok_or("the list of links can not be read")?;
        make_link(&package.join(source), &package.join(target)).map_err(|error| error.to_string())?;
    }
    Ok(())
}

fn make_link(source: &Path, target: &Path) -> io::Result<()> {
    if let Err(error) = fs::remove_file(target)
        && error.kind() != io::ErrorKind::NotFound
    {
        return Err(error);
    }
    match source.file_name() {
        Some(name) if source.parent() == target.parent() => symlink(Path::new(name), target),
        _ => fs::copy(source, target).map(drop),
    }
}

/// Unpacks a package of pip, by the Python that pip comes with.
pub(super) fn wheel(file: &Path, into: &Path) -> Result<(), String> {
    let mut reason = String::new();
    for python in ["python3", "python"] {
        let mut unzip = Command::new(python);
        unzip
            .args(["-m", "zipfile", "-e"].map(OsStr::new))
            .args([file, into]);
        match process::run(&mut unzip, Duration::from_secs(120)) {
            Ok(_) => return Ok(()),
            Err(error) => reason = format!("{python}: {error}"),
        }
    }
    Err(reason)
}

/// Lets everybody read the files and run those of the folder `bin`: packages keep no modes, or few.
pub(super) fn settle_modes(folder: &Path, bin: &Path) -> io::Result<()> {
    fs::set_permissions(folder, Permissions::from_mode(0o755))?;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let kind = entry.file_type()?;
        if kind.is_dir() {
            settle_modes(&entry.path(), bin)?;
        } else if kind.is_file() {
            let mode = if folder == bin { 0o755 } else { 0o644 };
            fs::set_permissions(entry.path(), Permissions::from_mode(mode))?;
        }
    }
    Ok(())
}
