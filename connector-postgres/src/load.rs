//! Records into a binary COPY.

use std::hash::{DefaultHasher, Hasher};
use std::pin::Pin;

use bytes::{BufMut, Bytes, BytesMut};
use connector_core::{Op, Record, Rejection, Result, Value};
use futures::SinkExt;
use tokio_postgres::{Client, CopyInSink};

use crate::copy::{HEADER, Refusal, TRAILER, Text, encode_cell};
use crate::error::failed;
use crate::limits::{KEY_TOO_LONG, check_row, is_long_key};
use crate::shape::Shape;
use crate::table::Layout;

/// Bytes sent at once: larger ones gain nothing.
const CHUNK: usize = 256 << 10;

const NULL_KEY: Refusal = Refusal {
    code: "null_key",
    message: "a field of the key has no value",
};
const NULL_VALUE: Refusal = Refusal {
    code: "null_value",
    message: "the column takes no null",
};

/// A COPY under way.
pub(crate) struct Load {
    sink: Pin<Box<CopyInSink<Bytes>>>,
    buffer: BytesMut,
}

impl Load {
    /// Starts the COPY that `statement` says.
    pub(crate) async fn start(client: &Client, statement: &str) -> Result<Self> {
        let sink = client
            .copy_in(statement)
            .await
            .map_err(|error| failed("start the COPY", error))?;
        let mut buffer = BytesMut::with_capacity(CHUNK + CHUNK / 4);
        buffer.put_slice(HEADER);
        Ok(Self {
            sink: Box::pin(sink),
            buffer,
        })
    }

    /// Encodes a record, and returns its key's digest; one that its columns cannot hold is handed back as a rejection.
    pub(crate) fn push(
        &mut self,
        record: &Record<'_>,
        layout: &Layout,
        shape: &Shape,
        known: Text,
    ) -> std::result::Result<u64, Rejection> {
        encode_row(record, layout, shape, known, &mut self.buffer)
    }

    /// Takes a row that [`encode_row`] has made.
    pub(crate) fn push_encoded(&mut self, row: &[u8]) {
        self.buffer.put_slice(row);
    }

    /// Sends what is buffered, once it is worth it.
    pub(crate) async fn flush(&mut self) -> Result<()> {
        if self.buffer.len() < CHUNK {
            return Ok(());
        }
        let chunk = self.buffer.split().freeze();
        self.sink
            .feed(chunk)
            .await
            .map_err(|error| failed("copy rows", error))
    }

    /// Ends the COPY; returns the number of rows.
    pub(crate) async fn finish(mut self) -> Result<u64> {
        self.buffer.put_slice(TRAILER);
        let chunk = self.buffer.split().freeze();
        self.sink
            .feed(chunk)
            .await
            .map_err(|error| failed("copy rows", error))?;
        self.sink
            .as_mut()
            .finish()
            .await
            .map_err(|error| failed("copy rows", error))
    }
}

/// Appends a row of a binary COPY, and returns a digest of its key's bytes; a record that its columns cannot hold
/// becomes a rejection, and nothing is appended.
pub(crate) fn encode_row(
    record: &Record<'_>,
    layout: &Layout,
    shape: &Shape,
    known: Text,
    out: &mut BytesMut,
) -> std::result::Result<u64, Rejection> {
    let start = out.len();
    let deleted = record.op() == Op::Delete;
    // At most 1,600 columns and three of our own.
    out.put_i16(shape.width(layout) as i16);
    let mut key_bytes = 0;
    let mut digest = DefaultHasher::new();
    let whole = shape.left_out.is_empty();
    for (i, (value, column)) in record.values().zip(&layout.columns).enumerate() {
        if !whole && !shape.has(i) {
            continue;
        }
        let in_key = layout.key.contains(&i);
        let before = out.len();
        let refused = if deleted && !in_key {
            out.put_i32(-1);
            Ok(())
        } else if in_key && !value.is_present() {
            Err(NULL_KEY)
        } else if column.not_null && !value.is_present() && !(shape.masked && matches!(value, Value::Unset)) {
            Err(NULL_VALUE)
        } else {
            encode_cell(&value, &column.pg_type, known, out)
        };
        if let Err(Refusal { code, message }) = refused {
            out.truncate(start);
            let (fields, place) = match layout.overflow_at(i) {
                Some(overflow) => {
                    let fields = overflow.refused_fields(&value);
                    let place = format!("`{}`, in `{}`", fields.join("`, `"), column.name);
                    (fields, place)
                }
                None => (vec![column.field.clone()], format!("`{}`", column.name)),
            };
            let message = format!("{message} ({place})");
            let mut rejection = Rejection::new(record.sequence(), record.source_key(), code, message);
            rejection.fields = fields;
            return Err(rejection);
        }
        if in_key {
            key_bytes += out.len() - before;
            digest.write(&out[before..]);
        }
    }
    if shape.staged {
        out.put_i32(8);
        // Sequence numbers count records of a run; none gets near 2^63.
        out.put_i64(record.sequence() as i64);
        out.put_i32(1);
        out.put_u8(u8::from(deleted));
    }
    if shape.masked {
        put_mask(record, deleted, layout.columns.len(), out);
    }
    let refused = if !deleted && !layout.names_only && is_long_key(key_bytes, layout) {
        Err(KEY_TOO_LONG)
    } else {
        check_row(&out[start..], layout, shape)
    };
    refused
        .map(|()| digest.finish())
        .map_err(|Refusal { code, message }| {
            out.truncate(start);
            let mut rejection = Rejection::new(record.sequence(), record.source_key(), code, message);
            if code == KEY_TOO_LONG.code {
                let fields = layout.key.iter().map(|&i| layout.columns[i].field.clone());
                rejection.fields.extend(fields);
            }
            rejection
        })
}

/// Appends a `bit(n)`: which fields the record leaves unset.
fn put_mask(record: &Record<'_>, deleted: bool, fields: usize, out: &mut BytesMut) {
    let bytes = fields.div_ceil(8);
    out.put_i32(4 + bytes as i32);
    out.put_i32(fields as i32);
    let start = out.len();
    out.put_bytes(0, bytes);
    if deleted {
        return;
    }
    for (position, value) in record.values().enumerate() {
        if matches!(value, Value::Unset) {
            out[start + position / 8] |= 0x80 >> (position % 8);
        }
    }
}
