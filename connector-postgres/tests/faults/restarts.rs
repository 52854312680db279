//! Servers that stop within a load, crash, or only read.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use connector_core::{ErrorKind, ReadRequest, Retry, RetryPolicy, Selection, Source, TaskId};
use connector_postgres::Postgres;
use connector_testkit::faults::proxy::{Portion, Verdict};
use connector_testkit::postgres::{Postgres as Server, Stop};
use sync_engine::{NoObserver, run};

use crate::child::signal;
use crate::sample::step;
use crate::scenario::{Kind, once};
use crate::sessions::assert_passing;
use crate::wire::{At, BEFORE_THE_LOAD, Fault, Place};
use crate::world::{World, connect, own_server, ran};

/// Restarts the server.
struct Restart {
    server: Arc<Mutex<Server>>,
    stop: Stop,
}

#[async_trait]
impl Fault for Restart {
    async fn strike(&self, _: &Portion<'_>) -> Verdict {
        let (server, stop) = (Arc::clone(&self.server), self.stop);
        tokio::task::spawn_blocking(move || server.lock().unwrap().restart(stop).unwrap())
            .await
            .unwrap();
        Verdict::Pass
    }
}

/// Stops the server at once within a load, and starts it again: what was committed is there, what was not is not, and
/// a patient run goes on by itself.
pub(crate) async fn an_immediate_restart_within_a_load() {
    let server = own_server(&[]);
    let url = server.url().to_owned();
    let server = Arc::new(Mutex::new(server));
    let mut world = World::on(&url).await;
    let (mut struck, mut failed) = (0, 0);
    for kind in Kind::ALL {
        for number in (3..).step_by(step(90)) {
            let stop = [Stop::Immediate, Stop::Fast][struck % 4 / 3];
            let patient = struck % 2 == 0;
            let what = format!("{kind:?}, {stop:?} at packet {number}");
            world.reset(kind).await;
            let server = Arc::clone(&server);
            let tap = At::new(Place::Any(number), Restart { server, stop });
            let proxy = tap.proxy(world.server()).await;
            let job = kind.job(Arc::new(Postgres::new(world.through(proxy.address())).unwrap()));
            if patient {
                // Other sessions see the server go before it is there again.
                let options = once().with_retry(RetryPolicy {
                    max_attempts: 200,
                    first_pause: std::time::Duration::from_millis(50),
                    longest_pause: std::time::Duration::from_millis(500),
                });
                let report = run(&[job], &options, &NoObserver).await;
                let errors: Vec<String> = report.jobs[0]
                    .errors()
                    .map(|error| error.report().to_string())
                    .collect();
                assert!(errors.is_empty(), "{what}: {}", errors.join("\n"));
            } else if let Err(error) = ran(&job).await {
                failed += 1;
                assert_passing(&error, &what);
            }
            if !tap.struck() {
                break;
            }
            struck += 1;
            world.reconnect().await;
            world.until_idle().await;
            world.check_between(kind, &what).await;
            world.rerun(kind, &what).await;
        }
    }
    println!("{struck} restarts, {failed} single tries failed");
    assert!(
        struck >= 8 && failed >= 3,
        "{struck} restarts, {failed} single tries failed"
    );
}

/// Kills the server process of the session that is about to be served.
struct KillBackend(String);

#[async_trait]
impl Fault for KillBackend {
    async fn strike(&self, _: &Portion<'_>) -> Verdict {
        let sql = "SELECT pid FROM pg_stat_activity WHERE datname = current_database()
                   AND application_name = 'connector-postgres' ORDER BY state_change DESC LIMIT 1";
        let row = connect(&self.0).await.query_one(sql, &[]).await.unwrap();
        signal("KILL", row.get::<_, i32>(0) as u32);
        Verdict::Pass
    }
}

/// Kill -9 of a server process: the server ends every session and recovers.
pub(crate) async fn a_server_process_that_is_killed() {
    let server = own_server(&[]);
    let mut world = World::on(server.url()).await;
    for kind in Kind::ALL {
        for place in [Place::Saying("COPY ", 1), Place::Commit(BEFORE_THE_LOAD + 2)] {
            let what = format!("{kind:?}, a server process killed at {place:?}");
            world.reset(kind).await;
            let tap = At::new(place, KillBackend(world.url.clone()));
            let proxy = tap.proxy(world.server()).await;
            let through = Arc::new(Postgres::new(world.through(proxy.address())).unwrap());
            let error = ran(&kind.job(through)).await.unwrap_err();
            assert!(tap.struck(), "{what}");
            assert_passing(&error, &what);
            world.reconnect().await;
            world.until_idle().await;
            world.check_between(kind, &what).await;
            world.rerun(kind, &what).await;
        }
    }
}

/// A replica that only reads is told as that, can be read, and can be written once it is the primary.
pub(crate) async fn a_replica_that_becomes_the_primary() {
    let mut server = own_server(&[]);
    let kind = Kind::Upsert;
    for has_states in [false, true] {
        let mut world = World::on(server.url()).await;
        world.reset(kind).await;
        if has_states {
            let task = TaskId::new("other", "task");
            let holder = connector_core::Holder::new("somebody");
            let store = world.connector().state_store().unwrap();
            drop(store.claim(&task, &holder).await.unwrap());
        }
        let data = world.line("SHOW data_directory").await;
        std::fs::write(format!("{data}/standby.signal"), "").unwrap();
        server.restart(Stop::Fast).unwrap();
        world.reconnect().await;
        assert_eq!(world.line("SELECT pg_is_in_recovery()").await, "t");

        let error = ran(&kind.job(world.connector())).await.unwrap_err();
        assert_eq!(
            (error.kind(), error.retry()),
            (ErrorKind::Forbidden, Retry::Never),
            "{}",
            error.report()
        );
        assert!(
            error.message().ends_with("in a read-only transaction"),
            "{}",
            error.report()
        );
        assert!(
            error
                .help()
                .unwrap()
                .starts_with("name the primary as `server` if this is a replica"),
            "{}",
            error.report()
        );
        let postgres = Postgres::new(world.config.clone()).unwrap();
        let request = ReadRequest::new(Selection::stream("t"), TaskId::new("read", "t"));
        let mut reader = postgres.reader(request).await.unwrap();
        assert!(reader.next().await.unwrap().is_some());
        drop(reader);
        world.check_between(kind, "on the replica").await;

        world.run("SELECT pg_promote()").await;
        world.rerun(kind, "once promoted").await;
    }
}

/// So is a user, a database or a server whose transactions only read by default.
pub(crate) async fn transactions_that_only_read() {
    let world = World::shared().await;
    let name = world.name();
    for kind in Kind::ALL {
        world.reset(kind).await;
        world
            .run(&format!(
                "ALTER ROLE {name} SET default_transaction_read_only = on"
            ))
            .await;
        let error = ran(&kind.job(world.connector())).await.unwrap_err();
        assert_eq!(
            (error.kind(), error.retry()),
            (ErrorKind::Forbidden, Retry::Never),
            "{}",
            error.report()
        );
        assert!(
            error.help().unwrap().contains("default_transaction_read_only"),
            "{}",
            error.report()
        );
        world.until_idle().await;
        world.check_between(kind, "while it only reads").await;
        world
            .run(&format!("ALTER ROLE {name} RESET default_transaction_read_only"))
            .await;
        world.rerun(kind, "once it may write").await;
    }
}
