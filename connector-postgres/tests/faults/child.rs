//! A copy of this program that runs one load, to be killed or paused.

use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::Arc;

use connector_core::{ErrorKind, Secret};
use connector_postgres::{Config, Postgres};
use connector_testkit::faults::{Action, Events, Faulty, Hook, IoEvent, Phase};

use crate::scenario::{Kind, source};
use crate::world::ran;

/// The first argument of a copy.
const ENTRY: &str = "load-and-be-killed";
/// How a copy ends that was overtaken.
pub(crate) const OVERTAKEN: i32 = 3;
/// How a copy ends whose session broke.
pub(crate) const CUT_OFF: i32 = 4;

/// Where in its run a copy kills itself: the number of a call, and whether it was carried out.
pub(crate) type Moment = (u64, Phase);

/// Starts a copy.
pub(crate) fn spawn(kind: Kind, config: &Config, moment: Option<Moment>) -> Child {
    let moment = match moment {
        None => "never".to_owned(),
        Some((number, phase)) => format!("{phase} {number}"),
    };
    Command::new(std::env::current_exe().unwrap())
        .args([
            ENTRY,
            &format!("{kind:?}"),
            &config.server,
            &config.port.to_string(),
        ])
        .args([&config.user, config.password.as_ref().unwrap().reveal(), &moment])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Sends a signal to a process.
pub(crate) fn signal(name: &str, pid: u32) {
    let sent = Command::new("/bin/sh")
        .args(["-c", "kill -s \"$1\" \"$2\"", "sh", name, &pid.to_string()])
        .status();
    assert!(sent.unwrap().success(), "{name} to {pid}");
}

/// Runs the load, if this is a copy.
pub(crate) fn entered(arguments: &[String]) -> Option<ExitCode> {
    let [_, entry, kind, server, port, user, password, moment] = arguments else {
        return None;
    };
    if entry != ENTRY {
        return None;
    }
    let mut config = Config::new(server, user);
    config.port = port.parse().unwrap();
    config.password = Some(Secret::new(password.as_str()));
    let kind = Kind::named(kind).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    Some(runtime.block_on(load(kind, config, moment)))
}

async fn load(kind: Kind, config: Config, moment: &str) -> ExitCode {
    let events = Events::new(Suicide(moment.to_owned()));
    let destination = Faulty::new(Arc::new(Postgres::new(config).unwrap()), &events);
    let source = Faulty::new(Arc::new(source()), &events);
    match ran(&kind.job_between(Arc::new(source), Arc::new(destination))).await {
        Ok(_) => ExitCode::SUCCESS,
        Err(error) => {
            println!("{}", error.report());
            ExitCode::from(match error.kind() {
                ErrorKind::Conflict => OVERTAKEN as u8,
                ErrorKind::Unavailable => CUT_OFF as u8,
                _ => 1,
            })
        }
    }
}

/// Kills its own process at a moment.
#[derive(Debug)]
struct Suicide(String);

impl Hook for Suicide {
    fn on(&self, event: &IoEvent) -> Action {
        if self.0 == format!("{} {}", event.phase, event.number) {
            signal("KILL", std::process::id());
            // The signal is on its way.
            loop {
                std::thread::park();
            }
        }
        Action::Go
    }
}
