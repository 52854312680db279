//! The throwaway PostgreSQL: real servers, real downloads, and programs that are killed.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests, outside the functions marked as such"
)]

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use connector_testkit::postgres::{Options, PackageClient, Postgres, StartError, Stop};

/// Tells a copy of this test program to be the program that gets killed.
const CHILD: &str = "CONNECTOR_TESTKIT_CHILD";

fn throwaway() -> Options {
    Options {
        database_url: None,
        ..Options::from_env()
    }
}

fn nothing_installed() -> Options {
    Options {
        usual_folders: false,
        search_path: None,
        database_url: None,
        ..Options::default()
    }
}

/// The first value of a query's first row.
fn ask(url: &str, query: &str) -> String {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await.unwrap();
        let connection = tokio::spawn(connection);
        let value = client.query_one(query, &[]).await.unwrap().get(0);
        drop(client);
        connection.await.unwrap().unwrap();
        value
    })
}

fn run_dir(url: &str) -> PathBuf {
    Path::new(&ask(url, "SHOW data_directory"))
        .parent()
        .unwrap()
        .to_owned()
}

fn server_pid(url: &str) -> String {
    let file = run_dir(url).join("data/postmaster.pid");
    fs::read_to_string(file)
        .unwrap()
        .lines()
        .next()
        .unwrap()
        .to_owned()
}

fn answers(url: &str) -> bool {
    let address = url
        .split(['@', '/'])
        .find(|part| part.starts_with("127.0.0.1:"))
        .unwrap();
    TcpStream::connect(address).is_ok()
}

fn runs(pid: &str) -> bool {
    Command::new("ps")
        .args(["-p", pid])
        .stdout(Stdio::null())
        .status()
        .unwrap()
        .success()
}

fn parent_of(pid: &str) -> String {
    let output = Command::new("ps")
        .args(["-o", "ppid=", "-p", pid])
        .output()
        .unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn kill(pid: &str) {
    assert!(
        Command::new("/bin/sh")
            .args(["-c", "kill -KILL \"$1\"", "sh", pid])
            .status()
            .unwrap()
            .success()
    );
}

#[track_caller]
fn soon(what: &str, condition: impl Fn() -> bool) {
    let begun = Instant::now();
    while !condition() {
        assert!(
            begun.elapsed() < Duration::from_secs(20),
            "not within 20 s: {what}"
        );
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// A copy of this program that starts a server, says its URL, and waits to be killed.
fn child() -> (Child, String) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child_entry", "--nocapture"])
        .env(CHILD, "1")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let url = lines.map_while(Result::ok).find_map(|line| {
        let start = line.find("postgres://")?;
        Some(line[start..].to_owned())
    });
    (child, url.unwrap())
}

#[test]
fn child_entry() {
    if std::env::var_os(CHILD).is_some() {
        let server = Postgres::start(&throwaway()).unwrap();
        println!("{}", server.url());
        std::thread::sleep(Duration::from_secs(600));
    }
}

#[test]
fn starts_answers_and_is_gone_with_its_value() {
    let server = Postgres::start(&throwaway()).unwrap();
    assert!(server.is_throwaway());
    let url = server.url().to_owned();
    assert!(!format!("{server:?}").contains(&url));
    assert_eq!(ask(&url, "SELECT current_user::text"), "postgres");
    assert_eq!(ask(&url, "SHOW server_encoding"), "UTF8");
    assert_eq!(ask(&url, "SHOW timezone"), "UTC");
    assert_eq!(ask(&url, "SHOW fsync"), "off");
    let run_dir = run_dir(&url);
    assert!(run_dir.exists());
    drop(server);
    assert!(!answers(&url));
    assert!(!run_dir.exists());
}

#[test]
fn asks_for_a_password() {
    let server = Postgres::start(&throwaway()).unwrap();
    let (before, after) = server.url().split_once('@').unwrap();
    let url = format!("{}:wrong@{after}", before.rsplit_once(':').unwrap().0);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let error = runtime
        .block_on(tokio_postgres::connect(&url, tokio_postgres::NoTls))
        .err()
        .unwrap();
    assert_eq!(
        error.code(),
        Some(&tokio_postgres::error::SqlState::INVALID_PASSWORD)
    );
}

#[test]
fn several_at_once_do_not_disturb_each_other() {
    let threads: Vec<_> = (0..3)
        .map(|_| std::thread::spawn(|| Postgres::start(&throwaway()).unwrap()))
        .collect();
    let mut servers: Vec<_> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
    let mut folders: Vec<_> = servers.iter().map(|server| run_dir(server.url())).collect();
    folders.sort();
    folders.dedup();
    assert_eq!(folders.len(), 3);
    drop(servers.remove(0));
    for server in &servers {
        assert_eq!(ask(server.url(), "SELECT 'here'"), "here");
    }
}

#[test]
fn durable_and_settings_reach_the_server() {
    let settings = vec![
        ("work_mem".to_owned(), "5MB".to_owned()),
        ("cluster_name".to_owned(), r"it's a \ test".to_owned()),
        ("port".to_owned(), "1".to_owned()),
    ];
    let server = Postgres::start(&Options {
        durable: true,
        settings,
        ..throwaway()
    })
    .unwrap();
    assert_eq!(ask(server.url(), "SHOW fsync"), "on");
    assert_eq!(ask(server.url(), "SHOW wal_level"), "replica");
    assert_eq!(ask(server.url(), "SHOW work_mem"), "5MB");
    assert_eq!(ask(server.url(), "SHOW cluster_name"), r"it's a \ test");
}

#[test]
fn an_impossible_setting_is_told_with_the_servers_words() {
    let settings = vec![("shared_buffers".to_owned(), "some".to_owned())];
    let error = Postgres::start(&Options {
        settings,
        ..throwaway()
    })
    .unwrap_err();
    assert!(
        error.to_string().contains("\"shared_buffers\": \"some\""),
        "{error}"
    );
    let settings = vec![("port = 1\nfsync".to_owned(), "on".to_owned())];
    let error = Postgres::start(&Options {
        settings,
        ..throwaway()
    })
    .unwrap_err();
    assert!(matches!(error, StartError::Setting { .. }), "{error}");
}

#[test]
fn is_gone_when_the_program_is_killed() {
    let (mut child, url) = child();
    assert_eq!(ask(&url, "SELECT 'here'"), "here");
    let (run_dir, pid) = (run_dir(&url), server_pid(&url));
    child.kill().unwrap();
    child.wait().unwrap();
    soon("the server ends", || !answers(&url) && !runs(&pid));
    soon("its folder is removed", || !run_dir.exists());
}

#[test]
fn is_gone_when_the_watchdog_is_killed() {
    let server = Postgres::start(&throwaway()).unwrap();
    let (run_dir, pid) = (run_dir(server.url()), server_pid(server.url()));
    kill(&parent_of(&pid));
    drop(server);
    soon("the server ends", || !runs(&pid));
    soon("its folder is removed", || !run_dir.exists());
}

#[test]
fn leftovers_are_swept_by_the_next_start() {
    let (mut child, url) = child();
    let (run_dir, pid) = (run_dir(&url), server_pid(&url));
    // All that would clean up: the watchdog and the process that waits for the program's end, then the program.
    let watchdog = parent_of(&pid);
    let output = Command::new("ps")
        .args(["-e", "-o", "pid=,ppid="])
        .output()
        .unwrap();
    let table = String::from_utf8(output.stdout).unwrap();
    let below = table.lines().filter_map(|line| {
        let (child, parent) = line.trim().split_once(' ')?;
        (parent.trim() == watchdog && child != pid).then_some(child)
    });
    below.for_each(kill);
    kill(&watchdog);
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(runs(&pid));
    let server = Postgres::start(&throwaway()).unwrap();
    soon("the server ends", || !runs(&pid));
    soon("its folder is removed", || !run_dir.exists());
    assert_eq!(ask(server.url(), "SELECT 'here'"), "here");
}

#[test]
fn a_kept_server_stays_until_it_is_stopped() {
    let kept = Postgres::start(&throwaway()).unwrap().keep().unwrap();
    let run_dir = run_dir(&kept.url);
    drop(Postgres::start(&throwaway()).unwrap());
    assert_eq!(ask(&kept.url, "SELECT 'here'"), "here");
    assert!(
        Command::new("/bin/sh")
            .args(["-c", kept.stop.as_deref().unwrap()])
            .status()
            .unwrap()
            .success()
    );
    soon("its folder is removed", || !run_dir.exists());
    assert!(!answers(&kept.url));
}

#[test]
fn a_restarted_server_has_its_data_and_still_ends_with_its_value() {
    let options = Options {
        durable: true,
        ..throwaway()
    };
    let mut server = Postgres::start(&options).unwrap();
    let url = server.url().to_owned();
    let (run_dir, mut pid) = (run_dir(&url), server_pid(&url));
    assert_eq!(ask(&url, "SELECT lo_from_bytea(4711, 'here')::text"), "4711");
    for stop in [Stop::Immediate, Stop::Fast, Stop::Immediate] {
        server.restart(stop).unwrap();
        assert_eq!(ask(&url, "SELECT convert_from(lo_get(4711), 'UTF8')"), "here");
        let new = server_pid(&url);
        assert_ne!(new, pid);
        pid = new;
    }
    drop(server);
    assert!(!answers(&url) && !runs(&pid) && !run_dir.exists());
}

#[test]
fn a_given_url_is_taken_as_it_is() {
    let url = "postgres://somebody@db.example/sales";
    let given = |url: &str| Options {
        database_url: Some(url.to_owned()),
        ..nothing_installed()
    };
    let server = Postgres::start(&given(url)).unwrap();
    assert_eq!(server.url(), url);
    assert!(!server.is_throwaway());
    let mut server = server;
    let error = server.restart(Stop::Fast).unwrap_err().to_string();
    assert!(error.contains("it was not started here"), "{error}");
    assert_eq!(server.keep().unwrap().stop, None);
    let error = Postgres::start(&Options {
        allow_download: false,
        ..given(" ")
    })
    .unwrap_err();
    assert!(matches!(error, StartError::Absent { .. }), "{error}");
}

#[test]
fn one_sentence_says_what_to_install() {
    let error = Postgres::start(&Options {
        allow_download: false,
        ..nothing_installed()
    })
    .unwrap_err()
    .to_string();
    assert!(
        error.starts_with("no PostgreSQL at hand: install one with `"),
        "{error}"
    );
    assert!(
        error.contains("DATABASE_URL") && error.contains("fetching is switched off"),
        "{error}"
    );
    assert!(!error.contains('\n'), "{error}");
    let elsewhere = Options {
        binaries: Some("/nowhere".into()),
        ..throwaway()
    };
    let error = Postgres::start(&elsewhere).unwrap_err().to_string();
    assert!(error.contains("/nowhere has no postgres and initdb"), "{error}");
}

#[test]
fn links_that_lead_nowhere_count_as_absent() {
    let folder = TestFolder::new("links");
    for name in ["postgres", "initdb"] {
        std::os::unix::fs::symlink("/nowhere/bin", folder.0.join(name)).unwrap();
    }
    let options = Options {
        search_path: Some(folder.0.clone().into_os_string()),
        allow_download: false,
        ..nothing_installed()
    };
    let error = Postgres::start(&options).unwrap_err();
    assert!(matches!(error, StartError::Absent { .. }), "{error}");
}

#[test]
fn npm_fetches_what_is_not_installed() {
    fetches(PackageClient::Npm, "18.");
}

#[test]
fn pip_fetches_what_is_not_installed() {
    fetches(PackageClient::Pip, "16.");
}

fn fetches(client: PackageClient, version: &str) {
    let folder = TestFolder::new(version);
    let options = Options {
        package_clients: vec![client],
        cache_dir: Some(folder.0.clone()),
        ..nothing_installed()
    };
    let server = Postgres::start(&options).unwrap();
    assert!(ask(server.url(), "SHOW server_version").starts_with(version));
    // Contained procedural language and extensions load from the fetched folder.
    assert_eq!(
        ask(
            server.url(),
            "SELECT count(*)::text FROM pg_extension WHERE extname = 'plpgsql'"
        ),
        "1"
    );
    drop(server);
    let again = Instant::now();
    drop(Postgres::start(&options).unwrap());
    assert!(again.elapsed() < Duration::from_secs(20), "fetched again");
    let kept: Vec<_> = fs::read_dir(folder.0.join("connector-testkit"))
        .unwrap()
        .flatten()
        .collect();
    assert_eq!(kept.len(), 2, "the unpacked package and its lock: {kept:?}");
}

/// A folder everybody can enter, also the user who runs the server for root.
struct TestFolder(PathBuf);

impl TestFolder {
    fn new(name: &str) -> Self {
        use std::os::unix::fs::PermissionsExt;
        let name = format!("connector-testkit-test-{}-{name}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        fs::create_dir(&folder).unwrap();
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).unwrap();
        Self(folder)
    }
}

impl Drop for TestFolder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
