use csv_core::ReadRecordResult;
use proptest::prelude::*;

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

/// Every record of `body` as `csv-core` reads it in one piece, of whichever width.
fn reference(body: &[u8]) -> Vec<Vec<Vec<u8>>> {
    let mut core = csv_core::Reader::new();
    let (mut text, mut ends) = (vec![0; body.len() + 1], vec![0; body.len() + 2]);
    let mut records = Vec::new();
    let mut input = body;
    let (mut wrote, mut ended) = (0, 0);
    loop {
        let (result, taken, bytes, cells) = core.read_record(input, &mut text[wrote..], &mut ends[ended..]);
        input = &input[taken..];
        (wrote, ended) = (wrote + bytes, ended + cells);
        match result {
            ReadRecordResult::Record => {
                let starts = std::iter::once(0).chain(ends.iter().copied());
                let cells = starts.zip(&ends[..ended]);
                records.push(cells.map(|(start, end)| text[start..*end].to_vec()).collect());
                (wrote, ended) = (0, 0);
            }
            ReadRecordResult::End => return records,
            _ if input.is_empty() => {}
            other => panic!("{other:?}"),
        }
    }
}

/// The bytes that mean something, and some that mean nothing.
fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let byte = prop_oneof![
        4 => Just(b'"'),
        3 => Just(b','),
        2 => Just(b'\n'),
        1 => Just(b'\r'),
        4 => prop::sample::select(b"ab \xe6\x94\xb9\xff\0".to_vec()),
    ];
    let piece = prop_oneof![
        6 => byte.prop_map(|byte| vec![byte]),
        1 => Just(b"\",\"".to_vec()),
        1 => (0_usize..80).prop_map(|length| vec![b'x'; length]),
    ];
    prop::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_cut_anywhere_are_read_as_csv_core_reads_them(
        body in bytes(),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..8),
    ) {
        let mut places: Vec<usize> = cuts.iter().map(|cut| cut.index(body.len() + 1)).collect();
        places.extend([0, body.len()]);
        places.sort_unstable();
        let mut decoder = CsvDecoder::new();
        let mut records: Vec<Vec<Vec<u8>>> = Vec::new();
        for chunk in places.windows(2) {
            let mut input = &body[chunk[0]..chunk[1]];
            loop {
                // The width is another test's matter.
                decoder.columns = 0;
                let Some(row) = decoder.next(&mut input).unwrap() else {
                    break;
                };
                let cell = |column: usize| {
                    let cell = row.cells[column];
                    let bytes = if cell.is_folded() { row.unfolded } else { row.record };
                    let bytes = &bytes[cell.range()];
                    assert_eq!(row.get(column), std::str::from_utf8(bytes).ok());
                    bytes.to_vec()
                };
                records.push((0..row.len()).map(cell).collect());
            }
            prop_assert!(input.is_empty());
        }
        let mut wanted = reference(&body);
        if decoder.finish().is_err() {
            // It takes what stands at the end for a record.
            wanted.pop();
        }
        prop_assert_eq!(records, wanted);
    }
}

#[test]
fn a_record_without_an_end_is_no_reason_to_take_all_memory() {
    let mut decoder = CsvDecoder::new();
    let chunk = vec![b'x'; 1 << 20];
    assert!(decoder.next(&mut &b"\"Id\"\n\""[..]).unwrap().is_some());
    let error = (0..20)
        .find_map(|_| decoder.next(&mut chunk.as_slice()).err())
        .unwrap();
    assert_eq!(
        (error.kind(), error.retry()),
        (ErrorKind::Unavailable, Retry::Never)
    );
}
