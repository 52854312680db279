//! A page of results as Bulk API 2.0 writes it.

use std::io::Write as _;

use connector_core::value::{Date, Instant};
use flate2::Compression;
use flate2::write::GzEncoder;

use crate::PAGE_ROWS;
use crate::lead::{Cell, FIELDS, Kind, records};

/// Different rows; they repeat under other ids.
const SOURCE_ROWS: usize = 1009;

/// Number of pages of a result of `rows`.
pub(crate) fn count(rows: u64) -> u64 {
    rows.div_ceil(PAGE_ROWS)
}

/// One page, plain and compressed.
pub(crate) struct Page {
    pub(crate) plain: Vec<u8>,
    pub(crate) gzip: Vec<u8>,
}

impl Page {
    /// A page of `rows`.
    ///
    /// Every value is quoted; null is an empty one; amounts stand in scientific notation, and one whole number in
    /// eight as a double.
    pub(crate) fn new(rows: u64) -> Self {
        let cells = records(SOURCE_ROWS);
        let mut plain = Vec::new();
        let line = |texts: &mut dyn Iterator<Item = String>, plain: &mut Vec<u8>| {
            for (i, text) in texts.enumerate() {
                let comma = if i == 0 { "" } else { "," };
                write!(plain, "{comma}\"{}\"", text.replace('"', "\"\"")).unwrap();
            }
            plain.push(b'\n');
        };
        line(
            &mut FIELDS.iter().map(|(name, _, _)| (*name).to_owned()),
            &mut plain,
        );
        for row in 0..rows {
            let start = row as usize % SOURCE_ROWS * FIELDS.len();
            let cells = cells[start..].iter().zip(&FIELDS);
            let mut texts = cells.map(|(cell, (name, kind, _))| match *name {
                "Id" => format!("00Q{row:015}"),
                "Description" => described(cell, row),
                _ => text(cell, *kind, row),
            });
            line(&mut texts, &mut plain);
        }
        let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
        gzip.write_all(&plain).unwrap();
        let gzip = gzip.finish().unwrap();
        Self { plain, gzip }
    }
}

/// Notes of people: lines, commas and quotes.
fn described(cell: &Cell, row: u64) -> String {
    match cell {
        Cell::Text(text) if row.is_multiple_of(4) => format!("Said \"{text}\",\nthen 折り返し電話"),
        cell => text(cell, Kind::Words(0, 0), row),
    }
}

fn text(cell: &Cell, kind: Kind, row: u64) -> String {
    match cell {
        Cell::Null => String::new(),
        Cell::Bool(value) => value.to_string(),
        Cell::Int(value) if row.is_multiple_of(8) => format!("{value}.0"),
        Cell::Int(value) => value.to_string(),
        Cell::Float(value) => value.to_string(),
        Cell::Decimal(value) if *value >= 10_000_000 => format!("{:E}", *value as f64),
        Cell::Decimal(value) => format!("{value}.0"),
        // A telephone number.
        Cell::Text(value) if matches!(kind, Kind::Digits(12)) => format!("+{value}"),
        Cell::Text(value) => value.clone(),
        Cell::Date(days) => Date::from_unix_days(*days).to_string(),
        Cell::Instant(micros) => {
            let stamp = Instant::from_unix_micros(*micros).floor_to_second().to_string();
            stamp.replace('Z', ".000Z")
        }
    }
}
