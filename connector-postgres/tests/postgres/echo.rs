//! Loads that bring our own write-backs back, and those that bring somebody else's edits.

use std::sync::Arc;

use connector_core::value::Instant;
use connector_core::{
    Access, Batch, CommitReport, Connector, DataType, Difference, Drift, Fate, Fence, Field, Identity,
    Intent, Key, Op, Origin, Outcome, Schema, Source, SyncMode, Target, TaskId, Value,
};
use connector_postgres::Postgres;

use crate::support::{
    Database, batch, claim, database, decimal, drain, field, reading, schema, tally, upsert, writer,
};

fn target() -> Target {
    Target {
        identity: Identity::new("salesforce", "00D1"),
        object: "Lead".to_owned(),
    }
}

/// A lead as Salesforce describes it.
fn lead() -> Arc<Schema> {
    let fields = vec![
        Field::new("Id", DataType::TEXT).with_access(Access::READ_ONLY),
        field("Name", DataType::TEXT),
        field("LeadScore__c", DataType::decimal(5, 2)),
        Field::new("SystemModstamp", DataType::Instant).with_access(Access::READ_ONLY),
    ];
    schema(fields, &["Id"])
}

/// A table of leads that was loaded, scored, and written back, all of it confirmed.
struct Loop {
    database: Database,
    postgres: Postgres,
    schema: Arc<Schema>,
}

impl Loop {
    async fn new() -> Self {
        let database = database().await;
        let postgres = database.connector();
        let this = Self {
            database,
            postgres,
            schema: lead(),
        };
        let rows: [(&str, &str, Option<&str>, i64); 3] = [
            ("a", "Ann", None, 1),
            ("b", "Bob", None, 1),
            ("c", "Cyd", None, 1),
        ];
        let report = this.load(&rows, Drift::Overwrite).await;
        assert_eq!(tally(&report), [3, 0, 0, 0, 0]);
        this.database
            .run("UPDATE lead_reverse SET \"LeadScore__c\" = 50")
            .await;
        assert_eq!(this.write_back().await, ["a", "b", "c"]);
        this
    }

    fn batch(&self, rows: &[(&str, &str, Option<&str>, i64)]) -> Batch {
        let rows: Vec<[Value<'_>; 4]> = rows
            .iter()
            .map(|(id, name, score, at)| {
                let score = score.map_or(Value::Null, decimal);
                [
                    Value::Text(id),
                    Value::Text(name),
                    score,
                    Value::Instant(Instant::from_unix_micros(*at)),
                ]
            })
            .collect();
        let rows: Vec<(Op, &[Value<'_>])> = rows.iter().map(|row| (Op::Put, row.as_slice())).collect();
        batch(&self.schema, 0, &rows)
    }

    async fn load(&self, rows: &[(&str, &str, Option<&str>, i64)], drift: Drift) -> CommitReport {
        let origin = Origin {
            target: target(),
            fields: self
                .schema
                .fields()
                .iter()
                .map(|field| (field.name.clone(), field.name.clone()))
                .collect(),
        };
        let request = upsert("lead_reverse", &self.schema)
            .with_keep(vec!["LeadScore__c".to_owned()])
            .with_drift(drift)
            .with_origin(Some(origin));
        let claim = claim(&self.postgres, &request.task).await;
        let mut writer = writer(&self.postgres, request.with_fence(Some(claim.fence.clone()))).await;
        writer.write(self.batch(rows)).await.unwrap();
        writer.finish(None).await.unwrap()
    }

    fn difference(&self, fence: &Fence) -> Difference {
        let same = |name: &str| vec![(name.to_owned(), name.to_owned())];
        Difference {
            target: target(),
            fence: fence.clone(),
            match_on: same("Id"),
            fields: same("LeadScore__c"),
            full: false,
        }
    }

    /// Sends what differs; returns its keys.
    async fn write_back(&self) -> Vec<String> {
        let task = TaskId::new("write-back", "lead_reverse");
        let claim = claim(&self.postgres, &task).await;
        let request = reading(
            "lead_reverse",
            &task,
            SyncMode::Difference(self.difference(&claim.fence)),
        );
        let (batches, _) = drain(self.postgres.reader(request).await.unwrap()).await;
        let keys: Vec<Key> = batches
            .iter()
            .flat_map(|batch| {
                batch
                    .records()
                    .map(|r| r.source_key().unwrap())
                    .collect::<Vec<_>>()
            })
            .collect();
        let journal = self.postgres.journal().unwrap();
        journal
            .intend(
                &claim.fence,
                &target(),
                &Intent {
                    keys: &keys,
                    ticket: None,
                },
            )
            .await
            .unwrap();
        let fates: Vec<Fate> = keys
            .iter()
            .map(|key| Fate {
                key: key.clone(),
                outcome: Outcome::Updated,
            })
            .collect();
        journal.settle(&claim.fence, &target(), &fates).await.unwrap();
        keys.iter().map(|key| key.as_str().to_owned()).collect()
    }

    async fn rows(&self) -> Vec<String> {
        self.database.lines("SELECT \"Id\", \"Name\", \"LeadScore__c\", extract(microseconds FROM \"SystemModstamp\")::int FROM lead_reverse ORDER BY 1").await
    }
}

#[tokio::test]
async fn our_own_value_that_comes_back_is_an_echo() {
    let this = Loop::new().await;
    let report = this
        .load(
            &[("a", "Ann", Some("50"), 2), ("b", "Bob", Some("50.00"), 2)],
            Drift::Overwrite,
        )
        .await;
    assert_eq!(
        (tally(&report), report.counts.echo, report.counts.drifted),
        ([0, 0, 0, 0, 0], 2, 0)
    );
    assert_eq!(report.counts.accounted(), 2);
    // It is stored all the same.
    assert_eq!(
        this.rows().await,
        ["a|Ann|50.00|2", "b|Bob|50.00|2", "c|Cyd|50.00|1"]
    );
    assert_eq!(this.write_back().await, [""; 0]);
    // The same record once more says nothing new at all.
    let report = this.load(&[("a", "Ann", Some("50"), 2)], Drift::Overwrite).await;
    assert_eq!((tally(&report), report.counts.echo), ([0, 0, 1, 0, 0], 0));
}

#[tokio::test]
async fn an_edit_of_another_field_is_an_update() {
    let this = Loop::new().await;
    let report = this
        .load(
            &[("a", "Anna", Some("50"), 2), ("b", "Bob", Some("50"), 2)],
            Drift::Overwrite,
        )
        .await;
    assert_eq!(
        (tally(&report), report.counts.echo, report.counts.drifted),
        ([0, 1, 0, 0, 0], 1, 0)
    );
    assert_eq!(this.rows().await[0], "a|Anna|50.00|2");
    assert_eq!(this.write_back().await, [""; 0]);
}

#[tokio::test]
async fn an_edit_of_our_field_is_drift_and_overwritten_by_the_next_write_back() {
    let this = Loop::new().await;
    let report = this
        .load(
            &[
                ("a", "Ann", Some("1"), 2),
                ("b", "Bob", None, 2),
                ("c", "Cyd", Some("50"), 2),
            ],
            Drift::Overwrite,
        )
        .await;
    assert_eq!(
        (tally(&report), report.counts.echo, report.counts.drifted),
        ([0, 2, 0, 0, 0], 1, 2)
    );
    assert_eq!(report.counts.accounted(), 3);
    assert_eq!(
        this.rows().await,
        ["a|Ann|50.00|2", "b|Bob|50.00|2", "c|Cyd|50.00|2"]
    );
    assert_eq!(this.write_back().await, ["a", "b"]);
    assert_eq!(this.write_back().await, [""; 0]);
}

#[tokio::test]
async fn drift_that_is_only_reported_is_left_alone() {
    let this = Loop::new().await;
    let report = this.load(&[("a", "Ann", Some("1"), 2)], Drift::Report).await;
    assert_eq!(
        (tally(&report), report.counts.echo, report.counts.drifted),
        ([0, 1, 0, 0, 0], 0, 1)
    );
    assert_eq!(this.write_back().await, [""; 0]);
    // It is counted as long as it lasts.
    let report = this.load(&[("a", "Ann", Some("1"), 2)], Drift::Report).await;
    assert_eq!((tally(&report), report.counts.drifted), ([0, 0, 1, 0, 0], 1));
}

#[tokio::test]
async fn a_score_that_moved_on_before_the_echo_came_is_not_drift() {
    let this = Loop::new().await;
    this.database
        .run("UPDATE lead_reverse SET \"LeadScore__c\" = 60 WHERE \"Id\" = 'a'")
        .await;
    let report = this.load(&[("a", "Ann", Some("50"), 2)], Drift::Overwrite).await;
    assert_eq!(
        (tally(&report), report.counts.echo, report.counts.drifted),
        ([0, 0, 0, 0, 0], 1, 0)
    );
    assert_eq!(this.rows().await[0], "a|Ann|60.00|2");
    assert_eq!(this.write_back().await, ["a"]);
}

#[tokio::test]
async fn only_the_last_of_a_repeated_record_is_compared() {
    let this = Loop::new().await;
    let rows = [
        // An old version of ours, then our own; our own twice; and an ordinary update beside them.
        ("a", "Ann", Some("1"), 2),
        ("a", "Ann", Some("50"), 3),
        ("b", "Bob", Some("50"), 2),
        ("b", "Bob", Some("50"), 3),
        ("c", "Cydney", Some("50"), 2),
    ];
    let report = this.load(&rows, Drift::Overwrite).await;
    assert_eq!(
        (tally(&report), report.counts.echo, report.counts.drifted),
        ([0, 1, 2, 0, 0], 2, 0)
    );
    assert_eq!(report.counts.accounted(), 5);
    assert_eq!(this.write_back().await, [""; 0]);
}

#[tokio::test]
async fn a_load_from_another_org_compares_nothing() {
    let this = Loop::new().await;
    let request = upsert("lead_reverse", &this.schema)
        .with_keep(vec!["LeadScore__c".to_owned()])
        .with_origin(Some(Origin {
            target: Target {
                identity: Identity::new("salesforce", "00D2"),
                ..target()
            },
            fields: this
                .schema
                .fields()
                .iter()
                .map(|field| (field.name.clone(), field.name.clone()))
                .collect(),
        }));
    let claim = claim(&this.postgres, &request.task).await;
    let mut writer = writer(&this.postgres, request.with_fence(Some(claim.fence.clone()))).await;
    writer
        .write(this.batch(&[("a", "Ann", Some("1"), 2)]))
        .await
        .unwrap();
    let report = writer.finish(None).await.unwrap();
    assert_eq!(
        (tally(&report), report.counts.echo, report.counts.drifted),
        ([0, 1, 0, 0, 0], 0, 0)
    );
}
