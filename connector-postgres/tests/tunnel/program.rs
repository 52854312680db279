//! A server that a test runs: where its program comes from, and as whom it runs.

use std::ffi::OsString;
use std::fs::{self, Permissions};
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Ends the server, and removes its folder, when the program is gone and its end of the pipe with it.
const WATCHDOG: &str = r#"
trap '' INT TERM HUP
folder=$1
shift
exec 3<&0 </dev/null
"$@" 3<&- &
server=$!
read -r _ <&3
kill "$server"
cd / && rm -rf "$folder"
"#;

/// Where a program is, and the folders of libraries that came with it.
pub(crate) struct Program {
    pub(crate) path: PathBuf,
    pub(crate) libraries: OsString,
}

/// A server that ends with this, or with the program.
pub(crate) struct Running {
    folder: PathBuf,
    watchdog: Child,
}

impl Running {
    /// Starts it, and waits until it listens on `port`. Its folder is its own.
    pub(crate) fn start(
        program: &Program,
        account: &Account,
        folder: PathBuf,
        arguments: &[OsString],
        port: u16,
    ) -> Self {
        let log = fs::File::create(folder.join("log")).unwrap();
        let mut command = Command::new("/bin/sh");
        command.args(["-c", WATCHDOG, "watchdog"]).arg(&folder);
        command.arg(&program.path).args(arguments);
        command.env("LD_LIBRARY_PATH", &program.libraries);
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(log);
        if let Some((uid, gid)) = account.ids {
            command.uid(uid).gid(gid);
        }
        let watchdog = command.process_group(0).spawn().unwrap();
        let running = Self { folder, watchdog };
        let begun = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(begun.elapsed() < Duration::from_secs(20), "{}", running.log());
            std::thread::sleep(Duration::from_millis(10));
        }
        running
    }

    /// What it has said so far.
    fn log(&self) -> String {
        fs::read_to_string(self.folder.join("log")).unwrap()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.watchdog.stdin.take());
        let _ = self.watchdog.wait();
    }
}

/// The user a server runs as: whoever runs the tests, or in root's place somebody without rights.
pub(crate) struct Account {
    pub(crate) name: String,
    pub(crate) ids: Option<(u32, u32)>,
}

impl Account {
    pub(crate) fn find() -> Self {
        let says = |arguments: &[&str]| {
            let output = Command::new("id").args(arguments).output().unwrap();
            String::from_utf8(output.stdout).unwrap().trim().to_owned()
        };
        if says(&["-u"]) != "0" {
            return Self {
                name: says(&["-un"]),
                ids: None,
            };
        }
        let users = fs::read_to_string("/etc/passwd").unwrap();
        let found = ["postgres", "_postgres", "nobody"].into_iter().find_map(|name| {
            let line = users.lines().find(|line| line.starts_with(&format!("{name}:")))?;
            let mut ids = line.split(':').skip(2);
            let ids = (ids.next()?.parse().ok()?, ids.next()?.parse().ok()?);
            Some(Self {
                name: name.to_owned(),
                ids: Some(ids),
            })
        });
        found.unwrap_or_else(|| panic!("root cannot run this server here, and there is no user `nobody`"))
    }

    pub(crate) fn write(&self, path: &Path, text: &str) {
        let mut file = fs::File::create_new(path).unwrap();
        fs::set_permissions(path, Permissions::from_mode(0o600)).unwrap();
        file.write_all(text.as_bytes()).unwrap();
        file.write_all(b"\n").unwrap();
        self.give(path);
    }

    pub(crate) fn give(&self, path: &Path) {
        if let Some((uid, gid)) = self.ids {
            chown(path, Some(uid), Some(gid)).unwrap();
        }
    }
}

impl Program {
    /// The program called `name`: as it is installed, or out of Debian's `package`.
    pub(crate) fn find(name: &str, package: &str) -> Self {
        installed(name).unwrap_or_else(|| {
            fetched(name, package).unwrap_or_else(|reason| {
                panic!("there is no {name}, and none could be fetched ({reason}): install {package}")
            })
        })
    }
}

fn installed(name: &str) -> Option<Program> {
    let output = Command::new("/bin/sh")
        .args(["-c", &format!("command -v {name}")])
        .output()
        .ok()?;
    let found = String::from_utf8(output.stdout).ok()?.trim().to_owned();
    let usual = ["/usr/sbin", "/usr/local/sbin", "/opt/homebrew/sbin"];
    std::iter::once(PathBuf::from(found))
        .chain(usual.map(|folder| Path::new(folder).join(name)))
        .find(|path| path.is_absolute() && path.is_file())
        .map(|path| Program {
            path,
            libraries: OsString::new(),
        })
}

/// Debian's package, unpacked and not installed, with the libraries it needs that are not here.
fn fetched(name: &str, package_name: &str) -> Result<Program, String> {
    let packages = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    // A user without rights has to get to it, so it is not unpacked beside the packages.
    let unpacked = tempfile::Builder::new()
        .prefix(&format!("{name}-program-"))
        .tempdir()
        .unwrap()
        .keep();
    fs::set_permissions(&unpacked, Permissions::from_mode(0o755)).unwrap();
    fs::create_dir_all(&packages).unwrap();
    fetch(&packages, package_name)?;
    unpack(&packages, package_name, &unpacked)?;
    let path = unpacked.join("usr/sbin").join(name);
    let triplet =
        run(Command::new("dpkg-architecture").args(["-q", "DEB_HOST_MULTIARCH"])).or_else(|_| {
            run(Command::new("sh").args(["-c", "basename $(ls -d /usr/lib/*-linux-gnu* | head -1)"]))
        })?;
    let folders = ["usr/lib", "lib"].map(|folder| unpacked.join(folder).join(triplet.trim()));
    let libraries = std::env::join_paths(folders).map_err(|error| error.to_string())?;
    let missing = run(Command::new("ldd").arg(&path))
        .unwrap_or_default()
        .contains("not found");
    if missing {
        let fields = run(Command::new("dpkg-deb")
            .arg("-f")
            .arg(package(&packages, package_name)?)
            .arg("Depends"))?;
        let names = fields
            .split([',', '|'])
            .filter_map(|field| field.split_whitespace().next());
        for name in names.filter(|name| name.starts_with("lib") && !is_installed(name)) {
            fetch(&packages, name)?;
            unpack(&packages, name, &unpacked)?;
        }
    }
    clean_up_later(&unpacked);
    Ok(Program { path, libraries })
}

fn is_installed(package: &str) -> bool {
    run(Command::new("dpkg").args(["-s", package])).is_ok()
}

fn fetch(packages: &Path, name: &str) -> Result<(), String> {
    if package(packages, name).is_ok() {
        return Ok(());
    }
    let mut download = Command::new("apt-get");
    download.args(["download", name]).current_dir(packages);
    run(&mut download)
        .or_else(|_| {
            // A machine that has never asked knows of no packages.
            run(Command::new("apt-get").arg("update"))?;
            run(&mut download)
        })
        .map(|_| ())
}

fn unpack(packages: &Path, name: &str, to: &Path) -> Result<(), String> {
    let package = package(packages, name)?;
    run(Command::new("dpkg").arg("-x").arg(package).arg(to)).map(|_| ())
}

/// The file of a package that was fetched.
fn package(packages: &Path, name: &str) -> Result<PathBuf, String> {
    let files = fs::read_dir(packages).map_err(|error| error.to_string())?;
    files
        .filter_map(|entry| Some(entry.ok()?.path()))
        .find(|path| {
            path.file_name()
                .is_some_and(|file| file.to_string_lossy().starts_with(&format!("{name}_")))
        })
        .ok_or_else(|| format!("{name} was not fetched"))
}

fn run(command: &mut Command) -> Result<String, String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("{name}: {error}"))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let said = BufReader::new(output.stderr.as_slice())
        .lines()
        .map_while(Result::ok)
        .last();
    Err(format!("{name}: {}", said.unwrap_or_default()))
}

/// Removes a folder when the program has ended, however that happens.
fn clean_up_later(folder: &Path) {
    let mut shell = Command::new("/bin/sh");
    shell
        .args(["-c", "trap '' INT TERM HUP; read -r _; rm -rf \"$1\"", "sh"])
        .arg(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    // Its input ends with the program.
    std::mem::forget(shell.process_group(0).spawn().unwrap());
}
