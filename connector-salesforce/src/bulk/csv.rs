//! The CSV of Bulk results, record by record, out of chunks of any size.

use connector_core::{Error, ErrorKind, Result};
use csv_core::ReadRecordResult;

/// Takes records out of a body that arrives in chunks.
///
/// The first record is the header. Cells are borrowed from one buffer that is used again for every record.
pub(crate) struct CsvDecoder {
    core: csv_core::Reader,
    text: Vec<u8>,
    ends: Vec<usize>,
    /// How much of both is filled by the record at hand.
    filled: (usize, usize),
    columns: usize,
    /// The record at hand is whole and was handed out.
    whole: bool,
    last_byte: u8,
    /// How much of a byte order mark has been taken off; the parser itself knows it only within one chunk.
    mark: usize,
}

const MARK: [u8; 3] = [0xEF, 0xBB, 0xBF];

/// One record.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CsvRow<'a> {
    text: &'a [u8],
    ends: &'a [usize],
}

impl<'a> CsvRow<'a> {
    /// Number of cells.
    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    /// The cell at `column` as it stands; `None` where there is none, or where it is no UTF-8.
    pub(crate) fn get(&self, column: usize) -> Option<&'a str> {
        let start = if column == 0 {
            0
        } else {
            *self.ends.get(column - 1)?
        };
        std::str::from_utf8(self.text.get(start..*self.ends.get(column)?)?).ok()
    }
}

impl CsvDecoder {
    /// A decoder at the start of a body.
    pub(crate) fn new() -> Self {
        Self {
            core: csv_core::Reader::new(),
            text: vec![0; 4096],
            ends: vec![0; 64],
            filled: (0, 0),
            columns: 0,
            whole: false,
            last_byte: b'\n',
            mark: 0,
        }
    }

    /// The next record of `input`, whose front is taken off; `None` when more input is needed.
    ///
    /// # Errors
    /// The record has another number of cells than the header: the body is not what it should be.
    pub(crate) fn next(&mut self, input: &mut &[u8]) -> Result<Option<CsvRow<'_>>> {
        if std::mem::take(&mut self.whole) {
            self.filled = (0, 0);
        }
        self.skip_mark(input)?;
        while !input.is_empty() {
            let (text, ends) = self.filled;
            let (result, taken, wrote, ended) =
                self.core
                    .read_record(input, &mut self.text[text..], &mut self.ends[ends..]);
            if let Some(last) = taken.checked_sub(1) {
                self.last_byte = input[last];
            }
            *input = &input[taken..];
            self.filled = (text + wrote, ends + ended);
            match result {
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputFull => self.text.resize(self.text.len() * 2, 0),
                ReadRecordResult::OutputEndsFull => self.ends.resize(self.ends.len() * 2, 0),
                ReadRecordResult::Record | ReadRecordResult::End => {
                    self.whole = true;
                    if self.columns == 0 {
                        self.columns = self.filled.1;
                    } else if self.columns != self.filled.1 {
                        return Err(broken("a record has another number of cells than the header"));
                    }
                    return Ok(Some(CsvRow {
                        text: &self.text[..self.filled.0],
                        ends: &self.ends[..self.filled.1],
                    }));
                }
            }
        }
        Ok(None)
    }

    fn skip_mark(&mut self, input: &mut &[u8]) -> Result<()> {
        while self.mark < MARK.len()
            && let Some((first, rest)) = input.split_first()
        {
            match (*first == MARK[self.mark], self.mark) {
                (true, _) => {
                    self.mark += 1;
                    *input = rest;
                }
                (false, 0) => self.mark = MARK.len(),
                (false, _) => return Err(broken("it starts with half a byte order mark")),
            }
        }
        Ok(())
    }

    /// Checks at the end of the body that it did not break off: a CSV parser would take half a record for a whole one.
    ///
    /// # Errors
    /// The body ends inside a record.
    pub(crate) fn finish(&self) -> Result<()> {
        let inside = !self.whole && self.filled != (0, 0);
        if inside || !matches!(self.last_byte, b'\n' | b'\r') {
            return Err(broken("the body ends inside a record"));
        }
        Ok(())
    }
}

fn broken(how: &'static str) -> Error {
    Error::new(
        ErrorKind::Unavailable,
        format!("the CSV of a Bulk result is broken: {how}"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every record of `body`, fed in chunks of `size`.
    fn decode(body: &str, size: usize) -> Result<Vec<Vec<String>>> {
        let mut decoder = CsvDecoder::new();
        let mut records = Vec::new();
        for chunk in body.as_bytes().chunks(size) {
            let mut input = chunk;
            while let Some(row) = decoder.next(&mut input)? {
                records.push((0..row.len()).map(|i| row.get(i).unwrap().to_owned()).collect());
            }
        }
        decoder.finish().map(|()| records)
    }

    #[test]
    fn quotes_newlines_and_byte_order_marks_survive_any_chunking() {
        let body = "\u{feff}\"Id\",\"Note\"\n\"1\",\"a \"\"b\"\",\n\r\nc\"\n\"2\",\"\"\r\n\"3\",\"改行🚀\"\n";
        let wanted = [
            ["Id", "Note"],
            ["1", "a \"b\",\n\r\nc"],
            ["2", ""],
            ["3", "改行🚀"],
        ];
        for size in 1..body.len() {
            assert_eq!(decode(body, size).unwrap(), wanted, "chunks of {size}");
        }
    }

    #[test]
    fn long_cells_and_many_columns_grow_the_buffers() {
        let header: Vec<String> = (0..200).map(|i| format!("\"C{i}\"")).collect();
        let cells: Vec<String> = (0..200).map(|i| format!("\"{}\"", "x".repeat(i * 10))).collect();
        let body = format!("{}\n{}\n", header.join(","), cells.join(","));
        let records = decode(&body, 777).unwrap();
        assert_eq!(records[1].len(), 200);
        assert_eq!(records[1][199].len(), 1990);
    }

    #[test]
    fn a_cut_is_seen_wherever_it_falls() {
        let body = "\"Id\",\"Note\"\n\"1\",\"ab\"\n\"2\",\"cd\"\n";
        for cut in 1..body.len() {
            let whole_lines = body[..cut].ends_with('\n');
            assert_eq!(decode(&body[..cut], 5).is_ok(), whole_lines, "cut at {cut}");
        }
        assert!(decode("", 1).unwrap().is_empty());
    }

    #[test]
    fn a_record_of_another_width_is_refused() {
        assert!(decode("\"Id\",\"Note\"\n\"1\"\n", 64).is_err());
    }
}
