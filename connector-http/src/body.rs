//! A body as it arrives: decompressed, whole or an error.

use std::io::{self, Write};

use bytes::Bytes;
use flate2::write::GzDecoder;
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, TRANSFER_ENCODING};
use http::{HeaderMap, StatusCode, Version};

/// The answer to a request: its head, and the body still on its way.
#[derive(Debug)]
pub(crate) struct Body {
    response: reqwest::Response,
    gzip: Option<GzDecoder<Vec<u8>>>,
    /// Compressed bytes that arrived and are still to be expanded.
    compressed: Bytes,
    bounded: bool,
    ended: bool,
}

/// Why a body did not arrive whole.
#[derive(Debug)]
pub(crate) enum BodyError {
    /// The connection failed.
    Transport(reqwest::Error),
    /// The compression is broken, or ends early.
    Gzip(io::Error),
    /// Nothing says where the body ends but the end of the connection, which a cut looks like as well.
    Unbounded,
    /// The answer comes in a compression that was not asked for.
    Encoding,
    /// More bytes than allowed.
    TooLarge,
}

/// Compressed bytes that are expanded into one piece: at most about a thousand times as many come out.
const STEP: usize = 8 * 1024;

impl Body {
    pub(crate) fn new(response: reqwest::Response) -> Self {
        let headers = response.headers();
        let gzip = headers
            .get(CONTENT_ENCODING)
            .is_some_and(|encoding| encoding == "gzip");
        let framed = headers.contains_key(CONTENT_LENGTH) || headers.contains_key(TRANSFER_ENCODING);
        // HTTP/2 ends its streams in words, a status without a body needs no end, and gzip has one of its own.
        let bodiless = matches!(
            response.status(),
            StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED
        );
        let bounded = framed || gzip || bodiless || response.version() >= Version::HTTP_2;
        Self {
            bounded,
            gzip: gzip.then(|| GzDecoder::new(Vec::new())),
            compressed: Bytes::new(),
            response,
            ended: false,
        }
    }

    pub(crate) fn status(&self) -> StatusCode {
        self.response.status()
    }

    pub(crate) fn headers(&self) -> &HeaderMap {
        self.response.headers()
    }

    /// The next piece; `None` once the body is known to be whole. Cancel-safe.
    pub(crate) async fn chunk(&mut self) -> Result<Option<Bytes>, BodyError> {
        loop {
            if self.ended {
                return Ok(None);
            }
            if let Some(gzip) = self.gzip.as_mut().filter(|_| !self.compressed.is_empty()) {
                let step = self.compressed.split_to(STEP.min(self.compressed.len()));
                let piece = expand(gzip, &step).map_err(BodyError::Gzip)?;
                if !piece.is_empty() {
                    return Ok(Some(piece));
                }
                continue;
            }
            let raw = self.response.chunk().await.map_err(BodyError::Transport)?;
            let piece = match (raw, &mut self.gzip) {
                (Some(raw), None) => {
                    let encoding = self.response.headers().get(CONTENT_ENCODING);
                    if encoding.is_some_and(|encoding| encoding != "identity") {
                        return Err(BodyError::Encoding);
                    }
                    raw
                }
                (Some(raw), Some(_)) => {
                    self.compressed = raw;
                    continue;
                }
                (None, gzip) => {
                    self.ended = true;
                    if !self.bounded {
                        return Err(BodyError::Unbounded);
                    }
                    match gzip {
                        Some(gzip) => Bytes::from(finish(gzip)?),
                        None => Bytes::new(),
                    }
                }
            };
            if !piece.is_empty() {
                return Ok(Some(piece));
            }
        }
    }

    /// The whole body, at most `max` bytes of it.
    pub(crate) async fn read_all(&mut self, max: usize) -> Result<Bytes, BodyError> {
        let Some(first) = self.chunk().await? else {
            return Ok(Bytes::new());
        };
        let mut whole = first.to_vec();
        while whole.len() <= max {
            match self.chunk().await? {
                Some(piece) => whole.extend_from_slice(&piece),
                None => return Ok(whole.into()),
            }
        }
        Err(BodyError::TooLarge)
    }

    /// The first `max` bytes of the body, and of a broken one what there is: enough to say what failed.
    pub(crate) async fn read_start(&mut self, max: usize) -> Bytes {
        let mut start = Vec::new();
        while start.len() < max
            && let Ok(Some(piece)) = self.chunk().await
        {
            start.extend_from_slice(&piece);
        }
        start.truncate(max);
        start.into()
    }
}

/// Expands a step, into room for as much as the last one became.
fn expand(gzip: &mut GzDecoder<Vec<u8>>, step: &[u8]) -> io::Result<Bytes> {
    gzip.write_all(step)?;
    gzip.flush()?;
    let room = gzip.get_ref().len();
    Ok(std::mem::replace(gzip.get_mut(), Vec::with_capacity(room)).into())
}

/// Checks length and sum at the end of the compression, and returns what was still inside.
fn finish(gzip: &mut GzDecoder<Vec<u8>>) -> Result<Vec<u8>, BodyError> {
    gzip.try_finish().map_err(BodyError::Gzip)?;
    Ok(std::mem::take(gzip.get_mut()))
}
