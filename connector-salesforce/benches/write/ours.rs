//! The connector's side.

use std::process::Command;
use std::sync::Arc;

use connector_core::memory::Memory;
use connector_core::{
    Batch, BatchBuilder, Connector, DataType, Decimal, Destination, Field, Holder, Journaled, Op, Schema,
    Secret, SystemClock, TaskId, Value, WriteMode, WriteRequest, target_of,
};
use connector_salesforce::{Auth, Config, Salesforce};

/// Says that this process is one whose memory is measured: how many rows it writes, and where.
const ALONE: &str = "CONNECTOR_BENCH_WRITE_ALONE";

/// Records of a batch.
const BATCH: u64 = 2_000;

fn schema() -> Arc<Schema> {
    let fields = vec![
        Field::new("Id", DataType::TEXT),
        Field::new("LeadScore__c", DataType::decimal(5, 2)),
        Field::new("Tier__c", DataType::TEXT),
        Field::new("Reason__c", DataType::TEXT),
        Field::new("Visits__c", DataType::Int32),
    ];
    Arc::new(Schema::new(fields, ["Id"]).unwrap())
}

/// The rows that the table of the other side holds.
fn batch(schema: &Arc<Schema>, numbers: std::ops::Range<u64>) -> Batch {
    let mut builder = BatchBuilder::new(Arc::clone(schema), numbers.start);
    for n in numbers {
        builder.push(Value::Text(&format!("00Q{n:012}AAA")));
        builder.push(Value::Decimal(Decimal::new(
            i64::try_from(n % 99_999).unwrap(),
            2,
        )));
        builder.push(Value::Text(
            ["gold", "silver", "bronze"][usize::try_from(n % 3).unwrap()],
        ));
        builder.push(Value::Text(&format!(
            "opened {} mails, asked for a price",
            n % 17
        )));
        builder.push(Value::Int(i64::try_from(n % 1_000).unwrap()));
        builder.end_record(Op::Put);
    }
    builder.finish()
}

/// Updates so many leads by id, journalled in memory.
pub(crate) async fn write(url: &str, count: u64) {
    let auth = Auth::AccessToken {
        access_token: Secret::new("00D000000000001!x"),
        instance_url: url.parse().unwrap(),
    };
    let crm = Salesforce::new(&Config::new(auth), Arc::new(SystemClock)).unwrap();
    let task = TaskId::new("bench", "Lead");
    let memory = Memory::new("journal");
    let store = memory.state_store().unwrap();
    let claim = store.claim(&task, &Holder::new("bench")).await.unwrap();
    let journaled = Journaled {
        journal: memory.journal().unwrap(),
        fence: claim.fence.clone(),
        target: target_of(crm.identity().await.unwrap(), &"Lead".into()),
        open: Vec::new(),
    };
    let schema = schema();
    let request = WriteRequest::new("Lead".into(), Arc::clone(&schema), WriteMode::Update, task)
        .with_match_on(vec!["Id".to_owned()])
        .with_journal(Some(journaled));
    let mut writer = crm.writer(request).await.unwrap();
    let mut updated = 0;
    for start in (0..count).step_by(usize::try_from(BATCH).unwrap()) {
        writer
            .write(batch(&schema, start..count.min(start + BATCH)))
            .await
            .unwrap();
    }
    updated += writer.finish(None).await.unwrap().counts.updated;
    assert_eq!(updated, count);
}

/// What a process whose memory is measured is to do.
#[expect(clippy::disallowed_methods, reason = "a bench speaks to its own child by it")]
pub(crate) fn alone() -> Option<(u64, String)> {
    let work = std::env::var(ALONE).ok()?;
    let (count, url) = work.split_once(' ')?;
    Some((count.parse().ok()?, url.to_owned()))
}

/// The peak memory in KiB of a process that writes and does no more.
pub(crate) fn memory_alone(url: &str, count: u64) -> u64 {
    let output = Command::new(std::env::current_exe().unwrap())
        .env(ALONE, format!("{count} {url}"))
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap().trim().parse().unwrap()
}

/// The most memory that this process had so far.
pub(crate) fn peak_kib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix(" kB")?.parse().ok()
}
