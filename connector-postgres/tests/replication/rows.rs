//! What becomes of rows.

use connector_core::{ReadRequest, Selection, Source};

use crate::support::{Told, changed, database, task};

#[tokio::test]
async fn the_table_comes_first_and_then_what_happens_to_it() {
    let database = database().await;
    database
        .run("CREATE TABLE thing (id int PRIMARY KEY, name text); INSERT INTO thing VALUES (1, 'a'), (2, NULL)")
        .await;
    database.slot("thing").await;
    let first = database.read("thing", None).await;
    assert_eq!(first.records, ["+1|a", "+2|∅"]);
    database
        .run(
            "INSERT INTO thing VALUES (3, 'c'); UPDATE thing SET name = '' WHERE id = 2;
             UPDATE thing SET id = 4 WHERE id = 1; DELETE FROM thing WHERE id = 3",
        )
        .await;
    let second = database.read("thing", Some(first.state())).await;
    assert_eq!(second.records, ["+3|c", "+2|", "-1|·", "+4|a", "-3|·"]);
    assert_eq!(second.sequences, [0, 1, 2, 3, 4]);
    let third = database.read("thing", Some(second.state())).await;
    assert!(third.records.is_empty());
    third.state();
}

#[tokio::test]
async fn what_changes_while_the_table_is_read_comes_after_it() {
    let database = database().await;
    database
        .run(
            "CREATE TABLE thing (id int PRIMARY KEY, name text); INSERT INTO thing VALUES (1, 'a'), (2, 'b')",
        )
        .await;
    database.slot("thing").await;
    database.run("UPDATE thing SET name = 'c' WHERE id = 1").await;
    let mut reader = database.reader("thing", None).await;
    let mut told = Told::default();
    told.take(reader.next().await.unwrap().unwrap());
    database.run("DELETE FROM thing WHERE id = 2").await;
    told.all(&mut *reader).await;
    // The first change was there already when the table was read.
    assert_eq!(told.records, ["+2|b", "+1|c", "+1|c", "-2|·"]);
    assert_eq!(told.sequences, [0, 1, 2, 3]);
    // The first checkpoint covers the table, and the log is read on from it.
    let (covered, state) = &told.checkpoints[0];
    assert_eq!(*covered, 2);
    assert_eq!(
        database.read("thing", Some(state)).await.records,
        ["+1|c", "-2|·"]
    );
}

/// A type that the core has a counterpart for, and types that it has none for.
const TYPES: &str = r#"
    CREATE TYPE mood AS ENUM ('sad', 'it''s ok');
    CREATE TYPE pair AS (a int, b text);
    CREATE DOMAIN short AS varchar(5);
    CREATE TABLE thing (id bigint PRIMARY KEY, i2 smallint, f4 real, f8 double precision, n numeric, n2 numeric(9,2),
        t text, v varchar(5), c char(4), b bytea, d date, h time, s timestamp, z timestamptz, i interval, u uuid,
        j json, jb jsonb, o boolean, ip inet, net cidr, arr int[], texts text[], m mood, p pair, dom short,
        r int4range, bits bit(3), vb bit varying, mac macaddr, x xml, q "char", tz timetz, money money, ts tsvector)"#;

const VALUES: &str = r#"
    INSERT INTO thing VALUES (-9223372036854775808, 32767, '-0', 'NaN', 'NaN', 12.50, E'日本\n', 'abc', 'ab', '\x00ff',
        '0044-03-15 BC', '24:00', '2024-02-29 12:00:00.000001', '1700-01-01 00:00+09', '1 mon -2 days 03:04:05.6',
        'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '{"a" : 1}', '{"a": [1, null]}', true, '10.0.0.1/8', '10.0.0.0/8',
        '{1,NULL,3}', '{"a,b",NULL,""}', 'it''s ok', ROW(7, 'x,y'), 'abcde', '[1,5)', B'101', B'1', '08:00:2b:01:02:03',
        '<a/>', 'x', '12:00:00+09', '12.34', 'a:1 b:2');
    INSERT INTO thing (id) VALUES (2);
    INSERT INTO thing (id, arr, p, n) VALUES (3, '{}', ROW(NULL, NULL), 1e-20);"#;

#[tokio::test]
async fn values_come_as_a_reader_of_the_table_sees_them() {
    let database = database().await;
    database.run(TYPES).await;
    database.slot("thing").await;
    let state = database.read("thing", None).await;
    database.run(VALUES).await;
    let logged = database.read("thing", Some(state.state())).await;
    let whole = ReadRequest::new(Selection::stream("thing"), task());
    let mut read = Told::default();
    read.all(&mut *database.connector().reader(whole).await.unwrap())
        .await;
    assert_eq!(logged.records.len(), 3, "{:?}", logged.rejected);
    assert_eq!(logged.records, read.records);
    // More rows than the server puts into words at once, old ones among them.
    database
        .run(
            "ALTER TABLE thing REPLICA IDENTITY FULL;
             INSERT INTO thing (id, ip, m) SELECT n, '10.0.0.0'::inet + n, 'sad' FROM generate_series(1000, 1599) n;
             DELETE FROM thing WHERE id BETWEEN 1000 AND 1599",
        )
        .await;
    let told = database.read("thing", Some(logged.state())).await;
    assert_eq!(told.records.len(), 1200);
    assert!(told.records[599].starts_with("+1599|") && told.records[599].contains("|10.0.6.63/32|"));
    assert!(told.records[1199].starts_with("-1599|") && told.records[1199].contains("|10.0.6.63/32|"));
}

#[tokio::test]
async fn a_large_value_that_was_left_alone_is_read_from_the_table() {
    let database = database().await;
    database
        .run(
            "CREATE TABLE thing (id int PRIMARY KEY, n int, large text);
             ALTER TABLE thing ALTER COLUMN large SET STORAGE EXTERNAL;
             INSERT INTO thing SELECT id, 0, repeat(id::text, 5000) FROM generate_series(1, 3) id",
        )
        .await;
    database.slot("thing").await;
    let first = database.read("thing", None).await;
    database.run("UPDATE thing SET n = 1").await;
    let second = database.read("thing", Some(first.state())).await;
    let large = |id: i32| id.to_string().repeat(5000);
    let wanted = [1, 2, 3].map(|id| format!("+{id}|1|{}", large(id)));
    assert_eq!(second.records, wanted);
    // What became of such a row later is what is read, and comes again in its place.
    database
        .run("UPDATE thing SET n = 2; UPDATE thing SET large = 'new' WHERE id = 1; DELETE FROM thing WHERE id = 2")
        .await;
    let third = database.read("thing", Some(second.state())).await;
    let last = format!("+3|2|{}", large(3));
    assert_eq!(third.records, ["+1|2|new", last.as_str(), "+1|2|new", "-2|·|·"]);
    // A key that changed beside it.
    database.run("UPDATE thing SET id = 30 WHERE id = 3").await;
    let fourth = database.read("thing", Some(third.state())).await;
    assert_eq!(
        fourth.records,
        ["-3|·|·".to_owned(), format!("+30|2|{}", large(3))]
    );
}

#[tokio::test]
async fn a_large_value_that_was_left_alone_is_in_the_log_of_whole_rows() {
    let database = database().await;
    database
        .run(
            "CREATE TABLE thing (id int PRIMARY KEY, n int, large text);
             ALTER TABLE thing ALTER COLUMN large SET STORAGE EXTERNAL;
             ALTER TABLE thing REPLICA IDENTITY FULL; INSERT INTO thing VALUES (1, 0, repeat('x', 5000))",
        )
        .await;
    database.slot("thing").await;
    let first = database.read("thing", None).await;
    database
        .run("UPDATE thing SET n = 1; UPDATE thing SET id = 2; DELETE FROM thing")
        .await;
    let second = database.read("thing", Some(first.state())).await;
    let large = "x".repeat(5000);
    let wanted = ["+1|1", "-1|1", "+2|1", "-2|1"].map(|row| format!("{row}|{large}"));
    assert_eq!(second.records, wanted);
}

#[tokio::test]
async fn a_large_key_is_known_by_what_it_was() {
    let database = database().await;
    database
        .run(
            "CREATE TABLE thing (id text PRIMARY KEY, n int);
             ALTER TABLE thing ALTER COLUMN id SET STORAGE EXTERNAL;
             INSERT INTO thing VALUES (repeat('k', 2500), 0)",
        )
        .await;
    database.slot("thing").await;
    let first = database.read("thing", None).await;
    database.run("UPDATE thing SET n = 1; DELETE FROM thing").await;
    let second = database.read("thing", Some(first.state())).await;
    let key = "k".repeat(2500);
    assert_eq!(second.records, [format!("+{key}|1"), format!("-{key}|·")]);
}

#[tokio::test]
async fn chosen_fields_come_in_their_order_and_the_key_with_them() {
    let database = database().await;
    database
        .run(
            "CREATE TABLE thing (a int, id int PRIMARY KEY, b int GENERATED ALWAYS AS (a * 2) STORED, c int)",
        )
        .await;
    database.slot("thing").await;
    let fields = || vec!["c".to_owned(), "b".to_owned()];
    let read = |state| changed("thing", state).with_fields(fields());
    let mut first = Told::default();
    first
        .all(&mut *database.connector().reader(read(None)).await.unwrap())
        .await;
    database
        .run("INSERT INTO thing (a, id, c) VALUES (1, 7, 3); UPDATE thing SET c = 4; DELETE FROM thing; INSERT INTO thing (a, id, c) VALUES (5, 8, 6)")
        .await;
    let mut reader = database
        .connector()
        .reader(read(Some(first.state())))
        .await
        .unwrap();
    let (mut told, mut keys) = (Told::default(), Vec::new());
    while let Some(event) = reader.next().await.unwrap() {
        if let connector_core::Event::Records(batch) = &event {
            keys.extend(
                batch
                    .records()
                    .map(|record| record.source_key().unwrap().to_string()),
            );
        }
        told.take(event);
    }
    // A generated column is not logged: where the row is gone, the log says so.
    assert_eq!(told.records, ["-·|·", "+6|10"]);
    assert_eq!(keys, ["7", "8"]);
}

#[tokio::test]
async fn names_may_be_what_they_like() {
    let database = database().await;
    let table = r#""日本 ""語""#;
    database
        .run(&format!(
            r#"CREATE SCHEMA "My Schema"; CREATE TABLE "My Schema".{table} ("鍵 k" text PRIMARY KEY, "number" inet, "select" int)"#
        ))
        .await;
    let stream = "My Schema.日本 \"語";
    database.slot(stream).await;
    let first = database.read(stream, None).await;
    database
        .run(&format!(
            r#"INSERT INTO "My Schema".{table} VALUES ('ä', '1.2.3.4', 5)"#
        ))
        .await;
    let second = database.read(stream, Some(first.state())).await;
    assert_eq!(second.records, ["+ä|1.2.3.4/32|5"]);
}

#[tokio::test]
async fn partitions_are_one_table() {
    let database = database().await;
    database
        .run(
            "CREATE TABLE thing (id int PRIMARY KEY, n int) PARTITION BY RANGE (id);
             CREATE TABLE low PARTITION OF thing FOR VALUES FROM (0) TO (10);
             CREATE TABLE high PARTITION OF thing FOR VALUES FROM (10) TO (20)",
        )
        .await;
    database.slot("thing").await;
    let first = database.read("thing", None).await;
    database
        .run("INSERT INTO thing VALUES (1, 1), (11, 1); UPDATE thing SET id = 12 WHERE id = 1; DELETE FROM thing WHERE id = 11")
        .await;
    let second = database.read("thing", Some(first.state())).await;
    assert_eq!(second.records, ["+1|1", "+11|1", "-1|·", "+12|1", "-11|·"]);
}

#[tokio::test]
async fn another_table_of_the_publication_is_another_tasks() {
    let database = database().await;
    database
        .run("CREATE TABLE thing (id int PRIMARY KEY); CREATE TABLE other (id text PRIMARY KEY)")
        .await;
    database.slot("thing").await;
    let name = database.cell("SELECT pubname FROM pg_publication").await;
    database
        .run(&format!("ALTER PUBLICATION {name} ADD TABLE other"))
        .await;
    let first = database.read("thing", None).await;
    database
        .run("BEGIN; INSERT INTO other VALUES ('x'); INSERT INTO thing VALUES (1); DELETE FROM other; COMMIT; TRUNCATE other")
        .await;
    let second = database.read("thing", Some(first.state())).await;
    assert_eq!(second.records, ["+1"]);
}

#[tokio::test]
async fn a_row_that_cannot_be_read_is_rejected_by_its_key() {
    let database = database().await;
    database
        .run("CREATE TABLE thing (id int PRIMARY KEY, days int[])")
        .await;
    database.slot("thing").await;
    let first = database.read("thing", None).await;
    database
        .run("INSERT INTO thing VALUES (1, '{{1},{2}}'), (2, '{3}')")
        .await;
    let second = database.read("thing", Some(first.state())).await;
    assert_eq!(second.records, ["+2|[3]"]);
    assert_eq!(second.rejected, ["Some(Key(\"1\")) array_shape"]);
    assert_eq!(second.sequences, [1]);
}
