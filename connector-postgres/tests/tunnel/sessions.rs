//! Many sessions of PostgreSQL in one of SSH, and what happens when that ends.

use std::time::Duration;

use connector_core::{Connector, ReadRequest, Selection, Source, Statements, TaskId};
use connector_postgres::Postgres;
use futures::future::join_all;

use crate::keys_of_users;
use crate::support::{Database, Wire, config, database, sshd, through};

async fn wired(database: &Database) -> (Postgres, Wire) {
    let sshd = sshd().await;
    let wire = Wire::to(sshd.port).await;
    let mut tunnel = through(sshd, keys_of_users::ed25519());
    tunnel.port = wire.port;
    (Postgres::new(config(database, tunnel)).unwrap(), wire)
}

/// Sessions of others that do something, or are within a transaction.
const BUSY: &str = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
                    AND pid <> pg_backend_pid() AND state <> 'idle'";

#[tokio::test]
async fn eight_sessions_share_one_ssh_session() {
    let database = database().await;
    let (postgres, wire) = wired(&database).await;
    database.run("CREATE TABLE seen (pid int)").await;
    let script = "INSERT INTO seen SELECT pg_backend_pid(); SELECT pg_sleep(0.5)";
    let results = join_all((0..8).map(|_| postgres.execute(script))).await;
    for result in results {
        result.unwrap();
    }
    assert_eq!(database.number("SELECT count(DISTINCT pid) FROM seen").await, 8);
    assert_eq!(wire.connections(), 1);
}

#[tokio::test]
async fn a_session_that_was_cut_while_idle_is_made_anew() {
    let database = database().await;
    let (postgres, wire) = wired(&database).await;
    for connections in 1..4 {
        postgres.check().await.unwrap();
        assert_eq!(wire.connections(), connections);
        wire.cut();
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

#[tokio::test]
async fn a_session_that_is_cut_at_work_says_so_and_leaves_nothing_behind() {
    let database = database().await;
    let (postgres, wire) = wired(&database).await;
    database.run("CREATE TABLE kept (id int)").await;
    let script = "INSERT INTO kept VALUES (1); SELECT pg_sleep(3)";
    let cut = async {
        tokio::time::sleep(Duration::from_millis(700)).await;
        wire.cut();
    };
    let (result, ()) = tokio::join!(postgres.execute(script), cut);
    let error = result.unwrap_err();
    assert_eq!(
        error.kind(),
        connector_core::ErrorKind::Unavailable,
        "{}",
        error.report()
    );
    settled(&database).await;
    assert_eq!(database.number("SELECT count(*) FROM kept").await, 0);
    postgres.execute("INSERT INTO kept VALUES (2)").await.unwrap();
}

#[tokio::test]
async fn a_statement_that_is_called_off_leaves_no_session_in_a_transaction() {
    let database = database().await;
    let (postgres, _wire) = wired(&database).await;
    database.run("CREATE TABLE kept (id int)").await;
    let script = "INSERT INTO kept VALUES (1); SELECT pg_sleep(60)";
    let called_off = tokio::time::timeout(Duration::from_millis(700), postgres.execute(script)).await;
    assert!(called_off.is_err());
    settled(&database).await;
    assert_eq!(database.number("SELECT count(*) FROM kept").await, 0);
}

/// Rows that nobody takes from a channel of SSH stop all the others: a reader therefore has a session of its own.
#[tokio::test]
async fn a_reader_that_waits_holds_nobody_up() {
    let database = database().await;
    let (postgres, wire) = wired(&database).await;
    database
        .run("CREATE TABLE wide AS SELECT i AS id, repeat(md5(i::text), 64) AS text FROM generate_series(1, 40000) i")
        .await;
    let request = ReadRequest::new(Selection::stream("wide"), TaskId::new("job", "wide"));
    let mut reader = postgres.reader(request).await.unwrap();
    let first = reader.next().await.unwrap();
    assert!(first.is_some());
    // Long enough for everything on the way to be full.
    tokio::time::sleep(Duration::from_millis(500)).await;
    let other = tokio::time::timeout(Duration::from_secs(10), postgres.execute("SELECT 1"));
    other.await.unwrap().unwrap();
    assert_eq!(wire.connections(), 2);
    drop(reader);
    settled(&database).await;
}

async fn settled(database: &Database) {
    for _ in 0..200 {
        if database.number(BUSY).await == 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("a session goes on");
}
