//! Differences: which rows a write-back sends, and what the journal remembers.

use std::sync::Arc;

use connector_core::{
    Batch, Claim, Connector, DataType, Difference, ErrorKind, Fate, Identity, Intent, Journal, Key, Outcome,
    Rest, Result, Source, SyncMode, Target, TaskId, Ticket,
};
use connector_postgres::Postgres;

use crate::support::{Database, claim, database, drain, reading, refusal, shown, try_claim};

const TABLE: &str =
    "CREATE TABLE lead (id text PRIMARY KEY, score numeric(9,2), note text, hot boolean, at timestamptz);
    INSERT INTO lead VALUES ('00Q1', 1.5, 'it''s 日本', true, '2024-02-29 12:00:00.123456+09'),
        ('00Q2', 70, '', false, NULL), ('00Q3', NULL, NULL, NULL, '1700-01-01')";

/// A write-back of `lead` under test.
struct WriteBack {
    database: Database,
    postgres: Postgres,
    journal: Arc<dyn Journal>,
    task: TaskId,
    target: Target,
    claim: Claim,
    match_on: Vec<&'static str>,
    fields: Vec<&'static str>,
}

impl WriteBack {
    async fn new() -> Self {
        let database = database().await;
        database.run(TABLE).await;
        Self::of(database, &["id"], &["score", "note", "hot", "at"]).await
    }

    async fn of(database: Database, match_on: &[&'static str], fields: &[&'static str]) -> Self {
        let postgres = database.connector();
        let journal = postgres.journal().unwrap();
        let task = TaskId::new("write-back", "lead");
        let claim = claim(&postgres, &task).await;
        let target = Target {
            identity: Identity::new("salesforce", "00D1"),
            object: "Lead".to_owned(),
        };
        let (match_on, fields) = (match_on.to_vec(), fields.to_vec());
        Self {
            database,
            postgres,
            journal,
            task,
            target,
            claim,
            match_on,
            fields,
        }
    }

    fn difference(&self) -> Difference {
        let named = |names: &[&str]| {
            names
                .iter()
                .map(|name| (format!("{name}__c"), (*name).to_owned()))
                .collect::<Vec<_>>()
        };
        Difference {
            target: self.target.clone(),
            fence: self.claim.fence.clone(),
            match_on: named(&self.match_on),
            fields: named(&self.fields),
            full: false,
        }
    }

    async fn try_read(&self, difference: Difference) -> Result<(Vec<Batch>, u64)> {
        let request = reading("lead", &self.task, SyncMode::Difference(difference));
        Ok(drain(self.postgres.reader(request).await?).await)
    }

    /// The keys that differ, and how many rows do not.
    async fn differ(&self) -> (Vec<String>, u64) {
        let (batches, unchanged) = self.try_read(self.difference()).await.unwrap();
        (keys(&batches), unchanged)
    }

    async fn intend(&self, keys: &[&str], ticket: Option<&str>) {
        let keys: Vec<Key> = keys.iter().map(|key| Key::new(*key)).collect();
        let ticket = ticket.map(Ticket::new);
        let intent = Intent {
            keys: &keys,
            ticket: ticket.as_ref(),
        };
        self.journal
            .intend(&self.claim.fence, &self.target, &intent)
            .await
            .unwrap();
    }

    async fn settle(&self, keys: &[&str], outcome: Outcome) {
        let fates: Vec<Fate> = keys
            .iter()
            .map(|key| Fate {
                key: Key::new(*key),
                outcome: outcome.clone(),
            })
            .collect();
        self.journal
            .settle(&self.claim.fence, &self.target, &fates)
            .await
            .unwrap();
    }

    /// Sends everything that differs, and all of it is confirmed.
    async fn confirm_all(&self) {
        let (keys, _) = self.differ().await;
        let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
        self.intend(&keys, None).await;
        self.settle(&keys, Outcome::Updated).await;
    }

    async fn claim_again(mut self) -> Self {
        drop(self.claim);
        self.claim = claim(&self.postgres, &self.task).await;
        self
    }
}

fn keys(batches: &[Batch]) -> Vec<String> {
    let keys = |batch: &Batch| -> Vec<String> {
        batch
            .records()
            .map(|record| record.source_key().unwrap().as_str().to_owned())
            .collect()
    };
    batches.iter().flat_map(keys).collect()
}

fn refused() -> Outcome {
    Outcome::Rejected {
        code: "BAD".to_owned(),
        message: "no".to_owned(),
        fields: vec!["score__c".to_owned()],
    }
}

#[tokio::test]
async fn the_first_difference_is_every_row_typed_exactly() {
    let back = WriteBack::new().await;
    let (batches, unchanged) = back.try_read(back.difference()).await.unwrap();
    assert_eq!(unchanged, 0);
    assert_eq!(
        shown(&batches),
        [
            r#"Text("00Q1") Decimal(1.50) Text("it's 日本") Bool(true) Instant(2024-02-29T03:00:00.123456Z)"#,
            r#"Text("00Q2") Decimal(70.00) Text("") Bool(false) Null"#,
            r#"Text("00Q3") Null Null Null Instant(1700-01-01T00:00:00Z)"#,
        ]
        .map(str::to_owned)
    );
    let schema = batches[0].schema();
    assert_eq!(schema.primary_key(), [0]);
    assert_eq!(
        schema
            .fields()
            .iter()
            .map(|field| (field.name.as_str(), field.data_type))
            .collect::<Vec<_>>(),
        [
            ("id", DataType::TEXT),
            ("score", DataType::decimal(9, 2)),
            ("note", DataType::TEXT),
            ("hot", DataType::Bool),
            ("at", DataType::Instant),
        ]
    );
    assert_eq!(keys(&batches), ["00Q1", "00Q2", "00Q3"]);
    assert_eq!(back.database.lines("SELECT count(*) FROM lead").await, ["3"]);
}

#[tokio::test]
async fn every_type_survives_the_stored_difference() {
    let database = database().await;
    database
        .run(
            "CREATE TABLE lead (id int PRIMARY KEY, n numeric, f float8, r float4, i int8, b bytea, d date, t time,
                ts timestamp, iv interval, u uuid, j jsonb, js json, tags text[], v varchar(5));
             INSERT INTO lead VALUES (1, 1234567890123456789012.500, 0.1, 0.1, 9007199254740993, '\\x00ff', '0044-03-15 BC', '23:59:59.5',
                '4000-01-01', '1 mon 2 days 3.5 s', '123e4567-e89b-12d3-a456-426614174000', '{\"a\": [1.50]}', '{ \"a\" : 1 }', '{a,\"b c\"}', 'x'),
                (2, 'NaN', 'NaN', 'Infinity', NULL, '', NULL, NULL, NULL, NULL, NULL, '\"text\"', '\"te\\\"xt\"', NULL, ''),
                (3, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)",
        )
        .await;
    let fields = [
        "n", "f", "r", "i", "b", "d", "t", "ts", "iv", "u", "j", "js", "tags", "v",
    ];
    let back = WriteBack::of(database, &["id"], &fields).await;
    let (batches, _) = back.try_read(back.difference()).await.unwrap();
    let whole = crate::support::read(&back.postgres, "lead").await;
    // What `json` says may lose its blanks, not its meaning.
    let wanted: Vec<String> = shown(&whole)
        .iter()
        .map(|line| line.replace(r#"{ \"a\" : 1 }"#, r#"{\"a\": 1}"#))
        .collect();
    assert_eq!(shown(&batches), wanted);
}

#[tokio::test]
async fn every_other_type_survives_it_too_and_stays_confirmed() {
    let database = database().await;
    database
        .run(
            "CREATE TYPE mood AS ENUM ('sad', 'ok');
             CREATE TABLE lead (id int PRIMARY KEY, d date, tz timestamptz, ms timestamp(3), h numeric(3,-2), fs float8[], ds date[],
                ts text[], bs bytea[], js jsonb[], m mood, ms2 mood[], ip inet, c char(3), cash money, r int4range, z timetz, l text[]);
             INSERT INTO lead VALUES (1, 'infinity', '-infinity', '2024-02-29 12:00:00.123', 12300, '{-0,NaN,NULL,0.1}', '{infinity,0044-03-15 BC}',
                '{\"a,\\\"b\",NULL,\"\"}', '{\"\\\\x00ff\"}', '{\"{\\\"a\\\": 1.50}\"}', 'ok', '{sad}', '10.0.0.1', 'a', -1234.5, '[1,4)', '12:00+09', '{}');
             INSERT INTO lead (id) VALUES (2)",
        )
        .await;
    let fields = [
        "d", "tz", "ms", "h", "fs", "ds", "ts", "bs", "js", "m", "ms2", "ip", "c", "cash", "r", "z", "l",
    ];
    let back = WriteBack::of(database, &["id"], &fields).await;
    let (batches, _) = back.try_read(back.difference()).await.unwrap();
    let whole = crate::support::read(&back.postgres, "lead").await;
    assert_eq!(shown(&batches), shown(&whole));
    back.confirm_all().await;
    assert_eq!(back.differ().await, (vec![], 2));
    back.database
        .run("UPDATE lead SET fs = '{0,NaN,NULL,0.1}', ip = '10.0.0.1/32' WHERE id = 1")
        .await;
    assert_eq!(back.differ().await, (vec!["1".to_owned()], 1));
}

#[tokio::test]
async fn confirmed_rows_do_not_differ_and_are_counted() {
    let back = WriteBack::new().await;
    back.confirm_all().await;
    assert_eq!(back.differ().await, (vec![], 3));
    // A number written another way is the same number.
    back.database
        .run("ALTER TABLE lead ALTER score TYPE numeric(9,4)")
        .await;
    assert_eq!(back.differ().await, (vec![], 3));
}

#[tokio::test]
async fn a_changed_row_is_sent_alone() {
    let back = WriteBack::new().await;
    back.confirm_all().await;
    back.database.run("UPDATE lead SET score = 2 WHERE id = '00Q2'; UPDATE lead SET note = NULL WHERE id = '00Q1'; INSERT INTO lead VALUES ('00Q0')").await;
    assert_eq!(
        back.differ().await,
        (vec!["00Q0".to_owned(), "00Q1".to_owned(), "00Q2".to_owned()], 1)
    );
    back.database
        .run("UPDATE lead SET note = 'it''s 日本' WHERE id = '00Q1'; DELETE FROM lead WHERE id = '00Q0'")
        .await;
    assert_eq!(back.differ().await, (vec!["00Q2".to_owned()], 2));
}

#[tokio::test]
async fn an_empty_text_and_null_differ() {
    let back = WriteBack::new().await;
    back.confirm_all().await;
    back.database
        .run("UPDATE lead SET note = NULL WHERE id = '00Q2'")
        .await;
    assert_eq!(back.differ().await.0, ["00Q2"]);
}

#[tokio::test]
async fn a_refused_row_is_offered_again_even_with_its_old_value() {
    let back = WriteBack::new().await;
    back.confirm_all().await;
    back.database
        .run("UPDATE lead SET score = 2 WHERE id = '00Q2'")
        .await;
    assert_eq!(back.differ().await.0, ["00Q2"]);
    back.intend(&["00Q2"], None).await;
    back.settle(&["00Q2"], refused()).await;
    back.database
        .run("UPDATE lead SET score = 70 WHERE id = '00Q2'")
        .await;
    assert_eq!(back.differ().await, (vec!["00Q2".to_owned()], 2));
    let stored = "SELECT task, epoch, key, code, message, fields FROM sync.rejection";
    assert_eq!(
        back.database.lines(stored).await,
        ["write-back/lead|1|00Q2|BAD|no|{score__c}"]
    );
}

#[tokio::test]
async fn an_unanswered_row_is_offered_again_even_with_its_old_value() {
    for ambiguous in [false, true] {
        let back = WriteBack::new().await;
        back.confirm_all().await;
        back.database
            .run("UPDATE lead SET score = 2 WHERE id = '00Q2'")
            .await;
        back.differ().await;
        back.intend(&["00Q2"], None).await;
        if ambiguous {
            back.settle(&["00Q2"], Outcome::Ambiguous).await;
        }
        let back = back.claim_again().await;
        back.database
            .run("UPDATE lead SET score = 70 WHERE id = '00Q2'")
            .await;
        assert_eq!(back.differ().await, (vec!["00Q2".to_owned()], 2));
    }
}

#[tokio::test]
async fn a_row_that_was_planned_and_not_sent_is_no_longer_offered_once_its_old_value_is_back() {
    let back = WriteBack::new().await;
    back.confirm_all().await;
    back.database
        .run("UPDATE lead SET score = 2 WHERE id = '00Q2'")
        .await;
    assert_eq!(back.differ().await.0, ["00Q2"]);
    back.database
        .run("UPDATE lead SET score = 70 WHERE id = '00Q2'")
        .await;
    assert_eq!(back.differ().await, (vec![], 3));
}

#[tokio::test]
async fn a_released_row_is_still_to_be_done() {
    let back = WriteBack::new().await;
    back.differ().await;
    back.intend(&["00Q1", "00Q2", "00Q3"], None).await;
    back.settle(&["00Q1", "00Q2"], Outcome::Updated).await;
    back.settle(&["00Q3"], Outcome::Released).await;
    assert_eq!(back.differ().await, (vec!["00Q3".to_owned()], 2));
}

#[tokio::test]
async fn a_row_changed_while_it_was_sent_differs_again() {
    let back = WriteBack::new().await;
    back.differ().await;
    back.intend(&["00Q1", "00Q2", "00Q3"], None).await;
    back.database
        .run("UPDATE lead SET score = 3 WHERE id = '00Q1'")
        .await;
    back.settle(&["00Q1", "00Q2", "00Q3"], Outcome::Updated).await;
    assert_eq!(back.differ().await, (vec!["00Q1".to_owned()], 2));
}

#[tokio::test]
async fn an_open_ticket_is_found_by_the_next_claim_and_its_rest_confirmed() {
    let back = WriteBack::new().await;
    back.differ().await;
    back.intend(&["00Q1", "00Q2", "00Q3"], Some("750JOB")).await;
    back.settle(&["00Q2"], refused()).await;
    let back = back.claim_again().await;
    assert_eq!(back.claim.open, [Ticket::new("750JOB")]);
    let ticket = Ticket::new("750JOB");
    let counts = back
        .journal
        .close(&back.claim.fence, &back.target, &ticket, Rest::Updated)
        .await
        .unwrap();
    assert_eq!(counts.updated, 2);
    assert_eq!(back.differ().await, (vec!["00Q2".to_owned()], 2));
    assert_eq!(back.claim_again().await.claim.open, []);
}

#[tokio::test]
async fn a_ticket_released_offers_its_rest_again() {
    let back = WriteBack::new().await;
    back.differ().await;
    back.intend(&["00Q1", "00Q2", "00Q3"], Some("750JOB")).await;
    back.settle(&["00Q2"], Outcome::Updated).await;
    let back = back.claim_again().await;
    let ticket = Ticket::new("750JOB");
    let counts = back
        .journal
        .close(&back.claim.fence, &back.target, &ticket, Rest::Released)
        .await
        .unwrap();
    assert_eq!(counts.updated, 0);
    assert_eq!(
        back.differ().await,
        (vec!["00Q1".to_owned(), "00Q3".to_owned()], 1)
    );
    assert_eq!(back.claim_again().await.claim.open, []);
}

#[tokio::test]
async fn tickets_belong_to_their_task() {
    let back = WriteBack::new().await;
    back.differ().await;
    back.intend(&["00Q1"], Some("750JOB")).await;
    let other = try_claim(&back.postgres, &TaskId::new("another", "lead"), "me")
        .await
        .unwrap();
    assert_eq!(other.open, []);
}

#[tokio::test]
async fn a_full_difference_ignores_what_was_confirmed() {
    let back = WriteBack::new().await;
    back.confirm_all().await;
    let mut difference = back.difference();
    difference.full = true;
    let (batches, unchanged) = back.try_read(difference).await.unwrap();
    assert_eq!((keys(&batches).len(), unchanged), (3, 0));
}

#[tokio::test]
async fn another_org_or_object_starts_empty() {
    let back = WriteBack::new().await;
    back.confirm_all().await;
    for target in [
        Target {
            identity: Identity::new("salesforce", "00D2"),
            ..back.target.clone()
        },
        Target {
            object: "Contact".to_owned(),
            ..back.target.clone()
        },
    ] {
        let (batches, unchanged) = back
            .try_read(Difference {
                target,
                ..back.difference()
            })
            .await
            .unwrap();
        assert_eq!((keys(&batches).len(), unchanged), (3, 0));
    }
    assert_eq!(back.differ().await, (vec![], 3));
}

#[tokio::test]
async fn one_more_field_makes_every_row_differ() {
    let mut back = WriteBack::new().await;
    back.fields = vec!["score"];
    back.confirm_all().await;
    assert_eq!(back.differ().await, (vec![], 3));
    back.fields = vec!["score", "note"];
    assert_eq!(back.differ().await.0.len(), 3);
}

#[tokio::test]
async fn another_match_key_forgets_what_was_confirmed_by_the_old_one() {
    let mut back = WriteBack::new().await;
    back.fields = vec!["score"];
    back.confirm_all().await;
    back.database
        .run("ALTER TABLE lead ADD email text; UPDATE lead SET email = id")
        .await;
    back.match_on = vec!["email"];
    assert_eq!(
        back.differ().await,
        (vec!["00Q1".to_owned(), "00Q2".to_owned(), "00Q3".to_owned()], 0)
    );
}

#[tokio::test]
async fn a_journal_call_of_an_overtaken_run_changes_nothing() {
    let back = WriteBack::new().await;
    back.differ().await;
    back.intend(&["00Q1", "00Q2", "00Q3"], Some("750JOB")).await;
    let old = back.claim.fence.clone();
    let back = back.claim_again().await;
    let everything = "SELECT (SELECT string_agg(i::text, ',' ORDER BY key) FROM sync.intent i),
        (SELECT string_agg(ticket, ',') FROM sync.ticket), (SELECT count(*) FROM sync.rejection)";
    let before = back.database.line(everything).await;
    let (journal, target, ticket) = (&back.journal, &back.target, Ticket::new("750JOB"));
    let keys = [Key::new("00Q1")];
    let fates = [
        Fate {
            key: Key::new("00Q1"),
            outcome: Outcome::Updated,
        },
        Fate {
            key: Key::new("00Q2"),
            outcome: refused(),
        },
    ];
    let stale = Difference {
        fence: old.clone(),
        ..back.difference()
    };
    for error in [
        refusal(
            journal
                .intend(
                    &old,
                    target,
                    &Intent {
                        keys: &keys,
                        ticket: Some(&Ticket::new("751")),
                    },
                )
                .await,
        ),
        refusal(journal.settle(&old, target, &fates).await),
        refusal(journal.close(&old, target, &ticket, Rest::Updated).await),
        refusal(back.try_read(stale).await),
    ] {
        assert_eq!(error.kind(), ErrorKind::Conflict);
    }
    assert_eq!(back.database.line(everything).await, before);
}

#[tokio::test]
async fn composite_keys_are_arrays_of_texts_with_their_types() {
    let database = database().await;
    database
        .run("CREATE TABLE lead (n numeric(5,1), t text, u uuid, score int, PRIMARY KEY (n, t, u));
              INSERT INTO lead VALUES (1, 'a\"\\,日\n', '123e4567-e89b-12d3-a456-426614174000', 5), (2, '', '00000000-0000-0000-0000-000000000000', NULL)")
        .await;
    let back = WriteBack::of(database, &["t", "n", "u"], &["score"]).await;
    let (batches, _) = back.try_read(back.difference()).await.unwrap();
    let whole = shown(&batches);
    assert!(
        whole
            .iter()
            .any(|line| line.starts_with(r#"Text("a\"\\,日\n") Decimal(1.0) Uuid(["#)),
        "{whole:?}"
    );
    let keys = keys(&batches);
    let stored = back
        .database
        .lines("SELECT key FROM sync.intent ORDER BY key")
        .await;
    assert_eq!(keys, stored);
    assert_eq!(
        stored[1],
        r#"["a\"\\,日\n","1.0","123e4567-e89b-12d3-a456-426614174000"]"#
    );
    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
    back.intend(&keys, None).await;
    back.settle(&keys, Outcome::Updated).await;
    assert_eq!(back.differ().await, (vec![], 2));
}

#[tokio::test]
async fn a_match_key_on_several_rows_is_refused() {
    let database = database().await;
    database.run("CREATE TABLE lead (id int PRIMARY KEY, email text, score int); INSERT INTO lead VALUES (1, 'a'), (2, 'a'), (3, 'b'), (4, NULL), (5, NULL)").await;
    let back = WriteBack::of(database, &["email"], &["score"]).await;
    let request = reading("lead", &back.task, SyncMode::Difference(back.difference()));
    for error in [
        refusal(back.try_read(back.difference()).await),
        refusal(back.postgres.plan_read(&request).await),
    ] {
        assert_eq!(error.kind(), ErrorKind::Data);
        assert_eq!(
            error.report().to_string(),
            "1 values of \"email\" stand on several rows of \"public\".\"lead\"\nhelp: match on columns that are unique, or make a \
             view with one row for each"
        );
    }
    back.database.run("DELETE FROM lead WHERE id = 2").await;
    assert_eq!(back.differ().await.0, ["a", "b"]);
}

#[tokio::test]
async fn an_empty_key_is_read_like_any_other() {
    let database = database().await;
    database
        .run("CREATE TABLE lead (id text PRIMARY KEY, score int); INSERT INTO lead VALUES ('', 1), ('a', 2)")
        .await;
    let back = WriteBack::of(database, &["id"], &["score"]).await;
    assert_eq!(back.differ().await.0, ["", "a"]);
}

#[tokio::test]
async fn a_field_or_key_that_cannot_be_is_refused_by_name() {
    let mut back = WriteBack::new().await;
    back.fields = vec!["scor"];
    let error = refusal(back.try_read(back.difference()).await);
    assert!(
        error.report().to_string().contains("did you mean `score`?"),
        "{}",
        error.report()
    );
    back.fields = vec!["score"];
    back.match_on = vec!["hot"];
    let error = refusal(back.try_read(back.difference()).await);
    assert_eq!(
        error.to_string(),
        "`hot` of type boolean cannot be the key of a write-back"
    );
}

#[tokio::test]
async fn a_view_can_be_the_source_of_a_write_back() {
    let database = database().await;
    database.run("CREATE TABLE t (id text, score int); INSERT INTO t VALUES ('a', 1), ('b', 2); CREATE VIEW lead AS SELECT id, score * 2 AS score FROM t").await;
    let back = WriteBack::of(database, &["id"], &["score"]).await;
    back.confirm_all().await;
    back.database.run("UPDATE t SET score = 9 WHERE id = 'b'").await;
    assert_eq!(back.differ().await, (vec!["b".to_owned()], 1));
}

#[tokio::test]
async fn a_difference_longer_than_its_chunks_and_batches_is_read_whole_and_in_order() {
    let database = database().await;
    database.run("CREATE TABLE lead (id int PRIMARY KEY, score int); INSERT INTO lead SELECT n, n FROM generate_series(1, 12345) n").await;
    let back = WriteBack::of(database, &["id"], &["score"]).await;
    let request =
        reading("lead", &back.task, SyncMode::Difference(back.difference())).with_batch_bytes(10_000);
    let (batches, _) = drain(back.postgres.reader(request).await.unwrap()).await;
    assert!(batches.len() > 1);
    let keys = keys(&batches);
    let mut sorted = keys.clone();
    sorted.sort();
    sorted.dedup();
    assert_eq!((keys.len(), &keys), (12_345, &sorted));
}

#[tokio::test]
async fn fingerprints_stay_however_old_and_intents_that_hold_nothing_go_with_their_rows() {
    let test = WriteBack::new().await;
    test.differ().await;
    test.intend(&["00Q1", "00Q2", "00Q3"], None).await;
    test.settle(&["00Q1"], Outcome::Updated).await;
    let refused = Outcome::Rejected {
        code: "X".to_owned(),
        message: "no".to_owned(),
        fields: Vec::new(),
    };
    test.settle(&["00Q2", "00Q3"], refused).await;
    // What is refused and whose row is there is offered again; without a row, nothing is left of it.
    test.database
        .run("DELETE FROM lead WHERE id IN ('00Q1', '00Q3')")
        .await;
    let test = test.claim_again().await;
    assert_eq!(test.differ().await, (vec!["00Q2".to_owned()], 0));
    let stored = "SELECT key, state FROM sync.intent ORDER BY key";
    assert_eq!(
        test.database.lines(stored).await,
        ["00Q1|confirmed", "00Q2|planned"]
    );
    // The confirmed row comes back as it was: the other side holds it still.
    let again = "INSERT INTO lead VALUES ('00Q1', 1.5, 'it''s 日本', true, '2024-02-29 12:00:00.123456+09')";
    test.database.run(again).await;
    assert_eq!(test.differ().await, (vec!["00Q2".to_owned()], 1));
}
