//! Two processes on one task: one is paused within a load and wakes up after the other has taken over.

use std::process::Child;
use std::time::Duration;

use async_trait::async_trait;
use connector_core::{ErrorKind, Retry};
use connector_testkit::faults::proxy::{Portion, Proxy, Verdict};
use tokio::sync::{mpsc, oneshot};

use crate::child::{CUT_OFF, OVERTAKEN, signal, spawn};
use crate::sample::step;
use crate::scenario::Kind;
use crate::wire::{At, BEFORE_THE_LOAD, Fault, Place, holds};
use crate::world::{World, ran};

pub(crate) async fn woken_after_takeover_of_an_append() {
    woken_at_every_packet(Kind::Append).await;
}

pub(crate) async fn woken_after_takeover_of_an_upsert() {
    woken_at_every_packet(Kind::Upsert).await;
}

pub(crate) async fn woken_after_takeover_of_an_overwrite() {
    woken_at_every_packet(Kind::Overwrite).await;
}

/// Holds a portion until it is told to let it go.
struct Hold(mpsc::UnboundedSender<Held>);

struct Held {
    /// Whether the portion says COMMIT.
    commits: bool,
    go: oneshot::Sender<()>,
}

#[async_trait]
impl Fault for Hold {
    async fn strike(&self, portion: &Portion<'_>) -> Verdict {
        let (go, gone) = oneshot::channel();
        let commits = holds(portion.bytes, b"COMMIT\0");
        // Nobody listens any more only when the trial is over.
        if self.0.send(Held { commits, go }).is_ok() {
            let _ = gone.await;
        }
        Verdict::Pass
    }
}

/// A process that is held at a packet, and stopped.
struct Paused {
    child: Child,
    held: Held,
    _proxy: Proxy,
}

impl Paused {
    /// Starts a load and pauses it; `None` if it has no such packet.
    async fn at(world: &World, kind: Kind, place: Place) -> Option<Self> {
        let (sender, mut receiver) = mpsc::unbounded_channel();
        let tap = At::new(place, Hold(sender));
        let proxy = tap.proxy(world.server()).await;
        let mut child = spawn(kind, &world.through(proxy.address()), None);
        loop {
            if let Ok(held) = receiver.try_recv() {
                signal("STOP", child.id());
                return Some(Self {
                    child,
                    held,
                    _proxy: proxy,
                });
            }
            if let Some(ended) = child.try_wait().unwrap() {
                assert!(ended.success() && !tap.struck(), "{kind:?}, {place:?}: {ended}");
                return None;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    /// Wakes it up; its exit code.
    async fn wake(mut self) -> Option<i32> {
        // It may have been woken already; a process that runs is not disturbed.
        let _ = self.held.go.send(());
        signal("CONT", self.child.id());
        let ended = tokio::task::spawn_blocking(move || self.child.wait().unwrap());
        ended.await.unwrap().code()
    }
}

/// Ends the session that holds the lease, and that one only: the session of the transaction lives on.
async fn end_lease(world: &World) {
    world
        .run(
            "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted
              AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
        )
        .await;
    world
        .until(
            "SELECT count(*) = 0 FROM pg_locks WHERE locktype = 'advisory'
                AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
        )
        .await;
}

/// Whether a session waits for a lock that another one holds.
const WAITS: &str = "SELECT count(*) > 0 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";

/// Pauses a process at each packet of its load, in either direction: before the server has it, and after the server
/// has answered it. Another process takes over and goes as far as it can; then the first one is woken.
async fn woken_at_every_packet(kind: Kind) {
    let world = World::shared().await;
    let (mut paused, mut overtaken, mut waited, mut commits) = (0, 0, 0, 0);
    for number in (1..).step_by(step(9)) {
        let what = format!("{kind:?}, paused at packet {number}");
        world.reset(kind).await;
        let Some(zombie) = Paused::at(&world, kind, Place::Any(number)).await else {
            break;
        };
        paused += 1;
        let [woken, ..] = race(&world, kind, zombie, &what, &mut waited, &mut commits).await;
        overtaken += u32::from(woken == Some(OVERTAKEN));
    }
    println!(
        "{kind:?}: {paused} pauses, {commits} at commits; {overtaken} were overtaken, {waited} were waited for"
    );
    assert!(overtaken > 1, "only {overtaken} of {paused} were overtaken");
}

/// The same at each COMMIT, before the server has it and after it has made it.
pub(crate) async fn woken_at_every_commit() {
    let world = World::shared().await;
    let (mut overtaken, mut waited, mut commits) = (0, 0, 0);
    for kind in Kind::ALL {
        let places = (1..).flat_map(|number| [Place::Commit(number), Place::CommitAnswer(number)]);
        for place in places {
            let what = format!("{kind:?}, paused at {place:?}");
            world.reset(kind).await;
            let Some(zombie) = Paused::at(&world, kind, place).await else {
                break;
            };
            let [woken, taken] = race(&world, kind, zombie, &what, &mut waited, &mut commits).await;
            assert_eq!(taken, Some(0), "{what}");
            overtaken += u32::from(woken == Some(OVERTAKEN));
        }
    }
    println!("{commits} pauses at commits; {overtaken} were overtaken, {waited} were waited for");
    // Each load has four commits and more.
    assert!(commits >= 2 * 4 * 4, "only {commits} commits");
    assert!(overtaken >= 12, "only {overtaken} of {commits} were overtaken");
}

/// Takes the task over from a paused process, wakes that one, and looks at what both have done. Their exit codes.
async fn race(
    world: &World,
    kind: Kind,
    zombie: Paused,
    what: &str,
    waited: &mut u32,
    commits: &mut u32,
) -> [Option<i32>; 2] {
    *commits += u32::from(zombie.held.commits);
    end_lease(world).await;
    let mut heir = spawn(kind, &world.config, None);
    let taken = loop {
        if let Some(ended) = heir.try_wait().unwrap() {
            break Some(ended);
        }
        // The paused one's transaction holds what the other one needs: it cannot be overtaken before that has ended.
        if world.line(WAITS).await == "t" {
            *waited += 1;
            break None;
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    };
    let ahead = taken.is_some();
    if let Some(taken) = taken {
        assert!(taken.success(), "{what}: the one that took over: {taken}");
        world.check_end(kind, what).await;
    }
    let woken = zombie.wake().await;
    let taken = match taken {
        Some(taken) => taken,
        None => tokio::task::spawn_blocking(move || heir.wait().unwrap())
            .await
            .unwrap(),
    };
    // The session that was ended is the claim's own as long as it is being made.
    assert!(
        matches!(woken, Some(0 | OVERTAKEN | CUT_OFF)),
        "{what}: the woken one: {woken:?}"
    );
    // One of them went to the end, and nothing was done twice.
    assert!(
        taken.success() || (!ahead && woken == Some(0) && taken.code() == Some(OVERTAKEN)),
        "{what}: the one that took over: {taken}, the woken one: {woken:?}"
    );
    world.check_end(kind, what).await;
    world.until_gone().await;
    [woken, taken.code()]
}

/// A paused process whose session lives keeps its task: the other one is refused, and told who holds it.
pub(crate) async fn a_paused_process_with_a_living_session_keeps_its_task() {
    let world = World::shared().await;
    let kind = Kind::Append;
    world.reset(kind).await;
    let paused = Paused::at(&world, kind, Place::Commit(BEFORE_THE_LOAD + 2))
        .await
        .unwrap();
    let error = ran(&kind.job(world.connector())).await.unwrap_err();
    assert_eq!((error.kind(), error.retry()), (ErrorKind::Conflict, Retry::Never));
    let holder = format!(
        "the task `load/lead` is held by process {} since ",
        paused.child.id()
    );
    assert!(error.message().starts_with(&holder), "{}", error.report());
    world.check_between(kind, "while it is held").await;
    assert_eq!(paused.wake().await, Some(0));
    world.check_end(kind, "after the paused one woke").await;
}

/// Whoever comes second is refused, or finds what the first one has done.
pub(crate) async fn eight_processes_at_once_do_everything_once() {
    let world = World::shared().await;
    for kind in Kind::ALL {
        for round in 0..3 {
            world.reset(kind).await;
            let children: Vec<Child> = (0..8).map(|_| spawn(kind, &world.config, None)).collect();
            let mut codes = Vec::new();
            for mut child in children {
                let ended = tokio::task::spawn_blocking(move || child.wait().unwrap());
                codes.push(ended.await.unwrap().code().unwrap());
            }
            let what = format!("{kind:?}, round {round}: {codes:?}");
            assert!(codes.iter().all(|&code| code == 0 || code == OVERTAKEN), "{what}");
            assert!(codes.contains(&0), "{what}");
            world.check_end(kind, &what).await;
        }
    }
}
