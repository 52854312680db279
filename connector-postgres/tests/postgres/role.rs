//! A role with the least rights: all it is for works, and nothing else does.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use connector_core::{
    Claim, Connector, DataType, Destination, Difference, ErrorKind, Fate, Identity, Intent, Key, Op, Outcome,
    Schema, Secret, Source, Statements, StreamName, SyncMode, Target, TaskId, Value, WriteMode, WriteRequest,
};
use connector_postgres::{LeastRights, Postgres};

use crate::support::{
    Database, batch, claim, database, drain, field, load, puts, read, reading, refusal, schema, shown, state,
    tally, upsert, writer,
};

static ROLES: AtomicU32 = AtomicU32::new(0);

/// A database with somebody else's tables, and a role made by the script.
struct Least {
    database: Database,
    role: String,
    postgres: Postgres,
}

impl Least {
    async fn new(rights: impl FnOnce(LeastRights) -> LeastRights) -> Self {
        let database = database().await;
        database
            .run(
                "CREATE SCHEMA crm; CREATE TABLE crm.given (id bigint PRIMARY KEY, v text, n serial);
                 INSERT INTO crm.given VALUES (1, 'one'); CREATE SCHEMA secret; CREATE TABLE secret.t (id bigint PRIMARY KEY, v text)",
            )
            .await;
        let role = format!(
            "it's \"least\" {} {}",
            std::process::id(),
            ROLES.fetch_add(1, Ordering::Relaxed)
        );
        let quoted = role.replace('"', "\"\"");
        let script = rights(LeastRights::new(&role).with_schemas(["crm", "new one"])).script();
        database.run(&script).await;
        // Again, as one does when more tables are there.
        database.run(&script).await;
        database
            .run(&format!(
                "ALTER ROLE \"{quoted}\" PASSWORD 'x'; CREATE TABLE crm.later (id bigint PRIMARY KEY, v text)"
            ))
            .await;
        let mut config = database.config.clone();
        config.user = role;
        config.password = Some(Secret::new("x"));
        config.schema = "crm".to_owned();
        Self {
            database,
            role: quoted,
            postgres: Postgres::new(config).unwrap(),
        }
    }

    /// Plans and writes under a fence.
    async fn load(
        &self,
        table: &str,
        mode: WriteMode,
        schema: &Arc<Schema>,
        rows: &[(Op, &[Value<'_>])],
    ) -> [u64; 5] {
        let (request, claim) = self.request(table, mode, schema).await;
        self.postgres.plan_write(&request).await.unwrap();
        let report = load(&self.postgres, request, vec![batch(schema, 0, rows)]).await;
        drop(claim);
        tally(&report)
    }

    async fn request(&self, table: &str, mode: WriteMode, schema: &Arc<Schema>) -> (WriteRequest, Claim) {
        let mut request = upsert(table, schema);
        request.mode = mode;
        if mode == WriteMode::Insert {
            request.match_on.clear();
        }
        let claim = claim(&self.postgres, &request.task).await;
        let request = request.with_fence(Some(claim.fence.clone()));
        (request, claim)
    }

    async fn is_forbidden(&self, table: &str, mode: WriteMode, schema: &Arc<Schema>) {
        let mut request = upsert(table, schema);
        request.mode = mode;
        let error = refusal(self.postgres.plan_write(&request).await);
        assert_eq!(error.kind(), ErrorKind::Forbidden, "{error:?}");
    }

    /// Nothing outside of what it is for can be read, changed or made.
    async fn is_confined(&self) {
        self.is_forbidden("secret.t", WriteMode::Upsert, &rows()).await;
        self.is_forbidden("public.t", WriteMode::Upsert, &rows()).await;
        self.is_forbidden("elsewhere.t", WriteMode::Upsert, &rows()).await;
        for sql in [
            "SELECT * FROM secret.t",
            "CREATE TABLE public.t (id int)",
            "CREATE SCHEMA mine",
            "CREATE ROLE other",
            "DROP TABLE crm.given",
            "TRUNCATE crm.given",
            "ALTER TABLE crm.given ADD COLUMN x int",
            "DROP SCHEMA crm CASCADE",
            "COPY crm.given TO '/x'",
            "SELECT pg_read_file('postgresql.conf')",
        ] {
            let error = refusal(self.postgres.execute(sql).await);
            assert_eq!(error.kind(), ErrorKind::Forbidden, "{sql}: {error:?}");
        }
    }

    async fn end(self) {
        let role = &self.role;
        self.database
            .run(&format!("DROP OWNED BY \"{role}\" CASCADE; DROP ROLE \"{role}\""))
            .await;
    }
}

fn rows() -> Arc<Schema> {
    schema(
        vec![field("id", DataType::Int64), field("v", DataType::TEXT)],
        &["id"],
    )
}

const ONE: &[Value<'_>] = &[Value::Int(1), Value::Text("x")];
const TWO: &[Value<'_>] = &[Value::Int(2), Value::Text("y")];
const NONE: &[Value<'_>] = &[Value::Null, Value::Null];

#[tokio::test]
async fn tables_are_made_changed_replaced_and_read() {
    let least = Least::new(|rights| rights).await;
    let schema = rows();
    least.postgres.check().await.unwrap();
    least.postgres.identity().await.unwrap();
    for table in ["made", "new one.made"] {
        let put = [(Op::Put, ONE), (Op::Put, TWO), (Op::Put, NONE)];
        assert_eq!(
            least.load(table, WriteMode::Upsert, &schema, &put).await,
            [2, 0, 0, 0, 1]
        );
        let change = [(Op::Delete, ONE), (Op::Put, TWO)];
        assert_eq!(
            least.load(table, WriteMode::Upsert, &schema, &change).await,
            [0, 0, 1, 1, 0]
        );
        assert_eq!(
            least
                .load(table, WriteMode::Overwrite, &schema, &[(Op::Put, ONE)])
                .await,
            [1, 0, 0, 0, 0]
        );
        assert_eq!(shown(&read(&least.postgres, table).await), ["Int(1) Text(\"x\")"]);
    }
    // Its own tables grow; what somebody else has made is changed, and overwritten in place.
    let wider = crate::support::schema(
        vec![
            field("id", DataType::Int64),
            field("v", DataType::TEXT),
            field("w", DataType::Bool),
        ],
        &["id"],
    );
    let row = [Value::Int(1), Value::Text("x"), Value::Bool(true)];
    assert_eq!(
        least
            .load("made", WriteMode::Update, &wider, &[(Op::Put, &row)])
            .await,
        [0, 1, 0, 0, 0]
    );
    least.is_forbidden("given", WriteMode::Upsert, &wider).await;
    for table in ["given", "later"] {
        least
            .load(
                table,
                WriteMode::Upsert,
                &schema,
                &[(Op::Put, ONE), (Op::Put, TWO)],
            )
            .await;
        least
            .load(table, WriteMode::Overwrite, &schema, &[(Op::Put, TWO)])
            .await;
        assert_eq!(
            least.database.lines(&format!("SELECT id FROM crm.{table}")).await,
            ["2"]
        );
    }
    least.is_confined().await;
    least.end().await;
}

#[tokio::test]
async fn states_of_an_older_version_are_migrated_and_checkpoints_kept() {
    let least = Least::new(|rights| rights).await;
    // As this role had made it with an older version.
    let first = include_str!("../../src/state_schema/001.sql").replace("{sync}", "sync");
    let role = &least.role;
    least
        .database
        .run(&format!("SET ROLE \"{role}\"; {first}; RESET ROLE"))
        .await;
    let (request, held) = least.request("made", WriteMode::Upsert, &rows()).await;
    let mut writing = writer(&least.postgres, request.clone()).await;
    writing.write(puts(&rows(), 0, &[ONE])).await.unwrap();
    writing.commit(Some(&state(7))).await.unwrap();
    drop((writing, held));
    let again = claim(&least.postgres, &request.task).await;
    assert_eq!(again.state, Some(state(7)));
    assert_eq!(least.database.line("SELECT version FROM sync.meta").await, "3");
    drop(again);
    least.end().await;
}

#[tokio::test]
async fn where_tables_are_given_they_are_filled_and_nothing_is_made() {
    let least = Least::new(LeastRights::without_making_tables).await;
    let schema = rows();
    let put = [(Op::Put, ONE), (Op::Put, TWO), (Op::Put, NONE)];
    assert_eq!(
        least.load("given", WriteMode::Upsert, &schema, &put).await,
        [1, 1, 0, 0, 1]
    );
    assert_eq!(
        least
            .load("given", WriteMode::Update, &schema, &[(Op::Delete, TWO)])
            .await,
        [0, 0, 0, 1, 0]
    );
    assert_eq!(
        least
            .load("later", WriteMode::Insert, &schema, &[(Op::Put, ONE)])
            .await,
        [1, 0, 0, 0, 0]
    );
    assert_eq!(
        shown(&read(&least.postgres, "later").await),
        ["Int(1) Text(\"x\")"]
    );
    least.is_forbidden("made", WriteMode::Upsert, &schema).await;
    least.is_forbidden("given", WriteMode::Overwrite, &schema).await;
    least.is_confined().await;
    least.end().await;
}

#[tokio::test]
async fn rows_are_written_back_from_tables_that_are_only_read() {
    let least = Least::new(LeastRights::without_making_tables).await;
    let task = TaskId::new("write-back", "given");
    let held = claim(&least.postgres, &task).await;
    let target = Target {
        identity: Identity::new("crm", "1"),
        object: StreamName::new("Lead").as_str().to_owned(),
    };
    let difference = Difference {
        target: target.clone(),
        fence: held.fence.clone(),
        match_on: vec![("Id".to_owned(), "id".to_owned())],
        fields: vec![("V".to_owned(), "v".to_owned())],
        full: false,
    };
    let request = reading("given", &task, SyncMode::Difference(difference));
    let journal = least.postgres.journal().unwrap();
    let keys = [Key::new("1")];
    let ticket = connector_core::Ticket::new("750");
    for (batches, unchanged) in [(1, 0), (0, 1)] {
        let reader = least.postgres.reader(request.clone()).await.unwrap();
        let (read, same) = drain(reader).await;
        assert_eq!((read.len(), same), (batches, unchanged));
        if batches == 1 {
            let intent = Intent {
                keys: &keys,
                ticket: Some(&ticket),
            };
            journal.intend(&held.fence, &target, &intent).await.unwrap();
            let fate = Fate {
                key: keys[0].clone(),
                outcome: Outcome::Updated,
            };
            journal.settle(&held.fence, &target, &[fate]).await.unwrap();
            let rest = connector_core::Rest::Updated;
            journal.close(&held.fence, &target, &ticket, rest).await.unwrap();
        }
    }
    drop(held);
    least.end().await;
}
