//! Fields whose names are too long for a column.

use connector_core::{Connector, DataType, Filter, Key, Selection, SyncMode, Value};

use super::{full, since, take};
use crate::support::{database, field, load, puts, schema, upsert};

const LONG: &str = "A_name_that_somebody_made_up_who_was_paid_by_the_letter_and_did_not_stop";

#[tokio::test]
async fn a_column_that_was_cut_is_read_as_the_field_it_holds() {
    let database = database().await;
    let postgres = database.connector();
    let schema = schema(
        vec![
            field(LONG, DataType::TEXT).not_null(),
            field("note", DataType::TEXT),
            field(&format!("{LONG}_1"), DataType::Int32),
        ],
        &[LONG],
    );
    let rows = puts(
        &schema,
        0,
        &[
            &[Value::Text("a"), Value::Text("x"), Value::Int(1)],
            &[Value::Text("b"), Value::Null, Value::Int(2)],
        ],
    );
    load(&postgres, upsert("long", &schema), vec![rows]).await;
    database
        .run("COMMENT ON COLUMN long.note IS 'a comment of somebody''s own'")
        .await;
    let spec = postgres.describe(&Selection::stream("long")).await.unwrap();
    let names: Vec<&str> = spec
        .schema
        .fields()
        .iter()
        .map(|field| field.name.as_str())
        .collect();
    assert_eq!(names, [LONG, "note", &format!("{LONG}_1")]);
    assert_eq!(spec.schema.primary_key_names().collect::<Vec<_>>(), [LONG]);

    let chosen = vec![format!("{LONG}_1")];
    let all = take(&postgres, full("long").with_fields(chosen.clone())).await;
    assert_eq!(all.distinct(), ["1", "2"]);
    let filter = Filter::parse(&format!("{LONG}_1 > 1")).unwrap();
    let some = full("long").with_fields(chosen.clone()).with_filter(Some(filter));
    assert_eq!(take(&postgres, some).await.rows, ["2"]);
    let keyed = full("long")
        .with_fields(chosen.clone())
        .with_sync(SyncMode::Keys(vec![Key::new("a")]));
    assert_eq!(take(&postgres, keyed).await.rows, ["1"]);
    let first = take(&postgres, since("long", LONG, None).with_fields(chosen.clone())).await;
    database
        .run("UPDATE long SET note = 'y' WHERE note IS NULL")
        .await;
    let second = since("long", LONG, first.state()).with_fields(chosen);
    assert!(take(&postgres, second).await.rows.contains(&"2".to_owned()));
}
