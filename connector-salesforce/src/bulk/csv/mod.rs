//! The CSV of Bulk results, record by record, out of chunks of any size.

mod scan;
#[cfg(test)]
mod tests;

use connector_core::{Error, ErrorKind, Result, Retry};

use scan::{Cell, Scan, unfold};

/// The longest record: far more than the 400,000 characters that Salesforce holds in one, and a bound to what a broken
/// answer can take in memory.
const MAX_RECORD: usize = 16 << 20;

/// Bytes that are first looked at for the end of a record that began in an earlier chunk.
const STEP: usize = 1024;

const MARK: [u8; 3] = [0xEF, 0xBB, 0xBF];

/// Takes records out of a body that arrives in chunks.
///
/// The first record is the header. Cells are borrowed from the chunk; only a record that lies across two chunks is copied.
#[derive(Default)]
pub(crate) struct CsvDecoder {
    scan: Scan,
    /// The beginning of a record whose end has not arrived.
    carry: Vec<u8>,
    /// What the record at hand says in its folded cells.
    unfolded: Vec<u8>,
    columns: usize,
    /// The record at hand is whole and was handed out.
    whole: bool,
    /// How much of a byte order mark has been taken off.
    mark: usize,
}

/// One record.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CsvRow<'a> {
    record: &'a [u8],
    /// The record, where all of it is UTF-8.
    text: Option<&'a str>,
    unfolded: &'a [u8],
    cells: &'a [Cell],
}

impl<'a> CsvRow<'a> {
    /// Number of cells.
    pub(crate) fn len(&self) -> usize {
        self.cells.len()
    }

    /// The cell at `column` as it stands; `None` where there is none, or where it is no UTF-8.
    #[inline]
    pub(crate) fn get(&self, column: usize) -> Option<&'a str> {
        let cell = *self.cells.get(column)?;
        match self.text {
            Some(text) if !cell.is_folded() => text.get(cell.range()),
            _ => self.unusual(cell),
        }
    }

    /// A cell that was unfolded, or of a record that is not all UTF-8.
    #[cold]
    fn unusual(&self, cell: Cell) -> Option<&'a str> {
        let bytes = if cell.is_folded() {
            self.unfolded
        } else {
            self.record
        };
        std::str::from_utf8(bytes.get(cell.range())?).ok()
    }
}

impl CsvDecoder {
    /// A decoder at the start of a body.
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// The next record of `input`, whose front is taken off; `None` when more input is needed.
    ///
    /// # Errors
    /// The record has another number of cells than the header, or no end in sight: the body is not what it should be.
    pub(crate) fn next<'s, 'i: 's>(&'s mut self, input: &mut &'i [u8]) -> Result<Option<CsvRow<'s>>> {
        if std::mem::take(&mut self.whole) {
            self.scan.reset();
            self.carry.clear();
        }
        if self.mark < MARK.len() {
            self.skip_mark(input)?;
        }
        if self.carry.is_empty() {
            // What is left of a line's end, and empty lines.
            while let [b'\n' | b'\r', rest @ ..] = *input {
                *input = rest;
            }
            return match self.scan.run(input) {
                Some(end) => {
                    let (record, rest) = input.split_at(end);
                    *input = rest;
                    self.row(Some(record), end).map(Some)
                }
                None => {
                    self.carry.extend_from_slice(input);
                    *input = &[];
                    self.check_carry().map(|()| None)
                }
            };
        }
        let mut step = STEP;
        while !input.is_empty() {
            let before = self.carry.len();
            let (next, rest) = input.split_at(step.min(input.len()));
            self.carry.extend_from_slice(next);
            if let Some(end) = self.scan.run(&self.carry) {
                *input = &input[end - before..];
                return self.row(None, end).map(Some);
            }
            self.check_carry()?;
            *input = rest;
            step *= 2;
        }
        Ok(None)
    }

    /// The record that was found, in `chunk` or else in what was carried over.
    fn row<'s>(&'s mut self, chunk: Option<&'s [u8]>, end: usize) -> Result<CsvRow<'s>> {
        self.whole = true;
        let record = match chunk {
            Some(record) => record,
            None => &self.carry[..end],
        };
        self.unfolded.clear();
        for cell in self.scan.cells.iter_mut().filter(|cell| cell.is_folded()) {
            let start = self.unfolded.len();
            unfold(&record[cell.range()], &mut self.unfolded);
            *cell = Cell::new(start, self.unfolded.len(), true);
        }
        if self.columns == 0 {
            self.columns = self.scan.cells.len();
        } else if self.columns != self.scan.cells.len() {
            return Err(broken("a record has another number of cells than the header"));
        }
        Ok(CsvRow {
            record,
            text: std::str::from_utf8(record).ok(),
            unfolded: &self.unfolded,
            cells: &self.scan.cells,
        })
    }

    fn check_carry(&self) -> Result<()> {
        if self.carry.len() > MAX_RECORD {
            return Err(broken("a record has no end in sight").with_retry(Retry::Never));
        }
        Ok(())
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

    /// Checks at the end of the body that it did not break off: a record ends with its line.
    ///
    /// # Errors
    /// The body ends inside a record.
    pub(crate) fn finish(&self) -> Result<()> {
        let inside = !self.whole && self.scan.is_inside();
        if inside || (1..MARK.len()).contains(&self.mark) {
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
