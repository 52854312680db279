//! Reading queries.

use connector_core::{Connector, DataType, ErrorKind, Filter, Selection, Source};

use super::{query, take};
use crate::support::{database, refusal};

#[tokio::test]
async fn a_query_is_described_and_read() {
    let database = database().await;
    database
        .run(
            "CREATE DOMAIN price AS numeric(9,2); CREATE TYPE mood AS ENUM ('fine');
              CREATE TABLE thing (id int PRIMARY KEY, name varchar(20), cost price);
              INSERT INTO thing VALUES (1, 'a', 1.5), (2, 'b', NULL)",
        )
        .await;
    let postgres = database.connector();
    let text = "-- what is dear\nWITH t AS (SELECT * FROM thing)
                SELECT id * 2 AS twice, name, cost, 'fine'::mood AS mood FROM t ORDER BY id -- to the end;";
    let spec = postgres
        .describe(&Selection::Query(text.to_owned()))
        .await
        .unwrap();
    let fields: Vec<(&str, DataType)> = spec
        .schema
        .fields()
        .iter()
        .map(|field| (field.name.as_str(), field.data_type))
        .collect();
    assert_eq!(
        fields,
        [
            ("twice", DataType::Int32),
            ("name", DataType::Text { max_chars: Some(20) }),
            ("cost", DataType::decimal(9, 2)),
            ("mood", DataType::TEXT),
        ]
    );
    assert_eq!(
        take(&postgres, query(text)).await.rows,
        ["2|a|1.50|fine", "4|b|∅|fine"]
    );
    let some = query("VALUES (1, 'x'), (2, 'y');")
        .with_fields(vec!["column2".to_owned()])
        .with_filter(Some(Filter::parse("column1 > 1").unwrap()));
    assert_eq!(take(&postgres, some).await.rows, ["y"]);
    let plan = postgres.plan_read(&query(text)).await.unwrap();
    assert!(
        plan.notes[0].contains("a query has no primary key"),
        "{:?}",
        plan.notes
    );
}

#[tokio::test]
async fn what_is_no_single_query_is_refused_before_anything_is_read() {
    let database = database().await;
    database
        .run("CREATE TABLE thing (id int); CREATE SEQUENCE seq")
        .await;
    let postgres = database.connector();
    for (text, kind, message) in [
        (
            "DELETE FROM thing",
            ErrorKind::Config,
            "the query is no SELECT, VALUES, TABLE or WITH",
        ),
        ("", ErrorKind::Config, "the query is empty"),
        (
            "SELECT 1 AS a; SELECT 2 AS b",
            ErrorKind::Schema,
            "PostgreSQL refused to prepare the query",
        ),
        (
            "SELECT 1 AS a) AS x; DROP TABLE thing; --",
            ErrorKind::Schema,
            "PostgreSQL refused to prepare the query",
        ),
        (
            "WITH gone AS (DELETE FROM thing RETURNING id) SELECT * FROM gone",
            ErrorKind::Schema,
            "PostgreSQL refused to prepare the query",
        ),
        (
            "SELECT 1 AS a INTO other",
            ErrorKind::Schema,
            "PostgreSQL refused to prepare the query",
        ),
        (
            "SELECT $1::int AS a",
            ErrorKind::Config,
            "the query has parameters",
        ),
        ("SELECT 1", ErrorKind::Schema, "column 1 of the query has no name"),
        (
            "SELECT 1 AS a, 2 AS a",
            ErrorKind::Schema,
            "two columns of the query are called `a`",
        ),
        (
            "SELECT * FROM nowhere",
            ErrorKind::NotFound,
            "PostgreSQL refused to prepare the query",
        ),
    ] {
        let planned = refusal(postgres.plan_read(&query(text)).await);
        let opened = refusal(postgres.reader(query(text)).await);
        for error in [planned, opened] {
            assert_eq!(error.kind(), kind, "{text}: {}", error.report());
            assert!(error.message().starts_with(message), "{text}: {}", error.report());
            assert!(error.help().is_some(), "{text}");
        }
    }
    assert_eq!(database.line("SELECT count(*) FROM thing").await, "0");
}

#[tokio::test]
async fn a_query_cannot_write() {
    let database = database().await;
    database
        .run(
            "CREATE TABLE thing (id int); INSERT INTO thing VALUES (1);
              CREATE FUNCTION sly() RETURNS int LANGUAGE sql AS 'DELETE FROM thing RETURNING id'",
        )
        .await;
    let postgres = database.connector();
    let mut reader = match postgres.reader(query("SELECT sly() AS id")).await {
        Ok(reader) => reader,
        Err(error) => panic!("{}", error.report()),
    };
    let error = refusal(reader.next().await);
    assert_eq!(
        (error.kind(), error.message()),
        (
            ErrorKind::Forbidden,
            "the query writes, and is read in a transaction that cannot"
        )
    );
    drop(reader);
    assert_eq!(database.line("SELECT count(*) FROM thing").await, "1");
}
