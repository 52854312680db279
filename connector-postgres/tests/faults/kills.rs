//! Kill -9 at every I/O of a load, a look at what is left, a rerun, and the same table.

use std::os::unix::process::ExitStatusExt;
use std::process::Child;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use connector_testkit::faults::Phase;
use connector_testkit::faults::proxy::{Direction, Portion, Verdict};

use crate::child::spawn;
use crate::sample::step;
use crate::scenario::Kind;
use crate::wire::{At, Fault, Place};
use crate::world::World;

pub(crate) async fn at_every_call_of_a_new_table() {
    at_every_call(Kind::New).await;
}

pub(crate) async fn at_every_call_of_an_append() {
    at_every_call(Kind::Append).await;
}

pub(crate) async fn at_every_call_of_an_upsert() {
    at_every_call(Kind::Upsert).await;
}

pub(crate) async fn at_every_call_of_an_overwrite() {
    at_every_call(Kind::Overwrite).await;
}

pub(crate) async fn at_every_packet_of_a_new_table() {
    at_every_packet(Kind::New).await;
}

pub(crate) async fn at_every_packet_of_an_append() {
    at_every_packet(Kind::Append).await;
}

pub(crate) async fn at_every_packet_of_an_upsert() {
    at_every_packet(Kind::Upsert).await;
}

pub(crate) async fn at_every_packet_of_an_overwrite() {
    at_every_packet(Kind::Overwrite).await;
}

/// Kills before and after each call that the engine makes.
async fn at_every_call(kind: Kind) {
    let world = World::shared().await;
    let mut kills = 0;
    for number in 1.. {
        let mut killed = 0;
        // Before a call is after the one before it: both only where all is tried.
        for phase in [Phase::After, Phase::Before].into_iter().step_by(step(2)) {
            world.reset(kind).await;
            let mut child = spawn(kind, &world.config, Some((number, phase)));
            let ended = child.wait().unwrap();
            let what = format!("{kind:?}, killed {phase} call {number}");
            killed += u32::from(ended.signal() == Some(9));
            assert!(ended.signal() == Some(9) || ended.success(), "{what}: {ended}");
            look_and_rerun(&world, kind, &what).await;
        }
        if killed == 0 {
            break;
        }
        kills += killed;
    }
    println!("{kind:?}: {kills} kills at calls");
    assert!(kills > 30, "only {kills} kills");
}

async fn look_and_rerun(world: &World, kind: Kind, what: &str) {
    world.until_gone().await;
    world.check_between(kind, what).await;
    world.rerun(kind, what).await;
}

/// Kills at each packet between the load and the server: before it is sent, after it was sent, and before what the
/// server answers is there.
async fn at_every_packet(kind: Kind) {
    let world = World::shared().await;
    let (mut kills, mut after_commits) = (0, 0);
    'packets: for number in (1..).step_by(step(10)) {
        for sent in [false, true] {
            world.reset(kind).await;
            let kill = Kill {
                child: Arc::default(),
                sent,
                direction: Mutex::new(None),
            };
            let process = Arc::clone(&kill.child);
            let tap = At::new(Place::Any(number), kill);
            let proxy = tap.proxy(world.server()).await;
            *process.lock().unwrap() = Some(spawn(kind, &world.through(proxy.address()), None));
            let child = Arc::clone(&process);
            let ended = tokio::task::spawn_blocking(move || {
                loop {
                    // Not `wait`: who kills it needs it too.
                    if let Some(ended) = child.lock().unwrap().as_mut().unwrap().try_wait().unwrap() {
                        return ended;
                    }
                    std::thread::sleep(std::time::Duration::from_millis(1));
                }
            })
            .await
            .unwrap();
            let sending = if sent { "sent" } else { "unsent" };
            let what = format!("{kind:?}, killed at packet {number}, {sending}");
            if !tap.struck() {
                assert!(ended.success(), "{what}: {ended}");
                break 'packets;
            }
            assert_eq!(ended.signal(), Some(9), "{what}");
            kills += 1;
            look_and_rerun(&world, kind, &what).await;
            // What comes from the server is lost either way.
            if *tap.fault().direction.lock().unwrap() == Some(Direction::ToClient) {
                after_commits += 1;
                break;
            }
        }
    }
    println!("{kind:?}: {kills} kills at packets, {after_commits} of them before an answer");
    assert!(kills * step(10) > 100, "only {kills} kills");
}

/// Kills a process.
struct Kill {
    child: Arc<Mutex<Option<Child>>>,
    sent: bool,
    direction: Mutex<Option<Direction>>,
}

#[async_trait]
impl Fault for Kill {
    async fn strike(&self, portion: &Portion<'_>) -> Verdict {
        *self.direction.lock().unwrap() = Some(portion.direction);
        let mut child = self.child.lock().unwrap();
        let child = child.as_mut().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
        match self.sent {
            true => Verdict::Pass,
            false => Verdict::Cut,
        }
    }
}
