//! What the schema of states keeps, and for how long.

use std::time::Duration;

use connector_core::{TaskId, Value};

use crate::support::{Database, claim, database, field, schema, upsert, writer};
use connector_core::DataType;

/// A rejection of each run from the first to `last`, all of them `days` old.
async fn rejections(database: &Database, task: &str, last: i32, days: u32) {
    let sql = format!(
        "INSERT INTO sync.rejection (task, epoch, sequence, code, message, fields, rejected_at)
         SELECT '{task}', epoch, 0, 'x', 'y', '{{}}', now() - interval '{days} days' FROM generate_series(1, {last}) epoch"
    );
    database.run(&sql).await;
}

async fn kept(database: &Database) -> Vec<String> {
    database
        .lines("SELECT task, epoch, count(*) FROM sync.rejection GROUP BY 1, 2 ORDER BY 1, 2")
        .await
}

#[tokio::test]
async fn rejections_are_kept_for_thirty_days_and_those_of_the_newest_run_always() {
    let database = database().await;
    let postgres = database.connector();
    let tasks = ["a", "b", "c"].map(|name| TaskId::new("job", name));
    for task in &tasks {
        for _ in 0..3 {
            drop(claim(&postgres, task).await);
        }
    }
    rejections(&database, "job/a", 3, 31).await;
    rejections(&database, "job/b", 3, 31).await;
    rejections(&database, "job/c", 2, 29).await;
    drop(claim(&postgres, &tasks[0]).await);
    // The third run was the newest, of the task that is claimed too.
    assert_eq!(
        kept(&database).await,
        ["job/a|3|1", "job/b|3|1", "job/c|1|1", "job/c|2|1"]
    );
    drop(claim(&postgres, &tasks[0]).await);
    assert_eq!(kept(&database).await, ["job/b|3|1", "job/c|1|1", "job/c|2|1"]);
}

#[tokio::test]
async fn another_length_of_time_can_be_told() {
    for (retention, left) in [
        (Duration::from_secs(28 * 86_400), 1),
        (Duration::ZERO, 2),
        (Duration::MAX, 2),
    ] {
        let database = database().await;
        let mut config = database.config.clone();
        config.retention = retention;
        let postgres = connector_postgres::Postgres::new(config).unwrap();
        let task = TaskId::new("job", "a");
        drop(claim(&postgres, &task).await);
        drop(claim(&postgres, &task).await);
        rejections(&database, "job/a", 2, 29).await;
        drop(claim(&postgres, &task).await);
        assert_eq!(kept(&database).await.len(), left, "{retention:?}");
    }
}

#[tokio::test]
async fn one_claim_deletes_a_bounded_number_and_the_next_goes_on() {
    let database = database().await;
    let postgres = database.connector();
    let task = TaskId::new("job", "a");
    drop(claim(&postgres, &task).await);
    drop(claim(&postgres, &task).await);
    database
        .run(
            "INSERT INTO sync.rejection (task, epoch, sequence, code, message, fields, rejected_at)
             SELECT 'job/a', 1, n, 'x', 'y', '{}', '2020-01-01' FROM generate_series(1, 230000) n",
        )
        .await;
    drop(claim(&postgres, &task).await);
    assert_eq!(kept(&database).await, ["job/a|1|30000"]);
    drop(claim(&postgres, &task).await);
    assert_eq!(kept(&database).await, [""; 0]);
}

#[tokio::test]
async fn rows_that_somebody_else_deletes_hold_nobody_up() {
    let database = database().await;
    let postgres = database.connector();
    let (a, b) = (TaskId::new("job", "a"), TaskId::new("job", "b"));
    for task in [&a, &a, &b, &b] {
        drop(claim(&postgres, task).await);
    }
    rejections(&database, "job/a", 2, 31).await;
    rejections(&database, "job/b", 2, 31).await;
    let other = database.another_session().await;
    other
        .batch_execute("BEGIN; DELETE FROM sync.rejection WHERE task = 'job/a' AND epoch = 1")
        .await
        .unwrap();
    // And while a run of another task is within its commit.
    let schema = schema(vec![field("id", DataType::Int64)], &["id"]);
    let request = upsert("b", &schema);
    let held = claim(&postgres, &b).await;
    let mut writing = writer(&postgres, request.with_fence(Some(held.fence.clone()))).await;
    writing
        .write(crate::support::puts(&schema, 0, &[&[Value::Null]]))
        .await
        .unwrap();
    drop(claim(&postgres, &a).await);
    assert_eq!(kept(&database).await, ["job/a|1|1", "job/a|2|1"]);
    other.batch_execute("COMMIT").await.unwrap();
    writing.finish(None).await.unwrap();
    assert_eq!(kept(&database).await, ["job/a|2|1", "job/b|3|1"]);
}
