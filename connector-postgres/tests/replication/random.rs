//! Random transactions, read by a program that is cut short again and again: merged by key, they lead to the table.

use std::collections::BTreeMap;

use connector_core::{Source, State};

use crate::support::{Database, Told, changed, database, run};

/// Numbers that are the same in every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }

    fn statement(&mut self, fresh: &mut u64) -> String {
        let id = self.roll(40);
        *fresh += 1;
        match self.roll(8) {
            0 | 1 => format!("INSERT INTO thing VALUES ({id}, 0, NULL) ON CONFLICT (id) DO NOTHING"),
            2 => format!("DELETE FROM thing WHERE id = {id}"),
            3 => format!("UPDATE thing SET large = repeat('{fresh} ', 1500) WHERE id = {id}"),
            4 => format!("UPDATE thing SET id = {} WHERE id = {id}", 1000 + *fresh),
            5 => format!("UPDATE thing SET n = {fresh} WHERE id % 7 = {}", id % 7),
            6 => format!("SAVEPOINT s; DELETE FROM thing WHERE id < {id}; ROLLBACK TO s"),
            _ => format!("UPDATE thing SET n = {fresh} WHERE id = {id}"),
        }
    }
}

/// What a destination that merges by key holds, and the state it has stored.
#[derive(Default)]
struct Replica {
    rows: BTreeMap<String, String>,
    state: Option<State>,
}

impl Replica {
    /// Takes what a commit at this checkpoint covers.
    fn commit(&mut self, records: &[String], state: &State) {
        for record in records {
            let (sign, row) = record.split_at(1);
            let (id, values) = row.split_once('|').unwrap();
            match sign {
                "+" => self.rows.insert(id.to_owned(), values.to_owned()),
                _ => self.rows.remove(id),
            };
        }
        self.state = Some(state.clone());
    }

    fn shown(&self) -> Vec<String> {
        let mut shown: Vec<String> = self.rows.iter().map(|(id, row)| format!("{id}|{row}")).collect();
        shown.sort();
        shown
    }
}

async fn table(database: &Database) -> Vec<String> {
    let sql = "SELECT id || '|' || coalesce(n::text, '∅') || '|' || coalesce(large, '∅') FROM thing";
    let rows = database.client.query(sql, &[]).await.unwrap();
    let mut rows: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    rows.sort();
    rows
}

/// Reads on from what the replica has stored; it may end after any commit, and any acknowledgement may be missing.
async fn read(database: &Database, replica: &mut Replica, dice: &mut Dice) {
    let whole = dice.roll(3) > 0;
    let request = changed("thing", replica.state.as_ref())
        .with_batch_records(1 + usize::try_from(dice.roll(9)).unwrap());
    let mut reader = database.connector().reader(request).await.unwrap();
    let (mut told, mut committed) = (Told::default(), 0);
    while let Some(event) = reader.next().await.unwrap() {
        let checkpoints = told.checkpoints.len();
        told.take(event);
        if told.checkpoints.len() > checkpoints {
            let (covered, state) = told.checkpoints.last().unwrap();
            replica.commit(&told.records[committed..*covered], state);
            committed = *covered;
            if dice.roll(2) == 0 {
                reader.acknowledge(state).await.unwrap();
            }
        }
        if !whole && dice.roll(12) == 0 {
            return;
        }
    }
    assert_eq!(committed, told.records.len());
}

#[tokio::test]
async fn random_transactions_lead_to_the_table() {
    for (seed, identity) in [(7, "DEFAULT"), (8, "FULL"), (9, "DEFAULT")] {
        let mut dice = Dice(0x9E37_79B9_7F4A_7C15 ^ seed);
        let database = database().await;
        database
            .run(&format!(
                "CREATE TABLE thing (id int PRIMARY KEY, n int, large text);
                 ALTER TABLE thing ALTER COLUMN large SET STORAGE EXTERNAL;
                 ALTER TABLE thing REPLICA IDENTITY {identity};
                 INSERT INTO thing SELECT id, 0, repeat('x', 3000) FROM generate_series(1, 30) id"
            ))
            .await;
        database.slot("thing").await;
        let (mut replica, mut fresh) = (Replica::default(), 0);
        let slow = database.session().await;
        for round in 0..25 {
            // A transaction that goes on for some rounds, on rows of its own.
            let insert = format!("BEGIN; INSERT INTO thing VALUES ({}, 1, 'slow')", 900_000 + round);
            match round % 5 {
                1 => run(&slow, &insert).await,
                4 => run(&slow, if round % 2 == 0 { "COMMIT" } else { "ROLLBACK" }).await,
                _ => {}
            }
            for _ in 0..dice.roll(5) {
                let statements: Vec<String> =
                    (0..=dice.roll(4)).map(|_| dice.statement(&mut fresh)).collect();
                let end = if dice.roll(6) == 0 { "ROLLBACK" } else { "COMMIT" };
                database
                    .run(&format!("BEGIN; {}; {end}", statements.join("; ")))
                    .await;
            }
            read(&database, &mut replica, &mut dice).await;
        }
        let state = replica.state.clone();
        let rest = database.read("thing", state.as_ref()).await;
        replica.commit(&rest.records, rest.state());
        assert!(!replica.rows.is_empty());
        assert_eq!(replica.shown(), table(&database).await, "seed {seed}");
    }
}
