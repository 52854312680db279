//! Pages of Bulk query results as a stream of CSV.

use std::sync::Arc;

use axum::body::{Body, Bytes};

use super::bulk_job::CsvFormat;
use super::object::ObjectType;
use super::row_set::RowSet;
use super::value::write_doubled;
use super::view::View;
use crate::fakes::seed::mix;

/// Rows per chunk of the stream.
const CHUNK: usize = 256;

/// What a job found, as it was when the job completed.
#[derive(Clone, Debug)]
pub(super) struct Snapshot {
    pub(super) view: Arc<View>,
    pub(super) rows: Arc<RowSet>,
    pub(super) object: Arc<ObjectType>,
    pub(super) fields: Arc<Vec<usize>>,
}

/// The body with the header row and the rows at `from..to`.
pub(super) fn body(snapshot: Snapshot, format: CsvFormat, from: usize, to: usize) -> Body {
    let mut place = None;
    let chunks = std::iter::from_fn(move || {
        let mut out = Vec::with_capacity(CHUNK * 1_024);
        let start = match place {
            None => {
                write_header(&snapshot, format, &mut out);
                from
            }
            Some(place) if place >= to => return None,
            Some(place) => place,
        };
        let end = (start + CHUNK).min(to);
        for n in snapshot.rows.slice(start, end - start) {
            write_row(&snapshot, format, n, &mut out);
        }
        place = Some(end);
        Some(Ok::<_, std::io::Error>(Bytes::from(out)))
    });
    Body::from_stream(futures::stream::iter(chunks))
}

fn write_header(snapshot: &Snapshot, format: CsvFormat, out: &mut Vec<u8>) {
    let names: Vec<&[u8]> = snapshot
        .fields
        .iter()
        .map(|&field| snapshot.object.fields[field].name.as_bytes())
        .collect();
    write_line(&names, format, out);
}

fn write_row(snapshot: &Snapshot, format: CsvFormat, n: u64, out: &mut Vec<u8>) {
    let Some(row) = snapshot.view.row(&snapshot.object, n) else {
        return;
    };
    let odd = mix(n, 99).is_multiple_of(8);
    for (place, &field) in snapshot.fields.iter().enumerate() {
        if place > 0 {
            out.push(format.delimiter());
        }
        row.value(field)
            .write_csv(&snapshot.object.fields[field], odd, out);
    }
    format.end_line(out);
}

/// Appends a line of quoted cells.
pub(super) fn write_line(cells: &[&[u8]], format: CsvFormat, out: &mut Vec<u8>) {
    for (place, cell) in cells.iter().enumerate() {
        if place > 0 {
            out.push(format.delimiter());
        }
        out.push(b'"');
        write_doubled(cell, out);
        out.push(b'"');
    }
    format.end_line(out);
}
