//! A throwaway server: its start, its watchdog and its end.

use std::fmt::Write as _;
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStdin, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::Stop;
use super::binaries::Binaries;
use super::error::StartError;
use super::identity::Identity;
use super::options::Options;
use super::places::Places;
use super::process;
use super::rundir::{self, RunDir};
use super::template;

const READY_LIMIT: Duration = Duration::from_secs(60);
const END_LIMIT: Duration = Duration::from_secs(20);
const SETTING_UP: &str = "can not set up a folder for the server";
const POLL: Duration = Duration::from_millis(5);
const PORTS_TRIED: usize = 5;

/// Runs the server, ends it when its own input does, that is when the program is gone, and then removes the run
/// folder. A line `keep` calls that off: the folder then stays until the server is ended by somebody else. A server
/// that ends while there is a file `restart` is started again. Signals that a terminal sends to a whole group of
/// processes are for the program, not for this one.
const WATCHDOG: &str = r#"
trap '' INT TERM HUP
exec 3<&0 </dev/null
start() {
    "$1" -D "$2/data" 3<&- &
    server=$!
    echo "$server" >"$2/server"
    # The program may have gone before that number was there to be ended by.
    if [ -e "$2/over" ]; then kill -s QUIT "$server"; fi
}
start "$@"
{
    said=
    read -r said <&3
    if [ "$said" != keep ] && [ ! -e "$3" ]; then
        : >"$2/over"
        rm -f "$2/restart"
        read -r server <"$2/server"
        kill -s QUIT "$server"
    fi
} 2>/dev/null &
reader=$!
exec 3<&-
while wait "$server"; [ -e "$2/restart" ]; do
    rm -f "$2/restart"
    start "$@"
done
: >"$3"
wait "$reader"
cd / && rm -rf "$2"
"#;

/// Nothing is written for longer than the server lives.
const THROWAWAY: &str = "fsync = off\nsynchronous_commit = off\nfull_page_writes = off\nwal_level = minimal\n\
                         max_wal_senders = 0\n";

#[derive(Debug)]
pub(super) struct Server {
    url: String,
    run: RunDir,
    watchdog: Child,
    /// The pipe whose end means the end of the server.
    lifeline: Option<ChildStdin>,
}

impl Server {
    pub(super) fn start(
        binaries: &Binaries,
        identity: &Identity,
        places: &Places,
        options: &Options,
    ) -> Result<Self, StartError> {
        let settings = settings_of(options)?;
        let mut left = PORTS_TRIED;
        loop {
            left -= 1;
            match Self::start_once(binaries, identity, places, &settings) {
                // Somebody took the port between its choice and its use.
                Err(StartError::Failed { said, .. })
                    if left > 0 && said.contains("Address already in use") => {}
                other => return other,
            }
        }
    }

    fn start_once(
        binaries: &Binaries,
        identity: &Identity,
        places: &Places,
        settings: &str,
    ) -> Result<Self, StartError> {
        let run = places.new_run(identity).map_err(StartError::io(SETTING_UP))?;
        let (url, mut watchdog) = match launch(&run, binaries, identity, places, settings) {
            Ok(launched) => launched,
            Err(error) => {
                let _ = fs::remove_dir_all(&run.path);
                return Err(error);
            }
        };
        let lifeline = watchdog.stdin.take();
        let mut server = Self {
            url,
            run,
            watchdog,
            lifeline,
        };
        server.await_ready()?;
        Ok(server)
    }

    fn await_ready(&mut self) -> Result<(), StartError> {
        self.await_other_than(None)
    }

    /// Waits for a server that takes connections, and is another process than `old`.
    fn await_other_than(&mut self, old: Option<u32>) -> Result<(), StartError> {
        let begun = Instant::now();
        let failed = |said: String| StartError::Failed {
            doing: "starting PostgreSQL".to_owned(),
            said,
        };
        while self.run.ready_pid().filter(|pid| Some(*pid) != old).is_none() {
            let ended = self.run.ended_mark().exists() || !matches!(self.watchdog.try_wait(), Ok(None));
            if ended {
                return Err(failed(process::last_lines(&self.run.log())));
            }
            if begun.elapsed() > READY_LIMIT {
                let said = process::last_lines(&self.run.log());
                return Err(failed(format!(
                    "not ready after {} s: {said}",
                    READY_LIMIT.as_secs()
                )));
            }
            thread::sleep(POLL);
        }
        Ok(())
    }

    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// Ends the server as `stop` says, and waits until it takes connections again.
    pub(super) fn restart(&mut self, stop: Stop) -> Result<(), StartError> {
        let old = self.run.ready_pid().filter(|_| !self.run.ended_mark().exists());
        let gone = || StartError::io("the server has ended and can not be restarted");
        let pid = old.ok_or_else(|| gone()(std::io::ErrorKind::NotFound.into()))?;
        self.run.mark_restart().map_err(gone())?;
        process::signal(stop.signal(), &pid.to_string());
        self.await_other_than(old)
    }

    /// Lets the server outlive the program; returns the command that stops it.
    pub(super) fn keep(mut self) -> Result<String, StartError> {
        let doing = || StartError::io("the server has ended and can not be kept");
        let pid = self.run.ready_pid().filter(|_| !self.run.ended_mark().exists());
        let pid = pid.ok_or_else(|| doing()(std::io::ErrorKind::NotFound.into()))?;
        self.run.mark_kept().map_err(doing())?;
        if let Some(lifeline) = &mut self.lifeline {
            lifeline.write_all(b"keep\n").map_err(doing())?;
        }
        self.lifeline = None;
        Ok(format!("kill -INT {pid}"))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // None: the server is kept.
        if self.lifeline.take().is_none() {
            return;
        }
        let begun = Instant::now();
        while matches!(self.watchdog.try_wait(), Ok(None)) && begun.elapsed() < END_LIMIT {
            thread::sleep(POLL);
        }
        rundir::end_and_remove(&self.run.path);
    }
}

/// Makes the data folder and starts the watchdog, which starts the server.
fn launch(
    run: &RunDir,
    binaries: &Binaries,
    identity: &Identity,
    places: &Places,
    settings: &str,
) -> Result<(String, Child), StartError> {
    let doing = || StartError::io(SETTING_UP);
    let password = template::fill(&run.data(), binaries, identity, places)?;
    let port = free_port().map_err(StartError::io("can not find a free port on 127.0.0.1"))?;
    configure(run, settings, port).map_err(doing())?;
    let log = run.open_log().map_err(doing())?;
    let mut watchdog = identity.command("/bin/sh");
    watchdog.args(["-c", WATCHDOG, "connector-testkit-pg"]);
    watchdog
        .arg(binaries.folder.join("postgres"))
        .arg(&run.path)
        .arg(run.ended_mark());
    watchdog
        .stdin(Stdio::piped())
        .stdout(log.try_clone().map_err(doing())?)
        .stderr(log);
    let watchdog = watchdog
        .current_dir(&run.path)
        .process_group(0)
        .spawn()
        .map_err(StartError::io("can not run /bin/sh"))?;
    let url = format!("postgres://postgres:{password}@127.0.0.1:{port}/postgres?sslmode=disable");
    Ok((url, watchdog))
}

fn free_port() -> std::io::Result<u16> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}

/// The lines of the configuration file that the options make.
fn settings_of(options: &Options) -> Result<String, StartError> {
    let mut text = String::from("timezone = 'UTC'\nlog_timezone = 'UTC'\n");
    if !options.durable {
        text.push_str(THROWAWAY);
    }
    for (name, value) in &options.settings {
        let starts_well = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
        if !starts_well
            || !name
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "_.".contains(c))
        {
            return Err(StartError::Setting { name: name.clone() });
        }
        let value = value
            .replace('\\', r"\\")
            .replace('\'', "''")
            .replace('\n', r"\n");
        let _ = writeln!(text, "{name} = '{value}'");
    }
    Ok(text)
}

/// Later lines of the file win.
fn configure(run: &RunDir, settings: &str, port: u16) -> std::io::Result<()> {
    let mut file = OpenOptions::new()
        .append(true)
        .open(run.data().join("postgresql.conf"))?;
    write!(
        file,
        "\n{settings}port = {port}\nlisten_addresses = '127.0.0.1'\nunix_socket_directories = ''\n\
         logging_collector = off\n"
    )
}
