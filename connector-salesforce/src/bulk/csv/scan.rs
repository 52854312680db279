//! Finding the cells of a record, without copying them.

use std::ops::Range;

/// Where a cell's text stands in its record: small, as there are many.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Cell {
    start: u32,
    /// The end, and whether the text has to be unfolded first.
    end: u32,
}

/// Quotes stand within the cell. Records are far shorter than what this bit would count.
const FOLDED: u32 = 1 << 31;

impl Cell {
    #[inline]
    pub(super) fn new(start: usize, end: usize, folded: bool) -> Self {
        let end = end as u32 | if folded { FOLDED } else { 0 };
        Self {
            start: start as u32,
            end,
        }
    }

    #[inline]
    pub(super) fn range(self) -> Range<usize> {
        self.start as usize..(self.end & !FOLDED) as usize
    }

    #[inline]
    pub(super) fn is_folded(self) -> bool {
        self.end & FOLDED != 0
    }
}

/// What the next byte belongs to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Place {
    /// A cell's first byte, quote or not.
    #[default]
    Start,
    /// A cell without quotes, or what stands behind those of one with them.
    Bare,
    /// Within quotes.
    Quoted,
    /// Behind a quote that may be the last one, or half of a doubled one.
    Behind,
}

/// The cells of one record, as far as it has arrived.
///
/// A comma ends a cell; LF, CR or both end a record; within quotes both are text, and a quote is doubled. What is no CSV is
/// taken as `csv-core` takes it: quotes in the middle of a cell are text.
#[derive(Debug, Default)]
pub(super) struct Scan {
    pub(super) cells: Vec<Cell>,
    /// The next byte, counted from the record's first one.
    at: usize,
    start: usize,
    folded: bool,
    place: Place,
}

impl Scan {
    /// Begins a record.
    pub(super) fn reset(&mut self) {
        self.cells.clear();
        *self = Self {
            cells: std::mem::take(&mut self.cells),
            ..Self::default()
        };
    }

    /// Whether some of a record was seen.
    pub(super) fn is_inside(&self) -> bool {
        self.at > 0
    }

    /// Goes on in `record`, which begins where it did at the last call and is longer by now. Returns the record's length with
    /// the byte that ends it; `None` while it has not arrived.
    pub(super) fn run(&mut self, record: &[u8]) -> Option<usize> {
        loop {
            match self.place {
                Place::Quoted => self.quoted(record)?,
                Place::Behind => match record.get(self.at)? {
                    b'"' => {
                        self.folded = true;
                        self.at += 1;
                        self.place = Place::Quoted;
                    }
                    b',' => {
                        self.end_cell(self.at - 1);
                        self.at += 1;
                        self.place = Place::Start;
                    }
                    b'\n' | b'\r' => {
                        self.end_cell(self.at - 1);
                        return Some(self.at + 1);
                    }
                    _ => {
                        self.folded = true;
                        self.place = Place::Bare;
                    }
                },
                Place::Start => {
                    self.start = self.at;
                    self.folded = false;
                    if *record.get(self.at)? == b'"' {
                        self.open(self.at + 1);
                    } else {
                        self.place = Place::Bare;
                    }
                }
                Place::Bare => {
                    let rest = record.get(self.at..).unwrap_or_default();
                    let Some(length) = rest.iter().position(|byte| matches!(byte, b',' | b'\n' | b'\r'))
                    else {
                        self.at = record.len();
                        return None;
                    };
                    let end = self.at + length;
                    self.end_cell(end);
                    if record[end] != b',' {
                        return Some(end + 1);
                    }
                    self.at = end + 1;
                    self.place = Place::Start;
                }
            }
        }
    }

    /// Goes on within quotes, up to one behind which something else follows than another quoted cell: they are by far the
    /// most, and this is the loop that counts.
    #[inline]
    fn quoted(&mut self, record: &[u8]) -> Option<()> {
        let (mut start, mut at) = (self.start, self.at);
        loop {
            let quote = quote(record, at);
            match quote.and_then(|quote| record.get(quote + 1..quote + 3)) {
                Some([b',', b'"']) => {}
                _ => {
                    self.start = start;
                    self.at = quote.map_or(record.len(), |quote| quote + 1);
                    quote?;
                    self.place = Place::Behind;
                    return Some(());
                }
            }
            let end = quote?;
            self.cells
                .push(Cell::new(start, end, std::mem::take(&mut self.folded)));
            (start, at) = (end + 3, end + 3);
        }
    }

    fn open(&mut self, start: usize) {
        self.start = start;
        self.at = start;
        self.folded = false;
        self.place = Place::Quoted;
    }

    fn end_cell(&mut self, end: usize) {
        self.cells.push(Cell::new(self.start, end, self.folded));
    }
}

/// The place of the next quote at or behind `from`.
///
/// Most cells are shorter than what a call to a vectorised search takes to get going: their bytes are looked at eight at a
/// time, here.
#[inline]
fn quote(text: &[u8], from: usize) -> Option<usize> {
    const EIGHT: usize = 8;
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    let mut at = from;
    while at < from + 4 * EIGHT {
        let Some(&word) = text.get(at..).and_then(<[u8]>::first_chunk::<EIGHT>) else {
            break;
        };
        // Zero where a quote is; the first zero byte, and maybe one behind it, gets its high bit.
        let differs = u64::from_le_bytes(word) ^ (ONES * b'"' as u64);
        let zeros = differs.wrapping_sub(ONES) & !differs & HIGH;
        if zeros != 0 {
            return Some(at + zeros.trailing_zeros() as usize / 8);
        }
        at += EIGHT;
    }
    let rest = text.get(at..)?;
    Some(at + memchr::memchr(b'"', rest)?)
}

/// Appends what a folded cell says: within its quotes they are doubled, behind them they are text.
pub(super) fn unfold(cell: &[u8], out: &mut Vec<u8>) {
    let mut rest = cell;
    while let Some(quote) = memchr::memchr(b'"', rest) {
        out.extend_from_slice(&rest[..quote]);
        rest = &rest[quote + 1..];
        match rest {
            [b'"', behind @ ..] => {
                out.push(b'"');
                rest = behind;
            }
            _ => break,
        }
    }
    out.extend_from_slice(rest);
}
