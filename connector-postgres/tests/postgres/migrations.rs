//! The schema of states, made by an older version and migrated forward.

use std::time::Duration;

use connector_core::{Connector, ErrorKind, Retry, TaskId};
use connector_postgres::Postgres;

use crate::support::{Database, claim, database, refusal, state, try_claim};

/// As the first version made it.
const FIRST: &str = include_str!("../../src/state_schema/001.sql");

/// What the first version may have left there.
const CONTENTS: &str = r#"
    INSERT INTO sync.task VALUES ('job/t', 7, 3, '{"version":1,"source":"test:here","stream":"stream","data":41}', 'older', now(), now());
    INSERT INTO sync.target (identity, object, match_on, fields) VALUES ('crm', 'Lead', '{Id}', '{Score}');
    INSERT INTO sync.intent VALUES (1, 'a', 'confirmed', NULL, '{"Score": 1}', NULL), (1, 'b', 'sent', '{"Score": 2}', NULL, '750'),
                                   (1, 'c', 'planned', '{"Score": 3}', NULL, NULL), (1, 'd', 'unconfirmed', NULL, NULL, NULL);
    INSERT INTO sync.ticket VALUES ('job/t', 1, '750');
    INSERT INTO sync.rejection VALUES ('job/t', 7, 12, 'k', 'too_long', 'the text is longer than its column', '{name}');"#;

async fn first_version() -> Database {
    let database = database().await;
    let schema = FIRST.replace("{sync}", "sync");
    database
        .run(&format!("CREATE SCHEMA sync; {schema}; {CONTENTS}"))
        .await;
    database
}

/// Everything that is stored, but for epochs.
async fn contents(database: &Database) -> Vec<String> {
    database
        .lines(
            "SELECT ROW(task, commit_no, state, holder) FROM sync.task UNION ALL SELECT ROW(t.*) FROM sync.target t
             UNION ALL SELECT ROW(i.*) FROM sync.intent i UNION ALL SELECT ROW(task, target, ticket) FROM sync.ticket
             UNION ALL SELECT ROW(task, epoch, sequence, key, code, message, fields) FROM sync.rejection",
        )
        .await
}

async fn version(database: &Database) -> String {
    database.line("SELECT version FROM sync.meta").await
}

/// Waits until a session waits for a lock; its process.
async fn waiting(database: &Database) -> String {
    let sql =
        "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    for _ in 0..3_000 {
        if let [pid] = database.lines(sql).await.as_slice() {
            return pid.clone();
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("nobody waits for a lock");
}

fn claiming(postgres: &Postgres) -> tokio::task::JoinHandle<connector_core::Result<connector_core::Claim>> {
    let postgres = postgres.clone();
    tokio::spawn(async move { try_claim(&postgres, &TaskId::new("other", "t"), "newer").await })
}

#[tokio::test]
async fn an_older_version_is_migrated_with_everything_in_it() {
    let database = first_version().await;
    let before = contents(&database).await;
    assert_eq!(before.len(), 8);
    let postgres = database.connector();
    // Whoever only asks changes nothing.
    postgres.check().await.unwrap();
    assert_eq!(version(&database).await, "1");
    drop(claim(&postgres, &TaskId::new("other", "t")).await);
    let after: Vec<String> = contents(&database).await;
    assert_eq!(
        after
            .into_iter()
            .filter(|line| !line.contains("other/t"))
            .collect::<Vec<_>>(),
        before
    );
    assert_eq!(version(&database).await, "3");
    let claim = claim(&postgres, &TaskId::new("job", "t")).await;
    assert_eq!(
        (claim.state.as_ref(), claim.fence.commit_no),
        (Some(&state(41)), 3)
    );
    assert_eq!(claim.open.len(), 1);
}

#[tokio::test]
async fn a_holder_of_the_older_version_can_store_nothing_any_more() {
    let database = first_version().await;
    let holds = "SELECT count(*) FROM sync.task WHERE task = 'job/t' AND epoch = 7";
    assert_eq!(database.line(holds).await, "1");
    let postgres = database.connector();
    drop(claim(&postgres, &TaskId::new("other", "t")).await);
    assert_eq!(database.line(holds).await, "0");
    let epoch = claim(&postgres, &TaskId::new("job", "t")).await.fence.epoch;
    assert_eq!(epoch, 10);
}

#[tokio::test]
async fn a_commit_of_the_older_version_that_is_under_way_counts() {
    let database = first_version().await;
    let older = database.another_session().await;
    older
        .batch_execute(
            "BEGIN; INSERT INTO sync.rejection VALUES ('job/t', 7, 13, 'l', 'x', 'y', '{}');
             UPDATE sync.task SET commit_no = 4 WHERE task = 'job/t' AND epoch = 7 AND commit_no = 3",
        )
        .await
        .unwrap();
    let postgres = database.connector();
    let newer = claiming(&postgres);
    waiting(&database).await;
    older.batch_execute("COMMIT").await.unwrap();
    newer.await.unwrap().unwrap();
    assert_eq!(version(&database).await, "3");
    assert_eq!(database.line("SELECT count(*) FROM sync.rejection").await, "2");
    let claim = claim(&postgres, &TaskId::new("job", "t")).await;
    assert_eq!((claim.fence.epoch, claim.fence.commit_no), (10, 4));
}

#[tokio::test]
async fn processes_that_start_together_migrate_once() {
    let database = first_version().await;
    let processes: Vec<Postgres> = (0..4).map(|_| database.connector()).collect();
    let tasks: Vec<TaskId> = (0..4).map(|n| TaskId::new("other", n)).collect();
    let claims = processes
        .iter()
        .zip(&tasks)
        .map(|(postgres, task)| try_claim(postgres, task, "me"));
    for claim in futures::future::join_all(claims).await {
        claim.unwrap();
    }
    assert_eq!(version(&database).await, "3");
    // Once: of a second migration the epoch would tell.
    assert_eq!(
        database
            .line("SELECT epoch FROM sync.task WHERE task = 'job/t'")
            .await,
        "9"
    );
}

#[tokio::test]
async fn a_migration_cut_short_leaves_the_older_version_whole() {
    let database = first_version().await;
    let all = "SELECT ROW(t.*) FROM sync.task t UNION ALL SELECT ROW(r.*) FROM sync.rejection r";
    let before = (contents(&database).await, database.lines(all).await);
    let reader = database.another_session().await;
    reader
        .batch_execute("BEGIN; SELECT 1 FROM sync.task FOR SHARE")
        .await
        .unwrap();
    let postgres = database.connector();
    let newer = claiming(&postgres);
    // It has changed the table of rejections, and waits to move the epochs.
    let pid = waiting(&database).await;
    database.run(&format!("SELECT pg_terminate_backend({pid})")).await;
    let error = refusal(newer.await.unwrap());
    assert_eq!(
        (error.kind(), error.retry()),
        (ErrorKind::Unavailable, Retry::Backoff),
        "{error:?}"
    );
    reader.batch_execute("ROLLBACK").await.unwrap();
    assert_eq!(version(&database).await, "1");
    assert_eq!((contents(&database).await, database.lines(all).await), before);
    drop(claim(&postgres, &TaskId::new("other", "t")).await);
    assert_eq!(version(&database).await, "3");
}

#[tokio::test]
async fn a_migration_that_is_kept_waiting_says_for_what() {
    let database = first_version().await;
    let older = database.another_session().await;
    older
        .batch_execute("BEGIN; LOCK TABLE sync.rejection IN ACCESS SHARE MODE")
        .await
        .unwrap();
    let error = refusal(try_claim(&database.connector(), &TaskId::new("other", "t"), "me").await);
    assert_eq!(
        (error.kind(), error.retry()),
        (ErrorKind::Conflict, Retry::Backoff)
    );
    let report = error.report().to_string();
    assert!(
        report.contains("a run of an older version is using it"),
        "{report}"
    );
    assert_eq!(version(&database).await, "1");
}
