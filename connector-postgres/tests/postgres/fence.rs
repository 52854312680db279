//! Claims, checkpoints, and who may commit.

use connector_core::{Connector, DataType, ErrorKind, Retry, TaskId, Value};

use crate::support::{
    Database, claim, database, field, puts, refusal, schema, state, tally, try_claim, upsert, writer,
};

fn rows() -> std::sync::Arc<connector_core::Schema> {
    schema(
        vec![field("id", DataType::Int64), field("v", DataType::TEXT)],
        &["id"],
    )
}

async fn task_row(database: &Database) -> String {
    database
        .line("SELECT epoch, commit_no, state ->> 'data' FROM sync.task")
        .await
}

async fn exists(database: &Database, table: &str) -> bool {
    database
        .line(&format!("SELECT to_regclass('{table}') IS NOT NULL"))
        .await
        == "t"
}

#[tokio::test]
async fn rows_and_state_commit_together_and_the_next_claim_finds_them() {
    let database = database().await;
    let postgres = database.connector();
    let schema = rows();
    let request = upsert("t", &schema);
    let task = request.task.clone();
    let first = claim(&postgres, &task).await;
    assert_eq!(
        (first.fence.epoch, first.fence.commit_no, &first.state),
        (1, 0, &None)
    );
    let mut writer = writer(&postgres, request.with_fence(Some(first.fence.clone()))).await;
    writer
        .write(puts(&schema, 0, &[&[Value::Int(1), Value::Null]]))
        .await
        .unwrap();
    assert_eq!(task_row(&database).await, "1|0|∅");
    writer.commit(Some(&state(41))).await.unwrap();
    assert_eq!(task_row(&database).await, "1|1|41");
    writer
        .write(puts(&schema, 1, &[&[Value::Int(2), Value::Null]]))
        .await
        .unwrap();
    writer.commit(None).await.unwrap();
    assert_eq!(task_row(&database).await, "1|2|41");
    writer.finish(Some(&state(42))).await.unwrap();
    drop(first);
    let second = claim(&postgres, &task).await;
    assert_eq!(
        (second.fence.epoch, second.fence.commit_no, second.state.as_ref()),
        (2, 3, Some(&state(42)))
    );
}

#[tokio::test]
async fn a_held_task_is_refused_by_its_holder_s_name_and_free_once_dropped() {
    let database = database().await;
    let (postgres, other) = (database.connector(), database.connector());
    let task = TaskId::new("nightly", "Lead");
    let held = try_claim(&postgres, &task, "process 4711 on db1").await.unwrap();
    let error = refusal(try_claim(&other, &task, "me").await);
    assert_eq!(error.kind(), ErrorKind::Conflict);
    assert!(
        error
            .message()
            .starts_with("the task `nightly/Lead` is held by process 4711 on db1 since "),
        "{error}"
    );
    assert_eq!(database.line("SELECT epoch FROM sync.task").await, "1");
    // Another task, and another schema of states, are free.
    drop(claim(&other, &TaskId::new("nightly", "Contact")).await);
    drop(held);
    let started = std::time::Instant::now();
    let claim = claim(&other, &task).await;
    assert!(started.elapsed() < std::time::Duration::from_secs(1));
    assert_eq!(claim.fence.epoch, 2);
}

#[tokio::test]
async fn a_holder_whose_session_is_gone_no_longer_holds() {
    let database = database().await;
    let postgres = database.connector();
    let task = TaskId::new("job", "t");
    let held = claim(&postgres, &task).await;
    database.run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()").await;
    assert_eq!(claim(&postgres, &task).await.fence.epoch, 2);
    drop(held);
}

#[tokio::test]
async fn a_writer_that_was_overtaken_cannot_commit_and_leaves_nothing() {
    let database = database().await;
    let postgres = database.connector();
    let schema = rows();
    for existing in [false, true] {
        let table = if existing { "there" } else { "fresh" };
        if existing {
            database
                .run("CREATE TABLE there (id bigint PRIMARY KEY, v text)")
                .await;
        }
        let request = upsert(table, &schema);
        let task = request.task.clone();
        let old = claim(&postgres, &task).await;
        let mut writer = writer(&postgres, request.with_fence(Some(old.fence.clone()))).await;
        writer
            .write(puts(
                &schema,
                0,
                &[&[Value::Int(1), Value::Null], &[Value::Null, Value::Null]],
            ))
            .await
            .unwrap();
        drop(old);
        let new = claim(&postgres, &task).await;
        let error = refusal(writer.commit(Some(&state(1))).await);
        assert_eq!((error.kind(), error.retry()), (ErrorKind::Conflict, Retry::Never));
        assert_eq!(
            error.message(),
            format!("another run has taken over the task `job/{table}`; nothing of this commit was kept")
        );
        assert_eq!(exists(&database, table).await, existing);
        if existing {
            assert_eq!(database.line("SELECT count(*) FROM there").await, "0");
        }
        assert_eq!(database.line("SELECT count(*) FROM sync.rejection").await, "0");
        let stored = database
            .line(&format!(
                "SELECT epoch, commit_no, state FROM sync.task WHERE task = '{task}'"
            ))
            .await;
        assert_eq!(stored, "2|0|∅");
        drop(new);
    }
}

#[tokio::test]
async fn a_writer_that_missed_a_commit_cannot_commit() {
    let database = database().await;
    let postgres = database.connector();
    let schema = rows();
    let request = upsert("t", &schema);
    let claim = claim(&postgres, &request.task).await;
    let request = request.with_fence(Some(claim.fence.clone()));
    let (mut one, mut two) = (
        writer(&postgres, request.clone()).await,
        writer(&postgres, request).await,
    );
    one.commit(Some(&state(1))).await.unwrap();
    let error = refusal(two.commit(Some(&state(2))).await);
    assert_eq!(error.kind(), ErrorKind::Conflict);
    assert_eq!(task_row(&database).await, "1|1|1");
}

#[tokio::test]
async fn an_overtaken_holder_cannot_save_a_state() {
    let database = database().await;
    let postgres = database.connector();
    let store = postgres.state_store().unwrap();
    let task = TaskId::new("job", "t");
    let old = claim(&postgres, &task).await;
    store.save(&old.fence, &state(1)).await.unwrap();
    let fence = old.fence.clone();
    drop(old);
    let new = claim(&postgres, &task).await;
    assert_eq!(new.state.as_ref(), Some(&state(1)));
    assert_eq!(
        refusal(store.save(&fence, &state(2)).await).kind(),
        ErrorKind::Conflict
    );
    store.save(&new.fence, &state(3)).await.unwrap();
    assert_eq!(task_row(&database).await, "2|0|3");
}

#[tokio::test]
async fn a_dropped_writer_leaves_nothing() {
    let database = database().await;
    let postgres = database.connector();
    let schema = rows();
    let request = upsert("t", &schema);
    let claim = claim(&postgres, &request.task).await;
    let mut writer = writer(&postgres, request.with_fence(Some(claim.fence.clone()))).await;
    writer
        .write(puts(&schema, 0, &[&[Value::Int(1), Value::Null]]))
        .await
        .unwrap();
    drop(writer);
    assert!(!exists(&database, "t").await);
    assert_eq!(task_row(&database).await, "1|0|∅");
    // Its session is not handed to others within its transaction.
    let open = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in transaction%'";
    for _ in 0..50 {
        if database.line(open).await == "0" {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    panic!("a session is left within its transaction");
}

#[tokio::test]
async fn a_session_killed_within_a_copy_is_unavailable_and_the_next_claim_goes_on() {
    let database = database().await;
    let postgres = database.connector();
    let schema = rows();
    let request = upsert("t", &schema);
    let task = request.task.clone();
    let held = claim(&postgres, &task).await;
    let mut writer = writer(&postgres, request.clone().with_fence(Some(held.fence.clone()))).await;
    writer
        .write(puts(&schema, 0, &[&[Value::Int(1), Value::Null]]))
        .await
        .unwrap();
    writer.commit(Some(&state(1))).await.unwrap();
    writer
        .write(puts(&schema, 1, &[&[Value::Int(2), Value::Null]]))
        .await
        .unwrap();
    let killed = database.line("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'COPY%'").await;
    assert_eq!(killed, "1");
    let text = "x".repeat(1_000);
    let error = loop {
        // The client hears of it when it next needs the server.
        if let Err(error) = writer
            .write(puts(&schema, 2, &[&[Value::Int(3), Value::Text(&text)]]))
            .await
        {
            break error;
        }
        tokio::task::yield_now().await;
        if let Err(error) = writer.commit(Some(&state(2))).await {
            break error;
        }
    };
    assert_eq!(
        (error.kind(), error.retry()),
        (ErrorKind::Unavailable, Retry::Backoff),
        "{error:?}"
    );
    assert_eq!(database.lines("SELECT id FROM t").await, ["1"]);
    drop(writer);
    drop(held);
    let next = claim(&postgres, &task).await;
    assert_eq!((next.fence.epoch, next.state.as_ref()), (2, Some(&state(1))));
    let mut writer = crate::support::writer(&postgres, request.with_fence(Some(next.fence.clone()))).await;
    writer
        .write(puts(&schema, 1, &[&[Value::Int(2), Value::Null]]))
        .await
        .unwrap();
    assert_eq!(
        tally(&writer.finish(Some(&state(2))).await.unwrap()),
        [1, 0, 0, 0, 0]
    );
    assert_eq!(database.lines("SELECT id FROM t ORDER BY 1").await, ["1", "2"]);
}

#[tokio::test]
async fn states_of_a_newer_version_are_refused() {
    let database = database().await;
    let postgres = database.connector();
    let task = TaskId::new("job", "t");
    let held = claim(&postgres, &task).await;
    let fence = held.fence.clone();
    drop(held);
    database.run("UPDATE sync.meta SET version = 99").await;
    let error = refusal(try_claim(&postgres, &task, "me").await);
    assert_eq!(error.kind(), ErrorKind::State);
    assert_eq!(
        error.report().to_string(),
        "the schema `sync` has version 99; this program knows up to 3\nhelp: run the newer version that made it"
    );
    let schema = rows();
    let request = upsert("t", &schema).with_fence(Some(fence));
    let error = refusal(
        connector_core::Destination::writer(&postgres, request)
            .await
            .map(drop),
    );
    assert_eq!(error.kind(), ErrorKind::State);
}

#[tokio::test]
async fn a_checkpoint_without_rows_makes_the_table_that_a_later_run_looks_for() {
    let database = database().await;
    let postgres = database.connector();
    let schema = rows();
    let request = upsert("t", &schema);
    let claim = claim(&postgres, &request.task).await;
    let mut writer = writer(&postgres, request.with_fence(Some(claim.fence.clone()))).await;
    writer.commit(None).await.unwrap();
    assert!(!exists(&database, "t").await);
    writer.commit(Some(&state(1))).await.unwrap();
    assert!(exists(&database, "t").await);
    assert_eq!(task_row(&database).await, "1|2|1");
    writer.finish(Some(&state(2))).await.unwrap();
    assert_eq!(task_row(&database).await, "1|3|2");
    assert_eq!(
        database.lines("SELECT attname FROM pg_attribute WHERE attrelid = 't'::regclass AND attnum > 0 ORDER BY attnum").await,
        ["id", "v"]
    );
    assert_eq!(
        database
            .line("SELECT count(*) FROM pg_index WHERE indrelid = 't'::regclass AND indisprimary")
            .await,
        "1"
    );
}

#[tokio::test]
async fn claims_that_start_together_make_the_schema_once() {
    let database = database().await;
    let postgres = database.connector();
    let tasks: Vec<TaskId> = (0..6).map(|n| TaskId::new("job", n)).collect();
    let claims = futures::future::join_all(tasks.iter().map(|task| try_claim(&postgres, task, "me"))).await;
    let errors: Vec<String> = claims
        .iter()
        .filter_map(|claim| claim.as_ref().err())
        .map(|e| e.report().to_string())
        .collect();
    assert_eq!(errors, [""; 0]);
    assert_eq!(database.line("SELECT count(*) FROM sync.task").await, "6");
    assert_eq!(database.line("SELECT count(*) FROM sync.meta").await, "1");
}
