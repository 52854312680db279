//! Transactions: their order, their ends, and what is read again.

use connector_core::{Reader, Source, State};

use crate::support::{Database, Told, changed, database, run};

async fn things() -> (Database, Told) {
    let database = database().await;
    database
        .run("CREATE TABLE thing (id int PRIMARY KEY, n int)")
        .await;
    database.slot("thing").await;
    let first = database.read("thing", None).await;
    (database, first)
}

async fn confirmed(database: &Database) -> String {
    database
        .cell("SELECT confirmed_flush_lsn FROM pg_replication_slots WHERE database = current_database()")
        .await
}

fn lsn(state: &State) -> String {
    let stored = serde_json::to_value(state).unwrap();
    stored["data"]["lsn"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn transactions_come_in_the_order_of_their_commits_and_whole() {
    let (database, first) = things().await;
    let (early, late) = (database.session().await, database.session().await);
    run(&early, "BEGIN; INSERT INTO thing VALUES (1, 1)").await;
    run(&late, "BEGIN; INSERT INTO thing VALUES (2, 1)").await;
    run(&early, "INSERT INTO thing VALUES (3, 1)").await;
    run(&late, "UPDATE thing SET n = 2 WHERE id = 2; COMMIT").await;
    let meanwhile = database.read("thing", Some(first.state())).await;
    assert_eq!(meanwhile.records, ["+2|1", "+2|2"]);
    run(&early, "COMMIT").await;
    let rest = database.read("thing", Some(meanwhile.state())).await;
    assert_eq!(rest.records, ["+1|1", "+3|1"]);
    let whole = database.read("thing", Some(first.state())).await;
    assert_eq!(whole.records, ["+2|1", "+2|2", "+1|1", "+3|1"]);
}

#[tokio::test]
async fn what_was_rolled_back_is_not_there() {
    let (database, first) = things().await;
    database
        .run(
            "BEGIN; INSERT INTO thing VALUES (1, 1); SAVEPOINT s; INSERT INTO thing VALUES (2, 1); ROLLBACK TO s;
             INSERT INTO thing VALUES (3, 1); COMMIT; BEGIN; DELETE FROM thing; ROLLBACK",
        )
        .await;
    let second = database.read("thing", Some(first.state())).await;
    assert_eq!(second.records, ["+1|1", "+3|1"]);
}

#[tokio::test]
async fn a_huge_transaction_comes_in_batches_with_one_checkpoint() {
    let (database, first) = things().await;
    database
        .run("INSERT INTO thing SELECT n, n FROM generate_series(1, 120000) n")
        .await;
    database.run("INSERT INTO thing VALUES (0, 0)").await;
    let request = changed("thing", Some(first.state())).with_batch_records(1000);
    let mut told = Told::default();
    told.all(&mut *database.connector().reader(request).await.unwrap())
        .await;
    assert_eq!(told.records.len(), 120_001);
    assert_eq!(told.records[119_999], "+120000|120000");
    assert!(told.batches.iter().all(|&records| records <= 1000));
    let covered: Vec<usize> = told.checkpoints.iter().map(|(covered, _)| *covered).collect();
    assert_eq!(covered, [120_000, 120_001]);
}

#[tokio::test]
async fn more_than_a_look_takes_is_read_whether_acknowledged_or_not() {
    let (database, first) = things().await;
    for part in 0..4 {
        database
            .run(&format!(
                "INSERT INTO thing SELECT {part} * 30000 + n, 0 FROM generate_series(1, 30000) n"
            ))
            .await;
    }
    for acknowledges in [false, true] {
        let mut reader = database.reader("thing", Some(first.state())).await;
        let mut told = Told::default();
        while let Some(event) = reader.next().await.unwrap() {
            told.take(event);
            if let Some((_, state)) = told.checkpoints.last().filter(|_| acknowledges) {
                reader.acknowledge(state).await.unwrap();
            }
        }
        let wanted: Vec<String> = (1..=120_000).map(|id| format!("+{id}|0")).collect();
        assert!(told.records == wanted, "{} records", told.records.len());
    }
}

#[tokio::test]
async fn what_was_not_acknowledged_comes_again_and_the_rest_is_let_go() {
    let (database, first) = things().await;
    database.run("INSERT INTO thing VALUES (1, 1)").await;
    let begun = confirmed(&database).await;
    // Read and committed, and then the program ended.
    let lost = database.read("thing", Some(first.state())).await;
    assert_eq!(confirmed(&database).await, begun);
    let again = database.read("thing", Some(first.state())).await;
    assert_eq!(again.records, lost.records);
    database.run("INSERT INTO thing VALUES (2, 1)").await;
    let mut reader = database.reader("thing", Some(first.state())).await;
    let mut told = Told::default();
    told.all(&mut *reader).await;
    assert_eq!(told.records, ["+1|1", "+2|1"]);
    // The state that was stored is the one before the last: no more than that is let go.
    database.run("INSERT INTO thing VALUES (3, 1)").await;
    reader.acknowledge(lost.state()).await.unwrap();
    assert_eq!(confirmed(&database).await, lsn(lost.state()));
    reader.acknowledge(first.state()).await.unwrap();
    assert_eq!(confirmed(&database).await, lsn(lost.state()));
    let rest = database.read("thing", Some(lost.state())).await;
    assert_eq!(rest.records, ["+2|1", "+3|1"]);
    reader.acknowledge(told.state()).await.unwrap();
    assert_eq!(confirmed(&database).await, lsn(told.state()));
    assert_eq!(database.read("thing", Some(told.state())).await.records, ["+3|1"]);
}

#[tokio::test]
async fn a_log_of_nothing_moves_on_too() {
    let (database, first) = things().await;
    database
        .run("CREATE TABLE other (id int); INSERT INTO other SELECT generate_series(1, 1000)")
        .await;
    let mut reader = database.reader("thing", Some(first.state())).await;
    let mut told = Told::default();
    told.all(&mut *reader).await;
    assert!(told.records.is_empty());
    reader.acknowledge(told.state()).await.unwrap();
    assert_ne!(lsn(told.state()), lsn(first.state()));
    assert_eq!(confirmed(&database).await, lsn(told.state()));
}

#[tokio::test]
async fn a_read_goes_on_from_every_checkpoint() {
    let (database, first) = things().await;
    for id in 1..=20 {
        database
            .run(&format!(
                "BEGIN; INSERT INTO thing VALUES ({id}, 1); UPDATE thing SET n = 2 WHERE id = {id}; COMMIT"
            ))
            .await;
    }
    let request = changed("thing", Some(first.state())).with_batch_records(3);
    let mut told = Told::default();
    told.all(&mut *database.connector().reader(request).await.unwrap())
        .await;
    assert_eq!(told.records.len(), 40);
    assert!(told.checkpoints.len() > 5);
    for (covered, state) in &told.checkpoints {
        // A transaction is covered as a whole.
        assert_eq!(covered % 2, 0);
        let rest = database.read("thing", Some(state)).await;
        assert_eq!(rest.records, told.records[*covered..]);
    }
}

/// Polls `next` a number of times, and drops it if it is not ready by then.
async fn impatiently(
    reader: &mut dyn Reader,
    polls: usize,
) -> Option<connector_core::Result<Option<connector_core::Event>>> {
    let mut next = reader.next();
    for _ in 0..polls {
        if let Some(done) = futures::FutureExt::now_or_never(&mut next) {
            return Some(done);
        }
        tokio::task::yield_now().await;
    }
    None
}

#[tokio::test]
async fn calls_that_are_dropped_lose_nothing() {
    let (database, first) = things().await;
    database.run("ALTER TABLE thing ADD COLUMN large text").await;
    database
        .run("INSERT INTO thing SELECT n, 0, NULL FROM generate_series(1, 500) n; UPDATE thing SET n = id")
        .await;
    let whole = database.read("thing", Some(first.state())).await;
    for polls in 1..6 {
        let request = changed("thing", Some(first.state())).with_batch_records(7);
        let mut reader = database.connector().reader(request).await.unwrap();
        let mut told = Told::default();
        loop {
            // Dropped a few times, then let through.
            let event = match impatiently(&mut *reader, polls).await {
                Some(event) => event.unwrap(),
                None => reader.next().await.unwrap(),
            };
            match event {
                Some(event) => told.take(event),
                None => break,
            }
        }
        assert_eq!(told.records, whole.records);
    }
    // A reader that is dropped while the server is busy with it is in nobody's way for long.
    for _ in 0..3 {
        let mut reader = database.reader("thing", Some(first.state())).await;
        assert!(impatiently(&mut *reader, 1).await.is_none());
        drop(reader);
        assert_eq!(
            database.read("thing", Some(first.state())).await.records,
            whole.records
        );
    }
}
