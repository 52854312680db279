//! Limits of the server: its connections and its disk.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use connector_core::{Error, ErrorKind, Retry};

use crate::scenario::Kind;
use crate::world::{World, own_server, ran};

/// Checks what an error of the class 53 is told as.
#[track_caller]
fn assert_short_of(error: &Error, code: &str, help: &str, what: &str) {
    let report = error.report().to_string();
    assert_eq!(
        (error.kind(), error.retry()),
        (ErrorKind::Unavailable, Retry::Backoff),
        "{what}: {report}"
    );
    assert!(
        error.context().contains(&("sqlstate", code.to_owned())),
        "{what}: {report}"
    );
    assert!(error.help().unwrap().contains(help), "{what}: {report}");
    assert!(!error.may_have_applied(), "{what}: {report}");
}

/// The user, the database, then the server take few connections: every number of them from none to enough.
pub(crate) async fn too_many_connections() {
    let server = own_server(&[("max_connections", "10"), ("superuser_reserved_connections", "3")]);
    let world = World::on(server.url()).await;
    let name = world.name();
    let kind = Kind::Upsert;
    for of in [format!("ROLE {name}"), format!("DATABASE {name}")] {
        let mut refused = 0;
        for limit in 0..5 {
            let what = format!("{of}, {limit} connections");
            world.reset(kind).await;
            world.run(&format!("ALTER {of} CONNECTION LIMIT {limit}")).await;
            let result = ran(&kind.job(world.connector())).await;
            world.until_gone().await;
            if let Err(error) = &result {
                refused += 1;
                assert_short_of(error, "53300", "CONNECTION LIMIT", &what);
            }
            world.check_between(kind, &what).await;
            world.run(&format!("ALTER {of} CONNECTION LIMIT -1")).await;
            world.rerun(kind, &what).await;
            world.until_gone().await;
        }
        assert!((1..5).contains(&refused), "{of}: {refused} of 5 were refused");
    }
    // The last three are the superuser's, who has a session: six for others, of which so many are left.
    for left in 0..4 {
        let what = format!("{left} connections left");
        world.reset(kind).await;
        let mut held = Vec::new();
        for _ in 0..6 - left {
            let mut url = url::Url::parse(&world.url).unwrap();
            url.set_username(name).unwrap();
            url.set_password(Some(world.config.password.as_ref().unwrap().reveal()))
                .unwrap();
            held.push(crate::world::connect(url.as_str()).await);
        }
        let result = ran(&kind.job(world.connector())).await;
        drop(held);
        world.until_gone().await;
        if let Err(error) = &result {
            assert_short_of(error, "53300", "max_connections", &what);
        }
        assert!(left > 0 || result.is_err(), "{what}");
        world.check_between(kind, &what).await;
        world
            .until("SELECT count(*) = 1 FROM pg_stat_activity WHERE datname = current_database()")
            .await;
        world.rerun(kind, &what).await;
        world.until_gone().await;
    }
}

/// One file of the table cannot grow: the system itself answers that its disk is full.
pub(crate) async fn a_full_file() {
    if !Path::new("/dev/full").exists() {
        println!("not tried: this system has no /dev/full");
        return;
    }
    let server = own_server(&[("fsync", "off")]);
    for kind in [Kind::Append, Kind::Upsert, Kind::Overwrite] {
        let world = World::on(server.url()).await;
        world.reset(kind).await;
        // An empty table without an index on which to find its pages: every row needs a new page.
        let table = match kind {
            Kind::Overwrite => {
                // Of what it writes, the rejections alone have a file before it begins.
                world.rerun(kind, "to have a schema of states").await;
                world.reset_keeping_states(kind).await;
                "sync.rejection"
            }
            _ => {
                world.run("TRUNCATE t").await;
                "t"
            }
        };
        world.run("CHECKPOINT").await;
        let data = world.line("SHOW data_directory").await;
        let file = world
            .line(&format!("SELECT pg_relation_filepath('{table}')"))
            .await;
        let file = PathBuf::from(data).join(file);
        let aside = file.with_extension("aside");
        fs::rename(&file, &aside).unwrap();
        symlink("/dev/full", &file).unwrap();
        let error = ran(&kind.job(world.connector())).await.unwrap_err();
        let what = format!("{kind:?}, {table} cannot grow");
        assert_short_of(&error, "53100", "free space", &what);
        assert!(
            error.message().ends_with("No space left on device"),
            "{}",
            error.report()
        );
        world.until_gone().await;
        fs::remove_file(&file).unwrap();
        fs::rename(&aside, &file).unwrap();
        assert_eq!(world.covered().await, 0, "{what}");
        assert_eq!(
            world.line(&format!("SELECT count(*) FROM {table}")).await,
            "0",
            "{what}"
        );
        world.reset(kind).await;
        world.rerun(kind, &what).await;
    }
}

/// A disk of its own, as large as it is said to be.
struct Disk {
    folder: PathBuf,
    bytes: u64,
}

impl Disk {
    /// `None` where this process may not mount one.
    fn mount(owner: &Path, bytes: u64) -> Option<Self> {
        let owner = fs::metadata(owner).unwrap();
        let folder = std::env::temp_dir().join(format!("connector-faults-{}", std::process::id()));
        fs::create_dir(&folder).unwrap();
        let options = format!("size={bytes},uid={},gid={},mode=700", owner.uid(), owner.gid());
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &options, "none"])
            .arg(&folder)
            .output();
        if mounted.is_ok_and(|output| output.status.success()) {
            return Some(Self { folder, bytes });
        }
        fs::remove_dir(&folder).unwrap();
        None
    }

    fn filler(&self) -> PathBuf {
        self.folder.join("filler")
    }

    /// Leaves so many bytes free, at most.
    fn leave(&self, free: u64) {
        let _ = fs::remove_file(self.filler());
        let output = Command::new("df")
            .args(["-k", "--output=avail"])
            .arg(&self.folder)
            .output()
            .unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let available: u64 = text.lines().nth(1).unwrap().trim().parse().unwrap();
        let filler = vec![0; usize::try_from((available << 10).saturating_sub(free)).unwrap()];
        fs::write(self.filler(), filler).unwrap();
    }

    fn free(&self) {
        fs::remove_file(self.filler()).unwrap();
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.folder).status();
        let _ = fs::remove_dir(&self.folder);
    }
}

/// The disk of tables, indexes, staging tables and states is full after every number of pages from none to enough.
pub(crate) async fn a_full_disk() {
    let server = own_server(&[("fsync", "off")]);
    let world = World::on(server.url()).await;
    let data = world.line("SHOW data_directory").await;
    let Some(disk) = Disk::mount(Path::new(&data), 16 << 20) else {
        println!("not tried: this process may not mount a disk of its own");
        return;
    };
    let space = disk.folder.join("space");
    fs::create_dir(&space).unwrap();
    fs::set_permissions(&space, fs::Permissions::from_mode(0o700)).unwrap();
    let owner = fs::metadata(&disk.folder).unwrap();
    std::os::unix::fs::chown(&space, Some(owner.uid()), Some(owner.gid())).unwrap();
    let name = world.name();
    world
        .run(&format!("CREATE TABLESPACE small LOCATION '{}'", space.display()))
        .await;
    world
        .run(&format!("GRANT CREATE ON TABLESPACE small TO {name}"))
        .await;
    for setting in ["default_tablespace", "temp_tablespaces"] {
        world
            .run(&format!("ALTER DATABASE {name} SET {setting} = 'small'"))
            .await;
        world.run(&format!("SET {setting} = 'small'")).await;
    }
    for kind in Kind::ALL {
        let (mut full, mut pages) = (0, 0);
        loop {
            let what = format!("{kind:?}, {pages} pages left of {} bytes", disk.bytes);
            world.reset(kind).await;
            // Files of dropped tables are there until then.
            world.run("CHECKPOINT").await;
            disk.leave(pages * 8_192);
            let result = ran(&kind.job(world.connector())).await;
            world.until_gone().await;
            disk.free();
            world.check_between(kind, &what).await;
            let Err(error) = result else {
                world.check_end(kind, &what).await;
                break;
            };
            full += 1;
            assert_short_of(&error, "53100", "free space", &what);
            world.rerun(kind, &what).await;
            world.until_gone().await;
            pages += 3;
        }
        println!("{kind:?}: full after {full} numbers of pages");
        assert!(full > 5, "{kind:?}: full only {full} times");
    }
    world.reset(Kind::New).await;
    // The disk can go once nothing is on it.
    world
        .run(&format!("ALTER DATABASE {name} RESET ALL; RESET ALL"))
        .await;
    world.run("DROP TABLESPACE small").await;
}
