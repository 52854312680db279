//! Tables that somebody else made.

use std::sync::Arc;

use connector_core::memory::Memory;
use connector_core::{DataType, Destination, ErrorKind, RetryPolicy, Value, WriteMode};
use connector_postgres::Postgres;
use sync_engine::{Job, NoObserver, RunOptions, Task};

use crate::support::{claim, database, decimal, field, load, puts, refusal, schema, tally, upsert, writer};

fn lead() -> Arc<connector_core::Schema> {
    let fields = vec![
        field("id", DataType::TEXT),
        field("name", DataType::TEXT),
        field("score", DataType::decimal(18, 4)),
    ];
    schema(fields, &["id"])
}

#[tokio::test]
async fn missing_columns_are_added() {
    let database = database().await;
    let postgres = database.connector();
    database
        .run("CREATE TABLE lead (mine int, id text PRIMARY KEY); INSERT INTO lead VALUES (7, 'a')")
        .await;
    let schema = lead();
    let plan = postgres.plan_write(&upsert("lead", &schema)).await.unwrap();
    assert_eq!(
        plan.notes,
        [
            "upsert into \"public\".\"lead\" by (id), after adding 2 columns",
            "by way of a staging table; a sample of each commit's records decides how they get in: where few are new or differ, only \
             those are looked up and touched, else all go to INSERT … ON CONFLICT"
        ]
    );
    assert_eq!(
        database
            .line("SELECT count(*) FROM information_schema.columns WHERE table_name = 'lead'")
            .await,
        "2"
    );
    let rows = puts(
        &schema,
        0,
        &[&[Value::Text("a"), Value::Text("n"), decimal("1.5")]],
    );
    assert_eq!(
        tally(&load(&postgres, upsert("lead", &schema), vec![rows]).await),
        [0, 1, 0, 0, 0]
    );
    assert_eq!(
        database.lines("SELECT mine, id, name, score FROM lead").await,
        ["7|a|n|1.5000"]
    );
}

#[tokio::test]
async fn a_type_that_cannot_hold_the_field_is_refused_before_anything_is_written() {
    let database = database().await;
    let postgres = database.connector();
    database
        .run("CREATE TABLE lead (id text PRIMARY KEY, name date)")
        .await;
    let schema = lead();
    for result in [
        postgres.plan_write(&upsert("lead", &schema)).await.map(drop),
        postgres.writer(upsert("lead", &schema)).await.map(drop),
    ] {
        let error = refusal(result);
        assert_eq!(error.kind(), ErrorKind::Schema);
        assert_eq!(
            error.to_string(),
            "`name` is date in the table and cannot hold text"
        );
        assert!(error.help().is_some());
    }
    assert_eq!(
        database
            .line("SELECT count(*) FROM information_schema.columns WHERE table_name = 'lead'")
            .await,
        "2"
    );
}

#[tokio::test]
async fn another_primary_key_is_refused() {
    let database = database().await;
    let postgres = database.connector();
    database.run("CREATE TABLE other (id text, name text PRIMARY KEY); CREATE TABLE none (id text); CREATE TABLE two (id text, name text, PRIMARY KEY (id, name))").await;
    for (table, help) in [
        ("other", "say match_on = [\"name\"], or write into another table"),
        ("none", "add a primary key (id) to the table"),
        (
            "two",
            "say match_on = [\"id\", \"name\"], or write into another table",
        ),
    ] {
        let error = refusal(postgres.writer(upsert(table, &lead())).await.map(drop));
        assert_eq!(
            error.to_string(),
            format!("the primary key of \"public\".\"{table}\" is not (id)")
        );
        assert_eq!((error.kind(), error.help()), (ErrorKind::Schema, Some(help)));
    }
}

#[tokio::test]
async fn narrow_columns_are_checked_value_by_value() {
    let database = database().await;
    // Who may not change the table cannot widen its columns.
    database
        .run(
            "DROP ROLE IF EXISTS limited_writer; CREATE ROLE limited_writer LOGIN PASSWORD 'x';
             CREATE TABLE t (id int PRIMARY KEY, v varchar(3), n int4, d numeric(4,1), s int2);
             GRANT SELECT, INSERT, UPDATE, DELETE ON t TO limited_writer",
        )
        .await;
    let mut config = database.config.clone();
    config.user = "limited_writer".to_owned();
    config.password = Some(connector_core::Secret::new("x"));
    let postgres = Postgres::new(config).unwrap();
    let fields = vec![
        field("id", DataType::Int64),
        field("v", DataType::TEXT),
        field("n", DataType::Int64),
        field("d", DataType::Decimal(None)),
        field("s", DataType::decimal(18, 2)),
    ];
    let schema = schema(fields, &["id"]);
    let plan = postgres.plan_write(&upsert("t", &schema)).await.unwrap();
    assert!(plan.columns.iter().all(|column| !column.lossless));
    let rows = puts(
        &schema,
        0,
        &[
            &[
                Value::Int(1),
                Value::Text("日本語"),
                Value::Int(i32::MAX.into()),
                decimal("999.90"),
                decimal("32767.00"),
            ],
            &[
                Value::Int(2),
                Value::Text("four"),
                Value::Null,
                Value::Null,
                Value::Null,
            ],
            &[
                Value::Int(3),
                Value::Null,
                Value::Int(i64::from(i32::MAX) + 1),
                Value::Null,
                Value::Null,
            ],
            &[
                Value::Int(4),
                Value::Null,
                Value::Null,
                decimal("1000"),
                Value::Null,
            ],
            &[
                Value::Int(5),
                Value::Null,
                Value::Null,
                decimal("0.05"),
                Value::Null,
            ],
            &[
                Value::Int(6),
                Value::Null,
                Value::Null,
                Value::Null,
                decimal("1.5"),
            ],
            &[
                Value::Int(7),
                Value::Null,
                Value::Null,
                Value::Null,
                decimal("32768"),
            ],
            &[
                Value::Int(i64::MAX),
                Value::Null,
                Value::Null,
                Value::Null,
                Value::Null,
            ],
        ],
    );
    let report = load(&postgres, upsert("t", &schema), vec![rows]).await;
    assert_eq!(tally(&report), [1, 0, 0, 0, 7]);
    let codes: Vec<String> = report
        .rejected
        .iter()
        .map(|r| format!("{} {}", r.code, r.fields[0]))
        .collect();
    assert_eq!(
        codes,
        [
            "too_long v",
            "out_of_range n",
            "out_of_range d",
            "out_of_range d",
            "out_of_range s",
            "out_of_range s",
            "out_of_range id"
        ]
    );
    assert_eq!(
        database.lines("SELECT * FROM t").await,
        ["1|日本語|2147483647|999.9|32767"]
    );
    database
        .run("DROP OWNED BY limited_writer; DROP ROLE limited_writer")
        .await;
}

#[tokio::test]
async fn a_null_for_a_column_that_takes_none_is_one_record_s_trouble() {
    let database = database().await;
    let postgres = database.connector();
    database
        .run("CREATE TABLE lead (id text PRIMARY KEY, name text NOT NULL, score numeric(18,4))")
        .await;
    let schema = lead();
    let rows = puts(
        &schema,
        0,
        &[
            &[Value::Text("a"), Value::Null, Value::Null],
            &[Value::Text("b"), Value::Text(""), Value::Null],
        ],
    );
    let report = load(&postgres, upsert("lead", &schema), vec![rows]).await;
    assert_eq!(tally(&report), [1, 0, 0, 0, 1]);
    assert_eq!(
        (
            report.rejected[0].code.as_str(),
            report.rejected[0].fields.as_slice()
        ),
        ("null_value", &["name".to_owned()][..])
    );
}

#[tokio::test]
async fn columns_that_the_server_fills_are_refused_by_name() {
    let database = database().await;
    let postgres = database.connector();
    database
        .run(
            "CREATE TABLE gen (id text PRIMARY KEY, name text GENERATED ALWAYS AS (id || 'x') STORED);
             CREATE TABLE ident (id text PRIMARY KEY, n int GENERATED ALWAYS AS IDENTITY)",
        )
        .await;
    let error = refusal(postgres.writer(upsert("gen", &lead())).await.map(drop));
    assert_eq!(error.to_string(), "`name` is a generated column");
    let schema = schema(
        vec![field("id", DataType::TEXT), field("n", DataType::Int32)],
        &["id"],
    );
    let error = refusal(postgres.writer(upsert("ident", &schema)).await.map(drop));
    assert_eq!(error.to_string(), "`n` is a generated column");
}

#[tokio::test]
async fn a_user_without_rights_on_the_database_can_work_in_schemas_made_for_them() {
    let database = database().await;
    database
        .run("DROP ROLE IF EXISTS limited_loader; CREATE ROLE limited_loader LOGIN PASSWORD 'x'; CREATE SCHEMA sync AUTHORIZATION limited_loader; CREATE SCHEMA own AUTHORIZATION limited_loader")
        .await;
    let mut config = database.config.clone();
    config.user = "limited_loader".to_owned();
    config.password = Some(connector_core::Secret::new("x"));
    config.schema = "own".to_owned();
    let postgres = Postgres::new(config).unwrap();
    assert_eq!(
        connector_core::Connector::identity(&postgres)
            .await
            .unwrap()
            .as_str()
            .matches('/')
            .count(),
        1
    );
    let schema = lead();
    let request = upsert("lead", &schema);
    let claim = claim(&postgres, &request.task).await;
    let mut writer = writer(&postgres, request.with_fence(Some(claim.fence.clone()))).await;
    writer
        .write(puts(&schema, 0, &[&[Value::Text("a"), Value::Null, Value::Null]]))
        .await
        .unwrap();
    writer.finish(None).await.unwrap();
    assert_eq!(database.lines("SELECT id FROM own.lead").await, ["a"]);
    // Roles outlive a database: a server that is not the test's own must not keep them.
    database
        .run("DROP OWNED BY limited_loader; DROP ROLE limited_loader")
        .await;
}

#[tokio::test]
async fn the_right_to_make_a_schema_is_asked_for_by_name() {
    let database = database().await;
    database
        .run("DROP ROLE IF EXISTS limited_nobody; CREATE ROLE limited_nobody LOGIN PASSWORD 'x'")
        .await;
    let mut config = database.config.clone();
    config.user = "limited_nobody".to_owned();
    config.password = Some(connector_core::Secret::new("x"));
    let postgres = Postgres::new(config).unwrap();
    let error =
        refusal(crate::support::try_claim(&postgres, &connector_core::TaskId::new("a", "b"), "me").await);
    assert_eq!(error.kind(), ErrorKind::Forbidden);
    assert!(
        error.report().to_string().contains("schema: sync"),
        "{}",
        error.report()
    );
    database.run("DROP ROLE limited_nobody").await;
}

#[tokio::test]
async fn a_column_that_nothing_fills_is_named_before_rows_are_refused() {
    let database = database().await;
    let postgres = database.connector();
    database
        .run(
            "CREATE TABLE lead (id text PRIMARY KEY, name text, score numeric(18,4), mine int NOT NULL, \"my own\" text NOT NULL,
                 made timestamptz NOT NULL DEFAULT now(), n int NOT NULL GENERATED ALWAYS AS IDENTITY, twice int NOT NULL GENERATED ALWAYS AS (1) STORED)",
        )
        .await;
    let schema = lead();
    for mode in [WriteMode::Upsert, WriteMode::Insert, WriteMode::Overwrite] {
        let mut request = upsert("lead", &schema);
        request.mode = mode;
        let error = refusal(postgres.plan_write(&request).await);
        assert_eq!(
            error.report().to_string(),
            "\"public\".\"lead\" takes no row without a value for `mine`, `my own`, and nothing writes one: no field is mapped to it, \
             and it has no default\nhelp: map a field to it with `fields`, or run ALTER TABLE \"public\".\"lead\" ALTER COLUMN \"mine\" \
             DROP NOT NULL, or SET DEFAULT a value",
            "{mode}"
        );
    }
    // Who makes no rows need not fill them; nor where a trigger may do so.
    let mut request = upsert("lead", &schema);
    request.mode = WriteMode::Update;
    postgres.plan_write(&request).await.unwrap();
    database
        .run(
            "CREATE FUNCTION fill() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.mine = 7; NEW.\"my own\" = 8; RETURN NEW; END';
             CREATE TRIGGER fill BEFORE INSERT ON lead FOR EACH ROW EXECUTE FUNCTION fill()",
        )
        .await;
    let rows = puts(
        &schema,
        0,
        &[&[Value::Text("a"), Value::Text("n"), decimal("1.5")]],
    );
    let loaded = load(&postgres, upsert("lead", &schema), vec![rows]).await;
    assert_eq!(tally(&loaded), [1, 0, 0, 0, 0]);
    assert_eq!(database.line("SELECT mine, \"my own\" FROM lead").await, "7|8");
}

#[tokio::test]
async fn a_table_that_is_gone_while_its_state_stays_is_not_made_anew() {
    let database = database().await;
    let postgres = database.connector();
    let schema = lead();
    for mode in [WriteMode::Upsert, WriteMode::Insert, WriteMode::History] {
        let mut request = upsert("lead", &schema).with_resumes(true);
        request.mode = mode;
        let error = refusal(postgres.writer(request).await);
        assert_eq!(error.kind(), ErrorKind::State);
        assert_eq!(
            error.report().to_string(),
            "there is no table \"public\".\"lead\" any more, and the records would go on after those that it held\nhelp: bring the \
             table back, or reset the state of this task, so that everything is read anew"
        );
    }
    // From the beginning, it is made.
    load(&postgres, upsert("lead", &schema), vec![]).await;
    load(&postgres, upsert("lead", &schema).with_resumes(true), vec![]).await;
}

#[tokio::test]
async fn a_run_says_that_its_table_is_gone_and_a_full_one_makes_it_anew() {
    let database = database().await;
    let schema = lead();
    let memory = Memory::service("crm");
    memory.create("lead", schema.as_ref().clone());
    let row = |id| [Value::Text(id), Value::Text("n"), Value::Null];
    memory
        .put("lead", &puts(&schema, 0, &[&row("a"), &row("b")]))
        .unwrap();
    let run = async |full: bool| {
        let job = Job::builder("load")
            .source(Arc::new(memory.clone()))
            .destination(Arc::new(database.connector()))
            .task(Task::new("lead"))
            .build()
            .unwrap();
        let mut options = RunOptions::default().with_retry(RetryPolicy::NEVER);
        options.full = full;
        let report = sync_engine::run(&[job], &options, &NoObserver).await;
        let failures: Vec<String> = report
            .jobs
            .iter()
            .flat_map(|job| &job.tasks)
            .filter_map(|task| task.error.as_ref())
            .map(ToString::to_string)
            .collect();
        failures.join(", ")
    };
    assert_eq!(run(false).await, "");
    database.run("DROP TABLE lead").await;
    memory.put("lead", &puts(&schema, 0, &[&row("c")])).unwrap();
    assert_eq!(
        run(false).await,
        "there is no table \"public\".\"lead\" any more, and the records would go on after those that it held"
    );
    assert_eq!(run(true).await, "");
    assert_eq!(
        database.lines("SELECT id FROM lead ORDER BY id").await,
        ["a", "b", "c"]
    );
}
