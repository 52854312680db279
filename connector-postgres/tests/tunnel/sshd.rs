//! A real sshd: where it comes from, and how it runs without rights.

use std::ffi::OsString;
use std::fs::{self, Permissions};
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use russh::keys::ssh_key::LineEnding;
use russh::keys::{Algorithm, EcdsaCurve, HashAlg, PrivateKey, PublicKey};

/// Ends sshd, and removes its folder, when the program is gone and its end of the pipe with it.
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

/// Where sshd is, and the folders of libraries that came with it.
struct Program {
    path: PathBuf,
    libraries: OsString,
}

static PROGRAM: LazyLock<Program> = LazyLock::new(|| {
    installed().unwrap_or_else(|| {
        fetched().unwrap_or_else(|reason| {
            panic!("there is no sshd, and none could be fetched ({reason}): install openssh-server")
        })
    })
});

/// A server on a port of its own, for one user.
pub(crate) struct Sshd {
    pub(crate) port: u16,
    /// Who may sign in.
    pub(crate) user: String,
    /// One of each kind.
    pub(crate) host_keys: Vec<PublicKey>,
    folder: PathBuf,
    watchdog: Child,
}

impl Sshd {
    /// Starts a server that lets in whoever has a key of `authorized`; `more` is added to its configuration.
    pub(crate) fn start(authorized: &[PublicKey], more: &str) -> Self {
        let folder = tempfile::Builder::new().prefix("sshd-").tempdir().unwrap().keep();
        let account = Account::find();
        fs::set_permissions(&folder, Permissions::from_mode(0o700)).unwrap();
        let mut config = String::new();
        let mut host_keys = Vec::new();
        let kinds = [
            ("ed25519", Algorithm::Ed25519),
            (
                "ecdsa",
                Algorithm::Ecdsa {
                    curve: EcdsaCurve::NistP256,
                },
            ),
        ];
        for (name, algorithm) in kinds {
            let key = PrivateKey::random(&mut russh::keys::key::safe_rng(), algorithm).unwrap();
            host_keys.push(key.public_key().clone());
            let path = folder.join(name);
            let text = key.to_openssh(LineEnding::LF).unwrap();
            account.write(&path, &text);
            config.push_str(&format!("HostKey {}\n", path.display()));
        }
        let authorized: Vec<String> = authorized.iter().map(|key| key.to_openssh().unwrap()).collect();
        let authorized_keys = folder.join("authorized_keys");
        account.write(&authorized_keys, &authorized.join("\n"));
        config.push_str(&format!(
            "AuthorizedKeysFile {}\nStrictModes no\nPidFile none\nUseDNS no\nLogLevel VERBOSE\n{more}\n",
            authorized_keys.display()
        ));
        let config_file = folder.join("config");
        account.write(&config_file, &config);
        account.give(&folder);
        let port = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let log = fs::File::create(folder.join("log")).unwrap();
        let mut command = Command::new("/bin/sh");
        command.args(["-c", WATCHDOG, "sshd-watchdog"]).arg(&folder);
        command
            .arg(&PROGRAM.path)
            .args(["-D", "-e", "-f"])
            .arg(&config_file);
        command.args(["-p", &port.to_string(), "-o", "ListenAddress=127.0.0.1"]);
        command.env("LD_LIBRARY_PATH", &PROGRAM.libraries);
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(log);
        if let Some((uid, gid)) = account.ids {
            command.uid(uid).gid(gid);
        }
        let watchdog = command.process_group(0).spawn().unwrap();
        let sshd = Self {
            port,
            user: account.name,
            host_keys,
            folder,
            watchdog,
        };
        let begun = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(begun.elapsed() < Duration::from_secs(20), "{}", sshd.log());
            std::thread::sleep(Duration::from_millis(10));
        }
        sshd
    }

    /// The fingerprint of its best key.
    pub(crate) fn fingerprint(&self) -> String {
        self.host_keys[0].fingerprint(HashAlg::Sha256).to_string()
    }

    /// What it has said so far.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.folder.join("log")).unwrap()
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        drop(self.watchdog.stdin.take());
        let _ = self.watchdog.wait();
    }
}

/// The user sshd runs as, who is the only one that can sign in: sshd needs no rights for that. As root it would need
/// a user and a folder of its own, so that somebody without rights takes root's place.
struct Account {
    name: String,
    ids: Option<(u32, u32)>,
}

impl Account {
    fn find() -> Self {
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
        found.unwrap_or_else(|| panic!("root cannot run sshd here, and there is no user `nobody`"))
    }

    fn write(&self, path: &Path, text: &str) {
        let mut file = fs::File::create_new(path).unwrap();
        fs::set_permissions(path, Permissions::from_mode(0o600)).unwrap();
        file.write_all(text.as_bytes()).unwrap();
        file.write_all(b"\n").unwrap();
        self.give(path);
    }

    fn give(&self, path: &Path) {
        if let Some((uid, gid)) = self.ids {
            chown(path, Some(uid), Some(gid)).unwrap();
        }
    }
}

fn installed() -> Option<Program> {
    let output = Command::new("/bin/sh")
        .args(["-c", "command -v sshd"])
        .output()
        .ok()?;
    let found = String::from_utf8(output.stdout).ok()?.trim().to_owned();
    let usual = [
        "/usr/sbin/sshd",
        "/usr/local/sbin/sshd",
        "/opt/homebrew/sbin/sshd",
    ];
    std::iter::once(found.as_str())
        .chain(usual)
        .map(PathBuf::from)
        .find(|path| path.is_absolute() && path.is_file())
        .map(|path| Program {
            path,
            libraries: OsString::new(),
        })
}

/// Debian's package, unpacked and not installed, with the libraries it needs that are not here.
fn fetched() -> Result<Program, String> {
    let packages = Path::new(env!("CARGO_TARGET_TMPDIR")).join("sshd");
    // A user without rights has to get to it, so it is not unpacked beside the packages.
    let unpacked = tempfile::Builder::new()
        .prefix("sshd-program-")
        .tempdir()
        .unwrap()
        .keep();
    fs::set_permissions(&unpacked, Permissions::from_mode(0o755)).unwrap();
    fs::create_dir_all(&packages).unwrap();
    fetch(&packages, "openssh-server")?;
    unpack(&packages, "openssh-server", &unpacked)?;
    let path = unpacked.join("usr/sbin/sshd");
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
            .arg(package(&packages, "openssh-server")?)
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
