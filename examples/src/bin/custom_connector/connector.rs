//! The handle: a folder, which one it is, and the streams in it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::{fs, io};

use async_trait::async_trait;
use connector_core::{
    CheckReport, Connector, Destination, Error, ErrorKind, Identity, Result, Selection, Source, StreamName,
    StreamSpec, StreamSummary, nearest,
};

use crate::files::{failed, folder_id};

/// The file that keeps a folder's id.
const ID_FILE: &str = ".ndjson-id";

/// A folder of streams: `NAME.ndjson` holds the records of one, `NAME.schema.json` says what they look like.
///
/// Every task of every job may use one handle at once, so nothing in it changes: what belongs to one read or one write
/// is in the reader or the writer. Files are worked on by the thread that polls; none of the futures waits.
#[derive(Clone, Debug)]
pub(crate) struct Ndjson {
    path: PathBuf,
    /// Stamped on every state, so that a state of another folder is refused.
    pub(crate) identity: Identity,
}

impl Ndjson {
    /// The folder `path`, which gets an id of its own when it is first opened.
    pub(crate) fn open(path: impl AsRef<Path>) -> Result<Self> {
        // The process may change its working folder later.
        let path = std::path::absolute(&path).map_err(|error| failed("find", path.as_ref(), error))?;
        if !path.is_dir() {
            let message = format!("there is no folder `{}`", path.display());
            return Err(Error::new(ErrorKind::Config, message).with_help("make it, or name the one you mean"));
        }
        let id = folder_id(&path.join(ID_FILE))?;
        Ok(Self {
            path,
            identity: Identity::new("ndjson", id),
        })
    }

    /// A stream's file with this ending. Names come out of jobs, and must not lead out of the folder.
    pub(crate) fn file(&self, stream: &StreamName, ending: &str) -> Result<PathBuf> {
        let name = stream.as_str();
        if name.is_empty() || name.starts_with('.') || name.contains(['/', '\\', '\0']) {
            let message = format!("`{name}` cannot be the name of a file");
            return Err(Error::new(ErrorKind::Config, message)
                .with_help("name the stream without slashes, and without a dot at its start"));
        }
        Ok(self.path.join(format!("{name}{ending}")))
    }

    /// The names of the streams, in order.
    pub(crate) fn names(&self) -> Result<Vec<String>> {
        let files = fs::read_dir(&self.path).and_then(Iterator::collect::<io::Result<Vec<_>>>);
        let files = files.map_err(|error| failed("list", &self.path, error))?;
        let name = |file: fs::DirEntry| {
            Some(
                file.file_name()
                    .to_str()?
                    .strip_suffix(".schema.json")?
                    .to_owned(),
            )
        };
        let mut names: Vec<String> = files.into_iter().filter_map(name).collect();
        names.sort();
        Ok(names)
    }

    /// The error for a stream that is not there: it names those that are nearly called so, for most are misspelt.
    pub(crate) fn no_stream(&self, name: &StreamName) -> Error {
        let names = self.names().unwrap_or_default();
        let help = match nearest(name.as_str(), names.iter().map(String::as_str)).as_slice() {
            [] => format!("write `{name}.schema.json`, which makes `{name}.ndjson` a stream"),
            near => format!("did you mean `{}`?", near.join("` or `")),
        };
        Error::new(ErrorKind::NotFound, format!("there is no stream `{name}`")).with_help(help)
    }
}

/// The stream that is meant.
pub(crate) fn stream_of(what: &Selection) -> Result<&StreamName> {
    match what {
        Selection::Stream(name) => Ok(name),
        _ => Err(Error::new(ErrorKind::Unsupported, "a folder answers no queries")
            .with_help("name one of its streams")),
    }
}

#[async_trait]
impl Connector for Ndjson {
    fn name(&self) -> &'static str {
        "ndjson"
    }

    async fn identity(&self) -> Result<Identity> {
        Ok(self.identity.clone())
    }

    async fn check(&self) -> Result<CheckReport> {
        let streams = self.names()?.len();
        Ok(CheckReport::new()
            .with("folder", self.path.display().to_string())
            .with("streams", streams.to_string()))
    }

    async fn streams(&self) -> Result<Vec<StreamSummary>> {
        let names = self.names()?.into_iter().map(StreamName::new);
        Ok(names.map(StreamSummary::new).collect())
    }

    async fn describe(&self, what: &Selection) -> Result<StreamSpec> {
        let schema = Arc::new(self.schema(stream_of(what)?)?);
        // Lines are only ever added, so their order is the order of changes: every stream can be read incrementally.
        Ok(StreamSpec::new(what.clone(), schema).with_cursor(Some("(place in the file)".to_owned())))
    }

    fn as_source(&self) -> Option<&dyn Source> {
        Some(self)
    }

    fn as_destination(&self) -> Option<&dyn Destination> {
        Some(self)
    }
}
