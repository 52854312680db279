//! The rows of an uploaded CSV and where they stand.

use csv_core::{ReadRecordResult, Reader, ReaderBuilder};

use super::bulk_job::CsvFormat;

/// Yields start, end and cells of each row, the header row included.
pub(super) struct Rows<'a> {
    reader: Reader,
    body: &'a [u8],
    place: usize,
    cells: Vec<u8>,
    ends: Vec<usize>,
}

impl<'a> Rows<'a> {
    pub(super) fn new(body: &'a [u8], format: CsvFormat) -> Self {
        let reader = ReaderBuilder::new().delimiter(format.delimiter()).build();
        Self {
            reader,
            body,
            place: 0,
            cells: vec![0; 4_096],
            ends: vec![0; 128],
        }
    }

    /// The cells of the row that stands at `start..end`.
    pub(super) fn at(&mut self, start: usize, end: usize) -> Option<Vec<String>> {
        self.reader.reset();
        let whole = self.body;
        self.body = &whole[..end];
        self.place = start;
        let row = self.next();
        self.body = whole;
        row.map(|(_, _, cells)| cells)
    }
}

impl Iterator for Rows<'_> {
    type Item = (usize, usize, Vec<String>);

    fn next(&mut self) -> Option<Self::Item> {
        let start = self.place;
        let (mut written, mut ended) = (0, 0);
        loop {
            let (result, read, wrote, ends) = self.reader.read_record(
                &self.body[self.place..],
                &mut self.cells[written..],
                &mut self.ends[ended..],
            );
            self.place += read;
            written += wrote;
            ended += ends;
            match result {
                // No input is left: the next call, with none, ends the record.
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputFull => self.cells.resize(self.cells.len() * 2, 0),
                ReadRecordResult::OutputEndsFull => self.ends.resize(self.ends.len() * 2, 0),
                ReadRecordResult::Record => break,
                ReadRecordResult::End => return None,
            }
        }
        let mut from = 0;
        let cells = self.ends[..ended]
            .iter()
            .map(|&end| {
                let cell = String::from_utf8_lossy(&self.cells[from..end]).into_owned();
                from = end;
                cell
            })
            .collect();
        Some((start, self.place, cells))
    }
}
