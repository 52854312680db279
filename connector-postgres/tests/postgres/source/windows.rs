//! Reading what is new by the value of a column.

use std::time::Duration;

use connector_core::Source;

use super::{query, since, take};
use crate::support::database;
use connector_core::SyncMode;

#[tokio::test]
async fn a_view_is_read_from_a_while_before_its_newest_time_on() {
    let database = database().await;
    database
        .run("CREATE TABLE note (id int PRIMARY KEY, at timestamptz, text text);
              CREATE VIEW shown AS SELECT * FROM note;
              INSERT INTO note VALUES (1, now() - interval '1 hour', 'a'), (2, now() - interval '1 minute', 'b'),
                                      (3, now(), 'c'), (4, NULL, 'd'), (5, 'infinity', 'e')")
        .await;
    let postgres = database.connector();
    let request = |state, settle: u64| {
        since("shown", "at", state)
            .with_fields(vec!["id".to_owned()])
            .with_settle(Some(Duration::from_secs(settle)))
    };
    let plan = postgres
        .plan_read(&request(None, 90))
        .await
        .unwrap()
        .notes
        .join("\n");
    assert!(plan.contains("not more than 90s below the newest one"), "{plan}");
    let first = take(&postgres, request(None, 90)).await;
    assert_eq!(first.distinct(), ["1", "2", "3", "4", "5"]);
    // What lies in the future moves nothing along.
    let second = take(&postgres, request(first.state(), 90)).await;
    assert_eq!(second.distinct(), ["2", "3", "4", "5"]);
    database
        .run("INSERT INTO note VALUES (6, now() - interval '30 seconds', 'late'), (7, now() - interval '2 hours', 'too late')")
        .await;
    let third = take(&postgres, request(second.state(), 90)).await;
    assert_eq!(third.distinct(), ["2", "3", "4", "5", "6"]);
}

#[tokio::test]
async fn a_table_is_read_by_its_index_where_a_time_to_settle_is_said() {
    let database = database().await;
    database
        .run(
            "CREATE TABLE note (id int PRIMARY KEY, day date);
              INSERT INTO note VALUES (1, '2024-01-01'), (2, '2024-02-28'), (3, '2024-02-29')",
        )
        .await;
    let postgres = database.connector();
    let request = |state| {
        since("note", "day", state)
            .with_fields(vec!["id".to_owned()])
            .with_settle(Some(Duration::from_secs(60)))
    };
    let first = take(&postgres, request(None)).await;
    let second = take(&postgres, request(first.state())).await;
    assert_eq!(second.distinct(), ["2", "3"]);
    // Without it, the same state is none: everything comes again, and nothing is lost.
    let exact = request(second.state()).with_settle(None);
    assert_eq!(take(&postgres, exact).await.distinct(), ["1", "2", "3"]);
}

#[tokio::test]
async fn a_view_by_numbers_and_a_query_say_what_they_can_miss() {
    let database = database().await;
    database
        .run("CREATE VIEW shown AS SELECT i AS id FROM generate_series(1, 5) AS i")
        .await;
    let postgres = database.connector();
    let plan = postgres.plan_read(&since("shown", "id", None)).await.unwrap();
    assert!(
        plan.notes
            .join("\n")
            .contains("one that becomes visible below it is missed")
    );
    let first = take(&postgres, since("shown", "id", None)).await;
    assert_eq!(
        take(&postgres, since("shown", "id", first.state())).await.rows,
        ["5"]
    );

    let request = |text, state| {
        query(text)
            .with_sync(SyncMode::Incremental)
            .with_cursor(Some("id".to_owned()))
            .with_state(state)
    };
    let first = take(&postgres, request("SELECT id FROM shown", None)).await;
    let second = take(&postgres, request("SELECT id FROM shown", first.state())).await;
    assert_eq!(second.rows, ["5"]);
    let other = postgres
        .reader(request("SELECT id + 1 AS id FROM shown", first.state()))
        .await;
    assert!(other.is_err(), "the state of another query is refused");
}
