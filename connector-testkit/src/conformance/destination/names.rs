//! Names that tables and columns of other systems have.

use std::sync::Arc;

use connector_core::{BatchBuilder, DataType, Field, Op, Schema, StreamName, Value};

use super::DestinationSystem;
use super::write::{request_of, usual_mode, write};
use crate::conformance::rows::{lines, same};
use crate::conformance::{Failure, Verdict};

/// Writes five records with fields of these names, and reads them back.
async fn round_trip(system: &dyn DestinationSystem, stream: StreamName, names: &[String]) -> Verdict {
    let mut fields = vec![Field::new("id", DataType::Int64).not_null()];
    fields.extend(names.iter().map(|name| Field::new(name.clone(), DataType::TEXT)));
    let schema = Arc::new(Schema::new(fields, ["id"])?);
    let mut builder = BatchBuilder::new(Arc::clone(&schema), 0);
    for number in 0..5 {
        builder.push(Value::Int(number));
        for (position, _) in names.iter().enumerate() {
            builder.push(Value::Text(&format!("{number}/{position}")));
        }
        builder.end_record(Op::Put);
    }
    let records = builder.finish();
    let request = request_of(stream.clone(), Arc::clone(&schema), usual_mode(system)?);
    write(system, request, [records.clone()]).await?;
    let rows = system
        .rows(&stream, &schema)
        .await
        .ok_or_else(|| Failure::new(format!("the table `{stream}` is not there under its name")))?;
    same(
        lines(&rows),
        lines(&records),
        "records whose fields have unusual names",
    )
}

pub(super) async fn odd_names_are_kept(system: &dyn DestinationSystem) -> Verdict {
    let names = [
        "select",
        "table",
        "user",
        "order",
        "a b",
        "semi;colon",
        "quo\"te",
        "apo'strophe",
        "back\\slash",
        "50%",
        "a:b!c?d",
        "dot.ted",
        "日本語の名前",
        "ünïcödé",
        "🚀",
        "LeadScore__c",
        "camelCase",
        "1st",
        "_",
        "$1",
        "a-b",
        "tab\there",
        "xmin_",
        "null",
    ];
    round_trip(system, system.stream(), &names.map(str::to_owned)).await
}

pub(super) async fn names_that_differ_in_case_stay_apart(system: &dyn DestinationSystem) -> Verdict {
    let names = [
        "name", "Name", "NAME", "nAME", "straße", "STRASSE", "i", "İ", "ı", "I",
    ];
    round_trip(system, system.stream(), &names.map(str::to_owned)).await
}

pub(super) async fn long_names_stay_apart(system: &dyn DestinationSystem) -> Verdict {
    let latin = "A_name_that_somebody_made_up_who_was_paid_by_the_letter_and_did_not_stop";
    let names = [
        latin.to_owned(),
        format!("{latin}_1"),
        format!("{latin}_2"),
        "日本語の名前がとても長いので切られてしまうかもしれません".to_owned(),
        "日本語の名前がとても長いので切られてしまうかもしれませんね".to_owned(),
    ];
    round_trip(system, system.stream(), &names).await
}

pub(super) async fn an_odd_table_name_is_kept(system: &dyn DestinationSystem) -> Verdict {
    for name in ["Lead_reverse", "order", "Ünï cödé: ' !?", "日本語"] {
        round_trip(system, StreamName::new(name), &["value".to_owned()]).await?;
    }
    Ok(())
}
