//! Who runs the server: the program's own user, or an unprivileged one when that is root.

use std::ffi::OsStr;
use std::fs;
use std::io::{self, Read};
use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

use super::error::StartError;

/// Users made for servers first; `_postgres` is the one of macOS.
const UNPRIVILEGED: [&str; 3] = ["postgres", "_postgres", "nobody"];

/// Environment that would change what the server does.
const REMOVED: [&str; 10] = [
    "PGDATA",
    "PGPORT",
    "PGHOST",
    "PGUSER",
    "PGDATABASE",
    "PGOPTIONS",
    "PGCLIENTENCODING",
    "PGTZ",
    "PG_COLOR",
    "TZ",
];

/// The user of the program and the one of the server.
#[derive(Debug)]
pub(super) struct Identity {
    own_uid: u32,
    /// User and group for the server, when they are not the program's own.
    server: Option<(u32, u32)>,
}

impl Identity {
    pub(super) fn detect() -> Result<Self, StartError> {
        let own_uid = own_uid().map_err(StartError::io("can not write to the folder for temporary files"))?;
        if own_uid != 0 {
            return Ok(Self {
                own_uid,
                server: None,
            });
        }
        let users = fs::read_to_string("/etc/passwd").map_err(StartError::io("can not read /etc/passwd"))?;
        let server = UNPRIVILEGED.iter().find_map(|name| ids_of(&users, name));
        Ok(Self {
            own_uid,
            server: Some(server.ok_or(StartError::NoUnprivilegedUser)?),
        })
    }

    pub(super) fn own_uid(&self) -> u32 {
        self.own_uid
    }

    pub(super) fn server_uid(&self) -> u32 {
        self.server.map_or(self.own_uid, |(uid, _)| uid)
    }

    /// Whether the server runs as somebody else than the program.
    pub(super) fn drops(&self) -> bool {
        self.server.is_some()
    }

    /// A command that runs as the server's user, in plain English.
    pub(super) fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command.env("LC_ALL", "C");
        for name in REMOVED {
            command.env_remove(name);
        }
        if let Some((uid, gid)) = self.server {
            command.uid(uid).gid(gid);
        }
        command
    }

    /// Gives a file or folder to the server's user.
    pub(super) fn give(&self, path: &Path) -> io::Result<()> {
        match self.server {
            Some((uid, gid)) => chown(path, Some(uid), Some(gid)),
            None => Ok(()),
        }
    }

    /// Whether the server's user can go into the folder.
    pub(super) fn can_enter(&self, folder: &Path) -> bool {
        let mut enter = self.command("/bin/sh");
        enter
            .args(["-c", "cd -- \"$1\"", "sh"])
            .arg(folder)
            .current_dir("/");
        enter
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        enter.status().is_ok_and(|status| status.success())
    }
}

/// The user that files made by this program belong to.
fn own_uid() -> io::Result<u32> {
    let probe = std::env::temp_dir().join(format!("connector-testkit-{}", random_hex()?));
    fs::create_dir(&probe)?;
    let made = fs::symlink_metadata(&probe);
    fs::remove_dir(&probe)?;
    Ok(made?.uid())
}

/// User and group number of a user, from the text of `/etc/passwd`.
fn ids_of(users: &str, name: &str) -> Option<(u32, u32)> {
    users.lines().find_map(|line| {
        let mut fields = line.split(':');
        if fields.next() != Some(name) {
            return None;
        }
        let uid = fields.nth(1)?.parse().ok()?;
        let gid = fields.next()?.parse().ok()?;
        (uid != 0).then_some((uid, gid))
    })
}

/// 32 hexadecimal digits nobody can guess.
pub(super) fn random_hex() -> io::Result<String> {
    let mut bytes = [0_u8; 16];
    fs::File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use super::ids_of;

    #[test]
    fn ids_come_from_the_line_of_the_user() {
        let users =
            "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65533::/:/bin/false\n_x:*:-2:-2::/:/bin/false\n";
        assert_eq!(ids_of(users, "nobody"), Some((65534, 65533)));
        assert_eq!(ids_of(users, "root"), None);
        assert_eq!(ids_of(users, "_x"), None);
        assert_eq!(ids_of(users, "postgres"), None);
    }
}
