//! Sessions that end within a write-back: the journal knows of everything that was sent, and the rest is sent once.

use std::sync::Arc;

use connector_core::memory::Memory;
use connector_core::{BatchBuilder, Connector, DataType, Field, Op, Schema, Value, WriteMode};
use connector_postgres::Postgres;
use sync_engine::{Job, Task};

use crate::sample::step;
use crate::sessions::{End, Ending, assert_passing};
use crate::wire::{At, Place};
use crate::world::{World, ran};

const ROWS: i64 = 30;

/// A service whose records are all to be changed.
fn service() -> Memory {
    let fields = vec![
        Field::new("id", DataType::Int64).not_null(),
        Field::new("n", DataType::Int64),
    ];
    let schema = Schema::new(fields, ["id"]).unwrap();
    let mut records = BatchBuilder::new(Arc::new(schema.clone()), 0);
    for id in 0..ROWS {
        records.push(Value::Int(id));
        records.push(Value::Int(-1));
        records.end_record(Op::Put);
    }
    let memory = Memory::service("crm");
    memory.create("lead", schema);
    memory.put("lead", &records.finish()).unwrap();
    memory
}

fn job(from: Arc<dyn Connector>, to: &Memory) -> Job {
    Job::builder("write-back")
        .source(from)
        .destination(Arc::new(to.clone()))
        .task(
            Task::new("t")
                .into("lead")
                .write(WriteMode::Update)
                .match_on(["id"])
                .field("id", "id")
                .field("n", "n"),
        )
        .build()
        .unwrap()
}

/// The values that the service holds, in the order of the ids.
fn held(service: &Memory) -> Vec<Value<'static>> {
    let rows = service.rows("lead").unwrap();
    rows.records()
        .map(|record| match record.get("n") {
            Value::Int(n) => Value::Int(n),
            other => panic!("{other:?}"),
        })
        .collect()
}

/// What the journal says of each record, in the order of the ids.
async fn journal(world: &World) -> Vec<String> {
    if world.line("SELECT to_regclass('sync.intent') IS NULL").await == "t" {
        return Vec::new();
    }
    world
        .lines("SELECT key || ' ' || state || ' ' || coalesce(confirmed ->> 'n', '-') FROM sync.intent ORDER BY key::int")
        .await
}

pub(crate) async fn sessions_ended_at_every_packet() {
    let world = World::shared().await;
    let ends = [End::Closed, End::Terminated, End::Reset];
    let (mut struck, mut failed) = (0, 0);
    let places: [&dyn Fn(u64) -> Place; 3] = [&Place::Commit, &Place::CommitAnswer, &Place::Any];
    for place in places {
        let every = if place(1) == Place::Any(1) { step(3) } else { 1 };
        for number in (1..).step_by(every) {
            let Some(error) = ended_at(&world, place(number), ends[struck % ends.len()]).await else {
                break;
            };
            struck += 1;
            failed += usize::from(error);
        }
    }
    println!("write-back: sessions ended at {struck} packets, {failed} tries failed");
    assert!(struck > 20 && failed > 15, "{struck} struck, {failed} failed");
}

/// Ends sessions at a packet, looks at what is left, and runs again. Whether the first run failed; `None` if it has no
/// such packet.
async fn ended_at(world: &World, place: Place, end: End) -> Option<bool> {
    let what = format!("{end:?} at {place:?}");
    world
        .run(
            "DROP SCHEMA IF EXISTS sync CASCADE; DROP TABLE IF EXISTS t;
              CREATE TABLE t (id bigint PRIMARY KEY, n bigint); GRANT SELECT ON t TO public;
              INSERT INTO t SELECT id, id * 10 FROM generate_series(0, 29) id",
        )
        .await;
    let service = service();
    let ending = Ending {
        end,
        url: world.url.clone(),
    };
    let tap = At::new(place, ending);
    let proxy = tap.proxy(world.server()).await;
    let through = Arc::new(Postgres::new(world.through(proxy.address())).unwrap());
    let result = ran(&job(through, &service)).await;
    if !tap.struck() {
        result.unwrap();
        return None;
    }
    let failed = result.is_err();
    if let Err(error) = result {
        assert_passing(&error, &what);
    }
    world.until_idle().await;
    // What the service has, the journal knows of; what is confirmed, the service has.
    let known = journal(world).await;
    for (id, n) in held(&service).into_iter().enumerate() {
        let line = known.get(id).map(String::as_str).unwrap_or_default();
        let confirmed = line == format!("{id} confirmed {}", id * 10);
        if n == Value::Int(-1) {
            assert!(!confirmed, "{what}: {line}");
        } else {
            assert!(
                confirmed || line.starts_with(&format!("{id} sent ")),
                "{what}: {line}"
            );
        }
    }
    if let Err(error) = ran(&job(world.connector(), &service)).await {
        panic!("{what}: {}", error.report());
    }
    let wanted: Vec<Value<'_>> = (0..ROWS).map(|id| Value::Int(id * 10)).collect();
    assert_eq!(held(&service), wanted, "{what}");
    let confirmed: Vec<String> = (0..ROWS)
        .map(|id| format!("{id} confirmed {}", id * 10))
        .collect();
    assert_eq!(journal(world).await, confirmed, "{what}");
    assert_eq!(
        world.line("SELECT count(*) FROM sync.ticket").await,
        "0",
        "{what}"
    );
    assert!(
        service.applied() <= 2 * ROWS as u64,
        "{what}: {} applied",
        service.applied()
    );
    let applied = service.applied();
    ran(&job(world.connector(), &service)).await.unwrap();
    assert_eq!(service.applied(), applied, "{what}: sent what was confirmed");
    Some(failed)
}
