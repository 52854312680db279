//! Server binaries fetched once, through the package client the machine has.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::binaries::Binaries;
use super::identity::{Identity, random_hex};
use super::options::{Options, PackageClient};
use super::pins::{self, NPM_VERSION, PIP_VERSION, Pin};
use super::places::{Places, lock_file};
use super::process;
use super::unpack;

const FETCH_LIMIT: Duration = Duration::from_secs(900);

/// Binaries fetched now or earlier; the error says for every client why not.
pub(super) fn fetch(
    options: &Options,
    identity: &Identity,
    places: &Places,
) -> Result<Binaries, Vec<String>> {
    if !options.allow_download {
        return Err(vec!["fetching is switched off".to_owned()]);
    }
    let cache = cache_folder(options, identity, places)
        .ok_or_else(|| vec!["no folder to keep fetched binaries in".to_owned()])?;
    let mut reasons = Vec::new();
    let mut pins = Vec::new();
    for client in &options.package_clients {
        match pins::find(*client) {
            Some(pin) => pins.push(pin),
            None => reasons.push(format!("{}: has no PostgreSQL for this platform", client.name())),
        }
    }
    for pin in &pins {
        if let Ok(binaries) = fetched(pin, &cache, identity) {
            return Ok(binaries);
        }
    }
    for pin in pins {
        match fetch_one(pin, &cache, identity) {
            Ok(binaries) => return Ok(binaries),
            Err(reason) => reasons.push(format!("{}: {reason}", pin.client.name())),
        }
    }
    Err(reasons)
}

fn fetched(pin: &Pin, cache: &Path, identity: &Identity) -> Result<Binaries, String> {
    Binaries::try_folder(&cache.join(pin.folder()).join(pin.bin()), identity)
}

fn fetch_one(pin: &Pin, cache: &Path, identity: &Identity) -> Result<Binaries, String> {
    let _lock =
        lock_file(&cache.join(format!("{}.lock", pin.folder()))).map_err(|error| error.to_string())?;
    // Somebody else may have been at it.
    if let Ok(binaries) = fetched(pin, cache, identity) {
        return Ok(binaries);
    }
    // What a killed program left; the lock says that none is at work.
    let start = format!(".{}.part-", pin.folder());
    for entry in fs::read_dir(cache).into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().starts_with(&start) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
    let part = cache.join(format!(
        "{start}{}",
        random_hex().map_err(|error| error.to_string())?
    ));
    let result = fetch_into(pin, &part, identity).and_then(|()| {
        let folder = cache.join(pin.folder());
        let _ = fs::remove_dir_all(&folder);
        fs::rename(part.join("unpacked"), &folder).map_err(|error| error.to_string())
    });
    let _ = fs::remove_dir_all(&part);
    result?;
    fetched(pin, cache, identity)
}

fn fetch_into(pin: &Pin, part: &Path, identity: &Identity) -> Result<(), String> {
    let (download, unpacked) = (part.join("download"), part.join("unpacked"));
    for folder in [part, &download, &unpacked] {
        fs::create_dir(folder).map_err(|error| error.to_string())?;
    }
    match pin.client {
        PackageClient::Npm => npm_pack(pin, &download)?,
        PackageClient::Pip => pip_download(pin, &download)?,
    }
    let file = only_file(&download).ok_or("fetched nothing")?;
    let bytes = fs::read(&file).map_err(|error| error.to_string())?;
    if !pin.matches(&bytes) {
        return Err("the fetched file is not the one whose checksum is known".to_owned());
    }
    match pin.client {
        PackageClient::Npm => unpack::npm_package(&bytes, &unpacked)?,
        PackageClient::Pip => unpack::wheel(&file, &unpacked)?,
    }
    unpack::settle_modes(&unpacked, &unpacked.join(pin.bin())).map_err(|error| error.to_string())?;
    fs::set_permissions(part, Permissions::from_mode(0o755)).map_err(|error| error.to_string())?;
    Binaries::try_folder(&unpacked.join(pin.bin()), identity).map(drop)
}

fn npm_pack(pin: &Pin, into: &Path) -> Result<(), String> {
    let mut npm = Command::new("npm");
    // Its own cache may not be writable, and what is fetched is kept here.
    npm.args([
        "pack",
        "--loglevel=error",
        "--logs-max=0",
        "--ignore-scripts",
        "--cache",
        "../npm-cache",
    ]);
    npm.arg(format!("@embedded-postgres/{}@{NPM_VERSION}", pin.platform))
        .current_dir(into);
    process::run(&mut npm, FETCH_LIMIT).map(drop)
}

/// The platform and the Python version are said, so that it is always the same file.
fn pip_download(pin: &Pin, into: &Path) -> Result<(), String> {
    let commands: [&[&str]; 4] = [
        &["python3", "-m", "pip"],
        &["python", "-m", "pip"],
        &["pip3"],
        &["pip"],
    ];
    let mut reason = String::new();
    for command in commands {
        let mut pip = Command::new(command[0]);
        pip.args(&command[1..]).args([
            "download",
            "--quiet",
            "--disable-pip-version-check",
            "--no-input",
            "--no-cache-dir",
        ]);
        pip.args([
            "--no-deps",
            "--only-binary=:all:",
            "--implementation",
            "cp",
            "--python-version",
            "3.11",
        ]);
        pip.args(["--platform", pin.platform, "--dest", "."])
            .arg(format!("pgserver=={PIP_VERSION}"));
        match process::run(pip.current_dir(into), FETCH_LIMIT) {
            Ok(_) => return Ok(()),
            // The first reason tells most, unless it is only that there is no such program.
            Err(error) if reason.is_empty() || reason == "not installed" => reason = error,
            Err(_) => {}
        }
    }
    Err(reason)
}

fn only_file(folder: &Path) -> Option<PathBuf> {
    let mut entries = fs::read_dir(folder).ok()?.flatten();
    let file = entries.next()?.path();
    entries.next().is_none().then_some(file)
}

/// The first folder that can be made and that the server's user can enter.
fn cache_folder(options: &Options, identity: &Identity, places: &Places) -> Option<PathBuf> {
    let system = identity.drops().then(|| PathBuf::from("/var/cache"));
    let parents = options
        .cache_dir
        .clone()
        .into_iter()
        .chain(system)
        .chain([places.base.clone()]);
    parents
        .map(|parent| parent.join("connector-testkit"))
        .find(|folder| {
            let made = fs::create_dir_all(folder).is_ok();
            let _ = fs::set_permissions(folder, Permissions::from_mode(0o755));
            let usable = made && identity.can_enter(folder);
            if !usable {
                let _ = fs::remove_dir(folder);
            }
            usable
        })
}
