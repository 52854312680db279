//! Columns that come, go and change while the log is read.

use connector_core::ErrorKind;

use crate::support::{Database, Told, database};

async fn things() -> (Database, Told) {
    let database = database().await;
    database
        .run("CREATE TABLE thing (id int PRIMARY KEY, a int, b text); INSERT INTO thing VALUES (1, 1, 'x'), (2, 2, 'y')")
        .await;
    database.slot("thing").await;
    let first = database.read("thing", None).await;
    (database, first)
}

#[tokio::test]
async fn a_column_that_began_as_null_is_read_from_then_on() {
    let (database, first) = things().await;
    database
        .run(
            "UPDATE thing SET a = 3 WHERE id = 1; ALTER TABLE thing ADD COLUMN c int;
             UPDATE thing SET c = 7 WHERE id = 1; INSERT INTO thing VALUES (3, 3, 'z', 9)",
        )
        .await;
    let second = database.read("thing", Some(first.state())).await;
    // The first change did not say it, and is read as the row is now.
    assert_eq!(second.records, ["+1|3|x|7", "+1|3|x|7", "+3|3|z|9"]);
    database.run("DELETE FROM thing WHERE id = 3").await;
    let third = database.read("thing", Some(second.state())).await;
    assert_eq!(third.records, ["-3|·|·|·"]);
}

#[tokio::test]
async fn columns_are_found_by_name_wherever_they_stand() {
    let (database, first) = things().await;
    database
        .run("UPDATE thing SET a = 3 WHERE id = 1; ALTER TABLE thing DROP COLUMN a; UPDATE thing SET b = 'new' WHERE id = 2")
        .await;
    let second = database.read("thing", Some(first.state())).await;
    assert_eq!(second.records, ["+1|x", "+2|new"]);
}

#[tokio::test]
async fn a_column_that_old_rows_have_unread_values_of_is_refused() {
    for change in [
        "ALTER TABLE thing ADD COLUMN c int DEFAULT 5",
        "ALTER TABLE thing ADD COLUMN c serial",
        "ALTER TABLE thing ADD COLUMN c int GENERATED ALWAYS AS (a + 1) STORED",
        "ALTER TABLE thing RENAME COLUMN a TO c",
        "ALTER TABLE thing DROP COLUMN a; ALTER TABLE thing ADD COLUMN a int",
    ] {
        let (database, first) = things().await;
        database.run(change).await;
        let error = database.refused("thing", Some(first.state())).await;
        assert_eq!(error.kind(), ErrorKind::Schema, "{change}");
        assert!(
            error.message().contains("was not read up to the stored state"),
            "{}",
            error.report()
        );
        assert!(error.help().unwrap().contains("leave it out of the fields"));
    }
}

#[tokio::test]
async fn a_column_of_another_type_is_refused_where_rows_are_read_by_it() {
    let (database, first) = things().await;
    database
        .run("UPDATE thing SET a = 3 WHERE id = 1; ALTER TABLE thing ALTER COLUMN a TYPE bigint")
        .await;
    let error = database.refused("thing", Some(first.state())).await;
    assert_eq!(error.kind(), ErrorKind::Schema);
    assert_eq!(
        error.message(),
        "the column `a` of \"public\".\"thing\" has another type now than where the log is being read"
    );
    assert!(error.help().unwrap().contains("read the table anew"));
}

#[tokio::test]
async fn a_wider_text_is_the_same_type() {
    let database = database().await;
    database
        .run("CREATE TABLE thing (id int PRIMARY KEY, v varchar(3), n numeric(5,2))")
        .await;
    database.slot("thing").await;
    let first = database.read("thing", None).await;
    database
        .run(
            "INSERT INTO thing VALUES (1, 'abc', 1.25); ALTER TABLE thing ALTER COLUMN v TYPE varchar(9),
             ALTER COLUMN n TYPE numeric(9,2); INSERT INTO thing VALUES (2, 'abcdefghi', 1234567.25)",
        )
        .await;
    let second = database.read("thing", Some(first.state())).await;
    assert_eq!(second.records, ["+1|abc|1.25", "+2|abcdefghi|1234567.25"]);
}

#[tokio::test]
async fn a_key_that_was_another_is_refused() {
    let (database, first) = things().await;
    database
        .run("DELETE FROM thing WHERE id = 1; ALTER TABLE thing DROP CONSTRAINT thing_pkey, ADD PRIMARY KEY (a)")
        .await;
    let error = database.refused("thing", Some(first.state())).await;
    assert_eq!(error.kind(), ErrorKind::State);
    assert!(
        error.message().contains("does not say by its primary key"),
        "{}",
        error.report()
    );
}
