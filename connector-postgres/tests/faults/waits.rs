//! Other sessions in the way: deadlocks, locks, time limits, isolation.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use connector_core::{Connector, ErrorKind, Holder, Retry, TaskId};
use connector_postgres::Postgres;
use connector_testkit::faults::proxy::{Portion, Verdict};

use crate::scenario::Kind;
use crate::wire::{At, Fault, Place};
use crate::world::{World, connect, ran};

/// Checks what an error is told as, and its code.
#[track_caller]
fn assert_told(error: &connector_core::Error, kind: ErrorKind, code: &str, what: &str) {
    let report = error.report().to_string();
    assert_eq!(
        (error.kind(), error.retry()),
        (kind, Retry::Backoff),
        "{what}: {report}"
    );
    assert!(
        error.context().contains(&("sqlstate", code.to_owned())),
        "{what}: {report}"
    );
    assert!(error.help().is_some(), "{what}: {report}");
    assert!(!error.may_have_applied(), "{what}: {report}");
}

/// Another session has a row that the merge is to change, and wants one that the merge has.
pub(crate) async fn a_deadlock() {
    let world = World::shared().await;
    let kind = Kind::Upsert;
    world.reset(kind).await;
    // The loader is the one that finds out.
    world
        .run(&format!(
            "ALTER ROLE {} SET deadlock_timeout = '2s'",
            world.name()
        ))
        .await;
    let other = world.session().await;
    other
        .batch_execute("SET deadlock_timeout = '1h'; BEGIN; UPDATE t SET n = n WHERE id = 7")
        .await
        .unwrap();
    let job = kind.job(world.connector());
    let crossed = async {
        world
            .until("SELECT count(*) > 0 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'")
            .await;
        other
            .batch_execute("UPDATE t SET n = n WHERE id = 1; ROLLBACK")
            .await
            .unwrap();
    };
    let (result, ()) = tokio::join!(ran(&job), crossed);
    let error = result.unwrap_err();
    assert_told(&error, ErrorKind::Conflict, "40P01", "a deadlock");
    assert_eq!(
        error.message(),
        "PostgreSQL refused to merge rows: deadlock detected"
    );
    world.until_idle().await;
    assert_eq!(world.covered().await, 0);
    world.check_between(kind, "after a deadlock").await;
    world.rerun(kind, "after a deadlock").await;
}

/// Somebody holds the table for longer than the loader may wait.
pub(crate) async fn a_lock_that_is_held_too_long() {
    let world = World::shared().await;
    let mut config = world.config.clone();
    config.lock_timeout = Some(Duration::from_millis(100));
    for kind in [Kind::Append, Kind::Upsert, Kind::Overwrite] {
        let what = format!("{kind:?}, a held table");
        world.reset(kind).await;
        let other = world.session().await;
        other
            .batch_execute("BEGIN; LOCK TABLE t IN SHARE MODE")
            .await
            .unwrap();
        let impatient = Arc::new(Postgres::new(config.clone()).unwrap());
        let error = ran(&kind.job(impatient)).await.unwrap_err();
        assert_told(&error, ErrorKind::Conflict, "55P03", &what);
        assert!(error.help().unwrap().contains("pg_locks"), "{}", error.report());
        world.until_idle().await;
        world.check_between(kind, &what).await;
        other.batch_execute("ROLLBACK").await.unwrap();
        world.rerun(kind, &what).await;
    }
}

/// Somebody holds the task's row, which a commit and a state that is saved end with.
pub(crate) async fn a_state_that_is_held_too_long() {
    let world = World::shared().await;
    let kind = Kind::Append;
    world.reset(kind).await;
    let mut config = world.config.clone();
    config.lock_timeout = Some(Duration::from_millis(100));
    let postgres = Postgres::new(config).unwrap();
    let store = postgres.state_store().unwrap();
    let task = TaskId::new("held", "t");
    let claim = store.claim(&task, &Holder::new("this trial")).await.unwrap();
    let other = world.session().await;
    other
        .batch_execute("BEGIN; UPDATE sync.task SET holder = holder")
        .await
        .unwrap();
    let state =
        connector_core::State::new(connector_core::Identity::new("test", "here"), "s", 1, &1).unwrap();
    let error = store.save(&claim.fence, &state).await.unwrap_err();
    assert_told(&error, ErrorKind::Conflict, "55P03", "a state");
    assert_eq!(world.line("SELECT state IS NULL FROM sync.task").await, "t");
    other.batch_execute("ROLLBACK").await.unwrap();
    store.save(&claim.fence, &state).await.unwrap();
    assert_eq!(world.line("SELECT state ->> 'data' FROM sync.task").await, "1");
}

/// A statement that takes too long is no reason to reject rows.
pub(crate) async fn a_statement_that_takes_too_long() {
    let world = World::shared().await;
    let kind = Kind::Upsert;
    world.reset(kind).await;
    world
        .run("CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(60); RETURN new; END';
              CREATE TRIGGER slow BEFORE INSERT OR UPDATE ON t FOR EACH ROW EXECUTE FUNCTION slow()")
        .await;
    let mut config = world.config.clone();
    config.statement_timeout = Some(Duration::from_millis(1_000));
    let impatient = Arc::new(Postgres::new(config).unwrap());
    let error = ran(&kind.job(impatient)).await.unwrap_err();
    assert_told(&error, ErrorKind::Unavailable, "57014", "a slow merge");
    world.until_idle().await;
    assert_eq!(world.covered().await, 0);
    world.check_between(kind, "after a slow merge").await;
    world.run("DROP TRIGGER slow ON t; DROP FUNCTION slow()").await;
    world.rerun(kind, "after a slow merge").await;
}

/// Changes rows in a session of its own.
struct Change {
    url: String,
    sql: &'static str,
}

#[async_trait]
impl Fault for Change {
    async fn strike(&self, _: &Portion<'_>) -> Verdict {
        connect(&self.url).await.batch_execute(self.sql).await.unwrap();
        Verdict::Pass
    }
}

/// A user whose transactions are serializable by default writes as everybody does: what others commit between two
/// statements is seen by the second, and fails nothing.
pub(crate) async fn a_user_whose_transactions_are_serializable() {
    let world = World::shared().await;
    let kind = Kind::Upsert;
    let name = world.name();
    world.reset(kind).await;
    world
        .run(&format!(
            "ALTER ROLE {name} SET default_transaction_isolation = 'serializable'"
        ))
        .await;
    let change = Change {
        url: world.url.clone(),
        sql: "SET session_replication_role = replica; UPDATE t SET n = n + 5 WHERE id = 3",
    };
    let tap = At::new(Place::Saying("WITH merged AS", 1), change);
    let proxy = tap.proxy(world.server()).await;
    let through = Arc::new(Postgres::new(world.through(proxy.address())).unwrap());
    if let Err(error) = ran(&kind.job(through)).await {
        panic!("{}", error.report());
    }
    assert!(tap.struck());
    world.check_end(kind, "serializable").await;
}
