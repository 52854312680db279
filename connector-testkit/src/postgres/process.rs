//! Running a program to its end, with a limit.

use std::io::{self, Read};
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

const LAST_LINES: usize = 6;

/// What the program wrote to its output; or, in a line, why it did not succeed.
pub(super) fn run(command: &mut Command, limit: Duration) -> Result<String, String> {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0);
    let mut child = command.spawn().map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => "not installed".to_owned(),
        _ => error.to_string(),
    })?;
    let output = child.stdout.take().map(read_in_background);
    let errors = child.stderr.take().map(read_in_background);
    let begun = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().map_err(|error| error.to_string())? {
            break status;
        }
        if begun.elapsed() > limit {
            signal("KILL", &format!("-{}", child.id()));
            let _ = child.wait();
            return Err(format!("did not end within {} s", limit.as_secs()));
        }
        thread::sleep(Duration::from_millis(2));
    };
    let output = received(output);
    if status.success() {
        return Ok(output);
    }
    let errors = received(errors);
    let said = last_lines(if errors.trim().is_empty() {
        &output
    } else {
        &errors
    });
    Err(if said.is_empty() { status.to_string() } else { said })
}

/// Sends a signal to a process, or to a group by its negative number. The shell's own `kill` does it, since the
/// program may not be installed.
pub(super) fn signal(name: &str, target: &str) {
    let _ = Command::new("/bin/sh")
        .args(["-c", "kill -s \"$1\" -- \"$2\"", "sh", name, target])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
}

/// The last lines of a text that say anything, as one line.
pub(super) fn last_lines(text: &str) -> String {
    let mut lines: Vec<&str> = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect();
    lines.drain(..lines.len().saturating_sub(LAST_LINES));
    lines.join(" / ")
}

fn read_in_background(mut pipe: impl Read + Send + 'static) -> mpsc::Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = pipe.read_to_end(&mut bytes);
        let _ = sender.send(String::from_utf8_lossy(&bytes).into_owned());
    });
    receiver
}

/// A process that outlives the program may hold its pipe open: it is not waited for long.
fn received(receiver: Option<mpsc::Receiver<String>>) -> String {
    receiver
        .and_then(|receiver| receiver.recv_timeout(Duration::from_secs(2)).ok())
        .unwrap_or_default()
}
