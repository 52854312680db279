//! Somebody changes the table between two commits of a load, by hand.

use std::sync::Arc;

use async_trait::async_trait;
use connector_core::{Error, ErrorKind, Retry};
use connector_postgres::Postgres;
use connector_testkit::faults::proxy::{Portion, Verdict};

use crate::scenario::Kind;
use crate::wire::{At, Fault, Place};
use crate::world::{World, connect, ran};

struct Change {
    url: String,
    sql: String,
}

#[async_trait]
impl Fault for Change {
    async fn strike(&self, _: &Portion<'_>) -> Verdict {
        connect(&self.url).await.batch_execute(&self.sql).await.unwrap();
        Verdict::Pass
    }
}

/// Runs a load whose table is changed after its first commit.
async fn changed(world: &World, kind: Kind, sql: &str) -> Result<(), Error> {
    world.reset(kind).await;
    let sql = format!("SET ROLE {}; {sql}", world.name());
    let change = Change {
        url: world.url.clone(),
        sql,
    };
    let tap = At::new(Place::Saying("BEGIN; SET CONSTRAINTS", 2), change);
    let proxy = tap.proxy(world.server()).await;
    let through = Arc::new(Postgres::new(world.through(proxy.address())).unwrap());
    let result = ran(&kind.job(through)).await.map(drop);
    assert!(tap.struck(), "{sql:?} came too late", sql = tap.fault().sql);
    world.until_idle().await;
    result
}

/// Whatever is changed about its columns, nothing more is written into the table as it was planned for; the next
/// try looks at the table anew.
pub(crate) async fn columns_that_are_changed() {
    let world = World::shared().await;
    let changes = [
        "ALTER TABLE t DROP COLUMN n CASCADE",
        "ALTER TABLE t RENAME COLUMN n TO m",
        // As many bytes: binary values would be taken for others.
        "ALTER TABLE t ALTER COLUMN n TYPE double precision",
        // Values would be rounded.
        "ALTER TABLE t ALTER COLUMN n TYPE real",
        "ALTER TABLE t ADD COLUMN must integer NOT NULL DEFAULT 1; ALTER TABLE t ALTER COLUMN must DROP DEFAULT",
        "ALTER TABLE t RENAME TO old; CREATE TABLE t (LIKE old INCLUDING ALL)",
    ];
    for kind in Kind::ALL {
        for sql in changes {
            let what = format!("{kind:?}, {sql}");
            let error = changed(&world, kind, sql).await.unwrap_err();
            let report = error.report().to_string();
            assert_eq!(
                (error.kind(), error.retry()),
                (ErrorKind::Conflict, Retry::Backoff),
                "{what}: {report}"
            );
            assert_eq!(
                error.message(),
                "the table \"public\".\"t\" was changed while it was written to",
                "{what}"
            );
            assert!(
                error.help().is_some() && !error.may_have_applied(),
                "{what}: {report}"
            );
            // The first commit's rows are there, where somebody has left them, and no others.
            let table = if sql.contains("old") { "old" } else { "t" };
            let ids = world.lines(&format!("SELECT id FROM {table} ORDER BY id")).await;
            let committed = match kind {
                Kind::Overwrite => kind.lines(0, false),
                _ => kind.lines(9, false),
            };
            let committed: Vec<&str> = committed
                .iter()
                .filter_map(|line| line.split('|').next())
                .collect();
            assert_eq!(ids, committed, "{what}");
            assert_eq!(
                world.covered().await,
                if kind == Kind::Overwrite { 30 } else { 9 },
                "{what}"
            );
        }
    }
}

/// A table that is gone is an error, and is not made anew by the run that has filled it.
pub(crate) async fn a_table_that_is_dropped() {
    let world = World::shared().await;
    for kind in Kind::ALL {
        for sql in ["DROP TABLE t", "ALTER TABLE t RENAME TO old"] {
            let what = format!("{kind:?}, {sql}");
            let error = changed(&world, kind, sql).await.unwrap_err();
            assert_eq!(
                (error.kind(), error.retry()),
                (ErrorKind::NotFound, Retry::Never),
                "{what}: {}",
                error.report()
            );
            assert!(error.message().contains("public.t"), "{what}: {}", error.report());
            assert_eq!(world.line("SELECT to_regclass('t') IS NULL").await, "t", "{what}");
        }
    }
}

/// What depends on the table without changing it stays, and so does the load.
pub(crate) async fn a_view_that_is_made() {
    let world = World::shared().await;
    for kind in Kind::ALL {
        let result = changed(&world, kind, "CREATE VIEW seen AS SELECT id, n FROM t").await;
        if let Err(error) = result {
            panic!("{kind:?}: {}", error.report());
        }
        world.check_end(kind, &format!("{kind:?}, a view")).await;
        let rows = world.line("SELECT count(*) FROM t").await;
        assert_eq!(world.line("SELECT count(*) FROM seen").await, rows, "{kind:?}");
    }
}
