//! What a log comes to: the newest version of each record.

use std::collections::HashMap;
use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use connector_core::{Batch, BatchBuilder, Key, Op, Record, Result, Schema, Value};

use crate::files::failed;
use crate::log::{DELETE, Line, Log, parse};

/// The number of each record's last line. The log is back where it was, and ends where it does now.
pub(crate) fn newest(log: &mut Log) -> Result<HashMap<Key, u64>> {
    let (start, mut newest) = (log.place(), HashMap::new());
    while let Some(Line { number, record }) = log.next_line()? {
        let records = record.iter().flat_map(Batch::records);
        newest.extend(records.filter_map(|record| Some((record.source_key()?, number))));
    }
    log.back_to(start)?;
    Ok(newest)
}

/// Records by key, each as the line that says it.
pub(crate) struct Rows {
    schema: Arc<Schema>,
    lines: HashMap<Key, String>,
}

impl Rows {
    /// What the log at `path` comes to; and its file, ready for the next line.
    pub(crate) fn open(path: &Path, schema: Schema) -> Result<(Self, File)> {
        let mut rows = Self {
            schema: Arc::new(schema),
            lines: HashMap::new(),
        };
        let mut log = Log::open(path, &rows.schema)?;
        while let Some(Line { record, .. }) = log.next_line()? {
            // What is no record is rejected by whoever reads it.
            for record in record.iter().flat_map(Batch::records) {
                let line = rows.line(&record, None)?;
                rows.set(rows.key(&record), record.op(), line);
            }
        }
        let ready = File::options().append(true).open(path).and_then(|mut file| {
            // Half a line is what a commit has left that was cut short. Nobody was told of it: its records come again.
            file.set_len(log.place().bytes)?;
            if log.is_open() {
                file.write_all(b"\n")?;
            }
            Ok(file)
        });
        Ok((rows, ready.map_err(|error| failed("add to", path, error))?))
    }

    /// The key of a record here; it may come with more fields than these, and in another order.
    pub(crate) fn key(&self, record: &Record<'_>) -> Key {
        Key::from_values(self.schema.primary_key_names().map(|name| record.get(name)))
    }

    /// The record called `key`.
    pub(crate) fn get(&self, key: &Key) -> Option<&str> {
        self.lines.get(key).map(String::as_str)
    }

    /// Applies a line.
    pub(crate) fn set(&mut self, key: Key, op: Op, line: String) {
        match op {
            Op::Put => self.lines.insert(key, line),
            Op::Delete => self.lines.remove(&key),
        };
    }

    /// The line that `record` comes to over `old`: the whole record, so that a reader needs no earlier one.
    pub(crate) fn line(&self, record: &Record<'_>, old: Option<&str>) -> Result<String> {
        let builder = || BatchBuilder::new(Arc::clone(&self.schema), 0);
        let old = old
            .map(|line| parse(&mut builder(), line.as_bytes()))
            .transpose()?;
        let old = old.as_ref().and_then(|batch| batch.get(0));
        let (mut whole, gone) = (builder(), record.op() == Op::Delete);
        for (position, field) in self.schema.fields().iter().enumerate() {
            whole.push(match (record.get(&field.name), old) {
                _ if gone && !self.schema.primary_key().contains(&position) => Value::Unset,
                // Unset is not null: it leaves alone what is there.
                (Value::Unset, Some(old)) => old.value(position),
                (Value::Unset, None) => Value::Null,
                (value, _) => value,
            });
        }
        whole.end_record(record.op());
        let mut line = String::new();
        whole
            .finish()
            .records()
            .for_each(|record| record.write_json(&mut line));
        if gone {
            line = format!("{{\"{DELETE}\":{line}}}");
        }
        // Line breaks stand only between the words of a `Json` field, where a space means the same.
        let line = line.replace(['\n', '\r'], " ");
        // No value is changed in silence: what could not be read back as it was is not written.
        parse(&mut builder(), line.as_bytes()).map(|_| line)
    }
}
