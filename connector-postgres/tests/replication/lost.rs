//! A log that no longer leads from the state to what is there: an error with what to do, and nothing skipped.

use connector_core::{ErrorKind, Source};

use crate::support::{Database, Told, changed, database, database_at, start, task};

async fn things() -> (Database, Told) {
    of(database().await).await
}

async fn of(database: Database) -> (Database, Told) {
    database
        .run("CREATE TABLE thing (id int PRIMARY KEY, n int); INSERT INTO thing VALUES (1, 1)")
        .await;
    database.slot("thing").await;
    let first = database.read("thing", None).await;
    (database, first)
}

/// The state must be refused with these words, in the plan and in the read, with what to do.
async fn assert_lost(database: &Database, told: &Told, words: &str) {
    let request = || changed("thing", Some(told.state()));
    let planned = database.connector().plan_read(&request()).await.unwrap_err();
    let read = database.refused("thing", Some(told.state())).await;
    for error in [planned, read] {
        assert_eq!(error.kind(), ErrorKind::State, "{}", error.report());
        assert!(error.message().contains(words), "{}", error.report());
        assert!(
            error.help().unwrap().contains("read the table anew"),
            "{}",
            error.report()
        );
    }
}

/// After the verbs that the help names, the table is read from its start.
async fn anew(database: &Database) -> Vec<String> {
    database.connector().replication().drop(&task()).await.unwrap();
    database.slot("thing").await;
    let first = database.read("thing", None).await;
    database.run("INSERT INTO thing VALUES (99, 99)").await;
    let second = database.read("thing", Some(first.state())).await;
    [first.records, second.records].concat()
}

#[tokio::test]
async fn a_slot_that_was_never_made_is_named_with_the_verb_that_makes_it() {
    let database = database().await;
    database.run("CREATE TABLE thing (id int PRIMARY KEY)").await;
    for error in [
        database.refused("thing", None).await,
        database
            .connector()
            .plan_read(&changed("thing", None))
            .await
            .unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::NotFound);
        assert!(
            error
                .message()
                .starts_with("the task job/things has no slot `sync_job_things_")
        );
        assert!(
            error
                .help()
                .unwrap()
                .contains("replication().create(task, \"thing\")")
        );
    }
    assert_eq!(
        database
            .cell("SELECT count(*) FROM pg_replication_slots WHERE database = current_database()")
            .await,
        "0"
    );
}

#[tokio::test]
async fn a_slot_that_was_dropped_is_a_lost_log() {
    let (database, first) = things().await;
    database
        .run("SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE database = current_database()")
        .await;
    assert_lost(&database, &first, "of the task job/things is gone").await;
    assert_eq!(anew(&database).await, ["+1|1", "+99|99"]);
}

#[tokio::test]
async fn a_slot_that_was_made_anew_is_a_lost_log() {
    let (database, first) = things().await;
    database.connector().replication().drop(&task()).await.unwrap();
    database.run("INSERT INTO thing VALUES (2, 2)").await;
    database.slot("thing").await;
    assert_lost(&database, &first, "was made anew or moved to").await;
    assert_eq!(anew(&database).await, ["+1|1", "+2|2", "+99|99"]);
}

#[tokio::test]
async fn a_slot_that_somebody_moved_is_a_lost_log() {
    let (database, first) = things().await;
    database.run("INSERT INTO thing VALUES (2, 2)").await;
    database
        .run(
            "SELECT pg_replication_slot_advance(slot_name, pg_current_wal_lsn()) FROM pg_replication_slots
             WHERE database = current_database()",
        )
        .await;
    assert_lost(&database, &first, "was made anew or moved to").await;
}

#[tokio::test]
async fn a_slot_that_the_server_gave_up_is_a_lost_log() {
    let server = tokio::task::spawn_blocking(|| {
        start(&[
            ("max_slot_wal_keep_size", "1MB"),
            ("max_wal_size", "32MB"),
            ("min_wal_size", "32MB"),
        ])
    });
    let server = server.await.unwrap();
    let (database, first) = of(database_at(server.url()).await).await;
    database.run("CREATE TABLE other (id int, filling text)").await;
    for _ in 0..6 {
        database
            .run("INSERT INTO other SELECT n, repeat('x', 1000) FROM generate_series(1, 16000) n; SELECT pg_switch_wal(); CHECKPOINT")
            .await;
    }
    let shown = database.connector().replication().show().await.unwrap();
    assert!(shown[0].is_lost, "{shown:?}");
    assert_lost(&database, &first, "has given up the slot").await;
    assert_eq!(anew(&database).await, ["+1|1", "+99|99"]);
}

#[tokio::test]
async fn a_publication_without_the_table_is_a_lost_log() {
    let (database, first) = things().await;
    let name = database.cell("SELECT pubname FROM pg_publication").await;
    database
        .run(&format!("ALTER PUBLICATION {name} DROP TABLE thing"))
        .await;
    assert_lost(&database, &first, "does not give out \"public\".\"thing\"").await;
    // What changed in between was not given out, even if the table is back.
    database
        .run(&format!(
            "INSERT INTO thing VALUES (2, 2); ALTER PUBLICATION {name} ADD TABLE thing"
        ))
        .await;
    assert_lost(&database, &first, "was made anew or changed").await;
    assert_eq!(anew(&database).await, ["+1|1", "+2|2", "+99|99"]);
}

#[tokio::test]
async fn a_publication_of_part_of_the_table_is_no_log_of_it() {
    for part in ["SET (publish = 'insert')", "SET TABLE thing WHERE (id > 5)"] {
        let (database, first) = things().await;
        let name = database.cell("SELECT pubname FROM pg_publication").await;
        database.run(&format!("ALTER PUBLICATION {name} {part}")).await;
        assert_lost(&database, &first, "does not give out every change").await;
    }
}

#[tokio::test]
async fn a_publication_that_was_dropped_is_a_lost_log() {
    let (database, first) = things().await;
    let name = database.cell("SELECT pubname FROM pg_publication").await;
    database.run(&format!("DROP PUBLICATION {name}")).await;
    assert_lost(&database, &first, "is gone").await;
    assert_eq!(anew(&database).await, ["+1|1", "+99|99"]);
}

#[tokio::test]
async fn a_table_made_anew_is_another_one() {
    let (database, first) = things().await;
    let name = database.cell("SELECT pubname FROM pg_publication").await;
    database
        .run(&format!(
            "DROP TABLE thing; CREATE TABLE thing (id int PRIMARY KEY, n int); ALTER PUBLICATION {name} ADD TABLE thing"
        ))
        .await;
    assert_lost(&database, &first, "the table \"public\".\"thing\" was made anew").await;
}

#[tokio::test]
async fn a_truncated_table_is_said_to_be_read_anew() {
    let (database, first) = things().await;
    database
        .run("INSERT INTO thing VALUES (2, 2); TRUNCATE thing")
        .await;
    let error = database.refused("thing", Some(first.state())).await;
    assert_eq!(error.kind(), ErrorKind::State);
    assert!(error.message().contains("was truncated"), "{}", error.report());
    assert_eq!(anew(&database).await, ["+99|99"]);
}

#[tokio::test]
async fn a_state_of_another_history_of_the_server_is_refused() {
    let (database, first) = things().await;
    let altered = |field: &str, value: &str| {
        let mut stored = serde_json::to_value(first.state()).unwrap();
        stored["data"][field] = value.into();
        let mut told = Told::default();
        told.checkpoints
            .push((0, serde_json::from_value(stored).unwrap()));
        told
    };
    assert_lost(
        &database,
        &altered("timeline", "00000007"),
        "a replica has taken the server's place",
    )
    .await;
    assert_lost(&database, &altered("lsn", "FFFF/0"), "the server was restored").await;
    assert_lost(&database, &altered("slot", "another"), "is of the slot `another`").await;
}
