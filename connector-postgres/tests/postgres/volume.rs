//! Enough rows for many chunks and several commits.

use connector_core::{BatchBuilder, Connector, DataType, Field, Op, Value};

use crate::support::{claim, database, field, schema, state, upsert, writer};

const ROWS: i64 = 200_000;
const COMMITS: i64 = 4;

#[tokio::test]
async fn two_hundred_thousand_rows_of_twenty_columns_land_exactly() {
    let database = database().await;
    let postgres = database.connector();
    let mut fields = vec![field("id", DataType::Int64)];
    fields.extend((1..20).map(|n| {
        let data_type = if n % 2 == 0 {
            DataType::Int64
        } else {
            DataType::TEXT
        };
        Field::new(format!("c{n}"), data_type)
    }));
    let schema = schema(fields, &["id"]);
    let request = upsert("t", &schema);
    let claim = claim(&postgres, &request.task).await;
    let mut writer = writer(&postgres, request.with_fence(Some(claim.fence.clone()))).await;
    let mut builder = BatchBuilder::new(std::sync::Arc::clone(&schema), 0);
    let (mut created, mut text) = (0, String::new());
    for id in 0..ROWS {
        builder.push(Value::Int(id));
        for n in 1..20 {
            if n % 2 == 0 {
                builder.push(Value::Int(id * n));
            } else {
                text.clear();
                std::fmt::Write::write_fmt(&mut text, format_args!("{id}/{n}")).unwrap();
                builder.push(Value::Text(&text));
            }
        }
        builder.end_record(Op::Put);
        if builder.is_full(1 << 20) || (id + 1) % (ROWS / COMMITS) == 0 {
            writer.write(builder.finish()).await.unwrap();
        }
        if (id + 1) % (ROWS / COMMITS) == 0 {
            let report = writer
                .commit(Some(&state(i32::try_from(id).unwrap())))
                .await
                .unwrap();
            created += report.counts.created;
            assert_eq!(report.counts.accounted(), report.counts.created);
        }
    }
    writer.finish(None).await.unwrap();
    assert_eq!(created, 200_000);
    assert_eq!(
        database
            .line("SELECT count(*), count(DISTINCT id), sum(id), sum(c18) FROM t")
            .await,
        "200000|200000|19999900000|359998200000"
    );
    let wrong = "SELECT count(*) FROM t WHERE c1 <> id || '/1' OR c19 <> id || '/19' OR c9 <> id || '/9' OR c2 <> id * 2 OR c18 <> id * 18";
    assert_eq!(database.line(wrong).await, "0");
    assert_eq!(
        database
            .line("SELECT commit_no, state ->> 'data' FROM sync.task")
            .await,
        "5|199999"
    );

    // And out again.
    let (mut rows, mut sum) = (0, 0);
    let mut reader = postgres
        .as_source()
        .unwrap()
        .reader(connector_core::ReadRequest::new(
            connector_core::Selection::stream("t"),
            claim.fence.task.clone(),
        ))
        .await
        .unwrap();
    while let Some(event) = reader.next().await.unwrap() {
        let batch = match event {
            connector_core::Event::Records(batch) => batch,
            connector_core::Event::Checkpoint { .. } => continue,
            other => panic!("{other:?}"),
        };
        rows += batch.len();
        for record in batch.records() {
            let Value::Int(value) = record.value(18) else {
                panic!("{record:?}")
            };
            sum += value;
        }
    }
    assert_eq!((rows, sum), (200_000, 359_998_200_000));
}
