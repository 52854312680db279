//! Reading what is new by the transactions that wrote it.
//!
//! Transactions are numbered across a server: while another test has one open, rows come again. What must not be is
//! that one is missing.

use connector_core::{ErrorKind, Source};

use super::{full, since, take};
use crate::support::{database, refusal};

const TABLE: &str = "CREATE TABLE note (id int PRIMARY KEY, at timestamptz, text text);";

#[tokio::test]
async fn a_row_that_is_committed_late_with_an_old_time_arrives() {
    let database = database().await;
    database.run(TABLE).await;
    let late = database.another_session().await;
    // It has its time, and no number yet, when the first read takes place.
    late.batch_execute("BEGIN; SELECT now()").await.unwrap();
    let written = database.another_session().await;
    written
        .batch_execute("BEGIN; INSERT INTO note VALUES (1, now(), 'written early, committed late')")
        .await
        .unwrap();
    database.run("INSERT INTO note VALUES (2, now(), 'soon')").await;
    let postgres = database.connector();
    let first = take(
        &postgres,
        since("note", "at", None).with_fields(vec!["id".to_owned()]),
    )
    .await;
    assert_eq!(first.rows, ["2"]);

    late.batch_execute("INSERT INTO note VALUES (3, now(), 'begun early'); COMMIT")
        .await
        .unwrap();
    written.batch_execute("COMMIT").await.unwrap();
    let next = since("note", "at", first.state()).with_fields(vec!["id".to_owned()]);
    let second = take(&postgres, next).await;
    for number in ["1", "3"] {
        assert!(second.rows.contains(&number.to_owned()), "{second:?}");
    }
}

#[tokio::test]
async fn a_transaction_that_lasts_over_several_reads_arrives_with_its_savepoints() {
    let database = database().await;
    database.run(TABLE).await;
    let long = database.another_session().await;
    long.batch_execute("BEGIN; INSERT INTO note VALUES (1, now(), 'a'); SAVEPOINT s; INSERT INTO note VALUES (2, now(), 'b')")
        .await
        .unwrap();
    let postgres = database.connector();
    let request = |state| since("note", "at", state).with_fields(vec!["id".to_owned()]);
    let mut state = None;
    for number in 10..13 {
        database
            .run(&format!("INSERT INTO note VALUES ({number}, now(), 'between')"))
            .await;
        let taken = take(&postgres, request(state)).await;
        assert!(taken.rows.contains(&number.to_string()), "{taken:?}");
        assert!(!taken.rows.contains(&"1".to_owned()));
        state = taken.state();
    }
    long.batch_execute("SAVEPOINT u; INSERT INTO note VALUES (3, NULL, 'c'); RELEASE u; COMMIT")
        .await
        .unwrap();
    let taken = take(&postgres, request(state)).await;
    for number in ["1", "2", "3"] {
        assert!(taken.rows.contains(&number.to_owned()), "{taken:?}");
    }
}

#[tokio::test]
async fn rows_without_a_cursor_arrive_at_first_and_when_they_change() {
    let database = database().await;
    database.run(TABLE).await;
    database
        .run("INSERT INTO note VALUES (1, NULL, 'a'), (2, now(), 'b')")
        .await;
    let postgres = database.connector();
    let request = |state| since("note", "at", state).with_fields(vec!["id".to_owned(), "text".to_owned()]);
    let first = take(&postgres, request(None)).await;
    assert_eq!(first.distinct(), ["1|a", "2|b"]);
    database
        .run("UPDATE note SET text = 'changed' WHERE id = 1; UPDATE note SET at = NULL WHERE id = 2")
        .await;
    let second = take(&postgres, request(first.state())).await;
    assert_eq!(second.distinct(), ["1|changed", "2|b"]);
}

#[tokio::test]
async fn cursors_of_any_orderable_type_are_taken_and_others_refused() {
    let database = database().await;
    database
        .run("CREATE TABLE thing (id int PRIMARY KEY, day date, large bigint, exact numeric, name text, uid uuid, doc jsonb);
              INSERT INTO thing VALUES (1, '2024-02-29', 5, 1.5, 'a', gen_random_uuid(), '{}')")
        .await;
    let postgres = database.connector();
    for cursor in ["id", "day", "large", "exact", "name", "uid", "xmin"] {
        let request = |state| since("thing", cursor, state).with_fields(vec!["id".to_owned()]);
        let first = take(&postgres, request(None)).await;
        assert_eq!(first.rows, ["1"], "{cursor}");
        database.run("UPDATE thing SET large = large - 1").await;
        let second = take(&postgres, request(first.state())).await;
        assert_eq!(second.rows, ["1"], "{cursor}");
    }
    let error = refusal(postgres.plan_read(&since("thing", "doc", None)).await);
    assert_eq!(error.kind(), ErrorKind::Schema);
    assert!(
        error
            .message()
            .starts_with("`doc` of type jsonb cannot be a cursor")
    );
    let error = refusal(postgres.plan_read(&since("thing", "lrge", None)).await);
    assert_eq!(error.help(), Some("did you mean `large`?"));
    let state = take(&postgres, since("thing", "id", None)).await.state();
    let error = refusal(postgres.reader(since("thing", "day", state)).await);
    assert_eq!(
        (error.kind(), error.message()),
        (
            ErrorKind::State,
            "the stored state advances by `id`, not by `day`"
        )
    );
}

#[tokio::test]
async fn a_read_of_changes_resumes_from_every_checkpoint_whatever_happens_meanwhile() {
    let database = database().await;
    database
        .run(
            "CREATE TABLE note (id int PRIMARY KEY, at timestamptz, text text);
              INSERT INTO note SELECT i, now(), 'old' FROM generate_series(1, 200) AS i",
        )
        .await;
    let postgres = super::chunked(&database, 16, 1);
    let request = |state| {
        since("note", "at", state)
            .with_fields(vec!["id".to_owned(), "text".to_owned()])
            .with_batch_records(7)
    };
    let before = take(&postgres, request(None)).await;
    assert!(before.states.len() > 10);
    database
        .run("UPDATE note SET text = 'new' WHERE id % 3 = 0; INSERT INTO note VALUES (1000, NULL, 'new')")
        .await;
    for start in [None, before.state()] {
        let whole = take(&postgres, request(start)).await;
        assert!(whole.states.len() > 5);
        for (n, (covered, state)) in whole.states.iter().enumerate() {
            // Behind the point, before it, and with a key that moves across it.
            let (low, high) = (n as i32 + 1, 180 - n as i32);
            database
                .run(&format!(
                    "UPDATE note SET text = 'again {n}' WHERE id IN ({low}, {high});
                     UPDATE note SET id = -id - 5000 WHERE id = {}",
                    100 + n
                ))
                .await;
            let rest = take(&postgres, request(Some(state.clone()))).await;
            let last = take(&postgres, request(rest.state())).await;
            let arrived: Vec<&String> = whole.rows[..*covered]
                .iter()
                .chain(&rest.rows)
                .chain(&last.rows)
                .collect();
            let due = format!(
                "SELECT id || '|' || text FROM note {}",
                if whole.rows.len() > 150 {
                    ""
                } else {
                    "WHERE text <> 'old'"
                }
            );
            for line in database.lines(&due).await {
                assert!(arrived.contains(&&line), "{line} is lost after checkpoint {n}");
            }
        }
    }
}

#[tokio::test]
async fn a_partition_that_is_attached_arrives_with_its_old_rows() {
    let database = database().await;
    database
        .run(
            "CREATE TABLE log (id int, day date, PRIMARY KEY (id, day)) PARTITION BY RANGE (day);
              CREATE TABLE log_1 PARTITION OF log FOR VALUES FROM ('2024-01-01') TO ('2024-02-01');
              CREATE TABLE log_2 (id int NOT NULL, day date NOT NULL, PRIMARY KEY (id, day));
              INSERT INTO log VALUES (1, '2024-01-05'); INSERT INTO log_2 VALUES (2, '2024-02-05')",
        )
        .await;
    let postgres = database.connector();
    let first = take(&postgres, since("log", "day", None)).await;
    assert_eq!(first.rows, ["1|2024-01-05"]);
    database
        .run("ALTER TABLE log ATTACH PARTITION log_2 FOR VALUES FROM ('2024-02-01') TO ('2024-03-01')")
        .await;
    let second = take(&postgres, since("log", "day", first.state())).await;
    assert!(second.rows.contains(&"2|2024-02-05".to_owned()), "{second:?}");
}

#[tokio::test]
async fn a_table_that_takes_the_place_of_another_is_read_whole() {
    let database = database().await;
    database
        .run("CREATE TABLE note (id int PRIMARY KEY, at timestamptz); INSERT INTO note VALUES (1, now());
              CREATE TABLE beside (id int PRIMARY KEY, at timestamptz); INSERT INTO beside VALUES (7, '2001-01-01 00:00Z')")
        .await;
    let postgres = database.connector();
    let request = |state| since("note", "at", state).with_fields(vec!["id".to_owned()]);
    let first = take(&postgres, request(None)).await;
    database
        .run("ALTER TABLE note RENAME TO gone; ALTER TABLE beside RENAME TO note")
        .await;
    assert_eq!(take(&postgres, request(first.state())).await.rows, ["7"]);
}

#[tokio::test]
async fn a_row_that_was_frozen_before_it_was_read_is_not_lost() {
    let database = database().await;
    database.run(TABLE).await;
    database.run("INSERT INTO note VALUES (1, now(), 'a')").await;
    database.run("VACUUM FREEZE note").await;
    let postgres = database.connector();
    let request = |state| since("note", "at", state).with_fields(vec!["id".to_owned()]);
    let first = take(&postgres, request(None)).await;
    database.run("INSERT INTO note VALUES (2, now(), 'b')").await;
    database.run("VACUUM FREEZE note").await;
    // Frozen or not, the row was not there before.
    let second = take(&postgres, request(first.state())).await;
    assert!(second.rows.contains(&"2".to_owned()), "{second:?}");
}

#[tokio::test]
async fn a_table_without_a_key_says_that_rows_can_double() {
    let database = database().await;
    database
        .run("CREATE TABLE log (at timestamptz, text text); INSERT INTO log VALUES (now(), 'a')")
        .await;
    let postgres = database.connector();
    let plan = postgres.plan_read(&since("log", "at", None)).await.unwrap();
    let notes = plan.notes.join("\n");
    assert!(notes.contains("rows that come again stand twice"), "{notes}");
    assert!(notes.contains("a pass over the table"), "{notes}");
    let request = |state| since("log", "at", state).with_fields(vec!["text".to_owned()]);
    let first = take(&postgres, request(None)).await;
    database.run("INSERT INTO log VALUES (NULL, 'b')").await;
    let second = take(&postgres, request(first.state())).await;
    assert_eq!(first.rows, ["a"]);
    assert!(second.rows.contains(&"b".to_owned()), "{second:?}");
    let plan = postgres.plan_read(&full("log")).await.unwrap();
    assert!(
        plan.notes[0].contains("it has no primary key"),
        "{:?}",
        plan.notes
    );
}
