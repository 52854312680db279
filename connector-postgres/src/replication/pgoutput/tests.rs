use proptest::prelude::*;

use super::*;

/// A message put together by hand.
#[derive(Default)]
struct Written(Vec<u8>);

impl Written {
    fn of(kind: u8) -> Self {
        Self(vec![kind])
    }

    fn bytes(mut self, bytes: &[u8]) -> Self {
        self.0.extend_from_slice(bytes);
        self
    }

    fn u16(self, number: u16) -> Self {
        self.bytes(&number.to_be_bytes())
    }

    fn u32(self, number: u32) -> Self {
        self.bytes(&number.to_be_bytes())
    }

    fn u64(self, number: u64) -> Self {
        self.bytes(&number.to_be_bytes())
    }

    fn tuple(self, kind: u8, cells: &[Cell<'_>]) -> Self {
        let begun = self.bytes(&[kind]).u16(cells.len() as u16);
        cells.iter().fold(begun, |written, cell| {
            let sized = |kind, value: &[u8]| (kind, Some(value.to_vec()));
            let (kind, value) = match cell {
                Cell::Null => (b'n', None),
                Cell::Unchanged => (b'u', None),
                Cell::Text(value) => sized(b't', value),
                Cell::Binary(value) => sized(b'b', value),
            };
            let written = written.bytes(&[kind]);
            match value {
                Some(value) => written.u32(value.len() as u32).bytes(&value),
                None => written,
            }
        })
    }
}

#[test]
fn transactions_begin_and_end() {
    let begin = Written::of(b'B').u64(0x1_0000_0001).u64(7).u32(700);
    assert_eq!(
        Message::parse(&begin.0),
        Some(Message::Begin {
            commit: Lsn(0x1_0000_0001)
        })
    );
    let commit = Written::of(b'C').bytes(&[0]).u64(5).u64(9).u64(7);
    assert_eq!(Message::parse(&commit.0), Some(Message::Commit { end: Lsn(9) }));
}

#[test]
fn a_relation_names_its_columns() {
    let relation = Written::of(b'R')
        .u32(16_400)
        .bytes("public\0リード\0d".as_bytes())
        .u16(2)
        .bytes(b"\x01id\0")
        .u32(25)
        .u32(u32::MAX)
        .bytes("\0名\0".as_bytes())
        .u32(1043)
        .u32(84);
    let column = |in_key, name, type_oid| RelationColumn {
        in_key,
        name,
        type_oid,
    };
    assert_eq!(
        Message::parse(&relation.0),
        Some(Message::Relation(Relation {
            table: 16_400,
            columns: vec![column(true, "id", 25), column(false, "名", 1043)],
        }))
    );
}

#[test]
fn rows_come_change_and_go() {
    let row = vec![
        Cell::Binary(b"\0\0\0\x07"),
        Cell::Null,
        Cell::Unchanged,
        Cell::Text(b""),
    ];
    let key = vec![Cell::Binary(b"\0\0\0\x06"), Cell::Null, Cell::Null, Cell::Null];
    let insert = Written::of(b'I').u32(5).tuple(b'N', &row);
    assert_eq!(
        Message::parse(&insert.0),
        Some(Message::Insert {
            table: 5,
            new: row.clone()
        })
    );
    let update = Written::of(b'U').u32(5).tuple(b'N', &row);
    assert_eq!(
        Message::parse(&update.0),
        Some(Message::Update {
            table: 5,
            old: None,
            new: row.clone()
        })
    );
    let rekeyed = Written::of(b'U').u32(5).tuple(b'K', &key).tuple(b'N', &row);
    assert_eq!(
        Message::parse(&rekeyed.0),
        Some(Message::Update {
            table: 5,
            old: Some(Old::Key(key.clone())),
            new: row.clone()
        })
    );
    let delete = Written::of(b'D').u32(5).tuple(b'O', &row);
    assert_eq!(
        Message::parse(&delete.0),
        Some(Message::Delete {
            table: 5,
            old: Old::Row(row)
        })
    );
    let truncate = Written::of(b'T').u32(2).bytes(&[1]).u32(5).u32(6);
    assert_eq!(
        Message::parse(&truncate.0),
        Some(Message::Truncate { tables: vec![5, 6] })
    );
}

#[test]
fn what_says_nothing_of_rows_is_passed_over_and_the_rest_refused() {
    for kind in [b'O', b'Y', b'M'] {
        assert_eq!(Message::parse(&[kind, 1, 2, 3]), Some(Message::Other));
    }
    assert_eq!(Message::parse(b""), None);
    // A stream of a transaction that has not ended is of a later protocol.
    assert_eq!(Message::parse(b"S\0\0\0\x01\x01"), None);
    let longer = Written::of(b'C').bytes(&[0]).u64(5).u64(9).u64(7).bytes(&[0]);
    assert_eq!(Message::parse(&longer.0), None);
    // A cell that claims more bytes than there are.
    let cut = Written::of(b'I')
        .u32(5)
        .bytes(b"N")
        .u16(1)
        .bytes(b"b")
        .u32(u32::MAX);
    assert_eq!(Message::parse(&cut.0), None);
    // More columns than bytes: no room is made for them beforehand.
    let none = Written::of(b'T').u32(u32::MAX).bytes(&[0]);
    assert_eq!(Message::parse(&none.0), None);
}

fn cell() -> impl Strategy<Value = (u8, Vec<u8>)> {
    (0..4u8, prop::collection::vec(any::<u8>(), 0..12))
}

fn cells(drawn: &[(u8, Vec<u8>)]) -> Vec<Cell<'_>> {
    drawn
        .iter()
        .map(|(kind, value)| match kind {
            0 => Cell::Null,
            1 => Cell::Unchanged,
            2 => Cell::Text(value),
            _ => Cell::Binary(value),
        })
        .collect()
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = Message::parse(&bytes);
    }

    #[test]
    fn no_bytes_behind_a_known_beginning_make_it_panic(
        kind in prop::sample::select(b"BCRIUDTOYM".to_vec()),
        bytes in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        let _ = Message::parse(&[&[kind][..], &bytes].concat());
    }

    #[test]
    fn a_row_comes_back_and_no_part_of_it_is_taken_for_one(
        new in prop::collection::vec(cell(), 0..9),
        old in prop::collection::vec(cell(), 0..9),
        cut in any::<prop::sample::Index>(),
    ) {
        let (new, old) = (cells(&new), cells(&old));
        let written = Written::of(b'U').u32(9).tuple(b'O', &old).tuple(b'N', &new).0;
        prop_assert_eq!(
            Message::parse(&written),
            Some(Message::Update { table: 9, old: Some(Old::Row(old)), new })
        );
        prop_assert_eq!(Message::parse(&written[..cut.index(written.len())]), None);
    }
}
