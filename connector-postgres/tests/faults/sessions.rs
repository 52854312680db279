//! Sessions that end within a load, and answers that are lost.

use std::sync::Arc;

use async_trait::async_trait;
use connector_core::{
    Connector, Destination, Error, ErrorKind, Retry, RetryPolicy, TaskId, WriteMode, WriteRequest,
};
use connector_postgres::Postgres;
use connector_testkit::faults::proxy::{Portion, Verdict};
use sync_engine::{NoObserver, run};

use crate::sample::step;
use crate::scenario::{Kind, once, source};
use crate::wire::{At, BEFORE_THE_LOAD, Fault, Place};
use crate::world::{World, connect, ran};

pub(crate) async fn ended_at_every_packet_of_a_new_table() {
    ended_at_every_packet(Kind::New).await;
}

pub(crate) async fn ended_at_every_packet_of_an_append() {
    ended_at_every_packet(Kind::Append).await;
}

pub(crate) async fn ended_at_every_packet_of_an_upsert() {
    ended_at_every_packet(Kind::Upsert).await;
}

pub(crate) async fn ended_at_every_packet_of_an_overwrite() {
    ended_at_every_packet(Kind::Overwrite).await;
}

/// How a session ends.
#[derive(Clone, Copy, Debug)]
pub(crate) enum End {
    /// An administrator ends every session of the loader.
    Terminated,
    /// The connection is closed.
    Closed,
    /// The connection is reset.
    Reset,
}

/// Ends sessions.
pub(crate) struct Ending {
    pub(crate) end: End,
    /// The superuser's URL.
    pub(crate) url: String,
}

#[async_trait]
impl Fault for Ending {
    async fn strike(&self, _: &Portion<'_>) -> Verdict {
        match self.end {
            End::Closed => Verdict::Cut,
            End::Reset => Verdict::Reset,
            End::Terminated => {
                terminate(&self.url).await;
                Verdict::Pass
            }
        }
    }
}

/// Ends every session of the loader.
async fn terminate(url: &str) {
    let sql = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
               WHERE datname = current_database() AND application_name = 'connector-postgres'";
    connect(url).await.batch_execute(sql).await.unwrap();
}

/// What a session that ended must be told as: it may pass, and what to do.
#[track_caller]
pub(crate) fn assert_passing(error: &Error, what: &str) {
    let report = error.report().to_string();
    assert_eq!(
        (error.kind(), error.retry()),
        (ErrorKind::Unavailable, Retry::Backoff),
        "{what}: {report}"
    );
    assert!(error.help().is_some(), "{what}: {report}");
    assert!(!error.message().contains('\n'), "{what}: {report}");
}

/// Ends sessions at each packet: a single try says so and leaves a whole commit or nothing of it; three tries go on by
/// themselves.
async fn ended_at_every_packet(kind: Kind) {
    let world = World::shared().await;
    let ends = [End::Terminated, End::Closed, End::Reset];
    let (mut struck, mut failed) = (0, 0);
    for number in (1..).step_by(step(12)) {
        let end = ends[struck % ends.len()];
        let ending = || Ending {
            end,
            url: world.url.clone(),
        };
        let what = format!("{kind:?}, {end:?} at packet {number}");
        world.reset(kind).await;
        let tap = At::new(Place::Any(number), ending());
        let proxy = tap.proxy(world.server()).await;
        let through = Arc::new(Postgres::new(world.through(proxy.address())).unwrap());
        let result = ran(&kind.job(through)).await;
        if !tap.struck() {
            result.unwrap();
            break;
        }
        struck += 1;
        if let Err(error) = result {
            failed += 1;
            assert_passing(&error, &what);
        }
        world.until_idle().await;
        world.check_between(kind, &what).await;
        world.rerun(kind, &what).await;

        world.reset(kind).await;
        let tap = At::new(Place::Any(number), ending());
        let proxy = tap.proxy(world.server()).await;
        let through = Arc::new(Postgres::new(world.through(proxy.address())).unwrap());
        let patient = once().with_retry(RetryPolicy {
            max_attempts: 3,
            first_pause: std::time::Duration::from_millis(1),
            longest_pause: std::time::Duration::from_millis(1),
        });
        let report = run(&[kind.job(through)], &patient, &NoObserver).await;
        let errors: Vec<String> = report.jobs[0]
            .errors()
            .map(|error| error.report().to_string())
            .collect();
        assert!(errors.is_empty(), "{what}: {}", errors.join("\n"));
        world.check_end(kind, &what).await;
    }
    println!("{kind:?}: sessions ended at {struck} packets, {failed} tries failed");
    assert!(failed > 5, "only {failed} of {struck} tries failed");
}

/// A COMMIT that never arrived is not reported as done; one whose answer was lost is, and nothing is done twice.
pub(crate) async fn commits_without_an_answer() {
    let world = World::shared().await;
    for kind in Kind::ALL {
        for number in 1.. {
            let end = [End::Closed, End::Reset][number as usize % 2];
            let mut struck = false;
            for place in [Place::Commit(number), Place::CommitAnswer(number)] {
                let what = format!("{kind:?}, {place:?} lost");
                world.reset(kind).await;
                let url = world.url.clone();
                let tap = At::new(place, Ending { end, url });
                let proxy = tap.proxy(world.server()).await;
                let through = Arc::new(Postgres::new(world.through(proxy.address())).unwrap());
                let result = ran(&kind.job(through)).await;
                struck = tap.struck();
                if !struck {
                    result.unwrap();
                    break;
                }
                match (place, result) {
                    // The first ones make the schema of states and the claim; what could not be pruned waits.
                    (_, result) if number <= BEFORE_THE_LOAD => {
                        if let Err(error) = result {
                            assert_passing(&error, &what);
                        }
                    }
                    (Place::Commit(_), Err(error)) => {
                        assert_passing(&error, &what);
                        assert_eq!(
                            error.message(),
                            "the connection to PostgreSQL broke, trying to commit",
                            "{what}"
                        );
                        // It was read back: nothing of it was kept.
                        assert!(!error.may_have_applied(), "{what}");
                    }
                    // It was read back: the run went on.
                    (Place::CommitAnswer(_), Ok(_)) => world.check_end(kind, &what).await,
                    (_, Ok(_)) => panic!("{what}: reported as done"),
                    (_, Err(error)) => panic!("{what}: {}", error.report()),
                }
                world.until_idle().await;
                world.check_between(kind, &what).await;
                world.rerun(kind, &what).await;
            }
            if !struck {
                assert!(number > BEFORE_THE_LOAD + 3, "only {number} commits");
                break;
            }
        }
    }
}

/// The answer is lost, and so is every way to ask.
struct LastWords(tokio::sync::watch::Sender<bool>);

#[async_trait]
impl Fault for LastWords {
    async fn strike(&self, _: &Portion<'_>) -> Verdict {
        self.0.send_replace(true);
        // Until the door is shut.
        self.0.subscribe().wait_for(|lost| !lost).await.unwrap();
        Verdict::Cut
    }
}

/// A commit that can neither be confirmed nor denied says that it may have been made.
pub(crate) async fn a_commit_that_cannot_be_read_back() {
    let world = World::shared().await;
    let kind = Kind::Append;
    world.reset(kind).await;
    let lost = tokio::sync::watch::Sender::new(false);
    let tap = At::new(Place::CommitAnswer(BEFORE_THE_LOAD + 2), LastWords(lost.clone()));
    let proxy = tap.proxy(world.server()).await;
    let through = Arc::new(Postgres::new(world.through(proxy.address())).unwrap());
    let shut = async {
        lost.subscribe().wait_for(|lost| *lost).await.unwrap();
        proxy.refuse().await.unwrap();
        lost.send_replace(false);
    };
    let job = kind.job(through);
    let (result, ()) = tokio::join!(ran(&job), shut);
    let error = result.unwrap_err();
    assert_passing(&error, "a commit that cannot be read back");
    assert!(error.may_have_applied(), "{}", error.report());
    assert_eq!(
        error.message(),
        format!("nobody answers at {} (connection refused)", proxy.address())
    );
    assert!(
        error
            .context()
            .contains(&("after", "a commit without an answer".to_owned())),
        "{}",
        error.report()
    );
    // It was made: two batches in all.
    assert_eq!(world.covered().await, 18);
    world.check_between(kind, "before the rerun").await;
    world.rerun(kind, "after the rerun").await;
}

/// Nobody can ask after the commit of a write without a fence, or of a script.
pub(crate) async fn commits_without_a_fence() {
    let world = World::shared().await;
    let kind = Kind::Append;
    world.reset(kind).await;
    let lost = || async {
        let url = world.url.clone();
        let tap = At::of_everything(
            Place::CommitAnswer(1),
            Ending {
                end: End::Closed,
                url,
            },
        );
        let proxy = tap.proxy(world.server()).await;
        let postgres = Postgres::new(world.through(proxy.address())).unwrap();
        (proxy, postgres)
    };
    let (_proxy, postgres) = lost().await;
    let source = source();
    let schema = source
        .describe(&connector_core::Selection::stream("lead"))
        .await
        .unwrap()
        .schema;
    let task = TaskId::new("unfenced", "t");
    let request = WriteRequest::new(
        connector_core::StreamName::new("t"),
        schema,
        WriteMode::Insert,
        task,
    );
    let mut writer = postgres.writer(request).await.unwrap();
    writer.write(source.rows("lead").unwrap()).await.unwrap();
    let error = writer.commit(None).await.unwrap_err();
    assert_passing(&error, "a commit without a fence");
    assert!(error.may_have_applied(), "{}", error.report());
    assert_eq!(world.line("SELECT count(*) FROM t").await, "29");

    let (_proxy, postgres) = lost().await;
    let error = postgres
        .statements()
        .unwrap()
        .execute("INSERT INTO t VALUES (99)")
        .await
        .unwrap_err();
    assert_passing(&error, "a script");
    assert!(error.may_have_applied(), "{}", error.report());
    assert_eq!(world.line("SELECT count(*) FROM t WHERE id = 99").await, "1");
}
