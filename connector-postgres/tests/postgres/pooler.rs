//! Through a pooler in transaction mode: no session is anybody's for longer than a transaction.

use std::sync::Arc;

use connector_core::{
    Claim, Connector, DataType, Destination, Difference, ErrorKind, Fate, Identity, Intent, Key, Op, Outcome,
    Schema, Source, Statements, SyncMode, Target, TaskId, Value, WriteMode,
};
use connector_postgres::{PoolMode, Postgres};

use crate::pgbouncer::PgBouncer;
use crate::support::{
    Database, batch, claim, database, decimal, drain, field, load, puts, read, reading, refusal, schema,
    shown, state, tally, try_claim, upsert, writer,
};

/// A database, and a pooler in front of it.
struct Pooled {
    database: Database,
    pooler: PgBouncer,
}

impl Pooled {
    async fn new(sessions: usize) -> Self {
        let database = database().await;
        let config = database.config.clone();
        let pooler = tokio::task::spawn_blocking(move || PgBouncer::start(&config, sessions))
            .await
            .unwrap();
        Self { database, pooler }
    }

    fn connector(&self) -> Postgres {
        let mut config = self.pooler.in_front_of(&self.database.config);
        config.pool_mode = PoolMode::Transaction;
        Postgres::new(config).unwrap()
    }

    /// Nothing is left in a session of the pooler that its next user would meet: no statement, table, lock or setting.
    async fn is_clean(&self) {
        let other = self.pooler.in_front_of(&self.database.config);
        let mut plain = tokio_postgres::Config::new();
        plain
            .host("127.0.0.1")
            .port(other.port)
            .user(&other.user)
            .dbname(other.database.as_deref().unwrap());
        let (client, connection) = plain.connect(tokio_postgres::NoTls).await.unwrap();
        tokio::spawn(connection);
        let sql = "SELECT (SELECT coalesce(string_agg(left(statement, 60), ' / '), '') FROM pg_prepared_statements) || '|' || (SELECT count(*) FROM pg_class WHERE relpersistence = 't')
                || '|' || (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid())
                || '|' || current_setting('intervalstyle') || '|' || current_setting('extra_float_digits')";
        for _ in 0..4 {
            let messages = client.simple_query(sql).await.unwrap();
            let row = messages.iter().find_map(|message| match message {
                tokio_postgres::SimpleQueryMessage::Row(row) => row.get(0),
                _ => None,
            });
            assert_eq!(row, Some("|0|0|postgres|1"));
        }
    }
}

fn rows() -> Arc<Schema> {
    schema(
        vec![
            field("id", DataType::Int64),
            field("v", DataType::TEXT),
            field("n", DataType::decimal(9, 2)),
        ],
        &["id"],
    )
}

#[tokio::test]
async fn without_being_told_it_is_refused_by_a_sentence_that_names_the_key() {
    let pooled = Pooled::new(2).await;
    let config = pooled.pooler.in_front_of(&pooled.database.config);
    let error = refusal(Postgres::new(config).unwrap().check().await);
    assert_eq!(error.kind(), ErrorKind::Unsupported, "{error:?}");
    assert!(
        error.help().unwrap().contains("`pool_mode` to `transaction`"),
        "{error:?}"
    );
}

#[tokio::test]
async fn everything_works_with_two_sessions_for_all() {
    let pooled = Pooled::new(2).await;
    let postgres = pooled.connector();
    let schema = rows();
    let report = postgres.check().await.unwrap();
    assert!(!format!("{report:?}").is_empty());
    postgres.identity().await.unwrap();
    let one: &[Value<'_>] = &[Value::Int(1), Value::Text("x"), decimal("1.50")];
    let two: &[Value<'_>] = &[Value::Int(2), Value::Text("y"), Value::Null];
    let changed: &[Value<'_>] = &[Value::Int(2), Value::Text("z"), decimal("-2")];
    let none: &[Value<'_>] = &[Value::Null, Value::Text("z"), Value::Null];
    for round in 0..3 {
        for (mode, records, counts) in [
            (
                WriteMode::Overwrite,
                vec![(Op::Put, one), (Op::Put, two)],
                [2, 0, 0, 0, 0],
            ),
            (
                WriteMode::Upsert,
                vec![(Op::Delete, one), (Op::Put, changed), (Op::Put, none)],
                [0, 1, 0, 1, 1],
            ),
            (
                WriteMode::Update,
                vec![(Op::Put, changed), (Op::Put, one)],
                [0, 0, 1, 0, 1],
            ),
        ] {
            let mut request = upsert("t", &schema);
            request.mode = mode;
            let held = claim(&postgres, &request.task).await;
            let request = request.with_fence(Some(held.fence.clone()));
            postgres.plan_write(&request).await.unwrap();
            let report = load(&postgres, request, vec![batch(&schema, 0, &records)]).await;
            assert_eq!(tally(&report), counts, "{mode} in round {round}");
        }
    }
    assert_eq!(shown(&read(&postgres, "t").await).len(), 1);
    postgres.execute("UPDATE t SET v = 'w'; SELECT 1").await.unwrap();
    let error = refusal(postgres.execute("SELECT 1/0").await);
    assert_eq!(error.kind(), ErrorKind::Data);
    assert_eq!(postgres.streams().await.unwrap().len(), 1);
    assert!(
        refusal(read_missing(&postgres).await)
            .message()
            .contains("there is no table")
    );
    pooled.is_clean().await;
}

async fn read_missing(postgres: &Postgres) -> connector_core::Result<()> {
    postgres
        .reader(reading("missing", &TaskId::new("a", "b"), SyncMode::FullRefresh))
        .await
        .map(drop)
}

#[tokio::test]
async fn states_and_fences_hold() {
    let pooled = Pooled::new(1).await;
    let (postgres, other) = (pooled.connector(), pooled.connector());
    let schema = rows();
    let request = upsert("t", &schema);
    let task = request.task.clone();
    let held = try_claim(&postgres, &task, "process 4711").await.unwrap();
    let mut writing = writer(&postgres, request.with_fence(Some(held.fence.clone()))).await;
    let row: &[Value<'_>] = &[Value::Int(1), Value::Null, Value::Null];
    writing.write(puts(&schema, 0, &[row])).await.unwrap();
    writing.commit(Some(&state(1))).await.unwrap();
    // Held, whatever the other's way to the database; and a session holds a task against a time limit.
    for connector in [&other, &pooled.database.connector()] {
        let error = refusal(try_claim(connector, &task, "me").await);
        assert_eq!(error.kind(), ErrorKind::Conflict);
        assert!(
            error.message().contains("is held by process 4711 since"),
            "{error}"
        );
    }
    let by_session = TaskId::new("job", "by session");
    let session = claim(&pooled.database.connector(), &by_session).await;
    assert_eq!(
        refusal(try_claim(&other, &by_session, "me").await).kind(),
        ErrorKind::Conflict
    );
    drop(session);
    assert_eq!(claim(&other, &by_session).await.fence.epoch, 2);
    // A holder that is heard of no more is overtaken, and cannot commit.
    let gone = format!("UPDATE sync.task SET held_until = now() - interval '1s' WHERE task = '{task}'");
    pooled.database.run(&gone).await;
    let next = claim(&other, &task).await;
    assert_eq!((next.fence.epoch, next.state.as_ref()), (2, Some(&state(1))));
    writing.write(puts(&schema, 1, &[row])).await.unwrap();
    assert_eq!(
        refusal(writing.commit(Some(&state(2))).await).kind(),
        ErrorKind::Conflict
    );
    // Nor does it end the next one's hold.
    drop(writing);
    drop(held);
    let error = refusal(try_claim(&postgres, &task, "me").await);
    assert_eq!(error.kind(), ErrorKind::Conflict);
    postgres
        .state_store()
        .unwrap()
        .save(&next.fence, &state(3))
        .await
        .unwrap();
    drop(next);
    let last = claim(&postgres, &task).await;
    assert_eq!((last.fence.epoch, last.state.as_ref()), (3, Some(&state(3))));
    drop(last);
    pooled.is_clean().await;
}

async fn remaining(database: &Database) -> bool {
    database
        .line("SELECT held_until > clock_timestamp() + interval '45s' FROM sync.task")
        .await
        == "t"
}

#[tokio::test]
async fn a_hold_is_renewed_by_commits_and_by_and_by() {
    let pooled = Pooled::new(1).await;
    let postgres = pooled.connector();
    let request = upsert("t", &rows());
    let held: Claim = claim(&postgres, &request.task).await;
    assert!(remaining(&pooled.database).await);
    let soon = "UPDATE sync.task SET held_until = clock_timestamp() + interval '40s'";
    pooled.database.run(soon).await;
    let mut writing = writer(&postgres, request.with_fence(Some(held.fence.clone()))).await;
    writing.commit(Some(&state(1))).await.unwrap();
    assert!(remaining(&pooled.database).await);
    pooled.database.run(soon).await;
    let begun = std::time::Instant::now();
    while !remaining(&pooled.database).await {
        assert!(begun.elapsed() < std::time::Duration::from_secs(60));
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    }
    drop(held);
}

#[tokio::test]
async fn a_write_back_works_and_its_types_are_exact() {
    let pooled = Pooled::new(1).await;
    let postgres = pooled.connector();
    pooled
        .database
        .run(
            "CREATE TYPE mood AS ENUM ('fine', 'bad');
             CREATE TABLE lead (id text PRIMARY KEY, score numeric(9,2), span interval, at timestamptz, x float8, mood mood);
             INSERT INTO lead SELECT n::text, n / 3.0, '1 month 2 days 00:00:01.5', '2024-02-29 12:00+09', 0.1, 'fine'
             FROM generate_series(1, 12000) n",
        )
        .await;
    let straight = read(&pooled.database.connector(), "lead").await;
    assert_eq!(shown(&read(&postgres, "lead").await), shown(&straight));
    let task = TaskId::new("write-back", "lead");
    let held = claim(&postgres, &task).await;
    let target = Target {
        identity: Identity::new("crm", "1"),
        object: "Lead".to_owned(),
    };
    let named = |name: &str| (name.to_owned(), name.to_owned());
    let difference = Difference {
        target: target.clone(),
        fence: held.fence.clone(),
        match_on: vec![named("id")],
        fields: ["score", "span", "at", "x"].map(named).to_vec(),
        full: false,
    };
    let request = reading("lead", &task, SyncMode::Difference(difference));
    let journal = postgres.journal().unwrap();
    let (batches, unchanged) = drain(postgres.reader(request.clone()).await.unwrap()).await;
    assert_eq!((shown(&batches).len(), unchanged), (12_000, 0));
    let keys: Vec<Key> = (1..=12_000).map(|n| Key::new(n.to_string())).collect();
    let intent = Intent {
        keys: &keys,
        ticket: None,
    };
    journal.intend(&held.fence, &target, &intent).await.unwrap();
    let fates: Vec<Fate> = keys
        .iter()
        .map(|key| Fate {
            key: key.clone(),
            outcome: Outcome::Updated,
        })
        .collect();
    journal.settle(&held.fence, &target, &fates).await.unwrap();
    let (batches, unchanged) = drain(postgres.reader(request).await.unwrap()).await;
    assert_eq!((batches.len(), unchanged), (0, 12_000));
    drop(held);
    pooled.is_clean().await;
}

#[tokio::test]
async fn many_clients_share_two_sessions() {
    let pooled = Pooled::new(2).await;
    // Of connections of their own, so that names of statements meet.
    let clients = (0..8).map(|number| {
        let postgres = pooled.connector();
        async move {
            let schema = rows();
            let table = format!("t{number}");
            for round in 0..4_i64 {
                let request = upsert(&table, &schema);
                let held = claim(&postgres, &request.task).await;
                let request = request.with_fence(Some(held.fence.clone()));
                let records: Vec<[Value<'_>; 3]> = (0..50)
                    .map(|id| [Value::Int(round * 50 + id), Value::Text("x"), decimal("0.25")])
                    .collect();
                let records: Vec<&[Value<'_>]> = records.iter().map(<[_; 3]>::as_slice).collect();
                let mut writing = writer(&postgres, request).await;
                writing.write(puts(&schema, 0, &records)).await.unwrap();
                writing.commit(Some(&state(1))).await.unwrap();
                assert_eq!(tally(&writing.finish(None).await.unwrap()), [0; 5]);
                drop(held);
                let batches = read(&postgres, &table).await;
                assert_eq!(shown(&batches).len() as i64, (round + 1) * 50);
            }
        }
    });
    futures::future::join_all(clients).await;
    pooled.is_clean().await;
}

#[tokio::test]
async fn what_is_dropped_midway_leaves_nothing_behind() {
    let pooled = Pooled::new(1).await;
    let postgres = pooled.connector();
    pooled
        .database
        .run("CREATE TABLE big AS SELECT n AS id, repeat('x', 200) AS v FROM generate_series(1, 50000) n; ALTER TABLE big ADD PRIMARY KEY (id)")
        .await;
    let schema = rows();
    for _ in 0..3 {
        let mut reader = postgres
            .reader(
                reading("big", &TaskId::new("read", "big"), SyncMode::FullRefresh).with_batch_bytes(1 << 16),
            )
            .await
            .unwrap();
        reader.next().await.unwrap();
        drop(reader);
        let mut writing = writer(&postgres, upsert("t", &schema)).await;
        let row: &[Value<'_>] = &[Value::Int(1), Value::Null, Value::Null];
        writing.write(puts(&schema, 0, &[row])).await.unwrap();
        drop(writing);
    }
    assert_eq!(pooled.database.line("SELECT to_regclass('t')").await, "∅");
    pooled.is_clean().await;
}
