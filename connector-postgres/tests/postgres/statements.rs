//! Scripts between jobs.

use connector_core::{ErrorKind, Statements};
use connector_postgres::Postgres;

use crate::support::{database, refusal};

#[tokio::test]
async fn every_statement_runs_and_changed_rows_are_counted() {
    let database = database().await;
    let postgres = database.connector();
    let script = "CREATE TABLE t (id int, v text);\n-- a comment; with a semicolon\nINSERT INTO t SELECT n, 'x' FROM generate_series(1, 5) n;\n\
                  UPDATE t SET v = 'a;b' WHERE id < 3;\nSELECT * FROM t;\nDELETE FROM t WHERE id = 5;";
    assert_eq!(postgres.execute(script).await.unwrap().rows, 8);
    assert_eq!(
        database.lines("SELECT * FROM t ORDER BY id").await,
        ["1|a;b", "2|a;b", "3|x", "4|x"]
    );
}

#[tokio::test]
async fn an_empty_script_does_nothing() {
    let database = database().await;
    assert_eq!(
        database.connector().execute("-- nothing\n").await.unwrap().rows,
        0
    );
}

#[tokio::test]
async fn a_script_that_fails_is_undone_as_a_whole_and_its_error_names_the_line() {
    let database = database().await;
    let postgres = database.connector();
    database.run("CREATE TABLE t (id int PRIMARY KEY)").await;
    let script = "INSERT INTO t VALUES (1);\n-- 日本語\nINSERT INTO t\nSELECT nope FROM t;";
    let error = refusal(postgres.execute(script).await);
    assert_eq!(error.kind(), ErrorKind::Schema);
    assert!(
        error.message().contains("column \"nope\" does not exist"),
        "{error}"
    );
    assert!(error.context().contains(&("line", "4".to_owned())), "{error:?}");
    assert_eq!(database.lines("SELECT * FROM t").await, [""; 0]);
    // The session that failed is not handed out again within its transaction.
    assert_eq!(
        postgres.execute("INSERT INTO t VALUES (2)").await.unwrap().rows,
        1
    );
    assert_eq!(database.lines("SELECT * FROM t").await, ["2"]);
}

#[tokio::test]
async fn an_error_without_a_position_names_the_statement() {
    let database = database().await;
    let postgres = database.connector();
    database.run("CREATE TABLE t (id int PRIMARY KEY)").await;
    let error = refusal(
        postgres
            .execute("INSERT INTO t VALUES (1);\nSELECT 1;\nINSERT INTO t VALUES (1);")
            .await,
    );
    assert_eq!(error.kind(), ErrorKind::Data);
    assert!(
        error.context().contains(&("statement", "3".to_owned())),
        "{error:?}"
    );
    assert_eq!(database.lines("SELECT * FROM t").await, [""; 0]);
}

#[tokio::test]
async fn unqualified_names_are_in_the_connection_s_schema() {
    let database = database().await;
    database.run("CREATE SCHEMA \"My crm\"; CREATE TABLE \"My crm\".t (v int); CREATE TABLE public.t (v int); CREATE TABLE public.elsewhere (v int)").await;
    let mut config = database.config.clone();
    config.schema = "My crm".to_owned();
    let postgres = Postgres::new(config).unwrap();
    postgres
        .execute("INSERT INTO t VALUES (1); INSERT INTO elsewhere VALUES (2)")
        .await
        .unwrap();
    assert_eq!(database.lines("SELECT v FROM \"My crm\".t").await, ["1"]);
    assert_eq!(database.lines("SELECT v FROM public.t").await, [""; 0]);
    assert_eq!(database.lines("SELECT v FROM public.elsewhere").await, ["2"]);
}

#[tokio::test]
async fn a_script_that_is_abandoned_is_not_finished_by_the_next_user_of_its_session() {
    let database = database().await;
    let postgres = database.connector();
    database.run("CREATE TABLE t (v int)").await;
    let script = "INSERT INTO t VALUES (1); SELECT pg_sleep(1)";
    let abandoned =
        tokio::time::timeout(std::time::Duration::from_millis(300), postgres.execute(script)).await;
    assert!(abandoned.is_err());
    postgres.execute("INSERT INTO t VALUES (2)").await.unwrap();
    tokio::time::sleep(std::time::Duration::from_millis(1_000)).await;
    assert_eq!(database.lines("SELECT * FROM t").await, ["2"]);
}
