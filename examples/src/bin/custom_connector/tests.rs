//! What the suites cannot know: what becomes of this format's own mistakes and accidents.

use std::fs::{self, File};
use std::io::Write;
use std::sync::Arc;

use connector_core::{
    BatchBuilder, Connector, Counts, DataType, Destination, Error, ErrorKind, Event, Field, Op, ReadRequest,
    Result, Schema, Selection, Source, State, StreamName, TaskId, WriteMode, WriteRequest, Writer,
};
use tempfile::TempDir;

use crate::connector::Ndjson;
use crate::sync;

const SCHEMA: &str =
    r#"{"key": ["id"], "fields": [{"name": "id", "type": "Int64"}, {"name": "doc", "type": "Json"}]}"#;

/// A folder with this schema and log.
fn folder(schema: &str, log: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("lead.schema.json"), schema).unwrap();
    fs::write(folder.path().join("lead.ndjson"), log).unwrap();
    folder
}

fn add(folder: &TempDir, text: &str) {
    let log = File::options()
        .append(true)
        .open(folder.path().join("lead.ndjson"));
    log.unwrap().write_all(text.as_bytes()).unwrap();
}

fn log(folder: &TempDir) -> String {
    fs::read_to_string(folder.path().join("lead.ndjson")).unwrap()
}

/// The records, the rejections and the last state of a read.
async fn read(folder: &TempDir, state: Option<State>) -> Result<(Vec<String>, Vec<String>, Option<State>)> {
    let request = ReadRequest::new(Selection::stream("lead"), TaskId::new("test", "lead")).with_state(state);
    let mut reader = Ndjson::open(folder.path())?.reader(request).await?;
    let (mut records, mut rejected, mut last) = (Vec::new(), Vec::new(), None);
    while let Some(event) = reader.next().await? {
        match event {
            Event::Records(batch) => records.extend(batch.records().map(|record| {
                let mut line = String::from(if record.op() == Op::Put { "" } else { "-" });
                record.write_json(&mut line);
                line
            })),
            Event::Rejected(more) => rejected.extend(more.into_iter().map(|one| one.message)),
            Event::Unchanged(_) => {}
            Event::Checkpoint { state, .. } => last = Some(state),
        }
    }
    Ok((records, rejected, last))
}

fn schema() -> Arc<Schema> {
    let fields = vec![
        Field::new("id", DataType::Int64),
        Field::new("doc", DataType::Json),
    ];
    Arc::new(Schema::new(fields, ["id"]).unwrap())
}

fn request(mode: WriteMode) -> WriteRequest {
    WriteRequest::new(
        StreamName::new("lead"),
        schema(),
        mode,
        TaskId::new("test", "lead"),
    )
}

async fn open(folder: &TempDir, request: WriteRequest) -> Result<Box<dyn Writer>> {
    Ndjson::open(folder.path())?.writer(request).await
}

async fn write(writer: &mut dyn Writer, lines: &[&str]) -> Counts {
    let mut builder = BatchBuilder::new(schema(), 0);
    for line in lines {
        builder.push_json_record(line, Op::Put).unwrap();
    }
    writer.write(builder.finish()).await.unwrap();
    writer.commit(None).await.unwrap().counts
}

fn refused<T>(outcome: Result<T>, kind: ErrorKind, words: &str) {
    let error = outcome.map(drop).unwrap_err();
    assert_eq!(error.kind(), kind, "{error}");
    let report = error.report().to_string();
    assert!(report.contains(words), "{report}");
}

#[tokio::test]
async fn a_bad_line_is_rejected_by_its_number_and_the_others_are_read() {
    let lines =
        "{\"id\": 1}\n\nno JSON\n{\"id\": \"x\"}\n{\"doc\": 5}\n{\"id\": 2, \"dok\": 1}\n{\"id\": 3}\n[]\n";
    let (records, rejected, state) = read(&folder(SCHEMA, lines), None).await.unwrap();
    assert_eq!(records, [r#"{"id":1,"doc":null}"#, r#"{"id":3,"doc":null}"#]);
    assert_eq!(
        rejected,
        [
            "line 3: a record should be one JSON object, and is none",
            "line 4: the field `id` should be int64, found text",
            "line 5: the key field `id` has no value",
            "line 6: there is no field `dok`",
            "line 8: a record should be one JSON object, and is none",
        ]
    );
    assert!(state.is_some());
}

#[tokio::test]
async fn without_a_key_every_line_is_a_record_and_none_is_deleted() {
    let keyless = SCHEMA.replace("[\"id\"]", "[]");
    let lines = "{\"id\": 1}\n{\"id\": 1}\n{\"$delete\": {\"id\": 1}}\n";
    let (records, rejected, _) = read(&folder(&keyless, lines), None).await.unwrap();
    assert_eq!((records.len(), rejected.len()), (2, 1));
    assert!(rejected[0].starts_with("line 3: "));
}

#[tokio::test]
async fn half_a_line_is_not_there_yet_and_a_whole_one_needs_no_line_feed() {
    let folder = folder(SCHEMA, "{\"id\": 1}\n{\"id\": 2, ");
    let (records, rejected, state) = read(&folder, None).await.unwrap();
    assert_eq!((records.len(), rejected.len()), (1, 0));
    add(&folder, "\"doc\": 7}");
    let (records, _, state) = read(&folder, state).await.unwrap();
    assert_eq!(records, [r#"{"id":2,"doc":7}"#]);
    add(&folder, "\n{\"$delete\": {\"id\": 1}}\n");
    let (records, rejected, _) = read(&folder, state).await.unwrap();
    assert_eq!((records, rejected.len()), (vec![r#"-{"id":1}"#.to_owned()], 0));
}

#[tokio::test]
async fn a_commit_cut_short_is_made_again_without_a_double() {
    let folder = folder(SCHEMA, "{\"id\": 1}\n{\"id\": 2}\n{\"id\": 3, \"do");
    let mut writer = open(&folder, request(WriteMode::Insert)).await.unwrap();
    let counts = write(&mut *writer, &[r#"{"id": 2}"#, r#"{"id": 3}"#]).await;
    assert_eq!((counts.unchanged, counts.created), (1, 1));
    assert_eq!(
        log(&folder),
        "{\"id\": 1}\n{\"id\": 2}\n{\"id\":3,\"doc\":null}\n"
    );
}

#[tokio::test]
async fn a_line_without_its_line_feed_is_kept_by_a_writer() {
    let folder = folder(SCHEMA, "{\"id\": 1}");
    let mut writer = open(&folder, request(WriteMode::Upsert)).await.unwrap();
    write(&mut *writer, &[r#"{"id": 2}"#]).await;
    assert_eq!(log(&folder), "{\"id\": 1}\n{\"id\":2,\"doc\":null}\n");
}

#[tokio::test]
async fn a_document_of_several_lines_becomes_one() {
    let folder = folder(SCHEMA, "");
    let mut writer = open(&folder, request(WriteMode::Upsert)).await.unwrap();
    write(&mut *writer, &["{\"id\": 1, \"doc\": {\n\"a\": \"b\\n\"}}"]).await;
    assert_eq!(log(&folder), "{\"id\":1,\"doc\":{ \"a\": \"b\\n\"}}\n");
}

#[tokio::test]
async fn a_log_that_was_written_anew_is_not_gone_on_with() {
    let folder = folder(SCHEMA, "{\"id\": 1}\n{\"id\": 2}\n");
    let (_, _, state) = read(&folder, None).await.unwrap();
    for anew in ["{\"id\": 3}\n{\"id\": 2}\n{\"id\": 4}\n", "{\"id\": 1}\n"] {
        fs::write(folder.path().join("lead.ndjson"), anew).unwrap();
        refused(
            read(&folder, state.clone()).await,
            ErrorKind::State,
            "written anew",
        );
    }
}

#[tokio::test]
async fn an_overwrite_goes_on_only_with_what_is_there() {
    let folder = folder(SCHEMA, "{\"id\": 9}\n");
    let overwrite = |resumes| request(WriteMode::Overwrite).with_resumes(resumes);
    refused(
        open(&folder, overwrite(true)).await,
        ErrorKind::NotFound,
        "lead.ndjson.new",
    );
    let mut writer = open(&folder, overwrite(false)).await.unwrap();
    write(&mut *writer, &[r#"{"id": 1}"#]).await;
    drop(writer);
    let mut writer = open(&folder, overwrite(true)).await.unwrap();
    write(&mut *writer, &[r#"{"id": 2}"#]).await;
    assert_eq!(log(&folder), "{\"id\": 9}\n");
    writer.finish(None).await.unwrap();
    assert_eq!(log(&folder), "{\"id\":1,\"doc\":null}\n{\"id\":2,\"doc\":null}\n");
}

#[tokio::test]
async fn one_writes_at_a_time() {
    let folder = folder(SCHEMA, "");
    let writer = open(&folder, request(WriteMode::Upsert)).await.unwrap();
    refused(
        open(&folder, request(WriteMode::Upsert)).await,
        ErrorKind::Conflict,
        "lead.lock",
    );
    drop(writer);
    open(&folder, request(WriteMode::Upsert)).await.unwrap();
}

#[tokio::test]
async fn what_does_not_fit_is_refused_before_data_moves() {
    let floats = SCHEMA.replace("Int64", "Float64");
    let keyless = SCHEMA.replace("[\"id\"]", "[]");
    let other_key = SCHEMA.replace("[\"id\"]", "[\"doc\"]").replace("Json", "Int64");
    let narrow = SCHEMA.replace("Int64", "Int16");
    for (schema, kind, words) in [
        ("{", ErrorKind::Config, "write it like this"),
        (
            "{\"key\": [\"no\"], \"fields\": []}",
            ErrorKind::Schema,
            "no field `no`",
        ),
        (&floats, ErrorKind::Schema, "`id`"),
        (&keyless, ErrorKind::Schema, "without a key"),
        (&other_key, ErrorKind::Schema, "another key than (id)"),
        (&narrow, ErrorKind::Schema, "cannot hold int64"),
    ] {
        let request = request(WriteMode::Upsert).with_match_on(match words {
            "without a key" => Vec::new(),
            _ => vec!["id".to_owned()],
        });
        refused(open(&folder(schema, ""), request).await, kind, words);
    }
    let mut outside = request(WriteMode::Upsert);
    outside.stream = StreamName::new("../lead");
    refused(
        open(&folder(SCHEMA, ""), outside).await,
        ErrorKind::Config,
        "../lead",
    );
}

#[tokio::test]
async fn a_sync_made_again_from_the_start_doubles_nothing() {
    let (from, to) = (
        folder(SCHEMA, "{\"id\": 1}\n{\"id\": 2}\n"),
        tempfile::tempdir().unwrap(),
    );
    assert_eq!(sync::run(from.path(), to.path()).await.unwrap(), 0);
    let once = log(&to);
    fs::remove_dir_all(to.path().join(".state")).unwrap();
    assert_eq!(sync::run(from.path(), to.path()).await.unwrap(), 0);
    assert_eq!(log(&to), once);
}

#[tokio::test]
async fn wrong_folders_are_refused_in_words() {
    let from = folder(SCHEMA, "");
    let empty = tempfile::tempdir().unwrap();
    let missing = from.path().join("missing");
    let error = |from, to| async move {
        sync::run(from, to)
            .await
            .map(|_| Error::new(ErrorKind::Bug, "ran"))
    };
    refused(
        error(&missing, empty.path()).await,
        ErrorKind::Config,
        "no folder",
    );
    refused(
        error(empty.path(), from.path()).await,
        ErrorKind::Config,
        "no streams",
    );
    refused(
        error(from.path(), from.path()).await,
        ErrorKind::Config,
        "one folder",
    );
    let first = Ndjson::open(from.path()).unwrap().identity().await.unwrap();
    let again = Ndjson::open(from.path()).unwrap().identity().await.unwrap();
    assert_eq!(first, again);
}
