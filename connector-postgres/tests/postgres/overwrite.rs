//! Overwriting a table: built beside, published at once.

use std::sync::Arc;

use connector_core::{
    Batch, Connector, DataType, Destination, ErrorKind, Op, Schema, Value, WriteMode, WriteRequest,
};

use crate::support::{
    Database, batch, claim, database, field, load, puts, refusal, schema, state, tally, try_load, upsert,
    writer,
};

const SHADOWS: &str =
    "SELECT count(*) FROM pg_class WHERE relname LIKE 'connector overwrite %' AND relkind = 'r'";

fn two() -> Arc<Schema> {
    schema(
        vec![field("id", DataType::Int64), field("v", DataType::TEXT)],
        &["id"],
    )
}

fn overwrite(schema: &Arc<Schema>) -> WriteRequest {
    let mut request = upsert("t", schema);
    request.mode = WriteMode::Overwrite;
    request
}

fn rows(schema: &Arc<Schema>, rows: &[(i64, &str)]) -> Batch {
    let rows: Vec<[Value<'_>; 2]> = rows
        .iter()
        .map(|(id, v)| [Value::Int(*id), Value::Text(v)])
        .collect();
    let rows: Vec<&[Value<'_>]> = rows.iter().map(<[_; 2]>::as_slice).collect();
    puts(schema, 0, &rows)
}

async fn notes(database: &Database, request: &WriteRequest) -> Vec<String> {
    database.connector().plan_write(request).await.unwrap().notes
}

async fn oid(database: &Database) -> String {
    database.line("SELECT 't'::regclass::oid").await
}

#[tokio::test]
async fn a_plain_table_is_replaced_with_its_indexes_constraints_rights_and_comments() {
    let database = database().await;
    let postgres = database.connector();
    database
        .run(
            "DROP ROLE IF EXISTS overwrite_reader; CREATE ROLE overwrite_reader;
             CREATE TABLE t (id bigint CONSTRAINT the_key PRIMARY KEY, v text NOT NULL DEFAULT 'd' CONSTRAINT short CHECK (length(v) < 9));
             CREATE UNIQUE INDEX \"on lower\" ON t (lower(v)) WHERE id > 0; CREATE INDEX ON t USING hash (v);
             ALTER TABLE t ADD CONSTRAINT pair UNIQUE (id, v) DEFERRABLE;
             COMMENT ON TABLE t IS 'it''s mine'; COMMENT ON COLUMN t.v IS 'a value'; COMMENT ON INDEX \"on lower\" IS 'odd';
             GRANT SELECT ON t TO overwrite_reader; GRANT UPDATE ON t TO overwrite_reader WITH GRANT OPTION;
             INSERT INTO t VALUES (1, 'old'), (2, 'other')",
        )
        .await;
    let shape = "SELECT pg_get_indexdef(indexrelid), obj_description(indexrelid) FROM pg_index WHERE indrelid = 't'::regclass
                 UNION ALL SELECT conname || pg_get_constraintdef(oid), '' FROM pg_constraint WHERE conrelid = 't'::regclass
                 UNION ALL SELECT relacl::text, obj_description(oid) FROM pg_class WHERE oid = 't'::regclass
                 UNION ALL SELECT column_default || is_nullable, col_description('t'::regclass, ordinal_position::int)
                           FROM information_schema.columns WHERE table_name = 't' ORDER BY 1, 2";
    let (before, first_oid) = (database.lines(shape).await, oid(&database).await);
    let schema = two();
    assert_eq!(
        notes(&database, &overwrite(&schema)).await,
        [
            "overwrite \"public\".\"t\"",
            "built beside with the same constraints, indexes and rights; with the last commit it takes the table's place"
        ]
    );
    let report = load(
        &postgres,
        overwrite(&schema),
        vec![rows(
            &schema,
            &[(2, "new"), (3, "much too long"), (4, "x"), (2, "newer")],
        )],
    )
    .await;
    assert_eq!(tally(&report), [2, 0, 1, 0, 1]);
    assert_eq!(report.rejected[0].code, "check_violation");
    assert_eq!(
        database.lines("SELECT * FROM t ORDER BY id").await,
        ["2|newer", "4|x"]
    );
    assert_eq!(database.lines(shape).await, before);
    assert_ne!(oid(&database).await, first_oid);
    assert_eq!(database.line(SHADOWS).await, "0");
    database
        .run("DROP OWNED BY overwrite_reader; DROP ROLE overwrite_reader")
        .await;
}

#[tokio::test]
async fn what_depends_on_the_table_stays_and_its_rows_are_changed_in_place() {
    let cases = [
        (
            "CREATE VIEW shown AS SELECT id, v FROM t",
            "views or rules depend on it",
        ),
        (
            "CREATE TABLE child (t bigint REFERENCES t); INSERT INTO child VALUES (2)",
            "foreign keys hold it",
        ),
        (
            "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
             CREATE TRIGGER g BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f()",
            "it has triggers",
        ),
        (
            "ALTER TABLE t ADD COLUMN mine serial",
            "a sequence belongs to it, it has further columns",
        ),
        (
            "ALTER TABLE t SET (fillfactor = 50)",
            "it has settings of its own",
        ),
        (
            "CREATE TABLE heir () INHERITS (t)",
            "other tables inherit with it",
        ),
        ("ALTER TABLE t ENABLE ROW LEVEL SECURITY", "it has policies"),
    ];
    for (sql, reason) in cases {
        let database = database().await;
        database
            .run("CREATE TABLE t (id bigint PRIMARY KEY, v text); INSERT INTO t SELECT n, 'old' FROM generate_series(1, 3) n")
            .await;
        database.run(sql).await;
        let before = (
            oid(&database).await,
            database.line("SELECT xmin FROM t WHERE id = 3").await,
        );
        let schema = two();
        assert_eq!(
            notes(&database, &overwrite(&schema)).await[1],
            format!(
                "built beside; with the last commit the table's rows are changed in place, in one transaction, because {reason}"
            )
        );
        let report = load(
            &database.connector(),
            overwrite(&schema),
            vec![rows(&schema, &[(2, "new"), (3, "old"), (4, "new")])],
        )
        .await;
        assert_eq!(tally(&report), [3, 0, 0, 0, 0]);
        assert_eq!(
            database.lines("SELECT id, v FROM t ORDER BY id").await,
            ["2|new", "3|old", "4|new"],
            "{reason}"
        );
        let after = (
            oid(&database).await,
            database.line("SELECT xmin FROM t WHERE id = 3").await,
        );
        assert_eq!(after, before, "{reason}");
        assert_eq!(database.line(SHADOWS).await, "0");
    }
}

#[tokio::test]
async fn something_that_no_plan_foresees_leads_to_the_same_end() {
    let database = database().await;
    database
        .run(
            "CREATE TABLE t (id bigint PRIMARY KEY, v text); INSERT INTO t VALUES (1, 'old');
             CREATE FUNCTION f() RETURNS SETOF t LANGUAGE sql BEGIN ATOMIC SELECT * FROM t; END",
        )
        .await;
    let schema = two();
    load(
        &database.connector(),
        overwrite(&schema),
        vec![rows(&schema, &[(2, "new")])],
    )
    .await;
    assert_eq!(database.lines("SELECT * FROM f()").await, ["2|new"]);
    assert_eq!(database.line(SHADOWS).await, "0");
}

#[tokio::test]
async fn fields_to_keep_and_columns_that_are_not_written_stay_in_rows_that_stay() {
    let database = database().await;
    database
        .run("CREATE TABLE t (id bigint PRIMARY KEY, v text, mine int DEFAULT 5); INSERT INTO t VALUES (1, 'old', 1), (2, 'old', 2)")
        .await;
    let schema = two();
    let request = overwrite(&schema).with_keep(vec!["v".to_owned()]);
    let report = load(
        &database.connector(),
        request,
        vec![rows(&schema, &[(2, "new"), (3, "first"), (3, "last")])],
    )
    .await;
    assert_eq!(tally(&report), [2, 0, 1, 0, 0]);
    assert_eq!(
        database.lines("SELECT * FROM t ORDER BY id").await,
        ["2|old|2", "3|last|5"]
    );
}

#[tokio::test]
async fn a_new_table_gets_its_name_at_the_end() {
    let database = database().await;
    let postgres = database.connector();
    let schema = two();
    assert_eq!(
        notes(&database, &overwrite(&schema)).await,
        [
            "makes \"public\".\"t\" with 2 columns and the primary key (id)",
            "built beside; it gets its name with the last commit"
        ]
    );
    let mut writer = writer(&postgres, overwrite(&schema)).await;
    writer
        .write(rows(&schema, &[(1, "a"), (2, "b"), (1, "c")]))
        .await
        .unwrap();
    assert_eq!(tally(&writer.commit(None).await.unwrap()), [2, 0, 1, 0, 0]);
    assert_eq!(database.line("SELECT to_regclass('t') IS NULL").await, "t");
    assert!(postgres.streams().await.unwrap().is_empty());
    writer
        .write(batch(
            &schema,
            3,
            &[
                (Op::Put, &[Value::Int(1), Value::Text("d")]),
                (Op::Delete, &[Value::Int(2)]),
                (Op::Put, &[Value::Int(3), Value::Unset]),
            ],
        ))
        .await
        .unwrap();
    assert_eq!(tally(&writer.finish(None).await.unwrap()), [1, 1, 0, 1, 0]);
    assert_eq!(
        database.lines("SELECT * FROM t ORDER BY id").await,
        ["1|d", "3|∅"]
    );
    assert_eq!(
        database
            .line("SELECT indexrelid::regclass, obj_description('t'::regclass) FROM pg_index WHERE indrelid = 't'::regclass")
            .await,
        "t_pkey|∅"
    );
    // And again, with nothing.
    assert_eq!(tally(&load(&postgres, overwrite(&schema), vec![]).await), [0; 5]);
    assert_eq!(database.lines("SELECT * FROM t").await, [""; 0]);
    assert_eq!(
        database
            .lines("SELECT indexrelid::regclass FROM pg_index WHERE indrelid = 't'::regclass")
            .await,
        ["t_pkey"]
    );
}

#[tokio::test]
async fn tables_without_a_key_are_overwritten_too_and_columns_widen() {
    let database = database().await;
    let postgres = database.connector();
    database
        .run("CREATE TABLE t (v varchar(2)); INSERT INTO t VALUES ('o')")
        .await;
    let schema = schema(vec![field("v", DataType::TEXT), field("w", DataType::Int16)], &[]);
    let one = |v: &'static str| puts(&schema, 0, &[&[Value::Text(v), Value::Int(1)]]);
    for view in [false, true] {
        if view {
            database.run("CREATE VIEW shown AS SELECT w FROM t").await;
        }
        let mut writer = writer(&postgres, overwrite(&schema)).await;
        writer.write(one("long")).await.unwrap();
        assert_eq!(tally(&writer.commit(None).await.unwrap()), [1, 0, 0, 0, 0]);
        writer.write(one("long")).await.unwrap();
        assert_eq!(tally(&writer.finish(None).await.unwrap()), [1, 0, 0, 0, 0]);
        assert_eq!(database.lines("SELECT * FROM t").await, ["long|1", "long|1"]);
    }
}

#[tokio::test]
async fn readers_see_the_old_rows_or_the_new_ones_and_never_none() {
    for view in [false, true] {
        let database = database().await;
        let postgres = database.connector();
        database
            .run("CREATE TABLE t (id bigint PRIMARY KEY, v text); INSERT INTO t SELECT n, 'old' FROM generate_series(1, 2000) n")
            .await;
        if view {
            database.run("CREATE VIEW shown AS SELECT id FROM t").await;
        }
        let schema = two();
        let looking = async {
            let mut seen = Vec::new();
            loop {
                let line = database.line("SELECT count(*), min(v), max(v) FROM t").await;
                if seen.last() != Some(&line) {
                    seen.push(line.clone());
                }
                if line.starts_with("3000") {
                    return seen;
                }
                tokio::task::yield_now().await;
            }
        };
        let writing = async {
            let all: Vec<(i64, &str)> = (500..3_500).map(|id| (id, "new")).collect();
            load(&postgres, overwrite(&schema), vec![rows(&schema, &all)]).await
        };
        let (seen, report) = futures::future::join(looking, writing).await;
        assert_eq!(report.counts.created, 3_000);
        assert_eq!(seen, ["2000|old|old", "3000|new|new"], "view: {view}");
    }
}

#[tokio::test]
async fn an_abandoned_overwrite_is_swept_by_the_next_owner_of_the_task_and_by_nobody_else() {
    let database = database().await;
    let postgres = database.connector();
    let schema = two();
    let task = overwrite(&schema).task;
    let first = claim(&postgres, &task).await;
    let old = first.fence.clone();
    let mut half = writer(&postgres, overwrite(&schema).with_fence(Some(old.clone()))).await;
    half.write(rows(&schema, &[(1, "half")])).await.unwrap();
    half.commit(Some(&state(1))).await.unwrap();
    drop((half, first));
    assert_eq!(database.line(SHADOWS).await, "1");
    let second = claim(&postgres, &task).await;
    // Another task, and a holder that was overtaken, leave it.
    let mut other = overwrite(&schema);
    other.task = connector_core::TaskId::new("job", "another");
    load(&postgres, other, vec![rows(&schema, &[(9, "other")])]).await;
    let late = upsert("t", &schema).with_fence(Some(old));
    let error = refusal(try_load(&postgres, late, vec![rows(&schema, &[(8, "late")])]).await);
    assert_eq!(error.kind(), ErrorKind::Conflict);
    assert_eq!(database.line(SHADOWS).await, "1");
    // The next owner writes in another mode.
    let request = upsert("t", &schema).with_fence(Some(second.fence.clone()));
    load(&postgres, request, vec![rows(&schema, &[(2, "new")])]).await;
    assert_eq!(database.line(SHADOWS).await, "0");
    assert_eq!(
        database.lines("SELECT * FROM t ORDER BY id").await,
        ["2|new", "9|other"]
    );
}

#[tokio::test]
async fn what_was_built_is_gone_or_somebody_else_s() {
    let database = database().await;
    let postgres = database.connector();
    let schema = two();
    let held = claim(&postgres, &overwrite(&schema).task).await;
    let request = || {
        overwrite(&schema)
            .with_fence(Some(held.fence.clone()))
            .with_resumes(true)
    };
    let error = refusal(postgres.writer(request()).await.map(drop));
    assert_eq!(error.kind(), ErrorKind::State);
    assert!(error.help().is_some_and(|help| help.contains("reset the state")));
    // A checkpoint without any record is one to go on from as well.
    let mut first = writer(&postgres, request().with_resumes(false)).await;
    first.commit(Some(&state(1))).await.unwrap();
    drop((first, held));
    let held = claim(&postgres, &overwrite(&schema).task).await;
    let request = overwrite(&schema)
        .with_fence(Some(held.fence.clone()))
        .with_resumes(true);
    load(&postgres, request, vec![rows(&schema, &[(1, "a")])]).await;
    assert_eq!(database.lines("SELECT * FROM t").await, ["1|a"]);
    // A table of that name that is not ours.
    let mut other = writer(&postgres, overwrite(&schema)).await;
    other.commit(None).await.unwrap();
    drop(other);
    let name = database
        .line("SELECT relname FROM pg_class WHERE relname LIKE 'connector overwrite %' AND relkind = 'r'")
        .await;
    database
        .run(&format!("COMMENT ON TABLE \"{name}\" IS 'mine'"))
        .await;
    let error = refusal(postgres.writer(overwrite(&schema)).await.map(drop));
    assert_eq!(error.kind(), ErrorKind::Schema);
    assert!(error.message().contains(&name), "{error}");
}

#[tokio::test]
async fn rows_that_a_trigger_leaves_out_are_found_by_counting() {
    let database = database().await;
    database
        .run(
            "CREATE TABLE t (id bigint PRIMARY KEY, v text); INSERT INTO t VALUES (1, 'old');
             CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN IF NEW.id = 3 THEN RETURN NULL; END IF; RETURN NEW; END';
             CREATE TRIGGER g BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f()",
        )
        .await;
    let schema = two();
    let records = rows(&schema, &[(2, "new"), (3, "new")]);
    let error = refusal(try_load(&database.connector(), overwrite(&schema), vec![records]).await);
    assert_eq!(
        error.message(),
        "\"public\".\"t\" would hold 1 rows of the 2 that were written; nothing was published"
    );
    assert_eq!(database.lines("SELECT * FROM t").await, ["1|old"]);
}
