//! What takes too long, and what is called off.

use std::time::Duration;

use connector_core::{Connector, ErrorKind, Statements};
use connector_postgres::{Config, Postgres};

use crate::support::{Database, database, refusal};

#[tokio::test]
async fn whoever_does_not_answer_is_given_up() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let mut config = Config::new("127.0.0.1", "me");
    config.port = listener.local_addr().unwrap().port();
    config.connect_timeout = Duration::from_millis(200);
    let error = refusal(Postgres::new(config.clone()).unwrap().check().await);
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert_eq!(
        error.to_string(),
        format!(
            "PostgreSQL at 127.0.0.1:{} did not answer within 200ms",
            config.port
        )
    );
}

#[tokio::test]
async fn a_statement_runs_no_longer_than_it_may() {
    let database = database().await;
    let mut config = database.config.clone();
    config.statement_timeout = Some(Duration::from_millis(100));
    let error = refusal(
        Postgres::new(config)
            .unwrap()
            .execute("SELECT pg_sleep(60)")
            .await,
    );
    assert!(
        error.to_string().contains("statement timeout"),
        "{}",
        error.report()
    );
}

#[tokio::test]
async fn a_lock_is_waited_for_no_longer_than_it_may() {
    let database = database().await;
    database.run("CREATE TABLE held (id int)").await;
    database.run("BEGIN; LOCK TABLE held").await;
    let mut config = database.config.clone();
    config.lock_timeout = Some(Duration::from_millis(100));
    let postgres = Postgres::new(config).unwrap();
    let error = refusal(postgres.execute("INSERT INTO held VALUES (1)").await);
    assert!(error.to_string().contains("lock timeout"), "{}", error.report());
    database.run("ROLLBACK").await;
    postgres.execute("INSERT INTO held VALUES (1)").await.unwrap();
}

#[tokio::test]
async fn a_statement_that_is_called_off_leaves_nothing_behind() {
    let database = database().await;
    database.run("CREATE TABLE kept (id int)").await;
    let postgres = database.connector();
    let script = "INSERT INTO kept VALUES (1); SELECT pg_sleep(60)";
    let called_off = tokio::time::timeout(Duration::from_millis(500), postgres.execute(script)).await;
    assert!(called_off.is_err());
    gone(&database).await;
    assert_eq!(database.line("SELECT count(*) FROM kept").await, "0");
    postgres.execute("INSERT INTO kept VALUES (2)").await.unwrap();
}

/// Waits until no other session works on the database or is within a transaction.
async fn gone(database: &Database) {
    let sql = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
               AND pid <> pg_backend_pid() AND state <> 'idle'";
    for _ in 0..100 {
        if database.line(sql).await == "0" {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("a session goes on");
}
