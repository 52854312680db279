//! Server binaries: the installed ones.

use std::cmp::Reverse;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::download;
use super::error::StartError;
use super::identity::Identity;
use super::options::Options;
use super::places::Places;
use super::process;

/// Where packages put a `bin` folder; `*` stands for any end of a name.
const USUAL: [&str; 9] = [
    "/usr/lib/postgresql/*/bin",
    "/usr/pgsql-*/bin",
    "/usr/lib/postgresql*/bin",
    "/usr/libexec/postgresql*",
    "/opt/homebrew/opt/postgresql*/bin",
    "/usr/local/opt/postgresql*/bin",
    "/home/linuxbrew/.linuxbrew/opt/postgresql*/bin",
    "/Applications/Postgres.app/Contents/Versions/*/bin",
    "/usr/local/pgsql/bin",
];

/// `postgres` and `initdb` that run as the server's user.
#[derive(Debug)]
pub(super) struct Binaries {
    pub(super) folder: PathBuf,
    /// What `postgres --version` says.
    pub(super) version: String,
}

impl Binaries {
    /// Tries the ones of a folder; the error says why they do not do.
    pub(super) fn try_folder(folder: &Path, identity: &Identity) -> Result<Self, String> {
        let mut postgres = identity.command(folder.join("postgres"));
        let version = process::run(
            postgres.arg("--version").current_dir("/"),
            Duration::from_secs(30),
        )
        .map_err(|error| format!("{} does not run: {error}", folder.join("postgres").display()))?;
        Ok(Self {
            folder: folder.to_owned(),
            version: version.trim().to_owned(),
        })
    }
}

/// The first binaries that run: the given ones, else installed ones, else fetched ones.
pub(super) fn find(options: &Options, identity: &Identity, places: &Places) -> Result<Binaries, StartError> {
    if let Some(folder) = &options.binaries {
        let folder = real_folder(folder).ok_or_else(|| StartError::Absent {
            reasons: vec![format!("{} has no postgres and initdb", folder.display())],
        })?;
        return Binaries::try_folder(&folder, identity).map_err(|reason| StartError::Absent {
            reasons: vec![reason],
        });
    }
    let mut reasons = Vec::new();
    for folder in candidates(options) {
        match Binaries::try_folder(&folder, identity) {
            Ok(binaries) => return Ok(binaries),
            Err(reason) => reasons.push(reason),
        }
    }
    if reasons.is_empty() {
        reasons.push("none is installed where one is looked for".to_owned());
    }
    match download::fetch(options, identity, places) {
        Ok(binaries) => Ok(binaries),
        Err(more) => {
            reasons.extend(more);
            Err(StartError::Absent { reasons })
        }
    }
}

fn candidates(options: &Options) -> Vec<PathBuf> {
    let mut folders: Vec<PathBuf> = Vec::new();
    if let Some(path) = &options.search_path {
        folders.extend(std::env::split_paths(path).filter(|folder| folder.is_absolute()));
    }
    if options.usual_folders {
        folders.extend(USUAL.iter().flat_map(|pattern| matching(pattern)));
    }
    let mut found: Vec<PathBuf> = Vec::new();
    for folder in folders.iter().filter_map(|folder| real_folder(folder)) {
        if !found.contains(&folder) {
            found.push(folder);
        }
    }
    found
}

/// The folder the files really are in: a search path may hold links to them, of which some may lead nowhere.
fn real_folder(folder: &Path) -> Option<PathBuf> {
    let real = fs::canonicalize(folder.join("postgres")).ok()?;
    let folder = real.parent()?;
    (real.is_file() && folder.join("postgres").is_file() && folder.join("initdb").is_file())
        .then(|| folder.to_owned())
}

/// The paths a pattern with at most one `*` stands for, highest version first.
fn matching(pattern: &str) -> Vec<PathBuf> {
    let Some((before, after)) = pattern.split_once('*') else {
        return vec![PathBuf::from(pattern)];
    };
    let Some((parent, prefix)) = before.rsplit_once('/') else {
        return Vec::new();
    };
    let Ok(entries) = fs::read_dir(parent) else {
        return Vec::new();
    };
    let mut names: Vec<String> = entries
        .flatten()
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| name.starts_with(prefix) && !(prefix.is_empty() && name.starts_with('.')))
        .collect();
    names.sort_by_cached_key(|name| Reverse(version_of(name)));
    names
        .iter()
        .map(|name| PathBuf::from(format!("{parent}/{name}{after}")))
        .collect()
}

/// The numbers of a name, to compare `9.6`, `10` and `postgresql@17` by.
fn version_of(name: &str) -> Vec<u32> {
    name.split(|c: char| !c.is_ascii_digit())
        .filter_map(|digits| digits.parse().ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::version_of;

    #[test]
    fn versions_compare_as_numbers() {
        let mut names = ["9.6", "17", "10", "postgresql@18", "latest"];
        names.sort_by_key(|name| std::cmp::Reverse(version_of(name)));
        assert_eq!(names, ["postgresql@18", "17", "10", "9.6", "latest"]);
    }
}
