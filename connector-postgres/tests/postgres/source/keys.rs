//! Rows by their keys.

use connector_core::{Connector, ErrorKind, Key, Source, SyncMode};

use super::{full, take};
use crate::support::{database, refusal};

fn keyed(table: &str, keys: &[&str]) -> connector_core::ReadRequest {
    let keys = keys.iter().map(|key| Key::new(*key)).collect();
    full(table).with_sync(SyncMode::Keys(keys))
}

#[tokio::test]
async fn keys_of_every_kind_find_their_rows() {
    let database = database().await;
    database
        .run("CREATE TABLE number (k bigint PRIMARY KEY); INSERT INTO number VALUES (1), (-9223372036854775808);
              CREATE TABLE exact (k numeric PRIMARY KEY); INSERT INTO exact VALUES (1.50), ('NaN');
              CREATE TABLE word (k text COLLATE \"en-x-icu\" PRIMARY KEY); INSERT INTO word VALUES ('ä'), (''), ('it''s \\ \"x\"');
              CREATE TABLE uid (k uuid PRIMARY KEY); INSERT INTO uid VALUES ('123e4567-e89b-12d3-a456-426614174000');
              CREATE TABLE day (k date PRIMARY KEY); INSERT INTO day VALUES ('2024-02-29');
              CREATE TABLE stamp (k timestamp PRIMARY KEY); INSERT INTO stamp VALUES ('2024-02-29 12:00:00.5');
              CREATE TABLE moment (k timestamptz PRIMARY KEY); INSERT INTO moment VALUES ('2024-02-29 12:00:00+02');
              CREATE TABLE host (k inet PRIMARY KEY); INSERT INTO host VALUES ('10.0.0.1');
              CREATE TABLE pair (a int, b varchar(9), PRIMARY KEY (b, a)); INSERT INTO pair VALUES (1, 'x\"'), (2, 'x\"')")
        .await;
    let postgres = database.connector();
    for table in [
        "number", "exact", "word", "uid", "day", "stamp", "moment", "host", "pair",
    ] {
        let mut reader = postgres.reader(full(table)).await.unwrap();
        let mut keys = Vec::new();
        while let Some(event) = reader.next().await.unwrap() {
            if let connector_core::Event::Records(batch) = event {
                keys.extend(batch.records().filter_map(|record| record.source_key()));
            }
        }
        let wanted = keys.len();
        let twice: Vec<Key> = keys.iter().chain(&keys).cloned().collect();
        let taken = take(&postgres, full(table).with_sync(SyncMode::Keys(twice))).await;
        assert_eq!(taken.rows.len(), wanted, "{table}: {keys:?}");
    }
}

#[tokio::test]
async fn a_key_that_no_row_can_have_is_left_out() {
    let database = database().await;
    database
        .run(
            "CREATE TABLE number (k smallint PRIMARY KEY); INSERT INTO number VALUES (1);
              CREATE TABLE pair (a int, b text, PRIMARY KEY (a, b)); INSERT INTO pair VALUES (1, 'x');
              CREATE VIEW shown AS SELECT * FROM number",
        )
        .await;
    let postgres = database.connector();
    let keys = ["1", "x", "99999999", "'; DROP TABLE number; --", "", "\0"];
    assert_eq!(take(&postgres, keyed("number", &keys)).await.rows, ["1"]);
    let keys = [
        r#"["1","x"]"#,
        r#"["1"]"#,
        "1",
        r#"["1","x","y"]"#,
        r#"["a","x"]"#,
    ];
    assert_eq!(take(&postgres, keyed("pair", &keys)).await.rows, ["1|x"]);
    let error = refusal(postgres.reader(keyed("shown", &["1"])).await);
    assert_eq!(
        (error.kind(), error.message()),
        (ErrorKind::Unsupported, "shown has no primary key to find rows by")
    );
}

#[tokio::test]
async fn more_keys_than_a_statement_holds_are_read() {
    let database = database().await;
    database
        .run("CREATE TABLE number (k int PRIMARY KEY); INSERT INTO number SELECT generate_series(1, 10000)")
        .await;
    let keys: Vec<Key> = (1..=5001)
        .map(|number| Key::new((2 * number).to_string()))
        .collect();
    let request = full("number").with_sync(SyncMode::Keys(keys));
    assert_eq!(take(&database.connector(), request).await.distinct().len(), 5000);
}

#[tokio::test]
async fn every_kind_of_table_is_listed() {
    let database = database().await;
    database
        .run(
            "CREATE TABLE plain (id int); CREATE TABLE parted (id int) PARTITION BY RANGE (id);
              CREATE VIEW shown AS SELECT 1 AS id; CREATE MATERIALIZED VIEW kept AS SELECT 1 AS id",
        )
        .await;
    let streams = database.connector().streams().await.unwrap();
    let names: Vec<&str> = streams.iter().map(|stream| stream.name.as_str()).collect();
    assert_eq!(names, ["kept", "parted", "plain", "shown"]);
}
