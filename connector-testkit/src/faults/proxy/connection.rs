//! A client's connection and the one to the server that it leads to.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::watch;

use super::Lane;
use super::mode::{Broken, Direction, Mode};
use super::pump::{Wire, pump};
use super::tap::Tap;

pub(super) struct Connection {
    client: TcpStream,
    lanes: Arc<[Lane; 2]>,
    /// Modes of its own, by direction.
    own: [Option<watch::Sender<Mode>>; 2],
    open: Open,
    /// Who looks at its bytes, and its number for them.
    tap: Option<(u64, Arc<dyn Tap>)>,
}

/// Counts a connection for as long as it lasts.
struct Open(Arc<AtomicU64>);

impl Connection {
    pub(super) fn new(
        client: TcpStream,
        lanes: Arc<[Lane; 2]>,
        open: Arc<AtomicU64>,
        tap: Option<(u64, Arc<dyn Tap>)>,
    ) -> Self {
        let own = [Direction::ToServer, Direction::ToClient]
            .map(|direction| lanes[direction as usize].next().take().map(watch::Sender::new));
        open.fetch_add(1, Ordering::SeqCst);
        Self {
            client,
            lanes,
            own,
            open: Open(open),
            tap,
        }
    }

    /// Carries bytes until both sides have ended, or the connection breaks.
    pub(super) async fn run(self, upstream: SocketAddr) {
        let to_server = self.modes(Direction::ToServer);
        let to_client = self.modes(Direction::ToClient);
        let Self {
            mut client,
            lanes,
            own: _own,
            open: _open,
            tap,
        } = self;
        let Ok(mut server) = TcpStream::connect(upstream).await else {
            reset(client);
            return;
        };
        // Small packets are passed on as they come; one that cannot be told so is slower, not wrong.
        let _ = client.set_nodelay(true);
        let _ = server.set_nodelay(true);
        let end = {
            let (client_read, client_write) = client.split();
            let (server_read, server_write) = server.split();
            let wire = |direction| Wire {
                lane: &lanes[direction as usize],
                tap: tap.as_ref().map(|(number, tap)| (*number, direction, &**tap)),
            };
            tokio::try_join!(
                pump(client_read, server_write, wire(Direction::ToServer), to_server),
                pump(server_read, client_write, wire(Direction::ToClient), to_client),
            )
        };
        match end {
            Ok(_) => {}
            Err(Broken::Cut) => {
                tokio::join!(close(client), close(server));
            }
            Err(Broken::Reset) => {
                reset(client);
                reset(server);
            }
        }
    }

    fn modes(&self, direction: Direction) -> watch::Receiver<Mode> {
        let all = &self.lanes[direction as usize].mode;
        self.own[direction as usize].as_ref().unwrap_or(all).subscribe()
    }
}

/// Closes in order. What the other side still sends is read: a socket closed over unread bytes resets.
async fn close(mut stream: TcpStream) {
    if stream.shutdown().await.is_err() {
        return;
    }
    let mut rest = vec![0; 4 << 10];
    while stream.read(&mut rest).await.is_ok_and(|read| read > 0) {}
}

/// Closes by a reset.
fn reset(stream: TcpStream) {
    // A socket that is gone already has nobody left to tell.
    let _ = stream.set_zero_linger();
    drop(stream);
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}
