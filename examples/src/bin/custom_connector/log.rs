//! `NAME.ndjson`: a log, to which lines are only ever added.
//!
//! A line is one JSON object: a record as it is from now on, or `{"$delete": {"id": 7}}` for one that is gone. Of the
//! lines of one record, the last counts.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use connector_core::{Batch, BatchBuilder, Error, ErrorKind, Op, Result, Schema};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::files::failed;

/// The key of a line that says a record is gone.
pub(crate) const DELETE: &str = "$delete";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Gone<'a> {
    #[serde(rename = "$delete", borrow)]
    key: &'a RawValue,
}

/// A place in a log, and a checksum of all that comes before it: the same place in a file that was written anew is
/// another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Place {
    pub(crate) bytes: u64,
    lines: u64,
    checksum: u64,
}

impl Place {
    /// Before the first line.
    pub(crate) const START: Self = Self {
        bytes: 0,
        lines: 0,
        checksum: 0xcbf2_9ce4_8422_2325,
    };

    fn pass(&mut self, text: &[u8]) {
        self.bytes += text.len() as u64;
        self.lines += u64::from(text.ends_with(b"\n"));
        // FNV-1a: the same in every version of everything, as whatever a state holds must be.
        self.checksum = text.iter().fold(self.checksum, |sum, &byte| {
            (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
    }
}

/// One line.
pub(crate) struct Line {
    pub(crate) number: u64,
    /// What it says; an error if it is no record.
    pub(crate) record: Result<Batch>,
}

/// Reads a log line by line.
pub(crate) struct Log {
    path: PathBuf,
    file: BufReader<File>,
    builder: BatchBuilder,
    place: Place,
    end: u64,
    is_open: bool,
    text: Vec<u8>,
}

impl Log {
    /// The log in the file `path`, from its first line.
    pub(crate) fn open(path: &Path, schema: &Arc<Schema>) -> Result<Self> {
        let file = File::open(path).map_err(|error| failed("read", path, error))?;
        Ok(Self {
            path: path.to_owned(),
            file: BufReader::new(file),
            builder: BatchBuilder::new(Arc::clone(schema), 0),
            place: Place::START,
            end: u64::MAX,
            is_open: false,
            text: Vec::new(),
        })
    }

    /// Before the next line.
    pub(crate) fn place(&self) -> Place {
        self.place
    }

    /// Whether the last line has no line feed.
    pub(crate) fn is_open(&self) -> bool {
        self.is_open
    }

    /// Goes on to `place`, if this is the log that it is of.
    pub(crate) fn go_to(&mut self, place: Place) -> Result<()> {
        while self.place.bytes < place.bytes {
            self.read(place.bytes - self.place.bytes)?;
            if self.text.is_empty() {
                break;
            }
            self.place.pass(&self.text);
        }
        if self.place == place {
            return Ok(());
        }
        let path = self.path.display();
        let message = format!("`{path}` was written anew since it was last read");
        Err(Error::new(ErrorKind::State, message)
            .with_help("reset the state of this task, so that everything is read again"))
    }

    /// Goes back to `place`; the log ends for this reader where it is now.
    pub(crate) fn back_to(&mut self, place: Place) -> Result<()> {
        self.end = self.place.bytes;
        self.place = place;
        let sought = self.file.seek(SeekFrom::Start(place.bytes)).map(drop);
        sought.map_err(|error| failed("read", &self.path, error))
    }

    /// Reads a line into `text`, at most so many bytes of it.
    fn read(&mut self, bytes: u64) -> Result<()> {
        self.text.clear();
        let read = self.file.by_ref().take(bytes).read_until(b'\n', &mut self.text);
        read.map(drop).map_err(|error| failed("read", &self.path, error))
    }

    /// The next line, blank ones left out.
    pub(crate) fn next_line(&mut self) -> Result<Option<Line>> {
        while self.place.bytes < self.end {
            self.read(u64::MAX)?;
            let number = self.place.lines + 1;
            let record = parse(&mut self.builder, &self.text);
            let is_open = !self.text.ends_with(b"\n");
            if is_open && record.is_err() {
                // The end; or half a line, which somebody is writing, or was when the power failed.
                return Ok(None);
            }
            self.is_open = is_open;
            self.place.pass(&self.text);
            if !self.text.trim_ascii().is_empty() {
                return Ok(Some(Line { number, record }));
            }
        }
        Ok(None)
    }
}

/// What a line says: a batch of one record, whose key is set.
pub(crate) fn parse(builder: &mut BatchBuilder, line: &[u8]) -> Result<Batch> {
    let line = str::from_utf8(line).map_err(|_| Error::new(ErrorKind::Data, "the line is no UTF-8"))?;
    match serde_json::from_str::<Gone<'_>>(line) {
        Ok(_) if builder.schema().primary_key().is_empty() => {
            let message = "a line deletes a record, and the stream has no key to find it by";
            return Err(Error::new(ErrorKind::Data, message));
        }
        Ok(gone) => builder.push_json_record(gone.key.get(), Op::Delete)?,
        Err(_) => builder.push_json_record(line, Op::Put)?,
    }
    let batch = builder.finish();
    let schema = batch.schema();
    let unset = |&&position: &&usize| batch.records().any(|record| !record.value(position).is_present());
    match schema.primary_key().iter().find(unset) {
        None => Ok(batch),
        Some(&position) => {
            let message = format!("the key field `{}` has no value", schema.fields()[position].name);
            Err(Error::new(ErrorKind::Data, message))
        }
    }
}
