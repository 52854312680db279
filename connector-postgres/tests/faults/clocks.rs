//! Clocks that jump: who may commit, and from where a run goes on, depends on no time.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use connector_core::value::Instant;
use connector_core::{Clock, ErrorKind, SystemClock};
use connector_postgres::Postgres;
use connector_testkit::faults::proxy::{Portion, Verdict};
use sync_engine::{NoObserver, run};

use crate::scenario::{Kind, once};
use crate::wire::{At, Fault, Place};
use crate::world::{World, connect, ran};

/// Sets every time that the schema of states holds, as a server whose clock has jumped would have set it.
struct Jump {
    url: String,
    to: &'static str,
}

impl Jump {
    /// Rejections are left: what is old of them is pruned.
    fn sql(to: &str) -> String {
        format!(
            "UPDATE sync.task SET claimed_at = '{to}', committed_at = '{to}'; UPDATE sync.ticket SET opened_at = '{to}'"
        )
    }
}

#[async_trait]
impl Fault for Jump {
    async fn strike(&self, _: &Portion<'_>) -> Verdict {
        connect(&self.url)
            .await
            .batch_execute(&Self::sql(self.to))
            .await
            .unwrap();
        Verdict::Pass
    }
}

/// The server's clock seems to have jumped, between two commits and between two runs.
pub(crate) async fn a_server_whose_clock_jumps() {
    let world = World::shared().await;
    for kind in Kind::ALL {
        for to in ["1999-12-31", "2199-01-01", "infinity"] {
            let what = format!("{kind:?}, {to}");
            world.reset(kind).await;
            let url = world.url.clone();
            let tap = At::new(Place::Saying("BEGIN; SET CONSTRAINTS", 2), Jump { url, to });
            let proxy = tap.proxy(world.server()).await;
            let job = kind.job(Arc::new(Postgres::new(world.through(proxy.address())).unwrap()));
            let store = world.connector().state_store().unwrap();
            ran(&job).await.unwrap();
            assert!(tap.struck());
            world.check_end(kind, &what).await;
            world.run(&Jump::sql(to)).await;
            world.rerun(kind, &what).await;
            if kind != Kind::Append {
                continue;
            }
            // A held task is refused, one that is free is not, whenever it was claimed.
            let task = connector_core::TaskId::new("load", "lead");
            let holder = connector_core::Holder::new("this trial");
            let claim = store.claim(&task, &holder).await.unwrap();
            world.run(&Jump::sql(to)).await;
            let error = ran(&kind.job(world.connector())).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Conflict, "{what}: {}", error.report());
            drop(claim);
            world.rerun(kind, &what).await;
        }
    }
}

/// A clock that goes three days forth and back with every look.
#[derive(Debug, Default)]
struct Jumping(AtomicI64);

#[async_trait]
impl Clock for Jumping {
    fn now(&self) -> Instant {
        let looks = self.0.fetch_add(1, Ordering::Relaxed);
        let days = [0, 3, -3][looks as usize % 3];
        let micros = SystemClock.now().unix_micros() + days * 86_400_000_000;
        Instant::from_unix_micros(micros)
    }

    async fn sleep(&self, duration: Duration) {
        SystemClock.sleep(duration).await;
    }
}

/// The clock of the process that runs the load jumps.
pub(crate) async fn a_process_whose_clock_jumps() {
    let world = World::shared().await;
    for kind in Kind::ALL {
        world.reset(kind).await;
        let options = once().with_clock(Arc::new(Jumping::default()));
        let report = run(&[kind.job(world.connector())], &options, &NoObserver).await;
        let errors: Vec<String> = report.jobs[0]
            .errors()
            .map(|error| error.report().to_string())
            .collect();
        assert!(errors.is_empty(), "{kind:?}: {}", errors.join("\n"));
        world.check_end(kind, &format!("{kind:?}, a jumping clock")).await;
    }
}
