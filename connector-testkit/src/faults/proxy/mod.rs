//! A wire that can be broken: a TCP proxy whose connections delay, throttle, fall silent, close or reset on demand.

mod connection;
mod mode;
mod pump;
mod tap;
#[cfg(test)]
mod tests;

use std::future::pending;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::watch;
use tokio::task::JoinHandle;

pub use mode::{Direction, Mode};
pub use tap::{Portion, Tap, Verdict};

use connection::Connection;

/// A proxy on a port of 127.0.0.1 that leads to one server; it and its connections end when it is dropped.
///
/// It waits on tokio's timer: real sockets know no other time.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    upstream: SocketAddr,
    lanes: Arc<[Lane; 2]>,
    accepted: Arc<AtomicU64>,
    open: Arc<AtomicU64>,
    tap: Option<Arc<dyn Tap>>,
    door: tokio::sync::Mutex<Door>,
    /// Every task ends when this is gone.
    alive: watch::Sender<()>,
}

/// What all connections share in one direction.
#[derive(Debug)]
struct Lane {
    mode: watch::Sender<Mode>,
    next: Mutex<Option<Mode>>,
    received: AtomicU64,
    forwarded: AtomicU64,
}

#[derive(Debug)]
enum Door {
    /// Accepts connections.
    Open(JoinHandle<()>),
    /// Keeps the port without listening, so that connections are refused and nobody else takes it.
    Shut(Option<TcpSocket>),
}

impl Proxy {
    /// Starts a proxy to `upstream` that passes everything on.
    pub async fn start(upstream: SocketAddr) -> io::Result<Self> {
        Self::start_with(upstream, None).await
    }

    /// The same; every portion of bytes waits for what `tap` says of it.
    pub async fn start_tapped(upstream: SocketAddr, tap: Arc<dyn Tap>) -> io::Result<Self> {
        Self::start_with(upstream, Some(tap)).await
    }

    async fn start_with(upstream: SocketAddr, tap: Option<Arc<dyn Tap>>) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let mut proxy = Self {
            address,
            upstream,
            lanes: Arc::new([Lane::new(), Lane::new()]),
            accepted: Arc::default(),
            open: Arc::default(),
            tap,
            door: tokio::sync::Mutex::new(Door::Shut(None)),
            alive: watch::Sender::new(()),
        };
        *proxy.door.get_mut() = Door::Open(proxy.accept(listener));
        Ok(proxy)
    }

    /// Where to connect to.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Sets what becomes of bytes in `direction` from now on: on new connections and on open ones, unless
    /// [`set_next`](Self::set_next) chose for them.
    pub fn set(&self, direction: Direction, mode: Mode) {
        self.lane(direction).mode.send_replace(mode);
    }

    /// [`set`](Self::set) in both directions: with [`Mode::Swallow`], connections are half-open.
    pub fn set_both(&self, mode: Mode) {
        self.set(Direction::ToServer, mode);
        self.set(Direction::ToClient, mode);
    }

    /// Sets what becomes of bytes in `direction` on the next connection that is accepted, for as long as it lasts.
    pub fn set_next(&self, direction: Direction, mode: Mode) {
        *self.lane(direction).next() = Some(mode);
    }

    /// Stops to listen: from when this returns new connections are refused by the system. Open ones go on.
    pub async fn refuse(&self) -> io::Result<()> {
        let mut door = self.door.lock().await;
        if let Door::Open(task) = &mut *door {
            task.abort();
            // The listener is closed once the task is gone.
            let _ = task.await;
            *door = Door::Shut(None);
            let socket = TcpSocket::new_v4()?;
            socket.set_reuseaddr(true)?;
            socket.bind(self.address)?;
            *door = Door::Shut(Some(socket));
        }
        Ok(())
    }

    /// Listens again, at the same address.
    pub async fn admit(&self) -> io::Result<()> {
        let mut door = self.door.lock().await;
        if let Door::Shut(socket) = &mut *door {
            let socket = socket
                .take()
                .ok_or_else(|| io::Error::other("the proxy has lost its port"))?;
            *door = Door::Open(self.accept(socket.listen(128)?));
        }
        Ok(())
    }

    /// How many connections were accepted.
    pub fn connections(&self) -> u64 {
        self.accepted.load(Ordering::SeqCst)
    }

    /// How many connections are open.
    pub fn open_connections(&self) -> u64 {
        self.open.load(Ordering::SeqCst)
    }

    /// How many bytes going in `direction` have reached the proxy.
    pub fn received(&self, direction: Direction) -> u64 {
        self.lane(direction).received.load(Ordering::SeqCst)
    }

    /// How many of them it has passed on.
    pub fn forwarded(&self, direction: Direction) -> u64 {
        self.lane(direction).forwarded.load(Ordering::SeqCst)
    }

    fn lane(&self, direction: Direction) -> &Lane {
        &self.lanes[direction as usize]
    }

    fn accept(&self, listener: TcpListener) -> JoinHandle<()> {
        let upstream = self.upstream;
        let lanes = Arc::clone(&self.lanes);
        let (accepted, open) = (Arc::clone(&self.accepted), Arc::clone(&self.open));
        let tap = self.tap.clone();
        let alive = self.alive.subscribe();
        tokio::spawn(async move {
            loop {
                let Ok((client, _)) = listener.accept().await else {
                    // Out of descriptors, most likely: not for ever.
                    tokio::time::sleep(Duration::from_millis(10)).await;
                    continue;
                };
                let number = accepted.fetch_add(1, Ordering::SeqCst) + 1;
                let tap = tap.clone().map(|tap| (number, tap));
                let connection = Connection::new(client, Arc::clone(&lanes), Arc::clone(&open), tap);
                let mut alive = alive.clone();
                tokio::spawn(async move {
                    tokio::select! {
                        () = gone(&mut alive) => {}
                        () = connection.run(upstream) => {}
                    }
                });
            }
        })
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        if let Door::Open(task) = self.door.get_mut() {
            task.abort();
        }
    }
}

impl Lane {
    fn new() -> Self {
        Self {
            mode: watch::Sender::new(Mode::Pass),
            next: Mutex::default(),
            received: AtomicU64::new(0),
            forwarded: AtomicU64::new(0),
        }
    }

    fn next(&self) -> std::sync::MutexGuard<'_, Option<Mode>> {
        self.next.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns when the proxy is dropped.
async fn gone(alive: &mut watch::Receiver<()>) {
    while alive.changed().await.is_ok() {}
}

/// Returns when the mode was set; cancel-safe.
async fn changed(modes: &mut watch::Receiver<Mode>) {
    if modes.changed().await.is_err() {
        pending::<()>().await;
    }
}
