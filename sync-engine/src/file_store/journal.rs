//! What became of the records of one target: a file that grows by a line per call.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use connector_core::{Error, ErrorKind, Identity, Key, Result, Standing, Target, Ticket};
use serde::{Deserialize, Serialize};

use super::folder::{Folder, failed};
use super::line;
use super::task_file::{FORMAT, Format};

/// Keys of a line when the file is written anew.
const CHUNK: usize = 1_000;

/// One target's records, as far as its file was read.
#[derive(Debug)]
pub(super) struct TargetLog {
    path: PathBuf,
    target: Target,
    records: HashMap<Key, Record>,
    /// The file that was read; 0: none, or it is not known what is in it.
    generation: u64,
    /// How much of it was read.
    bytes: u64,
    /// How many times it names a record.
    mentions: usize,
}

/// What is known of a record.
#[derive(Debug)]
struct Record {
    standing: Standing,
    ticket: Option<Arc<str>>,
}

/// The first line.
#[derive(Serialize, Deserialize)]
struct Header {
    format: u32,
    identity: Identity,
    object: String,
    /// Counts how often the file was written anew: what was read of an older one counts no more.
    generation: u64,
}

/// Each line after the first.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Entry {
    /// These records are about to be sent.
    Intend {
        keys: Vec<Key>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        ticket: Option<Ticket>,
    },
    /// These records have fates of their own.
    Settle { fates: Vec<(Key, Standing)> },
    /// This became of the other records of a ticket.
    Close { ticket: Ticket, rest: Standing },
}

impl TargetLog {
    /// The file of `target`.
    pub(super) fn path(folder: &Folder, target: &Target) -> PathBuf {
        let Target { identity, object } = target;
        // The length tells where one ends and the other begins.
        folder.file(&format!("{object} {identity} {}", object.len()), "journal")
    }

    /// The records of `target`; nothing is read yet.
    pub(super) fn new(path: PathBuf, target: Target) -> Self {
        Self {
            path,
            target,
            records: HashMap::new(),
            generation: 0,
            bytes: 0,
            mentions: 0,
        }
    }

    /// What is known of a record.
    pub(super) fn standing(&mut self, key: &Key) -> Result<Option<Standing>> {
        self.catch_up()?;
        Ok(self.records.get(key).map(|record| record.standing))
    }

    /// Stores an entry; returns of how many records it tells.
    pub(super) fn append(&mut self, folder: &Folder, entry: Entry) -> Result<u64> {
        self.catch_up()?;
        if self.generation == 0 {
            self.rewrite(folder)?;
        }
        let line = line::seal(&entry)?;
        let stored = OpenOptions::new()
            .append(true)
            .open(&self.path)
            .and_then(|mut file| {
                file.write_all(line.as_bytes())?;
                file.sync_data()
            });
        if let Err(error) = stored {
            self.forget();
            return Err(failed("store an entry of the journal", &self.path, error));
        }
        self.bytes += line.len() as u64;
        let told = self.apply(entry);
        if self.mentions > 4 * self.records.len() + CHUNK
            && let Err(error) = self.rewrite(folder)
        {
            // The entry itself is stored.
            tracing::warn!(%error, "a journal stays longer than it has to be");
        }
        Ok(told)
    }

    /// Reads what was written since, by this process or another.
    fn catch_up(&mut self) -> Result<()> {
        let caught_up = self.read_on();
        if caught_up.is_err() {
            self.forget();
        }
        caught_up
    }

    fn forget(&mut self) {
        self.records.clear();
        (self.generation, self.bytes, self.mentions) = (0, 0, 0);
    }

    fn read_on(&mut self) -> Result<()> {
        let path = self.path.clone();
        let failed = |error| failed("read the journal", &path, error);
        let file = match File::open(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.forget();
                return Ok(());
            }
            opened => opened.map_err(failed)?,
        };
        let length = file.metadata().map_err(failed)?.len();
        let mut file = BufReader::new(file);
        let mut text = Vec::new();
        file.read_until(b'\n', &mut text).map_err(failed)?;
        let header = self.header(&text)?;
        if header.generation != self.generation || length < self.bytes {
            self.forget();
            (self.generation, self.bytes) = (header.generation, text.len() as u64);
        }
        if length == self.bytes {
            return Ok(());
        }
        file.seek(SeekFrom::Start(self.bytes)).map_err(failed)?;
        loop {
            text.clear();
            file.read_until(b'\n', &mut text).map_err(failed)?;
            if text.is_empty() {
                return Ok(());
            }
            let Some(json) = line::open(&text) else {
                // Only the last line can be one that a crash cut short: whoever wrote it was not told that it is kept.
                if !file.fill_buf().map_err(failed)?.is_empty() {
                    return Err(damaged(&path).with_context("byte", self.bytes.to_string()));
                }
                tracing::warn!(file = %path.display(), "the last line of a journal was cut short, and is left out");
                return cut(&path, self.bytes).map_err(failed);
            };
            let entry = serde_json::from_slice(json).map_err(|error| damaged(&path).with_source(error))?;
            self.bytes += text.len() as u64;
            self.apply(entry);
        }
    }

    fn header(&self, text: &[u8]) -> Result<Header> {
        let json = line::open(text).ok_or_else(|| damaged(&self.path))?;
        let unreadable = |error: serde_json::Error| damaged(&self.path).with_source(error);
        let format: Format = serde_json::from_slice(json).map_err(unreadable)?;
        format.check("journal", &self.path)?;
        let header: Header = serde_json::from_slice(json).map_err(unreadable)?;
        if (&header.identity, &header.object) == (&self.target.identity, &self.target.object) {
            return Ok(header);
        }
        let message = format!(
            "the journal is of `{}` at `{}`, not of `{}` at `{}`",
            header.object, header.identity, self.target.object, self.target.identity
        );
        Err(Error::new(ErrorKind::State, message)
            .with_context("file", self.path.display().to_string())
            .with_help("put the file of this target back, or delete it to start anew"))
    }

    fn apply(&mut self, entry: Entry) -> u64 {
        match entry {
            Entry::Intend { keys, ticket } => {
                let ticket: Option<Arc<str>> = ticket.map(|ticket| ticket.as_str().into());
                self.mentions += keys.len();
                let told = keys.len() as u64;
                for key in keys {
                    let standing = Standing::Sent;
                    let ticket = ticket.as_ref().map(Arc::clone);
                    self.records.insert(key, Record { standing, ticket });
                }
                told
            }
            Entry::Settle { fates } => {
                self.mentions += fates.len();
                let told = fates.len() as u64;
                for (key, standing) in fates {
                    let ticket = None;
                    self.records.insert(key, Record { standing, ticket });
                }
                told
            }
            Entry::Close { ticket, rest } => {
                self.mentions += 1;
                let mut told = 0;
                for record in self.records.values_mut() {
                    if record.ticket.as_deref() == Some(ticket.as_str()) {
                        (record.standing, record.ticket) = (rest, None);
                        told += 1;
                    }
                }
                told
            }
        }
    }

    /// Puts a file in place that names each record once.
    fn rewrite(&mut self, folder: &Folder) -> Result<()> {
        let header = Header {
            format: FORMAT,
            identity: self.target.identity.clone(),
            object: self.target.object.clone(),
            generation: self.generation + 1,
        };
        let mut bytes = 0;
        let written = folder.replace(&self.path, |file| {
            let mut put = |line: Result<String>| {
                let line = line.map_err(io::Error::other)?;
                bytes += line.len() as u64;
                file.write_all(line.as_bytes())
            };
            put(line::seal(&header))?;
            self.entries().try_for_each(|entry| put(line::seal(&entry)))
        });
        if let Err(error) = written {
            self.forget();
            return Err(failed("write the journal anew", &self.path, error));
        }
        (self.generation, self.bytes, self.mentions) = (header.generation, bytes, self.records.len());
        Ok(())
    }

    /// Entries that make up what is known.
    fn entries(&self) -> impl Iterator<Item = Entry> {
        let mut sent: HashMap<&str, Vec<Key>> = HashMap::new();
        for (key, record) in &self.records {
            if let Some(ticket) = &record.ticket {
                sent.entry(ticket).or_default().push(key.clone());
            }
        }
        let sent = sent.into_iter().map(|(ticket, keys)| Entry::Intend {
            keys,
            ticket: Some(Ticket::new(ticket)),
        });
        let mut settled = self.records.iter().filter(|(_, record)| record.ticket.is_none());
        let settled = std::iter::from_fn(move || {
            let chunk = settled.by_ref().take(CHUNK);
            let fates: Vec<_> = chunk
                .map(|(key, record)| (key.clone(), record.standing))
                .collect();
            (!fates.is_empty()).then_some(Entry::Settle { fates })
        });
        settled.chain(sent)
    }
}

/// Removes what stands behind `bytes`.
fn cut(path: &Path, bytes: u64) -> io::Result<()> {
    let file = OpenOptions::new().write(true).open(path)?;
    file.set_len(bytes)?;
    file.sync_all()
}

fn damaged(path: &Path) -> Error {
    Error::new(ErrorKind::State, "the journal is damaged")
        .with_context("file", path.display().to_string())
        .with_help(
            "restore the file from a copy; or delete it, then what became of the records sent so far is forgotten",
        )
}
