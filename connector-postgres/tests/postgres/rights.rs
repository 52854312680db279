//! Rights that are missing: all of them said before data moves, and what is said is enough.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use connector_core::{DataType, Destination, ErrorKind, Op, Schema, Secret, Value, WriteMode, WriteRequest};
use connector_postgres::Postgres;

use crate::support::{Database, batch, claim, database, field, load, puts, refusal, schema, tally, upsert};

static ROLES: AtomicU32 = AtomicU32::new(0);

/// A database and a role that nobody has granted anything.
struct Nobody {
    database: Database,
    role: String,
    postgres: Postgres,
}

impl Nobody {
    async fn new(sql: &str) -> Self {
        let database = database().await;
        let role = format!(
            "nobody \"{}\" {}",
            std::process::id(),
            ROLES.fetch_add(1, Ordering::Relaxed)
        );
        let quoted = role.replace('"', "\"\"");
        let name = database.line("SELECT current_database()").await;
        database
            .run(&format!(
                "CREATE ROLE \"{quoted}\" LOGIN PASSWORD 'x'; REVOKE TEMPORARY ON DATABASE {name} FROM PUBLIC;
                 REVOKE ALL ON SCHEMA public FROM PUBLIC; {sql}"
            ))
            .await;
        let mut config = database.config.clone();
        config.user.clone_from(&role);
        config.password = Some(Secret::new("x"));
        let postgres = Postgres::new(config).unwrap();
        Self {
            database,
            role: quoted,
            postgres,
        }
    }

    /// The rights that the plan says are missing, without the names of role and database.
    async fn missing(&self, request: &WriteRequest) -> Vec<String> {
        let error = refusal(self.postgres.plan_write(request).await);
        assert_eq!(error.kind(), ErrorKind::Forbidden, "{error:?}");
        let (before, rights) = error.message().split_once("; missing: ").unwrap();
        assert_eq!(
            before,
            format!("the user \"{}\" may not write \"public\".\"t\"", self.role)
        );
        let name = self.database.line("SELECT current_database()").await;
        rights
            .split("; ")
            .map(|right| right.replace(&name, "DB"))
            .collect()
    }

    /// Runs what the help of the refusal says.
    async fn grant(&self, request: &WriteRequest) {
        let error = refusal(self.postgres.plan_write(request).await);
        let help = error.help().unwrap();
        let grants = help.strip_prefix("let whoever may grant it run\n").unwrap();
        self.database.run(grants).await;
        self.postgres.plan_write(request).await.unwrap();
    }

    /// Roles outlive a database: a server that is not the test's own must not keep them.
    async fn end(self) {
        let role = &self.role;
        self.database
            .run(&format!("DROP OWNED BY \"{role}\" CASCADE; DROP ROLE \"{role}\""))
            .await;
    }
}

const THERE: &str =
    "CREATE TABLE t (id bigint PRIMARY KEY, v text, n serial); INSERT INTO t VALUES (1, 'one'), (2, 'two')";

fn rows() -> Arc<Schema> {
    schema(
        vec![field("id", DataType::Int64), field("v", DataType::TEXT)],
        &["id"],
    )
}

fn request(mode: WriteMode) -> WriteRequest {
    let mut request = upsert("t", &rows());
    request.mode = mode;
    if mode == WriteMode::Insert {
        request.match_on.clear();
    }
    request
}

#[tokio::test]
async fn all_that_is_missing_is_said_at_once_and_nothing_changes() {
    let nobody = Nobody::new(THERE).await;
    let wider = schema(
        vec![
            field("id", DataType::Int64),
            field("v", DataType::TEXT),
            field("w", DataType::Bool),
        ],
        &["id"],
    );
    let mut request = upsert("t", &wider);
    request.fence = Some(connector_core::Fence {
        task: request.task.clone(),
        epoch: 0,
        commit_no: 0,
    });
    let all = "SELECT string_agg(relname || coalesce(relacl::text, ''), ',' ORDER BY oid) FROM pg_class";
    let before = nobody.database.line(all).await;
    let owner = nobody.database.line("SELECT current_user").await;
    assert_eq!(
        nobody.missing(&request).await,
        [
            "USAGE on the schema \"public\"",
            "SELECT, INSERT, UPDATE, DELETE on \"public\".\"t\"",
            "the ownership of \"public\".\"t\", whose columns change",
            "USAGE on the sequence \"public\".\"t_n_seq\"",
            "TEMPORARY on the database \"DB\"",
            "CREATE on the database \"DB\"",
        ]
    );
    let error = refusal(nobody.postgres.plan_write(&request).await);
    let help = error.help().unwrap();
    let role = &nobody.role;
    for grant in [
        format!("GRANT USAGE ON SCHEMA \"public\" TO \"{role}\";"),
        format!("GRANT SELECT, INSERT, UPDATE, DELETE ON TABLE \"public\".\"t\" TO \"{role}\";"),
        format!("GRANT \"{owner}\" TO \"{role}\";"),
    ] {
        assert!(help.lines().any(|line| line == grant), "{help}");
    }
    assert_eq!(nobody.database.line(all).await, before);
    nobody.end().await;
}

#[tokio::test]
async fn what_is_said_to_be_missing_is_enough_in_every_mode() {
    let wanted = [
        (
            WriteMode::Upsert,
            "SELECT, INSERT, UPDATE, DELETE",
            [1, 1, 0, 0, 0],
        ),
        (WriteMode::Insert, "SELECT, INSERT", [1, 0, 0, 0, 1]),
        (WriteMode::Update, "SELECT, UPDATE, DELETE", [0, 1, 0, 0, 1]),
        (
            WriteMode::Overwrite,
            "SELECT, INSERT, UPDATE, DELETE",
            [2, 0, 0, 0, 0],
        ),
    ];
    for (mode, rights, counts) in wanted {
        let nobody = Nobody::new(THERE).await;
        let request = request(mode);
        let missing = nobody.missing(&request).await;
        assert!(
            missing.contains(&format!("{rights} on \"public\".\"t\"")),
            "{missing:?}"
        );
        nobody.grant(&request).await;
        let batch = puts(
            &rows(),
            0,
            &[
                &[Value::Int(1), Value::Text("new")],
                &[Value::Int(3), Value::Null],
            ],
        );
        let report = load(&nobody.postgres, request, vec![batch]).await;
        assert_eq!(tally(&report), counts, "{mode}");
        nobody.end().await;
    }
}

#[tokio::test]
async fn rights_on_columns_count() {
    let nobody = Nobody::new(THERE).await;
    let role = &nobody.role;
    let database = nobody.database.line("SELECT current_database()").await;
    nobody
        .database
        .run(&format!(
            "GRANT USAGE ON SCHEMA public TO \"{role}\"; GRANT TEMPORARY ON DATABASE {database} TO \"{role}\";
             GRANT USAGE ON SEQUENCE t_n_seq TO \"{role}\"; GRANT SELECT (id, v, xmax), INSERT (id), UPDATE (v), DELETE ON t TO \"{role}\""
        ))
        .await;
    let request = request(WriteMode::Upsert);
    assert_eq!(nobody.missing(&request).await, ["INSERT on \"public\".\"t\""]);
    nobody
        .database
        .run(&format!("GRANT INSERT (v) ON t TO \"{role}\""))
        .await;
    nobody.postgres.plan_write(&request).await.unwrap();
    let records = batch(
        &rows(),
        0,
        &[
            (Op::Put, &[Value::Int(1), Value::Text("new")]),
            (Op::Put, &[Value::Int(3), Value::Null]),
            (Op::Delete, &[Value::Int(2), Value::Null]),
        ],
    );
    let report = load(&nobody.postgres, request, vec![records]).await;
    assert_eq!(tally(&report), [1, 1, 0, 1, 0]);
    nobody.end().await;
}

#[tokio::test]
async fn a_table_that_is_to_be_made_takes_its_schema_or_the_database() {
    let nobody = Nobody::new("CREATE SCHEMA own").await;
    let insert = request(WriteMode::Insert);
    // No key, no default, no constraint: nothing is staged.
    assert_eq!(
        nobody.missing(&insert).await,
        ["USAGE, CREATE on the schema \"public\""]
    );
    let mut elsewhere = request(WriteMode::Upsert);
    elsewhere.stream = connector_core::StreamName::new("nowhere.t");
    let error = refusal(nobody.postgres.plan_write(&elsewhere).await);
    assert!(
        error.message().contains("missing: CREATE on the database \""),
        "{error}"
    );
    nobody.grant(&insert).await;
    load(
        &nobody.postgres,
        insert,
        vec![puts(&rows(), 0, &[&[Value::Int(1), Value::Null]])],
    )
    .await;
    // What one has made, one may change and replace.
    let mut overwrite = request(WriteMode::Overwrite);
    overwrite.match_on.clear();
    nobody.postgres.plan_write(&overwrite).await.unwrap();
    load(&nobody.postgres, overwrite, Vec::new()).await;
    assert_eq!(nobody.database.line("SELECT count(*) FROM t").await, "0");
    nobody.end().await;
}

#[tokio::test]
async fn rights_on_states_that_somebody_else_made_are_asked_for_table_by_table() {
    let nobody = Nobody::new(THERE).await;
    drop(claim(&nobody.database.connector(), &request(WriteMode::Upsert).task).await);
    let plain = request(WriteMode::Upsert);
    nobody.grant(&plain).await;
    let mut fenced = plain.clone();
    fenced.fence = Some(connector_core::Fence {
        task: fenced.task.clone(),
        epoch: 0,
        commit_no: 0,
    });
    let missing = nobody.missing(&fenced).await;
    assert_eq!(missing[0], "USAGE on the schema \"sync\"");
    assert_eq!(missing.len(), 7, "{missing:?}");
    nobody.grant(&fenced).await;
    let held = claim(&nobody.postgres, &fenced.task).await;
    fenced.fence = Some(held.fence.clone());
    let records = puts(
        &rows(),
        0,
        &[&[Value::Int(1), Value::Text("new")], &[Value::Null, Value::Null]],
    );
    assert_eq!(
        tally(&load(&nobody.postgres, fenced.clone(), vec![records]).await),
        [0, 1, 0, 0, 1]
    );
    drop(held);
    // Old rejections can be deleted too.
    nobody
        .database
        .run("UPDATE sync.rejection SET rejected_at = '2020-01-01'")
        .await;
    drop(claim(&nobody.postgres, &fenced.task).await);
    drop(claim(&nobody.postgres, &fenced.task).await);
    assert_eq!(
        nobody.database.line("SELECT count(*) FROM sync.rejection").await,
        "0"
    );
    nobody.end().await;
}
