//! One direction of one connection.

use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::sync::watch;

use super::mode::{Broken, Direction, Mode};
use super::tap::{Portion, Tap, Verdict};
use super::{Lane, changed};

const BUFFER: usize = 16 << 10;

/// What one direction of a connection is called, counted and looked at by.
pub(super) struct Wire<'a> {
    pub(super) lane: &'a Lane,
    pub(super) tap: Option<(u64, Direction, &'a dyn Tap)>,
}

/// Moves bytes as the mode of the moment has it, until the sender ends.
///
/// # Errors
/// How the connection broke before.
pub(super) async fn pump(
    mut from: ReadHalf<'_>,
    mut to: WriteHalf<'_>,
    wire: Wire<'_>,
    mut modes: watch::Receiver<Mode>,
) -> Result<(), Broken> {
    let Wire { lane, tap } = wire;
    let mut buffer = vec![0; BUFFER];
    let mut waiting = 0..0;
    let mut forwarded: u64 = 0;
    let mut ended = false;
    loop {
        // Looked at anew after each wait: what was read under one mode is passed on under the next.
        let mode = *modes.borrow_and_update();
        if let Some(broken) = mode.end(forwarded) {
            return Err(broken);
        }
        if mode == Mode::Swallow {
            waiting = 0..0;
        }
        if !waiting.is_empty() {
            let (portion, pause) = mode.portion(waiting.len(), forwarded);
            let bytes = &buffer[waiting.start..waiting.start + portion];
            let written = tokio::select! {
                biased;
                () = changed(&mut modes) => continue,
                written = write(&mut to, bytes, pause) => written?,
            };
            waiting.start += written;
            forwarded += written as u64;
            lane.forwarded.fetch_add(written as u64, Ordering::SeqCst);
        } else if !ended {
            let read = tokio::select! {
                biased;
                () = changed(&mut modes) => continue,
                read = from.read(&mut buffer) => read,
            };
            match read {
                Ok(0) => ended = true,
                Ok(read) => {
                    waiting = 0..read;
                    lane.received.fetch_add(read as u64, Ordering::SeqCst);
                    if let Some((connection, direction, tap)) = tap {
                        let bytes = &buffer[..read];
                        let portion = Portion {
                            connection,
                            direction,
                            bytes,
                        };
                        match tap.on(&portion).await {
                            Verdict::Pass => {}
                            Verdict::Cut => return Err(Broken::Cut),
                            Verdict::Reset => return Err(Broken::Reset),
                        }
                    }
                }
                Err(_) if mode == Mode::Swallow => ended = true,
                Err(_) => return Err(Broken::Reset),
            }
        } else if mode == Mode::Swallow {
            changed(&mut modes).await;
        } else {
            return to.shutdown().await.map_err(|_| Broken::Reset);
        }
    }
}

/// Writes some of `bytes` after a pause; a call that is dropped has written none.
async fn write(to: &mut WriteHalf<'_>, bytes: &[u8], pause: Duration) -> Result<usize, Broken> {
    if !pause.is_zero() {
        tokio::time::sleep(pause).await;
    }
    to.write(bytes).await.map_err(|_| Broken::Reset)
}
