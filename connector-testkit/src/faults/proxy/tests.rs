//! Each mode, on real sockets.

use std::io::ErrorKind;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

use super::{Direction, Mode, Portion, Proxy, Tap, Verdict};

const LONG: Duration = Duration::from_secs(20);
const SHORT: Duration = Duration::from_millis(100);

/// A server that answers every byte by itself, and ends when its client does.
async fn echo() -> std::net::SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let (mut read, mut write) = stream.split();
                let _ = tokio::io::copy(&mut read, &mut write).await;
            });
        }
    });
    address
}

async fn proxy() -> Proxy {
    Proxy::start(echo().await).await.unwrap()
}

async fn connect(proxy: &Proxy) -> TcpStream {
    TcpStream::connect(proxy.address()).await.unwrap()
}

/// Sends and waits for the echo.
async fn say(stream: &mut TcpStream, text: &[u8]) -> Vec<u8> {
    stream.write_all(text).await.unwrap();
    let mut answer = vec![0; text.len()];
    timeout(LONG, stream.read_exact(&mut answer))
        .await
        .unwrap()
        .unwrap();
    answer
}

/// Everything up to the end of the connection, and how it ended.
async fn rest(stream: &mut TcpStream) -> (Vec<u8>, Result<(), ErrorKind>) {
    let mut all = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        match timeout(LONG, stream.read(&mut buffer)).await.unwrap() {
            Ok(0) => return (all, Ok(())),
            Ok(read) => all.extend_from_slice(&buffer[..read]),
            Err(error) => return (all, Err(error.kind())),
        }
    }
}

async fn until(mut done: impl FnMut() -> bool) {
    timeout(LONG, async {
        while !done() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await
    .unwrap();
}

#[tokio::test]
async fn passing_bytes_and_connections_are_counted() {
    let proxy = proxy().await;
    let mut first = connect(&proxy).await;
    let mut second = connect(&proxy).await;
    assert_eq!(say(&mut first, b"hello").await, b"hello");
    assert_eq!(say(&mut second, b"you").await, b"you");
    assert_eq!((proxy.connections(), proxy.open_connections()), (2, 2));
    for direction in [Direction::ToServer, Direction::ToClient] {
        assert_eq!((proxy.received(direction), proxy.forwarded(direction)), (8, 8));
    }
    // One half closed is one half closed: the server's answer still comes.
    first.write_all(b"bye").await.unwrap();
    first.shutdown().await.unwrap();
    assert_eq!(rest(&mut first).await, (b"bye".to_vec(), Ok(())));
    until(|| proxy.open_connections() == 1).await;
}

#[tokio::test]
async fn much_data_arrives_whole() {
    let proxy = proxy().await;
    let mut stream = connect(&proxy).await;
    let data: Vec<u8> = (0..3_000_000_u32)
        .map(|i| i.wrapping_mul(2_654_435_761).to_le_bytes()[3])
        .collect();
    let (mut read, mut write) = stream.split();
    let mut answer = Vec::new();
    let send = async {
        write.write_all(&data).await.unwrap();
        write.shutdown().await.unwrap();
    };
    let receive = async { read.read_to_end(&mut answer).await.unwrap() };
    timeout(LONG, async { tokio::join!(send, receive) })
        .await
        .unwrap();
    assert!(answer == data);
}

#[tokio::test]
async fn a_delay_is_waited_out_in_its_direction() {
    let proxy = proxy().await;
    let mut stream = connect(&proxy).await;
    say(&mut stream, b"warm").await;
    proxy.set(Direction::ToClient, Mode::Delay(SHORT));
    let begun = Instant::now();
    say(&mut stream, b"slow").await;
    assert!(begun.elapsed() >= SHORT);
    proxy.set(Direction::ToClient, Mode::Delay(Duration::from_secs(3600)));
    stream.write_all(b"freed").await.unwrap();
    until(|| proxy.received(Direction::ToClient) == 13).await;
    assert_eq!(proxy.forwarded(Direction::ToClient), 8);
    // What waits is let go by the next mode.
    proxy.set(Direction::ToClient, Mode::Pass);
    let mut answer = [0; 5];
    timeout(LONG, stream.read_exact(&mut answer))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(&answer, b"freed");
}

#[tokio::test]
async fn a_throttle_limits_bytes_per_second() {
    let proxy = proxy().await;
    let mut stream = connect(&proxy).await;
    proxy.set(Direction::ToServer, Mode::Throttle(10_000));
    let begun = Instant::now();
    say(&mut stream, &[7; 2000]).await;
    let took = begun.elapsed();
    assert!(took >= Duration::from_millis(190), "{took:?}");
    proxy.set(Direction::ToServer, Mode::Throttle(0));
    stream.write_all(b"stuck").await.unwrap();
    until(|| proxy.received(Direction::ToServer) == 2005).await;
    assert_eq!(proxy.forwarded(Direction::ToServer), 2000);
}

#[tokio::test]
async fn a_cut_ends_both_sides_in_order_after_so_many_bytes() {
    let proxy = proxy().await;
    proxy.set(Direction::ToClient, Mode::CutAfter(10));
    let mut stream = connect(&proxy).await;
    stream.write_all(&[1; 100]).await.unwrap();
    assert_eq!(rest(&mut stream).await, (vec![1; 10], Ok(())));
    assert_eq!(proxy.forwarded(Direction::ToClient), 10);
    drop(stream);
    until(|| proxy.open_connections() == 0).await;
}

#[tokio::test]
async fn a_cut_towards_the_server_ends_the_client_too() {
    let proxy = proxy().await;
    proxy.set(Direction::ToServer, Mode::CutAfter(10));
    let mut stream = connect(&proxy).await;
    stream.write_all(&[1; 100]).await.unwrap();
    let (received, end) = rest(&mut stream).await;
    assert!(received.len() <= 10);
    assert_eq!(end, Ok(()));
    assert_eq!(proxy.forwarded(Direction::ToServer), 10);
}

#[tokio::test]
async fn a_cut_takes_an_idle_connection_at_once() {
    let proxy = proxy().await;
    let mut stream = connect(&proxy).await;
    say(&mut stream, b"hello").await;
    proxy.set(Direction::ToClient, Mode::CutAfter(0));
    assert_eq!(rest(&mut stream).await, (Vec::new(), Ok(())));
}

#[tokio::test]
async fn a_reset_is_an_error_on_both_sides() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let proxy = Proxy::start(listener.local_addr().unwrap()).await.unwrap();
    let mut client = connect(&proxy).await;
    let (mut server, _) = listener.accept().await.unwrap();
    proxy.set(Direction::ToClient, Mode::ResetAfter(10));
    server.write_all(&[1; 100]).await.unwrap();
    let (received, end) = rest(&mut client).await;
    assert!(received.len() <= 10);
    assert_eq!(end, Err(ErrorKind::ConnectionReset));
    assert_eq!(rest(&mut server).await.1, Err(ErrorKind::ConnectionReset));
    until(|| proxy.open_connections() == 0).await;
}

#[tokio::test]
async fn a_server_that_resets_is_passed_on_as_a_reset() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let proxy = Proxy::start(listener.local_addr().unwrap()).await.unwrap();
    let mut client = connect(&proxy).await;
    let (server, _) = listener.accept().await.unwrap();
    server.set_zero_linger().unwrap();
    drop(server);
    assert_eq!(rest(&mut client).await.1, Err(ErrorKind::ConnectionReset));
}

#[tokio::test]
async fn a_half_open_connection_takes_everything_and_answers_nothing() {
    let proxy = proxy().await;
    proxy.set_both(Mode::Swallow);
    let mut stream = connect(&proxy).await;
    stream.write_all(b"hello").await.unwrap();
    until(|| proxy.received(Direction::ToServer) == 5).await;
    assert!(timeout(SHORT, stream.read_u8()).await.is_err());
    assert_eq!(proxy.forwarded(Direction::ToServer), 0);
    assert_eq!(proxy.open_connections(), 1);
}

#[tokio::test]
async fn an_answer_alone_can_be_swallowed_with_its_end() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let proxy = Proxy::start(listener.local_addr().unwrap()).await.unwrap();
    proxy.set(Direction::ToClient, Mode::Swallow);
    let mut client = connect(&proxy).await;
    let (mut server, _) = listener.accept().await.unwrap();
    client.write_all(b"do it").await.unwrap();
    let mut request = [0; 5];
    server.read_exact(&mut request).await.unwrap();
    server.write_all(b"done").await.unwrap();
    drop(server);
    until(|| proxy.received(Direction::ToClient) == 4).await;
    assert!(timeout(SHORT, client.read_u8()).await.is_err());
    assert_eq!(proxy.forwarded(Direction::ToClient), 0);
}

#[tokio::test]
async fn connections_are_refused_and_admitted_again() {
    let proxy = proxy().await;
    let mut open = connect(&proxy).await;
    say(&mut open, b"hello").await;
    for _ in 0..2 {
        proxy.refuse().await.unwrap();
        proxy.refuse().await.unwrap();
        let refused = TcpStream::connect(proxy.address()).await.unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
        assert_eq!(say(&mut open, b"still here").await, b"still here");
        proxy.admit().await.unwrap();
        proxy.admit().await.unwrap();
        say(&mut connect(&proxy).await, b"again").await;
    }
    assert_eq!(proxy.connections(), 3);
}

#[tokio::test]
async fn the_next_connection_alone_can_be_broken() {
    let proxy = proxy().await;
    let mut before = connect(&proxy).await;
    say(&mut before, b"hello").await;
    proxy.set_next(Direction::ToClient, Mode::CutAfter(3));
    let mut broken = connect(&proxy).await;
    broken.write_all(b"hello").await.unwrap();
    assert_eq!(rest(&mut broken).await, (b"hel".to_vec(), Ok(())));
    assert_eq!(say(&mut connect(&proxy).await, b"hello").await, b"hello");
    assert_eq!(say(&mut before, b"hello").await, b"hello");
}

#[tokio::test]
async fn a_server_that_is_not_there_resets_the_client() {
    let gone = {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        listener.local_addr().unwrap()
    };
    let proxy = Proxy::start(gone).await.unwrap();
    let mut stream = connect(&proxy).await;
    assert_eq!(rest(&mut stream).await.1, Err(ErrorKind::ConnectionReset));
}

#[tokio::test]
async fn everything_ends_with_the_proxy() {
    let proxy = proxy().await;
    let address = proxy.address();
    let mut stream = connect(&proxy).await;
    say(&mut stream, b"hello").await;
    drop(proxy);
    assert_eq!(rest(&mut stream).await, (Vec::new(), Ok(())));
    timeout(LONG, async {
        while TcpStream::connect(address).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await
    .unwrap();
}

/// Notes what passes, and ends the connection on which the server says `bye`.
#[derive(Debug, Default)]
struct Listener(Mutex<Vec<(u64, Direction, Vec<u8>)>>);

#[async_trait]
impl Tap for Listener {
    async fn on(&self, portion: &Portion<'_>) -> Verdict {
        let seen = (portion.connection, portion.direction, portion.bytes.to_vec());
        self.0.lock().unwrap().push(seen);
        match (portion.direction, portion.bytes) {
            (Direction::ToClient, b"bye") => Verdict::Cut,
            (Direction::ToServer, b"now") => Verdict::Reset,
            _ => Verdict::Pass,
        }
    }
}

#[tokio::test]
async fn a_tap_sees_every_portion_and_says_what_is_lost() {
    let tap = Arc::new(Listener::default());
    let proxy = Proxy::start_tapped(echo().await, Arc::<Listener>::clone(&tap))
        .await
        .unwrap();
    let mut first = connect(&proxy).await;
    assert_eq!(say(&mut first, b"hello").await, b"hello");
    let mut second = connect(&proxy).await;
    assert_eq!(say(&mut second, b"you").await, b"you");
    first.write_all(b"bye").await.unwrap();
    assert_eq!(rest(&mut first).await, (Vec::new(), Ok(())));
    second.write_all(b"now").await.unwrap();
    assert_eq!(rest(&mut second).await.1, Err(ErrorKind::ConnectionReset));
    let (up, down) = (Direction::ToServer, Direction::ToClient);
    let expected: [(u64, Direction, &[u8]); 7] = [
        (1, up, b"hello"),
        (1, down, b"hello"),
        (2, up, b"you"),
        (2, down, b"you"),
        (1, up, b"bye"),
        (1, down, b"bye"),
        (2, up, b"now"),
    ];
    let expected = expected.map(|(connection, direction, bytes)| (connection, direction, bytes.to_vec()));
    assert_eq!(*tap.0.lock().unwrap(), expected);
    // What was to be lost never arrived.
    assert_eq!((proxy.forwarded(up), proxy.forwarded(down)), (11, 8));
}
