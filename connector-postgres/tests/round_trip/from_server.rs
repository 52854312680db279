//! What a server holds, read and written into another table: the server compares the two.

use std::fmt::Write;

use bytes::Bytes;
use futures::SinkExt;

use crate::database::Database;
use crate::literal::{COLUMNS, TYPES};
use crate::random::Random;
use crate::{seed, values};

/// One value in so many is null.
const NULLS: u64 = 20;

#[tokio::test]
async fn every_type_of_the_server_arrives_as_it_was() {
    let (seed, values) = (seed(), values());
    let database = Database::new().await;
    let run = async |sql: &str| database.client.batch_execute(sql).await.unwrap();
    run(TYPES).await;
    let columns: Vec<String> = COLUMNS
        .iter()
        .zip(0..)
        .map(|((name, _), i)| format!("c{i} {name}"))
        .collect();
    run(&format!(
        "CREATE TABLE a (n bigint, {}); CREATE TABLE b (LIKE a)",
        columns.join(", ")
    ))
    .await;
    fill(&database, seed, values).await;

    let mut writer = None;
    database
        .read("a", async |batch| {
            if writer.is_none() {
                writer = Some(database.writer("b", batch.schema()).await);
            }
            writer.as_mut().unwrap().write(batch).await.unwrap();
        })
        .await;
    let report = writer.unwrap().finish(None).await.unwrap();
    assert_eq!(report.counts.rejected, 0, "{:?}", report.rejected);

    run("CREATE UNIQUE INDEX ON a (n); CREATE UNIQUE INDEX ON b (n); ANALYZE a, b").await;
    let count = async |sql: String| {
        let row = database.client.query_one(&sql, &[]).await.unwrap();
        row.get::<_, i64>(0)
    };
    // As they are stored, byte for byte.
    let same = count("SELECT count(*) FROM a JOIN b USING (n) WHERE a *= b".to_owned()).await;
    let mut different = Vec::new();
    if same != values as i64 {
        for (i, (name, _)) in COLUMNS.iter().enumerate() {
            let sql = format!(
                "SELECT count(*) FROM a JOIN b USING (n) WHERE ROW(a.c{i})::record *<> ROW(b.c{i})::record"
            );
            match count(sql).await {
                0 => {}
                count => different.push(format!("{count} of {name}")),
            }
        }
    }
    assert_eq!((same, different), (values as i64, Vec::new()));
    assert_eq!(count("SELECT count(*) FROM b".to_owned()).await, values as i64);
}

/// Fills the table with literals.
async fn fill(database: &Database, seed: u64, values: u64) {
    let sink = database
        .client
        .copy_in::<_, Bytes>("COPY a FROM STDIN")
        .await
        .unwrap();
    let mut sink = Box::pin(sink);
    let mut random = Random::new(seed);
    let mut lines = String::new();
    for n in 0..values {
        let _ = write!(lines, "{n}");
        for (_, literal) in COLUMNS {
            lines.push('\t');
            if random.one_in(NULLS) {
                lines.push_str("\\N");
            } else {
                escape(&literal(&mut random), &mut lines);
            }
        }
        lines.push('\n');
        if lines.len() > 1 << 18 {
            sink.send(Bytes::from(std::mem::take(&mut lines))).await.unwrap();
        }
    }
    sink.send(Bytes::from(lines)).await.unwrap();
    assert_eq!(sink.as_mut().finish().await.unwrap(), values);
}

/// Appends `text` as COPY writes it.
fn escape(text: &str, out: &mut String) {
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c => out.push(c),
        }
    }
}
