//! A table in chunks of its primary key.

use connector_core::{Filter, Source};

use super::{Taken, chunked, full, take};
use crate::support::database;

#[tokio::test]
async fn a_full_read_resumes_from_every_checkpoint_and_begins_anew_from_its_end() {
    let database = database().await;
    // Keys whose order as text is another one, and which is no text's in the database's language either.
    database
        .run("CREATE TABLE thing (a numeric, b text, c int, PRIMARY KEY (b, a));
              INSERT INTO thing SELECT i / 3.0 - 5, chr(65 + i % 40) || repeat('ä', i % 3), i FROM generate_series(1, 120) AS i")
        .await;
    let postgres = chunked(&database, 13, 1);
    let request = || full("thing").with_fields(vec!["c".to_owned()]);
    let whole = take(&postgres, request()).await;
    let mut rows = whole.rows.clone();
    rows.sort_by_key(|row| row.parse::<i32>().unwrap());
    let wanted: Vec<String> = (1..=120).map(|i| i.to_string()).collect();
    assert_eq!(rows, wanted);
    assert_eq!(whole.states.len(), 120 / 13 + 1);
    assert_eq!(whole.states.last().unwrap().0, 120);
    for (covered, state) in &whole.states {
        let rest = take(&postgres, request().with_state(Some(state.clone()))).await;
        let is_end = *covered == 120;
        assert_eq!(rest.rows.len(), if is_end { 120 } else { 120 - covered });
        let mut rows: Vec<&String> = whole.rows[..*covered].iter().chain(&rest.rows).collect();
        rows.sort();
        rows.dedup();
        assert_eq!(rows.len(), 120);
    }
}

#[tokio::test]
async fn several_sessions_see_one_moment_while_rows_come_and_go() {
    let database = database().await;
    database
        .run("CREATE TABLE thing (id int PRIMARY KEY, version int); INSERT INTO thing SELECT i, 0 FROM generate_series(1, 3000) AS i")
        .await;
    let postgres = chunked(&database, 100, 3);
    let mut reader = postgres
        .reader(full("thing").with_batch_records(50))
        .await
        .unwrap();
    let mut taken = Taken::default();
    taken.take(reader.next().await.unwrap().unwrap());
    database
        .run("UPDATE thing SET version = 1; DELETE FROM thing WHERE id % 2 = 0; UPDATE thing SET id = id + 10000 WHERE id % 3 = 0;
              INSERT INTO thing SELECT i, 2 FROM generate_series(4000, 5000) AS i")
        .await;
    let taken = taken.rest(reader).await;
    let wanted: Vec<String> = (1..=3000).map(|i| format!("{i}|0")).collect();
    let mut rows = taken.rows.clone();
    rows.sort_by_key(|row| row.split_once('|').unwrap().0.parse::<i32>().unwrap());
    assert_eq!(rows, wanted);
    // A checkpoint covers what was emitted before it, whichever session read it.
    for (covered, state) in taken.states.iter().rev().skip(1).step_by(7) {
        let rest = take(&postgres, full("thing").with_state(Some(state.clone()))).await;
        let emitted: std::collections::HashSet<&str> = taken.rows[..*covered]
            .iter()
            .map(|row| row.split_once('|').unwrap().0)
            .collect();
        let again: std::collections::HashSet<&str> = rest
            .rows
            .iter()
            .map(|row| row.split_once('|').unwrap().0)
            .collect();
        for id in database.lines("SELECT id FROM thing WHERE id <= 3000").await {
            assert!(
                emitted.contains(id.as_str()) || again.contains(id.as_str()),
                "{id} is lost"
            );
        }
    }
    let plan = postgres.plan_read(&full("thing")).await.unwrap();
    assert!(
        plan.notes[0].contains("by 3 sessions at once"),
        "{:?}",
        plan.notes
    );
}

#[tokio::test]
async fn a_reader_leaves_no_transaction_behind_dropped_or_read_to_its_end() {
    let database = database().await;
    database
        .run("CREATE TABLE thing (id int PRIMARY KEY); INSERT INTO thing SELECT generate_series(1, 50000)")
        .await;
    let postgres = chunked(&database, 1000, 2);
    let mut reader = postgres
        .reader(full("thing").with_batch_records(10))
        .await
        .unwrap();
    reader.next().await.unwrap();
    drop(reader);
    take(&postgres, full("thing")).await;
    let open = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
                AND application_name = 'connector-postgres' AND xact_start IS NOT NULL";
    // What was cancelled is gone once the server has noticed.
    while database.line(open).await != "0" {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_state_is_not_gone_on_from_under_another_filter() {
    let database = database().await;
    database
        .run("CREATE TABLE thing (id int PRIMARY KEY, kind text COLLATE \"en-x-icu\");
              INSERT INTO thing SELECT i, CASE i % 3 WHEN 0 THEN 'a' WHEN 1 THEN 'B' END FROM generate_series(1, 30) AS i")
        .await;
    let postgres = chunked(&database, 5, 1);
    let request = |filter: &str| {
        full("thing")
            .with_fields(vec!["id".to_owned()])
            .with_filter(Some(Filter::parse(filter).unwrap()))
    };
    let first = take(&postgres, request("kind = 'a'")).await;
    assert_eq!(first.rows.len(), 10);
    let rest = take(
        &postgres,
        request("kind = 'a'").with_state(Some(first.states[1].1.clone())),
    )
    .await;
    assert_eq!(first.states[1].0 + rest.rows.len(), 10);
    // The order is that of bytes: `B` comes before `a`, whatever the column's language says.
    let other = take(
        &postgres,
        request("kind < 'a'").with_state(Some(first.states[1].1.clone())),
    )
    .await;
    assert_eq!(other.rows.len(), 10);
}

#[tokio::test]
async fn rows_that_lie_in_no_order_of_their_key_are_read_in_one_statement() {
    let database = database().await;
    database
        .run(
            "CREATE TABLE thing (id text PRIMARY KEY, c int);
              INSERT INTO thing SELECT md5(i::text), i FROM generate_series(1, 2000) AS i; ANALYZE thing",
        )
        .await;
    let postgres = chunked(&database, 13, 1);
    let plan = postgres.plan_read(&full("thing")).await.unwrap();
    assert!(plan.notes[0].contains("in one statement"), "{:?}", plan.notes);
    let whole = take(&postgres, full("thing")).await;
    assert_eq!(whole.rows.len(), 2_000);
    let ends: Vec<usize> = whole.states.iter().map(|(covered, _)| *covered).collect();
    assert_eq!(ends, [2_000]);
}
