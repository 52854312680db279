//! What the output plugin `pgoutput` writes, in its first protocol version: bytes in, messages out, no I/O.

mod input;

use input::Input;

use super::lsn::Lsn;

/// One message of a log. Texts and cells borrow from it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Message<'a> {
    /// A transaction begins, that committed at `commit`.
    Begin { commit: Lsn },
    /// It ends: whatever committed before `end` has been said.
    Commit { end: Lsn },
    /// What a table looks like in the rows that follow.
    Relation(Relation<'a>),
    /// A row came.
    Insert { table: u32, new: Tuple<'a> },
    /// A row changed.
    Update {
        table: u32,
        old: Option<Old<'a>>,
        new: Tuple<'a>,
    },
    /// A row went.
    Delete { table: u32, old: Old<'a> },
    /// Tables lost all their rows.
    Truncate { tables: Vec<u32> },
    /// A type's name, where a transaction came from, and words of other programs: nothing for rows.
    Other,
}

/// A table as the log has it at this point.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Relation<'a> {
    pub(super) table: u32,
    pub(super) columns: Vec<RelationColumn<'a>>,
}

/// A column as the log has it at this point.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct RelationColumn<'a> {
    /// Whether an old key has it.
    pub(super) in_key: bool,
    pub(super) name: &'a str,
    /// The number of its type.
    pub(super) type_oid: u32,
}

/// What a row was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Old<'a> {
    /// The columns of its key; the others are null here, whatever they were.
    Key(Tuple<'a>),
    /// All of it.
    Row(Tuple<'a>),
}

/// The cells of a row, in the order of its relation's columns.
pub(super) type Tuple<'a> = Vec<Cell<'a>>;

/// One cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cell<'a> {
    Null,
    /// Stored apart from its row, and as it was before: not said.
    Unchanged,
    Text(&'a [u8]),
    Binary(&'a [u8]),
}

impl<'a> Message<'a> {
    /// Reads one message; `None` where the bytes are none.
    pub(super) fn parse(bytes: &'a [u8]) -> Option<Self> {
        let mut input = Input(bytes);
        let message = match input.byte()? {
            b'B' => {
                let commit = Lsn(input.u64()?);
                input.skip(8 + 4)?;
                Self::Begin { commit }
            }
            b'C' => {
                input.skip(1 + 8)?;
                let end = Lsn(input.u64()?);
                input.skip(8)?;
                Self::Commit { end }
            }
            b'R' => Self::Relation(relation(&mut input)?),
            b'I' => Self::Insert {
                table: input.u32()?,
                new: new(&mut input)?,
            },
            b'U' => {
                let table = input.u32()?;
                let old = match input.peek()? {
                    b'N' => None,
                    _ => Some(old(&mut input)?),
                };
                let new = new(&mut input)?;
                Self::Update { table, old, new }
            }
            b'D' => Self::Delete {
                table: input.u32()?,
                old: old(&mut input)?,
            },
            b'T' => {
                let count = input.u32()?;
                input.skip(1)?;
                let tables = (0..count).map(|_| input.u32()).collect::<Option<_>>()?;
                Self::Truncate { tables }
            }
            b'O' | b'Y' | b'M' => return Some(Self::Other),
            _ => return None,
        };
        // A message with more to it is one of a protocol that is not understood.
        input.is_empty().then_some(message)
    }
}

fn relation<'a>(input: &mut Input<'a>) -> Option<Relation<'a>> {
    let table = input.u32()?;
    input.text()?;
    input.text()?;
    input.skip(1)?;
    let count = input.u16()?;
    let column = |input: &mut Input<'a>| {
        let in_key = input.byte()? & 1 == 1;
        let (name, type_oid) = (input.text()?, input.u32()?);
        input.skip(4)?;
        Some(RelationColumn {
            in_key,
            name,
            type_oid,
        })
    };
    let columns = (0..count).map(|_| column(input)).collect::<Option<_>>()?;
    Some(Relation { table, columns })
}

fn old<'a>(input: &mut Input<'a>) -> Option<Old<'a>> {
    match input.byte()? {
        b'K' => tuple(input).map(Old::Key),
        b'O' => tuple(input).map(Old::Row),
        _ => None,
    }
}

fn new<'a>(input: &mut Input<'a>) -> Option<Tuple<'a>> {
    (input.byte()? == b'N').then(|| tuple(input)).flatten()
}

fn tuple<'a>(input: &mut Input<'a>) -> Option<Tuple<'a>> {
    let count = input.u16()?;
    let cell = |input: &mut Input<'a>| {
        Some(match input.byte()? {
            b'n' => Cell::Null,
            b'u' => Cell::Unchanged,
            b't' => Cell::Text(input.sized()?),
            b'b' => Cell::Binary(input.sized()?),
            _ => return None,
        })
    };
    (0..count).map(|_| cell(input)).collect()
}

#[cfg(test)]
mod tests;
